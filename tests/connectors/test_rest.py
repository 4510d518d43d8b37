"""The rest connector's own matters: paging, polling by time, what a write looks like on the wire, look-ups."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any

import pytest
from aiohttp import web
from pydantic import ValidationError

from syncd.connectors.protocol import Page
from syncd.connectors.rest import KIND, Rest
from syncd.core.model import SECOND, Answer, Op, Receipt, Write
from syncd.errors import PermanentError, StaleWrite, TransientError
from tests.connectors.contract import setup_for
from tests.connectors.shop import BEFORE, Shop, says, serving

NAMES = ("list", "changed", "read", "find", "create", "update", "delete")


class Stub:
    """A server whose answer to every request is one function; it remembers what it was asked."""

    def __init__(self, answer: Callable[[web.Request], Any]) -> None:
        self.answer = answer
        self.asked: list[str] = []
        self.bodies: list[Any] = []

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answer with what the function returns: a response, or a JSON value."""
        self.asked.append(f"{request.method} {request.raw_path}")
        body = await request.read()
        self.bodies.append(json.loads(body) if body else None)
        found = self.answer(request)
        found = await found if isinstance(found, Awaitable) else found
        return found if isinstance(found, web.StreamResponse) else web.json_response(found)


@asynccontextmanager
async def talking(
    answer: Callable[[web.Request], Any],
    collection: dict[str, Any],
    *,
    watch: dict[str, Any] | None = None,
    keys: tuple[str, ...] = (),
    write: dict[str, Any] | None = None,
) -> AsyncIterator[tuple[Rest, Stub]]:
    """Connect to a stub; yields the connector and the stub."""
    stub = Stub(answer)
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", stub.handle)
    async with serving(app) as server:
        connection = {"base_url": str(server.make_url("/api/")), "timeout": "2s"}
        collections = {"things": {"id": "id"} | collection}
        setup = setup_for(KIND, connection=connection, collections=collections, watch=watch, keys=keys, write=write)
        async with Rest(setup) as connector:
            yield connector, stub


async def pages_of(connector: Rest) -> list[Page]:
    return [page async for page in connector.scan("things")]


def ids_of(pages: list[Page]) -> list[str]:
    return [change.id for page in pages for change in page.changes]


def rows(*ids: int) -> list[dict[str, Any]]:
    return [{"id": one} for one in ids]


async def test_without_pages_a_page_in_the_list_means_by_page_from_one() -> None:
    answers = {"1": rows(1, 2), "2": rows(3)}
    async with talking(lambda r: answers.get(r.query["page"], []), {"list": "GET /t?page={page}"}) as (connector, stub):
        pages = await pages_of(connector)
    assert ids_of(pages) == ["1", "2", "3"]
    assert stub.asked == ["GET /api/t?page=1", "GET /api/t?page=2", "GET /api/t?page=3"]
    assert pages[-1].complete


async def test_without_anything_a_list_is_one_page() -> None:
    async with talking(lambda r: rows(1, 2), {"list": "GET /t"}) as (connector, stub):
        pages = await pages_of(connector)
    assert (ids_of(pages), pages[-1].complete, stub.asked) == (["1", "2"], True, ["GET /api/t"])


async def test_by_offset_goes_on_where_the_last_page_ended() -> None:
    options = {"list": "GET /t?skip={offset}&take={size}", "pages": {"by": "offset", "size": 2}}
    async with talking(lambda r: rows(*range(5))[int(r.query["skip"]) :][:2], options) as (connector, stub):
        pages = await pages_of(connector)
    assert ids_of(pages) == ["0", "1", "2", "3", "4"]
    assert stub.asked == [f"GET /api/t?skip={n}&take=2" for n in (0, 2, 4)]


async def test_by_cursor_ends_where_there_is_no_next() -> None:
    answers = {None: ("a b&c", rows(1)), "a b&c": (None, rows(2))}
    options = {"list": "GET /t?after={cursor}", "items": "data", "pages": {"by": "cursor", "next": "meta.next"}}

    def answer(request: web.Request) -> Any:
        following, found = answers[request.query.get("after")]
        return {"data": found, "meta": {"next": following}}

    async with talking(answer, options) as (connector, stub):
        assert ids_of(await pages_of(connector)) == ["1", "2"]
    assert stub.asked == ["GET /api/t", "GET /api/t?after=a%20b%26c"]


