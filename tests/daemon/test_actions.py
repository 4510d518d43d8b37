"""What people ask of syncd: drift reports and repairs, conflicts, approvals, dead letters, breakers."""

from decimal import Decimal
from typing import Any

from syncd.core.model import Write
from syncd.daemon import actions
from syncd.daemon.once import Work
from syncd.errors import PermanentError
from syncd.ledger import breakers, conflicts, letters, proposals
from tests.daemon.world import PRODUCT, World, memory


async def do(world: World, **request: Any) -> dict[str, Any]:
    """Ask as a command does while no daemon runs."""
    async with world.runtime() as runtime:
        work = Work(runtime)
        await work.begin()

        async def finish(_: set[int]) -> None:
            await work.settle_down()

        return await actions.perform(runtime, {"by": "ana"} | request, progress=None, finish=finish)


async def read(world: World, fn: Any, *args: Any, **more: Any) -> Any:
    async with world.runtime() as runtime:
        return await runtime.store.read(fn, *args, **more)


def native(world: World, platform: str, sku: str) -> str:
    things = next(iter(world.platform(platform).things.values()))
    return next(one for one, thing in things.items() if thing.item["sku"] == sku)


async def filled(world: World, count: int = 1, **more: str) -> None:
    world.shop_and_erp(**more)
    for number in range(1, count + 1):
        world.put("erp", str(number), sku=f"MUG-{number}", name=f"Mug {number}", price="12.00", stock=3)
    await world.once()


async def test_in_sync_is_said_with_figures(world: World) -> None:
    await filled(world, 3)
    report = (await do(world, do="reconcile"))["report"]
    assert report["complete"] is True
    assert report["totals"] == {"records": 3, "in_sync": 3, "out_of_sync": 0, "fields": 0, "new": 0, "gone": 0}
    assert report["rows"] == []


async def test_each_difference_has_its_cause(world: World) -> None:
    await filled(world, 4)
    world.put("shop", native(world, "shop", "MUG-1"), price="9.99")
    world.put("erp", "2", name="Cup")
    world.platform("shop").remove("products", native(world, "shop", "MUG-3"))
    world.put("erp", "9", sku="NEW", name="New", price="1.00", stock=1)
    before = len(world.platform("shop").requests)
    answer = await do(world, do="reconcile")
    report = answer["report"]
    causes = {(row["record"], row["field"], row["platform"]): row["why"] for row in report["rows"]}
    assert causes == {
        ("MUG-1", "price", "shop"): "stray",
        ("MUG-2", "name", "erp"): "missed",
        ("MUG-3", None, "shop"): "missing",
        ("9", None, "erp"): "extra",
    }
    stray = next(row for row in report["rows"] if row["why"] == "stray")
    assert stray["truth"] == {"value": "12.00", "platform": "erp", "version": 1}
    assert stray["found"]["value"] == "9.99"
    assert stray["rule"]["strategy"] == "owner"
    assert stray["rule"]["file"].endswith("entities/product.yaml")
    assert stray["action"] == {"op": "write", "platform": "shop", "path": "price", "value": Decimal("12.00")}
    assert stray["times_seen"] == 1
    assert len(world.platform("shop").requests) == before, "a report writes nothing"


async def test_a_difference_seen_again_is_not_new(world: World) -> None:
    await filled(world)
    world.put("shop", native(world, "shop", "MUG-1"), price="9.99")
    first = (await do(world, do="reconcile"))["report"]
    again = (await do(world, do="reconcile"))["report"]
    assert (first["totals"]["new"], again["totals"]["new"]) == (1, 0)
    assert again["rows"][0]["times_seen"] == 2
    assert again["rows"][0]["first_seen"] == first["rows"][0]["first_seen"]
    world.put("shop", native(world, "shop", "MUG-1"), price=Decimal("12.00"))
    assert (await do(world, do="reconcile"))["report"]["totals"]["gone"] == 1


async def test_fix_puts_it_right_and_says_what_it_wrote(world: World) -> None:
    await filled(world, 3)
    world.put("shop", native(world, "shop", "MUG-1"), price="9.99")
    world.platform("shop").remove("products", native(world, "shop", "MUG-2"))
    world.put("erp", "3", name="Cup")
    answer = await do(world, do="reconcile", fix=True)
    assert answer["exit"] == 0
    assert {(line["state"], line["record"], line["field"]) for line in answer["lines"]} == {
        ("ok", "MUG-1", "price"),
        ("ok", "MUG-2", None),
        ("ok", "MUG-3", "name"),
    }
    shop = world.items("shop")
    assert (shop["MUG-1"]["price"], shop["MUG-3"]["title"], "MUG-2" in shop) == (Decimal("12.00"), "Cup", True)
    assert (await do(world, do="reconcile"))["report"]["rows"] == []


async def test_a_platform_that_is_down_makes_its_rows_unreadable(world: World) -> None:
    await filled(world, 2)
    world.platform("shop").down = True
    report = (await do(world, do="reconcile"))["report"]
    assert report["complete"] is False
    assert {row["why"] for row in report["rows"]} == {"unreadable"}
    assert report["totals"]["in_sync"] == 0


async def test_what_observe_refuses_exits_5(world: World) -> None:
    await filled(world)
    world.write("platforms/shop.yaml", memory("shop", collection="products", mode="observe"))
    world.put("shop", native(world, "shop", "MUG-1"), price="9.99")
    answer = await do(world, do="reconcile", fix=True)
    assert answer["exit"] == 5
    assert [line["state"] for line in answer["lines"]] == ["refused"]
    assert answer["report"]["rows"][0]["action"] is None


