"""A record under its rules: what they say of it now, what others would say, and what would be written.

The decision is the core's own; nothing is stored.
"""

from collections.abc import Iterable, Iterator
from copy import deepcopy
from dataclasses import dataclass, replace
from itertools import count
from typing import Any

from syncd.core.held import differs, known_of, means_of, why_held
from syncd.core.model import FieldChange, Record, Value
from syncd.core.rederive import case_again
from syncd.core.resolve import case_of, resolve, too_far
from syncd.core.rules import Entity, Rules, Truth
from syncd.core.space import Space, Stray
from syncd.core.subject import Subject, subjects
from syncd.core.truth import Case, Kind, Vote, judge, of_branch

FOLDED = ("union", "intersection", "delta")
HIGH = 2**52  # numbers of what is only tried


@dataclass(slots=True)
class Ruled:
    """A record with the rules that decide it, in a working set of its own."""

    entity: Entity
    space: Space

    @property
    def record(self) -> Record:
        """The record itself."""
        return next(iter(self.space.records.values()))

    def subject(self, name: str) -> Subject | None:
        """Return what decides a field, None if these rules do not have it."""
        return subjects(self.entity).get(name)


def ruled(space: Space, entity: Entity, sha: str, record: Record, now: int) -> Ruled:
    """Return a record under rules. ``space`` has what the ledger knows around it: last reads, proofs, open attempts."""
    numbers = count(HIGH)
    rules = Rules(sha, {**space.rules.entities, entity.name: entity})
    return Ruled(entity, replace(space, rules=rules, now=now, number=lambda: next(numbers), records={record.id: record}))


# ---- other rules


def others(found: Ruled, name: str, change: FieldChange | None, at: int, strays: Iterable[Stray]) -> dict[str, Any]:
    """Return what other rules would have given of a field at its last decision, with the stray edits it met since; of a field
    without a recorded decision what they give now. ``held``: a person would be asked. None for sets and counters.
    """
    subject = found.subject(name)
    if subject is None or subject.truth.how in FOLDED:
        return {}
    case = seen_by(found, subject, change, at, strays)
    names = [vote.platform for vote in case.others if vote.own]
    rules = {text: rule for text, rule in _rules(subject, names) if names and not _is_same(rule, subject.truth)}
    return {text: given(subject, case, rule, name) for text, rule in rules.items()}


def seen_by(found: Ruled, subject: Subject, change: FieldChange | None, at: int, strays: Iterable[Stray]) -> Case:
    """Return what a rule may look at: what the last decision saw, or what there is now."""
    if change is None or not change.inputs:
        return case_of(found.space, found.record, subject)
    case = case_again(subject, change, at)
    votes = {vote.platform: vote for vote in case.others}
    for stray in strays if subject.single else ():
        when = stray.changed_at or at
        votes[stray.platform] = Vote(stray.platform, stray.value, null=stray.value is None, lo=when, hi=when)
    return replace(case, others=tuple(votes.values()))


def _rules(subject: Subject, names: list[str]) -> Iterator[tuple[str, Truth]]:
    truth = subject.truth
    if len(names) > 1:
        yield "newest", Truth("newest", tuple(names), if_null=truth.if_null if truth.if_null in ("keep", "clear") else "keep")
        turned = (*(n for n in names if n not in truth.platforms[:1]), *(n for n in names if n in truth.platforms[:1]))
        yield f"priority [{', '.join(turned)}]", Truth("priority", turned, if_null="next", if_invalid="next")
    for name in names:
        yield f"owner {name}", Truth("owner", (name,))
    yield "manual", Truth("manual")


def _is_same(one: Truth, other: Truth) -> bool:
    if one.how == "newest":
        return other.how == "newest"
    return one.how == other.how and (one.platforms == other.platforms or one.how == "manual")


def given(subject: Subject, case: Case, truth: Truth, name: str) -> Value:
    """Return what a rule would make of a field."""
    if truth.how == "manual":
        return "held"
    ruling = judge(of_branch(case, truth))
    if ruling.kind is Kind.TAKE:
        ruling = too_far(subject, case, ruling) or ruling
    if ruling.kind is Kind.HOLD:
        return "held"
    value = ruling.value if ruling.kind is Kind.TAKE else case.golden.value if case.golden else None
    return subject.unpack(value)[[field.name for field in subject.fields].index(name)]


# ---- what if


def what_if(found: Ruled, name: str, rule: str) -> dict[str, Any]:
    """Return what golden of a field would be under the rules of ``found``, and what would be written."""
    tried = replace(found.space, records={number: deepcopy(record) for number, record in found.space.records.items()})
    record = next(iter(tried.records.values()))
    before = {n: golden.value for n, golden in record.golden.items()}
    for golden in record.golden.values():
        golden.ruled = None if golden.who != "person" else golden.ruled
    resolve(tried, record, [name])
    subject = subjects(found.entity)[name]
    conflict = record.conflicts.get(subject.name)
    golden_now = record.golden.get(name)
    return {
        "rule": rule,
        "golden": golden_now.value if golden_now else None,
        "changes": (golden_now.value if golden_now else None) != before.get(name),
        "from": golden_now.who if golden_now else None,
        "held": conflict.why if conflict else None,
        "writes": [] if conflict else list(_writes(found.entity, tried, record, name)),
    }


def _writes(entity: Entity, space: Space, record: Record, name: str) -> Iterator[dict[str, Any]]:
    field, golden = entity.fields[name], record.golden.get(name)
    for platform, member in entity.members.items():
        known, shadow = known_of(record, platform, name), record.shadows.get(platform)
        if golden is None or shadow is None or shadow.life != "alive" or not differs(field, known, golden, platform):
            continue
        why = "mode observe" if member.mode == "observe" else why_held(space, entity, member, record, field)
        yield {"platform": platform, "before": means_of(known), "after": golden.value, "held": why or None}
