"""A person's word on which things are which record: two are one, or a row is a record of its own. In the ledger's thread."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from syncd.core import split as core_split
from syncd.core import unite as core_unite
from syncd.core.life import IDENTITY
from syncd.core.model import Change, Life, Record
from syncd.core.rules import Entity
from syncd.core.space import Space, Thing
from syncd.core.unite import called
from syncd.daemon.judge import store
from syncd.daemon.rule import Done, open_conflict
from syncd.daemon.scene import Scene
from syncd.errors import SyncdError
from syncd.ledger import aliases, audit, conflicts, lookup, records, strangers
from syncd.ledger.conflicts import Open
from syncd.ledger.loaded import Loaded
from syncd.ledger.schema import Database

WAYS = "say --link A B (two that are one) or --split (it is a record of its own)"


@dataclass(slots=True)
class Table:
    """What a word on identity works with: the working set, the entity, who says it, and the conflict if there is one."""

    db: Database
    space: Space
    loaded: Loaded
    entity: Entity
    by: str
    conflict: Open | None


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two that are to be one: a record, or a thing that is none yet."""

    text: str
    record: Record | None = None
    look: Change | None = None


def identify(db: Database, scene: Scene, request: Mapping[str, Any]) -> Done:
    """Link two, or split one off; raises SyncdError, with nothing stored, for what cannot be done.

    The request has ``conflict`` (its number) or ``thing`` (PLATFORM:NATIVE_ID), and ``link`` (two names) or ``split``.
    """
    number, by, note = request.get("conflict"), str(request.get("by") or "somebody"), str(request.get("note") or "")
    conflict = open_conflict(db, int(number)) if number is not None else None
    if conflict is not None and request.get("link") and conflict.kind != "identity":
        raise SyncdError(f"c-{conflict.id} is about {conflict.field or conflict.kind}, not about which records are one")
    space = scene.space()
    entity = entity_of(db, scene, conflict, str(request.get("thing") or ""))
    table = Table(db, space, records.load(db, space), entity, by, conflict)
    text = link(table, request["link"]) if request.get("link") else split(table, request)
    said = f"{text}: {note}" if note else text
    if conflict is not None:
        space.closed.append((conflict.id, "resolved", said))
    done = Done(set(space.touched), 1)
    space.behind |= {(n, p) for n in space.touched for p in entity.members if space.records[n].life is Life.ALIVE}
    store(db, space, table.loaded, (), done.judged)
    strangers.forget(db, [thing for thing in space.relinked if space.links[thing].record is not None])
    if conflict is not None:
        conflicts.note(db, conflict.id, said, by=by, now=scene.now)
    audit.add(db, by, "resolve", {"conflict": conflict.id if conflict else None, "said": said}, now=scene.now)
    done.records |= done.judged.met | space.touched
    return done


def entity_of(db: Database, scene: Scene, conflict: Open | None, text: str) -> Entity:
    """Return the entity that a conflict, or a thing named by a person, is about."""
    if conflict is not None:
        found = scene.rules.entities.get(conflict.entity)
        if found is None:
            raise SyncdError(f"c-{conflict.id} is about {conflict.entity}, which the config knows no more")
        return found
    platform, _, native = text.partition(":")
    entities = [e for e in scene.rules.entities.values() if platform in e.members and has_thing(db, e, platform, native)]
    if len(entities) != 1:
        several = f"several collections of {platform} have it" if entities else "the ledger knows no such thing"
        raise SyncdError(f"{text}: {several}")
    return entities[0]


def has_thing(db: Database, entity: Entity, platform: str, native: str) -> bool:
    """Return whether the ledger knows a thing of an entity, as a record's row or as one that waits."""
    thing = platform, entity.members[platform].collection, native
    return strangers.look(db, thing) is not None or bool(lookup.find_records(db, entity.name, f"{platform}:{native}"))


# ---- two that are one


def link(table: Table, names: tuple[str, str]) -> str:
    """Make one of two records, of a thing and a record, or of two things; return what was done, for the history."""
    one, other = (side(table, str(text)) for text in names)
    if one.record is not None and other.record is not None:
        unite(table, one.record, other.record)
    elif one.record is None and other.record is None:
        assert one.look is not None
        made = core_split.make_record(table.space, table.entity, one.look, (), table.by)
        take(table, made, other)
    else:
        record, thing = (one.record, other) if one.record is not None else (other.record, one)
        assert record is not None
        take(table, record, thing)
    return f"link {one.text} {other.text}"