async def test_by_cursor_follows_whole_addresses_at_home_only() -> None:
    options = {"list": "GET /t", "items": "data", "pages": {"by": "cursor", "next": "next"}}
    following = iter(["/api/t?after=%C3%A9&x=1", "http://elsewhere.invalid/t"])
    number = iter(range(9))
    async with talking(lambda r: {"data": rows(next(number)), "next": next(following)}, options) as (connector, stub):
        pages = aiter(connector.scan("things"))
        await anext(pages)
        with pytest.raises(TransientError, match=r"another host, elsewhere\.invalid"):
            await anext(pages)
    assert stub.asked == ["GET /api/t", "GET /api/t?after=%C3%A9&x=1"]


async def test_by_link_follows_the_header() -> None:
    links = {
        "1": '</api/t?p=1>; rel="prev first", <http://{host}/api/t?p=2>; title="a, b"; rel="last next"',
        "2": "</api/t?p=1>; rel=prev, </api/t?p=3>; rel=next",
        "3": '</api/t?p=1>; rel="nextish"',
    }

    def answer(request: web.Request) -> web.Response:
        page = request.query.get("p", "1")
        return web.json_response(rows(int(page)), headers={"Link": links[page].replace("{host}", request.host)})

    async with talking(answer, {"list": "GET /t", "pages": {"by": "link"}}) as (connector, stub):
        pages = await pages_of(connector)
    assert ids_of(pages) == ["1", "2", "3"]
    assert pages[-1].complete
    assert len(stub.asked) == 3


@pytest.mark.parametrize("pages", [{"by": "page", "size": 2}, {"by": "offset", "size": 2}])
async def test_a_list_that_ignores_the_page_ends_and_is_not_complete(pages: dict[str, Any]) -> None:
    options = {"list": "GET /t?p={page}&o={offset}", "pages": pages}
    async with talking(lambda r: rows(1, 2), options) as (connector, stub):
        found = await pages_of(connector)
    assert len(stub.asked) == 2
    assert not found[-1].complete
    assert "repeats" in found[-1].why


@pytest.mark.parametrize("by", ["cursor", "link"])
async def test_a_next_page_that_was_there_before_ends_the_scan(by: str) -> None:
    options = {"list": "GET /t", "items": "data", "pages": {"by": by, "next": "next"}}
    turn = iter(range(100))

    def answer(request: web.Request) -> web.Response:
        back = f"/api/t?p={next(turn) % 2}"
        return web.json_response({"data": rows(next(turn)), "next": back}, headers={"Link": f"<{back}>; rel=next"})

    async with talking(answer, options) as (connector, stub):
        found = await pages_of(connector)
    assert not found[-1].complete
    assert len(stub.asked) <= 4


@pytest.mark.parametrize("place", [{"total": "n"}, {"pages": {"by": "none", "total": "n"}}])
@pytest.mark.parametrize("total", [None, "3", True, 3])
async def test_a_total_that_is_not_met_or_no_number_is_not_complete(total: object, place: dict[str, Any]) -> None:
    options = {"list": "GET /t", "items": "data"} | place
    async with talking(lambda r: {"data": rows(1, 2), "n": total}, options) as (connector, _):
        [page] = await pages_of(connector)
    assert (page.last, page.complete) == (True, False)


async def changes_of(connector: Rest, cursor: str | None) -> tuple[list[str], str | None]:
    found: list[str] = []
    async for batch in connector.changes("things", cursor):
        found += [change.id for change in batch.changes]
        cursor = batch.cursor or cursor
    return found, cursor


TIMED = {"list": "GET /t", "changed": "GET /t?since={since}", "changed_at": "at"}


@pytest.mark.parametrize(
    ("since", "asked"),
    [("rfc3339", "2026-01-31T09%3A59%3A50Z"), ("epoch", "1769853590"), ("epoch_ms", "1769853590000")],
)
async def test_a_poll_asks_from_the_highest_time_less_the_overlap(since: str, asked: str) -> None:
    answers = iter([[{"id": 1, "at": "2026-01-31T10:00:00Z"}, {"id": 2, "at": "2026-01-31T08:00:00Z"}], []])
    watch = {"poll": {"every": "10s", "overlap": "10s"}}
    async with talking(lambda r: next(answers), TIMED | {"since": since}, watch=watch) as (connector, stub):
        found, cursor = await changes_of(connector, None)
        assert (found, cursor) == (["1", "2"], "2026-01-31T10:00:00Z")
        assert await changes_of(connector, cursor) == ([], cursor)
    assert stub.asked == ["GET /api/t", f"GET /api/t?since={asked}"]


