"""Any JSON API, by config alone: requests are templates, things are found by dotted paths, webhooks push.

One write is one request. What its answer shows is believed only if it shows what was written; otherwise the thing is read.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Any, Self
from urllib.parse import unquote
from zoneinfo import ZoneInfo

from pydantic import BaseModel

from syncd.connectors.body import pick
from syncd.connectors.contents import parted, shows_all
from syncd.connectors.http import Http, HttpConnection, Reply, refuse, together
from syncd.connectors.outcomes import outcomes
from syncd.connectors.pages import Leaf, Walk
from syncd.connectors.protocol import Batch, Broken, Connector, Delivery, Page, Rights, Setup
from syncd.connectors.rest_options import LIST_NAMES, RestCollection, RestVersion, RestWatch, abilities_of, is_guarded
from syncd.connectors.rest_write import address, body_of, headers_of, request_of, verdict
from syncd.connectors.shape import Seen, Shape
from syncd.connectors.signature import Proof, Webhook
from syncd.connectors.since import ask_from, latest, moment_text, their_now, time_of
from syncd.connectors.template import Template, text_of
from syncd.connectors.times import parse_time
from syncd.connectors.webhook import read_event
from syncd.core.model import Abilities, Answer, Change, Native, Op, Receipt, Via, Write
from syncd.errors import ConnectorError, PermanentError, TransientError

NOTHING = object()


class Rest:
    """One platform with a JSON API, connected."""

    def __init__(self, setup: Setup) -> None:
        self.setup = setup
        self.http = Http(setup)
        self.hook_options: Webhook | None = setup.watch.webhook
        self._verifier: Proof | None = None
        self._writing = asyncio.Semaphore(setup.limits.concurrency)
        self._shapes = {name: _shape(setup, name) for name in setup.collections}

    @property
    def clock(self) -> tuple[int, int]:
        """Return how far the platform's clock is from ours, by its Date headers."""
        return self.http.clock

    async def __aenter__(self) -> Self:
        """Open nothing until something is asked."""
        await self.http.__aenter__()
        return self

    async def __aexit__(self, *exc: object) -> None:
        """Close all connections."""
        await self.http.__aexit__(*exc)

    async def changes(self, collection: str, cursor: str | None) -> AsyncIterator[Batch]:
        """Yield what changed since the cursor.

        The last batch has the next one: the highest time seen, but none after the list was begun, in their own time.
        """
        options = self._options(collection)
        template = options.changed if options.changed and (cursor or not options.list) else options.list
        if template is None:
            return
        values = {"since": ask_from(cursor, self.setup.watch.poll, options.since)}
        times = [parse_time(cursor) if cursor else None]
        poll, zone = self.setup.watch.poll, self._shapes[collection].zone
        begun: int | None = None
        async for leaf in self._walk(options, template, values).leaves():
            changes, broken = self._read_leaf(collection, leaf)
            begun = their_now(leaf.reply) if begun is None else begun
            times = [latest(times + [time_of(change, poll, zone) for change in changes], before=their_now(leaf.reply))]
            newest = times[0] if times[0] is None or begun is None else min(times[0], begun)
            new = moment_text(newest) if newest is not None and leaf.complete else None
            if changes or broken or (new and new != cursor):
                yield Batch(changes, cursor=new, broken=broken)
            if leaf.why:
                raise TransientError(f"{collection}: {leaf.why}")

    async def scan(self, collection: str) -> AsyncIterator[Page]:
        """Yield every thing of the list; complete as ``pages`` says."""
        options = self._options(collection)
        if options.list is None:
            raise PermanentError(f"{collection}: no list to scan")
        walk = self._walk(options, options.list, {"since": ask_from(None, self.setup.watch.poll, options.since)})
        async for leaf in walk.leaves():
            changes, broken = self._read_leaf(collection, leaf)
            yield Page(changes, broken, leaf.last, leaf.complete, leaf.why)

    def verify(self, delivery: Delivery) -> str | None:
        """Return why a webhook is not to be believed, or None; raises TransientError if a secret is missing."""
        if self.hook_options is None:
            return "no webhook is expected"
        if self._verifier is None:
            self._verifier = self.hook_options.verifier(self.setup.secret)
        return self._verifier.problem(delivery.body, delivery.headers, delivery.arrived_at)

    async def hook(self, collection: str | None, delivery: Delivery) -> Batch:
        """Return what a verified webhook says."""
        if self.hook_options is None:
            raise PermanentError("no webhook is expected")
        return read_event(self.hook_options, self._shapes, collection, delivery)

    async def read(self, collection: str, ids: Sequence[str]) -> list[Change]:
        """Read by id, several at once."""
        return await together([self._read(collection, one) for one in ids])

    async def find(self, collection: str, path: str, value: Native) -> list[Change]:
        """Ask by the template's own name for the path; what does not have exactly this value is left out."""
        options = self._options(collection)
        if options.find is None:
            raise PermanentError(f"{collection}: nothing to find by")
        name = self._name_of(options.find, collection, path)
        if name is None:
            raise PermanentError(f"{collection}: find has no place for {path}")
        walk = self._walk(options, options.find, {name: value}, single=True)
        found: list[Change] = []
        async for leaf in walk.leaves():
            changes, broken = self._read_leaf(collection, leaf)
            why = leaf.why or next((one.reason for one in broken), "")
            if why:
                raise TransientError(f"{collection}: a look-up is no proof: {why}", about_record=True)
            found += [change for change in changes if _same(pick(change.item, path, NOTHING), value)]
        return found

    async def rights(self, collection: str) -> Rights:
        """Return that nobody can say: only a write shows what may be written."""
        return Rights()

    async def apply(self, writes: Sequence[Write]) -> list[Receipt | ConnectorError]:
        """Send each write once, several at a time; once the platform itself fails, the rest is not sent."""
        return await outcomes(writes, self._apply, self._writing)

    async def _read(self, collection: str, native_id: str) -> Change:
        options, shape = self._options(collection), self._shapes[collection]
        if options.read is None:
            raise PermanentError(f"{collection}: nothing to read by id with")
        reply = await self.http.read(self.http.url(options.read.fill({"id": native_id})))
        if reply.status in {404, 410}:
            return shape.gone(native_id, _seen(reply))
        refuse(reply)
        parsed = reply.json()
        element = pick(parsed.value, options.item)
        found = shape.observe(element, parsed.flaw(element), _seen(reply), version=self._etag(options, reply))
        if isinstance(found, Broken):
            raise PermanentError(f"{found.where}: {found.reason}", status=reply.status)
        if found.id != native_id:
            raise PermanentError(f"{reply.place}: asked for {native_id}, got {found.id}", status=reply.status)
        return found

    async def _apply(self, write: Write) -> Receipt:
        options = self._options(write.collection)
        guarded = is_guarded(options, self.setup.write)
        template = request_of(options, write)
        url = self.http.url(address(template, options, write))
        body = body_of(template, options, write, guarded=guarded)
        headers = headers_of(options, write, guarded=guarded)
        reply = await self.http.write(template.method, url, body=body, headers=headers)
        if write.op is Op.CREATE and reply.status in {409, 422}:
            return await self._existing(write, reply)
        return verdict(reply, write) or await self._receipt(options, write, reply)

    async def _existing(self, write: Write, reply: Reply) -> Receipt:
        """Return what a refused create met; a refusal for another reason is raised with the platform's own words."""
        find = self._options(write.collection).find
        for path in self.setup.collections[write.collection].keys:
            value = write.values.get(path)
            if value is None or find is None or self._name_of(find, write.collection, path) is None:
                continue
            for look in await self.find(write.collection, path, value):
                return Receipt(Answer.EXISTS, look.id, look)
        if reply.status == 422:
            refuse(reply)
        return Receipt(Answer.EXISTS)

    async def _receipt(self, options: RestCollection, write: Write, reply: Reply) -> Receipt:
        shape = self._shapes[write.collection]
        etag = self._etag(options, reply)
        shown: Change | Broken | None = None
        if reply.body.strip():
            parsed = reply.json()
            element = pick(parsed.value, options.item)
            shown = shape.observe(element, parsed.flaw(element), _seen(reply), version=etag)
        native_id = write.id or (shown.id if shown else None) or _located(reply) or _id_sent(options, write)
        if isinstance(shown, Change) and options.answers and shown.id == native_id and shows_all(shown.item, write):
            return Receipt(Answer.DONE, native_id, shown, atomic=True, version=shown.version)
        version = shown.version if isinstance(shown, Change) else etag
        return Receipt(Answer.DONE, native_id, await self._read_back(write.collection, native_id), version=version)

    async def _read_back(self, collection: str, native_id: str | None) -> Change | None:
        if native_id is None or self._options(collection).read is None:
            return None
        try:
            return await self._read(collection, native_id)
        except ConnectorError:  # the write is done; what it made is seen later
            return None

    def _walk(self, options: RestCollection, template: Template, values: dict[str, Native], *, single: bool = False) -> Walk:
        return Walk(
            self.http,
            template,
            values,
            items=options.items,
            pages=options.pages,
            total=options.total,
            single=options.item if single else None,
        )

    def _read_leaf(self, collection: str, leaf: Leaf) -> tuple[list[Change], list[Broken]]:
        shape, seen = self._shapes[collection], _seen(leaf.reply)
        found = [shape.observe(element, leaf.parsed.flaw(element), seen) for element in leaf.elements]
        return parted(found)

    def _name_of(self, template: Template, collection: str, path: str) -> str | None:
        """Return the template's name for a path: the path, its last part, or the only name where there is only one key."""
        names = template.names - LIST_NAMES
        for name in (path, path.rpartition(".")[2]):
            if name in names:
                return name
        only = len(names) == 1 and self.setup.collections[collection].keys == (path,)
        return names.pop() if only else None

    def _etag(self, options: RestCollection, reply: Reply) -> str | None:
        return reply.headers.get("ETag") if options.version == "etag" else None

    def _options(self, collection: str) -> RestCollection:
        options: RestCollection = self.setup.collections[collection].options
        return options


