"""Expressions: what every operator and function makes of values, null and absent; what names mean; how they are compiled."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from syncd.core.expression import (
    ABSENT,
    TRUTH,
    Failed,
    Formula,
    Names,
    Wrong,
    as_operand,
    canonical_of,
    compile_expression,
    is_true,
)
from syncd.core.functiontable import FUNCTIONS
from syncd.core.parts import Name
from syncd.core.values import Invalid, parse_type

NOW = int(datetime(2026, 11, 21, 10, tzinfo=UTC).timestamp()) * 1_000_000
TYPES = {
    name: parse_type(spec)
    for name, spec in {
        "name": "string",
        "price": "decimal(2)",
        "stock": "integer",
        "active": "boolean",
        "launch": "date",
        "edited": "datetime",
        "tags": "set(string)",
        "extra": "json",
    }.items()
}
NAMES = Names(
    fields={"sap": TYPES, "shop": {"name": TYPES["name"]}}, golden=TYPES, shapes={"shop": {"Weight": "decimal", "t": "string"}}
)
LAUNCH, EDITED = date(2026, 11, 1), datetime(2026, 11, 20, 9, tzinfo=UTC)
VALUES: dict[str, Any] = {
    "sap.name": "Blue mug",
    "sap.price": Decimal("12.50"),
    "sap.stock": 7,
    "sap.active": True,
    "sap.launch": LAUNCH,
    "sap.edited": EDITED,
    "sap.tags": ("a", "b"),
    "sap.extra": {"size": {"w": 3}, "list": [1, "x"]},
    "golden.name": None,
    "golden.extra": None,
    "sap.raw.class": "A",
    "sap.raw.variants.0.sku": "MUG-1",
    "sap.raw.text": "12.50",
    "sap.raw.float": 0.1,
    "sap.raw.one": 1,
    "sap.raw.list": [1, None, "x", [2]],
    "sap.raw.nan": Decimal("NaN"),
    "sap.raw.huge": Decimal("1E+999999"),
    "shop.raw.Weight": "1.5",
    "shop.raw.t": "x",
}


def look(name: Name) -> Any:
    return VALUES.get(".".join(part for part in name if part), ABSENT)


def evaluated(text: str, names: Names = NAMES, find: Callable[[Name], Any] = look) -> Any:
    formula = compile_expression(text, names)
    first = formula(find, NOW)
    assert repr(formula(find, NOW)) == repr(first), "evaluating twice gives the same"
    return first


def wrong(text: str, names: Names = NAMES, **how: str) -> list[tuple[str, int, int, str]]:
    with pytest.raises(Wrong) as caught:
        compile_expression(text, names, **how)
    return [(one.code, one.start, one.end, one.message) for one in caught.value.problems]


N = "golden.extra"  # null
A = "sap.raw.nothing"  # absent
EMPTY = (N, A, "null")
GIVES: list[tuple[str, Any]] = [
    ("1 + 2", 3),
    ("1.5 + 2", Decimal("3.5")),
    ("0.1 + 0.2", Decimal("0.3")),
    ("sap.raw.float + 0.2", Decimal("0.3")),
    ("'a' + \"b\"", "ab"),
    ("7 - 2.5", Decimal("4.5")),
    ("3 * 1.10", Decimal("3.30")),
    ("1 / 3", Decimal("0.3333333333333333333333333333")),
    ("6 / 3", Decimal(2)),
    ("7 // 2", 3),
    ("-7 // 2", -4),
    ("-7.5 // 2", -4),
    ("7 % 3", 1),
    ("-7.5 % 2", Decimal("0.5")),
    ("7.5 % -2", Decimal("-0.5")),
    ("-sap.price", Decimal("-12.50")),
    ("+sap.price", Decimal("12.50")),
    ("2 + 3 * 4", 14),
    ("(2 + 3) * 4", 20),
    ("1e3", Decimal("1E+3")),
    (".5 + 1", Decimal("1.5")),
    ("1 < 2", True),
    ("1 < 2 < 3", True),
    ("1 < 3 < 2", False),
    ("2 == 2.00", True),
    ("'a' < 'b'", True),
    ("sap.name == 'Blue mug'", True),
    ("sap.name != 'Blue mug'", False),
    ("sap.active == true", True),
    ("sap.active and sap.stock > 5", True),
    ("sap.stock >= 7.0 and sap.stock <= 7", True),
    ("sap.launch < today()", True),
    ("sap.edited < now()", True),
    ("sap.launch == date('2026-11-01')", True),
    ("sap.tags == ['a', 'b']", True),
    ("'a' in sap.tags", True),
    ("'c' not in sap.tags", True),
    ("'mug' in sap.name", True),
    ("length(sap.name) in [8, 12]", True),
    ("sap.stock in (1, 7.0)", True),
    ("sap.price in [12.5, null]", True),
    ("sap.name in ['x', null]", False),
    ("sap.raw.one in ['x', 1]", True),
    ("'w' in sap.extra.size", True),
    ("sap.extra.size.w + 1", 4),
    ("sap.extra['list'][1]", "x"),
    ("split('a-b', '-')[1]", "b"),
    ("split('a-b', '-')[-1]", "b"),
    ("split('a-b', '-')[5]", None),
    ("not true", False),
    ("true and not false", True),
    ("True or None", True),
    ("false or 1 > 2", False),
    ("'x' if sap.active else 'y'", "x"),
    ("'x' if null else 'y'", "y"),
    ("sap.raw.class", "A"),
    ("sap.raw['class']", "A"),
    ("sap.raw.variants.0.sku", "MUG-1"),
    ('sap.raw.variants[0]["sku"]', "MUG-1"),
    ("sap.raw.variants[ 0 ].sku", "MUG-1"),
    ("sap.raw.one and true", True),
    ("number(sap.raw.text) * 2", Decimal("25.00")),
    ("shop.raw.Weight * 1000", Decimal("1500.0")),
    ("round(shop.raw.Weight * 1000)", 1500),
    ("sap.name\n  == 'Blue mug'\n", True),
    (r"'it\'s' + '\n\d\\'", "it's\n\\d\\"),
    ("[1, 'a', null]", (1, "a", None)),
    ("'x' if 1 > 2 else null", None),
    ("3 in [[3], 3]", True),
]


@pytest.mark.parametrize(("text", "value"), GIVES, ids=[text for text, _ in GIVES])
def test_an_expression_gives(text: str, value: Any) -> None:
    found = evaluated(text)
    assert (found, type(found) is bool) == (value, type(value) is bool)


@pytest.mark.parametrize("empty", EMPTY)
@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("{} == null", True),
        ("null == {}", True),
        ("{} != null", False),
        ("{} == 5", False),
        ("{} != 5", True),
        ("{} == ''", False),
        *[(f"{{}} {op} 5", False) for op in ("<", "<=", ">", ">=")],
        *[(f"5 {op} {{}}", False) for op in ("<", "<=", ">", ">=")],
        ("{} >= {}", False),
        ("{} == {}", True),
        *[(f"{{}} {op} 5", None) for op in ("+", "-", "*", "/", "//", "%")],
        *[(f"5 {op} {{}}", None) for op in ("+", "-", "*", "/", "//", "%")],
        ("{} + 'a'", None),
        ("'a' + {}", None),
        ("-{}", None),
        ("not {}", True),
        ("{} and true", False),
        ("{} or true", True),
        ("true and {}", False),
        ("{} or false", False),
        ("{} in [1, null]", True),
        ("{} in [1]", False),
        ("{} not in [1]", True),
        ("1 in {}", False),
        ("1 not in {}", True),
        ("{} in 'abc'", False),
        ("1 if {} else 2", 2),
        ("1 < {} < 3", False),
        ("is_null({})", True),
        ("coalesce({}, 3)", 3),
        ("min({}, 3)", 3),
        ("sum({}, 3)", 3),
        ("sum({})", None),
        ("max({})", None),
        ("lower({})", None),
        ("length({})", None),
        ("round({}, 2)", None),
        ("days_since({})", None),
        ("contains({}, 'x')", None),
        ("first({})", None),
        ("text({})", None),
    ],
)
def test_null_and_absent_mean_the_same_everywhere(text: str, value: Any, empty: str) -> None:
    found = evaluated(text.format(*[empty] * 2))
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    ("text", "value"), [(f"is_absent({N})", False), (f"is_absent({A})", True), ("is_absent(sap.name)", False)]
)
def test_only_is_absent_tells_absent_from_null(text: str, value: bool) -> None:
    assert evaluated(text) is value


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("sap.price / 0", "sap.price / 0 divides by zero"),
        ("sap.price // 0", "sap.price // 0 divides by zero"),
        ("5 % (sap.stock - 7)", "5 % (sap.stock - 7) divides by zero"),
        ("sap.raw.text + 1", "sap.raw.text is text, and 1 is a number: write text(...) to join them"),
        ("sap.raw.text * 2", "sap.raw.text is text, not a number"),
        ("sap.raw.text > 2", "sap.raw.text is text, and 2 is a number: write number(sap.raw.text)"),
        ("sap.raw.text == 12.5", "sap.raw.text is text, and 12.5 is a number: write number(sap.raw.text)"),
        ("-sap.raw.text", "sap.raw.text is text, not a number"),
        ("sap.raw.one == true", "sap.raw.one is a number, and true is true or false"),
        ("sap.raw.text and true", "sap.raw.text is text, not true or false: compare it with something"),
        ("not sap.raw.list", "sap.raw.list is a list, not true or false: compare it with something"),
        ("sap.raw.list > sap.raw.list", "sap.raw.list is a list, which has no order"),
        ("lower(sap.raw.one)", "sap.raw.one is a number, and lower() takes text"),
        ("number('abc')", "number('abc'): \"abc\" is not a number"),
        ("date('2026-02-30')", "date('2026-02-30'): \"2026-02-30\" is not in the calendar"),
        ("days_since('soon')", "days_since('soon'): \"soon\" is not a date (2026-01-31)"),
        ("sap.raw.text in [1, 2]", "sap.raw.text is text, and the list [1, 2] has none of that kind"),
        ("1 in sap.raw.one", "sap.raw.one is a number: no number is looked for in that"),
        ("coalesce(sap.raw.text)[0]", "coalesce(sap.raw.text) is text: nothing is in it at 0"),
        ("sap.raw.nan + 1", "sap.raw.nan: NaN is not a finite number"),
        ("sap.raw.huge + 1", "sap.raw.huge: 1E+999999 has more than 28 digits"),
        ("9999999999999999999999999999 + 1", "9999999999999999999999999999 + 1 has more than 28 digits"),
        ("9999999999999999999999.9 * 99999999", "9999999999999999999999.9 * 99999999 has more than 28 digits"),
        ("max(1, 'a')", "max(1, 'a'): compares a number with text"),
        ("sum(sap.raw.list)", 'sum(sap.raw.list): "x" is text, not a number'),
        ("any(['yes'])", "any(['yes']): \"yes\" is text, not true or false: compare it with something"),
        ("round(1.5, 99)", "round(1.5, 99): 99 is not a number of places, 0 to 27"),
        ("split('a', '')", "split('a', ''): there is no separator"),
        ("replace('a', '', 'b')", "replace('a', '', 'b'): there is no text to replace"),
    ],
)
def test_an_evaluation_fails_with_its_reason(text: str, reason: str) -> None:
    with pytest.raises(Failed) as caught:
        evaluated(text)
    assert str(caught.value) == reason


@pytest.mark.parametrize("function", FUNCTIONS.values(), ids=list(FUNCTIONS))
def test_the_example_of_a_function_is_true(function: Any) -> None:
    given = evaluated(function.example)
    if function.result.startswith("["):
        given = list(given)
    shown = canonical_of(TYPES["edited"], given) if isinstance(given, datetime) else given
    text = (
        {True: "true", False: "false"}[given]
        if isinstance(given, bool)
        else repr(given)
        if isinstance(given, str | list)
        else str(shown)
    )
    assert text == function.result
    assert function.doc
    assert function.name == function.signature.partition("(")[0]


FUNCTION_CASES: list[tuple[str, Any]] = [
    ("round(2.5)", 3),
    ("round(-2.5)", -3),
    ("round(2.675, 2)", Decimal("2.68")),
    ("round(1250, -2)", 1300),
    ("round(2, 2)", 2),
    ("floor(-2.5)", -3),
    ("ceil(-2.5)", -2),
    ("abs(-2.5)", Decimal("2.5")),
    ("min('b', 'a')", "a"),
    ("max(sap.launch, date('2026-12-01'))", date(2026, 12, 1)),
    ("min([])", None),
    ("min([null, 2])", 2),
    ("sum([1, 2.5, null])", Decimal("3.5")),
    ("coalesce(golden.name, sap.raw.nothing, sap.name)", "Blue mug"),
    ("contains(sap.tags, 'a')", True),
    ("contains(sap.tags, 'z')", False),
    ("starts_with(sap.name, 'Blue')", True),
    ("ends_with(sap.name, 'Blue')", False),
    ("join(split('a-b', '-'), '+')", "a+b"),
    ("text(true)", "true"),
    ("text(sap.launch)", "2026-11-01"),
    ("text(sap.edited)", "2026-11-20T09:00:00Z"),
    ("number(5)", 5),
    ("number('-0.50')", Decimal("-0.50")),
    ("days_since(sap.launch)", 20),
    ("days_since(sap.edited)", 1),
    ("days_since('2026-11-20')", 1),
    ("days_between(sap.launch, sap.edited)", 19),
    ("year(sap.edited) + month(sap.launch) + day('2026-01-05')", 2042),
    ("date('2026-11-01T23:30:00-05:00')", date(2026, 11, 2)),
    ("datetime('2026-11-01T10:00:00')", datetime(2026, 11, 1, 10, tzinfo=UTC)),
    ("today()", date(2026, 11, 21)),
    ("first([])", None),
    ("last(sap.tags)", "b"),
    ("unique(['b', 'a', 'b', null])", ("b", "a")),
    ("sorted(['b', 'a'])", ("a", "b")),
    ("matches('MUG-1', '^[A-Z]{3}-[0-9]+$')", True),
    ("matches('mug', '^[A-Z]')", False),
    ("matches(golden.name, 'x')", None),
    ("upper('straße')", "STRASSE"),
    ("trim('\\t x\\n')", "x"),
    ("all([])", True),
    ("any([])", False),
]


@pytest.mark.parametrize(("text", "value"), FUNCTION_CASES, ids=[text for text, _ in FUNCTION_CASES])
def test_a_function_gives(text: str, value: Any) -> None:
    found = evaluated(text)
    assert (found, type(found) is bool) == (value, type(value) is bool)


def test_the_names_of_an_expression_are_told_once_in_their_order() -> None:
    formula = compile_expression("sap.price > golden.price and sap.raw.a.b[0] == sap.price", NAMES)
    assert formula.names == (Name("sap", "price"), Name("golden", "price"), Name("sap.raw", "a.b.0"))
    assert formula.text.startswith("sap.price >")


@pytest.mark.parametrize(
    ("text", "timed"), [("sap.price > 1", False), ("days_since(sap.launch) > 3", True), ("today() > now()[0]", True)]
)
def test_an_expression_tells_whether_it_asks_for_the_time(text: str, timed: bool) -> None:
    if "[0]" in text:
        assert wrong(text)
        return
    assert compile_expression(text, NAMES).timed is timed


def test_bare_names_are_fields_or_the_platforms_own() -> None:
    bare = Names(bare=TYPES, value=TYPES["price"])
    assert compile_expression("length(name) > 2 and value < price", bare).names == (
        Name("", "name"),
        Name("", "value"),
        Name("", "price"),
    )
    own = Names(raw_bare=True)
    formula = compile_expression("status != 'ARCHIVED' and from.class.0.$id == null and length == 1", own)
    assert formula.names == (Name("", "status"), Name("", "from.class.0.$id"), Name("", "length"))
    shaped = Names(raw_bare=True, shapes={"": {"status": "string"}})
    assert wrong("statsu == 'x'", shaped) == [("E210", 0, 6, 'there is no field called "statsu"')]


@pytest.mark.parametrize(
    ("value", "means"), [(True, True), (False, False), (None, False), (ABSENT, False), (1, True), (0, False), ("true", True)]
)
def test_what_a_condition_means(value: Any, means: bool) -> None:
    assert is_true(value) is means


@pytest.mark.parametrize("value", ["yes", 2, "", (), Decimal("0.5"), date(2026, 1, 1)])
def test_what_is_no_condition(value: Any) -> None:
    with pytest.raises(Failed):
        is_true(value)


CANONICAL: list[tuple[str, Any, Any]] = [
    ("name", "x", "x"),
    ("price", "12.50", Decimal("12.50")),
    ("stock", 5, 5),
    ("active", True, True),
    ("launch", "2026-11-01", LAUNCH),
    ("edited", "2026-11-20T09:00:00Z", EDITED),
    ("tags", ["a", "b"], ("a", "b")),
    ("extra", {"a": [1]}, {"a": [1]}),
    ("name", None, None),
]


@pytest.mark.parametrize(("field", "canonical", "operand"), CANONICAL)
def test_a_value_becomes_an_operand_and_comes_back(field: str, canonical: Any, operand: Any) -> None:
    assert as_operand(TYPES[field], canonical) == operand
    assert canonical_of(TYPES[field], operand) == canonical


@pytest.mark.parametrize(
    ("field", "value", "kept"),
    [
        ("price", 3, "3.00"),
        ("price", Decimal("1.500"), "1.50"),
        ("stock", Decimal("1500.0"), 1500),
        ("tags", ("b", "a", "b"), ["a", "b"]),
    ],
)
def test_a_result_is_kept_as_the_field_keeps_it(field: str, value: Any, kept: Any) -> None:
    assert canonical_of(TYPES[field], value) == kept


@pytest.mark.parametrize(
    ("field", "value", "reason"),
    [
        ("price", Decimal("1.234"), "1.234 has more than 2 places: write round(..., 2)"),
        ("price", "12.50", '"12.50" is text, and the field is decimal(2): write number(...)'),
        ("price", True, "True is true or false, and the field is decimal(2)"),
        ("stock", Decimal("1.5"), "1.5 is not an integer: write round(..., 0)"),
        ("name", 5, "5 is a number, and the field is string: write text(...)"),
        ("active", 1, "1 is a number, and the field is boolean"),
        ("launch", "2026-11-01", '"2026-11-01" is text, and the field is date'),
        ("tags", ("a", 1), "1 is a number, not text"),
    ],
)
def test_a_result_that_does_not_fit_its_field_is_invalid(field: str, value: Any, reason: str) -> None:
    with pytest.raises(Invalid) as caught:
        canonical_of(TYPES[field], value)
    assert str(caught.value) == reason


def test_a_formula_is_what_it_says() -> None:
    formula = compile_expression("sap.price > 10", NAMES, want=TRUTH)
    assert isinstance(formula, Formula)
    assert (formula.gives, formula.timed) == (TRUTH, False)
    assert wrong("sap.price + 1", want=TRUTH)[0][3] == "sap.price + 1 is a number, not true or false"
    assert wrong("sap.price", want="text") == [("E211", 0, 9, "this gives a number, and text is needed")]


CONTRACT: list[tuple[str, Names]] = [  # every expression of the contract's own example
    ("status != 'ARCHIVED'", Names(raw_bare=True)),
    ("IsDeleted == false", Names(raw_bare=True)),
    ("consent == 'granted'", Names(bare={"consent": parse_type({"enum": ["granted", "withdrawn", "unknown"]})})),
    ("length(gtin) in [8, 12, 13, 14]", Names(bare={"gtin": TYPES["name"]})),
    ("sanity.raw.locked", Names(fields={"sanity": {}})),
    ("round(sap.raw.Weight * 1000)", Names(fields={"sap": {}}, shapes={"sap": {"Weight": "decimal"}})),
    ("shopify.raw.publishedAt != null", Names(fields={"shopify": {}})),
    ("'withdrawn' in [a.consent, b.consent]", Names(fields={"a": {"consent": TYPES["name"]}, "b": {"consent": TYPES["name"]}})),
    ("mailer.consent != null", Names(fields={"mailer": {"consent": TYPES["name"]}})),
]


@pytest.mark.parametrize(("text", "names"), CONTRACT, ids=[text for text, _ in CONTRACT])
def test_the_expressions_of_the_example_are_understood(text: str, names: Names) -> None:
    formula = compile_expression(text, names, "anything" if text.startswith("round") else TRUTH)
    assert formula(lambda _: ABSENT, NOW) in (True, False, None)
    assert len(formula.names) == text.count(".consent") or len(formula.names) == 1
