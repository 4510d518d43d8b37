"""Platforms of other abilities: without bodies, without look-ups, with normalisers; deletions that a person judges."""

import asyncio
from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import pytest

from syncd.connectors.memory import Memory, MemoryKind, MemoryWatch
from syncd.connectors.protocol import Batch, Setup
from syncd.core.model import Abilities, Item, Op, Write
from syncd.errors import StaleWrite
from syncd.ledger import attempts, conflicts, letters
from tests.daemon.test_actions import do, filled, native, read
from tests.daemon.test_serve import daemon
from tests.daemon.world import FULL, PRODUCT, World, memory, until


def upper(item: Item) -> Item:
    return item | {"title": str(item["title"]).upper()} if item.get("title") else item


def short(item: Item) -> Item:
    return item | {"title": str(item["title"])[:4]} if item.get("title") else item


@pytest.mark.parametrize("normalise", [upper, short])
@pytest.mark.parametrize("answers", [True, False])
async def test_a_normaliser_settles_in_two_writes(world: World, normalise: Any, answers: bool) -> None:
    world.kind = MemoryKind(Abilities(guard=True, ordered=True, contiguous=True, answers=answers))
    world.shop_and_erp()
    world.platform("shop").normalise = normalise
    world.put("erp", "1", sku="MUG-1", name="Blue mug", price="12.00", stock=3)
    for _ in range(3):
        await world.once()
    assert world.requests("shop") <= 2
    world.put("erp", "1", name="Green mug")
    for _ in range(3):
        await world.once()
    assert world.items("shop")["MUG-1"]["title"] == normalise({"title": "Green mug"})["title"]
    assert world.requests("shop") <= 4
    assert world.items("erp")["MUG-1"]["name"] == "Green mug", "a spelling is nobody's word"


async def test_an_answer_without_a_body_is_read_back(world: World) -> None:
    world.kind = MemoryKind(Abilities(guard=True, ordered=True))
    await filled(world, 2)
    world.put("erp", "1", price="13.00")
    await world.once()
    [done, *_] = await read(world, attempts.of_record, 1)
    assert done.outcome == "done"
    before = world.requests("shop")
    await world.once()
    assert world.requests("shop") == before


async def test_what_exists_already_is_adopted(world: World) -> None:
    world.kind = MemoryKind(Abilities(find=False, unique=True, guard=True, ordered=True, answers=True))
    world.shop_and_erp()
    world.put("erp", "1", sku="MUG-1", name="Mug", price="12.00", stock=3)
    shop = world.platform("shop")

    def twin(write: Write) -> None:
        shop.before = lambda _: None
        if write.op is Op.CREATE:
            world.put("shop", "typed", sku="MUG-1", title="By hand", price="1.00", stock=0)

    shop.before = twin
    await world.once()
    assert list(shop.things["products"]) == ["typed"]
    assert world.items("shop")["MUG-1"]["title"] == "Mug"
    assert [tried.outcome for tried in await read(world, attempts.of_record, 1)] == ["done", "exists"]


async def test_what_was_deleted_just_before_our_write_is_made_again(world: World) -> None:
    await filled(world)
    shop = world.platform("shop")
    one = native(world, "shop", "MUG-1")

    def remove(_: Write) -> None:
        shop.before = lambda _: None
        shop.remove("products", one)

    shop.before = remove
    world.put("erp", "1", price="13.00")
    await world.once()
    assert world.items("shop")["MUG-1"]["price"] == Decimal("13.00")
    assert len(shop.things["products"]) == 1


async def test_a_platform_that_is_always_edited_meanwhile_is_no_dead_letter(world: World) -> None:
    await filled(world)
    times = [0]

    def race(_: Write) -> None:
        times[0] += 1
        if times[0] < 6:
            raise StaleWrite("edited since")

    world.platform("shop").before = race
    world.put("erp", "1", price="13.00")
    await world.once()
    assert world.items("shop")["MUG-1"]["price"] == Decimal("13.00")
    assert await read(world, letters.in_state) == []


async def test_a_platform_that_says_done_and_does_nothing_is_not_asked_for_ever(world: World) -> None:
    world.kind = MemoryKind(Abilities())
    await filled(world)
    shop = world.platform("shop")
    shop.normalise = lambda item: item | {"price": Decimal("12.00")}
    world.put("erp", "1", price="13.00")
    for _ in range(3):
        await world.once()
    assert world.requests("shop") == 1 + 2, "twice is enough to know"
    rows = (await do(world, do="reconcile"))["report"]["rows"]
    assert [(row["field"], row["platform"], row["why"]) for row in rows] == [("price", "shop", "rewritten")]


REVIEW = PRODUCT.replace("elsewhere: restore", "elsewhere: review")


