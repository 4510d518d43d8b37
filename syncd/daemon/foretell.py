"""What an edit of the rules would change about one record: both sets of rules decide it, on copies, with the core's own code.

What the old rules would write anyhow is not the edit's effect.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from hashlib import sha256
from typing import Any

from syncd.core.conclude import is_behind, revise
from syncd.core.held import UNKNOWN, differs, truth_of
from syncd.core.mapping import parse_path
from syncd.core.model import FieldChange, Life, Native, Op, Record, Value, Write
from syncd.core.plan import Plan, plan
from syncd.core.resolve import resolve
from syncd.core.rules import Entity, Pick
from syncd.core.space import Space
from syncd.daemon.overlay import Edit, light, twin
from syncd.ledger.loaded import RecordRow, ShadowRow
from syncd.reports.masks import mask

TRIED = "tried"
Row = dict[str, Any]


@dataclass(slots=True)
class Foreseen:
    """What an edit does to one record. ``rows`` are the planned changes and ``patches`` what they do to each platform's thing.

    ``writes`` are the planned ones among which those changes are; ``pending``: what the new rules write that the old ones
    would too. ``opened`` and ``closed`` name conflicts. ``failed``: why it could not be foreseen. ``stand`` tells this state of
    the record from any other.
    """

    id: int
    entity: str
    record: str
    label: str = ""
    rows: list[Row] = field(default_factory=list)
    patches: list[Row] = field(default_factory=list)
    writes: list[Write] = field(default_factory=list)
    pending: list[Write] = field(default_factory=list)
    opened: list[tuple[str, str]] = field(default_factory=list)  # (field or group, why)
    closed: list[str] = field(default_factory=list)
    held: dict[str, dict[str, str]] = field(default_factory=dict)  # platform -> field -> why it waits
    withdrawn: int = 0
    version: int = 0
    stand: str = ""
    failed: str = ""


@dataclass(slots=True)
class Trial:
    """Two working sets of the same batch: under the rules that were loaded, and under those that may be."""

    edit: Edit
    old: Space
    new: Space


@dataclass(frozen=True, slots=True)
class Outcome:
    """A record as one set of rules decides it, who has something to be told then, and what."""

    record: Record
    changes: Sequence[FieldChange]
    behind: frozenset[str]
    plans: Mapping[str, Plan] = field(default_factory=dict)


NOBODY = Plan()


def foretell(trial: Trial, record: Record, *, pending: bool) -> Foreseen | None:
    """Return what the edit does to a record, None if that is nothing; ``pending``: also if platforms are behind anyhow.

    The record stays as it is. What the rules cannot decide is said, never raised: one bad record stops no plan.
    """
    edit = trial.edit
    if edit.old is None or edit.new is None:
        return None
    dead = record.life is not Life.ALIVE
    if dead and edit.fields is not None and not pending:
        return None  # what becomes of it is no field's rule
    names = None if dead else edit.fields
    try:
        before = outcome(trial.old, edit.old, record, names)
        after = outcome(trial.new, edit.new, record, names)
        if not pending and is_same(before, after, names):
            return None
        behind = before.behind | after.behind
        found = difference(edit, planned(trial.old, edit.old, before, behind), planned(trial.new, edit.new, after, behind))
    except Exception as error:  # noqa: BLE001 - a reading of the old mapping may be anything to the new one
        return Foreseen(record.id, record.entity, record.key, failed=f"{type(error).__name__}: {error}")
    return found if is_something(found) or pending else None


def is_something(found: Foreseen) -> bool:
    """Return whether the edit does anything to a record."""
    return bool(found.rows or found.opened or found.closed or found.withdrawn or found.failed)


def is_same(before: Outcome, after: Outcome, names: frozenset[str] | None) -> bool:
    """Return whether deciding just these fields shows that an edit changes nothing about a record."""
    if names is None or before.behind or after.behind:
        return False
    old, new = before.record, after.record
    return old.conflicts.keys() == new.conflicts.keys() and all(value_of(old, name) == value_of(new, name) for name in names)


def value_of(record: Record, name: str) -> tuple[Value, bool]:
    """Return a field's golden value and whether anybody has spoken; who it was tells no platform anything."""
    golden = record.golden.get(name)
    return (None, False) if golden is None else (golden.value, golden.who is not None)


