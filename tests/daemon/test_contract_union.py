"""The contract on records that are one, and things that are not: twins, renamed keys, and a person's word on them."""

import asyncio
from typing import Any

import pytest

from syncd.daemon.once import Work
from syncd.ledger import aliases, conflicts, history, lookup
from tests.daemon.test_actions import do, read
from tests.daemon.test_contract_identity import linked, open_ones, push
from tests.daemon.world import PRODUCT, World

GTIN = "{type: string, truth: {priority: [erp, shop], if_null: next}, map: {erp: gtin, shop: gtin}}"
TWO_KEYS = (
    PRODUCT.replace("match: [{by: sku}]", "match: [{by: sku}, {by: gtin}]")
    .replace("shop: review", "shop: create")
    .replace("  name:", f"  gtin: {GTIN}\n  name:")
)
NO_MAKING = TWO_KEYS.replace("shop: {collection: products, create: true}", "shop: {collection: products}").replace(
    "erp: {collection: items, create: true}", "erp: {collection: items}"
)


async def lives(world: World) -> list[tuple[int, str, str]]:
    def rows(db: Any) -> Any:
        return db.execute("SELECT id, key, life FROM record ORDER BY id").fetchall()

    found: list[tuple[int, str, str]] = await read(world, rows)
    return found


async def questions(world: World) -> list[Any]:
    found: list[Any] = [one for one in await read(world, conflicts.standing) if one.kind == "identity"]
    return found


def shop_titles(world: World) -> dict[str, Any]:
    return {one: thing.item["title"] for one, thing in world.platform("shop").things["products"].items()}


# ---- twins


@pytest.mark.parametrize("first", ["erp", "shop"])
async def test_twins_made_at_the_same_moment_become_one(world: World, first: str) -> None:
    world.shop_and_erp(product=TWO_KEYS)
    await world.once()
    world.put("erp", "1", sku="MUG-1", gtin=None, name="Mug", price="12.00", stock=3)
    world.put("shop", "s1", sku="MUG-1", gtin=None, title="Old", price="1.00", stock=0)
    async with world.runtime() as runtime:
        for platform in sorted(("erp", "shop"), key=lambda name: name != first):
            await push(runtime, platform, {"erp": "items", "shop": "products"}[platform])
        work = Work(runtime)
        await work.begin()
        await work.settle_down()
    assert shop_titles(world) == {"s1": "Mug"}
    assert [life for _, _, life in await lives(world)] == ["alive"]


async def test_a_twin_made_while_our_create_is_on_its_way_is_found_first(world: World) -> None:
    world.shop_and_erp(product=TWO_KEYS)
    await world.once()
    world.put("erp", "1", sku="MUG-1", gtin=None, name="Mug", price="12.00", stock=3)
    async with world.runtime() as runtime:
        await push(runtime, "erp", "items")
        world.put("shop", "s1", sku="MUG-1", gtin=None, title="Old", price="1.00", stock=0)  # decided, not yet made
        work = Work(runtime)
        await work.begin()
        await work.settle_down()
    assert shop_titles(world) == {"s1": "Mug"}


async def test_twins_whose_keys_come_later_become_one(world: World) -> None:
    world.shop_and_erp(product=NO_MAKING)
    world.put("erp", "1", sku="MUG-1", gtin=None, name="Mug", price="12.00", stock=3)
    world.put("shop", "s1", sku=None, gtin="40", title="Old", price="1.00", stock=0)
    await world.once()
    assert [life for _, _, life in await lives(world)] == ["alive", "alive"]
    world.put("erp", "1", gtin="40")
    await world.once()
    await world.once()
    assert [life for _, _, life in await lives(world)] == ["alive", "gone"]
    assert world.items("shop")["MUG-1"]["title"] == "Mug"
    assert len(world.platform("shop").things["products"]) == 1
    assert await open_ones(world) == []
    assert set((await linked(world)).values()) == {1}


async def test_twins_with_two_rows_in_the_shop_are_a_question_that_says_which(world: World) -> None:
    world.shop_and_erp(product=TWO_KEYS.replace("erp: {collection: items, create: true}", "erp: {collection: items}"))
    world.put("erp", "1", sku="MUG-1", gtin=None, name="Mug", price="12.00", stock=3)
    await world.once()
    world.put("shop", "s7", sku=None, gtin="40", title="Old", price="1.00", stock=0)
    await world.once()
    world.put("erp", "1", gtin="40")
    await world.once()
    why = [one.why for one in await questions(world)]
    assert len(why) == 2
    assert all("both have a row in shop" in text and "s7" in text for text in why)
    [made] = [one for one in world.platform("shop").things["products"] if one != "s7"]
    world.platform("shop").remove("products", made)
    for _ in range(3):
        await world.once()
    assert await questions(world) == []
    assert shop_titles(world) == {"s7": "Mug"}
    assert [life for _, _, life in await lives(world)] == ["alive", "gone"]


