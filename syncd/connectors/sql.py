"""SQL databases: SQLite, PostgreSQL, MariaDB and MySQL, through SQLAlchemy, which reflects and quotes.

What is read are rows as the database's own catalogue has them (``sql_table``, ``sql_rows``), polled in its own time
(``sql_poll``); every write is a transaction of its own (``sql_write``).
"""

from collections.abc import AsyncIterator, Sequence
from itertools import pairwise
from typing import Any, Self
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from pydantic import BaseModel
from sqlalchemy.exc import IntegrityError

from syncd.connectors.options import Poll as PollOptions
from syncd.connectors.options import Watch
from syncd.connectors.protocol import Batch, Collection, Connector, Delivery, Page, Rights, Setup
from syncd.connectors.sql_database import Database, SqlConnection, is_twin
from syncd.connectors.sql_poll import LIMIT, Bound, Poll
from syncd.connectors.sql_rights import refused_columns
from syncd.connectors.sql_rows import Rows, SqlCollection, fetch, whole_only
from syncd.connectors.sql_table import reflect
from syncd.connectors.sql_write import Sending, allowed
from syncd.core.model import SECOND, Abilities, Answer, Change, Native, Op, Receipt, Write
from syncd.errors import ConnectorError, PermanentError, TransientError

PAGE = 1000  # rows of one batch or page
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
            as_of, seen_at = self.setup.number(), self.setup.now()
            found = await self._fetch(query)
            for at in range(0, len(found), PAGE):
                part = found[at : at + PAGE]
                bound = queries.highest(part, bound, now=self.setup.now(), latest=seen_at + self.clock[0])
                changes, broken = rows.split(part, as_of, seen_at)
                yield Batch(changes, None if bound is None else str(bound), broken)
            if len(found) < LIMIT:
                return
            query = queries.after(found[-1], start)

    async def scan(self, collection: str) -> AsyncIterator[Page]:
        """Yield every row in scope, in the order of its id."""
        rows = await self._known(collection)
        everything = rows.inside(rows.select()).where(rows.id.raw.is_not(None)).order_by(rows.id.raw).limit(PAGE)
        query = everything
        while True:
            as_of, seen_at = self.setup.number(), self.setup.now()
            found = await self._fetch(query)
            changes, broken = rows.split(found, as_of, seen_at)
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
        column, inside = rows.table.column(path)
        if inside:
            raise PermanentError(f"{self.setup.platform}: cannot look for {path}, it is inside of a JSON column")
        try:
            wanted = column.bound(value)
        except PermanentError:
            return []  # what the column cannot hold is not there
        query = rows.select().where(column.raw == wanted).order_by(rows.id.raw).limit(PAGE)
        as_of, seen_at = self.setup.number(), self.setup.now()
        return whole_only([rows.change(row, as_of, seen_at) for row in await self._fetch(query)])

    async def rights(self, collection: str) -> Rights:
        """Return which of the columns that syncd writes, within ``writable:``, the database lets us write."""
        rows, given = await self._known(collection), self.setup.collections[collection]
        wall = rows.options.writable
        written = [path for path in given.writes if wall is None or path in wall]
        columns = list(dict.fromkeys(path.partition(".")[0] for path in written))
        dialect, table = self.setup.connection.dialect, rows.options.table
        refused = await self.database.ask(lambda connection: refused_columns(connection, dialect, table, columns))
        return Rights(None if refused is None else not refused, tuple(refused or ()))

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

    async def _read(self, rows: Rows, ids: Sequence[str]) -> dict[str, Change]:
        as_of, seen_at = self.setup.number(), self.setup.now()
        cells = [cell for cell in map(rows.id_cell, ids) if cell is not None]
        found = {one: rows.gone(one, as_of, seen_at) for one in ids}
        if cells:
            query = rows.select().where(rows.id.raw.in_(cells))
            there = await self._fetch(query)
            told = [rows.change(row, as_of, seen_at) for row in there]
            found |= {one.id: one for one in whole_only(told) if one.id in found}
        return found

    async def _fetch(self, query: sa.Select[Any]) -> Sequence[Any]:
        try:
            return await self.database.ask(lambda connection: fetch(connection, query))
        except TransientError:
            self._rows.clear()  # perhaps the table was changed: ask the catalogue again
            raise

    async def _measure(self) -> None:
        asked = CLOCK.get(self.setup.connection.dialect)
        begun = self.setup.now()
        if asked is None or (self._clock_at and begun - self._clock_at < CLOCK_AGE):
            return
        query: sa.Select[Any] = sa.select(sa.literal_column(asked))
        theirs = (await self._fetch(query))[0][0]
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
        except TransientError:
            self._rows.clear()
            raise
        except PermanentError as error:
            if write.op is Op.CREATE and isinstance(error.__cause__, IntegrityError) and is_twin(error.__cause__):
                return Receipt(Answer.EXISTS)
            if not isinstance(error.__cause__, IntegrityError):
                self._rows.clear()  # perhaps the table was changed
            raise


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