def outcome(
    space: Space, entity: Entity, record: Record, names: frozenset[str] | None, platforms: Collection[str] | None = None
) -> Outcome:
    """Decide a copy of a record anew, or just these fields where the others stand as they were decided; then only these
    platforms are asked whether they have something to be told.
    """
    if names is None:
        record = twin(record)
        changes = revise(space, record, TRIED).fields
        behind = [p for p in entity.members if (record.id, p) in space.behind]
    else:
        record = light(record, names)
        changes = resolve(space, record, names)
        asked = entity.members if platforms is None else platforms
        behind = [p for p in asked if is_behind(space, entity, entity.members[p], record, names)]
    return Outcome(record, changes, frozenset(behind))


def planned(space: Space, entity: Entity, one: Outcome, platforms: Iterable[str]) -> Outcome:
    """Return an outcome with what these platforms are told: all of it, also what was waiting before."""
    plans = {p: plan(space, one.record, p) for p in platforms if p in entity.members}
    return Outcome(one.record, one.changes, one.behind, plans)


def difference(edit: Edit, before: Outcome, after: Outcome) -> Foreseen:
    """Return what differs between two outcomes of one record."""
    assert edit.new is not None
    record, entity = after.record, edit.new
    found = Foreseen(record.id, record.entity, record.key, label_of(entity, record), version=record.version)
    reasons = {change.name: change for change in after.changes}
    for platform in entity.members:
        if platform not in before.plans and platform not in after.plans:
            continue
        was = told(edit.old, before.record, before.plans.get(platform, NOBODY).write)
        then = after.plans.get(platform, NOBODY)
        now = told(entity, record, then.write)
        moved = {name: value for name, value in now.items() if name not in was or was[name] != value}
        found.withdrawn += any(name not in now for name in was)
        if then.held:
            found.held[platform] = dict(then.held)
        if then.write is not None and moved:
            found.writes.append(then.write)
            found.rows += rows_of(entity, record, then.write, moved, reasons)
            found.patches.append(patch_of(entity, record, then.write, moved))
        elif then.write is not None:
            found.pending.append(then.write)
    opened = [name for name in record.conflicts if name not in before.record.conflicts]
    found.opened = [(name, record.conflicts[name].why) for name in opened]
    found.closed = [name for name in before.record.conflicts if name not in record.conflicts]
    return found


def told(entity: Entity | None, record: Record, write: Write | None) -> dict[str, tuple[str, Value]]:
    """Return what a write tells a platform that it does not hold: by field, operation and value. '' is the row itself."""
    if write is None or entity is None:
        return {}
    if write.op in (Op.DELETE, Op.ARCHIVE):
        return {"": (write.op.value, None)}
    shadow = record.shadows.get(write.platform)
    whole = write.op is Op.CREATE or shadow is None or shadow.life is not Life.ALIVE
    found = {}
    for name, value in write.sent.items():
        golden = record.golden.get(name)
        known = UNKNOWN if shadow is None else shadow.fields.get(name, UNKNOWN)
        if whole or (golden is not None and differs(entity.fields[name], known, golden, write.platform)):
            found[name] = (write.op.value, value)
    return found


# ---- as reports show it


def rows_of(
    entity: Entity, record: Record, write: Write, moved: Mapping[str, Any], reasons: Mapping[str, FieldChange]
) -> list[Row]:
    """Return the changes of one write in the machine format, in the order of the fields."""
    shadow = None if write.op is Op.CREATE else record.shadows.get(write.platform)
    names = sorted(moved, key=list(entity.fields).index) if "" not in moved else [""]
    found = []
    for name in names:
        known = shadow.fields.get(name) if shadow is not None and name else None
        found.append({
            "op": write.op.value,
            "platform": write.platform,
            "entity": entity.name,
            "record": record.key,
            "field": name or None,
            "before": shown(entity, name, known.raw if known is not None else None),
            "after": shown(entity, name, write.sent.get(name)),
            "rule": rule_of(entity, name),
            "why": why_of(entity, record, name, reasons),
            "mode": mode_of(entity, write.platform, name),
        })
    return found


