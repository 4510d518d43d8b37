"""One observation, one verdict: identity, order, arrivals and departures."""

import pytest

from syncd.core import decide
from syncd.core.decide import ASKS_LATER, Verdict
from syncd.core.model import Abilities, Change, Known, Life, Via, Word
from syncd.core.rules import Deletes, Entity, Match
from syncd.core.space import Link
from tests.core.desk import GOOD, Desk, a_field, a_member, desk, owner, rule

EVENT = {"via": Via.EVENT}
MUTE = Abilities(read=False)
PLAIN = Abilities()


def test_a_collection_without_entity_is_nobodys():
    d = desk()
    said = decide.observe(d.space, Change("z", "things", "1", Via.READ, 1, 1, {"k": "K"}))
    assert (said.verdict, said.why) == (Verdict.DROPPED, "no entity lives in this collection")


# ---- things that are known


def test_looks_wait_while_an_attempt_is_open():
    d = desk()
    d.look("a", f="x")
    d.space.in_flight.add((1, "a"))
    assert d.look("a", f="y").verdict is Verdict.DEFERRED
    assert d.gone("a").verdict is Verdict.DEFERRED
    assert d.golden() == "x"


def test_a_create_under_way_holds_back_the_stranger_it_may_have_made():
    d = desk()
    d.look("a", f="x")
    d.space.in_flight.add((1, "b"))
    assert d.look("b", f="x").verdict is Verdict.DEFERRED


@pytest.mark.parametrize(
    ("how", "verdict"),
    [
        ({"version": 5}, Verdict.ABSORBED),
        ({"version": 3}, Verdict.DROPPED),
        ({"version": 2}, Verdict.DROPPED),
        ({"version": None, "changed_at": None}, Verdict.READ),
        ({"version": None, "changed_at": 1}, Verdict.READ),
        ({"version": None, "changed_at": 2**60}, Verdict.ABSORBED),
    ],
)
def test_events_are_ordered_by_version_then_by_a_later_time(how, verdict):
    d = desk()
    d.look("a", how={"version": 3}, f="x")
    said = d.look("a", how={**EVENT, **how}, f="y")
    assert said.verdict is verdict
    assert said.things == ((("a", "things", "A"),) if verdict is Verdict.READ else ())


def test_a_part_of_a_thing_is_taken_only_as_the_very_next_version():
    d = desk(a_field(), a_field("g"))
    d.look("a", how={"version": 3}, f="x", g="x")
    assert d.look("a", how={**EVENT, "version": 5}, f="y").verdict is Verdict.READ
    assert d.look("a", how={**EVENT, "version": 4}, f="y").verdict is Verdict.ABSORBED
    assert (d.golden("f"), d.golden("g")) == ("y", "x")


def test_what_a_thing_never_had_need_not_be_in_its_events():
    d = desk(a_field(), a_field("never"))
    d.look("a", how={"version": 3}, f="x")
    assert d.look("a", how={**EVENT, "version": 9}, f="y").verdict is Verdict.ABSORBED


def test_a_read_that_started_before_the_newest_look_counts_only_by_its_version():
    d = desk()
    d.look("a", how={"version": 3}, f="x")
    old = {"as_of": 0}
    assert d.look("a", how={**old, "version": 2}, f="w").verdict is Verdict.DROPPED
    assert d.look("a", how={**old, "version": 4}, f="y").verdict is Verdict.ABSORBED
    assert d.golden() == "y"


def test_without_versions_an_older_read_that_differs_is_read_again():
    d = desk(members=(a_member("a", PLAIN),))
    plain = {"version": None}
    d.look("a", how=plain, f="x")
    assert d.look("a", how={**plain, "as_of": 0}, f="x").verdict is Verdict.DROPPED
    assert d.look("a", how={**plain, "as_of": 0}, f="w").verdict is Verdict.READ
    assert d.look("a", how={**plain, "as_of": 0}, f=7).verdict is Verdict.READ


@pytest.mark.parametrize(
    ("how", "verdict"),
    [
        ({"version": 4}, Verdict.ABSORBED),
        ({"version": 3}, Verdict.DROPPED),
        ({"version": None, "changed_at": 2**60}, Verdict.ABSORBED),
        ({"version": None, "changed_at": 1}, Verdict.DROPPED),
        ({"version": None, "changed_at": None}, Verdict.ABSORBED),
        ({"version": None, "changed_at": None, "as_of": 0}, Verdict.DROPPED),
    ],
)
def test_where_nothing_can_be_read_an_event_speaks_for_itself(how, verdict):
    d = desk(members=(a_member("a", MUTE),))
    d.look("a", how={**EVENT, "version": 3}, f="x")
    assert d.look("a", how={**EVENT, **how}, f="y").verdict is verdict


