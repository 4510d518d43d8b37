"""The graphql connector where it does more, or less, than every connector: feeds, look-ups, answers that show little."""

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest

from syncd.connectors.graphql.kind import KIND
from syncd.connectors.protocol import Rights
from syncd.core.model import SECOND, Answer, Op, Receipt
from syncd.errors import PermanentError, TransientError
from tests.connectors.shop import says, serving
from tests.connectors.test_graphql_contract import THINGS
from tests.connectors.test_graphql_faults import Place, create, load, scan, update
from tests.emulators.graphql import BEFORE, PASSES, Things, errors


@pytest.fixture
async def place() -> AsyncIterator[Place]:
    api = Things()
    async with serving(api.app()) as server:
        made = Place(api, server)
        yield made
        for one in made.made:
            await one.__aexit__()


async def test_what_has_no_request_is_refused_before_anything_is_asked(place: Place) -> None:
    nothing = dict.fromkeys(("list", "changed", "read", "find", "create", "update", "delete"))
    api = await place.connect(**nothing)
    assert await load(api, None) == ([], None)
    assert await api.rights("things") == Rights()
    with pytest.raises(PermanentError, match="no list to scan"):
        await scan(api)
    with pytest.raises(PermanentError, match="nothing to find by"):
        await api.find("things", "sku", "S-1")
    with pytest.raises(PermanentError, match="nothing to read by id with"):
        await api.read("things", ["1"])
    outcomes = await api.apply([create(), update("1"), update("1", op=Op.DELETE)])
    assert [str(one) for one in outcomes] == [f"things: nothing to {op} with" for op in ("create", "update", "delete")]
    assert place.api.requests == []


async def test_a_look_up_has_a_place_for_its_path_or_says_so(place: Place) -> None:
    api = await place.connect()
    with pytest.raises(PermanentError, match="find has no place for name"):
        await api.find("things", "name", "Mug")
    query = THINGS["find"]["query"].replace("$sku", "$what")
    only = await place.connect(find={"query": query, "nodes": "things"})
    one = place.api.put({"sku": "S-1"})
    assert [look.id for look in await only.find("things", "sku", "S-1")] == [one], "there is only one key"


async def test_a_look_up_that_cannot_be_read_is_no_proof(place: Place) -> None:
    api = await place.connect()
    place.api.put({"sku": "S-1"})
    place.api.twists.append(lambda said: {"data": {"things": said["data"]["things"] | {"nodes": [{"sku": "S-1"}]}}})
    with pytest.raises(TransientError, match='a look-up is no proof: no id at "id"'):
        await api.find("things", "sku", "S-1")


@pytest.mark.parametrize(
    ("thing", "why"), [({"id": "2", "sku": "S-2"}, "asked for 1, got 2"), ({"sku": "S-1"}, "no id at"), ("x", "not an object")]
)
async def test_another_thing_than_the_one_asked_for_is_refused(place: Place, thing: Any, why: str) -> None:
    api = await place.connect()
    place.api.twists.append(lambda _: {"data": {"thing": thing}})
    with pytest.raises(PermanentError, match=why):
        await api.read("things", ["1"])


async def test_a_code_that_says_gone_is_gone(place: Place) -> None:
    api = await place.connect()
    place.api.faults.append((BEFORE, errors("NOT_FOUND", path=["thing"], data={"thing": None})))
    [look] = await api.read("things", ["1"])
    assert (look.id, look.gone) == ("1", True)


async def test_an_answer_that_shows_little_is_read_again(place: Place) -> None:
    mutation = "mutation($id: ID!, $input: ThingInput!) { thingUpdate(id: $id, input: $input) { thing { id rev } } }"
    api = await place.connect(update={"mutation": mutation, "item": "thingUpdate.thing"})
    one = place.api.put({"sku": "S-1"})
    [receipt] = await api.apply([update(one)])
    assert isinstance(receipt, Receipt)
    assert receipt.look is not None
    assert (receipt.atomic, receipt.version, receipt.look.version) == (False, 2, 2)
    place.api.faults += [PASSES, (BEFORE, errors("INTERNAL_ERROR"))]
    [receipt] = await api.apply([update(one)])
    assert isinstance(receipt, Receipt), "the write is done; what it made is seen later"
    assert (receipt.answer, receipt.look) == (Answer.DONE, None)
    blind = await place.connect(update={"mutation": mutation, "item": "thingUpdate.thing"}, read=None)
    [receipt] = await blind.apply([update(one)])
    assert isinstance(receipt, Receipt)
    assert (receipt.answer, receipt.look, receipt.version) == (Answer.DONE, None, 4)


async def test_a_create_that_names_no_id_is_in_doubt(place: Place) -> None:
    api = await place.connect()
    place.api.twists.append(lambda said: {"data": {"thingCreate": said["data"]["thingCreate"] | {"thing": None}}})
    [outcome] = await api.apply([create()])
    assert isinstance(outcome, TransientError)
    assert outcome.about_record
    assert "names no id" in str(outcome)


