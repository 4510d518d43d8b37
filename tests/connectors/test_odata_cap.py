"""The odata connector on SAP's own models, served by SAP's own server program: products and business partners, V2 and V4."""

import itertools
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from syncd.connectors.protocol import Connector
from syncd.core.model import Answer, Change, Item, Op, Receipt, Write
from syncd.errors import PermanentError, StaleWrite
from tests.connectors.odata_world import connected, fresh
from tests.emulators.cap import Cap, cap_process

PRODUCT: dict[str, Any] = {
    "path": "A_Product",
    "id": "Product",
    "changed_at": "LastChangeDateTime",
    "version": "etag",
    "page": 3,
    "deleted": {"field": "IsMarkedForDeletion", "is": True},
}
PARTNER: dict[str, Any] = {
    "path": "A_BusinessPartner",
    "id": "BusinessPartner",
    "changed_at": "LastChangeDate",
    "changed_time": "LastChangeTime",
    "version": "etag",
}
PROTOCOLS = pytest.mark.parametrize("protocol", ["v4", "v2"])


@pytest.fixture(scope="module")
def products() -> Iterator[Cap]:
    with cap_process("product", csrf=True) as server:
        yield server


@pytest.fixture(scope="module")
def partners() -> Iterator[Cap]:
    with cap_process("partner", csrf=True) as server:
        yield server


@pytest.fixture
def product(products: Cap) -> Cap:
    return fresh(products)


@pytest.fixture
def partner(partners: Cap) -> Cap:
    return fresh(partners)


async def all_of(connector: Connector) -> list[Change]:
    pages = [page async for page in connector.scan("things")]
    assert pages[-1].last
    assert pages[-1].complete, pages[-1].why
    assert not any(page.broken for page in pages)
    return list(itertools.chain.from_iterable(page.changes for page in pages))


async def polled(connector: Connector, cursor: str | None) -> tuple[list[Change], str | None]:
    found: list[Change] = []
    async for batch in connector.changes("things", cursor):
        found += batch.changes
        cursor = batch.cursor if batch.cursor is not None else cursor
    return found, cursor


async def look_at(connector: Connector, one: str) -> Change:
    [look] = await connector.read("things", [one])
    return look


def change_of(look: Change, values: Item, op: Op = Op.UPDATE) -> Write:
    return Write(op, "there", "things", 1, look.id, version=look.version, values=values, item=look.item, key="k")


async def applied(connector: Connector, write: Write) -> Any:
    [outcome] = await connector.apply([write])
    return outcome


# ---- paging


@PROTOCOLS
@pytest.mark.parametrize("paging", [{"page": None}, {"paging": "keys"}, {"paging": "skip"}], ids=["server", "keys", "skip"])
@pytest.mark.parametrize("limit", [None, 2])
async def test_all_pages_are_read_whoever_cuts_them(product: Cap, protocol: str, paging: dict[str, Any], limit: int | None):
    names = ["0012", "12", "A/B", "ä b+c%", "it's", "M&N?=#", "Z"]
    await product.rows([{"Product": name, "ProductGroup": "L1"} for name in names])
    await product.ask("page", page=limit)
    options = {name: value for name, value in (PRODUCT | paging).items() if value is not None}
    async with connected(product, protocol, options) as connector:
        assert sorted(one.id for one in await all_of(connector)) == sorted(names)
        assert [(await look_at(connector, name)).id for name in names] == names
        assert [one.id for one in await connector.find("things", "Product", "it's")] == ["it's"]


@PROTOCOLS
async def test_a_scan_misses_nothing_while_others_come_and_go(product: Cap, protocol: str):
    await product.rows([{"Product": f"M{n:02}"} for n in range(12)])
    async with connected(product, protocol, PRODUCT | {"page": 4, "count": False}) as connector:
        found: set[str] = set()
        async for page in connector.scan("things"):
            found |= {one.id for one in page.changes}
            if len(found) == 4:
                await product.ask("drop", entity="A_Product", key={"Product": "M00"})
                await product.put({"Product": "M99"})
        assert {f"M{n:02}" for n in range(12)} | {"M99"} == found


