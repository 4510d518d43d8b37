"""Checks: what passes, what does not and why, and what the config may not say."""

import pytest

from syncd.core.checks import NAMES, parse_check, parse_checks
from syncd.core.values import Later, parse_type

COLOURS = {"enum": ["red", "green"]}


@pytest.mark.parametrize(
    ("kind", "spec", "good", "bad", "reason"),
    [
        ("string", {"pattern": "^[A-Z]+$"}, "ABC", "abc", '"abc" is not like ^[A-Z]+$'),
        ("string", {"pattern": "b"}, "abc", "aac", "is not like b"),
        ("set(string)", {"pattern": "^a"}, ["ab", "ac"], ["ab", "ba"], '"ba" is not like ^a'),
        ("decimal(2)", {"min": 0.01}, "0.01", "0.00", "0.00 is less than 0.01"),
        ("integer", {"max": "10"}, 10, 11, "11 is more than 10"),
        ("date", {"min": "2026-01-01"}, "2026-01-01", "2025-12-31", "2025-12-31 is less than 2026-01-01"),
        ("datetime", {"max": "2026-01-01T00:00:00Z"}, "2026-01-01T00:00:00Z", "2026-01-01T00:00:00.5Z", "is more than"),
        ("string", {"min_length": 3}, "abc", "ab", "2 characters, at least 3 wanted"),
        ("text", {"max_length": 3}, "abc", "abcd", "4 characters, at most 3 wanted"),
        ("set(string)", {"max_length": 1}, ["a"], ["a", "b"], "2 members, at most 1 wanted"),
        ("string", {"format": "email"}, "a@b.example", "a", '"a" is not a valid email'),
        ("string", {"format": "url"}, "https://a", "a", "not a valid url"),
        ("string", {"format": "phone"}, "0301234", "x", "not a valid phone"),
        ("string", {"min_length": 2, "pattern": "^a"}, "ab", "ba", "is not like"),
    ],
)
def test_checks(kind, spec, good, bad, reason):
    checks = parse_checks(spec, parse_type(kind)).checks
    assert [check.problem(good) for check in checks] == [None] * len(spec)
    problems = [said for check in checks if (said := check.problem(bad))]
    assert len(problems) == 1
    assert reason in problems[0]


def test_required_is_a_check_by_name_only():
    checks = parse_checks({"required": True}, parse_type("integer")).checks
    assert [check.name for check in checks] == ["required"]
    assert checks[0].problem(0) is None
    assert parse_checks({"required": False}, parse_type("integer")).checks == ()


def test_a_step_is_no_check():
    found = parse_checks({"max_step": "30%", "min": 1}, parse_type("decimal(2)"))
    assert found.max_step == 0.3
    assert [check.name for check in found.checks] == ["min"]
    assert parse_checks({}, parse_type("string")).max_step is None


@pytest.mark.parametrize("name", ["unique", "expr"])
def test_later(name):
    with pytest.raises(Later, match=name):
        parse_check(name, True, parse_type("string"))


@pytest.mark.parametrize(
    ("kind", "name", "setting", "words"),
    [
        ("string", "minn", 1, 'no check called "minn"'),
        ("string", "required", "yes", "true or false"),
        ("string", "pattern", "(", 'a "(" is not closed'),
        ("string", "pattern", "a{99999999999}", "cannot be used"),
        ("string", "pattern", 5, "in quotes"),
        ("integer", "pattern", "a", "pattern is for text, and the field is integer"),
        ("string", "format", "fax", 'no format called "fax"'),
        ("string", "format", ["email"], "no format called"),
        ("integer", "format", "email", "format is for text"),
        ("string", "min", 1, "min is for numbers and dates, and the field is string"),
        (COLOURS, "max", 1, "max is for numbers and dates"),
        ("integer", "min", "much", "min:"),
        ("date", "max", "soon", "max:"),
        ("string", "min_length", "3", "number of characters"),
        ("string", "max_length", -1, "number of characters"),
        ("string", "max_length", True, "number of characters"),
        ("integer", "max_length", 3, "max_length is for text and sets"),
        ("integer", "max_step", "30", "write 30%"),
        ("integer", "max_step", 0.3, "write 30%"),
        ("integer", "max_step", "0%", "write 30%"),
        ("string", "max_step", "30%", "max_step is for numbers"),
    ],
)
def test_no_check(kind, name, setting, words):
    with pytest.raises(ValueError, match=r".") as caught:
        parse_checks({name: setting}, parse_type(kind))
    assert words in str(caught.value)


def test_every_name_is_known():
    settings = {"pattern": "a", "format": "email", "min_length": 1, "max_length": 2, "required": True}
    assert len(parse_checks({k: v for k, v in settings.items() if k in NAMES}, parse_type("string")).checks) == 5
    assert set(NAMES) - set(settings) == {"min", "max", "max_step"}
