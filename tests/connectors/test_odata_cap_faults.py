"""What goes wrong between the odata connector and SAP's server program, and values of every type between the two."""

import itertools
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from syncd.connectors.protocol import Connector
from syncd.connectors.since import moment_text
from syncd.connectors.times import parse_time
from syncd.core.model import Answer, Change, Item, Op, Receipt, Write
from syncd.errors import ConnectorError, OutcomeUnknown, PermanentError, StaleWrite, TransientError
from tests.connectors.odata_world import THING, connected, fresh
from tests.emulators.cap import Cap, cap_process

PROTOCOLS = pytest.mark.parametrize("protocol", ["v4", "v2"])
WAYS = pytest.mark.parametrize(
    ("protocol", "connection"),
    [("v4", {"batch": "multipart"}), ("v4", {"batch": "json"}), ("v2", {"batch": "multipart"})],
    ids=["v4", "v4-json", "v2"],
)
WRITES = ["POST", "PATCH", "MERGE", "DELETE"]
LOGIN = "Basic U1lOQ0Q6Z2VoZWlt"


@pytest.fixture(scope="module")
def running() -> Iterator[Cap]:
    with cap_process("things", csrf=True) as server:
        yield server


@pytest.fixture
def cap(running: Cap) -> Cap:
    return fresh(running)


async def all_of(connector: Connector) -> list[Change]:
    pages = [page async for page in connector.scan("things")]
    assert pages[-1].last
    assert pages[-1].complete, pages[-1].why
    return list(itertools.chain.from_iterable(page.changes for page in pages))


def new(sku: str, key: str = "k", **other: Any) -> Write:
    return Write(Op.CREATE, "there", "things", 1, None, values={"sku": sku, "price": Decimal("12.50")} | other, key=key)


async def update(connector: Connector, one: str, values: Item) -> Write:
    [look] = await connector.read("things", [one])
    return Write(Op.UPDATE, "there", "things", 1, one, version=look.version, values=values, item=look.item, key=f"u{one}")


async def applied(connector: Connector, *writes: Write) -> Any:
    outcomes = await connector.apply(writes)
    return outcomes if len(outcomes) > 1 else outcomes[0]


async def mutations(cap: Cap) -> int:
    return int((await cap.ask("seen"))["mutations"])


# ---- CSRF


@PROTOCOLS
async def test_a_token_is_fetched_once_and_anew_when_it_expires(cap: Cap, protocol: str):
    async with connected(cap, protocol, THING) as connector:
        for n in range(3):
            assert isinstance(await applied(connector, new(f"S-{n}", f"k{n}")), Receipt)
        fetched = [one for one in await cap.seen() if one["headers"].get("x-csrf-token") == "Fetch"]
        assert len(fetched) == 1
        await cap.ask("expire")
        assert isinstance(await applied(connector, new("S-3")), Receipt)
    assert await mutations(cap) == 4, "a write that was refused for its token was not looked at"
    assert [one["status"] for one in await cap.seen() if one["method"] == "POST"] == [201, 201, 201, 403, 201]


async def test_many_writes_share_one_token(cap: Cap):
    async with connected(cap, "v4", THING, limits={"concurrency": 4}) as connector:
        await cap.fault("slow", ms=100, path="v4/things/?$", method=["GET"])
        assert all(isinstance(one, Receipt) for one in await applied(connector, *(new(f"S-{n}", f"k{n}") for n in range(8))))
        await cap.ask("expire")
        assert all(isinstance(one, Receipt) for one in await applied(connector, *(new(f"T-{n}", f"t{n}") for n in range(8))))
    assert sum(one["headers"].get("x-csrf-token") == "Fetch" for one in await cap.seen()) == 2
    assert await mutations(cap) == 16


