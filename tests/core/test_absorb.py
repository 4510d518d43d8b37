"""The shadow becomes the look: raw, means and word; times; counters and sets."""

import pytest

from syncd.core.absorb import Times, record_time
from syncd.core.checks import parse_checks
from syncd.core.model import SECOND, Abilities, Change, Known, Via, Word
from syncd.core.rules import FieldMap
from syncd.core.values import parse_type
from tests.core.desk import a_field, a_member, desk, rule

PLAIN = {"version": None}


def times(d, platform="a", name="f"):
    known = d.known(platform, name)
    return known.lo, known.hi


# ---- what


def test_a_value_is_the_platforms_own_word():
    d = desk()
    d.look("a", how={"by": "jo"}, f="x")
    known = d.known("a")
    assert (known.raw, known.means, known.word, known.known, known.by) == ("x", "x", Word.OWN, Known.OK, "jo")


def test_null_is_a_word_and_absence_is_none():
    d = desk()
    d.look("a", f="x")
    d.look("a")
    assert d.known("a").raw == "x"
    d.look("a", f=None)
    assert (d.known("a").known, d.known("a").raw, d.known("a").cleared, d.golden()) == (Known.NULL, None, True, "x")
    d.look("a", f=None)
    assert d.known("a").cleared


def test_a_null_at_first_contact_was_not_cleared():
    d = desk()
    d.look("a", f=None)
    assert (d.known("a").known, d.known("a").cleared) == (Known.NULL, False)


def test_invalid_keeps_the_last_good_value_and_its_time():
    d = desk()
    d.look("a", f="x")
    before = times(d)
    d.look("a", f=7)
    assert (d.known("a").known, d.known("a").raw, d.known("a").reason) == (Known.INVALID, "x", "7 is a number, not text")
    d.look("a", f="x")
    assert (d.known("a").known, d.known("a").reason, times(d)) == (Known.OK, "", before)
    d.look("a", f=None)
    d.look("a", f=7)
    d.look("a", f=None)
    assert d.known("a").known is Known.NULL


def test_what_was_made_of_our_write_is_not_checked_again():
    checks = parse_checks({"min_length": 3}, parse_type("string")).checks
    d = desk(a_field(checks=checks))
    d.look("a", f="xyz")
    d.look("b", f="xyz")
    d.look("a", f="long")
    d.answer("b", f="lo")
    assert d.known("b").raw == "lo"
    d.look("b", f="lo")
    assert d.known("b").known is Known.OK
    d.look("b", f="no")
    assert d.known("b").known is Known.INVALID


def test_an_own_word_is_checked_again():
    d = desk()
    d.look("a", f="x")
    checks = parse_checks({"min_length": 3}, parse_type("string")).checks
    d.rules(fields=d.entity.fields | {"f": a_field(checks=checks)})
    d.look("a", f="x")
    assert d.known("a").known is Known.INVALID


def test_true_is_not_one():
    d = desk(a_field(kind="json"))
    d.look("a", f=[1])
    assert d.look("a", f=[True]).record == 1
    assert d.golden() == [True]


# ---- when


def at(d, seconds):
    return d.space.now + seconds * SECOND


def test_a_first_look_and_the_very_next_version_are_exact():
    d = desk()
    d.look("a", f="x")
    first = d.space.now
    assert times(d) == (first, first)
    d.look("a", f="y")
    assert times(d) == (d.space.now, d.space.now)


def test_otherwise_an_edit_lies_between_two_looks():
    d = desk(members=(a_member("a", Abilities()),))
    d.look("a", how={**PLAIN, "changed_at": 10}, f="x")
    d.look("a", how={**PLAIN, "changed_at": 50}, f="y")
    assert times(d) == (10, 50)
    d.look("a", how={**PLAIN, "changed_at": 20}, f="z")
    assert times(d) == (20, 20)


def test_without_times_an_edit_lies_between_our_looks():
    d = desk(members=(a_member("a", Abilities(timed=False)),))
    untimed = {**PLAIN, "changed_at": None}
    d.look("a", how=untimed, f="x")
    first = d.space.now
    assert times(d) == (0, first)
    d.look("a", how=untimed, f="y")
    assert times(d) == (first, d.space.now)
    assert d.record.shadows["a"].changed_at is None


def test_times_of_single_fields_are_exact_and_corrected_by_the_clock():
    d = desk(a_field(), a_field("g"))
    d.space.clocks["a"] = (5, 0)
    d.look("a", how={"changed_at": 100, "times": {"f": 60}}, f="x", g="x")
    assert (times(d), times(d, name="g")) == ((55, 55), (95, 95))


def test_after_our_own_write_nothing_is_exact():
    d = desk(a_field(), a_field("g"))
    d.look("a", f="x", g="x")
    d.look("b", f="x", g="x")
    before = d.space.now
    d.look("a", f="y", g="x")
    d.answer("b", g="theirs")
    assert times(d, "b", "g") == (before, d.space.now)


def test_the_clockwork_can_be_asked_alone():
    d = desk(a_field(maps={"a": FieldMap("deep.f", ("deep", "f"))}))
    change = Change("a", "things", "A", Via.READ, 1, 70, {}, changed_at=None, times={"deep.f": 9})
    assert record_time(change, 5) == 70
    assert Times(change, d.entity, 0, 3, sharp=False).of("f") == (9, 9)
    assert Times(change, d.entity, 0, 3, sharp=False).of("k") == (3, 70)


def test_a_look_without_version_keeps_it_only_if_it_shows_nothing_new():
    d = desk()
    d.look("a", how={"version": 4}, f="x")
    d.look("a", how=PLAIN, f="x")
    assert d.record.shadows["a"].version == 4
    d.look("a", how=PLAIN, f="y")
    assert d.record.shadows["a"].version is None


