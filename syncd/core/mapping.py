"""Where fields are on a platform, and how a thing is read into them and written from them.

A thing whose whole value is not an object (a bare number on a topic) travels as the item ``{"": value}``; the empty path
means that value, or the whole item where it is an object. What is read and written on a platform is compiled once.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from syncd.core.model import Item, Native, Reading, State, Value
from syncd.core.native import ABSENT, Absent, Invalid, NoWord, text_form
from syncd.core.rules import Check, Entity, Field, Pick, Steps, Transform

__all__ = ["ABSENT", "Absent", "NoWord", "get_path", "native_value", "parse_path", "read_item", "with_path", "write_values"]

BARE = ""
NOT_THERE = Reading(State.ABSENT)
EMPTY = Reading(State.NULL)
VALUE = State.VALUE
reading = tuple.__new__  # the quick way to make a Reading, for the one loop where it counts
MISSED = Reading(State.INVALID, reason="required, but empty")

STEP = re.compile(r"(?:^|(?<=[^.])\.)([^.\[\]]+)|\[([^=\[\]]+)=([^\]]*)\]")


def parse_path(path: str) -> Steps:
    """Return the steps of ``variants.0.sku`` or ``variants[sku=MUG-1].price``; none for the whole answer."""
    steps: list[str | int | Pick] = []
    done = 0
    while done < len(path):
        found = STEP.match(path, done)
        if not found or found.end() == done:
            raise ValueError(f'"{path}" is not a path: column {done + 1}')
        name, field, text = found.groups()
        if name is None:
            steps.append(Pick(field, text))
        else:
            steps.append(int(name) if name.isascii() and name.isdigit() and len(name) <= 6 else name)
        done = found.end()
    return tuple(steps)


def get_path(item: Native, steps: Steps) -> Native | Absent:
    """Return what stands at a path. Below null everything is null; beside the end of a list nothing is there."""
    if not steps:
        return item[BARE] if isinstance(item, dict) and BARE in item else item
    here = item
    for step in steps:
        if here is None:
            return None
        here = child(here, step)
        if here is ABSENT:
            return ABSENT
    return here


def child(here: Native, step: str | int | Pick) -> Native | Absent:
    """Return what one step leads to."""
    if isinstance(here, dict):
        return ABSENT if isinstance(step, Pick) else here.get(str(step), ABSENT)
    if isinstance(here, list):
        place = position(here, step)
        return here[place] if place is not None and place < len(here) else ABSENT
    return ABSENT


def position(here: list[Native], step: str | int | Pick) -> int | None:
    """Return where in a list a step leads, perhaps beyond its end."""
    if isinstance(step, int):
        return step
    if isinstance(step, Pick):
        return next((place for place, member in enumerate(here) if picks(member, step)), len(here))
    return None


def picks(member: Native, step: Pick) -> bool:
    """Return whether a list's member is the one that is meant."""
    try:
        return isinstance(member, dict) and text_form(member.get(step.field)) == step.text
    except Invalid:
        return False


def with_path(item: Native, steps: Steps, value: Native) -> Native:
    """Return the item with a value at a path; what is on the way there is copied, what is not there is made.

    Raises ValueError where a list has a gap before the place.
    """
    if not steps:
        return value if isinstance(value, dict) else {BARE: value}
    step, rest = steps[0], steps[1:]
    if isinstance(step, str) or isinstance(item, dict):
        return with_member(item, step, rest, value)
    members = list(item) if isinstance(item, list) else []
    place = position(members, step)
    assert place is not None  # only a name has no place in a list
    if place > len(members):
        raise ValueError(f"the list has {len(members)} elements, there is no place {place}")
    if place == len(members):
        members.append({step.field: step.text} if isinstance(step, Pick) else None)
    members[place] = with_path(members[place], rest, value) if rest else value
    return members


def with_member(item: Native, step: str | int | Pick, rest: Steps, value: Native) -> Native:
    """Return an object with a value at or below one of its names."""
    if isinstance(step, Pick):
        raise ValueError(f"[{step.field}={step.text}] needs a list, and there is an object")  # noqa: TRY004 - the same trouble as a gap
    inside = dict(item) if isinstance(item, dict) else {}
    inside[str(step)] = with_path(inside.get(str(step)), rest, value) if rest else value
    return inside


