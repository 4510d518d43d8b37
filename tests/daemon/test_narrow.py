"""Reading only what an edit needs gives what reading whole records gives: over random companies, rules and edits."""

import random
from typing import Any

import pytest

from syncd.config.load import load
from syncd.config.model import Config
from syncd.connectors.memory import Memory, MemoryKind
from syncd.core.model import Abilities
from syncd.core.rules import Rules
from syncd.daemon.foresee import Foresight, foresee, trial_scene
from syncd.daemon.foretell import Foreseen
from syncd.daemon.narrow import narrowed
from syncd.daemon.overlay import edits
from syncd.daemon.pulse import note_clocks
from syncd.ledger import meta
from syncd.ledger.glimpse import rows_of
from syncd.ledger.reading import read_only
from syncd.ledger.schema import Database
from tests.daemon.world import World, memory

ENTITY = "entities/product.yaml"
TRUTHS = {
    "name": (
        "erp",
        "shop",
        "{priority: [shop, erp], if_null: next}",
        "{newest: [erp, shop], tie: [erp]}",
        "{merge: longest, from: [erp, shop]}",
        "{const: Plain}",
        "{manual: true}",
        '{expr: "erp.name + \' \' + golden.colour"}',
        "{owner: erp, if_null: clear}",
        "{owner: erp, freeze: {after_first: true}}",
        "{owner: shop, if_null: {const: nameless}}",
        "{owner: shop, if_stale: hold}",
    ),
    "price": (
        "erp",
        "shop",
        "{merge: max, from: [erp, shop]}",
        "{newest: [erp, shop], tie: [erp], if_null: clear}",
        '{const: "9.00"}',
        "{priority: [erp, shop], if_null: next, if_invalid: next}",
        '{owner: erp, freeze: {when: "golden.stock > 5"}}',
        '{owner: shop, if_null: {use: erp}}',
    ),
    "stock": ("erp", "shop", "{merge: sum, from: [erp, shop]}", "{merge: delta, from: [erp, shop]}", "{owner: cms}"),
    "tags": ("{merge: union, from: [erp, shop]}", "{merge: intersection, from: [erp, shop]}", "shop", "{const: [new]}"),
    "colour": ("erp", "cms", "{priority: [cms, erp]}", "{merge: longest, from: [cms, erp]}"),
}
SEEDS = 10
KINDS = {"name": "string", "price": "decimal(2)", "stock": "integer", "tags": "set(string)", "colour": "string"}
MORE = {
    "name": ("", "required: true, ", "stray_edits: keep, ", "equal: casefold, ", "pii: true, "),
    "price": ("", "stray_edits: review, ", "check: {max_step: 30%}, ", "writes: [shop], "),
    "stock": ("", "stray_edits: keep, "),
    "tags": ("", "mode: propose, "),
    "colour": ("", "required: true, ", 'check: {expr: "length(value) < 9"}, '),
}
PLACES = {"name": "erp: name, shop: title, cms: name", "colour": "erp: colour, shop: colour, cms: colour"}
CASES = "\n    truth:\n      - {when: \"golden.stock > 4\", owner: shop}\n      - {owner: erp}\n"
HEAD = """
entity: product
label: "{{name}}"
in:
  erp: {{collection: items, create: true}}
  shop: {{collection: products, create: {create}}}
  cms: {{collection: things}}
identity: {{key: sku, match: [{{by: sku}}], unmatched: {{erp: create, shop: review, cms: review}}}}
fields:
  sku: {{type: string, truth: erp, map: {{erp: sku, shop: sku, cms: sku}}}}
"""
Rule = dict[str, tuple[str, str]]  # field -> what stands beside its truth, and the truth


def some_rules(dice: random.Random) -> Rule:
    """Rules of all sorts."""
    return {name: (dice.choice(MORE[name]), dice.choice((truths[0], dice.choice(truths)))) for name, truths in TRUTHS.items()}


def written(rules: Rule, *, create: bool, cased: bool) -> str:
    """The rules as the file of an entity."""
    text = HEAD.format(create=str(create).lower())
    for name, (more, truth) in rules.items():
        places = PLACES.get(name, f"erp: {name}, shop: {name}" + (", cms: stock" if name == "stock" else ""))
        if cased and name == "name":
            text += f"  name:\n    type: string\n    map: {{{places}}}{CASES}"
        else:
            text += f"  {name}: {{{more}type: {KINDS[name]}, truth: {truth}, map: {{{places}}}}}\n"
    return text


def some_item(dice: random.Random, number: int) -> dict[str, Any]:
    """What somebody enters, some of it missing or wrong."""
    item: dict[str, Any] = {
        "name": dice.choice((f"Mug {number}", "", None, "MUG")),
        "price": dice.choice(("12.00", "12.00", "9.50", None, "cheap")),
        "stock": dice.choice((3, 3, 7, None)),
        "tags": dice.sample(["blue", "new", "sale"], dice.randint(0, 3)),
        "colour": dice.choice(("red", "blue", None, "a very long colour")),
    }
    return {name: value for name, value in item.items() if dice.random() < 0.8}


