"""What became of a write: its answer taken into the shadow, with the evidence weighed in a fixed order (R5).

A stored value that is not what we sent was either spelt differently by the platform (*normalised*), cut (*truncated*),
*refused*, *not applied* at all, or *overwritten* by somebody. Only the last is that platform's own word.
"""

from collections.abc import Mapping
from enum import StrEnum

from syncd.core.absorb import Mine, absorb
from syncd.core.conclude import conclude, snapshot
from syncd.core.conditions import checked
from syncd.core.folds import folding, is_counter, is_set
from syncd.core.life import bury, take_away, vacate
from syncd.core.mapping import read_item
from syncd.core.model import (
    Abilities,
    Answer,
    Attempt,
    Change,
    Known,
    Life,
    Op,
    Reading,
    Receipt,
    Record,
    Shadow,
    ShadowField,
    State,
    Value,
    Via,
    Word,
    Write,
)
from syncd.core.references import settled
from syncd.core.rules import Entity, Field
from syncd.core.space import Link, Space
from syncd.core.spelling import explained, only_spelling
from syncd.core.verdict import Said, Verdict


class Stored(StrEnum):
    """How what is stored relates to what we sent."""

    SAME = "same"
    NORMALISED = "normalised"
    TRUNCATED = "truncated"
    REFUSED = "refused"
    NOT_APPLIED = "not applied"
    OVERWRITTEN = "overwritten"


def settle(space: Space, attempt: Attempt, receipt: Receipt) -> Said:
    """Take the outcome of an attempt into the working set; the caller closes the attempt in the same transaction.

    READ means: the platform refused because it knows better; read the thing (by key after EXISTS) and observe it.
    """
    write, record = attempt.write, released(space, attempt)
    if receipt.answer is not Answer.DONE:
        thing = (write.platform, write.collection, write.id or "")
        return Said(Verdict.READ, receipt.answer.value, record.id, (thing,) if write.id else ())
    entity = space.rules.entities[record.entity]
    if write.op in (Op.DELETE, Op.ARCHIVE) or (receipt.look is not None and receipt.look.gone):
        return settle_departure(space, entity, record, attempt)
    shadow = row_of(space, record, attempt, receipt)
    if shadow is None:
        return Said(
            Verdict.READ, "another row took its place", record.id, ((write.platform, write.collection, receipt.id or ""),)
        )
    return take_receipt(space, entity, record, shadow, attempt=attempt, receipt=receipt)


def give_up(space: Space, attempt: Attempt) -> None:
    """Close an attempt that was not applied, or of which nobody can tell: its record is planned again.

    A create then needs a proof of absence that is newer than this (R24). The caller closes it in the same transaction.
    """
    record, write = released(space, attempt), attempt.write
    if write.op is Op.CREATE:
        shadow = record.shadows.setdefault(write.platform, Shadow(write.platform, write.collection, "", Life.GONE))
        shadow.as_of = max(shadow.as_of, space.number())
    conclude(space, record, f"{write.op} given up", before=snapshot(record))


def released(space: Space, attempt: Attempt) -> Record:
    """Return the attempt's record; observations of it wait no longer, and it is planned again."""
    write = attempt.write
    space.in_flight.discard((write.record, write.platform))
    space.behind.add((write.record, write.platform))
    return space.records[write.record]


def settle_departure(space: Space, entity: Entity, record: Record, attempt: Attempt) -> Said:
    """Our delete or archive went through, or the thing is gone although we wrote to it."""
    write = attempt.write
    before = snapshot(record)
    shadow = record.shadows.get(write.platform)
    if shadow is not None and shadow.id == write.id:
        shadow.as_of = space.number()
        part(space, entity, record, shadow, write.op)
    conclude(space, record, f"{write.op} {write.platform}", before=before)
    return Said(Verdict.ABSORBED, record=record.id)


def part(space: Space, entity: Entity, record: Record, shadow: Shadow, op: Op) -> None:
    """Take leave of a row: archived or deleted by us, or gone by itself. What lives again meanwhile may be made again."""
    if op is Op.ARCHIVE:
        shadow.life, shadow.version = Life.ARCHIVED, None
    elif op is Op.DELETE:
        take_away(space, record, shadow, "deleted by syncd")
        if record.life is Life.ALIVE:
            vacate(shadow)
    else:
        bury(space, entity, record, shadow.platform)


