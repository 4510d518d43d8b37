"""The contract on identity: first fill, what matches nothing, and matching again when a record appears later."""

from dataclasses import replace
from typing import Any

from syncd.connectors.memory import FULL, MemoryKind, Platform
from syncd.connectors.protocol import Kind
from syncd.core.model import Abilities
from syncd.daemon.intake import take_feed
from syncd.daemon.reconcile import drain
from syncd.daemon.revise import begin
from syncd.ledger import conflicts
from tests.daemon.test_actions import read
from tests.daemon.world import PRODUCT, World, memory

UNREADABLE = replace(FULL, list=False, read=False, find=False, unique=False)


class Mixed(World):
    """A world in which the shop is of a kind of its own: another connector, with other abilities."""

    other: MemoryKind

    def set_up(self, able: Abilities, *, product: str = PRODUCT, more: str = "") -> None:
        self.other = MemoryKind(able)
        self.shop_and_erp(product=product)
        shop = memory("shop", collection="products", more=more)
        self.write("platforms/shop.yaml", shop.replace("connector: memory", "connector: other"))

    @property
    def kinds(self) -> dict[str, Kind]:
        return super().kinds | {"other": self.other}

    def platform(self, name: str) -> Platform:
        if name == "shop":
            return self.other.platforms.setdefault(name, Platform(self.now))
        return super().platform(name)


async def open_ones(world: World) -> list[tuple[str, str]]:
    return [(one.kind, one.why) for one in await read(world, conflicts.standing)]


async def linked(world: World) -> dict[str, int | None]:
    def links(db: Any) -> Any:
        return db.execute("SELECT platform || ' ' || id, record FROM link WHERE life = 'alive'").fetchall()

    return dict(await read(world, links))


# ---- first fill


async def test_nothing_is_made_before_every_listable_platform_was_swept_once(world: World) -> None:
    world.shop_and_erp(
        product=PRODUCT.replace("in:\n", "in:\n  crm: {collection: leads}\n")
        .replace("fields:", "fields:\n  code: {type: string, truth: crm, map: {crm: sku}}")
        .replace("unmatched: {", "unmatched: {crm: review, ")
        .replace("erp: sku, shop: sku", "erp: sku, shop: sku, crm: sku")
    )
    world.write("platforms/crm.yaml", memory("crm", collection="leads"))
    world.platform("crm").down = True
    world.put("erp", "1", sku="MUG-1", name="Mug", price="12.00", stock=3)
    await world.once()
    assert world.requests("shop") == 0, "the shop can be asked by key, the crm was never seen"
    world.platform("crm").down = False
    await world.once()
    assert world.requests("shop") == 1


async def test_a_shop_full_of_the_same_things_gets_no_second_ones(world: World) -> None:
    world.shop_and_erp()
    for number in range(1, 8):
        world.put("shop", f"s{number}", sku=f"MUG-{number}", title="Old", price="1.00", stock=0)
        world.put("erp", str(number), sku=f"MUG-{number}", name="Mug", price="12.00", stock=3)
    await world.once()
    assert len(world.platform("shop").things["products"]) == 7
    assert {item["title"] for item in world.items("shop").values()} == {"Mug"}
    assert await open_ones(world) == []


# ---- what matches nothing, and matching again


async def test_a_thing_that_matched_nothing_is_linked_when_its_record_appears(world: World) -> None:
    world.shop_and_erp()
    world.put("shop", "s1", sku="MUG-1", title="Old", price="1.00", stock=0)
    await world.once()
    assert [kind for kind, _ in await open_ones(world)] == ["identity"]
    world.put("erp", "1", sku="MUG-1", name="Mug", price="12.00", stock=3)
    await world.once()
    assert await open_ones(world) == []
    assert list(world.platform("shop").things["products"]) == ["s1"]
    assert world.items("shop")["MUG-1"]["title"] == "Mug"


