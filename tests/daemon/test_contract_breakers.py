"""The contract on safety: what is counted against what, what a trip stops, and what a person's word lets go."""

from typing import Any

import pytest

from syncd.core.model import SECOND
from syncd.daemon.run import passed
from syncd.ledger import breakers, conflicts, outbox, proposals
from tests.daemon.test_actions import do, read
from tests.daemon.test_contract_deletes import Clock, remove
from tests.daemon.world import PRODUCT, World, memory

MINUTE = 60 * SECOND
ONE_SWEEP = PRODUCT.replace("sweeps: 2", "sweeps: 1")


def safety(text: str, product: str = ONE_SWEEP) -> str:
    return product + f"safety: {{{text}}}\n"


async def stocked(world: World, product: str, count: int = 20, **more: str) -> None:
    world.shop_and_erp(product=product, **more)
    for number in range(1, count + 1):
        world.put("erp", str(number), sku=f"MUG-{number}", name=f"Mug {number}", price="12.00", stock=3)
    await world.once()
    assert len(world.items("shop")) == count


def dearer(world: World, numbers: range, price: str = "13.00") -> None:
    for number in numbers:
        world.put("erp", str(number), price=price)


def priced(world: World, price: str = "13.00") -> int:
    return sum(str(item["price"]) == price for item in world.items("shop").values())


async def tripped(world: World) -> list[tuple[str, str, str]]:
    return [(one.platform, one.entity, one.kind) for one in await read(world, breakers.standing)]


# ---- what trips


@pytest.mark.parametrize(
    ("figures", "changed", "stops"),
    [
        ("{max: 5, ratio: 50%}", 8, False),
        ("{max: 5, ratio: 50%}", 10, False),
        ("{max: 5, ratio: 50%}", 11, True),
        ("{max: 15, ratio: 10%}", 11, False),
        ("{max: 5}", 5, False),
        ("{max: 5}", 6, True),
        ("{ratio: 10%}", 2, False),
        ("{ratio: 10%}", 3, True),
    ],
)
async def test_it_trips_when_every_figure_it_names_is_exceeded(world: World, figures: str, changed: int, stops: bool) -> None:
    await stocked(world, safety(f"changes: {figures}"))
    dearer(world, range(1, changed + 1))
    await world.once()
    assert await tripped(world) == [("shop", "product", "changes")] * stops
    assert priced(world) == (0 if stops else changed), "all of it or nothing"


async def test_records_are_counted_and_not_fields_and_creates_are_not(world: World) -> None:
    await stocked(world, safety("changes: {max: 3}"))
    for number in (1, 2, 3):
        world.put("erp", str(number), price="13.00", name="Other", stock=9)
    for number in range(50, 60):
        world.put("erp", str(number), sku=f"MUG-{number}", name="New", price="1.00", stock=1)
    await world.once()
    assert await tripped(world) == []
    assert len(world.items("shop")) == 30


async def test_what_was_written_within_the_window_counts_too(world: World) -> None:
    world.now = Clock()
    await stocked(world, safety("changes: {max: 5, per: 10m}"))
    dearer(world, range(1, 5))
    await world.once()
    world.now.ahead += 11 * MINUTE
    dearer(world, range(5, 9))
    await world.once()
    assert (priced(world), await tripped(world)) == (8, [])
    world.now.ahead += 5 * MINUTE
    dearer(world, range(9, 13))
    await world.once()
    assert (priced(world), await tripped(world)) == (8, [("shop", "product", "changes")])


async def test_deletes_are_counted(world: World) -> None:
    await stocked(world, safety("deletes: {max: 2}, shrink: {max: 10, ratio: 90%}"))
    for number in range(1, 4):
        remove(world, "erp", f"MUG-{number}")
    await world.once()
    await world.once()
    assert await tripped(world) == [("shop", "product", "deletes")]
    assert len(world.items("shop")) == 20


async def test_values_about_to_become_empty_are_counted(world: World) -> None:
    product = ONE_SWEEP.replace("truth: erp, map: {erp: name", "truth: {owner: erp, if_null: clear}, map: {erp: name")
    await stocked(world, safety("blanked: {max: 2}", product))
    for number in range(1, 4):
        world.put("erp", str(number), name=None)
    await world.once()
    assert await tripped(world) == [("shop", "product", "blanked")]
    assert all(item["title"] for item in world.items("shop").values())


async def test_a_scan_that_lost_too_much_is_not_believed_until_a_person_says_so(world: World) -> None:
    await stocked(world, safety("shrink: {max: 2, ratio: 10%}, deletes: {max: 50}, changes: {max: 50}"))
    for number in range(1, 6):
        remove(world, "erp", f"MUG-{number}")
    await world.once()
    await world.once()
    assert await tripped(world) == [("erp", "product", "shrink")]
    assert len(world.items("shop")) == 20
    dearer(world, range(6, 9))
    await world.once()
    assert priced(world) == 3, "it keeps reading, and the shop is not stopped"
    world.put("shop", "20", sku="MUG-20", title="Cup")
    await do(world, do="breaker_reset", platform="erp", entity="product", note="they are gone")
    await world.once()
    assert len(world.items("shop")) == 15


