"""One GraphQL API, connected: documents come from the config, one write is one request.

What the answer to a write shows is believed only if it shows what was written; otherwise the thing is read.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Self
from zoneinfo import ZoneInfo

from syncd.connectors.body import pick, steps_of
from syncd.connectors.contents import parted, shows_all
from syncd.connectors.graphql.filling import filled
from syncd.connectors.graphql.lists import Mark, leaves, print_of
from syncd.connectors.graphql.options import GraphqlCollection, GraphqlConnection, is_guarded
from syncd.connectors.graphql.requests import PAGED, FindQuery, ListQuery
from syncd.connectors.graphql.writing import Meaning, meaning_of, mutation_of, variables_of
from syncd.connectors.graphql_call import Answered, Graphql
from syncd.connectors.http import Http, Reply, together
from syncd.connectors.outcomes import outcomes
from syncd.connectors.protocol import Batch, Broken, Delivery, Page, Rights, Setup
from syncd.connectors.relay import RelayLeaf
from syncd.connectors.shape import Seen, Shape
from syncd.connectors.since import ask_from, latest, moment_text, their_now, time_of
from syncd.connectors.times import parse_time
from syncd.connectors.webhook import read_event
from syncd.core.model import Answer, Change, Native, Op, Receipt, Via, Write
from syncd.errors import ConnectorError, PermanentError, TransientError

NOTHING = object()


class GraphqlApi:
    """One platform with a GraphQL API."""

    def __init__(self, setup: Setup) -> None:
        connection: GraphqlConnection = setup.connection
        self.setup = setup
        self.http = Http(setup)
        self._call = Graphql(self.http, self.http.url(connection.path), faults=connection.meanings, code=connection.code)
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
        """Yield what changed since the cursor, a page at a time.

        The batches of a connection have cursors that go on in the middle of it; the last one has the time to ask from next: the
        newest that was seen, but none after the list was begun, all in the platform's own time.
        """
        options, mark = self._options(collection), Mark.of(cursor)
        query = options.changed if options.changed and (mark.since or not options.list) else options.list
        if query is None:
            return
        resumes = bool(mark.after) and mark.print == print_of(query)
        mark = mark if resumes else Mark(mark.since, latest=parse_time(mark.since) if mark.since else None)
        values = {"since": ask_from(mark.since, self.setup.watch.poll, options.since)}
        async for leaf in leaves(self._call, query, values, start=mark.after):
            changes, broken = self._read_leaf(collection, leaf)
            mark = self._marked(mark, query, leaf, changes)
            new = mark.text() if leaf.complete or mark.after else None
            if changes or broken or (new and new != cursor):
                yield Batch(changes, cursor=new, broken=broken)
            if leaf.why:
                raise TransientError(f"{collection}: {leaf.why}")

    async def scan(self, collection: str) -> AsyncIterator[Page]:
        """Yield every thing of the list; raises PermanentError if its query does not ask for what is mapped."""
        options = self._options(collection)
        if options.list is None:
            raise PermanentError(f"{collection}: no list to scan")
        self._asks_for_all(collection, options.list)
        values = {"since": ask_from(None, self.setup.watch.poll, options.since)}
        async for leaf in leaves(self._call, options.list, values):
            changes, broken = self._read_leaf(collection, leaf)
            yield Page(changes, broken, leaf.last, leaf.complete, leaf.why)

    async def hook(self, collection: str | None, delivery: Delivery) -> Batch:
        """Return what a verified webhook says."""
        if self.setup.watch.webhook is None:
            raise PermanentError("no webhook is expected")
        return read_event(self.setup.watch.webhook, self._shapes, collection, delivery)

    async def read(self, collection: str, ids: Sequence[str]) -> list[Change]:
        """Read by id, several at once."""
        return await together([self._read(collection, one) for one in ids])

    async def find(self, collection: str, path: str, value: Native) -> list[Change]:
        """Ask by the query's own name for the path; what does not have exactly this value is left out."""
        query = self._options(collection).find
        if query is None:
            raise PermanentError(f"{collection}: nothing to find by")
        name = self._name_of(query, collection, path)
        if name is None:
            raise PermanentError(f"{collection}: find has no place for {path}")
        found: list[Change] = []
        async for changes, why in self._found(collection, query, {name: value}):
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

    async def _found(
        self, collection: str, query: FindQuery, values: dict[str, Native]
    ) -> AsyncIterator[tuple[list[Change], str]]:
        """Yield what a look-up met, and why it is no proof if it is none."""
        if query.item is not None:
            answered = await self._call.read(query.query.text, filled(query.sent, values))
            element = _item(answered, query.item)
            found = None if element is None else self._observe(collection, element, answered)
            yield ([found] if isinstance(found, Change) else []), found.reason if isinstance(found, Broken) else ""
            return
        async for leaf in leaves(self._call, query, values):
            changes, broken = self._read_leaf(collection, leaf)
            yield changes, leaf.why or next((one.reason for one in broken), "")

    async def _read(self, collection: str, native_id: str) -> Change:
        options, shape = self._options(collection), self._shapes[collection]
        if options.read is None:
            raise PermanentError(f"{collection}: nothing to read by id with")
        variables = filled(options.read.sent, {"id": native_id})
        answered = await self._call.read(options.read.query.text, variables, accept=options.gone)
        element = None if answered.problems else _item(answered, options.read.item)
        if element is None:
            return shape.gone(native_id, _seen(answered.reply))
        found = self._observe(collection, element, answered)
        place, status = answered.reply.place, answered.reply.status
        if isinstance(found, Broken):
            raise PermanentError(f"{found.where}: {found.reason}", status=status)
        if found.id != native_id:
            raise PermanentError(f"{place}: asked for {native_id}, got {found.id}", status=status)
        return found

    async def _apply(self, write: Write) -> Receipt:
        options = self._options(write.collection)
        mutation = mutation_of(options, write)
        variables = variables_of(mutation, options, write, guarded=is_guarded(options, self.setup.write))
        answered = await self._call.write(mutation.mutation.text, variables, accept=options.codes)
        match meaning_of(answered, mutation, options, write):
            case Meaning.EXISTS:
                return await self._existing(write)
            case Meaning.GONE:
                return Receipt(Answer.GONE, write.id)
        if write.op is Op.DELETE:
            return Receipt(Answer.DONE, write.id)
        return await self._receipt(write, answered, mutation.item)

    async def _existing(self, write: Write) -> Receipt:
        """Return what a refused create met, as far as it can be found by a key."""
        find = self._options(write.collection).find
        for path in self.setup.collections[write.collection].keys:
            value = write.values.get(path)
            if value is None or find is None or self._name_of(find, write.collection, path) is None:
                continue
            for look in await self.find(write.collection, path, value):
                return Receipt(Answer.EXISTS, look.id, look)
        return Receipt(Answer.EXISTS)

    async def _receipt(self, write: Write, answered: Answered, item: str | None) -> Receipt:
        """Return what an answer without refusals says: the thing itself, or nothing, which may mean that there is none."""
        element = _item(answered, item) if item is not None else None
        shown = self._observe(write.collection, element, answered) if element is not None else None
        native_id = write.id or (shown.id if shown else None)
        believed = self._options(write.collection).answers
        if believed and isinstance(shown, Change) and shown.id == native_id and shows_all(shown.item, write):
            return Receipt(Answer.DONE, native_id, shown, atomic=True, version=shown.version)
        if native_id is None:
            text = f"{answered.reply.place}: the answer names no id of what was made"
            raise TransientError(text, status=answered.reply.status, about_record=True)
        look = await self._read_back(write.collection, native_id)
        if item is not None and element is None and look is not None and look.gone:
            return Receipt(Answer.GONE, native_id)
        return Receipt(Answer.DONE, native_id, look, version=shown.version if isinstance(shown, Change) else None)

    async def _read_back(self, collection: str, native_id: str) -> Change | None:
        if self._options(collection).read is None:
            return None
        try:
            return await self._read(collection, native_id)
        except ConnectorError:  # the write is done; what it made is seen later
            return None

    def _marked(self, mark: Mark, query: ListQuery, leaf: RelayLeaf, changes: Sequence[Change]) -> Mark:
        """Return the cursor behind a page."""
        poll, now = self.setup.watch.poll, their_now(leaf.reply)
        begun = mark.begun if mark.begun is not None else now
        times = [time_of(change, poll, self._shapes[change.collection].zone) for change in changes]
        newest = latest([mark.latest, *times], before=now)
        if not leaf.last:
            return Mark(mark.since, leaf.cursor, print_of(query) if leaf.cursor else "", newest, begun)
        until = newest if newest is None or begun is None else min(newest, begun)
        return Mark(mark.since if until is None else moment_text(until))

    def _read_leaf(self, collection: str, leaf: RelayLeaf) -> tuple[list[Change], list[Broken]]:
        found = [self._observe(collection, element, leaf.answered) for element in leaf.elements]
        return parted(found)

    def _observe(self, collection: str, element: Native, answered: Answered) -> Change | Broken:
        return self._shapes[collection].observe(element, answered.parsed.flaw(element), _seen(answered.reply))

    def _name_of(self, query: FindQuery, collection: str, path: str) -> str | None:
        """Return the query's name for a path: the path, its last part, or the only name where there is only one key."""
        names = query.names - PAGED
        for name in (path, path.rpartition(".")[2]):
            if name in names:
                return name
        only = len(names) == 1 and self.setup.collections[collection].keys == (path,)
        return next(iter(names)) if only else None

    def _asks_for_all(self, collection: str, query: ListQuery) -> None:
        """Raise PermanentError if a mapped path is never asked for: it would look absent everywhere."""
        shape = query.element
        for path in self.setup.collections[collection].fields if shape else ():
            first = next(iter(steps_of(path)), None)
            if isinstance(first, str) and shape is not None and first not in shape:
                raise PermanentError(f'{collection}: "{path}" is mapped, and the query of list does not ask for {first}')

    def _options(self, collection: str) -> GraphqlCollection:
        options: GraphqlCollection = self.setup.collections[collection].options
        return options


def _shape(setup: Setup, name: str) -> Shape:
    options: GraphqlCollection = setup.collections[name].options
    version = options.version.field if options.version else None
    return Shape(setup.platform, name, options.id, options.changed_at, version, options.deleted, ZoneInfo(setup.timezone))


def _seen(reply: Reply) -> Seen:
    return Seen(Via.READ, reply.as_of, reply.seen_at, reply.place)


def _item(answered: Answered, path: str) -> Native:
    """Return the one thing of an answer, None where the platform says null; the first of a list."""
    found = pick(answered.data, path)
    if not isinstance(found, list):
        return found
    return found[0] if found else None


def _same(found: Native, wanted: Native) -> bool:
    """Return whether a look-up shows what was asked for; a key may be text on one side and a number on the other."""
    return bool(found == wanted) or (isinstance(found, str | int) and str(found) == str(wanted))
