"""Conditions on values (``check.expr``): of a reading, beside the other fields of the same thing; of what a formula gave."""

from collections.abc import Mapping
from typing import Any

from syncd.core.case import Look
from syncd.core.model import Reading, Shadow, State, Value
from syncd.core.operands import Failed, as_operand, is_true
from syncd.core.parts import Name
from syncd.core.rules import Entity, Field
from syncd.core.views import reading_view

CONDITIONED = "(conditioned)"  # no platform is called that


def broken_condition(field: Field, value: Value, look: Look, now: int) -> str:
    """Return what ``check.expr`` has against a value, ''. ``look`` answers for the names but ``value``. Raises Failed."""

    def with_value(name: Name) -> Any:
        return as_operand(field.type, value) if name == ("", "value") else look(name)

    for condition in field.conditions:
        if not is_true(condition(with_value, now)):
            return f"not true: {condition.text}"
    return ""


def checked(entity: Entity, readings: Mapping[str, Reading], shadow: Shadow | None, now: int) -> Mapping[str, Reading]:
    """Return readings in which a value that breaks a condition of its field is invalid. One without an answer is broken."""
    fields = conditioned(entity)
    if not fields:
        return readings
    look, found = reading_view(entity, readings, shadow), dict(readings)
    for field in fields:
        reading = readings.get(field.name)
        if reading is None or reading.state is not State.VALUE:
            continue
        try:
            broken = broken_condition(field, reading.value, look, now)
        except Failed as error:
            broken = f"cannot be checked: {error}"
        if broken:
            found[field.name] = Reading(State.INVALID, reading.value, broken)
    return found


def conditioned(entity: Entity) -> tuple[Field, ...]:
    """Return the fields that have conditions; the entity keeps them."""
    known: tuple[Field, ...] | None = entity.compiled.get(CONDITIONED)
    if known is None:
        known = entity.compiled[CONDITIONED] = tuple(f for f in entity.fields.values() if f.conditions)
    return known
