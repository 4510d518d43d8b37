"""Random programs for the test world: drawn with focus (one record, one or two fields, every ability and fault at random),
and shrunk to what is needed to fail.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from random import Random

from tests.core.mixed_rules import TEXT_FIELDS, Rule, draw_mix
from tests.core.world import FAULTS, Setup, Step, World, trial
from tests.core.world_daemon import Breach
from tests.core.world_platform import BAD, FIELDS, NORMS, TRAITS, Spec
from tests.core.world_rules import NAMES

KINDS = ("all", "deletes", "rules", "backup", "scope", "mixed", "bulk")
RARE = {"mute": 0.03, "archives": 0.15, "untimed": 0.15, "reuse": 0.3}
OFTEN = {
    "edit": 8,
    "deliver": 6,
    "decide": 5,
    "send": 8,
    "sweep": 3,
    "create": 1,
    "wait": 2,
    "restart": 1,
    "land": 1,
    "stale": 1,
}
MORE = {
    "all": {},
    "deletes": {"remove": 3, "create": 4},
    "rules": {"owner": 2},
    "backup": {"backup": 1, "restore": 2},
    "scope": {"leave": 1, "back": 2},
    "mixed": {"mark": 4, "create": 2},
    "bulk": {"mark": 4, "bulk": 2},
}
HOW = {
    "edit": ("", "part"),
    "mark": ("", "part"),
    "bulk": ("", "part"),
    "deliver": ("", "", "any", "again", "lost"),
    "send": ("", "", "", *FAULTS),
    "sweep": ("ok", "ok", "half", "lies", "late", "lands"),
}
CALM = ("edit", "deliver", "decide", "wait", "create")  # steps that cannot fail

Program = tuple[Setup, list[Step]]


def draw(random: Random, kind: str = "all") -> Program:
    """Return a program."""
    count = random.choice((2, 3, 3, 4))
    mixing = kind in ("mixed", "bulk")
    mix = draw_mix(random, NAMES[:count]) if mixing else ()
    fields = fields_of(random, mix) if mixing else draw_fields(random)
    guards = frozenset(g for g in ("only", "create_when", "check") if random.random() < 0.3) if mixing else frozenset()
    setup = Setup(
        tuple(draw_spec(random) for _ in range(count)),
        fields,
        skew=random.choice((0, 3, 10)),
        clear=random.random() < 0.2,
        stray=random.choice(("revert", "revert", "keep", "review")),
        elsewhere=random.choice(("restore", "restore", "ignore", "review")) if kind == "deletes" else "restore",
        seeded=random.random() < 0.8,
        strict=random.random() < 0.2,
        mix=mix,
        guards=guards if "x" in fields else guards - {"create_when", "check"},
    )
    weights = {**OFTEN, **MORE[kind], **({"leave": 1, "back": 2} if "only" in guards else {})}
    focus = random.random() < 0.6
    return setup, [draw_step(random, weights, fields, count, focus=focus) for _ in range(random.randrange(3, 40))]


def draw_fields(random: Random) -> tuple[str, ...]:
    if random.random() < 0.4:
        return FIELDS
    chosen = random.sample(("o", "p", "n", "u", "d", "m", "g"), random.choice((1, 1, 2)))
    return tuple(name for one in chosen for name in (("g1", "g2") if one == "g" else (one,)))


def fields_of(random: Random, mix: tuple[tuple[str, Rule], ...]) -> tuple[str, ...]:
    """Return the fields that have rules of their own, all those that expressions name, and sometimes another."""
    names = dict.fromkeys((*TEXT_FIELDS, *(n for n, _ in mix)))
    if random.random() < 0.3:
        names[random.choice(("o", "p", "n", "m"))] = None
    return tuple(one for name in names for one in (("g1", "g2") if name == "g" else (name,)))


def draw_spec(random: Random) -> Spec:
    traits = frozenset(t for t in TRAITS if random.random() < RARE.get(t, 0.5))
    norms = [random.choice(list(NORMS)) for _ in range(4)]
    return Spec(traits, (norms[0], norms[1], norms[2], norms[3]), random.choice((-2, 0, 3)))


def draw_step(random: Random, weights: dict[str, int], fields: tuple[str, ...], count: int, *, focus: bool) -> Step:
    do = random.choices(list(weights), list(weights.values()))[0]
    value = random.choice((5, 20, 100)) if do == "wait" else random.randrange(8)
    how = random.choice(HOW.get(do, ("",)))
    return Step(do, random.randrange(count), 0 if focus else random.randrange(2), random.choice(fields), value, how)


# ---- pairs: the same program in two ways


def pair(setup: Setup, steps: list[Step], law: str) -> None:
    """Run a program twice: platforms in the other order (L3), or everything arriving twice (L4); raises Breach."""
    calm = [s for s in steps if s.do in CALM]
    if law == "order":
        calm = [s for s in calm if s.how != "lost"]
    else:
        specs = (s._replace(traits=(s.traits | {"versions"}) - {"reuse", "mute"}) for s in setup.specs)
        setup = replace(setup, specs=tuple(specs))
    try:
        one = trial(setup, calm)
        other = trial(setup, calm, order=-1) if law == "order" else trial(setup, calm, twice=True)
    except Breach:
        return  # a law of one run, found elsewhere
    first, second = goldens(one), goldens(other)
    two_writers = {
        key for (key, name), edits in one.history.items() if name[:2] == "u " and len({e.platform for e in edits}) > 1
    }
    for place in first.keys() & second.keys():
        key, name = place
        if key in one.excluded | other.excluded or (name == "u" and key in two_writers):
            continue
        if first[place] != second[place]:
            raise Breach(f"{'L3' if law == 'order' else 'L4'}: {name} is {first[place]!r} or {second[place]!r}")


def goldens(world: World) -> dict[tuple[str, str], object]:
    """Return golden, as far as all that was last said is usable and no person is asked."""
    found: dict[tuple[str, str], object] = {}
    for record in world.daemon.ledger.records.values():
        rows = [r for p in world.platforms.values() for r in p.live(record.key)]
        found[record.key, "alive"] = record.tomb is None
        for name, golden in record.golden.items():
            unusable = any(r.values.get(name) in (None, BAD) for r in rows if name in r.values) or ends_badly(
                world, record.key, name
            )
            asked = any(n in record.conflicts for n in (name, name[0]))
            if not unusable and not asked and (record.key, name) not in world.blind:
                value = golden.value
                found[record.key, name] = frozenset(m.casefold() for m in value) if isinstance(value, list) else value
    return found


def ends_badly(world: World, key: str, name: str) -> bool:
    """Whether a platform's last edit was an empty or invalid value: then passing values count, and reading ahead skips them."""
    said = {e.platform: e.value for e in world.history.get((key, name), [])}
    return any(value in (None, BAD) for value in said.values())


