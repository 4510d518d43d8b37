"""What became of a write: the classes of evidence in their order, and what the shadow and golden make of them."""

from dataclasses import replace

import pytest

from syncd.core.decide import Verdict
from syncd.core.model import Abilities, Answer, Known, Life, Op, Receipt, Word
from syncd.core.receipt import Stored, classify, give_up, settle
from syncd.core.rules import Deletes, FieldMap
from tests.core.desk import Desk, a_field, a_member, desk, rule

WEAK = Abilities()  # neither versions nor a body in the answer


def changed(*fields, able=WEAK, value="y", **options):
    """Return a desk on which b is to be told a's new value, and the attempt to do so."""
    d = desk(*fields, members=(a_member("b", able, **options),))
    d.look("a", f="x")
    d.look("b", how={"version": None}, f="x")
    d.look("a", f=value)
    return d, d.attempt("b")


def read_back(d, attempt, stored, *, version=None, named=None, inferred=False):
    """Settle with a read-back that shows this."""
    look = d.change("b", {"f": stored}, version=version)
    return settle(d.space, attempt, Receipt(Answer.DONE, "B", look, version=named, inferred=inferred))


def state(d):
    known = d.known("b")
    return known.raw, known.means, known.word


OURS, OWN = Word.OURS, Word.OWN


# ---- the evidence, in its order


@pytest.mark.parametrize(
    ("sent", "stored", "atomic", "raws", "twice", "found"),
    [
        ("y", "y", False, {"f": "x"}, None, Stored.SAME),
        ("long text", "long", True, {"f": "x"}, None, Stored.TRUNCATED),
        ("y", "Y", True, {"f": "x"}, None, Stored.NORMALISED),
        ("y", "x", True, {"f": "x"}, None, Stored.REFUSED),
        ("y", "x", False, {"f": "x"}, None, Stored.NOT_APPLIED),
        ("y", "x", False, {"f": "x"}, ["y", "x"], Stored.REFUSED),
        ("long text", "long", False, {"f": "x"}, None, Stored.TRUNCATED),
        (" y ", "Y", False, {"f": "x"}, None, Stored.NORMALISED),
        ("y", "other", False, {"f": "x"}, None, Stored.OVERWRITTEN),
        ("y", "other", False, {}, ["y", "other"], Stored.TRUNCATED),
        ("y", "other", False, {}, ["z", "other"], Stored.OVERWRITTEN),
        ("yes", "y", False, {}, None, Stored.OVERWRITTEN),
        (" ", None, False, {"f": "x"}, None, Stored.NORMALISED),
    ],
)
def test_classes(sent, stored, atomic, raws, twice, found):
    d, attempt = changed()
    attempt = replace(attempt, write=replace(attempt.write, sent={"f": sent}), raws=raws)
    d.known("b").twice = twice
    field = d.entity.fields["f"]
    assert classify(field, attempt, d.known("b"), name="f", stored=stored, atomic=atomic) is found


def test_members_are_compared_one_by_one():
    d, attempt = changed()
    tags = a_field("f", rule("union"), "set(string)")
    attempt = replace(attempt, write=replace(attempt.write, sent={"f": ["r", "s"]}), raws={})
    assert classify(tags, attempt, d.known("b"), name="f", stored=["R", "S"], atomic=True) is Stored.NORMALISED
    assert classify(tags, attempt, d.known("b"), name="f", stored=["R"], atomic=False) is Stored.OVERWRITTEN


def test_numbers_within_equal_are_a_spelling_and_others_are_not():
    d, attempt = changed()
    price = a_field("f", kind="decimal(2)", equal={"number": "0.01"})
    attempt = replace(attempt, write=replace(attempt.write, sent={"f": "1.00"}), raws={})
    known = d.known("b")
    assert classify(price, attempt, known, name="f", stored="1.01", atomic=False) is Stored.NORMALISED
    assert classify(price, attempt, known, name="f", stored="1.5", atomic=False) is Stored.OVERWRITTEN


# ---- what follows


def test_as_sent_it_is_ours_and_has_no_vote():
    d, attempt = changed()
    assert read_back(d, attempt, "y").verdict is Verdict.ABSORBED
    assert state(d) == ("y", "y", OURS)
    assert (d.known("b").lo, d.known("b").hi) == (d.golden_field().lo, d.golden_field().hi)
    assert (1, "b") not in d.space.in_flight


