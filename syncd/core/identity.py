"""How things are recognised as records, and what records are called.

A match key is the text of one or several field values, each normalised. Where one of them is missing there is no key: a
thing without an answer to the question matches nobody.
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence

from syncd.core.model import Record, Value
from syncd.core.native import Invalid, text_form
from syncd.core.rules import Entity, Match
from syncd.core.space import Key
from syncd.core.transforms import parse_transform

NORMALISERS = ("trim", "lower", "upper", "strip_zeros")


def parse_normal(specs: Sequence[object]) -> Callable[[Value], Value]:
    """Return the normaliser of a match key's ``normal:`` list; raises ValueError for what is none.

    It changes texts only. A text that normalises to nothing becomes null.
    """
    for spec in specs:
        if spec not in NORMALISERS:
            raise ValueError(f'"{spec}" is not one of {", ".join(NORMALISERS)}')
    steps = [parse_transform(spec) for spec in specs]

    def normal(value: Value) -> Value:
        if isinstance(value, str):
            for step in steps:
                value = step(value)
        return None if value == "" else value

    return normal


def match_key(entity: Entity, match: Match, values: Mapping[str, Value]) -> Key | None:
    """Return the key by which one match knows these values; None if a part of it is missing."""
    parts = [match.normal(values.get(name)) for name in match.by]
    if any(part is None or part == "" for part in parts):
        return None
    texts = [key_text(part) for part in parts]
    return (entity.name, match.text, texts[0] if len(texts) == 1 else json.dumps(texts, ensure_ascii=False))


def key_text(value: Value) -> str:
    """Return the text of a value in a key."""
    try:
        return text_form(value)
    except Invalid:
        return json.dumps(value, ensure_ascii=False, sort_keys=True)


def match_keys(entity: Entity, values: Mapping[str, Value]) -> list[tuple[Match, Key | None]]:
    """Return for each match of the entity, in order, the key of these canonical values; absent fields may be left out."""
    return [(match, match_key(entity, match, values)) for match in entity.matches]


def record_keys(entity: Entity, record: Record) -> set[Key]:
    """Return all keys by which a record is found: those of its golden values."""
    golden = {name: field.value for match in entity.matches for name in match.by if (field := record.golden.get(name))}
    return {key for _, key in match_keys(entity, golden) if key is not None}


def record_key(entity: Entity, record: Record) -> str:
    """Return what a record is called in commands, pages and logs: its key field, else its own id, ``p12``."""
    golden = record.golden.get(entity.key)
    if entity.key == "id" or golden is None or golden.value is None:
        return f"{entity.name[:1]}{record.id}"
    return key_text(golden.value)


def label(entity: Entity, record: Record) -> str:
    """Return a record's name for people, from the entity's template; a field without value shows as ``?``."""

    def shown(found: re.Match[str]) -> str:
        golden = record.golden.get(found[1])
        return "?" if golden is None or golden.value is None else key_text(golden.value)

    return re.sub(r"\{(\w+)\}", shown, entity.label) or record_key(entity, record)
