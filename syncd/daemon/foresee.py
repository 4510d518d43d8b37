"""An edit of the rules against the whole ledger, before it is loaded: a batch at a time, read only, nothing is stored.

Only the counts, the breakers' loads and whatever the caller keeps of each record stay in memory.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from itertools import count

from syncd.core.breaker import trips
from syncd.core.model import Op, Record, Write
from syncd.core.rules import Entity, Rules
from syncd.core.space import Space
from syncd.daemon.foretell import Foreseen, Trial, foretell, is_something, stand_of
from syncd.daemon.mapped import judged_by
from syncd.daemon.narrow import narrowed
from syncd.daemon.overlay import Edit, edits, meaning
from syncd.daemon.scene import Scene
from syncd.daemon.weigh import Load, Trip, add, counted, limit_of
from syncd.ledger import lookup, meta, outbox, records, tallies
from syncd.ledger.breakers import KINDS
from syncd.ledger.glimpse import rows_of
from syncd.ledger.loaded import RecordRow, ShadowRow
from syncd.ledger.schema import Database
from syncd.ledger.store import uncollected

BATCH = 500
HIGH = 2**52  # numbers of a trial start here: above every number of a ledger, below what JSON can carry

OWN = ("rules", "now", "number")  # what a working set does not share with another one

Take = Callable[[Foreseen], None]
Cell = tuple[str, str, str]  # entity, platform, field


@dataclass(slots=True)
class Line:
    """What an edit does to one field on one platform. ``removed`` and ``added`` count members of sets, and values."""

    records: int = 0
    removed: int = 0
    added: int = 0
    opened: int = 0
    closed: int = 0


@dataclass(slots=True)
class Foresight:
    """What an edit does, summed up. ``records``: how many were looked at; ``total``: how many there are."""

    total: int = 0
    records: int = 0
    decided: int = 0  # records that the edit does anything to
    ops: Counter[str] = field(default_factory=Counter)  # writes by operation
    lines: dict[Cell, Line] = field(default_factory=dict)
    opened: int = 0
    closed: int = 0
    withdrawn: int = 0
    proposed: int = 0
    failed: int = 0
    failure: str = ""
    loads: dict[tuple[str, str], Load] = field(default_factory=dict)  # by platform and entity
    trips: list[Trip] = field(default_factory=list)
    edits: dict[str, Edit] = field(default_factory=dict)
    raws: set[tuple[str, str]] = field(default_factory=set)  # the platforms' own paths that the ledger has seen
    whole: bool = True  # whether all records were looked at

    @property
    def empty(self) -> bool:
        """Whether the edit does nothing."""
        return not (self.decided or self.failed)


def trial_scene(rules: Rules, now: int, clocks: Mapping[str, tuple[int, int]] | None = None) -> Scene:
    """Return a moment in which nothing is real but the rules, and how far clocks were off when last measured."""
    return Scene(rules, now, count(HIGH).__next__, "trial", clocks or {})


def foresee(  # noqa: PLR0913 - all of them but the first two are options, by name
    db: Database,
    rules: tuple[Rules, Rules],
    *,
    now: int,
    take: Take,
    only: str | None = None,
    stands: bool = False,
    settled: bool = True,
    quick: bool = True,
    enough: Callable[[int], bool] = lambda _: False,
) -> Foresight:
    """Return what loading other rules would do (``rules``: of now, and those); each record that changes goes to ``take``.

    ``only``: an entity. ``stands``: also say in which state each record was. ``settled``: all records were last decided with
    the rules of now, so that only what differs need be. ``quick`` off: every record is read whole. ``enough`` is asked after
    each batch with the records looked at so far, and stops it: then ``whole`` is false.
    """
    old, new = rules
    found = Foresight(edits=edits(old, new), total=sum(tallies.records(db).values()))
    if not settled:
        found.edits = {name: replace(edit, fields=None) for name, edit in found.edits.items()}
    clocks = meta.clocks(db)
    scenes = trial_scene(old, now, clocks), trial_scene(new, now, clocks)
    for edit in found.edits.values():
        if only in (None, edit.name) and edit.old is not None and edit.new is not None:
            look = Look(db, found, edit, scenes, stands=stands, quick=quick)
            for batch in batches(db, edit.name):
                with uncollected():
                    for record, one in look.at(batch):
                        add_up(found, edit.new, record, one)
                        if is_something(one):
                            take(one)
                found.records += len(batch)
                if enough(found.records):
                    found.whole = False
                    break
    found.trips = would_trip(db, scenes[1], found)
    return found


def batches(db: Database, entity: str) -> Iterator[list[int]]:
    """Yield the ids of an entity's records, in order."""
    after = 0
    while ids := lookup.ids_after(db, entity, after=after, limit=BATCH):
        yield ids
        after = ids[-1]


