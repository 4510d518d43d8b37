"""Expressions at their bounds: texts and lists that are too long, values that are none, and the compiler's own wall."""

import ast
from datetime import UTC, datetime
from typing import Any

import pytest

from syncd.core.expression import ABSENT, Failed, Names, Wrong, canonical_of, compile_expression
from syncd.core.formula import Compiler
from syncd.core.parts import Name
from syncd.core.tokens import Token
from syncd.core.values import Invalid, parse_type

PRICE, STOCK = parse_type("decimal(2)"), parse_type("integer")
NAMES = Names(
    fields={"sap": {"price": PRICE, "stock": STOCK}}, shapes={"own": {"Weight": "decimal", "Box": "json", "a.b": "string"}}
)
NAMES = Names(fields=dict(NAMES.fields) | {"own": {}}, shapes=NAMES.shapes)
VALUES: dict[str, Any] = {
    "sap.price": parse_type("decimal(2)").number("12.50"),
    "sap.stock": 7,
    "sap.raw.long": "x" * 70_000,
    "sap.raw.same": "y" * 70_000,
    "sap.raw.longest": "x" * 50_000_000,
    "sap.raw.object": {"a": 1, "b": [1, {"c": None}]},
    "sap.raw.other": {"a": 1, "b": [1, {"c": 2}]},
    "sap.raw.bytes": b"x",
    "sap.raw.naive": datetime(2026, 1, 1),  # noqa: DTZ001 - as a database may give it
    "sap.raw.early": datetime(1, 1, 1, tzinfo=UTC),
    "own.raw.Weight": "heavy",
    "own.raw.Box.size": 3,
}


def given(text: str) -> Any:
    return compile_expression(text, NAMES)(lambda name: VALUES.get(".".join(part for part in name if part), ABSENT), 0)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("upper(sap.raw.long)", "the text has more than 64 Ki characters"),
        ("sap.raw.long + 'x'", "has more than 64 Ki characters"),
        ("replace('" + "a" * 1000 + "', 'a', '" + "b" * 900 + "')", "the text would have more than 64 Ki characters"),
        ("join([sap.raw.long], '')", "the text would have more than 64 Ki characters"),
        ("join([1], '')", "1 is a number, not text"),
        ("contains('abc', 1)", "1 is a number, not text"),
        ("text(coalesce(date('0001-01-01T01:00:00+05:00'), 1))", "is not in the calendar"),
        ("text(datetime('0001-01-01T01:00:00+05:00'))", "outside the years 1 to 9999"),
        ("sap.raw.bytes == null", "sap.raw.bytes is bytes, which no expression knows"),
        ("own.raw.Weight", 'own.raw.Weight: "heavy" is not a number'),
        ("own.raw.Weight + 1", 'own.raw.Weight: "heavy" is not a number'),
        ("sap.raw.object + 1", "sap.raw.object is an object, not a number"),
        ("sap.raw.longest == sap.raw.longest", "takes more than 10,000 steps"),
        ("'x' in sap.raw.longest", "takes more than 10,000 steps"),
        ("min(sap.raw.object, 1)", "sap.raw.object is an object, and min() takes"),
        ("max([true])", "true or false has no rank"),
        ("sap.stock in sap.raw.object", "sap.raw.object is an object: no number is looked for in that"),
    ],
)
def test_what_is_too_much_or_of_the_wrong_kind_fails(text: str, reason: str) -> None:
    with pytest.raises(Failed) as caught:
        given(text)
    assert reason in str(caught.value)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("sap.price > 10", True),
        ("sap.stock > 10", False),
        ("sap.raw.object == sap.raw.object", True),
        ("sap.raw.object == sap.raw.other", False),
        ("[sap.raw.object] == [null]", False),
        ("'a' in sap.raw.object", True),
        ("sap.raw.long == sap.raw.same", False),
        ("length(sap.raw.long)", 70_000),
        ("1 < sap.stock < 9 and sap.price < 13 and not sap.raw.x", True),
        ("1 < 2 < 3 < 2", False),
        ("false or false or sap.stock == 7", True),
        ("sap.raw.naive == datetime('2026-01-01')", True),
        ("own.raw.Box.size + 1", 4),
        ("own.raw.a.b", None),
        ("own.raw.a.c", None),
    ],
)
def test_edges_have_a_value(text: str, value: Any) -> None:
    assert given(text) == value


def test_a_number_too_large_for_its_field_is_invalid_without_a_cure() -> None:
    with pytest.raises(Invalid, match="64 bit"):
        canonical_of(STOCK, 2**63)


@pytest.mark.parametrize("text", ["1 else 2 if 3", "+".join("1" * 100), "sap.raw.x[1, 2]", "split('a', 'b')[[]]"])
def test_words_in_order_that_make_no_formula_are_refused(text: str) -> None:
    with pytest.raises(Wrong) as caught:
        compile_expression(text, NAMES)
    assert all(one.code == "E211" for one in caught.value.problems)


@pytest.mark.parametrize(
    "code",
    [
        "(lambda: 1)",
        "(a.b)",
        "([*a])",
        "({})",
        "(1 ** 2)",
        "(1 @ 2)",
        "(f(x=1))",
        "(f(*a))",
        "(a.b())",
        "(eval(1))",
        "(x for x in y)",
    ],
)
def test_the_compiler_itself_knows_only_what_is_offered(code: str) -> None:
    """The mask cannot hold any of these; if it ever did, the second wall stands."""
    tree = ast.parse(code, mode="eval").body
    compiler = Compiler(code, tokens_everywhere(code), {})
    part = compiler.part(tree)
    assert compiler.problems or part.run(lambda _: 1 / 0, [0, 0]) is None


def tokens_everywhere(code: str) -> list[Token]:
    """Return a token for each column, so that the compiler finds one wherever it looks."""
    numbers = [Token("number", at, at + 1, "1") for at, char in enumerate(code[1:]) if char.isdigit()]
    return numbers + [
        Token("call", at, at + 1, code[at + 1 : at + 5]) for at, char in enumerate(code[1:]) if not char.isdigit()
    ]


def test_a_value_is_only_ever_looked_up_by_the_names_that_are_told() -> None:
    formula = compile_expression("sap.price if sap.raw.a == 1 else sap.stock", NAMES)
    assert formula.names == (Name("sap", "price"), Name("sap.raw", "a"), Name("sap", "stock"))
