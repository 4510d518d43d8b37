"""Two records that are one, through the core: what comes together, what stays apart, and what a person is asked."""

from dataclasses import replace
from typing import Any

import pytest

from syncd.core import split, unite
from syncd.core.identity import record_keys
from syncd.core.life import IDENTITY
from syncd.core.model import Life, Record, Word
from syncd.core.rederive import rederive
from syncd.core.rules import Match
from syncd.core.verdict import Verdict
from tests.core.desk import GOOD, Desk, a_field, a_member, owner, rule

BY_K = Match(("k",), lambda value: value, text="k")
BY_G = Match(("g",), lambda value: value, text="g")
BY_NAME = Match(("n",), lambda value: value, "review", "n")


def desk(*fields: Any, matches: tuple[Match, ...] = (BY_K, BY_G), **options: Any) -> Desk:
    """Return a desk on which a thing is known by k, and by g where it has that."""
    return Desk(a_field("g", rule("priority", if_null="next")), *fields, matches=matches, **options)


def lay(d: Desk, platform: str, native: str, /, **values: Any) -> Record:
    """Show a thing and return its record."""
    d.look(platform, how={"id": native}, **{"k": None} | values)
    link = d.space.links[platform, "things", native]
    assert link.record is not None
    return d.space.records[link.record]


def meet(d: Desk, record: Record, *, arrived: bool = True) -> None:
    """Compare a record by its keys, as the batch after it does."""
    keys = {(key, record.id) for key in record_keys(d.entity, record)} if arrived else set()
    unite.meet(d.space, record, keys)


def twins(d: Desk, **more: Any) -> tuple[Record, Record]:
    """Return a record of a with a k, and one of b that has only a g."""
    first = lay(d, "a", "A1", k="K", **more)
    return first, lay(d, "b", "B1", g="40", **more)


def test_a_key_that_arrives_makes_one_of_two() -> None:
    d = desk()
    first, second = twins(d)
    lay(d, "a", "A1", k="K", g="40")
    meet(d, first)
    assert set(first.shadows) == {"a", "b"}
    assert (first.life, second.life, second.shadows, second.golden) == (Life.ALIVE, Life.GONE, {}, {})
    assert d.space.links["b", "things", "B1"].record == first.id
    assert d.space.united == [(second.id, first.id, "both have g 40")]
    assert d.sent("b") == {"k": "K"}, "the row that came is told what it should hold"


def test_the_lower_id_survives_whichever_got_the_key() -> None:
    d = desk()
    first, second = twins(d)
    lay(d, "b", "B1", k="K", g="40")  # b is no owner of k: golden of the second is provisional
    meet(d, second)
    assert (first.life, second.life) == (Life.ALIVE, Life.GONE)
    assert first.key == "K"


def test_the_history_says_it_on_both() -> None:
    d = desk()
    first, second = twins(d)
    lay(d, "a", "A1", k="K", g="40")
    d.space.decisions.clear()
    meet(d, first)
    causes = {(one.record, one.cause) for one in d.space.decisions}
    assert (first.id, f"t{second.id} is one with it: both have g 40") in causes
    assert (second.id, "one with K (t1): both have g 40") in causes
    assert len({(one.record, one.version) for one in d.space.decisions if not one.fields}) == 2


def test_its_decisions_derive_again() -> None:
    d = desk(a_field("f", rule("newest")), a_field("e", owner("b")), a_field("t", rule("union"), kind="set(string)"))
    lay(d, "a", "A1", k="K", f="old", e="of a", t=["blue"])
    lay(d, "b", "B1", g="40", f="new", e="of b", t=["new"])
    lay(d, "a", "A1", k="K", g="40", f="old", e="of a", t=["blue"])
    meet(d, d.record)
    split.split(d.space, d.record, "b", "ana")
    assert {change.name for one in d.space.decisions for change in one.fields} == {"k", "g", "f", "e", "t"}
    assert [wrong for one in d.space.decisions for wrong in rederive(d.entity, one)] == []


@pytest.mark.parametrize("order", ["ab", "ba"])
def test_every_field_is_resolved_again(order: str) -> None:
    d = desk(a_field("f", owner("b")), a_field("e", owner("a")))
    for platform in order:
        if platform == "a":
            lay(d, "a", "A1", k="K", f="of a", e="right")
        else:
            lay(d, "b", "B1", g="40", f="right", e="of b")
    lay(d, "a", "A1", k="K", g="40", f="of a", e="right")
    meet(d, d.space.records[1])
    assert (d.golden("f"), d.golden("e")) == ("right", "right")
    assert d.sent("a") == {"f": "right"}
    assert d.sent("b") == {"k": "K", "e": "right"}


