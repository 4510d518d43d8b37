"""The deliver loop of one platform: plans what is due, asks what must be asked, journals, sends, and takes answers in.

Different records go in parallel, one record never twice at once: an open attempt keeps it out of what is due. The loop wakes
by event or at the next due time and never polls.
"""

import asyncio
import time
from collections.abc import Coroutine, Sequence
from typing import Any

from syncd.core.doubt import Proof, proved
from syncd.core.model import Receipt
from syncd.daemon import tell
from syncd.daemon.clock import nap
from syncd.daemon.doubt import Finding, alive_from_now, find_out, next_look, open_doubts
from syncd.daemon.events import Event, say
from syncd.daemon.journal import Doubt, Sending
from syncd.daemon.judge import Judged
from syncd.daemon.look import look_up, read_things
from syncd.daemon.prepare import Order, prepare
from syncd.daemon.quiet import quiet_until
from syncd.daemon.runtime import Part, Runtime
from syncd.daemon.send import apply, is_doubtful, with_looks
from syncd.daemon.settle import Outcome, Pace, close_open, count_failure, settle
from syncd.daemon.survey import Survey, survey
from syncd.daemon.weigh import CHUNK, Burst, Trip, judge_burst, to_weigh, weigh
from syncd.errors import ConnectorError, TransientError
from syncd.ledger import outbox

AHEAD = 4  # how many writes are journaled for each that can be on its way


