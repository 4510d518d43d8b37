"""Bulk touches: an import gives all rows one time, which proves no edit; and clocks: their offsets, ticks and uncertainty."""

import pytest

from syncd.core.model import SECOND, Abilities
from syncd.core.recency import bulk_touch
from syncd.core.rederive import rederive
from syncd.core.rules import Group
from syncd.core.space import Touch
from tests.core.desk import Desk, a_field, a_member, desk, rule

AT = 5000 * SECOND
WORDS = "b: 5,000 of 9,000 rows touched within one second, recency suspended"


@pytest.mark.parametrize(
    ("times", "touch"),
    [
        ([AT] * 19, None),
        ([AT] * 20, Touch(AT, AT, 20, 20)),
        ([AT] * 10 + [n * SECOND for n in range(10)], None),
        ([AT] * 11 + [n * SECOND for n in range(9)], Touch(AT, AT, 11, 20)),
        ([AT + n * 50_000 for n in range(20)], Touch(AT, AT + 950_000, 20, 20)),
        ([AT + n * 60_000 for n in range(20)], Touch(AT, AT + 960_000, 17, 20)),
        ([AT + n * 200_000 for n in range(40)], None),
        ([AT + n * SECOND for n in range(5)] * 5, None),
    ],
)
def test_over_half_of_at_least_twenty_rows_within_one_second(times, touch):
    assert bulk_touch(times) == touch
    assert bulk_touch(reversed(times)) == touch


def touched(*, tie=(), first=("a", "b"), clocks=None, at=AT, **options):
    """Return a desk on which a said x, and an import gave b the value y at a later time."""
    d = desk(a_field("f", truth=rule("newest", "a", "b", tie=tie, skew=2 * SECOND, **options)))
    d.space.touches["b", "things"] = [Touch(AT, AT + SECOND // 2, 5000, 9000)]
    d.space.clocks |= clocks or {}
    for platform in first:
        when = AT - 3000 * SECOND if platform == "a" else at
        d.look(platform, f="x" if platform == "a" else "y", how={"changed_at": when})
    return d


@pytest.mark.parametrize("tie", [(), ("b", "a"), ("a", "b")])
@pytest.mark.parametrize("first", [("a", "b"), ("b", "a")])
def test_an_import_wins_against_nobody_in_whatever_order(tie, first):
    d = touched(tie=tie, first=first)
    assert (d.golden(), d.why()) == ("x", "")
    assert d.plan("b").held == {"f": WORDS}, "nor is it written over"


def test_without_a_touch_the_same_import_would_win():
    d = touched(at=AT + 10 * SECOND)
    assert d.golden() == "y"


def test_where_nobody_else_has_a_say_the_imported_value_is_taken():
    d = touched(first=("b",))
    assert d.golden() == "y"


def test_a_person_who_edits_after_the_import_is_the_newest_again():
    d = touched()
    d.look("b", f="z", how={"changed_at": AT + 60 * SECOND})
    assert (d.golden(), d.plan("b").held) == ("z", {})


def test_what_the_import_did_not_change_is_as_it_was():
    d = touched()
    d.look("b", f="x", how={"changed_at": AT})
    assert (d.golden(), d.plan("b").held) == ("x", {})


def test_two_imports_at_once_are_for_a_person_or_the_tie():
    for tie, golden in (((), None), (("b",), "y")):
        d = desk(a_field("f", truth=rule("newest", "a", "b", tie=tie)))
        for platform in ("a", "b"):
            d.space.touches[platform, "things"] = [Touch(AT, AT, 30, 30)]
        d.look("a", f="x", how={"changed_at": AT})
        d.look("b", f="y", how={"changed_at": AT})
        assert d.golden() == (golden or "x")
        assert bool(d.why()) == (golden is None)


def test_a_touch_found_after_the_decision_takes_it_back():
    d = touched()
    known = d.space.touches.pop(("b", "things"))
    d.revise()
    assert d.golden() == "y"
    d.space.touches["b", "things"] = known
    d.revise()
    assert d.golden() == "x"
    assert [problem for decision in d.space.decisions for problem in rederive(d.entity, decision)] == []


def test_other_rules_do_not_care():
    d = desk(a_field("f", truth=rule("priority", "b", "a")))
    d.space.touches["b", "things"] = [Touch(AT, AT, 30, 30)]
    d.look("a", f="x", how={"changed_at": AT - SECOND})
    d.look("b", f="y", how={"changed_at": AT})
    assert (d.golden(), d.plan("b").held) == ("y", {})


def test_a_group_with_newest_is_suspended_as_a_whole():
    fields = (a_field("street", group="address"), a_field("city", group="address"))
    d = Desk(*fields, groups=(Group("address", ("street", "city"), rule("newest", "a", "b")),))
    d.space.touches["b", "things"] = [Touch(AT, AT, 30, 30)]
    d.look("a", street="A", city="A", how={"changed_at": AT - 60 * SECOND})
    d.look("b", street="B", city="B", how={"changed_at": AT})
    assert (d.golden("street"), d.golden("city")) == ("A", "A")


# ---- clocks


@pytest.mark.parametrize(
    ("offset", "unsure", "tick", "golden"),
    [
        (0, 0, 1, "y"),
        (3 * SECOND, 0, 1, None),  # its clock is fast: the edit was earlier
        (-3 * SECOND, 0, 1, "y"),
        (0, 2 * SECOND, 1, None),
        (0, 0, 2 * SECOND, None),
    ],
)
def test_newest_corrects_by_the_offset_and_doubts_by_tick_and_uncertainty(offset, unsure, tick, golden):
    slow = a_member("b", Abilities(ordered=True, tick=tick))
    d = desk(a_field("f", truth=rule("newest", "a", "b", skew=2 * SECOND)), members=(slow,))
    d.space.clocks["b"] = (offset, unsure)
    d.look("a", f="x", how={"changed_at": 900 * SECOND})
    d.look("b", f="y", how={"changed_at": 903 * SECOND})
    assert (d.golden() if not d.why() else None) == golden


def test_a_touched_second_is_known_by_the_platforms_own_clock():
    d = touched(clocks={"b": (7 * SECOND, SECOND // 10)})
    assert d.known("b").hi == AT - 7 * SECOND
    assert (d.golden(), d.plan("b").held) == ("x", {"f": WORDS})
