"""What the decider answers to one observation."""

from dataclasses import dataclass
from enum import StrEnum

from syncd.core.model import Change, Record
from syncd.core.rules import Member
from syncd.core.space import Space, Thing


class Verdict(StrEnum):
    """ABSORBED: decided. DROPPED: known already, or nobody's. DEFERRED: wait for an open attempt. READ: read ``things``."""

    ABSORBED = "absorbed"
    DROPPED = "dropped"
    DEFERRED = "deferred"
    READ = "read"


@dataclass(frozen=True, slots=True)
class Said:
    """The answer to one observation. READ replaces the observation by fresh reads of ``things``, in that order."""

    verdict: Verdict
    why: str = ""
    record: int | None = None
    things: tuple[Thing, ...] = ()


def thing_of(change: Change) -> Thing:
    """Return which thing a change is about."""
    return change.platform, change.collection, change.id


def read_again(change: Change, why: str) -> Said:
    """Return the verdict that asks for the thing itself."""
    return Said(Verdict.READ, why, things=(thing_of(change),))


def is_in_flight(space: Space, record: Record, platform: str) -> bool:
    """Observations of a record wait while a write to that platform is open, so that no echo is decided early (R4)."""
    return (record.id, platform) in space.in_flight


def read_or_drop(member: Member, change: Change, why: str, record: Record) -> Said:
    """Ask for the thing itself; where it cannot be read, the observation is nobody's."""
    return read_again(change, why) if member.abilities.read else Said(Verdict.DROPPED, why, record.id)