class Delivery:
    """Sends one platform what it is behind on."""

    def __init__(self, runtime: Runtime, part: Part) -> None:
        self.runtime = runtime
        self.part = part
        self.burst = Burst()
        self.flights: asyncio.TaskGroup
        self.refused = 0  # dead letters made by this delivery

    async def forever(self) -> None:
        """Deliver until told to stop; then wait for the writes in flight. Cancelled, those stay open in the ledger."""
        await self.remember_doubts()
        async with asyncio.TaskGroup() as self.flights:
            while not (self.runtime.stopping.is_set() or self.part.leaving.is_set()):
                if not await self.once():
                    await nap(self.part.wake, await self.next_at(), at=self.runtime.now())

    async def until_idle(self) -> bool:
        """Deliver what can be delivered now, and wait for its answers; return whether there was anything to do."""
        moved = False
        async with asyncio.TaskGroup() as self.flights:
            while (started := await self.once()) or self.part.flying:
                moved = True
                if not started:
                    await nap(self.part.wake, None, at=self.runtime.now())
        return moved

    async def remember_doubts(self) -> None:
        """Find the attempts without an outcome that a crash left behind."""
        found = await self.runtime.store.read(open_doubts, self.runtime.scene(), self.part.name)
        self.part.doubts = {doubt.sending.attempt.id: doubt for doubt in found}

    async def once(self) -> bool:
        """Start whatever can be started now; return whether there may be more."""
        self.look_into_doubts()
        room = self.room()
        if room == 0 or self.held_until() > self.runtime.now():
            return False
        if self.part.news:
            self.part.news = False
            await self.weigh()
        found = await self.runtime.store.read(survey, self.runtime.scene(), self.part.name, self.burst.marks, limit=room)
        self.part.news |= found.unweighed
        self.demand_sweeps(found)
        if found.due or found.rests:
            await self.send_due(found)
        return found.seen > 0

    async def weigh(self) -> None:
        """Weigh everything that is new in the outbox, and stop what is more likely a mistake than the truth."""
        name, read = self.part.name, self.runtime.store.read
        todo = await read(to_weigh, self.runtime.scene(), name, self.burst)
        for start in range(0, len(todo), CHUNK):
            await read(weigh, self.runtime.scene(), name, self.burst, todo[start : start + CHUNK])
        if self.burst.heavy:
            self.tripped(await self.runtime.store.write(judge_burst, self.runtime.scene(), name, self.burst))

    def room(self) -> int:
        """Return how many more writes may be journaled now; none until that is worth a commit."""
        platform, flying = self.part.platform, len(self.part.flying)
        most = AHEAD * platform.limits.concurrency
        return 0 if flying > most // 2 else (most - flying) * platform.write.batch

    def held_until(self) -> int:
        """Return until when nothing is written: quiet hours, or the platform is in trouble."""
        platform, trouble = self.part.platform, self.part.trouble
        quiet = quiet_until(platform.write.quiet_hours, self.runtime.config.timezone, self.runtime.now())
        more = self.runtime.held_for_more(self.part)
        return max(quiet or 0, trouble.until if trouble.times else 0, more)

    async def next_at(self) -> int | None:
        """Return when to look again without being woken."""
        held = self.held_until()
        times = [max(doubt.at, held) for doubt in self.part.doubts.values() if not doubt.busy]
        due = await self.runtime.store.read(outbox.next_at, self.part.name)
        if due is not None and self.room() > 0:
            times.append(max(due, held))
        return min(times, default=None)

    def tripped(self, trips: Sequence[Trip]) -> None:
        """Tell of breakers that stopped writes."""
        tell.trips(trips)
        for trip in trips:
            self.runtime.meter.tripped(trip)
        for witness in self.runtime.witnesses:
            witness.tripped(trips)

    def demand_sweeps(self, found: Survey) -> None:
        """Have collections swept whose scan is waited for."""
        for platform, collection in found.sweeps:
            if platform in self.runtime.parts:
                self.runtime.parts[platform].demand([collection])

    # ---- sending

    async def send_due(self, found: Survey) -> None:
        """Ask what must be asked about due records, journal what may go, and send it."""
        looks, answers = await asyncio.gather(read_things(self.runtime, found.looks), look_up(self.runtime, found.queries))
        trouble = {name: part.trouble.until for name, part in self.runtime.parts.items() if part.trouble.times}
        order = Order(self.part.name, found.due, found.rests, [*looks, *answers.looks], answers.proofs, trouble)
        made = await self.runtime.store.write(prepare, self.runtime.scene(), order)
        self.tripped(made.trips)
        tell.proposed(made.proposed)
        for witness in self.runtime.witnesses:
            witness.proposed(made.proposed)
        self.pass_on(made.judged)
        batch = self.part.platform.write.batch
        for start in range(0, len(made.sendings), batch):
            self.start(self.fly(made.sendings[start : start + batch]))

    def start(self, flight: Coroutine[Any, Any, None]) -> None:
        """Let something fly beside the loop; the loop wakes when it lands."""
        task = self.flights.create_task(flight)
        self.part.flying.add(task)
        task.add_done_callback(self.landed)

    def landed(self, task: asyncio.Task[None]) -> None:
        """Note that a flight is over."""
        self.part.flying.discard(task)
        self.part.wake.set()
        self.runtime.moved.set()

    async def fly(self, sendings: Sequence[Sending]) -> None:
        """Send journaled writes and take in what comes back."""
        began = time.monotonic_ns()
        results = await apply(self.runtime, self.part, sendings)
        micros = (time.monotonic_ns() - began) // 1000
        await asyncio.gather(*(self.land(s, r, micros) for s, r in zip(sendings, results, strict=True)))

    async def land(self, sending: Sending, result: Receipt | ConnectorError, micros: int) -> None:
        """Take in what came back of one write: settle it, or see that it is in doubt."""
        repeat = self.part.doubts.get(sending.attempt.id)
        if is_doubtful(result):
            await self.doubt(sending, str(result), answered=isinstance(result, TransientError))
            return
        if repeat is not None and isinstance(result, TransientError):
            await self.doubt(sending, str(result), answered=repeat.answered)  # the first one may still have been applied
            return
        outcome = await with_looks(self.runtime, Outcome(sending, result, micros=micros))
        if outcome is None:
            await self.doubt(sending, "the thing could not be read back", answered=True)
        else:
            await self.settle(outcome)

    async def settle(self, outcome: Outcome) -> None:
        """Take an outcome in, and tell of it."""
        settled = await self.runtime.store.write(settle, self.runtime.scene(), outcome, self.pace())
        self.part.doubts.pop(outcome.sending.attempt.id, None)
        self.refused += settled.how == "refused"
        tell.settled(settled, self.runtime.rules)
        self.runtime.meter.wrote(settled)
        for witness in self.runtime.witnesses:
            witness.settled(settled)
        self.pass_on(settled.judged)
        self.runtime.wake.set()  # what waited for this answer

    def pace(self) -> Pace:
        """Return how a write to this platform is tried again."""
        retry, trouble = self.part.platform.write.retry, self.part.trouble
        return Pace(retry.attempts, retry.first, retry.max, trouble.until if trouble.times else 0)

    def pass_on(self, judged: Judged) -> None:
        """Tell of what a look led to, and wake those that have something to be told now."""
        tell.judged(judged, self.runtime.rules)
        self.runtime.wake_delivery(judged.behind)
        if judged.names:
            self.runtime.wake.set()  # things that matched nothing may match now

    # ---- attempts in doubt

    async def doubt(self, sending: Sending, why: str, *, answered: bool) -> None:
        """Note that nobody knows what became of a write; it is found out before anything else is sent of this record."""
        doubt = self.part.doubts.get(sending.attempt.id)
        if doubt is None:
            sending = sending if answered else alive_from_now(sending, self.runtime.now())
            doubt = self.part.doubts[sending.attempt.id] = Doubt(sending)
            say(Event.WRITE_DOUBT, tell.doubted(sending, why), **tell.fields_of(sending))
        doubt.answered, doubt.why = answered, why
        doubt.times += 1
        doubt.at = self.runtime.now() if doubt.times == 1 else next_look(doubt, self.pace(), self.runtime.now())
        doubt.busy = False
        self.part.wake.set()

    def look_into_doubts(self) -> None:
        """Start finding out about every attempt in doubt whose time has come."""
        now = self.runtime.now()
        for doubt in self.part.doubts.values():
            if doubt.at <= now and not doubt.busy and self.held_until() <= now:
                doubt.busy = True
                self.start(self.resolve(doubt))

    async def resolve(self, doubt: Doubt) -> None:
        """Find out what became of one attempt, as far as that can be known now."""
        finding = await find_out(self.runtime, doubt)
        if finding.proof is Proof.DONE and finding.look is not None:
            receipt = proved(finding.look)
            await self.settle(Outcome(doubt.sending, receipt, resolved=True, assumed=finding.assumed))
        elif finding.resend and not self.is_hopeless(doubt):
            await self.fly([doubt.sending])
        elif finding.proof is Proof.WAIT and not finding.resend:
            await self.doubt(doubt.sending, doubt.why, answered=doubt.answered)
        else:
            await self.give_up(doubt, finding)

    def is_hopeless(self, doubt: Doubt) -> bool:
        """Return whether the same request was answered with trouble as often as a write may be tried."""
        return doubt.answered and doubt.times > self.part.platform.write.retry.attempts

    async def give_up(self, doubt: Doubt, finding: Finding) -> None:
        """Close an attempt that was not applied, or of which nobody can tell: the record is planned again."""
        how = "not applied" if finding.proof is Proof.NOT_APPLIED else "unknown"
        looks = [finding.look] if finding.look is not None else []
        self.part.doubts.pop(doubt.sending.attempt.id, None)
        write = self.runtime.store.write
        judged = await write(close_open, self.runtime.scene(), doubt.sending, how, looks=looks)
        if doubt.answered:
            late = await write(count_failure, self.runtime.scene(), doubt.sending, doubt.why, self.pace())
            self.refused += late
        tell.resolved(doubt.sending, how)
        self.pass_on(judged)
        self.runtime.wake.set()
