"""Cases: the first one that is true decides, with its own options; what its condition reads has it decided again."""

import pytest

from syncd.core.dependencies import cycle, dependencies
from syncd.core.drift import Place, Why, compare
from syncd.core.mapping import read_item
from syncd.core.model import SECOND
from syncd.core.rederive import rederive
from syncd.core.rules import Group, Truth
from tests.core.desk import Desk, a_field, a_member, desk, owner, rule
from tests.core.rule_words import cases, const

LOCKS = a_member("b", raws=("locked",))


def locked(otherwise: Truth | None = None, **options) -> Desk:
    """Return a desk where b decides f while it shows a lock, else a."""
    truth = cases(("b.raw.locked", owner("b", **options)), otherwise or owner("a"))
    return desk(a_field(truth=truth), members=(LOCKS,))


def test_the_first_case_that_is_true_decides_and_says_so():
    d = locked()
    d.look("a", f="x")
    d.look("b", f="y", locked=True)
    assert d.golden() == "y"
    change = d.space.decisions[-1].fields[0]
    assert (change.rule, change.who) == ("owner", "b")
    d.look("b", f="y", locked=False)
    assert d.golden() == "x"


@pytest.mark.parametrize("shown", [None, False, "", 0])
def test_null_false_and_absent_are_not_true(shown):
    d = locked()
    d.look("a", f="x")
    d.look("b", f="y", locked=None if shown == "" else shown)
    assert d.golden() == "x"


def test_what_is_not_in_an_answer_stays_as_it_was_seen_and_a_new_life_forgets_it():
    d = locked()
    d.look("a", f="x")
    d.look("b", f="y", locked=True)
    d.look("b", f="z")
    assert (d.golden(), d.record.shadows["b"].raws) == ("z", {"locked": True})
    d.versions["b"] = 0
    d.look("b", f="w")
    assert (d.golden(), d.record.shadows["b"].raws) == ("x", {})


def test_a_condition_without_an_answer_holds_the_field_and_says_which():
    d = locked()
    d.look("a", f="x")
    d.look("b", f="y", locked="maybe")
    assert '"b.raw.locked" cannot be told' in d.why()
    assert d.golden() == "x"
    assert "f" not in d.sent("c")
    d.look("b", f="y", locked=True)
    assert (d.why(), d.golden()) == ("", "y")


@pytest.mark.parametrize(
    ("condition", "holds"),
    [
        ("a.f == 'x'", True),
        ("a.g == null", True),
        ("b.f == null", True),  # what we wrote there is no word of b
        ("golden.g == 'G'", False),
        ("'x' in [a.f, c.f]", True),
        ("'q' in [a.f, c.f]", False),
        ("c.f == 'x'", False),
    ],
)
def test_names_are_own_words_and_golden(condition, holds):
    f = a_field(truth=cases((condition, const("yes")), const("no")))
    d = desk(f, a_field("g", truth=owner("c")))
    d.look("a", f="x")
    d.swept()
    d.write_all("b")
    d.look("a", f="x")
    d.revise()
    assert d.golden() == ("yes" if holds else "no")


def test_each_case_has_options_of_its_own():
    truth = cases(("b.raw.locked", owner("b", if_null="clear")), owner("a", if_null="keep"))
    d = desk(a_field(truth=truth), members=(LOCKS,))
    d.look("a", f="x")
    d.look("a", f=None)
    assert d.golden() == "x"
    d.look("b", f="y", locked=True)
    d.look("b", f=None, locked=True)
    assert d.golden() is None


def test_a_no_given_anywhere_wins_everywhere():
    truth = cases(("'withdrawn' in [a.f, b.f]", const("withdrawn")), owner("b", if_null="const", null_value="unknown"))
    d = desk(a_field(truth=truth))
    d.look("b", f="granted")
    assert d.golden() == "granted"
    d.look("a", f="withdrawn")
    assert (d.golden(), d.space.decisions[-1].fields[0].rule) == ("withdrawn", "const")
    assert (d.plan("b").held, d.sent("b")["f"]) == ({}, "withdrawn")


def test_manual_in_a_case_asks_and_names_whom():
    manual = Truth("manual", ("a", "b"), propose=owner("b"), reviewers=("ann", "bob"))
    d = desk(a_field(truth=cases(("b.raw.locked", manual), owner("a"))), members=(LOCKS,))
    d.look("a", f="x")
    d.look("b", f="y", locked=True)
    conflict = d.record.conflicts["f"]
    assert (conflict.kind, conflict.proposal, conflict.reviewers) == ("manual", "y", ("ann", "bob"))


def test_who_is_written_to_and_whose_edit_is_stray_is_the_matter_of_the_case_that_decides():
    d = locked(if_null="keep")
    d.look("a", f="x")
    d.look("b", f=None, locked=True)
    assert d.golden() == "x"
    assert d.plan("b").held == {"f": "empty there: kept"}
    d.look("b", f=None, locked=False)
    assert d.sent("b") == {"f": "x"}
    d.look("b", f="y", locked=False)
    assert [(s.platform, s.value, s.action) for s in d.space.decisions[-1].strays] == [("b", "y", "revert")]


