"""``check`` and ``equal`` of a field: conditions on its values, and when two of them count as the same."""

from dataclasses import dataclass

from syncd.config import literals
from syncd.config.expressions import ANYTHING, in_thing, read_condition
from syncd.config.nodes import Block, Entry, Node, Scalar, is_blank, plain
from syncd.config.scene import Scene
from syncd.config.section import Section, unknown_key
from syncd.config.source import Source
from syncd.config.suggest import did_you_mean
from syncd.core import equality, formats
from syncd.core.checks import NAMES as VALUE_CHECKS
from syncd.core.checks import parse_check, parse_step
from syncd.core.equality import parse_equality, suits
from syncd.core.native import Later
from syncd.core.rules import Check, Equality, Expression, FieldType

EXACT = parse_equality("exact")
NAMES = (*VALUE_CHECKS, *(name for name in ("unique", "expr") if name not in VALUE_CHECKS))


@dataclass(frozen=True, slots=True)
class Checks:
    """What ``check:`` of a field says."""

    checks: tuple[Check, ...] = ()
    max_step: float | None = None
    conditions: tuple[Expression, ...] = ()
    unique: bool = False


def read_checks(scene: Scene, section: Section, kind: FieldType | None) -> Checks:
    """Return the checks of a field. Fields have been read before: expressions name them."""
    block = section.section("check")
    if block is None:
        return Checks()
    found = [_check(section.source, entry, kind) for name, entry in block.block.entries.items() if name in VALUE_CHECKS]
    for name, entry in block.block.entries.items():
        if name not in NAMES:
            unknown_key(section.source, entry, NAMES, what="check")
    step = block.block.entries.get("max_step")
    expr = block.block.entries.get("expr")
    condition = _condition(scene, expr, kind) if expr else None
    return Checks(
        tuple(check for check in found if check),
        _step(section.source, step, kind) if step else None,
        (condition,) if condition else (),
        bool(block.flag("unique")),
    )


def _check(source: Source, entry: Entry, kind: FieldType | None) -> Check | None:
    """Return one check of values; None for ``max_step``, and after noting what is wrong."""
    name = entry.key.text
    if kind is None or name in ("max_step", "unique", "expr"):
        return None
    try:
        return parse_check(name, _setting(entry), kind)
    except Later:
        source.later(entry.key, f'"{name}"')
    except ValueError as error:
        _wrong(source, entry, str(error))
    return None


def _step(source: Source, entry: Entry, kind: FieldType | None) -> float | None:
    try:
        return parse_step(_setting(entry), kind) if kind else None
    except ValueError as error:
        _wrong(source, entry, str(error))
        return None


def _condition(scene: Scene, entry: Entry, kind: FieldType | None) -> Expression | None:
    """Return ``expr:``: what must be true of a value."""
    if is_blank(entry.value):
        literals.wrong_type(scene.source, entry.value, "an expression", fix="write  expr: \"value != 'n/a'\"")
        return None
    return read_condition(scene, entry.value, in_thing(scene, kind or ANYTHING), "expr")


def _setting(entry: Entry) -> object:
    """Return what a check is set to; a share keeps its text."""
    return plain(entry.value)


def _wrong(source: Source, entry: Entry, said: str) -> None:
    if said.startswith(f"{entry.key.text} is for "):
        source.error(
            "E232",
            entry.key,
            said,
            hint="does not fit the type",
            why="the check could never say anything about such a value",
            fix="remove it, or change type:",
        )
        return
    name = entry.value.text if isinstance(entry.value, Scalar) else ""
    hint = did_you_mean(name, formats.NAMES) if entry.key.text == "format" else ""
    fix = {"format": f"use one of: {', '.join(formats.NAMES)}", "pattern": in_other_words(said)}.get(entry.key.text, "")
    literals.bad_value(source, entry.value, said, hint=hint, why="the check could not be applied", fix=fix)


def in_other_words(said: str) -> str:
    """Return how to write what a pattern cannot say: patterns never take longer than the text is long."""
    ways = {
        "(?...)": "write [aA] for both cases and (?:...) for a group; to look ahead or back, write  expr:",
        "\\b": 'write (^|\\W) and (\\W|$) where a word begins and ends',
        "\\A": "write ^ where the text begins",
        "\\Z": "write $ where the text ends",
        "repeats a repeat": "write * + or ? alone: which of several matches is found makes no difference",
        "is no count": "write max_length: for the length of a text",
        "has more than": "write max_length: for the length of a text",
    }
    first = next((way for sign, way in ways.items() if sign in said.rpartition("cannot be used: ")[2]), "")
    known = r"known are characters, ., [a-z], \d \w \s \D \W \S, (a|b), (?:a), ? * + {2,5}, ^ and $"
    return f"{first}\n{known}" if first else known


def read_equality(section: Section, kind: FieldType | None) -> Equality:
    """Return when two values of the field are the same; exact if nothing else is said."""
    node = section.node("equal")
    if node is None or not _good_amount(section.source, node):
        return EXACT
    try:
        found = parse_equality(plain(node))
    except ValueError as error:
        name = node.text if isinstance(node, Scalar) else next(iter(node.entries), "") if isinstance(node, Block) else ""
        literals.bad_value(
            section.source,
            node,
            str(error),
            hint="" if name in equality.NAMES else did_you_mean(name, equality.NAMES),
            why="without it differences of spelling would be drift",
            fix="use one of: exact, casefold, whitespace, html, set, json, {number: 0.005}, {time: 1s}",
        )
        return EXACT
    if kind is not None and not suits(found, kind):
        section.source.error(
            "E232",
            node,
            f"equal: {found.name} says nothing about a field of type {kind.name}",
            hint="does not fit the type",
            why="two values would be the same only if they are exactly the same",
            fix="remove equal:, or change type:",
        )
    return found


def _good_amount(source: Source, node: Node) -> bool:
    """Note a ``{time: 1}`` without a unit before anything else is said of it."""
    span = node.get("time") if isinstance(node, Block) else None
    return span is None or literals.duration(source, span, "time") is not None
