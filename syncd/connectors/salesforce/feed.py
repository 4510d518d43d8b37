"""The change feed of one collection: events say which records to read, queries find what events cannot tell.

The cursor is a poll's (``poll.Position``) with two things more: ``replay``, the place in the stream of events, and ``heard``,
when the last of them was committed. A place that the bus does not know any more is given up: what changed since is asked for
by the time stamp, and a full read is asked for, which alone proves what was deleted long ago.

A subscription that starts "now" is made before that query is sent, and the query is sent once more when the bus has
answered on it: only then it is certain that nothing fell between the two.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from syncd.connectors.body import BadBody, decode, encode
from syncd.connectors.protocol import Batch, Broken, Setup
from syncd.connectors.salesforce.bus import Bus, Expired, Interrupted, ReplayLost, Subscription
from syncd.connectors.salesforce.events import DELETED, ChangeEvent, Events, Unreadable, path_of
from syncd.connectors.salesforce.messages import ConsumerEvent, FetchResponse
from syncd.connectors.salesforce.options import SalesforceCollection, SalesforceConnection, SalesforceWatch
from syncd.connectors.salesforce.poll import Position
from syncd.connectors.salesforce.rows import AUTHOR
from syncd.connectors.salesforce.soql import stamp
from syncd.connectors.times import parse_time
from syncd.core.model import SECOND, Change
from syncd.errors import TransientError

TRIES = 6  # openings of a stream in a row that came to nothing, until the platform counts as in trouble
FIRST, LONGEST = 0.2, 10.0  # seconds between them, doubled each time
LATE = 300 * SECOND  # how long before its commit a record may have got its stamp, if no overlap is configured


class Reading(Protocol):
    """What the feed needs of the REST side."""

    async def read(self, collection: str, ids: Sequence[str]) -> list[Change]:
        """Return what the records are now."""
        ...

    def changes(self, collection: str, cursor: str | None) -> AsyncIterator[Batch]:
        """Yield what changed since a poll's cursor, less the overlap."""
        ...


@dataclass(frozen=True, slots=True)
class Place:
    """Where the feed stands: in the events, and in the queries that stand in for them."""

    polled: Position = field(default_factory=Position)
    replay: bytes | None = None
    heard: int | None = None

    @classmethod
    def of(cls, cursor: str | None) -> "Place":
        """Return what a cursor says; a poll's cursor is one without a place in the stream."""
        try:
            found = decode((cursor or "").encode())
        except BadBody:
            found = None
        if not isinstance(found, dict):
            return cls(Position.of(cursor))
        try:
            replay = bytes.fromhex(str(found.get("replay") or "")) or None
        except ValueError:
            replay = None
        return cls(Position.of(cursor), replay, parse_time(found.get("heard")))

    def text(self) -> str:
        """Return it as a cursor."""
        found = decode(self.polled.text().encode())
        found["replay"] = self.replay.hex() if self.replay else None
        found["heard"] = None if self.heard is None else stamp(self.heard)
        return encode({key: value for key, value in found.items() if value}).decode()


