"""One observation in, one verdict out: the pure heart of syncd.

``observe`` takes a change into the working set: it finds the record, asks whether the look is news (``core.news``), lets the
shadow become the look (``core.absorb``), and decides the record (``core.conclude``). Where an observation cannot be ordered it
is only a hint, and the answer is READ: "read it, then ask me again". The rules are numbered as in the semantics.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from syncd.core.absorb import absorb
from syncd.core.bounds import is_partial, is_within
from syncd.core.computed import Failed
from syncd.core.conclude import conclude, snapshot
from syncd.core.conditions import checked
from syncd.core.depart import depart
from syncd.core.identity import match_keys, record_keys, unique_keys
from syncd.core.life import (
    MERGED,
    begin_life,
    buried_at,
    is_cleared,
    life_conflict,
    live_again,
)
from syncd.core.mapping import read_item
from syncd.core.model import Change, Conflict, Life, Reading, Record, Shadow, State, Value, Via
from syncd.core.news import News, is_new_life, order
from syncd.core.references import ROW, settled
from syncd.core.rules import Entity, Match, Member
from syncd.core.space import Key, Link, Loose, Space, Thing
from syncd.core.verdict import Said, Verdict, is_in_flight, read_again, read_or_drop, thing_of

__all__ = ["Said", "Verdict", "observe"]


def observe(space: Space, change: Change) -> Said:
    """Decide one observation inside the working set. Total and deterministic; the only effects are on ``space``."""
    entity = space.rules.entity_of(change.platform, change.collection)
    if entity is None:
        return Said(Verdict.DROPPED, "no entity lives in this collection")
    record = linked(space, thing_of(change))
    if record and is_in_flight(space, record, change.platform):
        return Said(Verdict.DEFERRED, "an attempt is open", record.id)
    member = entity.members[change.platform]
    if member.only is not None and change.item is not None and not change.gone and not change.left:
        outside = beyond(space, entity, member, change, record)
        if outside is not None:
            return outside
    if change.gone or change.left:
        return depart(space, entity, member, change, record)
    if record is None:
        return arrive(space, entity, member, change)
    return update(space, entity, member, change, record)


def linked(space: Space, thing: Thing) -> Record | None:
    """Return the record that a living link names."""
    link = space.links.get(thing)
    if link is None or link.record is None or link.life is Life.GONE:
        return None
    return space.records.get(link.record)


# ---- a thing that is out of scope


def beyond(space: Space, entity: Entity, member: Member, change: Change, record: Record | None) -> Said | None:
    """Answer a look at a thing that is out of scope by ``only``: one that was never seen is nobody's, a known one leaves.

    Returns None if it is in scope. Raises Failed if that cannot be told of a thing that is not known; a known one stays.
    """
    if record is None and is_ghost(member, change):
        return None  # it is read first
    shadow = record.shadows.get(change.platform) if record is not None else None
    if is_partial(member, change, shadow):
        return read_again(change, "it does not show whether it is in scope")
    try:
        if is_within(member, change, shadow, space.now):
            return None
    except Failed as error:
        if record is None:
            raise
        return Said(Verdict.DROPPED, f"only: {error}", record.id)
    if record is not None:
        return depart(space, entity, member, replace(change, left=True), record)
    thing = thing_of(change)
    if thing in space.links:
        space.link(thing, Link(None, evidence="out of scope"))
    space.settled.append(thing)
    return Said(Verdict.DROPPED, "out of scope")


# ---- a thing that is known


def update(space: Space, entity: Entity, member: Member, change: Change, record: Record) -> Said:
    """Take a look at a linked thing into its shadow, if it is news."""
    shadow = record.shadows[change.platform]
    readings = without_doubles(space, entity, change, record, read(space, entity, change, shadow))
    news = order(entity, shadow, change, readings=readings)
    if news is News.READ and member.abilities.read:
        return read_again(change, "cannot be ordered: a hint")
    if news is not News.FRESH:
        return Said(Verdict.DROPPED, "nothing new", record.id)
    if is_new_life(shadow, change):
        begin_life(shadow)
    return take_in(space, record, shadow, change, readings=readings)


def read(space: Space, entity: Entity, change: Change, shadow: Shadow | None) -> Mapping[str, Reading]:
    """Return the readings of a look; what breaks a condition of its field is invalid."""
    readings = settled(space, entity, change, read_item(entity, change.platform, change.item or {}))
    return checked(entity, readings, shadow, space.now)


def take_in(space: Space, record: Record, shadow: Shadow, change: Change, *, readings: Mapping[str, Reading]) -> Said:
    """Let the shadow become the look and decide the record."""
    before = snapshot(record)
    record.conflicts.pop(life_conflict(change.platform), None)
    shadow.raws.pop(MERGED, None)  # it is there
    heard = absorb(space, record, shadow, change, readings=readings, mine={})
    conclude(space, record, f"{change.via} {change.platform}", before=before, platform=change.platform, heard=heard)
    return Said(Verdict.ABSORBED, record=record.id)


def without_doubles(
    space: Space, entity: Entity, change: Change, record: Record, readings: Mapping[str, Reading]
) -> Mapping[str, Reading]:
    """Return readings in which a value of a ``unique`` field that another living record has is invalid."""
    values = {name: r.value for name, r in readings.items() if r.state is State.VALUE}
    doubles = {}
    for name, key in unique_keys(entity, values).items():
        others = [other for other in having(space, entity, key) if other is not record and other.life is Life.ALIVE]
        if others:
            doubles[name] = key
            why = f"not unique: also {', '.join(other.key or str(other.id) for other in others)}"
            readings = {**readings, name: Reading(State.INVALID, values[name], why)}
    if any(field.unique for field in entity.fields.values()):
        parents = [key for key in space.doubles.get(thing_of(change), ()) if key[1].startswith(ROW)]
        space.doubles[thing_of(change)] = (*parents, *doubles.values())
    return readings


# ---- a thing that is new


@dataclass(frozen=True, slots=True)
class Matched:
    """Which records a thing may be, by which key, and whether that is enough without a person."""

    records: tuple[Record, ...]
    match: Match

    @property
    def sure(self) -> bool:
        """One record, found by a key that needs no review."""
        return len(self.records) == 1 and self.match.confidence != "review"


def arrive(space: Space, entity: Entity, member: Member, change: Change) -> Said:
    """Find the record of a thing that has none, or make one."""
    if is_ghost(member, change):
        return read_again(change, "first seen by an event")
    readings = read(space, entity, change, None)
    found = match(space, entity, {n: r.value for n, r in readings.items() if r.state is State.VALUE})
    if is_cleared(space, thing_of(change)) and not (found and any(r.life is Life.ALIVE for r in found.records)):
        return let_go(space, thing_of(change))
    if found is None:
        return unmatched(space, entity, member, change, readings=readings)
    if not found.sure:
        return hold_identity(space, entity, thing_of(change), found)
    record = found.records[0]
    if is_in_flight(space, record, change.platform):
        return Said(Verdict.DEFERRED, "a create is open", record.id)
    if is_outlived(record, change):
        return read_or_drop(member, change, "older than its end", record)
    if has_other_row(record, change):
        return two_rows(space, entity, member, change, record)
    return join(space, record, change, readings=readings, evidence=f"linked by {found.match.text}")


def let_go(space: Space, thing: Thing) -> Said:
    """Leave a thing alone whose link was cleared, until a living record has its key."""
    space.link(thing, space.links[thing])
    return Said(Verdict.ABSORBED, space.links[thing].evidence)


def is_ghost(member: Member, change: Change) -> bool:
    """A thing first seen by an event, or known only as a tombstone, is read before it makes a record (R30)."""
    return change.via is Via.EVENT and member.abilities.read


def is_outlived(record: Record, change: Change) -> bool:
    """Return whether a look began before the record, or its row there, came to its end: it cannot bring it back."""
    return change.as_of < buried_at(record, change.platform)


def match(space: Space, entity: Entity, values: Mapping[str, Value]) -> Matched | None:
    """Return the first unique hit of the match keys in their order, else the first ambiguous one; None without a hit."""
    doubtful = None
    for rule, key in match_keys(entity, values, space.now):
        known = having(space, entity, key) if key else []
        found = Matched(tuple([r for r in known if r.life is Life.ALIVE] or known), rule)
        if len(found.records) == 1:
            return found
        if found.records and doubtful is None:
            doubtful = found
    return doubtful


def having(space: Space, entity: Entity, key: Key) -> list[Record]:
    """Return the records that have a key now: what was true when the batch began may have been renamed since."""
    known = (space.records[number] for number in sorted(space.keys.get(key, ())) if number in space.records)
    return [record for record in known if key in record_keys(entity, record, space.now)]


def has_other_row(record: Record, change: Change) -> bool:
    """Return whether the record lives on this platform under another id."""
    other = record.shadows.get(change.platform)
    return other is not None and other.id != change.id and other.life in (Life.ALIVE, Life.LEFT)


TWO = "one of two rows"


def two_rows(space: Space, entity: Entity, member: Member, change: Change, record: Record) -> Said:
    """Read both rows before a conflict is opened: the old one may be gone, the new one too (R27)."""
    thing, other = thing_of(change), record.shadows[change.platform]
    if must_read_both(space, member, thing):
        space.link(thing, Link(None, evidence=TWO))
        return Said(Verdict.READ, "two rows for one record", record.id, ((thing[0], other.collection, other.id), thing))
    why = f"ambiguous: {record.key or record.id} has two rows in {change.platform}"
    space.link(thing, Link(None, evidence=TWO))
    ask(space, entity, thing, why, (record.id,))
    return Said(Verdict.ABSORBED, "two rows, both alive", record.id)


def must_read_both(space: Space, member: Member, thing: Thing) -> bool:
    """Return whether the two rows were not read yet, and can be."""
    link = space.links.get(thing)
    return member.abilities.read and (link is None or link.evidence != TWO)


def hold_identity(space: Space, entity: Entity, thing: Thing, found: Matched) -> Said:
    """Two candidates, or a weak key: a person says which record it is."""
    names = ", ".join(r.key or str(r.id) for r in found.records)
    sort = "ambiguous" if len(found.records) > 1 else "to be confirmed"
    why = f"{sort}: {len(found.records)} candidates by {found.match.text} ({names})"
    space.link(thing, Link(None, evidence=why))
    ask(space, entity, thing, why, tuple(r.id for r in found.records))
    return Said(Verdict.ABSORBED, why)


def ask(space: Space, entity: Entity, thing: Thing, why: str, candidates: tuple[int, ...] = ()) -> None:
    """Open the conflict about which record a thing is."""
    conflict = Conflict("", "identity", why, {thing[0]: thing[2]}, opened_at=space.now)
    space.loose.append(Loose(thing, entity.name, conflict, candidates))


ASKS_LATER = "unmatched: review, once every other platform was swept completely"


def unmatched(space: Space, entity: Entity, member: Member, change: Change, *, readings: Mapping[str, Reading]) -> Said:
    """Do with a thing that matches nothing what ``unmatched`` says: a new record, a question, or nothing.

    Nobody is asked before every other platform was swept once: what it matches may just not have been read. The ledger
    hands the look in again then (``ledger.strangers.recall_waiting``).
    """
    thing = thing_of(change)
    if member.unmatched == "create":
        record = Record(space.next_id, entity.name, born=space.number())
        space.next_id += 1
        return join(space, record, change, readings=readings, evidence="made here")
    if member.unmatched == "review" and not all(space.is_swept(m) for m in entity.members.values() if m is not member):
        space.link(thing, Link(None, evidence=ASKS_LATER))
        return Said(Verdict.ABSORBED, ASKS_LATER)
    space.link(thing, Link(None, evidence=f"unmatched: {member.unmatched}"))
    if member.unmatched == "review":
        ask(space, entity, thing, f"unmatched: nothing in {entity.name} has its keys")
    return Said(Verdict.ABSORBED, f"unmatched: {member.unmatched}")


def join(space: Space, record: Record, change: Change, *, readings: Mapping[str, Reading], evidence: str) -> Said:
    """Link a thing to a record: first contact of this row."""
    thing, old = thing_of(change), record.shadows.get(change.platform)
    readings = without_doubles(space, space.rules.entities[record.entity], change, record, readings)
    if old is not None and old.id not in ("", change.id) and old.life is not Life.GONE:  # a gone id may be another's now
        space.link((change.platform, old.collection, old.id), Link(record.id, Life.GONE, "replaced by a new row"))
    if record.life is not Life.ALIVE:
        live_again(record)
    space.link(thing, Link(record.id, evidence=evidence))
    space.settled.append(thing)
    shadow = record.shadows[change.platform] = Shadow(change.platform, change.collection, change.id)
    return take_in(space, record, shadow, change, readings=readings)