def shown(entity: Entity, name: str, value: Native) -> Native:
    """Return a value as a plan shows it: what is personal is a mask."""
    mapped = entity.fields.get(name)
    return mask(value) if mapped is not None and mapped.pii else value


def rule_of(entity: Entity, name: str) -> Row | None:
    """Return where the rule of a field stands, and its kind."""
    if not name:
        return None
    truth = truth_of(entity, entity.fields[name])
    return {"file": truth.at.file, "line": truth.at.line, "strategy": truth.how}


def why_of(entity: Entity, record: Record, name: str, reasons: Mapping[str, FieldChange]) -> str:
    """Return why a field is what it is, in words."""
    if not name:
        return record.tomb.proof if record.tomb else "the record was deleted"
    change = reasons.get(name)
    golden = record.golden.get(name)
    who = golden.who if golden else None
    truth = truth_of(entity, entity.fields[name])
    if change is None:
        return f"golden stays {who}'s; the rules let it be written" if who else "the mapping's default"
    return change.why if change.why != truth.how else f"{truth.how}: {who} decides"


def mode_of(entity: Entity, platform: str, name: str) -> str:
    """Return whether a change would be written or proposed: the more careful of the platform's mode and the field's."""
    mode = entity.fields[name].mode if name else None
    return "propose" if "propose" in (entity.members[platform].mode, mode) else entity.members[platform].mode


def label_of(entity: Entity, record: Record) -> str:
    """Return what people call the record: the first field that the entity's label names."""
    name = entity.label.partition("{")[2].partition("}")[0]
    golden = record.golden.get(name)
    return str(shown(entity, name, golden.value)) if golden is not None and isinstance(golden.value, str) else ""


def patch_of(entity: Entity, record: Record, write: Write, moved: Mapping[str, Any]) -> Row:
    """Return what a write does to the platform's thing, as a patch of RFC 6902."""
    shadow = record.shadows.get(write.platform)
    head = {"entity": entity.name, "record": record.key, "platform": write.platform, "id": write.id}
    if write.op is Op.DELETE:
        return head | {"patch": [{"op": "remove", "path": ""}]}
    if write.op is Op.CREATE:
        names = {f.maps[write.platform].path: f.name for f in entity.fields.values() if write.platform in f.maps}
        values = {path: shown(entity, names.get(path, ""), value) for path, value in write.values.items()}
        return head | {"patch": [{"op": "add", "path": "", "value": nested(values)}]}
    if write.op is Op.ARCHIVE:
        return head | {"patch": [{"op": "add", "path": pointer(path), "value": value} for path, value in write.values.items()]}
    steps = []
    for name in moved:
        path = entity.fields[name].maps[write.platform].path
        known = shadow.fields.get(name) if shadow is not None else None
        there = known is not None and known.raw is not None
        value = shown(entity, name, write.values.get(path))
        steps.append({"op": "replace" if there else "add", "path": pointer(path), "value": value})
    return head | {"patch": steps}


@lru_cache(maxsize=1024)
def pointer(path: str) -> str:
    """Return a path of a mapping as a JSON pointer: ``variants.0.price`` is ``/variants/0/price``."""
    return "".join(f"/{text.replace('~', '~0').replace('/', '~1')}" for text in steps_of(path))


def steps_of(path: str) -> Iterator[str]:
    """Yield the steps of a path as text; a pick by value is the end of a list, which is as near as a pointer comes."""
    for step in parse_path(path):
        yield "-" if isinstance(step, Pick) else str(step)


def nested(values: Mapping[str, Native]) -> Native:
    """Return values by path as one document."""
    found: dict[str, Any] = {}
    for path, value in values.items():
        *above, last = list(steps_of(path)) or [""]
        place = found
        for step in above:
            place = place.setdefault(step, {})
        place[last] = value
    return found


def stand_of(record: RecordRow | None, shadows: Mapping[str, ShadowRow]) -> str:
    """Return what tells this state of a record from any other: golden, and what is known of every platform."""
    return sha256(repr((record, sorted(shadows.items()))).encode()).hexdigest()[:16]
