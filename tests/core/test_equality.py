"""When two values count as the same."""

import pytest

from syncd.core.equality import parse_equality, suits
from syncd.core.values import parse_type

SAME = [
    ("exact", "a", "a"),
    ("exact", None, None),
    ("exact", {"a": [1, {"b": None}]}, {"a": [1, {"b": None}]}),
    ("casefold", "Straße", "STRASSE"),
    ("casefold", ["A", "b"], ["B", "a"]),
    ("casefold", None, None),
    ("casefold", 5, 5),
    ("whitespace", "Mug  blue ", "Mug blue"),
    ("html", "<p>a</p>", "<P> a </P>"),
    ("set", ["a", "b"], ["a", "b"]),
    ("json", {"a": 1, "b": 2}, {"b": 2, "a": 1}),
    ("json", '{"a": 1, "b": [2.0]}', '{"b":[2],"a":1}'),
    ({"number": 0.005}, "12.50", "12.505"),
    ({"number": "1"}, 5, 6),
    ({"number": 0}, "1.0", "1.00"),
    ({"number": 1}, None, None),
    ({"number": 1}, "x", "x"),
    ({"time": "1s"}, "2026-01-01T00:00:00Z", "2026-01-01T00:00:01Z"),
    ({"time": "1.5ms"}, "2026-01-01T00:00:00Z", "2026-01-01T00:00:00.0015Z"),
    ({"time": "1s"}, 5, 5),
]

DIFFERENT = [
    ("exact", "a", "A"),
    ("exact", True, 1),
    ("exact", [True], [1]),
    ("exact", {"a": False}, {"a": 0}),
    ("exact", None, ""),
    ("casefold", "a", None),
    ("casefold", ["a"], "a"),
    ("casefold", ["a"], ["b"]),
    ("whitespace", "Mugblue", "Mug blue"),
    ("html", "<p>a</p>", "<p>b</p>"),
    ("set", ["a"], ["a", "b"]),
    ("json", {"a": 1}, {"a": True}),
    ("json", "{", "{ "),
    ("json", '{"a": 1}', '{"a": 2}'),
    ("json", "[" * 100_000, "[" * 100_001),
    ("json", "1", 1),
    ({"number": 0.005}, "12.50", "12.506"),
    ({"number": 1}, None, "0"),
    ({"number": 1}, "x", "y"),
    ({"time": "1s"}, "2026-01-01T00:00:00Z", "2026-01-01T00:00:01.000001Z"),
    ({"time": "1s"}, "2026-01-01T00:00:00Z", None),
    ({"time": "1s"}, "2026-01-01T00:00:00Z", "soon"),
    ({"time": "1s"}, "2026-01-01", "2026-01-02"),
    ({"time": "1s"}, 5, 6),
]


@pytest.mark.parametrize(("spec", "one", "other"), SAME)
def test_same(spec, one, other):
    assert parse_equality(spec).same(one, other)
    assert parse_equality(spec).same(other, one)


@pytest.mark.parametrize(("spec", "one", "other"), DIFFERENT)
def test_different(spec, one, other):
    assert not parse_equality(spec).same(one, other)
    assert not parse_equality(spec).same(other, one)


@pytest.mark.parametrize(
    ("spec", "member", "folded"),
    [
        ("exact", "A", "A"),
        ("set", "A", "A"),
        ("casefold", "A", "a"),
        ("casefold", 5, "5"),
        ("whitespace", " a  b", "a b"),
        ("json", "A", '"A"'),
        ({"number": 1}, "A", "A"),
        ({"time": "1s"}, "A", "A"),
    ],
)
def test_members_fold(spec, member, folded):
    assert parse_equality(spec).fold(member) == folded


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ("exat", "exat"),
        (5, "5"),
        (None, "None"),
        ({}, "no equality"),
        ({"number": 1, "time": "1s"}, "no equality"),
        ({"near": 1}, "near"),
        ({"number": "much"}, "not a number"),
        ({"number": -1}, "not negative"),
        ({"time": "10"}, '"10" is not a duration'),
        ({"time": 10}, '"10" is not a duration'),
    ],
)
def test_no_equality(spec, words):
    with pytest.raises(ValueError, match=r"equal|duration") as caught:
        parse_equality(spec)
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("spec", "kind", "good"),
    [
        ("exact", "integer", True),
        ("casefold", "string", True),
        ("casefold", "set(string)", True),
        ("casefold", "integer", False),
        ("html", "html", True),
        ("set", "set(string)", True),
        ("set", "string", False),
        ("json", "json", True),
        ("json", "text", True),
        ("json", "integer", False),
        ({"number": 1}, "decimal(2)", True),
        ({"number": 1}, "string", False),
        ({"time": "1s"}, "datetime", True),
        ({"time": "1s"}, "date", False),
    ],
)
def test_suits(spec, kind, good):
    assert suits(parse_equality(spec), parse_type(kind)) is good
