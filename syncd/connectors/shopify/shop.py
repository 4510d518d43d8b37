"""A shop, connected: lists, reads and look-ups by the mapped paths, webhooks as hints, one request a write."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from functools import partial
from typing import Self

from syncd.connectors.body import pick
from syncd.connectors.outcomes import outcomes
from syncd.connectors.protocol import Batch, Broken, Delivery, Page, Rights, Setup
from syncd.connectors.relay import Relay
from syncd.connectors.shopify import rights
from syncd.connectors.shopify.api import Api
from syncd.connectors.shopify.bulk import BulkRead
from syncd.connectors.shopify.documents import LOCATIONS, term, unique
from syncd.connectors.shopify.feed import Feed
from syncd.connectors.shopify.hooks import heard
from syncd.connectors.shopify.listing import Asked, Reader
from syncd.connectors.shopify.objects import gid
from syncd.connectors.shopify.place import Place, place_of, same
from syncd.connectors.shopify.selection import Selection
from syncd.connectors.shopify.writing import Writer
from syncd.core.model import SECOND, Change, Native, Receipt, Via, Write
from syncd.errors import ConnectorError, PermanentError, TransientError

OVERLAP = 300 * SECOND  # microseconds: what the shop searches in lags behind
PAGE = 100


class ShopifyShop:
    """One shop."""

    def __init__(self, setup: Setup) -> None:
        self.setup = setup
        self.api = Api(setup)
        self.places = {name: place_of(setup, one) for name, one in setup.collections.items()}
        self._readers: dict[str, Reader] = {}
        self._writing = asyncio.Semaphore(setup.limits.concurrency)
        self._asking = asyncio.Lock()
        self._locations: list[str] | None = None
        self._registered = False

    @property
    def clock(self) -> tuple[int, int]:
        """Return how far the shop's clock is from ours, by its Date headers."""
        return self.api.http.clock

    async def __aenter__(self) -> Self:
        """Open nothing until something is asked."""
        await self.api.http.__aenter__()
        return self

    async def __aexit__(self, *exc: object) -> None:
        """Close all connections."""
        await self.api.http.__aexit__(*exc)

    async def changes(self, collection: str, cursor: str | None) -> AsyncIterator[Batch]:
        """Yield what changed since the cursor, and see to the webhooks where the config says so."""
        await self._register()
        feed = await self._feed(collection)
        async for batch in feed.changes(cursor):
            yield batch

    async def scan(self, collection: str) -> AsyncIterator[Page]:
        """Yield every thing, in pages or by a bulk operation."""
        place = self.places[collection]
        if place.options.full_read == "bulk":
            async for page in BulkRead(self.api, self.setup, self.reader(collection)).pages(place.options.query):
                yield page
            return
        feed = await self._feed(collection)
        async for page in feed.scan():
            yield page

    async def hook(self, collection: str | None, delivery: Delivery) -> Batch:
        """Return what a verified webhook says: hints, which thing to read."""
        webhook = self.setup.watch.webhook
        if webhook is None:
            raise PermanentError("no webhook is expected")
        shapes = {name: place.shape for name, place in self.places.items()}
        objects = {name: place.kind.name for name, place in self.places.items()}
        return heard(webhook, shapes, objects, delivery, shop=self.setup.connection.shop)

    async def read(self, collection: str, ids: Sequence[str]) -> list[Change]:
        """Read by id, many at once; an id that is none of this object's is gone."""
        place, reader = self.places[collection], self.reader(collection)
        wanted = {one: known for one in ids if (known := gid(place.kind.name, one))}
        found: dict[str, Change] = {}
        given = list(wanted)
        while given:
            part, given = given[: reader.at_once], given[reader.at_once :]
            nodes, answered = await reader.read([wanted[one] for one in part])
            for native, node in zip(part, nodes, strict=True):
                found[native] = await reader.one(native, node, answered)
        return [found[one] if one in found else self._no_id(place, one) for one in ids]

    async def find(self, collection: str, path: str, value: Native) -> list[Change]:
        """Find by what names a thing at once, else by the shop's search, which lags; what is not exactly equal is left out.

        Raises PermanentError for a path that the shop cannot be searched by.
        """
        place, reader = self.places[collection], self.reader(collection)
        identifier = place.identifier(path, value)
        if identifier is not None:
            return await self._find_one(place, reader, path, value, identifier)
        name = place.search(path)
        if name is None:
            text = f"take one of {place.searchable}, or name the shop's term for it by search:"
            raise PermanentError(f"{collection}: the shop cannot be searched by {path}: {text}")
        found: list[Change] = []
        for location in await self._stocked(place):
            async for leaf in reader.leaves(Asked(term(name, str(value)), location=location, few=True)):
                why = leaf.why or next((one.reason for one in leaf.broken), "")
                if why:
                    raise TransientError(f"{collection}: a look-up is no proof: {why}", about_record=True)
                found += [change for change in leaf.changes if same(pick(change.item, path), value)]
        return found

    async def rights(self, collection: str) -> Rights:
        """Return what the app's scopes let us do, and which topics nobody sends."""
        webhook = self.setup.watch.webhook
        objects = [place.kind.name for place in self.places.values()]
        unheard = await rights.unheard_of(self.api, webhook, objects) if webhook is not None else []
        has = await rights.scopes_of(self.api)
        return rights.rights_of(self.setup.collections[collection], self.setup.collections, has, unheard)

    async def apply(self, writes: Sequence[Write]) -> list[Receipt | ConnectorError]:
        """Send each write once, several at a time; once the platform itself fails, the rest is not sent."""
        return await outcomes(writes, self._apply, self._writing)

    def reader(self, collection: str) -> Reader:
        """Return who reads a collection; raises PermanentError if one of its paths leads nowhere."""
        if collection not in self._readers:
            place = self.places[collection]
            selection = Selection(place.kind.name, place.paths, location=place.options.place)
            most = self.setup.connection.max_cost
            self._readers[collection] = Reader(self.api, place.kind, selection, place.shape, max_cost=most)
        return self._readers[collection]

    async def locations(self) -> list[str]:
        """Return the shop's locations, asked for once."""
        async with self._asking:
            if self._locations is None:
                self._locations = [identity async for identity in self._located()]
            return self._locations

    async def _located(self) -> AsyncIterator[str]:
        async for leaf in Relay(self.api, LOCATIONS, {}, at="locations", size=PAGE).leaves():
            if leaf.why:
                raise TransientError(f"locations: {leaf.why}", about_record=True)
            for one in leaf.elements:
                yield str(pick(one, "id"))

    async def _apply(self, write: Write) -> Receipt:
        name = write.collection
        writer = Writer(
            self.places[name],
            self.reader(name),
            guarded=self.setup.write.guard != "none",
            find=partial(self.find, name),
            locations=self.locations,
        )
        return await writer.apply(write)

    async def _find_one(
        self, place: Place, reader: Reader, path: str, value: Native, identifier: dict[str, Native]
    ) -> list[Change]:
        document, at = unique(place.kind, reader.selection)
        answered = await self.api.read(document, {"identifier": identifier}, cost=reader.selection.cost)
        node = answered.data.get(at)
        if node is None:
            return []
        change = await reader.observed(node, answered)
        if isinstance(change, Broken):
            raise TransientError(f"{place.collection.name}: a look-up is no proof: {change.reason}", about_record=True)
        return [change] if same(pick(change.item, path), value) else []

    async def _feed(self, collection: str) -> Feed:
        place = self.places[collection]
        poll = self.setup.watch.poll
        return Feed(
            self.reader(collection),
            scope=place.options.query,
            overlap=poll.overlap if poll else OVERLAP,
            timed=place.options.changed_at is not None,
            places=await self._stocked(place),
        )

    async def _stocked(self, place: Place) -> Sequence[str | None]:
        """Return the locations to go through, for what is listed by location."""
        if place.kind.name != "InventoryLevel":
            return (None,)
        return [place.options.place] if place.options.place else await self.locations()

    async def _register(self) -> None:
        """Subscribe to the topics that nobody sends yet, once, where the config says so."""
        webhook = self.setup.watch.webhook
        if self._registered or webhook is None or not webhook.register_:
            return
        objects = [place.kind.name for place in self.places.values()]
        for topic in await rights.unheard_of(self.api, webhook, objects):
            await rights.subscribe(self.api, webhook, topic)
        self._registered = True

    def _no_id(self, place: Place, native: str) -> Change:
        now = self.setup.now()
        return Change(place.shape.platform, place.shape.collection, native, Via.READ, self.setup.number(), now, gone=True)