# ---- what changed


@PROTOCOLS
async def test_changes_are_asked_for_by_their_moment(product: Cap, protocol: str):
    await product.rows([{"Product": f"M{n}"} for n in range(5)], ago=10)
    async with connected(product, protocol, PRODUCT, watch={"poll": {"every": "1m", "overlap": "0s"}}) as connector:
        found, cursor = await polled(connector, None)
        assert len(found) == 5
        await product.put({"Product": "M3", "ProductGroup": "new"})
        found, cursor = await polled(connector, cursor)
        assert "M3" in {one.id for one in found}
        for _ in range(2):  # what bears a stamp of the very second may be told again, nothing else
            found, cursor = await polled(connector, cursor)
        assert {one.id for one in found} <= {"M3"}
        asked = [one["url"] for one in await product.seen() if "LastChangeDateTime ge" in one["url"]]
        assert all(("datetimeoffset'" in url) == (protocol == "v2") for url in asked)
        assert asked


@PROTOCOLS
async def test_a_service_that_dates_by_day_and_time_is_asked_by_the_day(partner: Cap, protocol: str):
    await partner.rows([{"BusinessPartner": str(n), "BusinessPartnerFullName": "x"} for n in range(3)])
    async with connected(partner, protocol, PARTNER, watch={"poll": {"every": "1m", "overlap": "1s"}}) as connector:
        found, cursor = await polled(connector, None)
        assert len(found) == 3
        assert all(one.changed_at is not None and one.changed_at % 86_400_000_000 for one in found)
        before = {one.id: one.version for one in found}
        await partner.put({"BusinessPartner": "1", "BusinessPartnerFullName": "new"})
        found, _ = await polled(connector, cursor)
        assert [one.id for one in found if one.version != before[one.id]] == ["1"]
        [asked] = {one["url"] for one in await partner.seen() if "LastChangeDate ge" in one["url"]}
        assert ("datetime'" in asked) == (protocol == "v2")


@PROTOCOLS
async def test_a_first_load_that_broke_off_goes_on_where_it_was(product: Cap, protocol: str):
    await product.rows([{"Product": f"M{n}"} for n in range(9)])
    first: list[str] = []
    cursor = None
    async with connected(product, protocol, PRODUCT) as connector:
        async for batch in connector.changes("things", None):
            first += [one.id for one in batch.changes]
            cursor = batch.cursor
            break
    await product.put({"Product": "M0", "ProductGroup": "late"})
    async with connected(product, protocol, PRODUCT) as connector:
        rest, cursor = await polled(connector, cursor)
        assert sorted(first + [one.id for one in rest]) == [f"M{n}" for n in range(9)]
        late, _ = await polled(connector, cursor)
        assert "M0" in {one.id for one in late}, "what changed behind our back is in the next round"


# ---- writing


@PROTOCOLS
async def test_a_write_is_bound_to_its_version(product: Cap, protocol: str):
    await product.put({"Product": "M1", "ProductGroup": "old", "GrossWeight": "1.500"})
    async with connected(product, protocol, PRODUCT) as connector:
        look = await look_at(connector, "M1")
        done = await applied(connector, change_of(look, {"ProductGroup": "ours"}))
        assert isinstance(done, Receipt)
        assert done.look is not None
        assert done.look.version != look.version
        assert isinstance(await applied(connector, change_of(look, {"ProductGroup": "late"})), StaleWrite)
    row = await product.held({"Product": "M1"}) or {}
    assert (row["ProductGroup"], row["GrossWeight"]) == ("ours", "1.500"), "a part is written, the rest stays"
    method = "PATCH" if protocol == "v4" else "MERGE"
    sent = [one for one in await product.seen() if one["method"] == method]
    assert [one["status"] for one in sent] == [200, 412]
    assert sent[0]["headers"]["if-match"] == look.version


