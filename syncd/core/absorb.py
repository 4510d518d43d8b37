"""The shadow becomes the observation: what differs from raw is the platform's own word, what we sent is ours.

Diffs are taken on raw and on nothing else. Counters and sets are folded into golden here (``core.folds``); every other rule
votes later (``core.resolve``).
"""

import dataclasses
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from syncd.core.dependencies import fields_of, followers, raw_followers
from syncd.core.equality import strict
from syncd.core.folds import acting, count, fold_in, folding, folds_in, is_counter, is_unclear, less, plus, starts_counting
from syncd.core.force import in_force
from syncd.core.inputs import Given, fold_of
from syncd.core.model import Change, Known, Life, Reading, Record, Shadow, ShadowField, State, Value, Via, Word
from syncd.core.rules import Entity, Field
from syncd.core.space import Space
from syncd.core.spelling import explained
from syncd.core.subject import subjects
from syncd.core.views import take_raws

__all__ = ["Heard", "Mine", "absorb"]


@dataclass(frozen=True, slots=True)
class Mine:
    """A field of our own write found in a look: what we sent, and the counter's difference if it was adjusted.

    ``atomic``: the look is the write's own answer, so that nobody else's edit can hide in it.
    """

    sent: Value
    delta: Value = None
    atomic: bool = False


@dataclass(slots=True)
class Heard:
    """What a look moved. ``said``: the fields in which the platform said something new, with the word that stood before;
    ``moved``: every field whose shadow is another now; ``anew``: the first look at this row, or at one that came back.
    ``folds``: of each set and counter what it was folded with (``core.inputs``).
    """

    anew: bool
    said: dict[str, Word | None] = dataclasses.field(default_factory=dict)
    moved: set[str] = dataclasses.field(default_factory=set)
    folds: dict[str, Given] = dataclasses.field(default_factory=dict)


# ---- when


@dataclass(slots=True)
class Times:
    """When an edit seen in one look happened, by our clock: in (lo, hi]. ``sharp``: at hi exactly."""

    change: Change
    entity: Entity
    offset: int
    before: int
    sharp: bool

    def of(self, name: str) -> tuple[int, int]:
        """Return the interval of a field's edit (R10)."""
        if self.change.times:
            exact = self.change.times.get(self.entity.fields[name].maps[self.change.platform].path)
            if exact is not None:
                return exact - self.offset, exact - self.offset
        hi = record_time(self.change, self.offset)
        return (hi if self.sharp else earliest(self.before, hi)), hi


def earliest(before: int, hi: int) -> int:
    """Return since when an edit may have happened that was not there at the look before (R10)."""
    return min(before, hi)


def record_time(change: Change, offset: int) -> int:
    """Return when the thing was last edited by our clock: the platform's time less its offset, else when we looked."""
    return change.seen_at if change.changed_at is None else change.changed_at - offset


def times_of(space: Space, entity: Entity, shadow: Shadow, change: Change, *, ours: bool) -> Times:
    """Return the clockwork of one look."""
    offset = space.clocks.get(change.platform, (0, 0))[0]
    before = shadow.seen_at if shadow.changed_at is None else shadow.changed_at - offset
    sharp = change.changed_at is not None and (shadow.as_of < 0 or (not ours and contiguous(shadow, change)))
    return Times(change, entity, offset, before, sharp)


def contiguous(shadow: Shadow, change: Change) -> bool:
    """Return whether exactly one edit lies between the shadow and this look."""
    return isinstance(change.version, int) and isinstance(shadow.version, int) and change.version == shadow.version + 1


# ---- what


