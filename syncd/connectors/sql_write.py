"""One write to a database, inside a transaction of its own.

The row is locked, the guard is compared, the write is done, and the row as it then stands is read, triggers included: that
look is the receipt. ``guard: hash`` compares the old values of the written columns: it covers those and no others.
"""

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from syncd.connectors.body import pick, placed
from syncd.connectors.protocol import Collection
from syncd.connectors.sql_rows import Rows, SqlCollection, fetch, whole_only
from syncd.core.model import Answer, Change, Item, Native, Op, Receipt, Write
from syncd.errors import PermanentError, StaleWrite


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
        for path, value in self.values.items():
            try:
                item = placed(item, path, value)
            except ValueError as error:
                raise PermanentError(f"{path}: {error}") from error
        touched = {self.rows.table.column(path)[0].name for path in self.values}
        return {name: self.rows.table.columns[name].bound(item[name]) for name in sorted(touched)}


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
