"""Which rules a test runs: those that a reading it names, or a value that moved, put to work."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from syncd.config.ruletest import RuleTest
from syncd.config.testnames import is_on_the_way
from syncd.core.dependencies import names_in
from syncd.core.force import in_force
from syncd.core.model import Record
from syncd.core.rules import At, Entity, Rules
from syncd.core.subject import Subject, subjects
from syncd.daemon.enact import Stage


class Ran(NamedTuple):
    """A rule, or one case of it: ``case`` counts from 1, 0 is the rule as a whole."""

    entity: str
    name: str
    case: int = 0


def all_rules(rules: Rules) -> dict[Ran, tuple[str, At]]:
    """Return every rule and every case with its strategy and its place, in the order of the files."""
    found: dict[Ran, tuple[str, At]] = {}
    for entity in rules.entities.values():
        for subject in rules_of(entity).values():
            found[Ran(entity.name, subject.name)] = subject.truth.how, subject.truth.at
            for number, branch in enumerate(subject.truth.branches, 1):
                found[Ran(entity.name, subject.name, number)] = branch.truth.how, branch.truth.at
    return found


def rules_of(entity: Entity) -> Mapping[str, Subject]:
    """Return the subject of each rule of an entity, a group once."""
    return {subject.name: subject for subject in subjects(entity).values()}


def touched(stage: Stage, test: RuleTest) -> frozenset[Ran]:
    """Return the rules that a test ran, with the cases that decided in the end."""
    names = {name for name, subject in rules_of(stage.entity).items() if is_touched(stage, test, subject)}
    found = {Ran(test.entity, name) for name in names}
    for subject in (rules_of(stage.entity)[name] for name in names):
        for record in stage.space.records.values():
            found |= {Ran(test.entity, subject.name, number) for number in deciding(stage, record, subject)}
    return frozenset(found)


def deciding(stage: Stage, record: Record, subject: Subject) -> Iterator[int]:
    """Yield the number of the case that decided a record in the end, if the rule has cases."""
    truth = in_force(stage.space, record, subject).truth
    yield from (number for number, branch in enumerate(subject.truth.branches, 1) if branch.truth is truth)


def is_touched(stage: Stage, test: RuleTest, subject: Subject) -> bool:
    """Return whether a test says something that this rule decides by, or whose golden it moved, or whose conflict it opened."""
    if any(subject.name in record.conflicts for record in stage.space.records.values()):
        return True
    fields = {field.name for field in subject.fields}
    if any(change.name in fields for decision in stage.space.decisions for change in decision.fields):
        return True
    return any(is_read(subject, one.platform, path) for one in test.given for path in one.values)


def is_read(subject: Subject, platform: str, path: str) -> bool:
    """Return whether a rule reads a path of a platform: one of its fields is there, or an expression names it."""
    mapped = [f.maps[platform].path for f in subject.fields if platform in f.maps]
    raws = [name.path for name in names_in(subject.truth) if name.scope == f"{platform}.raw"]
    return any(is_on_the_way(path, known) for known in (*mapped, *raws))

