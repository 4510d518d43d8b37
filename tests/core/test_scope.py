"""What is in scope on a platform, where a record is made, and conditions beside the other fields of a thing."""

import pytest

from syncd.core.decide import Verdict
from syncd.core.drift import Place, compare_absent
from syncd.core.expression import Failed
from syncd.core.model import Abilities, Life, Via
from syncd.core.rules import Member
from tests.core.desk import Desk, a_field, a_member, desk, owner
from tests.core.rule_words import formula, scope


def within(text="status != 'ARCHIVED'", **options) -> Desk:
    """Return a desk where b is in scope only while this is true of its own fields."""
    return desk(members=(a_member("b", only=scope(text), raws=("status", "deep.er"), **options),))


EVENT = {"via": Via.EVENT}


def test_what_was_never_in_scope_is_not_taken_in():
    d = within()
    said = d.look("b", f="x", status="ARCHIVED")
    assert (said.verdict, said.why) == (Verdict.DROPPED, "out of scope")
    assert (d.space.records, d.space.loose, d.space.links) == ({}, [], {})


def test_a_question_about_a_thing_closes_when_it_leaves_scope():
    d = within(unmatched="review")
    d.swept()
    d.look("b", f="x", status="NEW")
    assert len(d.space.loose) == 1
    d.look("b", f="x", status="ARCHIVED")
    assert d.space.settled == [("b", "things", "B")]
    assert d.space.links["b", "things", "B"].evidence == "out of scope"


def test_a_known_thing_leaves_and_comes_back():
    d = within()
    d.look("a", f="x")
    d.look("b", f="x", status="NEW")
    d.look("b", f="x", status="ARCHIVED")
    shadow = d.record.shadows["b"]
    assert (shadow.life, d.record.life, shadow.raws) == (Life.LEFT, Life.ALIVE, {"status": "ARCHIVED"})
    d.look("a", f="y")
    assert not d.plan("b").pending, "neither written nor made again nor deleted"
    d.look("b", f="x", status="NEW")
    assert (shadow.life, d.sent("b")) == (Life.ALIVE, {"f": "y"})


def test_a_partial_event_is_told_by_what_was_last_seen_else_it_is_read():
    d = within()
    d.look("a", f="x")
    d.look("b", f="x", status="NEW")
    assert d.look("b", how=EVENT, f="y").verdict is Verdict.ABSORBED
    d.record.shadows["b"].raws.clear()
    said = d.look("b", how=EVENT, f="z")
    assert (said.verdict, said.why) == (Verdict.READ, "it does not show whether it is in scope")


def test_an_event_that_leaves_scope_is_read_before_it_is_believed():
    d = within()
    d.look("b", f="x", status="NEW")
    assert d.look("b", how=EVENT, f="x", status="ARCHIVED").verdict is Verdict.READ
    assert d.record.shadows["b"].life is Life.ALIVE


def test_what_we_archived_stays_archived_although_it_is_out_of_scope():
    d = within(deleted=("status", "ARCHIVED"))
    d.look("a", f="x")
    d.look("b", f="x", status="NEW")
    d.record.shadows["b"].life = Life.ARCHIVED
    d.look("b", f="x", status="ARCHIVED")
    assert d.record.shadows["b"].life is Life.ARCHIVED


def test_where_nobody_can_tell_a_known_thing_stays_and_a_new_one_is_no_reading():
    d = within("status > 3")
    with pytest.raises(Failed):
        d.look("b", f="x", status="high")
    d.look("b", f="x", status=7)
    said = d.look("b", f="y", status="high")
    assert (said.verdict, said.why[:6]) == (Verdict.DROPPED, "only: ")
    assert (d.golden(), d.record.shadows["b"].life) == ("x", Life.ALIVE)


