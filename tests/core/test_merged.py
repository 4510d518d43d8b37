"""Merges that a platform tells of, and that cannot be followed at once: asked about, followed later, or a person's word."""

from collections.abc import Iterable
from dataclasses import replace
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from syncd.core import plan, split, unite
from syncd.core.life import IDENTITY, MERGED
from syncd.core.model import Change, Life, Record, Via
from syncd.core.verdict import Verdict
from tests.core.desk import Desk
from tests.core.test_unite import desk, lay
from tests.core.town import Town

EITHER = pytest.mark.parametrize("authority", ["a", "any", "manual"])
WHY = "ambiguous: is it {}? a made AL one with AK; {}"


def two(authority: str = "manual", elsewhere: str = "review") -> tuple[Desk, Record, Record]:
    """Return a desk with two records that have a row in both a and b."""
    d = desk()
    d.rules(deletes=replace(d.entity.deletes, authority=authority, elsewhere=elsewhere))
    first, second = lay(d, "a", "AK", k="K"), lay(d, "a", "AL", k="L")
    lay(d, "b", "BK", k="K")
    lay(d, "b", "BL", k="L")
    return d, first, second


def met(d: Desk, *records: Record) -> None:
    for record in records:
        unite.meet(d.space, record)


@EITHER
def test_where_a_third_platform_has_a_row_of_each_a_person_is_asked(authority: str) -> None:
    d, first, second = two(authority)
    assert d.gone("a", id="AL", merged_into="AK").verdict is Verdict.ABSORBED
    assert (second.life, second.shadows["a"].life, d.space.united) == (Life.ALIVE, Life.GONE, [])
    both = "both have a row in b (BL, BK)"
    assert (first.conflicts[IDENTITY].why, first.conflicts[IDENTITY].others) == (WHY.format("L (t2)", both), (second.id,))
    assert (second.conflicts[IDENTITY].why, second.conflicts[IDENTITY].others) == (WHY.format("K (t1)", both), (first.id,))
    before = [replace(record.conflicts[IDENTITY], why="") for record in (first, second)]
    met(d, first, second)
    assert [replace(record.conflicts[IDENTITY], why="") for record in (first, second)] == before, "asking again moves nothing"
    assert d.sent("b") == {}
    assert not d.plan("a").pending


@pytest.mark.parametrize("elsewhere", ["review", "restore", "ignore"])
@EITHER
def test_meanwhile_nothing_is_deleted_and_nothing_made_again(authority: str, elsewhere: str) -> None:
    d, first, second = two(authority, elsewhere)
    d.gone("a", id="AL", merged_into="AK")
    d.swept()
    for record in (first, second):
        for platform in ("a", "b"):
            assert unite.obstacle(d.space, first, second)
            assert not plan_of(d, record, platform).pending, (record.id, platform)


def plan_of(d: Desk, record: Record, platform: str) -> Any:
    return plan.plan(d.space, record, platform)


@EITHER
def test_it_is_followed_when_one_of_the_rows_is_gone(authority: str) -> None:
    d, first, second = two(authority if authority != "any" else "a")
    d.gone("a", id="AL", merged_into="AK")
    d.gone("b", id="BL")
    met(d, second)
    assert d.space.united == [(second.id, first.id, "a made AL one with AK")]
    assert (first.conflicts, second.life) == ({}, Life.GONE)
    assert {p: s.id for p, s in first.shadows.items() if s.life is Life.ALIVE} == {"a": "AK", "b": "BK"}


def test_it_is_followed_when_the_write_that_was_open_is_closed() -> None:
    d = desk()
    first, second = lay(d, "a", "AK", k="K"), lay(d, "a", "AL", k="L")
    d.space.in_flight.add((first.id, "c"))
    d.gone("a", id="AL", merged_into="AK")
    assert "a write to one of them is under way" in second.conflicts[IDENTITY].why
    met(d, first, second)
    assert d.space.united == []
    d.space.in_flight.clear()
    met(d, first)
    assert d.space.united == [(second.id, first.id, "a made AL one with AK")], "though the one that is gone has no row at all"


@pytest.mark.parametrize(
    ("elsewhere", "asked", "made"), [("review", True, False), ("restore", False, True), ("ignore", False, False)]
)
@EITHER
def test_a_person_says_that_they_are_two(authority: str, elsewhere: str, asked: bool, made: bool) -> None:
    d, first, second = two(authority, elsewhere)
    d.gone("a", id="AL", merged_into="AK")
    split.keep_apart(d.space, (first.id,), second.id, "ana")
    met(d, first, second)
    assert (first.conflicts, second.life, set(second.conflicts)) == ({}, Life.ALIVE, {"(a)"} if asked else set())
    assert second.shadows["b"].life is Life.ALIVE
    assert MERGED not in second.shadows["a"].raws
    assert plan_of(d, second, "a").pending is made


def test_whom_a_person_kept_apart_before_no_merge_makes_one() -> None:
    d, first, second = two("a")
    split.keep_apart(d.space, (first.id,), second.id, "ana")
    d.gone("a", id="AL", merged_into="AK")
    assert (first.life, second.life, set(second.conflicts), first.conflicts) == (Life.ALIVE, Life.ALIVE, {"(a)"}, {})


