"""The types of references: ``ref(brand)`` and ``list(brand)``.

Canonical is the record's own number, so that a renamed parent changes no child. What a platform shows is the parent's native
id there; only with the working set at hand the one becomes the other (``core.references``), so here ids pass as text.
"""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from syncd.core.model import Native, Value
from syncd.core.native import Invalid, check_text, shown, sort_of, text_form
from syncd.core.rules import FieldType


@dataclass(frozen=True, slots=True)
class Ref:
    """``ref(ENTITY)``: one record of an entity."""

    name: str
    entity: str

    is_number = False
    is_text = False
    is_set = False
    is_counter_ok = False

    def read(self, raw: Native) -> Value:
        """Return the parent's native id as text; raises Invalid."""
        if isinstance(raw, str):
            return check_text(raw)
        whole = isinstance(raw, Decimal) and raw.is_finite() and raw == raw.to_integral_value()
        if whole or (isinstance(raw, int) and not isinstance(raw, bool)):
            return text_form(raw)
        raise Invalid(f"{shown(raw)} is {sort_of(raw)}, not the id of a {self.entity}")

    def write(self, value: Value) -> Native:
        """Return the native id that ``core.references`` found."""
        return value

    def number(self, value: Value) -> Decimal:  # noqa: ARG002 - only numbers have one
        """A reference is not a number."""
        raise TypeError(f"{self.name} is not a number")

    def order(self, value: Value) -> Any:
        """Return what references are ranked by: text, since numbers of records say nothing."""
        return str(value)

    def at(self, zone: str, home: str = "") -> FieldType:  # noqa: ARG002 - the same everywhere
        """Return the type itself."""
        return self


@dataclass(frozen=True, slots=True)
class Refs(Ref):
    """``list(ENTITY)``: records of an entity, in their order."""

    def read(self, raw: Native) -> Value:
        """Return the parents' native ids as texts; raises Invalid."""
        if not isinstance(raw, list | tuple):
            raise Invalid(f"{shown(raw)} is {sort_of(raw)}, not a list")
        return [Ref.read(self, member) for member in raw]

    def write(self, value: Value) -> Native:
        """Return the native ids as a list of its own."""
        return list(value)
