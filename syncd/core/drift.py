"""What a platform holds, against what it should hold: one row per record, field and platform, with a cause.

The causes are a closed list; a row gets the first that fits. Everything the comparison needs beside the look stands in
``Standing``: what is queued, refused, proposed or paused.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from syncd.core.bounds import not_made
from syncd.core.folds import is_counter
from syncd.core.force import force_of, may_say
from syncd.core.held import (
    UNCOUNTABLE,
    closed_there,
    differs,
    held_everywhere,
    is_countable,
    is_kept,
    parts_of,
    the_cause,
)
from syncd.core.life import is_merging, life_conflict
from syncd.core.model import Known, Life, Native, Op, Reading, Record, Shadow, ShadowField, State, Value
from syncd.core.plan import NO_VALUE, incomplete, plan, plan_return, wanted
from syncd.core.references import native_of
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


MODE = "mode observe"


@dataclass(frozen=True, slots=True)
class Standing:
    """What stands between a record and a platform. ``blocked``: why nothing may be written there now (breaker, pause, ...)."""

    blocked: str = ""
    refused: bool = False
    queued: bool = False
    proposed: frozenset[str] = frozenset()  # fields with an open proposal
    declined: str = ""  # what became of the last write there that a person does not want
    declined_op: str = ""
    declined_values: Mapping[str, Native] = field(default_factory=dict)  # by path

    def declines(self, op: str, values: Mapping[str, Native]) -> str:
        """Return what became of a write of these values that a person does not want, or ''."""
        known = self.declined_values
        same = self.declined_op == op and all(path in known and known[path] == value for path, value in values.items())
        return self.declined if same else ""


@dataclass(frozen=True, slots=True)
class Action:
    """What syncd would do about it: write ``value`` at ``path``, create, delete or archive the row, or take the value over."""

    op: str  # write create delete archive take
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
    if place.record.life is not Life.ALIVE or (shadow is not None and shadow.life is Life.LEFT):
        return []
    expected = shadow is not None and shadow.life in (Life.ALIVE, Life.ARCHIVED)
    asked = life_conflict(place.platform) in place.record.conflicts or is_merging(shadow)
    creates = place.member.abilities.create and wanted(place.entity, place.member, place.record, shadow)
    creates = creates and not not_made(place.entity, place.member, place.record, place.space.now)
    if not expected and not creates and not asked:
        return []
    reason = place.standing.blocked or ("deleted there: a person decides" if asked else "")
    reason = reason or (NO_VALUE if incomplete(place.entity, place.record) else "")
    note = reason or why_not_made(place, shadow, creates=creates) or why_declined(place, shadow)
    action = None if note else put_back(place, shadow)
    return [
        Difference(
            place.platform, None, first_of(place, None, Why.MISSING, reason=reason), place.record.key, None, action, note
        )
    ]


def why_declined(place: Place, shadow: Shadow | None) -> str:
    """Return what became of a create that a person does not want, or ''."""
    if not place.standing.declined or (shadow is not None and shadow.life is not Life.GONE):
        return ""
    write = plan(place.space, place.record, place.platform).write
    return place.standing.declines(write.op, write.values) if write is not None else ""


def put_back(place: Place, shadow: Shadow | None) -> Action | None:
    """Return how a missing record is put there: made, or its archived row brought back; None if nothing says how."""
    if shadow is None or shadow.life is not Life.ARCHIVED:
        return Action("create", place.platform)
    write = plan_return(place.space, place.entity, place.member, place.record, shadow).write
    path = place.member.deleted[0] if place.member.deleted else ""
    return Action("write", place.platform, path, write.values[path]) if write is not None else None


def why_not_made(place: Place, shadow: Shadow | None, *, creates: bool) -> str:
    """Return why a record that is missing on a platform is not made there, or ''."""
    if place.member.mode == "observe":
        return MODE
    if place.entity.deletes.authority in (place.platform, "any"):
        return "its deletion here decides, once it is proved"
    if creates and put_back(place, shadow) is None:
        return "archived there: no mapped field carries the mark, and what stood there before is not known"
    return "" if creates else "the rules do not put it back"


def compare(place: Place, readings: Mapping[str, Reading]) -> list[Difference]:
    """Return every field in which a platform's row differs from what it should hold, with its cause."""
    if place.record.life is not Life.ALIVE:
        if stays(place):
            return []
        closed = MODE if place.member.mode == "observe" else ""
        removes = place.member.on_delete in ("delete", "archive") and not closed
        action = Action(place.member.on_delete, place.platform) if removes else None
        why = first_of(place, None, Why.EXTRA)
        return [Difference(place.platform, None, why, None, place.record.key, action, place.standing.blocked or closed)]
    found = (compare_field(place, mapped, readings.get(name)) for name, mapped in place.entity.fields.items())
    return [d for d in found if d is not None]


def stays(place: Place) -> bool:
    """Return whether the rules leave a row alone whose record was deleted elsewhere: it is there, and no drift."""
    tomb = place.record.tomb
    return place.member.on_delete in ("ignore", "clear_link") and (tomb is None or tomb.platform != place.platform)