@PROTOCOLS
async def test_without_versions_a_service_that_wants_them_gets_a_star_or_says_so(product: Cap, protocol: str):
    await product.put({"Product": "M1"})
    options = {name: value for name, value in PRODUCT.items() if name != "version"}
    async with connected(product, protocol, options) as connector:
        outcome = await applied(connector, change_of(await look_at(connector, "M1"), {"ProductGroup": "x"}))
    if protocol == "v4":
        assert isinstance(outcome, Receipt)
    else:
        assert isinstance(outcome, StaleWrite)
        assert "428" in str(outcome)
        assert "version: etag" in str(outcome)


@PROTOCOLS
async def test_deletion_is_a_mark(product: Cap, protocol: str):
    await product.put({"Product": "M1", "IsMarkedForDeletion": False})
    async with connected(product, protocol, PRODUCT) as connector:
        assert not (await look_at(connector, "M1")).gone
        done = await applied(connector, change_of(await look_at(connector, "M1"), {}, Op.ARCHIVE))
        assert isinstance(done, Receipt)
        look = await look_at(connector, "M1")
        assert look.gone
        assert look.item is not None
        assert [one.gone for one in await all_of(connector)] == [True]
    assert (await product.held({"Product": "M1"}) or {})["IsMarkedForDeletion"]


@PROTOCOLS
async def test_a_key_of_ours_is_not_created_twice(product: Cap, protocol: str):
    async with connected(product, protocol, PRODUCT) as connector:
        write = Write(Op.CREATE, "there", "things", 1, None, values={"Product": "M1", "ProductGroup": "a"}, key="k")
        first, second = await applied(connector, write), await applied(connector, write)
    assert (first.answer, first.id) == (Answer.DONE, "M1")
    assert (second.answer, second.id) == (Answer.EXISTS, "M1")
    assert await product.ask("count", entity="A_Product") == 1


@PROTOCOLS
async def test_numbers_and_dates_are_exact(product: Cap, protocol: str):
    values: Item = {"GrossWeight": Decimal("9999999999.999"), "NetWeight": Decimal("0.001"), "ValidityStartDate": "1969-12-31"}
    async with connected(product, protocol, PRODUCT) as connector:
        write = Write(Op.CREATE, "there", "things", 1, None, values={"Product": "M1", **values}, key="k")
        receipt = await applied(connector, write)
        look = await look_at(connector, "M1")
    assert isinstance(receipt, Receipt), receipt
    assert {name: (look.item or {})[name] for name in values} == values
    row = await product.held({"Product": "M1"}) or {}
    assert {name: str(row[name]) for name in values} == {name: str(value) for name, value in values.items()}
    assert look.changed_at is not None
    assert str((look.item or {})["LastChangeDateTime"]).startswith("20")


# ---- what belongs to a thing


@PROTOCOLS
async def test_what_is_expanded_is_read_with_the_thing(product: Cap, protocol: str):
    await product.put({"Product": "M1"})
    for language, text in (("EN", "A screw"), ("DE", "Eine Schraube")):
        row = {"Product": "M1", "Language": language, "ProductDescription": text}
        await product.put(row, "A_ProductDescription")
    async with connected(product, protocol, PRODUCT | {"expand": ["to_Description"]}) as connector:
        for look in (await look_at(connector, "M1"), *await all_of(connector)):
            texts = {one["Language"]: one["ProductDescription"] for one in (look.item or {})["to_Description"]}
            assert texts == {"EN": "A screw", "DE": "Eine Schraube"}


