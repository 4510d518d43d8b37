"""Writes on their way: journaled before the call, and in doubt when nobody knows what became of them."""

from dataclasses import dataclass

from syncd.core.model import Attempt, Known, Op, Record, Value, Write
from syncd.core.rules import Member
from syncd.daemon.scene import Scene
from syncd.ledger import attempts
from syncd.ledger.outbox import Due
from syncd.ledger.schema import Database


@dataclass(frozen=True, slots=True)
class Sending:
    """A journaled attempt and the outbox row it answers. ``record`` is the record's key."""

    attempt: Attempt
    due: Due
    record: str = ""
    entity: str = ""


@dataclass(slots=True)
class Doubt:
    """An attempt in doubt. ``answered``: the platform did answer, with trouble of its own. ``at``: when to look next."""

    sending: Sending
    answered: bool = False
    why: str = ""
    at: int = 0
    times: int = 0
    busy: bool = False


@dataclass(frozen=True, slots=True)
class Candidate:
    """A write that only the breakers may still stop."""

    due: Due
    record: Record
    write: Write
    member: Member


def journal(db: Database, scene: Scene, one: Candidate) -> Sending:
    """Write the attempt down before the call."""
    attempt = attempts.intend(
        db,
        one.write,
        epoch=scene.epoch,
        as_of=scene.number(),
        raws=raws_of(one.record, one.write),
        now=scene.now,
        lifetime=one.member.abilities.lifetime,
    )
    return Sending(attempt, one.due, one.record.key, one.record.entity)


def raws_of(record: Record, write: Write) -> dict[str, Value]:
    """Return what the platform was last known to hold in each field that is sent."""
    shadow = record.shadows.get(write.platform)
    if shadow is None or write.op is Op.CREATE:
        return {}
    return {
        name: known.raw
        for name in write.sent
        if (known := shadow.fields.get(name)) is not None and known.known is not Known.NEVER
    }
