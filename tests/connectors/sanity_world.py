"""The emulated Sanity as a world of the contract: things are products, whoever edits them is a person in the Studio."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from aiohttp.test_utils import TestServer

from syncd.connectors.protocol import Setup
from syncd.connectors.sanity import KIND
from syncd.core.model import Item
from tests.connectors.contract import World, setup_for
from tests.emulators.sanity import DATASET, PROJECT, Lake, serving

FIELDS = ("sku", "name", "price", "stock")
COLLECTION: dict[str, Any] = {"type": "product", "version": "_rev", "page": 3}


def setup_at(server: TestServer, **more: Any) -> Setup:
    """Return a setup for a server; ``connection``, ``collection`` and all of ``setup_for`` may be told otherwise."""
    connection = {"project": PROJECT, "dataset": DATASET, "token": "editor-token", "base_url": str(server.make_url("/"))}
    connection |= {"timeout": "5s"} | more.pop("connection", {})
    collections = more.pop("collections", None) or {"things": COLLECTION | more.pop("collection", {})}
    told = {"fields": FIELDS, "keys": ("sku",), "platform": "sanity"} | more
    return setup_for(KIND, connection=connection, collections=collections, **told)


class SanityWorld(World):
    """Products in the Content Lake."""

    def __init__(self, lake: Lake, server: TestServer, setup: Setup, *, streams: bool = False) -> None:
        self.lake = lake
        self.server = server
        self.streams = streams
        super().__init__(KIND, setup)

    async def put(self, item: Item, native_id: str | None = None) -> str:
        if native_id is None:
            return await self.lake.put({"_type": "product", **item})
        await self.lake.patch(native_id, set=dict(item))
        return native_id

    async def remove(self, native_id: str) -> None:
        await self.lake.remove(native_id)

    async def held(self, native_id: str) -> Item | None:
        return self.lake.documents.get(native_id)

    async def writes(self) -> int:
        return self.lake.writes

    async def down(self) -> None:
        for listener in list(self.lake.listeners):
            listener.queue.put_nowait(None)
        await self.server.close()


@asynccontextmanager
async def world_of(lake: Lake | None = None, *, streams: bool = False, **more: Any) -> AsyncIterator[SanityWorld]:
    """Yield an entered world."""
    lake = lake or Lake()
    async with serving(lake) as server:
        watch: Mapping[str, Any] = more.pop("watch", {"stream": {}} if streams else {})
        made = SanityWorld(lake, server, setup_at(server, watch=watch, **more), streams=streams)
        async with made.connector:
            yield made
