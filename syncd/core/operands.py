"""What expressions calculate with, and the operators: null has a meaning in each, and nothing is coerced.

An operand is None (null), text, a number (int or Decimal), true or false, a date, a date with time (aware) or a list; a
platform's own fields may be objects too. Numbers have at most 28 digits: sums and products that need more are rounded there,
and what is larger fails.
"""

from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import ROUND_FLOOR, ROUND_HALF_UP, Context, Decimal, DecimalException, DivisionByZero, InvalidOperation, Overflow
from typing import Any

from syncd.core.model import Value
from syncd.core.native import ABSENT, MAX_DIGITS, Invalid, moment_of, number_of, shown, sort_of
from syncd.core.parts import FieldType

TEXT, NUMBER, TRUTH, DATE, MOMENT = "text", "a number", "true or false", "a date", "a date with time"
LIST, OBJECT, NULL, ANY = "a list", "an object", "null", "anything"

MAX_STEPS = 10_000  # of one evaluation
MAX_RESULT = 64 * 1024  # characters of a text that is put together
BIGGEST = 10**MAX_DIGITS
EXACT = Context(prec=MAX_DIGITS, rounding=ROUND_HALF_UP, Emax=MAX_DIGITS - 1, Emin=1 - MAX_DIGITS)
EXACT.traps = dict.fromkeys(EXACT.traps, False) | {InvalidOperation: True, DivisionByZero: True, Overflow: True}
WIDE = Context(prec=2 * MAX_DIGITS + 2, rounding=ROUND_HALF_UP)
NUMBERS = frozenset((int, Decimal))
ORDERED = frozenset((str, int, Decimal, date, datetime))
SIMPLE = frozenset((str, bool, type(None), date))
KINDS: dict[type, str] = {
    str: TEXT,
    int: NUMBER,
    Decimal: NUMBER,
    bool: TRUTH,
    date: DATE,
    datetime: MOMENT,
    tuple: LIST,
    list: LIST,
    dict: OBJECT,
    type(None): NULL,
}


class Failed(ValueError):  # noqa: N818 - what becomes of an evaluation; the rule says what follows
    """An expression has no value here; the text says why, for the person who reads the conflict."""


def kind_of(value: Any) -> str:
    """Return what kind of operand a value is, in words."""
    return KINDS.get(type(value), ANY)


def kind_of_type(kind: FieldType) -> str:
    """Return what kind of operand a field of this type gives."""
    if kind.is_number:
        return NUMBER
    if kind.is_set or kind.name.startswith("list("):
        return LIST
    return {"boolean": TRUTH, "date": DATE, "datetime": MOMENT, "json": ANY}.get(kind.name, TEXT)


def as_operand(kind: FieldType, canonical: Value) -> Any:
    """Return the operand of a canonical value of this type."""
    if canonical is None or canonical is ABSENT:
        return None
    if kind.is_number:
        return canonical if type(canonical) is int else kind.number(canonical)
    if kind.name == "date":
        return date.fromisoformat(canonical)
    if kind.name == "datetime":
        return moment_of(canonical)
    return tuple(canonical) if isinstance(canonical, list) else canonical


def canonical_of(kind: FieldType, value: Any) -> Value:
    """Return the canonical value of this type of what an expression gave; raises Invalid, with what to write."""
    if value is None or value is ABSENT:
        return None
    needed, given = kind_of_type(kind), kind_of(value)
    if needed not in (given, ANY):
        cure = {NUMBER: ": write number(...)", TEXT: ": write text(...)"}.get(needed, "") if given in (TEXT, NUMBER) else ""
        raise Invalid(f"{shown(value)} is {given}, and the field is {kind.name}{cure}")
    if needed is NUMBER:
        return number_for(kind, value)
    return kind.read(list(value) if isinstance(value, tuple) else value)


def number_for(kind: FieldType, value: int | Decimal) -> Value:
    """Return a number as a field's type keeps it; one with too many places is told to be rounded."""
    whole = isinstance(value, int) or value == value.to_integral_value()
    try:
        return kind.read(int(value) if kind.name == "integer" and whole else value)
    except Invalid as reason:
        if whole:
            raise
        places = {"integer": 0, "money": 2}.get(kind.name) if "(" not in kind.name else kind.name[8:-1]
        raise Invalid(f"{reason}: write round(..., {places})" if places is not None else str(reason)) from None


def operand_of(value: Any, name: str) -> Any:
    """Return what a name gave as an operand: what is absent is null here. Raises Failed for what is none."""
    kind = type(value)
    if kind in SIMPLE or value is ABSENT:
        return None if value is ABSENT else value
    if kind is Decimal or kind is int or kind is float:
        try:
            return value if kind is int and -BIGGEST < value < BIGGEST else whole_or_not(number_of(value), kind)
        except Invalid as reason:
            raise Failed(f"{name}: {reason}") from None
    if kind is datetime:
        return value if value.tzinfo else value.replace(tzinfo=UTC)
    if kind not in KINDS:
        raise Failed(f"{name} is {sort_of(value)}, which no expression knows")
    return value


def whole_or_not(value: Decimal, kind: type) -> int | Decimal:
    """Return a number as it was given: whole ones stay whole."""
    return int(value) if kind is int else value


