"""A daemon in memory: drives the real core exactly as the real one does, with a ledger of plain objects.

One way in (``take_in``), one decider (``decide``), one way out (``send``). The world injects faults into ``send`` and calls
``restart``, ``restore`` and the rest.
"""

import pickle
from collections.abc import Iterable
from copy import deepcopy
from dataclasses import dataclass, field, replace
from typing import Any

from syncd.core import conclude, decide, doubt, plan, receipt
from syncd.core.identity import record_keys
from syncd.core.model import Answer, Attempt, Change, Known, Life, Op, Receipt, Record, Via, Write
from syncd.core.rules import Rules
from syncd.core.space import Decision, Key, Link, Loose, Space, Thing
from tests.core.world_platform import KEY, THINGS, Platform

PASSES = 40  # more rounds of reading than this for one decision is a loop


class Breach(AssertionError):  # noqa: N818 - the word of the laws
    """A law was broken."""


@dataclass(slots=True)
class Waiting:
    """An undecided change; ``sweep`` is the scan that it belongs to."""

    change: Change
    sweep: int | None = None


@dataclass(slots=True)
class Scan:
    """A complete scan some of whose rows are not decided yet."""

    platform: str
    as_of: int
    left: int = 0


@dataclass(slots=True)
class Ledger:
    """Everything that survives a crash."""

    epoch: int = 1
    attempts: int = 0
    scans: int = 0
    next_id: int = 1
    inbox: list[Waiting] = field(default_factory=list)
    records: dict[int, Record] = field(default_factory=dict)
    links: dict[Thing, Link] = field(default_factory=dict)
    keys: dict[Key, set[int]] = field(default_factory=dict)
    keys_of: dict[int, set[Key]] = field(default_factory=dict)
    behind: set[tuple[int, str]] = field(default_factory=set)
    open: dict[int, Attempt] = field(default_factory=dict)
    swept: dict[tuple[str, str], int] = field(default_factory=dict)
    running: dict[int, Scan] = field(default_factory=dict)
    missing: dict[Thing, int] = field(default_factory=dict)
    loose: dict[Thing, Loose] = field(default_factory=dict)
    decisions: list[Decision] = field(default_factory=list)


