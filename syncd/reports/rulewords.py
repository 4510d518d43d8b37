"""Rules in words, for people who do not read YAML: who decides a field, who may edit it, what happens otherwise."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from syncd.core.model import SECOND, Value
from syncd.core.rules import Entity, Field, Freeze, Member, Truth

MERGES = {
    "union": "everything that {some} has",
    "intersection": "only what {all} all have",
    "max": "the largest of {all}",
    "min": "the smallest of {all}",
    "sum": "the sum of {all}",
    "longest": "the longest text of {all}",
    "earliest": "the earliest of {all}",
    "latest": "the latest of {all}",
    "any": "true if {some} says so",
    "all": "true only if {all} all say so",
    "delta": "the count of {all} together: each one's changes are added",
}
STRAY = {
    "revert": "is put back",
    "keep": "stays there until the value changes",
    "review": "waits for a person",
}
FREEZES = {"always": "never changes once it is set", "after_first": "never changes after its first value"}


def listed(names: Sequence[str], last: str = "and") -> str:
    """Return names as a sentence has them: ``sap, shopify and sanity``."""
    return " ".join(filter(None, (", ".join(names[:-1]), last if len(names) > 1 else "", names[-1] if names else "")))


def span(micros: int) -> str:
    """Return a duration in the largest unit that says it exactly: ``2 h``."""
    for unit, size in (("d", 86400), ("h", 3600), ("min", 60), ("s", 1)):
        if micros % (size * SECOND) == 0 and micros:
            return f"{micros // (size * SECOND)} {unit}"
    return f"{micros // 1000} ms"


def shown(value: Value) -> str:
    """Return a constant of a rule."""
    return "nothing" if value is None else f'"{value}"' if isinstance(value, str) else str(value)


def decides(truth: Truth) -> str:
    """Return who or what decides, with everything that the rule's options change about it."""
    return "; ".join([rule(truth), *options(truth)])


def rule(truth: Truth) -> str:
    """Return the bare rule in words."""
    names = truth.platforms
    match truth.how:
        case "owner":
            return names[0]
        case "priority":
            return f"the first of {listed(names)} that has a value"
        case "newest":
            tie = f"{truth.tie[0]} wins" if truth.tie else "a person decides"
            return f"the latest edit in {listed(names, 'or')} (closer than {span(truth.skew)}: {tie})"
        case "const":
            return f"always {shown(truth.value)}"
        case "expr":
            return f"computed: {truth.expr.text if truth.expr else ''}"
        case "manual":
            return manual(truth)
        case "cases":
            return cases(truth)
    return merge(truth)


def merge(truth: Truth) -> str:
    """Return a merge in words."""
    text = MERGES[truth.how].format(some=listed(truth.platforms, "or"), all=listed(truth.platforms))
    if truth.how in ("union", "intersection"):
        return text + ("; what one of them removes is removed" if truth.removals else "; nothing is ever removed")
    return text


def manual(truth: Truth) -> str:
    """Return a person's rule in words."""
    who = listed(truth.reviewers, "or") or "a person"
    return f"{who}, each time" + (f" (suggested by {rule(truth.propose)})" if truth.propose else "")


def cases(truth: Truth) -> str:
    """Return the cases of a rule, each with its condition."""
    parts = [f"if {one.when.text}: {decides(one.truth)}" if one.when else decides(one.truth) for one in truth.branches]
    return "; else ".join(parts)


def options(truth: Truth) -> Iterator[str]:
    """Yield what a rule does with blanks, stale and invalid values, and when it stops deciding."""
    if truth.how not in ("cases", "const", "manual"):
        yield from blanks(truth)
        if truth.if_stale == "hold":
            yield f"nothing is written while {listed(truth.platforms, 'or')} was not read{since(truth)}"
        elif truth.if_stale == "next":
            yield f"who was not read{since(truth)} is passed over"
        if truth.if_invalid != "hold":
            yield "an invalid value is passed over" if truth.if_invalid == "next" else "an invalid value changes nothing"
    if truth.freeze:
        yield freeze(truth.freeze)


def since(truth: Truth) -> str:
    """Return for how long, where the rule itself says it."""
    return f" for {span(truth.stale_after)}" if truth.stale_after else ""


def blanks(truth: Truth) -> Iterator[str]:
    """Yield what an empty value does, if not nothing."""
    match truth.if_null:
        case "clear":
            yield "emptied there, it is emptied everywhere"
        case "next" if truth.how == "owner":
            yield "empty there: the value stays"
        case "hold":
            yield "empty there: a person decides"
        case "const":
            yield f"empty there: {shown(truth.null_value)}"
        case "use":
            yield f"empty there: {truth.null_use}"


def freeze(found: Freeze) -> str:
    """Return when a field no longer changes."""
    if found.kind == "until":
        return f"does not change before {datetime.fromtimestamp(found.until / SECOND, UTC):%Y-%m-%d}"
    if found.kind == "when" and found.when:
        return f"does not change while {found.when.text}"
    return FREEZES[found.kind]


# ---- who may edit


def editors(entity: Entity, field: Field, truth: Truth) -> list[str]:
    """Return the platforms where an edit of a field counts."""
    heard = [name for name in entity.members if name in field.maps and field.maps[name].direction != "out"]
    if truth.how == "manual":
        return heard
    if truth.how in ("const", "expr"):
        return []
    found: list[str] = []
    for one in [branch.truth for branch in truth.branches] or [truth]:
        found += editors(entity, field, one) if one.how == "manual" else [] if one.how == "expr" else one.platforms
    return [name for name in heard if name in found]


def otherwise(entity: Entity, field: Field, counts: Sequence[str]) -> str:
    """Return what becomes of every other edit, and of values that the rules do not believe."""
    return "; ".join([*others(entity, field, counts), *doubts(field)]) or "-"


def others(entity: Entity, field: Field, counts: Sequence[str]) -> Iterator[str]:
    """Yield what becomes of an edit on the platforms that do not decide."""
    told: dict[str, list[str]] = {}
    for name, member in entity.members.items():
        if name in field.maps and name not in counts:
            told.setdefault(fate(member, field), []).append(name)
    for what, names in told.items():
        yield f"an edit in {listed(names, 'or')} {what}"


def fate(member: Member, field: Field) -> str:
    """Return what becomes of an edit on one platform that does not decide the field."""
    if field.maps[member.platform].direction == "in":
        return "is read and changes nothing"
    if is_closed(member, field):
        return "is reported, never overwritten"
    text = STRAY[field.stray.get(member.platform, "revert")]
    asked = "propose" in (member.mode, field.mode) and text == STRAY["revert"]
    return f"{text} once a person approves" if asked else text


def is_closed(member: Member, field: Field) -> bool:
    """Return whether nothing is ever written to a field on a platform."""
    outside = member.writable is not None and field.maps[member.platform].path not in member.writable
    left_out = field.writes is not None and member.platform not in field.writes
    return "observe" in (member.mode, field.mode) or outside or left_out


def doubts(field: Field) -> Iterator[str]:
    """Yield which values wait or are not believed."""
    if field.max_step is not None:
        yield f"a jump over {field.max_step:.0%} waits for a person"
    if field.required:
        yield "without a value the record goes nowhere"
    if field.unique:
        yield "a value that another record has is not believed"
    checks = [check.name for check in field.checks if check.name != "required"]
    if checks or field.conditions:
        yield f"a value that fails its checks ({', '.join([*checks, *(one.text for one in field.conditions)])}) is not believed"