async def test_the_cursor_never_goes_back_and_is_given_with_the_last_page_only() -> None:
    options = TIMED | {"changed": "GET /t?since={since}&page={page}", "pages": {"by": "page", "size": 1}}
    answers = [[{"id": 1, "at": "2026-01-31T12:00:00.5Z"}], [{"id": 2, "at": "2026-01-31T09:00:00Z"}], []]
    async with talking(lambda r: answers[int(r.query["page"]) - 1], options) as (connector, _):
        batches = [batch async for batch in connector.changes("things", "2026-01-31T10:00:00Z")]
    assert [batch.cursor for batch in batches] == [None, None, "2026-01-31T12:00:00.500000Z"]


async def test_a_time_in_their_future_does_not_hide_what_comes_before_it() -> None:
    found = [{"id": 1, "at": "2099-01-01T00:00:00Z"}, {"id": 2, "at": "2026-01-31T10:00:00Z"}]
    async with talking(lambda r: found, TIMED) as (connector, _):
        assert await changes_of(connector, None) == (["1", "2"], "2026-01-31T10:00:00Z")


async def test_a_poll_that_did_not_see_everything_keeps_its_cursor() -> None:
    options = TIMED | {"items": "data", "pages": {"by": "none", "total": "n"}}
    answer = {"data": [{"id": 1, "at": "2026-01-31T10:00:00Z"}], "n": 2}
    async with talking(lambda r: answer, options) as (connector, _):
        feed = aiter(connector.changes("things", None))
        assert (await anext(feed)).cursor is None
        with pytest.raises(TransientError, match="says 2, 1 came"):
            await anext(feed)


async def test_a_poll_may_go_by_another_field() -> None:
    watch = {"poll": {"every": "10s", "cursor": "seen.at", "overlap": "0s"}}
    row = {"id": 1, "at": "2026-01-31T10:00:00Z", "seen": {"at": 1_769_853_600}}
    async with talking(lambda r: [row], TIMED, watch=watch) as (connector, _):
        _, cursor = await changes_of(connector, None)
    assert cursor == "2026-01-31T10:00:00Z"


@pytest.mark.parametrize("at", ["2026-01-31T10:00:00Z", "2026-01-31T11:00:00+01:00", 1_769_853_600, 1_769_853_600_000])
async def test_times_are_rfc_3339_or_seconds_or_milliseconds(at: object) -> None:
    async with talking(lambda r: [{"id": 1, "at": at}], TIMED) as (connector, _):
        [page] = await pages_of(connector)
    assert page.changes[0].changed_at == 1_769_853_600 * SECOND


def update(values: dict[str, Any], item: dict[str, Any] | None, **other: Any) -> Write:
    return Write(Op.UPDATE, "there", "things", 1, "5", values=values, item=item, key="k7", **other)


ITEM = {"id": 5, "name": "Mug", "meta": {"a": 1, "b": 2}, "variants": [{"sku": "x", "price": "1"}, {"sku": "y"}], "rev": 3}


@pytest.mark.parametrize(
    ("options", "values", "body"),
    [
        ({}, {"name": "Cup", "price": Decimal("12.50")}, {"name": "Cup", "price": 12.5}),
        ({}, {"meta.a": 9}, {"meta": {"a": 9, "b": 2}}),
        ({}, {"variants.1.sku": "z"}, {"variants": [{"sku": "x", "price": "1"}, {"sku": "z"}]}),
        ({}, {"variants[sku=y].price": "2"}, {"variants": [{"sku": "x", "price": "1"}, {"sku": "y", "price": "2"}]}),
        ({"update": "PUT /t/{id}"}, {"meta.a": 9}, ITEM | {"meta": {"a": 9, "b": 2}}),
        ({"send": "product"}, {"name": "Cup"}, {"product": {"name": "Cup"}}),
        ({"send": "data.attributes"}, {"name": "Cup"}, {"data": {"attributes": {"name": "Cup"}}}),
        ({"version": {"field": "rev"}}, {"name": "Cup"}, {"name": "Cup", "rev": 3}),
        ({}, {"name": None}, {"name": None}),
    ],
    ids=range(9),
)
async def test_what_an_update_sends(options: dict[str, Any], values: dict[str, Any], body: dict[str, Any]) -> None:
    async with talking(lambda r: ITEM, {"update": "PATCH /t/{id}"} | options) as (connector, stub):
        [receipt] = await connector.apply([update(values, ITEM, version=3)])
    assert isinstance(receipt, Receipt)
    assert stub.bodies == [body]


