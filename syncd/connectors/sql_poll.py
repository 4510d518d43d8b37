"""Where a poll goes on, in the database's own time and in its own way of writing it.

The cursor holds the highest time seen. The next poll starts from it less the overlap, since a row may become visible that
long after its time. Once the highest has stood still for longer than the overlap (measured as a duration, on our clock),
nothing can come in at or below it any more, and only what is later is read: an idle poll reads no row. Local times without
an offset repeat when clocks go back: what is edited in that hour, only the next sweep sees.
"""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Self

import sqlalchemy as sa

from syncd.connectors.sql_rows import Rows
from syncd.connectors.sql_table import Column, Sort
from syncd.connectors.times import parse_time
from syncd.core.model import SECOND, Native
from syncd.errors import PermanentError

LIMIT = 5000  # rows of one query: without an index on the time each query sorts the table
FUTURE = 24 * 3600 * SECOND  # a row dated later than that moves no cursor: one typing error would blind the poll

_WRITTEN = re.compile(r"(\d{4}-\d\d-\d\d)([ T])(\d\d:\d\d:\d\d)(?:\.(\d+))?(.*)")


@dataclass(frozen=True, slots=True)
class Bound:
    """The highest time seen, as the database writes it, and when we saw it first (our clock)."""

    at: str | int | float
    since: int

    @classmethod
    def parse(cls, cursor: str) -> Self:
        """Return a cursor's meaning; raises PermanentError if it is none of ours."""
        try:
            at, since = json.loads(cursor)
        except (ValueError, TypeError) as error:
            raise PermanentError(f"not a cursor of a poll: {cursor[:40]}") from error
        return cls(at, since)

    def __str__(self) -> str:
        return json.dumps([self.at, self.since])

    def is_final(self, now: int, overlap: int) -> bool:
        """Return whether nothing at or below the highest can still come in. A bare day goes on until it is over."""
        exact = not isinstance(self.at, str) or _WRITTEN.fullmatch(self.at) is not None
        return exact and now - self.since > overlap + SECOND


def earlier(at: str | float, overlap: int) -> str | float:
    """Return a time less some microseconds, written as it was; what is no time stays as it is."""
    if not isinstance(at, str):
        micros = parse_time(Decimal(repr(at))) or 0
        return at - overlap / (micros / at) if micros else at
    found = _WRITTEN.fullmatch(at)
    if not found:
        return at
    day, between, clock, fraction, rest = found.groups()
    moment = datetime.fromisoformat(f"{day}T{clock}.{(fraction or '0')[:6]:0<6}") - timedelta(microseconds=overlap)
    digits = f".{moment.microsecond:06d}"[: len(fraction) + 1] if fraction else ""
    return f"{moment:%Y-%m-%d}{between}{moment:%H:%M:%S}{digits}{rest}"


class Poll:
    """The queries of one poll of one collection by one column."""

    def __init__(self, rows: Rows, by: str) -> None:
        self._rows = rows
        self._by: Column = rows.table.columns[by]

    def first(self, bound: Bound | None, *, now: int, overlap: int) -> sa.Select[Any]:
        """Return the query for the first page. A first contact takes no notice of what is out of scope."""
        if bound is None:
            return self._rows.inside(self._page()).where(self._by.raw.is_not(None))
        if bound.is_final(now, overlap):
            return self._page().where(self._by.raw > self._bound(bound.at))
        return self._page().where(self._by.raw >= self._bound(earlier(bound.at, overlap)))

    def after(self, row: Sequence[Any], query: sa.Select[Any]) -> sa.Select[Any]:
        """Return the query for the page after this row."""
        at, last = self._bound(row[-1]), row[0]
        return query.where(sa.or_(self._by.raw > at, sa.and_(self._by.raw == at, self._rows.id.raw > last)))

    def highest(self, found: Sequence[Sequence[Any]], before: Bound | None, *, now: int, latest: int) -> Bound | None:
        """Return the bound after a page: the highest time that is not in a far future. It never goes back."""
        known = self._time(before.at) if before is not None else None
        for row in reversed(found):
            at = float(row[-1]) if isinstance(row[-1], Decimal) else row[-1]
            time = self._time(at)
            if time is not None and time <= latest + FUTURE:
                return before if known is not None and time <= known else Bound(at, now)
        return before

    def _time(self, at: Any) -> int | None:
        return parse_time(Decimal(repr(at)) if isinstance(at, float) else at, self._by.zone)

    def _page(self) -> sa.Select[Any]:
        return self._rows.select(self._by.shown).order_by(self._by.raw, self._rows.id.raw).limit(LIMIT)

    def _bound(self, at: Native) -> sa.ColumnElement[Any]:
        if self._by.sort in (Sort.MOMENT, Sort.DATE) and isinstance(at, str) and not self._by.sqlite:
            return sa.cast(sa.literal(at, sa.Text()), self._by.type)
        return sa.literal(at)
