"""The truth rules: given who says what, what is golden?

A rule sees *votes* and returns a *ruling* (``core.case``). Formulas and the choice among cases stand in ``core.computed``.
"""

from collections.abc import Callable
from dataclasses import replace

from syncd.core.case import STAY, Case, Kind, Ruling, Vote, take
from syncd.core.computed import branch_in, formula
from syncd.core.model import GoldenField, Value
from syncd.core.native import Invalid
from syncd.core.rules import Truth
from syncd.core.waits import WAITS

__all__ = ["RULES", "STAY", "Case", "Kind", "Ruling", "Vote", "judge", "of_branch", "take"]


def judge(case: Case) -> Ruling:
    """Return what the case's rule says. Total: every rule answers every case."""
    return RULES[case.truth.how](case)


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
    """An invalid reading under ``hold`` waits for a person; one that only lacks its parent waits for that."""
    if vote.reason.startswith(WAITS):
        return Ruling(Kind.WAIT, why=f"{vote.platform} {vote.reason}")
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
    return until_spoken(case, unusable(case, vote) or STAY)


def until_spoken(case: Case, ruling: Ruling) -> Ruling:
    """Where nobody has spoken yet an empty or invalid first look says nothing either: the order of looks must not matter."""
    return first_contact(case) if ruling.kind is Kind.STAY else ruling


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
            return until_spoken(case, ruling)
    return STAY


def invalid_vote(case: Case) -> Vote | None:
    """Return a source that is invalid while the rule says ``hold``, if any."""
    return next((v for v in case.votes if v.invalid), None) if case.truth.if_invalid == "hold" else None


def fresh_votes(case: Case) -> list[Vote]:
    """Return the own, valid votes of platforms that are not passed over as stale."""
    passing = case.truth.if_stale != "keep"
    return [v for v in case.votes if v.own and not v.invalid and not (v.stale and passing)]


def obstacle(case: Case) -> Ruling | None:
    """Return what stands before any weighing of votes: an invalid source under ``hold``, a stale or an empty one under its own
    ``hold``; None if nothing does.
    """
    bad = invalid_vote(case)
    if bad:
        return hold_invalid(bad)
    late = next((v for v in case.votes if v.own and v.stale), None) if case.truth.if_stale == "hold" else None
    if late:
        return Ruling(Kind.WAIT, why=f"{late.platform} is stale")
    empty = next((v for v in case.votes if v.own and v.null), None) if case.truth.if_null == "hold" else None
    return Ruling(Kind.HOLD, why=f"{empty.platform} is empty") if empty else None


def all_empty(case: Case) -> Ruling:
    """Return what the options make of sources of which none has a value: the first that says empty stands for all."""
    vote = next((v for v in fresh_votes(case) if v.null), None)
    return (blank(case, vote) if vote else None) or STAY


REPLACED = ("clear", "const", "use")  # a blank that we saw come is an edit like any other, and something follows from it


def candidates(case: Case) -> list[Vote]:
    """Return who may win ``newest``: own non-null votes, seen clears where a blank means something, and golden itself (R12)."""
    blanks = case.truth.if_null in REPLACED
    found = [v for v in fresh_votes(case) if not v.null or (blanks and v.cleared)]
    standing = golden_vote(case, found)
    return [*found, standing] if standing else found


def golden_vote(case: Case, found: list[Vote]) -> Vote | None:
    """Return golden as a candidate of its own, unless its author still says something: no blank brings back an older value."""
    golden = case.golden
    if golden is None or golden.who is None or any(v.platform == golden.who for v in found):
        return None
    if stands_for_blank(case, golden):
        return None
    doubt = "its author's rows were touched all at once" if case.unsure else ""
    return Vote(golden.who, golden.value, null=golden.value is None, lo=golden.lo, hi=golden.hi, suspended=doubt)


def stands_for_blank(case: Case, golden: GoldenField) -> bool:
    """Return whether golden is only what the options put in a blank's place: the blank speaks for itself."""
    truth = case.truth
    if truth.if_null == "use":
        return golden.who == truth.null_use and truth.null_use not in truth.platforms
    return golden.who == "rule" and truth.if_null == "const" and case.same(golden.value, truth.null_value)