class RestKind:
    """The kind ``rest``."""

    name = "rest"
    connection: type[BaseModel] = HttpConnection
    collection: type[BaseModel] = RestCollection
    watch: type[BaseModel] = RestWatch

    def abilities(self, connection: Any, collection: Any, watch: Any, write: Any) -> Abilities:
        """Return what the collection has requests for."""
        return abilities_of(collection, timeout=connection.timeout, guarded=is_guarded(collection, write))

    def connect(self, setup: Setup) -> Connector:
        """Return the connector."""
        return Rest(setup)


KIND = RestKind()


def _shape(setup: Setup, name: str) -> Shape:
    options: RestCollection = setup.collections[name].options
    version = options.version.field if isinstance(options.version, RestVersion) else None
    place = (setup.platform, name, options.id)
    return Shape(*place, options.changed_at, version, options.deleted, ZoneInfo(setup.timezone))


def _seen(reply: Reply) -> Seen:
    return Seen(Via.READ, reply.as_of, reply.seen_at, reply.place)


def _located(reply: Reply) -> str | None:
    """Return the id that a Location header ends with."""
    return unquote(reply.headers.get("Location", "").partition("?")[0].rstrip("/").rpartition("/")[2]) or None


def _id_sent(options: RestCollection, write: Write) -> str | None:
    found = write.values.get(options.id)
    return text_of(found) if found is not None else None


def _same(found: Native, wanted: Native) -> bool:
    """Return whether a look-up shows what was asked for; a key may be text on one side and a number on the other."""
    return bool(found == wanted) or (isinstance(found, str | int) and str(found) == str(wanted))