def absorb(
    space: Space, record: Record, shadow: Shadow, change: Change, *, readings: Mapping[str, Reading], mine: Mapping[str, Mine]
) -> Heard:
    """Take a look into the shadow and return what it moved. Counters and sets move golden at once.

    ``mine`` names the fields that our own write explains. What is folded is folded by the rule in force: the platform's own
    fields and the words of this look count, golden is as it stood.
    """
    entity = space.rules.entities[record.entity]
    times = times_of(space, entity, shadow, change, ours=bool(mine))
    heard = Heard(shadow.as_of < 0 or shadow.life is not Life.ALIVE, moved=set(mine))
    raws = take_raws(entity, shadow, change.item) if entity.members[shadow.platform].raws and change.item else set()
    fields, now_and_then = entity.fields, folds_now_and_then(entity)
    for name, reading in last(readings, now_and_then):
        if reading.state is State.ABSENT:
            continue
        known = shadow.fields.get(name)
        if known is None:
            known = shadow.fields[name] = ShadowField()
        elif fields[name].type.is_text and is_plain_repeat(known, reading) and name not in mine:
            continue
        field = fields[name] if name not in now_and_then else field_now(space, record, entity, shadow, name)
        before, then = known.word if known.known is not Known.NEVER else None, (known.known, known.raw)
        if truth := folding(field, shadow.platform):
            heard.folds[name] = fold_of(truth, record, shadow.platform, name, known) | said(reading, mine.get(name))
            if name in now_and_then:
                heard.folds[name]["how"] = truth.how
        if name in mine:
            take_back(field, record, shadow.platform, known, reading.value, mine=mine[name])
        elif hear(field, record, shadow.platform, known, reading):
            known.lo, known.hi = times.of(name)
            known.by = change.by
            heard.said[name] = before
            heard.moved.add(name)
        elif (known.known, known.raw) != then:
            heard.moved.add(name)
    advance(space, shadow, change, changed=bool(heard.moved or raws), ours=bool(mine))
    heard.moved |= fields_of(entity, followers(entity, heard.moved) | raw_followers(entity, shadow.platform, raws))
    return heard


NOW_AND_THEN = "(folds now and then)"  # no platform is called that


def folds_now_and_then(entity: Entity) -> frozenset[str]:
    """Return the fields that are folded in some of their cases only, or may be frozen; the entity keeps them."""
    known: frozenset[str] | None = entity.compiled.get(NOW_AND_THEN)
    if known is None:
        odd = (f.name for f in entity.fields.values() if folds_in(f.truth) and not subjects(entity)[f.name].plain)
        known = entity.compiled[NOW_AND_THEN] = frozenset(odd)
    return known


def last(readings: Mapping[str, Reading], names: frozenset[str]) -> Iterable[tuple[str, Reading]]:
    """Return the readings, those of ``names`` after the others: their rules may look at the others' words."""
    return readings.items() if not names else sorted(readings.items(), key=lambda one: one[0] in names)


def field_now(space: Space, record: Record, entity: Entity, shadow: Shadow, name: str) -> Field:
    """Return a field as the rule in force treats what is observed of it. A row that comes back counts as alive already."""
    life, shadow.life = shadow.life, Life.ALIVE
    force = in_force(space, record, subjects(entity)[name])
    shadow.life = life
    return acting(entity.fields[name], force.truth, frozen=bool(force.frozen or force.failed))


def said(reading: Reading, mine: Mine | None) -> Given:
    """Return what a set or a counter is folded with: what was read, and the difference that we had sent."""
    return {"value": reading.value} | ({} if mine is None or mine.delta is None else {"delta": mine.delta})


def advance(space: Space, shadow: Shadow, change: Change, *, changed: bool, ours: bool) -> None:
    """Move the shadow's version, times and number to those of the look."""
    if change.version is not None or changed or ours:
        shadow.version = change.version  # a look without a version, that shows something new, makes the old one worthless
    shadow.changed_at = change.changed_at if change.changed_at is not None else shadow.changed_at
    if change.via is Via.READ or change.changed_at is not None:  # an event without a time tells of a moment before it came
        shadow.seen_at = max(shadow.seen_at, change.seen_at)
    shadow.as_of = max(shadow.as_of, space.number() if ours else change.as_of)
    shadow.life = Life.ALIVE


# ---- our own write