class Feed:
    """Follows one collection. ``refused`` notes that a token is no good and returns whether another may be; ``ahead`` returns
    how far the clock there is ahead of ours, in microseconds.
    """

    def __init__(
        self,
        setup: Setup,
        collection: str,
        bus: Bus,
        reads: Reading,
        refused: Callable[[Mapping[str, str]], bool],
        ahead: Callable[[], int],
    ) -> None:
        options: SalesforceCollection = setup.collections[collection].options
        connection: SalesforceConnection = setup.connection
        watch: SalesforceWatch = setup.watch
        assert watch.change_feed is not None
        self._setup, self._collection, self._bus, self._reads = setup, collection, bus, reads
        self._refused, self._ahead = refused, ahead
        self._topic, self._client, self._object = watch.change_feed.channel, connection.client, options.object
        self._resumes = watch.change_feed.replay == "ledger"
        self._overlap = watch.poll.overlap if watch.poll else LATE
        self._events = Events(bus.schema)
        self._asks = watch.poll is not None  # by a query too, at each opening
        self._place = Place()
        self._alive = False  # something came since the stream was opened, and was taken

    async def changes(self, cursor: str | None) -> AsyncIterator[Batch]:
        """Yield batches until closed; raises ConnectorError when opening the stream again and again does not help."""
        self._begin(cursor)
        if cursor is None:  # whatever happens from here on, the query knows since when
            yield Batch((), cursor=self._place.text())
        tries, renewed = 0, False
        while True:
            self._alive = False
            try:
                async with self._bus.subscribed(self._topic, self._place.replay) as stream:
                    async for batch in self._follow(stream):
                        yield batch
            except ReplayLost as error:
                if self._place.replay is None:
                    raise TransientError(str(error)) from error
                self._place = replace(self._place, replay=None, polled=self._since())
                self._asks = True
                yield Batch((), cursor=self._place.text(), sweep=True)
            except Expired as error:
                if (renewed and not self._alive) or not self._refused(error.shown):
                    raise TransientError(f"login: {error}", status=401) from error
                renewed = True
            except Interrupted as error:
                tries = 1 if self._alive else tries + 1
                if tries >= TRIES:
                    raise TransientError(str(error)) from error
                await asyncio.sleep(min(FIRST * 2**tries, LONGEST))

    def _begin(self, cursor: str | None) -> None:
        now = self._now()
        place = Place.of(cursor)
        if place.polled.at is None and place.heard is None:  # the first full read tells the rest
            place = replace(place, polled=Position(at=now, gone=now))
        if not self._resumes:
            place = replace(place, replay=None)
        self._asks = self._asks or (place.replay is None and cursor is not None)
        self._place = place

    def _now(self) -> int:
        """Return the time there."""
        return self._setup.now() + self._ahead()

    def _since(self) -> Position:
        """Return from where a query makes up for lost events: behind the last one heard, unless queries run anyway."""
        polled, heard = self._place.polled, self._place.heard
        if self._setup.watch.poll is not None or heard is None or heard <= (polled.at or 0):
            return polled
        return replace(polled, at=heard, id="")

    async def _follow(self, stream: Subscription) -> AsyncIterator[Batch]:
        if self._asks:
            async for batch in self._catch_up():
                yield batch
            self._asks = False
        while True:
            response = await stream.next()
            async for batch in self._taken(response):
                yield batch
            self._alive = True
            await stream.more(len(response.events))

    async def _taken(self, response: FetchResponse) -> AsyncIterator[Batch]:
        """Yield what one answer of the bus says; the last batch moves the place behind it."""
        changes, broken, since = await self._told(response.events)
        fresh = self._place.replay is None
        if fresh or since is not None:
            if changes or broken:
                yield Batch(changes, broken=broken)
                changes, broken = [], []
            async for batch in self._catch_up() if fresh else self._again(since or 0):
                yield batch
        replay = response.events[-1].replay_id if response.events else response.latest_replay_id
        self._place = replace(self._place, replay=replay or self._place.replay)
        yield Batch(changes, cursor=self._place.text(), broken=broken)

    async def _catch_up(self) -> AsyncIterator[Batch]:
        """Yield what changed since the last query, as queries tell it; moves their place."""
        async for batch in self._reads.changes(self._collection, self._place.polled.text()):
            if batch.cursor is not None:
                self._place = replace(self._place, polled=Position.of(batch.cursor))
            yield replace(batch, cursor=self._place.text())

    async def _again(self, since: int) -> AsyncIterator[Batch]:
        """Yield everything that changed since a moment: events said that much, and not which records."""
        async for batch in self._reads.changes(self._collection, Position(at=since).text()):
            yield replace(batch, cursor=None)

    async def _told(self, events: Sequence[ConsumerEvent]) -> tuple[list[Change], list[Broken], int | None]:
        """Return what the records that events name are now, what was unreadable, and since when all must be asked for."""
        by_id: dict[str, list[ChangeEvent]] = {}
        broken: list[Broken] = []
        lost: list[int] = []
        heard = self._place.heard or 0
        for one in events:
            try:
                event = await self._events.read(one)
            except Unreadable as error:
                broken.append(Broken(self._setup.platform, self._collection, None, self._topic, str(error)))
                lost.append((self._place.heard or self._place.polled.at or self._now()) - self._overlap)
                continue
            if event.entity.lower() != self._object.lower():
                continue
            heard = max(event.at, heard)
            if event.whole:
                lost.append(event.at)
            for native_id in event.ids:
                by_id.setdefault(native_id, []).append(event)
        found = await self._reads.read(self._collection, list(by_id)) if by_id else []
        changes = [self._signed(one, by_id[one.id]) if one.id in by_id else one for one in found]
        self._place = replace(self._place, heard=heard or None)
        return changes, broken, min(lost, default=None)

    def _signed(self, change: Change, events: Sequence[ChangeEvent]) -> Change:
        """Return a look with what the events say of it: who, and whether it was us; only of the state that they led to."""
        last = events[-1]
        by = change.item.get(AUTHOR) if change.item else None
        if change.gone:
            same = last.kind in DELETED
        else:
            same = last.modified is not None and change.changed_at == last.modified and by in {None, last.user}
        ours = same and all(one.client == self._client and not one.is_gap for one in events)
        at = change.changed_at if change.changed_at is not None or not same else last.at
        author = last.user if same and last.user else by or change.by
        own = "" if ours else None
        return replace(change, by=author, own=own, event_id=last.id or None, changed_at=at, times=_times(change, events, same))


def _times(change: Change, events: Sequence[ChangeEvent], same: bool) -> dict[str, int] | None:
    """Return when each field was edited, as far as the events tell; nothing of a state that is another by now."""
    if not same or change.gone:
        return change.times
    told = {path_of(name): one.modified or one.at for one in events for name in one.fields}
    return told | (change.times or {}) or None
