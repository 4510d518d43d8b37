"""Patterns as checks use them: they find what Python's own find, and a long text costs its length."""

import re
import time
from collections.abc import Callable
from random import Random

import pytest

from syncd.core.automaton import MAX_PLACES, Automaton, NotAPattern, TooMuch
from syncd.core.checks import parse_check
from syncd.core.native import MAX_TEXT
from syncd.core.values import parse_type
from tests.core.test_pattern import drawn

LONG = "a" * MAX_TEXT
EXPLODING = [
    *("(a+)+$", "(a+)+b", "(a|aa)*b", "^(a|a?)+$", "(.*a){12}b", "[a-z]+@[a-z]+", "(a|b)*a(a|b){60}c"),
    "^(([a-z])+.)+[A-Z]([a-z])+$",
]


def test_random_patterns_find_what_pythons_own_find():
    random = Random(21)
    for _ in range(1500):
        pattern = drawn(random, 4)
        automaton = Automaton(pattern)
        for _ in range(3):  # the table of the text before is used again
            text = "".join(random.choice("abc1x.") for _ in range(random.randint(0, 9)))
            assert automaton.found(text) == bool(re.search(pattern, text)), (pattern, text)


def spent(work: Callable[[], object]) -> float:
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


def scan() -> int:
    return sum(1 for char in LONG if char == "x")


@pytest.mark.parametrize("pattern", EXPLODING)
def test_the_longest_text_costs_a_few_plain_scans(pattern):
    automaton = Automaton(pattern)
    assert spent(lambda: automaton.found(LONG)) < 25 * spent(scan)


def test_a_text_with_ever_new_stands_is_given_up_in_time():
    random = Random(3)
    text = "".join(random.choices("ab", k=MAX_TEXT))
    automaton = Automaton("(a|b)*a(a|b){90}c")

    def give_up() -> None:
        with pytest.raises(TooMuch, match="needs too many steps for this text"):
            automaton.found(text)

    assert spent(give_up) < 25 * spent(scan)
    assert automaton.found("a" * 91 + "c")
    check = parse_check("pattern", "(a|b)*a(a|b){90}c", parse_type("string"))
    assert check is not None
    assert "needs too many steps" in (check.problem(text) or "")


def test_many_ways_are_forgotten_and_found_again(monkeypatch):
    monkeypatch.setattr("syncd.core.automaton.MAX_KNOWN", 3)
    automaton = Automaton("^(ab?c|d.e)+$")
    for text in ("abc", "acdxe", "abcacabc", "acd", "abcx"):
        assert automaton.found(text) == bool(re.search("^(ab?c|d.e)+$", text))


@pytest.mark.parametrize(
    ("pattern", "reason"),
    [
        ("(?=a)", "(?...) is not known"),
        (r"(a)\1", r"\1 is not known"),
        (r"\bword", r"\b is not known"),
        ("a*?", "repeats a repeat"),
        ("a{3,2}", "is no count from 0 to 999"),
        ("(a{100}){11}", f"more than {MAX_PLACES}"),
        ("(" * 5000, "too deep"),
        ("[a", "ends too early"),
    ],
)
def test_what_it_cannot_do_is_refused(pattern, reason):
    with pytest.raises(NotAPattern, match=re.escape(reason)):
        Automaton(pattern)
