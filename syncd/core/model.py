"""The nouns of syncd: what platforms say, what we remember of it, what we decide and what we send.

This file knows no rule and no platform. Values are kept in one canonical, JSON-ready form per field type (see
``core.values``), so that two equal values are equal objects: decimals as text with their places, dates and datetimes as ISO
text, sets as sorted lists without repeats. Times are integers: microseconds since 1970, UTC. ``None`` is *null*: the
platform says empty.
"""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, NamedTuple

Value = Any  # canonical: str | int | bool | None | list[str] | a JSON document
Native = Any  # as the platform has it: JSON, with Decimal for numbers that have a fraction
Item = dict[str, Native]  # one thing as a platform shows it

SECOND = 1_000_000  # microseconds


class State(StrEnum):
    """How a field was read."""

    VALUE = "value"
    NULL = "null"  # the platform says empty
    ABSENT = "absent"  # not in the answer: no opinion
    INVALID = "invalid"  # does not fit its type or check
    UNREADABLE = "unreadable"  # the platform could not be read


class Reading(NamedTuple):
    """One field as observed. ``value`` is canonical under VALUE, and under INVALID if only a check fails; ``reason`` says what
    is wrong under INVALID.

    A tuple because a sweep makes millions of them, and nothing else that cannot be changed is as quick to make.
    """

    state: State
    value: Value = None
    reason: str = ""


class Via(StrEnum):
    """How an observation came about. A read was asked for by us; an event is only a hint unless it can be ordered."""

    EVENT = "event"
    READ = "read"


@dataclass(frozen=True, slots=True)
class Change:
    """One observation of a thing on a platform: what it is now, or that it is gone. Immutable.

    ``version`` is an int where the platform's versions only grow (they order observations), a str where they are opaque
    (ETags: they guard writes, they order nothing). ``as_of`` is the ledger's number taken when the request *started*
    (reads), or when the event arrived. ``changed_at`` is the platform's time of the last edit, ``seen_at`` is our clock at
    the request's start or the event's arrival. ``times`` has the edit times of single fields by path, where a platform
    tells. ``event_id`` lets a repeated event be known. ``own``: the platform itself says that syncd made this state: by which
    write (its key), or "" where it only says that it was us. ``gone`` with an item is a thing that carries the collection's
    deletion marker (archived); ``left`` is a thing that exists outside the collection's scope: neither there for us nor
    deleted. ``merged_into``: it is gone because the platform made one of two things, the other's id.
    """

    platform: str
    collection: str
    id: str
    via: Via
    as_of: int
    seen_at: int
    item: Item | None = None
    gone: bool = False
    left: bool = False
    version: int | str | None = None
    changed_at: int | None = None
    times: dict[str, int] | None = None
    by: str | None = None
    event_id: str | None = None
    own: str | None = None
    merged_into: str | None = None


@dataclass(frozen=True, slots=True)
class Abilities:
    """What one collection of a platform can do, as its connector and its config declare it.

    ``guard``: a write is refused if the thing was edited since. ``ordered``: versions are numbers that only grow within a
    life. ``contiguous``: they grow by exactly one with each edit. ``keyed``: a repeated idempotency key repeats the answer.
    ``unique``: a second create with the same match key is refused. ``whole``: only whole things can be written. ``adjust``:
    numbers can be changed by a difference. ``answers``: the answer to a write holds what is now stored. ``exact``: numbers
    are stored as sent. ``signs``: a look at what a write made carries its key
    (``Change.own``). ``field_times``: edit times per field. ``tick``: granularity of ``changed_at``, microseconds.
    ``lifetime``: how long an unanswered request may still be applied, microseconds.
    """

    list: bool = True
    read: bool = True
    find: bool = True
    create: bool = True
    update: bool = True
    delete: bool = True
    guard: bool = False
    ordered: bool = False
    contiguous: bool = False
    field_times: bool = False
    keyed: bool = False
    unique: bool = False
    whole: bool = False
    adjust: bool = False
    answers: bool = False
    signs: bool = False
    exact: bool = True
    timed: bool = True  # the platform tells when a thing was changed
    tick: int = 1
    lifetime: int = 60 * SECOND


class Word(StrEnum):
    """Whose word the stored value is: the platform's own, or what we wrote there. Only own words vote."""

    OWN = "own"
    OURS = "ours"


class Known(StrEnum):
    """State of a shadow field. NEVER: not seen yet. INVALID keeps the last good ``raw``."""

    NEVER = "never"
    OK = "ok"
    NULL = "null"
    INVALID = "invalid"


@dataclass(slots=True)
class ShadowField:
    """What we last knew a platform to hold in one field. See semantics, section 2.

    ``raw`` is what is stored there; ``means`` the golden value it stands for (equal to raw when own); the edit lies in
    (``lo``, ``hi``]. ``base`` is the last raw counted of a counter, None before first contact. ``kept`` is a one-element
    list with the golden value a stray edit was kept against, or None. ``review`` marks that the stray edit waits for a person.
    ``twice`` is (sent, stored) of one unexplained mismatch, or (sent,) of a write that no look has confirmed yet. ``reason``
    says what is wrong while INVALID. ``by`` is the author.
    ``cleared``: the platform's own word went from a value to null, seen by us. ``flips`` counts how often since ``flip_at`` it
    overwrote our value and we ours again.
    """

    raw: Value = None
    known: Known = Known.NEVER
    means: Value = None
    word: Word = Word.OWN
    lo: int = 0
    hi: int = 0
    base: Value = None
    kept: list[Value] | None = None
    review: bool = False
    twice: list[Value] | None = None
    reason: str = ""
    by: str | None = None
    cleared: bool = False
    flips: int = 0
    flip_at: int = 0


