"""The contract on fields: where they may be written, what stands in a create, what is compared, what is empty."""

from typing import Any

import pytest

from syncd.core.model import Op
from syncd.ledger import conflicts, letters, outbox, proposals
from tests.daemon.test_actions import do, read
from tests.daemon.world import PRODUCT, World, memory

MODES = ("observe", "propose", "enforce")
CAREFUL = [(one, other, MODES[min(MODES.index(one), MODES.index(other))]) for one in MODES for other in MODES]


def with_field(text: str, product: str = PRODUCT) -> str:
    return product.replace("deletes:", f"  {text}\ndeletes:")


async def stock(world: World, **more: Any) -> None:
    world.put("erp", "1", **({"sku": "MUG-1", "name": "Mug", "price": "12.00", "stock": 3} | more))
    await world.once()


async def rows(world: World) -> list[tuple[str | None, str]]:
    return [(row["field"], row["why"]) for row in (await do(world, do="reconcile"))["report"]["rows"]]


def happened(world: World, made: int, waiting: int) -> str:
    return {(0, 0): "observe", (0, 1): "propose", (1, 0): "enforce"}[made, waiting]


# ---- modes


@pytest.mark.parametrize(("platform", "entity", "expected"), CAREFUL)
async def test_the_most_careful_of_platform_and_entity_wins(world: World, platform: str, entity: str, expected: str) -> None:
    world.shop_and_erp(product=PRODUCT + f"mode: {entity}\n")
    world.write("platforms/shop.yaml", memory("shop", mode=platform, collection="products"))
    await stock(world)
    assert happened(world, world.requests("shop"), len(await read(world, proposals.in_state, "open"))) == expected


@pytest.mark.parametrize(("platform", "field", "expected"), CAREFUL)
async def test_the_most_careful_of_platform_and_field_wins(world: World, platform: str, field: str, expected: str) -> None:
    world.shop_and_erp()
    await stock(world)
    made = world.requests("shop")
    world.write("entities/product.yaml", PRODUCT.replace("price: {type", f"price: {{mode: {field}, type"))
    world.write("platforms/shop.yaml", memory("shop", mode=platform, collection="products"))
    world.put("erp", "1", price="13.00")
    await world.once()
    assert happened(world, world.requests("shop") - made, len(await read(world, proposals.in_state, "open"))) == expected


@pytest.mark.parametrize(("platform", "limit", "expected"), CAREFUL)
async def test_the_command_line_can_only_restrict(world: World, platform: str, limit: str, expected: str) -> None:
    world.shop_and_erp()
    world.write("platforms/shop.yaml", memory("shop", mode=platform, collection="products"))
    world.put("erp", "1", sku="MUG-1", name="Mug", price="12.00", stock=3)
    await world.once(limit=limit)
    assert happened(world, world.requests("shop"), len(await read(world, proposals.in_state, "open"))) == expected


async def test_a_platform_that_names_no_mode_has_that_of_the_defaults(world: World) -> None:
    world.shop_and_erp(service="\ndefaults: {mode: enforce}\n")
    text = memory("shop", collection="products").replace("mode: enforce\n", "")
    world.write("platforms/shop.yaml", text)
    assert "mode" not in text
    await stock(world)
    assert world.requests("shop") == 1
    world.service()  # the built-in one
    world.put("erp", "1", price="13.00")
    await world.once()
    assert (world.requests("shop"), len(await read(world, proposals.in_state, "open"))) == (1, 1)


async def test_a_field_only_observed_is_not_in_a_create_either(world: World) -> None:
    world.shop_and_erp(product=PRODUCT.replace("price: {type", "price: {mode: observe, type"))
    await stock(world)
    assert world.items("shop")["MUG-1"].keys() == {"id", "sku", "title", "stock"}


# ---- the last wall, and writes:


