"""A plan says what loading an edit does, and applying it does exactly that: over real ledgers and platforms in memory."""

import json
import random
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from syncd.config.model import Config
from syncd.daemon.actions import perform
from syncd.daemon.carry_out import Moved, verify
from syncd.daemon.once import Work
from syncd.daemon.write_plan import Asked, write_plan
from syncd.ledger.reading import read_only
from syncd.reports.envelope import Origin
from syncd.reports.plan import Spool, write_json
from tests.daemon.test_serve import ask, daemon
from tests.daemon.world import PRODUCT, World, memory, until

ENTITY = "entities/product.yaml"
TAGS = "  tags: {type: set(string), truth: {merge: union, from: [erp, shop]}, map: {erp: tags, shop: tags}}\n"
WITH_TAGS = PRODUCT.replace("deletes:", f"{TAGS}deletes:")
NAME = "name: {type: string, truth: erp"


async def stocked(world: World, product: str = WITH_TAGS, **more: Any) -> Config:
    """Make a company in which all agree, and return the config it was made with."""
    world.shop_and_erp(product=product, **more)
    for number in range(1, 5):
        world.put("erp", str(number), sku=f"MUG-{number}", name=f"Mug {number}", price="12.00", stock=3, tags=["blue"])
    await world.once()
    for number in (1, 2):  # the shop says something of its own, which the rules of now put back
        native = next(n for n, t in world.platform("shop").things["products"].items() if t.item["sku"] == f"MUG-{number}")
        world.put("shop", native, tags=["blue", f"own-{number}"])
    await world.once()
    return world.config()


def planned(world: World, old: Config, *, file: Path | None = None, **options: Any) -> dict[str, Any]:
    """Return the plan of what is on disk now, with its lists."""
    new = world.config()
    with read_only(old.ledger_path) as db, Spool() as spool:
        db.execute("BEGIN")
        asked = Asked(Origin(world.now(), "test", new.sha), {"sha": old.sha, "running": False, "how": ""}, spool, **options)
        document = write_plan(db, old, new, asked)
        if file is not None:
            with file.open("w") as out:
                kept = {name: part for name, part in document.items() if name != "examples"}
                write_json(kept, spool, ("changes", "patches", "records"), out)
        return document | {name: spool.rows(name) for name in ("changes", "patches", "conflicts", "records")}


async def test_an_edit_without_effect_is_no_plan(world: World) -> None:
    old = await stocked(world)
    world.write(ENTITY, WITH_TAGS + "\n# a word\n")
    plan = planned(world, old)
    assert plan["changes"] == []
    assert plan["edits"] == []
    assert plan["summary"]["decided"] == 0


async def test_only_what_the_edit_causes_is_planned(world: World) -> None:
    old = await stocked(world)
    world.write(ENTITY, WITH_TAGS.replace("{merge: union, from: [erp, shop]}", "{const: [new]}"))
    plan = planned(world, old)
    assert {(row["platform"], row["record"], row["field"]) for row in plan["changes"]} == {
        (platform, f"MUG-{n}", "tags") for platform in ("erp", "shop") for n in range(1, 5)
    }
    [line] = [line for line in plan["fields"] if line["platform"] == "shop"]
    assert (line["records"], line["removed"], line["added"]) == (4, 6, 4)
    assert plan["edits"][0]["before"] == "merge union [erp, shop]"
    assert plan["edits"][0]["after"] == "const [new]"
    patch = next(one for one in plan["patches"] if one["platform"] == "shop" and one["record"] == "MUG-1")
    assert patch["patch"] == [{"op": "replace", "path": "/tags", "value": ["new"]}]
    rule = plan["changes"][0]["rule"]
    lines = (world.folder / "config" / ENTITY).read_text().splitlines()
    line = 1 + next(n for n, text in enumerate(lines) if "{const: [new]}" in text)
    assert rule == {"file": f"{world.folder}/config/{ENTITY}", "line": line, "strategy": "const"}


