"""The first look at what a platform is behind on: what is there to send, and what must be asked before it may be sent."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from syncd.core.model import Native, Record, Value
from syncd.core.plan import Plan, asked_by, golden_values, plan
from syncd.core.rules import Entity
from syncd.core.space import Space, Thing
from syncd.daemon.judge import NEVER, WAITS_FOR_SWEEP
from syncd.daemon.scene import Scene
from syncd.daemon.weigh import BREAKER, stopped
from syncd.ledger import outbox, pauses, records
from syncd.ledger.outbox import Due
from syncd.ledger.schema import Database

PAUSED = "paused"


@dataclass(frozen=True, slots=True)
class Query:
    """A look-up by match key: whether ``platform`` has the record, by a native value at a path."""

    record: int
    platform: str
    collection: str
    path: str
    value: Native


@dataclass(frozen=True, slots=True)
class Rest:
    """An outbox row that is not sent now: it waits until then, and why; without a time it leaves the outbox."""

    due: Due
    until: int | None = None
    why: str = ""


@dataclass(slots=True)
class Survey:
    """What is due and what it needs: things to read, look-ups, and collections that must be swept first. ``rests``: others."""

    due: list[Due] = field(default_factory=list)
    rests: list[Rest] = field(default_factory=list)
    looks: list[Thing] = field(default_factory=list)
    queries: list[Query] = field(default_factory=list)
    sweeps: set[tuple[str, str]] = field(default_factory=set)
    seen: int = 0  # rows that were due, those with nothing to send included
    unweighed: bool = False  # some were left alone because the breakers have not seen them as they are now


def survey(db: Database, scene: Scene, platform: str, weighed: Mapping[int, tuple[int, int]], *, limit: int) -> Survey:
    """Plan up to ``limit`` records that a platform is behind on. Reads only: ``prepare`` stores what follows.

    Only those are taken that were ``weighed`` as they are now (by record, what tells their row).
    """
    rows = outbox.due(db, platform, scene.now, limit)
    due = [one for one in rows if weighed.get(one.record) == one.stand]
    found = Survey(seen=len(rows), unweighed=len(due) < len(rows))
    space = scene.space()
    records.load(db, space, records=[one.record for one in due])
    blocks = blocked(db, scene, platform)
    for one in due:
        record = space.records[one.record]
        entity = space.rules.entities.get(record.entity)
        reason = blocks.get(record.entity) or blocks.get("")
        if entity is None or platform not in entity.members:
            found.rests.append(Rest(one))
        elif reason:
            found.rests.append(Rest(one, reason[1], reason[0]))
        else:
            sort(space, record, one, found)
    return found


def blocked(db: Database, scene: Scene, platform: str) -> dict[str, tuple[str, int]]:
    """Return why and until when entities may not be written to a platform; entity '' is all of them."""
    blocks = dict.fromkeys(stopped(db, platform), (BREAKER, NEVER))
    paused = [one for one in pauses.standing(db, scene.now) if one.platform == platform]
    return {one.entity: (PAUSED, one.until or NEVER) for one in paused} | blocks


def sort(space: Space, record: Record, due: Due, found: Survey) -> None:
    """Put one record where it belongs: nothing to send, to be asked about, or ready."""
    planned, asked = plan(space, record, due.platform), True
    entity = space.rules.entities[record.entity]
    if planned.need in ("look", "authority") and planned.write is not None and planned.write.id is not None:
        found.looks.append((due.platform, planned.write.collection, planned.write.id))  # a deletion may need both proofs
    if planned.need == "find":
        asked = ask(space, record, due, found, platform=due.platform)
    elif planned.need == "authority" and record.tomb is not None:
        asked = ask(space, record, due, found, platform=record.tomb.platform)
    elif planned.need == "sweep":
        found.rests.append(Rest(due, NEVER, WAITS_FOR_SWEEP))
        found.sweeps |= unproved(space, entity, record, planned)
        asked = False
    if asked:
        found.due.append(due)


def ask(space: Space, record: Record, due: Due, found: Survey, *, platform: str) -> bool:
    """Ask a platform by key; where it cannot be asked, only a scan can tell: then the record waits, and False is returned."""
    query = query_for(space.rules.entities[record.entity], record.id, golden_values(record), platform)
    if query is not None:
        found.queries.append(query)
        return True
    member = space.rules.entities[record.entity].members.get(platform)
    if member is not None:
        found.rests.append(Rest(due, NEVER, WAITS_FOR_SWEEP))
        found.sweeps.add((platform, member.collection))
    return False


def put_to_rest(db: Database, rest: Rest) -> None:
    """Store that a record is not sent now."""
    due = rest.due
    if rest.until is None:
        outbox.clear(db, due.record, due.platform, mark=due.mark)
    else:
        outbox.postpone(db, due.record, due.platform, until=rest.until, error=rest.why, counts=False)


def unproved(space: Space, entity: Entity, record: Record, planned: Plan) -> set[tuple[str, str]]:
    """Return the collections whose complete scan a create waits for."""
    assert planned.write is not None
    never = {(m.platform, m.collection) for m in entity.members.values() if not space.is_swept(m)}
    target = entity.members[planned.write.platform]
    old = space.swept.get((target.platform, target.collection), -1) <= record.born
    asked = asked_by(entity, target, golden_values(record)) is not None
    return never | ({(target.platform, target.collection)} if old and not asked else set())


def query_for(entity: Entity, record: int, values: Mapping[str, Value], platform: str) -> Query | None:
    """Return how to ask a platform for a record with these values: by the first match key of one field that it has, or None."""
    member = entity.members.get(platform)
    if member is None:
        return None
    found = asked_by(entity, member, values)
    return None if found is None else Query(record, platform, member.collection, *found)


def things_by_collection(things: Sequence[Thing]) -> dict[tuple[str, str], list[str]]:
    """Return native ids by platform and collection, each once."""
    found: dict[tuple[str, str], dict[str, None]] = {}
    for platform, collection, native in things:
        found.setdefault((platform, collection), {})[native] = None
    return {place: list(ids) for place, ids in found.items()}
