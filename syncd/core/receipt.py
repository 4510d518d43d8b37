"""What became of a write: its answer taken into the shadow, with the evidence weighed in a fixed order (R5).

A stored value that is not what we sent was either spelt differently by the platform (*normalised*), cut (*truncated*),
*refused*, *not applied* at all, or *overwritten* by somebody. Only the last is that platform's own word.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from syncd.core.absorb import Mine, absorb, is_counter, is_set
from syncd.core.conclude import conclude, snapshot
from syncd.core.decide import Said, Verdict, bury
from syncd.core.mapping import read_item
from syncd.core.model import (
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
)
from syncd.core.rules import Entity, Field
from syncd.core.space import Link, Space


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
    write = attempt.write
    record = space.records[write.record]
    space.in_flight.discard((record.id, write.platform))
    space.behind.add((record.id, write.platform))
    if receipt.answer is not Answer.DONE:
        thing = (write.platform, write.collection, write.id or "")
        return Said(Verdict.READ, receipt.answer.value, record.id, (thing,) if write.id else ())
    entity = space.rules.entities[record.entity]
    if write.op in (Op.DELETE, Op.ARCHIVE) or (receipt.look is not None and receipt.look.gone):
        return settle_departure(space, entity, record, attempt)
    shadow = row_of(space, record, attempt, receipt)
    if shadow is None:
        return Said(Verdict.READ, "another row took its place", record.id, ((write.platform, write.collection, receipt.id or ""),))
    return take_receipt(space, entity, record, shadow, attempt=attempt, receipt=receipt)


def settle_departure(space: Space, entity: Entity, record: Record, attempt: Attempt) -> Said:
    """Our delete or archive went through, or the thing is gone although we wrote to it."""
    write = attempt.write
    before = snapshot(record)
    shadow = record.shadows.get(write.platform)
    if shadow is not None and write.op is Op.ARCHIVE:
        shadow.life, shadow.version, shadow.as_of = Life.ARCHIVED, None, space.number()
    elif shadow is not None:
        shadow.as_of = space.number()
        bury(space, entity, record, write.platform)
    conclude(space, record, f"{write.op} {write.platform}", before=before, platform=write.platform, said={})
    return Said(Verdict.ABSORBED, record=record.id)


def row_of(space: Space, record: Record, attempt: Attempt, receipt: Receipt) -> Shadow | None:
    """Return the shadow a receipt belongs to; a create makes it. None if another living row took the place meanwhile."""
    write = attempt.write
    native = receipt.id or write.id or ""
    shadow = record.shadows.get(write.platform)
    if shadow is not None and shadow.id == native:
        return shadow
    if shadow is not None and shadow.life is not Life.GONE:
        return None
    shadow = Shadow(write.platform, write.collection, native)
    record.shadows[write.platform] = shadow
    space.link((write.platform, write.collection, native), Link(record.id, evidence="made by syncd"))
    space.settled.append((write.platform, write.collection, native))
    return shadow


def take_receipt(
    space: Space, entity: Entity, record: Record, shadow: Shadow, *, attempt: Attempt, receipt: Receipt
) -> Said:
    """Absorb what the platform stored: ours where the evidence says so, its own word elsewhere."""
    before = snapshot(record)
    look = receipt.look or unanswered(space, attempt, shadow)
    readings = dict(read_item(entity, look.platform, look.item or {}))
    atomic = is_atomic(receipt)
    mine: dict[str, Mine] = {}
    for name, sent in attempt.write.sent.items():
        stored = stored_of(readings, name, sent)
        known = shadow.fields.setdefault(name, ShadowField())
        if stored.state is State.INVALID and known.known is Known.INVALID:
            continue  # re-sent as it was: neither ours nor golden's
        readings[name] = stored._replace(state=State.NULL if stored.value is None else State.VALUE)
        found = classify(entity.fields[name], attempt, known, name=name, sent=sent, stored=stored.value, atomic=atomic)
        if found is Stored.OVERWRITTEN:
            remember(entity.fields[name], known, sent=sent, stored=stored.value)
        elif found is not Stored.NOT_APPLIED:
            mine[name] = Mine(sent, attempt.write.adjust.get(name), atomic)
    said = absorb(space, record, shadow, look, readings=readings, mine=mine)
    conclude(space, record, f"{attempt.write.op} {look.platform}", before=before, platform=look.platform, said=said)
    return Said(Verdict.ABSORBED, record=record.id)


def unanswered(space: Space, attempt: Attempt, shadow: Shadow) -> Change:
    """Return the look of a platform that answers nothing and cannot be read: what we sent counts as stored."""
    return Change(
        shadow.platform, shadow.collection, shadow.id, Via.READ, space.number(), attempt.sent_at, item={}, version=None
    )


def stored_of(readings: Mapping[str, Reading], name: str, sent: Value) -> Reading:
    """Return what is stored in a field we sent; a field that the look does not show counts as stored as sent."""
    reading = readings.get(name)
    if reading is None or reading.state is State.ABSENT:
        return Reading(State.NULL if sent is None else State.VALUE, sent)
    return reading


def is_atomic(receipt: Receipt) -> bool:
    """Return whether the look can hold nobody else's edit: the answer's own body, or a read-back of the version it named."""
    if receipt.atomic or receipt.look is None:
        return True
    return receipt.version is not None and receipt.look.version == receipt.version


def classify(
    field: Field, attempt: Attempt, known: ShadowField, *, name: str, sent: Value, stored: Value, atomic: bool
) -> Stored:
    """Return how the stored value relates to the sent one, by the evidence in the order of R5."""
    if stored == sent:
        return Stored.SAME
    if name in attempt.write.adjust and not atomic:
        return Stored.OVERWRITTEN
    if atomic:
        return spelling(field, attempt, name=name, sent=sent, stored=stored)
    if is_before(attempt, name, stored):
        return Stored.NOT_APPLIED
    if explained(field, sent, stored) or (known.twice == [sent, stored] and not is_counter(field)):
        return spelling(field, attempt, name=name, sent=sent, stored=stored)
    return Stored.OVERWRITTEN


def is_before(attempt: Attempt, name: str, stored: Value) -> bool:
    """Return whether a field still holds what it held before the attempt (R26)."""
    return name in attempt.raws and attempt.raws[name] == stored


def spelling(field: Field, attempt: Attempt, *, name: str, sent: Value, stored: Value) -> Stored:
    """Name what the platform itself made of our value."""
    if is_before(attempt, name, stored):
        return Stored.REFUSED
    return Stored.NORMALISED if only_spelling(field, sent, stored) else Stored.TRUNCATED


def folded_text(value: Any) -> str:
    """Return text without blanks and case."""
    return "".join(str(value or "").split()).casefold()


def only_spelling(field: Field, sent: Value, stored: Value) -> bool:
    """Return whether two values differ by blanks and case only, or are the same under the field's ``equal``."""
    if isinstance(sent, list) and isinstance(stored, list):
        return {folded_text(m) for m in sent} == {folded_text(m) for m in stored}
    if isinstance(sent, str) and isinstance(stored, str | None):
        return folded_text(sent) == folded_text(stored)
    return field.equal.same(sent, stored)


