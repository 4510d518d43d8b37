"""What changed since a cursor, where no time stamp is asked by: by the lists of ids that Salesforce keeps of 30 days.

``sobjects/NAME/updated`` names what was made or edited, ``sobjects/NAME/deleted`` what was deleted; each is read by id. Up to
when a list is certain it says itself (``latestDateCovered``): that is the cursor's ``at`` and ``gone``. A first pass, and one
after more than 30 days, reads everything in the order of the ids; its cursor has no ``at``: ``id`` is the last record, ``gone``
the time at which it began.
"""

from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from typing import Any, Protocol

from syncd.connectors.protocol import Batch
from syncd.connectors.salesforce.options import SalesforcePoll
from syncd.connectors.salesforce.org import Org, part
from syncd.connectors.salesforce.poll import OLDEST, SHORTEST, Position
from syncd.connectors.salesforce.query import Sheet, sheets
from syncd.connectors.salesforce.rows import Rows
from syncd.connectors.salesforce.soql import both, full_id, stamp, text
from syncd.connectors.since import their_now
from syncd.connectors.times import parse_time
from syncd.core.model import SECOND, Native
from syncd.errors import PermanentError, TransientError

AT_ONCE = 200  # records read by one query
UNLISTED = ("EXCEEDED_ID_LIMIT", "INVALID_REPLICATION_DATE")  # more than one list has, or longer ago than it goes


class Reading(Protocol):
    """What is asked of the reads of an organisation."""

    async def rows(self, collection: str) -> Rows:
        """Return a collection's records as the object is described now."""
        ...

    async def looked(self, collection: str, ids: list[str]) -> Batch:
        """Return what records are that were listed."""
        ...

    async def shown(self, collection: str, sheet: Sheet) -> Batch:
        """Return what a page of a query shows."""
        ...


class Listed:
    """A poll by lists of ids."""

    def __init__(self, org: Org, reads: Reading, collection: str, poll: SalesforcePoll, now: Callable[[], int]) -> None:
        self._org = org
        self._reads = reads
        self._collection = collection
        self._poll = poll
        self._now = now

    async def changes(self, start: Position) -> AsyncIterator[Batch]:
        """Yield what changed since a position; raises PermanentError if Salesforce keeps no lists of the object."""
        rows = await self._reads.rows(self._collection)
        if not rows.described.replicated:
            said = f"{rows.options.object} has no time of the last change, and Salesforce keeps no list of its changes"
            raise PermanentError(f"{self._collection}: {said}: take away poll and use a sweep")
        now = self._their_now()
        if start.at is None or start.at < now - OLDEST:
            begun = start.at is None and start.gone is not None and start.gone >= now - OLDEST
            async for batch in self._all(rows, start if begun else Position(), lost=start.at is not None):
                yield batch
            return
        since = start.at if start.gone is None else start.gone
        try:
            listed, covered = await self._ids("updated", start.at, rows)
            deleted, until = await self._ids("deleted", since, rows)
        except PermanentError as error:
            if not any(code in str(error) for code in UNLISTED):
                raise
            async for batch in self._all(rows, Position(), lost=True):
                yield batch
            return
        ids = list(dict.fromkeys(listed + deleted))
        for first in range(0, len(ids), AT_ONCE):
            yield await self._reads.looked(self._collection, ids[first : first + AT_ONCE])
        ended = Position(max(covered, start.at), gone=max(until, since))
        if ended != start:
            yield Batch((), cursor=ended.text())

    async def _all(self, rows: Rows, start: Position, *, lost: bool) -> AsyncIterator[Batch]:
        """Yield everything there is. ``lost``: deletes may have been missed, which only a sweep can tell."""
        position = start

        def after(record: Native | None) -> str:
            behind = full_id(str(record.get("Id"))) if isinstance(record, dict) else start.id
            return rows.select + both(f"Id > {text(behind)}" if behind else None) + " ORDER BY Id"

        async for sheet in sheets(self._org, after):
            began = position.gone or ((their_now(sheet.reply) or self._now()) - self._poll.overlap)
            last = sheet.records[-1] if sheet.records else None
            behind = full_id(str(last.get("Id"))) if isinstance(last, dict) else position.id
            position = Position(None, behind, began)
            if sheet.why:
                raise TransientError(f"{self._collection}: {sheet.why}")
            if sheet.records:
                yield replace(await self._reads.shown(self._collection, sheet), cursor=position.text())
        yield Batch((), cursor=Position(position.gone, gone=position.gone).text(), sweep=lost)

    def _their_now(self) -> int:
        """Return the end of the second that it is on Salesforce's clock, as far as we know it: no earlier than it may be."""
        offset, unsure = self._org.http.clock
        return ((self._now() + offset + unsure) // SECOND + 1) * SECOND

    async def _ids(self, which: str, since: int, rows: Rows) -> tuple[list[str], int]:
        """Return the ids that a list names from an overlap before a time on, and up to when it is certain."""
        now = self._their_now()
        begin = max(min(since - self._poll.overlap, now - 2 * SHORTEST), now - OLDEST)
        start, end = (part(stamp(at).removesuffix("Z") + "+00:00") for at in (begin, now))
        parsed, reply = await self._org.get(f"sobjects/{rows.options.object}/{which}/?start={start}&end={end}")
        answer: dict[str, Any] = parsed.value if isinstance(parsed.value, dict) else {}
        listed = answer.get("ids" if which == "updated" else "deletedRecords")
        covered = parse_time(answer.get("latestDateCovered"))
        if not isinstance(listed, list) or covered is None:
            raise TransientError(f"{reply.place}: answered with no list of {which} records", about_record=True)
        names = (one.get("id") if isinstance(one, dict) else one for one in listed)
        return list(dict.fromkeys(full_id(str(one)) for one in names)), min(covered, now)