async def test_a_new_match_rule_unites_what_was_two(world: World) -> None:
    world.shop_and_erp(product=NO_MAKING.replace(", {by: gtin}", ""))
    world.put("erp", "1", sku="MUG-1", gtin="40", name="Mug", price="12.00", stock=3)
    world.put("shop", "s1", sku=None, gtin="40", title="Old", price="1.00", stock=0)
    await world.once()
    assert [life for _, _, life in await lives(world)] == ["alive", "alive"]
    world.write("entities/product.yaml", NO_MAKING)
    await world.once()
    assert [life for _, _, life in await lives(world)] == ["alive", "gone"]
    assert world.items("shop")["MUG-1"]["title"] == "Mug"


# ---- a key that changes


async def test_a_changed_key_is_a_rename_everywhere(world: World) -> None:
    world.shop_and_erp()
    world.put("erp", "1", sku="MUG-1", name="Mug", price="12.00", stock=3)
    await world.once()
    world.put("erp", "1", sku="CUP-1")
    await world.once()
    await world.once()
    assert list(world.items("shop")) == ["CUP-1"]
    assert await lives(world) == [(1, "CUP-1", "alive")]
    assert await read(world, lookup.find_record, "product", "MUG-1") == 1
    assert [(one.name, one.why) for one in await read(world, aliases.of_record, 1)] == [("MUG-1", "renamed to CUP-1")]
    newest = (await read(world, history.versions, 1))[0]
    assert newest.notes == ("renamed: MUG-1 is CUP-1 now",)


async def test_the_old_key_is_free_for_another_thing(world: World) -> None:
    world.shop_and_erp()
    world.put("erp", "1", sku="MUG-1", name="Mug", price="12.00", stock=3)
    await world.once()
    world.put("erp", "1", sku="CUP-1")
    world.put("erp", "2", sku="MUG-1", name="Another", price="12.00", stock=3)
    await world.once()
    await asyncio.sleep(2.5)  # the shop had a row with this key until just now: it is asked again
    await world.once()
    assert {key: item["title"] for key, item in world.items("shop").items()} == {"CUP-1": "Mug", "MUG-1": "Another"}
    assert await read(world, lookup.find_records, "product", "MUG-1") == [2]


async def test_a_key_changed_into_anothers_is_a_question(world: World) -> None:
    world.shop_and_erp()
    for number in (1, 2):
        world.put("erp", str(number), sku=f"MUG-{number}", name=f"Mug {number}", price="12.00", stock=3)
    await world.once()
    world.put("erp", "1", sku="MUG-2", name="Renamed")
    await world.once()
    asked = await questions(world)
    assert {one.record for one in asked} == {1, 2}
    assert {item["sku"]: item["title"] for item in world.items("shop").values()} == {"MUG-1": "Renamed", "MUG-2": "Mug 2"}
    world.put("erp", "1", sku="MUG-3")
    await world.once()
    await world.once()
    assert await questions(world) == []
    assert sorted(world.items("shop")) == ["MUG-2", "MUG-3"]


async def test_two_keys_are_swapped(world: World) -> None:
    world.shop_and_erp()
    for number in (1, 2):
        world.put("erp", str(number), sku=f"MUG-{number}", name=f"Mug {number}", price="12.00", stock=3)
    await world.once()
    world.put("erp", "1", sku="MUG-2")
    world.put("erp", "2", sku="MUG-1")
    for _ in range(3):
        await world.once()
    assert await questions(world) == []
    assert {item["sku"]: item["title"] for item in world.items("shop").values()} == {"MUG-1": "Mug 2", "MUG-2": "Mug 1"}


# ---- a person's word


async def test_two_records_are_linked_by_a_person(world: World) -> None:
    product = NO_MAKING.replace("{by: gtin}", "{by: name, normal: [lower], confidence: review}")
    world.shop_and_erp(product=product)
    world.put("erp", "1", sku="MUG-1", gtin=None, name="Mug", price="12.00", stock=3)
    world.put("shop", "s1", sku=None, gtin=None, title="MUG", price="1.00", stock=0)
    await world.once()
    [asked] = await questions(world)
    assert asked.why == "to be confirmed: 1 candidates by name (MUG-1)"
    answer = await do(world, do="resolve", conflict=asked.id, link=["shop:s1", "MUG-1"], note="seen it")
    assert (answer["ok"], answer["exit"]) == (True, 0), answer
    assert world.items("shop")["MUG-1"]["title"] == "Mug"
    closed = await read(world, conflicts.get, asked.id)
    assert (closed.state, closed.how, closed.detail) == ("closed", "resolved", "link shop:s1 MUG-1: seen it")


