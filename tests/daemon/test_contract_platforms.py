"""The contract on platforms as they are: whose fault an answer is, how often and when a write is tried, when nobody writes."""

import asyncio
import sqlite3
import time
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from aiohttp import web

from syncd.core.model import SECOND
from syncd.daemon.doubt import open_doubts
from syncd.daemon.once import Work
from syncd.errors import OutcomeUnknown
from syncd.ledger import attempts, conflicts, letters
from tests.connectors.shop import BEFORE, Shop, says, serving
from tests.daemon.company import SHOP
from tests.daemon.test_actions import do, read
from tests.daemon.test_contract_deletes import Clock
from tests.daemon.test_serve import ask, daemon
from tests.daemon.world import PRODUCT, World, memory, until

HOUR = 3600 * SECOND
RULES = PRODUCT.replace("shop: title", "shop: name").replace("shop: price", "shop: {path: price, write: [text]}")


@pytest.fixture
async def shop(world: World) -> AsyncIterator[Shop]:
    """A shop on a real socket beside an ERP in memory."""
    one = Shop()
    async with serving(one.app()) as server:
        place = {"shop": str(server.make_url("")).rstrip("/")}
        text = (SHOP % place).replace("retry: {first: 100ms, max: 1s}", "retry: {attempts: 3, first: 20ms, max: 100ms}")
        world.shop_and_erp(product=RULES)
        world.write("platforms/shop.yaml", text[: text.index("  webhook:")] + text[text.index("write:") :])
        world.put("erp", "1", sku="MUG-1", name="Mug", price="12.00", stock=3)
        await world.once()
        assert len(one.things) == 1
        yield one


# ---- whose fault


def refusing(one: Shop, status: int, times: int) -> list[int]:
    """Have the next so many updates answered with a status, whatever is asked in between; return what came."""
    hits: list[int] = []

    async def answer(request: web.Request) -> web.StreamResponse:
        if request.method == "PATCH" and len(hits) < times:
            hits.append(status)
            return await says(status, Retry_After="0")(request)
        if request.method == "PATCH":
            return await one._edit(request)
        return await (one._get(request) if request.match_info.get("id") else one._list(request))

    one.faults = [(BEFORE, answer)] * 1000
    return hits


@pytest.mark.parametrize("status", [401, 403, 429, 503])
async def test_the_platforms_own_trouble_counts_no_attempt_and_kills_no_record(world: World, shop: Shop, status: int) -> None:
    hits = refusing(shop, status, 5)
    world.put("erp", "1", price="13.00")
    async with daemon(world):
        await until(lambda: shop.things["1"]["price"] == "13.00", 30)
        await until_empty(world, "outbox")
    assert len(hits) == 5, "more than attempts: 3"
    assert await read(world, letters.in_state) == []


async def until_empty(world: World, table: str, *, not_: bool = False) -> None:
    """Wait until a table of a running daemon's ledger is empty, or is not."""
    async with asyncio.timeout(20):
        while bool(rows_of(world, table)) != not_:  # noqa: ASYNC110 - what is waited for has no event
            await asyncio.sleep(0.02)


def rows_of(world: World, table: str) -> int:
    db = sqlite3.connect(f"file:{world.folder}/state/ledger.db?mode=ro", uri=True)
    try:
        return int(db.execute(f"SELECT count(*) FROM {table}").fetchone()[0])
    finally:
        db.close()


async def test_no_connection_is_waited_for_as_long_as_it_takes(world: World) -> None:
    world.shop_and_erp()
    world.put("erp", "1", sku="MUG-1", name="Mug", price="12.00", stock=3)
    await world.once()
    world.platform("shop").down = True
    world.put("erp", "1", price="13.00")
    async with daemon(world):
        await asyncio.sleep(1.5)  # many times attempts: 3, max: 200ms
        [platform] = [one for name, one in (await ask(world, do="status"))["platforms"].items() if name == "shop"]
        assert platform["state"] == "down"
        world.platform("shop").down = False
        await until(lambda: str(world.items("shop")["MUG-1"]["price"]) == "13.00")
    assert await read(world, letters.in_state) == []


@pytest.mark.parametrize("status", [408, 425, 500, 502])
async def test_an_answer_about_the_record_counts_until_attempts_are_used_up(world: World, shop: Shop, status: int) -> None:
    sent = shop.writes
    world.put("erp", "1", price="13.00")
    hits = refusing(shop, status, 500)
    async with daemon(world):
        await until_empty(world, "dead_letter", not_=True)
    shop.faults = []
    assert (len(hits), shop.writes - sent) == (3, 3), "attempts: 3"
    [letter] = await read(world, letters.in_state)
    assert (letter.kind, letter.platform, letter.op) == ("write", "shop", "update")


async def test_another_4xx_is_permanent_and_the_others_flow(world: World, shop: Shop) -> None:
    world.put("erp", "2", sku="MUG-2", name="Other", price="1.00", stock=1)

    async def answer(request: web.Request) -> web.StreamResponse:
        if request.method == "PATCH":
            return web.Response(status=400, text="no such price")
        if request.method == "POST":
            return await shop._create(request)
        return await (shop._get(request) if request.match_info.get("id") else shop._list(request))

    shop.faults = [(BEFORE, answer)] * 200
    world.put("erp", "1", price="13.00")
    await world.once()
    assert [(letter.platform, letter.op) for letter in await read(world, letters.in_state)] == [("shop", "update")]
    assert sorted(one["sku"] for one in shop.things.values()) == ["MUG-1", "MUG-2"]


