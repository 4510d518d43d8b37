"""What became of writes, in one transaction: receipts into shadows, attempts closed, the outbox cleared or postponed."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from syncd.core.decide import Verdict
from syncd.core.model import Attempt, Change, Receipt, Value, Write
from syncd.core.plan import plan
from syncd.core.receipt import give_up
from syncd.core.receipt import settle as take_receipt
from syncd.core.space import Space
from syncd.daemon import clock
from syncd.daemon.journal import Sending
from syncd.daemon.judge import IN_FLIGHT, Judged, Quarantined, store, take_looks
from syncd.daemon.kinship import as_key
from syncd.daemon.scene import Poisoned, Scene, load_for
from syncd.errors import ConnectorError, PermanentError, StaleWrite
from syncd.ledger import attempts, inbox, letters, outbox, proposals
from syncd.ledger.inbox import Waiting
from syncd.ledger.letters import Refusal
from syncd.ledger.schema import Database

IGNORED = "the platform answered that it is done, but still holds something else"
SOON = 100_000  # microseconds: the first repeat after somebody else was quicker


@dataclass(frozen=True, slots=True)
class Pace:
    """How often and how fast a write is tried again; ``until``: the platform is left in peace until then."""

    attempts: int
    first: int
    most: int
    until: int = 0

    def after(self, now: int, times: int) -> int:
        """Return when a record that failed so often is tried again."""
        return max(now + clock.back_off(self.first, self.most, times), self.until)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came back of one attempt. ``looks``: what was read because of it. ``resolved``: it was in doubt before."""

    sending: Sending
    result: Receipt | ConnectorError
    looks: Sequence[Change] = ()
    resolved: bool = False
    assumed: bool = False
    micros: int = 0


@dataclass(slots=True)
class Settled:
    """What an outcome came to: ``done``, ``stale``, ``refused``, ``later``, ``ignored`` or ``doubt``."""

    how: str
    outcome: Outcome
    letter: int | None = None
    why: str = ""
    judged: Judged = field(default_factory=Judged)
    fields: list[tuple[str, Value, Value, str | None, str]] = field(default_factory=list)  # name, before, after, who, rule


class Unreceivable(Exception):  # noqa: N818 - a state of one answer, caught where the outcome is settled without it
    """What a platform answered cannot be taken into the shadow."""


def settle(db: Database, scene: Scene, outcome: Outcome, pace: Pace) -> Settled:
    """Take in what became of an attempt. Looks that cannot be decided go to quarantine; the attempt is closed all the same."""
    try:
        return settle_with(db, scene, outcome, pace, looks=outcome.looks)
    except Unreceivable as error:
        refusal = PermanentError(f"its answer cannot be taken in: {error}")
        return settle_with(db, scene, replace(outcome, result=refusal, looks=()), pace, looks=())
    except Poisoned as error:
        settled = settle_with(db, scene, outcome, pace, looks=())
        change = error.change
        bad = Quarantined(change.platform, change.collection, change.id, "answer to a write", str(error), ascii(change.item))
        letters.quarantine(db, [bad], scene.now)
        settled.judged.broken.append(bad)
        return settled


def settle_with(db: Database, scene: Scene, outcome: Outcome, pace: Pace, *, looks: Sequence[Change]) -> Settled:
    """Settle an outcome with these looks. Raises Poisoned or Unreceivable before anything is stored."""
    attempt, result = outcome.sending.attempt, outcome.result
    space = scene.space()
    loaded = load_for(db, space, looks, ids=[attempt.write.record])
    space.in_flight.discard((attempt.write.record, attempt.write.platform))
    settled = Settled("later", outcome)
    taken: list[Waiting] = []
    if not is_known(space, attempt):
        attempts.close(db, attempt.id, "unknown", "the rules know it no more", now=scene.now)
        outbox.clear(db, attempt.write.record, attempt.write.platform)
        return settled
    if isinstance(result, Receipt):
        receive(db, space, settled, result)
        if result.look is not None and settled.how == "done":
            taken.append(Waiting(0, result.look, None))
    else:
        fail(db, scene, settled, result, pace)
    taken += take_looks(db, space, looks)
    again = settled.how == "done" and is_ignored(space, attempt.write)
    planned = plan(space, space.records[attempt.write.record], attempt.write.platform)
    store(db, space, loaded, taken, settled.judged, planned=[(attempt.write.record, attempt.write.platform)])
    inbox.release(db, attempt.write.platform, IN_FLIGHT)
    if settled.how in ("done", "stale"):
        leave(db, scene, settled, pace, pending=planned.pending, ignored=again)
    return settled


def is_known(space: Space, attempt: Attempt) -> bool:
    """Return whether the rules still know the record's entity, and the platform as a part of it."""
    entity = space.rules.entities.get(space.records[attempt.write.record].entity)
    return entity is not None and attempt.write.platform in entity.members


def receive(db: Database, space: Space, settled: Settled, receipt: Receipt) -> None:
    """Take an answer into the shadow and close the attempt."""
    sending, now = settled.outcome.sending, space.now
    write = sending.attempt.write
    settled.fields = told(db, space, sending.attempt)
    try:
        said = take_receipt(space, known_part(space, sending.attempt), receipt)
    except Exception as error:
        raise Unreceivable(f"{type(error).__name__}: {error}") from error
    if said.verdict is Verdict.READ:
        settled.how, settled.why = "stale", said.why
        attempts.close(db, sending.attempt.id, said.why, now=now)
        return
    settled.how = "done"
    detail = "found out afterwards" if settled.outcome.resolved else None
    attempts.close(db, sending.attempt.id, "assumed" if settled.outcome.assumed else "done", detail, now=now)
    letters.close_write(db, write.record, write.platform, now)
    proposals.done(db, write.record, write.platform, now=now)