def test_a_page_that_is_older_and_cannot_be_read_again_is_dropped():
    d = desk(members=(a_member("a", MUTE),))
    d.look("a", how={"version": None}, f="x")
    assert d.look("a", how={"version": None, "as_of": 0}, f="w").verdict is Verdict.DROPPED


def test_a_second_life_under_an_old_id():
    d = desk(a_field(kind="integer", truth=rule("delta")))
    d.look("a", how={"version": 9}, f=10)
    d.look("a", how={"version": 2}, f=3)
    shadow = d.record.shadows["a"]
    assert (shadow.old_version, shadow.version, d.golden()) == (9, 2, 10)
    assert d.look("a", how={**EVENT, "version": 5}, f=4).verdict is Verdict.READ
    d.look("a", how={"version": 1}, f=3)
    assert shadow.old_version == 9


# ---- things that are new


def test_the_first_event_of_a_thing_is_only_a_hint():
    d = desk()
    assert d.look("a", how=EVENT, f="x").verdict is Verdict.READ
    assert not d.space.records


def test_a_thing_that_matches_nothing():
    members = (a_member("b", unmatched="review"), a_member("c", unmatched="ignore"))
    d = desk(members=members)
    assert d.look("b", f="x").why == ASKS_LATER
    assert d.space.loose == [], "another platform may have it: nobody is asked yet"
    d.swept("a", "c")
    assert d.look("b", f="x").why == "unmatched: review"
    assert d.look("c", f="x").why == "unmatched: ignore"
    assert [one.conflict.why for one in d.space.loose] == ["unmatched: nothing in thing has its keys"]
    assert not d.space.records
    d.look("a", f="x")
    assert d.look("b", f="x").verdict is Verdict.ABSORBED
    assert d.space.links["b", "things", "B"] == Link(1, evidence="linked by k")
    assert ("b", "things", "B") in d.space.settled


def matching(*matches):
    return Desk(a_field(), a_field("mail"), matches=tuple(Match((by,), lambda v: v, how, by) for by, how in matches))


def test_the_first_unique_match_wins_and_a_weak_one_is_confirmed_by_a_person():
    d = matching(("k", "sure"), ("mail", "review"))
    d.look("a", f="x", mail="jo@acme")
    assert d.look("b", how={"id": "B7"}, k="other", mail="jo@acme").why == "to be confirmed: 1 candidates by mail (K)"
    assert d.space.loose[0].candidates == (1,)


def test_two_candidates_are_never_guessed_but_a_later_unique_match_helps():
    d = matching(("mail", "sure"), ("k", "sure"))
    d.look("a", f="x", mail="jo@acme")
    d.look("a", how={"id": "A2"}, k="K2", mail="jo2@acme")
    d.record.golden["mail"].value = "jo2@acme"
    d.space.keys["thing", "mail", "jo2@acme"] = {1, 2}
    assert d.look("b", how={"id": "B1"}, k="K3", mail="jo2@acme").why == "ambiguous: 2 candidates by mail (K, K2)"
    d.look("b", how={"id": "B2"}, k="K2", mail="jo2@acme")
    assert d.space.links["b", "things", "B2"].record == 2


def test_keys_of_records_that_are_not_loaded_match_nobody():
    d = desk()
    d.space.keys["thing", "k", "K"] = {99}
    d.look("a", f="x")
    assert d.space.links["a", "things", "A"].record == 1


def test_two_rows_of_one_record_are_read_before_a_person_is_asked_once():
    d = desk()
    d.look("a", f="x")
    said = d.look("a", how={"id": "A2"}, f="y")
    assert said.verdict is Verdict.READ
    assert said.things == (("a", "things", "A"), ("a", "things", "A2"))
    assert d.look("a", how={"id": "A2"}, f="y").why == "two rows, both alive"
    assert d.look("a", how={"id": "A2"}, f="y").verdict is Verdict.ABSORBED
    assert "has two rows in a" in d.space.loose[0].conflict.why
    assert d.golden() == "x"


