"""Every document that the connector can send validates against the vendor's own 2026-10 schema, its variables as well."""

import itertools
from decimal import Decimal
from typing import Any

import pytest
from graphql import OperationDefinitionNode, parse
from graphql.execution.values import get_variable_values

from syncd.connectors.body import decode, encode
from syncd.connectors.shopify import documents
from syncd.connectors.shopify.creates import creation
from syncd.connectors.shopify.inputs import ADDRESS, FIELDS
from syncd.connectors.shopify.mutations import request_of
from syncd.connectors.shopify.objects import KINDS, NESTED, gid
from syncd.connectors.shopify.options import ShopifyCollection
from syncd.connectors.shopify.selection import Selection
from syncd.connectors.shopify.updates import Current, extras, mutations_of
from syncd.core.model import Native, Op, Write
from syncd.errors import PermanentError
from tests.connectors.shopify_schema import flaws, schema

PLACE = "gid://shopify/Location/1"
READ: dict[str, list[str]] = {
    "Product": [
        *(
            "id",
            "legacyResourceId",
            "title",
            "handle",
            "status",
            "vendor",
            "productType",
            "tags",
            "descriptionHtml",
            "updatedAt",
        ),
        *(
            "publishedAt",
            "featuredImage.url",
            "seo.title",
            "seo.description",
            "category.id",
            "templateSuffix",
            "totalInventory",
        ),
        *("options.0.name", "options.0.values", "metafields.custom.erp_number", "metafields.$app:own.a-b", "images.0.url"),
        *("variants.0.sku", "variants.0.barcode", "variants.0.price", "variants.0.compareAtPrice", "variants.2.price"),
        *("variants.0.inventoryQuantity", "variants.0.weight", "variants.0.inventoryItem.unitCost.amount", "variants.0.id"),
        *("variants.0.inventoryItem.measurement.weight.value", "variants.0.selectedOptions.0.value", "media.0.alt"),
        *(
            "variants.0.metafields.custom.size",
            "variants[sku=A-1].price",
            "collections.0.title",
            "priceRangeV2.minVariantPrice.amount",
        ),
        *("giftCardTemplateSuffix", "requiresSellingPlan"),
    ],
    "ProductVariant": [
        *(
            "id",
            "sku",
            "price",
            "barcode",
            "updatedAt",
            "product.id",
            "product.title",
            "inventoryQuantity",
            "weight",
            "taxable",
        ),
        *("inventoryItem.sku", "metafields.custom.size", "selectedOptions.0.name", "inventoryItem.tracked", "position"),
    ],
    "Customer": [
        *("id", "firstName", "lastName", "email", "phone", "defaultEmailAddress.emailAddress", "note", "tags", "taxExempt"),
        *("defaultPhoneNumber.phoneNumber", "defaultAddress.city", "defaultAddress.countryCodeV2", "updatedAt", "locale"),
        *(
            "metafields.custom.erp_number",
            "addressesV2.0.city",
            "numberOfOrders",
            "amountSpent.amount",
            "taxExemptions",
            "state",
        ),
        *("defaultEmailAddress.marketingState",),
    ],
    "Order": [
        *("id", "name", "createdAt", "updatedAt", "displayFinancialStatus", "displayFulfillmentStatus", "email", "poNumber"),
        *("currentTotalPriceSet.shopMoney.amount", "lineItems.0.sku", "lineItems.0.quantity", "customer.email", "tags"),
        *("metafields.custom.erp_number", "shippingLines.0.title", "lineItems[sku=A].quantity", "transactions.0.gateway"),
    ],
    "InventoryItem": [
        *("id", "sku", "tracked", "unitCost.amount", "updatedAt", "measurement.weight.value", "countryCodeOfOrigin"),
        *("inventoryLevels.0.quantities.available", "inventoryLevels.0.location.id", "harmonizedSystemCode"),
    ],
    "InventoryLevel": ["id", "quantities.available", "quantities.on_hand", "item.sku", "item.id", "location.name", "updatedAt"],
    "Collection": [
        "id",
        "title",
        "handle",
        "descriptionHtml",
        "updatedAt",
        "sortOrder",
        "seo.title",
        "metafields.custom.k",
        "image.url",
    ],
}
VALUES: dict[str, Native] = {
    "tags": ["a", "b"],
    "status": "ARCHIVED",
    "inventoryQuantity": 7,
    "price": Decimal("12.50"),
    "compareAtPrice": "15.00",
    "weight": Decimal(250),
    "value": Decimal("0.5"),
    "unit": "KILOGRAMS",
    "amount": Decimal("3.10"),
    "inventoryPolicy": "DENY",
    "countryCodeOfOrigin": "DE",
    "countryCodeV2": "DE",
    "sortOrder": "MANUAL",
    "taxExemptions": ["CA_BC_RESELLER_EXEMPTION"],
    "available": 7,
    "on_hand": 9,
}
BOOLEANS = {"taxable", "tracked", "requiresShipping", "taxExempt", "requiresSellingPlan", "showUnitPrice", "requiresComponents"}


