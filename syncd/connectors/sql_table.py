"""One table as the database's own catalogue has it: its columns, and how cells become natives and natives cells.

Only ``reflect`` and ``fetch`` talk to a database. What a cell becomes: numbers with a fraction are ``Decimal``, dates
and times are text (datetimes RFC 3339 in UTC, naive ones taken in the platform's time zone), JSON is the document, bytes of
a binary column are base64 both ways. What no field type may take (NaN, bytes or broken UTF-8 in a text column) is handed on
in a form that every type refuses, so that one bad cell makes one field invalid and not the row.
"""

import base64
import difflib
import math
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, time, tzinfo
from decimal import Decimal
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.types import TypeEngine

from syncd.connectors.body import decode, encode, steps_of
from syncd.connectors.times import moment_of, parse_time
from syncd.core.model import Native
from syncd.errors import PermanentError

_INT64 = 2**63


class Sort(StrEnum):
    """What kind of cells a column has."""

    TEXT = "text"
    BOOLEAN = "boolean"
    INTEGER = "integer"
    NUMBER = "number"
    FLOAT = "float"
    DATE = "date"
    MOMENT = "moment"
    TIME = "time"
    JSON = "json"
    BYTES = "bytes"
    LIST = "list"
    UUID = "uuid"
    OTHER = "other"  # a type of the database's own: its text


_SORTS: tuple[tuple[type[TypeEngine[Any]], Sort], ...] = (
    (sa.Boolean, Sort.BOOLEAN),
    (sa.Integer, Sort.INTEGER),
    (sa.Float, Sort.FLOAT),
    (sa.Numeric, Sort.NUMBER),
    (sa.DateTime, Sort.MOMENT),
    (sa.Date, Sort.DATE),
    (sa.Time, Sort.TIME),
    (sa.JSON, Sort.JSON),
    (sa.types._Binary, Sort.BYTES),  # noqa: SLF001 - BLOB, BINARY and VARBINARY have no public name in common
    (sa.ARRAY, Sort.LIST),
    (sa.Uuid, Sort.UUID),
    (sa.Enum, Sort.OTHER),
    (sa.String, Sort.TEXT),
)
# selected as text: drivers fail a whole page for one date of the year 12026 or -infinity, and read JSON with floats
_AS_TEXT = frozenset({Sort.DATE, Sort.MOMENT, Sort.TIME, Sort.JSON, Sort.OTHER})
_WRITTEN = frozenset({Sort.JSON, Sort.MOMENT})  # whose text is not simply what it says


@dataclass(frozen=True, slots=True)
class Column:
    """One column. ``raw`` is the column itself, ``shown`` what is selected of it."""

    name: str
    sort: Sort
    type: TypeEngine[Any]
    raw: sa.ColumnClause[Any]
    shown: sa.ColumnElement[Any]
    sqlite: bool
    zone: tzinfo

    def native(self, cell: Any) -> Native:
        """Return what a selected cell is to us; raises BadBody for a JSON column whose text is none."""
        if cell is None:
            return None
        form = type(cell)
        if form is str:  # most cells are text or small numbers: a sweep makes millions of them
            return self._of_text(cell) if self.sort in _WRITTEN else cell
        if form is int:
            return cell if -_INT64 <= cell < _INT64 else str(cell)
        if form is Decimal:
            return cell if cell.is_finite() else str(cell)
        return self._rare(cell)

    def _rare(self, cell: Any) -> Native:
        match cell:
            case bool():
                return cell
            case float():
                return Decimal(repr(cell)) if math.isfinite(cell) else str(cell)
            case bytes():
                text = base64.b64encode(cell).decode()
                return text if self.sort is Sort.BYTES else {"base64": text}
            case list() | tuple():
                return [self.native(member) for member in cell]
        return str(cell)

    def _of_text(self, cell: str) -> Native:
        if self.sort is Sort.JSON:
            return decode(cell.encode())
        if self.sort is Sort.MOMENT and (micros := parse_time(cell, self.zone)) is not None:
            return moment_text(micros)
        return cell

    def cell(self, native: Native) -> Any:
        """Return what is bound for a native value; raises PermanentError if the column can never take it."""
        if native is None:
            return None
        try:
            return self._cell(native)
        except (ValueError, TypeError, LookupError, ArithmeticError) as error:
            raise PermanentError(f"column {self.name} ({self.type!r}) takes no {native!r}"[:300]) from error

    def _cell(self, native: Native) -> Any:  # noqa: C901 - one line a sort
        match self.sort:
            case Sort.BOOLEAN:
                return native if isinstance(native, bool) else {"0": False, "1": True}[str(native)]
            case Sort.INTEGER:
                return whole(native)
            case Sort.NUMBER:
                return self._number(Decimal(str(native)))
            case Sort.FLOAT:
                return float(native)
            case Sort.DATE:
                return str(native) if self.sqlite else date.fromisoformat(native)
            case Sort.MOMENT:
                return self._moment(native)
            case Sort.TIME:
                return str(native) if self.sqlite else time.fromisoformat(native)
            case Sort.JSON:
                return encode(native).decode()
            case Sort.BYTES:
                return base64.b64decode(native, validate=True)
            case Sort.LIST:
                return list(native)
            case Sort.UUID:
                return str(native) if self.sqlite else uuid.UUID(native)
        return text_of(native)

    def _number(self, number: Decimal) -> Any:
        return f"{number:f}" if self.sqlite else number  # SQLite's own affinity makes it a number if that loses nothing

    def _moment(self, native: Native) -> Any:
        micros = parse_time(native, self.zone)
        if micros is None:
            raise ValueError
        if self.sqlite and not isinstance(native, str):
            return native  # an epoch number stays one
        moment = moment_of(micros)
        if getattr(self.type, "timezone", False):
            return moment
        naive = moment.astimezone(self.zone).replace(tzinfo=None)
        return naive.isoformat(" ") if self.sqlite else naive

    def bound(self, native: Native) -> Any:
        """Return the expression that puts a native value into a statement."""
        cell = self.cell(native)
        if self.sort is Sort.JSON and not self.sqlite:
            return sa.null() if cell is None else sa.cast(sa.literal(cell, sa.Text()), self.type)
        return sa.literal(cell, self.raw.type)

    def same(self, one: Native, other: Native) -> bool:
        """Return whether two natives would be the same cell."""
        try:
            return bool(one == other or self.cell(one) == self.cell(other))
        except PermanentError:
            return False