@pytest.mark.parametrize(("template", "path"), [("PATCH /t/{id}", "meta.a"), ("PUT /t/{id}", "name")])
async def test_a_write_that_needs_the_thing_as_last_read_is_not_guessed(template: str, path: str) -> None:
    async with talking(lambda r: ITEM, {"update": template}) as (connector, stub):
        [outcome] = await connector.apply([update({path: 1}, None)])
    assert isinstance(outcome, PermanentError)
    assert stub.asked == []


async def test_guards_and_keys_are_headers_where_they_are_asked_for() -> None:
    seen: list[dict[str, str]] = []

    def answer(request: web.Request) -> Any:
        seen.append({name: value for name, value in request.headers.items() if name in {"If-Match", "Idempotency-Key"}})
        return ITEM

    both = {"update": "PATCH /t/{id}", "version": "etag", "idempotency": "Idempotency-Key"}
    async with talking(answer, both) as (connector, _):
        await connector.apply([update({"name": "Cup"}, ITEM, version='W/"3"')])
    async with talking(answer, both, write={"guard": "none"}) as (connector, _):
        await connector.apply([update({"name": "Cup"}, ITEM, version='W/"3"')])
    async with talking(answer, {"update": "PATCH /t/{id}"}) as (connector, _):
        await connector.apply([update({"name": "Cup"}, ITEM)])
    assert seen == [{"If-Match": 'W/"3"', "Idempotency-Key": "k7"}, {"Idempotency-Key": "k7"}, {}]


async def test_archiving_sets_the_marker() -> None:
    options = {"update": "PATCH /t/{id}", "deleted": {"field": "status", "is": "archived"}}
    async with talking(lambda r: ITEM | {"status": "archived"}, options) as (connector, stub):
        [receipt] = await connector.apply([Write(Op.ARCHIVE, "there", "things", 1, "5", item=ITEM, key="k")])
    assert stub.bodies == [{"status": "archived"}]
    assert isinstance(receipt, Receipt)
    assert receipt.look is not None
    assert receipt.look.gone


async def test_an_answer_that_shows_only_an_id_is_read_back() -> None:
    def answer(request: web.Request) -> Any:
        return {"thing": ITEM} if request.method == "GET" else {"thing": {"id": 5}}

    options = {"update": "PATCH /t/{id}", "read": "GET /t/{id}", "item": "thing"}
    async with talking(answer, options) as (connector, stub):
        [receipt] = await connector.apply([update({"name": "Mug"}, ITEM)])
    assert isinstance(receipt, Receipt)
    assert (receipt.answer, receipt.atomic) == (Answer.DONE, False)
    assert receipt.look is not None
    assert receipt.look.item == ITEM
    assert stub.asked == ["PATCH /api/t/5", "GET /api/t/5"]


async def test_a_read_back_that_fails_leaves_the_write_done() -> None:
    def answer(request: web.Request) -> web.Response:
        return web.Response(status=500 if request.method == "GET" else 204, headers={"ETag": '"9"'})

    options = {"update": "PATCH /t/{id}", "read": "GET /t/{id}", "version": "etag"}
    async with talking(answer, options) as (connector, _):
        [receipt] = await connector.apply([update({"name": "Mug"}, ITEM)])
    assert receipt == Receipt(Answer.DONE, "5", None, atomic=False, version='"9"')


@pytest.mark.parametrize(
    ("status", "body", "headers", "native_id"),
    [
        (201, {"id": 77, "sku": "S 1", "name": "Mug"}, {}, "77"),
        (201, None, {"Location": "/api/t/a%2Fb?x=1"}, "a/b"),
        (201, {"ok": True}, {"Location": "http://shop/api/t/77/"}, "77"),
        (204, None, {}, None),
    ],
)
async def test_the_id_of_what_was_created(status: int, body: Any, headers: dict[str, str], native_id: str | None) -> None:
    def answer(_: web.Request) -> web.Response:
        data = None if body is None else json.dumps(body).encode()
        return web.Response(status=status, body=data, headers=headers)

    write = Write(Op.CREATE, "there", "things", 1, None, values={"sku": "S 1", "name": "Mug"}, key="k")
    async with talking(answer, {"create": "POST /t"}) as (connector, _):
        [receipt] = await connector.apply([write])
    assert isinstance(receipt, Receipt)
    assert (receipt.answer, receipt.id) == (Answer.DONE, native_id)


