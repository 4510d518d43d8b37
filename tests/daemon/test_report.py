"""Drift reports in detail: what just changed, scope, platforms that cannot be listed, things that match nothing."""

import asyncio
from decimal import Decimal
from typing import Any

from syncd.connectors.memory import MemoryKind
from syncd.core.model import Abilities
from tests.daemon.test_actions import do, filled, native
from tests.daemon.world import PRODUCT, World, memory


def settling(world: World) -> None:
    file = world.folder / "config" / "syncd.yaml"
    file.write_text(file.read_text().replace("settle: 0s", "settle: 400ms"))


async def rows(world: World, **request: Any) -> list[tuple[str, str | None, str, str]]:
    report = (await do(world, do="reconcile", **request))["report"]
    return [(row["record"], row["field"], row["platform"], row["why"]) for row in report["rows"]]


async def test_an_edit_in_flight_is_not_drift(world: World) -> None:
    await filled(world, 2)
    settling(world)
    one = native(world, "shop", "MUG-1")
    world.put("shop", one, price="9.99")

    async def take_back() -> None:
        await asyncio.sleep(0.2)
        world.put("shop", one, price=Decimal("12.00"))

    back = asyncio.create_task(take_back())
    assert await rows(world) == []
    await back


async def test_an_edit_that_stays_is_drift_after_it_settled(world: World) -> None:
    await filled(world, 2)
    settling(world)
    world.put("shop", native(world, "shop", "MUG-1"), price="9.99")
    began = asyncio.get_running_loop().time()
    assert await rows(world) == [("MUG-1", "price", "shop", "stray")]
    assert asyncio.get_running_loop().time() - began >= 0.4


async def test_the_scope_is_kept_to(world: World) -> None:
    await filled(world, 2)
    world.put("shop", native(world, "shop", "MUG-1"), price="9.99", title="Other")
    world.put("erp", "2", name="Cup")
    assert await rows(world, platforms=["erp"]) == [("MUG-2", "name", "erp", "missed")]
    assert await rows(world, fields=["price"]) == [("MUG-1", "price", "shop", "stray")]
    assert await rows(world, entities=["product"], fields=["stock"]) == []
    assert len(await rows(world)) == 3


async def test_a_platform_that_cannot_be_listed_is_compared_with_what_it_told_last(world: World) -> None:
    world.kind = MemoryKind(Abilities(list=False, guard=True, ordered=True, contiguous=True, answers=True))
    world.shop_and_erp()
    world.put("erp", "1", sku="MUG-1", name="Mug", price="12.00", stock=3)
    async with world.runtime() as runtime:
        from syncd.daemon.intake import take_feed
        from syncd.daemon.once import Work
        from syncd.daemon.revise import begin

        await begin(runtime)
        for name in ("erp", "shop"):
            await take_feed(runtime, runtime.parts[name], runtime.collections(name)[0])
        await Work(runtime).settle_down()
    assert "MUG-1" in world.items("shop")
    report = (await do(world, do="reconcile"))["report"]
    assert (report["complete"], report["rows"]) == (True, [])
    assert report["totals"]["in_sync"] == 1


async def test_what_matches_nothing_is_extra_or_waits_for_a_person(world: World) -> None:
    await filled(world)
    world.put("shop", "new", sku="SOFA-1", title="Sofa", price="1.00", stock=0)
    assert await rows(world) == [("new", None, "shop", "extra")]
    await world.once()
    assert await rows(world) == [("new", None, "shop", "held")]
    world.write("entities/product.yaml", PRODUCT.replace("shop: review}", "shop: ignore}"))
    assert await rows(world) == []


async def test_a_proposal_that_waits_holds_its_row(world: World) -> None:
    await filled(world)
    world.write("platforms/shop.yaml", memory("shop", collection="products", mode="propose"))
    world.put("erp", "1", price="13.00")
    await world.once()
    report = (await do(world, do="reconcile"))["report"]
    assert [(row["why"], row["reason"]) for row in report["rows"]] == [("held", "proposed: waits for approval")]
    answer = await do(world, do="reconcile", fix=True)
    assert answer["exit"] == 0


async def test_a_platform_that_fails_half_way_is_no_evidence(world: World, monkeypatch: Any) -> None:
    from syncd.connectors.memory import Memory
    from syncd.connectors.protocol import Page
    from syncd.errors import TransientError

    await filled(world, 3)
    real = Memory.scan

    async def short(self: Memory, collection: str) -> Any:
        async for page in real(self, collection):
            if collection == "products":
                yield Page(page.changes[:1])
                raise TransientError("connection lost")
            yield page

    monkeypatch.setattr(Memory, "scan", short)
    report = (await do(world, do="reconcile"))["report"]
    assert report["complete"] is False
    assert [row["why"] for row in report["rows"]] == ["unreadable", "unreadable"]
    assert report["platforms"]["failed"] == [{"platform": "shop", "error": "connection lost"}]
