"""Formulas: what a rule computes, from what, how old it is, and what follows where it gives nothing or what does not fit."""

from decimal import Decimal

import pytest

from syncd.core.checks import parse_checks
from syncd.core.drift import Place, Why, compare
from syncd.core.mapping import read_item
from syncd.core.model import SECOND
from syncd.core.rederive import rederive
from syncd.core.rules import Truth
from syncd.core.values import parse_type
from tests.core.desk import a_field, a_member, desk, owner, rule
from tests.core.rule_words import cases, expr, formula

RAWS = a_member("a", raws=("weight", "deep.er"))


def weighing(text="round(a.raw.weight * 1000)", kind="integer", **options):
    field = {key: options.pop(key) for key in ("checks", "conditions", "max_step", "way") if key in options}
    return desk(a_field("f", truth=expr(text, **options), kind=kind, **field), members=(RAWS,))


def test_a_formula_is_computed_from_the_platforms_own_fields_and_written_to_all():
    d = weighing()
    d.look("a", weight="x", f=None)
    d.look("b", f=1)
    assert 'formula "round(a.raw.weight * 1000)"' in d.why()
    d.look("a", weight=1.5, f=None)
    assert (d.golden(), d.golden_field().who, d.why()) == (1500, "rule", "")
    assert d.sent("b") == {"f": 1500}


def test_a_change_of_nothing_but_the_own_field_decides_again():
    d = weighing()
    d.look("a", weight=1)
    d.look("a", weight=2)
    assert d.golden() == 2000
    change = d.space.decisions[-1].fields[0]
    assert (change.rule, change.who, change.given["names"]) == ("expr", "rule", {"a.raw.weight": 2})


def test_where_nothing_that_it_reads_was_ever_there_golden_stays():
    d = weighing(if_null="clear")
    d.look("b", f=7)
    assert d.golden() is None
    d.look("a", weight=1)
    assert d.golden() == 1000
    d.look("a")
    assert d.golden() == 1000, "what is not in an answer stays as it was seen"


@pytest.mark.parametrize(
    ("options", "golden", "why"),
    [
        ({}, 1000, ""),
        ({"if_null": "keep"}, 1000, ""),
        ({"if_null": "next"}, 1000, ""),
        ({"if_null": "clear"}, None, ""),
        ({"if_null": "hold"}, 1000, 'formula "round(a.raw.weight * 1000)" gives null'),
        ({"if_null": "const", "null_value": 5}, 5, ""),
        ({"if_null": "use", "null_use": "b"}, 7, ""),
        ({"if_null": "use", "null_use": "c"}, 1000, ""),
    ],
)
def test_null_obeys_if_null(options, golden, why):
    d = weighing(**options)
    d.look("b", f=7)
    d.look("a", weight=1)
    d.look("a", weight=None)
    assert (d.golden(), d.why()) == (golden, why)


def test_a_null_at_first_contact_clears_nothing():
    d = desk(a_field("f", truth=owner("b"), kind="integer"), members=(RAWS,))
    d.look("b", f=7)
    d.rules(fields=d.entity.fields | {"f": a_field("f", truth=expr("a.raw.weight", if_null="clear"), kind="integer")})
    d.look("a", weight=None)
    assert d.golden() == 7


@pytest.mark.parametrize(("option", "held"), [("hold", True), ("keep", False), ("next", False)])
def test_a_value_that_does_not_fit_obeys_if_invalid(option, held):
    checks = parse_checks({"max": 5000}, parse_type("integer")).checks
    d = weighing(if_invalid=option, checks=checks)
    d.look("a", weight=1)
    d.look("a", weight=9)
    assert d.golden() == 1000
    assert d.why() == ('formula "round(a.raw.weight * 1000)": 9000 is more than 5000' if held else "")
    d.look("a", weight=2)
    assert (d.golden(), d.why()) == (2000, "")


def test_a_condition_of_the_field_is_asked_too():
    d = weighing(conditions=(formula("value < 5000", "integer"),))
    d.look("a", weight=9)
    assert (d.golden(), d.why()) == (None, 'formula "round(a.raw.weight * 1000)": not true: value < 5000')


def test_a_value_of_another_type_does_not_fit():
    d = weighing("lower(a.raw.weight)", "integer")
    d.look("a", weight="HEAVY")
    assert "heavy" in d.why()


def test_decimals_stay_exact():
    d = weighing("round(a.raw.weight * 3, 2)", "decimal(2)")
    d.look("a", weight="0.1")
    assert "text" in d.why()
    d.look("a", weight=Decimal("0.1"))
    assert d.golden() == "0.30"


def test_a_jump_is_a_conflict_as_with_every_rule():
    d = weighing(max_step=0.3)
    d.look("a", weight=1)
    d.look("a", weight=2)
    assert (d.golden(), d.why()) == (1000, "jump 100% > 30%")