def condition(value: Any, said: str) -> bool:
    """Return what a value means where a condition is needed: null is false; 1, 0, "true" and "false" are what a field of
    type boolean takes them for. Raises Failed for anything else.
    """
    if value is True or value is False:
        return value
    if value is None or value is ABSENT:
        return False
    if (type(value) in NUMBERS and value in (0, 1)) or (type(value) is str and value in ("true", "false")):
        return value in (1, "true")
    raise Failed(f"{said} is {sort_of(value)}, not true or false: compare it with something")


def is_true(value: Any) -> bool:
    """Return what a ``when`` that gave this value means: null and absent are false. Raises Failed if it is no condition."""
    return condition(value, "the condition")


# ---- numbers


def bounded(value: Any) -> Any:
    """Return a number that is not too large; raises Failed."""
    if type(value) is int:
        if not -BIGGEST < value < BIGGEST:
            raise Failed(f"has more than {MAX_DIGITS} digits")
        return value
    return value or Decimal(0)


def add(a: Any, b: Any) -> Any:
    """Return the sum of two numbers."""
    return a + b if type(a) is int and type(b) is int else EXACT.add(a, b)


def subtract(a: Any, b: Any) -> Any:
    """Return the difference of two numbers."""
    return a - b if type(a) is int and type(b) is int else EXACT.subtract(a, b)


def multiply(a: Any, b: Any) -> Any:
    """Return the product of two numbers."""
    return a * b if type(a) is int and type(b) is int else EXACT.multiply(a, b)


def divide(a: Any, b: Any) -> Any:
    """Return the quotient of two numbers, to 28 digits."""
    if not b:
        raise Failed("divides by zero")
    return EXACT.divide(Decimal(a), Decimal(b))


def divide_whole(a: Any, b: Any) -> Any:
    """Return how often b goes into a, rounded down."""
    if not b:
        raise Failed("divides by zero")
    (an, ad), (bn, bd) = a.as_integer_ratio(), b.as_integer_ratio()
    return (an * bd) // (ad * bn)


def remainder(a: Any, b: Any) -> Any:
    """Return what is left of a after b was taken off as often as it goes; it has the sign of b."""
    if not b:
        raise Failed("divides by zero")
    if type(a) is int and type(b) is int:
        return a % b
    (an, ad), (bn, bd) = a.as_integer_ratio(), b.as_integer_ratio()
    return EXACT.divide(Decimal((an * bd) % (ad * bn)), Decimal(ad * bd))


def arithmetic(work: Callable[[Any, Any], Any], a: Any, b: Any, said: str) -> Any:
    """Return the result of an operator over two numbers; raises Failed, naming the formula."""
    try:
        return bounded(work(a, b))
    except DecimalException:
        raise Failed(f"{said} has more than {MAX_DIGITS} digits") from None
    except Failed as reason:
        raise Failed(f"{said} {reason}") from None


def rounded(value: Any, places: int) -> Any:
    """Return a number rounded half up (away from zero); a whole one for no places or less."""
    if places <= 0:
        unit = 10**-places
        return int(WIDE.divide(Decimal(value), unit).to_integral_value(ROUND_HALF_UP)) * unit
    exponent = int(Decimal(value).as_tuple().exponent)
    if -exponent <= places:
        return value
    return WIDE.quantize(Decimal(value), Decimal(1).scaleb(-places)) or Decimal(0)


def floor(value: Any) -> int:
    """Return the next whole number below, or the number itself."""
    return int(Decimal(value).to_integral_value(ROUND_FLOOR))


# ---- comparing


def spend(state: list[int], steps: int) -> None:
    """Take steps from what an evaluation has left (``state[1]``); raises Failed if it has no more."""
    state[1] -= steps
    if state[1] < 0:
        raise Failed(f"takes more than {MAX_STEPS:,} steps")


def like(a: Any, b: Any) -> bool:
    """Return whether two operands are of one kind, so that they can be compared."""
    return type(a) is type(b) or kind_of(a) == kind_of(b)


def equal(a: Any, b: Any, state: list[int]) -> bool:
    """Return whether two operands are the same; lists and objects by what is in them. Never raises but for the steps."""
    if isinstance(a, list | tuple) and isinstance(b, list | tuple):
        spend(state, min(len(a), len(b)))
        return len(a) == len(b) and all(equal(x, y, state) for x, y in zip(a, b, strict=True))
    if isinstance(a, dict) and isinstance(b, dict):
        spend(state, min(len(a), len(b)))
        return a.keys() == b.keys() and all(equal(value, b[key], state) for key, value in a.items())
    a, b = operand_of(a, "a value"), operand_of(b, "a value")
    return like(a, b) and bool(a == b)


def member(a: Any, b: Any, state: list[int], said: tuple[str, str]) -> bool:
    """Return whether a is in a list, is a key of an object or stands in a text. Raises Failed where that has no sense."""
    if b is None:
        return False
    if isinstance(b, list | tuple):
        spend(state, len(b) + 1)
        others = {kind_of(operand_of(x, said[1])) for x in b} - {NULL}
        if a is not None and others and kind_of(a) not in others:
            raise Failed(f"{said[0]} is {kind_of(a)}, and the list {said[1]} has none of that kind")
        return any(equal(a, x, state) for x in b)
    if a is None:
        return False
    if isinstance(a, str) and isinstance(b, str):
        spend(state, len(b) >> 6)
        return a in b
    if isinstance(a, str) and isinstance(b, dict):
        return a in b
    raise Failed(f"{said[1]} is {kind_of(b)}: no {kind_of(a).removeprefix('a ')} is looked for in that")
