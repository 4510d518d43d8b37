"""The config held against SAP's own metadata, and against that of OData 4: what is wrong is said with what was meant."""

import os
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from pydantic import ValidationError

from syncd.connectors.odata import KIND
from syncd.connectors.odata.check import known
from syncd.connectors.odata.collection import Things
from syncd.connectors.odata.metadata import parse_metadata
from syncd.connectors.odata.schema import Service
from syncd.connectors.odata.writes import refused_path
from syncd.connectors.options import WritePolicy
from syncd.connectors.protocol import Collection
from syncd.core.model import SECOND, Abilities
from syncd.errors import PermanentError
from tests.connectors.odata_fake import V4

DAY = 24 * 3600 * SECOND


def sap(name: str) -> Service:
    """Return what SAP's own metadata says; it is not a part of the project."""
    folder = os.environ.get("SYNCD_SHARED")
    if not folder:
        stop = pytest.fail if os.environ.get("CI") else pytest.skip
        stop("SYNCD_SHARED is not set: SAP's metadata is not here")
    return parse_metadata(Path(str(folder), "schemas", "sap", f"{name}.edmx").read_bytes(), name)


def held(service: Service, *, fields: tuple[str, ...] = (), poll_by: str | None = None, **options: Any) -> Things:
    """Return a collection held against a service."""
    collection = Collection("things", KIND.collection.model_validate(options), fields=fields, writes=fields)
    connection = KIND.connection.model_validate({"base_url": "http://h/svc"})
    return known(service, collection, connection, ("sap", ZoneInfo("UTC")), poll_by)


def test_saps_products_are_as_the_example_has_them() -> None:
    service = sap("API_PRODUCT_SRV")
    assert (service.version, len(service.sets)) == ("v2", 32)
    marker = {"field": "IsMarkedForDeletion", "is": True}
    options: dict[str, Any] = {"path": "A_Product", "id": "Product", "changed_at": "LastChangeDateTime", "deleted": marker}
    fields = ("Product", "NetWeight", "to_Description.0.ProductDescription")
    things = held(service, fields=fields, expand=["to_Description"], **options)
    assert (things.set.deletable, things.set.updatable) == (False, True)
    assert things.dated_by("LastChangeDateTime").by_day is False
    assert things.dated_by("LastChangeDate").by_day is True
    assert refused_path(things, "LastChangedByUser", creating=False).endswith("cannot be changed, its metadata says")
    assert refused_path(things, "NetWeight", creating=False) == ""
    plant = held(service, path="A_ProductPlant", id="Product,Plant")
    assert plant.path_of("Product='MUG-1',Plant='1000'") == "/A_ProductPlant(Product='MUG-1',Plant='1000')"


def test_saps_business_partners_are_dated_by_day_and_time() -> None:
    service = sap("API_BUSINESS_PARTNER")
    dates = {"changed_at": "LastChangeDate", "changed_time": "LastChangeTime"}
    things = held(service, path="A_BusinessPartner", id="BusinessPartner", **dates)
    dated = things.dated_by("LastChangeDate")
    assert (dated.by_day, dated.clock) == (True, "LastChangeTime")
    item = {"LastChangeDate": "2026-11-20", "LastChangeTime": "10:05:00"}
    assert dated.time(item) == 1795169100 * SECOND


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"path": "Product"}, 'no entity set "Product": did you mean A_Product'),
    ({"path": "A_Produkt"}, 'no entity set "A_Produkt": did you mean A_Product'),
    ({"id": "Produkt"}, 'A_Product has no property "Produkt": did you mean Product'),
    ({"id": "ProductType"}, "id: ProductType is not the key of A_Product; write  id: Product"),
    ({"path": "A_ProductPlant"}, "id: Product is not the key of A_ProductPlant; write  id: Product,Plant"),
    ({"changed_at": "LastChange"}, 'changed_at: A_Product has no date "LastChange": did you mean LastChangeDate'),
    ({"changed_at": "ProductType"}, "changed_at: ProductType of A_Product is Edm.String, no date"),
    ({"poll_by": "Changed"}, 'poll.cursor: A_Product has no date "Changed"'),
    ({"changed_at": "LastChangeDate", "changed_time": "Time"}, "changed_time: Time is no time of A_Product"),
    ({"expand": ["to_Descr"]}, 'expand: API_PRODUCT_SRV.A_ProductType leads nowhere called "to_Descr": did you mean'),
    ({"expand": ["to_Plant/to_X"]}, 'expand: API_PRODUCT_SRV.A_ProductPlantType leads nowhere called "to_X"'),
    ({"fields": ("NetWheight",)}, 'A_Product has no property "NetWheight": did you mean NetWeight'),
    ({"fields": ("to_Plant.0.Plant",)}, "to_Plant.0.Plant: to_Plant is a navigation; write  expand: [to_Plant]"),
    ({"deleted": {"field": "IsDeleted", "is": True}}, 'A_Product has no property "IsDeleted"'),
    ({"changed_by": "ChangedBy"}, 'A_Product has no property "ChangedBy"'),
    ({"deletable": True}, "deletable: true, but A_Product is not deletable by the metadata; write  deleted:"),
]


@pytest.mark.parametrize(("changed", "said"), WRONG, ids=range(len(WRONG)))
def test_what_is_not_there_is_said_with_what_was_meant(changed: dict[str, Any], said: str) -> None:
    with pytest.raises(PermanentError) as caught:
        held(sap("API_PRODUCT_SRV"), **({"path": "A_Product", "id": "Product"} | changed))
    assert str(caught.value).startswith(f"things: {said}"), caught.value