@PROTOCOLS
async def test_a_token_that_never_holds_is_a_matter_of_the_login(cap: Cap, protocol: str):
    async with connected(cap, protocol, THING) as connector:
        await cap.fault("expire", times=9, method=["POST"])
        error = await applied(connector, new("S-1"))
    assert isinstance(error, TransientError)
    assert not error.about_record
    assert str(error).startswith("login: ")
    assert await mutations(cap) == 0


async def test_where_no_token_is_wanted_none_is_fetched():
    with cap_process("things", csrf=False) as cap:
        async with connected(cap, "v4", THING, connection={"csrf": False}) as connector:
            assert isinstance(await applied(connector, new("S-1")), Receipt)
        assert not any("x-csrf-token" in one["headers"] for one in await cap.seen())


async def test_a_token_that_is_wanted_all_the_same_is_fetched(cap: Cap):
    async with connected(cap, "v2", THING, connection={"csrf": False}) as connector:
        assert isinstance(await applied(connector, new("S-1")), Receipt)
        assert isinstance(await applied(connector, new("S-2")), Receipt)
    assert [one["status"] for one in await cap.seen() if one["method"] == "POST"] == [403, 201, 201]


# ---- answers that are none


@PROTOCOLS
async def test_a_write_that_is_answered_with_nothing_is_read_again(cap: Cap, protocol: str):
    key = str((await cap.put({"sku": "S-1"}))["id"])
    async with connected(cap, protocol, THING) as connector:
        write = await update(connector, key, {"name": "ours"})
        await cap.fault("garbage", status=204, body="", method=WRITES)
        receipt = await applied(connector, write)
        assert isinstance(receipt, Receipt), receipt
        assert receipt.answer is Answer.DONE
        assert not receipt.atomic
        assert receipt.look is not None
        assert (receipt.look.item or {})["name"] == "ours"
        assert receipt.look.version != write.version
    assert await cap.writes() == 1


@PROTOCOLS
@pytest.mark.parametrize("op", ["create", "update", "delete"])
@pytest.mark.parametrize("kind", ["lost", "half"])
async def test_a_write_whose_answer_is_lost_is_sent_once_and_unknown(cap: Cap, protocol: str, op: str, kind: str):
    key = (await cap.put({"sku": "S-1"}))["id"]
    async with connected(cap, protocol, THING) as connector:
        write = new("S-2") if op == "create" else await update(connector, str(key), {"name": "ours"})
        if op == "delete":
            write = Write(Op.DELETE, "there", "things", 1, str(key), version=write.version, item=write.item, key="d")
        await cap.fault(kind, method=WRITES)
        outcome = await applied(connector, write)
        assert isinstance(outcome, OutcomeUnknown), outcome
    assert await mutations(cap) == 1
    assert await cap.writes() == 1
    expected = {"create": 2, "update": 1, "delete": 0}[op]
    assert await cap.ask("count", entity="Thing") == expected, "it was done all the same"


@PROTOCOLS
async def test_a_read_that_breaks_off_shows_nothing(cap: Cap, protocol: str):
    await cap.ask("fill", entity="Thing", count=7, number=True, text="sku")
    for kind in ("cut", "half", "garbage"):
        async with connected(cap, protocol, THING) as connector:
            await all_of(connector)
            await cap.fault(kind, after=1, path="Thing", method=["GET"], times=9)
            with pytest.raises(TransientError):
                await all_of(connector)
            await cap.ask("faults", faults=[])
            assert len(await all_of(connector)) == 7


@PROTOCOLS
async def test_a_slow_server_is_a_time_out(cap: Cap, protocol: str):
    async with connected(cap, protocol, THING, connection={"timeout": "300ms"}) as connector:
        await all_of(connector)
        await cap.fault("slow", ms=900, method=["GET"])
        with pytest.raises(TransientError):
            await all_of(connector)
        await cap.fault("slow", ms=900, method=["POST"])
        assert isinstance(await applied(connector, new("S-1")), OutcomeUnknown)


# ---- what refusals mean


