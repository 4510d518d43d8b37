"""A platform that is down, slow, throttling, confused or malicious: whose fault it is, and what really went over the wire."""

import asyncio
import socket
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from syncd.connectors import wire
from syncd.connectors.http import Http, Reply
from syncd.connectors.protocol import Connector
from syncd.connectors.rest import KIND, Rest
from syncd.core.model import SECOND, Answer, Op, Receipt, Write
from syncd.errors import ConnectorError, OutcomeUnknown, PermanentError, StaleWrite, TransientError
from tests.connectors.contract import setup_for
from tests.connectors.shop import AFTER, BEFORE, Shop, hang_up, says, serving, sleep_long
from tests.connectors.test_rest_contract import PRODUCTS


class Place:
    """A shop that is served, and connectors to it."""

    def __init__(self, shop: Shop, server: TestServer) -> None:
        self.shop = shop
        self.server = server
        self.made: list[Connector] = []

    async def connect(self, *, limits: dict[str, Any] | None = None, **connection: Any) -> Rest:
        """Return an entered connector; options of the connection may differ from the usual."""
        usual = {"base_url": str(self.server.make_url("/")), "timeout": "2s"}
        setup = setup_for(KIND, connection=usual | connection, collections={"things": PRODUCTS}, limits=limits, keys=("sku",))
        connector = Rest(setup)
        await connector.__aenter__()
        self.made.append(connector)
        return connector


@pytest.fixture
async def place() -> AsyncIterator[Place]:
    shop = Shop()
    async with serving(shop.app()) as server:
        made = Place(shop, server)
        yield made
        for connector in made.made:
            await connector.__aexit__()


def update(one: str, *, name: str = "New", version: str | None = None, key: str = "k") -> Write:
    return Write(Op.UPDATE, "there", "things", 1, one, version=version, values={"name": name}, item={}, key=key)


def create(sku: str = "S-1") -> Write:
    return Write(Op.CREATE, "there", "things", 1, None, values={"sku": sku, "name": "Mug"}, key="k")


OWN, RECORD = False, True  # whose trouble a TransientError is


@pytest.mark.parametrize(
    ("status", "kind", "about"),
    [
        (401, TransientError, OWN),
        (403, TransientError, OWN),
        (429, TransientError, OWN),
        (503, TransientError, OWN),
        (302, TransientError, OWN),
        (408, TransientError, RECORD),
        (425, TransientError, RECORD),
        (500, TransientError, RECORD),
        (502, TransientError, RECORD),
        (599, TransientError, RECORD),
        (400, PermanentError, None),
        (405, PermanentError, None),
        (418, PermanentError, None),
        (422, PermanentError, None),
        (409, StaleWrite, None),
        (412, StaleWrite, None),
        (428, StaleWrite, None),
    ],
)
async def test_each_status_of_a_write_has_its_class(place: Place, status: int, kind: type, about: bool | None) -> None:
    connector = await place.connect()
    place.shop.faults.append((BEFORE, says(status, "no, because of the price")))
    [outcome] = await connector.apply([update(place.shop.put({"sku": "S-1"}))])
    assert type(outcome) is kind
    assert isinstance(outcome, ConnectorError)
    assert outcome.status == status
    if isinstance(outcome, TransientError):
        assert outcome.about_record is about
    if isinstance(outcome, PermanentError):
        assert "no, because of the price" in str(outcome)
    assert place.shop.writes == 1


async def test_a_refusal_is_quoted_but_not_at_length(place: Place) -> None:
    connector = await place.connect()
    place.shop.faults.append((BEFORE, says(400, b"\xff\xfe\x00 " + b"x" * 100_000)))
    [outcome] = await connector.apply([update("1")])
    assert isinstance(outcome, PermanentError)
    assert 500 < len(str(outcome)) < 600


