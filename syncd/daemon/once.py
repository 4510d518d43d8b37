"""``run --once``: read everything, decide, deliver until nothing is behind or all that is left waits, and go.

The steps are those of the daemon's loops, taken one after the other. One-shot commands end with ``settle_down``.
"""

import asyncio
from dataclasses import dataclass, field

from syncd.core.model import SECOND
from syncd.daemon.clock import nap
from syncd.daemon.deliver import Delivery
from syncd.daemon.intake import take_feed
from syncd.daemon.reconcile import drain
from syncd.daemon.reread import answer_asks
from syncd.daemon.revise import begin, moved, revise_outdated, staleness
from syncd.daemon.runtime import Part, Runtime
from syncd.daemon.schedule import listed
from syncd.daemon.sweep import Swept, sweep
from syncd.errors import ConnectorError
from syncd.ledger import breakers, config_texts, inbox
from syncd.ledger.schema import Database

PATIENCE = 10 * SECOND  # a longer back-off, or a platform that is down for longer, is not waited for
LISTEN = 2.0  # seconds in which the last values of a stream come in


@dataclass(slots=True)
class Pass:
    """What one pass over everything came to. ``unread``: platforms that could not be read completely, and why."""

    swept: list[Swept] = field(default_factory=list)
    unread: dict[str, str] = field(default_factory=dict)
    refused: int = 0
    tripped: int = 0


async def run_once(runtime: Runtime, *, patience: int = PATIENCE) -> Pass:
    """Do one pass over all platforms: doubts first, then reading, deciding and delivering."""
    await begin(runtime)
    done, before = Pass(), await runtime.store.read(open_breakers)
    work, (stale, _) = Work(runtime, patience=patience), await staleness(runtime)
    await work.begin()
    await work.settle_down()
    for swept in await asyncio.gather(*(read_all(runtime, part, done.unread) for part in runtime.parts.values())):
        done.swept += swept
    await work.settle_down()
    runtime.decide_again(moved(stale, (await staleness(runtime))[0]))
    await revise_outdated(runtime)
    await work.settle_down()
    done.refused = work.refused
    done.tripped = len(await runtime.store.read(open_breakers) - before)
    return done


def open_breakers(db: Database) -> set[int]:
    """Return the numbers of the breakers that are open."""
    return {one.id for one in breakers.standing(db)}


async def read_all(runtime: Runtime, part: Part, unread: dict[str, str]) -> list[Swept]:
    """Read a platform once: sweep what can be listed, listen for a moment to what cannot."""
    done = []
    for collection in runtime.collections(part.name):
        if collection in listed(runtime, part):
            swept = await sweep(runtime, part, collection)
            done.append(swept)
            if not swept.complete:
                unread[part.name] = swept.why or "the scan was not believed"
        elif part.is_followed:
            await listen(runtime, part, collection, unread)
    return done


async def listen(runtime: Runtime, part: Part, collection: str, unread: dict[str, str]) -> None:
    """Take what a stream has to say within a moment."""
    try:
        async with asyncio.timeout(LISTEN):
            await take_feed(runtime, part, collection)
    except TimeoutError:
        return
    except ConnectorError as error:
        runtime.went_wrong(part, error)
        unread[part.name] = str(error)


class Work:
    """Everything that the loops of a daemon do, until nothing moves any more. For a process that has no loops."""

    def __init__(self, runtime: Runtime, *, patience: int = PATIENCE) -> None:
        self.runtime = runtime
        self.patience = patience
        self.deliveries = {name: Delivery(runtime, part) for name, part in runtime.parts.items()}

    @property
    def refused(self) -> int:
        """How many writes ended as dead letters."""
        return sum(delivery.refused for delivery in self.deliveries.values())

    async def begin(self) -> None:
        """Remember what a crash left behind, and the config that decides now; what waited for something in memory is due
        again.
        """
        config = self.runtime.config
        await self.runtime.store.write(config_texts.keep, config.sha, config.texts, self.runtime.now())
        for name, delivery in self.deliveries.items():
            await self.runtime.store.write(inbox.release, name)
            await delivery.remember_doubts()

    async def settle_down(self) -> None:
        """Work until nothing is behind, or all that is left waits for a person, a breaker, or longer than a moment."""
        never = asyncio.Event()
        while True:
            if await self.step():
                continue
            at = await self.next_at()
            if at is None or at > self.runtime.now() + self.patience:
                return
            await nap(never, at, at=self.runtime.now())

    async def step(self) -> bool:
        """Decide, read and deliver once; return whether anything moved."""
        moved = (await drain(self.runtime)).rows > 0
        parts = self.runtime.parts.values()
        asking = [part for part in parts if part.asks and part.trouble.until <= self.runtime.now()]
        await asyncio.gather(*(answer_asks(self.runtime, part) for part in asking))
        sent = await asyncio.gather(*(delivery.until_idle() for delivery in self.deliveries.values()))
        swept = await asyncio.gather(*(self.sweep_wanted(part) for part in parts))
        return moved or bool(asking) or any(sent) or any(swept)

    async def sweep_wanted(self, part: Part) -> bool:
        """Sweep the collections of a platform whose scan is waited for, unless it is in trouble."""
        if part.trouble.until > self.runtime.now():
            return False
        wanted, part.wanted = part.wanted, set()
        done = [await sweep(self.runtime, part, collection) for collection in wanted & set(listed(self.runtime, part))]
        return any(one.complete for one in done)

    async def next_at(self) -> int | None:
        """Return when something is due again without anything else happening; None if nothing is."""
        times = [at for name in self.deliveries if (at := await self.next_of(name)) is not None]
        return min(times, default=None)

    async def next_of(self, name: str) -> int | None:
        """Return when something about one platform is due: a write, a doubt, a hint to be read."""
        part = self.runtime.parts[name]
        if part.trouble.times and self.runtime.now() - part.trouble.since > self.patience:
            return None
        due = await self.deliveries[name].next_at()
        waiting = await self.runtime.store.read(inbox.next_at, self.runtime.now())
        times = [at for at in (due, waiting) if at is not None]
        return max(min(times), part.trouble.until) if times else None
