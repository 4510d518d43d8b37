"""Which rules decided what a failed test is about, with their places: the lines below its differences."""

from collections.abc import Iterator, Mapping
from decimal import Decimal

from syncd.config.nodes import Block, Items, Node
from syncd.config.source import Source
from syncd.config.yaml import parse
from syncd.core.model import Value
from syncd.core.rules import Entity, Field, Rules
from syncd.core.subject import subjects
from syncd.daemon.rehearse import Result

MOST = 4  # rules that are named for one test


class Places:
    """Where the keys of the entities' files stand. A file is read again only when a test of it failed."""

    def __init__(self, folder_texts: Mapping[str, str]) -> None:
        self.texts = folder_texts
        self.roots: dict[str, Block | None] = {}

    def line(self, entity: str, *keys: str) -> int | None:
        """Return the line of a key below ``fields:``, such as ``price check max_step``."""
        above = self.node(entity, "fields", *keys[:-1])
        return above.key(keys[-1]).span.line if isinstance(above, Block) and keys[-1] in above.entries else None

    def case(self, entity: str, name: str, number: int) -> int | None:
        """Return the line of one case, from 1, of a field's or group's truth."""
        cases = self.node(entity, "fields", name, "truth") or self.node(entity, "groups", name, "truth")
        return cases.nodes[number - 1].span.line if isinstance(cases, Items) else None

    def node(self, entity: str, *keys: str) -> Node | None:
        """Return what stands below some keys."""
        if entity not in self.roots:
            path = f"entities/{entity}.yaml"
            source = Source(path, path, self.texts.get(path, ""))
            parse(source, {})
            self.roots[entity] = source.root
        node: Node | None = self.roots[entity]
        for key in keys:
            node = node.get(key) if isinstance(node, Block) else None
        return node


def blame(result: Result, rules: Rules, places: Places) -> list[str]:
    """Return a line for each rule behind the differences: its place, its kind, and what it says of itself."""
    entity = rules.entities[result.test.entity]
    groups = {name: subject.name for name, subject in subjects(entity).items()}
    names = [groups.get(name, name) for difference in result.differences for name in difference.fields]
    known = {subject.name for subject in subjects(entity).values()}
    return ["; ".join(said(result, entity, name, places)) for name in dict.fromkeys(names) if name in known][:MOST]


def said(result: Result, entity: Entity, name: str, places: Places) -> Iterator[str]:
    """Yield what there is to say of one rule."""
    subject = next(one for one in subjects(entity).values() if one.name == name)
    truth = subject.truth
    strategy = result.got.decided_by.get(name, truth.how)
    several = len({n for d in result.differences for n in d.fields}) > 1
    yield f"{truth.at.file}:{truth.at.line} {strategy}" + (f" of {name}" if several else "")
    step = jump(result, entity.fields[name], places) if subject.single else ""
    if step:
        yield step
    why = result.got.why.get(name, "")
    if why and not (step and why.startswith("jump ")):
        yield why
    waits = {platform_of(one): reason for one, reason in result.got.waits.items() if one.partition(".")[2] == name}
    yield from (f"{platform}: {reason}" for platform, reason in waits.items() if reason != "in conflict")


def platform_of(edited: str) -> str:
    """Return PLATFORM of PLATFORM.FIELD."""
    return edited.partition(".")[0]


def jump(result: Result, field: Field, places: Places) -> str:
    """Return how far a value jumped and how far it may: ``:57 max_step is 30%, jump is 60%``; '' if it did not move."""
    base = result.test.base.fields.get(field.name) if result.test.base else None
    if field.max_step is None or base is None or field.type.number(base) == 0:
        return ""
    farthest = max((share(field, base, value) for value in said_of(result, field)), default=Decimal(0))
    if not farthest:
        return ""
    line = places.line(result.test.entity, field.name, "check", "max_step")
    return f"{f':{line} ' if line else ''}max_step is {field.max_step:.0%}, jump is {farthest:.0%}"


def share(field: Field, base: Value, value: Value) -> Decimal:
    """Return a change as a share of what was."""
    old = field.type.number(base)
    return abs(field.type.number(value) - old) / abs(old)


def said_of(result: Result, field: Field) -> list[Value]:
    """Return the values of a field that were read or decided."""
    golden = result.got.golden.get(field.name)
    return [value for value in (golden, *result.heard.get(field.name, ())) if value is not None]
