"""Telling people who are not looking: what ``notify:`` asks for is collected and posted to webhooks, one message at a time.

It hears what the daemon says (``events``) and never makes it wait. A message is one CloudEvent with counts and examples;
between two of an entry lies ``min_gap``. One that cannot be delivered is tried a few times, and then counted in the next.
"""

import asyncio
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from loguru import logger

from syncd.config.model import Notice
from syncd.core.model import SECOND
from syncd.daemon import clock
from syncd.daemon.events import Event, say
from syncd.daemon.post import Failed, Outgoing, post
from syncd.daemon.runtime import Runtime, secrets_of
from syncd.daemon.secrecy import personal_of
from syncd.daemon.supervise import keep_going
from syncd.daemon.upkeep import renewals
from syncd.ledger.texts import when
from syncd.reports.masks import hide, mask, worth

OCCASIONS = {
    Event.BREAKER_TRIP: "breaker",
    Event.CONFLICT_OPEN: "conflict_new",
    Event.REPORT_DONE: "drift_over",
    Event.WRITE_REFUSED: "dead_letter",
    Event.LETTER_OPEN: "dead_letter",
    Event.HOOK_REFUSED: "dead_letter",
    Event.PLATFORM_DOWN: "platform_down",
    Event.BACKUP_FAILED: "backup_failed",
    Event.REPORT_FAILED: "report_failed",
    Event.RELOAD_FAILED: "reload_failed",
}
ABOUT = ("entity", "record", "field", "platform", "collection", "kind", "op", "conflict", "report", "status")
EXAMPLES = 20  # events that a message tells one by one; the rest is counted


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a message is tried. ``together``: seconds in which what happens at once becomes one message."""

    attempts: int = 5
    first: int = SECOND
    most: int = 60 * SECOND
    seconds: float = 10.0
    together: float = 1.0


SHORT = Patience(attempts=2, seconds=5.0)  # of a command that ends


@dataclass(slots=True, eq=False)
class Entry:
    """One entry of ``notify:`` in operation: what waits to be told, and what never could be."""

    notice: Notice
    waiting: list[dict[str, Any]] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    kinds: set[str] = field(default_factory=set)
    events: int = 0
    lost: int = 0
    wake: asyncio.Event = field(default_factory=asyncio.Event)
    task: "asyncio.Task[None] | None" = None

    def add(self, occasion: str, told: dict[str, Any], number: int) -> None:
        """Count an event that stands for so many; the first events are told as they are."""
        self.counts[occasion] += number
        self.events += 1
        self.kinds.add(told["event"])
        if len(self.waiting) < EXAMPLES:
            self.waiting.append(told)
        self.wake.set()

    def take(self) -> "Told":
        """Return what waits, and begin afresh."""
        taken = Told(self.waiting, self.counts, self.kinds, self.events - len(self.waiting), self.lost)
        self.waiting, self.counts, self.kinds, self.events = [], Counter(), set(), 0
        return taken


@dataclass(frozen=True, slots=True)
class Told:
    """What one message tells. ``more``: events that are only counted; ``lost``: what earlier messages could not tell."""

    events: list[dict[str, Any]]
    counts: Counter[str]
    kinds: set[str]
    more: int
    lost: int


class Announcer:
    """Hears the events of one daemon and has the entries of its config told of them."""

    def __init__(self, runtime: Runtime, patience: Patience = Patience()) -> None:
        self._runtime = runtime
        self._patience = patience
        self._entries: dict[Notice, Entry] = {}
        self._renew()

    @contextmanager
    def hearing(self) -> Iterator[None]:
        """Hear everything that is said, until the block is left."""
        loop = asyncio.get_running_loop()

        def hear(message: Any) -> None:
            record = message.record
            loop.call_soon_threadsafe(self.hear, record["message"], dict(record["extra"]))

        sink = logger.add(hear, level="DEBUG", format="{message}", filter=is_occasion, catch=True)
        try:
            yield
        finally:
            logger.remove(sink)

    def hear(self, text: str, facts: Mapping[str, Any]) -> None:
        """Take an event in for the entries that ask for it."""
        event = Event(facts["event"])
        for entry in self._entries.values():
            occasion = OCCASIONS[event]
            if occasion in entry.notice.when and (occasion != "drift_over" or is_over(facts, entry.notice.over)):
                number = facts["count"] if event is Event.LETTER_OPEN else 1
                entry.add(occasion, self._told(event, text, facts), number)

    def _told(self, event: Event, text: str, facts: Mapping[str, Any]) -> dict[str, Any]:
        """Return an event as it may leave this machine: no personal value, and nothing that a thing held."""
        about = {name: facts[name] for name in ABOUT if facts.get(name) is not None}
        entity = self._runtime.rules.entities.get(str(facts.get("entity")))
        if entity is not None and entity.key in personal_of(self._runtime.rules).fields.get(entity.name, ()):
            text = hide(text, worth(facts.get("record")))
            about["record"] = mask(facts.get("record"))
        return {"event": event.value, "at": when(self._runtime.now()), "text": " ".join(text.split()), **about}

    async def forever(self) -> None:
        """Post what is to be told, each entry on its own, as the config of the moment says."""
        with renewals(self._runtime) as renewed:
            try:
                while True:
                    renewed.clear()
                    self._renew()
                    for entry in self._entries.values():
                        if entry.task is None or entry.task.done():
                            entry.task = asyncio.create_task(self._keep_posting(entry), name="notify")
                    await renewed.wait()
            finally:
                await end([entry.task for entry in self._entries.values() if entry.task is not None])

    def _renew(self) -> None:
        """Take over the entries of the config; those that stay keep what waits, and when they last told."""
        wanted = list(dict.fromkeys(self._runtime.config.upkeep.notices))
        for notice in set(self._entries) - set(wanted):
            task = self._entries.pop(notice).task
            if task is not None:
                task.cancel()
        for notice in wanted:
            self._entries.setdefault(notice, Entry(notice))

    async def _keep_posting(self, entry: Entry) -> None:
        await keep_going("notify", lambda: self._post_forever(entry), broken=lambda: None)

    async def _post_forever(self, entry: Entry) -> None:
        while True:
            await entry.wake.wait()
            await asyncio.sleep(self._patience.together)
            entry.wake.clear()
            await self.deliver(entry)
            await asyncio.sleep(entry.notice.min_gap / SECOND)

    async def flush(self) -> None:
        """Post at once all that waits: for a process that ends."""
        await asyncio.sleep(0)  # what was just said has been heard
        await asyncio.gather(*(self.deliver(entry) for entry in self._entries.values() if entry.counts))

    async def deliver(self, entry: Entry) -> None:
        """Post what waits, as one message; what cannot be delivered is counted and said, and never told again."""
        told = entry.take()
        counts = told.counts
        try:
            await self._try(entry.notice, self._message(told))
        except Failed as error:
            entry.lost += counts.total()
            self._runtime.troubles["notify"] = f"nobody could be told of {summary(counts)}: {error}"
            say(Event.NOTICE_FAILED, f"webhook secret:{entry.notice.secret}: {error}; not told: {summary(counts)}")
        else:
            entry.lost = 0
            self._runtime.troubles["notify"] = ""
            say(Event.NOTICE_SENT, f"webhook secret:{entry.notice.secret} was told: {summary(counts)}")

    async def _try(self, notice: Notice, message: Outgoing) -> None:
        """Post a message, again and again for a while. Raises Failed."""
        patience = self._patience
        for number in range(1, patience.attempts + 1):
            try:
                url = secrets_of(self._runtime.config).get(notice.secret)
                await post(url, message, patience.seconds)
            except Failed as error:
                if not error.again or number == patience.attempts:
                    raise
                wait = clock.back_off(patience.first, patience.most, number) / SECOND
                await asyncio.sleep(min(max(wait, error.after), patience.most / SECOND))
            else:
                return

    def _message(self, told: Told) -> Outgoing:
        config = self._runtime.config
        alone = len(told.events) == 1 and not told.more
        text = f"syncd {config.environment}: {summary(told.counts)}"
        return Outgoing(
            source=f"/syncd/{quote(config.environment)}",
            kind=next(iter(told.kinds)) if len(told.kinds) == 1 else "notice",
            subject=subject_of(told.events[0]) if alone else summary(told.counts),
            time=when(self._runtime.now()),
            text=f"{text}: {told.events[0]['text']}" if alone else text,
            data={
                "environment": config.environment,
                "config_sha": config.sha,
                "counts": dict(told.counts),
                "events": told.events,
                "more": told.more,
                "lost": told.lost,
            },
        )


def is_occasion(record: Any) -> bool:
    """Return whether a message of the log is an event that somebody may want to be told of."""
    return record["extra"].get("event") in set(OCCASIONS)


def is_over(facts: Mapping[str, Any], share: float) -> bool:
    """Return whether a report found more records out of sync than a share of them."""
    records = facts.get("records") or 0
    return bool(records) and (facts.get("out_of_sync") or 0) / records > share


def summary(counts: Counter[str]) -> str:
    """Return the counts in words: ``3 conflict_new, 1 breaker``."""
    return ", ".join(f"{count:,} {name}" for name, count in counts.most_common())


def subject_of(one: Mapping[str, Any]) -> str:
    """Return what an event is about: its platform, entity, record and field, as far as it names them."""
    named = (one.get(name) for name in ("platform", "entity", "record", "field", "report"))
    return "/".join(str(part) for part in named if part is not None) or str(one["event"])


async def end(tasks: Sequence["asyncio.Task[None]"]) -> None:
    """Cancel tasks and wait for them."""
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
