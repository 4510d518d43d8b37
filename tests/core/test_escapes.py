"""Nothing gets out of an expression: known techniques in variants, soups of words and random trees give a value, ``Wrong`` or
``Failed``, and soon. As a module it runs a campaign: ``python -m tests.core.test_escapes SEED SECONDS``.
"""

import os
import sys
import time
from collections import Counter
from datetime import date, datetime
from decimal import Decimal
from random import Random
from typing import Any

import pytest

from syncd.core.expression import ABSENT, Failed, Names, Wrong, compile_expression
from syncd.core.parts import Name
from syncd.core.values import parse_type
from tests.core.escapes import SLOW, TECHNIQUES, formed, soup, sums, variants

PROGRAMS = int(os.environ.get("SYNCD_PROGRAMS", "300"))
SEED = int(os.environ.get("SYNCD_SEED", "20"))
SOON = 0.5  # seconds: generous for a slow machine; what is bounded takes milliseconds, what is not takes for ever
TYPES = {"name": "string", "price": "decimal(2)", "tags": "set(string)", "launch": "date"}
FIELDS = {name: parse_type(spec) for name, spec in TYPES.items()}
NAMES = Names(fields={"sap": FIELDS}, golden=FIELDS)
OWN = Names(raw_bare=True)
VALUES: dict[str, Any] = {
    "sap.name": "Mug",
    "sap.price": Decimal("12.50"),
    "sap.tags": ("a", "b"),
    "sap.launch": date(2026, 11, 1),
    "golden.price": None,
    "sap.raw.big": "a" * 60_000,
    "sap.raw.long": [str(n) for n in range(20_000)],
    "sap.raw.list": [1, None, "x", [2], {"a": 1}],
    "sap.raw.text": "12.50",
}
PLAIN = (str, int, bool, Decimal, date, datetime, list, tuple, dict, type(None))


def look(name: Name) -> Any:
    return VALUES.get(".".join(part for part in name if part), ABSENT)


def outcome(text: str, names: Names = NAMES) -> str:
    """Return what becomes of a text; anything but a value, Wrong and Failed is raised."""
    begun = time.process_time()
    try:
        formula = compile_expression(text, names)
    except Wrong as wrong:
        return told(refused(wrong, text), text, begun)
    asked: set[Name] = set()

    def ask(name: Name) -> Any:
        asked.add(name)
        return look(name)

    try:
        value = formula(ask, 1_790_000_000_000_000)
    except Failed as failed:
        return told("failed" if str(failed) else "failed without a reason", text, begun)
    assert isinstance(value, PLAIN), f"{text!r} gave {value!r}"
    assert repr(formula(look, 1_790_000_000_000_000)) == repr(value)
    assert asked <= set(formula.names)
    assert all(name.scope in ("sap", "sap.raw", "golden", "") for name in formula.names)
    return told("value", text, begun)


def refused(wrong: Wrong, text: str) -> str:
    whole = all(one.code in ("E210", "E211") and 0 <= one.start <= one.end <= max(len(text), 1) for one in wrong.problems)
    return "wrong" if wrong.problems and whole else "wrong without a place"


def told(word: str, text: str, begun: float) -> str:
    took = time.process_time() - begun
    assert took < SOON, f"{text[:80]!r} took {took:.3f} s"
    assert word in ("wrong", "failed", "value"), f"{text[:80]!r}: {word}"
    return word


@pytest.mark.parametrize("name", TECHNIQUES)
def test_a_technique_finds_no_way_out(name: str) -> None:
    text = TECHNIQUES[name]
    harmless = ("value",) if text.startswith("sap.raw") else ()  # a platform's own field of that name, and it has none
    assert outcome(text) in ("wrong", "failed", *harmless), f"{name}: {text[:80]}"
    for variant in variants(text):
        outcome(variant)
        outcome(variant, OWN)


def test_there_are_enough_techniques() -> None:
    assert len(TECHNIQUES) >= 60
    assert len({variant for text in TECHNIQUES.values() for variant in variants(text)}) > 2000


@pytest.mark.parametrize("text", SLOW)
def test_a_pattern_takes_no_longer_than_its_text(text: str) -> None:
    assert outcome(text) == "failed"


def test_a_name_is_only_what_it_says() -> None:
    """What a platform calls ``__class__`` is its own field of that name, looked up like any other."""
    asked: list[Name] = []
    formula = compile_expression("sap.raw.__class__.__init__", NAMES)

    def ask(name: Name) -> None:
        asked.append(name)

    assert formula(ask, 0) is None
    assert asked == [Name("sap.raw", "__class__.__init__")]


def sweep(random: Random, number: int) -> str:
    """Run the random expression of this number."""
    if number % 3 == 0:
        return f"soup {outcome(soup(random), random.choice((NAMES, OWN)))}"
    if number % 3 == 1:
        return f"formed {outcome(formed(random))}"
    text, value = sums(random)
    if value is None:
        return f"sum {outcome(text)}"
    found = compile_expression(text, NAMES)(look, 0)
    assert Decimal(found) == value, f"{text} is {value}, not {found}"
    return "sum value"


def test_random_expressions_give_a_value_or_a_reason() -> None:
    counts: Counter[str] = Counter()
    for number in range(PROGRAMS * 10):
        counts[sweep(Random(f"{SEED} expression {number}"), number)] += 1
    assert {"soup wrong", "formed value", "formed failed", "formed wrong", "sum value"} <= set(counts)


def campaign(seed: int, seconds: float) -> None:
    """Run random expressions for a time; print counts and what escaped."""
    counts: Counter[str] = Counter()
    until, number = time.monotonic() + seconds, 0
    while time.monotonic() < until:
        try:
            counts[sweep(Random(f"{seed} expression {number}"), number)] += 1
        except Exception as error:
            counts["ESCAPED"] += 1
            sys.stdout.write(f"seed {seed}, number {number}: {type(error).__name__}: {error}\n")
        number += 1
    sys.stdout.write(f"seed {seed}: {number} expressions {dict(sorted(counts.items()))}\n")


if __name__ == "__main__":
    campaign(int(sys.argv[1]), float(sys.argv[2]))