def test_a_spelling_stands_for_what_was_sent_and_is_no_drift():
    d, attempt = changed(value="long text")
    read_back(d, attempt, "long")
    assert state(d) == ("long", "long text", OURS)
    assert d.plan("b").write is None
    d.look("b", how={"version": None}, f="long")
    assert d.known("b").word is OURS


def test_what_was_not_applied_is_tried_once_more_and_then_settled():
    d, attempt = changed()
    read_back(d, attempt, "x")
    assert (state(d), d.known("b").twice) == (("x", "x", OWN), ["y", "x"])
    read_back(d, d.attempt("b"), "x")
    assert state(d) == ("x", "y", OURS)
    assert d.plan("b").write is None


def test_what_somebody_else_wrote_is_their_word():
    d, attempt = changed()
    read_back(d, attempt, "theirs")
    assert (state(d), d.known("b").twice) == (("theirs", "theirs", OWN), ["y", "theirs"])
    read_back(d, d.attempt("b"), "theirs")
    assert state(d) == ("theirs", "y", OURS)


def test_the_version_that_the_answer_named_makes_a_read_back_as_good_as_a_body():
    d, attempt = changed()
    read_back(d, attempt, "rewritten", version="t2", named="t2")
    assert state(d) == ("rewritten", "y", OURS)
    d, attempt = changed()
    read_back(d, attempt, "rewritten", version="t3", named="t2")
    assert state(d)[2] is OWN


def guarded():
    d = desk(members=(a_member("b", Abilities(guard=True, ordered=True, contiguous=True)),))
    d.look("a", f="x")
    d.look("b", how={"version": 7}, f="x")
    d.look("a", f="y")
    return d, d.attempt("b")


@pytest.mark.parametrize(
    ("version", "inferred", "word"), [(8, False, OURS), (9, False, OWN), (8, True, OWN), ("8", False, OWN)]
)
def test_the_version_that_a_guarded_write_must_have_made(version, inferred, word):
    d, attempt = guarded()
    read_back(d, attempt, "rewritten", version=version, inferred=inferred)
    assert d.known("b").word is word


def test_fields_that_the_answer_does_not_show_count_as_stored():
    d, attempt = changed()
    look = d.change("b", {}, version=None)
    settle(d.space, attempt, Receipt(Answer.DONE, "B", look, atomic=True))
    assert state(d) == ("y", "y", OURS)


def test_a_value_that_does_not_fit_is_heard_as_what_it_is():
    d, attempt = changed()
    read_back(d, attempt, 7)
    assert (d.known("b").known, d.known("b").raw) == (Known.INVALID, "x")
    assert d.plan("b").held == {"f": "invalid there: 7 is a number, not text"}


def test_emptied_by_us():
    d, attempt = changed()
    attempt = replace(attempt, write=replace(attempt.write, sent={"f": None}))
    read_back(d, attempt, None)
    assert (state(d), d.known("b").known) == ((None, None, OURS), Known.NULL)


# ---- platforms that answer nothing and cannot be read

MUTE = Abilities(read=False)


def untold(value="long text"):
    d, attempt = changed(able=MUTE, value=value)
    settle(d.space, attempt, Receipt(Answer.DONE))
    return d


def test_what_nobody_shows_counts_as_stored_until_the_next_look():
    d = untold()
    assert (state(d), d.known("b").twice) == (("long text", "long text", OURS), ["long text"])


def test_the_next_look_may_find_it_spelt_in_another_way():
    d = untold()
    d.look("b", how={"version": None}, f="long")
    assert (state(d), d.known("b").twice) == (("long", "long text", OURS), None)


def test_the_next_look_may_find_something_else_and_believes_it_the_second_time():
    d = untold("y")
    d.look("b", how={"version": None}, f="code 9")
    assert (state(d), d.known("b").twice) == (("code 9", "code 9", OWN), ["y", "code 9"])
    settle(d.space, d.attempt("b"), Receipt(Answer.DONE))
    d.look("b", how={"version": None}, f="code 9")
    assert state(d) == ("code 9", "y", OURS)


def test_a_look_that_finds_it_spelt_anew_makes_the_old_version_worthless():
    d = untold()
    d.record.shadows["b"].version = 7
    d.look("b", how={"version": None}, f="long")
    assert d.record.shadows["b"].version is None


def test_the_next_look_may_find_it_emptied():
    d = untold(" ")
    d.look("b", how={"version": None}, f=None)
    assert (state(d), d.known("b").known) == ((None, " ", OURS), Known.NULL)


# ---- counters and sets


def counted(able, value=11, **options):
    d = desk(a_field(kind="integer", truth=rule("delta", "a", "b")), members=(a_member("b", able, **options),))
    d.look("a", f=10)
    d.look("b", how={"version": None}, f=10)
    d.look("a", f=value)
    return d