def test_drift_asks_the_case_that_decides():
    d = locked()
    d.look("a", f="x")
    d.look("b", f="x", locked=False)
    place = Place(d.space, d.entity, d.entity.members["b"], d.record)

    def why(**shown):
        return [one.why for one in compare(place, read_item(d.entity, "b", {"k": "K"} | shown))]

    assert why(f="y") == [Why.STRAY]
    d.look("b", f="x", locked=True)
    assert why(f="y") == [Why.MISSED]


def test_a_group_has_cases_as_a_field_does():
    truth = cases(("b.raw.locked", owner("b")), owner("a"))
    fields = (a_field("street", group="address"), a_field("city", group="address"))
    d = Desk(*fields, groups=(Group("address", ("street", "city"), truth),), members=(LOCKS,))
    d.look("a", street="A", city="A")
    d.look("b", street="B", city="B", locked=True)
    assert (d.golden("street"), d.golden("city")) == ("B", "B")
    d.look("b", street="B", city="B", locked=False)
    assert (d.golden("street"), d.golden("city")) == ("A", "A")


# ---- what is folded


def tagged(kind="union", kinds="set(string)", **options):
    truth = cases(("b.raw.locked", owner("b")), rule(kind, "a", "b", **options))
    return desk(a_field("tags", truth=truth, kind=kinds, equal="set" if "set" in kinds else "exact"), members=(LOCKS,))


def test_a_set_is_folded_only_while_its_case_decides():
    d = tagged()
    d.look("a", tags=["red"])
    d.look("b", tags=["blue"], locked=False)
    assert d.golden("tags") == ["blue", "red"]
    d.look("b", tags=["blue"], locked=True)
    assert d.golden("tags") == ["blue"]
    d.look("a", tags=["green", "red"])
    assert d.golden("tags") == ["blue"]
    d.look("b", tags=["blue", "new"], locked=False)
    assert d.golden("tags") == ["blue", "new"], "what a said meanwhile was not folded"
    d.write_all("a")
    d.look("a", tags=["blue", "new", "last"])
    assert d.golden("tags") == ["blue", "last", "new"]


def test_a_set_that_begins_to_be_folded_without_a_value_starts_with_what_its_sources_hold():
    d = tagged()
    d.look("b", tags=None, locked=True)
    d.look("a", tags=["red"])
    assert d.record.golden["tags"].provisional  # b, which decides while it is locked, has said nothing yet
    d.look("b", tags=None, locked=False)
    assert d.golden("tags") == ["red"]


def test_a_counter_counts_only_while_its_case_decides():
    d = tagged("delta", "integer")
    d.look("a", tags=10)
    d.look("b", tags=10, locked=False)
    d.look("a", tags=12)
    assert d.golden("tags") == 12
    d.look("b", tags=10, locked=True)
    assert d.golden("tags") == 10
    d.look("a", tags=15)
    assert d.golden("tags") == 10
    d.look("b", tags=10, locked=False)
    d.look("a", tags=16)
    assert d.golden("tags") == 11


# ---- what depends on what


def test_what_reads_golden_is_decided_after_it_in_the_same_decision():
    d = desk(
        a_field("f", truth=cases(("golden.g == 'go'", const("on")), const("off"))),
        a_field("g", truth=owner("a")),
    )
    d.look("a", g="stop")
    assert d.golden() == "off"
    d.look("a", g="go")
    assert d.golden() == "on"
    assert {c.name for c in d.space.decisions[-1].fields} == {"f", "g"}


def test_the_order_follows_what_is_read_and_circles_are_found():
    chain = desk(
        a_field("f", truth=cases(("golden.g == 'x'", const("a")), const("b"))),
        a_field("g", truth=cases(("golden.k == 'x'", const("a")), const("b"))),
    )
    assert dependencies(chain.entity) == {"k": set(), "f": {"g"}, "g": {"k"}}
    assert cycle(chain.entity) == ()
    circle = desk(
        a_field("f", truth=cases(("golden.g == 'x'", const("a")), const("b"))),
        a_field("g", truth=cases(("golden.f == 'x'", const("a")), const("b"))),
    )
    assert set(cycle(circle.entity)) == {"f", "g"}
    alone = desk(a_field("f", truth=cases(("golden.f == 'x'", const("a")), const("b"))))
    assert cycle(alone.entity) == ("f",)


def test_a_decision_by_cases_is_derived_again_from_what_was_recorded():
    d = locked(rule("newest", "a", "b", skew=SECOND))
    d.look("a", f="x")
    d.space.now += 60 * SECOND
    d.look("b", f="y", locked=False)
    d.look("b", f="z", locked=True)
    assert d.golden() == "z"
    assert [problem for decision in d.space.decisions for problem in rederive(d.entity, decision)] == []
