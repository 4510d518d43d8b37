"""The rule in force: which case of a truth decides a record now, and whether golden is frozen.

It is asked again wherever it matters (resolve, strays, holds, drift): the same record at the same moment gives the same answer.
"""

from dataclasses import dataclass

from syncd.core.case import Look
from syncd.core.computed import Failed, branch_in, is_so
from syncd.core.model import Record
from syncd.core.rules import Entity, Field, Freeze, Truth
from syncd.core.space import Space
from syncd.core.subject import Subject, subjects
from syncd.core.views import record_view


@dataclass(frozen=True, slots=True)
class InForce:
    """The rule that decides now: never one with cases. ``frozen``: why golden may not change, ''. ``failed``: why nobody can
    tell, ''.
    """

    truth: Truth
    frozen: str = ""
    failed: str = ""


def in_force(space: Space, record: Record, subject: Subject, look: Look | None = None) -> InForce:
    """Return the rule that decides a subject of a record now. ``look`` answers for names, the record itself by default."""
    if subject.plain:
        return InForce(subject.truth)
    look = look or record_view(space.rules.entities[record.entity], record)
    truth, failed = subject.truth, ""
    while truth.how == "cases" and not failed:
        branch, failed = branch_in(truth, look, space.now)
        truth = branch.truth
    if failed or truth.freeze is None:
        return InForce(truth, failed=failed)
    try:
        return InForce(truth, frozen_by(space, record, subject, truth.freeze, look))
    except Failed as error:
        text = truth.freeze.when.text if truth.freeze.when is not None else ""
        return InForce(truth, failed=f'freeze "{text}" cannot be told: {error}')


def frozen_by(space: Space, record: Record, subject: Subject, freeze: Freeze, look: Look) -> str:
    """Return why golden stands, ''. What nobody has decided yet, or only for the time being, is not frozen (R35)."""
    golden = [record.golden.get(field.name) for field in subject.fields]
    if golden[0] is None or golden[0].who is None or golden[0].provisional:
        return ""
    match freeze.kind:
        case "always":
            return "frozen"
        case "after_first" if any(one is not None and one.value is not None for one in golden):
            return "frozen after its first value"
        case "until" if space.now < freeze.until:
            return "frozen until its date"
        case "when" if freeze.when is not None and is_so(freeze.when, look, space.now):
            return f"frozen: {freeze.when.text}"
    return ""


def force_of(space: Space, entity: Entity, record: Record, mapped: Field) -> InForce:
    """Return the rule that decides a field of a record now, its own or its group's."""
    return in_force(space, record, subjects(entity)[mapped.name])


def truth_now(space: Space, entity: Entity, record: Record, mapped: Field) -> Truth:
    """Return the rule that decides a field of a record now."""
    subject = subjects(entity)[mapped.name]
    return subject.truth if subject.plain else in_force(space, record, subject).truth


def may_say(truth: Truth, mapped: Field, platform: str) -> bool:
    """Return whether what a platform says of a field is a voice in its rule. A formula hears only the fields that it names."""
    if truth.expr is not None:
        return any(name == (platform, mapped.name) for name in truth.expr.names)
    return platform in truth.platforms
