"""What changed since a cursor: by the time stamp, deleted records too, and by the list of deleted ids.

The cursor is JSON. ``at``: the last stamp seen; ``id``: the last record, where all that stands before it was certainly seen;
``gone``: up to when the list of deleted ids was read. All are Salesforce's own times.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from syncd.connectors.body import BadBody, decode, encode
from syncd.connectors.salesforce.options import SalesforcePoll
from syncd.connectors.salesforce.rows import Rows
from syncd.connectors.salesforce.soql import both, full_id, stamp, text
from syncd.connectors.times import parse_time
from syncd.core.model import SECOND, Native

OLDEST = 29 * 86_400 * SECOND  # what the list of deleted ids still covers, less a day
SHORTEST = 60 * SECOND  # the list takes no shorter time


@dataclass(frozen=True, slots=True)
class Position:
    """Where a poll stands, in microseconds of Salesforce's own time; None where nothing was read yet."""

    at: int | None = None
    id: str = ""
    gone: int | None = None

    @classmethod
    def of(cls, cursor: str | None) -> "Position":
        """Return what a cursor says; a plain time is one too."""
        if cursor is None:
            return cls()
        try:
            found = decode(cursor.encode())
        except BadBody:
            return cls(parse_time(cursor))
        if not isinstance(found, dict):
            return cls(parse_time(cursor))
        return cls(parse_time(found.get("at")), str(found.get("id") or ""), parse_time(found.get("gone")))

    def text(self) -> str:
        """Return it as a cursor."""
        found = {"at": None if self.at is None else stamp(self.at), "id": self.id}
        found["gone"] = None if self.gone is None else stamp(self.gone)
        return encode({key: value for key, value in found.items() if value}).decode()

    def after(self, rows: Rows, record: Native, *, sure_before: int) -> "Position":
        """Return the position behind a record; exact only where nothing can appear before it any more."""
        at = rows.stamp_of(record)
        if at is None or not isinstance(record, dict):
            return self
        sure = at < sure_before
        return replace(self, at=at, id=full_id(str(record.get("Id"))) if sure else "")


def moved(rows: Rows, position: Position, records: Sequence[Native], *, now: int, overlap: int) -> Position:
    """Return the position behind a page. A stamp that lies in Salesforce's own future would hide what comes before it."""
    for record in reversed(records):
        at = rows.stamp_of(record)
        if at is not None and at < now:
            return position.after(rows, record, sure_before=now - overlap)
    return position


def changed_query(rows: Rows, position: Position, poll: SalesforcePoll, behind: Native | None) -> str:
    """Return the query for what changed since a position, in the order of its cursor; ``behind`` a record, what follows it."""
    order = f" ORDER BY {rows.stamp}, Id"
    if isinstance(behind, dict) and (at := rows.stamp_of(behind)) is not None:
        return rows.select + both(keyset(rows, at, str(behind.get("Id")))) + order
    if position.at is None:
        return rows.select + order
    if position.id:
        return rows.select + both(keyset(rows, position.at, position.id)) + order
    return rows.select + both(f"{rows.stamp} >= {stamp(max(position.at - poll.overlap, 0))}") + order


def keyset(rows: Rows, at: int, native_id: str) -> str:
    """Return the condition for all that stands behind a record."""
    moment = stamp(at)
    return f"({rows.stamp} > {moment} OR ({rows.stamp} = {moment} AND Id > {text(full_id(native_id))}))"


def deleted_span(position: Position, poll: SalesforcePoll, now: int) -> tuple[int, int] | None:
    """Return from when to when the list of deleted ids is to be asked for; None if it is not time yet."""
    if position.gone is None or now - position.gone < max(poll.deleted, SHORTEST):
        return None
    return max(position.gone - poll.overlap, now - OLDEST), now