def take_back(field: Field, record: Record, platform: str, known: ShadowField, stored: Value, *, mine: Mine) -> None:
    """Our own write came back: raw is what is stored, means is what we sent (R2)."""
    if is_resent(known, mine):
        known.raw = stored
        return
    means = mine.sent
    if is_adjusted(known, stored, mine):
        if folding(field, platform):
            count(field, record, counted_meanwhile(field, known, stored, mine))
        means = stored
    golden = record.golden.get(field.name)
    if golden:
        known.lo, known.hi = golden.lo, golden.hi
    known.raw, known.means, known.word, known.by = stored, means, Word.OURS, None
    if is_counter(field):
        known.base = stored
    known.known, known.reason, known.cleared = (Known.NULL if stored is None else Known.OK), "", False
    known.kept, known.review, known.twice = None, False, None


def is_resent(known: ShadowField, mine: Mine) -> bool:
    """Return whether the field was only sent along in a whole record: it is still the platform's own word (R3)."""
    spoken = known.known in (Known.OK, Known.NULL)
    return spoken and known.word is Word.OWN and known.means == mine.sent and mine.delta is None


def is_adjusted(known: ShadowField, stored: Value, mine: Mine) -> bool:
    """Return whether the platform changed its own number by our difference, and told what became of it."""
    return mine.delta is not None and mine.atomic and known.base is not None and stored is not None


def counted_meanwhile(field: Field, known: ShadowField, stored: Value, mine: Mine) -> Value:
    """Return what others counted between our look and our adjustment (R20)."""
    return less(field, stored, plus(field, known.base, mine.delta))


# ---- the platform's own word


def hear(field: Field, record: Record, platform: str, known: ShadowField, reading: Reading) -> bool:
    """Take one reading into a shadow field; return whether the platform said something new."""
    if repeats(known, reading) and not starts_counting(field, known, reading.value):
        if known.known is Known.INVALID:
            known.known, known.reason = (Known.NULL if known.raw is None else Known.OK), ""
        return False
    if reading.state is State.INVALID:
        known.known, known.reason = Known.INVALID, reading.reason or "does not fit"  # raw keeps the last good value
        return False
    if confirms(field, known, reading.value):
        known.raw, known.known, known.twice = reading.value, (Known.NULL if reading.value is None else Known.OK), None
        return False
    speak(field, record, platform, known, reading.value)
    return True


def is_plain_repeat(known: ShadowField, reading: Reading) -> bool:
    """Return whether a text is what it was: most readings are, and the rest need not be asked of them."""
    return known.known is Known.OK and reading.state is State.VALUE and bool(reading.value == known.raw)


def repeats(known: ShadowField, reading: Reading) -> bool:
    """Return whether a reading shows what is known already. What was made of our own write is not checked again (R2)."""
    if known.known is Known.NEVER or (reading.state is State.INVALID and (reading.value is None or known.word is Word.OWN)):
        return False
    if known.known is Known.NULL and known.raw is not None:
        return reading.value is None  # an emptied set or counter keeps what it held as the base of differences
    return bool(known.raw == reading.value) and strict(known.raw, reading.value)


def confirms(field: Field, known: ShadowField, value: Value) -> bool:
    """Return whether this is the first look at what we wrote unseen, and only spells it in another way (R5.3), or in the way
    that it was found in once before (R5.4).
    """
    if known.twice is None or known.word is not Word.OURS or known.twice[0] != known.means:
        return False
    return explained(field, known.means, value) if len(known.twice) == 1 else known.twice[1] == value and not is_counter(field)


def speak(field: Field, record: Record, platform: str, known: ShadowField, value: Value) -> None:
    """The platform's own new word: fold sets and counters into golden, then remember it."""
    truth = folding(field, platform)
    unclear = truth is not None and is_unclear(field, known, value)
    known.cleared = value is None and known.known not in (Known.NEVER, Known.NULL)
    if truth is not None and value is not None:
        fold_in(field, truth, record, platform, known, value)
    if is_counter(field) and value is not None:
        known.base = value
    if truth is None or value is not None:
        known.raw = known.means = value
    known.known, known.word, known.reason = (Known.NULL if value is None else Known.OK), Word.OWN, ""
    known.kept, known.review = None, False
    known.twice = [*known.twice, value] if known.twice is not None and len(known.twice) == 1 else None
    if unclear:
        known.kept, known.review = [record.golden[field.name].value], True
