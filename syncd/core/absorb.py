"""The shadow becomes the observation: what differs from raw is the platform's own word, what we sent is ours.

Diffs are taken on raw and on nothing else. Sets and counters are folded into golden here, because only the difference against
that platform's own last state says what it added, removed or counted (R17, R19); every other rule votes later (``resolve``).
"""

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from syncd.core.model import Change, GoldenField, Known, Life, Reading, Record, Shadow, ShadowField, State, Value, Word
from syncd.core.rules import Entity, Field
from syncd.core.space import Space


@dataclass(frozen=True, slots=True)
class Mine:
    """A field of our own write found in a look: what we sent, and the counter's difference if it was adjusted.

    ``atomic``: the look is the write's own answer, so that nobody else's edit can hide in it.
    """

    sent: Value
    delta: Value = None
    atomic: bool = False


@dataclass(frozen=True, slots=True)
class Times:
    """When an edit seen in one look happened, by our clock: in (lo, hi]."""

    change: Change
    paths: Mapping[str, str]  # field -> path
    offset: int
    before: int
    sharp: bool

    def of(self, name: str, *, ours_between: bool) -> tuple[int, int]:
        """Return the interval of a field's edit (R10)."""
        exact = (self.change.times or {}).get(self.paths[name])
        if exact is not None:
            return exact - self.offset, exact - self.offset
        hi = record_time(self.change, self.offset)
        if self.sharp and not ours_between:
            return hi, hi
        return min(self.before, hi), hi


def record_time(change: Change, offset: int) -> int:
    """Return when the thing was last edited by our clock: the platform's time less its offset, else when we looked."""
    return change.seen_at if change.changed_at is None else change.changed_at - offset


def contiguous(shadow: Shadow, change: Change) -> bool:
    """Return whether exactly one edit lies between the shadow and this look."""
    return (
        isinstance(change.version, int) and isinstance(shadow.version, int) and change.version == shadow.version + 1
    )


def absorb(
    space: Space, record: Record, shadow: Shadow, change: Change, *, readings: Mapping[str, Reading], mine: Mapping[str, Mine]
) -> dict[str, Word | None]:
    """Take a look into the shadow; return the fields in which the platform said something new, with the word that stood before.

    ``mine`` names the fields that our own write explains. Counters and sets move golden at once.
    """
    entity = space.rules.entities[record.entity]
    times = times_of(space, entity, shadow, change, ours=bool(mine))
    first = shadow.as_of < 0
    said: dict[str, Word | None] = {}
    for name, reading in readings.items():
        known = shadow.fields.setdefault(name, ShadowField())
        if reading.state is State.ABSENT:
            continue
        before = None if known.known is Known.NEVER else known.word
        if name in mine:
            take_back(entity.fields[name], record, known, reading.value, mine=mine[name])
        elif hear(entity.fields[name], record, shadow, known, reading=reading, first=first):
            known.lo, known.hi = times.of(name, ours_between=bool(mine))
            known.by = change.by
            said[name] = before
    advance(space, shadow, change, changed=bool(said), ours=bool(mine))
    return said


def times_of(space: Space, entity: Entity, shadow: Shadow, change: Change, *, ours: bool) -> Times:
    """Return the clockwork of one look."""
    offset = space.clocks.get(change.platform, (0, 0))[0]
    paths = {n: f.maps[change.platform].path for n, f in entity.fields.items() if change.platform in f.maps}
    before = shadow.seen_at if shadow.changed_at is None else shadow.changed_at - offset
    sharp = shadow.as_of < 0 or (contiguous(shadow, change) and not ours)
    return Times(change, paths, offset, before, sharp)


