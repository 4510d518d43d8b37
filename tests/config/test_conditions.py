"""Conditions of cases: what is told from their text, and that it holds for every value that could be there."""

import itertools
from decimal import Decimal
from typing import Any

import pytest

from syncd.config.conditions import constant, covered, implies
from syncd.core.expression import Names, compile_expression, is_true
from syncd.core.parts import Expression
from syncd.core.values import parse_type

ANY = parse_type("json")
NAMES = Names(bare={"a": ANY, "b": ANY})
VALUES: list[Any] = [None, True, False, "x", "y", "", 0, 1, 2, 5, Decimal("2.5"), -1]


def read(text: str) -> Expression:
    return compile_expression(text, NAMES)


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("a == 1", "a  ==  1", True),
        ("a == 'x'", 'a == "x"', True),
        ("a == 1", "b == 1", False),
        ("a == 1 and b == 2", "a == 1", True),
        ("a == 1", "a == 1 or b == 2", True),
        ("a == 1 or b == 2", "b == 2 or a == 1", True),
        ("a == 1 or b == 2", "a == 1", False),
        ("a == 1 and b == 2", "b == 2 and a == 1", True),
        ("a > 5", "a > 1", True),
        ("a > 1", "a > 5", False),
        ("a > 5", "a >= 5", True),
        ("a >= 5", "a > 5", False),
        ("a < 1", "a < 2", True),
        ("a <= 1", "a < 2", True),
        ("1 < a", "a > 0", True),
        ("1 >= a", "a <= 1", True),
        ("a > 1", "a < 5", False),
        ("a > 1", "a != null", True),
        ("a == 'x'", "a != null", True),
        ("a == 'x'", "a != 'y'", True),
        ("a == null", "a != null", False),
        ("a == 'x'", "a in ['x', 'y']", True),
        ("a in ['x']", "a in ['x', 'y']", True),
        ("a in ['x', 'z']", "a in ['x', 'y']", False),
        ("a == 2", "a > 1", True),
        ("a == 2.5", "a > 2", True),
        ("a == -1", "a < 0", True),
        ("a == 1", "a > 1", False),
        ("a == b", "a == 1", False),
        ("not a", "not a", True),
        ("lower(a) == 'x'", "lower(a) == 'x'", True),
        ("lower(a) == 'x'", "upper(a) == 'x'", False),
    ],
)
def test_one_condition_implies_another(one: str, other: str, expected: bool) -> None:
    assert implies(read(one), read(other)) is expected


PARTS = ["a == 1", "a != 1", "a > 1", "a >= 1", "a < 2", "a <= 2", "a == null", "a != null", "a in ['x', 1]", "a not in ['x']"]
PARTS += ["a == 'x'", "a != 'x'", "b == 2", "not b == 2", "1 < a", "a in [null, 1]", "a != 2.5", "a == -1"]
WHOLE = [*PARTS, *(f"{one} {word} {two}" for one, two in itertools.pairwise(PARTS) for word in ("and", "or"))]


def truth(condition: Expression, a: Any, b: Any) -> bool | None:
    """Return what a condition says, None if it fails."""
    try:
        return is_true(condition(lambda name: a if name.path == "a" else b, 0))
    except ValueError:
        return None


def test_what_is_said_of_conditions_is_true_of_all_values() -> None:
    read_ones = [read(text) for text in WHOLE]
    table = [[truth(one, a, b) for a in VALUES for b in (1, 2, None)] for one in read_ones]
    wrong = []
    for (one, rows), (other, others) in itertools.permutations(zip(read_ones, table, strict=True), 2):
        if implies(one, other) and any(x is True and y is False for x, y in zip(rows, others, strict=True)):
            wrong.append(("implies", one.text, other.text))
        if covered([one, other]) == 1 and any(x is False and y is False for x, y in zip(rows, others, strict=True)):
            wrong.append(("covers", one.text, other.text))
    for one, rows in zip(read_ones, table, strict=True):
        known = constant(one)
        if known is not None and (not known) in rows:
            wrong.append(("constant", one.text, str(known)))
    assert wrong == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("true", True),
        ("false", False),
        ("1 > 2", False),
        ("null", False),
        ("a", None),
        ("a and not a", False),
        ("days_since(now()) > 0", None),
    ],
)
def test_a_condition_that_is_always_the_same(text: str, expected: bool | None) -> None:
    assert constant(read(text)) is expected
