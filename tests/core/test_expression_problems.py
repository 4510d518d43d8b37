"""What is wrong with an expression is said before it runs: all at once, at its columns, with what to write instead."""

from typing import Any

import pytest

from syncd.core.expression import TRUTH, Names, Problem, Wrong, compile_expression
from syncd.core.values import parse_type

T = {name: parse_type(spec) for name, spec in {"sku": "string", "price": "decimal(2)", "stock": "integer"}.items()}
T |= {"state": parse_type({"enum": ["granted", "withdrawn"]}), "extra": parse_type("json")}
T |= {
    "active": parse_type("boolean"),
    "launch": parse_type("date"),
    "edited": parse_type("datetime"),
    "tags": parse_type("set(string)"),
}
GTIN = parse_type("string")
NAMES = Names(
    fields={"sap": T | {"gtin": GTIN}, "shopify": T},
    golden=T | {"gtin": GTIN},
    shapes={"sap": {"NetPrice": "decimal", "Stock": "integer", "Product": "string"}},
)


def problems(text: str, names: Names = NAMES, **how: Any) -> list[Problem]:
    with pytest.raises(Wrong) as caught:
        compile_expression(text, names, **how)
    found = list(caught.value.problems)
    for one in found:
        assert 0 <= one.start < one.end <= max(len(text), 1)
        assert one.code in ("E210", "E211")
        assert one.message
        assert one.why
        assert one.fix or one.hint
    assert found == sorted(found)
    return found


UNKNOWN: list[tuple[str, str, str, str]] = [  # text, underlined, message, hint
    ("sap.prise > 1", "sap.prise", 'no field called "prise"', 'did you mean "price"?'),
    ("sap.xyzzy > 1", "sap.xyzzy", 'no field called "xyzzy"', ""),
    ("spa.price > 1", "spa.price", 'no platform called "spa"', 'did you mean "sap"?'),
    ("goldn.price > 1", "goldn.price", 'no platform called "goldn"', 'did you mean "golden"?'),
    ("golden.prcie > 1", "golden.prcie", 'no field called "prcie"', 'did you mean "price"?'),
    ("shopify.gtin == null", "shopify.gtin", "gtin is not mapped on shopify", "no mapping there"),
    ("lwer(sap.sku) == 'a'", "lwer", 'no function called "lwer"', 'did you mean "lower"?'),
    ("len(sap.sku) == 1", "len", 'no function called "len"', 'did you mean "length"?'),
    ("eval(1) == 1", "eval", 'no function called "eval"', ""),
    ("sap.raw.NetPrise > 1", "sap.raw.NetPrise", 'sap has no field called "NetPrise"', 'did you mean "NetPrice"?'),
    ("sap.NetPrice > 1", "sap.NetPrice", 'no field called "NetPrice"', 'did you mean "sap.raw.NetPrice"?'),
    ("price > 1", "price", 'no bare name "price" here', "whose?"),
    ("sap.price.x > 1", "sap.price.x", 'price is decimal(2) and has no part called "x"', ""),
    ("sap.pri\u0441e > 1", "sap.pri\u0441e", 'no field called "pri\u0441e"', 'did you mean "price"?'),
    ("sap.\uff50rice > 1", "sap.\uff50rice", 'no field called "\uff50rice"', 'did you mean "price"?'),
]


@pytest.mark.parametrize(("text", "under", "message", "hint"), UNKNOWN, ids=[case[0] for case in UNKNOWN])
def test_an_unknown_name_is_told_with_what_may_be_meant(text: str, under: str, message: str, hint: str) -> None:
    (one,) = problems(text)
    assert (one.code, text[one.start : one.end], one.message) == ("E210", under, message)
    assert one.hint.startswith(hint) if hint else not one.hint.startswith("did")