def advance(space: Space, shadow: Shadow, change: Change, *, changed: bool, ours: bool) -> None:
    """Move the shadow's version, times and number to those of the look."""
    if change.version is not None or changed or ours:
        shadow.version = change.version  # a look without a version, that shows something new, makes the old one worthless
    shadow.changed_at = change.changed_at if change.changed_at is not None else shadow.changed_at
    shadow.seen_at = max(shadow.seen_at, change.seen_at)
    shadow.as_of = max(shadow.as_of, space.number() if ours else change.as_of)
    shadow.life = Life.ALIVE


def take_back(field: Field, record: Record, known: ShadowField, stored: Value, *, mine: Mine) -> None:
    """Our own write came back: raw is what is stored, means is what we sent (R2)."""
    if resent(known, mine):
        known.raw = stored
        return
    adjusted = mine.delta is not None and mine.atomic and known.base is not None and stored is not None
    if adjusted:
        count(field, record, less(field, stored, plus(field, known.base, mine.delta)))  # R20: somebody counted meanwhile
    golden = record.golden.get(field.name)
    if golden:
        known.lo, known.hi = golden.lo, golden.hi
    known.raw = stored
    if is_counter(field):
        known.base = stored
    known.means, known.word, known.reason, known.by = (stored if adjusted else mine.sent), Word.OURS, "", None
    known.known = Known.NULL if stored is None else Known.OK
    known.kept, known.review, known.twice, known.cleared = None, False, None, False


def resent(known: ShadowField, mine: Mine) -> bool:
    """Return whether the field was only sent along in a whole record: it is still the platform's own word (R3)."""
    spoken = known.known in (Known.OK, Known.NULL)
    return spoken and known.word is Word.OWN and known.means == mine.sent and mine.delta is None


def hear(field: Field, record: Record, shadow: Shadow, known: ShadowField, *, reading: Reading, first: bool) -> bool:
    """Take one reading into a shadow field; return whether the platform said something new."""
    if reading.state is State.INVALID:
        fresh = known.known is not Known.INVALID
        known.known, known.reason = Known.INVALID, reason_of(reading)
        return fresh
    value = reading.value
    if known.known is not Known.NEVER and value == known.raw and not starts_counting(field, shadow, known):
        known.known, known.reason = (Known.NULL if value is None else Known.OK), ""
        return False
    return speak(field, record, shadow, known, value=value, first=first)


def reason_of(reading: Reading) -> str:
    """Return what is wrong with an invalid reading, for people."""
    return reading.reason or "does not fit"


def speak(field: Field, record: Record, shadow: Shadow, known: ShadowField, *, value: Value, first: bool) -> bool:
    """The platform's own new word: fold sets and counters into golden, then remember it."""
    folds = field.truth is not None and shadow.platform in field.truth.platforms
    was_empty = known.known in (Known.NEVER, Known.NULL)
    keeps_raw = value is None and folds and (is_counter(field) or is_set(field))
    if folds and value is not None:
        if is_counter(field):
            tally(field, record, shadow.platform, known, value=value)
        elif is_set(field):
            fold_members(field, record, shadow.platform, known, value=value, first=first)
    if not keeps_raw:
        known.raw = known.means = value
    known.word, known.kept, known.review, known.twice, known.reason = Word.OWN, None, False, None, ""
    known.cleared = value is None and not was_empty
    known.known = Known.NULL if value is None else Known.OK
    return True


# ---- counters


def is_counter(field: Field) -> bool:
    """Return whether the field is merged by differences."""
    return field.truth is not None and field.truth.how == "delta"


def starts_counting(field: Field, shadow: Shadow, known: ShadowField) -> bool:
    """Return whether this is a counter's first contact (or the first after its base was dropped)."""
    return is_counter(field) and known.base is None and field.truth is not None and shadow.platform in field.truth.platforms


def number(field: Field, value: Value) -> Decimal:
    """Return a canonical number as Decimal."""
    return Decimal(value)


def plus(field: Field, one: Value, other: Value) -> Value:
    """Return the canonical sum of two canonical numbers."""
    return field.type.read(number(field, one) + number(field, other))