def furnish(world: World, dice: random.Random) -> None:
    """Three platforms: one decides most, one follows, one is now and then only observed, or must be asked."""
    world.kind = MemoryKind(Abilities(guard=True, ordered=True, contiguous=True, answers=True, whole=dice.random() < 0.15))
    world.shop_and_erp(service="\nsafety: {changes: {max: 500}}\n")
    world.write("platforms/cms.yaml", memory("cms", collection="things", mode=dice.choice(("enforce", "propose", "observe"))))


async def some_company(world: World, dice: random.Random, text: str) -> None:
    """A company after some history: edits everywhere, rows that are missing, spelt otherwise or gone, writes that wait."""
    world.write(ENTITY, text)
    if dice.random() < 0.4:
        world.platform("shop").normalise = lambda item: item | {"title": str(item.get("title") or "")[:4]}
    for number in range(1, dice.randint(6, 14)):
        world.put("erp", str(number), sku=f"MUG-{number}", **some_item(dice, number))
        if dice.random() < 0.5:
            named = {"id": f"c{number}", "sku": f"MUG-{number}"}
            world.platform("cms").put("things", f"c{number}", named | some_item(dice, number))
    await world.once()
    for native, thing in list(world.platform("shop").things.get("products", {}).items()):
        if dice.random() < 0.4:
            own = some_item(dice, 1)
            world.platform("shop").put("products", native, thing.item | own | {"title": own.pop("name", "Own")})
        elif dice.random() < 0.2:
            world.platform("shop").remove("products", native)
    for _ in range(dice.randint(1, 2)):
        await world.once()
    if dice.random() < 0.3:
        world.platform("erp").remove("items", "2")
        await world.once()


def looked(db: Database, rules: tuple[Rules, Rules], now: int, *, quick: bool) -> tuple[Foresight, list[Foreseen]]:
    """What is foreseen, with every record that comes out otherwise."""
    taken: list[Foreseen] = []
    found = foresee(db, rules, now=now, take=taken.append, stands=True, quick=quick)
    return found, taken


def told(one: Foreseen) -> Any:
    """What there is to a foreseen record, but for the reasons that only a single record's plan shows."""
    return [getattr(one, name) for name in Foreseen.__slots__ if name != "held"]


def loaded(world: World, text: str) -> Config | None:
    """The config with these rules, None if check refuses it."""
    world.write(ENTITY, text)
    return load(world.folder / "config", world.kinds, environ={"STATE_DIRECTORY": str(world.folder / "state")}).config


@pytest.mark.parametrize("seed", [*range(SEEDS), 29])
async def test_a_narrow_look_sees_what_the_whole_one_sees(world: World, seed: int) -> None:
    dice = random.Random(seed)
    create, cased = dice.random() < 0.7, dice.random() < 0.25
    furnish(world, dice)
    while loaded(world, written(rules := some_rules(dice), create=create, cased=cased)) is None:
        pass
    await some_company(world, dice, written(rules, create=create, cased=cased))
    old = world.config()
    for _ in range(8):
        edited = dict(rules)
        for name in dice.sample(sorted(TRUTHS), dice.choice((1, 1, 2))):
            more = dice.choice(MORE[name]) if dice.random() < 0.2 else rules[name][0]
            edited[name] = more, dice.choice(TRUTHS[name])
        new = loaded(world, written(edited, create=create, cased=cased))
        if new is None:
            continue
        both = old.rules, new.rules
        with read_only(old.ledger_path) as db:
            slow, quickly = (looked(db, both, world.now(), quick=how) for how in (False, True))
        assert list(map(told, quickly[1])) == list(map(told, slow[1])), edited
        for name in SUMS:
            assert getattr(quickly[0], name) == getattr(slow[0], name), name


SUMS = ("records", "decided", "ops", "lines", "opened", "closed", "withdrawn", "proposed", "failed", "loads", "trips")


async def test_the_narrow_look_tells_of_most_records_by_itself(world: World) -> None:
    text = written({name: ("", truths[0]) for name, truths in TRUTHS.items()}, create=True, cased=False)
    furnish(world, random.Random(4))
    await some_company(world, random.Random(4), text)
    old = world.config().rules
    new = loaded(world, text.replace("truth: erp, map: {erp: price", "truth: shop, map: {erp: price"))
    assert new is not None
    [edit] = edits(old, new.rules).values()
    with read_only(world.config().ledger_path) as db:
        spaces = trial_scene(old, world.now()).space(), trial_scene(new.rules, world.now()).space()
        look, rows = narrowed(edit, spaces), rows_of(db, "product", range(1, 100))
        assert look is not None
        assert sum(look.foretell(one) is not None for one in rows) > len(rows) / 2


async def test_a_plan_knows_how_far_the_clocks_were_off(world: World) -> None:
    text = written({name: ("", truths[0]) for name, truths in TRUTHS.items()}, create=True, cased=False)
    furnish(world, random.Random(4))
    await some_company(world, random.Random(4), text)
    async with world.runtime() as runtime:
        connector = runtime.parts["shop"].connector
        assert isinstance(connector, Memory)
        connector.clock = (5_000_000, 70_000)  # as it was measured
        known = await note_clocks(runtime, {})
        assert known["shop"] == (5_000_000, 70_000)
    with read_only(world.config().ledger_path) as db:
        assert meta.clocks(db) == {"shop": (5_000_000, 70_000)}