REFUSED: list[tuple[str, str, str, str]] = [  # text, underlined, message, fix
    ("sap.price = 1", "=", '"=" stores, it does not compare', "use == to compare"),
    ("sap.price === 1", "===", '"===" is not an operator', "write  =="),
    ("sap.active && true", "&&", '"&&" is not an operator', "write  and"),
    ("sap.active || true", "||", '"||" is not an operator', "write  or"),
    ("!sap.active", "!", '"!" is not an operator', "write  not"),
    ("sap.price <> 1", "<>", '"<>" is not an operator', "write  !="),
    ("sap.price => 1", "=>", '"=>" is not an operator', "write  >="),
    ("sap.active AND true", "AND", '"AND" is not a word of the expression language', "write  and"),
    ("sap.sku == NULL", "NULL", '"NULL" is not a word of the expression language', "write  null"),
    ("sap.sku is null", "sap.sku is null", '"is" is not offered', "write  sap.sku == null"),
    ("sap.sku is not null", "sap.sku is not null", '"is not" is not offered', "write  sap.sku != null"),
    ("2 ** 8", "**", "powers are not offered", "write the product:  x * x"),
    ("sap.active ? 1 : 2", "?", '"?" is not an operator', "write  a if condition else b"),
    ("sap.sku == \u201cx\u201d", "\u201c", "\u201c is a typographic quote", "write  'text'  or  \"text\""),
    ("sap.sku == 'x", "'x", "this text has no end", "put a ' where the text ends"),
    ("sap.sku.lower() == 'x'", "sap.sku.lower", '"sap.sku.lower" cannot be called', "write  lower(sap.sku)"),
    ("'x'.upper()", ".", "nothing can be called or read behind a value", None),
    ("lower(sap.price)", "sap.price", "lower() takes text, and sap.price is a number", "write  text(sap.price)"),
    ("'a' + 1", "1", "adds text and a number", "write  text(1)"),
    ("sap.sku * 2", "sap.sku", "sap.sku is text, not a number", "write  number(sap.sku)"),
    ("sap.price > '5'", "'5'", "compares a number with text", "write  number('5')"),
    ("sap.sku == 5", "5", "compares text with a number", "write  text(5)"),
    ("sap.active == 1", "sap.active", "compares true or false with a number", None),
    ("sap.active + 1", "sap.active", "sap.active is true or false, which + cannot add", None),
    ("sap.launch > '2026-01-31'", "'2026-01-31'", "compares a date with text", "write  date('2026-01-31')"),
    ("sap.launch > now()", "now()", "compares a date with a date with time", "write  date(now())"),
    ("sap.tags > 1", "sap.tags", "compares a list with a number", None),
    ("sap.active > false", "sap.active", "sap.active is true or false, which has no order", "compare with == or !="),
    ("5 in sap.sku", "5", "looks for a number in text", "write  text(5)"),
    ("5 in ['a', 'b']", "5", "looks for a number in a list of other kinds", "write  text(5)"),
    ("'a' in sap.price", "sap.price", "sap.price is a number: nothing is in it", None),
    ("sap.price and true", "sap.price", "sap.price is a number, not true or false", "write  sap.price > 0"),
    ("1 if sap.sku else 2", "sap.sku", "sap.sku is text, not true or false", 'write  sap.sku == "..."'),
    ("not sap.tags", "sap.tags", "sap.tags is a list, not true or false", "write  length(sap.tags) > 0"),
    (
        "round(sap.price, 1, 2)",
        "round(sap.price, 1, 2)",
        "round() takes 1 or 2 values, not 3",
        "write  round(number, places=0)",
    ),
    ("lower()", "lower()", "lower() takes 1 value, not 0", "write  lower(text)"),
    ("min()", "min()", "min() takes at least one value, not 0", None),
    ("sap", "sap", "sap is no value", "name a field of it:  sap.FIELD"),
    ("sap.raw == null", "sap.raw", "sap.raw is no value", "name one of its fields:  sap.raw.FIELD"),
    ("lower == 'x'", "lower", "lower is a function", "write  lower(text)"),
    ("sap.price sap.stock", "sap.stock", 'an operator is missing before "sap.stock"', None),
    ("sap.sku 'x'", "x", 'an operator is missing before "x"', "texts are joined with +"),
    ("sap.price >", ">", "the expression ends too early", None),
    ("sap.price > > 1", ">", 'a value is missing before ">"', None),
    ("(sap.price > 1", "(", 'this "(" is never closed', "close it"),
    ("sap.price > 1)", ")", 'this ")" closes nothing', "leave it out"),
    ("", "", "the expression is empty", None),
    ("1, 2", "1, 2", "an expression gives one value", 'a list is  ["a", "b"]'),
    ("1 if true", "if", '"if" without "else"', "a choice is  a if b else c"),
    ("12kg", "12kg", '"12kg" is not a number', None),
    ("0x1F", "0x1F", '"0x1F" is not a number', None),
    ("1_000", "1_000", '"1_000" is not a number', None),
    ("1e99", "1e99", "1E+99 has more than 28 digits", None),
    ("f'{sap.sku}'", "f'", "no letters before a text: f'", None),
    ("lambda: 1", "lambda", '"lambda" is not offered in an expression', None),
    ("sap.raw['a.b']", "sap.raw['a.b']", "this path cannot be named", None),
    ("matches(sap.sku, sap.sku)", "sap.sku", "the pattern is not a text in quotes", None),
    ("matches(sap.sku, '(?=x)')", "'(?=x)'", "this pattern is not known: (?...) is not known, but for (?:...)", None),
    ("sap.state == 'grantd'", "'grantd'", "sap.state is never 'grantd'", "use one of: granted, withdrawn"),
    ("'x' != sap.state", "'x'", "sap.state is never 'x'", None),
    ("sap.state in ['granted', 'y']", "'y'", "sap.state is never 'y'", None),
    ("'wthdrawn' in [sap.state, shopify.state]", "'wthdrawn'", "sap.state is never 'wthdrawn'", None),
    ("sap.sku.strip()", "sap.sku.strip", '"sap.sku.strip" cannot be called', "write  trim(sap.sku)"),
    ("for(1)", "for", '"for" is not offered in an expression', None),
    ("-sap.sku", "sap.sku", "sap.sku is text, not a number", "write  number(sap.sku)"),
    ("is_absent(1 + 1)", "1 + 1", "is_absent() asks for a name", "write  is_null(...)"),
    ("sap.tags[sap.sku]", "sap.sku", "a position is a whole number or a name in quotes", None),
]