# ---- shrinking


def shrink(setup: Setup, steps: list[Step], fails: Callable[[Setup, list[Step]], bool]) -> Program:
    """Return the smallest program found that still fails."""
    while True:
        smaller = next((p for p in smaller_ones(setup, steps) if fails(*p)), None)
        if smaller is None:
            return setup, steps
        setup, steps = smaller


def smaller_ones(setup: Setup, steps: list[Step]) -> Iterator[Program]:
    for size in (8, 4, 2, 1):
        for start in range(0, len(steps), size):
            yield setup, steps[:start] + steps[start + size :]
    for simpler in simpler_setups(setup, steps):
        yield simpler, [s for s in steps if s.name in simpler.fields or not s.name]


def simpler_setups(setup: Setup, steps: list[Step]) -> Iterator[Setup]:
    if len(setup.specs) > 2 and all(s.at < len(setup.specs) - 1 for s in steps):
        yield replace(setup, specs=setup.specs[:-1])
    for place, spec in enumerate(setup.specs):
        for simpler in simpler_specs(spec):
            yield replace(setup, specs=(*setup.specs[:place], simpler, *setup.specs[place + 1 :]))
    for name in [] if setup.mix else setup.fields:
        rest = tuple(n for n in setup.fields if n[0] != name[0])
        if rest:
            yield replace(setup, fields=rest)
    yield from simpler_mixes(setup)
    for option in ("strict", "clear"):
        if getattr(setup, option):
            yield replace(setup, **{option: False})


def simpler_mixes(setup: Setup) -> Iterator[Setup]:
    for name, rule in setup.mix:
        for simpler in simpler_rules(rule):
            yield replace(setup, mix=tuple((n, simpler if n == name else r) for n, r in setup.mix))
    for guard in sorted(setup.guards):
        yield replace(setup, guards=setup.guards - {guard})


def simpler_rules(rule: Rule) -> Iterator[Rule]:
    if rule != Rule("owner", ("a",)):
        yield Rule("owner", ("a",))
    if rule.freeze:
        yield rule._replace(freeze="")
    for place in range(len(rule.cases) - 1):
        yield rule._replace(cases=rule.cases[:place] + rule.cases[place + 1 :])
    if len(rule.cases) == 1:
        yield rule.cases[0][1]


def simpler_specs(spec: Spec) -> Iterator[Spec]:
    for trait in sorted(spec.traits):
        yield spec._replace(traits=spec.traits - {trait})
    for place, norm in enumerate(spec.norms):
        if norm != "plain":
            norms = list(spec.norms)
            norms[place] = "plain"
            yield spec._replace(norms=(norms[0], norms[1], norms[2], norms[3]))
    if spec.skew:
        yield spec._replace(skew=0)


def sort_of(error: BaseException) -> str:
    """Return what kind of failure it is, without the values in it."""
    text = str(error).split("'")[0].split(": golden")[0]
    return f"{type(error).__name__} {''.join(c for c in text if not c.isdigit() or text[0] == 'L')[:60]}"


def failure(run: Callable[[], object]) -> Exception | None:
    """Return what a run raises, if anything."""
    try:
        run()
    except Exception as error:
        return error
    return None