def test_newest_takes_the_newer_word() -> None:
    d = desk(a_field("f", rule("newest")))
    lay(d, "a", "A1", k="K", f="old")
    d.space.now += 100_000_000
    lay(d, "b", "B1", g="40", f="new")
    lay(d, "a", "A1", k="K", g="40", f="old")
    meet(d, d.record)
    assert d.golden() == "new"


def test_counters_add_nothing() -> None:
    d = desk(a_field("d", rule("delta"), kind="integer"))
    lay(d, "a", "A1", k="K", d=10)
    lay(d, "b", "B1", g="40", d=7)
    lay(d, "a", "A1", k="K", g="40", d=10)
    meet(d, d.record)
    assert (d.golden("d"), d.known("b", "d").base) == (10, 7)
    lay(d, "b", "B1", g="40", d=6)
    assert d.golden("d") == 9, "what is counted from now on is counted"


def test_sets_add_the_union_and_remove_nothing() -> None:
    d = desk(a_field("t", rule("union"), kind="set(string)"))
    lay(d, "a", "A1", k="K", t=["blue", "sale"])
    lay(d, "b", "B1", g="40", t=["new"])
    lay(d, "a", "A1", k="K", g="40", t=["blue", "sale"])
    meet(d, d.record)
    assert d.golden("t") == ["blue", "new", "sale"]
    lay(d, "b", "B1", k="K", g="40", t=[])
    assert d.golden("t") == ["blue", "sale"], "a removal after it is one"


def test_moved_rows_keep_what_is_known_of_them() -> None:
    d = desk(a_field("f", owner("b")))
    twins(d, f="x")
    second = d.space.records[2]
    d.swept()
    second.shadows["b"].fields["f"].word = Word.OURS
    lay(d, "a", "A1", k="K", g="40", f="x")
    row = second.shadows["b"]
    meet(d, d.record)
    assert d.record.shadows["b"] is row
    assert row.fields["f"].word is Word.OURS


def test_two_living_rows_on_one_platform_are_a_question() -> None:
    d = desk()
    first, second = twins(d)
    lay(d, "b", "B9", k="K")  # the first record has a row of its own in b
    lay(d, "a", "A1", k="K", g="40")
    meet(d, first)
    meet(d, second)
    assert first.conflicts[IDENTITY].why == "ambiguous: t2 has g 40 too; both have a row in b (B9, B1)"
    assert second.conflicts[IDENTITY].why == "ambiguous: K (t1) has g 40 too; both have a row in b (B1, B9)"
    assert first.conflicts[IDENTITY].others == (second.id,)
    assert d.space.united == []


def test_it_is_answered_when_one_of_the_two_rows_is_gone() -> None:
    d = desk()
    first, second = twins(d)
    lay(d, "b", "B9", k="K")
    lay(d, "a", "A1", k="K", g="40")
    meet(d, first)
    d.gone("b", id="B9")
    meet(d, first, arrived=False)
    assert second.life is Life.GONE
    assert first.shadows["b"].id == "B1"
    assert IDENTITY not in first.conflicts


def test_an_open_write_is_waited_for() -> None:
    d = desk()
    first, second = twins(d)
    lay(d, "a", "A1", k="K", g="40")
    d.space.in_flight.add((second.id, "b"))
    meet(d, first)
    assert "a write to one of them is under way" in first.conflicts[IDENTITY].why
    d.space.in_flight.clear()
    meet(d, first, arrived=False)
    assert (second.life, first.conflicts) == (Life.GONE, {})


# ---- a key that changes


def two(d: Desk) -> tuple[Record, Record]:
    """Return two records of a and b, called K and L."""
    for key in "KL":
        lay(d, "a", f"A{key}", k=key)
        lay(d, "b", f"B{key}", k=key)
    return d.space.records[1], d.space.records[2]


def test_a_changed_key_is_a_rename() -> None:
    d = desk()
    first, _ = two(d)
    lay(d, "a", "AK", k="M")
    assert (first.key, first.life, len(d.space.records)) == ("M", Life.ALIVE, 2)
    assert d.sent("b") == {"k": "M"}
    assert d.space.decisions[-1].notes == ["renamed: K is M now"]