def value_of(path: str) -> Native:
    name = path.rpartition(".")[2]
    return True if name in BOOLEANS else VALUES.get(name, f"a {name}")


def options_of(kind: str, **other: Any) -> ShopifyCollection:
    given = {"object": kind, "id": "id", "changed_at": "updatedAt"} | other
    return ShopifyCollection.model_validate(given)


def sound(document: str, variables: Native = None) -> None:
    """Assert that the vendor's schema has nothing against a document, nor against its variables as they are on the wire."""
    assert flaws(document) == [], document
    operation = parse(document).definitions[0]
    assert isinstance(operation, OperationDefinitionNode)
    plain = decode(encode(variables or {}))
    found = get_variable_values(schema(), operation.variable_definitions or [], floats(plain))
    errors = found if isinstance(found, list) else getattr(found, "errors", None)
    assert not errors, (errors, document, variables)


def floats(value: Native) -> Native:
    """Return JSON as the vendor's program has it: a fraction is a float there."""
    if isinstance(value, dict):
        return {key: floats(one) for key, one in value.items()}
    if isinstance(value, list):
        return [floats(one) for one in value]
    return float(value) if isinstance(value, Decimal) else value


def selections(kind: str) -> list[Selection]:
    """Return selections of each path by itself, of every two, and of all, with and without a location."""
    paths = READ[kind]
    some = [(one,) for one in paths] + list(itertools.combinations(paths, 2)) + [tuple(paths)]
    return [Selection(kind, one, location=place, digests=place is None) for one in some for place in (None, PLACE)]


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_read_is_there(kind: str) -> None:
    """Each path and each two together are in the schema: listed, and read by id."""
    for selection in selections(kind)[:: 1 if kind != "Product" else 3]:
        document, _ = documents.listing(KINDS[kind], selection, by_time=False)
        assert flaws(document) == [], document
    everything = Selection(kind, READ[kind], location=PLACE, digests=True)
    for by_time in (True, False):
        document, _ = documents.listing(KINDS[kind], everything, by_time=by_time)
        located = {"location": PLACE} if kind == "InventoryLevel" else {}
        sound(document, {"first": 10, "after": None, "query": "a:b"} | located)
    sound(documents.reading(KINDS[kind], everything), {"ids": ["gid://shopify/Product/1"]})


@pytest.mark.parametrize("kind", KINDS)
def test_nested_lists_are_read_on(kind: str) -> None:
    selection = Selection(kind, READ[kind], location=PLACE)
    names = [name for name, part in selection.root.below.items() if part.connection]
    for name in names:
        document, at = documents.resting(KINDS[kind], selection, name)
        sound(document, {"id": "gid://shopify/Product/1", "first": 5, "after": "x"})
        assert at == f"node.{name}"


@pytest.mark.parametrize("kind", [name for name, kind in KINDS.items() if kind.unique])
def test_things_are_found_by_what_names_them(kind: str) -> None:
    document, _ = documents.unique(KINDS[kind], Selection(kind, READ[kind]))
    for _, name in KINDS[kind].unique:
        sound(document, {"identifier": {name: "gid://shopify/X/1"}})
    sound(document, {"identifier": {"customId": {"namespace": "a", "key": "b", "value": "c"}}})


def test_the_other_queries_are_sound() -> None:
    sound(documents.SCOPES)
    sound(documents.LOCATIONS, {"first": 10, "after": None})
    sound(documents.SUBSCRIPTIONS, {"first": 10, "after": None})
    sound(documents.SUBSCRIBE, {"topic": "PRODUCTS_UPDATE", "subscription": {"uri": "https://x.example", "format": "JSON"}})
    sound(documents.RUN_BULK, {"query": "{ a }"})
    sound(documents.BULK, {"id": "gid://shopify/BulkOperation/1"})


@pytest.mark.parametrize("kind", [name for name in KINDS if name != "InventoryLevel"])
def test_bulk_queries_are_sound(kind: str) -> None:
    paths = [path for path in READ[kind] if path.split(".")[0].split("[")[0] not in {"collections", "media", "images"}]
    query = documents.bulk(KINDS[kind], Selection(kind, paths, location=PLACE), "updated_at:>='2026-01-01' AND a:\"b\"")
    assert flaws(query) == [], query


