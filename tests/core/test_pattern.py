"""Patterns find what Python's own find, without what makes those explode."""

import re
from random import Random

import pytest

from syncd.core.pattern import NotAPattern, parse_pattern


def found(pattern: str, text: str) -> bool:
    return parse_pattern(pattern).found(text, lambda _: None)


def drawn(random: Random, deep: int) -> str:
    sort = random.random()
    if deep <= 0 or sort < 0.4:
        return random.choice(("a", "b", ".", "[ab]", "[^a]", "[a-c1]", "[\\d-]", "\\d", "\\W", "\\.", "x"))
    if sort < 0.6:
        return drawn(random, deep - 1) + drawn(random, deep - 1)
    if sort < 0.75:
        return f"({drawn(random, deep - 1)}|{drawn(random, deep - 1)})"
    if sort < 0.95:
        return f"(?:{drawn(random, deep - 1)})" + random.choice(("?", "*", "+", "{2}", "{1,3}", "{0,2}", "{2,}"))
    return f"(^{drawn(random, deep - 1)}$)"


def test_random_patterns_find_what_pythons_own_find() -> None:
    random = Random(20)
    for _ in range(1500):
        pattern = drawn(random, 4)
        text = "".join(random.choice("abc1x.") for _ in range(random.randint(0, 7)))
        assert found(pattern, text) == bool(re.search(pattern, text)), (pattern, text)


@pytest.mark.parametrize(
    ("pattern", "text", "is_found"),
    [
        ("^[A-Z0-9-]{3,40}$", "MUG-1", True),
        ("^[A-Z0-9-]{3,40}$", "mug", False),
        ("", "", True),
        ("a|", "b", True),
        ("[]a]", "]", True),
        ("[[]", "[", True),
        ("[a-]", "-", True),
        (r"[\]]", "]", True),
        (r"\[\n", "[\n", True),
        (r"^\w+\s\S\D$", "Größe xy", True),
        ("^.$", "\n", False),
        ("a{2}b{0,1}$", "aa", True),
    ],
)
def test_a_pattern_finds(pattern: str, text: str, is_found: bool) -> None:
    assert found(pattern, text) is is_found


@pytest.mark.parametrize(
    ("pattern", "reason"),
    [
        ("(?=a)", "(?...) is not known, but for (?:...)"),
        ("(a)\\1", "\\1 is not known"),
        ("a**", '"*" repeats a repeat'),
        ("a{2}{3}", '"{" repeats a repeat'),
        ("*a", '"*" has nothing before it: write \\* for the character'),
        ("(a", 'a "(" is not closed'),
        ("a)", 'a ")" closes nothing'),
        ("[a", "it ends too early"),
        ("[z-a]", "z-a is no range of characters"),
        ("a{200}", "{200} is no count from 0 to 100"),
        ("a{3,2}", "{3,2} is no count from 0 to 100"),
        ("^*", "an anchor cannot be repeated"),
        ("((a{50}){50})", "written out it has more than 300 characters"),
        ("(" * 30 + "a" + ")" * 30, "groups are nested too deep"),
    ],
)
def test_what_is_no_pattern_says_why(pattern: str, reason: str) -> None:
    with pytest.raises(NotAPattern) as caught:
        parse_pattern(pattern)
    assert str(caught.value) == reason


def test_work_grows_with_the_text_and_not_faster() -> None:
    spent: list[int] = []
    for size in (500, 1000):
        steps: list[int] = []
        parse_pattern("(a+)+$").found("a" * size + "b", steps.append)
        spent.append(sum(steps))
    assert spent[1] < 2.1 * spent[0]
