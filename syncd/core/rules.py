"""The compiled rules: what `config/` says, checked, in the shape in which the core obeys it. All of it is immutable.

The config room builds these; the core only reads them. Durations are microseconds.
"""

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Protocol

from syncd.core.model import SECOND, Abilities, Native, Value


@dataclass(frozen=True, slots=True)
class At:
    """A place in the config: where a rule stands, for reports and errors."""

    file: str = ""
    line: int = 0
    col: int = 1


class FieldType(Protocol):
    """Type of a field: between native values and canonical ones (``core.values``)."""

    @property
    def name(self) -> str:
        """The type as the config names it: ``decimal(2)``."""
        ...

    @property
    def is_number(self) -> bool:
        """Whether ``number`` is defined: min, max, sum, ``max_step``."""
        ...

    @property
    def is_text(self) -> bool:
        """Whether values are text a person typed: pattern, lengths."""
        ...

    @property
    def is_set(self) -> bool:
        """Whether values are sorted lists of members: union, intersection."""
        ...

    @property
    def is_counter_ok(self) -> bool:
        """Whether ``merge: delta`` can add and subtract values exactly."""
        ...

    def read(self, raw: Native) -> Value:
        """Return the canonical value of a native one, never None; raises ``values.Invalid`` if it does not fit."""
        ...

    def write(self, value: Value) -> Native:
        """Return the native value (a JSON number is Decimal or int) of a canonical one. Never called with None."""
        ...

    def number(self, value: Value) -> Decimal:
        """Return a canonical value as a number; ``read`` takes the number back. Only if ``is_number``."""
        ...

    def order(self, value: Value) -> Any:
        """Return what canonical values are ranked by: number, moment, place in the enum, else the value itself."""
        ...

    def at(self, zone: str) -> "FieldType":
        """Return the type as a platform in this time zone has it; only ``datetime`` cares."""
        ...


class Transform(Protocol):
    """One step of a mapping's pipeline (``core.transforms``)."""

    @property
    def name(self) -> str:
        """The step as the config writes it: ``pad_zeros(18)``."""
        ...

    def __call__(self, raw: Native) -> Native:
        """Return the transformed native value; raises ``values.Invalid``. Never called with None."""
        ...


class Equality(Protocol):
    """When two canonical values of a field count as the same (``core.equality``)."""

    @property
    def name(self) -> str:
        """The rule as the config names it: ``casefold``."""
        ...

    def same(self, one: Value, other: Value) -> bool:
        """Return whether both are the same; None equals only None."""
        ...

    def fold(self, value: Value) -> Hashable:
        """Return a set member in the form in which equal members are one; the member itself where nothing is folded."""
        ...


class Check(Protocol):
    """A condition on a value (``core.checks``)."""

    @property
    def name(self) -> str:
        """The check as the config names it: ``min``."""
        ...

    def problem(self, value: Value) -> str | None:
        """Return what is wrong with a canonical, non-null value, or None."""
        ...


@dataclass(frozen=True, slots=True)
class Pick:
    """A step of a path: the first element of a list whose ``field`` has this text, ``variants[sku=MUG-1]``."""

    field: str
    text: str


Steps = tuple[str | int | Pick, ...]


@dataclass(frozen=True, slots=True)
class Truth:
    """The source-of-truth rule of one field or group.

    ``how``: owner priority newest union intersection max min sum longest earliest latest any all delta const manual.
    ``platforms``: owner has one; for the others their order matters. ``propose``: the suggestion of ``manual``.
    """

    how: str
    platforms: tuple[str, ...] = ()
    skew: int = 2 * SECOND
    tie: tuple[str, ...] = ()
    value: Value = None  # const
    propose: "Truth | None" = None
    if_null: str = "keep"  # keep clear next hold const use
    null_value: Value = None  # if_null: {const: V}
    null_use: str | None = None  # if_null: {use: PLATFORM}
    if_stale: str = "keep"  # keep next hold
    if_invalid: str = "hold"  # keep next hold
    stale_after: int | None = None
    removals: bool = True
    at: At = At()


@dataclass(frozen=True, slots=True)
class FieldMap:
    """Where a field is on one platform, and how it is translated. ``path`` is dotted, numbers are list positions."""

    path: str
    steps: Steps
    read: tuple[Transform, ...] = ()
    write: tuple[Transform, ...] = ()
    direction: str = "both"  # both in out
    default: Value = None  # canonical; on create, when golden has none
    at: At = At()


