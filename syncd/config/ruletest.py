"""A rule test as read from ``tests/*.yaml``: what everyone agreed on, what platforms say then, and what must come of it.

Values of fields are canonical, values at paths are the platform's own. Times are microseconds since 1970.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from syncd.core.model import Native, Value
from syncd.core.rules import At

NOW = 1_767_268_800_000_000  # 2026-01-01T12:00:00Z: the moment of a test that names none


@dataclass(frozen=True, slots=True)
class Given:
    """What one platform says. ``values`` by path; what is not named is as in base. ``at``: when it was edited there.

    ``gone``: the thing is proved deleted there. ``stale``: the platform was not read for too long, and says nothing.
    """

    platform: str
    values: Mapping[str, Native] = field(default_factory=dict)
    gone: bool = False
    stale: bool = False
    at: int | None = None


@dataclass(frozen=True, slots=True)
class Base:
    """What everyone last agreed on. ``raws``: what platforms hold beside the fields, by path; ``platforms`` have the record."""

    fields: Mapping[str, Value] = field(default_factory=dict)
    raws: Mapping[str, Mapping[str, Native]] = field(default_factory=dict)
    platforms: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Expect:
    """What must come of it; None: not asked. ``golden`` and ``decided_by`` are asked for what they name, the rest is whole.

    ``deletes`` maps a platform to ``delete`` or ``archive``, or to ``""`` for either of them.
    """

    golden: Mapping[str, Value] | None = None
    writes: Mapping[str, Mapping[str, Native]] | None = None
    writes_total: int | None = None
    decided_by: Mapping[str, str] | None = None
    stray_edits: tuple[str, ...] | None = None
    conflicts: tuple[str, ...] | None = None
    held: tuple[str, ...] | None = None
    creates: tuple[str, ...] | None = None
    deletes: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class RuleTest:
    """One test. ``base`` None: there is no record yet. ``number``: its place in the file's list, from 0."""

    name: str
    entity: str
    at: At
    number: int
    given: tuple[Given, ...]
    expect: Expect
    base: Base | None = None
    now: int = NOW
    repeat: int = 1