async def test_waiting_for_a_proof_is_no_attempt(world: World, shop: Shop) -> None:
    async def blind(request: web.Request) -> web.StreamResponse:
        if "sku" in request.query:
            return web.Response(status=400, text="no search today")
        return await (shop._get(request) if request.match_info.get("id") else shop._list(request))

    shop.faults = [(BEFORE, blind)] * 100
    world.put("erp", "2", sku="MUG-2", name="Other", price="1.00", stock=1)
    await world.once()

    def tried(db: Any) -> Any:
        return db.execute("SELECT attempts, error FROM outbox").fetchall()

    assert await read(world, tried) == [(0, "could not be asked")]


async def test_a_feed_that_is_refused_is_said_in_status_and_tried_again(world: World, shop: Shop) -> None:
    async def no_feed(request: web.Request) -> web.StreamResponse:
        if "updated_since" in request.query:
            return web.Response(status=404, text="gone")
        return await (shop._get(request) if request.match_info.get("id") else shop._list(request))

    shop.faults = [(BEFORE, no_feed)] * 20
    async with daemon(world) as task:
        async with asyncio.timeout(10):
            while (found := (await ask(world, do="status"))["platforms"]["shop"])["state"] == "ok":  # noqa: ASYNC110
                await asyncio.sleep(0.02)
        assert found["state"] == "slow"
        assert "404" in found["why"]
        assert not task.done()


# ---- when nobody writes


def quiet_now(zone: str, ahead: timedelta = timedelta()) -> str:
    """Return hours around this moment in a time zone."""
    here = datetime.now(ZoneInfo(zone)) + ahead
    return f"{here - timedelta(minutes=30):%H:%M}-{here + timedelta(minutes=30):%H:%M}"


@pytest.mark.parametrize("zone", ["UTC", "Asia/Tokyo"])
async def test_quiet_hours_are_those_of_the_config_and_hold_writes_only(world: World, zone: str) -> None:
    world.now = Clock()
    world.shop_and_erp(service=f"\ntimezone: {zone}\n")
    shop = memory("shop", collection="products").replace("write: {", f'write: {{quiet_hours: "{quiet_now(zone)}", ')
    world.write("platforms/shop.yaml", shop)
    world.put("erp", "1", sku="MUG-1", name="Mug", price="12.00", stock=3)
    await world.once()
    assert world.requests("shop") == 0
    rows = (await do(world, do="reconcile"))["report"]["rows"]
    assert [(row["why"], row["reason"]) for row in rows] == [("held", "quiet hours")]
    world.now.ahead = HOUR
    await world.once()
    assert world.requests("shop") == 1


async def test_a_doubt_in_quiet_hours_costs_no_cpu(world: World) -> None:
    world.shop_and_erp()
    world.put("erp", "1", sku="MUG-1", name="Mug", price="12.00", stock=3)

    def lost(_: Any) -> None:
        world.platform("shop").down = True
        raise OutcomeUnknown("no answer")

    world.platform("shop").after = lost
    await world.once()
    world.platform("shop").down = False
    shop = memory("shop", collection="products").replace("write: {", f'write: {{quiet_hours: "{quiet_now("UTC")}", ')
    world.write("platforms/shop.yaml", shop)
    async with world.runtime() as runtime:
        assert await runtime.store.read(open_doubts, runtime.scene(), "shop")
    async with daemon(world):
        await asyncio.sleep(0.5)
        began = time.process_time()
        await asyncio.sleep(1.0)
        assert time.process_time() - began < 0.5
    assert len(await read(world, attempts.open_attempts)) == 1


# ---- staleness


async def test_a_stale_owner_under_hold_lets_its_field_wait_without_a_question(world: World) -> None:
    world.now = Clock()
    product = PRODUCT.replace("2), truth: erp", "2), truth: {owner: erp, if_stale: hold, stale_after: 1h}")
    world.shop_and_erp(product=product)
    world.put("erp", "1", sku="MUG-1", name="Mug", price="12.00", stock=3)
    await world.once()
    world.platform("erp").down = True
    world.now.ahead = 2 * HOUR
    world.put("shop", "1", price="1.00", title="Cup")
    await world.once()
    assert (world.items("shop")["MUG-1"]["title"], world.items("shop")["MUG-1"]["price"]) == ("Mug", "1.00")
    assert await read(world, conflicts.standing) == []
    world.platform("erp").down = False
    await world.once()
    assert str(world.items("shop")["MUG-1"]["price"]) == "12.00"


async def test_a_stale_first_choice_hands_over_and_is_not_written_to(world: World) -> None:
    world.now = Clock()
    product = PRODUCT.replace("2), truth: erp", "2), truth: {priority: [erp, shop], if_stale: next, stale_after: 1h}")
    world.shop_and_erp(product=product)
    world.put("erp", "1", sku="MUG-1", name="Mug", price="12.00", stock=3)
    await world.once()
    world.put("shop", "1", price="11.00")
    await world.once()
    assert str(world.items("shop")["MUG-1"]["price"]) == "12.00"
    world.put("shop", "1", price="10.00")
    world.platform("erp").down = True
    world.now.ahead = 2 * HOUR
    await world.once()
    assert world.items("shop")["MUG-1"]["price"] == "10.00"
    world.platform("erp").down = False
    async with world.runtime() as runtime:  # before it was read again
        work = Work(runtime)
        await work.begin()
        await work.settle_down()
    assert str(world.items("erp")["MUG-1"]["price"]) == "12.00"
    await world.once()
    assert str(world.items("shop")["MUG-1"]["price"]) == "12.00", "back again, the first choice decides"
