"""What platforms send, looked at closely: is it text, a number, a moment, and what is it called in words?

Nothing is guessed or cut. What does not fit is ``Invalid``, with the reason that a person will read.
"""

import re
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Final

from syncd.core.model import Native

MAX_TEXT = 16 * 1024 * 1024  # bytes of UTF-8
MAX_INTEGER = 2**63 - 1
MIN_INTEGER = -(2**63)
MAX_DIGITS = 28  # of a decimal, before and after the point together: sums and differences stay exact
MAX_DEPTH = 32
NUMERIC = (str, int, Decimal, float)  # made once: a union of types is made anew at each look
ZERO = Decimal(0)  # never -0

NUMBER = re.compile(r"-?(?:[0-9]+(?:\.[0-9]+)?|\.[0-9]+)")
INTEGER = re.compile(r"-?[0-9]+")
DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
MOMENT = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})[Tt ]([0-9]{2}:[0-9]{2}:[0-9]{2})(\.[0-9]+)?([Zz]|[+-][0-9]{2}:[0-9]{2})?")
FORMATS = {
    "email": re.compile(r"[^@\s]++@[^@\s]++"),
    "url": re.compile(r"[A-Za-z][A-Za-z0-9+.-]*+://[^\s/]\S*+"),
    "phone": re.compile(r"(?=(?:[^0-9]*+[0-9]){3})\+?[0-9 ()/.-]++"),
}


class Absent:
    """The one thing that is not in an answer; null is."""

    def __repr__(self) -> str:
        return "ABSENT"


ABSENT: Final = Absent()


class Invalid(ValueError):  # noqa: N818 - the word of the design
    """A native value does not fit; the text says why, for the person who reads the conflict."""


class NoWord(ValueError):  # noqa: N818 - the word for it: the platform has none for this value
    """A platform has no way to say this value: it is not written there, and that is no drift."""


class Later(ValueError):  # noqa: N818 - a state of the config, as E190 says it
    """The config asks for something that a later version will know (E190)."""


def shown(raw: Native) -> str:
    """Return a value as short text for a reason."""
    text = f'"{raw}"' if isinstance(raw, str) else str(raw)
    return text if len(text) <= 40 else f"{text[:36]}..."


def sort_of(raw: Native) -> str:
    """Return what kind of thing a native value is, in words."""
    names: tuple[tuple[type, str], ...] = (
        (str, "text"),
        (bool, "true or false"),
        (int, "a number"),
        (float, "a number"),
        (Decimal, "a number"),
        (list, "a list"),
        (dict, "an object"),
        (datetime, "a date with time"),
        (date, "a date"),
    )
    return next((words for kind, words in names if isinstance(raw, kind)), type(raw).__name__)


def check_text(raw: Native) -> str:
    """Return text that can be stored; raises Invalid for anything else, for NUL, broken Unicode and over 16 MiB."""
    if not isinstance(raw, str):
        raise Invalid(f"{shown(raw)} is {sort_of(raw)}, not text")
    if "\0" in raw:
        raise Invalid("text holds a NUL character")
    if raw.isascii():
        size = len(raw)
    else:
        try:
            size = len(raw.encode())
        except UnicodeEncodeError:
            raise Invalid("text holds half a character (a lone surrogate)") from None
    if size > MAX_TEXT:
        raise Invalid("text is longer than 16 MiB")
    return raw


def finite(raw: Native) -> Decimal:
    """Return a native number, or text that is one in plain notation, exactly and however long."""
    if isinstance(raw, bool) or not isinstance(raw, NUMERIC):
        raise Invalid(f"{shown(raw)} is {sort_of(raw)}, not a number")
    if isinstance(raw, str):
        if not NUMBER.fullmatch(raw):
            raise Invalid(f"{shown(raw)} is not a number")
        value = Decimal(raw)
    else:
        value = Decimal(repr(raw)) if isinstance(raw, float) else Decimal(raw)
    if not value.is_finite():
        raise Invalid(f"{shown(raw)} is not a finite number")
    return value or ZERO


def number_of(raw: Native) -> Decimal:
    """Return a native number as ``finite`` does, if it has no more digits than can be kept."""
    value = finite(raw)
    if max(value.adjusted(), 0) - min(int(value.as_tuple().exponent), 0) >= MAX_DIGITS:
        raise Invalid(f"{shown(raw)} has more than {MAX_DIGITS} digits")
    return value


def plain(value: Decimal) -> str:
    """Return a number without exponent and without zeros at its end: ``12.5``."""
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def text_form(raw: Native) -> str:
    """Return the text form by which tables, paths and match keys know a value: ``true``, ``12.5``, ``2026-01-31``."""
    match raw:
        case str():
            return raw
        case bool():
            return "true" if raw else "false"
        case int():
            return str(raw)
        case float() | Decimal():
            return plain(number_of(raw))
        case date():
            return raw.isoformat()
    raise Invalid(f"{sort_of(raw)} has no text form")


def moment_of(value: str) -> datetime:
    """Return the moment of a canonical datetime."""
    return datetime.fromisoformat(value)


def moment_text(moment: datetime) -> str:
    """Return the canonical form of an aware moment: UTC, a fraction only if it has one."""
    try:
        text = moment.astimezone(UTC).replace(tzinfo=None).isoformat()
    except OverflowError:
        raise Invalid(f"{shown(moment)} is outside the years 1 to 9999") from None
    return f"{text.rstrip('0') if '.' in text else text}Z"
