"""Golden out of the platforms' own words, field by field and group by group, in the order of the rules, never of arrival.

A subject is what one rule decides: a field, or a group of fields as one tuple. The rule itself stands in ``core.truth``; here
are the votes it sees and what follows from its ruling: golden, conflicts, the person's word, and the guards ``max_step`` and
revert wars.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import lru_cache
from typing import Any

from syncd.core.folds import is_counter, is_set
from syncd.core.model import SECOND, Conflict, FieldChange, GoldenField, Known, Life, Record, Shadow, ShadowField, Value, Word
from syncd.core.rules import Entity, Field, Truth
from syncd.core.space import Space
from syncd.core.truth import Case, Kind, Ruling, Vote, judge

WAR_WINDOW = 3600 * SECOND  # flips within this time are one war
WAR = 3  # flips that make it one


@dataclass(frozen=True, slots=True)
class Subject:
    """What one rule decides. A field is a group of one."""

    name: str
    truth: Truth
    fields: tuple[Field, ...]

    @property
    def single(self) -> bool:
        """Whether it is a field: its values are plain, not tuples."""
        return len(self.fields) == 1 and self.fields[0].group is None

    def pack(self, values: Iterable[Value]) -> Value:
        """Return the value the rule sees: the field's own, or the group's tuple."""
        packed = tuple(values)
        return packed[0] if self.single else packed

    def unpack(self, value: Value) -> tuple[Value, ...]:
        """Return one value per field. None as a whole empties every field."""
        if self.single:
            return (value,)
        return tuple(value) if value is not None else (None,) * len(self.fields)

    def same(self, one: Value, other: Value) -> bool:
        """Return whether two packed values are the same, each field under its own ``equal``."""
        return all(f.equal.same(a, b) for f, a, b in zip(self.fields, self.unpack(one), self.unpack(other), strict=True))


@lru_cache(maxsize=512)
def subjects_by_id(entity: "Held") -> tuple[Subject, ...]:
    """Return what an entity's rules decide, in the order of its fields; groups come last."""
    fields = [Subject(f.name, f.truth, (f,)) for f in entity.entity.fields.values() if f.truth is not None and f.group is None]
    groups = [Subject(g.name, g.truth, tuple(entity.entity.fields[n] for n in g.fields)) for g in entity.entity.groups.values()]
    return (*fields, *groups)


class Held:
    """An entity by identity, so that it can be a cache's key."""

    __slots__ = ("entity",)

    def __init__(self, entity: Entity) -> None:
        self.entity = entity

    def __hash__(self) -> int:
        return id(self.entity)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Held) and other.entity is self.entity


def subjects(entity: Entity) -> tuple[Subject, ...]:
    """Return what an entity's rules decide: a subject per ungrouped field and per group."""
    return subjects_by_id(Held(entity))


# ---- votes


def may_vote(known: ShadowField) -> bool:
    """Only a platform's own words vote; what we wrote there is not its opinion (R1)."""
    return known.word is Word.OWN or known.known is Known.INVALID


def heard(shadow: Shadow, fields: Iterable[Field]) -> list[ShadowField] | None:
    """Return the shadow fields of a subject, or None if one of them was never read."""
    found = [shadow.fields.get(f.name) for f in fields]
    if any(k is None or k.known is Known.NEVER for k in found):
        return None
    return [k for k in found if k is not None]


def vote_of(space: Space, record: Record, subject: Subject, platform: str) -> Vote | None:
    """Return what a platform's living row says of a subject; None if it says nothing."""
    shadow = record.shadows.get(platform)
    if shadow is None or shadow.life is not Life.ALIVE or not speaks(subject, platform):
        return None
    parts = heard(shadow, subject.fields)
    if parts is None:
        return None
    top = max(parts, key=lambda k: k.hi)
    return Vote(
        platform,
        subject.pack(k.means for k in parts),
        own=any(may_vote(k) for k in parts),
        null=all(k.means is None or k.known is Known.NULL for k in parts),
        cleared=any(k.cleared for k in parts) and all(k.known is Known.NULL for k in parts),
        invalid=any(k.known is Known.INVALID for k in parts),
        stale=is_stale(space, record, subject.truth, platform),
        lo=top.lo,
        hi=top.hi,
        reason=next((k.reason for k in parts if k.known is Known.INVALID), ""),
    )


def speaks(subject: Subject, platform: str) -> bool:
    """Return whether a platform is read for a subject: all its fields are mapped there, none only outwards."""
    return all(platform in f.maps and f.maps[platform].direction != "out" for f in subject.fields)


def is_stale(space: Space, record: Record, truth: Truth, platform: str) -> bool:
    """Return whether a platform's last successful read is older than the rule allows."""
    read_at = space.read_at.get(platform)
    if read_at is None:
        return False
    member = space.rules.entities[record.entity].members[platform]
    limit = truth.stale_after if truth.stale_after is not None else member.stale_after
    return space.now - read_at > limit


def margin(space: Space, entity: Entity, truth: Truth, platforms: set[str]) -> int:
    """Return how far apart two edits must be to be ordered: skew, coarsest tick, uncertainty of the clocks (R11)."""
    known = [p for p in platforms if p in entity.members]
    tick = max((entity.members[p].abilities.tick for p in known), default=0)
    unsure = max((space.clocks.get(p, (0, 0))[1] for p in known), default=0)
    return truth.skew + tick + unsure


