"""The stream of one collection: server-sent events, and a query by date whenever something may have been missed.

An event only says which document to look at: it is read when queries see it, several at once. The stream itself never moves
the cursor: only a query by date knows that nothing before it is missing.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from syncd.connectors.body import BadBody, decode
from syncd.connectors.http import Stream as Opened
from syncd.connectors.protocol import Batch, Setup
from syncd.connectors.sanity.collection import AT_ONCE, Documents
from syncd.connectors.sanity.dataset import Dataset
from syncd.connectors.sanity.options import Stream
from syncd.connectors.sanity.own import is_published, own
from syncd.connectors.times import parse_time
from syncd.core.model import SECOND, Change, Via
from syncd.errors import ConnectorError, PermanentError, TransientError

FIRST, LONGEST = 0.5, 30.0  # seconds until a stream that was cut is opened again
SETTLED = 10.0  # seconds that a stream has to stay open for the next wait to be short again
GATHER = 0.03  # seconds in which events are gathered, to be read together
LATE = (0.1, 0.3, 1.0)  # seconds after which a look is repeated that does not show what the event said yet
END = "end"


@dataclass(frozen=True, slots=True)
class Heard:
    """One event that matters. ``name``: welcome, mutation, or ``end``; ``error``: why it ended, None if it may go on."""

    name: str
    data: dict[str, Any]
    as_of: int = 0
    at: int = 0
    error: ConnectorError | None = None


class Listening:
    """Follows one collection until it is closed. Raises ConnectorError where opening the stream again would not help now."""

    def __init__(self, setup: Setup, dataset: Dataset, documents: Documents, *, query: str, options: Stream) -> None:
        self._setup = setup
        self._dataset = dataset
        self._documents = documents
        self._query = query
        self._idle = options.idle / SECOND
        self._every, self._overlap = setup.watch.by_date

    async def batches(self, cursor: str | None) -> AsyncIterator[Batch]:
        """Yield what changed since the cursor, and then what changes; a stream that is cut is opened again."""
        wait = FIRST
        while True:
            async for batch in self._documents.changed(cursor, self._overlap):
                cursor = batch.cursor or cursor
                yield batch
            began = time.monotonic()
            queue: asyncio.Queue[Heard] = asyncio.Queue()
            hearing = asyncio.create_task(self._hear(queue), name=f"listen {self._setup.platform}")
            try:
                async for batch in self._while_open(queue, cursor):
                    cursor = batch.cursor or cursor
                    yield batch
            finally:
                hearing.cancel()
                with suppress(asyncio.CancelledError):
                    await hearing
            wait = FIRST if time.monotonic() - began > SETTLED else min(wait * 2, LONGEST)
            await asyncio.sleep(wait)

    async def _while_open(self, queue: asyncio.Queue[Heard], cursor: str | None) -> AsyncIterator[Batch]:
        """Yield what one connection brings: what was missed once it stands, then what is heard; ends when it is cut."""
        due = float("inf")
        while True:
            heard = await _next(queue, due - time.monotonic())
            events = [heard] if heard is not None else []
            if heard is not None and heard.name == "mutation":
                await asyncio.sleep(GATHER)
            while not queue.empty():
                events.append(queue.get_nowait())
            if heard is None or any(one.name == "welcome" for one in events):
                async for batch in self._documents.changed(cursor, self._overlap):
                    cursor = batch.cursor or cursor
                    yield batch
                due = time.monotonic() + self._every / SECOND
            mutations = {str(one.data["documentId"]): one for one in events if one.name == "mutation"}
            for start in range(0, len(mutations), AT_ONCE):
                yield Batch(await self._looks(dict(list(mutations.items())[start : start + AT_ONCE])))
            for one in events:
                if one.error is not None:
                    raise one.error
            if any(one.name == END for one in events):
                return

    async def _looks(self, events: dict[str, Heard]) -> list[Change]:
        """Return the things that events are about as queries show them now; a hint where they do not show it yet."""
        try:
            looks = {one.id: one for one in await self._documents.ours(list(events))}
            for delay in LATE:
                behind = [one for one, look in looks.items() if is_behind(look, events[one])]
                if not behind:
                    break
                await asyncio.sleep(delay)
                looks |= {one.id: one for one in await self._documents.ours(behind)}
        except ConnectorError:  # not now, or one of them never: an event is kept, and each is read by itself
            return [self._hint(one, heard) for one, heard in events.items()]
        return [self._hint(one, events[one]) if is_behind(look, events[one]) else look for one, look in looks.items()]

    def _hint(self, native_id: str, heard: Heard) -> Change:
        shape, by = self._documents.looks.shape, own(heard.data.get("transactionId"))
        place = (shape.platform, shape.collection, native_id, Via.EVENT, heard.as_of, heard.at)
        return Change(*place, item={}, event_id=str(heard.data.get("eventId", "")) or None, own=by)

    async def _hear(self, queue: asyncio.Queue[Heard]) -> None:
        """Put the events of one connection into the queue, and at last how it ended."""
        welcomed = False
        error: ConnectorError | None = None
        try:
            async with self._dataset.listening(self._query, idle=self._idle) as stream:
                async for name, data in events_of(stream):
                    heard = self._understood(name, data)
                    welcomed |= name == "welcome"
                    if heard is not None:
                        queue.put_nowait(heard)
                    if heard is not None and heard.name == END:
                        return
        except TransientError as failed:
            error = None if welcomed else failed  # one that was open was cut, and is opened again
        except ConnectorError as failed:
            error = failed
        queue.put_nowait(Heard(END, {}, error=error))

    def _understood(self, name: str, data: dict[str, Any]) -> Heard | None:
        """Return an event that matters; None for what says nothing about published documents."""
        if name == "reconnect":
            return Heard(END, data)
        if name == "disconnect":
            why = str(data.get("reason") or "no reason given")
            return Heard(END, data, error=TransientError(f"{self._setup.platform}: the stream was ended by Sanity: {why}"))
        if name == "channelError":
            why = str(data.get("message") or data.get("error") or "no reason given")
            return Heard(END, data, error=PermanentError(f"{self._setup.platform}: the stream is refused: {why}"))
        if name == "welcome":
            return Heard(name, data)
        native = data.get("documentId")
        if name != "mutation" or not isinstance(native, str) or not is_published(native):
            return None
        return Heard(name, data, self._setup.number(), self._setup.now())


async def _next(queue: asyncio.Queue[Heard], seconds: float) -> Heard | None:
    """Return the next event, None if none came in time."""
    if seconds == float("inf"):
        return await queue.get()
    try:
        async with asyncio.timeout(max(seconds, 0)):
            return await queue.get()
    except TimeoutError:
        return None


def is_behind(look: Change, heard: Heard) -> bool:
    """Return whether a look shows what was before the event, and nothing later."""
    revision = heard.data.get("resultRev")
    shown = None if look.gone else (look.item or {}).get("_rev")
    if revision is None:
        return shown is not None and shown == heard.data.get("previousRev")
    if shown == revision or look.left:
        return False
    at = parse_time(heard.data.get("timestamp"))
    if look.gone:
        return heard.data.get("transition") == "appear" and heard.data.get("previousRev") is None
    return shown == heard.data.get("previousRev") or (at is not None and (look.changed_at or at) < at - SECOND)


async def events_of(stream: Opened) -> AsyncIterator[tuple[str, dict[str, Any]]]:
    """Yield the events of a stream with their data; what is no JSON object has none. Comments are skipped."""
    name, data = "", b""
    async for line in stream.lines():
        if not line:
            if name:
                yield name, _object(data)
            name, data = "", b""
        elif line.startswith(b"event:"):
            name = line[6:].strip().decode("utf-8", "replace")
        elif line.startswith(b"data:"):
            data += (b"\n" if data else b"") + line[5:].removeprefix(b" ")


def _object(data: bytes) -> dict[str, Any]:
    try:
        found = decode(data)
    except BadBody:
        return {}
    return found if isinstance(found, dict) else {}