def test_an_edit_of_what_is_computed_is_stray_and_put_back():
    d = weighing()
    d.look("a", weight=1, f=None)
    d.look("b", f=1000)
    d.look("b", f=7)
    assert [(s.platform, s.value, s.action) for s in d.space.decisions[-1].strays] == [("b", 7, "revert")]
    assert d.sent("b") == {"f": 1000}
    assert d.sent("a") == {"f": 1000}, "the platform whose other field is read is told too"
    place = Place(d.space, d.entity, d.entity.members["b"], d.record)
    assert [one.why for one in compare(place, read_item(d.entity, "b", {"k": "K", "f": 8}))] == [Why.STRAY]


def test_what_the_formula_reads_of_the_field_itself_is_a_word_and_no_stray():
    d = desk(a_field("f", truth=expr("coalesce(a.f, b.f)")))
    d.look("b", f="y")
    d.look("a", f="x")
    assert d.golden() == "x"
    assert not any(decision.strays for decision in d.space.decisions)
    d.write_all("b")
    d.look("a", f=None)
    assert d.golden() == "x", "what we wrote to b is no word of b"


def test_the_interval_is_that_of_the_latest_input_and_does_not_move_without_a_value():
    d = desk(a_field("f", truth=expr("a.g + b.g")), a_field("g", truth=owner("a")))
    d.look("a", g="x")
    d.look("b", g="y")
    latest = d.known("b", "g").hi
    assert (d.golden(), d.golden_field().hi) == ("xy", latest)
    d.look("a", g="x")
    d.look("b", g="y")
    assert d.golden_field().hi == latest


@pytest.mark.parametrize(("option", "golden"), [("keep", "xz"), ("next", "z"), ("hold", "xy")])
def test_stale_platforms_obey_if_stale(option, golden):
    truth = expr("coalesce(a.g, '') + b.g", if_stale=option, stale_after=100 * SECOND)
    d = desk(a_field("f", truth=truth), a_field("g", truth=owner("a")))
    d.look("a", g="x")
    d.look("b", g="y")
    assert d.golden() == "xy"
    d.space.now += 500 * SECOND
    d.space.read_at = {"a": d.space.now - 400 * SECOND, "b": d.space.now}
    d.look("b", g="z")
    assert (d.golden(), d.why()) == (golden, "")
    assert d.plan("c").held.get("f", "") == ("its owner is stale" if option == "hold" else d.plan("c").held.get("f", ""))


def test_a_formula_of_golden_follows_in_the_same_decision():
    d = desk(
        a_field("f", truth=expr("round(golden.n * 1.19, 2)"), kind="decimal(2)"),
        a_field("n", truth=owner("a"), kind="decimal(2)"),
    )
    d.look("a", n=10)
    assert d.golden() == "11.90"
    d.look("a", n=20)
    assert (d.golden(), len(d.space.decisions[-1].fields)) == ("23.80", 2)


def test_a_formula_may_ask_the_time_and_is_asked_at_each_look():
    d = desk(
        a_field("f", truth=expr("days_since(golden.day) > 0"), kind="boolean"),
        a_field("day", truth=owner("a"), kind="date"),
    )
    d.look("a", day="1970-01-01")
    assert d.golden() is False
    d.space.now += 3 * 86400 * SECOND
    d.look("b", day="1970-01-01")
    assert d.golden() is True


def test_a_formula_in_a_case():
    truth = cases(("a.raw.weight == null", owner("b")), expr("a.raw.weight * 2"))
    d = desk(a_field("f", truth=truth, kind="integer"), members=(RAWS,))
    d.look("b", f=7)
    assert d.golden() == 7
    d.look("a", weight=4)
    assert d.golden() == 8


def test_a_formula_may_be_what_a_manual_rule_proposes():
    d = desk(a_field("f", truth=Truth("manual", ("a",), propose=expr("a.raw.weight * 2")), kind="integer"), members=(RAWS,))
    d.look("a", weight=4, f=1)
    d.look("b", f=2)
    assert d.record.conflicts["f"].proposal == 8


def test_what_a_formula_gave_is_derived_again_from_what_was_recorded():
    d = desk(a_field("f", truth=expr("a.g + b.g + golden.k")), a_field("g", truth=rule("newest", "a", "b")))
    d.look("a", g="x")
    d.space.now += 60 * SECOND
    d.look("b", g="y")
    assert d.golden() == "xyK"
    assert [problem for decision in d.space.decisions for problem in rederive(d.entity, decision)] == []


def test_a_formula_that_cannot_be_computed_holds():
    d = weighing("10 / a.raw.weight")
    d.look("a", weight=0)
    assert d.why().startswith('formula "10 / a.raw.weight": ')
