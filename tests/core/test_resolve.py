"""What follows from a ruling: golden, conflicts, and what stands before the rule: a person's word, wars, reviews, jumps."""

import pytest

from syncd.core.model import SECOND, Abilities, GoldenField, Word
from syncd.core.resolve import WAR_WINDOW
from syncd.core.rules import Group
from syncd.core.subject import subjects
from tests.core.desk import Desk, a_field, a_member, desk, owner, rule


def test_a_conflict_opens_with_all_values_is_kept_up_to_date_and_closes_by_itself():
    d = desk(a_field(truth=rule("newest", skew=5 * SECOND)))
    d.look("a", f="x")
    d.look("b", f="y")
    first = d.record.conflicts["f"]
    assert (first.kind, first.values, d.golden()) == ("value", {"a": "x", "b": "y"}, "x")
    first.id = 7
    d.look("c", f="z")
    now = d.record.conflicts["f"]
    assert (now.id, now.opened_at, now.values) == (7, first.opened_at, {"a": "x", "b": "y", "c": "z"})
    d.space.now += 60 * SECOND
    d.look("b", f="w")
    assert (d.why(), d.golden()) == ("", "w")


def test_margins_add_skew_tick_and_uncertainty():
    slow = a_member("b", Abilities(ordered=True, tick=10 * SECOND))
    d = desk(a_field(truth=rule("newest", "a", "b", skew=2 * SECOND)), members=(slow,))
    d.space.clocks["a"] = (0, 3 * SECOND)
    d.look("a", f="x")
    d.space.now += 13 * SECOND
    d.look("b", f="y")
    assert "15 s" in d.why()
    d.space.now += 1 * SECOND
    d.look("b", f="z")
    assert (d.why(), d.golden()) == ("", "z")


# ---- groups

STREET = a_field("street", group="address")
CITY = a_field("city", group="address")


def address(truth=None, *more):
    truth = truth or rule("newest", "a", "b")
    return Desk(STREET, CITY, *more, groups=(Group("address", ("street", "city"), truth),))


def held(d):
    return d.golden("street"), d.golden("city")


def test_a_group_wins_as_a_whole():
    d = address()
    d.look("a", street="A street", city="A city")
    d.space.now += 60 * SECOND
    d.look("b", street="B street", city="B city")
    d.space.now += 60 * SECOND
    d.look("a", street="A street 2", city="A city")
    assert held(d) == ("A street 2", "A city")


def test_an_empty_member_of_a_winning_group_wins_and_an_empty_group_says_nothing():
    d = address()
    d.look("a", street="A street", city="A city")
    d.look("a", street="A street", city=None)
    assert held(d) == ("A street", None)
    d.look("a", street=None, city=None)
    assert held(d) == ("A street", None)


def test_one_invalid_member_holds_the_group():
    d = address(rule("newest", "a", "b"))
    d.look("a", street="A street", city="A city")
    d.look("b", street="B street", city=7)
    assert "7 is a number" in d.record.conflicts["address"].why
    assert d.plan("c").need or d.sent("c").get("street") is None


def test_a_group_that_was_not_read_whole_says_nothing():
    d = address()
    d.look("a", street="A street")
    assert held(d) == (None, None)


def test_merging_groups_ranks_them_member_by_member():
    d = address(rule("max", "a", "b"))
    d.look("a", street="A", city="B")
    d.look("b", street="A", city=None)
    assert held(d) == ("A", "B")


def test_a_group_can_be_cleared():
    d = address(owner(if_null="clear"))
    d.look("a", street="A street", city="A city")
    d.look("a", street=None, city=None)
    assert held(d) == (None, None)
    d.record.golden.pop("city")
    d.revise()
    assert held(d) == (None, None)


def test_a_constant_null_empties_every_member():
    d = address(rule("const"))
    d.look("a", street="A street", city="A city")
    assert held(d) == (None, None)


def test_subjects_are_made_once_and_ask_only_who_is_mapped_and_read():
    d = Desk(
        STREET, CITY, a_field(way={"b": "out"}, platforms=("a", "b")), groups=(Group("address", ("street", "city"), owner()),)
    )
    found = subjects(d.entity)
    assert found is subjects(d.entity)
    assert found["street"] is found["city"]
    assert found["f"].speakers == ("a",)


# ---- merges by their types


def test_sums_and_ranks_of_numbers_are_exact():
    d = desk(a_field("low", rule("min"), "decimal(2)"), a_field("sum", rule("sum"), "decimal(2)"))
    d.look("a", low="10.00", sum="0.10")
    d.look("b", low="9.00", sum="0.20")
    assert (d.golden("low"), d.golden("sum")) == ("9.00", "0.30")


# ---- a person's word


def ruled_desk():
    d = desk(a_field(truth=rule("newest", skew=5 * SECOND)))
    d.look("a", f="x")
    d.look("b", f="y")
    d.record.golden["f"] = GoldenField("y", d.space.now, d.space.now, "person", ruled={"a": "x", "b": "y"})
    d.revise()
    return d