async def test_the_same_on_a_platform_that_can_only_push(tmp_path: Any) -> None:
    world = Mixed(tmp_path)
    world.set_up(UNREADABLE)
    world.put("shop", "s1", sku="MUG-1", title="Old", price="1.00", stock=0)
    async with world.runtime() as runtime:
        await push(runtime, "shop", "products")
    assert await open_ones(world) == [], "the erp was never swept"
    await world.once()
    assert [kind for kind, _ in await open_ones(world)] == ["identity"]
    world.put("erp", "1", sku="MUG-1", name="Mug", price="12.00", stock=3)
    await world.once()
    assert await open_ones(world) == []
    assert (await linked(world))["shop s1"] == 1
    assert world.items("shop")["MUG-1"]["title"] == "Mug"


async def push(runtime: Any, platform: str, collection: str) -> None:
    """Take what a feed says, and decide it."""
    await take_feed(runtime, runtime.parts[platform], collection)
    await drain(runtime)


async def test_a_key_that_is_put_right_there_closes_the_question(world: World) -> None:
    world.shop_and_erp()
    world.put("erp", "1", sku="MUG-1", name="Mug", price="12.00", stock=3)
    world.put("shop", "s1", sku="MUG-X", title="Old", price="1.00", stock=0)
    await world.once()
    assert sorted(world.items("shop")) == ["MUG-1", "MUG-X"]
    world.platform("shop").remove("products", native(world, "MUG-1"))
    world.put("shop", "s1", sku="MUG-1")
    await world.once()
    assert await open_ones(world) == []
    assert list(world.items("shop")) == ["MUG-1"]


def native(world: World, sku: str) -> str:
    things = world.platform("shop").things["products"]
    return next(one for one, thing in things.items() if thing.item["sku"] == sku)


async def test_a_key_that_is_put_right_at_the_source_links_what_waits(world: World) -> None:
    world.shop_and_erp(product=PRODUCT.replace("shop: {collection: products, create: true}", "shop: {collection: products}"))
    world.put("erp", "1", sku="WRONG", name="Mug", price="12.00", stock=3)
    world.put("shop", "s1", sku="MUG-1", title="Old", price="1.00", stock=0)
    await world.once()
    assert len(await open_ones(world)) == 1
    world.put("erp", "1", sku="MUG-1")
    await world.once()
    assert await open_ones(world) == []
    assert world.items("shop")["MUG-1"]["title"] == "Mug"


async def test_a_stranger_that_went_away_is_nobodys_row(world: World) -> None:
    world.shop_and_erp()
    world.put("shop", "s1", sku="MUG-1", title="Old", price="1.00", stock=0)
    world.put("shop", "s2", sku="MUG-2", title="Old", price="1.00", stock=0)
    await world.once()
    assert len(await open_ones(world)) == 2
    world.platform("shop").remove("products", "s1")
    await world.once()
    assert len(await open_ones(world)) == 1, "a complete scan does not show it any more: there is nothing to ask"
    world.put("erp", "1", sku="MUG-1", name="Mug", price="12.00", stock=3)
    await world.once()
    assert "shop s1" not in {place for place, record in (await linked(world)).items() if record}
    assert "MUG-1" in world.items("shop"), "made there: what once waited with this key is gone"


async def test_a_stranger_that_is_said_to_be_gone_leaves_no_question(tmp_path: Any) -> None:
    world = Mixed(tmp_path)
    world.set_up(UNREADABLE)
    world.put("shop", "s1", sku="MUG-1", title="Old", price="1.00", stock=0)
    async with world.runtime() as runtime:
        await push(runtime, "shop", "products")
        world.platform("shop").remove("products", "s1")
        await push(runtime, "shop", "products")
    assert await open_ones(world) == []
    world.put("erp", "1", sku="MUG-1", name="Mug", price="12.00", stock=3)
    await world.once()
    assert (await linked(world)).get("shop s1") is None
    assert "MUG-1" in world.items("shop")


async def test_ignore_asks_nobody_and_still_matches_later(world: World) -> None:
    world.shop_and_erp(product=PRODUCT.replace("shop: review", "shop: ignore"))
    world.put("shop", "s1", sku="MUG-1", title="Old", price="1.00", stock=0)
    await world.once()
    assert await open_ones(world) == []
    world.put("erp", "1", sku="MUG-1", name="Mug", price="12.00", stock=3)
    await world.once()
    assert list(world.platform("shop").things["products"]) == ["s1"]
    assert world.items("shop")["MUG-1"]["title"] == "Mug"


