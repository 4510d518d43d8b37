"""A GraphQL API that throttles, fails in part, pages wrongly or loses answers: whose fault it is, and what was sent."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
from aiohttp.test_utils import TestServer

from syncd.connectors.graphql.api import GraphqlApi
from syncd.connectors.graphql.kind import KIND
from syncd.connectors.protocol import Delivery, Page, Setup
from syncd.core.model import Answer, Change, Item, Op, Receipt, Write
from syncd.errors import OutcomeUnknown, PermanentError, StaleWrite, TransientError
from tests.connectors.contract import setup_for
from tests.connectors.shop import hang_up, says, serving, sleep_long
from tests.connectors.test_graphql_contract import THINGS
from tests.emulators.graphql import AFTER, BEFORE, PASSES, Things, errors

OWN, RECORD = False, True  # whose trouble a TransientError is
FIELDS = ("sku", "name", "price", "stock")


class Place:
    """An API that is served, and connectors to it."""

    def __init__(self, api: Things, server: TestServer) -> None:
        self.api = api
        self.server = server
        self.made: list[GraphqlApi] = []

    def setup(self, *, connection: Item | None = None, fields: tuple[str, ...] = FIELDS, **other: Any) -> Setup:
        usual = {"base_url": str(self.server.make_url("/")), "timeout": "2s"} | (connection or {})
        things = {name: value for name, value in (THINGS | other).items() if value is not None}
        return setup_for(KIND, connection=usual, collections={"things": things}, keys=("sku",), fields=fields)

    async def connect(self, **other: Any) -> GraphqlApi:
        """Return an entered connector; options of the collection may differ from the usual."""
        made = GraphqlApi(self.setup(**other))
        self.made.append(await made.__aenter__())
        return made


@pytest.fixture
async def place() -> AsyncIterator[Place]:
    api = Things()
    async with serving(api.app()) as server:
        made = Place(api, server)
        yield made
        for one in made.made:
            await one.__aexit__()


def update(one: str, values: Item | None = None, *, version: int | None = None, op: Op = Op.UPDATE) -> Write:
    return Write(op, "there", "things", 1, one, version=version, values=values or {"name": "New"}, item={}, key="k")


def create(sku: str = "S-1", **other: Any) -> Write:
    return Write(Op.CREATE, "there", "things", 1, None, values={"sku": sku, "name": "Mug"} | other, key="k")


async def scan(api: GraphqlApi) -> list[Page]:
    return [page async for page in api.scan("things")]


@pytest.mark.parametrize(
    ("answer", "kind", "about", "word"),
    [
        (errors("INTERNAL_SERVER_ERROR"), TransientError, RECORD, "because of INTERNAL"),
        (errors("ACCESS_DENIED"), TransientError, OWN, "login: "),
        (errors("SOMETHING_OWN"), PermanentError, None, "SOMETHING_OWN"),
        (errors("PAUSED"), TransientError, OWN, "login: "),
        (errors("SOMETHING_OWN", "ACCESS_DENIED"), TransientError, OWN, "SOMETHING_OWN"),
        (errors(""), PermanentError, None, "because of something"),
        (errors("", path=["thingUpdate"], data={"thingUpdate": None}), TransientError, RECORD, "at thingUpdate"),
        (errors("BAD_USER_INPUT", path=["thingUpdate"], data={"thingUpdate": None}), PermanentError, None, "BAD_USER_INPUT"),
        (errors("ACCESS_DENIED", path=["thingUpdate", "thing"]), OutcomeUnknown, None, "in part"),
        (errors("OTHER", data={"thingUpdate": {"thing": None}}), OutcomeUnknown, None, "in part"),
        (errors("BAD", status=400), PermanentError, None, "because of BAD"),
        (errors("ACCESS_DENIED", status=400), TransientError, OWN, "login: "),
        (errors("BAD", status=500), TransientError, RECORD, "answered 500"),
        (errors("BAD", status=401), TransientError, OWN, "login: "),
        (errors("BAD", status=503), TransientError, OWN, "answered 503"),
        (errors("CONFLICT"), StaleWrite, None, "because of CONFLICT"),
        (says(400, "<html>Bad <b>Gateway</b>"), PermanentError, None, "a web page: Bad Gateway"),
        (says(200, "<html>Saved!"), TransientError, RECORD, "no JSON"),
        (says(200, "{}"), TransientError, RECORD, "no answer of GraphQL"),
        (says(200, '{"data": null}'), TransientError, RECORD, "no answer of GraphQL"),
        (says(200, '{"data": {}, "data": {}}'), TransientError, RECORD, "no answer of GraphQL"),
        (says(200, '{"data": []}'), TransientError, RECORD, "no answer of GraphQL"),
        (says(200, '{"data": {}}'), TransientError, RECORD, "without data"),
        (says(200, '{"errors": ["no"]}'), PermanentError, None, "no"),
        (says(302, "", Location="/"), TransientError, OWN, "redirect"),
        (hang_up, OutcomeUnknown, None, "no answer"),
        (sleep_long, OutcomeUnknown, None, "no answer"),
    ],
)
async def test_each_answer_to_a_write_has_its_class(
    place: Place, answer: Any, kind: type, about: bool | None, word: str
) -> None:
    connection = {"timeout": "1s" if answer is sleep_long else "5s", "faults": {"PAUSED": "login"}}
    api = await place.connect(connection=connection)
    place.api.faults.append((BEFORE, answer))
    [outcome] = await api.apply([update(place.api.put({"sku": "S-1"}))])
    assert type(outcome) is kind, outcome
    assert word in str(outcome)
    if isinstance(outcome, TransientError):
        assert outcome.about_record is about
    assert place.api.writes == 1


async def test_a_write_whose_answer_is_lost_is_sent_once_and_done(place: Place) -> None:
    api, one = await place.connect(), place.api.put({"sku": "S-1"})
    place.api.faults.append((AFTER, hang_up))
    [outcome] = await api.apply([update(one)])
    assert type(outcome) is OutcomeUnknown
    assert (place.api.writes, place.api.things[one]["name"]) == (1, "New")


@pytest.mark.parametrize(
    ("values", "word"),
    [
        ({"name": ""}, "name can't be blank at input.name (BLANK)"),
        ({"stock": "many"}, "Int cannot represent"),
        ({"x": 1}, '"x"'),
    ],
)
async def test_a_refusal_has_the_platforms_own_words(place: Place, values: Item, word: str) -> None:
    api, one = await place.connect(), place.api.put({"sku": "S-1"})
    [outcome] = await api.apply([update(one, values)])
    assert type(outcome) is PermanentError
    assert word in str(outcome).replace("'x'", '"x"')
    assert place.api.things[one]["rev"] == 1


async def test_a_refused_create_adopts_what_is_there(place: Place) -> None:
    api, one = await place.connect(), place.api.put({"sku": "S-1", "name": "Theirs"})
    [outcome] = await api.apply([create()])
    assert isinstance(outcome, Receipt)
    assert (outcome.answer, outcome.id, outcome.look and outcome.look.item and outcome.look.item["name"]) == (
        Answer.EXISTS, one, "Theirs",
    )  # fmt: skip


async def test_an_archive_sets_the_marker(place: Place) -> None:
    query = {"query": "query($id: ID!) { thing(id: $id) { id sku status } }", "item": "thing"}
    only = dict.fromkeys(("list", "changed", "find", "changed_at", "version"))
    api = await place.connect(**only, read=query, deleted={"field": "status", "is": "ARCHIVED"})
    one = place.api.put({"sku": "S-1"})
    [outcome] = await api.apply([update(one, {}, op=Op.ARCHIVE)])
    assert isinstance(outcome, Receipt), outcome
    assert place.api.things[one]["status"] == "ARCHIVED"
    [look] = await api.read("things", [one])
    assert look.gone
    assert look.item is not None


async def test_a_nested_path_is_written_with_its_neighbours(place: Place) -> None:
    api, one = await place.connect(), place.api.put({"sku": "S-1", "seo": {"title": "Old", "text": "Stays"}})
    item = {"seo": {"title": "Old", "text": "Stays"}}
    [outcome] = await api.apply([replace(update(one, {"seo.title": "New"}), item=item)])
    assert isinstance(outcome, Receipt), outcome
    assert place.api.things[one]["seo"] == {"title": "New", "text": "Stays"}
    [outcome] = await api.apply([replace(update(one, {"seo.title": "New"}), item=None)])
    assert isinstance(outcome, PermanentError)


async def test_a_throttled_read_waits_and_asks_again(place: Place) -> None:
    api, one = await place.connect(), place.api.put({"sku": "S-1"})
    place.api.faults += [(BEFORE, errors("THROTTLED", headers={"Retry-After": "0"}))] * 2
    [look] = await api.read("things", [one])
    assert (look.id, len(place.api.requests)) == (one, 3)
    assert api.http.budget.slower == 1, "the platform says itself when there is room again"


async def test_a_long_wait_is_handed_back_and_nothing_else_is_sent(place: Place) -> None:
    api, one = await place.connect(), place.api.put({"sku": "S-1"})
    place.api.faults.append((BEFORE, errors("THROTTLED", headers={"Retry-After": "60"})))
    outcomes = [*await api.apply([update(one)]), *await api.apply([update(one)])]
    assert [getattr(one, "status", None) for one in outcomes] == [429, 429]
    assert all(isinstance(one, TransientError) and not one.about_record and (one.retry_after or 0) > 55 for one in outcomes)
    assert place.api.writes == 1


async def test_partial_data_is_never_taken_for_all(place: Place) -> None:
    api = await place.connect()
    for n in range(5):
        place.api.put({"sku": f"S-{n}"})
    whole = {"message": "no price today", "path": ["things", "nodes", 1, "price"]}
    place.api.twists += [dict, lambda said: said | {"errors": [whole]}]
    pages = api.scan("things")
    assert not (await anext(pages)).last
    with pytest.raises(TransientError, match=r"no price today at things\.nodes\.1\.price"):
        await anext(pages)


def paged(**info: Any) -> Any:
    """Return a twist that changes ``pageInfo``."""
    return lambda said: {"data": {"things": said["data"]["things"] | {"pageInfo": said["data"]["things"]["pageInfo"] | info}}}


@pytest.mark.parametrize(
    ("twist", "why"),
    [
        (lambda said: {"data": {"things": said["data"]["things"] | {"pageInfo": None}}}, "no pageInfo"),
        (paged(hasNextPage=None), "no pageInfo"),
        (paged(hasNextPage="false"), "no pageInfo"),
        (paged(hasNextPage=True, endCursor=None), "no endCursor"),
        (paged(hasNextPage=True, endCursor=""), "no endCursor"),
        (paged(hasNextPage=True, endCursor="dGhpbmc6Mw=="), "leads back"),
    ],
)
async def test_a_list_that_does_not_end_well_is_no_evidence(place: Place, twist: Any, why: str) -> None:
    api = await place.connect()
    for n in range(8):
        place.api.put({"sku": f"S-{n}"})
    place.api.twists += [dict, twist]
    pages = await scan(api)
    assert (len(pages), pages[-1].last, pages[-1].complete) == (2, True, False)
    assert why in pages[-1].why
    place.api.twists += [dict, twist]
    with pytest.raises(TransientError, match=why):
        [batch async for batch in api.changes("things", None)]


async def test_a_page_that_comes_twice_is_no_evidence(place: Place) -> None:
    api = await place.connect()
    for n in range(8):
        place.api.put({"sku": f"S-{n}"})
    kept: list[Item] = []

    def keep(said: Item) -> Item:
        kept.append(said)
        return said

    place.api.twists += [keep, lambda _: paged(endCursor="other")(kept[0])]
    pages = await scan(api)
    assert (pages[-1].complete, pages[-1].why) == (False, "page 2 repeats the one before")


@pytest.mark.parametrize(
    ("data", "kind", "why"),
    [
        ({"things": None}, TransientError, 'what stands at "things" is null'),
        ({"things": "x"}, TransientError, "is no list"),
        ({"others": []}, PermanentError, 'nothing at "things"'),
        ({"things": {"pageInfo": {}}}, PermanentError, "neither nodes nor edges with a node, but pageInfo"),
    ],
)
async def test_what_is_no_list_is_said(place: Place, data: Item, kind: type[Exception], why: str) -> None:
    api = await place.connect()
    place.api.twists.append(lambda _: {"data": data})
    with pytest.raises(kind, match=why):
        await scan(api)


async def test_a_hole_in_a_list_is_broken_and_the_others_flow(place: Place) -> None:
    api = await place.connect()
    for n in range(2):
        place.api.put({"sku": f"S-{n}"})
    place.api.twists.append(_with_hole)
    [page] = await scan(api)
    assert ([change.id for change in page.changes], [one.reason for one in page.broken]) == (["1", "2"], ["not an object"])


def _with_hole(said: Item) -> Item:
    things = said["data"]["things"]
    return {"data": {"things": things | {"nodes": [None, *things["nodes"]]}}}


async def test_a_mapped_path_that_no_query_asks_for_is_told_when_a_scan_begins(place: Place) -> None:
    api = await place.connect(fields=("sku", "weight"))
    with pytest.raises(PermanentError, match='"weight" is mapped, and the query of list does not ask for weight'):
        await scan(api)
    assert place.api.requests == []


async def test_a_list_without_a_cursor_that_goes_on_is_unfinished(place: Place) -> None:
    query = "{ things(first: 2) { nodes { id sku name price stock rev updatedAt } pageInfo { hasNextPage endCursor } } }"
    api = await place.connect(list={"query": query, "nodes": "things"})
    for n in range(3):
        place.api.put({"sku": f"S-{n}"})
    [page] = await scan(api)
    assert (len(page.changes), page.complete) == (2, False)
    assert "takes no cursor" in page.why


async def load(api: GraphqlApi, cursor: str | None) -> tuple[list[Change], str | None]:
    """Return what a feed shows until it ends or breaks, and its last cursor."""
    found: list[Change] = []
    try:
        async for batch in api.changes("things", cursor):
            found += batch.changes
            cursor = batch.cursor if batch.cursor is not None else cursor
    except TransientError:
        pass
    return found, cursor


async def test_a_first_load_goes_on_where_it_was_broken_off(place: Place) -> None:
    api = await place.connect()
    ids = [place.api.put({"sku": f"S-{n}"}) for n in range(10)]
    place.api.faults += [PASSES, (BEFORE, errors("INTERNAL_ERROR"))]
    found, cursor = await load(api, None)
    assert [change.id for change in found] == ids[:3]
    place.api.put({"name": "Edited meanwhile"}, ids[0])
    rest, cursor = await load(api, cursor)
    assert [change.id for change in rest] == ids[3:]
    later, _ = await load(api, cursor)
    assert ids[0] in {change.id for change in later}


async def test_a_cursor_that_the_platform_no_longer_takes_begins_anew(place: Place) -> None:
    api = await place.connect()
    ids = [place.api.put({"sku": f"S-{n}"}) for n in range(7)]
    feed = api.changes("things", None)
    cursor = (await anext(feed)).cursor
    await feed.aclose()  # type: ignore[attr-defined]
    assert cursor is not None
    place.api.faults.append((BEFORE, errors("BAD_CURSOR")))
    found, _ = await load(api, cursor)
    assert [change.id for change in found] == ids
    other = await place.connect(list=THINGS["list"] | {"size": 4})
    found, _ = await load(other, cursor)
    assert [change.id for change in found] == ids, "the cursor of another query leads nowhere"


@pytest.mark.parametrize("cursor", ["{", '{"x": 1}', "yesterday", ""])
async def test_a_cursor_that_nobody_understands_begins_anew(place: Place, cursor: str) -> None:
    api, one = await place.connect(), place.api.put({"sku": "S-1"})
    found, _ = await load(api, cursor)
    assert [change.id for change in found] == [one]


async def test_things_of_ten_megabytes_go_both_ways(place: Place) -> None:
    large = "€" * (10_000_000 // 3)
    api = await place.connect(list=THINGS["list"] | {"size": 2}, connection={"timeout": "30s"})
    ids = [place.api.put({"sku": f"S-{n}", "name": f"{n}{large}"}) for n in range(3)]
    pages = await scan(api)
    assert [change.item and change.item["name"][0] for page in pages for change in page.changes] == ["0", "1", "2"]
    assert pages[-1].complete
    [outcome] = await api.apply([update(ids[0], {"name": f"new{large}"})])
    assert isinstance(outcome, Receipt)
    assert place.api.things[ids[0]]["name"] == f"new{large}"


async def test_a_login_that_is_missing_is_the_platforms_trouble(place: Place) -> None:
    api = await place.connect(connection={"auth": {"bearer": "secret:nowhere"}})
    with pytest.raises(TransientError, match="login: no secret nowhere"):
        await scan(api)
    assert place.api.requests == []


async def test_many_reads_go_side_by_side(place: Place) -> None:
    api = await place.connect()
    ids = [place.api.put({"sku": f"S-{n}"}) for n in range(20)]
    async with asyncio.timeout(10):
        assert [look.id for look in await api.read("things", ids)] == ids
    assert len(place.api.requests) == 20


async def test_a_webhook_is_a_change_and_a_bare_id_a_hint(place: Place) -> None:
    verify = {"scheme": "hmac", "header": "X-Signature", "secret": "secret:hook"}
    setup = place.setup()
    watch = KIND.watch.model_validate({"webhook": {"path": "/hooks/x", "verify": verify}})
    api = GraphqlApi(replace(setup, watch=watch))
    for body, item in ((b'{"data": {"id": "7", "name": "New"}}', {"id": "7", "name": "New"}), (b'{"data": {"id": "7"}}', {})):
        [change] = (await api.hook("things", Delivery(body, {}, 5, 9))).changes
        assert (change.id, change.item, change.as_of) == ("7", item, 9)
    with pytest.raises(PermanentError, match="no webhook is expected"):
        await GraphqlApi(setup).hook("things", Delivery(b"{}", {}, 5, 9))
