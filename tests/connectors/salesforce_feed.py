"""A change feed that is followed in a task of its own, for the tests of the event bus."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from syncd.connectors.protocol import Batch
from syncd.connectors.salesforce.kind import Salesforce as Connected
from syncd.core.model import Change
from tests.connectors.salesforce_world import connected, organisation
from tests.emulators.salesforce.bus import Bus, on_air
from tests.emulators.salesforce.server import Salesforce, serving

CONTACTS = "/data/ContactChangeEvent"


@dataclass
class Followed:
    """An organisation, its bus, and a connector whose feed is followed from a cursor on. ``batches`` are what it yielded."""

    salesforce: Salesforce
    bus: Bus
    connector: Connected
    batches: list[Batch] = field(default_factory=list)
    task: asyncio.Task[None] | None = None
    hold: asyncio.Event = field(default_factory=asyncio.Event)  # cleared: the consumer takes no more

    def follow(self, cursor: str | None = None) -> None:
        """Begin to follow."""
        self.hold.set()
        self.task = asyncio.create_task(self._take(cursor))

    async def _take(self, cursor: str | None) -> None:
        async for batch in self.connector.changes("contacts", cursor):
            self.batches.append(batch)
            await self.hold.wait()

    async def stop(self) -> None:
        """Stop following, as a daemon does."""
        if self.task is not None:
            self.task.cancel()
            await asyncio.gather(self.task, return_exceptions=True)
            self.task = None

    async def until(self, true: Callable[[], bool], seconds: float = 5.0) -> None:
        """Wait until something is so; the feed's own failure is raised at once."""
        async with asyncio.timeout(seconds):
            while not true():
                if self.task is not None and self.task.done():
                    self.task.result()
                    raise AssertionError("the feed ended")
                await asyncio.sleep(0.01)

    async def at_rest(self) -> None:
        """Wait until the feed has its place in the stream and everything that was published."""
        await self.until(lambda: self.bus.sent_all and bool(self.cursor) and "replay" in (self.cursor or ""))

    @property
    def cursor(self) -> str | None:
        """Return the cursor as a ledger would have it."""
        return next((one.cursor for one in reversed(self.batches) if one.cursor is not None), None)

    @property
    def changes(self) -> list[Change]:
        """Return all changes so far."""
        return [one for batch in self.batches for one in batch.changes]

    def last(self, native_id: str) -> Change | None:
        """Return the newest look at a record."""
        return next((one for one in reversed(self.changes) if one.id == native_id), None)

    def shows(self, native_id: str, path: str, value: Any) -> bool:
        """Return whether the newest look at a record has that value."""
        last = self.last(native_id)
        return last is not None and last.item is not None and last.item.get(path) == value

    def person(self, number: int = 1, **other: Any) -> str:
        """Make a contact, as a person does."""
        values = {"LastName": f"Name {number}", "ERP_Number__c": f"E-{number}"}
        return self.salesforce.org.create("Contact", values | other)


@asynccontextmanager
async def following(
    *, watch: dict[str, Any] | None = None, feed: dict[str, Any] | None = None, **other: Any
) -> AsyncIterator[Followed]:
    """Yield an organisation with its bus and a connector that is not following yet; ``turned`` turns the bus."""
    turned = {"keepalive": 0.2} | other.pop("turned", {})
    salesforce = organisation()
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(serving(salesforce))
        bus = await stack.enter_async_context(on_air(salesforce, **turned))
        channel = {"channel": CONTACTS, "address": bus.address} | (feed or {})
        options = {"change_feed": channel} | (watch or {})
        connector = await stack.enter_async_context(connected(salesforce, watch=options, **other))
        found = Followed(salesforce, bus, connector)
        try:
            yield found
        finally:
            await found.stop()
