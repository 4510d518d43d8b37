"""Freezes in their four forms: golden stands, what is said later is shown and kept, and nothing is decided about it."""

import pytest

from syncd.core.drift import Place, Why, compare
from syncd.core.mapping import read_item
from syncd.core.model import SECOND
from syncd.core.rules import Freeze
from tests.core.desk import a_field, a_member, desk, owner, rule
from tests.core.rule_words import cases, const, formula, frozen_when

ALWAYS = Freeze("always")
FIRST = Freeze("after_first")


def freezing(freeze, how=None, **options):
    truth = how(freeze) if how else owner("a", freeze=freeze)
    return desk(a_field(truth=truth, **options), members=(a_member("b", raws=("published",)),))


def strays(d):
    return [(s.platform, s.value, s.action) for decision in d.space.decisions for s in decision.strays]


@pytest.mark.parametrize("freeze", [ALWAYS, FIRST, Freeze("until", until=10**15), frozen_when("b.raw.published != null")])
def test_golden_stands_and_what_is_said_later_is_shown_and_kept(freeze):
    d = freezing(freeze)
    d.look("b", f="x", published="2026-01-01")
    d.look("a", f="x")
    d.look("a", f="y")
    assert d.golden() == "x"
    assert strays(d) == [("a", "y", "keep")]
    assert d.sent("a") == {}
    assert d.plan("a").held == {"f": "stray edit kept"}
    d.revise()
    assert (d.golden(), d.why()) == ("x", "")


@pytest.mark.parametrize(
    ("freeze", "value", "after"),
    [(ALWAYS, None, "y"), (FIRST, None, "y"), (ALWAYS, "x", "x"), (FIRST, "x", "x")],
)
def test_what_nobody_has_said_is_not_frozen(freeze, value, after):
    d = freezing(freeze)
    d.look("a", f=value)
    d.look("a", f="y")
    assert d.golden() == after


def test_what_is_only_provisional_is_not_frozen():
    d = freezing(ALWAYS)
    d.look("b", f="early")
    d.look("a", f="x")
    assert d.golden() == "x"
    d.look("a", f="y")
    assert d.golden() == "x"


def test_after_first_lets_a_first_value_come_where_golden_was_cleared():
    d = freezing(None, lambda _: owner("a", if_null="clear"))
    d.look("a", f="x")
    d.look("a", f=None)
    assert d.golden() is None
    d.rules(fields=d.entity.fields | {"f": a_field(truth=owner("a", freeze=FIRST))})
    d.look("a", f="y")
    d.look("a", f="z")
    assert d.golden() == "y"


def test_until_ends_at_its_moment_and_the_edit_then_counts():
    d = freezing(Freeze("until", until=2000 * SECOND))
    d.look("a", f="x")
    d.look("a", f="y")
    assert d.golden() == "x"
    d.space.now = 2000 * SECOND
    d.revise()
    assert d.golden() == "y"


def test_when_holds_as_long_as_it_is_true():
    d = freezing(frozen_when("b.raw.published != null"))
    d.look("a", f="x")
    d.look("b", f="x", published="now")
    d.look("a", f="y")
    assert d.golden() == "x"
    d.look("b", f="x", published=None)
    assert d.golden() == "y"


def test_a_freeze_may_read_its_own_field():
    d = freezing(Freeze("when", when=formula("golden.f == 'final'")))
    d.look("a", f="draft")
    d.look("a", f="final")
    d.look("a", f="draft")
    assert d.golden() == "final"


def test_a_freeze_that_cannot_be_told_holds():
    d = freezing(frozen_when("b.raw.published > 3"))
    d.look("a", f="x")
    d.look("b", f="x", published="text")
    d.look("a", f="y")
    assert 'freeze "b.raw.published > 3" cannot be told' in d.why()
    assert d.golden() == "x"


@pytest.mark.parametrize("policy", ["revert", "keep", "review"])
def test_the_policy_for_strays_may_ask_a_person(policy):
    d = freezing(ALWAYS, stray={"a": policy})
    d.look("a", f="x")
    d.look("a", f="y")
    assert strays(d) == [("a", "y", "review" if policy == "review" else "keep")]
    assert bool(d.why()) == (policy == "review")


@pytest.mark.parametrize("how", ["priority", "newest", "longest", "manual"])
def test_every_rule_can_be_frozen_and_asks_nobody_then(how):
    d = freezing(ALWAYS, lambda freeze: rule(how, "a", "b", freeze=freeze))
    d.look("a", f="x")
    d.space.now += 60 * SECOND
    d.look("b", f="yyy")
    assert (d.golden(), d.why()) == ("x", "")


def test_a_frozen_blank_and_a_frozen_invalid_change_nothing():
    d = freezing(ALWAYS, lambda freeze: owner("a", freeze=freeze, if_null="clear"))
    d.look("a", f="x")
    d.look("a", f=None)
    assert (d.golden(), strays(d)) == ("x", [("a", None, "keep")])
    d.look("a", f=7)
    assert (d.golden(), d.why()) == ("x", "")


@pytest.mark.parametrize(
    ("how", "kind", "one", "other"), [("union", "set(string)", ["a"], ["a", "b"]), ("delta", "integer", 5, 7)]
)
def test_sets_and_counters_are_frozen_too(how, kind, one, other):
    d = desk(a_field("f", truth=rule(how, "a", "b", freeze=ALWAYS), kind=kind, equal="set" if "set" in kind else "exact"))
    d.look("a", f=one)
    assert d.golden() == one
    d.look("a", f=other)
    assert (d.golden(), strays(d)) == (one, [("a", other, "keep")])
    assert d.sent("a") == {}


def test_drift_shows_what_a_freeze_keeps():
    d = freezing(ALWAYS)
    d.look("a", f="x")
    d.look("a", f="y")
    place = Place(d.space, d.entity, d.entity.members["a"], d.record)
    (kept,) = compare(place, read_item(d.entity, "a", {"k": "K", "f": "y"}))
    assert (kept.why, kept.found, kept.action, kept.note) == (Why.STRAY, "y", None, "frozen")
    (new,) = compare(place, read_item(d.entity, "a", {"k": "K", "f": "z"}))
    assert (new.why, new.found, new.action) == (Why.STRAY, "z", None)


def test_only_the_case_that_is_frozen_is():
    truth = cases(("b.raw.published != null", owner("a", freeze=ALWAYS)), owner("a"))
    d = desk(a_field(truth=truth), members=(a_member("b", raws=("published",)),))
    d.look("a", f="x")
    d.look("a", f="y")
    assert d.golden() == "y"
    d.look("b", f="y", published="now")
    d.look("a", f="z")
    assert d.golden() == "y"


def test_a_constant_that_changes_does_not_thaw():
    d = desk(a_field(truth=const("one", freeze=ALWAYS)))
    d.look("a", f="x")
    d.revise()
    d.rules(fields=d.entity.fields | {"f": a_field(truth=const("two", freeze=ALWAYS))})
    d.revise()
    assert d.golden() == "one"
