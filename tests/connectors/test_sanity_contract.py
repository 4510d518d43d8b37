"""The sanity connector keeps the contract, on an emulator whose queries run in the vendor's own evaluator."""

from collections.abc import AsyncIterator

import pytest

from tests.connectors.contract import Contract, World
from tests.connectors.sanity_world import world_of
from tests.emulators.sanity import Lake


class TestByDate(Contract):
    """Changes by a query by date; revisions guard."""

    @pytest.fixture
    async def world(self) -> AsyncIterator[World]:
        async with world_of() as made:
            yield made


class TestByStream(Contract):
    """Changes by a stream; drafts are written along."""

    @pytest.fixture
    async def world(self) -> AsyncIterator[World]:
        async with world_of(Lake(precise=True), streams=True, write={"drafts": "always"}) as made:
            yield made


class TestUnguarded(Contract):
    """No revisions, and a filter: what a write made is read back."""

    @pytest.fixture
    async def world(self) -> AsyncIterator[World]:
        collection = {"version": None, "filter": 'sku != "X" // nothing', "deleted": None}
        async with world_of(collection=collection, write={"guard": "none"}) as made:
            yield made
