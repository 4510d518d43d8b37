"""The config at a glance, as reports name it: which entities, fields and platforms there are, and where their rules stand."""

from collections.abc import Mapping
from typing import Any, NamedTuple


class FieldLine(NamedTuple):
    """Where a field's rule stands, and which kind of rule it is. ``ways``: direction by mapped platform."""

    name: str
    type: str
    file: str
    line: int
    strategy: str
    platforms: tuple[str, ...]  # of the rule, in its order
    ways: Mapping[str, str]
    group: str | None = None
    pii: bool = False
    paths: tuple[str, ...] = ()  # what platforms call it

    @property
    def rule(self) -> dict[str, Any]:
        """The rule as machine formats name it."""
        return {"file": self.file, "line": self.line, "strategy": self.strategy}


class EntityLine(NamedTuple):
    """An entity's names. ``groups``: the fields that are decided together."""

    name: str
    key: str
    label: str
    platforms: tuple[str, ...]
    fields: Mapping[str, FieldLine]
    groups: Mapping[str, tuple[str, ...]]

    def rule(self, name: str) -> dict[str, Any] | None:
        """Return the rule of a field or a group as machine formats name it, None if there is none."""
        line = self.fields.get(name) or self.fields.get(next(iter(self.groups.get(name, ())), ""))
        return line.rule if line else None


class PlatformLine(NamedTuple):
    """A platform's mode and connector."""

    name: str
    mode: str
    connector: str
