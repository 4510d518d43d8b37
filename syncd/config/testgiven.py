"""``base:``, ``in:`` and ``given:`` of a rule test: what everyone agreed on, and what each platform says then."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime

from syncd.config import literals
from syncd.config.nodes import Block, Entry, Items, Node, Scalar, is_blank
from syncd.config.ruletest import Base, Given
from syncd.config.section import Section, unknown_key
from syncd.config.source import Source
from syncd.config.testnames import Names, native
from syncd.core.model import Native, Value

WORDS = ("gone", "stale")
LONG = ("item", "at", "deleted", "stale")
RAW = ".raw."
AGO = re.compile(r"-\s*([0-9]+(?:\.[0-9]+)?)(ms|s|m|h|d)")


def read_base(names: Names, section: Section) -> Base | None:
    """Return what everyone agreed on, None if there is no record yet."""
    node = section.block.get("base")
    if node is None:
        return None
    base = section.section("base") if not is_blank(node) else Section(section.source, Block(node.span), node.span)
    fields: dict[str, Value] = {}
    raws: dict[str, dict[str, Native]] = {}
    for entry in base.block.entries.values() if base else ():
        if RAW in entry.key.text:
            _own(names, entry, raws)
        elif field := names.field(entry.key):
            fields[field.name] = names.agreed(field, entry.value)
    return Base(fields, raws, _where(names, section))


def _own(names: Names, entry: Entry, raws: dict[str, dict[str, Native]]) -> None:
    """Take ``sanity.raw.locked: true``: a platform's own value beside the fields, named as expressions name it."""
    platform, _, path = entry.key.text.partition(RAW)
    key, span = entry.key, entry.key.span
    there = names.platform(Scalar(span._replace(end_col=span.col + len(platform)), platform, platform, platform, plain=True))
    start = span.col + len(platform) + len(RAW)
    if there and names.path(there, Scalar(span._replace(col=start), path, path, path, key.plain)):
        raws.setdefault(there, {})[path] = native(names.source, entry.value)


def _where(names: Names, section: Section) -> tuple[str, ...]:
    """Return the platforms that have the record in base: all of them unless ``in:`` names some."""
    if section.node("in") is None:
        return tuple(names.entity.members)
    return tuple(platforms(names, section, "in"))


def platforms(names: Names, section: Section, key: str) -> Iterator[str]:
    """Yield the platforms of a list."""
    for node in section.list(key):
        if not isinstance(node, Scalar):
            literals.wrong_type(names.source, node, "the name of a platform")
        elif name := names.platform(node):
            yield name


def read_given(names: Names, section: Section, now: int) -> tuple[Given, ...]:
    """Return what platforms say, in the order of the file. A list of mappings lets one platform speak several times."""
    node = section.node("given")
    if isinstance(node, Items):
        blocks = [block for item in node.nodes if (block := _block(names.source, item))]
    else:
        blocks = [block] if node is not None and (block := _block(names.source, node)) else []
    entries = [entry for block in blocks for entry in block.entries.values()]
    found = [(names.platform(entry.key), entry.value) for entry in entries]
    return tuple(_one(names, platform, value, now) for platform, value in found if platform)


def _block(source: Source, node: Node) -> Block | None:
    if isinstance(node, Block):
        return node
    literals.wrong_type(source, node, "a mapping of platforms", fix="write  given: {PLATFORM: {PATH: VALUE}}")
    return None


def _one(names: Names, platform: str, node: Node, now: int) -> Given:
    """Return what one platform says: a word, its paths, or the long form ``{item: {PATH: VALUE}, at: -2h}``."""
    source = names.source
    if isinstance(node, Scalar) and node.value is not None:
        word = literals.word(source, node, WORDS)
        return Given(platform, gone=word == "gone", stale=word == "stale")
    if not isinstance(node, Block):
        literals.wrong_type(source, node, "a mapping of paths, gone or stale", fix=f"write  {platform}: {{PATH: VALUE}}")
        return Given(platform)
    own = names.paths(platform)
    long = isinstance(node.get("item"), Block)
    for entry in node.entries.values() if long else ():
        if entry.key.text not in LONG:
            unknown_key(source, entry, LONG)
    is_said = {key: key in node.entries and (long or key not in own) for key in LONG}
    at = moment(source, node.get("at"), now) if is_said["at"] else None
    gone, stale = (is_said[key] and _flag(source, node.get(key)) for key in ("deleted", "stale"))
    inner = node.get("item") if long else node
    values = {
        path: native(source, entry.value)
        for key, entry in (inner.entries.items() if isinstance(inner, Block) else ())
        if (long or not is_said.get(key)) and (path := names.path(platform, entry.key)) is not None
    }
    return Given(platform, values, gone, stale, at)


def _flag(source: Source, node: Node | None) -> bool:
    return node is not None and bool(literals.flag(source, node))


def moment(source: Source, node: Node | None, now: int | None = None) -> int | None:
    """Return a moment in microseconds: RFC 3339 or, where there is a ``now``, how long before it (``-2h``); notes E011."""
    if node is None or is_blank(node):
        return None
    if not isinstance(node, Scalar):
        literals.wrong_type(source, node, "a time")
        return None
    ago = AGO.fullmatch(node.text)
    if ago and now is not None:
        return now - int(float(ago[1]) * literals.UNITS[ago[2]])
    try:
        found = datetime.fromisoformat(node.text)
    except ValueError:
        before = ", or how long before now: -2h" if now is not None else ""
        literals.bad_value(
            source,
            node,
            f'"{node.text}" is no time',
            why="a test runs at one moment, the same each time",
            fix=f"write  2026-01-31T12:00:00Z{before}",
        )
        return None
    found = found if found.tzinfo else found.replace(tzinfo=UTC)
    return round(found.timestamp() * 1_000_000)
