"""When two values of a field count as the same: for drift, and for whether to write at all.

An equality is exact, folds both sides into one form (``fold``), or allows a distance. Folded equalities are compared
member by member on sets. A distance has no folded form: under it a set's members are compared exactly.
"""

import json
import re
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from syncd.core.markup import outline
from syncd.core.model import Value
from syncd.core.native import Invalid, moment_of, number_of
from syncd.core.rules import Equality, FieldType

UNITS = {"ms": 1_000, "s": 1_000_000, "m": 60_000_000, "h": 3_600_000_000, "d": 86_400_000_000}


def strict(one: Value, other: Value) -> bool:
    """Return whether two canonical values are one, where true is not 1."""
    if one != other:
        return False
    if isinstance(one, dict):
        return all(strict(member, other[name]) for name, member in one.items())
    if isinstance(one, list):
        return all(map(strict, one, other))
    return isinstance(one, bool) == isinstance(other, bool)


@dataclass(frozen=True, slots=True)
class Exact:
    """The same canonical value: ``exact``, ``set`` (sets are kept sorted, without repeats)."""

    name: str = "exact"

    def same(self, one: Value, other: Value) -> bool:
        """Return whether both are one value."""
        return strict(one, other)

    def fold(self, value: Value) -> Hashable:
        """Return the value itself."""
        folded: Hashable = value
        return folded


@dataclass(frozen=True, slots=True)
class Folded:
    """Texts that are the same once folded; sets are compared by their folded members, other values exactly."""

    name: str
    form: Callable[[str], Hashable]

    def same(self, one: Value, other: Value) -> bool:
        """Return whether both fold into one form."""
        if strict(one, other):
            return True
        if isinstance(one, str) and isinstance(other, str):
            return self.form(one) == self.form(other)
        if isinstance(one, list) and isinstance(other, list):
            return {self.fold(member) for member in one} == {self.fold(member) for member in other}
        return False

    def fold(self, value: Value) -> Hashable:
        """Return the folded form of a text; anything else as the JSON text it is."""
        return self.form(value) if isinstance(value, str) else json.dumps(value, sort_keys=True)


@dataclass(frozen=True, slots=True)
class Near:
    """Numbers or moments that are no further apart than ``most``; what is neither is compared exactly."""

    name: str
    most: Decimal
    measure: Callable[[Value], Decimal]

    def same(self, one: Value, other: Value) -> bool:
        """Return whether the distance is small enough."""
        if one is None or other is None:
            return one is other
        try:
            return abs(self.measure(one) - self.measure(other)) <= self.most
        except ValueError:
            return strict(one, other)

    def fold(self, value: Value) -> Hashable:
        """Return the value itself: nearness folds nothing."""
        folded: Hashable = value
        return folded


@dataclass(frozen=True, slots=True)
class Documents:
    """Documents with the same content; two texts that both hold JSON are compared as documents."""

    name: str = "json"

    def same(self, one: Value, other: Value) -> bool:
        """Return whether both are one document."""
        if strict(one, other):
            return True
        try:
            return isinstance(one, str) and isinstance(other, str) and strict(parsed(one), parsed(other))
        except (ValueError, RecursionError):
            return False

    def fold(self, value: Value) -> Hashable:
        """Return the document as text with its names in order."""
        return json.dumps(value, sort_keys=True)


def parsed(text: str) -> Any:
    """Return the document of a JSON text, its fractions exact."""
    return json.loads(text, parse_float=Decimal)


def collapse(text: str) -> str:
    """Return text with each run of blanks as one space, none at its ends."""
    return " ".join(text.split())


def microseconds(value: Value) -> Decimal:
    """Return a canonical datetime as microseconds; raises ValueError for anything else."""
    if not isinstance(value, str):
        raise Invalid("not a datetime")
    moment = moment_of(value)
    if moment.tzinfo is None:
        raise Invalid("not a datetime")
    return Decimal(int(moment.timestamp()) * 1_000_000 + moment.microsecond)


SIMPLE: dict[str, Equality] = {
    "exact": Exact(),
    "set": Exact("set"),
    "casefold": Folded("casefold", str.casefold),
    "whitespace": Folded("whitespace", collapse),
    "html": Folded("html", outline),
    "json": Documents(),
}
NAMES = (*SIMPLE, "number", "time")  # for suggestions


def parse_equality(spec: object) -> Equality:
    """Return the equality that the config names; raises ValueError for what is none."""
    if isinstance(spec, str) and spec in SIMPLE:
        return SIMPLE[spec]
    if isinstance(spec, Mapping) and len(spec) == 1:
        ((kind, most),) = spec.items()
        if kind == "number":
            return Near("number", parse_distance(most), number_of)
        if kind == "time":
            return Near("time", parse_span(most), microseconds)
        spec = kind
    if isinstance(spec, Mapping | list):
        raise ValueError("no equality: one name, or one of {number: ...} and {time: ...}")  # noqa: TRY004 - as all of the config
    raise ValueError(f'no equality called "{spec}"')


def parse_distance(raw: object) -> Decimal:
    """Return the greatest difference between two numbers that are still the same."""
    try:
        most = number_of(raw)
    except Invalid as error:
        raise ValueError(f"equal number: {error}") from error
    if most < 0:
        raise ValueError("equal number: a distance is not negative")
    return most


def parse_span(raw: object) -> Decimal:
    """Return microseconds of ``500ms``, ``1s``, ``2m``."""
    found = re.fullmatch(r"([0-9]+(?:\.[0-9]+)?)(ms|s|m|h|d)", str(raw))
    if not found:
        raise ValueError(f'"{raw}" is not a duration')
    return Decimal(found[1]) * UNITS[found[2]]


def suits(equality: Equality, kind: FieldType) -> bool:
    """Return whether an equality says anything about values of this type."""
    needs = {
        "number": kind.is_number,
        "time": kind.name == "datetime",
        "set": kind.is_set,
        "json": kind.is_text or kind.name == "json",
    }
    return needs.get(equality.name, equality.name == "exact" or kind.is_text or kind.is_set)
