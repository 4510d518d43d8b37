"""The modes at the moment of sending: what needs a person's word becomes a proposal, what was approved may go."""

from collections.abc import Iterable

from syncd.core.model import Native, Op, Record, Write
from syncd.core.plan import Plan, plan
from syncd.core.references import native_of, references
from syncd.core.rules import Entity
from syncd.core.space import Space
from syncd.core.values import NoWord
from syncd.ledger import proposals
from syncd.ledger.proposals import Planned, Proposal
from syncd.ledger.schema import Database


def permitted(db: Database, space: Space, record: Record, planned: Plan) -> tuple[Plan, Proposal | None]:
    """Return the part of a plan that may be sent now, and the proposal that stands for the rest."""
    write = planned.write
    assert write is not None
    entity = space.rules.entities[record.entity]
    asking = needs_word(entity, write)
    if asking is not None and not asking:
        proposals.withdraw(db, record.id, write.platform, now=space.now)  # of a time when somebody had to approve
        return planned, None
    proposal = stand_for(db, space, record, write, asking)
    if proposal.state == "approved":
        return planned, proposal
    rest = [] if asking is None else [name for name in write.sent if name not in asking]
    if write.op is not Op.UPDATE or not rest:
        return Plan(held=planned.held), proposal
    part = plan(space, record, write.platform, only=rest)
    if part.write is None or needs_word(entity, part.write):
        return Plan(held=planned.held), proposal  # a group or a whole record cannot be sent in parts
    return part, proposal


def needs_word(entity: Entity, write: Write) -> set[str] | None:
    """Return the fields of a write that a person must approve; None if it is the whole write."""
    if entity.members[write.platform].mode == "propose":
        return None
    asking = {name for name in write.sent if entity.fields[name].mode == "propose"}
    return None if asking and write.op is not Op.UPDATE else asking


def stand_for(db: Database, space: Space, record: Record, write: Write, asking: set[str] | None) -> Proposal:
    """Return the proposal that covers the part of a write that must be approved; a new one if none does."""
    entity = space.rules.entities[record.entity]
    names = write.sent if asking is None else asking
    fields = planned_fields(space, entity, record, write, names)
    why = {Op.CREATE: "is not there", Op.DELETE: "was deleted", Op.ARCHIVE: "was deleted"}.get(write.op)
    return proposals.propose(
        db, record.id, write.platform, op=write.op, fields=fields, why=why or reasons(entity, names), now=space.now
    )


def planned_fields(space: Space, entity: Entity, record: Record, write: Write, names: Iterable[str]) -> list[Planned]:
    """Return the fields of a write with the values before and after, as the platform has them."""
    found = []
    for name in sorted(names):
        path = entity.fields[name].maps[write.platform].path
        found.append(Planned(name, path, before_of(space, entity, record, write.platform, name), write.values.get(path)))
    return found


def before_of(space: Space, entity: Entity, record: Record, platform: str, name: str) -> Native:
    """Return what a field was last known to hold, as the platform has it; None if that cannot be said."""
    shadow = record.shadows.get(platform)
    known = shadow.fields.get(name) if shadow else None
    if known is None:
        return None
    try:
        return native_of(space, entity, platform, name, known.raw)
    except NoWord:
        return None if name in references(entity) else known.raw


def reasons(entity: Entity, names: Iterable[str]) -> str:
    """Return by which rules the fields have their values."""
    rules = []
    for name in sorted(names):
        field = entity.fields[name]
        truth = entity.groups[field.group].truth if field.group else field.truth
        if truth is not None:
            rules.append(f"{name}: {truth.how}" + (f" {', '.join(truth.platforms)}" if truth.platforms else ""))
    return "; ".join(rules)
