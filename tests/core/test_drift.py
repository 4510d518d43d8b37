"""What a platform holds against what it should: the closed list of causes, in its order, and what would be done."""

from dataclasses import replace

import pytest

from syncd.core.drift import Action, Place, Standing, Why, compare, compare_absent
from syncd.core.mapping import read_item
from syncd.core.model import Abilities, Life
from syncd.core.rules import Deletes, FieldMap, Group
from syncd.core.transforms import parse_pipeline, write_of
from tests.core.desk import GOOD, Desk, a_field, a_member, desk, owner, rule


def place(d, platform="b", **standing):
    return Place(d.space, d.entity, d.entity.members[platform], d.record, Standing(**standing))


def drift(d, platform="b", *, standing=None, **item):
    """Return the differences of what a platform shows now."""
    found = compare(place(d, platform, **(standing or {})), read_item(d.entity, platform, {"k": "K"} | item))
    return [one for one in found if one.field != "k"]


def one(d, platform="b", **options):
    """Return the only difference, as cause, value found and action."""
    (found,) = drift(d, platform, **options)
    return found.why, found.found, found.action


def agreed(*fields, **options):
    d = desk(*fields, **options)
    values = {name: "x" for name in d.entity.fields if name != "k"}
    d.look("a", **values)
    d.look("b", **values)
    return d


WRITE = Action("write", "b", "f", "x")


# ---- by the values alone


def test_what_is_as_it_should_be_is_no_row():
    d = agreed()
    assert drift(d, f="x") == []
    assert drift(d) == []


def test_a_stray_edit_that_nobody_told_us_of():
    assert one(agreed(), f="y") == (Why.STRAY, "y", WRITE)


def test_a_change_at_the_source_that_nobody_told_us_of():
    assert one(agreed(), "a", f="y") == (Why.MISSED, "y", Action("take", "a", "f", "y"))


def test_a_follower_that_is_behind():
    d = agreed()
    d.look("a", f="z")
    assert one(d, f="x") == (Why.MISSED, "x", Action("write", "b", "f", "z"))


def test_a_settled_spelling_is_no_row_and_a_cut_is():
    d = agreed()
    d.look("a", f="Long Text")
    d.answer("b", f="long text")
    assert drift(d, f="long text") == []
    d.look("a", f="Other Text")
    d.answer("b", f="other")
    assert one(d, f="other") == (Why.REWRITTEN, "other", None)


def test_within_equal_is_no_row():
    assert drift(agreed(a_field(equal="casefold")), f="X") == []


@pytest.mark.parametrize(("stray", "action", "note"), [("keep", None, "kept"), ("review", None, "person")])
def test_stray_edits_that_would_not_be_put_back(stray, action, note):
    d = agreed(a_field(stray={"b": stray}))
    (found,) = drift(d, f="y")
    assert (found.why, found.action) == (Why.STRAY, action)
    assert note in found.note


def test_a_kept_edit_is_no_row_and_one_under_review_is_held():
    d = agreed(a_field(stray={"b": "keep"}))
    d.look("b", f="y")
    assert drift(d, f="y") == []
    d = agreed(a_field(stray={"b": "review"}))
    d.look("b", f="y")
    assert one(d, f="y")[0] is Why.HELD


def test_what_cannot_be_read_as_its_type():
    (found,) = drift(agreed(), f=7)
    assert (found.why, found.note, found.action) == (Why.UNREADABLE, "7 is a number, not text", None)


def test_what_is_not_compared():
    d = agreed(a_field(way={"b": "in"}), a_field("away", platforms=("a",)), a_field("nobody"))
    d.record.golden.pop("nobody")
    assert drift(d, f="y", nobody="y") == []
    d.record.golden["f"].who = None
    assert drift(d, "c", f="y") == []


def test_a_source_that_is_only_read_is_compared_for_news_alone():
    d = agreed(a_field(way={"a": "in"}))
    assert drift(d, "a", f="x") == []
    assert one(d, "a", f="y") == (Why.MISSED, "y", Action("take", "a", "f", "y"))


def test_a_value_without_a_word_is_no_drift():
    words = parse_pipeline([{"table": {"1": "x"}}])
    d = agreed(a_field(maps={"b": FieldMap("f", ("f",), read=words, write=write_of(words) or ())}))
    d.look("b", f="1")
    d.look("a", f="y")
    assert drift(d, f="1") == []
    d.known("b").raw = "z"
    assert drift(d, f="1") == []