def row_of(space: Space, record: Record, attempt: Attempt, receipt: Receipt) -> Shadow | None:
    """Return the shadow a receipt belongs to; a create makes it. None if another living row took the place meanwhile."""
    write = attempt.write
    native = receipt.id or write.id or ""
    shadow = record.shadows.get(write.platform)
    if shadow is not None and shadow.id == native and shadow.life is not Life.GONE:
        return shadow
    if shadow is not None and shadow.life is not Life.GONE:
        return None
    shadow = record.shadows[write.platform] = Shadow(write.platform, write.collection, native)
    leave_counters(space.rules.entities[record.entity], shadow, write)
    space.link((write.platform, write.collection, native), Link(record.id, evidence="made by syncd"))
    space.settled.append((write.platform, write.collection, native))
    return shadow


def leave_counters(entity: Entity, shadow: Shadow, write: Write) -> None:
    """A counter that we left out of a create starts at whatever the platform makes of nothing: no number to start from."""
    for field in entity.fields.values():
        if folding(field, write.platform) and is_counter(field) and field.name not in write.sent:
            shadow.fields[field.name] = ShadowField(known=Known.NULL, word=Word.OURS)


# ---- what is stored now


def take_receipt(space: Space, entity: Entity, record: Record, shadow: Shadow, *, attempt: Attempt, receipt: Receipt) -> Said:
    """Absorb what the platform stored: ours where the evidence says so, its own word elsewhere."""
    before = snapshot(record)
    look = receipt.look or unanswered(space, attempt, shadow)
    shown = settled(space, entity, look, read_item(entity, look.platform, look.item or {}))
    readings = dict(checked(entity, shown, shadow, space.now))
    stored = {name: stored_of(readings, name, sent) for name, sent in attempt.write.sent.items()}
    judged = judge_fields(entity, attempt, shadow, stored, receipt)
    mine: dict[str, Mine] = {}
    for name, found in judged.items():
        if found is Stored.OVERWRITTEN:
            put_ours_first(entity.fields[name], shadow, name, attempt.write.sent[name])
        elif found is not Stored.NOT_APPLIED:
            mine[name] = Mine(attempt.write.sent[name], attempt.write.adjust.get(name), is_own_answer(receipt))
            readings[name] = Reading(State.VALUE, stored[name].value)
    asked = {name: shadow.fields[name].twice for name in mine}
    heard = absorb(space, record, shadow, look, readings=readings, mine=mine)
    for name in judged.keys() - mine.keys():
        shadow.fields[name].twice = [attempt.write.sent[name], stored[name].value]
    if receipt.look is None:
        await_looks(shadow, mine, asked)
    conclude(space, record, f"{attempt.write.op} {look.platform}", before=before, platform=look.platform, heard=heard)
    return Said(Verdict.ABSORBED, record=record.id)


def await_looks(shadow: Shadow, mine: Mapping[str, Mine], asked: Mapping[str, list[Value] | None]) -> None:
    """Nobody showed what was stored: the next look will, and may find our value spelt in another way."""
    for name, one in mine.items():
        before = asked[name]
        shadow.fields[name].twice = before if before and before[0] == one.sent else [one.sent]


def judge_fields(
    entity: Entity, attempt: Attempt, shadow: Shadow, stored: Mapping[str, Reading], receipt: Receipt
) -> dict[str, Stored]:
    """Return what became of each field that was sent. What does not even fit its type is left to be heard as what it is."""
    abilities = entity.members[attempt.write.platform].abilities
    atomic = is_atomic(attempt, receipt, abilities)
    judged = {}
    for name, reading in stored.items():
        if reading.state is State.INVALID and reading.value is None:
            continue
        known = shadow.fields.setdefault(name, ShadowField())
        if is_assumed_count(entity.fields[name], attempt, abilities, atomic=atomic):
            judged[name] = Stored.NORMALISED
        else:
            judged[name] = classify(entity.fields[name], attempt, known, name=name, stored=reading.value, atomic=atomic)
    return judged


