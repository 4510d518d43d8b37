"""What a platform holds, against what it should hold: one row per record, field and platform, with a cause.

The causes are a closed list; a row gets the first that fits. Everything the comparison needs beside the look stands in
``Standing``: what is queued, refused, proposed or paused.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from syncd.core.held import closed_to_writes, differs, held_everywhere, is_kept, the_cause, truth_of
from syncd.core.mapping import native_value
from syncd.core.model import Known, Life, Native, Reading, Record, ShadowField, State, Value
from syncd.core.plan import wanted
from syncd.core.rules import Entity, Field, Member
from syncd.core.space import Space
from syncd.core.spelling import is_rewritten
from syncd.core.values import NoWord


class Why(StrEnum):
    """Why a platform holds something else than it should, in the order in which causes are tried."""

    UNREADABLE = "unreadable"
    HELD = "held"
    REFUSED = "refused"
    IN_FLIGHT = "in_flight"
    MISSING = "missing"
    EXTRA = "extra"
    REWRITTEN = "rewritten"
    MISSED = "missed"
    STRAY = "stray"


@dataclass(frozen=True, slots=True)
class Standing:
    """What stands between a record and a platform. ``blocked``: why nothing may be written there now (breaker, pause, ...)."""

    blocked: str = ""
    refused: bool = False
    queued: bool = False
    proposed: frozenset[str] = frozenset()  # fields with an open proposal


@dataclass(frozen=True, slots=True)
class Action:
    """What syncd would do about it: write ``value`` at ``path``, create or delete the row, or take the value over."""

    op: str  # write create delete take
    platform: str
    path: str | None = None
    value: Native = None


@dataclass(frozen=True, slots=True)
class Difference:
    """One row of a drift report. ``field`` is None for whole rows; ``action`` None with ``note`` saying why."""

    platform: str
    field: str | None
    why: Why
    truth: Value = None
    found: Value = None
    action: Action | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a comparison happens."""

    space: Space
    entity: Entity
    member: Member
    record: Record
    standing: Standing = field(default_factory=Standing)

    @property
    def platform(self) -> str:
        """The platform compared."""
        return self.member.platform


def compare_absent(place: Place) -> list[Difference]:
    """Return the difference of a record that a complete scan does not show on a platform."""
    shadow = place.record.shadows.get(place.platform)
    if place.record.life is not Life.ALIVE or (shadow is not None and shadow.life in (Life.LEFT, Life.ARCHIVED)):
        return []
    expected = shadow is not None and shadow.life is Life.ALIVE
    creates = wanted(place.entity, place.member, place.record, None if expected else shadow)
    if not expected and not creates:
        return []
    why = first_of(place, None, Why.MISSING)
    closed = place.member.mode == "observe" or not creates
    action = None if closed else Action("create", place.platform)
    return [Difference(place.platform, None, why, place.record.key, None, action, place.standing.blocked)]


def compare(place: Place, readings: Mapping[str, Reading]) -> list[Difference]:
    """Return every field in which a platform's row differs from what it should hold, with its cause."""
    if place.record.life is not Life.ALIVE:
        action = Action("delete", place.platform) if place.member.on_delete == "delete" else None
        return [Difference(place.platform, None, first_of(place, None, Why.EXTRA), None, place.record.key, action)]
    found = (compare_field(place, mapped, readings.get(name)) for name, mapped in place.entity.fields.items())
    return [d for d in found if d is not None]


def compare_field(place: Place, mapped: Field, reading: Reading | None) -> Difference | None:
    """Return the difference of one field, or None if the platform holds what it should."""
    golden = place.record.golden.get(mapped.name)
    target = mapped.maps.get(place.platform)
    if reading is None or golden is None or target is None or target.direction == "in" or golden.who is None:
        return None
    if reading.state is State.INVALID:
        return difference(place, mapped, Why.UNREADABLE, None, note=reading.reason)
    if reading.state is State.ABSENT:
        return None
    shadow = place.record.shadows.get(place.platform)
    known = (shadow.fields.get(mapped.name) if shadow else None) or ShadowField()
    if known.known is not Known.NEVER and reading.value == known.raw:
        return compare_known(place, mapped, known)
    if mapped.equal.same(reading.value, golden.value):
        return None
    decides = place.platform in truth_of(place.entity, mapped).platforms
    return difference(place, mapped, Why.MISSED if decides else Why.STRAY, reading.value, takes=decides)


def compare_known(place: Place, mapped: Field, known: ShadowField) -> Difference | None:
    """Return the difference of a field that holds what syncd last knew of it."""
    golden = place.record.golden[mapped.name]
    if not differs(mapped, known, golden, place.platform):
        rewritten = is_rewritten(known, mapped)
        return difference(place, mapped, Why.REWRITTEN, known.raw) if rewritten else None
    if is_kept(known, golden) and not known.review:
        return None  # the rule lets this edit stand
    if no_word(place, mapped):
        return None
    return difference(place, mapped, Why.MISSED, known.raw)


def no_word(place: Place, mapped: Field) -> bool:
    """Return whether golden's value cannot be written there at all: no drift."""
    try:
        native_value(place.entity, place.platform, mapped.name, place.record.golden[mapped.name].value)
    except NoWord:
        return True
    return False


def difference(place: Place, mapped: Field, why: Why, found: Value, *, takes: bool = False, note: str = "") -> Difference:
    """Return a field's row: the first cause that fits, and what syncd would do."""
    golden = place.record.golden[mapped.name].value
    reason = reason_to_wait(place, mapped)
    cause = why if why is Why.UNREADABLE else first_of(place, mapped.name, why, reason=reason)
    path = mapped.maps[place.platform].path
    closed = closed_to_writes(place.member, mapped) or ("mode observe" if place.member.mode == "observe" else "")
    if takes and cause is Why.MISSED:
        action: Action | None = Action("take", place.platform, path, found)
    elif closed or cause in (Why.UNREADABLE, Why.HELD, Why.REWRITTEN):
        action = None
    else:
        action = Action("write", place.platform, path, word_for(place, mapped))
    return Difference(place.platform, mapped.name, cause, golden, found, action, note or reason or closed)


def word_for(place: Place, mapped: Field) -> Native:
    """Return the native value golden would be written as; None if there is no word for it."""
    try:
        return native_value(place.entity, place.platform, mapped.name, place.record.golden[mapped.name].value)
    except NoWord:
        return None


def reason_to_wait(place: Place, mapped: Field) -> str:
    """Return what a field waits for on this platform, or ''."""
    if place.standing.blocked:
        return place.standing.blocked
    if mapped.name in place.standing.proposed:
        return "proposed: waits for approval"
    waits = held_everywhere(place.space, place.entity, place.record, mapped)
    if waits or place.platform not in place.record.shadows:
        return waits
    return the_cause(place.space, place.entity, place.member, place.record, mapped)


def first_of(place: Place, name: str | None, why: Why, *, reason: str = "") -> Why:
    """Return the first cause that fits, given the one that the values alone show."""
    blocked = bool(reason or place.standing.blocked) or (name is None and bool(place.standing.proposed))
    if blocked:
        return Why.HELD
    if place.standing.refused:
        return Why.REFUSED
    return Why.IN_FLIGHT if place.standing.queued and why is not Why.EXTRA else why
