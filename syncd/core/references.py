"""References between entities: a parent's native id becomes its record on the way in, and its row there on the way out.

A child that names a thing which is no record yet waits for that one field; it is read again when the thing becomes a record
(``Space.doubles``). A parent that has no row on a platform is waited for there, unless it waits for the child itself.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from typing import Any

from syncd.core.identity import UNIQUE
from syncd.core.mapping import native_value
from syncd.core.model import Change, Known, Life, Native, Reading, Record, State, Value, Word
from syncd.core.native import NoWord
from syncd.core.reftypes import Ref
from syncd.core.rules import Entity, Field, Member, Rules
from syncd.core.space import Key, Space, Thing
from syncd.core.waits import WAITS

COMPILED = "(references)"  # no platform is called that
ROW = f"{UNIQUE}row "  # what the name of the key begins with under which a child waits for a thing
Ids = list[Value]


def references(entity: Entity) -> dict[str, str]:
    """Return the fields of an entity that are references, with the entity they lead to; the entity keeps them."""
    known: dict[str, str] | None = entity.compiled.get(COMPILED)
    if known is None:
        known = {f.name: f.type.entity for f in entity.fields.values() if isinstance(f.type, Ref)}
        entity.compiled[COMPILED] = known
    return known


def as_list(value: Value) -> Ids:
    """Return the members of a reference, whether it is one or a list."""
    return list(value) if isinstance(value, list) else [] if value is None else [value]


def parents_of(rules: Rules, record: Record) -> Iterator[int]:
    """Yield the records that a record refers to."""
    entity = rules.entities.get(record.entity)
    for name in references(entity) if entity else ():
        golden = record.golden.get(name)
        yield from (one for one in as_list(golden.value if golden else None) if isinstance(one, int))


def named_by(rules: Rules, platform: str, values: Mapping[str, Reading], entity: Entity) -> Iterator[Thing]:
    """Yield the things of their platform that readings refer to."""
    for name, target in references(entity).items():
        reading, parent = values.get(name), rules.entities.get(target)
        if reading is None or reading.state is not State.VALUE or parent is None or platform not in parent.members:
            continue
        place = (platform, parent.members[platform].collection)
        yield from ((*place, one) for one in as_list(reading.value) if isinstance(one, str))


# ---- on the way in


def settled(space: Space, entity: Entity, change: Change, readings: Mapping[str, Reading]) -> Mapping[str, Reading]:
    """Return readings with records for native ids; one whose parent is no record yet is invalid until it is."""
    if not references(entity) or space.one_name:
        return readings
    found, waiting = dict(readings), list[Key]()
    for name, target in references(entity).items():
        reading = readings.get(name)
        if reading is None or reading.state is not State.VALUE:
            continue
        ids = [one for one in as_list(reading.value) if not is_replaced(space, target, change.platform, one)]
        records = [record_of(space, target, change.platform, one) for one in ids]
        lost = [str(one) for one, record in zip(ids, records, strict=True) if record is None]
        if lost:
            why = f"{WAITS}{target} {', '.join(lost)} of {change.platform}"
            found[name] = Reading(State.INVALID, None, why)
            waiting += [key_of_row(space.rules, target, change.platform, one) for one in lost]
        else:
            found[name] = referring(records if isinstance(reading.value, list) else next(iter(records), None))
    space.doubles[change.platform, change.collection, change.id] = tuple(waiting)
    return found


def record_of(space: Space, target: str, platform: str, native: Value) -> int | None:
    """Return the record of the entity that a native id is, None if it is none yet."""
    if isinstance(native, int):
        return native  # a record already
    parent = space.rules.entities.get(target)
    if parent is None or platform not in parent.members:
        return None
    thing = (platform, parent.members[platform].collection, str(native))
    link = space.links.get(thing) or space.parent_links.get(thing)
    if link is not None:
        return link.record
    for record in (*space.parents.values(), *space.records.values()):
        shadow = record.shadows.get(platform)
        if record.entity == target and shadow is not None and shadow.id == thing[2]:
            return record.id
    return None


def referring(value: Value) -> Reading:
    """Return the reading of a reference that leads to records."""
    return Reading(State.NULL if value is None else State.VALUE, value)


def is_replaced(space: Space, target: str, platform: str, native: Value) -> bool:
    """Return whether a native id is that of a dead row in whose place its record has another one: it leads nowhere now."""
    home = space.rules.entities.get(target)
    if isinstance(native, int) or home is None or platform not in home.members:
        return False
    thing = (platform, home.members[platform].collection, str(native))
    link = space.links.get(thing) or space.parent_links.get(thing)
    if link is None or link.record is None or link.life is not Life.GONE:
        return False
    return row_of(space, platform, link.record) not in (None, thing[2])


def let_go(space: Space, child: Record, platform: str, number: int) -> bool:
    """Let a child's row there refer no longer to a parent whose row was replaced; return whether it did. It is written anew."""
    shadow, entity, moved = child.shadows.get(platform), space.rules.entities[child.entity], False
    for name in references(entity):
        known = shadow.fields.get(name) if shadow is not None else None
        if known is None or number not in as_list(known.raw):
            continue
        rest = [one for one in as_list(known.raw) if one != number]
        known.raw = known.means = rest if isinstance(known.raw, list) else None
        known.known, known.word = (Known.NULL if known.raw is None else Known.OK), Word.OURS
        moved = True
    return moved


