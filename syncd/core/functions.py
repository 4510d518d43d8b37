"""The functions of expressions, in one table: what each takes and gives, said in words, with an example that is true.

A function is called with operands, never with null unless it says so (``nulls``): for the others null in is null out. All
are bounded: in the sizes they take and make, and by the steps of the evaluation.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from syncd.core.native import DATE as DATE_FORM
from syncd.core.native import MOMENT as MOMENT_FORM
from syncd.core.native import Invalid, moment_text, number_of, shown, text_form
from syncd.core.operands import (
    ANY,
    DATE,
    LIST,
    MAX_RESULT,
    MOMENT,
    NUMBER,
    ORDERED,
    TEXT,
    Failed,
    add,
    arithmetic,
    condition,
    equal,
    kind_of,
    like,
    operand_of,
    rounded,
    spend,
)

DAY = frozenset((DATE, MOMENT, TEXT))
MEASURED = frozenset((TEXT, LIST))
EVERY: frozenset[str] = frozenset((ANY,))
MAX_PLACES = 27


@dataclass(frozen=True, slots=True)
class Function:
    """One function. ``takes``: the kinds of its arguments; the last one repeats if ``many``. ``gives``: a kind, ANY if that
    depends. ``needs``: how many arguments at least. ``work`` is called with the state of the evaluation ([now in
    microseconds, steps left]) and the arguments.
    """

    signature: str
    doc: str
    example: str
    result: str
    takes: tuple[frozenset[str], ...]
    gives: str
    work: Callable[..., Any]
    needs: int = -1
    many: bool = False
    nulls: bool = False
    timed: bool = False

    @property
    def name(self) -> str:
        """The name by which it is called."""
        return self.signature.partition("(")[0]

    @property
    def least(self) -> int:
        """How many arguments it needs."""
        return len(self.takes) if self.needs < 0 else self.needs

    def kinds(self, place: int) -> frozenset[str]:
        """Return what the argument at this place may be."""
        return self.takes[min(place, len(self.takes) - 1)]


def moment_now(state: list[int]) -> datetime:
    """Return the moment of the evaluation."""
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=state[0])


def short(text: str) -> str:
    """Return a text if it is not too long to be worked on."""
    if len(text) > MAX_RESULT:
        raise Failed(f"the text has more than {MAX_RESULT // 1024} Ki characters")
    return text


def day_of(value: Any) -> date | datetime:
    """Return the day or moment that a value is, or that a text spells."""
    if isinstance(value, date):
        return value
    if DATE_FORM.fullmatch(value) or MOMENT_FORM.fullmatch(value):
        try:
            found = datetime.fromisoformat(value.upper()) if len(value) > 10 else date.fromisoformat(value)
            return found.replace(tzinfo=UTC) if isinstance(found, datetime) and not found.tzinfo else found
        except ValueError:
            raise Failed(f"{shown(value)} is not in the calendar") from None
    raise Failed(f"{shown(value)} is not a date (2026-01-31)")


def plain_day(value: Any) -> date:
    """Return the day in UTC of a date, a moment or a text of one."""
    found = day_of(value)
    try:
        return found.astimezone(UTC).date() if isinstance(found, datetime) else found
    except OverflowError:
        raise Failed(f"{shown(value)} is not in the calendar") from None


def days_between(_: list[int], first: Any, last: Any) -> int:
    """Return the whole days from one to the other; elapsed time if both are moments."""
    one, other = day_of(first), day_of(last)
    if isinstance(one, datetime) and isinstance(other, datetime):
        return (other - one) // timedelta(days=1)
    return (plain_day(other) - plain_day(one)).days


def days_since(state: list[int], value: Any) -> int:
    """Return the whole days until now."""
    return days_between(state, value, moment_now(state))


def to_moment(_: list[int], value: Any) -> datetime:
    """Return a moment; a day is its midnight in UTC."""
    found = day_of(value)
    return found if isinstance(found, datetime) else datetime(found.year, found.month, found.day, tzinfo=UTC)


def to_number(_: list[int], value: Any) -> Any:
    """Return the number that a text spells."""
    try:
        return value if not isinstance(value, str) else number_of(value)
    except Invalid as reason:
        raise Failed(str(reason)) from None


def to_text(_: list[int], value: Any) -> str:
    """Return the text form of a value."""
    try:
        return moment_text(value) if isinstance(value, datetime) else text_form(value)
    except Invalid as reason:
        raise Failed(str(reason)) from None


def replace(state: list[int], text: str, old: str, new: str) -> str:
    """Return a text with each ``old`` replaced; refuses to make it too long."""
    if not old:
        raise Failed("there is no text to replace")
    made = len(text) + short(text).count(old) * (len(new) - len(old))
    if made > MAX_RESULT:
        raise Failed(f"the text would have more than {MAX_RESULT // 1024} Ki characters")
    spend(state, made >> 6)
    return text.replace(old, new)


def split(state: list[int], text: str, separator: str) -> tuple[str, ...]:
    """Return the parts of a text."""
    if not separator:
        raise Failed("there is no separator")
    spend(state, short(text).count(separator) + (len(text) >> 6))
    return tuple(text.split(separator))


def members(state: list[int], values: Any) -> list[Any]:
    """Return the members of a list as operands, without the empty ones."""
    spend(state, len(values))
    return [found for found in (operand_of(value, "a member of the list") for value in values) if found is not None]


def listed(state: list[int], values: tuple[Any, ...]) -> list[Any]:
    """Return the values to be ranked or added: the arguments, or the members of the only one."""
    return members(state, values[0] if len(values) == 1 and isinstance(values[0], list | tuple) else values)


def alike(values: list[Any]) -> list[Any]:
    """Return values that can be ranked with one another; raises Failed."""
    for value in values:
        if type(value) not in ORDERED:
            raise Failed(f"{kind_of(value)} has no rank")
        if not like(value, values[0]):
            raise Failed(f"compares {kind_of(values[0])} with {kind_of(value)}")
    return values


def highest(state: list[int], *values: Any) -> Any:
    """Return the largest."""
    return max(alike(listed(state, values)), default=None)


def lowest(state: list[int], *values: Any) -> Any:
    """Return the smallest."""
    return min(alike(listed(state, values)), default=None)


def total(state: list[int], *values: Any) -> Any:
    """Return the sum; null if there is nothing to add."""
    found = listed(state, values)
    result: Any = None
    for value in found:
        if kind_of(value) is not NUMBER:
            raise Failed(f"{shown(value)} is {kind_of(value)}, not a number")
        result = value if result is None else arithmetic(add, result, value, "the sum")
    return result


def join(state: list[int], values: Any, separator: str) -> str:
    """Return the texts of a list as one."""
    found = members(state, values)
    for value in found:
        if not isinstance(value, str):
            raise Failed(f"{shown(value)} is {kind_of(value)}, not text")
    size = sum(map(len, found)) + len(separator) * max(len(found) - 1, 0)
    if size > MAX_RESULT:
        raise Failed(f"the text would have more than {MAX_RESULT // 1024} Ki characters")
    spend(state, size >> 6)
    return separator.join(found)


def unique(state: list[int], values: Any) -> tuple[Any, ...]:
    """Return the members of a list, each once, in the order in which they came."""
    kept: list[Any] = []
    for value in members(state, values):
        if not any(equal(value, other, state) for other in kept):
            kept.append(value)
        spend(state, len(kept))
    return tuple(kept)


def in_order(state: list[int], values: Any) -> tuple[Any, ...]:
    """Return the members of a list in their order."""
    found = alike(members(state, values))
    spend(state, 4 * len(found))
    return tuple(sorted(found))


def round_to(_: list[int], value: Any, places: Any = 0) -> Any:
    """Return a number rounded half up."""
    if type(places) is not int or not -MAX_PLACES <= places <= MAX_PLACES:
        raise Failed(f"{shown(places)} is not a number of places, 0 to {MAX_PLACES}")
    return rounded(value, places)


def cased(change: Callable[[str], str]) -> Callable[[list[int], str], str]:
    """Return the work of a function that rewrites a text."""

    def work(state: list[int], text: str) -> str:
        spend(state, len(short(text)) >> 4)
        return change(text)

    return work


def holds(state: list[int], values: Any, wanted: Any) -> bool:
    """Return whether a text has another in it, or a list has a member."""
    if isinstance(values, str):
        if not isinstance(wanted, str):
            raise Failed(f"{shown(wanted)} is {kind_of(wanted)}, not text")
        spend(state, len(short(values)) >> 6)
        return wanted in values
    spend(state, len(values))
    return any(equal(wanted, value, state) for value in values)


def at_end(place: int) -> Callable[[list[int], Any], Any]:
    """Return the work of ``first`` and ``last``."""
    return lambda _, values: operand_of(values[place], "a member of the list") if values else None


def conditions(state: list[int], values: Any) -> list[bool]:
    """Return what the members of a list mean as conditions; null is false."""
    spend(state, len(values))
    return [condition(value, shown(value)) for value in values]