async def test_another_word_for_unmatched_holds_for_those_that_wait(world: World) -> None:
    world.shop_and_erp()
    world.put("shop", "s1", sku="MUG-1", title="Old", price="1.00", stock=0)
    await world.once()
    assert len(await open_ones(world)) == 1
    world.write("entities/product.yaml", PRODUCT.replace("shop: review", "shop: create"))
    await world.once()
    assert await open_ones(world) == []
    assert (await linked(world))["shop s1"] is not None


async def test_the_same_where_nothing_can_be_listed_or_read(tmp_path: Any) -> None:
    world = Mixed(tmp_path)
    world.set_up(UNREADABLE)
    world.put("shop", "s1", sku="MUG-1", title="Old", price="1.00", stock=0)
    async with world.runtime() as runtime:
        await begin(runtime)
        await push(runtime, "shop", "products")
    await world.once()
    assert len(await open_ones(world)) == 1
    world.write("entities/product.yaml", PRODUCT.replace("shop: review", "shop: create"))
    async with world.runtime() as runtime:
        await begin(runtime)
        await drain(runtime)
    assert await open_ones(world) == []
    assert (await linked(world))["shop s1"] is not None


async def test_two_things_with_one_key_are_a_question_until_one_is_gone(world: World) -> None:
    world.shop_and_erp()
    world.put("erp", "1", sku="MUG-1", name="Mug", price="12.00", stock=3)
    world.put("shop", "s1", sku="MUG-1", title="One", price="1.00", stock=0)
    world.put("shop", "s2", sku="MUG-1", title="Two", price="1.00", stock=0)
    await world.once()
    assert [kind for kind, _ in await open_ones(world)] == ["identity"]
    assert {thing.item["title"] for thing in world.platform("shop").things["products"].values()} == {"Mug", "Two"}
    world.platform("shop").remove("products", "s1")
    await world.once()
    await world.once()
    assert await open_ones(world) == []
    assert {one: thing.item["title"] for one, thing in world.platform("shop").things["products"].items()} == {"s2": "Mug"}


async def test_weak_keys_are_confirmed_by_a_person(world: World) -> None:
    product = PRODUCT.replace("match: [{by: sku}]", "match: [{by: sku}, {by: name, normal: [trim, lower], confidence: review}]")
    world.shop_and_erp(product=product)
    world.put("erp", "1", sku="MUG-1", name="Mug", price="12.00", stock=3)
    world.put("shop", "s1", sku=None, title=" MUG ", price="1.00", stock=0)
    await world.once()
    assert [why for _, why in await open_ones(world)] == ["to be confirmed: 1 candidates by name (MUG-1)"]


async def test_a_key_of_several_fields_is_proved_by_a_scan(world: World) -> None:
    product = PRODUCT.replace("match: [{by: sku}]", "match: [{by: [sku, name]}]")
    world.shop_and_erp(product=product)
    world.put("erp", "1", sku="MUG-1", name="Mug", price="12.00", stock=3)
    await world.once()
    await world.once()
    assert list(world.items("shop")) == ["MUG-1"], "nobody can ask by two fields: a complete scan is the proof"


async def test_nobody_is_asked_before_every_other_platform_was_swept_once(world: World) -> None:
    world.shop_and_erp()
    for number in range(1, 4):
        world.put("shop", f"s{number}", sku=f"MUG-{number}", title="Old", price="1.00", stock=0)
    for number in range(1, 3):
        world.put("erp", str(number), sku=f"MUG-{number}", name="Mug", price="12.00", stock=3)
    world.platform("erp").down = True
    await world.once()
    await world.once()
    assert await asked_ever(world) == 0, "what the erp holds nobody knows yet"
    world.platform("erp").down = False
    await world.once()
    assert [why for _, why in await open_ones(world)] == ["unmatched: nothing in product has its keys"]
    assert await asked_ever(world) == 1, "and only what is unmatched then"
    world.put("shop", "s4", sku="MUG-4", title="Old", price="1.00", stock=0)
    world.platform("erp").down = True
    await world.once()
    assert await asked_ever(world) == 2, "once is enough"


async def asked_ever(world: World) -> int:
    return int(await read(world, lambda db: db.execute("SELECT count(*) FROM conflict").fetchone()[0]))