async def test_a_thing_is_made_a_record_of_its_own_by_a_person(world: World) -> None:
    product = NO_MAKING.replace("{by: gtin}", "{by: name, normal: [lower], confidence: review}")
    world.shop_and_erp(product=product)
    world.put("erp", "1", sku="MUG-1", gtin=None, name="Mug", price="12.00", stock=3)
    world.put("shop", "s1", sku=None, gtin=None, title="MUG", price="1.00", stock=0)
    await world.once()
    [asked] = await questions(world)
    answer = await do(world, do="resolve", conflict=asked.id, split=True)
    assert answer["ok"], answer
    await world.once()
    assert [life for _, _, life in await lives(world)] == ["alive", "alive"]
    assert await questions(world) == []
    assert world.platform("shop").things["products"]["s1"].item["title"] == "MUG"


async def test_two_records_with_one_key_are_kept_apart_or_linked(world: World) -> None:
    world.shop_and_erp(product=NO_MAKING)
    world.put("erp", "1", sku="MUG-1", gtin="1", name="Mug", price="12.00", stock=3)
    world.put("shop", "s1", sku=None, gtin="40", title="Old", price="1.00", stock=0)
    await world.once()
    world.put("erp", "1", gtin="40")  # a key that changes, into the shop's
    await world.once()
    asked = await questions(world)
    assert {one.record for one in asked} == {1, 2}
    answer = await do(world, do="resolve", conflict=asked[0].id, split=True)
    assert answer["ok"], answer
    await world.once()
    assert await questions(world) == []
    assert [life for _, _, life in await lives(world)] == ["alive", "alive"]
    answer = await do(world, do="resolve", thing="shop:s1", link=["shop:s1", "MUG-1"])
    assert answer["ok"], answer
    assert [life for _, _, life in await lives(world)] == ["alive", "gone"]
    assert world.items("shop")["MUG-1"]["title"] == "Mug"
    assert await read(world, lookup.find_record, "product", "p2") == 1
    names = [(one.name, one.why) for one in await read(world, aliases.of_record, 1)]
    assert names == [("p2", "ana says so")]


async def test_a_wrong_link_is_undone(world: World) -> None:
    world.shop_and_erp(product=NO_MAKING)
    world.put("erp", "1", sku="MUG-1", gtin="1", name="Mug", price="12.00", stock=3)
    world.put("shop", "s1", sku="MUG-1", gtin="1", title="Old", price="1.00", stock=0)
    await world.once()
    assert shop_titles(world) == {"s1": "Mug"}
    answer = await do(world, do="resolve", thing="shop:s1", split=True, note="another mug")
    assert answer["ok"], answer
    world.put("shop", "s1", title="Mine")
    await world.once()
    await world.once()
    assert shop_titles(world) == {"s1": "Mine"}, "it is nobody's copy any more"
    assert await questions(world) == []
    assert (await linked(world))["shop s1"] == 2


@pytest.mark.parametrize(
    ("request_", "error"),
    [
        ({"link": ["MUG-1", "NONE"]}, 'no product "NONE" in the ledger'),
        ({"link": ["MUG-1", "MUG-1"]}, "MUG-1 (p1) is one record already"),
        ({"link": ["MUG-1", "MUG-2"]}, "cannot be one: both have a row in erp (1, 2)"),
        ({"link": ["shop:s9", "MUG-1"]}, "MUG-1 (p1) has a row in shop already"),
    ],
)
async def test_what_cannot_be_linked(world: World, request_: dict[str, Any], error: str) -> None:
    world.shop_and_erp()
    for number in (1, 2):
        world.put("erp", str(number), sku=f"MUG-{number}", name=f"Mug {number}", price="12.00", stock=3)
    await world.once()
    world.put("shop", "s9", sku="MUG-9", title="Old", price="1.00", stock=0)
    await world.once()
    [asked] = await questions(world)
    answer = await do(world, do="resolve", conflict=asked.id, **request_)
    assert answer["exit"] == 1
    assert error in answer["error"]
    assert (await questions(world))[0].id == asked.id


