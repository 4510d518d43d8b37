"""When collections are swept: at start if overdue, then by their interval or cron expression, and whenever one is asked for."""

import asyncio
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from cronsim import CronSim

from syncd.core.model import SECOND
from syncd.daemon.clock import nap
from syncd.daemon.runtime import Part, Runtime
from syncd.daemon.sweep import Swept, sweep
from syncd.ledger import sweeps

DAY = 24 * 3600 * SECOND
NEVER = 3650 * DAY  # until a moment that does not come
PATIENCE = 30 * SECOND  # after a sweep that failed; doubled each time
REST = 10  # times its own duration that a collection rests before it is swept on demand again
SHORTEST_REST = 2 * SECOND


class Schedule:
    """When each collection of a platform is swept next."""

    def __init__(self, runtime: Runtime, part: Part) -> None:
        self.runtime = runtime
        self.part = part
        self.due: dict[str, int] = {}
        self.rested: dict[str, int] = {}
        self.failures: dict[str, int] = {}

    async def forever(self) -> None:
        """Sweep when it is time, until cancelled."""
        for name in listed(self.runtime, self.part):
            self.due[name] = await self.first(name)
        while True:
            collection, at = self.next()
            if collection is not None and at <= self.runtime.now():
                await self.run(collection)
            else:
                await nap(self.part.sweep, at if collection else None, at=self.runtime.now())

    async def first(self, collection: str) -> int:
        """Return when to sweep a collection first: now if it never was, or not within its interval."""
        last = await self.runtime.store.read(sweeps.last, self.part.name, collection, proving=True)
        return 0 if last is None else next_time(self.part, self.runtime.config.timezone, last.began_at)

    def next(self) -> tuple[str | None, int]:
        """Return the collection that is next, and when."""
        times = dict(self.due)
        for collection in self.part.wanted & times.keys():
            times[collection] = min(times[collection], self.rested.get(collection, 0))
        if not times:
            return None, 0
        collection = min(times, key=lambda name: times[name])
        return collection, max(times[collection], self.part.trouble.until if self.part.trouble.times else 0)

    async def run(self, collection: str) -> Swept:
        """Sweep one collection and say when it is its turn again."""
        self.part.wanted.discard(collection)
        began = self.runtime.now()
        done = await sweep(self.runtime, self.part, collection)
        now = self.runtime.now()
        self.rested[collection] = now + max(SHORTEST_REST, REST * (now - began))
        usual = next_time(self.part, self.runtime.config.timezone, began)
        self.failures[collection] = 0 if done.complete else self.failures.get(collection, 0) + 1
        patience = PATIENCE * 2 ** min(self.failures[collection], 10)
        self.due[collection] = usual if done.complete else min(usual, now + patience)
        return done


def listed(runtime: Runtime, part: Part) -> list[str]:
    """Return the collections of a platform that can be listed."""
    found = []
    for collection in runtime.collections(part.name):
        member = runtime.member(part.name, collection)
        if member is not None and member.abilities.list:
            found.append(collection)
    return found


def next_time(part: Part, zone: str, after: int) -> int:
    """Return the first moment after one at which a platform's collections are to be swept."""
    rule: int | str | None = part.platform.watch.sweep
    if isinstance(rule, str):
        return next_cron(rule, zone, after) or after + NEVER
    return after + (DAY if rule is None else rule)


def next_cron(rule: str, zone: str, after: int) -> int | None:
    """Return the first moment of a cron expression that is after one, None if there is none.

    A time of day that the clock passes twice in a night is one moment; one that it skips is made good at once.
    """
    moment = datetime.fromtimestamp(after / SECOND, UTC).astimezone(ZoneInfo(zone))
    for found in CronSim(rule, moment):
        at = int(found.timestamp() * SECOND)
        if at > after:  # in the hour that comes twice, the first one may be over
            return at
    return None


async def sweep_all(runtime: Runtime, part: Part) -> list[Swept]:
    """Sweep every collection of a platform once, one after the other."""
    return [await sweep(runtime, part, collection) for collection in listed(runtime, part)]


async def sweep_everything(runtime: Runtime) -> list[Swept]:
    """Sweep every collection of every platform once; platforms beside each other."""
    done = await asyncio.gather(*(sweep_all(runtime, part) for part in runtime.parts.values()))
    return [one for part in done for one in part]
