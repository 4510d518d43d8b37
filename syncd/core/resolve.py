"""Golden out of the platforms' own words, subject by subject, in the order of the rules, never of arrival.

The rules themselves stand in ``core.truth``; here is what follows from a ruling: golden, conflicts, the person's word, and the
guards ``max_step`` and revert wars.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any, NamedTuple

from syncd.core.case import RAW
from syncd.core.computed import branch_in
from syncd.core.dependencies import followers, readers
from syncd.core.folds import FOLDS, first_fold, is_counter, is_set
from syncd.core.force import InForce, in_force
from syncd.core.inputs import given_of, inputs_of, noting
from syncd.core.model import SECOND, Conflict, FieldChange, GoldenField, Record, ShadowField, Value
from syncd.core.recency import suspension
from syncd.core.rules import Entity, Field, Truth
from syncd.core.space import Space
from syncd.core.subject import Subject, is_stale, subjects, votes_of
from syncd.core.truth import Case, Kind, Ruling, Vote, chosen_by, judge, of_branch
from syncd.core.views import age_in, record_view

WAR_WINDOW = 3600 * SECOND  # flips within this time are one war
WAR = 3  # flips that make it one


def resolve(space: Space, record: Record, names: Iterable[str] | None = None) -> list[FieldChange]:
    """Decide the subjects of these fields, and those that wait for something; all of them without ``names``.

    A subject is decided after those whose golden it reads, and when one of them changed. Returns what changed in golden.
    Counters and sets were folded before.
    """
    entity = space.rules.entities[record.entity]
    known = readers(entity)
    if names is None:
        return [change for subject in known.order for change in decide_subject(space, record, subject)]
    found = subjects(entity)
    chosen = {found[n].name: found[n] for n in names if n in found} | waiting(entity, record)
    if not known.of_field:
        return [change for subject in chosen.values() for change in decide_subject(space, record, subject)]
    changes: list[FieldChange] = []
    for subject in known.order:
        if subject.name in chosen:
            moved = decide_subject(space, record, subject)
            chosen |= {name: known.by_name[name] for name in followers(entity, [change.name for change in moved])}
            changes += moved
    return changes


def waiting(entity: Entity, record: Record) -> dict[str, Subject]:
    """Return the subjects that wait for a person, for a platform that is passed over while it is stale, or for a time."""
    restless = readers(entity).restless
    if not record.conflicts and not restless:
        return {}
    held = [s for s in subjects(entity).values() if s.name in record.conflicts] if record.conflicts else []
    return {s.name: s for s in (*held, *restless)}


def decide_subject(space: Space, record: Record, subject: Subject) -> list[FieldChange]:
    """Apply the subject's rule to golden and to its conflict; return the changed fields."""
    seen: dict[str, Any] = {}
    force = in_force(space, record, subject, None if subject.plain else noted_view(space, record, seen))
    case = case_of(space, record, subject, force, seen)
    ruling = guard(space, record, subject, case, force)
    if ruling.kind is Kind.HOLD:
        hold(space, record, subject, case, ruling=ruling)
        return []
    record.conflicts.pop(subject.name, None)
    if ruling.kind is Kind.TAKE:
        return accept(record, subject, case, ruling)
    return []


# ---- the case


def noted_view(space: Space, record: Record, seen: dict[str, Any]) -> Any:
    """Return the look at a record that takes down what was asked for."""
    return noting(record_view(space.rules.entities[record.entity], record), seen)


def case_of(
    space: Space, record: Record, subject: Subject, force: InForce | None = None, seen: dict[str, Any] | None = None
) -> Case:
    """Return everything the rule in force may look at."""
    entity = space.rules.entities[record.entity]
    truth = (force or in_force(space, record, subject)).truth
    votes = votes_of(space, record, subject, truth)
    golden = golden_of(record, subject)
    case = made_case(subject, votes, golden, lambda platforms: slack(space, entity, platforms), truth)
    case.seen.update(seen or {})
    case.now = space.now
    if truth.expr is not None or truth.propose is not None:
        case.look, case.passed = noted_view(space, record, case.seen), stale_ones(space, record, truth)
        if case.passed:
            case.seen["passed"] = sorted(case.passed)
        case.age = lambda name: age_in(record, name, space.clocks.get(name.scope.removesuffix(RAW), (0, 0))[0])
    elif space.touches and truth.how == "newest" and golden is not None and is_doubtful(space, record, golden):
        case.unsure = case.seen["unsure"] = True
    return case


