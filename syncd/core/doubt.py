"""Attempts whose outcome is unknown: what to do next, and what a read-back proves.

"Not applied" is "not yet" until the request's lifetime is over (R23). A create is looked for before anything is sent again
(R24); a key makes a repeat safe; without one the thing is read back and compared with what was there before (R26).
"""

from collections.abc import Mapping
from enum import StrEnum

from syncd.core.folds import is_counter
from syncd.core.mapping import read_item, with_path
from syncd.core.model import Abilities, Answer, Attempt, Change, Item, Op, Receipt, State, Value, Write
from syncd.core.receipt import is_before, is_signed, stored_of
from syncd.core.references import references
from syncd.core.rules import Entity
from syncd.core.spelling import explained


class Step(StrEnum):
    """What the daemon does next with an attempt in doubt."""

    FIND = "find"  # look the thing up by key
    RESEND = "send again"  # with the same key
    READ = "read"  # read it back by id
    GIVE_UP = "close"  # nothing can be asked: close it, observations decide


class Proof(StrEnum):
    """What a read-back shows of an attempt in doubt."""

    DONE = "done"
    NOT_APPLIED = "not applied"
    WAIT = "wait"
    UNKNOWN = "unknown"  # closed; the look is observed as what it is


def next_step(attempt: Attempt, abilities: Abilities) -> Step:
    """Return how the outcome of an attempt can be found out."""
    if attempt.write.op is Op.CREATE:
        return Step.FIND if abilities.find else (Step.RESEND if abilities.keyed else Step.GIVE_UP)
    if abilities.keyed and attempt.write.op is Op.UPDATE:
        return Step.RESEND
    return Step.READ if abilities.read else Step.GIVE_UP


def over(attempt: Attempt, now: int) -> bool:
    """Return whether an unanswered request can no longer be applied."""
    return now >= attempt.lifetime_end


def judge_found(attempt: Attempt, found: Change | None, abilities: Abilities, now: int) -> Proof:
    """Return what a look-up by key says of a create in doubt: found is ours (R6); not found is "not yet"."""
    if found is not None:
        return Proof.DONE
    if abilities.keyed:
        return Proof.NOT_APPLIED  # safe to send again with the same key at once
    return Proof.NOT_APPLIED if over(attempt, now) else Proof.WAIT


def judge_look(entity: Entity, attempt: Attempt, look: Change, now: int) -> Proof:
    """Return what a read-back by id says of an update or delete in doubt."""
    if look.gone:
        return Proof.DONE if attempt.write.op in (Op.DELETE, Op.ARCHIVE) else Proof.UNKNOWN
    if is_signed(attempt, look):
        return Proof.DONE
    if attempt.write.op in (Op.DELETE, Op.ARCHIVE):
        return Proof.UNKNOWN if over(attempt, now) else Proof.WAIT
    if shows_write(entity, attempt, look):
        return Proof.DONE
    if not over(attempt, now):
        return Proof.WAIT
    unmoved = attempt.write.version is not None and look.version == attempt.write.version
    return Proof.NOT_APPLIED if unmoved else Proof.UNKNOWN


def shows_write(entity: Entity, attempt: Attempt, look: Change) -> bool:
    """Return whether a read-back shows our write: every field as sent, or explained by the very next version."""
    if attempt.write.version is not None and look.version == attempt.write.version:
        return False
    readings = read_item(entity, look.platform, look.item or {})
    following = is_next(attempt, look)
    for name, sent in in_ids(entity, attempt.write, look).items():
        stored = stored_of(readings, name, sent)
        if stored.state is State.INVALID:
            return False
        if stored.value == sent:
            continue
        field = entity.fields[name]
        if not following or is_before(attempt, name, stored.value) or not explained(field, sent, stored.value):
            return False
    return True


def in_ids(entity: Entity, write: Write, look: Change) -> Mapping[str, Value]:
    """Return what was sent, references as the ids that a look shows: nobody has to know here whose they are."""
    links = references(entity).keys() & write.sent.keys()
    if not links:
        return write.sent
    item: Item = look.item or {}
    for name in links:
        place = entity.fields[name].maps[write.platform]
        try:
            item = with_path(item, place.steps, write.values.get(place.path))
        except ValueError:
            continue  # the list is shorter now: the look does not show it
    shown = read_item(entity, write.platform, item)
    return {**write.sent, **{name: shown[name].value for name in links}}


def is_next(attempt: Attempt, look: Change) -> bool:
    """Return whether a look shows the version right after the one our write was guarded by."""
    version = attempt.write.version
    return isinstance(version, int) and isinstance(look.version, int) and look.version == version + 1


def is_assumed(entity: Entity, attempt: Attempt, look: Change) -> bool:
    """Return whether a read-back can only be *assumed* to be ours: a counter without key or author (R22). It is reported."""
    return not is_signed(attempt, look) and any(is_counter(entity.fields[n]) for n in attempt.write.sent if n in entity.fields)


def proved(look: Change) -> Receipt:
    """Return the receipt that a proving look stands for: not the write's own answer."""
    return Receipt(Answer.DONE, look.id, look, inferred=True)