def whole(native: Native) -> int:
    """Return an integer; raises ValueError if it is none."""
    number = Decimal(str(int(native) if isinstance(native, bool) else native))
    if number != number.to_integral_value():
        raise ValueError
    return int(number)


def text_of(native: Native) -> str:
    """Return the text that a text column gets."""
    if isinstance(native, bool):
        return "true" if native else "false"
    if isinstance(native, Decimal):
        return f"{native:f}"
    if isinstance(native, list | dict):
        raise TypeError
    return str(native)


def moment_text(micros: int) -> str:
    """Return RFC 3339 in UTC, with a fraction only if there is one; what no calendar has stays a number."""
    try:
        return moment_of(micros).isoformat().replace("+00:00", "Z")
    except OverflowError:
        return str(micros)


@dataclass(frozen=True, slots=True)
class Table:
    """A table with the columns that syncd may see, and no others."""

    clause: sa.TableClause
    columns: dict[str, Column]

    def column(self, path: str) -> tuple[Column, bool]:
        """Return the column that a path starts with, and whether the path goes on inside of it."""
        steps = steps_of(path)
        return self.columns[str(steps[0])], len(steps) > 1


def reflect(connection: sa.Connection, place: str, paths: Iterable[str], zone: tzinfo) -> Table:
    """Return the table with the columns of these paths; raises PermanentError if the catalogue does not know them."""
    schema, _, name = place.rpartition(".")
    inspector = sa.inspect(connection)
    try:
        found = {column["name"]: column["type"] for column in inspector.get_columns(name, schema=schema or None)}
    except sa.exc.NoSuchTableError as error:
        there = inspector.get_table_names(schema=schema or None) + inspector.get_view_names(schema=schema or None)
        raise PermanentError(f'no table "{place}"{suggestion(name, there)}') from error
    sqlite = connection.dialect.name == "sqlite"
    columns: dict[str, Column] = {}
    for path in paths:
        column = str(steps_of(path)[0])
        if column not in found:
            raise PermanentError(f'table {place} has no column "{column}"{suggestion(column, list(found))}')
        columns[column] = _column(column, found[column], sqlite=sqlite, zone=zone)
    clause = sa.table(name, *[column.raw for column in columns.values()], schema=schema or None)
    return Table(clause, columns)


def suggestion(name: str, there: list[str]) -> str:
    """Return what may have been meant, else what there is."""
    near = difflib.get_close_matches(name.casefold(), [one.casefold() for one in there], n=2)
    meant = [one for one in there if one.casefold() in near]
    if meant:
        return f": did you mean {' or '.join(meant[:2])}?"
    return f" (there are: {', '.join(sorted(there)[:20])})" if there else " (there is none at all)"


def _column(name: str, kind: TypeEngine[Any], *, sqlite: bool, zone: tzinfo) -> Column:
    sort = next((sort for form, sort in _SORTS if isinstance(kind, form)), Sort.OTHER)
    if sqlite:  # values have types there, columns only a leaning: take them as they are stored
        raw: sa.ColumnClause[Any] = sa.column(name)
        return Column(name, sort, kind, raw, raw, sqlite=True, zone=zone)
    raw = sa.column(name, kind)
    shown = sa.cast(raw, sa.Text()) if sort in _AS_TEXT else raw
    return Column(name, sort, kind, raw, shown, sqlite=False, zone=zone)
