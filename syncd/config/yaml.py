"""Strict YAML with positions: YAML 1.2 core values, one document, no anchors, aliases or tags, bounded depth and size.

PyYAML's parser gives the events; the tree and the meaning of plain values are made here. Because aliases are refused
nothing can be expanded, so a small file is a small tree. The C parser is used where it is there; when it finds an error
the one in Python is asked again, so that the same mistake reads the same everywhere.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import yaml as pyyaml

from syncd.config.nodes import Block, Entry, Items, Node, Scalar, Span
from syncd.config.scalars import VARIABLE, Unset, fill, resolve
from syncd.config.source import Source
from syncd.config.yamlerrors import explain

MOST_BYTES = 1 << 20
MOST_DEPTH = 64

_FAST: Any = getattr(pyyaml, "CSafeLoader", pyyaml.SafeLoader)


class _TooDeep(Exception):  # noqa: N818 - a stop, not a failure
    """The tree is nested deeper than anyone means."""


def parse(source: Source, variables: Mapping[str, str]) -> None:
    """Read a file's text into ``source.root``; what is wrong with it is noted in the source. A plugin is no YAML."""
    if source.path.endswith(".py"):
        return
    if len(source.text) > MOST_BYTES:
        source.error("E001", Span(1, 1, 2), "not read: the file is larger than 1 MiB", fix="split it, or remove data")
        return
    try:
        root = _Tree(source, variables).document(pyyaml.parse(source.text, Loader=_FAST))
    except pyyaml.YAMLError as problem:
        explain(source, _in_python(source.text) or problem)
    except _TooDeep:
        pass
    else:
        _take(source, root)


def _take(source: Source, root: Node | None) -> None:
    if isinstance(root, Block):
        source.root = root
    elif root is None or (isinstance(root, Scalar) and root.value is None):
        source.error("E001", Span(1, 1, 2), "not YAML: the file is empty", fix="write it, or remove the file")
    elif not source.failed:
        why = "a file of the config is lines of  KEY: VALUE"
        source.error("E010", root, "must be a mapping of keys", why=why, fix="write  KEY: VALUE")


def _in_python(text: str) -> pyyaml.YAMLError | None:
    """Return the error that the parser in Python gives, which names what it expected."""
    try:
        for _ in pyyaml.parse(text, Loader=pyyaml.SafeLoader):
            pass
    except pyyaml.YAMLError as problem:
        return problem
    return None