def explained(field: Field, sent: Value, stored: Value) -> bool:
    """Return whether a normaliser could have made ``stored`` of ``sent``: blanks, case, a cut that leaves two letters, or
    within the field's ``equal`` (R5.3). A counter is never explained.
    """
    if is_counter(field):
        return False
    if field.equal.same(sent, stored) or only_spelling(field, sent, stored):
        return True
    if not isinstance(sent, str) or not isinstance(stored, str) or field.type.name.startswith(("decimal", "money", "date")):
        return False
    cut = folded_text(stored)
    return len(cut) > 1 and folded_text(sent).startswith(cut)


def remember(field: Field, known: ShadowField, *, sent: Value, stored: Value) -> None:
    """Keep an unexplained mismatch: the same answer to the same value twice is a normaliser (R5.4).

    What we sent was there first and the rest is theirs: a counter counts from it, a set is compared with it.
    """
    known.twice = [sent, stored]
    if is_counter(field):
        known.base = sent
    elif is_set(field) and sent is not None:
        known.raw = sent


def is_rewritten(known: ShadowField, field: Field) -> bool:
    """Return whether a platform settled on something beyond a spelling of what we wrote: drift of the cause ``rewritten``."""
    if known.word is not Word.OURS or known.known is Known.INVALID or known.raw == known.means:
        return False
    return not only_spelling(field, known.means, known.raw)
