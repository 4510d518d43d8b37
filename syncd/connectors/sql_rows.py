"""The rows of one collection: what is selected of them, which are in scope, and what each is as a change."""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from syncd.connectors.body import BadBody, excerpt, pick
from syncd.connectors.options import Later, Marker, Options
from syncd.connectors.protocol import Broken
from syncd.connectors.sql_table import Table, text_of
from syncd.connectors.times import parse_time
from syncd.core.model import Change, Native, Via
from syncd.errors import PermanentError


class SqlCollection(Options):
    """One table or view. ``where`` bounds what is in scope; ``writable`` is the last word on what syncd may write.

    The database maintains ``version`` (a trigger, rowversion, the application): syncd writes no column that is not mapped. A
    version that does not move with each edit guards nothing. Without one the old values of the written columns guard.
    """

    table: str
    id: str
    changed_at: str | None = None
    version: str | None = None
    where: str | None = None
    writable: list[str] | None = None
    deleted: Marker | None = None
    retain: Later = None


class Rows:
    """The rows of one collection: what is selected of them, which are in scope, and what each is as a change."""

    def __init__(self, table: Table, options: SqlCollection, platform: str, collection: str) -> None:
        self.table = table
        self.options = options
        self.id = table.columns[options.id]
        self._place = (platform, collection)
        self._shown = list(table.columns.values())
        self._natives = [(column.name, column.native) for column in self._shown]
        self._scope = sa.true() if options.where is None else sa.text(f"({raw_sql(options.where)}\n)")

    def select(self, *more: sa.ColumnElement[Any]) -> sa.Select[Any]:
        """Return the query for rows in and out of scope: raw id, in scope, the cells of all columns, then ``more``."""
        inside = sa.literal_column("1") if self.options.where is None else sa.case((self._scope, 1), else_=0)
        return sa.select(self.id.raw, inside, *[column.shown for column in self._shown], *more).select_from(self.table.clause)

    def inside(self, query: sa.Select[Any]) -> sa.Select[Any]:
        """Return the query for rows in scope only."""
        return query if self.options.where is None else query.where(self._scope)

    def change(self, row: Sequence[Any], as_of: int, seen_at: int) -> Change | Broken:
        """Return what a selected row says."""
        native_id = text_of(self.id.native(row[0]))
        if not row[1]:
            return Change(*self._place, native_id, Via.READ, as_of, seen_at, left=True)
        try:
            item = {name: native(cell) for (name, native), cell in zip(self._natives, row[2:], strict=False)}
        except BadBody as error:
            where, raw = f"{self.options.table} {native_id}", excerpt([str(cell) for cell in row[2:]])
            return Broken(*self._place, native_id, where, f"a JSON column: {error.reason}", raw)
        marker, at, version = self.options.deleted, self.options.changed_at, self.options.version
        return Change(
            *self._place,
            native_id,
            Via.READ,
            as_of,
            seen_at,
            item=item,
            gone=marker is not None and self.same(marker.field, pick(item, marker.field), marker.value),
            changed_at=parse_time(item[at], self.id.zone) if at else None,
            version=_version(item[version]) if version else None,
        )

    def split(self, found: Sequence[Any], as_of: int, seen_at: int) -> tuple[list[Change], list[Broken]]:
        """Return what rows say, and apart from it those that cannot be decoded."""
        told = [self.change(row, as_of, seen_at) for row in found]
        return [one for one in told if isinstance(one, Change)], [one for one in told if isinstance(one, Broken)]

    def same(self, path: str, one: Native, other: Native) -> bool:
        """Return whether two natives are the same in the column of a path."""
        column, inside = self.table.column(path)
        return bool(one == other) if inside else column.same(one, other)

    def gone(self, native_id: str, as_of: int, seen_at: int) -> Change:
        """Return that there is no such row."""
        return Change(*self._place, native_id, Via.READ, as_of, seen_at, gone=True)

    def id_cell(self, native_id: str) -> Any:
        """Return what is bound for a native id, None if the column can have no such id."""
        try:
            return self.id.cell(native_id)
        except PermanentError:
            return None


def _version(native: Native) -> int | str | None:
    return native if native is None or (isinstance(native, int) and not isinstance(native, bool)) else str(native)


def raw_sql(text: str) -> str:
    """Return SQL of the user's own as ``sa.text`` takes it: its colons are no parameters."""
    return text.replace(":", "\\:")


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
