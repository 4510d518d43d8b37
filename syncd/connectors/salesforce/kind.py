"""The kind ``salesforce``: what it can do, and one organisation, connected."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Any, Self

from pydantic import BaseModel

from syncd.connectors.outcomes import outcomes
from syncd.connectors.protocol import Batch, Connector, Delivery, Page, Rights, Setup
from syncd.connectors.salesforce.batch import Batches
from syncd.connectors.salesforce.bus import Bus, way_of
from syncd.connectors.salesforce.feed import Feed
from syncd.connectors.salesforce.options import SalesforceCollection, SalesforceConnection, SalesforceWatch
from syncd.connectors.salesforce.org import Org
from syncd.connectors.salesforce.reads import Reads
from syncd.connectors.salesforce.writes import Writes
from syncd.core.model import SECOND, Abilities, Change, Native, Receipt, Write
from syncd.errors import ConnectorError, PermanentError

NEEDED = ("api", "full")  # scopes of which one lets us in
USED = frozenset({"api", "id", "openid"})


class Salesforce:
    """One organisation, connected."""

    def __init__(self, setup: Setup) -> None:
        self.setup = setup
        self.org = Org(setup)
        self.reads = Reads(setup, self.org)
        self._writes = Writes(setup, self.org, self.reads)
        self._batches = Batches(setup, self.org, self.reads, self._writes)
        self._writing = asyncio.Semaphore(setup.limits.concurrency)

    @property
    def clock(self) -> tuple[int, int]:
        """Return how far the organisation's clock is from ours, by its Date headers."""
        return self.org.http.clock

    async def __aenter__(self) -> Self:
        """Open nothing until something is asked."""
        await self.org.__aenter__()
        return self

    async def __aexit__(self, *exc: object) -> None:
        """Close all connections."""
        await self.org.__aexit__(*exc)

    def changes(self, collection: str, cursor: str | None) -> AsyncIterator[Batch]:
        """Yield what changed since the cursor: by queries, or as change events tell it until it is closed."""
        if self.setup.watch.change_feed is None:
            return self.reads.changes(collection, cursor)
        return self._followed(collection, cursor)

    async def _followed(self, collection: str, cursor: str | None) -> AsyncIterator[Batch]:
        await self.reads.rows(collection)  # what the config says is there; and the clock is known
        async with Bus(way_of(self.setup), self.org.bearer) as bus:
            feed = Feed(self.setup, collection, bus, self.reads, self.org.login.refused, lambda: self.clock[0])
            async for batch in feed.changes(cursor):
                yield batch

    def scan(self, collection: str) -> AsyncIterator[Page]:
        """Yield every record in scope, by a query's pages or a query job."""
        return self.reads.scan(collection)

    async def hook(self, collection: str | None, delivery: Delivery) -> Batch:
        """Refuse: Salesforce sends no webhook that is spoken here."""
        raise PermanentError("no webhook is expected")

    async def read(self, collection: str, ids: Sequence[str]) -> list[Change]:
        """Read by id, many in one query; what is in the recycle bin is gone."""
        return await self.reads.read(collection, ids)

    async def find(self, collection: str, path: str, value: Native) -> list[Change]:
        """Ask by a query; what does not have exactly this value is left out."""
        return await self.reads.find(collection, path, value)

    async def rights(self, collection: str) -> Rights:
        """Return what the object's description lets this user write, and the scopes that the login was given.

        Raises PermanentError if the change feed's channel is not there or not for this user.
        """
        await self.org.limits()
        feed = self.setup.watch.change_feed
        if feed is not None:
            async with Bus(way_of(self.setup), self.org.bearer) as bus:
                await bus.check(feed.channel)
        rows = await self.reads.rows(collection)
        described = rows.described
        able = described.createable or described.updateable
        writes = self.setup.collections[collection].writes
        refused = tuple(path for path in writes if not (able and _may_write(path, described.fields)))
        scopes = self.org.login.entry.scopes
        missing = () if not scopes or any(one in scopes for one in NEEDED) else NEEDED[:1]
        excess = tuple(one for one in scopes if one not in USED)
        return Rights(able and not refused, refused, scopes, missing, excess)

    async def apply(self, writes: Sequence[Write]) -> list[Receipt | ConnectorError]:
        """Send each write once: alone, or with others of its kind where ``write.batch`` and ``bulk_writes`` say so."""
        if self.setup.write.batch > 1 and (len(writes) > 1 or self._batches.by_job(writes)):
            return await self._batches.apply(writes)
        return await outcomes(writes, self._writes.apply, self._writing)


class SalesforceKind:
    """Salesforce in the registry."""

    name = "salesforce"
    connection: type[BaseModel] = SalesforceConnection
    collection: type[BaseModel] = SalesforceCollection
    watch: type[BaseModel] = SalesforceWatch

    def abilities(self, connection: Any, collection: Any, watch: Any, write: Any) -> Abilities:
        """Return what an object can do. A batch has no condition for each of its records: it promises no guard."""
        return Abilities(
            guard=write.guard != "none" and write.batch == 1,
            unique=collection.external_id is not None,
            field_times=collection.field_times is not None,
            timed=collection.changed_at is not None,
            signs=True,
            tick=SECOND,
            lifetime=2 * (connection.timeout + (collection.bulk_patience if collection.by_job(1000, write.batch) else 0)),
        )

    def connect(self, setup: Setup) -> Connector:
        """Return the connector."""
        return Salesforce(setup)


KIND = SalesforceKind()


def _may_write(path: str, fields: Any) -> bool:
    column = fields.get(path)
    return column is not None and (column.updateable or column.createable)
