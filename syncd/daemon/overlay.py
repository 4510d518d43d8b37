"""What an edit of the rules touches, and copies of records on which old and new rules can be tried without a trace.

Two compiled rules are compared by what they mean: where they stand in the file, and how they are noted, does not count.
What cannot be compared counts as changed: then more is decided than had to be, and the answer stays right.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass, replace
from functools import partial
from operator import attrgetter
from types import FunctionType, MethodType
from typing import Any

from syncd.core.model import GoldenField, Record, Shadow, ShadowField
from syncd.core.rules import At, Entity, Rules, Truth
from syncd.ledger.stepwise import Stepwise

DEEPEST = 25  # a formula or a table is never nested so deeply; what is counts as changed
SILENT = {"at", "mode_at", "note", "label", "file", "sha", "reviewers", "pii"}  # of rules: they decide nothing
Meaning = Any

golden_facts = attrgetter(*(f.name for f in fields(GoldenField)))
shadow_facts = attrgetter(*(f.name for f in fields(ShadowField)))


@dataclass(frozen=True, slots=True)
class Edit:
    """One entity under two sets of rules. ``fields``: those that may be decided otherwise; None: anything may be."""

    name: str
    old: Entity | None
    new: Entity | None
    fields: frozenset[str] | None


def edits(old: Rules, new: Rules) -> dict[str, Edit]:
    """Return the entities whose rules differ, in the order of the new ones."""
    found = {}
    for name in dict.fromkeys((*new.entities, *old.entities)):
        before, after = old.entities.get(name), new.entities.get(name)
        if before is None or after is None or surroundings(before) != surroundings(after):
            found[name] = Edit(name, before, after, None)
            continue
        moved = moved_fields(before, after)
        if moved is None or moved:
            found[name] = Edit(name, before, after, moved)
    return found


def surroundings(entity: Entity) -> Meaning:
    """Return what an entity's rules mean beside its fields and breakers."""
    parts = {f.name: getattr(entity, f.name) for f in fields(entity) if f.compare}
    rest = {name: part for name, part in parts.items() if name not in ("fields", "groups", "safety")}
    return meaning(rest), tuple(entity.fields)


def moved_fields(old: Entity, new: Entity) -> frozenset[str] | None:
    """Return the fields that mean something else now, with those that depend on them; None if a group is another one."""
    if {n: g.fields for n, g in old.groups.items()} != {n: g.fields for n, g in new.groups.items()}:
        return None
    moved = {name for name, field in new.fields.items() if meaning(field) != meaning(old.fields[name])}
    for name, group in new.groups.items():
        if meaning(group) != meaning(old.groups[name]):
            moved.update(group.fields)
    return frozenset(with_dependents(new, moved))


def with_dependents(entity: Entity, moved: set[str]) -> set[str]:
    """Return these fields with all whose rules name one of them, and the rest of their groups."""
    named = {name: names_of(entity, name) for name in entity.fields}
    found = set(moved)
    while True:
        more = {name for name, names in named.items() if names & found and name not in found}
        more |= {one for g in entity.groups.values() if found & set(g.fields) for one in g.fields if one not in found}
        if not more:
            return found
        found |= more


def names_of(entity: Entity, name: str) -> set[str]:
    """Return the fields that the formulas of a field's rule name, in whatever scope."""
    field = entity.fields[name]
    truth = entity.groups[field.group].truth if field.group else field.truth
    formulas = [one for one in expressions(truth) if one is not None]
    return {part.path.partition(".")[0] for one in formulas for part in one.names if not part.scope.endswith("raw")}


def expressions(truth: Truth | None) -> Iterator[Any]:
    """Return every formula of a rule."""
    if truth is None:
        return
    yield truth.expr
    yield truth.freeze.when if truth.freeze else None
    yield from expressions(truth.propose)
    for branch in truth.branches:
        yield branch.when
        yield from expressions(branch.truth)


# ---- what a rule means


def meaning(thing: Any, depth: int = 0) -> Meaning:
    """Return what a compiled rule means, in a form that can be compared: equal meanings are equal, wherever they stand."""
    if depth > DEEPEST:
        return object()
    if thing is None or isinstance(thing, str | int | float | bytes):
        return type(thing), thing
    if isinstance(thing, At):
        return None
    if hasattr(thing, "text") and hasattr(thing, "names") and hasattr(thing, "timed"):
        return "formula", thing.text
    if isinstance(thing, Mapping):
        return tuple((meaning(k, depth + 1), meaning(v, depth + 1)) for k, v in thing.items())
    if isinstance(thing, list | tuple):
        return type(thing), tuple(meaning(one, depth + 1) for one in thing)
    if isinstance(thing, set | frozenset):
        return frozenset(thing)
    if isinstance(thing, re.Pattern):
        return thing.pattern, thing.flags
    return meaning_of_code(thing, depth)


def meaning_of_code(thing: Any, depth: int) -> Meaning:
    """Return what a function means: its code and what is bound in it; of an object its kind and its parts."""
    if isinstance(thing, FunctionType):
        bound = tuple(meaning(cell.cell_contents, depth + 1) for cell in thing.__closure__ or ())
        return thing.__code__, bound, meaning(thing.__defaults__, depth + 1)
    if isinstance(thing, MethodType):
        return meaning(thing.__func__, depth + 1), meaning(thing.__self__, depth + 1)
    if isinstance(thing, partial):
        return meaning(thing.func, depth + 1), meaning(thing.args, depth + 1), meaning(thing.keywords, depth + 1)
    if is_dataclass(thing) and not isinstance(thing, type):
        named = [f.name for f in fields(thing) if f.compare and f.name not in SILENT]
        return type(thing), tuple(meaning(getattr(thing, name), depth + 1) for name in named)
    return thing  # a class, a constant of a library: it is itself, or it counts as changed


# ---- copies


def light(record: Record, names: frozenset[str]) -> Record:
    """Return a record on which these fields can be decided while it stays as it is; its shadows are the same objects."""
    copied = record.golden if record.conflicts else names
    golden = {n: GoldenField(*golden_facts(g)) if n in copied else g for n, g in record.golden.items()}
    head = record.id, record.entity, record.born, record.key, record.life, record.version
    return Record(*head, golden, record.shadows, dict(record.conflicts), record.tomb)


def twin(record: Record) -> Record:
    """Return a copy of a record that shares nothing with it that a decision may change."""
    return replace(
        record,
        golden={name: GoldenField(*golden_facts(golden)) for name, golden in record.golden.items()},
        shadows={platform: shadow_twin(shadow) for platform, shadow in record.shadows.items()},
        conflicts={name: replace(conflict) for name, conflict in record.conflicts.items()},
    )


def shadow_twin(shadow: Shadow) -> Shadow:
    """Return a copy of a shadow; what nobody has asked for yet stays unmade."""
    known = shadow.fields
    copied: dict[str, ShadowField]
    if isinstance(known, Stepwise):
        made = {name: ShadowField(*shadow_facts(field)) for name, field in known.made()}
        copied = Stepwise(made, dict(known.left), known.word, known.by)
    else:
        copied = {name: ShadowField(*shadow_facts(field)) for name, field in known.items()}
    return replace(shadow, fields=copied)
