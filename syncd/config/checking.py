"""``check`` and ``equal`` of a field: conditions on its values, and when two of them count as the same."""

from syncd.config import literals
from syncd.config.nodes import Block, Entry, Node, Scalar, plain
from syncd.config.section import Section, unknown_key
from syncd.config.source import Source
from syncd.config.suggest import did_you_mean
from syncd.core import equality
from syncd.core.checks import NAMES, parse_check, parse_step
from syncd.core.equality import parse_equality, suits
from syncd.core.native import Later
from syncd.core.rules import Check, Equality, FieldType

EXACT = parse_equality("exact")


def read_checks(section: Section, kind: FieldType | None) -> tuple[tuple[Check, ...], float | None]:
    """Return the checks of a field and its ``max_step``."""
    block = section.section("check")
    checks: list[Check] = []
    step: float | None = None
    for name, entry in block.block.entries.items() if block else ():
        try:
            if name == "max_step":
                step = parse_step(_setting(entry), kind) if kind else None
            elif kind:
                check = parse_check(name, _setting(entry), kind)
                checks += [check] if check else []
        except Later:
            section.source.later(entry.key, f'"{name}"')
        except ValueError as error:
            _wrong(section.source, entry, str(error))
    return tuple(checks), step


def _setting(entry: Entry) -> object:
    """Return what a check is set to; a share keeps its text."""
    return plain(entry.value)


def _wrong(source: Source, entry: Entry, said: str) -> None:
    name = entry.key.text
    if name not in NAMES:
        unknown_key(source, entry, NAMES, what="check")
    elif " is for " in said:
        source.error(
            "E232",
            entry.key,
            said,
            hint="does not fit the type",
            why="the check could never say anything about such a value",
            fix="remove it, or change type:",
        )
    else:
        literals.bad_value(source, entry.value, said.replace(' "', ' "', 1), why="the check could not be applied")


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
            hint=did_you_mean(name, equality.NAMES),
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
