"""What came of one rule test, in the words in which a test expects it."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from syncd.core.force import in_force
from syncd.core.model import Native, Op, Record, Value
from syncd.core.subject import subjects
from syncd.daemon.enact import Stage, Told


@dataclass(frozen=True, slots=True)
class Outcome:
    """Golden, and everything that would be said and asked. ``writes`` has creates and updates, by platform and path.

    ``why``: by field or group, what the rule says of itself; ``waits``: PLATFORM.FIELD -> why it is not written.
    """

    golden: dict[str, Value] = field(default_factory=dict)
    writes: dict[str, dict[str, Native]] = field(default_factory=dict)
    writes_total: int = 0
    decided_by: dict[str, str] = field(default_factory=dict)
    stray_edits: tuple[str, ...] = ()
    conflicts: tuple[str, ...] = ()
    creates: tuple[str, ...] = ()
    deletes: dict[str, str] = field(default_factory=dict)
    why: dict[str, str] = field(default_factory=dict)
    waits: dict[str, str] = field(default_factory=dict)

    @property
    def held(self) -> tuple[str, ...]:
        """What differs and is not written, as PLATFORM.FIELD."""
        return tuple(sorted(self.waits))


def outcome_of(stage: Stage, told: Iterable[Told]) -> Outcome:
    """Return what came of the looks that a stage has taken in, and of what it would tell."""
    found = Outcome(stray_edits=tuple(sorted({f"{s.platform}.{s.field}" for s in stage.strays})))
    total, creates = 0, []
    for one in told:
        write = one.plan.write
        total += write is not None
        held = {name: why for name, why in one.plan.held.items() if is_mapped(stage, one, name)}
        found.waits.update({f"{one.platform}.{name}": why for name, why in held.items()})
        if write is None:
            continue
        if write.op in (Op.DELETE, Op.ARCHIVE):
            found.deletes[one.platform] = write.op.value
            continue
        found.writes.setdefault(one.platform, {}).update(one.values)
        creates += [one.platform] if write.op is Op.CREATE else []
    record = next(iter(stage.space.records.values()), None)
    if record is not None:
        found.golden.update({name: golden.value for name, golden in record.golden.items()} | undecided(stage, record))
        found.decided_by.update(deciders(stage, record))
        found.why.update(reasons(stage, record))
    return Outcome(
        found.golden,
        found.writes,
        total,
        found.decided_by,
        found.stray_edits,
        conflicts_of(stage),
        tuple(sorted(creates)),
        found.deletes,
        found.why,
        found.waits,
    )


def is_mapped(stage: Stage, told: Told, name: str) -> bool:
    """Return whether a field is on the platform at all."""
    return told.platform in stage.entity.fields[name].maps


def conflicts_of(stage: Stage) -> tuple[str, ...]:
    """Return the open conflicts: fields and groups, ``(delete)``, ``(identity)``."""
    names = {name for record in stage.space.records.values() for name in record.conflicts}
    found = {"(delete)" if name.startswith("(") else name for name in names} | ({"(identity)"} if stage.asked else set())
    return tuple(sorted(found))


def undecided(stage: Stage, record: Record) -> dict[str, Value]:
    """Return golden as agreed on before, of the fields whose newest edit cannot be told.

    Platforms of a test speak at one moment: none of them has won because it was heard first.
    """
    base, spoken = stage.test.base, [one.platform for one in stage.test.given]
    if base is None or len(spoken) != len(set(spoken)):
        return {}
    known = {one.name: one for one in subjects(stage.entity).values()}
    open_ones = [one for name, one in known.items() if name in record.conflicts]
    newest = [one for one in open_ones if in_force(stage.space, record, one).truth.how == "newest"]
    return {field.name: base.fields.get(field.name) for one in newest for field in one.fields}


def deciders(stage: Stage, record: Record) -> dict[str, str]:
    """Return the rule, or the rule of the case, that decides each field or group that has a value or waits for a person."""
    known = {*record.golden, *record.conflicts}
    return {
        subject.name: in_force(stage.space, record, subject).truth.how
        for name, subject in subjects(stage.entity).items()
        if name in known or subject.name in known
    }


def reasons(stage: Stage, record: Record) -> dict[str, str]:
    """Return why each conflict is open, and why golden moved where it did."""
    found = {}
    known = subjects(stage.entity)
    for decision in stage.space.decisions:
        found.update({known[c.name].name: c.why for c in decision.fields if c.why not in ("", c.rule)})
    for subject in known.values():
        frozen = in_force(stage.space, record, subject).frozen
        found |= {subject.name: frozen} if frozen else {}
    return found | {name: conflict.why for name, conflict in record.conflicts.items()}