def follow(child: Record, names: Collection[str], old: int, new: int) -> None:
    """Let references of a record lead from a record that is no more to the one that it became one with; no author moves."""

    def moved(value: Any) -> Any:
        if isinstance(value, list):
            return list(dict.fromkeys(new if one == old else one for one in value)) if old in value else value
        return new if value == old else value

    for name in names:
        golden = child.golden.get(name)
        if golden is not None:
            ruled = {who: moved(said) for who, said in golden.ruled.items()} if golden.ruled is not None else None
            child.golden[name] = replace(golden, value=moved(golden.value), ruled=ruled)
        for known in [shadow.fields[name] for shadow in child.shadows.values() if name in shadow.fields]:
            known.raw, known.means = moved(known.raw), moved(known.means)
            for kept in filter(None, (known.kept, known.twice)):
                kept[:] = [moved(one) for one in kept]
        conflict = child.conflicts.get(name)
        if conflict is not None:
            values = {who: moved(said) for who, said in conflict.values.items()}
            child.conflicts[name] = replace(conflict, values=values, proposal=moved(conflict.proposal))


def key_of_row(rules: Rules, target: str, platform: str, native: str) -> Key:
    """Return the key under which a child waits for a thing to become a record."""
    parent = rules.entities.get(target)
    collection = parent.members[platform].collection if parent and platform in parent.members else ""
    return target, f"{ROW}{platform} {collection}", native


# ---- on the way out


def parent(space: Space, number: Value) -> Record | None:
    """Return a parent, None if it is not in the working set."""
    return space.records.get(number) or space.parents.get(number)


def native_of(space: Space, entity: Entity, platform: str, name: str, value: Value) -> Native:
    """Return a golden value as the platform has it, a reference as the parent's id there; raises NoWord."""
    target = references(entity).get(name)
    if target is None or value is None or space.one_name:
        return native_value(entity, platform, name, value)
    place = entity.fields[name].maps[platform]
    find = row_of if any(not step.name.startswith("ref(") for step in place.write) else id_of  # pipelines are given text
    ids = [find(space, platform, one) for one in as_list(value)]
    if any(one is None for one in ids):
        raise NoWord(f"{target} has no row on {platform}")
    return native_value(entity, platform, name, ids if isinstance(value, list) else ids[0])


def row_of(space: Space, platform: str, number: Value) -> str | None:
    """Return a record's native id on a platform, None if it is not there."""
    record = parent(space, number)
    shadow = record.shadows.get(platform) if record else None
    return shadow.id if shadow is not None and shadow.id and shadow.life is not Life.GONE else None


def id_of(space: Space, platform: str, number: Value) -> Native:
    """Return a record's id on a platform as the platform itself shows it, a number where it is one; None if it is not there.

    Text where its own id was never shown: a thing known by its topic or its file's name only.
    """
    native = row_of(space, platform, number)
    above = parent(space, number)
    if native is None or above is None:
        return None
    home = space.rules.entities.get(above.entity)
    path = home.members[platform].id_path if home is not None and platform in home.members else ""
    own = above.shadows[platform].raws.get(path)
    return own if isinstance(own, int) and not isinstance(own, bool) and str(own) == native else native


def missing(space: Space, member: Member, mapped: Field, value: Value) -> tuple[str, bool]:
    """Return why a reference cannot be written to a platform yet, or '', and whether it will be once the parent is there.

    A parent that itself waits for this record is not waited for: its reference is written by an update that follows.
    """
    target = mapped.type.entity if isinstance(mapped.type, Ref) and not space.one_name else ""
    for one in as_list(value) if target else ():
        if row_of(space, member.platform, one) is not None:
            continue
        there = parent(space, one)
        if there is None or there.life is not Life.ALIVE:
            return f"{target} {there.key or there.id if there else one} is deleted", False
        rules = space.rules.entities.get(target)
        if rules is None or member.platform not in rules.members:
            return f"{target} does not live on {member.platform}", False
        return waits_for(target, there.key or str(there.id), member.platform), True
    return "", False


def waits_for(entity: str, key: str, platform: str) -> str:
    """Return the reason of a write that waits for a parent's row."""
    return f"{WAITS}{entity} {key} on {platform}"


def in_circle(space: Space, platform: str, record: Record, value: Value) -> bool:
    """Return whether a parent that has no row on a platform waits, itself or by its own parents, for this record."""
    done, ahead = set[int](), as_list(value)
    while ahead:
        number = ahead.pop()
        if number == record.id:
            return True
        above = parent(space, number)
        if number in done or above is None or row_of(space, platform, number) is not None:
            continue
        done.add(number)
        ahead += parents_of(space.rules, above)
    return False


def orphaned(entity: Entity, record: Record, platform: str) -> dict[str, str]:
    """Return the references of a record that nobody could follow yet, of those that a platform is told, with the reason."""
    found = {}
    for name in references(entity):
        golden, mapped = record.golden.get(name), entity.fields[name].maps.get(platform)
        if mapped is None or mapped.direction == "in" or (golden is not None and golden.value is not None):
            continue
        whys = [s.fields[name].reason for s in record.shadows.values() if s.life is Life.ALIVE and name in s.fields]
        why = next((why for why in whys if why.startswith(WAITS)), "")
        if why:
            found[name] = why
    return found


def take_out_missing(space: Space, member: Member, record: Record, values: dict[str, Value], held: dict[str, str]) -> bool:
    """Take out references to records that have no row there, saying why; return whether one of them is waited for."""
    entity, late = space.rules.entities[record.entity], False
    for name in [name for name in values if name in references(entity)]:
        why, comes = missing(space, member, entity.fields[name], values[name])
        if why:
            late |= comes and not in_circle(space, member.platform, record, values[name])
            held[name] = why
            del values[name]
    return late
