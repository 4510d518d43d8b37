"""Attempts whose outcome is unknown: found out by look-up, by sending the same again, or by reading back.

An answer that was an error of the platform (a 500) ends the request: what is not there then was not applied.
"""

from dataclasses import dataclass, replace

from syncd.core.doubt import Proof, Step, is_assumed, judge_found, judge_look, next_step, over
from syncd.core.model import SECOND, Abilities, Attempt, Change
from syncd.core.rules import Entity
from syncd.daemon import clock
from syncd.daemon.journal import Doubt, Sending
from syncd.daemon.look import find, read_things
from syncd.daemon.runtime import Runtime
from syncd.daemon.scene import Scene, thing_of
from syncd.daemon.settle import Pace
from syncd.daemon.survey import blocked, query_for
from syncd.ledger import attempts, outbox, records
from syncd.ledger.outbox import Due
from syncd.ledger.schema import Database

LONGEST = 30 * SECOND  # between two looks


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found out. ``look`` proves it under DONE; ``resend``: the same request is to be sent again."""

    proof: Proof
    look: Change | None = None
    resend: bool = False
    assumed: bool = False


def open_doubts(db: Database, scene: Scene, platform: str) -> list[Doubt]:
    """Return the attempts on a platform that have no outcome: what a crash left behind."""
    found = []
    for attempt in attempts.open_attempts(db, platform):
        record = records.one(db, attempt.write.record)
        due = outbox.behind(db, attempt.write.record).get(platform) or Due(attempt.write.record, platform, 0, scene.now, 0)
        if record is not None:
            found.append(Doubt(Sending(attempt, due, record.key, record.entity), why="syncd stopped before the answer came"))
    return found


async def find_out(runtime: Runtime, doubt: Doubt) -> Finding:
    """Ask the platform what became of an attempt. Raises nothing of a platform that does not answer: WAIT."""
    attempt = doubt.sending.attempt
    entity = runtime.rules.entities.get(doubt.sending.entity)
    member = entity.members.get(attempt.write.platform) if entity else None
    if entity is None or member is None:
        return Finding(Proof.UNKNOWN)  # the rules know it no more
    now = attempt.lifetime_end if doubt.answered else runtime.now()
    abilities = member.abilities
    if member.mode == "observe" or await is_blocked(runtime, doubt.sending):
        abilities = replace(abilities, keyed=False)  # nothing may be sent now, not even again
    match next_step(attempt, abilities):
        case Step.FIND:
            return await _by_key(runtime, attempt, entity, abilities, now)
        case Step.RESEND:
            return Finding(Proof.WAIT, resend=True)
        case Step.READ:
            return await _by_reading(runtime, attempt, entity, now)
        case _:
            return Finding(Proof.UNKNOWN if over(attempt, now) else Proof.WAIT)


async def is_blocked(runtime: Runtime, sending: Sending) -> bool:
    """Return whether a breaker or a person keeps writes of this kind from the platform."""
    blocks = await runtime.store.read(blocked, runtime.scene(), sending.attempt.write.platform)
    return "" in blocks or sending.entity in blocks


async def _by_key(runtime: Runtime, attempt: Attempt, entity: Entity, abilities: Abilities, now: int) -> Finding:
    query = query_for(entity, attempt.write.record, attempt.write.sent, attempt.write.platform)
    if query is None:
        return Finding(Proof.UNKNOWN if over(attempt, now) else Proof.WAIT, resend=abilities.keyed)
    found = await find(runtime, query.platform, query.collection, query.path, query.value)
    if found is None:
        return Finding(Proof.WAIT)
    strangers = await runtime.store.read(not_of_others, runtime.scene(), attempt.write.record, found)
    look = next((change for change in strangers if not change.gone), None)
    proof = judge_found(attempt, look, abilities, now)
    return Finding(proof, look, resend=proof is Proof.NOT_APPLIED and abilities.keyed)


def not_of_others(db: Database, scene: Scene, record: int, found: list[Change]) -> list[Change]:
    """Return the things that are not known to be another record."""
    space = scene.space()
    records.load(db, space, things=[thing_of(change) for change in found])
    return [c for c in found if (link := space.links.get(thing_of(c))) is None or link.record in (None, record)]


async def _by_reading(runtime: Runtime, attempt: Attempt, entity: Entity, now: int) -> Finding:
    thing = (attempt.write.platform, attempt.write.collection, attempt.write.id or "")
    found = await read_things(runtime, [thing])
    if not found:
        return Finding(Proof.WAIT)
    proof = judge_look(entity, attempt, found[0], now)
    return Finding(proof, found[0], assumed=proof is Proof.DONE and is_assumed(entity, attempt, found[0]))


def alive_from_now(sending: Sending, now: int) -> Sending:
    """Return a write whose answer just failed to come, with its lifetime counted from now: it may have waited for its turn."""
    attempt = sending.attempt
    end = max(attempt.lifetime_end, now + attempt.lifetime_end - attempt.sent_at)
    return replace(sending, attempt=replace(attempt, lifetime_end=end))


def next_look(doubt: Doubt, pace: Pace, now: int) -> int:
    """Return when an attempt in doubt is looked at again: soon at first, and when its lifetime is over."""
    wait = max(clock.back_off(pace.first, min(pace.most, LONGEST), doubt.times), pace.until - now)
    end = doubt.sending.attempt.lifetime_end
    return min(now + wait, end) if now < end else now + wait