ADJUSTS = Abilities(adjust=True, keyed=True, answers=True)
SETS = Abilities(guard=True, answers=True)


def test_others_who_counted_between_look_and_adjustment_are_counted():
    d = counted(ADJUSTS, guard="none")
    d.answer("b", f=9)
    assert (d.golden(), d.known("b").base, d.known("b").means) == (9, 9, 9)
    assert d.sent("a") == {"f": 9}


def test_the_stray_count_of_a_follower_is_put_back():
    d = desk(a_field(kind="integer", truth=rule("delta", "a")), members=(a_member("b", ADJUSTS, guard="none"),))
    d.look("a", f=10)
    d.look("b", how={"version": None}, f=10)
    d.look("a", f=11)
    d.answer("b", f=9)
    assert (d.golden(), d.plan("b").write.adjust) == (11, {"f": 2})


def test_an_adjustment_without_a_body_is_counted_from_what_it_must_have_made():
    d = counted(ADJUSTS, guard="none")
    attempt = d.attempt("b")
    read_back(d, attempt, 9)
    assert (d.golden(), d.known("b").base) == (9, 9)


def test_a_platforms_own_rounding_of_a_set_number_is_not_counted():
    d = counted(SETS)
    d.answer("b", f=10)
    assert (d.golden(), d.known("b").base, d.known("b").means) == (11, 10, 11)
    assert d.plan("b").write is None


def test_what_is_overwritten_counts_from_what_we_sent():
    d = counted(SETS, value=13)
    read_back(d, d.attempt("b"), 12)
    assert (d.golden(), d.known("b").base) == (12, 12)


def test_a_read_back_that_the_platform_says_our_write_made_hides_nobodys_edit():
    for signed, word in ((True, "ours"), (False, "own")):
        d = desk(a_field(truth=rule("owner", "a")), members=(a_member("b", WEAK),))
        d.look("a", f="x")
        d.look("b", how={"version": None}, f="x")
        d.look("a", f="yyy")
        attempt = d.attempt("b")
        attempt = replace(attempt, write=replace(attempt.write, key="1-7"))
        look = replace(d.change("b", {"f": "shop default"}), own="1-7" if signed else None)
        settle(d.space, attempt, Receipt(Answer.DONE, "B", look))
        assert d.known("b").word == word


def test_a_counter_on_a_thing_we_made_where_numbers_are_rounded_is_assumed_to_be_ours():
    rounds = Abilities(guard=True, answers=True, exact=False)
    d = desk(a_field(kind="integer", truth=rule("delta", "a", "b")), members=(a_member("b", rounds),))
    d.look("a", f=11)
    d.swept()
    read_back(d, d.attempt("b"), 10)
    assert (d.golden(), d.known("b").base) == (11, 10)


def test_a_counter_left_out_of_a_create_starts_at_nothing():
    d = Desk(a_field(kind="integer", truth=rule("delta", "a", "b"), way={"a": "in"}))
    d.look("b", f=10)
    d.swept()
    attempt = d.attempt("a")
    assert "f" not in attempt.write.sent
    look = d.change("a", {"f": 0})
    settle(d.space, attempt, Receipt(Answer.DONE, "A", look, atomic=True))
    assert (d.golden(), d.known("a").base) == (10, 0)


def test_members_added_meanwhile_are_theirs():
    d = desk(a_field(kind="set(string)", truth=rule("union", "a", "b")), members=(a_member("b", WEAK),))
    d.look("a", f=["r"])
    d.look("b", how={"version": None}, f=["r"])
    d.look("a", f=["r", "s"])
    read_back(d, d.attempt("b"), ["r", "s", "t"])
    assert d.golden() == ["r", "s", "t"]
    d.look("a", f=["s", "t"])
    attempt = d.attempt("b")
    read_back(d, replace(attempt, write=replace(attempt.write, sent={"f": None})), ["q", "r", "s", "t"])
    assert d.golden() == ["q", "s", "t"]


def test_a_field_sent_along_stays_the_platforms_word():
    d = Desk(a_field(), a_field("p", rule("priority", "b", "a")), members=(a_member("b", Abilities(whole=True)),))
    d.look("a", f="x", p="q")
    d.look("b", f="x", p="long text")
    d.look("a", f="y", p="q")
    d.answer("b", p="long")
    known = d.known("b", "p")
    assert (known.raw, known.means, known.word, d.golden("p")) == ("long", "long text", OWN, "long text")
    d.look("b", f="y", p="long")
    assert (known.means, d.plan("b").write) == ("long text", None)


