"""Worlds of the odata connector on SAP's own server program."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any

from syncd.connectors.odata import KIND
from syncd.connectors.protocol import Connector
from syncd.core.model import Item
from tests.connectors.contract import World, setup_for
from tests.emulators.cap import Cap

THING: dict[str, Any] = {"path": "Thing", "id": "id", "changed_at": "changedAt", "version": "etag", "page": 3}
PATHS = ("sku", "name", "price", "stock")


def fresh(server: Cap) -> Cap:
    """Empty the server: no rows, no faults, nothing counted, up again."""
    server.call("up")
    server.call("reset")
    return server


@asynccontextmanager
async def connected(
    cap: Cap, protocol: str, collection: dict[str, Any], *, connection: dict[str, Any] | None = None, **options: Any
) -> AsyncIterator[Connector]:
    """Yield an entered connector to one entity set, called "things", on a server as it is."""
    base = {"base_url": cap.url(protocol), "protocol": protocol, "timeout": "5s"} | (connection or {})
    async with KIND.connect(setup_for(KIND, connection=base, collections={"things": collection}, **options)) as made:
        yield made


class CapWorld(World):
    """Things on SAP's server, by V4 or V2."""

    def __init__(self, cap: Cap, protocol: str, *, entity: dict[str, Any] | None = None, **options: Any) -> None:
        self.cap = cap
        base = {"base_url": cap.url(protocol), "protocol": protocol, "timeout": "5s"}
        given = {"connection": base | options.pop("connection", {}), "fields": PATHS, "keys": ("sku",)} | options
        collection = {name: value for name, value in (THING | (entity or {})).items() if value is not None}
        super().__init__(KIND, setup_for(KIND, collections={self.collection: collection}, **given))

    async def put(self, item: Item, native_id: str | None = None) -> str:
        row = item if native_id is None else {"id": int(native_id)} | item
        return str((await self.cap.put(row))["id"])

    async def remove(self, native_id: str) -> None:
        await self.cap.ask("drop", entity="Thing", key={"id": int(native_id)})

    async def held(self, native_id: str) -> Item | None:
        row = await self.cap.held({"id": int(native_id)})
        return row and row | {name: Decimal(row[name]) for name in ("price", "weight") if row[name] is not None}

    async def writes(self) -> int:
        return await self.cap.writes()

    async def down(self) -> None:
        await self.cap.ask("down")


@asynccontextmanager
async def entered(cap: Cap, protocol: str, **options: Any) -> AsyncIterator[CapWorld]:
    """Yield a world on an emptied server, its connector entered."""
    made = CapWorld(fresh(cap), protocol, **options)
    async with made.connector:
        yield made
