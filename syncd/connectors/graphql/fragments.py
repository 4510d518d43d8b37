"""Fragments that a collection's documents share: each document gets those that it spreads, and no other: more are refused."""

import re
from collections.abc import Mapping
from typing import Any

from syncd.connectors.graphql.document import parse
from syncd.connectors.graphql.tokens import DocumentError, Tokens

_SPREAD = re.compile(r"\.\.\.[\s,]*(?!on\b)([_A-Za-z][_0-9A-Za-z]*)")
DOCUMENTS = ("query", "mutation")


def split(text: str) -> dict[str, str]:
    """Return the fragments of a text by name; raises DocumentError where something else stands there."""
    starts: list[int] = []
    names: list[str] = []
    tokens, depth = Tokens(text), 0
    while not tokens.ended:
        if not depth:
            starts.append(tokens.peek.at)
            tokens.need("fragment")
            names.append(tokens.name("a name").text)
            while not tokens.ended and tokens.peek.text != "{":
                tokens.next()
        word = tokens.next()
        depth += (word.text == "{") - (word.text == "}")
    if not names:
        raise DocumentError("there is no fragment in it")
    found = {name: text[start:end].strip() for name, start, end in zip(names, starts, [*starts[1:], len(text)], strict=True)}
    if len(found) < len(names):
        raise DocumentError("two fragments have one name")
    parse("\n".join([f"{{ {' '.join(f'...{name}' for name in names)} }}", *found.values()]), free=True)
    return found


def completed(text: str, fragments: Mapping[str, str]) -> str:
    """Return a document with the fragments that it spreads behind it."""
    needed: dict[str, str] = {}
    new = [text]
    while new:
        names = [name for part in new for name in _SPREAD.findall(part)]
        new = [needed.setdefault(name, fragments[name]) for name in names if name in fragments and name not in needed]
    return "\n".join([text, *needed.values()])


def shared(data: Mapping[str, Any], fragments: Mapping[str, str]) -> dict[str, Any]:
    """Return the options of a collection, as they are written, with the fragments in its documents."""
    return {name: _with_fragments(part, fragments) for name, part in data.items()}


def _with_fragments(part: Any, fragments: Mapping[str, str]) -> Any:
    if not isinstance(part, Mapping):
        return part
    found = {key: completed(part[key], fragments) for key in DOCUMENTS if isinstance(part.get(key), str)}
    return {**part, **found}