def compare_field(place: Place, mapped: Field, reading: Reading | None) -> Difference | None:
    """Return the difference of one field, or None if the platform holds what it should."""
    golden = place.record.golden.get(mapped.name)
    target = mapped.maps.get(place.platform)
    if reading is None or golden is None or target is None or golden.who is None:
        return None
    decides = is_heard(place, mapped)
    if target.direction == "in" and not decides:
        return None
    if reading.state is State.INVALID:
        return difference(place, mapped, Why.UNREADABLE, None, note=reading.reason)
    if reading.state is State.ABSENT:
        return None
    shadow = place.record.shadows.get(place.platform)
    known = (shadow.fields.get(mapped.name) if shadow else None) or ShadowField()
    if known.known is not Known.NEVER and reading.value == known.raw:
        return compare_known(place, mapped, known) if target.direction != "in" else None
    if mapped.equal.same(reading.value, golden.value) or (no_word(place, mapped) and not decides):
        return None
    return difference(place, mapped, Why.MISSED if decides else Why.STRAY, reading.value, takes=decides)


def compare_known(place: Place, mapped: Field, known: ShadowField) -> Difference | None:
    """Return the difference of a field that holds what syncd last knew of it."""
    golden = place.record.golden[mapped.name]
    if not differs(mapped, known, golden, place.platform):
        rewritten = is_rewritten(known, mapped)
        return difference(place, mapped, Why.REWRITTEN, known.raw) if rewritten else None
    if is_kept(known, golden) and not known.review:
        return difference(place, mapped, Why.STRAY, known.raw) if frozen(place, mapped) else None  # the rule lets it stand
    if no_word(place, mapped):
        return None
    return difference(place, mapped, Why.MISSED, known.raw)


def is_heard(place: Place, mapped: Field) -> bool:
    """Return whether what a platform says of a field now is a voice in the rule that decides it."""
    force = force_of(place.space, place.entity, place.record, mapped)
    return not force.frozen and may_say(force.truth, mapped, place.platform)


def frozen(place: Place, mapped: Field) -> str:
    """Return why a field is frozen, ''."""
    return force_of(place.space, place.entity, place.record, mapped).frozen


def no_word(place: Place, mapped: Field) -> bool:
    """Return whether golden's value cannot be written there at all: no drift."""
    try:
        native_of(place.space, place.entity, place.platform, mapped.name, place.record.golden[mapped.name].value)
    except NoWord:
        return True
    return False


def difference(place: Place, mapped: Field, why: Why, found: Value, *, takes: bool = False, note: str = "") -> Difference:
    """Return a field's row: the first cause that fits, and what syncd would do."""
    golden = place.record.golden[mapped.name].value
    reason = reason_to_wait(place, mapped)
    cause = why if why is Why.UNREADABLE else first_of(place, mapped.name, why, reason=reason)
    path = mapped.maps[place.platform].path
    closed = never_written(place, mapped) or (let_stand(place, mapped) if why is Why.STRAY else "")
    if takes and cause is Why.MISSED:
        action: Action | None = Action("take", place.platform, path, found)
    elif closed or cause in (Why.UNREADABLE, Why.HELD, Why.REWRITTEN) or no_word(place, mapped):
        action = None
    else:
        native = native_of(place.space, place.entity, place.platform, mapped.name, golden)
        closed = place.standing.declines(Op.UPDATE, {path: native})
        action = None if closed else Action("write", place.platform, path, native)
    return Difference(place.platform, mapped.name, cause, golden, found, action, note or reason or closed)


def never_written(place: Place, mapped: Field) -> str:
    """Return why a field is not written there under these rules, or ''."""
    if place.member.mode == "observe":
        return MODE
    return closed_there(place.entity, place.member, mapped) or (
        UNCOUNTABLE if is_counter(mapped) and not is_countable(place.member) else ""
    )


def let_stand(place: Place, mapped: Field) -> str:
    """Return why a stray edit would not be put back, or ''."""
    action = mapped.stray.get(place.platform, "revert")
    if action == "revert" and (stands := frozen(place, mapped)):
        return stands
    return {"keep": "stray edits are kept", "review": "stray edits wait for a person"}.get(action, "")


def reason_to_wait(place: Place, mapped: Field) -> str:
    """Return what a field waits for on this platform, or ''."""
    if place.standing.blocked:
        return place.standing.blocked
    if mapped.name in place.standing.proposed:
        return "proposed: waits for approval"
    if incomplete(place.entity, place.record):
        return NO_VALUE
    waits = held_everywhere(place.space, place.entity, place.record, mapped)
    if waits or place.platform not in place.record.shadows:
        return waits
    parts = parts_of(place.entity, mapped, place.platform)
    causes = (the_cause(place.space, place.entity, place.member, place.record, part) for part in parts)
    return next((why for why in causes if why), "")


def first_of(place: Place, name: str | None, why: Why, *, reason: str = "") -> Why:
    """Return the first cause that fits, given the one that the values alone show."""
    blocked = bool(reason or place.standing.blocked) or (name is None and bool(place.standing.proposed))
    if blocked:
        return Why.HELD
    if place.standing.refused:
        return Why.REFUSED
    return Why.IN_FLIGHT if place.standing.queued and why is not Why.EXTRA else why