def test_a_key_changed_into_anothers_is_a_question_on_both_and_no_merge() -> None:
    d = desk(a_field("f"))
    first, second = two(d)
    lay(d, "a", "AK", k="L", f="flows")
    meet(d, first, arrived=False)
    meet(d, second, arrived=False)
    assert first.conflicts[IDENTITY].why.startswith("ambiguous: L (t2) has k L too")
    assert second.conflicts[IDENTITY].why.startswith("ambiguous: L (t1) has k L too")
    assert d.sent("b") == {"f": "flows"}, "no write of the key field, the others flow"
    assert d.plan("b").held["k"] == "its key is another record's too"


def test_it_closes_when_the_key_is_put_right() -> None:
    d = desk()
    first, second = two(d)
    lay(d, "a", "AK", k="L")
    meet(d, first, arrived=False)
    meet(d, second, arrived=False)
    lay(d, "a", "AK", k="M")
    meet(d, first, arrived=False)
    meet(d, second, arrived=False)
    assert (first.conflicts, second.conflicts) == ({}, {})
    assert d.sent("b") == {"k": "M"}


def test_even_where_it_would_be_lawful() -> None:
    d = desk()
    first = lay(d, "a", "A1", k="K")
    second = lay(d, "b", "B1", k="L")
    lay(d, "a", "A1", k="L")
    meet(d, first, arrived=False)
    assert IDENTITY in first.conflicts
    assert second.life is Life.ALIVE


@pytest.mark.parametrize("gone_first", [True, False])
@pytest.mark.parametrize("authority", ["a", "manual"])
def test_a_merge_on_a_platform_is_followed(authority: str, gone_first: bool) -> None:
    """In a two things became one: AL is gone, and AK has its key."""
    d = desk()
    d.rules(deletes=replace(d.entity.deletes, authority=authority))
    first = lay(d, "a", "AK", k="K")
    second = lay(d, "a", "AL", k="L")
    lay(d, "b", "BL", k="L")
    steps = [lambda: d.gone("a", id="AL"), lambda: lay(d, "a", "AK", k="L")]
    for step in steps if gone_first else reversed(steps):
        step()
        for record in (first, second):
            meet(d, record, arrived=False)
    assert {p: s.id for p, s in first.shadows.items() if s.life is Life.ALIVE} == {"a": "AK", "b": "BL"}
    assert (second.shadows, first.conflicts) == ({}, {})


def test_a_merge_that_leaves_two_rows_elsewhere_is_a_question() -> None:
    d = desk()
    first, second = two(d)
    d.gone("a", id="AL")
    lay(d, "a", "AK", k="L")
    meet(d, first, arrived=False)
    assert "both have a row in b (BK, BL)" in first.conflicts[IDENTITY].why
    d.gone("b", id="BK")
    meet(d, first, arrived=False)
    assert (first.shadows["b"].id, second.shadows, first.conflicts) == ("BL", {}, {})


@pytest.mark.parametrize("authority", ["a", "manual"])
def test_a_merge_that_the_platform_tells_of_needs_no_key(authority: str) -> None:
    d = desk()
    d.rules(deletes=replace(d.entity.deletes, authority=authority))
    first, second = lay(d, "a", "AK", k="K"), lay(d, "a", "AL", k="L")
    lay(d, "b", "BL", k="L")
    assert d.gone("a", id="AL", merged_into="AK").verdict is Verdict.ABSORBED
    assert {p: s.id for p, s in first.shadows.items() if s.life is Life.ALIVE} == {"a": "AK", "b": "BL"}
    assert (second.shadows, second.life, first.life, first.conflicts) == ({}, Life.GONE, Life.ALIVE, {})
    assert d.space.united == [(second.id, first.id, "a made AL one with AK")]
    assert d.sent("b") == {"k": "K"}


def test_a_merge_into_a_record_that_is_being_written_waits() -> None:
    d = desk()
    first, second = lay(d, "a", "AK", k="K"), lay(d, "a", "AL", k="L")
    d.space.in_flight.add((first.id, "a"))
    assert d.gone("a", id="AL", merged_into="AK").verdict is Verdict.DEFERRED
    assert second.shadows["a"].life is Life.ALIVE


# ---- weak keys, and a person's word


def test_a_weak_key_only_asks() -> None:
    d = desk(a_field("n", rule("priority", if_null="next")), matches=(BY_K, BY_G, BY_NAME))
    first = lay(d, "a", "A1", k="K")
    second = lay(d, "b", "B1", g="40", n="Mug")
    lay(d, "a", "A1", k="K", n="Mug")
    meet(d, first)
    assert first.conflicts[IDENTITY].why == "to be confirmed: t2 has the same n"
    assert first.conflicts[IDENTITY].about == (), "nothing waits for it"
    assert second.life is Life.ALIVE


