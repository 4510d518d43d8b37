"""One mapping of the config being read: the keys it may have, those it must have, and those of a later version."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field

from syncd.config import literals
from syncd.config.nodes import Block, Entry, Items, Node, Scalar, Span, is_blank
from syncd.config.source import Source, start_of
from syncd.config.suggest import near


@dataclass(slots=True)
class Section:
    """A mapping with the place of its own key. Readers return None for what is missing, blank or wrong (and noted)."""

    source: Source
    block: Block
    owner: Span
    misspelt: set[str] = field(default_factory=set)  # keys that an unknown key surely means: not missing as well

    def known(self, allowed: Sequence[str], *, later: Collection[str] = ()) -> None:
        """Note every key that is not allowed here (E101) or not in this version (E190). Called before the readers."""
        for key, entry in self.block.entries.items():
            if key in later:
                self.source.later(entry.key, f'"{key}"')
            elif key not in allowed:
                self.unknown(entry, allowed)

    def unknown(self, entry: Entry, allowed: Sequence[str]) -> None:
        """Note E101 for one key."""
        self.misspelt.update(unknown_key(self.source, entry, allowed))

    def node(self, key: str) -> Node | None:
        """Return the value of a key, None if it is missing or blank."""
        node = self.block.get(key)
        return None if is_blank(node) else node

    def need(self, key: str) -> Node | None:
        """Return the value of a key that must be there; notes E102 at the block's own key."""
        node = self.node(key)
        if node is None and key not in self.misspelt:
            missing_key(self.source, self.owner, key)
        return node

    def text(self, key: str) -> str | None:
        """Return text."""
        node = self.node(key)
        return None if node is None else literals.text(self.source, node, key)

    def flag(self, key: str) -> bool | None:
        """Return true or false."""
        node = self.node(key)
        return None if node is None else literals.flag(self.source, node, key)

    def whole(self, key: str, *, least: int | None = None, most: int | None = None) -> int | None:
        """Return a whole number within bounds."""
        node = self.node(key)
        return None if node is None else literals.whole(self.source, node, least=least, most=most)

    def word(self, key: str, words: Sequence[str]) -> str | None:
        """Return one of some words."""
        node = self.node(key)
        return None if node is None else literals.word(self.source, node, words)

    def duration(self, key: str) -> int | None:
        """Return microseconds."""
        node = self.node(key)
        return None if node is None else literals.duration(self.source, node, key)

    def share(self, key: str) -> float | None:
        """Return 0.1 for 10%."""
        node = self.node(key)
        return None if node is None else literals.share(self.source, node, key)

    def rate(self, key: str) -> float | None:
        """Return requests per second."""
        node = self.node(key)
        return None if node is None else literals.rate(self.source, node, key)

    def section(self, key: str) -> "Section | None":
        """Return a mapping below."""
        node = self.node(key)
        return None if node is None else section_of(self.source, node, self.block.key(key).span)

    def sections(self, key: str) -> Iterator[tuple[str, "Section"]]:
        """Yield the mappings by name below a mapping of mappings."""
        outer = self.section(key)
        for name, entry in outer.block.entries.items() if outer else ():
            inner = section_of(self.source, entry.value, entry.key.span)
            if inner:
                yield name, inner

    def list(self, key: str) -> Sequence[Node]:
        """Return the items of a list."""
        node = self.node(key)
        if node is None or isinstance(node, Items):
            return node.nodes if node else []
        literals.wrong_type(self.source, node, "a list", fix=_as_list(key, node) or f"write  {key}: [...]")
        return []


def _as_list(key: str, node: Node) -> str:
    return f"write  {key}: [{node.raw}]" if isinstance(node, Scalar) else ""


def section_of(source: Source, node: Node, owner: Span) -> Section | None:
    """Return a node as a section; notes E010 if it is no mapping. An empty value is an empty mapping."""
    if isinstance(node, Block):
        return Section(source, node, owner)
    if is_blank(node):
        return Section(source, Block(owner), owner)
    literals.wrong_type(source, node, "a mapping", fix="write  {KEY: VALUE}, or the keys on lines of their own below")
    return None


def root_of(source: Source) -> Section | None:
    """Return a whole file as a section; None if it could not be read."""
    return None if source.root is None else Section(source, source.root, start_of(source))


def missing_key(source: Source, where: Span, key: str, *, instead: str = "") -> None:
    """Note E102, for one key or for one of several."""
    source.error(
        "E102",
        where,
        f"missing key: {instead}" if instead else f'missing key "{key}"',
        hint=f"add {key}:",
        why="there is no built-in value for it, and syncd does not guess",
        fix=f"add  {key}: ...",
    )


def unknown_key(
    source: Source, entry: Entry, allowed: Sequence[str], *, code: str = "E101", what: str = "key", why: str = ""
) -> list[str]:
    """Note a key that is not known here, with did-you-mean. Returns what it may have meant."""
    key = entry.key
    meant = near(key.text, allowed)
    here = f"(allowed here: {', '.join(allowed)})" if allowed else "(nothing is allowed here)"
    value = f" {entry.value.raw}" if isinstance(entry.value, Scalar) and entry.value.span.line == key.span.line else ""
    source.error(
        code,
        key,
        f'unknown {what} "{key.text}"',
        hint="did you mean " + " or ".join(f'"{name}"' for name in meant) + "?" if meant else "",
        why=why or "a key syncd does not know could not be obeyed",
        fix=f"write  {meant[0]}:{value}     {here}" if meant else f"remove it     {here}",
    )
    return meant