def known_part(space: Space, attempt: Attempt) -> Attempt:
    """Return an attempt without the fields that the rules have lost since it was sent."""
    write = attempt.write
    fields = space.rules.entities[space.records[write.record].entity].fields
    sent = {name: value for name, value in write.sent.items() if name in fields and write.platform in fields[name].maps}
    return attempt if len(sent) == len(write.sent) else replace(attempt, write=replace(write, sent=sent))


def told(db: Database, space: Space, attempt: Attempt) -> list[tuple[str, Value, Value, str | None, str]]:
    """Return what people are told of a write: field, before, after, who decided, by which rule."""
    record = space.records[attempt.write.record]
    entity = space.rules.entities.get(record.entity)
    found: list[tuple[str, Value, Value, str | None, str]] = []
    for name, value in attempt.write.sent.items():
        mapped = entity.fields.get(name) if entity else None
        golden = record.golden.get(name)
        if entity is None or mapped is None or attempt.raws.get(name) == value:
            continue
        truth = entity.groups[mapped.group].truth if mapped.group else mapped.truth
        before, after = (as_key(db, entity, name, one) for one in (attempt.raws.get(name), value))
        found.append((name, before, after, golden.who if golden else None, truth.how if truth else ""))
    return found


def is_ignored(space: Space, write: Write) -> bool:
    """Return whether the platform said "done" and the very same would have to be written again."""
    record = space.records[write.record]
    planned = plan(space, record, write.platform).write
    return planned is not None and planned.op is write.op and any(
        name in planned.sent and planned.sent[name] == value for name, value in write.sent.items()
    )


def leave(db: Database, scene: Scene, settled: Settled, pace: Pace, *, pending: bool, ignored: bool) -> None:
    """Take the record out of the outbox, or say when it is looked at again."""
    due = settled.outcome.sending.due
    write = settled.outcome.sending.attempt.write
    if not pending:
        if not outbox.clear(db, due.record, due.platform, mark=due.mark):
            outbox.hasten(db, due.platform, record=due.record)
        return
    if not ignored and settled.how == "done":
        outbox.hasten(db, due.platform, record=due.record)
        return
    why = IGNORED if ignored else f"{settled.why}: edited meanwhile"
    until = scene.now + SOON if due.attempts == 0 and not ignored else pace.after(scene.now, due.attempts + 1)
    times = outbox.postpone(db, due.record, due.platform, until=until, error=why, counts=True)
    if ignored and times >= pace.attempts:
        settled.how, settled.why = "refused", IGNORED
        settled.letter = refuse(db, scene, write, IGNORED, None)
        outbox.clear(db, due.record, due.platform, mark=due.mark)


def fail(db: Database, scene: Scene, settled: Settled, error: ConnectorError, pace: Pace) -> None:
    """Close an attempt that did nothing, and say when the record is tried again, or that it never is."""
    sending, write = settled.outcome.sending, settled.outcome.sending.attempt.write
    due = sending.due
    settled.why = str(error)
    if isinstance(error, StaleWrite):
        settled.how = "stale"
        attempts.close(db, sending.attempt.id, "stale", settled.why, now=scene.now)
        return
    about = isinstance(error, PermanentError) or getattr(error, "about_record", False)
    attempts.close(db, sending.attempt.id, outcome_of(error), settled.why, now=scene.now)
    if not isinstance(error, PermanentError):
        until = pace.after(scene.now, due.attempts + 1)
        times = outbox.postpone(db, due.record, due.platform, until=until, error=settled.why, counts=about)
        if not about or times < pace.attempts:
            return
    settled.how = "refused"
    settled.letter = refuse(db, scene, write, settled.why, error.status)
    outbox.clear(db, due.record, due.platform, mark=due.mark)


def outcome_of(error: ConnectorError) -> str:
    """Return the word by which a failed attempt is closed."""
    if isinstance(error, PermanentError):
        return "refused"
    return "failed" if getattr(error, "about_record", False) else "not sent"


def refuse(db: Database, scene: Scene, write: Write, answer: str, status: int | None) -> int:
    """Keep a write that cannot work as a dead letter, with what was sent."""
    body: dict[str, Any] = {"sent": write.sent, "id": write.id, "collection": write.collection, "values": write.values}
    refusal = Refusal(write.record, write.platform, write.op, tuple(sorted(write.sent)), answer, status, body)
    return letters.refuse(db, refusal, scene.now)


def close_open(db: Database, scene: Scene, sending: Sending, how: str, *, looks: Sequence[Change]) -> Judged:
    """Close an attempt in doubt that did not happen, or of which nobody can tell; what was read of the thing is decided."""
    attempt, judged = sending.attempt, Judged()
    space = scene.space()
    loaded = load_for(db, space, looks, ids=[attempt.write.record])
    space.in_flight.discard((attempt.write.record, attempt.write.platform))
    attempts.close(db, attempt.id, how, "found out afterwards", now=scene.now)
    if is_known(space, attempt):
        give_up(space, attempt)
    taken = take_looks(db, space, looks)
    space.behind.add((attempt.write.record, attempt.write.platform))
    store(db, space, loaded, taken, judged)
    inbox.release(db, attempt.write.platform, IN_FLIGHT)
    return judged


def count_failure(db: Database, scene: Scene, sending: Sending, why: str, pace: Pace) -> bool:
    """Count a try that the platform answered with trouble of its own; returns whether that was the last one."""
    write = sending.attempt.write
    until = pace.after(scene.now, sending.due.attempts + 1)
    times = outbox.postpone(db, write.record, write.platform, until=until, error=why, counts=True)
    if times < pace.attempts:
        return False
    refuse(db, scene, write, why, None)
    outbox.clear(db, write.record, write.platform)
    return True