def unanswered(space: Space, attempt: Attempt, shadow: Shadow) -> Change:
    """Return the look of a platform that answers nothing and cannot be read: what we sent counts as stored."""
    return Change(shadow.platform, shadow.collection, shadow.id, Via.READ, space.number(), attempt.sent_at, item={})


def stored_of(readings: Mapping[str, Reading], name: str, sent: Value) -> Reading:
    """Return what is stored in a field we sent; a field that the look does not show counts as stored as sent."""
    reading = readings.get(name)
    if reading is None or reading.state is State.ABSENT:
        return Reading(State.NULL if sent is None else State.VALUE, sent)
    return reading


def is_own_answer(receipt: Receipt) -> bool:
    """Return whether the look is the body of the write's own answer, or there is none."""
    return receipt.atomic or receipt.look is None


def is_atomic(attempt: Attempt, receipt: Receipt, abilities: Abilities) -> bool:
    """Return whether the look can hold nobody else's edit: the answer's own body, a read-back that the platform itself says
    this write made, or of the very version that the answer named, or that our guarded write must have made.
    """
    if is_own_answer(receipt):
        return True
    assert receipt.look is not None
    if is_signed(attempt, receipt.look):
        return True
    if receipt.version is not None:
        return receipt.look.version == receipt.version
    version = attempt.write.version
    made_next = abilities.guard and abilities.contiguous and not receipt.inferred
    return made_next and isinstance(version, int) and receipt.look.version == version + 1


def is_signed(attempt: Attempt, look: Change) -> bool:
    """Return whether the platform itself says that this very write made what the look shows."""
    return bool(attempt.write.key) and look.own == attempt.write.key


def is_assumed_count(field: Field, attempt: Attempt, abilities: Abilities, *, atomic: bool) -> bool:
    """Return whether a counter we made on a platform that rounds is read back only now: assumed to be ours (R22)."""
    return is_counter(field) and attempt.write.op is Op.CREATE and not atomic and not abilities.exact


def classify(field: Field, attempt: Attempt, known: ShadowField, *, name: str, stored: Value, atomic: bool) -> Stored:
    """Return how the stored value relates to the sent one, by the evidence in the order of R5."""
    sent = attempt.write.sent[name]
    if stored == sent:
        return Stored.SAME
    if atomic:
        return spelling(field, attempt, name=name, sent=sent, stored=stored)
    if name in attempt.write.adjust:
        return Stored.OVERWRITTEN
    if is_twice(field, known, sent, stored):
        return spelling(field, attempt, name=name, sent=sent, stored=stored)
    if is_before(attempt, name, stored):
        return Stored.NOT_APPLIED
    if explained(field, sent, stored):
        return spelling(field, attempt, name=name, sent=sent, stored=stored)
    return Stored.OVERWRITTEN


def is_twice(field: Field, known: ShadowField, sent: Value, stored: Value) -> bool:
    """Return whether the same value got the same answer once before: that is the platform's way with it (R5.4)."""
    return known.twice == [sent, stored] and not is_counter(field)


def is_before(attempt: Attempt, name: str, stored: Value) -> bool:
    """Return whether a field still holds what it held before the attempt (R26)."""
    return name in attempt.raws and bool(attempt.raws[name] == stored)


def put_ours_first(field: Field, shadow: Shadow, name: str, sent: Value) -> None:
    """What we sent was there first and the rest is theirs: a counter counts from it, a set is compared with it."""
    known = shadow.fields[name]
    if is_counter(field):
        known.base = sent
    elif is_set(field) and sent is not None:
        known.raw = known.means = sent
        known.known = Known.OK


def spelling(field: Field, attempt: Attempt, *, name: str, sent: Value, stored: Value) -> Stored:
    """Name what the platform itself made of our value."""
    if is_before(attempt, name, stored):
        return Stored.REFUSED
    return Stored.NORMALISED if only_spelling(field, sent, stored) else Stored.TRUNCATED
