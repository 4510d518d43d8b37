"""The Salesforce connector keeps the contract: one record to a request, many to one, and by ingest jobs."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp.test_utils import TestServer

from syncd.connectors.salesforce import KIND, ingest
from syncd.core.model import Item, Op, Receipt, Write
from tests.connectors.contract import Contract, World
from tests.connectors.salesforce_world import PATHS, THINGS, acme, organisation, setup_at
from tests.emulators.salesforce.server import Salesforce, serving


class SalesforceWorld(World):
    """An organisation with the contract's things."""

    def __init__(self, salesforce: Salesforce, server: TestServer, collection: dict[str, Any], **other: Any) -> None:
        self.salesforce = salesforce
        self.server = server
        super().__init__(KIND, setup_at(salesforce.url, collection=collection, fields=PATHS, keys=("sku",), **other))

    async def put(self, item: Item, native_id: str | None = None) -> str:
        if native_id is None:
            return self.salesforce.org.create("Thing", item)
        self.salesforce.org.update("Thing", native_id, item)
        return native_id

    async def remove(self, native_id: str) -> None:
        self.salesforce.org.delete("Thing", native_id)

    async def held(self, native_id: str) -> Item | None:
        return self.salesforce.org.held_row("Thing", native_id)

    async def writes(self) -> int:
        return self.salesforce.writes

    async def down(self) -> None:
        await self.server.close()


async def entered(collection: dict[str, Any] | None = None, **other: Any) -> AsyncIterator[World]:
    """Yield a world whose collection is as usual but for what differs."""
    salesforce = organisation()
    salesforce.data.page = 3
    async with serving(salesforce) as server:
        made = SalesforceWorld(salesforce, server, THINGS | (collection or {}), **other)
        async with made.connector:
            yield made


class TestAlone(Contract):
    """Pages of a query, one record to a write, guarded by field and time."""

    @pytest.fixture
    async def world(self) -> AsyncIterator[World]:
        async for made in entered(watch={"poll": {"every": "1m"}}):
            yield made


class TestTogether(Contract):
    """A query job of the Bulk API, many records to a write, whole seconds only, edit times from the history."""

    @pytest.fixture
    async def world(self) -> AsyncIterator[World]:
        async for made in entered({"full_read": "bulk", "field_times": "history"}, write={"batch": 50}):
            assert isinstance(made, SalesforceWorld)
            made.salesforce.data.whole_seconds = True
            yield made


class TestByJobs(Contract):
    """Every write by an ingest job of the Bulk API, results in another order."""

    @pytest.fixture
    async def world(self, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[World]:
        monkeypatch.setattr(ingest, "FIRST", 0.01)
        async for made in entered({"bulk_writes": 1}, write={"batch": 50}):
            assert isinstance(made, SalesforceWorld)
            made.salesforce.data.bulk.mixed = True
            yield made
            jobs = [job["operation"] for job in made.salesforce.data.bulk.jobs.values()]
            assert made.salesforce.writes <= len(jobs), "nothing was written but by a job"


async def test_looks_after_writes_are_signed_as_it_is_declared() -> None:
    """So nobody is warned that what became of a write must be guessed (W244)."""
    async with acme() as (salesforce, connector):
        one = salesforce.org.create("Contact", {"LastName": "Before"})
        write = Write(Op.UPDATE, "salesforce", "contacts", 1, one, values={"LastName": "After"}, key="k1")
        [done] = await connector.apply([write])
        setup = connector.setup
        able = KIND.abilities(setup.connection, setup.collections["contacts"].options, setup.watch, setup.write)
        assert isinstance(done, Receipt)
        assert done.look is not None
        assert (able.answers, able.signs, done.look.own) == (False, True, "k1")
