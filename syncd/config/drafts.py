"""A platform as read from its file, before the entities say what of it is mapped."""

from dataclasses import dataclass, field
from typing import Any

from syncd.config.model import Kind, Limits, WritePolicy
from syncd.config.nodes import Block, Node, Scalar, Span
from syncd.config.source import Source
from syncd.core.model import Abilities, Native
from syncd.core.rules import At


@dataclass(slots=True)
class CollectionDraft:
    """One collection as written. ``abilities`` is None while its platform has errors."""

    name: str
    block: Block
    owner: Span
    options: Any = None
    abilities: Abilities | None = None

    def text_at(self, key: str) -> str | None:
        """Return an option that is text, None if it is not there or something else."""
        node = self.block.get(key)
        return node.text if isinstance(node, Scalar) else None

    @property
    def writable(self) -> frozenset[str] | None:
        """The paths that may be written, None for all."""
        node = self.block.get("writable")
        nodes = getattr(node, "nodes", None)
        return None if nodes is None else frozenset(item.text for item in nodes if isinstance(item, Scalar))

    @property
    def deleted(self) -> tuple[str, Native] | None:
        """What marks a thing as archived: the path and its value; the connector may know it."""
        known = getattr(self.options, "deleted", None)
        if known is not None:
            return known.field, known.value
        marker = self.block.get("deleted")
        if not isinstance(marker, Block):
            return None
        path, value = marker.get("field"), marker.get("is")
        return (path.text, value.value) if isinstance(path, Scalar) and isinstance(value, Scalar) else None


@dataclass(slots=True)
class PlatformDraft:
    """One platform file."""

    name: str
    source: Source
    at: At
    connector: str = ""
    kind: Kind | None = None
    mode: str | None = None
    mode_at: At = At()  # noqa: RUF009 - immutable
    stale_after: int | None = None
    stray_edits: str | None = None
    timezone: str = "UTC"
    connection: Any = None
    watch: Any = None
    webhook: bool = False
    limits: Limits = Limits()  # noqa: RUF009 - immutable
    write: WritePolicy = WritePolicy()  # noqa: RUF009 - immutable
    guard_node: Node | None = None
    collections: dict[str, CollectionDraft] = field(default_factory=dict)

    @property
    def home(self) -> str:
        """The kind of platform that types know by its spelling; "" for memory, which stands for any."""
        return "" if self.connector == "memory" else self.connector

    def guard(self, collection: str) -> str:
        """Return the guard of writes to a collection: as written, else version if it has one, else hash."""
        found = self.collections.get(collection)
        has_version = found is not None and found.block.get("version") is not None
        return self.write.guard or ("version" if has_version else "hash")
