"""One observation in, one verdict out: the pure heart of syncd.

``observe`` takes a change into the working set: it finds the record, asks whether the look is news, lets the shadow become the
look, and resolves golden. Where an observation cannot be ordered it is only a hint, and the answer is READ: "read it, then
ask me again". The rules are numbered as in the semantics.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from syncd.core.absorb import absorb
from syncd.core.conclude import conclude, snapshot
from syncd.core.identity import match_keys
from syncd.core.mapping import read_item
from syncd.core.model import Change, Conflict, Known, Life, Reading, Record, Shadow, State, Tombstone, Value, Via
from syncd.core.rules import Entity, Match, Member
from syncd.core.space import Link, Loose, Space, Thing


class Verdict(StrEnum):
    """ABSORBED: decided. DROPPED: known already, or nobody's. DEFERRED: wait for an open attempt. READ: read ``things``."""

    ABSORBED = "absorbed"
    DROPPED = "dropped"
    DEFERRED = "deferred"
    READ = "read"


@dataclass(frozen=True, slots=True)
class Said:
    """The answer to one observation. READ replaces the observation by fresh reads of ``things``, in that order."""

    verdict: Verdict
    why: str = ""
    record: int | None = None
    things: tuple[Thing, ...] = ()


def observe(space: Space, change: Change) -> Said:
    """Decide one observation inside the working set. Total and deterministic; the only effects are on ``space``."""
    entity = space.rules.entity_of(change.platform, change.collection)
    if entity is None:
        return Said(Verdict.DROPPED, "no entity lives in this collection")
    thing = (change.platform, change.collection, change.id)
    record = linked(space, thing)
    if record and is_in_flight(space, record, change.platform):
        return Said(Verdict.DEFERRED, "an attempt is open", record.id)
    member = entity.members[change.platform]
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


def is_in_flight(space: Space, record: Record, platform: str) -> bool:
    """Observations of a record wait while a write to that platform is open, so that no echo is decided early (R4)."""
    return (record.id, platform) in space.in_flight


def read_again(change: Change, why: str) -> Said:
    """Return the verdict that asks for the thing itself."""
    return Said(Verdict.READ, why, things=((change.platform, change.collection, change.id),))


# ---- a thing that is known


def update(space: Space, entity: Entity, member: Member, change: Change, record: Record) -> Said:
    """Take a look at a linked thing into its shadow, if it is news."""
    shadow = record.shadows[change.platform]
    readings = read_item(entity, change.platform, change.item or {})
    news = order(entity, shadow, change, readings=readings)
    if news is News.READ and member.abilities.read:
        return read_again(change, "cannot be ordered: a hint")
    if news is not News.FRESH:
        return Said(Verdict.DROPPED, "nothing new", record.id)
    if is_new_life(shadow, change):
        begin_life(shadow)
    return take_in(space, record, shadow, change, readings=readings)


class News(StrEnum):
    """Whether a look says something that the shadow does not know."""

    FRESH = "fresh"
    OLD = "old"
    READ = "read"


def order(entity: Entity, shadow: Shadow, change: Change, *, readings: Mapping[str, Reading]) -> News:
    """Return whether a look comes after the shadow: by version, by our number, by strictly later time, else unknown."""
    if shadow.as_of < 0:
        return News.FRESH
    if change.via is Via.READ:
        return order_read(shadow, change, readings)
    if not entity.members[change.platform].abilities.read:
        return order_unreadable(shadow, change)
    return order_event(entity, shadow, change, readings=readings)


def ordered(shadow: Shadow, change: Change) -> bool:
    """Return whether versions order this look: both are numbers."""
    return isinstance(change.version, int) and isinstance(shadow.version, int)


def order_read(shadow: Shadow, change: Change, readings: Mapping[str, Reading]) -> News:
    """A read is news if it started after the newest accepted look, or shows a higher version (R7)."""
    if started_later(shadow, change):
        return News.FRESH
    if ordered(shadow, change):
        return News.FRESH if higher(shadow, change) else News.OLD
    return News.OLD if shows_the_same(shadow, readings) else News.READ


