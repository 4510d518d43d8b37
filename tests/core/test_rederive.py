"""Every decision derives again from its recorded inputs, bit for bit; one that was tampered with does not."""

import os
from contextlib import suppress
from dataclasses import asdict, replace
from functools import partial
from random import Random
from typing import Any

import orjson
import pytest

from syncd.core.model import SECOND, FieldChange
from syncd.core.rederive import rederive, rederive_with
from syncd.core.rules import Group
from syncd.core.space import Decision, Space, Stray
from tests.core.desk import Desk, a_field, desk, owner, rule
from tests.core.mixed_rules import Rule
from tests.core.programs import KINDS, Program, draw
from tests.core.ruled_desks import RULED
from tests.core.world import Setup, Step, World, start, story
from tests.core.world_daemon import Breach

PROGRAMS = int(os.environ.get("SYNCD_PROGRAMS", "300"))
SEED = int(os.environ.get("SYNCD_SEED", "20"))


def stored(decision: Decision) -> Decision:
    """Return a decision as a ledger keeps it: as JSON."""
    kept = orjson.loads(orjson.dumps(asdict(decision)))
    fields = [FieldChange(**one) for one in kept.pop("fields")]
    strays = [Stray(**one) for one in kept.pop("strays")]
    return Decision(**kept, fields=fields, strays=strays)


def watch(world: World) -> list[str]:
    """Have every decision of a world derived again as soon as it is committed; return what differs."""
    found: list[str] = []
    commit = world.daemon.commit

    def commit_and_derive(space: Space) -> None:
        for decision in space.decisions:
            record = space.records[decision.record]
            found.extend(rederive(space.rules.entities[record.entity], stored(decision)))
        commit(space)

    world.daemon.commit = commit_and_derive  # type: ignore[method-assign]
    return found


def run(setup: Setup, steps: list[Step]) -> None:
    world = start(setup)
    found = watch(world)
    with suppress(Breach):  # a broken law is found by the tests of the laws
        world.run(steps)
        world.rest()
    assert not found, f"{found[:3]}\n{story(setup, steps)}"


@pytest.mark.parametrize("kind", KINDS)
def test_every_decision_of_random_programs_derives_again(kind: str) -> None:
    for number in range(max(1, PROGRAMS // 8)):
        run(*draw(Random(f"{SEED} rederive {kind} {number}"), kind))


def with_stale_platforms(program: Program, random: Random) -> Program:
    """Return a program in which platforms are often stale, and are passed over then."""
    setup, steps = program
    mix = tuple((name, passing_over(one)) for name, one in setup.mix)
    late = [[Step("stale", random.randrange(len(setup.specs)))] if random.random() < 0.2 else [] for _ in steps]
    return replace(setup, mix=mix), [one for extra, step in zip(late, steps, strict=True) for one in (*extra, step)]


def passing_over(one: Rule) -> Rule:
    return one._replace(if_stale="next", cases=tuple((when, passing_over(case)) for when, case in one.cases))


def test_what_a_formula_passes_over_and_a_condition_does_not() -> None:
    for number in range(max(1, PROGRAMS // 4)):
        random = Random(f"{SEED} rederive stale {number}")
        run(*with_stale_platforms(draw(random, "mixed"), random))


# ---- one by one


def decisions(d: Desk) -> list[Decision]:
    return [stored(one) for one in d.space.decisions]


def tie() -> Desk:
    d = desk(a_field(truth=rule("newest", skew=5 * SECOND, tie=("b", "a"))))
    d.space.clocks["a"] = (0, 3 * SECOND)
    d.look("a", f="x")
    d.look("b", f="y")
    return d


def blank() -> Desk:
    d = desk(a_field(truth=owner(if_null="const", null_value="none")))
    d.look("a", f="x")
    d.look("a", f=None)
    return d


def cleared() -> Desk:
    d = desk(a_field(truth=owner(if_null="clear")))
    d.look("a", f="x")
    d.look("a", f=None)
    return d


def first_contact() -> Desk:
    d = desk(a_field())
    d.look("b", f="x")
    d.look("a", f="y")
    return d


def counter() -> Desk:
    d = desk(a_field(truth=rule("delta"), kind="integer"))
    d.look("b", f=10)
    d.look("a", f=12)
    d.look("b", f=9)
    return d


def members(how: str) -> Desk:
    d = desk(a_field(truth=rule(how), kind="set(string)", equal="casefold"))
    d.look("a", f=["r", "s"])
    d.look("b", f=["s", "T"])
    d.look("c", f=["s", "t"])
    d.look("a", f=["s", "t"])
    return d


def group() -> Desk:
    fields = a_field("street", group="address"), a_field("city", group="address")
    d = Desk(*fields, groups=(Group("address", ("street", "city"), rule("newest", "a", "b")),))
    d.look("a", street="A street", city="City")
    d.space.now += 60 * SECOND
    d.look("b", street="B street", city="City")
    return d


def stray() -> Desk:
    d = desk(a_field())
    d.look("a", f="x")
    d.look("b", f="y")
    return d


def total() -> Desk:
    d = desk(a_field(truth=rule("sum"), kind="decimal(2)"))
    d.look("a", f="1.10")
    d.look("b", f="2.20")
    return d


MADE = {
    "tie": tie,
    "constant for a blank": blank,
    "cleared": cleared,
    "first contact": first_contact,
    "counter": counter,
    "union": partial(members, "union"),
    "intersection": partial(members, "intersection"),
    "group": group,
    "stray edit": stray,
    "sum": total,
    **RULED,
}


@pytest.mark.parametrize("made", MADE.values(), ids=MADE)
def test_a_decision_derives_again(made: Any) -> None:
    d = made()
    assert len(d.space.decisions) >= 2
    for decision in decisions(d):
        assert rederive(d.space.rules.entities[d.space.records[decision.record].entity], decision) == []


@pytest.mark.parametrize("made", MADE.values(), ids=MADE)
def test_one_that_was_tampered_with_is_found(made: Any) -> None:
    d = made()
    for decision in decisions(d):
        for n, change in enumerate(decision.fields):
            said = "person" in change.given  # the value itself is the input: only the ledger's seal proves it
            for wrong in (*([] if said else [replace(change, after="?")]), replace(change, why="?"), replace(change, who="?")):
                decision.fields[n] = wrong
                assert rederive(d.entity, decision), wrong
            decision.fields[n] = change
        for n, one in enumerate(decision.strays):
            decision.strays[n] = replace(one, action="keep" if one.action != "keep" else "lost")
            assert rederive(d.entity, decision)


@pytest.mark.parametrize(
    ("made", "truth", "after"),
    [
        (tie, rule("newest", skew=5 * SECOND, tie=("a", "b")), "x"),
        (tie, owner("b"), None),
        (tie, owner("a"), "x"),
        (first_contact, owner("b"), "x"),
        (blank, owner(if_null="keep"), "x"),
    ],
)
def test_other_rules_say_what_they_would_have_made_of_it(made: Any, truth: Any, after: Any) -> None:
    d = made()
    fields = d.entity.fields | {"f": replace(d.entity.fields["f"], truth=truth)}
    last = [one for one in decisions(d) if any(change.name == "f" for change in one.fields)][-1]
    found = rederive_with(replace(d.entity, fields=fields), last)
    assert [change.after for change in found] == ([] if after is None else [after])