EDITS: dict[str, Callable[[str], str]] = {
    "another owner": lambda t: t.replace(NAME, "name: {type: string, truth: shop"),
    "a constant": lambda t: t.replace("decimal(2), truth: erp", 'decimal(2), truth: {const: "9.00"}'),
    "an emptied list": lambda t: t.replace("{merge: union, from: [erp, shop]}", "{const: []}"),
    "a person decides": lambda t: t.replace(NAME, "name: {type: string, truth: {manual: true}"),
    "a shorter list": lambda t: t.replace("{merge: union, from: [erp, shop]}", "{merge: intersection, from: [erp, shop]}"),
    "another place": lambda t: t.replace("shop: title", "shop: headline"),
    "no creates": lambda t: t.replace("shop: {collection: products, create: true}", "shop: {collection: products}"),
    "one field only there": lambda t: t.replace("truth: erp, map: {erp: stock, shop: stock}", "truth: erp, map: {erp: stock}"),
}


async def some_company(world: World, dice: random.Random) -> str:
    """Make a small company in which some values are missing, kept, in conflict or put back; return its rules of products."""
    text = WITH_TAGS.replace("price: {type", f"price: {{stray_edits: {dice.choice(('keep', 'revert', 'review'))}, type")
    if dice.random() < 0.5:
        text = text.replace("stock: {type: integer, truth: erp", "stock: {type: integer, truth: {priority: [shop, erp]}")
    world.shop_and_erp(product=text)
    for number in range(1, dice.randint(4, 8)):
        tags = dice.sample(["blue", "new", "sale"], dice.randint(0, 3))
        more = {name: dice.choice((None, 3, "9.50")) for name in ("stock", "price")} if dice.random() < 0.4 else {}
        item = {"name": f"Mug {number}", "price": "12.00", "stock": 3, "tags": tags, "sku": f"MUG-{number}"} | more
        world.put("erp", str(number), **item)
    await world.once()
    for native, thing in list(world.platform("shop").things["products"].items()):
        if dice.random() < 0.5:
            own = {"title": f"Own {thing.item['sku']}", "price": "11.00", "stock": 7, "tags": ["own"]}
            world.put("shop", native, **{name: own[name] for name in dice.sample(sorted(own), dice.randint(1, 3))})
    for _ in range(2):
        await world.once()
    return text


@pytest.mark.parametrize("seed", range(16))
async def test_apply_writes_exactly_what_was_planned_or_nothing(world: World, seed: int) -> None:
    dice = random.Random(seed)
    rules = await some_company(world, dice)
    old = world.config()
    edits = dice.sample(sorted(EDITS), dice.choice((1, 1, 2, 3)))
    text = rules
    for name in edits:
        text = EDITS[name](text)
    world.write(ENTITY, text)
    file = world.folder / "plan.json"
    plan = planned(world, old, file=file)
    if dice.random() < 0.3:  # somebody is quicker
        world.write(ENTITY, rules)
        world.put("erp", "3", name="Another mug 3")
        await world.once()
        world.write(ENTITY, text)
    before = {p: world.items(p) for p in ("erp", "shop")}
    answer = await applied(world, file)
    wrote = {p: written_by(before[p], world.items(p)) for p in ("erp", "shop")}
    if not answer["ok"]:
        assert (answer["exit"], "MUG-3" in answer["error"]) == (5, True), answer
        assert wrote == {"erp": set(), "shop": set()}
        return
    stopped = {one["platform"] for one in plan["breakers"]}
    assert answer["exit"] == (4 if stopped else 0), answer
    going = [row for row in plan["changes"] if row["platform"] not in stopped]
    expected = {p: {(row["record"], row["field"]) for row in going if row["platform"] == p} for p in ("erp", "shop")}
    fields = {"title": "name", "headline": "name"}
    assert {p: {(sku, fields.get(f, f)) for sku, f in found} for p, found in wrote.items()} == expected, edits
    assert planned(world, world.config())["changes"] == [], "loaded: nothing is left to plan"


def written_by(before: dict[str, Any], after: dict[str, Any]) -> set[tuple[str, str]]:
    """What differs between two looks at a platform."""
    return {
        (sku, name)
        for sku, item in after.items()
        for name, value in item.items()
        if name not in ("version", "id") and before.get(sku, {}).get(name) != value
    }


async def applied(world: World, file: Path) -> dict[str, Any]:
    """Apply a plan in this process."""
    async with world.runtime() as runtime:
        work = Work(runtime)
        await work.begin()

        async def finish(_: set[int]) -> None:
            await work.settle_down()

        return await perform(runtime, {"do": "apply", "plan": str(file), "by": "ana"}, progress=None, finish=finish)


