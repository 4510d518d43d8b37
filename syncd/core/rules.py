"""The compiled rules: what `config/` says, checked, in the shape in which the core obeys it. All of it is immutable.

The config room builds these; the core only reads them. Durations are microseconds.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from syncd.core.model import SECOND, Abilities, Native, Value
from syncd.core.parts import Check, Equality, Expression, FieldType, Name, Pick, Steps, Transform

__all__ = [
    "At",
    "Branch",
    "Check",
    "Deletes",
    "Entity",
    "Equality",
    "Expression",
    "Field",
    "FieldMap",
    "FieldType",
    "Freeze",
    "Group",
    "Limit",
    "Match",
    "Member",
    "Name",
    "Pick",
    "Rules",
    "Safety",
    "Steps",
    "Transform",
    "Truth",
]


@dataclass(frozen=True, slots=True)
class At:
    """A place in the config: where a rule stands, for reports and errors."""

    file: str = ""
    line: int = 0
    col: int = 1


@dataclass(frozen=True, slots=True)
class Branch:
    """One case of a truth: its rule decides if ``when`` is true; the last one has no ``when``."""

    when: Expression | None
    truth: "Truth"


@dataclass(frozen=True, slots=True)
class Freeze:
    """When golden may no longer change. ``kind``: always until when after_first; ``until`` is microseconds."""

    kind: str
    until: int = 0
    when: Expression | None = None


@dataclass(frozen=True, slots=True)
class Truth:
    """The source-of-truth rule of one field or group.

    ``how``: owner priority newest union intersection max min sum longest earliest latest any all delta const manual expr
    cases. ``platforms``: owner has one; for the others their order matters; of cases and formulas: all that they name.
    ``propose``: the suggestion of ``manual``. ``branches``: of cases, the last one without a condition.
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
    expr: Expression | None = None
    branches: tuple[Branch, ...] = ()
    freeze: Freeze | None = None
    reviewers: tuple[str, ...] = ()
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
    pii: bool = False
    conditions: tuple[Expression, ...] = ()  # check.expr: a reading for which one is not true is invalid
    unique: bool = False
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
    only: Expression | None = None  # of the platform's own fields: what is not true is out of scope
    create_when: Expression | None = None  # of the entity's fields: made here only where it is true
    raws: tuple[str, ...] = ()  # the platform's own paths that expressions name; the shadow remembers them
    id_path: str = ""  # where a thing shows its own id, among the raws; only of an entity that others refer to
    stale_after: int = 1800 * SECOND
    timezone: str = "UTC"  # of the platform: what its naive datetimes mean
    home: str = ""  # the kind of platform, sql file rest ...; "" where anything goes (memory)


@dataclass(frozen=True, slots=True)
class Match:
    """One way to recognise a record: fields, each with a normaliser, that together name it."""

    by: tuple[str, ...]
    normal: Callable[[Value], Value]
    confidence: str = "sure"  # sure review
    text: str = ""  # as written, for the evidence: "sku"
    when: Expression | None = None  # of the entity's fields: asked of both sides


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
            (e for e in self.entities.values() if platform in e.members and e.members[platform].collection == collection),
            None,
        )
