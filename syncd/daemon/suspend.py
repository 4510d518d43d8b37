"""Bulk touches are noticed as rows come in: a sweep or a poll in which over half of the rows carry one second's time.

What was changed in that second then makes no platform the newest (``core.recency``). It is asked while pages still come, so
that nothing is decided by such times first; a suspicion that the whole does not confirm is taken back.
"""

from array import array
from collections.abc import Sequence

from syncd.core.dependencies import rules_in
from syncd.core.model import Change
from syncd.core.recency import LEAST, bulk_touch, said_of
from syncd.core.rules import Entity
from syncd.core.space import Touch
from syncd.core.subject import subjects
from syncd.daemon.events import Event, say
from syncd.daemon.runtime import Runtime
from syncd.ledger import touches

GROWTH = 1.25  # how many times more rows there must be before they are weighed again


def relies_on_time(entity: Entity | None, platform: str) -> bool:
    """Return whether a rule of an entity may take this platform's word because it is the newest."""
    if entity is None:
        return False
    rules = (rule for subject in subjects(entity).values() for rule in rules_in(subject.truth))
    return any(rule.how == "newest" and platform in rule.platforms for rule in rules)


class Watch:
    """The times of the rows of one sweep or poll."""

    def __init__(self, runtime: Runtime, platform: str, collection: str) -> None:
        self.runtime = runtime
        self.place = platform, collection
        self.entity = runtime.entity_of(platform, collection)
        self.matters = relies_on_time(self.entity, platform)
        self.times = array("q")
        self.news = 0
        self.next = LEAST
        self.suspected: Touch | None = None

    async def see(self, changes: Sequence[Change], news: int) -> None:
        """Take in rows that were stored just now, ``news`` of them as something new: what is only our own echo is no touch."""
        if not self.matters:
            return
        latest = {c.id: c.changed_at for c in changes if not c.gone}
        self.times.extend(at for at in latest.values() if at is not None)
        self.news += news
        if self.news and len(self.times) >= self.next:
            self.next = int(len(self.times) * GROWTH)
            await self.weigh()

    async def end(self) -> None:
        """Weigh all rows when there are no more."""
        if self.news and len(self.times) >= LEAST:
            await self.weigh()

    async def weigh(self) -> None:
        """Note the bulk touch that the rows show so far, and take back one that they do not show any more."""
        found, before = bulk_touch(self.times), self.suspected
        if before is not None and (found is None or found.hi < before.lo or before.hi < found.lo):
            await self.runtime.store.write(touches.withdraw, self.place, before)
            self.decide_again()
        self.suspected = None
        if found is not None and self.entity is not None:
            offset = self.runtime.parts[self.place[0]].connector.clock[0]
            new = await self.runtime.store.write(touches.note, self.place, found, self.entity.name, offset)
            self.suspected = found if new or before is not None else None
            if new:
                platform, collection = self.place
                say(Event.RECENCY_SUSPENDED, said_of(platform, found), platform=platform, collection=collection)
                self.decide_again()

    def decide_again(self) -> None:
        """Have the records decided again that were decided by those times."""
        if self.entity is not None:
            self.runtime.decide_again([self.entity.name])
