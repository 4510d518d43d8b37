"""What the ledger knows of a record and of what stands between it and its platforms, now or at a moment of the past."""

from dataclasses import dataclass, field, replace

from syncd.core.model import Known, Record, Word
from syncd.core.space import Stray
from syncd.ledger import aliases, attempts, breakers, conflicts, history, letters, outbox, pauses, proposals
from syncd.ledger.aliases import Alias
from syncd.ledger.attempts import Tried
from syncd.ledger.breakers import Breaker
from syncd.ledger.conflicts import Open
from syncd.ledger.history import Decided, Version
from syncd.ledger.letters import Letter
from syncd.ledger.outbox import Due
from syncd.ledger.proposals import Proposal
from syncd.ledger.schema import Database
from syncd.reports.outline import EntityLine
from syncd.reports.ruled import Ruled


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything the ledger knows of a record and of what stands between it and its platforms."""

    record: Record
    now: int
    versions: list[Version]
    tried: list[Tried]
    conflicts: list[Open]
    behind: dict[str, Due]
    letters: list[Letter]
    proposals: dict[str, Proposal]
    breakers: list[Breaker]
    paused: dict[str, str]
    decided: dict[str, Decided] = field(default_factory=dict)  # the last decision of each field
    strays: list[tuple[int, Stray]] = field(default_factory=list)  # with the version that stood, oldest first
    names: list[Alias] = field(default_factory=list)  # what it was called before, and what became one with it
    ruled: Ruled | None = None  # the record under the rules that are explained; None if they cannot be read
    at: int | None = None  # the moment of the past that is explained

    @property
    def moment(self) -> int:
        """The moment that is explained."""
        return self.now if self.at is None else self.at

    def before(self, name: str) -> Version | None:
        """Return the version of a field before its present one."""
        found = [one for one in self.versions if any(step.name == name for step in one.fields)]
        return found[1] if len(found) > 1 else None


def gather(db: Database, record: Record, entity: EntityLine, now: int, *, at: int | None = None) -> Facts:
    """Read everything about a record once; of the past what the ledger knew ``at`` that moment."""
    decided: dict[str, Decided] = {}
    for one in history.decisions(db, record.id, until=at, limit=100_000):
        for step in one.decision.fields:
            decided.setdefault(step.name, one)
    strays = history.strays(db, record.id)
    if at is not None:
        return past(db, record, now, at, decided, strays)
    standing = {one: proposals.latest(db, record.id, one) for one in entity.platforms}
    return Facts(
        record,
        now,
        history.versions(db, record.id),
        attempts.of_record(db, record.id),
        conflicts.standing(db, record=record.id),
        outbox.behind(db, record.id),
        [one for one in letters.in_state(db) if one.record == record.id],
        {name: one for name, one in standing.items() if one is not None and one.state == "open"},
        [one for one in breakers.standing(db) if one.entity == record.entity],
        {one.platform: one.note for one in pauses.standing(db, now) if one.entity in {"", record.entity}},
        decided,
        strays,
        aliases.of_record(db, record.id),
    )


def past(
    db: Database, record: Record, now: int, at: int, decided: dict[str, Decided], strays: list[tuple[int, Stray]]
) -> Facts:
    """Return what the ledger knew of a record at a moment: what waited for whom then is not kept, conflicts are."""
    versions = [one for one in history.versions(db, record.id, limit=100_000) if one.at <= at]
    last = versions[0].version if versions else 0
    tried = [_as_then(one, at) for one in attempts.of_record(db, record.id, limit=10_000) if one.attempt.sent_at <= at]
    known = [one for one in conflicts.of_record(db, record.id) if one.opened_at <= at < (one.closed_at or at + 1)]
    answered = [(version, stray) for version, stray in strays if version <= last and (stray.changed_at or 0) <= at]
    return Facts(record, now, versions, tried, known, {}, [], {}, [], {}, decided, answered, at=at)


def _as_then(one: Tried, at: int) -> Tried:
    """Return an attempt as it stood: an answer that came later was not there."""
    later = one.closed_at is not None and one.closed_at > at
    return replace(one, outcome=None, closed_at=None) if later else one


def says_new(record: Record, name: str, platform: str, before: Version | None) -> bool:
    """Return whether a platform's own word is newer than the version before."""
    shadow = record.shadows.get(platform)
    known = shadow.fields.get(name) if shadow else None
    if known is None or known.known is Known.NEVER or known.word is not Word.OWN:
        return False
    return before is None or known.hi > before.at
