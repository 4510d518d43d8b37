"""The platform in memory: the model citizen of the contract."""

from collections.abc import AsyncIterator

import pytest

from syncd.connectors.memory import Memory, MemoryKind
from syncd.core.model import Item
from tests.connectors.contract import Contract, World, setup_for


class MemoryWorld(World):
    """A platform in this process."""

    def __init__(self) -> None:
        kind = MemoryKind()
        super().__init__(kind, setup_for(kind, collections={"things": {"id": "id"}}, keys=("sku",)))
        assert isinstance(self.connector, Memory)
        self.platform = self.connector.platform

    async def put(self, item: Item, native_id: str | None = None) -> str:
        one = native_id or self.platform.new_id()
        old = await self.held(one) or {"id": one}
        self.platform.put(self.collection, one, old | item)
        return one

    async def remove(self, native_id: str) -> None:
        self.platform.remove(self.collection, native_id)

    async def held(self, native_id: str) -> Item | None:
        thing = self.platform.things.get(self.collection, {}).get(native_id)
        return thing.item if thing else None

    async def writes(self) -> int:
        return len(self.platform.requests)

    async def down(self) -> None:
        self.platform.down = True


@pytest.fixture
async def world() -> AsyncIterator[World]:
    made = MemoryWorld()
    async with made.connector:
        yield made


class TestContract(Contract):
    """All promises."""