class _Tree:
    """Builds the nodes of one document from the parser's events."""

    def __init__(self, source: Source, variables: Mapping[str, str]) -> None:
        self.source = source
        self.variables = variables
        self.events: Iterator[Any] = iter(())

    def document(self, events: Iterator[Any]) -> Node | None:
        self.events = events
        root: Node | None = None
        documents = 0
        for event in events:
            if isinstance(event, pyyaml.DocumentStartEvent):
                documents += 1
                if documents == 2:
                    fix = "keep one document, or make a file of the other"
                    self.source.error("E001", _span(event), "a second document starts here", fix=fix)
                    return root
            elif not isinstance(event, pyyaml.StreamStartEvent | pyyaml.StreamEndEvent | pyyaml.DocumentEndEvent):
                root = self.node(event, 1)
        return root

    def node(self, event: Any, depth: int, *, is_key: bool = False) -> Node:
        if depth > MOST_DEPTH:
            self.source.error("E001", _span(event), f"not read: nested deeper than {MOST_DEPTH} levels")
            raise _TooDeep
        self._refuse_properties(event)
        if isinstance(event, pyyaml.MappingStartEvent):
            return self._block(event, depth)
        if isinstance(event, pyyaml.SequenceStartEvent):
            return self._items(event, depth)
        return self._scalar(event, is_key=is_key)

    def _items(self, start: Any, depth: int) -> Items:
        nodes: list[Node] = []
        for event in self.events:
            if isinstance(event, pyyaml.SequenceEndEvent):
                return Items(self._extent(start, event), nodes)
            nodes.append(self.node(event, depth + 1))
        return Items(_span(start), nodes)

    def _block(self, start: Any, depth: int) -> Block:
        entries: dict[str, Entry] = {}
        for event in self.events:
            if isinstance(event, pyyaml.MappingEndEvent):
                return Block(self._extent(start, event), bool(start.flow_style), entries)
            key = self.node(event, depth + 1, is_key=True)
            value = self.node(next(self.events), depth + 1)
            self._enter(entries, key, value)
        return Block(_span(start), bool(start.flow_style), entries)

    def _enter(self, entries: dict[str, Entry], key: Node, value: Node) -> None:
        if isinstance(key, Scalar) and key.text == "<<" and key.plain and isinstance(value, Block | Items):
            self._refuse_merge(key)
        elif not isinstance(key, Scalar):
            self.source.error("E010", key, "a key must be text", why="a list or mapping cannot be a key")
        elif key.text in entries:
            self.source.error(
                "E002",
                key,
                f'duplicate key "{key.text}"',
                hint=f"first on line {entries[key.text].key.span.line}",
                why="one of the two would be dropped without a word",
                fix="keep one of them",
            )
        else:
            entries[key.text] = Entry(key, value)

    def _refuse_merge(self, key: Scalar) -> None:
        self.source.error(
            "E003",
            key,
            "a merge key is not allowed here",
            why="a value that comes from elsewhere in the file cannot be reviewed where it stands",
            fix="write the keys out",
        )

    def _scalar(self, event: Any, *, is_key: bool) -> Scalar:
        raw = self.source.text[event.start_mark.index : event.end_mark.index] if not _is_alias(event) else ""
        span = _span(event)
        text, plain = getattr(event, "value", ""), not getattr(event, "style", None)
        filled = False
        if "${" in text and not is_key:  # variables work in values only
            filled = True
            text = fill(text, self.variables, lambda unset: self._unset(event, raw, unset))
        return Scalar(span, raw.rstrip() if plain else raw, text, resolve(text) if plain else text, plain, filled)

    def _unset(self, event: Any, raw: str, unset: Unset) -> None:
        """Note E013 under the variable itself: looked up again in the source, where quotes and escapes still stand."""
        name = unset.name
        start, width = event.start_mark.index, len(raw)
        for found in VARIABLE.finditer(raw):
            if found[0] != "$${" and (found[1] or "") == name:
                start, width = start + found.start(), len(found[0])
                break
        line_start = self.source.text.rfind("\n", 0, start) + 1
        line = event.start_mark.line + 1 + self.source.text.count("\n", event.start_mark.index, start)
        where = Span(line, start - line_start + 1, start - line_start + 1 + width)
        if name:
            self.source.error(
                "E013",
                where,
                f"variable {name} is not set",
                why="an unset variable would leave a hole in this value",
                fix=f"set {name}, or write  ${{{name}:-DEFAULT}}     ($${{ is a literal ${{)",
            )
            return
        self.source.error(
            "E013",
            where,
            "this is not a variable",
            why="a variable is  ${NAME}  or  ${NAME:-default}",
            fix="write  $${  for a literal  ${",
        )

    def _refuse_properties(self, event: Any) -> None:
        tag = getattr(event, "tag", None)
        anchor = getattr(event, "anchor", None)
        if _is_alias(event):
            self._refuse(event, f"*{anchor}", "an alias")
        elif anchor is not None:
            self._refuse(event, f"&{anchor}", "an anchor")
        if tag is not None:
            self._refuse(event, "!", "a tag")

    def _refuse(self, event: Any, mark: str, what: str) -> None:
        index = self.source.text.find(mark, event.start_mark.index)
        word = self.source.text[index:].split(None, 1)[0].rstrip(",]}") if index >= 0 else mark
        column = event.start_mark.column + max(index - event.start_mark.index, 0) + 1
        self.source.error(
            "E003",
            Span(event.start_mark.line + 1, column, column + len(word)),
            f"{what} is not allowed here",
            why="a value that comes from elsewhere in the file cannot be reviewed where it stands",
            fix="write the value out",
        )

    def _extent(self, start: Any, end: Any) -> Span:
        """Return the part of a list or mapping on its first line."""
        first = _span(start)
        if end.end_mark.line == start.start_mark.line:
            return Span(first.line, first.col, end.end_mark.column + 1)
        return Span(first.line, first.col, len(self.source.line(first.line).rstrip()) + 1)


def _is_alias(event: Any) -> bool:
    return isinstance(event, pyyaml.AliasEvent)


def _span(event: Any) -> Span:
    """Return the place of an event, to the end of its first line at most."""
    start, end = event.start_mark, event.end_mark
    end_col = end.column + 1 if end.line == start.line else start.column + 2
    return Span(start.line + 1, start.column + 1, end_col)