def test_a_deciding_platform_without_a_word_for_golden_is_not_written():
    words = parse_pipeline([{"table": {"1": "x", "2": "w"}}])
    maps = {"b": FieldMap("f", ("f",), read=words, write=write_of(words) or ())}
    d = agreed(a_field(truth=rule("priority", "a", "b"), maps=maps))
    d.look("b", f="1")
    d.look("a", f="y")
    assert one(d, f="2", standing={"refused": True}) == (Why.REFUSED, "w", None)


# ---- what stands between


@pytest.mark.parametrize(
    ("standing", "why", "note"),
    [
        ({"blocked": "paused"}, Why.HELD, "paused"),
        ({"proposed": frozenset({"f"})}, Why.HELD, "proposed: waits for approval"),
        ({"proposed": frozenset({"other"})}, Why.STRAY, ""),
        ({"refused": True, "queued": True}, Why.REFUSED, ""),
        ({"queued": True}, Why.IN_FLIGHT, ""),
    ],
)
def test_causes_before_the_values(standing, why, note):
    (found,) = drift(agreed(), f="y", standing=standing)
    assert (found.why, found.note) == (why, note)
    assert (found.action is None) is (why is Why.HELD)


def test_what_waits_for_a_conflict_or_a_required_value_is_held():
    d = agreed(a_field(truth=rule("manual")))
    d.look("a", f="y")
    assert one(d, "a", f="y")[0] is Why.HELD
    d = agreed(a_field(), a_field("must", required=True))
    d.record.golden["must"].value = None
    assert {(f.why, f.note) for f in drift(d, f="y", must="x")} == {(Why.HELD, "a required field has no value")}


def test_a_blank_owner_is_shown_and_not_refilled():
    d = agreed()
    d.look("a", f=None)
    (found,) = drift(d, "a", f=None)
    assert (found.why, found.note, found.action) == (Why.HELD, "empty there: kept", None)


def test_a_group_waits_as_a_whole():
    d = Desk(a_field("one", group="g"), a_field("two", group="g"), groups=(Group("g", ("one", "two"), owner()),))
    for platform in "ab":
        d.look(platform, one="x", two="x")
    d.look("b", one="x", two=7)
    d.look("a", one="y", two="y")
    assert [f.note for f in drift(d, one="x", two=7)] == ["invalid there: 7 is a number, not text", "7 is a number, not text"]


@pytest.mark.parametrize(
    ("member", "field", "note"),
    [
        ({"mode": "observe"}, {}, "mode observe"),
        ({"writable": frozenset({"g"})}, {}, "outside writable"),
        ({}, {"mode": "observe"}, "the field is only observed"),
    ],
)
def test_where_nothing_may_be_written_the_row_says_why(member, field, note):
    d = agreed(a_field(**field), members=(a_member("b", **member),))
    (found,) = drift(d, f="y")
    assert (found.why, found.action, found.note) == (Why.STRAY, None, note)


def test_a_counter_that_cannot_be_written_exactly():
    d = desk(a_field(kind="integer", truth=rule("delta", "a", "b")), members=(a_member("b", Abilities()),))
    d.look("a", f=10)
    d.look("b", f=10)
    d.look("a", f=11)
    (found,) = drift(d, f=10)
    assert (found.action, found.note) == (None, "a counter cannot be written exactly there")


def test_a_record_that_a_platform_was_never_seen_to_have():
    d = desk()
    d.look("a", f="x")
    assert one(d, f="y") == (Why.STRAY, "y", WRITE)
    assert drift(d, f="x") == []


# ---- whole rows


def absent(d, platform="b", **standing):
    return [(f.why, f.action, f.note) for f in compare_absent(place(d, platform, **standing))]


CREATE = Action("create", "b")


def test_a_record_that_is_to_be_made():
    d = desk()
    d.look("a", f="x")
    assert absent(d) == [(Why.MISSING, CREATE, "")]
    assert absent(d, queued=True) == [(Why.IN_FLIGHT, CREATE, "")]
    assert absent(d, blocked="paused") == [(Why.HELD, None, "paused")]
    assert absent(d, proposed=frozenset({"f"}))[0][0] is Why.HELD


