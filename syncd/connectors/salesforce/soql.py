"""SOQL as text: names, literals that cannot break out, ids with 18 characters, and what fits into an address."""

import re
from collections.abc import Iterator, Sequence
from decimal import Decimal
from urllib.parse import quote

from syncd.connectors.times import moment_of, parse_time
from syncd.core.model import Native
from syncd.errors import PermanentError

BARE = frozenset({"date", "datetime", "time"})  # types whose literals have no quotes
NUMBERS = frozenset({"double", "currency", "percent", "int", "long"})
LONGEST = 12_000  # characters of an address: Salesforce takes 16,384 bytes with all headers (431 beyond)
_NAME = re.compile(r"[A-Za-z]\w*(?:\.[A-Za-z]\w*)*", re.ASCII)
_MOMENT = re.compile(r"[0-9T:.Z+-]+")
_ESCAPED = str.maketrans(
    {"\\": "\\\\", "'": "\\'", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t", "\b": "\\b", "\f": "\\f"}
)
_CHECKS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
_ID = re.compile(r"[A-Za-z0-9]{15}(?:[A-Za-z0-9]{3})?", re.ASCII)


def full_id(text: str) -> str:
    """Return an id with its 18 characters: the last three say which of the others are capitals."""
    if len(text) != 15:
        return text
    parts = (text[start : start + 5] for start in (0, 5, 10))
    return text + "".join(_CHECKS[sum(1 << at for at, one in enumerate(part) if one.isupper())] for part in parts)


def is_id(text: str) -> bool:
    """Return whether a text can be an id at all; what cannot is never sent."""
    return bool(_ID.fullmatch(text)) and (len(text) == 15 or full_id(text[:15]) == text)


def name(text: str) -> str:
    """Return the name of a field, dotted for a parent's; raises PermanentError for anything else."""
    if not _NAME.fullmatch(text):
        raise PermanentError(f"{text!a} is not the name of a field")
    return text


def text(value: str) -> str:
    """Return a text literal."""
    return f"'{value.translate(_ESCAPED)}'"


def stamp(micros: int) -> str:
    """Return a moment literal, in milliseconds, UTC."""
    return moment_of(micros).strftime("%Y-%m-%dT%H:%M:%S.") + f"{micros // 1000 % 1000:03d}Z"


def literal(value: Native, kind: str) -> str:
    """Return a value as a literal of a field's type; raises PermanentError if the type has no such value."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if kind in BARE:
        return _moment(value, kind)
    if kind in NUMBERS:
        return _number(value)
    if not isinstance(value, str | int | Decimal):
        raise PermanentError(f"a {type(value).__name__} is no value to look for")
    return text(str(value))


def _moment(value: Native, kind: str) -> str:
    if kind == "datetime" and (at := parse_time(value)) is not None:
        return stamp(at)
    if not isinstance(value, str) or not _MOMENT.fullmatch(value):
        raise PermanentError(f"{value!a} is no {kind}")
    return value


def _number(value: Native) -> str:
    try:
        number = Decimal(str(value).strip())
    except ArithmeticError as error:
        raise PermanentError(f"{value!a} is no number") from error
    if not number.is_finite():
        raise PermanentError(f"{value!a} is no number")
    return f"{number:f}"


def in_ids(field: str, ids: Sequence[str]) -> str:
    """Return the condition that an id is one of these."""
    return f"{field} IN ({','.join(text(one) for one in ids)})"


def fitting(ids: Sequence[str], rest: str) -> Iterator[Sequence[str]]:
    """Yield the ids in parts so that each fits into an address beside the rest of its query, at most 200 at once."""
    room = LONGEST - len(quote(rest, safe=""))
    most = min(200, room // len(quote(f"'{'x' * 18}',", safe="")))
    if most < 1:
        raise PermanentError("too many fields are mapped: a query for them does not fit into an address")
    for start in range(0, len(ids), most):
        yield ids[start : start + most]


def both(*conditions: str | None) -> str:
    """Return the WHERE of all conditions that there are, with its blank; '' without any."""
    there = [one for one in conditions if one]
    return f" WHERE {' AND '.join(there)}" if there else ""