def stale_ones(space: Space, record: Record, truth: Truth) -> frozenset[str]:
    """Return the platforms that a formula passes over because they are stale."""
    if truth.if_stale == "keep":
        return frozenset()
    return frozenset(p for p in truth.platforms if is_stale(space, record, truth, p))


def is_doubtful(space: Space, record: Record, golden: GoldenField) -> bool:
    """Return whether golden's own time is one of a bulk touch of its author's rows."""
    shadow = record.shadows.get(golden.who or "")
    return shadow is not None and bool(suspension(space, shadow.platform, shadow.collection, golden.hi))


def made_case(
    subject: Subject,
    votes: Mapping[str, Vote],
    golden: GoldenField | None,
    slack_of: Callable[[set[str]], int],
    truth: Truth | None = None,
) -> Case:
    """Return a case from its parts, of the subject's rule unless another is in force; the slack that a rule asks for is taken
    down.
    """
    seen: dict[str, Any] = {}
    rule = truth or subject.truth

    def margin(platforms: set[str]) -> int:
        seen["slack"] = slack_of(platforms)
        return rule.skew + int(seen["slack"])

    ours = tuple([votes[p] for p in rule.platforms if p in votes])
    return Case(
        rule,
        ours,
        tuple(votes.values()),
        golden,
        subject.same,
        subject.rank,
        subject.total,
        margin,
        seen,
        form=subject.form,
    )


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


def guard(space: Space, record: Record, subject: Subject, case: Case, force: InForce) -> Ruling:
    """Return the rule's ruling, unless a person's word, a freeze, a revert war or a jump stands before it."""
    if is_ruled(record, subject, case):
        return Ruling(Kind.STAY, why="a person decided")
    ruling = ruling_of(space, record, subject, case, force)
    troubled = trouble(space, record, subject)
    if troubled and troubled.is_war:
        return Ruling(Kind.HOLD, why=f"{troubled.platform} overwrote our value {WAR} times: revert war")
    if troubled and ruling.kind is not Kind.HOLD and not moves(subject, case, ruling):
        return Ruling(Kind.HOLD, why=f"stray edit in {troubled.platform} waits for a person")
    if ruling.kind is Kind.TAKE:
        return too_far(subject, case, ruling) or ruling
    return ruling


def ruling_of(space: Space, record: Record, subject: Subject, case: Case, force: InForce) -> Ruling:
    """Return what the rule in force says. A frozen golden stays, and nobody is asked about it."""
    if force.failed:
        return Ruling(Kind.HOLD, why=force.failed)
    if force.frozen:
        return Ruling(Kind.STAY, why=force.frozen)
    if case.truth.expr is not None and case.truth.if_stale == "hold":
        late = sorted(stale_ones(space, record, case.truth))
        if late:
            return Ruling(Kind.WAIT, why=f"{late[0]} is stale")
    return judged(subject, case)


def judged(subject: Subject, case: Case) -> Ruling:
    """Return what the rule of a case says: of the subject itself, or of those of its cases that decides."""
    if subject.truth.how != "cases":
        return judge(case)
    if case.truth.how == "cases":
        branch, failed = branch_in(case.truth, case.look, case.now)
        case = case if failed else of_branch(case, branch.truth)
    ruling = judge(case)
    if ruling.kind is Kind.STAY and case.truth.how in FOLDS:
        ruling = first_fold(case) or ruling
    return ruling if ruling.rule else chosen_by(case.truth, ruling)


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
        reviewers=case.truth.reviewers,
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
            why, how = ruling.why, ruling.rule or subject.truth.how
            changes.append(FieldChange(field.name, before, value, ruling.who, why, how, inputs_of(case), given))
    return changes


def folded(field: Field) -> bool:
    """Return whether a field's golden moves while observing, not while resolving."""
    return is_counter(field) or is_set(field)