def test_the_new_row_takes_over_once_the_old_one_is_gone():
    d = desk(deletes=Deletes(authority="a"))
    d.look("a", f="x")
    d.look("a", how={"id": "A2"}, f="y")
    d.gone("a")
    assert d.record.life is Life.GONE
    d.look("a", how={"id": "A2"}, f="y")
    assert (d.record.life, d.record.tomb, d.record.shadows["a"].id, d.golden()) == (Life.ALIVE, None, "A2", "y")
    assert d.space.links["a", "things", "A"].life is Life.GONE


def test_where_rows_cannot_be_read_two_are_asked_about_at_once():
    d = desk(members=(a_member("a", MUTE),))
    d.look("a", f="x")
    assert d.look("a", how={"id": "A2"}, f="y").why == "two rows, both alive"


def test_a_new_row_replaces_one_that_was_archived():
    d = desk()
    d.look("a", f="x")
    d.look("b", f="x")
    d.gone("b", item={"f": "x"})
    assert d.record.shadows["b"].life is Life.ARCHIVED
    d.look("b", how={"id": "B2"}, f="x")
    assert d.record.shadows["b"].id == "B2"
    assert d.space.links["b", "things", "B"].evidence == "replaced by a new row"


# ---- things that are gone


def test_news_of_a_deletion_is_checked_by_a_read():
    d = desk()
    d.look("a", f="x")
    assert d.gone("a", via=Via.EVENT).verdict is Verdict.READ
    assert d.record.shadows["a"].life is Life.ALIVE


def test_where_nothing_can_be_read_the_news_counts():
    d = desk(members=(a_member("a", MUTE),), deletes=Deletes(authority="a"))
    d.look("a", f="x")
    assert d.gone("a", via=Via.EVENT).why == "gone"
    assert d.record.tomb is not None


def test_a_stranger_that_is_gone_settles_its_question():
    d = desk()
    assert d.gone("a").why == "was not known"
    assert d.space.settled == [("a", "things", "A")]


def test_a_disappearance_older_than_the_newest_look_is_read_again():
    d = desk(members=(a_member("b", MUTE),))
    d.look("a", f="x")
    d.look("b", f="x")
    assert d.gone("a", as_of=0).verdict is Verdict.READ
    assert d.gone("b", as_of=0).verdict is Verdict.DROPPED


def test_only_the_authority_ends_a_record():
    d = desk(deletes=Deletes(authority="a", elsewhere="review"))
    d.look("a", f="x")
    d.look("b", f="x")
    d.gone("b")
    assert (d.record.life, d.record.shadows["b"].life) == (Life.ALIVE, Life.GONE)
    assert d.why("(b)") == "deleted in b, which may not decide that"
    d.gone("a")
    assert (d.record.life, d.record.tomb.platform, d.record.conflicts) == (Life.GONE, "a", {})


def test_any_platform_may_end_it_if_the_rules_say_so():
    d = desk(deletes=Deletes(authority="any"))
    d.look("a", f="x")
    d.look("b", f="x")
    d.gone("b")
    assert d.record.tomb.platform == "b"


def test_a_record_that_lives_nowhere_is_over():
    d = desk()
    d.look("a", f="x")
    d.gone("a")
    assert d.record.tomb.proof == "gone everywhere"


def test_a_record_on_its_way_somewhere_is_not_over():
    d = desk()
    d.look("a", f="x")
    d.space.in_flight.add((1, "b"))
    d.gone("a")
    assert d.record.life is Life.ALIVE


def test_a_question_about_a_deletion_closes_when_the_row_is_back():
    d = desk(deletes=Deletes(authority="a", elsewhere="review"))
    d.look("a", f="x")
    d.look("b", f="x")
    d.gone("b")
    d.look("b", f="x")
    assert not d.record.conflicts


def test_leaving_scope_is_no_deletion_and_takes_the_vote_away():
    d = desk(a_field(truth=rule("max", "a", "b"), kind="integer"), deletes=Deletes(authority="a"))
    d.look("a", f=9)
    d.look("b", f=3)
    d.gone("a", gone=False, left=True)
    assert (d.record.life, d.record.shadows["a"].life, d.golden()) == (Life.ALIVE, Life.LEFT, 3)
    d.look("a", f=9)
    assert (d.record.shadows["a"].life, d.golden()) == (Life.ALIVE, 9)


def test_archived_by_a_platform_that_may_not_delete():
    d = desk(deletes=Deletes(authority="a", elsewhere="review"))
    d.look("a", f="x")
    d.look("b", f="x")
    d.gone("b", item={"f": "x"})
    assert d.why("(b)") == "archived in b, which may not decide that"
    opened = d.record.conflicts["(b)"]
    d.gone("b", item={"f": "x"})
    assert d.record.conflicts["(b)"] is opened
    d.gone("a", item={"f": "x"})
    assert d.record.tomb is not None
    d.gone("b", item={"f": "x"})
    assert d.record.shadows["b"].life is Life.ARCHIVED