async def test_an_empty_listing_is_never_believed(world: World) -> None:
    await stocked(world, safety("shrink: {max: 100, ratio: 100%}, deletes: {max: 100}"), 3)
    for number in (1, 2, 3):
        remove(world, "erp", f"MUG-{number}")
    for _ in range(3):
        await world.once()
    assert len(world.items("shop")) == 3
    await do(world, do="breaker_reset", platform="erp", entity="product", note="sure")
    await world.once()
    assert len(world.items("shop")) == 3


# ---- what a trip does


async def test_only_that_platform_and_entity_stop(world: World) -> None:
    product = safety("changes: {max: 3}").replace("in:\n", "in:\n  crm: {collection: leads, create: true}\n")
    product = product.replace("erp: sku, shop: sku", "erp: sku, shop: sku, crm: sku").replace(
        "erp: price, shop: price", "erp: price, shop: price, crm: price"
    )
    world.write("platforms/crm.yaml", memory("crm", mode="propose", collection="leads"))
    await stocked(world, product)
    world.write("platforms/crm.yaml", memory("crm", collection="leads"))
    dearer(world, range(1, 6))
    await world.once()
    assert await tripped(world) == [("shop", "product", "changes")]
    assert len(world.items("crm")) == 20, "its creates go on"
    assert priced(world) == 0


async def test_warn_tells_and_does_not_stop(world: World) -> None:
    await stocked(world, safety("changes: {max: 3}, on_trip: warn"))
    dearer(world, range(1, 11))
    done = await world.once()
    assert (priced(world), done.tripped) == (10, 0)


async def test_a_block_further_in_replaces_the_outer_one_whole(world: World) -> None:
    await stocked(world, safety("changes: {ratio: 90%}"), service="\nsafety: {changes: {max: 1}, deletes: {max: 1}}\n")
    dearer(world, range(1, 11))
    await world.once()
    assert (priced(world), await tripped(world)) == (10, [])


async def test_one_shot_commands_exit_4(world: World) -> None:
    await stocked(world, safety("changes: {max: 3}"))
    dearer(world, range(1, 11))
    assert await passed(world.config(), kinds=world.kinds, now=world.now) == 4
    assert priced(world) == 0


async def test_a_repair_is_stopped_like_any_write(world: World) -> None:
    await stocked(world, safety("changes: {max: 3}"))
    for number in range(1, 11):
        world.put("shop", str(number), price="1.00")
    answer = await do(world, do="reconcile", fix=True)
    assert answer["exit"] == 4
    assert priced(world, "1.00") == 10


async def test_approvals_are_stopped_like_any_write(world: World) -> None:
    await stocked(world, safety("changes: {max: 3}"))
    world.write("platforms/shop.yaml", memory("shop", mode="propose", collection="products"))
    dearer(world, range(1, 11))
    await world.once()
    assert await tripped(world) == [], "what waits for a person is not written"
    waiting = await read(world, proposals.in_state, "open")
    assert len(waiting) == 10
    answer = await do(world, do="approve", ids=[one.id for one in waiting])
    assert (answer["exit"], priced(world)) == (4, 0)
    await do(world, do="breaker_reset", platform="shop", entity="product", note="yes", allow=10, for_us=10**9)
    assert priced(world) == 10


# ---- what a person lets go


async def test_a_reset_lets_go_what_is_parked_and_no_more(world: World) -> None:
    await stocked(world, safety("changes: {max: 3}"))
    dearer(world, range(1, 11))
    await world.once()
    assert priced(world) == 0
    answer = await do(world, do="breaker_reset", platform="shop", entity="product", note="the list is right")
    assert (answer["exit"], priced(world)) == (0, 10)
    assert await tripped(world) == []
    dearer(world, range(11, 21))
    await world.once()
    assert (priced(world), await tripped(world)) == (10, [("shop", "product", "changes")])


async def test_parked_work_is_planned_again_and_never_replayed(world: World) -> None:
    await stocked(world, safety("changes: {max: 3}"))
    dearer(world, range(1, 11))
    await world.once()
    before = world.requests("shop")
    dearer(world, range(1, 11), "12.00")
    dearer(world, range(1, 2), "14.00")
    await world.once()
    await do(world, do="breaker_reset", platform="shop", entity="product", note="mended")
    assert (world.requests("shop") - before, priced(world, "14.00"), priced(world)) == (1, 1, 0)
    assert await read(world, outbox.depth) == {}


async def test_an_allowance_is_for_so_many_and_so_long(world: World) -> None:
    world.now = Clock()
    await stocked(world, safety("changes: {max: 3, per: 1h}"))
    dearer(world, range(1, 6))
    await world.once()
    await do(world, do="breaker_reset", platform="shop", entity="product", note="x", allow=8, for_us=30 * MINUTE)
    assert priced(world) == 5
    dearer(world, range(6, 10))
    await world.once()
    assert (priced(world), await tripped(world)) == (9, []), "eight are allowed, and three by themselves"
    dearer(world, range(10, 13))
    await world.once()
    assert (priced(world), await tripped(world)) == (9, [("shop", "product", "changes")])


async def test_nothing_is_open_so_nothing_is_reset(world: World) -> None:
    await stocked(world, ONE_SWEEP, 1)
    answer: dict[str, Any] = await do(world, do="breaker_reset", platform="shop", entity="product", note="x")
    assert (answer["ok"], answer["exit"]) == (False, 1)
    assert await read(world, conflicts.standing) == []