async def test_a_question_is_settled_by_no_value(world: World) -> None:
    world.shop_and_erp()
    world.put("shop", "s9", sku="MUG-9", title="Old", price="1.00", stock=0)
    await world.once()
    [asked] = await questions(world)
    answer = await do(world, do="resolve", conflict=asked.id, keep=True)
    assert answer["exit"] == 1
    assert "--link A B or --split" in answer["error"]


# ---- unique values


SLUG = PRODUCT.replace(
    "  name:", "  slug: {type: string, truth: erp, map: {erp: slug, shop: slug}, check: {unique: true}}\n  name:"
)


async def values_asked(world: World) -> list[tuple[str, str]]:
    return [(one.key, one.why) for one in await read(world, conflicts.standing)]


async def test_a_value_of_another_record_is_invalid_until_that_gives_it_up(world: World) -> None:
    world.shop_and_erp(product=SLUG)
    for number in (1, 2):
        world.put("erp", str(number), sku=f"MUG-{number}", slug=f"mug-{number}", name="Mug", price="12.00", stock=3)
    await world.once()
    world.put("erp", "1", slug="mug-2", name="Blue")
    await world.once()
    [(key, why)] = await values_asked(world)
    assert (key, "not unique: also MUG-2" in why) == ("MUG-1", True)
    shop = world.items("shop")
    assert (shop["MUG-1"]["slug"], shop["MUG-1"]["title"]) == ("mug-1", "Blue"), "other fields flow"
    world.put("erp", "2", slug="cup-2")
    await world.once()
    assert await values_asked(world) == [], "it closes by itself"
    await world.once()
    assert {key: item["slug"] for key, item in world.items("shop").items()} == {"MUG-1": "mug-2", "MUG-2": "cup-2"}


async def test_a_value_of_a_deleted_record_is_free(world: World) -> None:
    world.shop_and_erp(product=SLUG.replace("sweeps: 2", "sweeps: 1"))
    for number in range(1, 6):
        world.put("erp", str(number), sku=f"MUG-{number}", slug=f"mug-{number}", name="Mug", price="12.00", stock=3)
    await world.once()
    world.put("erp", "1", slug="mug-2")
    await world.once()
    assert len(await values_asked(world)) == 1
    world.platform("erp").remove("items", "2")
    for _ in range(3):
        await world.once()
    assert await values_asked(world) == []
    assert world.items("shop")["MUG-1"]["slug"] == "mug-2"


async def test_of_two_in_one_batch_the_first_has_it(world: World) -> None:
    world.shop_and_erp(product=SLUG)
    for number in (1, 2):
        world.put("erp", str(number), sku=f"MUG-{number}", slug="mug", name="Mug", price="12.00", stock=3)
    await world.once()
    assert [(key, "not unique: also MUG-1" in why) for key, why in await values_asked(world)] == [("MUG-2", True)]


async def test_a_condition_of_a_match(world: World) -> None:
    product = NO_MAKING.replace("{by: gtin}", '{by: gtin, when: "length(gtin) in [8, 13]"}')
    world.shop_and_erp(product=product.replace("shop: create", "shop: review"))
    world.put("erp", "1", sku="MUG-1", gtin="4012", name="Mug", price="12.00", stock=3)
    world.put("erp", "2", sku="MUG-2", gtin="40123456", name="Cup", price="12.00", stock=3)
    world.put("shop", "s1", sku=None, gtin="4012", title="Old", price="1.00", stock=0)
    world.put("shop", "s2", sku=None, gtin="40123456", title="Old", price="1.00", stock=0)
    for _ in range(2):
        await world.once()
    assert {one: bool(record) for one, record in (await linked(world)).items()}["shop s1"] is False
    assert shop_titles(world) == {"s1": "Old", "s2": "Cup"}


@pytest.mark.parametrize(
    ("normal", "there"), [('["pad_zeros(13)"]', "40123456"), ("[trim, {table: {A: X, B: X}}]", "B"), ("[lower]", "0A")]
)
async def test_any_transform_makes_keys_alike(world: World, normal: str, there: str) -> None:
    product = NO_MAKING.replace("{by: gtin}", f"{{by: gtin, normal: {normal}}}")
    world.shop_and_erp(product=product.replace(": create}", ": review}"))
    here = {"40123456": "0000040123456", "B": " A", "0A": "0a"}[there]
    world.put("erp", "1", sku="MUG-1", gtin=here, name="Mug", price=1, stock=3)
    world.put("shop", "s1", sku=None, gtin=there, title="Old", price=1, stock=0)
    await world.once()
    assert (await linked(world))["shop s1"] == 1
