"""The YAML 1.2 core schema for plain values, and ``${VAR}`` in them."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal

_INTEGER = re.compile(r"[-+]?[0-9]+")
_OTHER_BASE = re.compile(r"0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_SPECIAL = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")
_NULL = {"", "~", "null", "Null", "NULL"}
_TRUE = {"true", "True", "TRUE"}
_FALSE = {"false", "False", "FALSE"}
_MOST_DIGITS = 400  # beyond that a number is text: nobody means it

VARIABLE = re.compile(r"\$\$\{|\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}|\$\{[^}\s]*\}?")


def resolve(text: str) -> str | int | Decimal | bool | None:
    """Return what a plain scalar means. ``yes``, ``no``, ``on``, ``off``, ``12:30`` and dates are text."""
    if text in _NULL:
        return None
    if text in _TRUE:
        return True
    if text in _FALSE:
        return False
    return _number(text) if len(text) <= _MOST_DIGITS else text


def _number(text: str) -> str | int | Decimal:
    if _INTEGER.fullmatch(text):
        return int(text)
    if _OTHER_BASE.fullmatch(text):
        return int(text, 0)
    if _FLOAT.fullmatch(text):
        return Decimal(text)
    if _SPECIAL.fullmatch(text):
        return Decimal(text.replace(".", "", 1))
    return text


def reading(value: int | Decimal | bool | None) -> str:
    """Return how a value reads once its spelling is gone: ``1.10`` as ``1.1``, ``00123`` as ``123``."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return repr(float(value))
    return "null" if value is None else str(value)


@dataclass(frozen=True, slots=True)
class Unset:
    """A variable that cannot be filled in: its place in the text, and its name (empty if it is not a name at all)."""

    start: int
    end: int
    name: str


def fill(text: str, variables: Mapping[str, str], missing: Callable[[Unset], None]) -> str:
    """Return a text with its variables filled in; ``$${`` is a literal ``${``. What is unset is told to ``missing``."""

    def one(found: re.Match[str]) -> str:
        if found[0] == "$${":
            return "${"
        name, default = found[1], found[2]
        value = variables.get(name) if name else None
        if value is None or (not value and default is not None):
            if default is None:
                missing(Unset(found.start(), found.end(), name or ""))
            return default or ""
        return value

    return VARIABLE.sub(one, text)
