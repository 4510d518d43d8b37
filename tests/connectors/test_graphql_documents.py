"""Documents read offline: what graphql-core takes is taken, what it refuses is refused; and what is filled in."""

import random
import re
from typing import Any

import pytest
from graphql import GraphQLError, validate
from graphql import parse as parse_by_core
from graphql.validation import (
    KnownFragmentNamesRule,
    NoFragmentCyclesRule,
    NoUndefinedVariablesRule,
    NoUnusedVariablesRule,
    UniqueVariableNamesRule,
)

from syncd.connectors.graphql.document import Document, below, parse
from syncd.connectors.graphql.filling import MISSING, alone, filled, names_in
from syncd.connectors.graphql.fragments import completed, split
from syncd.connectors.graphql.tokens import DocumentError
from syncd.core.model import Item
from syncd.errors import PermanentError
from tests.emulators.graphql.schema import schema

WHOLE = '''query Q($first: Int! = 5, $after: String, $x: [[ID!]!]! @d) @live(if: true) {  # a comment } "
  shop: things(
    first: $first, after: $after, q: {a: [$x, "}\\"", -1.5e3], b: """ { "quoted" """, c: RED, d: null}
  ) @inc(if: true) {
    nodes { ...F ... on T @x { price(c: EUR) { n } } ... { on, type: __typename } }
    pageInfo { hasNextPage, endCursor }
  }
}
fragment F on Thing @d { id sku ...G }
fragment G on Thing { price { m } }'''
SCHEMA = schema()
RULES = [
    KnownFragmentNamesRule, NoFragmentCyclesRule, NoUndefinedVariablesRule, NoUnusedVariablesRule, UniqueVariableNamesRule,
]  # fmt: skip


def test_the_shape_of_an_answer_is_known() -> None:
    found = parse(WHOLE)
    price = {"n": None, "m": None}
    nodes = {"id": None, "sku": None, "price": price, "on": None, "type": None}
    assert found.shape == {"shop": {"nodes": nodes, "pageInfo": {"hasNextPage": None, "endCursor": None}}}
    assert [(one.name, one.type, one.preset) for one in found.variables] == [
        ("first", "Int!", True), ("after", "String", False), ("x", "[[ID!]!]!", False),
    ]  # fmt: skip
    assert found.at("shop.nodes.3.price") == price
    assert found.at("shop.nodes.price.n.deeper") is None
    with pytest.raises(DocumentError, match="there is no prize among price, on, type, id, sku"):
        found.at("shop.nodes.prize")
    assert below({"a": None}, "") == {"a": None}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "there is no query or mutation in it"),
        ("# nothing", "there is no query or mutation in it"),
        ("{", "line 1, column 1 of it: this { is never closed"),
        ("query { a(b: ) }", "line 1, column 14 of it: a value is expected, not )"),
        ("query { a(b 5) }", "line 1, column 13 of it: : is expected, not 5"),
        ("query($a: Int) { a }", "$a is declared and never used"),
        ("query($a: Int, $a: Int) { a(a: $a) }", "line 1, column 17 of it: $a is declared twice"),
        ("{ a(b: [{c: $c}]) }", "line 1, column 14 of it: $c is used and not declared"),
        ("{ a } { b }", "a second operation"),
        ("qery { a }", "qery is neither query, mutation nor fragment"),
        ("{ ...F } fragment F on X { ...G } fragment G on X { ...F }", "contains itself"),
        ("{ ...F }", "there is no fragment F"),
        ("{ a }\nfragment F on X { a }\nfragment F on X { a }", "line 3, column 10 of it: a second fragment F"),
        ('{ a(b: "x) }', "has no meaning here"),
        ("{\n  a {\n  }\n}", "line 2, column 5 of it: nothing is asked for"),
        ("{ a é }", "line 1, column 5 of it: 'é' has no meaning here"),
        ("{ a(b: 01) }", "has no meaning here"),
        ("{ a } }", "is expected, not }"),
        ("{ a(b: " + "[" * 9999, "nested deeper than 64"),
        ("{" + "a{" * 9999, "nested deeper than 64"),
        ("query($a: " + "[" * 9999, "nested deeper than 64"),
        ("{ a(b: {", "the name of an argument is expected, not the end"),
        ("{ a(b: [", "it ends too early"),
    ],
)
def test_a_mistake_is_told_with_its_place(text: str, said: str) -> None:
    with pytest.raises(DocumentError) as caught:
        parse(text)
    assert said in str(caught.value)