def started_later(shadow: Shadow, change: Change) -> bool:
    """Return whether a read's request started after the newest look we accepted."""
    return change.as_of >= shadow.as_of


def higher(shadow: Shadow, change: Change) -> bool:
    """Return whether a look's version is above the shadow's; both are numbers."""
    return int(change.version or 0) > int(shadow.version or 0)


def shows_the_same(shadow: Shadow, readings: Mapping[str, Reading]) -> bool:
    """Return whether a look shows exactly what the shadow holds."""
    return all(
        (known := shadow.fields.get(name)) is not None and known.known is not Known.INVALID and reading.value == known.raw
        for name, reading in readings.items()
        if reading.state is not State.ABSENT
    )


def order_event(entity: Entity, shadow: Shadow, change: Change, *, readings: Mapping[str, Reading]) -> News:
    """An event is news only if a version or a strictly later time says so; a part of a thing needs more (R7, R8)."""
    if isinstance(change.version, int) and change.version <= shadow.old_version:
        return News.READ  # whose life is this from? ask (R9)
    if ordered(shadow, change):
        if not higher(shadow, change):
            return News.OLD
        return News.FRESH if enough(entity, shadow, change, readings=readings) else News.READ
    later = change.changed_at is not None and shadow.changed_at is not None and change.changed_at > shadow.changed_at
    return News.FRESH if later and is_whole(readings) else News.READ


def enough(entity: Entity, shadow: Shadow, change: Change, *, readings: Mapping[str, Reading]) -> bool:
    """Return whether an event can be taken as it is: whole, or the very next version and no part of a group (R8)."""
    if is_whole(readings):
        return True
    part_of_group = any(entity.fields[n].group for n, r in readings.items() if r.state is not State.ABSENT)
    return follows(shadow, change) and not part_of_group


def is_whole(readings: Mapping[str, Reading]) -> bool:
    """Return whether an event shows every mapped field."""
    return all(r.state is not State.ABSENT for r in readings.values())


def follows(shadow: Shadow, change: Change) -> bool:
    """Return whether an event is the very next version."""
    return isinstance(shadow.version, int) and change.version == shadow.version + 1


def order_unreadable(shadow: Shadow, change: Change) -> News:
    """Where a thing cannot be read, an event must speak for itself: by version, by time, else by arrival."""
    if ordered(shadow, change):
        return News.FRESH if higher(shadow, change) else News.OLD
    if change.changed_at is not None and shadow.changed_at is not None:
        return News.FRESH if change.changed_at >= shadow.changed_at else News.OLD
    return News.FRESH if change.as_of >= shadow.as_of else News.OLD


def is_new_life(shadow: Shadow, change: Change) -> bool:
    """Return whether a read shows a second life under an old id: its version went back (R9)."""
    return change.via is Via.READ and ordered(shadow, change) and not higher(shadow, change) and change.version != shadow.version


def begin_life(shadow: Shadow) -> None:
    """Forget the former life's fields: first contact again, no differences, no removals."""
    shadow.fields.clear()
    if isinstance(shadow.version, int):
        shadow.old_version = max(shadow.version, shadow.old_version)


def take_in(space: Space, record: Record, shadow: Shadow, change: Change, *, readings: Mapping[str, Reading]) -> Said:
    """Let the shadow become the look and decide the record."""
    before = snapshot(record)
    record.conflicts.pop(life_conflict(change.platform), None)
    said = absorb(space, record, shadow, change, readings=readings, mine={})
    conclude(space, record, f"{change.via} {change.platform}", before=before, platform=change.platform, said=said)
    return Said(Verdict.ABSORBED, record=record.id)


# ---- a thing that is new


@dataclass(frozen=True, slots=True)
class Matched:
    """Which records a thing may be, by which key, and whether that is enough without a person."""

    records: tuple[Record, ...] = ()
    match: Match | None = None

    @property
    def sure(self) -> bool:
        """One record, found by a key that needs no review."""
        return len(self.records) == 1 and self.match is not None and self.match.confidence != "review"