def newest(case: Case) -> Ruling:
    """Return the latest edit that is truly later than every rival (R10, R11); else tie; else a conflict.

    Whose recency is suspended only wins where nobody else has a say: an import proves no edit.
    """
    refused = obstacle(case)
    if refused:
        return refused
    found = candidates(case)
    if not found:
        return all_empty(case)
    sound = [v for v in found if not v.suspended]
    found = sound or [v._replace(lo=0) if v.lo == v.hi else v for v in found]
    order = {p: -i for i, p in enumerate(case.truth.platforms)}
    best = max(found, key=lambda v: (v.hi, v.lo, order.get(v.platform, -len(order))))
    margin = case.margin({v.platform for v in found})
    rivals = [v for v in found if rival(case, best, v, margin)]
    if not rivals:
        return won(case, best, "newest")
    tied = {v.platform: v for v in (*rivals, best)}
    winner = next((tied[p] for p in case.truth.tie if p in tied), None)
    if winner:
        return won(case, winner, f"tie: edits closer than {_seconds(margin)}")
    names = " and ".join(sorted(tied))
    return Ruling(Kind.HOLD, why=f"{names} changed within {_seconds(margin)}")


def won(case: Case, vote: Vote, why: str) -> Ruling:
    """Return what follows from the vote that won ``newest``: its value, or what stands for its blank."""
    if vote.null and case.truth.if_null in ("const", "use"):
        return blank(case, vote) or STAY
    return take(vote, why)


def _seconds(micros: int) -> str:
    """Return a margin as a person reads it: measured clocks make it finer than anybody wants to know."""
    return f"{round(micros / 1_000_000, 1):g} s"


def rival(case: Case, best: Vote, vote: Vote, margin: int) -> bool:
    """Return whether a candidate with another value cannot be told to be older than the best."""
    return vote.platform != best.platform and not case.same(vote.value, best.value) and not best.lo - vote.hi > margin


def settle_by(choose: Callable[[Case, list[Vote]], Vote | Value], why: str) -> Callable[[Case], Ruling]:
    """Return the merge that chooses among the usable votes: a Vote keeps its interval, a plain value is the rule's."""

    def merge(case: Case) -> Ruling:
        refused = obstacle(case)
        if refused:
            return refused
        votes = [v for v in fresh_votes(case) if not v.null]
        if not votes:
            return all_empty(case)
        try:
            chosen = choose(case, votes)
        except Invalid as error:
            return Ruling(Kind.HOLD, why=f"{why}: {error}")
        if isinstance(chosen, Vote):
            return take(chosen, why)
        return Ruling(Kind.TAKE, chosen, "rule", max(v.lo for v in votes), max(v.hi for v in votes), why)

    return merge


def folded(case: Case) -> Ruling:
    """Sets and counters are folded when they are observed (``core.absorb``); an invalid or empty source only holds them."""
    return obstacle(case) or Ruling(Kind.STAY, why=case.truth.how)


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
    offered = suggestion(case)
    if offered is not None and not case.same(offered.value, golden):
        value, source = offered.value, offered.who or "rule"
    else:
        value, source = asked[0].value, asked[0].platform
    who = "all agree" if agreed else f"from {source}"
    return Ruling(Kind.HOLD, value, why=f"manual rule: new value, {who}", sort="manual")


def suggestion(case: Case) -> Ruling | None:
    """Return what the rule under ``propose`` would take, None if nothing."""
    truth = case.truth.propose
    ruling = judge(of_branch(case, truth)) if truth is not None else None
    return ruling if ruling is not None and ruling.kind is Kind.TAKE and not ruling.provisional else None


# ---- cases


def of_branch(case: Case, truth: Truth) -> Case:
    """Return the case as another rule sees it: with the votes of its own platforms, in its own order."""
    votes = {v.platform: v for v in case.others}
    ours = tuple([votes[p] for p in truth.platforms if p in votes])
    skew = truth.skew - case.truth.skew
    return replace(case, truth=truth, votes=ours, margin=lambda platforms: case.margin(platforms) + skew)


def by_case(case: Case) -> Ruling:
    """Return what the first case says whose condition is true."""
    branch, failed = branch_in(case.truth, case.look, case.now)
    if failed:
        return Ruling(Kind.HOLD, why=failed, rule="cases")
    return chosen_by(branch.truth, judge(of_branch(case, branch.truth)))


def chosen_by(truth: Truth, ruling: Ruling) -> Ruling:
    """Return a ruling that says which rule it is of."""
    return replace(ruling, rule=truth.how)


RULES: dict[str, Callable[[Case], Ruling]] = {
    "owner": owner,
    "priority": priority,
    "newest": newest,
    "const": const,
    "manual": manual,
    "expr": formula,
    "cases": by_case,
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