class Look:
    """Tries an edit on batches of records: an entity that is new has none yet, and one that is gone is left alone.

    Most records are foreseen by the little that the edit needs of them; the others are read whole. ``quick`` off: all are.
    """

    def __init__(
        self, db: Database, found: Foresight, edit: Edit, scenes: tuple[Scene, Scene], *, stands: bool, quick: bool = True
    ) -> None:
        self._db, self._found, self._edit, self._scenes, self._stands = db, found, edit, scenes, stands
        spaces = scenes[0].space(), scenes[1].space()
        records.load(db, spaces[0])
        share(*spaces)
        self._narrow = narrowed(edit, spaces) if quick else None

    def at(self, ids: list[int]) -> list[tuple[Record, Foreseen]]:
        """Return the records of a batch that the edit does anything to, or for which something waits, in order."""
        assert self._edit.new is not None
        behind = {record for platform in self._edit.new.members for record in outbox.marks(self._db, platform, ids)}
        found: dict[int, tuple[Record, Foreseen]] = {}
        left = ids
        if self._narrow is not None:
            left = []
            for rows in rows_of(self._db, self._edit.name, ids):
                answer = None if rows.id in behind else self._narrow.foretell(rows)
                if answer is None:
                    left.append(rows.id)
                elif answer[1] is not None:
                    found[rows.id] = answer[0], self.told(answer[1], rows.record, rows.shadows)
        found |= self.whole(left, behind)
        return [found[number] for number in ids if number in found]

    def whole(self, ids: Collection[int], behind: Collection[int]) -> dict[int, tuple[Record, Foreseen]]:
        """Return the same of records that are read whole."""
        if not ids:
            return {}
        trial = Trial(self._edit, self._scenes[0].space(), self._scenes[1].space())
        loaded = records.load(self._db, trial.new, records=ids)
        share(trial.new, trial.old)
        rows: dict[int, dict[str, ShadowRow]] = {number: {} for number in ids}
        for (number, platform), (row, _, _) in loaded.shadows.items():
            rows[number][platform] = row
        found = {}
        for number in ids:
            record = trial.new.records[number]
            note_raws(self._found, record)  # only here: where paths are new, no edit is narrow
            one = foretell(trial, record, pending=number in behind)
            if one is not None:
                found[number] = record, self.told(one, loaded.records[number], rows[number])
        return found

    def told(self, one: Foreseen, record: RecordRow, shadows: Mapping[str, ShadowRow]) -> Foreseen:
        """Return what was foreseen of a record, with its stand if that is wanted."""
        if self._stands:
            one.stand = stand_of(record, shadows)
        return one


def share(source: Space, target: Space) -> None:
    """Let a working set know what another one was filled with."""
    for name in (f.name for f in fields(Space) if f.name not in OWN):
        part = getattr(source, name)
        setattr(target, name, part.copy() if isinstance(part, dict | set | list) else part)


def note_raws(found: Foresight, record: Record) -> None:
    """Note which of the platforms' own paths the ledger knows."""
    for platform, shadow in record.shadows.items():
        for path in shadow.raws:
            found.raws.add((platform, path))


# ---- the sum


def add_up(found: Foresight, entity: Entity, record: Record, one: Foreseen) -> None:
    """Add one record to the sum."""
    if one.failed:
        found.failed += 1
        found.failure = found.failure or f"{one.entity} {one.record}: {one.failed}"
        return
    found.decided += is_something(one)
    found.ops.update(write.op.value for write in one.writes)
    found.withdrawn += one.withdrawn
    found.opened += len(one.opened)
    found.closed += len(one.closed)
    found.proposed += len({row["platform"] for row in one.rows if row["mode"] == "propose"})
    for write in (*one.writes, *one.pending):
        weigh_in(found, entity, record, write)
    for row in one.rows:
        line = found.lines.setdefault((one.entity, row["platform"], row["field"] or f"({row['op']})"), Line())
        line.records += 1
        removed, added = lost_and_won(row["before"], row["after"]) if row["op"] == Op.UPDATE else (0, 0)
        line.removed += removed
        line.added += added
    for name in (*(name for name, _ in one.opened), *one.closed):
        line = found.lines.setdefault((one.entity, "", name), Line())
        line.opened += any(name == opened for opened, _ in one.opened)
        line.closed += name in one.closed


