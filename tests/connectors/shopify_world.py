"""A shop as the contract wants one: its products, or their variants, as things with the paths sku, name, price and stock.

The contract's own paths are translated on the way in and out; nothing else is changed.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any, Self

from aiohttp.test_utils import TestServer

from syncd.connectors.body import pick
from syncd.connectors.protocol import Batch, Connector, Delivery, Page, Rights, Setup
from syncd.connectors.shopify import KIND
from syncd.core.model import Change, Item, Native, Op, Receipt, Write
from syncd.errors import ConnectorError
from tests.connectors.contract import World, setup_for
from tests.connectors.shop import serving
from tests.emulators.shopify.control import Hand
from tests.emulators.shopify.reads import available
from tests.emulators.shopify.schema import needed
from tests.emulators.shopify.server import Emulator

PRODUCT = {
    "sku": "variants.0.sku",
    "name": "descriptionHtml",
    "price": "variants.0.price",
    "stock": "variants.0.inventoryQuantity",
}
VARIANT = {"sku": "sku", "name": "barcode", "price": "price", "stock": "inventoryQuantity"}
MOST = 1_000_000_000  # of a thing that the shop counts


class Translated:
    """A connector whose paths have other names."""

    def __init__(self, inner: Connector, paths: Mapping[str, str]) -> None:
        self.inner = inner
        self._paths = paths

    @property
    def clock(self) -> tuple[int, int]:
        return self.inner.clock

    async def __aenter__(self) -> Self:
        await self.inner.__aenter__()
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.inner.__aexit__(*exc)

    async def changes(self, collection: str, cursor: str | None) -> AsyncIterator[Batch]:
        async for batch in self.inner.changes(collection, cursor):
            yield replace(batch, changes=[self._seen(change) for change in batch.changes])

    async def scan(self, collection: str) -> AsyncIterator[Page]:
        async for page in self.inner.scan(collection):
            yield replace(page, changes=[self._seen(change) for change in page.changes])

    async def hook(self, collection: str | None, delivery: Delivery) -> Batch:
        return await self.inner.hook(collection, delivery)

    async def read(self, collection: str, ids: Sequence[str]) -> list[Change]:
        return [self._seen(change) for change in await self.inner.read(collection, ids)]

    async def find(self, collection: str, path: str, value: Native) -> list[Change]:
        return [self._seen(change) for change in await self.inner.find(collection, self._paths[path], value)]

    async def rights(self, collection: str) -> Rights:
        return await self.inner.rights(collection)

    async def apply(self, writes: Sequence[Write]) -> list[Receipt | ConnectorError]:
        outcomes = await self.inner.apply([self._sent(write) for write in writes])
        return [
            replace(one, look=self._seen(one.look)) if isinstance(one, Receipt) and one.look is not None else one
            for one in outcomes
        ]

    def _seen(self, change: Change) -> Change:
        if change.item is None:
            return change
        return replace(change, item={name: pick(change.item, path) for name, path in self._paths.items()})

    def _sent(self, write: Write) -> Write:
        values, before = ({self._paths[name]: value for name, value in given.items()} for given in (write.values, write.before))
        if write.op is Op.CREATE:
            values["title"] = "A thing"
        return replace(write, values=values, before=before, item=None)


class ShopWorld(World):
    """A shop whose products, or variants, are the things."""

    def __init__(self, emulator: Emulator, server: TestServer, *, object: str = "Product", **other: Any) -> None:  # noqa: A002 - as in the config
        self.emulator = emulator
        self.server = server
        self.hand = Hand(emulator)
        self.object = object
        paths = PRODUCT if object == "Product" else VARIANT
        options = {"object": object, "id": "id", "changed_at": "updatedAt", "location": emulator.shop.location["id"]}
        setup = made(server, {"things": options | other}, fields=tuple(paths.values()), keys=(paths["sku"],))
        super().__init__(KIND, setup)
        self.connector = Translated(self.connector, paths)

    def item(self, sku: str, **other: Any) -> Item:
        found = super().item(sku, **other)
        price, name = abs(found["price"]), found["name"]  # nothing costs less than nothing
        return found | {"price": f"{price:.2f}", "stock": min(found["stock"], MOST), "name": "" if name is None else name}

    async def put(self, item: Item, native_id: str | None = None) -> str:
        if native_id is None:
            product = self.object == "Product"
            variant = {"sku": item["sku"], "price": item["price"], "stock": item["stock"]}
            more = {"descriptionHtml": item["name"]} if product else {}
            one = self.hand.product(
                title="A thing", variants=[variant | ({} if product else {"barcode": item["name"]})], **more
            )
            return one if product else str(self._variant(one)["id"])
        node = self.emulator.shop.get(native_id)
        assert node is not None
        if "name" in item:
            self.hand.edit(native_id, **{"descriptionHtml" if self.object == "Product" else "barcode": item["name"]})
        return native_id

    async def remove(self, native_id: str) -> None:
        node = self.emulator.shop.get(native_id)
        assert node is not None
        self.hand.remove(native_id if self.object == "Product" else node["_product"]["id"])

    async def held(self, native_id: str) -> Item | None:
        node = self.emulator.shop.get(native_id)
        if node is None:
            return None
        variant = self._variant(native_id)
        name = node["descriptionHtml"] if self.object == "Product" else node["barcode"]
        item = variant["_item"]
        return {"sku": item["sku"], "name": name, "price": variant["price"], "stock": available(item)}

    async def writes(self) -> int:
        return self.emulator.writes

    async def down(self) -> None:
        await self.server.close()

    def _variant(self, native_id: str) -> dict[str, Any]:
        node = self.emulator.shop.get(native_id)
        assert node is not None
        found: dict[str, Any] = node if node["__typename"] == "ProductVariant" else node["_variants"][0]
        return found


def made(server: TestServer, collections: Mapping[str, Mapping[str, Any]], **other: Any) -> Setup:
    """Return a setup of the shop behind a server. ``connection`` is added to what names the shop."""
    connection = {"shop": f"127.0.0.1:{server.port}", "timeout": "5s"} | dict(other.pop("connection", {}))
    if not {"token", "oauth"} & set(connection):
        connection["token"] = "shpat_test"
    return setup_for(KIND, connection=connection, collections=collections, **other)


@dataclass
class ServedShop:
    """A shop that is served, and the hand of somebody else in it."""

    emulator: Emulator
    server: TestServer
    hand: Hand

    @property
    def place(self) -> str:
        """Return the location that every shop has."""
        return str(self.emulator.shop.location["id"])

    def connected(self, object: str = "Product", *fields: str, **other: Any) -> Connector:  # noqa: A002 - as in the config
        """Return a connector, not entered, to one collection, "things". ``options``: of the collection; else as ``made``."""
        timed = {"changed_at": "updatedAt"} | dict(other.pop("options", {}))
        return KIND.connect(made(self.server, {"things": {"object": object, "id": "id"} | timed}, fields=fields, **other))

    def sent(self) -> list[str]:
        """Return the root fields of the mutations that asked for a change."""
        return [root for request in self.emulator.requests if request.changing for root in request.roots]


@asynccontextmanager
async def served_shop() -> AsyncIterator[ServedShop]:
    """Yield a served shop."""
    needed()
    emulator = Emulator()
    async with serving(emulator.app()) as server:
        yield ServedShop(emulator, server, Hand(emulator))


async def all_of(connector: Connector) -> list[Change]:
    """Return everything that a complete scan shows."""
    pages = [page async for page in connector.scan("things")]
    assert pages[-1].last
    assert pages[-1].complete, pages[-1].why
    assert not [one for page in pages for one in page.broken]
    return [change for page in pages for change in page.changes]


async def news(connector: Connector, cursor: str | None) -> tuple[list[Change], str | None]:
    """Return what changed since a cursor, and the next one."""
    found: list[Change] = []
    async for batch in connector.changes("things", cursor):
        found += batch.changes
        cursor = batch.cursor if batch.cursor is not None else cursor
    return found, cursor


async def planned(
    connector: Connector, one: str, *, op: Op = Op.UPDATE, key: str = "k", adjust: bool = False, **values: Any
) -> Write:
    """Return a write as the daemon plans it, from a fresh read; ``values`` by path with ``__`` for a dot."""
    [look] = await connector.read("things", [one])
    given = {path.replace("__", "."): value for path, value in values.items()}
    before = {path: pick(look.item, path) for path in given}
    more = {path: str(value) for path, value in given.items()} if adjust else {}
    at = {path: path for path in more}
    return Write(op, "there", "things", 1, one, values=given, before=before, item=look.item, key=key, adjust=more, adjust_at=at)


async def applied(connector: Connector, write: Write) -> Receipt | ConnectorError:
    """Return the outcome of one write."""
    [outcome] = await connector.apply([write])
    return outcome


@asynccontextmanager
async def shop_world(**other: Any) -> AsyncIterator[ShopWorld]:
    """Yield the world of a shop, its connector entered."""
    needed()
    emulator = Emulator()
    async with serving(emulator.app()) as server:
        world = ShopWorld(emulator, server, **other)
        async with world.connector:
            yield world
