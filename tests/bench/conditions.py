"""What a condition costs: compiled expressions against the same thing as a Python function, variants interleaved, medians.

``python -m tests.bench.conditions`` prints microseconds and ratios.
"""

import statistics
import time
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from syncd.core.expression import TRUTH, Names, compile_expression
from syncd.core.parts import Name
from syncd.core.values import parse_type

FIELDS = {"price": parse_type("decimal(2)"), "name": parse_type("string")}
NAMES = Names(fields={"sap": FIELDS}, golden=FIELDS)
LOCKED, PRICE, TITLE = Name("sap.raw", "locked"), Name("golden", "price"), Name("sap", "name")
VALUES: dict[Name, Any] = {LOCKED: True, PRICE: Decimal("12.50"), TITLE: "Mug"}
Look = Callable[[Name], Any]
CASES: dict[str, Callable[[Look, int], Any]] = {
    "sap.raw.locked and golden.price > 10": lambda look, _: look(LOCKED) and look(PRICE) > 10,
    "sap.raw.locked": lambda look, _: look(LOCKED),
    "golden.price > 10": lambda look, _: look(PRICE) > 10,
    "length(sap.name) in [8, 12, 13, 14]": lambda look, _: len(look(TITLE)) in (8, 12, 13, 14),
}


def cost(condition: Callable[[Look, int], Any], times: int = 100_000) -> float:
    """Return the microseconds of one evaluation."""
    look = VALUES.__getitem__
    begun = time.perf_counter()
    for _ in range(times):
        condition(look, 0)
    return (time.perf_counter() - begun) / times * 1e6


if __name__ == "__main__":
    for text, function in CASES.items():
        formula = compile_expression(text, NAMES, TRUTH)
        runs = [(cost(formula), cost(function)) for _ in range(7)]
        ours, theirs = (statistics.median(column) for column in zip(*runs, strict=True))
        print(f"{text:40} {ours:6.3f} us, as a function {theirs:6.3f} us, ratio {ours / theirs:.2f}")
