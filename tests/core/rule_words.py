"""Expressions for tests, compiled with the names that the desk's fields and platforms have."""

from typing import Any

from syncd.core.expression import Names, compile_expression
from syncd.core.model import Value
from syncd.core.rules import Branch, Freeze, Truth
from syncd.core.values import parse_type

PLATFORMS = ("a", "b", "c")
TYPES = {
    "k": "string",
    "f": "string",
    "g": "string",
    "n": "decimal(2)",
    "m": "decimal(2)",
    "i": "integer",
    "day": "date",
    "tags": "set(string)",
}


def names(value: str | None = None, **more: Any) -> Names:
    """Return the names of the desk: every field on every platform, in golden, and bare."""
    fields = {name: parse_type(kind) for name, kind in TYPES.items()}
    kind = parse_type(value) if value else None
    return Names(**{"fields": dict.fromkeys(PLATFORMS, fields), "golden": fields, "bare": fields, "value": kind} | more)


def formula(text: str, value: str | None = None) -> Any:
    """Return a compiled expression."""
    return compile_expression(text, names(value))


def scope(text: str) -> Any:
    """Return the expression of an ``only``: every bare name is the platform's own."""
    return compile_expression(text, Names(raw_bare=True))


def expr(text: str, **options: Any) -> Truth:
    """Return the rule of a formula, with the platforms that it names."""
    found = formula(text)
    return Truth("expr", platforms_of(found), expr=found, **options)


def platforms_of(*expressions: Any) -> tuple[str, ...]:
    """Return the platforms that expressions name, each once."""
    scopes = (name.scope.removesuffix(".raw") for one in expressions for name in one.names)
    return tuple(dict.fromkeys(s for s in scopes if s in PLATFORMS))


def cases(*branches: tuple[str, Truth] | Truth, **options: Any) -> Truth:
    """Return the rule of cases: (condition, rule) pairs, and a rule at the end."""
    made = tuple(Branch(formula(b[0]), b[1]) if isinstance(b, tuple) else Branch(None, b) for b in branches)
    named = [p for branch in made for p in branch.truth.platforms]
    return Truth("cases", tuple(dict.fromkeys(named)), branches=made, **options)


def frozen_when(text: str) -> Freeze:
    """Return the freeze of a condition."""
    return Freeze("when", when=formula(text))


def const(value: Value, **options: Any) -> Truth:
    """Return the rule of a constant."""
    return Truth("const", value=value, **options)