@pytest.mark.parametrize("body", ["<html>Sorry</html>", "", "{", '{"data": 7}', '{"data": null}', "[1]", '"data"', "null"])
async def test_a_list_that_is_no_list_is_an_error_and_no_evidence(place: Place, body: str) -> None:
    connector = await place.connect()
    place.shop.put({"sku": "S-1"})
    place.shop.faults.append((BEFORE, says(200, body)))
    with pytest.raises(TransientError):
        [page async for page in connector.scan("things")]


async def test_a_write_answered_with_html_is_transient(place: Place) -> None:
    connector = await place.connect()
    place.shop.faults.append((AFTER, says(200, "<html>Saved!</html>")))
    [outcome] = await connector.apply([update(place.shop.put({"sku": "S-1"}))])
    assert isinstance(outcome, TransientError)
    assert outcome.about_record


async def test_a_list_that_fails_in_the_middle_is_raised(place: Place) -> None:
    connector = await place.connect()
    for n in range(7):
        place.shop.put({"sku": f"S-{n}"})
    pages = aiter(connector.scan("things"))
    await anext(pages)
    place.shop.faults.append((BEFORE, says(500)))
    with pytest.raises(TransientError):
        await anext(pages)


async def test_a_list_that_ends_early_is_not_complete(place: Place) -> None:
    connector = await place.connect()
    place.shop.faults.append((BEFORE, says(200, '{"data": [{"id": 1}], "meta": {"total": 77}}')))
    [page] = [page async for page in connector.scan("things")]
    assert (page.last, page.complete) == (True, False)
    assert page.why == "the list says 77, 1 came"


async def test_an_empty_list_where_there_should_be_77_is_not_complete(place: Place) -> None:
    connector = await place.connect()
    place.shop.faults.append((BEFORE, says(200, '{"data": [], "meta": {"total": 77}}')))
    [page] = [page async for page in connector.scan("things")]
    assert not page.complete


ROWS = [
    '{"id": 1, "sku": "\\ud800"}',
    '{"id": 2, "price": NaN}',
    '{"id": 3, "stock": 9223372036854775808}',
    '{"id": 4, "sku": "a", "sku": "b"}',
    '{"id": 5, "price": 1e999}',
    '{"id": null}',
    '{"sku": "no id"}',
    '{"id": "\\udc00"}',
    '{"id": true}',
    '"just text"',
    '{"id": 6, "sku": "fine", "price": 1.50}',
]


async def test_one_broken_thing_does_not_stop_the_others(place: Place) -> None:
    connector = await place.connect()
    answer = f'{{"data": [{",".join(ROWS)}], "meta": {{"total": {len(ROWS)}}}}}'
    place.shop.faults += [(BEFORE, says(200, answer)), (BEFORE, says(200, '{"data": [], "meta": {"total": 11}}'))]
    pages = [page async for page in connector.scan("things")]
    assert [change.id for page in pages for change in page.changes] == ["6"]
    broken = [one for page in pages for one in page.broken]
    assert [one.id for one in broken] == ["1", "2", "3", "4", "5", None, None, None, None, None]
    assert all(one.reason and one.raw.isascii() and "products" in one.where for one in broken)
    assert pages[-1].complete


async def test_a_broken_thing_read_by_id_is_an_error_about_it(place: Place) -> None:
    connector = await place.connect()
    place.shop.faults.append((BEFORE, says(200, '{"id": 1, "price": NaN}')))
    with pytest.raises(PermanentError, match="NaN is not a number"):
        await connector.read("things", ["1"])


async def test_an_answer_lost_after_the_write_is_unknown_and_not_sent_again(place: Place) -> None:
    connector = await place.connect()
    place.shop.faults.append((AFTER, hang_up))
    [outcome] = await connector.apply([create()])
    assert isinstance(outcome, OutcomeUnknown)
    assert len(place.shop.things) == 1
    assert place.shop.writes == 1


