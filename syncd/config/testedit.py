"""``expect:`` rewritten where it stands: only values that are another are replaced, the rest stays byte for byte."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, NamedTuple

import yaml as pyyaml

from syncd.config.scalars import resolve
from syncd.core.native import text_form

SAFE = re.compile(r"[A-Za-z_(][A-Za-z0-9_.()/-]*(?: [A-Za-z0-9_.()/-]+)*")
FIELDWISE = ("golden", "decided_by")  # asked for what they name: other keys are never added


class Edit(NamedTuple):
    """A piece of a file and what stands there instead."""

    start: int
    end: int
    text: str


def rewritten(text: str, changes: Mapping[int, Mapping[str, Any]]) -> str:
    """Return the text of a tests file with the expectations of some tests replaced.

    ``changes``: by the test's place in the list, the new value of keys of its ``expect:`` (those that it has); for golden and
    decided_by of the names that it has. The text was read without an error before.
    """
    root = pyyaml.compose(text, Loader=pyyaml.SafeLoader)
    tests = _value(root, "tests")
    edits: list[Edit] = []
    for number, wanted in changes.items():
        expect = _value(tests.value[number], "expect")
        for key, value in wanted.items():
            edits += _edits(text, _value(expect, key), value, fieldwise=key in FIELDWISE)
    for edit in sorted(edits, reverse=True):
        text = text[: edit.start] + edit.text + text[edit.end :]
    return text


def _value(node: Any, key: str) -> Any:
    """Return the node of a key that is there."""
    return next(value for name, value in node.value if name.value == key)


def _edits(text: str, node: Any, value: Any, *, fieldwise: bool) -> Iterator[Edit]:
    """Yield the smallest pieces that make a node say something else."""
    if _plain(node) == _comparable(value):
        return
    here = {name.value: inner for name, inner in node.value} if isinstance(node, pyyaml.MappingNode) else None
    if here is not None and isinstance(value, Mapping) and (fieldwise or here.keys() == value.keys()) and here:
        for key, inner in here.items():
            if key in value:
                yield from _edits(text, inner, value[key], fieldwise=fieldwise)
        return
    start, end = node.start_mark.index, _end(node)
    is_block = isinstance(node, pyyaml.CollectionNode) and not node.flow_style and bool(node.value)
    quoted = isinstance(node, pyyaml.ScalarNode) and node.style is not None
    if start == end:  # left blank: what comes now stands after the colon
        yield Edit(start, end, f" {written(value)}")
    else:
        yield Edit(start, end, _block(value, node.start_mark.column) if is_block else written(value, quoted=quoted))


def _end(node: Any) -> int:
    """Return where a node ends: a block's own mark is where the next thing begins."""
    if isinstance(node, pyyaml.CollectionNode) and not node.flow_style and node.value:
        last = node.value[-1]
        return _end(last[1] if isinstance(last, tuple) else last)
    return int(node.end_mark.index)


def _plain(node: Any) -> Any:
    """Return what a node says, texts as they are and everything else as syncd's YAML reads it."""
    if isinstance(node, pyyaml.MappingNode):
        return {name.value: _plain(inner) for name, inner in node.value}
    if isinstance(node, pyyaml.SequenceNode):
        return [_plain(inner) for inner in node.value]
    return ("text", node.value) if node.style is not None else _comparable(resolve(node.value))


def _comparable(value: Any) -> Any:
    """Return a value in the form in which texts and numbers are never equal."""
    if isinstance(value, Mapping):
        return {key: _comparable(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_comparable(one) for one in value]
    return (type(value).__name__.replace("str", "text"), value)


def _block(value: Any, column: int) -> str:
    """Return a value for a place where lines stand one below the other."""
    joint = "\n" + " " * column
    if isinstance(value, Mapping) and value:
        return joint.join(f"{written(key)}: {written(one)}" for key, one in value.items())
    if isinstance(value, Sequence) and not isinstance(value, str) and value:
        return joint.join(f"- {written(one)}" for one in value)
    return written(value)


def written(value: Any, *, quoted: bool = False) -> str:
    """Return a value as YAML on one line; text is quoted where it would be read as something else."""
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case int() | Decimal():
            return str(text_form(value))
        case str():
            plain = not quoted and SAFE.fullmatch(value) and resolve(value) == value
            return value if plain else json.dumps(value, ensure_ascii=False).replace("${", "$${")
        case Mapping():
            return f"{{{', '.join(f'{written(key)}: {written(one)}' for key, one in value.items())}}}"
        case _:
            return f"[{', '.join(written(one) for one in value)}]"
