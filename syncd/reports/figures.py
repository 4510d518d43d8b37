"""Figures, times and values as people and machines read them.

Times are microseconds since 1970, UTC, or RFC 3339 text.
"""

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

SECOND = 1_000_000
STEPS = ((86_400, "d"), (3_600, "h"), (60, "m"))


def stamp(us: int | None) -> str | None:
    """Return RFC 3339 UTC text to the second, or None."""
    if us is None:
        return None
    return datetime.fromtimestamp(us // SECOND, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def micros(text: str | None) -> int | None:
    """Return the microseconds of an RFC 3339 text, or None."""
    if not text:
        return None
    moment = datetime.fromisoformat(text)
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return round(moment.timestamp() * SECOND)


def age(text: str | None, now: str | None) -> str:
    """Return how long ago: ``4 s``, ``12 m``, ``3 h``, ``9 d``; ``-`` when unknown."""
    then, here = micros(text), micros(now)
    if then is None or here is None:
        return "-"
    return span(max(here - then, 0) / SECOND)


def span(seconds: float) -> str:
    """Return a duration in its largest fitting unit."""
    for unit, letter in STEPS:
        if seconds >= unit:
            return f"{int(seconds // unit)} {letter}"
    return f"{seconds:.0f} s"


def moment(text: str | None, *, local: bool = False, seconds: bool = True) -> str:
    """Return a time as a person reads it in a table, UTC unless ``local``."""
    us = micros(text)
    if us is None:
        return "-"
    when = datetime.fromtimestamp(us // SECOND, UTC)
    when = when.astimezone() if local else when
    return when.strftime("%Y-%m-%d %H:%M:%S" if seconds else "%Y-%m-%d %H:%M")


def number(count: int | None) -> str:
    """Return ``12,431``; ``-`` when unknown."""
    return "-" if count is None else f"{count:,}"


def percent(part: int | None, whole: int | None) -> str:
    """Return ``0.23%``; never 0.00% when there is something, never 100.00% when something is left."""
    if part is None or not whole:
        return "-"
    ratio = 100 * part / whole
    if 0 < ratio < 0.01:
        return "<0.01%"
    if 99.99 < ratio < 100:
        return ">99.99%"
    return f"{ratio:.2f}%"


def plural(count: int, noun: str, many: str = "") -> str:
    """Return ``1 write``, ``24 writes``."""
    return f"{count:,} {noun if count == 1 else many or noun + 's'}"


def ordinal(count: int) -> str:
    """Return how often a row was seen: ``new``, ``2nd``, ``3rd``, ``11th``."""
    if count <= 1:
        return "new"
    ending = "th" if 10 <= count % 100 <= 20 else {1: "st", 2: "nd", 3: "rd"}.get(count % 10, "th")
    return f"{count}{ending}"


def plain(text: str) -> str:
    """Return text that cannot steer a terminal or break a line: control characters are spelled out."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else _spelled(c) for c in text)


def _spelled(char: str) -> str:
    known = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}
    code = ord(char)
    width, letter = next((w, x) for least, w, x in ((0x10000, 8, "U"), (0x100, 4, "u"), (0, 2, "x")) if code >= least)
    return known.get(char) or f"\\{letter}{code:0{width}x}"


def value(thing: Any) -> str:
    """Return a field's value for a table: ``-`` is null, a set reads ``blue, new``, a document as JSON."""
    match thing:
        case None:
            return "-"
        case True | False:
            return "true" if thing else "false"
        case str():
            return plain(thing) or '""'
        case int() | float():
            return str(thing)
        case list() if all(isinstance(one, str) for one in thing):
            return ", ".join(plain(one) for one in thing) or "(empty)"
        case _:
            return plain(compact(thing))


def compact(thing: Any) -> str:
    """Return a document as one line of JSON."""
    return json.dumps(thing, ensure_ascii=False, separators=(", ", ": "))


def exact(thing: Any) -> Any:
    """Return a platform's own value as JSON: a number with a fraction is text, so that no digit is lost."""
    match thing:
        case Decimal():
            return str(thing)
        case list():
            return [exact(one) for one in thing]
        case dict():
            return {name: exact(one) for name, one in thing.items()}
        case _:
            return thing
