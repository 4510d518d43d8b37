"""The courier loses, doubles and reorders exactly what it was told to."""

from collections.abc import AsyncIterator

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from tests.emulators.courier import Courier


class Door:
    """Takes deliveries, or answers ``status``."""

    def __init__(self) -> None:
        self.taken: list[tuple[str, str]] = []
        self.status = 202
        self.url = ""

    async def take(self, request: web.Request) -> web.Response:
        self.taken.append(((await request.read()).decode(), request.headers["X-Id"]))
        return web.Response(status=self.status)


@pytest.fixture
async def door() -> AsyncIterator[Door]:
    made = Door()
    app = web.Application()
    app.router.add_post("/hooks", made.take)
    server = TestServer(app)
    await server.start_server()
    made.url = str(server.make_url("/hooks"))
    yield made
    await server.close()


async def sent(courier: Courier, *names: str) -> None:
    for name in names:
        await courier.send(name.encode(), {"X-Id": name})


async def test_it_keeps_what_it_sent_and_the_status_it_got(door: Door):
    courier = Courier(door.url)
    await sent(courier, "a")
    door.status = 503
    await sent(courier, "b")
    assert door.taken == [("a", "a"), ("b", "b")]
    assert [one.statuses for one in courier.sent] == [[202], [503]]


async def test_lost_ones_never_arrive_until_they_are_sent_again(door: Door):
    courier = Courier(door.url)
    courier.lose(2)
    await sent(courier, "a", "b", "c")
    assert [body for body, _ in door.taken] == ["c"]
    assert [one.body for one in await courier.again()] == [b"a", b"b"]
    assert [body for body, _ in door.taken] == ["c", "a", "b"]


async def test_doubled_ones_arrive_twice_with_the_same_headers(door: Door):
    courier = Courier(door.url)
    courier.double(1)
    await sent(courier, "a", "b")
    assert door.taken == [("a", "a"), ("a", "a"), ("b", "b")]


async def test_reordered_ones_arrive_last_first(door: Door):
    courier = Courier(door.url)
    courier.reorder(3)
    await sent(courier, "a", "b", "c", "d")
    assert [body for body, _ in door.taken] == ["c", "b", "a", "d"]


async def test_what_is_sent_in_the_background_settles(door: Door):
    async with Courier(door.url) as courier:
        courier.post(b"a", {"X-Id": "a"})
        await courier.settled()
    assert door.taken == [("a", "a")]


async def test_nobody_there_is_a_status_of_nought():
    courier = Courier("http://127.0.0.1:1/hooks")
    await sent(courier, "a")
    assert courier.sent[0].statuses == [0]