@pytest.mark.parametrize(("authority", "life"), [("a", Life.GONE), ("any", Life.GONE), ("manual", Life.ALIVE)])
def test_if_the_winner_is_deleted_too_so_is_the_other(authority: str, life: Life) -> None:
    d, first, second = two(authority)
    d.gone("a", id="AL", merged_into="AK")
    d.gone("a", id="AK")
    met(d, first, second)
    assert (first.life, second.life, d.space.united) == (life, life, [])
    assert IDENTITY not in second.conflicts


@EITHER
def test_what_it_became_is_not_there_any_more(authority: str) -> None:
    d = desk()
    d.rules(deletes=replace(d.entity.deletes, authority=authority))
    lay(d, "a", "AK", k="K")
    second = lay(d, "a", "AL", k="L")
    lay(d, "b", "BL", k="L")
    d.gone("a", id="AK")
    d.gone("a", id="AL", merged_into="AK")
    assert d.space.united == []
    assert second.life is (Life.ALIVE if authority == "manual" else Life.GONE)


def test_what_was_never_seen_is_read_first_and_only_once() -> None:
    d = desk()
    d.rules(deletes=replace(d.entity.deletes, authority="a"))
    second = lay(d, "a", "AL", k="L")
    lay(d, "b", "BL", k="L")
    said = d.gone("a", id="AL", merged_into="AK")
    assert (said.verdict, said.things) == (Verdict.READ, (("a", "things", "AK"), ("a", "things", "AL")))
    first = lay(d, "a", "AK", k="K")
    assert d.gone("a", id="AL", merged_into="AK").verdict is Verdict.ABSORBED
    assert [record.id for record in (second, first) if record.life is Life.ALIVE] == [second.id]
    assert {p: s.id for p, s in second.shadows.items()} == {"a": "AK", "b": "BL"}


def test_what_is_nowhere_to_be_seen_leaves_a_deletion() -> None:
    d = desk()
    d.rules(deletes=replace(d.entity.deletes, authority="a"))
    second = lay(d, "a", "AL", k="L")
    assert d.gone("a", id="AL", merged_into="AX").verdict is Verdict.READ
    d.gone("a", id="AX")
    assert d.gone("a", id="AL", merged_into="AX").verdict is Verdict.ABSORBED
    assert (second.life, d.space.united) == (Life.GONE, [])


def test_a_thing_that_came_back_is_no_merge_any_more() -> None:
    d, first, second = two("a")
    d.gone("a", id="AL", merged_into="AK")
    lay(d, "a", "AL", k="L")
    met(d, first, second)
    assert (first.conflicts, second.conflicts, second.shadows["a"].life) == ({}, {}, Life.ALIVE)


@pytest.mark.parametrize("order", list(permutations(["AL", "AM"])))
@EITHER
def test_a_merge_of_a_merge(authority: str, order: tuple[str, ...]) -> None:
    """AM became AL, and AL AK; b has a row of AK and one of AM."""
    d = desk()
    d.rules(deletes=replace(d.entity.deletes, authority=authority))
    first, second, third = lay(d, "a", "AK", k="K"), lay(d, "a", "AL", k="L"), lay(d, "a", "AM", k="M")
    lay(d, "b", "BK", k="K")
    lay(d, "b", "BL", k="L")
    into = {"AL": "AK", "AM": "AL"}
    for native in order:
        d.gone("a", id=native, merged_into=into[native])
        met(d, first, second, third)
    assert [one.life for one in (first, second, third)] == [Life.ALIVE, Life.ALIVE, Life.GONE]
    assert first.conflicts[IDENTITY].others == (second.id,)
    d.gone("b", id="BK") if authority != "any" else d.space.records[1].shadows.pop("b")
    met(d, first, second)
    assert {one[:2] for one in d.space.united} == {(3, 2), (2, 1)}
    assert {p: s.id for p, s in first.shadows.items() if s.life is Life.ALIVE} == {"a": "AK", "b": "BL"}


def test_a_question_by_key_does_not_become_a_wish_because_another_is_one() -> None:
    """Only what all of a question's candidates are said to be is done without a person."""
    d, first, second = two()
    third = lay(d, "a", "AX", k="X")
    lay(d, "a", "AX", k="K")
    met(d, first)
    assert first.conflicts[IDENTITY].proposal is None
    d.gone("a", id="AL", merged_into="AK")
    met(d, first)
    assert (set(first.conflicts[IDENTITY].others), first.conflicts[IDENTITY].proposal) == ({second.id, third.id}, None)
    d.gone("b", id="BL")
    met(d, second, first)
    assert [one[:2] for one in d.space.united] == [(second.id, first.id)]
    assert first.conflicts[IDENTITY].others == (third.id,)


def test_only_a_read_proves_a_merge() -> None:
    d, _, second = two("a")
    assert d.gone("a", id="AL", merged_into="AK", via=Via.EVENT).verdict is Verdict.READ
    assert second.shadows["a"].life is Life.ALIVE


