"""What changed since a cursor, and the full read. A first load, or a long poll, goes on where it was when it was stopped.

A cursor is a moment in the shop's time, or while a read is under way a JSON object: from when (``since``), the shop's time
when it began (``start``), the highest time seen (``high``), where it is (``after``, and ``at`` which location).
"""

import json
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace
from email.utils import parsedate_to_datetime

from syncd.connectors.http import Reply
from syncd.connectors.protocol import Batch, Page
from syncd.connectors.shopify.documents import since
from syncd.connectors.shopify.listing import Asked, Leaf, Reader
from syncd.connectors.times import moment_of, parse_time
from syncd.core.model import SECOND
from syncd.errors import PermanentError, TransientError


@dataclass(frozen=True, slots=True)
class Position:
    """Where a feed is. ``since`` None: it is the first load."""

    since: int | None = None
    start: int | None = None
    high: int | None = None
    after: str = ""
    at: str = ""

    @property
    def under_way(self) -> bool:
        """Return whether it was stopped in the middle."""
        return bool(self.after or self.at)


class Feed:
    """The feed of one collection. ``places``: the locations to go through, for what is listed by location."""

    def __init__(
        self, reader: Reader, *, scope: str | None, overlap: int, timed: bool, places: Sequence[str | None] = (None,)
    ) -> None:
        self._reader = reader
        self._scope = scope
        self._overlap = overlap
        self._timed = timed
        self._places = places

    async def changes(self, cursor: str | None) -> AsyncIterator[Batch]:
        """Yield what changed since a cursor; everything, in an order that stays, where there is none or no time to ask by."""
        position = read(cursor)
        begun = False
        try:
            async for batch in self._changes(position):
                begun = True
                yield batch
        except PermanentError:
            if begun or not position.after:
                raise
            # the shop does not know the place any more where we stopped: once more from its beginning
            async for batch in self._changes(Position(since=position.since)):
                yield batch

    async def scan(self) -> AsyncIterator[Page]:
        """Yield every thing."""
        for number, place in enumerate(self._places):
            final = number == len(self._places) - 1
            async for leaf in self._reader.leaves(Asked(self._scope, location=place)):
                if leaf.last and not leaf.complete:
                    yield Page(leaf.changes, leaf.broken, last=True, complete=False, why=leaf.why)
                    return
                last = leaf.last and final
                yield Page(leaf.changes, leaf.broken, last=last, complete=last)
        if not self._places:
            yield Page((), last=True, complete=True)

    async def _changes(self, position: Position) -> AsyncIterator[Batch]:
        kind = self._reader.kind
        by_time = self._timed and position.since is not None and kind.by_time is not None
        at = None if position.since is None or not self._timed else max(position.since - self._overlap, 0)
        query = since(kind, self._scope, at)
        places = list(self._places)
        if position.at in places:
            places = places[places.index(position.at) :]
        for number, place in enumerate(places):
            asked = Asked(query, by_time=by_time, location=place, after=position.after)
            async for leaf in self._reader.leaves(asked):
                position = self._moved(position, leaf, place)
                over = leaf.last and number == len(places) - 1
                yield self._batch(position, leaf, at=at, over=over, by_time=by_time)
                if leaf.last and not leaf.complete:
                    raise TransientError(f"{self._reader.shape.collection}: {leaf.why}")
            position = replace(position, after="")

    def _moved(self, position: Position, leaf: Leaf, place: str | None) -> Position:
        now = their_now(leaf.answered.reply)
        start = position.start if position.start is not None else now
        times = [position.high, *(change.changed_at for change in leaf.changes)]
        bound = now + 2 * SECOND if now is not None else None  # a time in the shop's own future would hide all before it
        high = max((time for time in times if time is not None and (bound is None or time < bound)), default=None)
        return replace(position, start=start, high=high, after=leaf.cursor, at=place or "")

    def _batch(self, position: Position, leaf: Leaf, *, at: int | None, over: bool, by_time: bool) -> Batch:
        changes = leaf.changes
        if at is not None and self._reader.kind.moment == "day":
            changes = [change for change in changes if change.changed_at is None or change.changed_at >= at]
        return Batch(changes, cursor=self._cursor(position, over=over and leaf.complete, by_time=by_time), broken=leaf.broken)

    def _cursor(self, position: Position, *, over: bool, by_time: bool) -> str | None:
        """Return the cursor after a page: while pages are to come, where to go on; in the end the moment to ask from next.

        Where the list is not in the order of time, something may have changed behind us: not later than when it began.
        """
        if not self._timed:
            return None
        if not over:
            return written(position) if position.under_way else None
        known = position.high
        if known is not None and not by_time and position.start is not None:
            known = min(known, position.start)
        moments = [moment for moment in (known, position.since) if moment is not None]
        return text_of(max(moments)) if moments else None


def read(cursor: str | None) -> Position:
    """Return the position that a cursor says; the beginning if it says nothing that can be understood."""
    if not cursor:
        return Position()
    if not cursor.startswith("{"):
        return Position(since=parse_time(cursor))
    try:
        found = json.loads(cursor)
        since_, start, high = (parse_time(found.get(name)) for name in ("since", "start", "high"))
        return Position(since_, start, high, str(found.get("after") or ""), str(found.get("at") or ""))
    except (ValueError, AttributeError):
        return Position()


def written(position: Position) -> str:
    """Return the cursor of a position in the middle of a read."""
    times = {"since": position.since, "start": position.start, "high": position.high}
    found = {name: text_of(time) for name, time in times.items() if time is not None}
    found |= {name: text for name, text in (("after", position.after), ("at", position.at)) if text}
    return json.dumps(found, separators=(",", ":"))


def text_of(micros: int) -> str:
    """Return a moment as the shop writes it."""
    return moment_of(micros).isoformat().replace("+00:00", "Z")


def their_now(reply: Reply) -> int | None:
    """Return the beginning of the second in which the shop answered, by its own clock."""
    try:
        return int(parsedate_to_datetime(reply.headers["Date"]).timestamp()) * SECOND
    except (KeyError, ValueError, TypeError, OverflowError):
        return None
