"""Counters and sets: what one platform added, removed or counted since its own last state, folded into golden.

Only the difference against that platform's own last state says what it did (R17, R19), so golden of these fields moves while
observing; every other rule votes later (``core.resolve``).
"""

from collections.abc import Hashable, Iterable
from dataclasses import replace

from syncd.core.case import Case, Kind, Ruling, take
from syncd.core.model import GoldenField, Known, Life, Record, ShadowField, Value
from syncd.core.rules import Field, Truth

FOLDS = frozenset(("delta", "union", "intersection"))


def folds_in(truth: Truth | None) -> tuple[Truth, ...]:
    """Return the rules of a truth that fold: itself, or those among its cases."""
    if truth is None:
        return ()
    if truth.how != "cases":
        return (truth,) if truth.how in FOLDS else ()
    return tuple(one for branch in truth.branches for one in folds_in(branch.truth))


def is_counter(field: Field) -> bool:
    """Return whether the field is merged by differences, in one of its cases at least."""
    truth = field.truth
    return truth is not None and (truth.how == "delta" or (truth.how == "cases" and is_how(truth, "delta")))


def is_set(field: Field) -> bool:
    """Return whether the field is a three-way merged set, in one of its cases at least."""
    truth = field.truth
    sets = ("union", "intersection")
    return truth is not None and (truth.how in sets or (truth.how == "cases" and is_how(truth, *sets)))


def is_how(truth: Truth, *hows: str) -> bool:
    """Return whether one of the cases folds in one of these ways."""
    return any(one.how in hows for one in folds_in(truth))


def folding(field: Field, platform: str) -> Truth | None:
    """Return the rule if what this platform says of the field is folded into golden, else None."""
    truth = field.truth
    if truth is not None and truth.how == "cases":
        return next((one for one in folds_in(truth) if platform in one.platforms), None)
    folds = truth is not None and truth.how in FOLDS and platform in truth.platforms
    return truth if folds else None


def acting(field: Field, truth: Truth, *, frozen: bool) -> Field:
    """Return a field as the rule in force treats what is observed of it.

    Where another case decides, or golden is frozen, nothing is folded: a platform's own state is only kept, as the base of the
    differences to come.
    """
    if truth.how in FOLDS and not frozen:
        return replace(field, truth=truth)
    (kind, *_) = folds_in(field.truth)
    return replace(field, truth=replace(kind, platforms=()))


def first_fold(case: Case) -> Ruling | None:
    """Return what a set or a counter starts with when the case that folds it begins to decide and golden has no value: what its
    sources hold; a counter what the first of them holds. What they say later is folded when it is observed.
    """
    golden, truth = case.golden, case.truth
    votes = [v for v in case.votes if v.own and not v.null and not v.invalid]
    if not votes or (golden is not None and golden.who is not None and golden.value is not None):
        return None
    if truth.how == "delta":
        return take(votes[0], truth.how)
    members = [set(v.value) for v in votes]
    value = set.union(*members) if truth.how == "union" else set.intersection(*members)
    return Ruling(Kind.TAKE, sorted(value), "rule", max(v.lo for v in votes), max(v.hi for v in votes), truth.how)


def fold_in(field: Field, truth: Truth, record: Record, platform: str, known: ShadowField, value: Value) -> None:
    """Fold a platform's new value into golden; ``known`` still is what the platform held before."""
    if truth.how == "delta":
        tally(field, truth, record, platform, known, value)
    else:
        merge(field, truth, record, platform, known, value)


# ---- counters


def starts_counting(field: Field, known: ShadowField, value: Value) -> bool:
    """Return whether this value is a counter's first contact (or the first after its base was dropped)."""
    return known.base is None and value is not None and is_counter(field)


def plus(field: Field, one: Value, other: Value) -> Value:
    """Return the canonical sum of two canonical numbers."""
    return field.type.read(field.type.number(one) + field.type.number(other))


def less(field: Field, one: Value, other: Value) -> Value:
    """Return the canonical difference of two canonical numbers."""
    return field.type.read(field.type.number(one) - field.type.number(other))


def count(field: Field, record: Record, difference: Value) -> None:
    """Add a difference to golden."""
    golden = record.golden[field.name]
    golden.value = plus(field, golden.value, difference)


