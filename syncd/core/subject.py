"""What one rule decides: a field, or a group of fields as one tuple; and what each platform says of it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from syncd.core.case import Look, Vote
from syncd.core.conditions import broken_condition
from syncd.core.model import Known, Life, Record, ShadowField, Value, Word
from syncd.core.native import Invalid
from syncd.core.operands import canonical_of
from syncd.core.recency import suspension
from syncd.core.rules import Entity, Field, Truth
from syncd.core.space import Space

COMPILED = "(subjects)"  # no platform is called that


@dataclass(frozen=True, slots=True)
class Subject:
    """What one rule decides. A field is a group of one; ``speakers`` are the platforms that are read for it. ``plain``: the
    rule has no cases and no freeze, so that it is the same for every record.
    """

    name: str
    truth: Truth
    fields: tuple[Field, ...]
    single: bool
    speakers: tuple[str, ...]
    plain: bool

    def unpack(self, value: Value) -> tuple[Value, ...]:
        """Return one value per field. None as a whole empties every field."""
        if self.single:
            return (value,)
        return tuple(value) if value is not None else (None,) * len(self.fields)

    def same(self, one: Value, other: Value) -> bool:
        """Return whether two packed values are the same, each field under its own ``equal``."""
        if self.single:
            return self.fields[0].equal.same(one, other)
        return all(f.equal.same(a, b) for f, a, b in zip(self.fields, self.unpack(one), self.unpack(other), strict=True))

    def rank(self, value: Value) -> Any:
        """Return what packed values are ranked by: each field's own order."""
        if self.single:
            return self.fields[0].type.order(value)
        pairs = zip(self.fields, self.unpack(value), strict=True)
        return tuple((v is not None, None if v is None else f.type.order(v)) for f, v in pairs)

    def total(self, values: Iterable[Value]) -> Value:
        """Return the canonical sum of canonical numbers."""
        kind = self.fields[0].type
        return kind.read(sum((kind.number(v) for v in values), kind.number(0)))

    def form(self, value: Any, look: Look, now: int) -> Value:
        """Return a formula's value as the field has it, past its checks; None for null. Raises Invalid; Failed by a check."""
        field = self.fields[0]
        found = canonical_of(field.type, value)
        if found is None or (found == "" and not field.blank_is_value):
            return None
        problem = next((p for check in field.checks if (p := check.problem(found)) is not None), None)
        problem = problem or broken_condition(field, found, look, now)
        if problem:
            raise Invalid(problem)
        return found


def subjects(entity: Entity) -> Mapping[str, Subject]:
    """Return the subject of each field, in the order of the fields; the entity keeps them."""
    known: dict[str, Subject] | None = entity.compiled.get(COMPILED)
    if known is None:
        grouped = {name: group for group in entity.groups.values() for name in group.fields}
        made = {g.name: subject_of(entity, g.name, g.truth, g.fields, single=False) for g in entity.groups.values()}
        known = {}
        for field in entity.fields.values():
            if field.name in grouped:
                known[field.name] = made[grouped[field.name].name]
            else:
                assert field.truth is not None
                known[field.name] = subject_of(entity, field.name, field.truth, (field.name,), single=True)
        entity.compiled[COMPILED] = known
    return known


def subject_of(entity: Entity, name: str, truth: Truth, names: tuple[str, ...], *, single: bool) -> Subject:
    """Return what a rule decides. A platform speaks where all the fields are mapped, none of them only outwards."""
    fields = tuple(entity.fields[n] for n in names)
    speakers = tuple(p for p in entity.members if all(p in f.maps and f.maps[p].direction != "out" for f in fields))
    return Subject(name, truth, fields, single, speakers, plain=truth.how != "cases" and truth.freeze is None)


# ---- votes


def may_vote(known: ShadowField) -> bool:
    """Only a platform's own words vote; what we wrote there is not its opinion (R1)."""
    return known.word is Word.OWN or known.known is Known.INVALID


def votes_of(space: Space, record: Record, subject: Subject, truth: Truth | None = None) -> dict[str, Vote]:
    """Return what each living row says of a subject, in the order of ``in:``; who was never read says nothing.

    ``truth``: the rule in force, where the subject's has cases.
    """
    truth = truth or subject.truth
    votes = {}
    for platform in subject.speakers:
        shadow = record.shadows.get(platform)
        if shadow is None or shadow.life is not Life.ALIVE:
            continue
        parts = [k for f in subject.fields if (k := shadow.fields.get(f.name)) is not None and k.known is not Known.NEVER]
        if len(parts) == len(subject.fields):
            stale = is_stale(space, record, truth, platform)
            vote = vote_of_field if subject.single else vote_of_group
            votes[platform] = vote(platform, parts, stale=stale)
            if space.touches and truth.how == "newest":
                doubt = suspension(space, shadow.platform, shadow.collection, votes[platform].hi)
                votes[platform] = votes[platform]._replace(suspended=doubt)
    return votes


def vote_of_field(platform: str, parts: list[ShadowField], *, stale: bool) -> Vote:
    """Return what a platform says of one field."""
    known = parts[0]
    empty = known.means is None or known.known is Known.NULL
    invalid = known.known is Known.INVALID
    reason = known.reason if invalid else ""
    return Vote(platform, known.means, may_vote(known), empty, was_cleared(parts), invalid, stale, known.lo, known.hi, reason)


def vote_of_group(platform: str, parts: list[ShadowField], *, stale: bool) -> Vote:
    """Return what a platform says of a group: null only if all of it is, invalid if one is, as old as its latest (R14)."""
    latest = max(parts, key=lambda k: k.hi)
    return Vote(
        platform,
        tuple(k.means for k in parts),
        any(may_vote(k) for k in parts),
        is_empty_group(parts),
        was_cleared(parts) and is_empty_group(parts),
        any(k.known is Known.INVALID for k in parts),
        stale,
        latest.lo,
        latest.hi,
        next((k.reason for k in parts if k.known is Known.INVALID), ""),
    )


def is_empty_group(parts: list[ShadowField]) -> bool:
    """Return whether a group counts as null: only if all its fields are (R14)."""
    return all(k.means is None or k.known is Known.NULL for k in parts)


def was_cleared(parts: list[ShadowField]) -> bool:
    """Return whether we saw a value of it go; a null at first contact says nothing (R15)."""
    return any(k.cleared for k in parts)


def is_stale(space: Space, record: Record, truth: Truth, platform: str) -> bool:
    """Return whether a platform's last successful read is older than the rule allows."""
    read_at = space.read_at.get(platform)
    if read_at is None:
        return False
    limit = truth.stale_after
    if limit is None:
        limit = space.rules.entities[record.entity].members[platform].stale_after
    return space.now - read_at > limit
