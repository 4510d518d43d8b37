"""The truth rules as tables: who says what, and what follows."""

import pytest

from syncd.core.model import SECOND, GoldenField
from syncd.core.rules import Truth
from syncd.core.truth import Case, Kind, Vote, judge

OWN, OURS = True, False


def say(platform, value, at=0, since=None, **more):
    """Return a vote: an own word unless told otherwise; None is null."""
    lo = at if since is None else since
    return Vote(platform, value, null=value is None, lo=lo * SECOND, hi=at * SECOND, **more)


def case(truth, *votes, golden=None, who="a", at=0, provisional=False, margin=0):
    kept = None
    if golden is not None or who is None:
        kept = GoldenField(golden, at * SECOND, at * SECOND, who, provisional)
    chosen = tuple(v for p in truth.platforms for v in votes if v.platform == p)
    return Case(
        truth,
        chosen,
        votes,
        kept,
        lambda one, other: one == other,
        lambda value: value,
        sum,
        lambda platforms: truth.skew + margin,
    )


def ruled(*args, **options):
    """Return (kind, value, who) of a ruling."""
    ruling = judge(case(*args, **options))
    return ruling.kind, ruling.value, ruling.who


A, B, C = say("a", "x"), say("b", "y"), say("c", "z")
STAYS, HOLDS, WAITS = (Kind.STAY, None, None), (Kind.HOLD, None, None), (Kind.WAIT, None, None)


def takes(value, who):
    return Kind.TAKE, value, who


# ---- owner


def test_the_owner_decides():
    assert ruled(Truth("owner", ("a",)), A, B, golden="w") == takes("x", "a")


def test_until_the_owner_speaks_the_first_in_the_order_of_the_platforms_is_provisional():
    ruling = judge(case(Truth("owner", ("c",)), A, B))
    assert (ruling.value, ruling.provisional) == ("x", True)


def test_what_we_wrote_to_the_owner_is_not_its_word():
    ours = say("a", "old", own=OURS)
    assert ruled(Truth("owner", ("a",)), ours, B, golden="w", who="b") == STAYS
    assert ruled(Truth("owner", ("a",)), ours, B, golden="w", who="b", provisional=True) == takes("y", "b")
    assert ruled(Truth("owner", ("a",)), ours, golden="w", who="b", provisional=True) == STAYS


BLANK = say("a", None)
CLEARED = say("a", None, cleared=True)
INVALID = say("a", "old", invalid=True, reason="not a number")
STALE = say("a", "x", stale=True)


@pytest.mark.parametrize(
    ("options", "vote", "outcome"),
    [
        ({}, BLANK, STAYS),
        ({"if_null": "clear"}, BLANK, STAYS),
        ({"if_null": "clear"}, CLEARED, takes(None, "a")),
        ({"if_null": "hold"}, BLANK, HOLDS),
        ({"if_null": "const", "null_value": "none"}, BLANK, takes("none", "rule")),
        ({"if_null": "use", "null_use": "b"}, BLANK, takes("y", "b")),
        ({"if_null": "use", "null_use": "d"}, BLANK, STAYS),
        ({"if_null": "next"}, BLANK, STAYS),
        ({}, INVALID, HOLDS),
        ({"if_invalid": "keep"}, INVALID, STAYS),
        ({"if_invalid": "next"}, INVALID, STAYS),
        ({}, STALE, takes("x", "a")),
        ({"if_stale": "next"}, STALE, STAYS),
        ({"if_stale": "hold"}, STALE, WAITS),
        ({"if_stale": "keep"}, say("a", None, stale=True), STAYS),
    ],
)
def test_options_of_an_owner(options, vote, outcome):
    assert ruled(Truth("owner", ("a",), **options), vote, B, golden="w") == outcome


# ---- priority


@pytest.mark.parametrize(
    ("options", "votes", "outcome"),
    [
        ({}, (A, B), takes("x", "a")),
        ({}, (B,), takes("y", "b")),
        ({}, (say("a", "old", own=OURS), B), takes("y", "b")),
        ({}, (BLANK, B), STAYS),
        ({"if_null": "next"}, (BLANK, B), takes("y", "b")),
        ({"if_null": "clear"}, (CLEARED, B), takes(None, "a")),
        ({}, (INVALID, B), HOLDS),
        ({"if_invalid": "next"}, (INVALID, B), takes("y", "b")),
        ({}, (STALE, B), takes("x", "a")),
        ({"if_stale": "next"}, (STALE, B), takes("y", "b")),
        ({"if_stale": "hold"}, (STALE, B), WAITS),
        ({"if_null": "next"}, (BLANK, say("b", None)), STAYS),
    ],
)
def test_priority(options, votes, outcome):
    assert ruled(Truth("priority", ("a", "b"), **options), *votes, golden="w") == outcome


# ---- newest


def newest(*votes, tie=(), skew=2, **more):
    options = {k: more.pop(k) for k in ("if_null", "if_invalid", "if_stale") if k in more}
    return ruled(Truth("newest", ("a", "b", "c"), skew=skew * SECOND, tie=tie, **options), *votes, **more)