async def test_what_exists_and_cannot_be_found_is_said(place: Place) -> None:
    api = await place.connect(find=None)
    place.api.put({"sku": "S-1"})
    [receipt] = await api.apply([create()])
    assert receipt == Receipt(Answer.EXISTS)


async def test_a_poll_asks_from_the_last_change_less_the_overlap(place: Place) -> None:
    api = await place.connect()
    place.api.put({"sku": "S-1"})
    _, cursor = await load(api, None)
    assert cursor == "2026-01-31T10:00:01Z"
    found, again = await load(api, cursor)
    assert ([change.id for change in found], again) == (["1"], cursor), "it is in the overlap"
    assert place.api.requests[-1]["variables"]["since"] == "2026-01-31T09:59:56Z"
    place.api.moment = place.api.moment.replace(year=2099)
    place.api.put({"sku": "S-2"})
    found, again = await load(api, cursor)
    assert {change.id for change in found} == {"1", "2"}
    assert again == cursor, "a time in the platform's own future would hide all that comes before it"


async def test_what_is_edited_while_a_long_list_is_read_is_seen_by_the_next_poll(place: Place) -> None:
    now = place.api.moment
    api = await place.connect()
    for n in range(7):
        place.api.put({"sku": f"S-{n}"})
    feed = api.changes("things", None)
    await anext(feed)
    place.api.moment = now.replace(year=2098)
    place.api.put({"name": "Edited"}, "1")
    place.api.put({"name": "Edited"}, "7")
    last = [batch.cursor async for batch in feed][-1]
    assert last is not None
    assert last < "2027", "not after the list was begun"
    assert {"1", "7"} <= {change.id for change in (await load(api, last))[0]}


@pytest.mark.parametrize(("form", "since"), [("epoch", str(1769853601 - 5)), ("epoch_ms", str((1769853601 - 5) * 1000))])
async def test_a_poll_asks_in_the_platforms_own_form(place: Place, form: str, since: str) -> None:
    api = await place.connect(since=form)
    place.api.put({"sku": "S-1"})
    _, cursor = await load(api, None)
    await load(api, cursor)
    assert place.api.requests[-1]["variables"]["since"] == since


async def test_a_poll_may_go_by_another_field(place: Place) -> None:
    setup = place.setup()
    watch = KIND.watch.model_validate({"poll": {"every": "1s", "cursor": "updatedAt", "overlap": "0s"}})
    api = KIND.connect(replace(setup, watch=watch, now=lambda: 5 * SECOND))
    place.api.put({"sku": "S-1"})
    async with api:
        assert [batch.cursor async for batch in api.changes("things", None)] == ["2026-01-31T10:00:01Z"]
        assert api.clock != (0, 0)


async def test_a_total_that_is_not_met_is_no_evidence(place: Place) -> None:
    query = THINGS["changed"]["query"].replace("$since: DateTime", "$since: DateTime = null")
    api = await place.connect(list=THINGS["list"] | {"query": query, "total": "things.totalCount", "size": 10}, changed=None)
    place.api.put({"sku": "S-1"})
    for total, why in ((2, "the list says 2, 1 came"), (None, 'there is no number at "things.totalCount"'), (1, "")):
        place.api.twists.append(lambda said, n=total: {"data": {"things": said["data"]["things"] | {"totalCount": n}}})
        [page] = await scan(api)
        assert (page.complete, page.why) == (not why, why)


async def test_offsets_that_repeat_are_no_evidence(place: Place) -> None:
    query = "query($limit: Int, $offset: Int) { all(limit: $limit, offset: $offset) { id sku name price stock rev updatedAt } }"
    api = await place.connect(list={"query": query, "nodes": "all", "size": 2})
    for n in range(5):
        place.api.put({"sku": f"S-{n}"})
    first = place.api.execute({"query": query, "variables": {"limit": 2}})
    place.api.twists += [dict, lambda _: first]
    pages = await scan(api)
    assert (len(pages), pages[-1].complete, pages[-1].why) == (2, False, "page 2 repeats the one before")


async def test_numbers_arrive_as_they_are_written(place: Place) -> None:
    api = await place.connect()
    body = b'{"data": {"thing": {"id": "1", "price": 0.10000000000000000001, "stock": 9007199254740993, "name": 1e400}}}'
    place.api.faults.append((BEFORE, says(200, body)))
    with pytest.raises(PermanentError, match="1e400 is out of range"):
        await api.read("things", ["1"])
    place.api.faults.append((BEFORE, says(200, body.replace(b"1e400", b"null"))))
    [look] = await api.read("things", ["1"])
    assert look.item is not None
    assert (str(look.item["price"]), look.item["stock"]) == ("0.10000000000000000001", 9007199254740993)
