"""Conditions on canonical values. A value that fails one is an invalid reading; the field's rule says what follows.

``max_step`` is no condition on a value but on its change; it is parsed here and obeyed where golden is decided.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from syncd.core import formats
from syncd.core.automaton import Automaton, NotAPattern, TooMuch
from syncd.core.model import Value
from syncd.core.native import Invalid, Later, number_of, plain, shown
from syncd.core.rules import Check, FieldType

LATER = frozenset(("unique", "expr"))
RANKED = frozenset(("date", "datetime"))


@dataclass(frozen=True, slots=True)
class Condition:
    """One check as configured; ``wrong`` says what is wrong with a value, or None."""

    name: str
    setting: Any
    wrong: Callable[[Value], str | None]

    def problem(self, value: Value) -> str | None:
        """Return what is wrong with a canonical, non-null value, or None."""
        return self.wrong(value)


@dataclass(frozen=True, slots=True)
class Checks:
    """All checks of a field. ``max_step`` is a ratio: 0.3 is 30 %."""

    checks: tuple[Check, ...] = ()
    max_step: float | None = None


def parse_checks(spec: Mapping[str, object], kind: FieldType) -> Checks:
    """Return the checks of ``check: {...}``; raises Later for those to come, ValueError for what does not fit."""
    step = parse_step(spec["max_step"], kind) if "max_step" in spec else None
    found = (parse_check(name, setting, kind) for name, setting in spec.items() if name != "max_step")
    return Checks(tuple(check for check in found if check), step)


def parse_check(name: str, setting: object, kind: FieldType) -> Check | None:
    """Return one check; None for ``required: false``. Raises Later and ValueError, which name the check."""
    if name in LATER:
        raise Later(f"check {name} is not in this version")
    if name == "required":
        return parse_required(setting)
    if name not in MAKERS:
        raise ValueError(f'no check called "{name}"')
    return Condition(name, setting, MAKERS[name](setting, kind))


def parse_required(setting: object) -> Check | None:
    """Return the check that makes an empty reading invalid (``core.mapping`` knows it by its name)."""
    if not isinstance(setting, bool):
        raise ValueError("required is true or false")  # noqa: TRY004 - all config errors are ValueErrors
    return Condition("required", True, lambda _: None) if setting else None


def parse_step(setting: object, kind: FieldType) -> float:
    """Return the ratio of ``max_step: 30%``."""
    found = re.fullmatch(r"([0-9]+(?:\.[0-9]+)?)%", str(setting))
    if not found or float(found[1]) == 0:
        raise ValueError(f'max_step "{setting}" is not a share: write 30%')
    if not kind.is_number:
        raise ValueError(f"max_step is for numbers, and the field is {kind.name}")
    return float(found[1]) / 100


def make_pattern(setting: object, kind: FieldType) -> Callable[[Value], str | None]:
    """Return ``pattern``: found anywhere in the text unless it has anchors; each member of a set."""
    if not isinstance(setting, str):
        raise ValueError("pattern is a regular expression in quotes")  # noqa: TRY004
    try:
        pattern = Automaton(setting)
    except NotAPattern as error:
        raise ValueError(f'pattern "{setting}" cannot be used: {error}') from None

    def wrong(text: str) -> str | None:
        try:
            return None if pattern.found(text) else f"{shown(text)} is not like {setting}"
        except TooMuch as error:
            return f"{shown(text)}: {error}"

    return each_text("pattern", kind, wrong)


def make_format(setting: object, kind: FieldType) -> Callable[[Value], str | None]:
    """Return ``format``: one of a closed list (``core.formats``)."""
    if not isinstance(setting, str) or setting not in formats.TESTS:
        raise ValueError(f'no format called "{setting}"')
    test = formats.TESTS[setting]
    return each_text("format", kind, lambda text: None if test(text) else f"{shown(text)} is not a valid {setting}")


def each_text(name: str, kind: FieldType, wrong: Callable[[str], str | None]) -> Callable[[Value], str | None]:
    """Return a check of a text, or of each member of a set."""
    if kind.is_set:
        return lambda value: next((said for said in map(wrong, value) if said), None)
    if not kind.is_text:
        raise ValueError(f"{name} is for text, and the field is {kind.name}")
    return wrong


def make_limit(name: str) -> Callable[[object, FieldType], Callable[[Value], str | None]]:
    """Return the maker of ``min`` or ``max``: of a number, date or datetime, the limit itself allowed."""
    sign, words = (1, "less than") if name == "min" else (-1, "more than")

    def maker(setting: object, kind: FieldType) -> Callable[[Value], str | None]:
        limit, text = ranked(name, setting, kind)

        def wrong(value: Value) -> str | None:
            rank = kind.order(value)
            bad = rank < limit if sign > 0 else rank > limit
            return f"{value} is {words} {text}" if bad else None

        return wrong

    return maker


def ranked(name: str, setting: object, kind: FieldType) -> tuple[Any, str]:
    """Return a limit as values of the type are ranked, and as text."""
    try:
        if kind.is_number:
            number = number_of(setting)
            return number, plain(number)
        if kind.name in RANKED:
            value = kind.read(setting)
            return kind.order(value), str(value)
    except Invalid as error:
        raise ValueError(f"{name}: {error}") from error
    raise ValueError(f"{name} is for numbers and dates, and the field is {kind.name}")


def make_length(name: str) -> Callable[[object, FieldType], Callable[[Value], str | None]]:
    """Return the maker of ``min_length`` or ``max_length``: characters of a text, members of a set."""

    def maker(setting: object, kind: FieldType) -> Callable[[Value], str | None]:
        if type(setting) is not int or setting < 0:
            raise ValueError(f"{name} is a number of characters")
        if not (kind.is_text or kind.is_set):
            raise ValueError(f"{name} is for text and sets, and the field is {kind.name}")
        limit: int = setting
        unit = "members" if kind.is_set else "characters"

        def wrong(value: Value) -> str | None:
            size = len(value)
            bad = size < limit if name == "min_length" else size > limit
            least = "at least" if name == "min_length" else "at most"
            return f"{size} {unit}, {least} {limit} wanted" if bad else None

        return wrong

    return maker


MAKERS: dict[str, Callable[[object, FieldType], Callable[[Value], str | None]]] = {
    "pattern": make_pattern,
    "format": make_format,
    "min": make_limit("min"),
    "max": make_limit("max"),
    "min_length": make_length("min_length"),
    "max_length": make_length("max_length"),
}
NAMES = ("required", *MAKERS, "max_step")  # for suggestions
