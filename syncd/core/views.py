"""What the names in expressions stand for: in the rules of a record, in the scope of a thing, in the checks of a reading."""

from collections.abc import Mapping
from typing import Any

from syncd.core.case import RAW, Look
from syncd.core.mapping import get_path, parse_path
from syncd.core.model import Item, Known, Life, Native, Reading, Record, Shadow, ShadowField, State, Word
from syncd.core.native import ABSENT
from syncd.core.operands import as_operand
from syncd.core.parts import Name, Steps
from syncd.core.rules import Entity, Member

# ---- a record


def record_view(entity: Entity, record: Record) -> Look:
    """Return the look of rules: a platform's own word, its own field, golden; a bare name is golden too.

    What was never seen, is invalid, or stands in a dead row is absent.
    """

    def look(name: Name) -> Any:
        scope, path = name
        if scope in ("golden", ""):
            return golden_operand(entity, record, path)
        platform = scope.removesuffix(RAW)
        shadow = living(record, platform)
        if shadow is None:
            return ABSENT
        if scope.endswith(RAW):
            return shadow.raws.get(path, ABSENT)
        return own_word(entity, platform, path, shadow.fields.get(path))

    return look


def living(record: Record, platform: str) -> Shadow | None:
    """Return the record's living row on a platform, if it has one."""
    shadow = record.shadows.get(platform)
    return shadow if shadow is not None and shadow.life is Life.ALIVE else None


def golden_operand(entity: Entity, record: Record, name: str) -> Any:
    """Return golden's value of a field; absent where nobody has spoken."""
    golden = record.golden.get(name)
    if golden is None or golden.who is None or name not in entity.fields:
        return ABSENT
    return as_operand(entity.fields[name].type, golden.value)


def own_word(entity: Entity, platform: str, name: str, known: ShadowField | None) -> Any:
    """Return what a platform itself says of a field: what we wrote there is not its word (R1), nor is what it is only told."""
    field = entity.fields.get(name)
    place = field.maps.get(platform) if field is not None else None
    if field is None or place is None or place.direction == "out" or known is None or known.word is not Word.OWN:
        return ABSENT
    if known.known is Known.NULL:
        return None
    return as_operand(field.type, known.means) if known.known is Known.OK else ABSENT


def age_in(record: Record, name: Name, offset: int) -> tuple[int, int]:
    """Return the interval (lo, hi] in which what a name stands for was said, by our clock; a platform's own field is as old as
    the last edit of its row. ``offset`` is the platform's clock less ours.
    """
    if name.scope in ("golden", ""):
        golden = record.golden.get(name.path)
        return (golden.lo, golden.hi) if golden is not None else (0, 0)
    shadow = record.shadows.get(name.scope.removesuffix(RAW))
    if shadow is None:
        return 0, 0
    if name.scope.endswith(RAW):
        at = 0 if shadow.changed_at is None else shadow.changed_at - offset
        return at, at
    known = shadow.fields.get(name.path)
    return (known.lo, known.hi) if known is not None else (0, 0)


# ---- a thing


def raw_steps(entity: Entity, member: Member) -> Mapping[str, Steps]:
    """Return the steps of a platform's own paths that expressions name; the entity keeps them."""
    key = f"(raws) {member.platform}"
    known: dict[str, Steps] | None = entity.compiled.get(key)
    if known is None:
        known = entity.compiled[key] = {path: parse_path(path) for path in member.raws}
    return known


def take_raws(entity: Entity, shadow: Shadow, item: Item) -> set[str]:
    """Keep what a look shows at the paths that expressions name; return the paths where it is another now.

    What is not in the answer stays as it was last seen.
    """
    moved = set()
    for path, steps in raw_steps(entity, entity.members[shadow.platform]).items():
        value = get_path(item, steps)
        if value is ABSENT:
            continue
        before = shadow.raws.get(path, ABSENT)
        if type(before) is not type(value) or before != value:
            shadow.raws[path] = value
            moved.add(path)
    return moved


def thing_view(item: Item, shadow: Shadow | None) -> Look:
    """Return the look of ``only``: every name is the platform's own path, as shown now, else as last seen."""

    def look(name: Name) -> Any:
        path = name.path if not name.scope else f"{name.scope}.{name.path}"
        value: Native = get_path(item, parse_path(path))
        if value is not ABSENT or shadow is None:
            return value
        return shadow.raws.get(path, ABSENT)

    return look


# ---- a reading


def reading_view(entity: Entity, readings: Mapping[str, Reading], shadow: Shadow | None) -> Look:
    """Return the look of ``check.expr``: a name is the same thing's field as read now, else as last known."""

    def look(name: Name) -> Any:
        field = entity.fields.get(name.path)
        reading = readings.get(name.path)
        if field is None or (reading is not None and reading.state is State.INVALID):
            return ABSENT
        if reading is not None and reading.state in (State.VALUE, State.NULL):
            return as_operand(field.type, reading.value)
        known = shadow.fields.get(name.path) if shadow is not None else None
        if known is None or known.known in (Known.NEVER, Known.INVALID):
            return ABSENT
        return None if known.known is Known.NULL else as_operand(field.type, known.raw)

    return look