# ---- counters

COUNT = a_field(kind="integer", truth=rule("delta", "a", "b"))


def test_differences_are_counted_and_first_contact_adds_nothing():
    d = desk(COUNT)
    d.look("a", f=10)
    d.look("b", f=10)
    assert d.golden() == 10
    d.look("a", f=7)
    d.look("b", f=12)
    assert (d.golden(), d.golden_field().who) == (9, "b")


def test_the_number_to_start_from_is_that_of_the_first_in_the_rule():
    d = desk(COUNT)
    d.look("b", f=4)
    d.look("b", f=5)
    assert d.golden_field().seed == (1, 4)
    d.look("a", f=10)
    assert (d.golden(), d.golden_field().seed) == (11, (0, 10))
    d.look("b", f=5)
    assert d.golden() == 11


def test_a_worse_seed_and_a_known_platform_change_nothing():
    d = desk(COUNT)
    d.look("a", f=10)
    d.look("b", f=4)
    assert d.golden() == 10
    d.known("a").base = d.known("b").base = None
    d.look("b", f=9)
    d.look("a", f=1)
    assert (d.golden(), d.known("a").base, d.known("b").base) == (10, 1, 9)


def test_null_and_invalid_count_nothing():
    d = desk(COUNT)
    d.look("a", f=10)
    d.look("a", f=None)
    assert (d.golden(), d.known("a").base, d.known("a").known) == (10, 10, Known.NULL)
    d.look("a", f="?")
    d.look("a", f=12)
    assert d.golden() == 12


def test_what_a_platform_outside_the_rule_says_is_stray():
    d = desk(COUNT)
    d.look("a", f=10)
    d.look("c", f=99)
    assert (d.golden(), d.known("c").base) == (10, 99)


def test_decimals_count_exactly():
    d = desk(a_field(kind="decimal(2)", truth=rule("delta", "a")))
    d.look("a", f="0.10")
    d.look("a", f="0.30")
    assert d.golden() == "0.30"


def test_a_counter_of_decimals_starts_again_where_its_base_was_dropped():
    d = desk(a_field(kind="decimal(2)", truth=rule("delta", "a")))
    d.look("a", f="0.10")
    d.known("a").base = None
    d.look("a", f="0.10")
    assert (d.golden(), d.known("a").base) == ("0.10", "0.10")


# ---- sets


def tags(how="union", *platforms, equal="exact", **options):
    return a_field(kind="set(string)", truth=rule(how, *(platforms or ("a", "b")), **options), equal=equal)


def test_members_are_added_and_removed_against_a_platforms_own_last_state():
    d = desk(tags())
    d.look("a", f=["r", "s"])
    d.look("b", f=["s", "t"])
    assert d.golden() == ["r", "s", "t"]
    d.look("b", f=["t"])
    assert d.golden() == ["r", "t"]
    d.look("a", f=["r", "s"])
    assert d.golden() == ["r", "t"]


def test_removals_can_be_ignored():
    d = desk(tags(removals=False))
    d.look("a", f=["r", "s"])
    d.look("a", f=["r"])
    assert d.golden() == ["r", "s"]


def test_members_are_compared_under_equal():
    d = desk(tags(equal="casefold"))
    d.look("a", f=["red"])
    d.look("b", f=["RED", "Blue"])
    assert d.golden() == ["Blue", "red"]
    d.look("b", f=["blue"])
    assert d.golden() == ["Blue"]


def test_an_emptied_set_is_a_value_and_a_null_one_says_nothing():
    d = desk(tags())
    d.look("a", f=["r"])
    d.look("a", f=None)
    assert d.golden() == ["r"]
    d.look("a", f=None)
    d.look("a", f=["r"])
    assert (d.golden(), d.known("a").known) == (["r"], Known.OK)
    d.look("a", f=[])
    assert d.golden() == []


def test_an_intersection_needs_all_and_loses_by_one():
    d = desk(tags("intersection", "a", "b", "c"))
    d.look("a", f=["r", "s", "t"])
    assert d.golden() == ["r", "s", "t"]
    d.look("b", f=["s", "t", "u"])
    assert d.golden() == ["s", "t"]
    d.look("a", f=["s", "u"])
    assert d.golden() == ["s", "u"]
    d.look("c", f=["s"])
    assert d.golden() == ["s"]
    d.look("c", f=["s", "u"])
    assert d.golden() == ["s", "u"]


def test_rows_that_are_gone_have_no_part_in_an_intersection():
    d = desk(tags("intersection", "a", "b"))
    d.look("a", f=["r"])
    d.look("b", f=["r"])
    d.gone("a")
    d.look("b", f=["r", "s"])
    assert d.golden() == ["r", "s"]


def respelt(*members):
    """Return a desk on which b holds what it made of the members that we sent."""
    d = desk(tags())
    d.look("a", f=[])
    d.look("b", f=[])
    d.look("a", f=list(members))
    d.answer("b", f=sorted(m[:2] for m in members))
    return d


@pytest.mark.parametrize(
    ("left", "golden", "asked"),
    [
        (["bl", "re"], ["blue", "red"], False),
        ([], [], False),
        (["bl"], ["blue", "red"], True),
        (["bl", "new", "re"], ["blue", "new", "red"], False),
    ],
)
def test_of_members_spelt_in_another_way_only_all_can_be_told(left, golden, asked):
    d = respelt("red", "blue")
    d.look("b", f=left)
    assert (d.golden(), bool(d.why())) == (golden, asked)


def test_nothing_is_unclear_where_a_set_is_emptied_by_null():
    d = respelt("red", "blue")
    d.look("b", f=None)
    assert (d.golden(), d.why()) == (["blue", "red"], "")