CSDL = """<edmx:Edmx Version="4.0" xmlns:edmx="http://docs.oasis-open.org/odata/ns/edmx"><edmx:DataServices>
<Schema Namespace="com.x" Alias="SELF" xmlns="http://docs.oasis-open.org/odata/ns/edm">
<TypeDefinition Name="Money" UnderlyingType="Edm.Decimal"/>
<EnumType Name="Colour"><Member Name="Red"/></EnumType>
<EntityType Name="Base" Abstract="true"><Key><PropertyRef Name="ID"/></Key>
<Property Name="ID" Type="Edm.Guid"/></EntityType>
<EntityType Name="Book" BaseType="SELF.Base"><Property Name="price" Type="SELF.Money"/>
<Property Name="tags" Type="Collection(Edm.String)"/>
<Property Name="colour" Type="SELF.Colour"/><NavigationProperty Name="author" Type="SELF.Author"/></EntityType>
<EntityType Name="Author" BaseType="SELF.Base"/>
<EntityContainer Name="C"><EntitySet Name="Books" EntityType="SELF.Book"/>
<EntitySet Name="Authors" EntityType="com.x.Author"/>
</EntityContainer>
<Annotations Target="SELF.C/Books"><Annotation Term="Capabilities.InsertRestrictions"><Record>
<PropertyValue Property="Insertable"><Bool>false</Bool></PropertyValue></Record></Annotation>
<Annotation Term="Capabilities.UpdateRestrictions"><Record><PropertyValue Property="NonUpdatableProperties"><Collection>
<PropertyPath>price</PropertyPath></Collection></PropertyValue></Record></Annotation>
<Annotation Term="Capabilities.CountRestrictions"><Record>
<PropertyValue Property="Countable" Bool="false"/></Record></Annotation>
</Annotations>
<Annotations Target="SELF.Book/tags"><Annotation Term="Core.Immutable" Bool="true"/></Annotations>
<Annotations Target="SELF.Book/colour"><Annotation Term="Core.Computed" Bool="false"/></Annotations>
</Schema></edmx:DataServices></edmx:Edmx>"""


def test_aliases_base_types_and_annotations_of_version_4() -> None:
    service = parse_metadata(CSDL.encode(), "x")
    books, book = service.sets["Books"], service.types["com.x.Book"]
    assert book.key == ("ID",)
    assert {one.name: (one.type, one.many) for one in book.properties.values()} == {
        "ID": ("Edm.Guid", False),
        "price": ("Edm.Decimal", False),
        "tags": ("Edm.String", True),
        "colour": ("com.x.Colour", False),
    }
    assert book.navigations["author"].target == "com.x.Author"
    assert (books.creatable, books.updatable, books.deletable, books.countable) == (False, True, True, False)
    assert books.fixed == {"price"}
    allowed = [(one.creatable, one.updatable) for one in (book.properties["tags"], book.properties["colour"])]
    assert allowed == [(True, False), (True, True)]
    assert service.sets["Authors"].creatable
    things = held(service, path="Books", id="ID")
    assert refused_path(things, "price", creating=False).startswith("price: price cannot be changed")


def test_an_annotation_inside_of_its_entity_set_counts() -> None:
    assert not parse_metadata(V4.encode(), "x").sets["Parts"].deletable


# ---- what follows from the options alone


def able(
    collection: dict[str, Any], connection: dict[str, Any] | None = None, write: dict[str, Any] | None = None
) -> Abilities:
    options = KIND.collection.model_validate({"path": "P", "id": "id"} | collection)
    given = KIND.connection.model_validate({"base_url": "https://h", "timeout": "10s"} | (connection or {}))
    return KIND.abilities(given, options, KIND.watch.model_validate({}), WritePolicy.model_validate(write or {}))


def test_abilities_are_what_is_configured() -> None:
    bare = able({})
    assert (bare.guard, bare.timed, bare.delete, bare.tick, bare.lifetime, bare.answers) == (
        False, False, True, SECOND, 20 * SECOND, False,
    )  # fmt: skip
    assert able({"version": "etag"}).guard
    assert not able({"version": "etag"}, write={"guard": "none"}).guard
    marker = {"deleted": {"field": "gone", "is": True}}
    assert not able(marker).delete
    assert able(marker | {"deletable": True}).delete
    assert able({"changed_at": "day", "shape": {"day": "date"}}).tick == DAY
    assert able({"changed_at": "day", "changed_time": "clock", "shape": {"day": "date"}}).tick == SECOND
    assert able({}, {"protocol": "v4"}).answers


@pytest.mark.parametrize(
    ("model", "given", "said"),
    [
        ("collection", {"path": "P('x')", "id": "id"}, "path"),
        ("collection", {"path": "P", "id": "a b"}, "id"),
        ("collection", {"path": "P", "id": "id", "changed_time": "t"}, "changed_time needs changed_at, the day"),
        ("collection", {"path": "P", "id": "id", "paging": "skip"}, "paging needs page"),
        ("collection", {"path": "P", "id": "id", "shape": {"x": "money"}}, "shape: x is one of string"),
        ("watch", {"delta": True}, "delta needs poll"),
        ("connection", {"base_url": "https://h", "client": "1"}, "a client has three digits"),
        ("connection", {"base_url": "https://h", "protocol": "v2", "batch": "json"}, "batch: json is of V4 only"),
        ("connection", {"base_url": "https://h", "protocol": "v4", "update": "merge"}, "update: merge is of V2 only"),
    ],
)
def test_options_that_make_no_sense_are_refused(model: str, given: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        getattr(KIND, model).model_validate(given)
