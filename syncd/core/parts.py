"""What the compiled rules are made of: types, transforms, equalities, checks, paths and expressions, as the core calls them."""

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, NamedTuple, Protocol

from syncd.core.model import Native, Value


class FieldType(Protocol):
    """Type of a field: between native values and canonical ones (``core.values``)."""

    @property
    def name(self) -> str:
        """The type as the config names it: ``decimal(2)``."""
        ...

    @property
    def is_number(self) -> bool:
        """Whether ``number`` is defined: min, max, sum, ``max_step``."""
        ...

    @property
    def is_text(self) -> bool:
        """Whether values are text a person typed: pattern, lengths."""
        ...

    @property
    def is_set(self) -> bool:
        """Whether values are sorted lists of members: union, intersection."""
        ...

    @property
    def is_counter_ok(self) -> bool:
        """Whether ``merge: delta`` can add and subtract values exactly."""
        ...

    def read(self, raw: Native) -> Value:
        """Return the canonical value of a native one, never None; raises ``values.Invalid`` if it does not fit."""
        ...

    def write(self, value: Value) -> Native:
        """Return the native value (a JSON number is Decimal or int) of a canonical one. Never called with None."""
        ...

    def number(self, value: Value) -> Decimal:
        """Return a canonical value as a number; ``read`` takes the number back. Only if ``is_number``."""
        ...

    def order(self, value: Value) -> Any:
        """Return what canonical values are ranked by: number, moment, place in the enum, else the value itself."""
        ...

    def at(self, zone: str, home: str = "") -> "FieldType":
        """Return the type as a platform in this time zone has it (``datetime``), of this kind: sql file ... (``boolean``)."""
        ...


class Transform(Protocol):
    """One step of a mapping's pipeline (``core.transforms``)."""

    @property
    def name(self) -> str:
        """The step as the config writes it: ``pad_zeros(18)``."""
        ...

    def __call__(self, raw: Native) -> Native:
        """Return the transformed native value; raises ``values.Invalid``. Never called with None."""
        ...


class Equality(Protocol):
    """When two canonical values of a field count as the same (``core.equality``)."""

    @property
    def name(self) -> str:
        """The rule as the config names it: ``casefold``."""
        ...

    def same(self, one: Value, other: Value) -> bool:
        """Return whether both are the same; None equals only None."""
        ...

    def fold(self, value: Value) -> Hashable:
        """Return a set member in the form in which equal members are one; the member itself where nothing is folded."""
        ...


class Check(Protocol):
    """A condition on a value (``core.checks``)."""

    @property
    def name(self) -> str:
        """The check as the config names it: ``min``."""
        ...

    def problem(self, value: Value) -> str | None:
        """Return what is wrong with a canonical, non-null value, or None."""
        ...


@dataclass(frozen=True, slots=True)
class Pick:
    """A step of a path: the first element of a list whose ``field`` has this text, ``variants[sku=MUG-1]``."""

    field: str
    text: str


Steps = tuple[str | int | Pick, ...]


class Name(NamedTuple):
    """A name in an expression. ``sap.price`` is ("sap", "price"), ``sap.raw.a.b`` is ("sap.raw", "a.b"), ``golden.price`` is
    ("golden", "price"); a bare name has the scope "".
    """

    scope: str
    path: str


class Expression(Protocol):
    """A formula of the rule language, compiled once (``core.expression``)."""

    @property
    def text(self) -> str:
        """The formula as written."""
        ...

    @property
    def names(self) -> tuple[Name, ...]:
        """Every name it reads, each once, in the order of the text."""
        ...

    @property
    def timed(self) -> bool:
        """Whether it asks what time it is: ``now()``, ``today()``, ``days_since()``."""
        ...

    def __call__(self, look: Callable[[Name], Any], now: int) -> Any:
        """Return the value. ``look`` gives the value of a name in the form of ``core.expression``, ``ABSENT`` where nothing is
        there; ``now`` is microseconds. Raises ``core.expression.Failed`` with the reason.
        """
        ...
