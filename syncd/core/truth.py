"""The truth rules: given who says what, what is golden?

A rule sees *votes* and returns a *ruling*. It knows nothing of shadows, mapping or platforms' ways; a group of fields votes
with one tuple, so that every rule works on groups as it does on fields.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, NamedTuple

from syncd.core.model import GoldenField, Value
from syncd.core.rules import Truth


class Vote(NamedTuple):
    """What one platform's shadow says of a field (or, as a tuple, of a group).

    ``own``: it is the platform's own word. ``cleared``: it went from a value to null and we saw it. ``stale``: the platform
    was not read for longer than the rule allows.
    """

    platform: str
    value: Value = None
    own: bool = True
    null: bool = False
    cleared: bool = False
    invalid: bool = False
    stale: bool = False
    lo: int = 0
    hi: int = 0
    reason: str = ""


class Kind(StrEnum):
    """TAKE a value, let golden STAY, HOLD for a person (a conflict), or WAIT for a stale platform (no conflict)."""

    TAKE = "take"
    STAY = "stay"
    HOLD = "hold"
    WAIT = "wait"


@dataclass(frozen=True, slots=True)
class Ruling:
    """What a rule says. ``why`` is for people; ``sort`` is the kind of conflict under HOLD."""

    kind: Kind
    value: Value = None
    who: str | None = None
    lo: int = 0
    hi: int = 0
    why: str = ""
    provisional: bool = False
    sort: str = "value"


@dataclass(slots=True)
class Case:
    """Everything a rule may look at.

    ``votes``: of the rule's platforms, in its order. ``others``: of every mapped platform in the order of ``in:``.
    ``same`` compares two values as the field does; ``rank`` orders them; ``total`` adds them; ``margin`` is the distance two
    edits must have to be ordered (skew, ticks and clocks of the platforms given), microseconds. ``seen`` takes down what was
    asked for beyond the votes (``core.inputs``).
    """

    truth: Truth
    votes: tuple[Vote, ...]
    others: tuple[Vote, ...]
    golden: GoldenField | None
    same: Callable[[Value, Value], bool]
    rank: Callable[[Value], Any]
    total: Callable[[list[Value]], Value]
    margin: Callable[[set[str]], int]
    seen: dict[str, Any] = field(default_factory=dict)

    @property
    def silent(self) -> bool:
        """Nobody who may has spoken yet: golden has no author, or only a provisional one."""
        return self.golden is None or self.golden.who is None or self.golden.provisional


STAY = Ruling(Kind.STAY, why="nothing usable: golden stays")


def judge(case: Case) -> Ruling:
    """Return what the case's rule says. Total: every rule answers every case."""
    return RULES[case.truth.how](case)


def take(vote: Vote, why: str) -> Ruling:
    """Return the ruling that takes a vote's value with its interval."""
    return Ruling(Kind.TAKE, vote.value, vote.platform, vote.lo, vote.hi, why)


def has_spoken(vote: Vote) -> bool:
    """Return whether a platform said it itself: a new owner's stale copy, or ours, decides nothing (R33)."""
    return vote.own


def usable(vote: Vote) -> bool:
    """Only a platform's own, valid, non-empty word can win by itself."""
    return has_spoken(vote) and not vote.null and not vote.invalid


def first_contact(case: Case) -> Ruling:
    """Until its owner has spoken golden is provisional: the first own word in the order of ``in:`` (R35)."""
    if not case.silent:
        return STAY
    vote = next((v for v in case.others if usable(v)), None)
    if vote is None:
        return STAY
    return Ruling(
        Kind.TAKE, vote.value, vote.platform, vote.lo, vote.hi, "first contact: its owner has not spoken", provisional=True
    )


