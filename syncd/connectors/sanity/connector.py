"""The connector itself: the seam's methods, each handed to what does it."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Self
from zoneinfo import ZoneInfo

from syncd.connectors.outcomes import outcomes
from syncd.connectors.protocol import Batch, Collection, Delivery, Page, Rights, Setup
from syncd.connectors.sanity.calls import batch_of
from syncd.connectors.sanity.collection import Documents
from syncd.connectors.sanity.dataset import Dataset
from syncd.connectors.sanity.deeds import Deeds
from syncd.connectors.sanity.listening import Listening
from syncd.connectors.sanity.looks import Looks
from syncd.connectors.sanity.options import PUBLISHED, SanityCollection
from syncd.connectors.sanity.queries import Queries
from syncd.connectors.sanity.rights import rights_of
from syncd.connectors.sanity.writing import Ways
from syncd.connectors.shape import Shape
from syncd.core.model import Change, Native, Receipt, Write
from syncd.errors import ConnectorError, PermanentError


@dataclass(frozen=True, slots=True)
class Part:
    """What belongs to one collection."""

    options: SanityCollection
    queries: Queries
    documents: Documents
    deeds: Deeds
    writes: tuple[str, ...]


class Sanity:
    """One dataset, connected."""

    def __init__(self, setup: Setup) -> None:
        self.setup = setup
        self.dataset = Dataset(setup)
        self._writing = asyncio.Semaphore(setup.limits.concurrency)
        self._parts = {name: self._part(one) for name, one in setup.collections.items()}

    @property
    def clock(self) -> tuple[int, int]:
        """Return how far the service's clock is from ours, by its Date headers."""
        return self.dataset.http.clock

    async def __aenter__(self) -> Self:
        """Open nothing until something is asked."""
        await self.dataset.http.__aenter__()
        return self

    async def __aexit__(self, *exc: object) -> None:
        """Close all connections."""
        await self.dataset.http.__aexit__(*exc)

    async def changes(self, collection: str, cursor: str | None) -> AsyncIterator[Batch]:
        """Yield what changed since the cursor, by date; where a stream is configured, then whatever changes."""
        part, watch = self._parts[collection], self.setup.watch
        if watch.stream is None:
            feed = part.documents.changed(cursor, watch.by_date[1])
        else:
            query = watch.stream.query or part.queries.heard()
            listening = Listening(self.setup, self.dataset, part.documents, query=query, options=watch.stream)
            feed = listening.batches(cursor)
        try:
            async for batch in feed:
                yield batch
        finally:
            await feed.aclose()  # type: ignore[attr-defined]  # a generator, whatever the seam calls it

    async def scan(self, collection: str) -> AsyncIterator[Page]:
        """Yield every thing: published documents, then those that only have a draft, which are unpublished."""
        async for page in self._parts[collection].documents.pages():
            yield page

    async def hook(self, collection: str | None, delivery: Delivery) -> Batch:
        """Return what a verified webhook says: a hint of what to read."""
        if self.setup.watch.webhook is None:
            raise PermanentError("no webhook is expected")
        types = {part.options.type: name for name, part in self._parts.items()}
        return batch_of(self.setup, types, collection, delivery)

    async def read(self, collection: str, ids: Sequence[str]) -> list[Change]:
        """Read by id, a hundred in one query."""
        return await self._parts[collection].documents.read(ids)

    async def find(self, collection: str, path: str, value: Native) -> list[Change]:
        """Ask for the documents that have exactly this value."""
        return await self._parts[collection].documents.find(path, value)

    async def rights(self, collection: str) -> Rights:
        """Return what the token may do, by a transaction that is only rehearsed."""
        part = self._parts[collection]
        return await rights_of(self.dataset, part.queries, part.writes)

    async def apply(self, writes: Sequence[Write]) -> list[Receipt | ConnectorError]:
        """Send each write once, several at a time; once the platform itself fails, the rest is not sent."""

        async def send(write: Write) -> Receipt:
            return await self._parts[write.collection].deeds.do(write)

        return await outcomes(writes, send, self._writing)

    def _part(self, one: Collection) -> Part:
        options: SanityCollection = one.options
        setup, place = self.setup, (self.setup.platform, one.name, "_id", options.changed_at)
        shape = Shape(*place, options.version or "_rev", options.deleted, ZoneInfo(setup.timezone))
        marker = [options.deleted.field] if options.deleted is not None and one.fields else []
        fields = tuple(path for path in dict.fromkeys([*one.fields, *marker]) if path != PUBLISHED)
        looks = Looks(shape, options, fields)
        queries = Queries(options, fields)
        documents = Documents(self.dataset, queries, looks)
        guarded = options.version is not None and setup.write.guard in {None, "version"}
        ways = Ways(options, guarded, setup.write.drafts == "always", one.keys)

        async def read(native_id: str) -> Change:
            [look] = await documents.read([native_id])
            return look

        return Part(options, queries, documents, Deeds(self.dataset, ways, looks, read), one.writes)
