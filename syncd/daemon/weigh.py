"""The breakers: what is about to be written is weighed before the first of it is sent.

All records that a platform is behind on are planned and counted, together with what was written in the window. The
figures are those of ``Safety``; creates are not counted, they need a proof of absence instead.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from syncd.core.breaker import trips
from syncd.core.model import Op, Record, Value, Write
from syncd.core.plan import plan
from syncd.core.rules import Entity, Limit
from syncd.core.space import Space
from syncd.daemon.scene import Scene
from syncd.ledger import breakers, outbox, proposals, records, tallies
from syncd.ledger.breakers import KINDS
from syncd.ledger.schema import Database

BREAKER = "stopped by a breaker"
CHUNK = 200  # records planned at once, so that nobody waits long for the ledger
EMPTY: tuple[Value, ...] = (None, "", [])

Load = dict[str, set[int]]  # kind of breaker -> records


@dataclass(frozen=True, slots=True)
class Trip:
    """A breaker that was tripped just now, with its figures."""

    platform: str
    entity: str
    kind: str
    count: int
    linked: int
    limit: Limit
    paused: bool


@dataclass(slots=True)
class Burst:
    """What one platform is about to be sent, by entity, as far as it was planned. ``marks``: what was weighed, as decided."""

    marks: dict[int, tuple[int, int]] = field(default_factory=dict)  # by record: since when it waits, and its mark
    loads: dict[str, Load] = field(default_factory=dict)
    resets: dict[str, int] = field(default_factory=dict)  # by entity, the last reset that was known

    def renew(self, entity: str, reset: int) -> None:
        """Forget everything weighed before a reset: what was parked is planned again, it may have been taken back since."""
        if self.resets.setdefault(entity, reset) != reset:
            self.resets[entity] = reset
            self.marks.clear()
            self.loads.clear()

    @property
    def heavy(self) -> bool:
        """Whether anything is about to be changed, deleted or blanked."""
        return any(found for load in self.loads.values() for found in load.values())

    def load(self, entity: str) -> Load:
        """Return the records of an entity that are about to be changed, deleted, blanked."""
        return self.loads.setdefault(entity, {kind: set() for kind in KINDS})

    def drop(self, record: int) -> None:
        """Forget a record: it was sent, or there is nothing to say any more."""
        self.marks.pop(record, None)
        for load in self.loads.values():
            for found in load.values():
                found.discard(record)


def to_weigh(db: Database, scene: Scene, platform: str, burst: Burst) -> list[tuple[int, tuple[int, int]]]:
    """Return the records that a platform is behind on and that were not weighed as they are now, with their marks."""
    for entity in scene.rules.entities:
        burst.renew(entity, breakers.last_reset(db, platform, entity))
    due = {one.record: one.stand for one in outbox.due(db, platform, scene.now, 1_000_000)}
    for gone in burst.marks.keys() - due.keys():
        burst.drop(gone)
    return [(record, mark) for record, mark in due.items() if burst.marks.get(record) != mark]


def weigh(db: Database, scene: Scene, platform: str, burst: Burst, part: Sequence[tuple[int, tuple[int, int]]]) -> None:
    """Plan these records and add them to the burst. Reads only."""
    space = scene.space()
    records.load(db, space, records=[record for record, _ in part])
    for record, mark in part:
        note(db, space, space.records.get(record), platform, burst)
        burst.marks[record] = mark


def judge_burst(db: Database, scene: Scene, platform: str, burst: Burst) -> list[Trip]:
    """Trip the breakers whose figures the whole burst exceeds."""
    return [trip for entity in list(burst.loads) for trip in judge_load(db, scene, platform, entity, burst.load(entity))]


def parked(db: Database, scene: Scene, platform: str, entity: str) -> int:
    """Return how many records of an entity would be changed, emptied or deleted on a platform if it were let go now."""
    burst, ids = Burst(), sorted(outbox.of_entity(db, platform, entity))
    for start in range(0, len(ids), CHUNK):
        weigh(db, scene, platform, burst, [(record, (0, 0)) for record in ids[start : start + CHUNK]])
    return len(set().union(*burst.load(entity).values()))


def note(db: Database, space: Space, record: Record | None, platform: str, burst: Burst) -> None:
    """Count one record with what would be written of it now; what waits for approval will not be."""
    if record is None or record.entity not in space.rules.entities:
        return
    burst.drop(record.id)
    member = space.rules.entities[record.entity].members.get(platform)
    if member is None or (member.mode == "propose" and not is_approved(db, record.id, platform)):
        return
    write = plan(space, record, platform).write
    if write is not None:
        add(burst.load(record.entity), record, write)


def is_approved(db: Database, record: int, platform: str) -> bool:
    """Return whether a person approved a write of this record to the platform."""
    latest = proposals.latest(db, record, platform)
    return latest is not None and latest.state == "approved"


def add(load: Load, record: Record, write: Write) -> None:
    """Add what a write would do to the load of its entity."""
    shadow = record.shadows.get(write.platform)
    if write.op in (Op.DELETE, Op.ARCHIVE):
        load["deletes"].add(record.id)
    if write.op is not Op.UPDATE or shadow is None:
        return
    held = {name: known.raw for name in write.sent if (known := shadow.fields.get(name)) is not None}
    if any(held.get(name) not in EMPTY for name in write.sent):
        load["changes"].add(record.id)
    if any(value in EMPTY and held.get(name) not in EMPTY for name, value in write.sent.items()):
        load["blanked"].add(record.id)


def judge_load(db: Database, scene: Scene, platform: str, entity: str, load: Load) -> list[Trip]:
    """Trip the breakers that this load, with what was written in their windows, exceeds; return those that are new."""
    if not any(load.values()):
        return []
    rules = scene.rules.entities[entity]
    linked = tallies.linked(db, platform, entity)
    found = []
    for kind in KINDS:
        limit = limit_of(rules, kind)
        count = counted(db, scene, platform, entity, kind, load[kind], limit)
        if load[kind] and trips(limit, count, linked):
            found.append(Trip(platform, entity, kind, count, linked, limit, rules.safety.on_trip == "pause"))
    return [trip for trip in found if open_breaker(db, scene, trip)]


def limit_of(entity: Entity, kind: str) -> Limit:
    """Return the figures of one breaker."""
    limit: Limit = getattr(entity.safety, kind)
    return limit


def counted(
    db: Database, scene: Scene, platform: str, entity: str, kind: str, load: Iterable[int], limit: Limit
) -> int:
    """Return how many records count against a limit: those of its window and those about to be written.

    After a reset the window starts afresh; what the reset allows is not counted.
    """
    since = max(scene.now - limit.per, breakers.last_reset(db, platform, entity))
    whole = breakers.written(db, platform, entity, since=since)[kind] | set(load)
    allowed = breakers.allowance(db, platform, entity, now=scene.now)
    return len(whole) if allowed is None else max(0, len(whole) - allowed.allow)


def open_breaker(db: Database, scene: Scene, trip: Trip) -> bool:
    """Trip a breaker; under ``on_trip: warn`` it is only told. Returns whether there is something to tell."""
    if not trip.paused:
        return True
    limit = trip.limit
    figures = {"count": trip.count, "linked": trip.linked, "max": limit.max, "ratio": limit.ratio, "per": limit.per}
    return breakers.trip(db, trip.platform, trip.entity, trip.kind, figures=figures, now=scene.now)


def stopped(db: Database, platform: str) -> set[str]:
    """Return the entities whose writes to a platform are stopped by a breaker."""
    return {one.entity for one in breakers.standing(db) if one.platform == platform}
