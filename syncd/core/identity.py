"""How things are recognised as records, and what records are called.

A match key is the text of one or several field values, each normalised. Where one of them is missing, or the match's
condition is not true, there is no key: a thing without an answer to the question matches nobody. A ``unique`` field has a key
too, by which a value is known to be another record's.
"""

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from syncd.core.mapping import ABSENT
from syncd.core.model import Record, Value
from syncd.core.native import Invalid, text_form
from syncd.core.operands import as_operand, is_true
from syncd.core.rules import Entity, Expression, Field, Match, Name
from syncd.core.space import Key
from syncd.core.transforms import parse_transform

UNIQUE = "unique "  # what the name of a unique field's key begins with


def parse_normal(specs: Sequence[object]) -> Callable[[Value], Value]:
    """Return the normaliser of a match key's ``normal:`` list; raises ValueError for what is no transform.

    It works on texts, and on numbers as text. What normalises to nothing, or cannot be normalised, becomes null.
    """
    steps = [parse_transform(spec) for spec in specs]

    def normal(value: Value) -> Value:
        if steps and isinstance(value, (int, str)):
            value = text_form(value)
            try:
                for step in steps:
                    value = step(value) if value not in (None, "") else None
            except ValueError:
                return None
        return None if value == "" else value

    return normal


def match_key(entity: Entity, match: Match, values: Mapping[str, Value], now: int = 0) -> Key | None:
    """Return the key by which one match knows these values; None if a part of it is missing or it is not asked of them."""
    parts = [match.normal(values.get(name)) for name in match.by]
    if any(part is None or part == "" for part in parts):
        return None
    if match.when is not None and not holds(entity, match.when, values, now):
        return None
    texts = [key_text(part) for part in parts]
    return (entity.name, match.text, texts[0] if len(texts) == 1 else json.dumps(texts, ensure_ascii=False))


def holds(entity: Entity, when: Expression, values: Mapping[str, Value], now: int) -> bool:
    """Return whether a condition on an entity's fields is true of these values; one that fails is not."""

    def look(name: Name) -> Any:
        known = name.path in entity.fields and name.path in values
        return as_operand(entity.fields[name.path].type, values[name.path]) if known else ABSENT

    try:
        return is_true(when(look, now))
    except ValueError:  # Failed: the reason is the rule's own, and no thing is known by a key that nobody can work out
        return False


def key_text(value: Value) -> str:
    """Return the text of a value in a key."""
    try:
        return text_form(value)
    except Invalid:
        return json.dumps(value, ensure_ascii=False, sort_keys=True)


def match_keys(entity: Entity, values: Mapping[str, Value], now: int = 0) -> list[tuple[Match, Key | None]]:
    """Return for each match of the entity, in order, the key of these canonical values; absent fields may be left out."""
    return [(match, match_key(entity, match, values, now)) for match in entity.matches]


def unique_key(entity: Entity, field: Field, value: Value) -> Key:
    """Return the key by which another record is known to have a value of a unique field."""
    return entity.name, UNIQUE + field.name, key_text(value)


def unique_keys(entity: Entity, values: Mapping[str, Value]) -> dict[str, Key]:
    """Return by field the keys of the values that no two records may have."""
    fields = (f for f in entity.fields.values() if f.unique)
    return {f.name: unique_key(entity, f, value) for f in fields if (value := values.get(f.name)) is not None}


def golden_values(record: Record, names: Iterable[str] | None = None) -> dict[str, Value]:
    """Return a record's golden values: of these fields, of all without names."""
    if names is None:
        return {name: golden.value for name, golden in record.golden.items()}
    return {name: golden.value for name in names if (golden := record.golden.get(name)) is not None}


def record_keys(entity: Entity, record: Record, now: int = 0) -> set[Key]:
    """Return all keys by which a record is found: those of its golden values."""
    golden = golden_values(record, key_fields(entity))
    keys = {key for _, key in match_keys(entity, golden, now) if key is not None}
    return keys.union(unique_keys(entity, golden).values())


def key_fields(entity: Entity) -> tuple[str, ...]:
    """Return the fields on which the keys of a record depend; the entity keeps them."""
    known: tuple[str, ...] | None = entity.compiled.get(KEYED)
    if known is None:
        named = [n for match in entity.matches for n in (*match.by, *(asked_of(match.when) if match.when else ()))]
        unique = [field.name for field in entity.fields.values() if field.unique]
        known = entity.compiled[KEYED] = tuple(dict.fromkeys([*named, *unique]))
    return known


KEYED = "(keyed)"  # no platform is called that


def asked_of(when: Expression) -> Iterable[str]:
    """Return the fields that a condition asks."""
    return (name.path for name in when.names)


def record_key(entity: Entity, record: Record) -> str:
    """Return what a record is called in commands, pages and logs: its key field, else its own id, ``p12``."""
    golden = record.golden.get(entity.key)
    if entity.key == "id" or golden is None or golden.value is None:
        return own_id(entity, record)
    return key_text(golden.value)


def own_id(entity: Entity, record: Record) -> str:
    """Return syncd's own id of a record."""
    return f"{entity.name[:1]}{record.id}"


def label(entity: Entity, record: Record) -> str:
    """Return a record's name for people, from the entity's template; a field without value shows as ``?``."""

    def shown(found: re.Match[str]) -> str:
        golden = record.golden.get(found[1])
        return "?" if golden is None or golden.value is None else key_text(golden.value)

    return re.sub(r"\{(\w+)\}", shown, entity.label) or record_key(entity, record)