async def test_a_plan_of_another_config_is_refused(world: World) -> None:
    old = await stocked(world)
    world.write(ENTITY, EDITS["a constant"](WITH_TAGS))
    file = world.folder / "plan.json"
    planned(world, old, file=file)
    world.write(ENTITY, EDITS["a constant"](WITH_TAGS).replace("9.00", "8.00"))
    plan = json.loads(file.read_text())
    with read_only(old.ledger_path) as db, pytest.raises(Moved, match="the config on disk is"):
        verify(db, plan, world.config(), world.kinds, now=world.now())


async def test_limits_modes_and_what_was_never_read_are_said(world: World) -> None:
    old = await stocked(world, service="\nsafety: {changes: {max: 2}}\n")
    colour = "  colour: {type: string, truth: erp, map: {erp: colour, shop: colour}}\n"
    world.write(ENTITY, EDITS["a constant"](WITH_TAGS).replace("deletes:", f"{colour}deletes:"))
    plan = planned(world, old)
    assert {(one["platform"], one["kind"], one["count"]) for one in plan["breakers"]} == {
        ("erp", "changes", 4),
        ("shop", "changes", 4),
    }
    file = (world.folder / "config" / "syncd.yaml").read_text().splitlines()
    assert file[plan["breakers"][0]["line"] - 1].startswith("safety:")
    assert plan["needs"] == [f"needs a sweep first: {p}.colour was never read as product.colour" for p in ("erp", "shop")]
    world.write("platforms/shop.yaml", memory("shop", collection="products", mode="propose"))
    plan = planned(world, old)
    assert [one["platform"] for one in plan["breakers"]] == ["erp"], "what must be approved first is not weighed"
    assert plan["summary"]["proposed"] == 4


def with_cases(*cases: str) -> str:
    """The usual rules, with these cases for the name before its owner."""
    lines = "".join(f"\n      - {case}" for case in (*cases, "{owner: erp}"))
    name = f"  name:\n    type: string\n    map: {{erp: name, shop: title}}\n    truth:{lines}\n"
    return WITH_TAGS.replace("  name: {type: string, truth: erp, map: {erp: name, shop: title}}\n", name)


async def test_what_a_condition_names_and_was_never_read_is_said(world: World) -> None:
    old = await stocked(world)
    world.write(ENTITY, with_cases('{when: "shop.raw.locked", owner: shop}', '{when: "golden.stock > 2", const: Many}'))
    file = world.folder / "plan.json"
    plan = planned(world, old, file=file)
    assert plan["needs"] == ["needs a sweep first: shop.raw.locked was never read"]
    assert {(row["field"], row["after"]) for row in plan["changes"]} == {("name", "Many")}
    assert (plan["summary"]["update"], plan["summary"]["failed"]) == (8, 0)
    assert (await applied(world, file))["ok"]
    assert {item["title"] for item in world.items("shop").values()} == {"Many"}


async def test_what_is_personal_is_masked_and_applied_as_it_is(world: World) -> None:
    rules = WITH_TAGS.replace("name: {type: string,", "name: {type: string, pii: true,")
    old = await stocked(world, rules)
    world.write(ENTITY, rules.replace("pii: true, truth: erp", "pii: true, truth: {const: jo@acme.example}"))
    file = world.folder / "plan.json"
    plan = planned(world, old, file=file)
    assert {(row["before"], row["after"]) for row in plan["changes"]} == {("M***", "j***@acme")}
    assert plan["patches"][0]["patch"][0]["value"] == "j***@acme"
    assert planned(world, old, reveal=True)["changes"][0]["after"] == "jo@acme.example"
    assert (await applied(world, file))["ok"]
    assert {item["title"] for item in world.items("shop").values()} == {"jo@acme.example"}


async def test_a_record_that_is_gone_stays_gone(world: World) -> None:
    old = await stocked(world)
    world.platform("erp").remove("items", "3")
    for _ in range(3):
        await world.once()
    world.write(ENTITY, EDITS["a constant"](WITH_TAGS))
    plan = planned(world, old)
    assert {row["record"] for row in plan["changes"]} == {"MUG-1", "MUG-2", "MUG-4"}
    assert plan["summary"]["failed"] == 0