def side(table: Table, text: str) -> Side:
    """Return what a name stands for; raises SyncdError if it stands for nothing."""
    platform, colon, native = text.partition(":")
    member = table.entity.members.get(platform) if colon else None
    look = strangers.look(table.db, (platform, member.collection, native)) if member is not None else None
    waiting = table.conflict.thing if table.conflict is not None else None
    if look is None and waiting is not None and text == waiting[2]:
        look = strangers.look(table.db, waiting)
    if look is not None:
        return Side(text, look=look)
    number = lookup.find_record(table.db, table.entity.name, text)
    if number is None:
        known = "name it by its key, by PLATFORM:ID or by syncd's own id"
        raise SyncdError(f'no {table.entity.name} "{text}" in the ledger; {known}')
    records.load(table.db, table.space, records=[number], loaded=table.loaded)
    return Side(text, table.space.records[number])


def unite(table: Table, one: Record, other: Record) -> None:
    """Make one of two records."""
    if one is other:
        raise SyncdError(f"{called(one)} is one record already")
    ended = next((record for record in (one, other) if record.life is not Life.ALIVE), None)
    if ended is not None:
        raise SyncdError(f"{called(ended)} was deleted: there is nothing to link")
    why = core_unite.obstacle(table.space, one, other)
    if why:
        cure = "wait for its answer and say it again" if "under way" in why else "delete one of the rows there and say it again"
        raise SyncdError(f"{called(one)} and {called(other)} cannot be one: {why}. A record has one row on a platform: {cure}")
    aliases.join(table.db, one.id, other.id)
    core_unite.unite(table.space, one, other, f"{table.by} says so")


def take(table: Table, record: Record, thing: Side) -> None:
    """Give a record the row that a thing is."""
    assert thing.look is not None
    platform = thing.look.platform
    row = record.shadows.get(platform)
    if record.life is not Life.ALIVE:
        raise SyncdError(f"{called(record)} was deleted: there is nothing to link")
    if row is not None and row.life in core_unite.HERE:
        raise SyncdError(
            f"{called(record)} has a row in {platform} already ({row.id}). A record has one row on a platform:"
            f" delete one of the two there, or say --split: {thing.look.id} is a record of its own"
        )
    if (record.id, platform) in table.space.in_flight:
        raise SyncdError(f"a write of {called(record)} to {platform} is under way: wait for its answer and say it again")
    core_split.take_thing(table.space, table.entity, record, thing.look, f"linked by {table.by}")


# ---- one that is two


def split(table: Table, request: Mapping[str, Any]) -> str:
    """Make a record of its own of a thing that waits, or of a record's row; or keep two records apart."""
    conflict = table.conflict
    if conflict is not None and conflict.thing is not None:
        return split_thing(table, conflict.thing, conflict.candidates)
    if conflict is not None and conflict.kind == "identity" and not request.get("row"):
        return keep_apart(table, conflict)
    if conflict is None:
        platform, _, native = str(request["thing"]).partition(":")
        thing = platform, table.entity.members[platform].collection, native
        if strangers.look(table.db, thing) is not None:
            return split_thing(table, thing, ())
        number = lookup.find_record(table.db, table.entity.name, str(request["thing"]))
    else:
        platform, number = str(request.get("row") or ""), conflict.record
    assert number is not None
    records.load(table.db, table.space, records=[number], loaded=table.loaded)
    return split_row(table, table.space.records[number], platform)


def split_thing(table: Table, thing: Thing, candidates: tuple[int, ...]) -> str:
    """Make a record of its own of a thing that waits."""
    look = strangers.look(table.db, thing)
    if look is None:
        raise SyncdError(f"{thing[0]} {thing[2]} is not known any more: the next sweep of {thing[0]} tells what it is")
    made = core_split.make_record(table.space, table.entity, look, candidates, table.by)
    return f"split: {thing[0]} {thing[2]} is {called(made)}"


def keep_apart(table: Table, conflict: Open) -> str:
    """Remember that records which share a key are not one; nothing of them waits for that any more."""
    assert conflict.record is not None
    records.load(table.db, table.space, records=[conflict.record, *conflict.candidates], loaded=table.loaded)
    core_split.keep_apart(table.space, conflict.candidates, conflict.record, table.by)
    record = table.space.records[conflict.record]
    others = [table.space.records[number] for number in conflict.candidates if number in table.space.records]
    for one in (record, *others):
        one.conflicts.pop(IDENTITY, None)
        core_unite.note_version(table.space, one, f"kept apart by {table.by}: {', '.join(map(called, (record, *others)))}")
    return f"split: {called(record)} is not {', '.join(map(called, others))}"


def split_row(table: Table, record: Record, platform: str) -> str:
    """Make a record of its own of a record's row."""
    if not platform:
        living = [name for name, row in record.shadows.items() if row.life is not Life.GONE]
        raise SyncdError(f"say which row of {called(record)} is split off: --row {' or --row '.join(living)}")
    why = core_split.obstacle(table.space, record, platform)
    if why:
        raise SyncdError(f"nothing to split: {why}")
    native = record.shadows[platform].id
    made = core_split.split(table.space, record, platform, table.by)
    return f"split: {platform} {native} is {called(made)}"