# ---- lives after


def test_an_older_look_brings_nothing_back():
    d = desk(deletes=Deletes(authority="a"))
    d.look("a", f="x")
    d.look("b", f="x")
    page = d.number()
    d.gone("b")
    assert d.look("b", how={"as_of": page}, f="x").verdict is Verdict.READ
    assert d.look("b", f="x").verdict is Verdict.ABSORBED
    d.gone("a")
    assert d.look("c", how={"as_of": page}, f="x").verdict is Verdict.READ


def test_an_older_look_where_nothing_can_be_read_is_dropped():
    d = desk(members=(a_member("b", MUTE),))
    d.look("a", f="x")
    d.look("b", f="x")
    page = d.number()
    d.gone("b")
    assert d.look("b", how={"as_of": page}, f="x").verdict is Verdict.DROPPED


def test_a_record_that_comes_back_from_nowhere_starts_afresh():
    d = desk(a_field(kind="integer", truth=rule("delta")))
    d.look("a", f=10)
    d.gone("a")
    d.look("b", f=3)
    assert (d.record.life, d.golden(), d.record.shadows["a"].id) == (Life.ALIVE, 3, "")
    assert d.space.next_id == 2


def test_a_record_that_comes_back_while_rows_live_keeps_what_they_know():
    d = desk(deletes=Deletes(authority="a"))
    d.look("a", f="x")
    d.look("b", f="x")
    d.gone("a")
    d.look("a", how={"id": "A2"}, f="y")
    assert (d.record.life, d.golden(), d.sent("b")) == (Life.ALIVE, "y", {"f": "y"})


def test_deciding_twice_adds_no_version():
    d = desk()
    d.look("a", f="x")
    version = d.record.version
    decisions = len(d.space.decisions)
    d.look("a", f="x")
    d.revise()
    assert (d.record.version, len(d.space.decisions)) == (version, decisions)


def test_a_version_says_who_won_and_against_whom():
    d = desk(a_field(truth=owner()))
    d.look("b", f="y")
    d.look("a", f="x")
    change = d.space.decisions[-1].fields[-1]
    assert (change.name, change.before, change.after, change.who, change.rule) == ("f", "y", "x", "a", "owner")
    assert change.inputs["b"]["value"] == "y"
    assert d.golden_field().version == d.record.version == 2


def test_fields_that_the_rules_lost_are_left_alone():
    d = desk(a_field(), a_field("old"))
    d.look("a", f="x", old="y")
    d.rules(fields={n: f for n, f in d.entity.fields.items() if n != "old"})
    d.record.golden["old"].value = "z"
    d.revise()
    assert d.golden("old") == "z"


def test_fields_that_were_never_seen_say_nothing():
    d = Desk(a_field(), members=(a_member("b", GOOD),))
    d.look("a")
    assert d.golden() is None
    d.look("a", f="x")
    assert (d.known("a").known, d.known("a").word) == (Known.OK, Word.OWN)


def test_entities_are_found_by_collection():
    d = desk()
    assert isinstance(d.space.rules.entity_of("a", "things"), Entity)
    assert d.space.rules.entity_of("a", "others") is None


# ---- rows that are let go


def let_go():
    d = desk(members=(a_member("b", on_delete="clear_link"),), deletes=Deletes(authority="a"))
    d.look("a", f="x")
    d.look("b", f="x")
    d.gone("a")
    return d


def test_a_cleared_row_stays_and_is_nobodys():
    d = let_go()
    assert "b" not in d.record.shadows
    assert d.look("b", f="x").why == "its record was deleted: link cleared"
    assert d.space.links["b", "things", "B"].record is None
    assert d.record.life is Life.GONE


def test_a_cleared_row_is_linked_again_to_a_living_record_with_its_key():
    d = let_go()
    d.look("a", how={"id": "A2"}, f="x")
    d.look("b", f="x")
    assert d.space.links["b", "things", "B"].record == 1


def test_a_row_that_is_gone_already_is_not_let_go():
    d = desk(members=(a_member("b", on_delete="clear_link"),), deletes=Deletes(authority="a"))
    d.look("a", f="x")
    d.look("b", f="x")
    d.gone("b")
    d.gone("a")
    assert d.record.shadows["b"].life is Life.GONE