CLASSES: list[tuple[int, type[ConnectorError], bool]] = [
    (401, TransientError, False), (403, TransientError, False), (429, TransientError, False), (503, TransientError, False),
    (500, TransientError, True), (502, TransientError, True), (408, TransientError, True), (423, TransientError, True),
    (400, PermanentError, True), (422, PermanentError, True), (412, StaleWrite, True), (428, StaleWrite, True),
]  # fmt: skip


@PROTOCOLS
@pytest.mark.parametrize(("status", "kind", "about_record"), CLASSES)
async def test_every_refusal_has_its_class(
    cap: Cap, protocol: str, status: int, kind: type[ConnectorError], about_record: bool
):
    key = str((await cap.put({"sku": "S-1"}))["id"])
    async with connected(cap, protocol, THING) as connector:
        write = await update(connector, key, {"name": "x"})
        await cap.fault("status", status=status, method=WRITES, headers={"Retry-After": "7"})
        outcome = await applied(connector, write)
    assert type(outcome) is kind, outcome
    if isinstance(outcome, TransientError):
        assert outcome.about_record is about_record
        assert outcome.retry_after == (7 if status in {429, 503} else None)
    assert await cap.writes() == 1, "no write is sent again behind the ledger's back"


@PROTOCOLS
async def test_a_read_waits_out_a_short_throttle(cap: Cap, protocol: str):
    await cap.put({"sku": "S-1"})
    async with connected(cap, protocol, THING) as connector:
        await cap.fault("status", status=429, headers={"Retry-After": "0"}, times=2, path="Thing")
        assert len(await all_of(connector)) == 1


@PROTOCOLS
async def test_what_the_service_says_is_told(cap: Cap, protocol: str):
    key = (await cap.put({"sku": "S-1"}))["id"]
    await cap.ask("refuse", refused={key: {"status": 400, "code": "M3/024", "message": "Material is locked by SCHMIDT"}})
    async with connected(cap, protocol, THING) as connector:
        outcome = await applied(connector, await update(connector, str(key), {"name": "x"}))
    assert isinstance(outcome, PermanentError)
    assert "Material is locked by SCHMIDT" in str(outcome)


@PROTOCOLS
async def test_a_login_that_ends_in_mid_run_pauses_the_platform(cap: Cap, protocol: str):
    await cap.ask("fill", entity="Thing", count=7, number=True, text="sku")
    await cap.ask("login", authorization=LOGIN)
    auth = {"auth": {"basic": {"user": "SYNCD", "password": "secret:sap"}}}
    async with connected(cap, protocol, THING, connection=auth, secret={"sap": "geheim"}.__getitem__) as connector:
        assert len(await all_of(connector)) == 7
        await cap.ask("login", authorization="Basic other")
        with pytest.raises(TransientError, match="login: ") as caught:
            await all_of(connector)
        assert not caught.value.about_record
        outcome = await applied(connector, new("S-9"))
        assert isinstance(outcome, TransientError)
        assert not outcome.about_record
    assert await mutations(cap) == 0


@PROTOCOLS
async def test_an_entity_set_that_goes_away_is_not_an_empty_one(cap: Cap, protocol: str):
    await cap.put({"sku": "S-1"})
    async with connected(cap, protocol, THING) as connector:
        await all_of(connector)
        await cap.fault("status", status=404, path="Thing", times=99)
        with pytest.raises(ConnectorError):
            await all_of(connector)
        with pytest.raises(ConnectorError):
            await connector.read("things", ["1"])


# ---- $batch


