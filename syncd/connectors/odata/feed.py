"""What changed since a cursor: asked for by the date of the last change, or by the links of a service that tracks changes.

Pages of one round are in the order of the key, which no edit moves, and the cursor of a round that broke off has the place
to go on from: a first load of hours is not begun again. The date to ask from next moves only when a round is over, and
never beyond its beginning by the service's own clock: what was edited behind our back is in the next round.
"""

import json
from collections.abc import AsyncIterator, Callable
from dataclasses import asdict, dataclass, replace
from datetime import timedelta

from syncd.connectors.body import excerpt
from syncd.connectors.contents import parted
from syncd.connectors.odata import answers
from syncd.connectors.odata.address import both
from syncd.connectors.odata.collection import Dated, Things
from syncd.connectors.odata.literals import literal
from syncd.connectors.odata.walk import Leaf, Place, Walk
from syncd.connectors.protocol import Batch, Broken
from syncd.connectors.since import latest, their_now
from syncd.connectors.times import moment_of
from syncd.core.model import SECOND, Change, Native, Via
from syncd.errors import PermanentError, TransientError

LOST = frozenset((400, 404, 410))  # what services say of a link that they do not know any more

Walking = Callable[[str | None, bool], Walk]  # (filter beside the collection's own, tracking)


@dataclass(frozen=True, slots=True)
class Mark:
    """A cursor. ``at``: everything changed before is known; ``delta``: the service's own link instead.

    Within a round: ``place`` in the list, ``start`` of the round by the service's clock, ``high``, the latest change seen.
    """

    at: int | None = None
    delta: str = ""
    place: str = ""
    start: int | None = None
    high: int | None = None

    @classmethod
    def parse(cls, cursor: str | None) -> "Mark":
        """Return what a cursor holds; raises PermanentError if it is none of ours."""
        if not cursor:
            return cls()
        try:
            return cls(**json.loads(cursor))
        except (ValueError, TypeError) as error:
            raise PermanentError(f"not a cursor of a poll: {cursor[:60]}") from error

    def __str__(self) -> str:
        return json.dumps({name: value for name, value in asdict(self).items() if value not in ("", None)})


