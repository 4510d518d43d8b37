"""Field types: between what platforms send and the one canonical form in which values are kept and compared.

Canonical values are JSON-ready and unique: two values are equal exactly if their canonical forms are. A value that does
not fit its type is ``Invalid``; nothing is guessed or cut, except digits of a second beyond microseconds.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Context, Decimal, Inexact, InvalidOperation
from typing import Any

from syncd.core.basetype import Kind
from syncd.core.model import Native, Value
from syncd.core.native import (
    FORMATS,
    INTEGER,
    MAX_DEPTH,
    MAX_DIGITS,
    MAX_INTEGER,
    MAX_TEXT,
    MIN_INTEGER,
    Invalid,
    Later,
    NoWord,
    check_text,
    finite,
    number_of,
    plain,
    shown,
    sort_of,
)
from syncd.core.reftypes import Ref, Refs
from syncd.core.rules import FieldType
from syncd.core.timetypes import Date, Moment

__all__ = ["NAMES", "Invalid", "Kind", "Later", "NoWord", "parse_type"]

PLACES = tuple(Decimal(1).scaleb(-places) for places in range(MAX_DIGITS))
EXACT = Context(prec=MAX_DIGITS, traps=[InvalidOperation, Inexact])


@dataclass(frozen=True, slots=True)
class Text(Kind):
    """``string``, ``text``, ``html``, and with a form to match ``email``, ``url``, ``phone``."""

    form: re.Pattern[str] | None = None

    is_text = True

    def read(self, raw: Native) -> Value:
        """Return the text as it is."""
        simple = isinstance(raw, str) and raw.isascii() and len(raw) < MAX_TEXT and "\0" not in raw
        text: str = raw if simple else check_text(raw)
        if self.form and not self.form.fullmatch(text):
            raise Invalid(f"{shown(text)} is not {'an' if self.name == 'email' else 'a'} {self.name}")
        return text


@dataclass(frozen=True, slots=True)
class Number(Kind):
    """What can be counted and ranked."""

    is_number = True
    is_counter_ok = True

    def number(self, value: Value) -> Decimal:
        """Return the value as a number."""
        return Decimal(value)

    def order(self, value: Value) -> Any:
        """Return the number."""
        return Decimal(value)


@dataclass(frozen=True, slots=True)
class Integer(Number):
    """A signed 64 bit integer; a number with a fraction, even ``5.0``, is none (``round(0)`` cures)."""

    def read(self, raw: Native) -> Value:
        """Return an int."""
        if type(raw) is int and MIN_INTEGER <= raw <= MAX_INTEGER:
            return raw
        value = self._whole(raw)
        if value is None:
            raise Invalid(f"{shown(raw)} is not an integer")
        if not MIN_INTEGER <= value <= MAX_INTEGER:
            raise Invalid(f"{shown(raw)} is beyond 64 bit")
        return value

    def _whole(self, raw: Native) -> int | None:
        if isinstance(raw, int) and not isinstance(raw, bool):
            return raw
        if isinstance(raw, str) and INTEGER.fullmatch(raw):
            return int(raw) if len(raw) <= MAX_DIGITS else MAX_INTEGER + 1
        if isinstance(raw, Decimal) and raw.is_finite() and raw.as_tuple().exponent == 0:
            return int(raw)
        return None


@dataclass(frozen=True, slots=True)
class Fraction(Number):
    """``decimal(n)`` and ``money``: text with exactly ``places`` places; ``decimal``: text with as many as it needs."""

    places: int | None = None

    def read(self, raw: Native) -> Value:
        """Return decimal text."""
        if self.places is None:
            return plain(number_of(raw))
        try:
            return f"{EXACT.quantize(finite(raw), PLACES[self.places]):f}"
        except Inexact:
            raise Invalid(f"{shown(raw)} has more than {self.places} places") from None
        except InvalidOperation:
            raise Invalid(f"{shown(raw)} has more than {MAX_DIGITS} digits") from None

    def write(self, value: Value) -> Native:
        """Return a Decimal with the same places."""
        return Decimal(value)


@dataclass(frozen=True, slots=True)
class Boolean(Kind):
    """True or false; 1 and 0 as databases have them, "true" and "false" as files do.

    ``home``: the kind of platform, "" for any: what stands in no database and no file is a boolean, or none.
    """

    home: str = ""

    def read(self, raw: Native) -> Value:
        """Return a bool."""
        if isinstance(raw, bool):
            return raw
        if self.home in ("", "sql") and isinstance(raw, int | Decimal) and finite(raw) in (0, 1):
            return bool(raw)
        if self.home in ("", "file") and isinstance(raw, str) and raw in ("true", "false"):
            return raw == "true"
        raise Invalid(f"{shown(raw)} is not true or false")

    def at(self, zone: str, home: str = "") -> FieldType:  # noqa: ARG002 - no zone in it
        """Return the type as this kind of platform spells it."""
        return Boolean(self.name, home) if home else self


@dataclass(frozen=True, slots=True)
class Enum(Kind):
    """One of some words, in the order in which they rank."""

    words: tuple[str, ...] = ()

    def read(self, raw: Native) -> Value:
        """Return the word."""
        if not isinstance(raw, str) or raw not in self.words:
            raise Invalid(f"{shown(raw)} is not one of {', '.join(self.words)}")
        return raw

    def order(self, value: Value) -> Any:
        """Return the place in the list."""
        return self.words.index(value)


@dataclass(frozen=True, slots=True)
class Texts(Kind):
    """``set(string)``: a sorted list of texts without repeats."""

    is_set = True

    def read(self, raw: Native) -> Value:
        """Return the sorted members."""
        if not isinstance(raw, list | tuple):
            raise Invalid(f"{shown(raw)} is {sort_of(raw)}, not a list")
        return sorted({check_text(member) for member in raw})

    def write(self, value: Value) -> Native:
        """Return a list of its own, so that nobody changes golden through it."""
        return list(value)


@dataclass(frozen=True, slots=True)
class Document(Kind):
    """``json``: any document; numbers as int or float where exact, else as text."""

    def read(self, raw: Native) -> Value:
        """Return the document."""
        return document(raw, MAX_DEPTH)

    def write(self, value: Value) -> Native:
        """Return the document with Decimals for fractions."""
        match value:
            case dict():
                return {name: self.write(member) for name, member in value.items()}
            case list():
                return [self.write(member) for member in value]
            case float():
                return Decimal(repr(value))
        return value


def document(raw: Native, depth: int) -> Value:
    """Return a JSON document in canonical form, at most ``depth`` levels deep."""
    if depth < 0:
        raise Invalid(f"document is deeper than {MAX_DEPTH} levels")
    match raw:
        case None | bool():
            return raw
        case str():
            return check_text(raw)
        case int():
            return Integer("integer").read(raw)
        case float() | Decimal():
            return json_number(raw)
        case list() | tuple():
            return [document(member, depth - 1) for member in raw]
        case dict():
            return {check_text(name): document(member, depth - 1) for name, member in raw.items()}
    raise Invalid(f"{shown(raw)} is {sort_of(raw)}, not JSON")


def json_number(raw: float | Decimal) -> Value:
    """Return a number with a fraction as int or float if that is exact, else as text."""
    value = Decimal(repr(raw)) if isinstance(raw, float) else raw
    if not value.is_finite():
        raise Invalid(f"{shown(raw)} is not a finite number")
    if value.adjusted() < MAX_DIGITS and value == value.to_integral_value() and MIN_INTEGER <= value <= MAX_INTEGER:
        return int(value)
    return float(value) if Decimal(repr(float(value))) == value else str(value)


SIMPLE: dict[str, Callable[[str], FieldType]] = {
    "string": Text,
    "text": Text,
    "html": Text,
    "email": lambda name: Text(name, FORMATS["email"]),
    "url": lambda name: Text(name, FORMATS["url"]),
    "phone": lambda name: Text(name, FORMATS["phone"]),
    "integer": Integer,
    "decimal": Fraction,
    "money": lambda name: Fraction(name, 2),
    "boolean": Boolean,
    "date": Date,
    "datetime": Moment,
    "set(string)": Texts,
    "json": Document,
}
NAMES = (*SIMPLE, "decimal(2)", "enum", "ref(ENTITY)", "list(ENTITY)")  # for suggestions


def parse_type(spec: object, *, zone: str = "UTC") -> FieldType:
    """Return the type that the config names; raises ValueError for what is none."""
    if isinstance(spec, Mapping):
        return parse_enum(spec)
    if not isinstance(spec, str):
        raise ValueError("a type is a name, or {enum: [...]}")  # noqa: TRY004 - all config errors are ValueErrors
    if spec in SIMPLE:
        return SIMPLE[spec](spec).at(zone)
    if (places := re.fullmatch(r"decimal\(([0-9]{1,2})\)", spec)) and int(places[1]) < MAX_DIGITS:
        return Fraction(spec, int(places[1]))
    if parent := re.fullmatch(r"(list|ref)\((\w+)\)", spec):
        return (Ref if parent[1] == "ref" else Refs)(spec, parent[2])
    raise ValueError(f'no type called "{spec}"')


def parse_enum(spec: Mapping[Any, Any]) -> FieldType:
    """Return the type of ``{enum: [...]}``."""
    words = spec.get("enum")
    if set(spec) != {"enum"} or not isinstance(words, list | tuple) or not words:
        raise ValueError("a type is a name, or {enum: [...]} with at least one word")
    if not all(isinstance(word, str) and word for word in words) or len(set(words)) < len(words):
        raise ValueError("the words of an enum are texts, each once")
    return Enum("enum", tuple(words))