def test_a_weak_key_says_nothing_of_two_rows_of_one_platform() -> None:
    d = desk(a_field("n", rule("priority", if_null="next")), matches=(BY_K, BY_NAME))
    first = lay(d, "a", "A1", k="K", n="Mug")
    lay(d, "a", "A2", k="L", n="Cup")
    lay(d, "a", "A2", k="L", n="Mug")
    meet(d, first)
    assert first.conflicts == {}


def test_what_a_person_keeps_apart_is_not_asked_again() -> None:
    d = desk()
    first, second = two(d)
    split.keep_apart(d.space, (first.id,), second.id, "ana")
    lay(d, "a", "AK", k="L")
    meet(d, first)
    assert first.conflicts == {}
    assert d.sent("b") == {"k": "L"}


def test_a_row_split_off_is_a_record_of_its_own() -> None:
    d = desk(a_field("f"), a_field("e", owner("b")))
    lay(d, "a", "A", k="K", f="of a")
    lay(d, "b", "B", k="K", f="of b", e="of b")
    d.write_all("b")
    assert d.known("b", "f").word is Word.OURS
    made = split.split(d.space, d.record, "b", "ana")
    assert set(d.record.shadows) == {"a"}
    assert {name: g.value for name, g in made.golden.items()} == {"k": "K", "f": "of a", "e": "of b"}
    assert made.shadows["b"].fields["f"].word is Word.OWN, "what is stored there is what it says now"
    assert d.space.parted == {(1, 2): "ana"}
    assert d.record.golden["e"].provisional, "what came from that row is nobody's word any more"
    assert d.space.links["b", "things", "B"].evidence == "split off from K (t1) by ana"
    meet(d, d.record)
    assert d.record.conflicts == {}


def test_the_others_decide_again_what_came_from_the_row() -> None:
    d = desk(a_field("f", rule("priority", "b", "a")))
    lay(d, "a", "A1", k="K", f="of a")
    lay(d, "b", "B1", k="K", f="of b")
    assert d.golden() == "of b"
    made = split.split(d.space, d.record, "b", "ana")
    assert (d.golden(), made.golden["f"].value) == ("of a", "of b")


def test_what_cannot_be_split() -> None:
    d = desk()
    first = lay(d, "a", "A1", k="K")
    assert split.obstacle(d.space, first, "a") == "a A1 is the only row of K (t1): it is a record of its own already"
    assert split.obstacle(d.space, first, "b") == "K (t1) has no row in b"
    lay(d, "b", "B1", k="K")
    assert split.obstacle(d.space, first, "b") == ""
    d.space.in_flight.add((1, "b"))
    assert split.obstacle(d.space, first, "b") == "a write to K (t1) is under way"


# ---- unique


def test_a_value_of_another_living_record_is_invalid() -> None:
    d = desk(a_field("s", rule("priority"), unique=True))
    first = lay(d, "a", "A1", k="K", s="mug")
    second = lay(d, "a", "A2", k="L", s="mug")
    assert second.shadows["a"].fields["s"].reason == "not unique: also K"
    assert second.conflicts["s"].why.endswith("not unique: also K")
    assert d.space.doubles["a", "things", "A2"] == (("thing", "unique s", "mug"),)
    lay(d, "a", "A1", k="K", s="cup")
    lay(d, "a", "A2", k="L", s="mug")
    assert (first.golden["s"].value, second.golden["s"].value, second.conflicts) == ("cup", "mug", {})


def test_a_dead_record_has_no_values() -> None:
    d = desk(a_field("s", rule("priority"), unique=True), members=(a_member("a", replace(GOOD, find=True)),))
    d.rules(deletes=replace(d.entity.deletes, authority="a"))
    lay(d, "a", "A1", k="K", s="mug")
    d.gone("a", id="A1")
    assert lay(d, "a", "A2", k="L", s="mug").golden["s"].value == "mug"


def test_the_same_record_may_have_it_everywhere() -> None:
    d = desk(a_field("s", rule("priority"), unique=True))
    lay(d, "a", "A1", k="K", s="mug")
    lay(d, "b", "B1", k="K", s="mug")
    assert (d.golden("s"), d.record.conflicts) == ("mug", {})