@pytest.mark.parametrize("op", [Op.UPDATE, Op.DELETE])
async def test_aiohttp_sends_nothing_twice_on_a_kept_connection(place: Place, op: Op) -> None:
    """PUT, DELETE and GET would be sent again by aiohttp itself: the wire must show as many requests as we made calls."""
    connector = await place.connect()
    one = place.shop.put({"sku": "S-1"})
    await connector.read("things", [one])  # the connection is open now and will be used again
    place.shop.faults.append((AFTER, hang_up))
    [outcome] = await connector.apply([Write(op, "there", "things", 1, one, values={}, item={"id": 1}, key="k")])
    assert isinstance(outcome, OutcomeUnknown)
    assert place.shop.writes == 1
    place.shop.faults.append((AFTER, hang_up))
    with pytest.raises(TransientError):
        await connector.read("things", [one])
    assert len(place.shop.requests) == 3


async def test_control_aiohttp_would_have_sent_it_again(place: Place) -> None:
    connector = await place.connect()
    one = place.shop.put({"sku": "S-1"})
    await connector.read("things", [one])
    session = connector.http._session
    assert session is not None
    session._retry_connection = True
    place.shop.faults.append((AFTER, hang_up))
    await connector.apply([Write(Op.DELETE, "there", "things", 1, one, key="k")])
    assert place.shop.writes == 2, "the guard against silent repeats guards nothing any more"


async def test_a_write_that_is_answered_too_late_is_unknown(place: Place) -> None:
    connector = await place.connect(timeout="300ms")
    place.shop.faults.append((AFTER, sleep_long))
    begun = time.monotonic()
    [outcome] = await connector.apply([create()])
    assert isinstance(outcome, OutcomeUnknown)
    assert time.monotonic() - begun < 3
    assert place.shop.writes == 1


async def test_a_read_that_is_answered_too_late_is_the_platforms_trouble(place: Place) -> None:
    connector = await place.connect(timeout="300ms")
    place.shop.faults.append((BEFORE, sleep_long))
    with pytest.raises(TransientError) as caught:
        await connector.read("things", ["1"])
    assert not caught.value.about_record


async def test_no_connection_is_certainly_not_sent() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))  # bound and not listening: refuses
        url = f"http://127.0.0.1:{closed.getsockname()[1]}"
        async with KIND.connect(setup_for(KIND, connection={"base_url": url}, collections={"things": PRODUCTS})) as there:
            outcomes = await there.apply([create(f"S-{n}") for n in range(20)])
    assert all(type(one) is TransientError and not one.about_record for one in outcomes)


async def test_a_platform_that_accepts_and_never_speaks_is_unknown_for_writes() -> None:
    with socket.socket() as mute:
        mute.bind(("127.0.0.1", 0))
        mute.listen()
        connection = {"base_url": f"http://127.0.0.1:{mute.getsockname()[1]}", "timeout": "300ms"}
        async with KIND.connect(setup_for(KIND, connection=connection, collections={"things": PRODUCTS})) as there:
            [outcome] = await there.apply([create()])
            assert isinstance(outcome, OutcomeUnknown)
            with pytest.raises(TransientError):
                await there.read("things", ["1"])


async def test_throttled_reads_wait_as_told_and_writes_are_handed_back(place: Place) -> None:
    connector = await place.connect()
    one = place.shop.put({"sku": "S-1"})
    place.shop.faults.append((BEFORE, says(429, Retry_After="1")))
    begun = time.monotonic()
    [look] = await connector.read("things", [one])
    assert look.id == one
    assert time.monotonic() - begun >= 1
    place.shop.faults.append((BEFORE, says(429, Retry_After="1")))
    [outcome] = await connector.apply([update(one)])
    assert isinstance(outcome, TransientError)
    assert outcome.retry_after == 1
    assert place.shop.writes == 1