@pytest.mark.parametrize(
    ("text", "item", "inside"),
    [
        ("status == null", {}, True),
        ("status == null", {"status": None}, True),
        ("not deleted", {"deleted": True}, False),
        ("deep.er in [1, 2]", {"deep": {"er": 2}}, True),
        ("deep.er in [1, 2]", {"deep": {}}, False),
    ],
)
def test_bare_names_are_the_platforms_own(text, item, inside):
    d = within(text)
    d.look("b", f="x", **item)
    assert bool(d.space.records) is inside


# ---- where it is made


def made(text: str) -> Member:
    return a_member("b", create_when=formula(text))


def test_a_record_is_made_only_where_the_condition_is_true():
    d = desk(a_field(), members=(made("f == 'granted'"),))
    d.look("a", f="asked")
    d.swept()
    plan = d.plan("b")
    assert (plan.write, plan.held["f"]) == (None, "not made there: f == 'granted' is not true")
    place = Place(d.space, d.entity, d.entity.members["b"], d.record)
    assert compare_absent(place) == []
    d.look("a", f="granted")
    assert d.sent("b")["f"] == "granted"
    assert (1, "b") in d.space.behind


def test_a_condition_without_an_answer_makes_nothing_and_says_so():
    d = desk(a_field(), members=(made("number(f) > 3"),))
    d.look("a", f="asked")
    d.swept()
    assert d.plan("b").held["f"].startswith("not made there: number(f) > 3: ")


def test_where_it_is_already_it_is_written_whatever_the_condition_says():
    d = desk(a_field(), members=(made("f == 'granted'"),))
    d.look("a", f="granted")
    d.look("b", f="granted")
    d.look("a", f="withdrawn")
    assert d.sent("b") == {"f": "withdrawn"}


# ---- conditions on readings


def priced(text="value >= f", **options) -> Desk:
    """Return a desk where n must be at least f of the same thing."""
    checked = a_field("n", truth=owner("a", **options), kind="integer", conditions=(formula(text, "integer"),))
    return desk(checked, a_field("i", truth=owner("a"), kind="integer"))


def test_a_value_that_breaks_a_condition_beside_its_thing_is_invalid():
    d = priced("value >= i")
    d.look("a", n=5, i=3)
    assert d.golden("n") == 5
    d.look("a", n=2, i=3)
    assert (d.golden("n"), d.why("n")) == (5, "a is invalid: not true: value >= i")
    assert "n" not in d.sent("a")
    d.look("a", n=4, i=3)
    assert (d.golden("n"), d.why("n")) == (4, "")


def test_a_field_that_is_not_in_the_look_is_as_last_known():
    d = priced("value >= i")
    d.look("a", n=5, i=3)
    d.look("a", n=2)
    assert d.why("n") == "a is invalid: not true: value >= i"


@pytest.mark.parametrize(("option", "held"), [("hold", True), ("keep", False)])
def test_if_invalid_says_what_follows(option, held):
    d = priced("value >= i", if_invalid=option)
    d.look("a", n=5, i=3)
    d.look("a", n=2, i=3)
    assert (d.golden("n"), bool(d.why("n"))) == (5, held)


def test_a_condition_without_an_answer_is_broken():
    d = priced("i / value > 1")
    d.look("a", n=0, i=3)
    assert "cannot be checked" in d.why("n")


def test_what_we_wrote_is_not_checked_again():
    d = priced("value >= i")
    d.look("a", n=5, i=3)
    d.look("b", n=9, i=3)
    d.write_all("b")
    d.look("b", n=5, i=8)
    assert d.known("b", "n").reason == ""


def test_a_thing_that_cannot_be_read_is_in_scope_by_what_it_tells():
    d = within()
    d.entity.members["b"] = a_member("b", Abilities(read=False), only=scope("status == 'NEW'"), raws=("status",))
    d.look("b", how=EVENT, f="x", status="NEW")
    d.look("b", how=EVENT, f="x", status="OLD")
    assert d.record.shadows["b"].life is Life.LEFT