@pytest.mark.parametrize("kind", KINDS)
def test_the_nested_things_are_what_we_think_they_are(kind: str) -> None:
    """The table of nested fields says the vendor's types, and which of them are connections."""
    for name, (target, connection) in NESTED.get(kind, {}).items():
        found = schema().type_map[kind].fields[name].type  # type: ignore[attr-defined]
        while hasattr(found, "of_type"):
            found = found.of_type
        assert found.name == (f"{target}Connection" if connection else target)


@pytest.mark.parametrize("kind", KINDS)
def test_the_topics_exist(kind: str) -> None:
    known = set(schema().type_map["WebhookSubscriptionTopic"].values)  # type: ignore[attr-defined]
    assert {topic.replace("/", "_").upper() for topic in KINDS[kind].topics} <= known


# ---- writes


def written(kind: str) -> list[str]:
    """Return every path that can be written on a kind."""
    found = list(FIELDS[kind])
    found += [f"defaultAddress.{name}" for name in ADDRESS] if kind == "Customer" else []
    if kind == "Product":
        found += [f"variants.0.{path}" for path in FIELDS["ProductVariant"]]
        found += [
            "variants.0.inventoryQuantity",
            "variants.1.price",
            "variants[sku=B].price",
            "variants.0.metafields.custom.size",
        ]
    found += ["inventoryQuantity"] if kind == "ProductVariant" else []
    found += ["quantities.available", "quantities.on_hand"] if kind == "InventoryLevel" else []
    found += ["inventoryLevel.quantities.available"] if kind == "InventoryItem" else []
    return found + (
        ["metafields.custom.erp", "metafields.custom.other"] if kind in {"Product", "Customer", "Collection"} else []
    )


def now_of(kind: str) -> Current:
    level = {"location": {"id": PLACE}, "quantities": {"available": 3}}
    item = {"id": "gid://shopify/InventoryItem/7", "inventoryLevels": [level]}
    variants = [
        {"id": f"gid://shopify/ProductVariant/{n}", "sku": "AB"[n], "inventoryItem": item, "inventoryQuantity": 3}
        for n in (0, 1)
    ]
    thing = {"id": gid(kind, "1"), "variants": variants, "product": {"id": "gid://shopify/Product/1"}, "item": item}
    thing |= {"inventoryItem": item, "location": {"id": PLACE}, "quantities": {"available": 3, "on_hand": 4}}
    thing |= {"defaultAddress": {"id": "gid://shopify/MailingAddress/1"}, "inventoryLevel": level, "inventoryQuantity": 3}
    return Current(thing, {("custom", "erp"): ("digest", "single_line_text_field")})


def write_of(kind: str, values: dict[str, Native], op: Op = Op.UPDATE, **other: Any) -> Write:
    return Write(op, "shop", "things", 1, gid(kind, "1"), values=values, key="a-key", **other)


WRITABLE = [name for name, kind in KINDS.items() if kind.updates]


@pytest.mark.parametrize("kind", WRITABLE)
@pytest.mark.parametrize("guarded", [True, False])
def test_every_update_is_sound(kind: str, guarded: bool) -> None:
    """Each path by itself, every two together, and all, written and where that has a meaning emptied."""
    paths, options = written(kind), options_of(kind, location="1")
    fields = Selection(kind, READ[kind]).text
    for some in [(one,) for one in paths] + list(itertools.combinations(paths, 2)) + [tuple(paths)]:
        write = write_of(kind, {path: value_of(path) for path in some})
        request = request_of(mutations_of(kind, write, now_of(kind), options, guarded=guarded), "id")
        sound(request.document, request.variables)
    write = write_of(kind, {path: value_of(path) for path in paths})
    request = request_of(mutations_of(kind, write, now_of(kind), options, guarded=guarded), fields)
    sound(request.document, request.variables)


@pytest.mark.parametrize("kind", ["Product", "Customer", "Collection"])
def test_metafields_are_emptied_by_deleting_them(kind: str) -> None:
    write = write_of(
        kind, {"metafields.custom.erp": None, "title": "x"} if kind != "Customer" else {"metafields.custom.erp": None}
    )
    request = request_of(mutations_of(kind, write, now_of(kind), options_of(kind), guarded=True), "id")
    assert "metafieldsDelete" in request.document
    sound(request.document, request.variables)