async def test_a_thing_may_be_created_at_an_address_of_ours() -> None:
    write = Write(Op.CREATE, "there", "things", 1, None, values={"sku": "S 1/ü", "name": "Mug"}, key="k")
    async with talking(lambda r: web.Response(status=201), {"create": "PUT /t/{sku}", "id": "sku"}) as (connector, stub):
        [receipt] = await connector.apply([write])
    assert stub.asked == ["PUT /api/t/S%201%2F%C3%BC"]
    assert stub.bodies == [{"sku": "S 1/ü", "name": "Mug"}]
    assert isinstance(receipt, Receipt)
    assert receipt.id == "S 1/ü"


@pytest.mark.parametrize("native_id", ["", ".", ".."])
async def test_an_id_that_would_lead_elsewhere_is_refused(native_id: str) -> None:
    async with talking(lambda r: ITEM, {"delete": "DELETE /t/{id}", "read": "GET /t/{id}"}) as (connector, stub):
        [outcome] = await connector.apply([Write(Op.DELETE, "there", "things", 1, native_id, key="k")])
        assert isinstance(outcome, PermanentError)
        with pytest.raises(PermanentError):
            await connector.read("things", [native_id])
    assert stub.asked == []


async def test_deleting_what_is_referred_to_is_refused_and_what_was_edited_is_stale() -> None:
    status = iter([409, 412])
    async with talking(lambda r: web.Response(status=next(status)), {"delete": "DELETE /t/{id}"}) as (connector, _):
        outcomes = [(await connector.apply([Write(Op.DELETE, "there", "things", 1, "5", key="k")]))[0] for _ in range(2)]
    assert [type(one) for one in outcomes] == [PermanentError, StaleWrite]


def create(**values: Any) -> Write:
    return Write(Op.CREATE, "there", "things", 1, None, values={"sku": "S-1"} | values, key="k")


@pytest.mark.parametrize("status", [409, 422])
async def test_a_create_that_meets_a_twin_names_it(status: int) -> None:
    def answer(request: web.Request) -> Any:
        return [{"id": 9, "sku": "S-1"}] if request.method == "GET" else web.Response(status=status)

    options = {"create": "POST /t", "find": "GET /t?sku={sku}"}
    async with talking(answer, options, keys=("gtin", "sku")) as (connector, stub):
        [receipt] = await connector.apply([create()])
    assert isinstance(receipt, Receipt)
    assert (receipt.answer, receipt.id) == (Answer.EXISTS, "9")
    assert [asked.split()[0] for asked in stub.asked] == ["POST", "GET"]


@pytest.mark.parametrize(("status", "find"), [(422, "GET /t?sku={sku}"), (422, None), (409, "GET /t?sku={sku}"), (409, None)])
async def test_a_create_refused_for_another_reason_keeps_the_reason(status: int, find: str | None) -> None:
    def answer(request: web.Request) -> Any:
        return [] if request.method == "GET" else web.json_response({"error": "name is too short"}, status=status)

    options = {"create": "POST /t"} | ({"find": find} if find else {})
    async with talking(answer, options, keys=("sku",)) as (connector, _):
        [outcome] = await connector.apply([create()])
    if status == 409:
        assert outcome == Receipt(Answer.EXISTS)
    else:
        assert isinstance(outcome, PermanentError)
        assert "name is too short" in str(outcome)


@pytest.mark.parametrize(
    ("find", "path", "asked"),
    [
        ("GET /t?sku={sku}", "sku", "GET /api/t?sku=a%20%26%2Fb"),
        ("GET /t?sku={sku}", "variants.0.sku", "GET /api/t?sku=a%20%26%2Fb"),
        ("GET /t/by-sku/{variants.0.sku}", "variants.0.sku", "GET /api/t/by-sku/a%20%26%2Fb"),
        ("GET /t?code={code}", "key", "GET /api/t?code=a%20%26%2Fb"),
    ],
)
async def test_a_look_up_asks_by_the_templates_own_name(find: str, path: str, asked: str) -> None:
    async with talking(lambda r: [], {"find": find}, keys=("key",)) as (connector, stub):
        assert await connector.find("things", path, "a &/b") == []
    assert stub.asked == [asked]