def test_the_later_edit_wins_if_it_is_later_than_skew():
    assert newest(say("a", "x", 10), say("b", "y", 13)) == takes("y", "b")
    assert newest(say("a", "x", 10), say("b", "y", 12)) == HOLDS
    assert newest(say("a", "x", 10), say("b", "y", 13), margin=5 * SECOND) == HOLDS


def test_an_interval_must_be_wholly_later():
    assert newest(say("a", "x", 10), say("b", "y", 100, since=5)) == HOLDS
    assert newest(say("a", "x", 10), say("b", "y", 100, since=13)) == takes("y", "b")


def test_the_same_value_is_no_rival():
    assert newest(say("a", "x", 10), say("b", "x", 11)) == takes("x", "b")


def test_a_tie_is_broken_by_the_list():
    assert newest(say("a", "x", 10), say("b", "y", 11), tie=("c", "a")) == takes("x", "a")
    assert newest(say("a", "x", 10), say("b", "y", 11), tie=("c",)) == HOLDS


def test_golden_stands_where_its_author_fell_silent():
    assert newest(say("b", "u", 5), BLANK, golden="v", who="a", at=20) == takes("v", "a")
    assert newest(say("b", "u", 30), golden="v", who="a", at=20) == takes("u", "b")
    assert newest(say("b", "u", 5), say("a", "t", 2), golden="v", who="a", at=20) == takes("u", "b")


def test_nobody_says_anything():
    assert newest() == STAYS
    assert newest(say("a", None, 5), golden=None, who=None) == STAYS


def test_a_clear_can_be_the_newest():
    clear = say("a", None, 20, cleared=True)
    assert newest(say("b", "u", 5), clear, if_null="clear") == takes(None, "a")
    assert newest(say("b", "u", 5), clear) == takes("u", "b")


def test_invalid_and_stale_sources():
    assert newest(INVALID, say("b", "u", 5)) == HOLDS
    assert newest(INVALID, say("b", "u", 5), if_invalid="keep") == takes("u", "b")
    assert newest(say("a", "x", 50, stale=True), say("b", "u", 5), if_stale="next") == takes("u", "b")
    assert newest(say("a", "x", 50, stale=True), say("b", "u", 5)) == takes("x", "a")


# ---- merges


@pytest.mark.parametrize(
    ("how", "values", "result"),
    [
        ("max", (1, 3, 2), takes(3, "b")),
        ("min", (1, 3, 2), takes(1, "a")),
        ("latest", ("2026-01-01", "2026-03-01", "2026-02-01"), takes("2026-03-01", "b")),
        ("earliest", ("2026-01-01", "2026-03-01", "2026-02-01"), takes("2026-01-01", "a")),
        ("longest", ("ab", "abc", "a"), takes("abc", "b")),
        ("sum", (1, 3, 2), takes(6, "rule")),
        ("any", (False, True, False), takes(True, "rule")),
        ("any", (False, False, False), takes(False, "rule")),
        ("all", (True, True, False), takes(False, "rule")),
        ("all", (True, True, True), takes(True, "rule")),
    ],
)
def test_merges(how, values, result):
    votes = [say(p, v) for p, v in zip("abc", values, strict=True)]
    assert ruled(Truth(how, ("a", "b", "c")), *votes) == result


def test_a_merge_passes_over_null_ours_and_stale_and_is_held_by_invalid():
    truth = Truth("max", ("a", "b", "c"))
    assert ruled(truth, say("a", None), say("b", 9, own=OURS), say("c", 2)) == takes(2, "c")
    assert ruled(truth, say("a", None), golden=4) == STAYS
    assert ruled(truth, INVALID, say("c", 2)) == HOLDS
    passing = Truth("max", ("a", "b", "c"), if_stale="next", if_invalid="next")
    assert ruled(passing, say("a", 9, stale=True), INVALID, say("c", 2)) == takes(2, "c")


@pytest.mark.parametrize("how", ["union", "intersection", "delta"])
def test_what_is_folded_while_observing_only_stays_or_is_held(how):
    truth = Truth(how, ("a", "b"))
    assert ruled(truth, say("a", ["r"])) == STAYS
    assert ruled(truth, INVALID) == HOLDS


# ---- const and manual


def test_a_constant():
    assert ruled(Truth("const", value="fixed"), A, golden="w") == takes("fixed", "rule")


def test_manual_takes_what_all_agree_on_at_first_contact():
    manual = Truth("manual")
    assert ruled(manual, A, say("b", "x")) == takes("x", "a")
    assert judge(case(manual, A, B)).kind is Kind.HOLD
    assert ruled(manual) == STAYS


def test_manual_asks_for_each_new_value_and_suggests_the_preferred_one():
    manual = Truth("manual", propose=Truth("owner", ("c",)))
    ruling = judge(case(manual, A, B, C, golden="x"))
    assert (ruling.kind, ruling.value, ruling.sort) == (Kind.HOLD, "z", "manual")
    assert judge(case(manual, A, B, golden="x")).value == "y"
    assert ruled(manual, A, golden="x") == STAYS