async def test_a_long_retry_after_is_obeyed_by_all_calls_without_asking(place: Place) -> None:
    connector = await place.connect()
    place.shop.faults.append((BEFORE, says(429, Retry_After="120")))
    with pytest.raises(TransientError) as caught:
        await connector.read("things", ["1"])
    assert caught.value.retry_after == 120
    [outcome] = await connector.apply([update("1")])
    assert isinstance(outcome, TransientError)
    assert outcome.retry_after is not None
    assert 100 < outcome.retry_after <= 120
    assert len(place.shop.requests) == 1


async def test_once_the_platform_fails_the_rest_of_a_batch_is_not_sent(place: Place) -> None:
    connector = await place.connect(limits={"concurrency": 1})
    place.shop.faults.append((BEFORE, says(503)))
    outcomes = await connector.apply([update("1", key="a"), update("2", key="b"), update("3", key="c")])
    assert [getattr(one, "status", None) for one in outcomes] == [503, 503, 503]
    assert place.shop.writes == 1


async def test_one_refused_record_does_not_stop_the_batch(place: Place) -> None:
    connector = await place.connect(limits={"concurrency": 1})
    ids = [place.shop.put({"sku": f"S-{n}"}) for n in range(3)]
    place.shop.faults.append((BEFORE, says(400)))
    outcomes = await connector.apply([update(one, key=one) for one in ids])
    assert [type(one) for one in outcomes] == [PermanentError, Receipt, Receipt]


async def test_an_answer_that_unpacks_to_too_much_is_refused(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, "LARGEST", 100_000)

    async def bomb(_: web.Request) -> web.Response:
        response = web.Response(body=b" " * 10_000_000)
        response.enable_compression(web.ContentCoding.gzip)
        return response

    connector = await place.connect()
    place.shop.faults.append((BEFORE, bomb))
    with pytest.raises(TransientError, match="more than 100000 bytes"):
        await connector.read("things", ["1"])