@pytest.mark.parametrize("member", [{"create": False}, {"able": Abilities(create=False)}])
def test_a_record_that_need_not_be_there(member):
    d = desk(members=(a_member("b", **member),))
    d.look("a", f="x")
    assert absent(d) == []


@pytest.mark.parametrize(
    ("elsewhere", "authority", "mode", "action", "note"),
    [
        ("restore", "a", "enforce", CREATE, ""),
        ("restore", "a", "observe", None, "mode observe"),
        ("ignore", "a", "enforce", None, "the rules do not put it back"),
        ("restore", "b", "enforce", None, "its deletion here decides, once it is proved"),
        ("restore", "any", "enforce", None, "its deletion here decides, once it is proved"),
    ],
)
def test_a_row_that_is_not_where_it_was(elsewhere, authority, mode, action, note):
    deletes = Deletes(authority=authority, elsewhere=elsewhere)
    d = agreed(members=(a_member("b", mode=mode),), deletes=deletes)
    assert absent(d) == [(Why.MISSING, action, note)]


def test_a_deletion_that_waits_for_a_person():
    d = agreed(deletes=Deletes(authority="a", elsewhere="review"))
    d.gone("b")
    assert absent(d) == [(Why.HELD, None, "deleted there: a person decides")]


def test_a_record_without_a_required_value_is_not_made():
    d = desk(a_field(required=True))
    d.look("a", f="x")
    d.record.golden["f"].value = None
    assert absent(d) == [(Why.HELD, None, "a required field has no value")]


def test_what_is_over_or_left_scope_is_not_missing():
    d = agreed(deletes=Deletes(authority="a"))
    d.record.shadows["b"].life = Life.LEFT
    assert absent(d) == []
    d.gone("a")
    assert absent(d) == []


@pytest.mark.parametrize(
    ("member", "action", "note"),
    [
        ({"on_delete": "delete"}, Action("delete", "b"), ""),
        ({"on_delete": "archive"}, Action("archive", "b"), ""),
        ({"on_delete": "delete", "mode": "observe"}, None, "mode observe"),
    ],
)
def test_a_row_of_a_record_that_is_over_is_extra(member, action, note):
    d = agreed(members=(a_member("b", GOOD, **member),), deletes=Deletes(authority="a"))
    d.gone("a")
    (found,) = compare(place(d), {})
    assert (found.why, found.action, found.note, found.found) == (Why.EXTRA, action, note, "K")
    (found,) = compare(place(d, queued=True), {})
    assert found.why is Why.EXTRA


def test_a_place_knows_its_platform():
    d = agreed()
    assert replace(place(d), standing=Standing()).platform == "b"


def archived(*fields, elsewhere="restore", marked=True):
    member = a_member("b", deleted=("status", "archived") if marked else None)
    d = desk(*(fields or [a_field("status")]), members=[member], deletes=Deletes("a", elsewhere=elsewhere))
    d.look("a", **{name: "x" for name in d.entity.fields if name != "k"})
    d.look("b", **{name: "x" for name in d.entity.fields if name != "k"})
    d.gone("b", item={"status": "archived"})
    assert d.record.shadows["b"].life is Life.ARCHIVED
    return d


@pytest.mark.parametrize("on_delete", ["ignore", "clear_link"])
def test_a_row_that_the_rules_leave_alone_is_no_drift(on_delete):
    d = agreed(members=(a_member("b", GOOD, on_delete=on_delete),), deletes=Deletes(authority="a"))
    spot = place(d)
    d.gone("a")
    assert compare(spot, {}) == []


def test_an_archived_row_comes_back_by_a_write_or_nothing_says_how():
    (found,) = compare_absent(place(archived()))
    assert (found.why, found.action, found.note) == (Why.MISSING, Action("write", "b", "status", "x"), "")
    for d in (archived(a_field("f")), archived(marked=False)):
        (found,) = compare_absent(place(d))
        assert (found.why, found.action) == (Why.MISSING, None)
        assert found.note == "archived there: no mapped field carries the mark, and what stood there before is not known"
    (found,) = compare_absent(place(archived(elsewhere="ignore")))
    assert (found.action, found.note) == (None, "the rules do not put it back")
