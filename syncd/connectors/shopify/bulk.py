"""A full read by bulk operation: the shop works through the query by itself and hands out one file of JSON lines.

Protocol: ``bulkOperationRunQuery``, then ``bulkOperation(id:)`` until it is over, then the file at ``url``. A nested list
follows its thing, line by line, with ``__parentId``. What a failed operation leaves at ``partialDataUrl`` proves nothing and
is not asked for.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Any

import aiohttp
from yarl import URL

from syncd.connectors.body import BadBody, Parsed, parse, pick, salvage
from syncd.connectors.http import Http
from syncd.connectors.protocol import Broken, Page, Setup
from syncd.connectors.shape import Seen
from syncd.connectors.shopify.api import Api
from syncd.connectors.shopify.documents import BULK, RUN_BULK, bulk
from syncd.connectors.shopify.listing import Reader
from syncd.core.model import Change, Native, Via
from syncd.errors import PermanentError, TransientError

FIRST, LONGEST = 1.0, 30.0  # seconds between two looks whether it is over
PAGE = 500  # things handed on at once
TRIES = 20  # to start one while others are under way
IDLE = 120.0  # seconds without a byte until the file counts as broken
OVER = {"FAILED", "CANCELED", "EXPIRED", "CANCELING"}
BUSY = {"OPERATION_IN_PROGRESS", "LIMIT_REACHED"}


class Nobody:
    """Shows nothing of us: the file lies somewhere else, behind an address that is the key to it."""

    async def headers(self, session: aiohttp.ClientSession) -> dict[str, str]:
        """Return no header."""
        return {}

    def refused(self, _shown: Mapping[str, str]) -> bool:
        """Return that asking again does not help."""
        return False


class BulkRead:
    """One full read of one collection."""

    def __init__(
        self, api: Api, setup: Setup, reader: Reader, *, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    ) -> None:
        self._api = api
        self._reader = reader
        self._sleep = sleep
        self._files = Http(setup, base_url="", login=Nobody())

    async def pages(self, query: str | None) -> AsyncIterator[Page]:
        """Yield every thing; an operation that did not come to its end says so on the last page."""
        identity, seen = await self._started(query)
        operation = await self._ended(identity)
        why = _why(operation)
        if why:
            yield Page((), last=True, complete=False, why=why)
            return
        url, count = operation.get("url"), 0
        if isinstance(url, str) and url:
            async with self._files:
                async for page in self._read(URL(url, encoded=True), seen):
                    count += len(page.changes) + len(page.broken)
                    yield page
        told = _number(operation.get("rootObjectCount"))
        short = f"the shop says {told}, {count} came" if told is not None and count < told else ""
        yield Page((), last=True, complete=not short, why=short)

    async def _started(self, query: str | None) -> tuple[str, Seen]:
        """Start an operation, once there is place for it; what it shows is at least as new as this moment."""
        document = bulk(self._reader.kind, self._reader.selection, query)
        words = ""
        for _ in range(TRIES):
            answered = await self._api.send(RUN_BULK, {"query": document})
            errors = pick(answered.data, "bulk.userErrors") or []
            identity = pick(answered.data, "bulk.bulkOperation.id")
            words = "; ".join(str(pick(one, "message")) for one in errors)
            if not errors and isinstance(identity, str):
                reply = answered.reply
                return identity, Seen(Via.READ, reply.as_of, reply.seen_at, f"bulk operation {identity}")
            if not any(pick(one, "code") in BUSY for one in errors):
                raise PermanentError(f"bulk: the shop does not run it: {words or 'it names no operation'}")
            await self._sleep(LONGEST)
        raise TransientError(f"bulk: {words}", about_record=True)

    async def _ended(self, identity: str) -> dict[str, Any]:
        wait = FIRST
        while True:
            answered = await self._api.read(BULK, {"id": identity})
            operation = answered.data.get("bulkOperation")
            if not isinstance(operation, dict):
                raise TransientError(f"bulk: the shop does not know {identity} any more", about_record=True)
            if operation.get("status") in OVER | {"COMPLETED"}:
                return operation
            await self._sleep(wait)
            wait = min(wait * 2, LONGEST)

    async def _read(self, url: URL, seen: Seen) -> AsyncIterator[Page]:
        changes: list[Change] = []
        broken: list[Broken] = []
        async with self._files.opened(url, idle=IDLE) as stream:
            async for thing, flaw in things(stream.lines(), self._reader.shape.collection):
                shaped = self._reader.selection.shaped_in_bulk(thing)
                found = self._reader.shape.observe(shaped, flaw, seen)
                (changes if isinstance(found, Change) else broken).append(found)  # type: ignore[arg-type]
                if len(changes) + len(broken) >= PAGE:
                    yield Page(changes, broken)
                    changes, broken = [], []
        if changes or broken:
            yield Page(changes, broken)


async def things(lines: AsyncIterator[bytes], collection: str) -> AsyncIterator[tuple[Native, str | None]]:
    """Yield things with their nested lists under ``__children``, and the flaw of any of their lines; raises TransientError."""
    thing: dict[str, Native] | None = None
    known: dict[str, dict[str, Native]] = {}
    flaw: str | None = None
    async for line in lines:
        if not line.strip():
            continue
        parsed = _parsed(line, collection)
        found = parsed.value
        if not isinstance(found, dict):
            raise TransientError(f"{collection}: a line of the file is not an object", about_record=True)
        parent = found.get("__parentId")
        if parent is None:
            if thing is not None:
                yield thing, flaw
            thing, known, flaw = found, {}, None
        elif not isinstance(parent, str) or (parent not in known):
            raise TransientError(f"{collection}: a line of the file belongs to {parent}, which is not there", about_record=True)
        else:
            known[parent].setdefault("__children", []).append(found)
        flaw = flaw or parsed.flaw(found)
        native = salvage(found.get("id"))
        if isinstance(native, str):
            known[native] = found
    if thing is not None:
        yield thing, flaw


def _parsed(line: bytes, collection: str) -> Parsed:
    try:
        return parse(line)
    except BadBody as error:
        raise TransientError(f"{collection}: a line of the file is no JSON: {error.reason}", about_record=True) from error


def _why(operation: dict[str, Any]) -> str:
    """Return why an operation is no evidence, "" if it is."""
    status = operation.get("status")
    if status == "COMPLETED":
        return ""
    code = operation.get("errorCode")
    return f"the bulk operation is {status}{f' ({code})' if code else ''}"


def _number(raw: Native) -> int | None:
    text = str(raw)
    return int(text) if text.isascii() and text.isdigit() else None