async def test_a_torn_answer_is_no_answer(place: Place) -> None:
    async def torn(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": "1000"})
        await response.prepare(request)
        await response.write(b'{"id": 1')
        return await hang_up(request)

    connector = await place.connect()
    one = place.shop.put({"sku": "S-1"})
    place.shop.faults.append((BEFORE, torn))
    with pytest.raises(TransientError):
        await connector.read("things", [one])
    place.shop.faults.append((AFTER, torn))
    [outcome] = await connector.apply([update(one)])
    assert isinstance(outcome, OutcomeUnknown)


async def test_what_is_no_http_is_no_answer() -> None:
    async def rubbish(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"SSH-2.0-OpenSSH_9.2\r\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(rubbish, "127.0.0.1", 0)
    connection = {"base_url": f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", "timeout": "2s"}
    async with server, KIND.connect(setup_for(KIND, connection=connection, collections={"things": PRODUCTS})) as there:
        with pytest.raises(TransientError):
            await there.read("things", ["1"])
        [outcome] = await there.apply([update("1")])
        assert isinstance(outcome, OutcomeUnknown)


async def test_reads_follow_redirects_at_home_and_nowhere_else(place: Place) -> None:
    connector = await place.connect()
    one = place.shop.put({"sku": "S-1"})
    place.shop.faults.append((BEFORE, says(301, Location=f"/products/{one}?moved=1")))
    [look] = await connector.read("things", [one])
    assert look.id == one
    for target in ("http://169.254.169.254/latest", "//evil.example/x", f"https://127.0.0.1:{place.server.port}/x"):
        place.shop.faults.append((BEFORE, says(302, Location=target)))
        with pytest.raises(TransientError, match="another host"):
            await connector.read("things", [one])
    place.shop.faults += [(BEFORE, says(302, Location="/products/1"))] * 5
    with pytest.raises(TransientError, match="redirects"):
        await connector.read("things", [one])


async def test_writes_follow_no_redirect(place: Place) -> None:
    connector = await place.connect()
    place.shop.faults.append((BEFORE, says(307, Location="/products/2")))
    [outcome] = await connector.apply([update("1")])
    assert isinstance(outcome, TransientError)
    assert "a redirect to /products/2 that is not followed" in str(outcome)
    assert len(place.shop.requests) == 1


async def test_the_clock_is_measured_by_the_date_header(place: Place) -> None:
    connector = await place.connect()
    one = place.shop.put({"sku": "S-1"})
    assert connector.clock == (0, 0)
    await connector.read("things", [one])
    offset, uncertainty = connector.clock
    assert abs(offset) <= 2 * SECOND
    assert SECOND // 2 <= uncertainty < 3 * SECOND


async def test_a_clock_that_is_an_hour_ahead_is_seen(place: Place) -> None:
    connector = await place.connect()
    ahead = time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime(time.time() + 3600))
    place.shop.faults.append((BEFORE, says(200, '{"id": 1}', Date=ahead)))
    await connector.read("things", ["1"])
    assert abs(connector.clock[0] - 3600 * SECOND) <= 2 * SECOND


async def test_hung_name_look_ups_do_not_hold_up_the_default_pool(monkeypatch: pytest.MonkeyPatch) -> None:
    def hang(*_: Any, **__: Any) -> list[Any]:
        time.sleep(1)
        raise OSError("no such host")

    monkeypatch.setattr(socket, "getaddrinfo", hang)
    setups = [
        setup_for(KIND, connection={"base_url": f"http://h{n}.invalid"}, collections={"things": PRODUCTS}) for n in range(8)
    ]
    connectors = [Rest(setup) for setup in setups]
    reads = [asyncio.create_task(connector.read("things", ["1"])) for connector in connectors]
    await asyncio.sleep(0.2)
    begun = time.monotonic()
    await asyncio.get_running_loop().run_in_executor(None, lambda: None)
    assert time.monotonic() - begun < 0.5
    outcomes = await asyncio.gather(*reads, return_exceptions=True)
    assert all(isinstance(one, TransientError) for one in outcomes)
    for connector in connectors:
        await connector.__aexit__()


async def test_a_cancelled_read_leaves_a_connector_that_works(place: Place) -> None:
    connector = await place.connect(limits={"concurrency": 1})
    one = place.shop.put({"sku": "S-1"})
    place.shop.faults.append((BEFORE, sleep_long))
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.2):
            await connector.read("things", [one])
    [look] = await connector.read("things", [one])
    assert look.id == one


async def test_wire_requests_equal_writes_in_a_storm_of_faults(place: Place) -> None:
    connector = await place.connect(limits={"concurrency": 4}, timeout="500ms")
    ids = [place.shop.put({"sku": f"S-{n}"}) for n in range(60)]
    place.shop.faults += [(AFTER, hang_up), (BEFORE, hang_up), (BEFORE, says(500)), (AFTER, says(502))] * 10
    outcomes = await connector.apply([update(one, key=f"k{one}") for one in ids])
    assert place.shop.writes == len(ids)
    assert sum(isinstance(one, OutcomeUnknown) for one in outcomes) == 20
    assert sum(isinstance(one, Receipt) and one.answer is Answer.DONE for one in outcomes) == 20


async def test_a_platform_may_say_itself_what_its_refusals_mean(place: Place) -> None:
    def refused(reply: Reply) -> None:
        raise PermanentError(f"{reply.place}: {reply.body.decode()}", status=reply.status)

    setup = setup_for(KIND, connection={"base_url": str(place.server.make_url("/"))}, collections={"things": PRODUCTS})
    place.shop.faults = [(BEFORE, says(403, "no more today"))] * 2
    async with Http(setup, refused=refused) as http:
        await http.ready()
        assert not place.shop.requests, "there is nothing to log in for"
        with pytest.raises(PermanentError, match="no more today"):
            await http.read(http.url("/products"))
        with pytest.raises(PermanentError, match="no more today"):
            async with http.opened(http.url("/products")):
                raise AssertionError