def unusable(case: Case, vote: Vote) -> Ruling | None:
    """Return the ruling that an option makes of a stale, invalid or null vote; None means: go on to the next."""
    truth = case.truth
    if vote.stale and truth.if_stale != "keep":
        return None if truth.if_stale == "next" else Ruling(Kind.WAIT, why=f"{vote.platform} is stale")
    if vote.invalid:
        if truth.if_invalid == "next":
            return None
        if truth.if_invalid == "keep":
            return Ruling(Kind.STAY, why=f"{vote.platform} is invalid ({vote.reason}): golden stays")
        return hold_invalid(vote)
    return blank(case, vote)


def hold_invalid(vote: Vote) -> Ruling:
    """An invalid reading under ``hold`` waits for a person."""
    return Ruling(Kind.HOLD, why=f"{vote.platform} is invalid: {vote.reason}")


def blank(case: Case, vote: Vote) -> Ruling | None:
    """Return what ``if_null`` makes of a null vote; ``clear`` needs a value seen before (R15)."""
    truth = case.truth
    match truth.if_null:
        case "next":
            return None
        case "hold":
            return Ruling(Kind.HOLD, why=f"{vote.platform} is empty")
        case "const":
            return Ruling(Kind.TAKE, truth.null_value, "rule", vote.lo, vote.hi, f"{vote.platform} is empty: constant")
        case "use":
            other = next((v for v in case.others if v.platform == truth.null_use and usable(v)), None)
            return take(other, f"{vote.platform} is empty: use {truth.null_use}") if other else STAY
        case "clear" if vote.cleared:
            return take(vote, f"{vote.platform} cleared it")
    return Ruling(Kind.STAY, why=f"{vote.platform} is empty: golden stays")


def owner(case: Case) -> Ruling:
    """One platform decides."""
    vote = case.votes[0] if case.votes else None
    if vote is None or not has_spoken(vote):
        return first_contact(case)
    stale = vote.stale and case.truth.if_stale != "keep"
    if usable(vote) and not stale:
        return take(vote, "owner")
    return unusable(case, vote) or STAY


def priority(case: Case) -> Ruling:
    """Return the first platform of the rule that gives a reading; null, stale and invalid go on only with ``next``."""
    for vote in case.votes:
        if not vote.own:
            continue  # absent, never read, or only what we wrote there ourselves (R1)
        stale = vote.stale and case.truth.if_stale != "keep"
        if usable(vote) and not stale:
            return take(vote, "priority")
        ruling = unusable(case, vote)
        if ruling is not None:
            return ruling
    return STAY


def invalid_vote(case: Case) -> Vote | None:
    """Return a source that is invalid while the rule says ``hold``, if any."""
    return next((v for v in case.votes if v.invalid), None) if case.truth.if_invalid == "hold" else None


def fresh_votes(case: Case) -> list[Vote]:
    """Return the own, valid votes of platforms that are not passed over as stale."""
    passing = case.truth.if_stale != "keep"
    return [v for v in case.votes if v.own and not v.invalid and not (v.stale and passing)]


def candidates(case: Case) -> list[Vote]:
    """Return who may win ``newest``: own non-null votes, seen clears under ``clear``, and golden itself (R12)."""
    clear = case.truth.if_null == "clear"
    found = [v for v in fresh_votes(case) if not v.null or (clear and v.cleared)]
    standing = golden_vote(case, found)
    return [*found, standing] if standing else found


def golden_vote(case: Case, found: list[Vote]) -> Vote | None:
    """Return golden as a candidate of its own, unless its author still says something: no blank brings back an older value."""
    golden = case.golden
    if golden is None or golden.who is None or any(v.platform == golden.who for v in found):
        return None
    return Vote(golden.who, golden.value, null=golden.value is None, lo=golden.lo, hi=golden.hi)


