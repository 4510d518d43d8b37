"""``expect:`` of a rule test: golden, writes, conflicts and the rest of what must come of the readings."""

from syncd.config import literals
from syncd.config.nodes import Block, Items, Node, Scalar, is_blank
from syncd.config.ruletest import Expect
from syncd.config.section import Section
from syncd.config.testgiven import platforms
from syncd.config.testnames import Names, native
from syncd.core.model import Native, Value

KEYS = ("golden", "writes", "writes_total", "decided_by", "stray_edits", "conflicts", "held", "creates", "deletes")
STRATEGIES = (
    *("owner", "priority", "newest", "union", "intersection", "max", "min", "sum", "longest", "earliest", "latest", "any"),
    *("all", "delta", "expr", "const", "manual"),
)
SPECIAL = ("(identity)", "(delete)")  # conflicts that are about no field
DEPARTURES = {"delete": "delete", "archive": "archive", "unpublish": "archive"}


def read_expect(names: Names, section: Section) -> Expect:
    """Return what is expected. A test that expects nothing is E102: it could never fail."""
    node = section.need("expect")
    expect = section.section("expect") if node is not None else None
    if expect is None:
        return Expect()
    expect.known(KEYS)
    if not expect.block.entries:
        literals.bad_value(
            section.source,
            expect.block,
            "expects nothing",
            why="a test without an expectation could never fail",
            fix=f"add one of: {', '.join(KEYS)}",
        )
    return Expect(
        golden=_golden(names, expect),
        writes=_writes(names, expect),
        writes_total=expect.whole("writes_total", least=0),
        decided_by=_decided(names, expect),
        stray_edits=_list(names, expect, "stray_edits"),
        conflicts=_list(names, expect, "conflicts"),
        held=_list(names, expect, "held"),
        creates=tuple(platforms(names, expect, "creates")) if expect.node("creates") is not None else None,
        deletes=_deletes(names, expect),
    )


def _inner(expect: Section, key: str) -> Block | None:
    """Return a mapping that is asked for; left blank it is an empty one."""
    node = expect.block.get(key)
    if node is None:
        return None
    if is_blank(node):
        return Block(node.span)
    section = expect.section(key)
    return section.block if section else None


def _golden(names: Names, expect: Section) -> dict[str, Value] | None:
    block = _inner(expect, "golden")
    if block is None:
        return None
    found = [(names.field(entry.key), entry.value) for entry in block.entries.values()]
    return {field.name: names.value(field, node) for field, node in found if field}


def _writes(names: Names, expect: Section) -> dict[str, dict[str, Native]] | None:
    block = _inner(expect, "writes")
    if block is None:
        return None
    found: dict[str, dict[str, Native]] = {}
    for entry in block.entries.values():
        platform = names.platform(entry.key)
        if platform and isinstance(entry.value, Block):
            paths = [(names.path(platform, one.key), one.value) for one in entry.value.entries.values()]
            found[platform] = {path: native(names.source, node) for path, node in paths if path is not None}
        elif platform:
            literals.wrong_type(names.source, entry.value, "a mapping of paths", fix=f"write  {platform}: {{PATH: VALUE}}")
    return {platform: values for platform, values in found.items() if values}


def _decided(names: Names, expect: Section) -> dict[str, str] | None:
    block = _inner(expect, "decided_by")
    if block is None:
        return None
    found: dict[str, str] = {}
    for entry in block.entries.values():
        name = names.decided(entry.key)
        if not isinstance(entry.value, Scalar):
            literals.wrong_type(names.source, entry.value, "the name of a rule", fix=f"use one of: {', '.join(STRATEGIES)}")
        elif name:
            plain = entry.value.text.removeprefix("merge ").strip()
            if plain in STRATEGIES:
                found[name] = plain
            else:
                literals.not_one_of(names.source, entry.value, STRATEGIES)
    return found


def _list(names: Names, expect: Section, key: str) -> tuple[str, ...] | None:
    """Return a list of fields (conflicts) or of PLATFORM.FIELD."""
    if is_blank(expect.block.get(key)):
        return () if key in expect.block.entries else None
    found = []
    for node in expect.list(key):
        if not isinstance(node, Scalar):
            literals.wrong_type(names.source, node, "the name of a field")
        elif key == "conflicts":
            found.append(node.text if node.text in SPECIAL else names.decided(node))
        else:
            found.append(names.edited(node))
    return tuple(sorted({name for name in found if name}))


def _deletes(names: Names, expect: Section) -> dict[str, str] | None:
    """Return ``[shopify]`` or ``{shopify: archive}``."""
    node: Node | None = expect.block.get("deletes")
    if node is None:
        return None
    if is_blank(node) or isinstance(node, Items):
        return dict.fromkeys(platforms(names, expect, "deletes"), "")
    block = _inner(expect, "deletes")
    found: dict[str, str] = {}
    for entry in block.entries.values() if block else ():
        platform = names.platform(entry.key)
        word = literals.word(names.source, entry.value, list(DEPARTURES))
        if platform and word:
            found[platform] = DEPARTURES[word]
    return found
