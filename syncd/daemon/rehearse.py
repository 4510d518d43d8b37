"""Rule tests: each played through the core, confronted with what it expects, and put to three checks that nobody writes down.

The same result must come when the platforms are read in another order and when everything is done twice, and once what was
planned is written, nothing may be left to write.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice, permutations

from syncd.config.ruletest import Given, RuleTest
from syncd.core.dependencies import rules_in
from syncd.core.held import truth_of
from syncd.core.model import Op, Value
from syncd.core.rules import Entity, Field, Rules
from syncd.daemon.confront import Difference, confront, fields_at, flat, same, shown
from syncd.daemon.enact import Stage, Told, Unplayable
from syncd.daemon.outcome import Outcome, outcome_of
from syncd.daemon.touched import Ran, touched

MOST_ORDERS = 24  # of platforms that are tried


@dataclass(frozen=True, slots=True)
class Result:
    """What came of one test. ``ran``: the rules that it ran. ``heard``: what the platforms said, by field."""

    test: RuleTest
    got: Outcome
    differences: tuple[Difference, ...]
    ran: frozenset[Ran]
    heard: Mapping[str, tuple[Value, ...]]

    @property
    def ok(self) -> bool:
        """Whether everything is as expected."""
        return not self.differences


def rehearse(rules: Rules, tests: Iterable[RuleTest]) -> list[Result]:
    """Return what came of each test, in their order."""
    return [rehearse_one(rules, test) for test in tests]


def rehearse_one(rules: Rules, test: RuleTest) -> Result:
    """Return what came of one test; one whose values do not fit together failed."""
    try:
        return rehearsed(rules, test)
    except Unplayable as error:
        return Result(test, Outcome(), (Difference("given", "values that fit together", str(error)),), frozenset(), {})


def rehearsed(rules: Rules, test: RuleTest) -> Result:
    """Return what came of one test. Raises Unplayable."""
    entity = rules.entities[test.entity]
    stage, told, got = play(rules, test, test.given)
    ran, heard = touched(stage, test), heard_by(stage)
    found = [*confront(test.expect, got, entity), *in_any_order(rules, test, stage, got), *twice(rules, test, stage, got)]
    return Result(test, got, (*found, *second_pass(stage, told)), ran, heard)


def heard_by(stage: Stage) -> dict[str, tuple[Value, ...]]:
    """Return the values that platforms hold in each field, as last read."""
    found: dict[str, tuple[Value, ...]] = {}
    for record in stage.space.records.values():
        for shadow in record.shadows.values():
            for name, known in shadow.fields.items():
                found[name] = (*found.get(name, ()), known.means)
    return found


def play(rules: Rules, test: RuleTest, given: Iterable[Given]) -> tuple[Stage, list[Told], Outcome]:
    """Play a test with what is given in this order; return the stage, what would be told, and what came of it."""
    stage = Stage(rules, test)
    stage.play(given)
    told = stage.told()
    return stage, told, outcome_of(stage, told)


# ---- the same in any order


def in_any_order(rules: Rules, test: RuleTest, stage: Stage, got: Outcome) -> Iterator[Difference]:
    """Yield a difference if another order of the platforms gives another result.

    What one platform says several times stays in its order. Fields whose very rule makes the order matter are not asked, nor is
    a test in which something is deleted: an edit before the end of a record is another history than one after it.
    """
    if any(one.gone for one in test.given):
        return
    wanted = by_field(stage.entity, got)
    for order in orders(test.given):
        other_stage, _, other = play(rules, test, order)
        free = exempt(stage, test) | exempt(other_stage, test)
        names = ", ".join(dict.fromkeys(one.platform for one in order))
        there = by_field(stage.entity, other)
        for name in stage.entity.fields:
            if name not in free and not same_result(wanted.get(name), there.get(name)):
                yield Difference("any order", describe(name, wanted), f"{describe(name, there)} when read as {names}", (name,))
                return


def orders(given: tuple[Given, ...]) -> Iterator[tuple[Given, ...]]:
    """Yield the other orders of what is given, as many as can be tried."""
    platforms = list(dict.fromkeys(one.platform for one in given))
    for order in islice(permutations(platforms), 1, MOST_ORDERS):
        yield tuple(sorted(given, key=lambda one: order.index(one.platform)))


End = tuple[Value, dict[str, Value], bool]  # golden, what is written where, whether it waits for a person
Results = Mapping[str, End]


def by_field(entity: Entity, got: Outcome) -> Results:
    """Return golden, what is written where, and whether it waits for a person, by field."""
    written: dict[str, dict[str, Value]] = {}
    for (platform, path), native in flat(got.writes).items():
        for name in fields_at(entity, platform, path):
            written.setdefault(name, {})[platform] = native
    return {
        name: (got.golden.get(name), written.get(name, {}), name in got.conflicts or field.group in got.conflicts)
        for name, field in entity.fields.items()
    }


def same_result(one: End | None, other: End | None) -> bool:
    """Return whether a field ended in the same way. What waits for a person may stand as whoever came first left it."""
    if one is not None and other is not None and one[2] and other[2]:
        return True
    return same(list(one or ()), list(other or ()))


def describe(name: str, results: Results) -> str:
    """Return how a field ended."""
    golden, written, waits = results[name]
    says = [f"{name} = {shown(golden)}", *(["in conflict"] if waits else [])]
    return ", ".join([*says, *(f"{platform} {shown(native)}" for platform, native in written.items())])


def exempt(stage: Stage, test: RuleTest) -> set[str]:
    """Return the fields whose rule makes the order matter: what golden was in between decides, or which edit came first."""
    spoken = [one.platform for one in test.given]
    again = len(spoken) != len(set(spoken))
    kept = {stray.field for stray in stage.strays if stray.action != "revert"}
    return {f.name for f in stage.entity.fields.values() if f.name in kept or is_exempt(stage.entity, f, again=again)}


def is_exempt(entity: Entity, field: Field, *, again: bool) -> bool:
    """Return whether the intermediate values of a field count, or that a platform said several things of a set."""
    leaves = list(rules_in(truth_of(entity, field)))
    return (
        field.max_step is not None
        or any(one.freeze is not None or one.if_invalid == "keep" for one in leaves)
        or (again and field.type.is_set)
    )


# ---- twice, and once more


def twice(rules: Rules, test: RuleTest, stage: Stage, got: Outcome) -> Iterator[Difference]:
    """Yield a difference if the same test, done again from its base, comes to anything else."""
    again, _, other = play(rules, test, test.given)
    if other != got or again.space.decisions != stage.space.decisions:
        yield Difference("run twice", "the same result", "another one: something in the rules is not decided by its inputs")


def second_pass(stage: Stage, told: list[Told]) -> Iterator[Difference]:
    """Yield a difference for each thing that is still to be written once everything was written.

    It cannot be tried where a thing would be made beside a stranger: a platform of a test has one thing.
    """
    made = [one.platform for one in told if one.plan.write is not None and one.plan.write.op is Op.CREATE]
    if any(stage.items[platform] is not None for platform in made):
        return
    stage.deliver(told)
    for one in stage.told():
        if one.plan.write is None:
            continue
        said = ", ".join(f"{path} = {shown(native)}" for path, native in one.values.items()) or one.plan.write.op.value
        names = tuple(one.plan.write.sent)
        yield Difference("second pass", "nothing to write", f"{one.platform} {said} again", names)