def lost_and_won(before: object, after: object) -> tuple[int, int]:
    """Return how many values a change removes and adds: members of a set; else the value, where there was or will be none."""
    if isinstance(before, list) or isinstance(after, list):
        old = before if isinstance(before, list) else []
        new = after if isinstance(after, list) else []
        return sum(one not in new for one in old), sum(one not in old for one in new)
    return int(before not in (None, "") and after in (None, "")), int(before in (None, "") and after not in (None, ""))


def weigh_in(found: Foresight, entity: Entity, record: Record, write: Write) -> None:
    """Add a write to what the breakers would weigh; what must be approved first is not weighed."""
    if entity.members[write.platform].mode == "propose":
        return
    load = found.loads.setdefault((write.platform, entity.name), {kind: set() for kind in KINDS})
    add(load, record, write)


def would_trip(db: Database, scene: Scene, found: Foresight) -> list[Trip]:
    """Return the breakers that the planned writes would trip, together with what was written in their windows."""
    trouble = []
    for (platform, name), load in found.loads.items():
        rules = scene.rules.entities[name]
        linked = tallies.linked(db, platform, name)
        for kind in KINDS:
            limit = limit_of(rules, kind)
            number = counted(db, scene, platform, name, kind, load[kind], limit)
            if load[kind] and trips(limit, number, linked):
                trouble.append(Trip(platform, name, kind, number, linked, limit, rules.safety.on_trip == "pause"))
    return trouble


def summary(found: Foresight) -> Mapping[str, int]:
    """Return the figures of the closing line: writes by what they do, values removed and added, conflicts."""
    return {
        "records": found.total,
        "decided": found.decided,
        "update": found.ops["update"],
        "create": found.ops["create"],
        "delete": found.ops["delete"] + found.ops["archive"],
        "removed": sum(line.removed for line in found.lines.values()),
        "added": sum(line.added for line in found.lines.values()),
        "conflicts_new": found.opened,
        "conflicts_closed": found.closed,
        "withdrawn": found.withdrawn,
        "proposed": found.proposed,
        "failed": found.failed,
    }


# ---- what the ledger does not know


def needs(found: Foresight) -> list[str]:
    """Return what the new rules look at that was never read, in words; until it is, nothing can be foreseen of it."""
    return [text for edit in found.edits.values() for text in needs_of(edit, found.raws)]


def needs_of(edit: Edit, seen: set[tuple[str, str]]) -> Iterator[str]:
    """Yield what one entity needs: collections, mappings and the platforms' own fields."""
    if edit.new is None:
        return
    if edit.old is None:
        places = ", ".join(f"{m.platform} {m.collection}" for m in edit.new.members.values())
        yield f"needs a sweep first: {edit.name} was never read ({places})"
        return
    for name, field_ in edit.new.fields.items():
        for platform, place in field_.maps.items():
            if place.direction != "out" and read_as(edit.new, name, platform) != read_as(edit.old, name, platform):
                yield f"needs a sweep first: {platform}.{place.path or '(all)'} was never read as {edit.name}.{name}"
            elif place.direction != "out" and judged_by(field_) != judged_by(edit.old.fields[name]):
                path = place.path or "(all)"
                yield f"needs a sweep first: {platform}.{path} was never put to the new checks of {edit.name}.{name}"
    for platform, member in edit.new.members.items():
        known = edit.old.members[platform].raws if platform in edit.old.members else ()
        for path in member.raws:
            if path not in known and path != member.id_path and (platform, path) not in seen:
                yield f"needs a sweep first: {platform}.raw.{path} was never read"


def read_as(entity: Entity, name: str, platform: str) -> object:
    """Return what makes a platform's value into a reading of a field; None if it is not read there."""
    mapped = entity.fields.get(name)
    place = mapped.maps.get(platform) if mapped is not None else None
    if mapped is None or place is None or place.direction == "out":
        return None
    return place.path, meaning(place.read), mapped.type.name, entity.members[platform].collection