async def test_nothing_outside_writable_is_written(world: World) -> None:
    world.shop_and_erp(shop="", product=PRODUCT)
    world.write("platforms/shop.yaml", memory("shop", collection="products").replace(
        "version: version}", "version: version, writable: [sku, title, stock]}"
    ))
    await stock(world)
    assert world.items("shop")["MUG-1"].keys() == {"id", "sku", "title", "stock"}, "not even in a create"
    world.put("shop", "1", price="1.00")
    world.put("erp", "1", price="13.00", name="Blue mug")
    await world.once()
    assert world.items("shop")["MUG-1"]["title"] == "Blue mug"
    assert world.items("shop")["MUG-1"]["price"] == "1.00"
    report = (await do(world, do="reconcile"))["report"]["rows"]
    assert [(row["field"], row["why"], row["action"]) for row in report] == [("price", "missed", None)]
    assert "writable" in report[0]["reason"]


async def test_a_group_is_not_half_behind_the_wall(world: World) -> None:
    product = with_field("street: {type: string, group: address, map: {erp: street, shop: street}}")
    product = with_field("city: {type: string, group: address, map: {erp: city, shop: city}}", product)
    world.shop_and_erp(product=product + "groups: {address: {truth: erp}}\n")
    world.write("platforms/shop.yaml", memory("shop", collection="products").replace(
        "version: version}", "version: version, writable: [sku, title, stock, price, street]}"
    ))
    await stock(world, street="Elm 1", city="Bonn")
    assert world.items("shop")["MUG-1"].keys() == {"id", "sku", "title", "price", "stock"}


async def test_an_archive_does_not_write_outside_writable(world: World) -> None:
    world.shop_and_erp(product=PRODUCT.replace("then: {shop: delete}", "then: {shop: archive}"))
    world.write("platforms/shop.yaml", memory("shop", collection="products").replace(
        "version: version}", "version: version, writable: [sku, title, price, stock], deleted: {field: state, is: gone}}"
    ))
    world.put("erp", "2", sku="MUG-2", name="Other", price="12.00", stock=3)
    await stock(world)
    world.platform("erp").remove("items", "1")
    await world.once()
    await world.once()
    assert "state" not in world.items("shop")["MUG-1"]


async def test_a_field_is_written_only_where_writes_says(world: World) -> None:
    product = with_field("note: {type: string, truth: erp, writes: [crm], map: {erp: note, shop: note, crm: note}}")
    product = product.replace("in:\n", "in:\n  crm: {collection: leads, create: true}\n")
    product = product.replace("erp: sku, shop: sku", "erp: sku, shop: sku, crm: sku")
    world.shop_and_erp(product=product)
    world.write("platforms/crm.yaml", memory("crm", collection="leads"))
    await stock(world, note="fragile")
    assert "note" not in world.items("shop")["MUG-1"]
    assert world.items("crm")["MUG-1"]["note"] == "fragile"
    world.put("shop", "1", note="mine")
    world.put("erp", "1", note="robust")
    await world.once()
    assert world.items("shop")["MUG-1"]["note"] == "mine"
    assert world.items("crm")["MUG-1"]["note"] == "robust"


# ---- direction, default, required


async def test_in_is_read_and_not_compared_and_out_is_written_and_not_heard(world: World) -> None:
    lowest = "type: integer, truth: {merge: min, from: [erp, shop]}"
    product = with_field(f"low: {{{lowest}, map: {{erp: low, shop: {{path: low, direction: in}}}}}}")
    product = with_field("flag: {type: string, truth: erp, map: {erp: flag, shop: {path: flag, direction: out}}}", product)
    world.shop_and_erp(product=product)
    await stock(world, low=7, flag="new")
    assert world.items("shop")["MUG-1"]["flag"] == "new"
    assert "low" not in world.items("shop")["MUG-1"]
    world.put("shop", "1", low=4)
    await world.once()
    assert world.items("erp")["MUG-1"]["low"] == 4, "what is only read there decides elsewhere"
    world.put("shop", "1", low=9)
    await world.once()
    assert await rows(world) == []


