"""Attempts whose outcome is unknown: what is asked next, and what an answer proves."""

from dataclasses import replace

import pytest

from syncd.core.doubt import Proof, Step, is_assumed, judge_found, judge_look, next_step, over, proved
from syncd.core.model import SECOND, Abilities, Op
from tests.core.desk import GOOD, a_field, a_member, desk, rule

KEYED, PLAIN, MUTE = Abilities(keyed=True), Abilities(keyed=False), Abilities(read=False, find=False)


def doubtful(op=Op.UPDATE, able=GOOD, **sent):
    d = desk(a_field(), a_field("other"), members=(a_member("b", able),))
    d.look("a", f="x", other="x")
    d.look("b", how={"version": 7}, f="x", other="x")
    d.look("a", f="y", other="x")
    attempt = d.attempt("b")
    sent = sent or {"f": "y"}
    raws = dict.fromkeys(sent, "x")
    return d, replace(attempt, write=replace(attempt.write, op=op, sent=sent), raws=raws)


@pytest.mark.parametrize(
    ("op", "able", "step"),
    [
        (Op.CREATE, Abilities(), Step.FIND),
        (Op.CREATE, Abilities(keyed=True), Step.FIND),
        (Op.CREATE, Abilities(keyed=True, find=False), Step.RESEND),
        (Op.CREATE, Abilities(find=False), Step.GIVE_UP),
        (Op.UPDATE, Abilities(keyed=True), Step.RESEND),
        (Op.UPDATE, Abilities(), Step.READ),
        (Op.UPDATE, MUTE, Step.GIVE_UP),
        (Op.DELETE, Abilities(keyed=True), Step.READ),
        (Op.ARCHIVE, MUTE, Step.GIVE_UP),
    ],
)
def test_what_is_asked_next(op, able, step):
    assert next_step(doubtful(op)[1], able) is step


def test_a_request_is_over_when_its_lifetime_is():
    _, attempt = doubtful()
    assert not over(attempt, attempt.lifetime_end - 1)
    assert over(attempt, attempt.lifetime_end)


SOON, LATE = 1 * SECOND, 3600 * SECOND


@pytest.mark.parametrize(
    ("found", "able", "after", "proof"),
    [
        (True, PLAIN, SOON, Proof.DONE),
        (False, KEYED, SOON, Proof.NOT_APPLIED),
        (False, PLAIN, SOON, Proof.WAIT),
        (False, PLAIN, LATE, Proof.NOT_APPLIED),
    ],
)
def test_what_a_look_up_says_of_a_create(found, able, after, proof):
    d, attempt = doubtful(Op.CREATE)
    look = d.change("b", {"f": "y"}) if found else None
    assert judge_found(attempt, look, able, attempt.sent_at + after) is proof


@pytest.mark.parametrize(
    ("shown", "version", "after", "proof"),
    [
        ({"f": "y"}, 8, SOON, Proof.DONE),
        ({"f": "y"}, 9, SOON, Proof.DONE),
        ({"f": "y"}, 7, LATE, Proof.NOT_APPLIED),
        ({"f": "Y "}, 8, SOON, Proof.DONE),
        ({"f": "Y "}, 9, LATE, Proof.UNKNOWN),
        ({"f": "x"}, 8, LATE, Proof.UNKNOWN),
        ({"f": "x"}, 7, SOON, Proof.WAIT),
        ({"f": "x"}, 7, LATE, Proof.NOT_APPLIED),
        ({"f": "z"}, 8, SOON, Proof.WAIT),
        ({"f": "z"}, 8, LATE, Proof.UNKNOWN),
        ({"f": 7}, 8, LATE, Proof.UNKNOWN),
        ({}, 8, SOON, Proof.DONE),
        ({"f": "y"}, "8", SOON, Proof.DONE),
    ],
)
def test_what_a_read_back_says_of_an_update(shown, version, after, proof):
    d, attempt = doubtful()
    look = d.change("b", shown, version=version)
    assert judge_look(d.entity, attempt, look, attempt.sent_at + after) is proof


def test_a_value_that_is_what_it_was_before_is_not_explained_by_a_spelling():
    d, attempt = doubtful(f="X")
    look = d.change("b", {"f": "x"}, version=8)
    assert judge_look(d.entity, attempt, look, attempt.sent_at + LATE) is Proof.UNKNOWN


def test_without_versions_only_the_very_values_prove_it():
    d, attempt = doubtful()
    attempt = replace(attempt, write=replace(attempt.write, version=None))
    assert judge_look(d.entity, attempt, d.change("b", {"f": "y"}), attempt.sent_at) is Proof.DONE
    assert judge_look(d.entity, attempt, d.change("b", {"f": "Y"}), attempt.sent_at) is Proof.WAIT
    assert judge_look(d.entity, attempt, d.change("b", {"f": "Y"}), attempt.sent_at + LATE) is Proof.UNKNOWN


def test_a_thing_that_is_gone():
    d, attempt = doubtful()
    gone = d.change("b", gone=True, version=None)
    assert judge_look(d.entity, attempt, gone, attempt.sent_at) is Proof.UNKNOWN
    _, delete = doubtful(Op.DELETE)
    assert judge_look(d.entity, delete, gone, attempt.sent_at) is Proof.DONE


def test_a_thing_that_was_to_be_deleted_and_is_there():
    d, attempt = doubtful(Op.DELETE)
    there = d.change("b", {"f": "x"}, version=7)
    assert judge_look(d.entity, attempt, there, attempt.sent_at) is Proof.WAIT
    assert judge_look(d.entity, attempt, there, attempt.sent_at + LATE) is Proof.UNKNOWN


def named(attempt):
    """Return an attempt with the key that it gets when it is journaled."""
    return replace(attempt, write=replace(attempt.write, key="1-7"))


def test_a_counter_can_only_be_assumed():
    d = desk(a_field(kind="integer", truth=rule("delta", "a", "b")))
    d.look("a", f=1)
    d.look("b", f=1)
    d.look("a", f=2)
    attempt, look = named(d.attempt("b")), d.change("b", {"f": 2})
    assert is_assumed(d.entity, attempt, look)
    assert not is_assumed(d.entity, attempt, replace(look, own=attempt.write.key)), "the platform itself names the write"
    d.rules(fields={"k": d.entity.fields["k"]})
    assert not is_assumed(d.entity, attempt, look)


def test_what_the_platform_says_this_write_made_is_done_however_it_is_spelt():
    d, attempt = doubtful()
    attempt = named(attempt)
    look = d.change("b", {"f": "a word nobody sent"})
    assert judge_look(d.entity, attempt, look, attempt.sent_at) is Proof.WAIT
    assert judge_look(d.entity, attempt, replace(look, own=attempt.write.key), attempt.sent_at) is Proof.DONE
    assert judge_look(d.entity, attempt, replace(look, own="another"), attempt.sent_at) is Proof.WAIT
    assert judge_look(d.entity, attempt, replace(look, own=""), attempt.sent_at) is Proof.WAIT


def test_a_look_that_proves_it_is_an_inferred_receipt():
    d, _ = doubtful()
    look = d.change("b", {"f": "y"})
    receipt = proved(look)
    assert (receipt.look, receipt.inferred, receipt.atomic, receipt.version) == (look, True, False, None)