def less(field: Field, one: Value, other: Value) -> Value:
    """Return the canonical difference of two canonical numbers."""
    return field.type.read(number(field, one) - number(field, other))


def count(field: Field, record: Record, difference: Value) -> None:
    """Add a difference to golden."""
    golden = record.golden[field.name]
    golden.value = plus(field, golden.value, difference)


def tally(field: Field, record: Record, platform: str, known: ShadowField, *, value: Value) -> None:
    """Count a platform's difference since its base; first contact adds nothing but may seed (R19)."""
    golden = record.golden.get(field.name)
    rank = field.truth.platforms.index(platform) if field.truth else 0
    if golden is None or golden.value is None:
        record.golden[field.name] = GoldenField(value, who=platform, seed=(rank, value))
    elif known.base is not None:
        count(field, record, less(field, value, known.base))
        golden.who = platform
    elif better_seed(golden, rank, known):
        assert golden.seed is not None
        count(field, record, less(field, value, golden.seed[1]))
        golden.seed = (rank, value)
    known.base = value


def better_seed(golden: GoldenField, rank: int, known: ShadowField) -> bool:
    """Return whether a first contact comes from a platform nearer to the front of ``from:`` than the seed's."""
    return golden.seed is not None and rank < golden.seed[0] and known.known is Known.NEVER


# ---- sets


def is_set(field: Field) -> bool:
    """Return whether the field is a three-way merged set."""
    return field.truth is not None and field.truth.how in ("union", "intersection")


def fold_members(field: Field, record: Record, platform: str, known: ShadowField, *, value: list[str], first: bool) -> None:
    """Add and remove in golden what this platform added and removed since its own last state (R17, R18)."""
    golden = record.golden.get(field.name)
    if golden is None or golden.value is None:
        record.golden[field.name] = GoldenField(list(value), who=platform)
        return
    assert field.truth is not None
    before = base_members(golden, known)
    if field.truth.how == "intersection":
        members = meet(field, record, platform, before, value=value, first=first or known.known is Known.NEVER)
    else:
        members = join(field, golden.value, before, value=value)
    if members != golden.value:
        golden.value, golden.who = members, platform


def base_members(golden: GoldenField, known: ShadowField) -> list[str]:
    """Return what the platform held before: the base of the three-way merge (R17)."""
    return known.raw or []


def join(field: Field, golden: list[str], before: list[str], *, value: list[str]) -> list[str]:
    """Return golden less what was removed, plus what was added, compared under the field's ``equal``."""
    fold = folds_of(field)
    old, new, have = ({fold(m) for m in x} for x in (before, value, golden))
    gone = old - new if field.truth and field.truth.removals else set()
    added = {m for m in value if fold(m) in new - old - have}
    return sorted({m for m in golden if fold(m) not in gone} | added)


def folds_of(field: Field) -> Callable[[str], Hashable]:
    """Return the function that makes two members equal under the field's ``equal`` the same."""
    return field.equal.fold


def meet(field: Field, record: Record, platform: str, before: list[str], *, value: list[str], first: bool) -> list[str]:
    """Return the members that every source holds: one removal is enough, an addition needs all."""
    fold = folds_of(field)
    golden = record.golden[field.name].value
    new = {fold(m) for m in value}
    assert field.truth is not None
    others = [
        s.fields[field.name].raw or []
        for p, s in record.shadows.items()
        if p != platform and p in field.truth.platforms and s.life is Life.ALIVE and heard(s, field.name)
    ]
    gone = {fold(m) for m in (golden if first else before)} - new
    everywhere = {m for m in value if all(fold(m) in {fold(o) for o in other} for other in others)}
    have = {fold(m) for m in golden}
    return sorted({m for m in golden if fold(m) not in gone} | {m for m in everywhere if fold(m) not in have})


def heard(shadow: Shadow, name: str) -> bool:
    """Return whether a field was ever read on a platform."""
    return name in shadow.fields and shadow.fields[name].known is not Known.NEVER
