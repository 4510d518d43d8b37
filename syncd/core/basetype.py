"""What all field types share (``core.values``)."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from syncd.core.model import Native, Value
from syncd.core.rules import FieldType


@dataclass(frozen=True, slots=True)
class Kind(ABC):
    """What all field types share; each overrides what it promises differently."""

    name: str

    is_number = False
    is_text = False
    is_set = False
    is_counter_ok = False

    @abstractmethod
    def read(self, raw: Native) -> Value:
        """Return the canonical value; raises Invalid."""

    def write(self, value: Value) -> Native:
        """Return the native value."""
        return value

    def number(self, value: Value) -> Decimal:  # noqa: ARG002 - only numbers have one
        """Return the value as a number."""
        raise TypeError(f"{self.name} is not a number")

    def order(self, value: Value) -> Any:
        """Return what values are ranked by."""
        return value

    def at(self, zone: str, home: str = "") -> FieldType:  # noqa: ARG002 - only datetime has a zone, and boolean a spelling
        """Return the type as a platform of this kind in this zone has it."""
        return self