async def test_a_default_is_for_the_create_alone(world: World) -> None:
    product = with_field("unit: {type: string, truth: erp, map: {erp: unit, shop: {path: unit, default: piece}}}")
    world.shop_and_erp(product=product)
    await stock(world, unit=None)
    assert world.items("shop")["MUG-1"]["unit"] == "piece"
    made = world.requests("shop")
    await world.once()
    assert world.requests("shop") == made
    assert await rows(world) == []
    world.put("erp", "1", unit="box")
    await world.once()
    assert world.items("shop")["MUG-1"]["unit"] == "box"


async def test_a_field_without_a_value_is_left_out_of_a_create(world: World) -> None:
    world.shop_and_erp()
    await stock(world, name=None)
    assert "title" not in world.items("shop")["MUG-1"]


async def test_a_record_without_a_required_value_spreads_nowhere_and_is_held(world: World) -> None:
    world.shop_and_erp(product=PRODUCT.replace("price: {type", "price: {required: true, type"))
    await stock(world, price=None)
    assert world.requests("shop") == 0
    assert [why for _, why in await rows(world)] == ["held"]
    world.put("erp", "1", price="9.00")
    await world.once()
    assert "MUG-1" in world.items("shop")


# ---- what is empty, what is equal, what has no word


async def test_empty_text_is_null_unless_it_is_a_value(world: World) -> None:
    product = with_field("one: {type: string, truth: erp, map: {erp: one, shop: one}}")
    product = with_field("two: {type: string, truth: erp, blank_is_value: true, map: {erp: two, shop: two}}", product)
    world.shop_and_erp(product=product)
    await stock(world, one="x", two="x")
    world.put("erp", "1", one="", two="")
    await world.once()
    assert (world.items("shop")["MUG-1"]["one"], world.items("shop")["MUG-1"]["two"]) == ("x", "")


async def test_what_is_equal_is_neither_written_nor_drift(world: World) -> None:
    product = PRODUCT.replace("name: {type", "name: {equal: whitespace, type").replace(
        "price: {type", "price: {equal: {number: 0.05}, type"
    )
    world.shop_and_erp(product=product)
    await stock(world)
    made = world.requests("shop")
    world.put("erp", "1", name=" Mug ", price="12.04")
    await world.once()
    world.put("shop", "1", title="Mug  ", price="12.01")
    await world.once()
    assert world.requests("shop") == made
    assert await rows(world) == []


async def test_a_value_without_a_word_in_the_table_is_not_written_and_no_drift(world: World) -> None:
    table = "shop: {path: state, write: [{table: {new: N, old: O}}], direction: out}"
    world.shop_and_erp(product=with_field(f"state: {{type: string, truth: erp, map: {{erp: state, {table}}}}}"))
    await stock(world, state="new")
    assert world.items("shop")["MUG-1"]["state"] == "N"
    made = world.requests("shop")
    world.put("erp", "1", state="odd")
    await world.once()
    assert (world.requests("shop"), world.items("shop")["MUG-1"]["state"]) == (made, "N")
    assert await rows(world) == []
    assert await read(world, outbox.depth) == {}


# ---- stray edits, level by level


@pytest.mark.parametrize(
    ("service", "shop", "entity", "field", "expected"),
    [
        ("", "", "", "", "revert"),
        ("keep", "", "", "", "keep"),
        ("keep", "revert", "", "", "revert"),
        ("revert", "revert", "keep", "", "keep"),
        ("keep", "keep", "keep", "review", "review"),
    ],
)
async def test_the_nearest_word_on_stray_edits_holds(
    world: World, service: str, shop: str, entity: str, field: str, expected: str
) -> None:
    product = PRODUCT + (f"stray_edits: {entity}\n" if entity else "")
    product = product.replace("name: {type", f"name: {{stray_edits: {field}, type" if field else "name: {type")
    world.shop_and_erp(
        product=product,
        shop=f"stray_edits: {shop}\n" if shop else "",
        service=f"\ndefaults: {{stray_edits: {service}}}\n" if service else "",
    )
    await stock(world)
    world.put("shop", "1", title="Cup")
    await world.once()
    await world.once()
    asked = [one.field for one in await read(world, conflicts.standing)]
    assert (world.items("shop")["MUG-1"]["title"], asked) == {
        "revert": ("Mug", []),
        "keep": ("Cup", []),
        "review": ("Cup", ["name"]),
    }[expected]
    world.put("erp", "1", name="Glass")
    await world.once()
    assert world.items("shop")["MUG-1"]["title"] == "Glass", "a new word of the owner ends what was kept"