@WAYS
async def test_a_batch_has_an_outcome_for_each(cap: Cap, protocol: str, connection: dict[str, Any]):
    ids = [str((await cap.put({"sku": f"S-{n}"}))["id"]) for n in range(5)]
    async with connected(cap, protocol, THING, connection=connection, write={"batch": 50}) as connector:
        writes = [await update(connector, one, {"name": f"ours {one}", "price": Decimal("0.10")}) for one in ids]
        await cap.put({"id": int(ids[1]), "name": "theirs"})
        await cap.ask("drop", entity="Thing", key={"id": int(ids[2])})
        await cap.ask("refuse", refused={ids[3]: {"status": 422, "code": "M3/1", "message": "Price is not allowed"}})
        before = await cap.writes()
        done, stale, gone, refused, last, made = await applied(connector, *writes, new("S-new"))
    assert await cap.writes() == before + 1
    assert [type(one) for one in (stale, refused)] == [StaleWrite, PermanentError]
    assert "Price is not allowed" in str(refused)
    assert [one.answer for one in (done, gone, last, made)] == [Answer.DONE, Answer.GONE, Answer.DONE, Answer.DONE]
    assert (await cap.held({"id": int(ids[4])}) or {})["price"] == "0.10"
    assert (await cap.held({"id": int(ids[1])}) or {})["name"] == "theirs"
    assert (await cap.held({"id": int(made.id)}) or {})["sku"] == "S-new"


@WAYS
@pytest.mark.parametrize("kind", ["lost", "half", "garbage"])
async def test_a_batch_whose_answer_is_lost_is_unknown_for_each(cap: Cap, protocol: str, connection: dict[str, Any], kind: str):
    async with connected(cap, protocol, THING, connection=connection, write={"batch": 50}) as connector:
        await cap.fault(kind, path="batch")
        outcomes = await applied(connector, *(new(f"S-{n}", f"k{n}") for n in range(3)))
    assert [type(one) for one in outcomes] == [OutcomeUnknown] * 3
    assert await cap.ask("count", entity="Thing") == 3
    assert await cap.writes() == 1


@WAYS
@pytest.mark.parametrize("status", [403, 429, 500, 503, 404])
async def test_a_batch_that_is_refused_whole_is_no_records_fault(
    cap: Cap, protocol: str, connection: dict[str, Any], status: int
):
    async with connected(cap, protocol, THING, connection=connection, write={"batch": 50}) as connector:
        await cap.fault("status", path="batch", status=status)
        outcomes = await applied(connector, *(new(f"S-{n}", f"k{n}") for n in range(3)))
    assert {type(one) for one in outcomes} == {TransientError}
    assert {one.about_record for one in outcomes} == {status == 500}
    assert await cap.ask("count", entity="Thing") == 0


# ---- values


VALUES: Item = {
    "price": Decimal("-9999999999.99"),
    "weight": Decimal("0.001"),
    "big": 9007199254740993,
    "due": "2028-02-29",
    "at": "23:59:58",
    "moment": "2026-11-20T10:00:00.123000Z",
    "token": "01234567-89ab-cdef-0123-456789abcdef",
    "flag": False,
    "stock": -(2**31),
}


def told(look: Change | None, values: Item) -> Item:
    """Return what a look shows of some values; the versions write the same moment with more or fewer zeros."""
    assert look is not None
    assert look.item is not None
    found = {name: look.item[name] for name in values}
    moment = found["moment"] and parse_time(found["moment"])
    return found | {"moment": moment and moment_text(moment)}


@PROTOCOLS
async def test_values_of_every_type_come_back_as_they_were_sent(cap: Cap, protocol: str):
    async with connected(cap, protocol, THING) as connector:
        made = await applied(connector, new("S-1", **VALUES))
        assert isinstance(made, Receipt), made
        [look] = await connector.read("things", [made.id or ""])
        assert told(look, VALUES) == told(made.look, VALUES) == VALUES
        for name, value in VALUES.items():
            assert [one.id for one in await connector.find("things", name, value)] == [made.id], name
        for name, value in (("moment", "2026-11-20T12:00:00.123+02:00"), ("token", str(VALUES["token"]).upper())):
            assert [one.id for one in await connector.find("things", name, value)] == [made.id], "another spelling of the same"
        again = await applied(connector, await update(connector, look.id, dict.fromkeys(VALUES)))
        assert isinstance(again, Receipt)
        [look] = await connector.read("things", [look.id])
        assert told(look, VALUES) == dict.fromkeys(VALUES)