@dataclass(frozen=True, slots=True)
class Mapped:
    """One field of one platform, ready to be read and written."""

    name: str
    path: str
    key: str | None  # the path, where it is one name
    steps: Steps
    plain: bool  # no pipeline, no checks: the type alone reads it
    pipeline: tuple[Transform, ...]
    read: Callable[[Native], Value]
    checks: tuple[Check, ...]
    blank_is_value: bool
    nothing: Reading  # what null is
    back: tuple[Transform, ...]
    write: Callable[[Value], Native]


def compile_field(field: Field, platform: str, zone: str, home: str) -> Mapped:
    """Return a field as it is on one platform."""
    place = field.maps[platform]
    kind = field.type.at(zone, home)
    single = place.steps[0] if len(place.steps) == 1 else None
    checks = tuple(check for check in field.checks if check.name != "required")
    return Mapped(
        name=field.name,
        path=place.path,
        key=single if isinstance(single, str) else None,
        steps=place.steps,
        plain=not place.read and not checks,
        pipeline=place.read,
        read=kind.read,
        checks=checks,
        blank_is_value=field.blank_is_value,
        nothing=MISSED if any(check.name == "required" for check in field.checks) else EMPTY,
        back=place.write,
        write=kind.write,
    )


def compiled(entity: Entity, platform: str) -> dict[str, Mapped]:
    """Return the fields that are mapped on a platform; the entity keeps them."""
    known: dict[str, Mapped] | None = entity.compiled.get(platform)
    if known is None:
        member = entity.members.get(platform)
        zone, home = (member.timezone, member.home) if member is not None else ("UTC", "")
        known = {f.name: compile_field(f, platform, zone, home) for f in entity.fields.values() if platform in f.maps}
        entity.compiled[platform] = known
    return known


def read_item(entity: Entity, platform: str, item: Item) -> dict[str, Reading]:
    """Return a reading of each field that is mapped on the platform, whatever its direction."""
    readings: dict[str, Reading] = {}
    for name, mapped in compiled(entity, platform).items():
        key = mapped.key
        raw = item.get(key, ABSENT) if key is not None else get_path(item, mapped.steps)
        if raw is ABSENT:
            readings[name] = NOT_THERE
        elif mapped.plain and raw is not None and raw != "":
            try:
                readings[name] = reading(Reading, (VALUE, mapped.read(raw), ""))
            except ValueError as error:
                readings[name] = Reading(State.INVALID, reason=str(error))
        else:
            readings[name] = read_value(mapped, raw)
    return readings


def read_value(mapped: Mapped, raw: Native) -> Reading:
    """Return the reading of a native value: through the pipeline, into the type, past the checks."""
    try:
        for transform in mapped.pipeline:
            if raw is None or (raw == "" and not mapped.blank_is_value):
                return mapped.nothing
            raw = transform(raw)
        if raw is None or (raw == "" and not mapped.blank_is_value):
            return mapped.nothing
        value = mapped.read(raw)
    except ValueError as error:  # Invalid; anything else a transform says of a value is about the value too
        return Reading(State.INVALID, reason=str(error))
    for check in mapped.checks:
        problem = check.problem(value)
        if problem is not None:
            return Reading(State.INVALID, value, problem)
    return Reading(State.VALUE, value)


def native_value(entity: Entity, platform: str, field: str, value: Value) -> Native:
    """Return a golden value as the platform has it; raises NoWord if it cannot say it. Null stays null."""
    if value is None:
        return None
    mapped = compiled(entity, platform)[field]
    native = mapped.write(value)
    try:
        for transform in mapped.back:
            if native is None:
                return None
            native = transform(native)
    except Invalid as error:
        raise NoWord(str(error)) from error
    return native


def write_values(entity: Entity, platform: str, values: Mapping[str, Value]) -> tuple[dict[str, Native], set[str]]:
    """Return the native values by path, and the fields for whose value the platform has no word."""
    natives: dict[str, Native] = {}
    wordless: set[str] = set()
    for field, value in values.items():
        try:
            native: Any = native_value(entity, platform, field, value)
        except NoWord:
            wordless.add(field)
        else:
            natives[entity.fields[field].maps[platform].path] = native
    return natives, wordless
