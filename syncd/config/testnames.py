"""What a rule test may name: the platforms, fields and paths of its entity, and the values that fit them."""

from collections.abc import Iterable
from decimal import Decimal

from syncd.config import literals
from syncd.config.nodes import Node, Scalar, plain
from syncd.config.source import Source
from syncd.config.suggest import did_you_mean
from syncd.core.mapping import parse_path
from syncd.core.model import Native, Value
from syncd.core.rules import Entity, Field

WHY = "what a test names wrongly it does not test"


class Names:
    """The names of one entity, and how to say that a name is none. Everything wrong is noted in the test's file."""

    def __init__(self, source: Source, entity: Entity) -> None:
        self.source = source
        self.entity = entity

    def platform(self, node: Scalar) -> str | None:
        """Return a platform of the entity; notes E201."""
        if node.text in self.entity.members:
            return node.text
        self.source.error(
            "E201",
            node,
            f'{self.entity.name} is on no platform called "{node.text}"',
            hint=did_you_mean(node.text, self.entity.members),
            why=WHY,
            fix=f"use one of: {', '.join(self.entity.members)}     (the platforms of {self.entity.name}'s in:)",
        )
        return None

    def field(self, node: Scalar) -> Field | None:
        """Return a field of the entity; notes E250."""
        found = self.entity.fields.get(node.text)
        if found is None:
            self._none(node, f'{self.entity.name} has no field called "{node.text}"', self.entity.fields)
        return found

    def decided(self, node: Scalar) -> str | None:
        """Return the name of a field or group that is decided by one rule; notes E250."""
        if node.text in self.entity.groups:
            return node.text
        found = self.field(node)
        return (found.group or found.name) if found else None

    def edited(self, node: Scalar) -> str | None:
        """Return PLATFORM.FIELD; notes E250."""
        platform, dot, name = node.text.partition(".")
        field = self.entity.fields.get(name)
        if dot and field is not None and platform in field.maps:
            return node.text
        known = [f"{p}.{f.name}" for f in self.entity.fields.values() for p in f.maps]
        self._none(node, f'"{node.text}" is no PLATFORM.FIELD of {self.entity.name}', known)
        return None

    def path(self, platform: str, node: Scalar) -> str | None:
        """Return a path on a platform that a field is mapped to or an expression reads; notes E250."""
        known = self.paths(platform)
        if any(is_on_the_way(node.text, one) for one in known):
            return node.text
        fields = [f for f in self.entity.fields.values() if f.name == node.text and platform in f.maps]
        instead = f"it is at {fields[0].maps[platform].path}" if fields else ""
        self._none(node, f'no field of {self.entity.name} is at "{node.text}" on {platform}', known, instead=instead)
        return None

    def paths(self, platform: str) -> list[str]:
        """Return every path of a platform that the rules read or write."""
        member = self.entity.members[platform]
        mapped = [f.maps[platform].path for f in self.entity.fields.values() if platform in f.maps]
        scoped = [name.path for name in member.only.names] if member.only else []
        marked = [member.deleted[0]] if member.deleted else []
        return list(dict.fromkeys([*mapped, *member.raws, *scoped, *marked]))

    def _none(self, node: Scalar, message: str, known: Iterable[str], *, instead: str = "") -> None:
        names = list(known)
        shown = ", ".join(name or '""' for name in names[:12]) + (", ..." if len(names) > 12 else "")
        hint = instead or did_you_mean(node.text, names)
        self.source.error("E250", node, message, hint=hint, why=WHY, fix=f"use one of: {shown}" if names else "remove it")

    def value(self, field: Field, node: Node) -> Value:
        """Return the canonical value of a field; notes E251 if it does not fit, and returns None."""
        raw = plain(node)
        if raw is None or (raw == "" and not field.blank_is_value):
            return None
        try:
            return field.type.read(raw)
        except ValueError as error:
            self.source.error(
                "E251",
                node,
                f"{field.name} is {field.type.name}: {error}",
                why="no platform could ever agree on this value",
                fix=f"write a value that fits {field.type.name}",
            )
            return None

    def agreed(self, field: Field, node: Node) -> Value:
        """Return a value of base; notes E251 also if it fails a check of its field."""
        value = self.value(field, node)
        problem = None if value is None else next((p for c in field.checks if (p := c.problem(value)) is not None), None)
        if problem is not None:
            self.source.error(
                "E251",
                node,
                f"{field.name} fails its check: {problem}",
                why="a reading that fails a check is invalid, so nobody could have agreed on it",
                fix="write a value that passes, or give it under given:",
            )
        return value


def is_on_the_way(path: str, known: str) -> bool:
    """Return whether a path is a known one, or the whole of a thing that a known one leads into."""
    if path == known:
        return True
    try:
        steps, longer = parse_path(path), parse_path(known)
    except ValueError:
        return False
    return bool(steps) and longer[: len(steps)] == steps


def native(source: Source, node: Node) -> Native:
    """Return a platform's own value: JSON, numbers exact."""
    found = plain(node)
    if isinstance(found, Decimal) and not found.is_finite():
        literals.wrong_type(source, node, "JSON: a number is finite")
        return None
    return found
