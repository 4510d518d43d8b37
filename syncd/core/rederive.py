"""A stored decision derived again from its recorded inputs, by the same rules and folds that made it.

``rederive`` proves that a decision is what its inputs and the rules of its time make of them, bit for bit.
``rederive_with`` says what other rules would have made of the same inputs.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from syncd.core.absorb import Mine, counted_meanwhile
from syncd.core.dependencies import rules_in
from syncd.core.folds import count, fold_in, folding, folds_in
from syncd.core.held import truth_of
from syncd.core.inputs import Given, golden_in, look_in, votes_in
from syncd.core.model import FieldChange, GoldenField, Known, Record, Shadow, ShadowField
from syncd.core.resolve import folded, judged, made_case, too_far
from syncd.core.rules import Entity, Field
from syncd.core.space import Decision, Stray
from syncd.core.subject import Subject, subjects
from syncd.core.truth import Case, Kind, Ruling


def rederive(entity: Entity, decision: Decision) -> list[str]:
    """Return what of a decision does not follow from its inputs under these rules, in words; nothing if all of it does."""
    return [*_differing_fields(entity, decision), *_differing_strays(entity, decision.strays)]


def rederive_with(entity: Entity, decision: Decision) -> list[FieldChange]:
    """Return the fields that come out otherwise under other rules, each as those rules decide it from the same inputs.

    Where they would hold it or let golden stay ``after`` is what it was before. Fields that these rules do not have, and those
    a person decided, are left out.
    """
    again = (field_again(entity, change, decision.at) for change in decision.fields if change.name in entity.fields)
    pairs = zip((c for c in decision.fields if c.name in entity.fields), again, strict=True)
    return [new for old, new in pairs if repr(new.after) != repr(old.after)]


def field_again(entity: Entity, change: FieldChange, at: int) -> FieldChange:
    """Return one field of a decision as these rules derive it from its inputs."""
    if change.given.get("person") or change.given.get("moved"):
        how = truth_of(entity, entity.fields[change.name]).how
        who = "person" if "person" in change.given else change.who
        return replace(change, why=how, rule=how, who=who)
    field = entity.fields[change.name]
    if folded(field) and "fold" in change.given:
        return _folded_again(entity, field, change)
    subject = subjects(entity)[change.name]
    ruling = ruling_again(subject, case_again(subject, change, at))
    if ruling.kind is not Kind.TAKE:
        return replace(change, after=change.before, who=None, why=ruling.why, rule=ruling.rule or subject.truth.how)
    place = [f.name for f in subject.fields].index(change.name)
    value = subject.unpack(ruling.value)[place]
    return replace(change, after=value, who=ruling.who, why=ruling.why, rule=ruling.rule or subject.truth.how)


def _differing_fields(entity: Entity, decision: Decision) -> Iterator[str]:
    for change in decision.fields:
        if change.name not in entity.fields:
            yield f"{change.name}: the rules of its time have no such field"
            continue
        try:
            again = field_again(entity, change, decision.at)
        except (ArithmeticError, LookupError, TypeError, ValueError) as error:
            yield f"{change.name}: its inputs cannot be read ({type(error).__name__}: {error})"
            continue
        for word, was, now in (
            ("value", change.after, again.after),
            ("who", change.who, again.who),
            ("why", change.why, again.why),
            ("rule", change.rule, again.rule),
        ):
            if repr(was) != repr(now):
                yield f"{change.name}: {word} is {was!r}, derived again it is {now!r}"
                break


# ---- a rule


def case_again(subject: Subject, change: FieldChange, at: int) -> Case:
    """Return the case that a rule saw at ``at``, put together from what was recorded."""
    given, votes = change.given, votes_in(change.inputs)
    ordered = {name: votes[name] for name in (*subject.speakers, *votes) if name in votes}  # what is stored has no order
    case = made_case(subject, ordered, golden_in(given), lambda _: int(given.get("slack", 0)))
    return replace(case, **_view(given, at))


def _view(given: Given, at: int) -> dict[str, Any]:
    """Return what conditions and formulas looked at, and whom they passed over."""
    return {
        "look": look_in(given.get("names", {})),
        "passed": frozenset(given.get("passed", ())),
        "unsure": bool(given.get("unsure", False)),
        "now": at,
    }


def ruling_again(subject: Subject, case: Case) -> Ruling:
    """Return the ruling of a case, with the jump that ``max_step`` refuses."""
    ruling = judged(subject, case)
    return too_far(subject, case, ruling) or ruling if ruling.kind is Kind.TAKE else ruling


# ---- a set or a counter


def _folded_again(entity: Entity, field: Field, change: FieldChange) -> FieldChange:
    fold = change.given["fold"]
    rule = fold.get("how", truth_of(entity, field).how)
    among = next((one for one in folds_in(field.truth) if one.how == rule), None)
    golden = fold_again(replace(field, truth=among) if among is not None else field, fold)
    return replace(change, after=golden.value, who=golden.who, why=rule, rule=rule)


def fold_again(field: Field, fold: Given) -> GoldenField:
    """Return golden of a set or a counter after a fold."""
    platform, value = fold["platform"], fold["value"]
    record, known = _before(field, fold), _known(fold)
    truth = folding(field, platform)
    if "delta" in fold:
        mine = Mine(None, fold["delta"], atomic=True)
        count(field, record, counted_meanwhile(field, known, value, mine))
    elif truth is not None and value is not None:
        fold_in(field, truth, record, platform, known, value)
    return record.golden.get(field.name) or GoldenField()


def _before(field: Field, fold: Given) -> Record:
    """Return a record with golden as it was, and for ``intersection`` what the other sources held."""
    record = Record(0, "", 0)
    if kept := fold.get("golden"):
        seed = kept.get("seed")
        record.golden[field.name] = GoldenField(kept["value"], who=kept["who"], seed=(seed[0], seed[1]) if seed else None)
    for platform, raw in fold.get("others", {}).items():
        shown = ShadowField(raw=raw, known=Known.NULL if raw is None else Known.OK)
        record.shadows[platform] = Shadow(platform, "", "", fields={field.name: shown})
    return record


def _known(fold: Given) -> ShadowField:
    known = Known(fold.get("known", Known.NEVER))
    return ShadowField(raw=fold.get("raw"), known=known, means=fold.get("means"), base=fold.get("base"))


# ---- stray edits


def _differing_strays(entity: Entity, strays: list[Stray]) -> Iterator[str]:
    """Yield each stray edit that is none under these rules, or that they would answer otherwise."""
    for stray in strays:
        field = entity.fields.get(stray.field)
        if field is None or stray.platform not in field.maps:
            yield f"stray {stray.platform}.{stray.field}: the rules of its time have no such field there"
        elif stray.action != action_of(field, stray) and not is_kept_by_freeze(entity, field, stray):
            yield f"stray {stray.platform}.{stray.field}: {stray.action}, the rules say {action_of(field, stray)}"
        elif field.equal.same(stray.value, stray.golden):
            yield f"stray {stray.platform}.{stray.field}: it says what golden says"


def action_of(field: Field, stray: Stray) -> str:
    """Return what becomes of a stray edit."""
    return field.stray.get(stray.platform, "revert")


def is_kept_by_freeze(entity: Entity, field: Field, stray: Stray) -> bool:
    """Return whether a stray edit may have been kept because golden was frozen."""
    return stray.action == "keep" and any(rule.freeze is not None for rule in rules_in(truth_of(entity, field)))
