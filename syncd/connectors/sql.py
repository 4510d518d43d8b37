"""SQL databases: SQLite, PostgreSQL, MariaDB and MySQL, through SQLAlchemy, which reflects and quotes.

Every write is a transaction of its own: the row is locked, the guard is compared, the write is done, and the row as it then
stands is read, triggers included; that look is the receipt. ``guard: hash`` compares the old values of the written columns:
it covers those columns and no others.
"""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Self
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from pydantic import BaseModel
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from syncd.connectors.body import pick, placed
from syncd.connectors.options import Poll as PollOptions
from syncd.connectors.options import Watch
from syncd.connectors.protocol import Batch, Broken, Collection, Connector, Delivery, Page, Setup
from syncd.connectors.sql_database import Database, SqlConnection, is_twin
from syncd.connectors.sql_poll import PAGE, Bound, Poll
from syncd.connectors.sql_table import Rows, SqlCollection, reflect
from syncd.core.model import SECOND, Abilities, Answer, Change, Item, Native, Op, Receipt, Write
from syncd.errors import ConnectorError, PermanentError, StaleWrite, TransientError

IDS = 500  # of one IN list
CLOCK = {
    "postgresql": "extract(epoch from clock_timestamp())",
    "mysql": "unix_timestamp(now(6))",
    "mariadb": "unix_timestamp(now(6))",
}  # SQLite has our own
CLOCK_AGE = 600 * SECOND


class SqlWatch(Watch):
    """How changes are noticed: polled by ``changed_at``, and swept."""

    poll: PollOptions | None = None