class Life(StrEnum):
    """Where a row stands on its platform, or a record as a whole."""

    ALIVE = "alive"
    GONE = "gone"
    ARCHIVED = "archived"
    LEFT = "left"  # left scope: neither there for us nor deleted


@dataclass(slots=True)
class Shadow:
    """What we last knew of a record on one platform. ``as_of`` is the number of the newest accepted look."""

    platform: str
    collection: str
    id: str
    life: Life = Life.ALIVE
    version: int | str | None = None
    changed_at: int | None = None
    seen_at: int = 0
    as_of: int = -1
    old_version: int = -1  # the highest of the previous life under this id
    fields: dict[str, ShadowField] = field(default_factory=dict)
    raws: dict[str, Native] = field(default_factory=dict)  # the platform's own paths that expressions name, as last seen


@dataclass(slots=True)
class GoldenField:
    """The reconciled value of one field, with its provenance.

    ``who`` is a platform, ``"rule"``, ``"person"``, or None while nobody has spoken. ``provisional``: taken at first contact,
    before its owner spoke. ``seed`` is (rank, value) of a counter. ``ruled`` holds the own words (platform -> raw) a person
    ruled on: the ruling stands until one of them changes.
    """

    value: Value = None
    lo: int = 0
    hi: int = 0
    who: str | None = None
    provisional: bool = False
    seed: tuple[int, Value] | None = None
    ruled: dict[str, Value] | None = None
    version: int = 0  # of the record, when this value was decided


@dataclass(frozen=True, slots=True)
class Tombstone:
    """A recorded deletion: when by our number and clock, on which platform, and the proof."""

    as_of: int
    at: int
    proof: str
    platform: str = ""


@dataclass(slots=True)
class Conflict:
    """A decision no rule may take. ``name`` is the field (or group); ``(identity)`` and ``(PLATFORM)`` are about the record.

    ``others`` are the records that it may be one with, ``about`` the fields that are written nowhere meanwhile.
    """

    name: str
    kind: str  # value | identity | step | manual | delete
    why: str
    values: dict[str, Value] = field(default_factory=dict)  # platform -> the value it holds
    id: int | None = None
    opened_at: int = 0
    proposal: Value = None  # what a manual rule suggests
    others: tuple[int, ...] = ()
    about: tuple[str, ...] = ()
    reviewers: tuple[str, ...] = ()  # whom a manual rule asks


@dataclass(slots=True)
class Record:
    """One thing of an entity, everywhere: golden, shadows and open conflicts. ``born`` is our number at its creation."""

    id: int
    entity: str
    born: int
    key: str = ""
    life: Life = Life.ALIVE
    version: int = 0
    golden: dict[str, GoldenField] = field(default_factory=dict)
    shadows: dict[str, Shadow] = field(default_factory=dict)  # by platform
    conflicts: dict[str, Conflict] = field(default_factory=dict)  # by name
    tomb: Tombstone | None = None


class Op(StrEnum):
    """What a write does. ARCHIVE sets the collection's deletion marker."""

    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"
    ARCHIVE = "archive"


@dataclass(frozen=True, slots=True)
class Write:
    """The field delta for one platform, planned at the moment it is sent.

    ``values`` maps the mapping's path to the native value; ``sent`` maps the field to the golden value it stands for.
    ``adjust`` maps a counter's field to its difference, ``adjust_at`` to its path, which has that difference in ``values``.
    ``before`` has the native values of the written paths as last read, for hash guards. ``item`` is the whole thing as last
    read, for platforms that take whole things or lists. ``key`` is the idempotency key, filled in when the attempt is
    journaled.
    """

    op: Op
    platform: str
    collection: str
    record: int
    id: str | None
    version: int | str | None = None
    values: dict[str, Native] = field(default_factory=dict)
    sent: dict[str, Value] = field(default_factory=dict)
    adjust: dict[str, Value] = field(default_factory=dict)
    adjust_at: dict[str, str] = field(default_factory=dict)
    before: dict[str, Native] = field(default_factory=dict)
    item: Item | None = None
    key: str = ""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try to send a write, journaled before the call. ``raws`` has the shadow's raw of each sent field before it.

    ``sent_at`` is our clock; until ``lifetime_end`` an unanswered request may still be applied.
    """

    id: int
    write: Write
    as_of: int
    sent_at: int
    lifetime_end: int
    raws: dict[str, Value] = field(default_factory=dict)


class Answer(StrEnum):
    """What a platform said to a write. Anything else is an exception."""

    DONE = "done"
    STALE = "stale"  # the guard refused: edited since
    GONE = "gone"  # there is no such thing any more
    EXISTS = "exists"  # a create met a thing with the same key


@dataclass(frozen=True, slots=True)
class Receipt:
    """What the platform says it stored. ``id`` is the native id, also of a thing just created.

    ``look`` is the thing as stored: the body of the answer (``atomic``), or a read-back. ``version`` is the version that the
    answer itself named; a read-back that shows the same one is as good as a body. ``inferred``: the answer was lost, and the
    look is all there is.
    """

    answer: Answer
    id: str | None = None
    look: Change | None = None
    atomic: bool = False
    version: int | str | None = None
    inferred: bool = False


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One field of one version: what it was, what it is, who won, and by which rule against whom.

    ``inputs`` are the votes by platform, ``given`` is what else it was derived from (``core.inputs``).
    """

    name: str
    before: Value
    after: Value
    who: str | None
    why: str
    rule: str = ""
    inputs: dict[str, Any] = field(default_factory=dict)
    given: dict[str, Any] = field(default_factory=dict)