def arrive(space: Space, entity: Entity, member: Member, change: Change) -> Said:
    """Find the record of a thing that has none, or make one."""
    if is_ghost(member, change):
        return read_again(change, "first seen by an event")
    thing = (change.platform, change.collection, change.id)
    readings = read_item(entity, change.platform, change.item or {})
    found = match(space, entity, {n: r.value for n, r in readings.items() if r.state is State.VALUE})
    if not found.records:
        return unmatched(space, entity, member, change, readings=readings)
    if not found.sure:
        return hold_identity(space, entity, thing, found)
    record = found.records[0]
    if is_in_flight(space, record, change.platform):
        return Said(Verdict.DEFERRED, "a create is open", record.id)
    if has_other_row(record, change):
        return two_rows(space, entity, thing, record)
    assert found.match is not None
    return join(space, record, change, readings=readings, evidence=f"linked by {found.match.text}")


def is_ghost(member: Member, change: Change) -> bool:
    """A thing first seen by an event, or known only as a tombstone, is read before it makes a record (R30)."""
    return change.via is Via.EVENT and member.abilities.read


def match(space: Space, entity: Entity, values: Mapping[str, Value]) -> Matched:
    """Return the first unique hit of the match keys in their order, else the first ambiguous one."""
    doubtful = Matched()
    for rule, key in match_keys(entity, values):
        if key is None:
            continue
        known = [space.records[i] for i in sorted(space.keys.get(key, ())) if i in space.records]
        records = tuple([r for r in known if r.life is Life.ALIVE] or known)
        if len(records) == 1:
            return Matched(records, rule)
        if records and not doubtful.records:
            doubtful = Matched(records, rule)
    return doubtful


def has_other_row(record: Record, change: Change) -> bool:
    """Return whether the record lives on this platform under another id."""
    other = record.shadows.get(change.platform)
    return other is not None and other.id != change.id and other.life is not Life.GONE


def two_rows(space: Space, entity: Entity, thing: Thing, record: Record) -> Said:
    """Read both rows before a conflict is opened: the old one may be gone, the new one too (R27)."""
    link = space.links.get(thing)
    other = record.shadows[thing[0]]
    if link is None or link.evidence != TWO:
        space.link(thing, Link(None, evidence=TWO))
        return Said(Verdict.READ, "two rows for one record", record.id, ((thing[0], other.collection, other.id), thing))
    conflict = Conflict("", "identity", f"ambiguous: {record.key or record.id} has two rows in {thing[0]}", {thing[0]: thing[2]})
    conflict.opened_at = space.now
    space.loose.append(Loose(thing, entity.name, conflict, (record.id,)))
    return Said(Verdict.ABSORBED, "two rows, both alive", record.id)


TWO = "one of two rows"


def hold_identity(space: Space, entity: Entity, thing: Thing, found: Matched) -> Said:
    """Two candidates, or a weak key: a person says which record it is."""
    assert found.match is not None
    names = ", ".join(r.key or str(r.id) for r in found.records)
    sort = "ambiguous" if len(found.records) > 1 else "to be confirmed"
    why = f"{sort}: {len(found.records)} candidates by {found.match.text} ({names})"
    space.link(thing, Link(None, evidence=why))
    conflict = Conflict("", "identity", why, {thing[0]: thing[2]}, opened_at=space.now)
    space.loose.append(Loose(thing, entity.name, conflict, tuple(r.id for r in found.records)))
    return Said(Verdict.ABSORBED, why)


def unmatched(space: Space, entity: Entity, member: Member, change: Change, *, readings: Mapping[str, Reading]) -> Said:
    """Do with a thing that matches nothing what ``unmatched`` says: a new record, a question, or nothing."""
    thing = (change.platform, change.collection, change.id)
    if member.unmatched == "create":
        record = Record(space.next_id, entity.name, born=space.number())
        space.next_id += 1
        return join(space, record, change, readings=readings, evidence="made here")
    space.link(thing, Link(None, evidence=f"unmatched: {member.unmatched}"))
    if member.unmatched == "review":
        why = f"unmatched: nothing in {entity.name} has its keys"
        conflict = Conflict("", "identity", why, {thing[0]: thing[2]}, opened_at=space.now)
        space.loose.append(Loose(thing, entity.name, conflict))
    return Said(Verdict.ABSORBED, f"unmatched: {member.unmatched}")


