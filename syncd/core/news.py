"""Does a look say something that the shadow does not know? Versions order looks of one life, our numbers order reads,
a strictly later time orders events. What none of them puts after the shadow is only a hint: read.
"""

from collections.abc import Mapping
from enum import StrEnum

from syncd.core.model import Change, Known, Reading, Shadow, State, Via
from syncd.core.rules import Entity


class News(StrEnum):
    """FRESH: later than the shadow. OLD: not later. READ: nobody can tell."""

    FRESH = "fresh"
    OLD = "old"
    READ = "read"


def order(entity: Entity, shadow: Shadow, change: Change, *, readings: Mapping[str, Reading]) -> News:
    """Return whether a look comes after the shadow."""
    if change.via is Via.READ:
        return order_read(shadow, change, readings)
    if not entity.members[change.platform].abilities.read:
        return order_unreadable(shadow, change)
    return order_event(entity, shadow, change, readings)


def is_ordered(shadow: Shadow, change: Change) -> bool:
    """Return whether versions order this look: both are numbers."""
    return isinstance(change.version, int) and isinstance(shadow.version, int)


def is_higher(shadow: Shadow, change: Change) -> bool:
    """Return whether a look's version is above the shadow's; both are numbers."""
    return int(change.version or 0) > int(shadow.version or 0)


# ---- reads


def order_read(shadow: Shadow, change: Change, readings: Mapping[str, Reading]) -> News:
    """A read is news if it started after the newest accepted look, or shows a higher version (R7)."""
    if started_later(shadow, change):
        return News.FRESH
    if is_ordered(shadow, change):
        return News.FRESH if is_higher(shadow, change) else News.OLD
    return News.OLD if shows_the_same(shadow, readings) else News.READ


def started_later(shadow: Shadow, change: Change) -> bool:
    """Return whether a read's request started after the newest look we accepted."""
    return change.as_of >= shadow.as_of


def shows_the_same(shadow: Shadow, readings: Mapping[str, Reading]) -> bool:
    """Return whether a look shows exactly what the shadow holds."""
    return all(
        (known := shadow.fields.get(name)) is not None and known.known is not Known.INVALID and reading.value == known.raw
        for name, reading in readings.items()
        if reading.state is not State.ABSENT
    )


def is_new_life(shadow: Shadow, change: Change) -> bool:
    """Return whether a read shows a second life under an old id: its version went back (R9)."""
    return (
        change.via is Via.READ
        and is_ordered(shadow, change)
        and not is_higher(shadow, change)
        and change.version != shadow.version
    )


# ---- events


def order_event(entity: Entity, shadow: Shadow, change: Change, readings: Mapping[str, Reading]) -> News:
    """An event is news only if a version or a strictly later time says so; a part of a thing needs more (R7, R8)."""
    if is_of_former_life(shadow, change):
        return News.READ
    if is_ordered(shadow, change):
        if not is_higher(shadow, change):
            return News.OLD
        return News.FRESH if is_enough(entity, shadow, change, readings) else News.READ
    return News.FRESH if is_later(shadow, change) and is_whole(shadow, readings) else News.READ


def is_of_former_life(shadow: Shadow, change: Change) -> bool:
    """Return whether an event's version was seen in a former life under this id: whose is it? (R9)"""
    return isinstance(change.version, int) and change.version <= shadow.old_version


def is_later(shadow: Shadow, change: Change) -> bool:
    """Return whether the platform's own time puts an event after the shadow: strictly, for clocks tick (R7)."""
    return change.changed_at is not None and shadow.changed_at is not None and change.changed_at > shadow.changed_at


def is_enough(entity: Entity, shadow: Shadow, change: Change, readings: Mapping[str, Reading]) -> bool:
    """Return whether an event can be taken as it is: whole, or the very next version and no part of a group (R8)."""
    if is_whole(shadow, readings):
        return True
    part_of_group = any(entity.fields[n].group for n, r in readings.items() if r.state is not State.ABSENT)
    return follows(shadow, change) and not part_of_group


def is_whole(shadow: Shadow, readings: Mapping[str, Reading]) -> bool:
    """Return whether an event shows every mapped field that the thing was ever seen to have."""
    absent = [name for name, r in readings.items() if r.state is State.ABSENT]
    return not any(is_known(shadow, name) for name in absent)


def is_known(shadow: Shadow, name: str) -> bool:
    """Return whether a field was ever read there."""
    known = shadow.fields.get(name)
    return known is not None and known.known is not Known.NEVER


def follows(shadow: Shadow, change: Change) -> bool:
    """Return whether an event is the very next version."""
    return isinstance(shadow.version, int) and change.version == shadow.version + 1


def order_unreadable(shadow: Shadow, change: Change) -> News:
    """Where a thing cannot be read, an event must speak for itself: by version, by time, else by arrival."""
    if is_ordered(shadow, change):
        return News.FRESH if is_higher(shadow, change) else News.OLD
    if change.changed_at is not None and shadow.changed_at is not None:
        return News.FRESH if change.changed_at >= shadow.changed_at else News.OLD
    return News.FRESH if started_later(shadow, change) else News.OLD