def case_of(space: Space, record: Record, subject: Subject) -> Case:
    """Return everything the subject's rule may look at."""
    entity = space.rules.entities[record.entity]
    votes = {p: v for p in entity.members if (v := vote_of(space, record, subject, p)) is not None}
    first = subject.fields[0]
    return Case(
        subject.truth,
        tuple(votes[p] for p in subject.truth.platforms if p in votes),
        tuple(votes.values()),
        golden_of(record, subject),
        subject.same,
        lambda value: rank(first, value),
        lambda values: total(first, values),
        lambda platforms: margin(space, entity, subject.truth, platforms),
    )


def rank(field: Field, value: Value) -> Any:
    """Return what orders a canonical value: numbers by size, times and text by their canonical form."""
    numeric = field.type.name.startswith(("integer", "decimal", "money"))
    return Decimal(value) if numeric else value


def total(field: Field, values: list[Value]) -> Value:
    """Return the canonical sum of canonical numbers."""
    return field.type.read(sum((Decimal(v) for v in values), Decimal(0)))


def golden_of(record: Record, subject: Subject) -> GoldenField | None:
    """Return golden as the subject's rule sees it: packed, with the group's common provenance."""
    parts = [record.golden.get(f.name) for f in subject.fields]
    lead = parts[0]
    if lead is None or any(p is None for p in parts):
        return None
    return replace(lead, value=subject.pack(p.value for p in parts if p is not None))


# ---- golden


def resolve(space: Space, record: Record) -> list[FieldChange]:
    """Decide every subject of a record; return what changed in golden. Sets and counters were folded before."""
    entity = space.rules.entities[record.entity]
    changes: list[FieldChange] = []
    for subject in subjects(entity):
        changes += decide_subject(space, record, subject)
    return changes


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


def guard(space: Space, record: Record, subject: Subject, case: Case) -> Ruling:
    """Return the rule's ruling, unless a person's word, a revert war or a jump stands before it."""
    if ruled(record, subject, case):
        return Ruling(Kind.STAY, why="a person decided")
    war = at_war(space, record, subject)
    if war:
        return Ruling(Kind.HOLD, why=f"{war} overwrote our value {WAR} times: revert war")
    under_review = reviewed(record, subject)
    ruling = judge(case)
    if ruling.kind in (Kind.STAY, Kind.TAKE) and under_review and not moves(subject, case, ruling):
        return Ruling(Kind.HOLD, why=f"stray edit in {under_review} waits for a person")
    if ruling.kind is Kind.TAKE:
        return too_far(subject, case, ruling) or ruling
    return ruling


def moves(subject: Subject, case: Case, ruling: Ruling) -> bool:
    """Return whether a ruling changes golden's value."""
    return ruling.kind is Kind.TAKE and (case.golden is None or not subject.same(ruling.value, case.golden.value))


def ruled(record: Record, subject: Subject, case: Case) -> bool:
    """Return whether a person's ruling stands: the own words are those it was made on."""
    golden = record.golden.get(subject.fields[0].name)
    if golden is None or golden.ruled is None:
        return False
    words = {v.platform: v.value for v in case.others if v.own}
    return all(p in golden.ruled and same_ruled(subject, golden.ruled[p], value) for p, value in words.items())


def same_ruled(subject: Subject, then: Value, now: Value) -> bool:
    """Return whether an own word is still the one a person ruled on (a group's tuple is a list once stored)."""
    return list(subject.unpack(then)) == list(subject.unpack(now))


def at_war(space: Space, record: Record, subject: Subject) -> str | None:
    """Return the platform that keeps overwriting our value of this subject, if one does."""
    for platform, shadow in record.shadows.items():
        for field in subject.fields:
            known = shadow.fields.get(field.name)
            if known and known.flips >= WAR and space.now - known.flip_at <= WAR_WINDOW:
                return platform
    return None


def reviewed(record: Record, subject: Subject) -> str | None:
    """Return the platform whose stray edit of this subject waits for a person, if any."""
    for platform, shadow in record.shadows.items():
        if any(waits(record, shadow.fields.get(f.name), f.name) for f in subject.fields):
            return platform
    return None


def waits(record: Record, known: ShadowField | None, name: str) -> bool:
    """Return whether a stray edit still waits: golden is the one it was seen against (R34)."""
    if known is None or not known.review or known.kept is None:
        return False
    golden = record.golden.get(name)
    return golden is not None and golden.value == known.kept[0]


def too_far(subject: Subject, case: Case, ruling: Ruling) -> Ruling | None:
    """Return the conflict that ``max_step`` makes of a jump; first and provisional values are free."""
    step = subject.fields[0].max_step if subject.single else None
    golden = case.golden
    if step is None or golden is None or golden.provisional or golden.value is None or ruling.value is None:
        return None
    old, new = Decimal(golden.value), Decimal(ruling.value)
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
    changes = []
    for field, value in zip(subject.fields, subject.unpack(ruling.value), strict=True):
        old = record.golden.get(field.name)
        record.golden[field.name] = GoldenField(
            value,
            lo=ruling.lo,
            hi=ruling.hi,
            who=ruling.who,
            provisional=ruling.provisional,
            seed=old.seed if old else None,
            version=old.version if old else 0,
        )
        before = old.value if old else None
        if value != before:
            changes.append(FieldChange(field.name, before, value, ruling.who, ruling.why, subject.truth.how, inputs(case)))
    return changes


def inputs(case: Case) -> dict[str, Any]:
    """Return what the rule saw, so that the decision can be derived again."""
    return {
        v.platform: {
            "value": v.value,
            "own": v.own,
            "null": v.null,
            "invalid": v.invalid,
            "stale": v.stale,
            "lo": v.lo,
            "hi": v.hi,
        }
        for v in case.others
    }


def folded(field: Field) -> bool:
    """Return whether a field's golden moves while observing, not while resolving."""
    return is_counter(field) or is_set(field)