def ours(text: str) -> Document | None:
    try:
        return parse(text)
    except DocumentError:
        return None


def core(text: str) -> bool:
    """Return whether graphql-core takes a document, as far as no schema is needed."""
    try:
        found = parse_by_core(text)
    except GraphQLError:
        return False
    kinds = [one.kind for one in found.definitions]
    known = set(kinds) <= {"operation_definition", "fragment_definition"} and kinds.count("operation_definition") == 1
    names = [one.name.value for one in found.definitions if one.kind == "fragment_definition"]
    return known and len(names) == len(set(names)) and not validate(SCHEMA, found, RULES)


def test_we_judge_as_graphql_core_does() -> None:
    """Documents with a few characters lost, doubled or swapped: refused by both or by neither."""
    chance = random.Random(7)
    taken = 0
    for _ in range(2000):
        text = WHOLE
        for _ in range(chance.randint(0, 2)):
            at, other = chance.randrange(len(text)), chance.choice('{}()[]$:!@"#., aF1-|=&\n')
            text = text[:at] + chance.choice(["", other, text[at] * 2]) + text[at + 1 :]
        if re.search(r"\{[\s,]*\}", text):
            continue  # newer versions take an empty selection, the specification does not
        found = ours(text)
        assert (found is not None) == core(text), text.splitlines()
        taken += found is not None
    assert 200 < taken < 1800


FRAGMENTS = """# what we ask of a thing
fragment Thing on Product @d { id seo(x: {a: "}"}) { ...Seo } }
fragment Seo on Seo { title(language: $language) }
fragment Other on Product { ... on Thing { id } }
"""


def test_a_document_gets_the_fragments_that_it_spreads() -> None:
    found = split(FRAGMENTS)
    assert list(found) == ["Thing", "Seo", "Other"]
    assert completed("{ a }", found) == "{ a }"
    assert completed("{ a { ... on X { id } ...Other } }", found).count("fragment ") == 1
    whole = completed("query($language: L) { a { ...Thing } }", found)
    assert parse(whole).shape == {"a": {"id": None, "seo": {"title": None}}}
    assert "Other" not in whole


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{ id }", "fragment is expected, not {"),
        ("# none", "there is no fragment in it"),
        ("query { id }", "fragment is expected, not query"),
        ("fragment F { id }", "on is expected, not {"),
        ("fragment F on T { id", "is never closed"),
        ("fragment F on T { id } fragment F on T { id }", "two fragments have one name"),
        ("fragment F on T { ...G }", "there is no fragment G"),
        ("fragment F on T", "it ends too early"),
    ],
)
def test_what_is_no_fragment_is_told(text: str, said: str) -> None:
    with pytest.raises(DocumentError) as caught:
        split(text)
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("template", "values", "expected"),
    [
        ({"a": "{id}"}, {"id": 5}, {"a": 5}),
        ({"a": "{id}"}, {"id": None}, {"a": None}),
        ({"a": "{id}"}, {}, {}),
        ({"a": "gid://shop/{id}"}, {"id": 5}, {"a": "gid://shop/5"}),
        ({"a": "gid://shop/{id}"}, {"id": None}, {}),
        ({"a": 'sku:"{sku}"'}, {"sku": 'x" OR "\\'}, {"a": 'sku:"x\\" OR \\"\\\\"'}),
        ({"a": ["{x}", "{y}", 7]}, {"x": [1]}, {"a": [[1], 7]}),
        ({"a": {"id": "{id}", "...": "{changes}"}}, {"id": "1", "changes": {"n": None}}, {"a": {"id": "1", "n": None}}),
        ({"a": {"...": "{changes}"}}, {}, {"a": {}}),
        ({"a": True, "b": None, "c": "{}"}, {}, {"a": True, "b": None, "c": "{}"}),
    ],
)
def test_variables_are_filled(template: Item, values: Item, expected: Item) -> None:
    assert filled(template, values) == expected


def test_what_does_not_fit_into_a_text_is_refused() -> None:
    with pytest.raises(PermanentError):
        filled({"a": "x{b}"}, {"b": {"c": 1}})


@pytest.mark.parametrize(
    ("template", "names", "only"),
    [("{a}", {"a"}, "a"), ("x{a.b}{c}", {"a.b", "c"}, None), ([{"k": "{a}"}, 5], {"a"}, None), (None, set(), None)],
)
def test_names_of_a_template(template: Any, names: set[str], only: str | None) -> None:
    assert names_in(template) == names
    assert alone(template) == only
    assert MISSING is not None
