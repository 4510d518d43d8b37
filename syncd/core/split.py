"""A row that no longer belongs to its record: it becomes a record of its own, and a person's word keeps the two apart.

What stands in the row is then its own word, whoever wrote it there; what the record had from that row is decided again by the
others. And the other way round: a thing that a person says is a record, or is a record's row.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from syncd.core.absorb import absorb
from syncd.core.conclude import conclude, snapshot
from syncd.core.decide import join
from syncd.core.folds import is_counter, is_set
from syncd.core.identity import own_id
from syncd.core.life import IDENTITY, life_conflict
from syncd.core.mapping import read_item
from syncd.core.model import Change, Known, Life, Reading, Record, Shadow, ShadowField, State, Via
from syncd.core.rules import Entity
from syncd.core.space import Link, Space
from syncd.core.unite import called, note_version


def split(space: Space, record: Record, platform: str, by: str) -> Record:
    """Make the row of a record on a platform a record of its own and return that. The caller has asked ``obstacle``."""
    entity, row = space.rules.entities[record.entity], record.shadows.pop(platform)
    made = new_record(space, entity)
    told, before = (called(record), own_id(entity, made)), snapshot(record)
    space.link((platform, row.collection, row.id), Link(made.id, evidence=f"split off from {told[0]} by {by}"))
    keep_apart(space, (record.id,), made.id, by)
    take_words(space, made, row)
    note_version(space, made, f"split off from {told[0]} by {by}: {platform} {row.id}")
    conclude(space, made, f"split off from {told[0]}", before={})
    forget_words(entity, record, platform)
    note_version(space, record, f"{platform} {row.id} split off as {called(made)} by {by}")
    record.conflicts.pop(life_conflict(platform), None)
    record.conflicts.pop(IDENTITY, None)
    conclude(space, record, f"{platform} {row.id} split off", before=before)
    return made


def obstacle(space: Space, record: Record, platform: str) -> str:
    """Return why a row cannot be split off now, or ''."""
    row = record.shadows.get(platform)
    if row is None or row.life is Life.GONE or not row.id:
        return f"{called(record)} has no row in {platform}"
    if not any(s.life is not Life.GONE for p, s in record.shadows.items() if p != platform):
        return f"{platform} {row.id} is the only row of {called(record)}: it is a record of its own already"
    if any(number == record.id for number, _ in space.in_flight):
        return f"a write to {called(record)} is under way"
    return ""


def new_record(space: Space, entity: Entity) -> Record:
    """Return a new record without rows."""
    made = Record(space.next_id, entity.name, born=space.number())
    space.next_id += 1
    return made


def keep_apart(space: Space, records: Iterable[int], other: int, by: str) -> None:
    """Remember that a person said these are not the other one."""
    space.parted |= {(min(one, other), max(one, other)): by for one in records if one != other}


def take_words(space: Space, record: Record, row: Shadow) -> None:
    """Let a row speak to a new record as if it were seen for the first time: what is stored there is its own word."""
    look = Change(row.platform, row.collection, row.id, Via.READ, row.as_of, row.seen_at, item={})
    look = replace(look, version=row.version, changed_at=row.changed_at)
    fresh = record.shadows[row.platform] = Shadow(row.platform, row.collection, row.id, raws=dict(row.raws))
    absorb(space, record, fresh, look, readings=readings_of(row.fields), mine={})
    fresh.life, fresh.old_version = row.life, row.old_version
    space.touch(record)


def readings_of(fields: Mapping[str, ShadowField]) -> dict[str, Reading]:
    """Return a shadow's fields as if they were read just now."""
    found = {}
    for name, known in fields.items():
        if known.known is Known.INVALID:
            found[name] = Reading(State.INVALID, reason=known.reason)
        elif known.known is not Known.NEVER:
            found[name] = Reading(State.NULL if known.known is Known.NULL else State.VALUE, known.raw)
    return found


def forget_words(entity: Entity, record: Record, platform: str) -> None:
    """What golden had from a row that is another record's is only provisional: the others decide again, if they say anything.

    Members of sets and counts stay: nobody can tell any more whose they are.
    """
    for name, golden in record.golden.items():
        field = entity.fields.get(name)
        if field is not None and golden.who == platform and not is_set(field) and not is_counter(field):
            golden.provisional, golden.ruled = True, None


# ---- a thing that is no record yet


def make_record(space: Space, entity: Entity, change: Change, candidates: Iterable[int], by: str) -> Record:
    """Make a record of a thing because a person says that it is none of the candidates."""
    record = new_record(space, entity)
    keep_apart(space, candidates, record.id, by)
    take_thing(space, entity, record, change, f"made a record of its own by {by}")
    return record


def take_thing(space: Space, entity: Entity, record: Record, change: Change, evidence: str) -> None:
    """Link a thing to a record because a person says so."""
    readings = read_item(entity, change.platform, change.item or {})
    join(space, record, change, readings=readings, evidence=evidence)
