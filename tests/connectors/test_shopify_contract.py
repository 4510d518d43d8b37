"""The shopify connector keeps the contract: products, their variants, and products that are read by bulk operation."""

from collections.abc import AsyncIterator

import pytest

from tests.connectors.contract import Contract, World
from tests.connectors.shopify_world import shop_world


class TestProducts(Contract):
    """Products with one variant; the stock is that at a location."""

    @pytest.fixture
    async def world(self) -> AsyncIterator[World]:
        async with shop_world() as made:
            yield made


class TestVariants(Contract):
    """Variants, which the shop neither makes nor deletes by themselves, and does not list by time."""

    @pytest.fixture
    async def world(self) -> AsyncIterator[World]:
        async with shop_world(object="ProductVariant") as made:
            yield made


class TestBulk(Contract):
    """Products whose full read is a bulk operation."""

    @pytest.fixture
    async def world(self) -> AsyncIterator[World]:
        async with shop_world(full_read="bulk") as made:
            made.emulator.bulk_seconds = 0
            yield made
