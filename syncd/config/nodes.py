"""What YAML says, with the place where it says it. Lines and columns count from 1.

A ``Scalar`` keeps its source text beside the value that YAML reads, so that ``1.10`` can be reported before it is 1.1.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import NamedTuple


class Span(NamedTuple):
    """A place in a file: ``end_col`` is the column after the last character."""

    line: int
    col: int
    end_col: int


@dataclass(frozen=True, slots=True)
class Scalar:
    """One value. ``raw`` is the source text, ``text`` the same without quotes and with variables filled in.

    ``value`` is text, int, Decimal, bool or None as the YAML 1.2 core schema reads it. ``plain`` means not quoted,
    ``filled`` that a variable was filled in.
    """

    span: Span
    raw: str
    text: str
    value: str | int | Decimal | bool | None
    plain: bool
    filled: bool = False


@dataclass(frozen=True, slots=True)
class Items:
    """A list. The span ends with its first line."""

    span: Span
    nodes: list["Node"]


@dataclass(frozen=True, slots=True)
class Entry:
    """One ``key: value`` of a mapping."""

    key: Scalar
    value: "Node"


@dataclass(frozen=True, slots=True)
class Block:
    """A mapping, in file order. ``flow`` means written in braces."""

    span: Span
    flow: bool = False
    entries: dict[str, Entry] = field(default_factory=dict)

    def get(self, key: str) -> "Node | None":
        """Return the value of a key, None if there is no such key."""
        entry = self.entries.get(key)
        return entry.value if entry else None

    def key(self, key: str) -> Scalar:
        """Return the node of a key that is there."""
        return self.entries[key].key


Node = Scalar | Items | Block


def scalars(node: Node | None, key: str = "") -> Iterator[tuple[str, Scalar]]:
    """Yield every value in a tree, each with the nearest key above it."""
    if isinstance(node, Scalar):
        yield key, node
    elif isinstance(node, Items):
        for item in node.nodes:
            yield from scalars(item, key)
    elif isinstance(node, Block):
        for name, entry in node.entries.items():
            yield from scalars(entry.value, name)


def is_blank(node: Node | None) -> bool:
    """Return whether a value was left out or is null."""
    return node is None or (isinstance(node, Scalar) and node.value is None)


def written(node: Node) -> str:
    """Return a tree as it can be written on one line."""
    if isinstance(node, Items):
        return f"[{', '.join(written(item) for item in node.nodes)}]"
    if isinstance(node, Block):
        return f"{{{', '.join(f'{key}: {written(entry.value)}' for key, entry in node.entries.items())}}}"
    return node.raw


def plain(node: Node | None) -> object:
    """Return a tree as ordinary Python data: dict, list, str, int, Decimal, bool, None."""
    if isinstance(node, Scalar):
        return node.value
    if isinstance(node, Items):
        return [plain(item) for item in node.nodes]
    if isinstance(node, Block):
        return {key: plain(entry.value) for key, entry in node.entries.items()}
    return None