def newest(case: Case) -> Ruling:
    """Return the latest edit that is truly later than every rival (R10, R11); else tie; else a conflict."""
    bad = invalid_vote(case)
    if bad:
        return hold_invalid(bad)
    found = candidates(case)
    if not found:
        return STAY
    order = {p: -i for i, p in enumerate(case.truth.platforms)}
    best = max(found, key=lambda v: (v.hi, v.lo, order.get(v.platform, -len(order))))
    margin = case.margin({v.platform for v in found})
    rivals = [v for v in found if rival(case, best, v, margin)]
    if not rivals:
        return take(best, "newest")
    tied = {v.platform: v for v in (*rivals, best)}
    winner = next((tied[p] for p in case.truth.tie if p in tied), None)
    if winner:
        return take(winner, f"tie: edits closer than {_seconds(margin)}")
    names = " and ".join(sorted(tied))
    return Ruling(Kind.HOLD, why=f"{names} changed within {_seconds(margin)}")


def _seconds(micros: int) -> str:
    """Return a margin as a person reads it: measured clocks make it finer than anybody wants to know."""
    return f"{round(micros / 1_000_000, 1):g} s"


def rival(case: Case, best: Vote, vote: Vote, margin: int) -> bool:
    """Return whether a candidate with another value cannot be told to be older than the best."""
    return vote.platform != best.platform and not case.same(vote.value, best.value) and not best.lo - vote.hi > margin


def settle_by(choose: Callable[[Case, list[Vote]], Vote | Value], why: str) -> Callable[[Case], Ruling]:
    """Return the merge that chooses among the usable votes: a Vote keeps its interval, a plain value is the rule's."""

    def merge(case: Case) -> Ruling:
        bad = invalid_vote(case)
        if bad:
            return hold_invalid(bad)
        votes = [v for v in fresh_votes(case) if not v.null]
        if not votes:
            return STAY
        chosen = choose(case, votes)
        if isinstance(chosen, Vote):
            return take(chosen, why)
        return Ruling(Kind.TAKE, chosen, "rule", max(v.lo for v in votes), max(v.hi for v in votes), why)

    return merge


def folded(case: Case) -> Ruling:
    """Sets and counters are folded when they are observed (``core.absorb``); an invalid source only holds them."""
    bad = invalid_vote(case)
    return hold_invalid(bad) if bad else Ruling(Kind.STAY, why=case.truth.how)


def const(case: Case) -> Ruling:
    """Return the rule's own value."""
    return Ruling(Kind.TAKE, case.truth.value, "rule", why="constant")


def manual(case: Case) -> Ruling:
    """A person accepts each change; at first contact a value on which all agree is taken."""
    spoken = [v for v in case.others if usable(v)]
    agreed = bool(spoken) and all(case.same(v.value, spoken[0].value) for v in spoken)
    if case.silent and agreed:
        return take(spoken[0], "first contact: all agree")
    golden = case.golden.value if case.golden else None
    asked = [v for v in spoken if not case.same(v.value, golden)]
    if not asked:
        return STAY
    preferred = case.truth.propose.platforms if case.truth.propose else ()
    best = next((v for p in preferred for v in asked if v.platform == p), asked[0])
    who = "all agree" if agreed else f"from {best.platform}"
    return Ruling(Kind.HOLD, best.value, why=f"manual rule: new value, {who}", sort="manual")


RULES: dict[str, Callable[[Case], Ruling]] = {
    "owner": owner,
    "priority": priority,
    "newest": newest,
    "const": const,
    "manual": manual,
    "union": folded,
    "intersection": folded,
    "delta": folded,
    "max": settle_by(lambda case, votes: max(votes, key=lambda v: case.rank(v.value)), "max"),
    "min": settle_by(lambda case, votes: min(votes, key=lambda v: case.rank(v.value)), "min"),
    "latest": settle_by(lambda case, votes: max(votes, key=lambda v: case.rank(v.value)), "latest"),
    "earliest": settle_by(lambda case, votes: min(votes, key=lambda v: case.rank(v.value)), "earliest"),
    "longest": settle_by(lambda _, votes: max(votes, key=lambda v: len(str(v.value))), "longest"),
    "sum": settle_by(lambda case, votes: case.total([v.value for v in votes]), "sum"),
    "any": settle_by(lambda _, votes: any(v.value for v in votes), "any"),
    "all": settle_by(lambda _, votes: all(v.value for v in votes), "all"),
}