@pytest.mark.parametrize("kind", ["Product", "ProductVariant", "InventoryLevel"])
def test_stock_is_adjusted_by_a_difference(kind: str) -> None:
    path = {"Product": "variants.0.inventoryQuantity", "ProductVariant": "inventoryQuantity"}.get(kind, "quantities.available")
    write = write_of(kind, {path: -2}, adjust={"stock": -2}, adjust_at={"stock": path})
    request = request_of(mutations_of(kind, write, now_of(kind), options_of(kind, location="1"), guarded=True), "id")
    assert "inventoryAdjustQuantities" in request.document
    assert "@idempotent(key: $key)" in request.document
    sound(request.document, request.variables)


@pytest.mark.parametrize("kind", ["Product", "ProductVariant", "InventoryItem"])
def test_what_is_stocked_nowhere_begins_with_a_quantity(kind: str) -> None:
    path = {"Product": "variants.0.inventoryQuantity", "ProductVariant": "inventoryQuantity"}.get(kind)
    path = path or "inventoryLevel.quantities.on_hand"
    item = {"id": "gid://shopify/InventoryItem/7", "inventoryLevels": []}
    nowhere = {"variants": [{"id": "v", "inventoryItem": item}], "inventoryItem": item, "inventoryLevel": None}
    for location, only in (("1", None), (None, PLACE)):
        if kind == "InventoryItem" and location is None:
            continue
        made = mutations_of(
            kind, write_of(kind, {path: 5}), Current(nowhere, {}), options_of(kind, location=location), guarded=True, only=only
        )
        request = request_of(made, "id")
        assert "inventoryActivate" in request.document
        sound(request.document, request.variables)


@pytest.mark.parametrize("kind", WRITABLE)
def test_what_is_read_before_a_write_is_there(kind: str) -> None:
    for location in ("1", None):
        options = options_of(kind, location=location)
        paths = [path for path in written(kind) if location or path != "inventoryLevel.quantities.available"]
        selection = Selection(kind, [*paths, *extras(kind, paths, options)], location=options.place, digests=True)
        sound(documents.reading(KINDS[kind], selection), {"ids": []})


@pytest.mark.parametrize("kind", [name for name, kind in KINDS.items() if kind.deletes])
def test_deletes_are_sound(kind: str) -> None:
    request = request_of(mutations_of(kind, write_of(kind, {}, Op.DELETE), now_of(kind), options_of(kind), guarded=True), "id")
    sound(request.document, request.variables)


def test_an_archive_sets_the_mark() -> None:
    request = request_of(
        mutations_of("Product", write_of("Product", {}, Op.ARCHIVE), now_of("Product"), options_of("Product"), guarded=True),
        "id",
    )
    assert request.variables["product"]["status"] == "ARCHIVED"
    sound(request.document, request.variables)


@pytest.mark.parametrize("kind", [name for name, kind in KINDS.items() if kind.creates])
def test_every_create_is_sound(kind: str) -> None:
    paths = [path for path in written(kind) if "[" not in path and not path.startswith("variants.1")]
    options = options_of(kind)
    base = {"title": "A thing"} if kind != "Customer" else {"lastName": "Thing"}
    for some in [(one,) for one in paths] + [tuple(paths)]:
        values = base | {path: value_of(path) for path in some}
        made = creation(kind, write_of(kind, values, Op.CREATE), options, place=PLACE)
        request = request_of([made], Selection(kind, READ[kind]).text)
        sound(request.document, request.variables)


def test_several_variants_are_made_by_what_they_differ_in() -> None:
    values: dict[str, Native] = {"title": "Mug"}
    for n, size in enumerate(["small", "large"]):
        values |= {f"variants.{n}.sku": f"M-{n}", f"variants.{n}.selectedOptions.0.name": "Size"}
        values |= {f"variants.{n}.selectedOptions.0.value": size, f"variants.{n}.inventoryQuantity": 3}
    made = creation("Product", write_of("Product", values, Op.CREATE), options_of("Product"), place=PLACE)
    request = request_of([made], "id")
    sound(request.document, request.variables)
    given = request.variables["product"]
    assert given["productOptions"] == [{"name": "Size", "position": 1, "values": [{"name": "small"}, {"name": "large"}]}]
    assert [one["optionValues"] for one in given["variants"]] == [
        [{"optionName": "Size", "name": "small"}],
        [{"optionName": "Size", "name": "large"}],
    ]


def test_several_variants_without_a_difference_are_refused() -> None:
    write = write_of("Product", {"title": "Mug", "variants.0.sku": "A", "variants.1.sku": "B"}, Op.CREATE)
    with pytest.raises(PermanentError, match="nothing says what they differ by"):
        creation("Product", write, options_of("Product"), place=None)