class Sql:
    """The connector to one database."""

    def __init__(self, setup: Setup) -> None:
        self.clock = (0, 0)
        self.setup = setup
        self.database = Database(setup)
        self._rows: dict[str, Rows] = {}
        self._clock_at = 0

    async def __aenter__(self) -> Self:
        """Open nothing: the first call connects."""
        return self

    async def __aexit__(self, *exc: object) -> None:
        """Close all connections."""
        await self.database.close()

    async def changes(self, collection: str, cursor: str | None) -> AsyncIterator[Batch]:
        """Yield the rows changed since the cursor, those that left the scope since as ``left``, oldest first."""
        rows = await self._known(collection)
        poll: PollOptions | None = self.setup.watch.poll
        by = polled_by(rows.options, poll)
        if poll is None or by is None:
            raise PermanentError(f"{self.setup.platform}.{collection}: nothing to poll by, it is only swept")
        await self._measure()
        queries, bound = Poll(rows, by), Bound.parse(cursor) if cursor else None
        query = start = queries.first(bound, now=self.setup.now(), overlap=poll.overlap)
        while True:
            found, changes, broken = await self._page(rows, query)
            now = self.setup.now()
            bound = queries.highest(found, bound, now=now, latest=now + self.clock[0])
            if found:
                yield Batch(changes, None if bound is None else str(bound), broken)
            if len(found) < PAGE:
                return
            query = queries.after(found[-1], start)

    async def scan(self, collection: str) -> AsyncIterator[Page]:
        """Yield every row in scope, in the order of its id."""
        rows = await self._known(collection)
        everything = rows.inside(rows.select()).where(rows.id.raw.is_not(None)).order_by(rows.id.raw).limit(PAGE)
        query = everything
        while True:
            found, changes, broken = await self._page(rows, query)
            twice = repeated(found)
            last = bool(twice) or len(found) < PAGE
            why = f"id {twice[0]} of table {rows.options.table} stands there twice" if twice else ""
            yield Page(changes, broken, last=last, complete=last and not twice, why=why)
            if last:
                return
            query = everything.where(rows.id.raw > found[-1][0])

    async def hook(self, collection: str | None, delivery: Delivery) -> Batch:
        """Refuse: a database calls nobody."""
        raise PermanentError("sql has no webhooks")

    async def read(self, collection: str, ids: Sequence[str]) -> list[Change]:
        """Return what the rows are now: there, left or gone."""
        found: dict[str, Change] = {}
        for start in range(0, len(ids), IDS):
            found |= await self._read(await self._known(collection), ids[start : start + IDS])
        return [found[one] for one in ids]

    async def find(self, collection: str, path: str, value: Native) -> list[Change]:
        """Return the rows whose column has this value, those out of scope as ``left``: they would be twins too."""
        rows = await self._known(collection)
        column, rest = rows.table.column(path)
        if rest:
            raise PermanentError(f"{self.setup.platform}: cannot look for {path}, it is inside of a JSON column")
        try:
            wanted = column.bound(value)
        except PermanentError:
            return []  # what the column cannot hold is not there
        query = rows.select().where(column.raw == wanted).order_by(rows.id.raw).limit(PAGE)
        _, changes, broken = await self._page(rows, query)
        return whole_only([*changes, *broken])

    async def apply(self, writes: Sequence[Write]) -> list[Receipt | ConnectorError]:
        """Send each write in a transaction of its own; once the platform is down the rest is not sent."""
        outcomes: list[Receipt | ConnectorError] = []
        for write in writes:
            try:
                outcomes.append(await self._send(write))
            except TransientError as error:
                rest = len(writes) - len(outcomes) if not error.about_record else 1
                outcomes += [error] * rest
            except ConnectorError as error:
                outcomes.append(error)
            if len(outcomes) == len(writes):
                break
        return outcomes

    # ---- reading

    async def _known(self, collection: str) -> Rows:
        if collection not in self._rows:
            given = self.setup.collections[collection]
            zone = ZoneInfo(self.setup.timezone)
            paths = wanted(given, self.setup.watch.poll)
            place: str = given.options.table
            table = await self.database.ask(lambda connection: connection.run_sync(reflect, place, paths, zone))
            self._rows[collection] = Rows(table, given.options, self.setup.platform, collection)
        return self._rows[collection]

    async def _page(self, rows: Rows, query: sa.Select[Any]) -> tuple[Sequence[Any], list[Change], list[Broken]]:
        as_of, seen_at = self.setup.number(), self.setup.now()
        found = await self.database.ask(lambda connection: fetch(connection, query))
        told = [rows.change(row, as_of, seen_at) for row in found]
        return found, [one for one in told if isinstance(one, Change)], [one for one in told if isinstance(one, Broken)]

    async def _read(self, rows: Rows, ids: Sequence[str]) -> dict[str, Change]:
        as_of, seen_at = self.setup.number(), self.setup.now()
        cells = [cell for cell in map(rows.id_cell, ids) if cell is not None]
        found = {one: rows.gone(one, as_of, seen_at) for one in ids}
        if cells:
            query = rows.select().where(rows.id.raw.in_(cells))
            there = await self.database.ask(lambda connection: fetch(connection, query))
            told = [rows.change(row, as_of, seen_at) for row in there]
            found |= {one.id: one for one in whole_only(told) if one.id in found}
        return found

    async def _measure(self) -> None:
        asked = CLOCK.get(self.setup.connection.dialect)
        begun = self.setup.now()
        if asked is None or (self._clock_at and begun - self._clock_at < CLOCK_AGE):
            return
        query: sa.Select[Any] = sa.select(sa.literal_column(asked))
        theirs = (await self.database.ask(lambda connection: fetch(connection, query)))[0][0]
        ended = self.setup.now()
        self.clock = (int(theirs * SECOND) - (begun + ended) // 2, (ended - begun) // 2)
        self._clock_at = ended

    # ---- writing

    async def _send(self, write: Write) -> Receipt:
        rows = await self._known(write.collection)
        values = allowed(self.setup.collections[write.collection], write)
        at = self.setup.number(), self.setup.now()
        sending = Sending(rows, write, values, at)
        guard = self.setup.write.guard or ("version" if rows.options.version else "hash")
        try:
            return await self.database.write(lambda connection: sending.transact(connection, guard))
        except PermanentError as error:
            if write.op is Op.CREATE and isinstance(error.__cause__, IntegrityError) and is_twin(error.__cause__):
                return Receipt(Answer.EXISTS)
            raise


@dataclass(frozen=True, slots=True)
class Sending:
    """One write inside its transaction. ``at`` is our number and our clock when it started."""

    rows: Rows
    write: Write
    values: dict[str, Native]
    at: tuple[int, int]

    async def transact(self, connection: AsyncConnection, guard: str) -> Receipt:
        """Lock, compare, write, look; raises StaleWrite or PermanentError, and the transaction is rolled back."""
        write = self.write
        if write.op is Op.CREATE:
            return await self._created(connection)
        current = await self._look(connection, self.rows.id_cell(write.id or ""), lock=True)
        if current is None or current.left:
            return Receipt(Answer.GONE, write.id)
        self._compare(current, guard)
        here = self.rows.id.raw == self.rows.id_cell(write.id or "")
        if write.op is Op.DELETE:
            await connection.execute(sa.delete(self.rows.table.clause).where(here))
            return Receipt(Answer.DONE, write.id)
        if self.values:
            cells = self._cells(current.item or {})
            await connection.execute(sa.update(self.rows.table.clause).where(here).values(cells))
        return receipt_of(write.id or "", await self._look(connection, self.rows.id_cell(write.id or "")))

    async def _created(self, connection: AsyncConnection) -> Receipt:
        key = self.rows.id.name
        insert = sa.insert(self.rows.table.clause).values(self._cells({}))
        if self.values.get(key) is not None:
            await connection.execute(insert)
            cell = self.rows.id_cell(self.values[key])
        elif connection.dialect.insert_returning:
            cell = (await connection.execute(insert.returning(self.rows.id.raw))).scalar_one()
        else:
            cell = (await connection.execute(insert)).lastrowid
        look = await self._look(connection, cell)
        if look is None or look.left:
            raise PermanentError(f"the new row of {self.rows.options.table} would not be in scope: it was not made")
        return receipt_of(look.id, look)

    async def _look(self, connection: AsyncConnection, cell: Any, *, lock: bool = False) -> Change | None:
        query = self.rows.select().where(self.rows.id.raw == cell)
        found = await fetch(connection, query.with_for_update() if lock else query)
        return whole_only([self.rows.change(row, *self.at) for row in found])[0] if found else None

    def _compare(self, current: Change, guard: str) -> None:
        write = self.write
        if guard == "version" and write.version is not None:
            if current.version != write.version:
                raise StaleWrite(f"version is {current.version}, not {write.version}")
        elif guard != "none":
            for path, before in write.before.items():
                if not self.rows.same(path, before, pick(current.item, path)):
                    raise StaleWrite(f"{path} was edited since it was read")

    def _cells(self, item: Item) -> dict[str, sa.ColumnElement[Any]]:
        whole: Item = {}
        for path, value in self.values.items():
            column, rest = self.rows.table.column(path)
            whole[column.name] = placed(whole.get(column.name, item.get(column.name)), rest, value)
        return {name: self.rows.table.columns[name].bound(value) for name, value in whole.items()}


def allowed(collection: Collection, write: Write) -> dict[str, Native]:
    """Return what is to be written; raises PermanentError for a path that is not mapped or not writable: the last wall."""
    options: SqlCollection = collection.options
    for path in write.values:
        if path not in collection.writes:
            raise PermanentError(f"{collection.name}.{path} is not mapped for writing")
        if options.writable is not None and path not in options.writable:
            raise PermanentError(f"{collection.name}.{path} is not in writable: {', '.join(options.writable)}")
    if write.op is Op.UPDATE and options.id in write.values:
        raise PermanentError(f"{collection.name}.{options.id} is the id: it is not rewritten")
    if write.op is Op.ARCHIVE and options.deleted is not None:
        return write.values | {options.deleted.field: options.deleted.value}
    return write.values


def receipt_of(native_id: str, look: Change | None) -> Receipt:
    """Return the receipt of a row as it now stands; a row that our write took out of scope shows nothing."""
    if look is None or look.left:
        return Receipt(Answer.DONE, native_id)
    return Receipt(Answer.DONE, native_id, look, atomic=True, version=look.version)


async def fetch(connection: AsyncConnection, query: sa.Select[Any]) -> Sequence[Any]:
    """Return all rows of a query."""
    found: Sequence[Any] = (await connection.execute(query)).all()
    return found


def whole_only(told: Sequence[Change | Broken]) -> list[Change]:
    """Return the changes; raises PermanentError if one could not be decoded."""
    for one in told:
        if isinstance(one, Broken):
            raise PermanentError(f"{one.where}: {one.reason}")
    return [one for one in told if isinstance(one, Change)]


def repeated(found: Sequence[Any]) -> list[Any]:
    """Return the raw ids that stand twice in a page sorted by id."""
    return [one[0] for one, other in pairwise(found) if one[0] == other[0]]


def polled_by(options: SqlCollection, poll: PollOptions | None) -> str | None:
    """Return the column that a poll goes by."""
    return (poll.cursor if poll else None) or options.changed_at


def wanted(collection: Collection, poll: PollOptions | None) -> list[str]:
    """Return the paths whose columns are selected."""
    options: SqlCollection = collection.options
    marker = options.deleted.field if options.deleted else None
    own = [options.id, options.version, options.changed_at, polled_by(options, poll), marker]
    return [path for path in (*own, *collection.fields, *collection.keys, *collection.writes) if path]


class SqlKind:
    """The kind ``sql``."""

    name = "sql"
    connection: type[BaseModel] = SqlConnection
    collection: type[BaseModel] = SqlCollection
    watch: type[BaseModel] = SqlWatch

    def abilities(self, connection: Any, collection: Any, watch: Any, write: Any) -> Abilities:
        """Return what one table can do. Whether its keys are unique only the database knows, so it is not promised."""
        guard = write.guard or ("version" if collection.version else "hash")
        return Abilities(
            guard=guard != "none",
            ordered=collection.version is not None,
            contiguous=collection.version is not None,
            answers=True,
            timed=collection.changed_at is not None,
            tick=1 if connection.dialect == "postgresql" else SECOND,  # the others keep whole seconds unless told
        )

    def connect(self, setup: Setup) -> Connector:
        """Return the connector, not connected yet."""
        return Sql(setup)


KIND = SqlKind()