@dataclass(frozen=True, slots=True)
class Feed:
    """The changes of one collection. ``dated`` is None where there is no date to ask by."""

    things: Things
    walking: Walking
    dated: Dated | None
    overlap: int
    now: Callable[[], int]

    async def by_date(self, cursor: str | None) -> AsyncIterator[Batch]:
        """Yield what changed since a cursor, by date; raises what a failed request means."""
        mark = Mark.parse(cursor)
        if mark.start is None:  # no round of ours: at most the date is
            mark = Mark(at=mark.at)
        async for batch in self._resumed(mark, replace(mark, place="", start=None, high=None), self._round):
            yield batch

    async def by_link(self, cursor: str | None) -> AsyncIterator[Batch]:
        """Yield what the service tells since its own link; a link that it has forgotten is a full pass.

        Raises PermanentError where it gives no link: it does not track changes.
        """
        mark = Mark.parse(cursor)
        if mark.start is not None or not (mark.delta or mark.place):
            mark = Mark()
        async for batch in self._resumed(mark, Mark(), self._tracked):
            yield batch

    async def _resumed(self, mark: Mark, otherwise: Mark, run: Callable[[Mark], AsyncIterator[Batch]]) -> AsyncIterator[Batch]:
        """Yield a round gone on with where it was; where the service does not know that place any more, another one."""
        begun = False
        try:
            async for batch in run(mark):
                begun = True
                yield batch
        except PermanentError as error:
            if begun or mark == otherwise or error.status not in LOST:
                raise
            async for batch in run(otherwise):
                yield batch

    async def _round(self, mark: Mark) -> AsyncIterator[Batch]:
        dated = self.dated
        if dated is None:
            raise PermanentError(f"{self.things.name}: nothing to poll by, it is only swept; write changed_at")
        given, since = str(mark), None if mark.at is None else mark.at - self.overlap
        walk = self.walking(None if since is None else self._filter(dated, since), False)
        async for leaf in walk.leaves(Place.parse(mark.place) if mark.place else None):
            began = their_now(leaf.listing.reply)
            began = began - SECOND if began is not None else self.now()
            mark = replace(mark, start=began if mark.start is None else mark.start)
            changes, broken = self._split(leaf)
            times = [dated.time(change.item) for change in changes]
            mark = replace(mark, high=latest([mark.high, *times], before=began + SECOND))
            kept = [one for one, at in zip(changes, times, strict=True) if since is None or at is None or at >= since]
            told = mark if not leaf.last else Mark(self._bound(mark, any_seen=bool(changes) or mark.high is not None))
            cursor = None if leaf.why else str(replace(told, place=leaf.place))
            if kept or broken or cursor not in {None, given, str(Mark())}:
                yield Batch(kept, cursor=cursor, broken=broken)
            if leaf.why:
                raise TransientError(f"{self.things.name}: {leaf.why}")

    def _bound(self, mark: Mark, *, any_seen: bool) -> int | None:
        """Return from when to ask next. A list without dates starts from this round; an empty one is asked for whole again."""
        if mark.high is None:
            return mark.at if mark.at is not None or not any_seen else mark.start
        new = min(mark.high, mark.start if mark.start is not None else mark.high)
        return new if mark.at is None else max(new, mark.at)

    def _filter(self, dated: Dated, since: int) -> str:
        """Return the filter for what changed since; where only days can be asked for, from the day before on."""
        moment = moment_of(max(since, 0)).replace(microsecond=0)
        told: Native = moment
        if dated.by_day:
            told = moment.astimezone(dated.zone).date() - timedelta(days=1 if dated.clock else 0)
        return f"{dated.told.name} ge {literal(dated.told, told, v2=self.things.service.is_v2, zone=dated.zone)}"

    async def _tracked(self, mark: Mark) -> AsyncIterator[Batch]:
        walk = self.walking(None, True)
        start = Place(link=mark.delta) if mark.delta and not mark.place else None
        async for leaf in walk.leaves(Place.parse(mark.place) if mark.place else start):
            changes, broken = self._split(leaf)
            if leaf.why:
                raise TransientError(f"{self.things.name}: {leaf.why}")
            if not leaf.last:
                yield Batch(changes, cursor=str(replace(mark, place=leaf.place)), broken=broken)
            elif leaf.listing.delta:
                link = str(walk.address.follow(leaf.listing.reply, leaf.listing.delta))
                yield Batch(changes, cursor=str(Mark(delta=link)), broken=broken)
            else:
                raise PermanentError(
                    f"{self.things.name}: {self.things.set.name} gave no delta link, so it tracks no changes; "
                    "write  watch: {delta: false}  and changed_at"
                )

    def _split(self, leaf: Leaf) -> tuple[list[Change], list[Broken]]:
        found = [self._observe(element, leaf) for element in leaf.listing.elements if not answers.is_link(element)]
        return parted(found)

    def _observe(self, element: Native, leaf: Leaf) -> Change | Broken:
        why, reply = answers.removal(element), leaf.listing.reply
        if why is None:
            return self.things.observe(element, leaf.listing.parsed.flaw(element), reply)
        native_id = self.things.removed_id(element)
        if native_id is None:
            text = "a removed entry that names no thing"
            return Broken(self.things.platform, self.things.name, None, reply.place, text, excerpt(element))
        # what is gone may be there again meanwhile, further on in the same answer: a hint, which is read
        return self.things.gone(native_id, reply, via=Via.EVENT, left=why == "changed")


def scope_of(things: Things, more: str | None) -> str | None:
    """Return the filter of a collection with another one."""
    return both(things.options.filter, more)