@dataclass(frozen=True, slots=True)
class Field:
    """One field of an entity. ``stray``: what becomes of edits that a platform does not decide: revert keep review."""

    name: str
    type: FieldType
    truth: Truth | None  # None: decided by its group
    maps: dict[str, FieldMap]
    equal: Equality
    checks: tuple[Check, ...] = ()
    max_step: float | None = None  # 0.3 is 30 %
    required: bool = False
    stray: dict[str, str] = field(default_factory=dict)
    group: str | None = None
    mode: str | None = None
    writes: tuple[str, ...] | None = None
    blank_is_value: bool = False
    note: str = ""
    at: At = At()


@dataclass(frozen=True, slots=True)
class Group:
    """Fields that win, are held and are written together."""

    name: str
    fields: tuple[str, ...]
    truth: Truth


@dataclass(frozen=True, slots=True)
class Member:
    """A platform's part in an entity: its collection, what it may do and what syncd may do there.

    ``mode`` is the most careful of platform, entity and command line; ``mode_at`` names the place that decided.
    ``writable``: paths that may be written, None for all. ``deleted``: (path, value) that marks an archived thing.
    ``on_delete``: what a deletion of the record does here: delete archive clear_link ignore.
    """

    platform: str
    collection: str
    abilities: Abilities = field(default_factory=Abilities)
    mode: str = "propose"  # observe propose enforce
    mode_at: str = ""
    create: bool = False
    unmatched: str = "review"  # create review ignore
    writable: frozenset[str] | None = None
    guard: str = "hash"  # version hash none
    deleted: tuple[str, Native] | None = None
    on_delete: str = "ignore"
    stale_after: int = 1800 * SECOND
    timezone: str = "UTC"  # of the platform: what its naive datetimes mean


@dataclass(frozen=True, slots=True)
class Match:
    """One way to recognise a record: fields, each with a normaliser, that together name it."""

    by: tuple[str, ...]
    normal: Callable[[Value], Value]
    confidence: str = "sure"  # sure review
    text: str = ""  # as written, for the evidence: "sku"


@dataclass(frozen=True, slots=True)
class Deletes:
    """When a deletion is real, and what follows. ``wait`` is in microseconds."""

    authority: str = "manual"  # PLATFORM any manual
    sweeps: int = 2
    wait: int = 3600 * SECOND
    elsewhere: str = "review"  # restore ignore review


@dataclass(frozen=True, slots=True)
class Limit:
    """A breaker trips when every figure it names is exceeded. ``ratio`` 0.1 is 10 %; ``per``: window, microseconds."""

    max: int | None = None
    ratio: float | None = None
    per: int = 600 * SECOND


@dataclass(frozen=True, slots=True)
class Safety:
    """The breakers of one entity."""

    changes: Limit = Limit(200, 0.10, 600 * SECOND)
    deletes: Limit = Limit(10, 0.01, 3600 * SECOND)
    blanked: Limit = Limit(5, 0.02, 600 * SECOND)
    shrink: Limit = Limit(5, 0.20, 0)
    on_trip: str = "pause"  # pause warn


@dataclass(frozen=True, slots=True)
class Entity:
    """A kind of record with all its rules. ``key`` is a field's name, or ``"id"`` for syncd's own ids."""

    name: str
    key: str
    fields: dict[str, Field]
    members: dict[str, Member]  # by platform, in the order of `in:`
    matches: tuple[Match, ...] = ()
    groups: dict[str, Group] = field(default_factory=dict)
    deletes: Deletes = Deletes()
    safety: Safety = Safety()
    label: str = ""
    file: str = ""
    # how things of each platform are read and written, compiled once by core.mapping
    compiled: dict[str, Any] = field(default_factory=dict, init=False, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class Rules:
    """All entities under one config. ``sha`` is the config's, seven hex digits."""

    sha: str
    entities: dict[str, Entity]

    def entity_of(self, platform: str, collection: str) -> Entity | None:
        """Return the entity that lives in this collection, if any. A collection serves one entity."""
        return next(
            (
                e
                for e in self.entities.values()
                if platform in e.members and e.members[platform].collection == collection
            ),
            None,
        )