# ---- other answers


@pytest.mark.parametrize("answer", [Answer.STALE, Answer.GONE])
def test_where_the_platform_knows_better_the_thing_is_read(answer):
    d, attempt = changed()
    said = settle(d.space, attempt, Receipt(answer))
    assert (said.verdict, said.things) == (Verdict.READ, (("b", "things", "B"),))
    assert (1, "b") in d.space.behind


def creating():
    d = desk(members=(a_member("b", Abilities(find=False)),), deletes=Deletes(authority="a"))
    d.look("a", f="x")
    d.swept()
    return d, d.attempt("b")


def test_a_create_that_met_its_twin_is_looked_up():
    d, attempt = creating()
    said = settle(d.space, attempt, Receipt(Answer.EXISTS))
    assert (said.verdict, said.things, said.why) == (Verdict.READ, (), "exists")


def test_a_create_makes_shadow_and_link():
    d, attempt = creating()
    d.answer("b", attempt)
    assert d.space.links["b", "things", "B"].evidence == "made by syncd"
    assert (d.record.shadows["b"].id, state(d)) == ("B", ("x", "x", OURS))


def test_a_create_whose_place_was_taken_is_read():
    d, attempt = creating()
    d.look("c", f="x")
    d.space.in_flight.clear()
    d.look("b", how={"id": "B9"}, f="x")
    said = d.answer("b", attempt)
    assert (said.verdict, said.things) == (Verdict.READ, (("b", "things", "B"),))


def ended(on_delete="delete", **options):
    members = (a_member("b", on_delete=on_delete, deleted=("status", "gone")),)
    d = desk(members=members, deletes=Deletes(authority="a", **options))
    d.look("a", f="x")
    d.look("b", f="x")
    d.gone("a")
    return d, d.attempt("b")


def test_our_delete_went_through():
    d, attempt = ended()
    settle(d.space, attempt, Receipt(Answer.DONE))
    assert (d.record.shadows["b"].life, d.space.links["b", "things", "B"].evidence) == (Life.GONE, "deleted by syncd")


def test_what_lives_again_when_our_delete_went_through_may_be_made_again():
    d, attempt = ended()
    d.look("a", how={"id": "A2"}, f="x")
    settle(d.space, attempt, Receipt(Answer.DONE))
    assert (d.record.life, d.record.shadows["b"].id) == (Life.ALIVE, "")
    d.swept()
    assert d.plan("b").write.op is Op.CREATE


def test_our_archive_went_through():
    d, attempt = ended("archive")
    settle(d.space, attempt, Receipt(Answer.DONE))
    assert d.record.shadows["b"].life is Life.ARCHIVED


def test_a_thing_that_went_away_while_we_wrote():
    d, attempt = changed()
    settle(d.space, attempt, Receipt(Answer.DONE, "B", d.change("b", gone=True, version=None)))
    assert d.record.shadows["b"].life is Life.GONE


def test_a_thing_that_another_one_replaced_is_not_buried():
    d, attempt = ended()
    d.record.shadows["b"].id = "B2"
    settle(d.space, attempt, Receipt(Answer.DONE))
    assert d.record.shadows["b"].life is Life.ALIVE


# ---- giving up


def test_what_was_not_applied_is_planned_again():
    d, attempt = changed()
    d.space.behind.clear()
    give_up(d.space, attempt)
    assert not d.space.in_flight
    assert (1, "b") in d.space.behind
    assert d.sent("b") == {"f": "y"}


def test_after_a_create_that_nobody_can_ask_about_a_newer_proof_is_needed():
    d, attempt = creating()
    assert d.plan("b").need == ""
    give_up(d.space, attempt)
    assert d.plan("b").need == "sweep"
    d.swept("b")
    assert d.plan("b").need == ""


def test_a_record_that_was_only_on_its_way_is_over():
    d, attempt = creating()
    d.rules(deletes=Deletes())
    d.gone("a")
    assert d.record.life is Life.ALIVE
    give_up(d.space, attempt)
    assert d.record.tomb.proof == "gone everywhere"


def test_a_default_that_a_create_started_with_is_ours_though_nobody_said_it():
    d = desk(a_field(maps={"b": FieldMap("f", ("f",), default="new")}), members=(a_member("b", Abilities(find=False)),))
    d.look("a")
    d.swept()
    d.answer("b")
    assert (state(d), d.golden()) == (("new", "new", OURS), None)
    assert d.plan("b").write is None