def tally(field: Field, truth: Truth, record: Record, platform: str, known: ShadowField, value: Value) -> None:
    """Count a platform's difference since its base."""
    golden = record.golden.get(field.name)
    if golden is None or golden.value is None:
        record.golden[field.name] = GoldenField(value, who=platform, seed=(truth.platforms.index(platform), value))
    elif known.base is not None:
        count(field, record, less(field, value, known.base))
        golden.who, golden.provisional = platform, False
    else:
        meet_counter(field, truth, record, platform, known, value)


def meet_counter(field: Field, truth: Truth, record: Record, platform: str, known: ShadowField, value: Value) -> None:
    """First contact adds nothing; but the seed is that of the platform nearest to the front of ``from:`` (R19)."""
    golden = record.golden[field.name]
    rank = truth.platforms.index(platform)
    if golden.seed is not None and is_better_seed(golden.seed[0], rank, known):
        count(field, record, less(field, value, golden.seed[1]))
        golden.seed = (rank, value)


def is_better_seed(old: int, rank: int, known: ShadowField) -> bool:
    """Return whether a first contact comes from a platform nearer to the front than the seed's."""
    return rank < old and known.known is Known.NEVER


# ---- sets


def merge(field: Field, truth: Truth, record: Record, platform: str, known: ShadowField, value: list[str]) -> None:
    """Add and remove in golden what this platform added and removed since its own last state (R17, R18)."""
    golden = record.golden.get(field.name)
    if golden is None or golden.value is None:
        record.golden[field.name] = GoldenField(list(value), who=platform)
        return
    if truth.how == "intersection":
        members = meet(field, truth, record, platform, known, value)
    else:
        members = join(field, truth, golden, known, value)
    if members != golden.value:
        golden.value, golden.who, golden.provisional = members, platform, False


def base_members(known: ShadowField) -> list[str]:
    """Return what the platform itself held before: the base of the three-way merge (R17)."""
    return known.raw or []


def fold(field: Field, member: str) -> Hashable:
    """Return a member in the form in which those that are equal under the field's ``equal`` are one (R18)."""
    return field.equal.fold(member)


def folds(field: Field, members: Iterable[str] | None) -> set[Hashable]:
    """Return the forms of members."""
    return {fold(field, m) for m in members or ()}


def removed(field: Field, known: ShadowField, value: list[str]) -> set[Hashable]:
    """Return what a platform took out. Of members that it had spelt in its own way only all at once can be told."""
    gone = folds(field, base_members(known)) - folds(field, value)
    respelt = folds(field, known.raw) - folds(field, known.means)
    return gone | (folds(field, known.means) - folds(field, known.raw)) if respelt and respelt <= gone else gone


def is_unclear(field: Field, known: ShadowField, value: Value) -> bool:
    """Return whether a member is gone that stands for one of several which we sent: nobody can say for which (R18)."""
    if not is_set(field) or known.known is Known.NEVER or value is None:
        return False
    respelt = folds(field, known.raw) - folds(field, known.means)
    gone = respelt - folds(field, value)
    return bool(gone) and gone != respelt


def join(field: Field, truth: Truth, golden: GoldenField, known: ShadowField, value: list[str]) -> list[str]:
    """Return golden less what was removed, plus what was added, compared under the field's ``equal``."""
    new, have = folds(field, value), folds(field, golden.value)
    gone = removed(field, known, value) if truth.removals else set()
    fresh = new - folds(field, base_members(known)) - have
    added = {m for m in value if fold(field, m) in fresh}
    return sorted({m for m in golden.value if fold(field, m) not in gone} | added)


def meet(field: Field, truth: Truth, record: Record, platform: str, known: ShadowField, value: list[str]) -> list[str]:
    """Return the members that every source holds: one removal is enough, an addition needs all."""
    golden = record.golden[field.name]
    new, have = folds(field, value), folds(field, golden.value)
    gone = have - new if known.known is Known.NEVER else removed(field, known, value)
    others = [folds(field, k.raw) for k in other_sources(field, truth, record, platform)]
    added = {m for m in value if fold(field, m) not in have and all(fold(field, m) in o for o in others)}
    return sorted({m for m in golden.value if fold(field, m) not in gone} | added)


def other_sources(field: Field, truth: Truth, record: Record, platform: str) -> list[ShadowField]:
    """Return what the other living sources of a set were seen to hold."""
    found = [record.shadows[p] for p in truth.platforms if p != platform and p in record.shadows]
    fields = [s.fields.get(field.name) for s in found if s.life is Life.ALIVE]
    return [k for k in fields if k is not None and k.known is not Known.NEVER]
