"""Rules through the whole daemon: an import that touches everything, cases and formulas of own fields, scopes, time."""

import asyncio
from typing import Any

import pytest
from loguru import logger

from syncd.core.model import SECOND
from syncd.daemon import clock
from syncd.daemon.intake import take_feed
from syncd.daemon.revise import coming, due, revise_forever
from syncd.ledger import records, touches
from tests.daemon.test_actions import do, read
from tests.daemon.world import PRODUCT, World, until

NOTE = "  note: {type: string, truth: {newest: [erp, shop]}, map: {erp: note, shop: note}}\n"
NEWEST = PRODUCT.replace("deletes:", f"{NOTE}deletes:")
FROZEN = ("name: {type: string, truth: erp", "name: {type: string, truth: {owner: erp, freeze: {until: 2030-01-01}}")
HOUR = 3600 * SECOND


def stocked(world: World, rows: int) -> None:
    """Put rows into the ERP, edited at ten seconds' distance, long ago."""
    for n in range(rows):
        world.put("erp", str(n), sku=f"S{n:02}", name=f"Mug {n}", price="1.00", stock=1, note="old")
    for n, thing in enumerate(world.platform("erp").things["items"].values()):
        thing.changed_at -= (1000 + 10 * n) * SECOND


def imported(world: World, at: int, note: str = "imported") -> None:
    """Have an import rewrite the note of every row of the shop, all at one moment."""
    for native, thing in list(world.platform("shop").things["products"].items()):
        world.put("shop", native, note=note)
        world.platform("shop").things["products"][native].changed_at = at
        assert thing.item["sku"]


def notes(world: World, platform: str) -> set[Any]:
    return {item["note"] for item in world.items(platform).values()}


@pytest.mark.parametrize(("rows", "wins"), [(15, True), (25, False)])
async def test_an_import_does_not_win_everything(world: World, rows: int, wins: bool) -> None:
    world.shop_and_erp(product=NEWEST)
    stocked(world, rows)
    await world.once()
    assert notes(world, "shop") == {"old"}
    said: list[str] = []
    sink = logger.add(lambda message: said.append(message.record["message"]), level="WARNING")
    imported(world, world.now() + 60 * SECOND)
    await world.once()
    logger.remove(sink)
    assert notes(world, "erp") == ({"imported"} if wins else {"old"})
    assert notes(world, "shop") == {"imported"}, "nor is the import undone"
    words = f"shop: {rows} of {rows} rows touched within one second, recency suspended"
    assert (words in said) == (not wins)
    if wins:
        return
    report = (await do(world, do="reconcile"))["report"]["rows"]
    assert {(row["platform"], row["field"], row["reason"]) for row in report} == {("shop", "note", words)}
    native = next(iter(world.platform("shop").things["products"]))
    world.put("shop", native, note="by hand")
    world.platform("shop").things["products"][native].changed_at = world.now() + 300 * SECOND
    await world.once()
    assert notes(world, "erp") == {"old", "by hand"}


async def test_a_poll_notices_an_import_too_but_not_what_we_wrote_ourselves(world: World) -> None:
    world.shop_and_erp(product=NEWEST)
    ahead = 0
    world.now = lambda: clock.now() + ahead
    stocked(world, 30)
    await world.once()
    async with world.runtime() as runtime:
        await take_feed(runtime, runtime.parts["shop"], "products")
        assert await runtime.store.read(touches.standing) == {}
    ahead = 60 * SECOND
    for native in list(world.platform("shop").things["products"]):
        world.put("shop", native, note="imported")
    async with world.runtime() as runtime:
        await take_feed(runtime, runtime.parts["shop"], "products")
        known = await runtime.store.read(touches.standing)
    assert [(place, one.rows) for place, found in known.items() for one in found] == [(("shop", "products"), 30)]


CASES = PRODUCT.replace(
    "name: {type: string, truth: erp,",
    "name: {type: string, truth: [{when: shop.raw.locked, owner: shop}, {owner: erp}],",
)


async def test_the_platforms_own_fields_are_remembered_and_a_change_of_them_alone_decides(world: World) -> None:
    world.shop_and_erp(product=CASES)
    world.put("erp", "1", sku="S1", name="Mug", price="1.00", stock=1)
    await world.once()
    native = next(iter(world.platform("shop").things["products"]))
    world.put("shop", native, locked=True)
    world.put("shop", native, title="Fine mug")
    await world.once()
    assert world.items("erp")["S1"]["name"] == "Fine mug"
    kept = await read(world, records.one, 1)
    assert kept.shadows["shop"].raws == {"locked": True}
    world.put("erp", "1", name="Mug 2")
    await world.once()
    world.put("shop", native, locked=False)
    await world.once()
    assert world.items("shop")["S1"]["title"] in {"Mug 2", "Fine mug"}