class Daemon:
    """The loops of the daemon as plain calls. ``watch`` is the world. ``strict``: every batch works on copies, and only what
    the core said it touched is kept.
    """

    defer_until_decided = True  # R28, the ledger's part
    new_epoch = True  # R25, the ledger's part
    rebased = True  # R32, the ledger's part
    reads_absent = True  # R29, the daemon's part

    def __init__(self, watch: Any, rules: Rules, platforms: dict[str, Platform], *, strict: bool, twice: bool) -> None:
        self.watch, self.rules, self.platforms, self.strict, self.twice = watch, rules, platforms, strict, twice
        self.ledger = Ledger()
        self.saved: Ledger | None = None

    @property
    def entity(self) -> Any:
        return self.rules.entities["thing"]

    # ---- the working set

    def space(self) -> Space:
        ledger, watch = self.ledger, self.watch
        records = pickle.loads(pickle.dumps(ledger.records)) if self.strict else dict(ledger.records)
        return Space(
            self.rules,
            watch.now,
            watch.number,
            ledger.next_id,
            records,
            dict(ledger.links),
            {k: set(v) for k, v in ledger.keys.items()},
            {(a.write.record, a.write.platform) for a in ledger.open.values()},
            dict(ledger.swept),
            {p: watch.now if not q.stale else watch.now - 10**12 for p, q in self.platforms.items()},
            watch.clocks,
            touches=watch.touches,
        )

    def commit(self, space: Space) -> None:
        ledger = self.ledger
        for number in space.touched:
            record = space.records[number]
            self.watch.on_commit(record)
            ledger.records[number] = record
            for key in ledger.keys_of.get(number, ()):
                ledger.keys[key].discard(number)
            ledger.keys_of[number] = record_keys(self.entity, record)
            for key in ledger.keys_of[number]:
                ledger.keys.setdefault(key, set()).add(number)
        for thing in space.relinked:
            ledger.links[thing] = space.links[thing]
            ledger.missing.pop(thing, None)
        ledger.next_id = space.next_id
        ledger.behind |= space.behind
        ledger.decisions += space.decisions
        ledger.loose |= {one.thing: one for one in space.loose}
        for thing in space.settled:
            ledger.loose.pop(thing, None)

    # ---- in

    def take_in(self, changes: Iterable[Change], scan: int | None = None) -> None:
        """Store observations in the inbox."""
        for change in changes:
            for _ in range(2 if self.twice else 1):
                self.ledger.inbox.append(Waiting(change, scan))
                if scan is not None:
                    self.ledger.running[scan].left += 1

    def event(self, change: Change) -> None:
        self.take_in([replace(change, as_of=self.watch.number(), seen_at=self.watch.now)])

    def decide(self) -> None:
        """Decide everything that waits, reading what the decider asks for."""
        for _ in range(PASSES):
            batch, self.ledger.inbox = self.ledger.inbox, []
            asked = self.decide_batch(batch)
            if not asked:
                return
        raise Breach("reads without end")

    def observe(self, changes: Iterable[Change]) -> None:
        """Decide these looks now, before all that waits."""
        waiting, self.ledger.inbox = self.ledger.inbox, []
        self.take_in(changes)
        self.decide()
        self.ledger.inbox = waiting + self.ledger.inbox

    def decide_batch(self, batch: list[Waiting]) -> bool:
        space, asks = self.space(), []
        for waiting in batch:
            said = decide.observe(space, waiting.change)
            match said.verdict:
                case decide.Verdict.DEFERRED:
                    self.ledger.inbox.append(waiting)
                    continue
                case decide.Verdict.READ:
                    asks.append((waiting, said.things))
                case decide.Verdict.ABSORBED:
                    self.watch.on_look(waiting.change)
                    self.watch.on_decided(space)
            if waiting.sweep is not None:
                self.ledger.running[waiting.sweep].left -= 1
        self.commit(space)
        for waiting, things in asks:
            self.take_in([self.platforms[p].read(native) for p, _, native in things], waiting.sweep)
        self.prove_scans()
        return bool(asks)

    def sweep(self, platform: str, as_of: int, page: Iterable[Change], *, complete: bool) -> None:
        """Take a full read in; a complete one counts what is absent."""
        ledger, page = self.ledger, list(page)
        scan = None
        if complete:
            scan = ledger.scans = ledger.scans + 1
            ledger.running[scan] = Scan(platform, as_of)
        self.take_in(page, scan)
        if complete:
            self.count_absent(platform, as_of, {c.id for c in page})
        if complete and not self.defer_until_decided:
            ledger.swept[platform, THINGS] = as_of
        self.prove_scans()

    def count_absent(self, platform: str, as_of: int, shown: set[str]) -> None:
        for thing, link in list(self.ledger.links.items()):
            if thing[0] != platform or link.record is None or link.life is Life.GONE:
                continue
            shadow = self.ledger.records[link.record].shadows.get(platform)
            if thing[2] in shown or (shadow is not None and shadow.as_of > as_of):
                self.ledger.missing.pop(thing, None)
                continue
            self.ledger.missing[thing] = self.ledger.missing.get(thing, 0) + 1
            if self.ledger.missing[thing] >= self.entity.deletes.sweeps:
                self.take_in([self.last_word(platform, thing, as_of)])

    def last_word(self, platform: str, thing: Thing, as_of: int) -> Change:
        """Return a read by id, where things can be read."""
        if self.reads_absent and self.platforms[platform].able.read:
            return self.platforms[platform].read(thing[2])
        return Change(*thing, Via.READ, as_of, self.watch.now, gone=True)

    def prove_scans(self) -> None:
        """A complete scan proves what is not there once its last row is decided."""
        for number, scan in list(self.ledger.running.items()):
            if scan.left == 0:
                del self.ledger.running[number]
                self.ledger.swept[scan.platform, THINGS] = max(scan.as_of, self.ledger.swept.get((scan.platform, THINGS), -1))

    # ---- out

    def attempts_of(self, number: int, platform: str) -> list[Attempt]:
        return [a for a in self.ledger.open.values() if (a.write.record, a.write.platform) == (number, platform)]

    def send(self, number: int, platform: str, fault: str = "", *, race: Any = None) -> None:
        """Tell a platform what it should hold of a record, if there is something to tell."""
        for attempt in self.attempts_of(number, platform):
            self.resolve(attempt)
        if (number, platform) not in self.ledger.behind or self.attempts_of(number, platform):
            return
        write = self.prepare(number, platform)
        if write is None:
            return
        attempt = self.intend(write)
        if fault == "crash_before":
            return
        if fault == "transient":
            del self.ledger.open[attempt.id]
            return
        self.call(attempt, fault, race)

    def prepare(self, number: int, platform: str) -> Write | None:
        """Return the write, once everything that it needs is there."""
        looked: Change | None = None
        proofs: dict[tuple[int, str], int] = {}
        for _ in range(6):
            space = self.space()
            space.proofs.update(proofs)
            found = plan.plan(space, space.records[number], platform)
            if not found.pending:
                self.ledger.behind.discard((number, platform))
                return None
            if found.need == "look" and looked is None and found.write is not None:
                looked = self.platforms[platform].read(found.write.id or "")
                self.observe([looked])
            elif found.need in ("find", "authority"):
                place = platform if found.need == "find" else space.records[number].tomb.platform
                if not self.prove(space.records[number], place, proofs):
                    return None
            elif found.need == "sweep":
                return None
            else:
                return self.complete(found.write, looked)
        raise Breach("a write that is never ready")

    def prove(self, record: Record, platform: str, proofs: dict[tuple[int, str], int]) -> bool:
        """Look a record up by key; what is found is observed and planned again. False: it cannot be looked up."""
        if platform not in self.platforms or not self.platforms[platform].able.find:
            return False
        as_of, found = self.platforms[platform].find(record.golden[KEY].value)
        if all(f.gone for f in found):
            proofs[record.id, platform] = as_of
        else:
            self.observe(found)
        return True

    def complete(self, write: Write, looked: Change | None) -> Write:
        item = (looked.item if looked is not None else None) or {}
        before = {path: item[path] for path in write.values if path in item}
        return replace(write, item=item or None, before=before if write.op is Op.UPDATE else {})

    def intend(self, write: Write) -> Attempt:
        ledger = self.ledger
        ledger.attempts += 1
        shadow = ledger.records[write.record].shadows.get(write.platform)
        fields = shadow.fields if shadow is not None and write.op is not Op.CREATE else {}
        raws = {n: fields[n].raw for n in write.sent if n in fields and fields[n].known is not Known.NEVER}
        write = replace(write, key=f"{ledger.epoch}-{ledger.attempts}")
        lifetime = self.platforms[write.platform].able.lifetime
        attempt = Attempt(ledger.attempts, write, self.watch.number(), self.watch.now, self.watch.now + lifetime, raws)
        ledger.open[attempt.id] = attempt
        self.watch.on_intent(attempt)
        return attempt

    def call(self, attempt: Attempt, fault: str, race: Any) -> None:
        platform = self.platforms[attempt.write.platform]
        self.watch.writes += 1
        if fault in ("race", "race_lost", "late"):
            self.watch.raced.add(attempt.write.key)
        if fault in ("race", "race_lost"):
            race()
        if fault == "late":
            platform.late.append((attempt.lifetime_end, attempt.write))
            return
        answer = platform.apply(attempt.write)
        if fault in ("lost", "crash_after", "race_lost"):
            return
        if fault == "race_after":
            race()
        if fault == "echo_first":
            while platform.feed:
                self.event(platform.feed.pop(0))
            self.decide()
        self.finish(attempt, self.with_look(attempt, answer))

    def with_look(self, attempt: Attempt, answer: Receipt) -> Receipt:
        """Return the receipt with a read-back where the answer has no body."""
        platform = self.platforms[attempt.write.platform]
        gone = attempt.write.op is Op.DELETE
        if answer.answer is not Answer.DONE or answer.look is not None or gone or not platform.able.read:
            return answer
        return replace(answer, look=platform.read(answer.id or ""))

    def finish(self, attempt: Attempt, answer: Receipt) -> None:
        """Settle an attempt; where the platform knows better, read."""
        space = self.space()
        self.watch.on_receipt(attempt, answer)
        said = receipt.settle(space, attempt, answer)
        self.watch.on_decided(space)
        del self.ledger.open[attempt.id]
        self.commit(space)
        if answer.look is not None and said.verdict is decide.Verdict.ABSORBED:
            self.watch.on_look(answer.look)
        if said.verdict is decide.Verdict.READ:
            self.read_instead(attempt, said.things)

    def read_instead(self, attempt: Attempt, things: Iterable[Thing]) -> None:
        platform = self.platforms[attempt.write.platform]
        if things and platform.able.read:
            self.observe([platform.read(native) for _, _, native in things])
        elif attempt.write.op is Op.CREATE and platform.able.find:
            self.observe(platform.find(attempt.write.values[KEY])[1])

    # ---- doubt

    def restart(self) -> None:
        """Find out what became of every attempt that has no outcome."""
        for attempt in list(self.ledger.open.values()):
            self.resolve(attempt)

    def resolve(self, attempt: Attempt) -> None:
        platform = self.platforms[attempt.write.platform]
        match doubt.next_step(attempt, platform.able):
            case doubt.Step.FIND:
                self.resolve_by_key(attempt, platform)
            case doubt.Step.RESEND:
                self.finish(attempt, self.with_look(attempt, platform.apply(attempt.write)))
            case doubt.Step.READ:
                self.resolve_by_id(attempt, platform)
            case doubt.Step.GIVE_UP:
                if doubt.over(attempt, self.watch.now):
                    self.give_up(attempt)

    def resolve_by_key(self, attempt: Attempt, platform: Platform) -> None:
        _, found = platform.find(attempt.write.values[KEY])
        match doubt.judge_found(attempt, found[0] if found else None, platform.able, self.watch.now):
            case doubt.Proof.DONE:
                self.watch.on_doubt(attempt)
                self.finish(attempt, doubt.proved(found[0]))
            case doubt.Proof.NOT_APPLIED if platform.able.keyed:
                self.finish(attempt, self.with_look(attempt, platform.apply(attempt.write)))
            case doubt.Proof.NOT_APPLIED:
                self.give_up(attempt)
            case doubt.Proof.UNKNOWN:
                self.give_up(attempt)
                self.observe(found)

    def resolve_by_id(self, attempt: Attempt, platform: Platform) -> None:
        look = platform.read(attempt.write.id or "")
        match doubt.judge_look(self.entity, attempt, look, self.watch.now):
            case doubt.Proof.DONE:
                self.watch.on_doubt(attempt)
                self.finish(attempt, doubt.proved(look))
            case doubt.Proof.NOT_APPLIED:
                self.give_up(attempt)
            case doubt.Proof.UNKNOWN:
                self.watch.on_doubt(attempt)
                self.give_up(attempt)
                self.observe([look])

    def give_up(self, attempt: Attempt) -> None:
        """Close an attempt that is known not to have been applied, or of which nothing more can be known."""
        space = self.space()
        self.watch.on_giving_up(attempt)
        receipt.give_up(space, attempt)
        self.watch.on_decided(space)
        del self.ledger.open[attempt.id]
        self.commit(space)

    # ---- rules, copies

    def change_rules(self, rules: Rules) -> None:
        self.rules = rules
        self.revise("rules changed")

    def revise(self, cause: str) -> None:
        for number in list(self.ledger.records):
            space = self.space()
            conclude.revise(space, space.records[number], cause)
            self.watch.on_decided(space)
            self.commit(space)

    def backup(self) -> None:
        self.saved = deepcopy(self.ledger)

    def restore(self) -> None:
        """Open a copy of the ledger: the world has moved on (R32)."""
        if self.saved is None:
            return
        self.ledger = deepcopy(self.saved)
        if self.new_epoch:
            self.ledger.epoch = self.watch.number()
            self.ledger.open.clear()
        self.ledger.inbox.clear()
        self.ledger.running.clear()
        self.ledger.missing.clear()
        self.ledger.swept.clear()
        if self.rebased:
            for record in self.ledger.records.values():
                rebase(record)
        self.watch.on_restored(self.ledger.records.values())


def rebase(record: Record) -> None:
    """Let counters start afresh, and every edit be at any time before the copy."""
    for shadow in record.shadows.values():
        for known in shadow.fields.values():
            known.base, known.lo = None, 0
    record.golden = {n: replace(g, lo=0) for n, g in record.golden.items() if g.seed is None}
