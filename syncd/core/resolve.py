"""Golden out of the platforms' own words, subject by subject, in the order of the rules, never of arrival.

The rules themselves stand in ``core.truth``; here is what follows from a ruling: golden, conflicts, the person's word, and the
guards ``max_step`` and revert wars.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any, NamedTuple

from syncd.core.folds import is_counter, is_set
from syncd.core.inputs import given_of, inputs_of
from syncd.core.model import SECOND, Conflict, FieldChange, GoldenField, Record, ShadowField, Value
from syncd.core.rules import Entity, Field
from syncd.core.space import Space
from syncd.core.subject import Subject, subjects, votes_of, watches_time
from syncd.core.truth import Case, Kind, Ruling, Vote, judge

WAR_WINDOW = 3600 * SECOND  # flips within this time are one war
WAR = 3  # flips that make it one


def resolve(space: Space, record: Record, names: Iterable[str] | None = None) -> list[FieldChange]:
    """Decide the subjects of these fields, and those that wait for something; all of them without ``names``.

    Returns what changed in golden. Counters and sets were folded before.
    """
    entity = space.rules.entities[record.entity]
    found = subjects(entity)
    if names is None:
        chosen = {s.name: s for s in found.values()}
    else:
        chosen = {found[n].name: found[n] for n in names if n in found} | waiting(entity, record)
    changes: list[FieldChange] = []
    for subject in chosen.values():
        changes += decide_subject(space, record, subject)
    return changes


def waiting(entity: Entity, record: Record) -> dict[str, Subject]:
    """Return the subjects that wait for a person, or for a platform that is passed over while it is stale."""
    if not record.conflicts and not watches_time(entity):
        return {}
    found = subjects(entity).values()
    return {s.name: s for s in found if s.name in record.conflicts or s.truth.if_stale != "keep"}


def decide_subject(space: Space, record: Record, subject: Subject) -> list[FieldChange]:
    """Apply the subject's rule to golden and to its conflict; return the changed fields."""
    case = case_of(space, record, subject)
    ruling = guard(space, record, subject, case)
    if ruling.kind is Kind.HOLD:
        hold(space, record, subject, case, ruling=ruling)
        return []
    record.conflicts.pop(subject.name, None)
    if ruling.kind is Kind.TAKE:
        return accept(record, subject, case, ruling)
    return []


# ---- the case


def case_of(space: Space, record: Record, subject: Subject) -> Case:
    """Return everything the subject's rule may look at."""
    entity = space.rules.entities[record.entity]
    votes = votes_of(space, record, subject)
    return made_case(subject, votes, golden_of(record, subject), lambda platforms: slack(space, entity, platforms))


def made_case(
    subject: Subject, votes: Mapping[str, Vote], golden: GoldenField | None, slack_of: Callable[[set[str]], int]
) -> Case:
    """Return a case from its parts; the slack that a rule asks for is taken down."""
    seen: dict[str, Any] = {}

    def margin(platforms: set[str]) -> int:
        seen["slack"] = slack_of(platforms)
        return subject.truth.skew + int(seen["slack"])

    ours = tuple([votes[p] for p in subject.truth.platforms if p in votes])
    return Case(subject.truth, ours, tuple(votes.values()), golden, subject.same, subject.rank, subject.total, margin, seen)


def slack(space: Space, entity: Entity, platforms: set[str]) -> int:
    """Return what two edits must be apart beside ``skew``: coarsest tick and uncertainty of the clocks (R11)."""
    known = [p for p in platforms if p in entity.members]
    unsure = max((space.clocks.get(p, (0, 0))[1] for p in known), default=0)
    return coarsest_tick(entity, known) + unsure


def coarsest_tick(entity: Entity, platforms: Iterable[str]) -> int:
    """Return how long the coarsest of these platforms' clocks stands still."""
    return max((entity.members[p].abilities.tick for p in platforms), default=0)


def golden_of(record: Record, subject: Subject) -> GoldenField | None:
    """Return golden as the subject's rule sees it: packed, with the group's common provenance."""
    lead = record.golden.get(subject.fields[0].name)
    if subject.single or lead is None:
        return lead
    parts = [record.golden.get(f.name) for f in subject.fields]
    if any(p is None for p in parts):
        return None
    return replace(lead, value=tuple(p.value for p in parts if p is not None))


# ---- what stands before the rule


