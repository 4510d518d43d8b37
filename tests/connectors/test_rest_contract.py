"""The rest connector keeps the contract, in each of the ways a JSON API may be built."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp.test_utils import TestServer

from syncd.connectors.rest import KIND
from syncd.core.model import Item
from tests.connectors.contract import Contract, World, setup_for
from tests.connectors.shop import Shop, serving

PRODUCTS: dict[str, Any] = {
    "list": "GET /products?page={page}&per_page={size}",
    "changed": "GET /products?updated_since={since}&page={page}&per_page={size}",
    "pages": {"by": "page", "size": 3, "total": "meta.total"},
    "items": "data",
    "read": "GET /products/{id}",
    "find": "GET /products?sku={sku}",
    "create": "POST /products",
    "update": "PATCH /products/{id}",
    "delete": "DELETE /products/{id}",
    "id": "id",
    "changed_at": "updated_at",
    "version": "etag",
    "idempotency": "Idempotency-Key",
}


class RestWorld(World):
    """A shop with a JSON API."""

    def __init__(self, shop: Shop, server: TestServer, collection: dict[str, Any]) -> None:
        self.shop = shop
        self.server = server
        connection = {"base_url": str(server.make_url("/")), "timeout": "5s"}
        setup = setup_for(KIND, connection=connection, collections={"things": collection}, keys=("sku",))
        super().__init__(KIND, setup)

    async def put(self, item: Item, native_id: str | None = None) -> str:
        return self.shop.put(item, native_id)

    async def remove(self, native_id: str) -> None:
        del self.shop.things[native_id]

    async def held(self, native_id: str) -> Item | None:
        return self.shop.things.get(native_id)

    async def writes(self) -> int:
        return self.shop.writes

    async def down(self) -> None:
        await self.server.close()


async def entered(shop: Shop, **other: Any) -> AsyncIterator[World]:
    """Yield a world of that shop, its collection as above but for what differs."""
    async with serving(shop.app()) as server:
        collection = {name: value for name, value in (PRODUCTS | other).items() if value is not None}
        made = RestWorld(shop, server, collection)
        async with made.connector:
            yield made


class TestByEtag(Contract):
    """Versions by ETag, PATCH, bodies in the answers."""

    @pytest.fixture
    async def world(self) -> AsyncIterator[World]:
        async for made in entered(Shop()):
            yield made


class TestByField(Contract):
    """Versions in a field that is sent back, PUT of the whole thing."""

    @pytest.fixture
    async def world(self) -> AsyncIterator[World]:
        update = "PUT /products/{id}"
        async for made in entered(Shop(field_version=True), version={"field": "rev"}, update=update):
            yield made


class TestSilent(Contract):
    """Answers without a body, no versions, no keys, no feed but the list, which is not counted."""

    @pytest.fixture
    async def world(self) -> AsyncIterator[World]:
        nothing = dict.fromkeys(("version", "idempotency", "changed", "changed_at"))
        pages = {"by": "page", "size": 3}
        async for made in entered(Shop(silent=True), answers=False, pages=pages, **nothing):
            yield made


class TestByCursor(Contract):
    """Pages by a cursor that the answer names."""

    @pytest.fixture
    async def world(self) -> AsyncIterator[World]:
        urls = {
            "list": "GET /products?page={cursor}&per_page={size}",
            "changed": "GET /products?updated_since={since}&page={cursor}&per_page={size}",
        }
        pages = {"by": "cursor", "next": "meta.next", "size": 2}
        async for made in entered(Shop(), pages=pages, **urls):
            yield made