STEP = PRODUCT.replace("price: {type: decimal(2), truth: erp,", "price: {type: decimal(2), truth: erp, check: {max_step: 30%},")


async def test_a_conflict_is_held_and_settled_by_a_person(world: World) -> None:
    await filled(world, product=STEP)
    world.put("erp", "1", price="20.00")
    await world.once()
    assert world.items("shop")["MUG-1"]["price"] == Decimal("12.00")
    [conflict] = await read(world, conflicts.standing)
    assert conflict.why == "jump 67% > 30%"
    report = (await do(world, do="reconcile"))["report"]
    assert [(row["why"], row["platform"]) for row in report["rows"]] == [("held", "erp")]
    answer = await do(world, do="resolve", conflict=conflict.id, take="erp", note="new season")
    assert [(line["state"], line["after"]) for line in answer["lines"]] == [("ok", "20.00")]
    assert world.items("shop")["MUG-1"]["price"] == Decimal("20.00")
    assert await read(world, conflicts.standing) == []
    assert (await do(world, do="resolve", conflict=conflict.id, keep=True))["ok"] is False
    await world.once()
    assert await read(world, conflicts.standing) == []


async def test_a_value_that_a_person_types_is_checked(world: World) -> None:
    await filled(world, product=STEP)
    world.put("erp", "1", price="20.00")
    await world.once()
    [conflict] = await read(world, conflicts.standing)
    bad = await do(world, do="resolve", conflict=conflict.id, value="cheap")
    assert bad["exit"] == 1
    assert "price cannot be 'cheap'" in bad["error"]
    assert (await do(world, do="resolve", conflict=conflict.id, value="15.00"))["ok"]
    assert world.items("shop")["MUG-1"]["price"] == Decimal("15.00")
    assert world.items("erp")["MUG-1"]["price"] == Decimal("15.00"), "the person's word goes everywhere"


async def test_propose_waits_for_approval(world: World) -> None:
    world.shop_and_erp()
    world.write("platforms/shop.yaml", memory("shop", collection="products", mode="propose"))
    world.put("erp", "1", sku="MUG-1", name="Mug", price="12.00", stock=3)
    await world.once()
    assert world.items("shop") == {}
    [change] = await read(world, proposals.in_state, "open")
    assert change.op == "create"
    await world.once()
    assert len(await read(world, proposals.in_state, "open")) == 1
    answer = await do(world, do="approve", ids=[change.id])
    assert answer["lines"][0]["state"] == "ok"
    assert "MUG-1" in world.items("shop")
    world.put("erp", "1", price="13.00")
    await world.once()
    assert world.items("shop")["MUG-1"]["price"] == Decimal("12.00")
    [change] = await read(world, proposals.in_state, "open")
    world.put("erp", "1", price="14.00")
    await world.once()
    [other] = await read(world, proposals.in_state, "open")
    assert other.id != change.id
    assert (await do(world, do="approve", ids=[change.id]))["ok"] is False
    await do(world, do="reject", ids=[other.id], note="too dear")
    await world.once()
    assert await read(world, proposals.in_state, "open") == []
    world.put("erp", "1", price="12.00")
    await world.once()
    assert await read(world, proposals.in_state, "open") == []


async def test_a_refused_write_is_a_dead_letter_and_is_not_sent_again(world: World) -> None:
    await filled(world, 2)

    def refuse(write: Write) -> None:
        if write.sent.get("name") == "BAD":
            raise PermanentError("name is not allowed", status=422)

    world.platform("shop").before = refuse
    world.put("erp", "1", name="BAD")
    world.put("erp", "2", name="Good")
    done = await world.once()
    assert done.refused == 1
    assert world.items("shop")["MUG-2"]["title"] == "Good"
    [letter] = await read(world, letters.in_state)
    assert (letter.status, letter.key) == (422, "MUG-1")
    assert (await do(world, do="reconcile"))["report"]["rows"][0]["why"] == "refused"
    assert (await world.once()).refused == 0
    retried = await do(world, do="retry", letters=[letter.id])
    assert (retried["exit"], retried["lines"][0]["state"]) == (1, "dead")
    world.platform("shop").before = lambda _: None
    assert (await do(world, do="retry", all=True))["lines"][0]["state"] == "ok"
    assert await read(world, letters.in_state) == []


async def test_a_bad_import_trips_the_breaker_before_the_first_write(world: World) -> None:
    safety = "\nsafety:\n  changes: {max: 5, ratio: 10%, per: 10m}\n"
    await filled(world, 40, service=safety)
    before = world.requests("shop")
    for number in range(1, 41):
        world.put("erp", str(number), price="120.00")
    done = await world.once()
    assert done.tripped == 1
    assert world.requests("shop") == before
    [breaker] = await read(world, breakers.standing)
    assert (breaker.platform, breaker.entity, breaker.kind) == ("shop", "product", "changes")
    report = (await do(world, do="reconcile"))["report"]
    assert {row["why"] for row in report["rows"]} == {"held"}
    for number in range(1, 41):
        world.put("erp", str(number), price="12.00")
    await world.once()
    assert (await do(world, do="breaker_reset", platform="shop", entity="product", note="import mended"))["exit"] == 0
    assert world.requests("shop") == before
    for number in range(1, 41):
        world.put("erp", str(number), price="13.00")
    assert (await world.once()).tripped == 1
    answer = await do(world, do="breaker_reset", platform="shop", entity="product", allow=40, for_us=10**9, note="new prices")
    assert (answer["exit"], len(answer["lines"])) == (0, 40)
    assert world.requests("shop") == before + 40