async def test_a_row_that_leaves_scope_is_neither_written_nor_made_again(world: World) -> None:
    scoped = PRODUCT.replace(
        "shop: {collection: products, create: true}",
        "shop: {collection: products, create: true, only: \"status != 'ARCHIVED'\"}",
    )
    world.shop_and_erp(product=scoped)
    world.put("erp", "1", sku="S1", name="Mug", price="1.00", stock=1)
    await world.once()
    native = next(iter(world.platform("shop").things["products"]))
    world.put("shop", native, status="ARCHIVED")
    await world.once()
    requests = world.requests("shop")
    world.put("erp", "1", name="Cup")
    await world.once()
    assert (world.requests("shop"), len(world.items("shop"))) == (requests, 1)
    assert (await do(world, do="reconcile"))["report"]["rows"] == []
    world.put("shop", native, status="ACTIVE")
    await world.once()
    assert world.items("shop")["S1"]["title"] == "Cup"


async def test_a_record_is_made_only_where_its_condition_is_true(world: World) -> None:
    world.shop_and_erp(product=PRODUCT.replace("products, create: true", "products, create: {when: stock > 0}"))
    world.put("erp", "1", sku="S1", name="Mug", price="1.00", stock=0)
    world.put("erp", "2", sku="S2", name="Cup", price="1.00", stock=2)
    await world.once()
    assert set(world.items("shop")) == {"S2"}
    world.put("erp", "1", stock=5)
    await world.once()
    assert set(world.items("shop")) == {"S1", "S2"}


# ---- as time goes by

TIMED = PRODUCT.replace(
    "deletes:",
    '  fresh: {type: boolean, truth: {expr: "days_since(erp.day) < 1"}, map: {shop: fresh}}\n'
    "  day: {type: date, truth: erp, map: {erp: day}}\ndeletes:",
)


async def test_rules_that_ask_the_time_are_asked_again_as_it_passes(world: World) -> None:
    world.shop_and_erp(product=TIMED)
    start, ahead = 1_790_000_000 * SECOND, 0
    world.now = lambda: start + ahead
    world.put("erp", "1", sku="S1", name="Mug", price="1.00", stock=1, day="2026-09-21")
    await world.once()
    assert world.items("shop")["S1"]["fresh"] is True
    ahead = 48 * HOUR
    await world.once()
    assert world.items("shop")["S1"]["fresh"] is False


async def test_hours_and_ends_of_freezes_have_their_entities_decided_again(world: World) -> None:
    world.shop_and_erp(product=TIMED.replace(*FROZEN))
    rules = world.config().rules
    ends = 1_893_456_000 * SECOND
    assert coming(rules, 5 * HOUR + 1) == [6 * HOUR, ends]
    assert due(rules, 5 * HOUR + 1, 5 * HOUR + 9) == set()
    assert due(rules, 5 * HOUR + 1, 6 * HOUR) == {"product"}
    world.write("entities/product.yaml", PRODUCT.replace(*FROZEN))
    rules = world.config().rules
    assert due(rules, 5 * HOUR + 1, 6 * HOUR) == set()
    assert due(rules, ends - 1, ends) == {"product"}
    world.write("entities/product.yaml", PRODUCT)
    assert coming(world.config().rules, 5) == []


async def test_the_daemon_wakes_up_for_the_hour(world: World) -> None:
    world.shop_and_erp(product=TIMED)
    start, ahead = 1_790_000_000 * SECOND, 0
    world.now = lambda: start + ahead
    world.put("erp", "1", sku="S1", name="Mug", price="1.00", stock=1, day="2026-09-21")
    await world.once()
    async with world.runtime() as runtime:
        task = asyncio.create_task(revise_forever(runtime))
        await asyncio.sleep(0.1)
        ahead = 48 * HOUR
        runtime.revisions.set()  # a nap is at most a minute long; this one is cut short
        await until(lambda: not runtime.outdated)
        for _ in range(200):
            now = await runtime.store.read(records.one, 1)
            if now is not None and now.golden["fresh"].value is False:
                break
            await asyncio.sleep(0.01)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    assert now is not None
    assert now.golden["fresh"].value is False