async def test_removals_may_be_ignored(world: World) -> None:
    tags = "{type: set(string), truth: {merge: union, from: [erp, shop], removals: %s}, map: {erp: %s, shop: %s}}"
    product = with_field("tags: " + tags % ("ignore", "tags", "tags"))
    world.shop_and_erp(product=with_field("marks: " + tags % ("honour", "marks", "marks"), product))
    await stock(world, tags=["a", "b"], marks=["a", "b"])
    world.put("shop", "1", tags=["a", "c"], marks=["a", "c"])
    await world.once()
    for platform in ("erp", "shop"):
        item = world.items(platform)["MUG-1"]
        assert (sorted(item["tags"]), sorted(item["marks"])) == (["a", "b", "c"], ["a", "c"]), platform


# ---- counters


async def test_a_counter_counts_every_difference_once(world: World) -> None:
    product = PRODUCT.replace("integer, truth: erp,", "integer, truth: {merge: delta, from: [erp, shop]},")
    world.shop_and_erp(product=product)
    world.put("shop", "1", sku="MUG-1", title="Mug", price="12.00", stock=10)
    await stock(world, stock=10)
    assert (world.items("erp")["MUG-1"]["stock"], world.items("shop")["MUG-1"]["stock"]) == (10, 10), "first sight adds nothing"
    world.put("shop", "1", stock=8)
    world.put("erp", "1", stock=15)
    await world.once()
    assert (world.items("erp")["MUG-1"]["stock"], world.items("shop")["MUG-1"]["stock"]) == (13, 13)
    requests = world.requests("erp") + world.requests("shop")
    await world.once()
    assert world.requests("erp") + world.requests("shop") == requests, "reading again counts nothing"


async def test_a_counter_starts_with_the_first_that_has_a_value(world: World) -> None:
    product = PRODUCT.replace("integer, truth: erp,", "integer, truth: {merge: delta, from: [shop, erp]},")
    world.shop_and_erp(product=product)
    world.put("shop", "1", sku="MUG-1", title="Mug", price="12.00", stock=4)
    await stock(world, stock=10)
    assert (world.items("erp")["MUG-1"]["stock"], world.items("shop")["MUG-1"]["stock"]) == (4, 4)


# ---- invalid readings


@pytest.mark.parametrize(("option", "asked"), [("hold", ["price"]), ("keep", [])])
async def test_an_invalid_reading_changes_nothing_and_closes_by_itself(world: World, option: str, asked: list[str]) -> None:
    world.shop_and_erp(product=PRODUCT.replace("2), truth: erp", f"2), truth: {{owner: erp, if_invalid: {option}}}"))
    await stock(world)
    world.put("erp", "1", price="cheap", name="Blue mug")
    await world.once()
    assert world.items("shop")["MUG-1"]["title"] == "Blue mug", "the other fields flow"
    assert world.items("erp")["MUG-1"]["price"] == "cheap", "what is wrong there is put right there"
    assert [one.field for one in await read(world, conflicts.standing)] == asked
    world.put("erp", "1", price="13.00")
    await world.once()
    assert await read(world, conflicts.standing) == []
    assert str(world.items("shop")["MUG-1"]["price"]) == "13.00"
    assert await read(world, letters.in_state) == []


async def test_a_create_proposed_waits_like_any_write(world: World) -> None:
    world.shop_and_erp()
    world.write("platforms/shop.yaml", memory("shop", mode="propose", collection="products"))
    await stock(world)
    [waiting] = await read(world, proposals.in_state, "open")
    assert waiting.op is Op.CREATE
    await do(world, do="approve", ids=[waiting.id])
    assert "MUG-1" in world.items("shop")