async def test_a_look_up_by_what_the_template_does_not_know_is_no_negative_proof() -> None:
    async with talking(lambda r: [], {"find": "GET /t?sku={sku}"}, keys=("sku", "gtin")) as (connector, stub):
        with pytest.raises(PermanentError, match="no place for gtin"):
            await connector.find("things", "gtin", "1")
    assert stub.asked == []


async def test_a_look_up_drops_what_does_not_have_the_value() -> None:
    found = [{"id": 1, "sku": "S-1"}, {"id": 2, "sku": "S-11"}, {"id": 3, "sku": None}, {"id": 4}, {"id": 5, "sku": "s-1"}]
    async with talking(lambda r: found, {"find": "GET /t?q={sku}"}) as (connector, _):
        assert [change.id for change in await connector.find("things", "sku", "S-1")] == ["1"]


@pytest.mark.parametrize(
    ("find", "answer", "ids"),
    [
        ("GET /by/{sku}", web.Response, "?"),
        ("GET /by/{sku}", lambda: web.Response(status=404), []),
        ("GET /by/{sku}", lambda: {"id": 5, "sku": "S-1"}, ["5"]),
        ("GET /by/{sku}", lambda: None, []),
        ("GET /by/{sku}", dict, "?"),
        ("GET /t?sku={sku}", lambda: web.Response(status=404), "?"),
        ("GET /t?sku={sku}", lambda: [{"id": 5, "sku": "\ud800"}], "?"),
        ("GET /t?sku={sku}", lambda: {"error": "try later"}, "?"),
        ("GET /t?sku={sku}", list, []),
    ],
    ids=range(9),
)
async def test_only_a_sound_answer_proves_that_there_is_none(find: str, answer: Callable[[], Any], ids: Any) -> None:
    async with talking(lambda r: answer(), {"find": find}) as (connector, _):
        if ids == "?":
            with pytest.raises((TransientError, PermanentError)):
                await connector.find("things", "sku", "S-1")
        else:
            assert [change.id for change in await connector.find("things", "sku", "S-1")] == ids


async def test_a_read_that_shows_another_thing_is_refused() -> None:
    async with talking(lambda r: {"id": 6}, {"read": "GET /t/{id}"}) as (connector, _):
        with pytest.raises(PermanentError, match="asked for 5, got 6"):
            await connector.read("things", ["5"])


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("written", ["/t", "get /t", "GET t", "GET http://x/t", "FETCH /t", "GET /t#x", "", 5])
def test_a_request_that_is_none_is_refused(name: str, written: object) -> None:
    with pytest.raises(ValidationError, match="is no request"):
        KIND.collection.model_validate({"id": "id", name: written})


@pytest.mark.parametrize(
    ("name", "written", "why"),
    [
        ("list", "POST /t", "asked with GET"),
        ("list", "GET /t?shop={shop}", "nothing is filled in for {shop}"),
        ("read", "GET /t", "needs {id}"),
        ("update", "GET /t/{id}", "asked with PATCH or POST or PUT"),
        ("delete", "DELETE /t", "all things and not one"),
        ("find", "GET /t?page={page}", "needs the name of what is looked for"),
    ],
)
def test_a_request_that_cannot_be_meant_is_refused(name: str, written: str, why: str) -> None:
    with pytest.raises(ValidationError, match=why):
        KIND.collection.model_validate({"id": "id", name: written})


async def test_the_order_of_ids_is_the_order_of_answers() -> None:
    shop = Shop()
    ids = [shop.put({"sku": f"S-{n}"}) for n in range(12)]
    shop.faults.append((BEFORE, says(404)))
    async with serving(shop.app()) as server:
        connection = {"base_url": str(server.make_url("/"))}
        setup = setup_for(KIND, connection=connection, collections={"things": {"id": "id", "read": "GET /products/{id}"}})
        async with Rest(setup) as connector:
            looks = await connector.read("things", [*reversed(ids), "999"])
    assert [look.id for look in looks] == [*reversed(ids), "999"]
    assert looks[-1].gone
    assert sum(look.gone for look in looks) == 2
