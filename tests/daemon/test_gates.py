"""What keeps writes back: modes, quiet hours, pauses, stale owners, limits given on the command line."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from syncd.core.model import SECOND
from syncd.daemon.modes import careful
from syncd.daemon.quiet import quiet_until
from syncd.ledger import conflicts, outbox, pauses, proposals
from tests.daemon.test_actions import do, filled, read
from tests.daemon.world import PRODUCT, World, memory


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * SECOND)


@pytest.mark.parametrize(
    ("hours", "zone", "now", "until"),
    [
        ("08:00-09:00", "UTC", "2026-01-31T08:30:00", "2026-01-31T09:00:00"),
        ("08:00-09:00", "UTC", "2026-01-31T09:00:00", None),
        ("08:00-09:00", "Europe/Berlin", "2026-01-31T07:30:00", "2026-01-31T08:00:00"),
        ("22:00-06:00", "UTC", "2026-01-31T23:00:00", "2026-02-01T06:00:00"),
        ("22:00-06:00", "UTC", "2026-02-01T05:59:00", "2026-02-01T06:00:00"),
        ("22:00-06:00", "UTC", "2026-02-01T12:00:00", None),
        (None, "UTC", "2026-02-01T12:00:00", None),
    ],
)
def test_quiet_hours(hours: str | None, zone: str, now: str, until: str | None) -> None:
    assert quiet_until(hours, zone, at(now)) == (None if until is None else at(until))


@pytest.mark.parametrize(
    ("one", "other", "wins"),
    [("enforce", "propose", "propose"), ("observe", "enforce", "observe"), ("propose", None, "propose")],
)
def test_the_more_careful_mode_wins(one: str, other: str | None, wins: str) -> None:
    assert careful(one, other) == wins


async def test_the_command_line_can_only_restrict(world: World) -> None:
    world.shop_and_erp()
    world.put("erp", "1", sku="MUG-1", name="Mug", price="12.00", stock=3)
    await world.once(limit="observe")
    assert world.items("shop") == {}
    await world.once(limit="propose")
    assert world.items("shop") == {}
    assert len(await read(world, proposals.in_state, "open")) == 1
    await world.once(limit="enforce")
    assert len(world.items("shop")) == 1
    assert await read(world, proposals.in_state, "open") == []


async def test_a_field_may_wait_for_approval_while_the_others_go(world: World) -> None:
    product = PRODUCT.replace("price: {type: decimal(2),", "price: {type: decimal(2), mode: propose,")
    world.shop_and_erp(product=product)
    world.put("erp", "1", sku="MUG-1", name="Mug", price="12.00", stock=3)
    await world.once()
    [change] = await read(world, proposals.in_state, "open")
    assert (await do(world, do="approve", ids=[change.id]))["exit"] == 0
    world.put("erp", "1", name="Cup", price="13.00")
    await world.once()
    item = world.items("shop")["MUG-1"]
    assert (item["title"], item["price"]) == ("Cup", Decimal("12.00"))
    [change] = await read(world, proposals.in_state, "open")
    assert [field.field for field in change.fields] == ["price"]
    await do(world, do="approve", ids=[change.id])
    assert world.items("shop")["MUG-1"]["price"] == Decimal("13.00")


async def test_quiet_hours_hold_writes(world: World) -> None:
    await filled(world)
    shop = memory("shop", collection="products")
    world.write("platforms/shop.yaml", shop.replace("retry:", 'quiet_hours: "00:00-23:59", retry:'))
    world.put("erp", "1", price="13.00")
    await world.once()
    assert world.items("shop")["MUG-1"]["price"] == Decimal("12.00")
    assert await read(world, outbox.depth) == {"shop": 1}
    assert (await do(world, do="reconcile"))["report"]["rows"][0]["why"] == "held"


async def test_a_pause_holds_one_platform(world: World) -> None:
    await filled(world)
    async with world.runtime() as runtime:
        await runtime.store.write(pauses.pause, "shop", note="stock-taking", by="ana", now=runtime.now())
    world.put("erp", "1", price="13.00")
    await world.once()
    assert world.items("shop")["MUG-1"]["price"] == Decimal("12.00")
    async with world.runtime() as runtime:
        await runtime.store.write(pauses.resume, "shop")
        await runtime.store.write(outbox.release, "paused", platform="shop")
    await world.once()
    assert world.items("shop")["MUG-1"]["price"] == Decimal("13.00")


async def test_a_stale_owner_under_hold_keeps_writes_back_until_it_is_read_again(world: World) -> None:
    old, new = "price: {type: decimal(2), truth: erp,", "price: {type: decimal(2), truth: {owner: erp, if_stale: hold},"
    product = PRODUCT.replace(old, new)
    await filled(world, product=product)
    clock = world.now
    world.platform("erp").down = True
    world.now = lambda: clock() + 7200 * SECOND
    one = next(iter(world.platform("shop").things["products"]))
    world.put("shop", one, price="9.99")
    await world.once()
    assert world.items("shop")["MUG-1"]["price"] == "9.99", "its owner may have said so meanwhile"
    assert await read(world, conflicts.standing) == []
    world.platform("erp").down = False
    await world.once()
    assert world.items("shop")["MUG-1"]["price"] == Decimal("12.00")
