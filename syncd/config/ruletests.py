"""``tests/*.yaml``: rule tests, read as strictly as the rules they test. ``daemon.rehearse`` runs them."""

from collections.abc import Mapping

from syncd.config import literals
from syncd.config.nodes import Block, Items, Scalar
from syncd.config.ruletest import NOW, Given, RuleTest
from syncd.config.section import Section, root_of, section_of
from syncd.config.source import Source
from syncd.config.suggest import did_you_mean
from syncd.config.testexpect import read_expect
from syncd.config.testgiven import moment, read_base, read_given
from syncd.config.testnames import Names
from syncd.core.rules import Entity

KEYS = ["entity", "tests"]
TEST_KEYS = ["name", "now", "in", "base", "given", "repeat", "expect"]
MOST_REPEATS = 100


def count_tests(source: Source) -> int | None:
    """Return how many tests a file has, None if it could not be read."""
    tests = source.root.get("tests") if source.root else None
    return len(tests.nodes) if isinstance(tests, Items) else None if source.root is None else 0


def read_tests(source: Source, entities: Mapping[str, Entity | None]) -> tuple[RuleTest, ...]:
    """Return the tests of a file. ``entities``: by name, None for one with errors, whose names are not known then."""
    section = root_of(source)
    if section is None:
        return ()
    section.known(KEYS)
    name = _entity(section, entities)
    section.need("tests")
    entity = entities.get(name) if name else None
    found = []
    for number, node in enumerate(section.list("tests")):
        one = section_of(source, node, node.span)
        if one is None:
            continue
        one.known(TEST_KEYS)
        title = one.need("name") and one.text("name")
        if entity is not None:
            found.append(_test(Names(source, entity), one, str(title or ""), number))
    _one_name_each(section)
    return tuple(found)


def _entity(section: Section, entities: Mapping[str, Entity | None]) -> str | None:
    """Return the entity that a file tests; notes E011."""
    node = section.need("entity")
    name = literals.text(section.source, node, "entity") if node is not None else None
    if node is None or name is None or name in entities:
        return name
    section.source.error(
        "E011",
        node,
        f'no entity called "{name}"',
        hint=did_you_mean(name, entities),
        why="these tests would test nothing",
        fix=f"use one of: {', '.join(entities)}" if entities else "add a file to entities/",
    )
    return None


def _test(names: Names, section: Section, title: str, number: int) -> RuleTest:
    now = moment(names.source, section.block.get("now")) or NOW
    base = read_base(names, section)
    if base is None and section.node("in") is not None:
        _in_without_base(section)
    given = read_given(names, section, now)
    if not given:
        _nothing_given(section)
    return RuleTest(
        name=title,
        entity=names.entity.name,
        at=names.source.at(section.block),
        number=number,
        given=given,
        expect=read_expect(names, section),
        base=base,
        now=now,
        repeat=section.whole("repeat", least=1, most=MOST_REPEATS) or 1,
    )


def _nothing_given(section: Section) -> None:
    """Note a test in which no platform says anything; what is broken under ``given:`` was noted already."""
    node = section.node("given")
    if node is None:
        section.need("given")
    elif isinstance(node, Block | Items) and not (node.entries if isinstance(node, Block) else node.nodes):
        fix = "write  given: {PLATFORM: {PATH: VALUE}}"
        literals.bad_value(section.source, node, "no platform says anything", why="nothing would be decided", fix=fix)


def _in_without_base(section: Section) -> None:
    section.source.error(
        "E102",
        section.block.key("in"),
        'missing key "base"',
        hint="add base:",
        why="in: says which platforms have the record already, and without a base there is none",
        fix="add  base: {FIELD: VALUE}, or remove in:",
    )


def _one_name_each(section: Section) -> None:
    """Note two tests of one name in a file: a report could not say which of them failed."""
    first: dict[str, Scalar] = {}
    for node in section.list("tests") if isinstance(section.node("tests"), Items) else ():
        name = node.get("name") if isinstance(node, Block) else None
        if isinstance(name, Scalar) and name.value is not None and first.setdefault(name.text, name) is not name:
            literals.bad_value(
                section.source,
                name,
                f'a second test called "{name.text}"',
                hint=f"first on line {first[name.text].span.line}",
                why="a report could not say which of them failed",
                fix="give each test a name of its own",
            )


__all__ = ["Given", "RuleTest", "count_tests", "read_tests"]
