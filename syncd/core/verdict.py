"""What the decider answers to one observation."""

from dataclasses import dataclass
from enum import StrEnum

from syncd.core.model import Change
from syncd.core.space import Thing


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
