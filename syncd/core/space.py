"""The working set of one batch: what the decider may see, and what it did.

The ledger fills a Space (``ledger.records.load``), the core works on it, the ledger writes back what was touched
(``ledger.records.commit``), all in one transaction. Nothing here outlives the batch.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

from syncd.core.model import Conflict, FieldChange, Life, Record, Value
from syncd.core.rules import Member, Rules

Thing = tuple[str, str, str]  # (platform, collection, native id)
Key = tuple[str, str, str]  # (entity, match as written, value as text)


@dataclass(frozen=True, slots=True)
class Link:
    """Which record a thing is. ``record`` None: unlinked, waiting for a person or ignored. ``life`` GONE: a tombstone."""

    record: int | None
    life: Life = Life.ALIVE
    evidence: str = ""


@dataclass(frozen=True, slots=True)
class Stray:
    """An edit of a field by a platform that does not decide it, and what happens to it: revert keep review lost."""

    platform: str
    field: str
    value: Value
    golden: Value
    action: str
    by: str | None = None
    changed_at: int | None = None


@dataclass(slots=True)
class Decision:
    """What was decided about one record because of one cause, with its inputs. Append-only once stored."""

    record: int
    version: int
    at: int
    cause: str
    fields: list[FieldChange] = field(default_factory=list)
    strays: list[Stray] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Loose:
    """A conflict about a thing that is no record yet, or about which record it is."""

    thing: Thing
    entity: str
    conflict: Conflict
    candidates: tuple[int, ...] = ()


class Touch(NamedTuple):
    """A bulk touch: ``rows`` of ``of`` rows seen together were changed between ``lo`` and ``hi``, the platform's own time."""

    lo: int
    hi: int
    rows: int
    of: int


@dataclass(slots=True)
class Space:
    """What the decider may see, and what it did.

    ``swept``: our number at the start of the last complete scan whose rows are all decided, by (platform, collection).
    ``read_at``: our clock at the last successful read of a platform. ``clocks``: (offset, uncertainty) of a platform's
    clock. ``touches``: the bulk touches of a (platform, collection) (``core.recency``). ``proofs``: our number at the start of
    a look-up by key that found nothing, by (record, platform). ``next_id`` is the id the next new record gets.
    """

    rules: Rules
    now: int
    number: Callable[[], int]
    next_id: int = 1
    records: dict[int, Record] = field(default_factory=dict)
    links: dict[Thing, Link] = field(default_factory=dict)
    keys: dict[Key, set[int]] = field(default_factory=dict)
    in_flight: set[tuple[int, str]] = field(default_factory=set)
    swept: dict[tuple[str, str], int] = field(default_factory=dict)
    read_at: dict[str, int] = field(default_factory=dict)
    clocks: dict[str, tuple[int, int]] = field(default_factory=dict)
    proofs: dict[tuple[int, str], int] = field(default_factory=dict)
    touches: dict[tuple[str, str], list[Touch]] = field(default_factory=dict)
    apart: set[tuple[int, int]] = field(default_factory=set)  # pairs of records, lower id first, that a person keeps apart
    parents: dict[int, Record] = field(default_factory=dict)  # records that those of the set refer to, to be looked at only
    parent_links: dict[Thing, Link] = field(default_factory=dict)  # things that looks refer to
    one_name: bool = False  # in rule tests a parent is called the same on every platform, and is always there
    # what the decider did
    touched: set[int] = field(default_factory=set)
    relinked: set[Thing] = field(default_factory=set)
    decisions: list[Decision] = field(default_factory=list)
    closed: list[tuple[int, str, str]] = field(default_factory=list)  # (conflict id, how, detail)
    loose: list[Loose] = field(default_factory=list)
    settled: list[Thing] = field(default_factory=list)  # things whose loose conflicts close
    behind: set[tuple[int, str]] = field(default_factory=set)  # (record, platform) to be planned
    united: list[tuple[int, int, str]] = field(default_factory=list)  # (id that is no more, id of the record, why)
    parted: dict[tuple[int, int], str] = field(default_factory=dict)  # pairs that a person keeps apart from now on, by whom
    doubles: dict[Thing, tuple[Key, ...]] = field(default_factory=dict)  # unique values refused there: another record's

    def is_swept(self, member: Member) -> bool:
        """Return whether a platform was swept completely once; one that cannot be listed counts."""
        return not member.abilities.list or (member.platform, member.collection) in self.swept

    def link(self, thing: Thing, link: Link) -> None:
        """Set what a thing is; the ledger stores it with the batch."""
        self.links[thing] = link
        self.relinked.add(thing)

    def touch(self, record: Record) -> None:
        """Note that a record changed; the ledger stores it with the batch."""
        self.records[record.id] = record
        self.touched.add(record.id)