def guard(space: Space, record: Record, subject: Subject, case: Case) -> Ruling:
    """Return the rule's ruling, unless a person's word, a revert war or a jump stands before it."""
    if is_ruled(record, subject, case):
        return Ruling(Kind.STAY, why="a person decided")
    ruling = judge(case)
    troubled = trouble(space, record, subject)
    if troubled and troubled.is_war:
        return Ruling(Kind.HOLD, why=f"{troubled.platform} overwrote our value {WAR} times: revert war")
    if troubled and ruling.kind is not Kind.HOLD and not moves(subject, case, ruling):
        return Ruling(Kind.HOLD, why=f"stray edit in {troubled.platform} waits for a person")
    if ruling.kind is Kind.TAKE:
        return too_far(subject, case, ruling) or ruling
    return ruling


def moves(subject: Subject, case: Case, ruling: Ruling) -> bool:
    """Return whether a ruling changes golden's value."""
    return ruling.kind is Kind.TAKE and (case.golden is None or not subject.same(ruling.value, case.golden.value))


def is_ruled(record: Record, subject: Subject, case: Case) -> bool:
    """Return whether a person's ruling stands: the own words are those it was made on."""
    golden = record.golden.get(subject.fields[0].name)
    if golden is None or golden.ruled is None:
        return False
    words = {v.platform: v.value for v in case.others if v.own}
    return all(p in golden.ruled and same_ruled(subject, golden.ruled[p], value) for p, value in words.items())


def same_ruled(subject: Subject, then: Value, now: Value) -> bool:
    """Return whether an own word is still the one a person ruled on (a group's tuple is a list once stored)."""
    return list(subject.unpack(then)) == list(subject.unpack(now))


class Trouble(NamedTuple):
    """What one platform did to a subject that only a person can end: a revert war, or a stray edit under review."""

    platform: str
    is_war: bool


def trouble(space: Space, record: Record, subject: Subject) -> Trouble | None:
    """Return the war, if there is one, else the first edit under review."""
    under_review = None
    for platform, shadow in record.shadows.items():
        for field in subject.fields:
            known = shadow.fields.get(field.name)
            if known is None:
                continue
            if known.flips >= WAR and space.now - known.flip_at <= WAR_WINDOW:
                return Trouble(platform, is_war=True)
            if known.review and under_review is None and waits(record, known, field.name):
                under_review = Trouble(platform, is_war=False)
    return under_review


def waits(record: Record, known: ShadowField, name: str) -> bool:
    """Return whether a stray edit still waits: golden is the one it was seen against (R34)."""
    golden = record.golden.get(name)
    return known.kept is not None and golden is not None and bool(golden.value == known.kept[0])


def too_far(subject: Subject, case: Case, ruling: Ruling) -> Ruling | None:
    """Return the conflict that ``max_step`` makes of a jump; first and provisional values are free."""
    step = subject.fields[0].max_step if subject.single else None
    golden = case.golden
    if step is None or golden is None or golden.provisional or golden.value is None or ruling.value is None:
        return None
    kind = subject.fields[0].type
    old, new = kind.number(golden.value), kind.number(ruling.value)
    if old == 0 or abs(new - old) <= abs(old) * Decimal(str(step)):
        return None
    why = f"jump {jump(old, new)} > {step:.0%}"
    return replace(ruling, kind=Kind.HOLD, why=why, sort="step")


def jump(old: Decimal, new: Decimal) -> str:
    """Return a change in per cent, for people."""
    return f"{abs(new - old) / abs(old):.0%}"


def hold(space: Space, record: Record, subject: Subject, case: Case, *, ruling: Ruling) -> None:
    """Open the subject's conflict, or bring the open one up to date."""
    values = {v.platform: v.value for v in case.others}
    open_one = record.conflicts.get(subject.name)
    record.conflicts[subject.name] = Conflict(
        subject.name,
        ruling.sort,
        ruling.why,
        values,
        id=open_one.id if open_one else None,
        opened_at=open_one.opened_at if open_one else space.now,
        proposal=ruling.value,
    )


def accept(record: Record, subject: Subject, case: Case, ruling: Ruling) -> list[FieldChange]:
    """Put a ruling into golden; return the fields whose value changed."""
    changes: list[FieldChange] = []
    given = given_of(case)
    for field, value in zip(subject.fields, subject.unpack(ruling.value), strict=True):
        golden = record.golden.get(field.name)
        before = golden.value if golden else None
        if golden is None:
            golden = record.golden[field.name] = GoldenField()
        golden.value, golden.lo, golden.hi, golden.who = value, ruling.lo, ruling.hi, ruling.who
        golden.provisional, golden.ruled = ruling.provisional, None
        if value != before:
            why, how = ruling.why, subject.truth.how
            changes.append(FieldChange(field.name, before, value, ruling.who, why, how, inputs_of(case), given))
    return changes


def folded(field: Field) -> bool:
    """Return whether a field's golden moves while observing, not while resolving."""
    return is_counter(field) or is_set(field)