async def gone_from_the_shop(world: World) -> int:
    await filled(world, 3, product=REVIEW)
    world.platform("shop").remove("products", native(world, "shop", "MUG-2"))
    for _ in range(3):
        await world.once()
    [conflict] = await read(world, conflicts.standing)
    assert (conflict.kind, conflict.key) == ("delete", "MUG-2")
    return int(conflict.id)


async def test_a_deletion_under_review_may_be_kept_out(world: World) -> None:
    number = await gone_from_the_shop(world)
    assert (await do(world, do="resolve", conflict=number, value="x"))["ok"] is False
    assert (await do(world, do="resolve", conflict=number, take="erp"))["ok"] is False
    assert (await do(world, do="resolve", conflict=number, keep=True))["ok"]
    assert "MUG-2" in world.items("shop"), "the record lives, and the shop is told so"
    assert await read(world, conflicts.standing) == []


async def test_a_deletion_under_review_may_be_taken(world: World) -> None:
    number = await gone_from_the_shop(world)
    assert (await do(world, do="resolve", conflict=number, take="shop"))["ok"]
    for _ in range(2):
        await world.once()
    assert "MUG-2" not in world.items("shop")
    assert await read(world, conflicts.standing) == []


async def test_a_feed_that_breaks_is_taken_up_again(world: World) -> None:
    world.shop_and_erp()
    world.put("erp", "1", sku="MUG-1", name="Mug", price="12.00", stock=3)
    async with daemon(world):
        await until(lambda: "MUG-1" in world.items("shop"))
        world.platform("erp").down = True
        world.put("erp", "1", price="13.00")
        from tests.daemon.test_serve import ask

        async def state() -> Any:
            return (await ask(world, do="status"))["platforms"]["erp"]["state"]

        while await state() != "down":
            pass
        world.platform("erp").down = False
        await until(lambda: world.items("shop")["MUG-1"]["price"] == Decimal("13.00"))
        assert await state() == "ok"


async def test_a_stream_with_a_poll_beside_it_is_opened_anew_so_often(world: World) -> None:
    """What the platform never told over the stream is found by the look that each opening begins with."""

    class StreamWatch(MemoryWatch):
        stream: dict[str, str] | None = None

    class Deaf(Memory):
        async def changes(self, collection: str, cursor: str | None) -> AsyncIterator[Batch]:
            async for batch in super().changes(collection, cursor):
                yield batch
            if self.setup.watch.stream is not None:
                await asyncio.Event().wait()

    class Streams(MemoryKind):
        watch = StreamWatch

        def connect(self, setup: Setup) -> Deaf:
            made = super().connect(setup)
            return Deaf(setup, made.platform, made.able)

    world.kind = Streams(FULL)
    world.shop_and_erp()
    erp = memory("erp")
    world.write("platforms/erp.yaml", erp.replace("poll: {every: 20ms}", "stream: {query: all}, poll: {every: 300ms}"))
    world.put("erp", "1", sku="MUG-1", name="Mug", price="12.00", stock=3)
    async with daemon(world):
        await until(lambda: "MUG-1" in world.items("shop"))
        world.put("erp", "1", price="13.00")
        await until(lambda: world.items("shop")["MUG-1"]["price"] == Decimal("13.00"))


async def test_a_file_that_is_dropped_arrives(world: World) -> None:
    world.service()
    drop = world.folder / "drop"
    drop.mkdir()
    (drop / "items.csv").write_text("sku;name\nMUG-1;Mug\n")
    world.write(
        "platforms/erp.yaml",
        f"""
        platform: erp
        connector: file
        mode: observe
        connection: {{dir: {drop}}}
        watch: {{files: {{settle: 50ms}}}}
        collections:
          items: {{files: "*.csv", format: csv, delimiter: ";", id: sku, full: true}}
        """,
    )
    world.write("platforms/shop.yaml", memory("shop", collection="products"))
    world.write(
        "entities/product.yaml",
        """
        entity: product
        in:
          erp: {collection: items}
          shop: {collection: products, create: true}
        identity: {key: sku, match: [{by: sku}], unmatched: {erp: create, shop: review}}
        fields:
          sku: {type: string, truth: erp, map: {erp: sku, shop: sku}}
          name: {type: string, truth: erp, map: {erp: name, shop: title}}
        """,
    )
    async with daemon(world):
        await until(lambda: "MUG-1" in world.items("shop"))
        (drop / "items.csv").write_text("sku;name\nMUG-1;Cup\nMUG-2;Plate\n")
        await until(lambda: len(world.items("shop")) == 2, 10)
        assert world.items("shop")["MUG-1"]["title"] == "Cup"