@pytest.mark.parametrize(("text", "under", "message", "fix"), REFUSED, ids=[case[0] for case in REFUSED])
def test_what_cannot_be_understood_is_told_with_what_to_write(text: str, under: str, message: str, fix: str | None) -> None:
    found = next((one for one in problems(text) if one.message == message), None)
    assert found is not None, problems(text)
    assert found.code == "E211"
    assert text[found.start : found.end].strip("'") == under.strip("'") or under == "f'"
    assert fix is None or found.fix == fix


def test_everything_wrong_is_told_at_once() -> None:
    text = "sap.prise > 1 && lwer(sap.sku) = 'x' || sap.gtni == null"
    found = [(one.code, text[one.start : one.end]) for one in problems(text)]
    assert found == [
        ("E210", "sap.prise"),
        ("E211", "&&"),
        ("E210", "lwer"),
        ("E211", "="),
        ("E211", "||"),
        ("E210", "sap.gtni"),
    ]
    text = "sap.prise > 1 and lower(sap.price) == 'x' and sap.sku == 5"
    assert [one.code for one in problems(text)] == ["E210", "E211", "E211"]


def test_a_field_of_an_enum_is_compared_with_its_words() -> None:
    compile_expression("sap.state == 'granted' or 'withdrawn' in [sap.state, shopify.state] or sap.state == null", NAMES)
    compile_expression("sap.state in ['granted', null] and sap.state == sap.sku and sap.extra.a.0 == 'x'", NAMES)


def test_golden_is_not_known_everywhere() -> None:
    (one,) = problems("golden.price > 1", Names(bare=T))
    assert (one.message, one.fix) == ("golden is not known here", "write  price")
    (one,) = problems("lambda", Names(bare=T))
    assert one.code == "E211"


def test_a_name_with_a_minus_in_it_is_written_in_quotes() -> None:
    (one,) = problems("shopify.raw.net-prize > 1")
    assert one.fix.startswith('a name with a minus in it is written  shopify.raw["net-prize"]')
    compile_expression("shopify.raw['net-prize'] > 1 and shopify.raw.@type == 'x'", NAMES)


def test_at_most_two_names_are_suggested() -> None:
    names = Names(bare=dict.fromkeys(("nam", "nama", "name", "namee"), GTIN))
    (one,) = problems("namx == ''", names)
    assert one.hint.count('"') == 4


@pytest.mark.parametrize(
    "text", ["x" * 2001, "1 + " * 300 + "1", "(" * 40 + "1" + ")" * 40, "not " * 40 + "true", "- " * 40 + "1"]
)
def test_a_text_beyond_the_bounds_is_refused(text: str) -> None:
    assert any("allowed" in one.message or "nested" in one.message for one in problems(text))


def test_the_kind_that_is_needed_is_asked_for() -> None:
    (one,) = problems("sap.price", want=TRUTH)
    assert (one.start, one.end, one.hint) == (0, 9, "compare it")
    (one,) = problems("sap.price if sap.active else 2", want=TRUTH)
    assert one.message.endswith("is a number, not true or false")
