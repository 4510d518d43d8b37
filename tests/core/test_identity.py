"""How records are recognised and called."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncd.core.expression import Names, compile_expression
from syncd.core.identity import label, match_keys, parse_normal, record_key, record_keys
from syncd.core.model import GoldenField, Record
from syncd.core.rules import Entity, Match
from syncd.core.values import parse_type
from tests.core.desk import a_field


def entity(*matches, key="sku", template=""):
    return Entity("product", key, {}, {}, matches=matches, label=template)


def match(*by, normal=()):
    return Match(by, parse_normal(normal), text=", ".join(by))


def record(**golden):
    return Record(12, "product", born=1, golden={name: GoldenField(value) for name, value in golden.items()})


def keys_of(product, **values):
    return [key and key[2] for _, key in match_keys(product, values)]


def test_keys_in_the_order_of_the_matches():
    product = entity(match("sku"), match("gtin"))
    assert match_keys(product, {"gtin": "40", "sku": "MUG-1"}) == [
        (product.matches[0], ("product", "sku", "MUG-1")),
        (product.matches[1], ("product", "gtin", "40")),
    ]


def test_a_missing_part_is_no_key():
    product = entity(match("sku"), match("name", "city"), match("note", normal=["trim"]))
    assert keys_of(product, sku=None, name="a", note="  ") == [None, None, None]
    assert keys_of(product, sku="", name="a", city=None) == [None, None, None]
    assert keys_of(product, name="a", city="b", note="x") == [None, '["a", "b"]', "x"]


@pytest.mark.parametrize(
    ("normal", "value", "text"),
    [
        ([], " A ", " A "),
        (["trim", "lower"], " A ", "a"),
        (["upper"], "a", "A"),
        (["strip_zeros"], "007", "7"),
        (["lower"], 7, "7"),
        ([], True, "true"),
        ([], "Größe", "Größe"),
        ([], ["a", "b"], '["a", "b"]'),
        ([], {"b": 1, "a": 2}, '{"a": 2, "b": 1}'),
        (["lower"], ["A"], '["A"]'),
        (["trim", "pad_zeros(5)"], " 7 ", "00007"),
        (["pad_zeros(5)"], 7, "00007"),
        (["decimal(\",\")", "round(1)"], "12,54", "12.5"),
        ([{"table": {"black": "blk", "BLACK": "blk"}}], "BLACK", "blk"),
    ],
)
def test_key_texts(normal, value, text):
    assert keys_of(entity(match("field", normal=normal)), field=value) == [text]


@pytest.mark.parametrize("specs", [["e16"], ["trim", "txt"], [{"table": {}}], [5]])
def test_no_normaliser(specs):
    with pytest.raises(ValueError):
        parse_normal(specs)


@pytest.mark.parametrize(
    ("normal", "value"), [(["date(\"%Y%m%d\")"], "no date"), ([{"table": {"a": "b"}}], "z"), (["trim", "lower"], "   ")]
)
def test_what_cannot_be_normalised_is_no_key(normal, value):
    assert keys_of(entity(match("field", normal=normal)), field=value) == [None]


# ---- when


def conditional(when):
    names = Names(fields={}, golden={}, bare={"gtin": parse_type("string"), "kind": parse_type("string")})
    rule = replace(match("gtin"), when=compile_expression(when, names))
    fields = {name: a_field(name) for name in ("gtin", "kind")}
    return Entity("product", "gtin", fields, {}, matches=(rule,))


@pytest.mark.parametrize(
    ("when", "values", "text"),
    [
        ("length(gtin) in [8, 13]", {"gtin": "40123456"}, "40123456"),
        ("length(gtin) in [8, 13]", {"gtin": "4012"}, None),
        ("kind == 'box'", {"gtin": "1", "kind": "box"}, "1"),
        ("kind == 'box'", {"gtin": "1", "kind": None}, None),
        ("kind == 'box'", {"gtin": "1"}, None),
        ("kind", {"gtin": "1", "kind": "box"}, None),
        ("1 / (length(gtin) - 1) > 0", {"gtin": "1"}, None),
        ("1 / (length(gtin) - 1) > 0", {"gtin": "12"}, "12"),
    ],
)
def test_a_condition_is_asked_of_the_things_own_fields(when, values, text):
    try:
        product = conditional(when)
    except ValueError:
        assert when == "kind", "text is no condition"
        return
    assert keys_of(product, **values) == [text]
    golden = Record(12, "product", 1, golden={name: GoldenField(value) for name, value in values.items()})
    assert record_keys(product, golden) == ({("product", "gtin", text)} if text else set())


def test_a_unique_field_has_a_key_of_its_own():
    product = Entity("product", "sku", {"slug": a_field("slug", unique=True), "sku": a_field("sku")}, {}, (match("sku"),))
    assert record_keys(product, record(sku="A", slug="mug")) == {("product", "sku", "A"), ("product", "unique slug", "mug")}
    assert record_keys(product, record(sku="A", slug=None)) == {("product", "sku", "A")}


@given(st.lists(st.text(min_size=1), min_size=2, max_size=2), st.lists(st.text(min_size=1), min_size=2, max_size=2))
def test_composite_keys_are_unambiguous(one, two):
    product = entity(match("a", "b"))
    same = keys_of(product, a=one[0], b=one[1]) == keys_of(product, a=two[0], b=two[1])
    assert same == (one == two)


def test_record_keys_are_those_of_golden():
    product = entity(match("sku"), match("gtin"))
    assert record_keys(product, record(sku="MUG-1", gtin=None, name="Mug")) == {("product", "sku", "MUG-1")}


def test_record_key():
    assert record_key(entity(), record(sku="MUG-1")) == "MUG-1"
    assert record_key(entity(), record(sku=5)) == "5"
    assert record_key(entity(), record(sku=None)) == "p12"
    assert record_key(entity(), record()) == "p12"
    assert record_key(entity(key="id"), record(id="x")) == "p12"


def test_label():
    assert label(entity(template="{name} ({sku})"), record(name="Mug", sku="MUG-1")) == "Mug (MUG-1)"
    assert label(entity(template="{name} ({sku})"), record(name=None)) == "? (?)"
    assert label(entity(), record(sku="MUG-1")) == "MUG-1"