def test_a_persons_ruling_stands_until_one_of_its_words_changes():
    d = ruled_desk()
    assert (d.why(), d.golden()) == ("", "y")
    d.look("a", f="x")
    assert d.golden_field().ruled is not None
    d.space.now += 60 * SECOND
    d.look("a", f="z")
    assert (d.golden(), d.golden_field().ruled) == ("z", None)


def test_a_new_voice_ends_a_ruling():
    d = ruled_desk()
    d.space.now += 60 * SECOND
    d.look("c", f="z")
    assert d.golden() == "z"


# ---- stray edits, reviews and wars


def test_a_stray_edit_is_reverted_kept_or_reviewed():
    d = desk(
        a_field("put_back"),
        a_field("kept", stray={"b": "keep"}),
        a_field("asked", stray={"b": "review"}),
    )
    values = {"put_back": "x", "kept": "x", "asked": "x"}
    d.look("a", **values)
    d.look("b", **values)
    d.look("b", how={"by": "jo"}, put_back="y", kept="y", asked="y")
    assert d.sent("b") == {"put_back": "x"}
    assert d.plan("b").held == {"kept": "stray edit kept", "asked": "in conflict"}
    assert d.why("asked") == "stray edit in b waits for a person"
    assert [(s.field, s.action, s.by) for s in d.space.decisions[-1].strays] == [
        ("put_back", "revert", "jo"),
        ("kept", "keep", "jo"),
        ("asked", "review", "jo"),
    ]


def test_a_review_ends_when_golden_moves_or_the_edit_goes():
    d = desk(a_field(stray={"b": "review"}))
    d.look("a", f="x")
    d.look("b", f="x")
    d.look("b", f="y")
    assert d.why()
    d.look("b", f="x")
    assert not d.why()
    d.look("b", f="y")
    d.look("a", f="z")
    assert (d.why(), d.golden(), d.sent("b")) == ("", "z", {"f": "z"})


def test_only_overwriting_our_own_value_three_times_is_a_war():
    d = desk()
    d.look("a", f="x")
    d.look("b", f="x")
    for times in range(3):
        d.look("b", f="theirs")
        assert d.known("b").flips == times
        d.answer("b")
        assert d.known("b").word is Word.OURS
    d.look("b", f="theirs")
    assert d.why() == "b overwrote our value 3 times: revert war"
    assert d.plan("b").held == {"f": "in conflict"}
    d.space.now += WAR_WINDOW
    d.look("b", f="theirs again")
    assert not d.why()


def test_wars_long_ago_are_forgotten():
    d = desk()
    d.look("a", f="x")
    d.look("b", f="x")
    for _ in range(4):
        d.look("b", f="theirs")
        d.answer("b")
        d.space.now += WAR_WINDOW // 2 + SECOND
    assert not d.why()


def test_a_source_that_loses_its_vote_is_stray_and_a_blank_one_is_not():
    d = desk(a_field(truth=rule("priority", "a", "b", if_null="next")))
    d.look("a", f="x")
    d.look("b", f="y")
    assert d.space.decisions[-1].strays[0].value == "y"
    d.look("b", f=None)
    assert not d.space.decisions[-1].strays or d.space.decisions[-1].strays[0].value == "y"


# ---- jumps


@pytest.mark.parametrize(
    ("kind", "before", "after", "held"),
    [
        ("decimal(2)", "10.00", "13.00", False),
        ("decimal(2)", "10.00", "13.01", True),
        ("decimal(2)", "10.00", "6.99", True),
        ("integer", 0, 500, False),
        ("integer", -10, -14, True),
    ],
)
def test_a_jump_waits_for_a_person(kind, before, after, held):
    d = desk(a_field(kind=kind, max_step=0.3))
    d.look("a", f=before)
    d.look("a", f=after)
    assert bool(d.why()) is held
    assert (d.golden() == before) is held
    if held:
        assert d.record.conflicts["f"].kind == "step"
        assert "> 30%" in d.why()


def test_first_and_provisional_values_may_jump():
    d = desk(a_field(kind="integer", max_step=0.3, truth=owner("b")))
    d.look("a", f=1)
    assert d.golden_field().provisional
    d.look("b", f=100)
    assert (d.golden(), d.why()) == (100, "")


# ---- stale


def test_a_stale_source_is_passed_over_until_it_is_read_again():
    d = desk(a_field(truth=rule("priority", "a", "b", if_stale="next", stale_after=60 * SECOND)))
    d.space.read_at["a"] = d.space.now
    d.look("a", f="x")
    d.look("b", f="y")
    assert d.golden() == "x"
    d.space.now += 61 * SECOND
    d.look("b", f="y2")
    assert d.golden() == "y2"
    assert d.plan("a").held == {"f": "stale"}
    d.space.read_at["a"] = d.space.now
    d.look("b", f="y2", other=1)
    d.revise()
    assert d.golden() == "x"


def test_a_stale_owner_under_hold_stops_the_writes_and_opens_no_conflict():
    d = desk(a_field(truth=owner(if_stale="hold")))
    d.look("a", f="x")
    d.look("b", f="y")
    d.space.read_at["a"] = d.space.now - d.entity.members["a"].stale_after - SECOND
    d.revise()
    assert (d.golden(), d.why(), d.plan("b").held) == ("x", "", {"f": "its owner is stale"})