@PROTOCOLS
async def test_a_key_of_several_properties_is_one_id(product: Cap, protocol: str):
    options = {"path": "A_ProductDescription", "id": "Product,Language"}
    for row in (
        {"Product": "it's", "Language": "EN"},
        {"Product": "A/B", "Language": "DE"},
        {"Product": "A/B", "Language": "EN"},
    ):
        await product.put(row | {"ProductDescription": "old"}, "A_ProductDescription")
    async with connected(product, protocol, options | {"page": 2}) as connector:
        ids = [one.id for one in await all_of(connector)]
        assert sorted(ids) == ["Product='A/B',Language='DE'", "Product='A/B',Language='EN'", "Product='it''s',Language='EN'"]
        look = await look_at(connector, "Product='it''s',Language='EN'")
        done = await applied(connector, change_of(look, {"ProductDescription": "new"}))
        assert isinstance(done, Receipt), done
    row = await product.held({"Product": "it's", "Language": "EN"}, "A_ProductDescription") or {}
    assert row["ProductDescription"] == "new"


# ---- what the config says, held against SAP's own metadata


WRONG = [
    ({"path": "Product"}, "A_Product"),
    ({"id": "Produkt"}, "Product"),
    ({"changed_at": "LastChange"}, "LastChangeDate"),
    ({"changed_at": "ProductGroup"}, "no date"),
    ({"expand": ["to_Descriptions"]}, "to_Description"),
]


@PROTOCOLS
@pytest.mark.parametrize(("wrong", "meant"), WRONG, ids=str)
async def test_the_config_is_held_against_the_metadata(product: Cap, protocol: str, wrong: dict[str, Any], meant: str):
    async with connected(product, protocol, PRODUCT | wrong) as connector:
        with pytest.raises(PermanentError, match=meant):
            await all_of(connector)


@PROTOCOLS
async def test_a_path_that_sap_does_not_have_is_named(product: Cap, protocol: str):
    async with connected(product, protocol, PRODUCT, fields=("ProductGrup",)) as connector:
        with pytest.raises(PermanentError, match=r'no property "ProductGrup".*ProductGroup'):
            await connector.rights("things")


async def test_the_wrong_version_is_said(product: Cap):
    async with connected(product, "v2", PRODUCT, connection={"protocol": "v4"}) as connector:
        with pytest.raises(PermanentError, match=r"protocol: v4.*\$metadata is of v2"):
            await all_of(connector)


# ---- SAP's client and language


@PROTOCOLS
@pytest.mark.parametrize("by", ["query", "header"])
async def test_client_and_language_go_with_every_request(product: Cap, protocol: str, by: str):
    await product.rows([{"Product": f"M{n}"} for n in range(5)])
    await product.ask("page", page=2)
    options = {name: value for name, value in PRODUCT.items() if name != "page"}
    told = {"client": "100", "language": "DE", "client_by": by}
    async with connected(product, protocol, options, connection=told) as connector:
        assert len(await all_of(connector)) == 5
        await applied(connector, change_of(await look_at(connector, "M1"), {"ProductGroup": "x"}))
    for one in await product.seen():
        headers = one["headers"]
        found = headers.get("sap-client") == "100" if by == "header" else "sap-client=100" in one["url"]
        assert found, one
        assert headers.get("accept-language", "").startswith("de"), one


async def test_what_sap_lets_nobody_write_is_refused_before_it_is_sent(product: Cap):
    await product.put({"Product": "M1"})
    async with connected(product, "v2", PRODUCT, fields=("ProductGroup", "LastChangeDateTime")) as connector:
        rights = await connector.rights("things")
        assert (rights.write, rights.refused) == (False, ("LastChangeDateTime",))
        look = await look_at(connector, "M1")
        values = {"ProductGroup": "x", "LastChangeDateTime": "2026-11-20T10:00:00Z"}
        for write in (change_of(look, values), change_of(look, {}, Op.DELETE), change_of(look, {"Product": "M2"})):
            outcome = await applied(connector, write)
            assert isinstance(outcome, PermanentError), outcome
    assert await product.writes() == 0


@PROTOCOLS
async def test_a_service_that_tracks_no_changes_says_so(product: Cap, protocol: str):
    async with connected(product, protocol, PRODUCT, watch={"delta": True, "poll": {"every": "1m"}}) as connector:
        with pytest.raises(PermanentError, match="tracks no changes"):
            await polled(connector, None)
