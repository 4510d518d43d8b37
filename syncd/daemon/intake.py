"""What platforms say comes in: polls, streams, files and webhooks. Stored first, acknowledged after, decided later."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import ExitStack, asynccontextmanager

from syncd.connectors.protocol import Batch
from syncd.core.model import SECOND
from syncd.daemon import clock, tell
from syncd.daemon.events import Event, say
from syncd.daemon.runtime import Part, Runtime
from syncd.daemon.suspend import Watch
from syncd.errors import ConnectorError, PermanentError
from syncd.ledger import cursors, inbox
from syncd.ledger.inbox import Added

NOTE = 5 * SECOND  # between two notes that a collection was read
REFUSED = 60 * SECOND  # until a feed that the platform refuses is tried again
MOST_WAITING = 50_000  # changes in the inbox after which feeds wait for the decider


async def take(runtime: Runtime, part: Part, collection: str, batch: Batch, via: str = "poll") -> Added:
    """Store a batch with its cursor, acknowledge it, and wake the decider. Cancelled, it is stored whole or not at all."""
    added = await runtime.store.write(
        inbox.add, part.name, collection, batch.changes, cursor=batch.cursor, broken=batch.broken, now=runtime.now()
    )
    if batch.ack is not None:
        await batch.ack()
    for broken in batch.broken:
        tell.unreadable(runtime.rules, part.name, collection, f": {broken.where}: {broken.reason}")
    tell.letters(part.name, collection, added.letters)
    runtime.meter.received(part.name, via, added.stored, added.repeats)
    if added.stored:
        runtime.wake.set()
    if batch.sweep:
        part.demand([collection])
    return added


async def take_feed(runtime: Runtime, part: Part, collection: str) -> None:
    """Take everything a feed has since its cursor: a poll ends, a stream goes on. Raises ConnectorError."""
    position = await runtime.store.read(cursors.position, part.name, collection)
    watch = Watch(runtime, part.name, collection)
    with ExitStack() as stack:
        async for batch in part.connector.changes(collection, position):
            added = await take(runtime, part, collection, batch)
            if part.is_polled:
                await watch.see(batch.changes, added.stored)
            if added.stored and part.is_polled:
                stack.enter_context(runtime.gathering(f"poll {part.name} {collection}"))
            part.refused.pop(collection, None)
            read_well(runtime, part)
            await room(runtime)
    await watch.end()
    await note_read(runtime, part, collection)
    part.refused.pop(collection, None)


async def note_read(runtime: Runtime, part: Part, collection: str) -> None:
    """Note that a collection was read successfully: staleness counts from here. Not each time: an idle feed costs no commit."""
    now = runtime.now()
    if now - part.noted.get(collection, 0) >= min(NOTE, part.platform.stale_after // 10):
        part.noted[collection] = now
        await runtime.store.write(cursors.note_read, part.name, collection, now)
    read_well(runtime, part)


def read_well(runtime: Runtime, part: Part) -> None:
    """Note in memory that a platform was read."""
    part.read_at = runtime.now()
    runtime.went_well(part)


async def room(runtime: Runtime) -> None:
    """Wait while too much is undecided: a feed must not run ahead of the decider without end."""
    depth = await runtime.store.read(inbox.depth)
    while depth.waiting > MOST_WAITING and not runtime.stopping.is_set():
        runtime.drained.clear()
        runtime.wake.set()
        await clock.nap(runtime.drained, runtime.now() + SECOND, at=runtime.now())
        depth = await runtime.store.read(inbox.depth)


async def poll_forever(runtime: Runtime, part: Part, collection: str, every: int) -> None:
    """Ask a platform again and again what changed, until cancelled; leave it in peace while it is in trouble."""
    never, why = asyncio.Event(), ""
    while True:
        began = runtime.now()
        try:
            await take_feed(runtime, part, collection)
        except PermanentError as error:
            why = tell_once(part, collection, error, why)
            began = max(began, runtime.now() + REFUSED - every)
        except ConnectorError as error:
            runtime.went_wrong(part, error)
        until = max(began + every, part.trouble.until if part.trouble.times else 0)
        while runtime.now() < until:
            await clock.nap(never, until, at=runtime.now())


def tell_once(part: Part, collection: str, error: ConnectorError, before: str) -> str:
    """Tell why a feed is refused, unless that was told before; return the reason."""
    if str(error) != before:
        say(Event.PLATFORM_DOWN, f"{part.name} {collection}: no feed: {error}", platform=part.name, collection=collection)
    part.refused[collection] = str(error)
    return str(error)


async def listen_forever(runtime: Runtime, part: Part, collection: str, every: int | None = None) -> None:
    """Hold a stream open until cancelled; one that breaks is opened again after a while.

    ``every``: it is opened anew so often whatever it says: connectors catch up by a query when they open one, so that an event
    which a platform lost is found by then.
    """
    never, why = asyncio.Event(), ""
    while True:
        wait = SECOND
        try:
            async with keeping_fresh(runtime, part, collection), asyncio.timeout(every and every / SECOND):
                await take_feed(runtime, part, collection)
        except TimeoutError:
            wait = 0
        except PermanentError as error:
            why, wait = tell_once(part, collection, error, why), REFUSED
        except ConnectorError as error:
            runtime.went_wrong(part, error)
        until = max(runtime.now() + wait, part.trouble.until)
        while runtime.now() < until:
            await clock.nap(never, until, at=runtime.now())


@asynccontextmanager
async def keeping_fresh(runtime: Runtime, part: Part, collection: str) -> AsyncIterator[None]:
    """While a stream is open its platform counts as read, although it may have nothing to say."""

    async def note() -> None:
        while True:
            await asyncio.sleep(part.platform.stale_after / 3 / SECOND)
            await note_read(runtime, part, collection)

    noting = asyncio.create_task(note())
    try:
        yield
    finally:
        noting.cancel()
        await asyncio.gather(noting, return_exceptions=True)


def feeds(runtime: Runtime, part: Part) -> list[tuple[str, Callable[[], Awaitable[None]]]]:
    """Return the loops that a platform's ``watch:`` asks for, by name."""
    watch = part.platform.watch
    poll = getattr(watch, "poll", None)
    anew = poll.every if poll is not None and getattr(watch, "REOPENED", True) else None
    loops: list[tuple[str, Callable[[], Awaitable[None]]]] = []
    for collection in runtime.collections(part.name):
        if part.is_followed:
            loops.append((f"follow {part.name} {collection}", _listen(runtime, part, collection, anew)))
        elif poll is not None:
            loops.append((f"poll {part.name} {collection}", _poll(runtime, part, collection, poll.every)))
    return loops


def _poll(runtime: Runtime, part: Part, collection: str, every: int) -> Callable[[], Awaitable[None]]:
    return lambda: poll_forever(runtime, part, collection, every)


def _listen(runtime: Runtime, part: Part, collection: str, every: int | None) -> Callable[[], Awaitable[None]]:
    return lambda: listen_forever(runtime, part, collection, every)