async def test_what_depends_on_an_edited_field_is_decided_too(world: World) -> None:
    rules = with_cases('{when: "golden.stock > 5", const: Many}')
    old = await stocked(world, rules)
    world.write(ENTITY, rules.replace("stock: {type: integer, truth: erp", "stock: {type: integer, truth: {const: 9}"))
    plan = planned(world, old)
    assert {(row["field"], row["after"]) for row in plan["changes"]} == {("name", "Many"), ("stock", 9)}


async def test_what_would_be_written_anyhow_is_not_the_edits_effect(world: World) -> None:
    await stocked(world)
    world.put("erp", "1", name="Cup")
    world.write("platforms/shop.yaml", memory("shop", collection="products", mode="propose"))
    await world.once()
    old = world.config()
    world.write(ENTITY, EDITS["a constant"](WITH_TAGS))
    plan = planned(world, old)
    assert {row["field"] for row in plan["changes"]} == {"price"}
    assert Decimal(plan["changes"][0]["after"]) == 9


async def test_a_reload_stops_beforehand_what_would_trip_a_breaker(world: World) -> None:
    world.shop_and_erp(service="\nsafety: {changes: {max: 30}}\n")
    for number in range(1, 260):  # more than are decided in one go
        world.put("erp", str(number), sku=f"MUG-{number}", name=f"Mug {number}", price="12.00", stock=3)
    await world.once()
    async with daemon(world):
        world.write(ENTITY, EDITS["a constant"](PRODUCT))
        text = (await ask(world, do="reload"))["text"]
        await until(lambda: bool(rows(world, "SELECT 1 FROM outbox WHERE error = 'stopped by a breaker'")))
    assert "259 records come out otherwise: 518 to update, 0 to create, 0 to delete" in text
    assert "stopped by a breaker: erp product, shop product" in text
    assert {str(item["price"]) for name in ("erp", "shop") for item in world.items(name).values()} == {"12.00"}


async def test_a_reload_that_does_nothing_says_so(world: World) -> None:
    await stocked(world)
    async with daemon(world):
        text = WITH_TAGS.replace("decimal(2), truth: erp", "decimal(2), truth: {priority: [erp, shop]}")
        world.write(ENTITY, text)
        assert "no record comes out otherwise" in (await ask(world, do="reload"))["text"]


async def test_apply_has_a_running_daemon_load_and_write(world: World) -> None:
    old = await stocked(world)
    file = world.folder / "plan.json"
    world.write(ENTITY, EDITS["a constant"](WITH_TAGS))
    planned(world, old, file=file)
    world.write(ENTITY, WITH_TAGS)
    async with daemon(world):
        world.write(ENTITY, EDITS["a constant"](WITH_TAGS))
        answer = await ask(world, do="apply", plan=str(file), by="ana")
        assert answer["ok"], answer
        assert {(line["state"], line["platform"]) for line in answer["lines"]} == {("ok", "erp"), ("ok", "shop")}
        assert {str(item["price"]) for item in world.items("shop").values()} == {"9.00"}
        again = await ask(world, do="apply", plan=str(file), by="ana")
        assert again["exit"] == 5
        assert "loaded already" in again["error"]


async def test_apply_obeys_the_breakers_of_a_running_daemon(world: World) -> None:
    old = await stocked(world, service="\nsafety: {changes: {max: 3}}\n")
    file = world.folder / "plan.json"
    async with daemon(world):
        world.write(ENTITY, EDITS["a constant"](WITH_TAGS))
        plan = planned(world, old, file=file)
        answer = await ask(world, do="apply", plan=str(file), by="ana")
    assert {one["platform"] for one in plan["breakers"]} == {"erp", "shop"}
    assert (answer["ok"], answer["exit"]) == (True, 4), answer
    assert {line["note"] for line in answer["lines"]} == {"stopped by a breaker"}
    assert {str(item["price"]) for name in ("erp", "shop") for item in world.items(name).values()} == {"12.00"}


def rows(world: World, sql: str) -> list[Any]:
    """Look into the ledger from outside."""
    with read_only(world.config().ledger_path) as db:
        return db.execute(sql).fetchall()