# ---- whatever comes, in whatever order


class Merging(Town):
    """A town in whose platforms two rows can become one."""

    def __init__(self, authority: str) -> None:
        super().__init__(authority)
        self.into: dict[tuple[str, str], str] = {}

    def merge(self, platform: str, loser: str, winner: str) -> None:
        """Let a platform make one of two rows, without telling anybody yet."""
        del self.rows[platform, loser]
        self.into[platform, loser] = winner

    def shown(self, platform: str, native: str) -> Change:
        found = super().shown(platform, native)
        return replace(found, merged_into=self.into.get((platform, native))) if found.gone else found

    def at_last(self, platform: str, native: str) -> str | None:
        """Return what a row is now, None if it is gone."""
        while native in [n for p, n in self.into if p == platform] and (platform, native) not in self.rows:
            native = self.into[platform, native]
        return native if (platform, native) in self.rows else None

    def check_merges(self) -> None:
        """Raise AssertionError where a merge that ended in a living row neither made one record of two nor is a question."""
        for (platform, native), into in self.into.items():
            link = self.space.links.get((platform, "things", native))
            last = self.at_last(platform, into)
            if link is None or link.record is None or link.life is not Life.GONE or last is None:
                continue
            winner = self.space.links.get((platform, "things", last))
            if winner is None or winner.record is None or winner.life is Life.GONE:
                continue
            one, other = self.space.records[link.record], self.space.records[winner.record]
            assert one is other or other.id in self.asked(one) or one.life is Life.GONE, (platform, native, last)
            if one is not other and one.life is Life.GONE:
                rows = [row for row in one.shadows.values() if row.life is Life.ALIVE]
                assert not rows or one.tomb is None or one.tomb.platform != platform, "a merge deleted it elsewhere"

    def asked(self, record: Record) -> set[int]:
        """Return the records with which a record may be one, also by way of others."""
        found, new = set[int](), {record.id}
        while new:
            found |= new
            new = {n for i in new if IDENTITY in (c := self.space.records[i].conflicts) for n in c[IDENTITY].others} - found
        return found


PLACE = st.sampled_from("ab"), st.sampled_from("1234")
PUT = st.tuples(st.just("put"), *PLACE, st.sampled_from(["K", "L", "M", None]))
MERGE = st.tuples(st.just("merge"), *PLACE, st.sampled_from("1234"))
GONE = st.tuples(st.just("gone"), *PLACE, st.none())


@settings(max_examples=400, deadline=None)
@given(st.sampled_from(["a", "any", "manual"]), st.lists(st.one_of(PUT, PUT, MERGE, GONE), max_size=14))
def test_merges_among_everything_else(authority: str, steps: list[tuple]) -> None:
    town = Merging(authority)
    for deed, platform, native, more in steps:
        if deed == "put":
            town.into.pop((platform, native), None)
            town.rows[platform, native] = {"k": more, "g": None, "t": [native]}
        elif (platform, native) not in town.rows:
            continue
        elif deed == "gone":
            del town.rows[platform, native]
        elif (platform, more) in town.rows and more != native:
            town.merge(platform, native, more)
        town.batch(platform, native)
        town.check()
        town.check_merges()
        known = {n: (r.life, set(r.shadows), set(r.conflicts)) for n, r in town.space.records.items()}
        if platform + native in [platform + n for _, n in town.rows]:
            continue
        town.batch(platform, native)
        again = {n: (r.life, set(r.shadows), set(r.conflicts)) for n, r in town.space.records.items()}
        assert again == known, "what is said twice moves nothing"


def parts(town: Merging) -> set[frozenset[tuple[str, str]]]:
    """Return which living rows are one record."""
    return {frozenset((p, row.id) for p, row in record.shadows.items() if row.life is Life.ALIVE) for record in town.living()}


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(["a", "any", "manual"]), st.permutations([0, 1, 2, 3]), st.sets(st.sampled_from("1234")), st.data())
def test_the_order_of_arrival_does_not_matter(authority: str, order: list[int], elsewhere: set[str], data: Any) -> None:
    """Rows of a become one, in two towns whose looks come in another order; b has rows of some."""
    merges = data.draw(st.lists(st.tuples(st.sampled_from("1234"), st.sampled_from("1234")), max_size=3))
    found = []
    for looks in (range(4), order):
        town = Merging(authority)
        for native in "1234":
            town.put("a", native, k=native)
        for native in elsewhere:
            town.put("b", native, k=native)
        for loser, winner in merges:
            if loser != winner and ("a", loser) in town.rows and ("a", winner) in town.rows:
                town.merge("a", loser, winner)
        see(town, looks)
        town.check()
        town.check_merges()
        found.append((parts(town), {frozenset(town.asked(r)) for r in town.living() if IDENTITY in r.conflicts}))
    assert found[0][0] == found[1][0]
    assert len(found[0][1]) == len(found[1][1])


def see(town: Merging, looks: Iterable[int]) -> None:
    for number in looks:
        town.batch("a", "1234"[number])
