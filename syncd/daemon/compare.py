"""Drift, in the ledger's thread: what platforms show now against what they should hold. Reads only."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from syncd.core.bounds import is_beyond
from syncd.core.conditions import checked
from syncd.core.decide import match
from syncd.core.drift import Action, Difference, Place, Standing, Why, compare, compare_absent
from syncd.core.held import truth_of
from syncd.core.life import is_cleared
from syncd.core.mapping import read_item
from syncd.core.model import Change, Known, Life, Reading, Record, Shadow, State
from syncd.core.references import settled
from syncd.core.rules import Entity, Member
from syncd.core.space import Space, Thing
from syncd.daemon.quiet import quiet_until
from syncd.daemon.scene import Scene, load_for, thing_of
from syncd.daemon.survey import blocked
from syncd.ledger import records, seen
from syncd.ledger.between import Between, Declined, between
from syncd.ledger.schema import Database
from syncd.reports.figures import stamp

Row = dict[str, Any]
NOTHING_DECLINED = Declined("", {}, "")


@dataclass(frozen=True, slots=True)
class Found:
    """One difference. ``look`` is what the platform showed, None if nothing; ``recent``: one of its sides just changed."""

    row: Row
    record: int | None
    platform: str
    why: Why
    thing: Thing | None = None
    look: Change | None = None
    recent: bool = False


@dataclass(slots=True)
class Compared:
    """What a batch came to: differences, and the records that were shown."""

    found: list[Found] = field(default_factory=list)
    shown: list[int] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Spot:
    """Where is compared: a collection of a platform. ``quiet``: its quiet hours and time zone; ``settle``: microseconds."""

    platform: str
    collection: str
    fields: frozenset[str]  # empty: all
    settle: int
    quiet: tuple[str | None, str] = (None, "UTC")


def compare_page(db: Database, scene: Scene, spot: Spot, changes: Sequence[Change]) -> Compared:
    """Compare a page of a scan with the records it shows."""
    entity = scene.rules.entity_of(spot.platform, spot.collection)
    assert entity is not None
    space, result = scene.space(), Compared()
    agreed = agreeing(db, spot, changes)
    result.shown += agreed.values()
    changes = [change for change in changes if change.id not in agreed]
    if not changes:
        return result
    load_for(db, space, changes)
    known = [(change, record_of(space, entity, change)) for change in changes]
    desk = Desk(db, scene, space, entity, spot, [record.id for _, record in known if record is not None])
    for change, record in known:
        if change.gone or change.left:
            continue
        if is_beyond(desk.member, change, record, scene.now):
            result.shown += [record.id] if record is not None else []
        elif record is None:
            result.found += desk.stranger(change)
        else:
            result.shown.append(record.id)
            result.found += desk.compare(record, change)
    return result


def agreeing(db: Database, spot: Spot, changes: Sequence[Change]) -> dict[str, int]:
    """Return the records of those that show what they last showed and agree in every field: most of them, on a usual day."""
    return seen.agreeing(db, spot.platform, spot.collection, {change.id: shown_by(change) for change in changes})


def shown_by(change: Change) -> bytes | None:
    """Return the hash of a look, None for one that has none."""
    try:
        return seen.look_hash(change)
    except TypeError:
        return None


def record_of(space: Space, entity: Entity, change: Change) -> Record | None:
    """Return the record a thing is, by its link, else by its match keys."""
    link = space.links.get(thing_of(change))
    if link is not None and link.record is not None:
        return space.records.get(link.record)
    readings = read_item(entity, change.platform, change.item or {})
    found = match(space, entity, {name: r.value for name, r in readings.items() if r.state is State.VALUE})
    if found is None or not found.sure:
        return None
    ended = found.records[0].life is not Life.ALIVE and is_cleared(space, thing_of(change))
    return None if ended else found.records[0]


def compare_missing(db: Database, scene: Scene, spot: Spot, ids: Sequence[int]) -> list[Found]:
    """Compare records that a complete scan did not show."""
    desk = desk_for(db, scene, spot, ids)
    return [one for record in desk.space.records.values() for one in desk.absent(record)]


def compare_known(db: Database, scene: Scene, spot: Spot, ids: Sequence[int]) -> list[Found]:
    """Compare records with what the ledger last knew of a platform that cannot be listed."""
    desk = desk_for(db, scene, spot, ids)
    return [one for record in desk.space.records.values() for one in desk.compare(record, None)]


def unreadable(db: Database, scene: Scene, spot: Spot, ids: Sequence[int], why: str) -> list[Found]:
    """Return a difference for each record that lives on a platform which could not be read."""
    desk = desk_for(db, scene, spot, ids)
    lives = [r for r in desk.space.records.values() if (s := r.shadows.get(spot.platform)) and s.life is Life.ALIVE]
    return [desk.found(r, Difference(spot.platform, None, Why.UNREADABLE, note=why), None) for r in lives]


def desk_for(db: Database, scene: Scene, spot: Spot, ids: Sequence[int]) -> "Desk":
    """Return a desk with these records on it."""
    entity = scene.rules.entity_of(spot.platform, spot.collection)
    assert entity is not None
    space = scene.space()
    records.load(db, space, records=ids)
    return Desk(db, scene, space, entity, spot, ids)


class Desk:
    """Compares records of one batch with one platform."""

    def __init__(
        self, db: Database, scene: Scene, space: Space, entity: Entity, spot: Spot, ids: Iterable[int]
    ) -> None:
        self.scene = scene
        self.space = space
        self.entity = entity
        self.spot = spot
        self.member: Member = entity.members[spot.platform]
        self.between: Between = between(db, spot.platform, ids)
        blocks = blocked(db, scene, spot.platform)
        quiet = quiet_until(*spot.quiet, scene.now)
        reason = blocks.get(entity.name) or blocks.get("")
        self.hindered = reason[0] if reason else ("quiet hours" if quiet else "")

    def place(self, record: Record) -> Place:
        """Return where a record is compared, with what stands between."""
        one = self.between
        declined = one.declined.get(record.id, NOTHING_DECLINED)
        standing = Standing(
            self.hindered,
            record.id in one.refused,
            record.id in one.queued,
            one.proposed.get(record.id, frozenset()),
            declined.note,
            declined.op,
            declined.values,
        )
        return Place(self.space, self.entity, self.member, record, standing)

    def compare(self, record: Record, look: Change | None) -> list[Found]:
        """Return a record's differences; what the ledger knows is used where it is newer than the look."""
        shadow = record.shadows.get(self.spot.platform)
        if look is None and (shadow is None or shadow.life is not Life.ALIVE):
            return []
        differences = compare(self.place(record), self.readings(shadow, look))
        return [self.found(record, d, look) for d in differences if d.field is None or self.wanted(d.field)]

    def readings(self, shadow: Shadow | None, look: Change | None) -> dict[str, Reading]:
        """Return what is there now, as far as is known."""
        if look is None or (shadow is not None and shadow.id == look.id and shadow.as_of > look.as_of):
            return held_by(shadow)
        return dict(checked(self.entity, self.shown(look), shadow, self.space.now))

    def shown(self, look: Change) -> Mapping[str, Reading]:
        """Return what a look shows, with records for the native ids it refers to."""
        return settled(self.space, self.entity, look, read_item(self.entity, look.platform, look.item or {}))

    def wanted(self, name: str) -> bool:
        """Return whether a field is in the report's scope."""
        return not self.spot.fields or name in self.spot.fields

    def absent(self, record: Record) -> list[Found]:
        """Return the difference of a record that is not there."""
        return [] if self.spot.fields else [self.found(record, d, None) for d in compare_absent(self.place(record))]

    def stranger(self, change: Change) -> list[Found]:
        """Return the difference of a thing that is no record."""
        if self.member.unmatched == "ignore" or self.spot.fields or is_cleared(self.space, thing_of(change)):
            return []
        action = Action("take", change.platform) if self.member.unmatched == "create" else None
        link = self.space.links.get(thing_of(change))
        note = link.evidence if link is not None else ("" if action else "matches nothing: a person says what it is")
        why = Why.HELD if link is not None and action is None else Why.EXTRA
        row = self.row(change.id, Difference(change.platform, None, why, None, change.id, action, note), change)
        return [Found(row, None, change.platform, why, thing_of(change), change, self.is_recent(change.changed_at))]

    def found(self, record: Record, difference: Difference, look: Change | None) -> Found:
        """Return a difference with its row."""
        shadow = record.shadows.get(self.spot.platform)
        thing = (self.spot.platform, shadow.collection, shadow.id) if shadow is not None else None
        row = self.row(record.key, difference, look)
        name = difference.field
        golden = record.golden.get(name) if name else None
        row["truth"] = {
            "value": golden.value if golden else None,
            "platform": golden.who if golden else None,
            "version": golden.version if golden else record.version,
        }
        row["rule"] = rule_of(self.entity, name) if name else None
        changed = [look.changed_at if look else None, golden.hi if golden else None]
        recent = any(self.is_recent(at) for at in changed)
        return Found(row, record.id, difference.platform, difference.why, thing_of(look) if look else thing, look, recent)

    def row(self, key: str, difference: Difference, look: Change | None) -> Row:
        """Return a difference in the machine format."""
        action = difference.action
        seen = look.changed_at if look is not None else None
        found = {
            "value": difference.found,
            "platform": difference.platform,
            "changed_at": stamp(seen),
            "by": look.by if look is not None else None,
        }
        return {
            "entity": self.entity.name,
            "record": key,
            "field": difference.field,
            "platform": difference.platform,
            "why": difference.why.value,
            "truth": {"value": difference.truth, "platform": None, "version": None},
            "found": None if difference.why in (Why.MISSING, Why.UNREADABLE) and difference.field is None else found,
            "rule": None,
            "action": acted(action) if action else None,
            "reason": difference.note or None,
        }

    def is_recent(self, at: int | None) -> bool:
        """Return whether something happened within the report's settling time."""
        return at is not None and self.scene.now - at < self.spot.settle


def acted(action: Action) -> Row:
    """Return an action in the machine format."""
    return {"op": action.op, "platform": action.platform, "path": action.path, "value": action.value}


def held_by(shadow: Shadow | None) -> dict[str, Reading]:
    """Return a shadow's fields as if they were read just now."""
    found = {}
    for name, known in (shadow.fields if shadow else {}).items():
        if known.known is Known.INVALID:
            found[name] = Reading(State.INVALID, reason=known.reason)
        elif known.known is not Known.NEVER:
            found[name] = Reading(State.NULL if known.raw is None else State.VALUE, known.raw)
    return found


def rule_of(entity: Entity, name: str) -> Row:
    """Return where the rule of a field stands, and its kind."""
    truth = truth_of(entity, entity.fields[name])
    return {"file": truth.at.file, "line": truth.at.line, "strategy": truth.how}
