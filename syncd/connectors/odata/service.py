"""One OData service, connected: read by pages, polls and delta links, written thing by thing or by ``$batch``."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Self
from zoneinfo import ZoneInfo

from yarl import URL

from syncd.connectors.body import BadBody, encode
from syncd.connectors.contents import parted, shows_all
from syncd.connectors.http import Http, Reply, together
from syncd.connectors.odata import answers
from syncd.connectors.odata.address import Address, expand_of
from syncd.connectors.odata.batch import PREFER, answers_of, as_json, as_multipart
from syncd.connectors.odata.check import known
from syncd.connectors.odata.collection import Things
from syncd.connectors.odata.csrf import Csrf
from syncd.connectors.odata.feed import Feed, scope_of
from syncd.connectors.odata.lookup import filter_for, is_same, out_of_scope
from syncd.connectors.odata.metadata import parse_metadata
from syncd.connectors.odata.options import is_guarded
from syncd.connectors.odata.refusals import is_service_error, refuse, words
from syncd.connectors.odata.schema import Service
from syncd.connectors.odata.walk import Walk
from syncd.connectors.odata.writes import REFUSED_CREATE, Request, leads_away, refused_path, request_of, verdict
from syncd.connectors.options import OVERLAP
from syncd.connectors.outcomes import outcomes
from syncd.connectors.protocol import Batch, Broken, Delivery, Page, Rights, Setup
from syncd.core.model import SECOND, Answer, Change, Native, Op, Receipt, Write
from syncd.errors import ConnectorError, OutcomeUnknown, PermanentError, StaleWrite, TransientError

AGE = 3600 * SECOND  # after which the metadata is read again: services change

Sent = tuple[Things, Write, Request]  # one of a batch


class Odata:
    """The connector to one service."""

    def __init__(self, setup: Setup) -> None:
        self.setup = setup
        self.http = Http(setup, refused=refuse)
        self.address = Address(self.http, setup.connection)
        self.csrf = Csrf(self.http, self.address, wanted=setup.connection.csrf)
        self._writing = asyncio.Semaphore(setup.limits.concurrency)
        self._learning = asyncio.Lock()
        self._service: Service | None = None
        self._service_at = 0
        self._things: dict[str, Things] = {}

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

    # ---- what the service is

    async def service(self) -> Service:
        """Return what the service says of itself; raises PermanentError if it is of another version than configured."""
        async with self._learning:
            if self._service is None or self.setup.now() - self._service_at > AGE:
                reply = await self.http.read(self.address.url("/$metadata"), headers=self.address.headers(None))
                if reply.status in {404, 410}:
                    raise PermanentError(f"base_url: no service there: {reply.place}: answered {reply.status}: {words(reply)}")
                refuse(reply)
                found = parse_metadata(reply.body, reply.place)
                given = self.setup.connection.protocol
                if given is not None and given != found.version:
                    raise PermanentError(f"protocol: {given}, but $metadata is of {found.version}; correct it or leave it out")
                self._service, self._service_at = found, self.setup.now()
                self._things.clear()
            return self._service

    async def things(self, collection: str) -> Things:
        """Return a collection held against the metadata; raises PermanentError for what is not there."""
        service = await self.service()
        if collection not in self._things:
            poll = self.setup.watch.poll
            place = (self.setup.platform, ZoneInfo(self.setup.timezone))
            given = self.setup.collections[collection]
            self._things[collection] = known(service, given, self.setup.connection, place, poll.cursor if poll else None)
        return self._things[collection]

    async def _usable(self, collection: str) -> Things:
        """Return a collection to read single things of or to write to.

        Raises TransientError for what is wrong with the service or the config: that is no fault of the record's.
        """
        try:
            return await self.things(collection)
        except PermanentError as error:
            raise TransientError(str(error), status=error.status) from error

    def _forget(self) -> None:
        """Read the metadata again before the next request: perhaps the service was changed."""
        self._service = None
        self._things.clear()

    # ---- reading

    async def get(self, url: URL, headers: dict[str, str]) -> Reply:
        """Return the answer to a read."""
        service = await self.service()
        return await self.http.read(url, headers=self.address.headers(service.version) | headers)

    async def changes(self, collection: str, cursor: str | None) -> AsyncIterator[Batch]:
        """Yield what changed since the cursor, by delta links if ``watch.delta`` says so, else by date."""
        things, watch = await self.things(collection), self.setup.watch
        poll = watch.poll
        by = (poll.cursor if poll else None) or things.options.changed_at
        feed = Feed(
            things,
            lambda more, track: Walk(things, self.address, self.get, scope_of(things, more), track),
            things.dated_by(by) if by else None,
            poll.overlap if poll else OVERLAP,
            self.setup.now,
        )
        try:
            async for batch in feed.by_link(cursor) if watch.delta else feed.by_date(cursor):
                yield batch
        except PermanentError:
            self._forget()
            raise

    async def scan(self, collection: str) -> AsyncIterator[Page]:
        """Yield every thing of the entity set that the collection's filter lets through."""
        things = await self.things(collection)
        try:
            async for leaf in Walk(things, self.address, self.get, things.options.filter).leaves():
                parsed, reply = leaf.listing.parsed, leaf.listing.reply
                found = [things.observe(element, parsed.flaw(element), reply) for element in leaf.listing.elements]
                yield Page(*parted(found), leaf.last, leaf.complete, leaf.why)
        except PermanentError:
            self._forget()
            raise

    async def hook(self, collection: str | None, delivery: Delivery) -> Batch:
        """Refuse: a service calls nobody."""
        raise PermanentError("odata has no webhooks")

    async def read(self, collection: str, ids: Sequence[str]) -> list[Change]:
        """Read by key, several at once. What is gone is believed only while the entity set itself still answers."""
        if not ids:
            return []
        things = await self._usable(collection)
        found = await together([self._read(things, one) for one in ids])
        if any(one.gone and one.item is None for one in found):
            refuse(await self.get(self.address.url(f"/{things.set.name}", {"$top": 1}), {}))
        return await out_of_scope(things, self.address, self.get, found)

    async def _read(self, things: Things, native_id: str) -> Change:
        path = things.path_of(native_id)
        if path is None:
            return things.gone(native_id, (self.setup.number(), self.setup.now()))
        expand = expand_of(things.service, things.options.expand)
        reply = await self.get(self.address.url(path, {"$expand": expand}), {})
        if reply.status in {404, 410}:
            if reply.body.strip() and not is_service_error(reply):
                text = f"{reply.place}: answered {reply.status}, and not as the service does: {words(reply)}"
                raise TransientError(text, status=reply.status)
            return things.gone(native_id, reply)
        refuse(reply)
        found = self._shown(things, reply)
        if isinstance(found, Broken):
            raise PermanentError(f"{found.where}: {found.reason}", status=reply.status)
        if found.id != native_id:
            # a service may know a thing by several spellings of its key (0012 and 12): it must not become two
            raise PermanentError(f"{reply.place}: asked for {native_id}, got {found.id}", status=reply.status)
        return found

    def _shown(self, things: Things, reply: Reply) -> Change | Broken:
        parsed = reply.json()
        element = answers.single(things.service, parsed)
        return things.observe(element, parsed.flaw(element), reply, etag=reply.headers.get("ETag"))

    async def find(self, collection: str, path: str, value: Native) -> list[Change]:
        """Ask by ``$filter``; what does not have exactly this value is left out. An empty answer is a proof."""
        things = await self._usable(collection)
        asked = filter_for(things, path, value)
        if asked is None:
            return []  # what the property cannot hold is not there
        found: list[Change] = []
        async for leaf in Walk(things, self.address, self.get, asked).leaves():
            for element in leaf.listing.elements:
                look = things.observe(element, leaf.listing.parsed.flaw(element), leaf.listing.reply)
                if isinstance(look, Broken):
                    raise TransientError(f"{collection}: a look-up is no proof: {look.reason}", about_record=True)
                if is_same(things, look, path, value):
                    found.append(look)
            if leaf.why:
                raise TransientError(f"{collection}: a look-up is no proof: {leaf.why}", about_record=True)
        return await out_of_scope(things, self.address, self.get, found)

    async def rights(self, collection: str) -> Rights:
        """Return what the metadata's own annotations allow; whether the user may do it, only a write shows."""
        things = await self.things(collection)
        paths = self.setup.collections[collection].writes
        ways = [creating for creating, able in ((True, things.set.creatable), (False, things.set.updatable)) if able]
        refused = tuple(
            path for path in paths if leads_away(things, path) or all(refused_path(things, path, creating=way) for way in ways)
        )
        return Rights(not refused and bool(ways or not paths), refused)

    # ---- writing

    async def apply(self, writes: Sequence[Write]) -> list[Receipt | ConnectorError]:
        """Send each write once, by ``$batch`` where several may share a request, else several at a time."""
        if self.setup.write.batch == 1 or len(writes) < 2:
            return await outcomes(writes, self._send, self._writing)
        return await self._send_together(writes)

    async def _send(self, write: Write) -> Receipt:
        things = await self._usable(write.collection)
        request = await self._request(things, write, batched=False)
        body = None if request.content is None else _encoded(write, request)
        url = self.address.url(request.path)
        reply = await self.csrf.write(request.method, url, body=body, headers=self._sap(request.headers))
        return await self._receipt(things, write, reply)

    async def _request(self, things: Things, write: Write, *, batched: bool) -> Request:
        guarded = is_guarded(things.options, self.setup.write)
        if guarded and write.version is None and write.id is not None:
            look = await self._read(things, write.id)
            if look.version is None and not look.gone:
                raise PermanentError(f"{write.collection}: {things.set.name} shows no ETag; leave  version: etag  out")
            raise StaleWrite(f"{write.collection}: {write.id} was not read with its version yet")
        return request_of(things, write, guarded=guarded, batched=batched)

    def _sap(self, headers: dict[str, str]) -> dict[str, str]:
        return self.address.headers(None) | headers

    async def _send_together(self, writes: Sequence[Write]) -> list[Receipt | ConnectorError]:
        """Send writes in one request; what can be refused beforehand is left out of it."""
        made: dict[int, Sent] = {}
        came: dict[int, Receipt | ConnectorError] = {}
        for at, write in enumerate(writes):
            try:
                things = await self._usable(write.collection)
                request = await self._request(things, write, batched=True)
                _encoded(write, request)
                made[at] = things, write, request
            except ConnectorError as error:
                came[at] = error
        if made:
            came |= dict(zip(made, await self._batched(list(made.values())), strict=True))
        return [came[at] for at in range(len(writes))]

    async def _batched(self, sent: Sequence[Sent]) -> list[Receipt | ConnectorError]:
        requests, version = [request for _, _, request in sent], sent[0][0].service.version
        kind, body = as_json(requests) if self.setup.connection.batch == "json" else as_multipart(requests)
        headers = self.address.headers(version) | {"Content-Type": kind}
        headers["Accept"] = "application/json" if self.setup.connection.batch == "json" else "multipart/mixed"
        headers |= {} if version == "v2" else {"Prefer": PREFER}
        try:
            reply = await self.csrf.write("POST", self.address.url("/$batch"), body=body, headers=headers)
            _check_batch(reply)
        except ConnectorError as error:
            return [error] * len(sent)
        found = answers_of(reply, requests)
        return await together([self._outcome(*one, part) for one, part in zip(sent, found, strict=True)])

    async def _outcome(self, things: Things, write: Write, request: Request, reply: Reply | None) -> Receipt | ConnectorError:
        if reply is None:
            return OutcomeUnknown(f"{request.method} {request.path}: $batch gave no answer to this write")
        try:
            return await self._receipt(things, write, reply)
        except ConnectorError as error:
            return error

    async def _receipt(self, things: Things, write: Write, reply: Reply) -> Receipt:
        if write.op is Op.CREATE and reply.status in REFUSED_CREATE:
            return await self._existing(things, write, reply)
        try:
            found = verdict(reply, write)
        except StaleWrite as error:
            # a thing that is gone has no version either: 412 is what it is answered with
            look = await self._read_back(things, write.id)
            if look is not None and look.gone and look.item is None:
                return Receipt(Answer.GONE, write.id, look)
            raise error from None
        return found or await self._done(things, write, reply)

    async def _existing(self, things: Things, write: Write, reply: Reply) -> Receipt:
        """Return what a refused create met, by the key that was sent; a refusal for another reason is raised as it is."""
        native_id = things.id_of(write.values)
        look = await self._read_back(things, native_id)
        if look is not None and not (look.gone and look.item is None):
            return Receipt(Answer.EXISTS, look.id, look)
        if reply.status == 409:
            return Receipt(Answer.EXISTS)
        refuse(reply)
        raise AssertionError("unreachable")  # pragma: no cover

    async def _done(self, things: Things, write: Write, reply: Reply) -> Receipt:
        etag = reply.headers.get("ETag") if things.options.version else None
        shown = self._shown(things, reply) if reply.body.strip() else None
        named = reply.headers.get("OData-EntityId") or reply.headers.get("Location") or ""
        native_id = write.id or (shown.id if shown else None) or things.id_in(named) or things.id_of(write.values)
        whole = isinstance(shown, Change) and shown.id == native_id and shows_all(shown.item, write)
        if isinstance(shown, Change) and whole and self.setup.connection.protocol == "v4":
            return Receipt(Answer.DONE, native_id, shown, atomic=True, version=shown.version)
        version = shown.version if isinstance(shown, Change) else etag
        return Receipt(Answer.DONE, native_id, await self._read_back(things, native_id), version=version)

    async def _read_back(self, things: Things, native_id: str | None) -> Change | None:
        if native_id is None:
            return None
        try:
            return await self._read(things, native_id)
        except ConnectorError:  # the write is done or refused; what it met is seen later
            return None


def _encoded(write: Write, request: Request) -> bytes:
    try:
        return encode(request.content)
    except BadBody as error:
        raise PermanentError(f"{write.collection}: {error}") from error


def _check_batch(reply: Reply) -> None:
    """Raise what it means if a batch as a whole was refused. It says nothing about any of the records in it."""
    try:
        refuse(reply)
    except PermanentError as error:
        text = f"$batch is refused as a whole; write  write: {{batch: 1}}  if the service has none: {error}"
        raise TransientError(text, status=reply.status) from error