def join(space: Space, record: Record, change: Change, *, readings: Mapping[str, Reading], evidence: str) -> Said:
    """Link a thing to a record: first contact of this row."""
    thing = (change.platform, change.collection, change.id)
    old = record.shadows.get(change.platform)
    if old is not None and old.id != change.id:
        space.link((change.platform, old.collection, old.id), Link(record.id, Life.GONE, "replaced by a new row"))
    if record.life is not Life.ALIVE:
        live_again(record)
    space.link(thing, Link(record.id, evidence=evidence))
    space.settled.append(thing)
    record.shadows[change.platform] = Shadow(change.platform, change.collection, change.id)
    return take_in(space, record, record.shadows[change.platform], change, readings=readings)


def live_again(record: Record) -> None:
    """A thing with a tombstone's key came back: a new life of the record."""
    record.life, record.tomb = Life.ALIVE, None
    record.shadows = {p: s for p, s in record.shadows.items() if s.life is not Life.GONE}


# ---- a thing that is gone


def depart(space: Space, entity: Entity, member: Member, change: Change, record: Record | None) -> Said:
    """Take a disappearance in: only a read begun now can prove it (R29)."""
    if change.via is not Via.READ and member.abilities.read:
        return read_again(change, "said to be gone")
    if record is None:
        space.settled.append((change.platform, change.collection, change.id))
        return Said(Verdict.DROPPED, "was not known")
    shadow = record.shadows.get(change.platform)
    if shadow is None or shadow.id != change.id:
        return Said(Verdict.DROPPED, "replaced by another row", record.id)
    if change.as_of < shadow.as_of:
        return read_again(change, "seen since") if member.abilities.read else Said(Verdict.DROPPED, "seen since", record.id)
    shadow.as_of, shadow.seen_at = change.as_of, max(shadow.seen_at, change.seen_at)
    if change.left or (shadow.life is Life.ARCHIVED and change.item is not None):
        shadow.life = Life.LEFT if change.left else Life.ARCHIVED
        space.touch(record)
        return Said(Verdict.ABSORBED, "left scope" if change.left else "archived by us", record.id)
    bury(space, entity, record, change.platform)
    conclude(space, record, f"gone from {change.platform}", before=snapshot(record), platform=change.platform, said={})
    return Said(Verdict.ABSORBED, "gone", record.id)


def bury(space: Space, entity: Entity, record: Record, platform: str) -> None:
    """Record that a row is gone, and what that means for the record."""
    shadow = record.shadows[platform]
    shadow.life = Life.GONE
    thing = (platform, shadow.collection, shadow.id)
    space.link(thing, Link(record.id, Life.GONE, "read by id: gone"))
    space.touch(record)
    if record.life is not Life.ALIVE:
        return
    if entity.deletes.authority in (platform, "any"):
        record.life = Life.GONE
        record.tomb = Tombstone(space.number(), space.now, f"{platform} {shadow.id} read by id: gone", platform)
    elif is_nowhere(space, record):
        record.life = Life.GONE
        record.tomb = Tombstone(space.number(), space.now, "gone everywhere")
    elif entity.deletes.elsewhere == "review":
        record.conflicts[life_conflict(platform)] = Conflict(
            life_conflict(platform), "delete", f"deleted in {platform}, which may not decide that", {platform: None},
            opened_at=space.now,
        )


def life_conflict(platform: str) -> str:
    """Return the name under which a deletion that a person must judge is kept."""
    return f"({platform})"


def is_nowhere(space: Space, record: Record) -> bool:
    """Return whether a record lives nowhere and is on its way nowhere (R31)."""
    alive = any(s.life is not Life.GONE for s in record.shadows.values())
    return not alive and not any(record.id == r for r, _ in space.in_flight)
