"""Random programs by the number: each kind has its share, a seed gives the same programs whatever ran before.

A failing one is shrunk and told as a story that can be read, and as code that can be pasted.
"""

import os
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable
from functools import partial
from random import Random

from tests.core.programs import KINDS, Program, draw, failure, pair, shrink, sort_of
from tests.core.world import FIELDS, Setup, Step, start, story, trial

SHARES = {
    "all": 0.3,
    "deletes": 0.1,
    "rules": 0.05,
    "backup": 0.1,
    "scope": 0.05,
    "mixed": 0.25,
    "bulk": 0.05,
    "L3": 0.03,
    "L4": 0.03,
    "bound": 0.04,
}
MIXED = ("mixed", "bulk", "L3", "L4", "bound")  # about half of the work


def run_program(kind: str, setup: Setup, steps: list[Step]) -> None:
    """Run one program against the laws of its kind; raises Breach."""
    if kind == "bound":
        check_bound(setup, steps)
    elif kind in ("L3", "L4"):
        pair(setup, steps, "order" if kind == "L3" else "repeat")
    else:
        trial(setup, steps)


def check_bound(setup: Setup, steps: list[Step]) -> None:
    """L2: after one edit each platform is written to at most twice."""
    world = start(setup)
    wire = Counter[str]()
    for platform in world.platforms.values():
        platform.apply = counted(platform.apply, wire, platform.name)  # type: ignore[method-assign]
    edit = next((s for s in steps if s.do == "edit"), Step("edit", 0, 0, setup.fields[0], 5))
    world.run([edit._replace(key=0, value=edit.value % 6)])
    world.rest()
    assert max(wire.values(), default=0) <= 2, f"L2: writes for one edit: {dict(wire)}"


def counted(apply: Callable, wire: Counter[str], name: str) -> Callable:
    """Return the same call, counted."""

    def apply_and_count(write: object) -> object:
        wire[name] += 1
        return apply(write)

    return apply_and_count


def program_of(kind: str, seed: int, number: int) -> Program:
    """Return the program of this number: the same seed gives the same programs, whatever ran before."""
    setup, steps = draw(Random(f"{seed} {kind} {number}"), kind if kind in KINDS else "all")
    if kind == "bound":
        setup = Setup(setup.specs, FIELDS)
    return setup, steps


def report(kind: str, program: Program, error: Exception) -> str:
    """Return the shrunk program as text."""

    def fails(setup: Setup, steps: list[Step]) -> bool:
        found = failure(lambda: run_program(kind, setup, steps))
        return found is not None and sort_of(found) == sort_of(error)

    setup, steps = shrink(*program, fails) if os.environ.get("SYNCD_SHRINK") != "0" else program
    return f"{kind}: {failure(lambda: run_program(kind, setup, steps))}\n{story(setup, steps)}"


def check_share(kind: str, programs: int, seed: int) -> None:
    """Run a kind's share of so many programs; the first that fails is told."""
    count = max(1, round(programs * SHARES[kind]))
    tell(f"{kind}: {count} programs, seed {seed}")
    for number in range(count):
        program = program_of(kind, seed, number)
        error = failure(partial(run_program, kind, *program))
        assert error is None, f"seed {seed}, program {number}\n{report(kind, program, error)}"


def tell(text: str) -> None:
    """Print a line."""
    sys.stdout.write(f"{text}\n")


def campaign(seed: int, numbers: Iterable[int], kinds: Iterable[str], until: float = float("inf")) -> tuple[Counter[str], list]:
    """Run programs, until it is so late; return counts, and the first of each sort of failure with its kind and program."""
    counts: Counter[str] = Counter()
    found: dict[str, tuple[str, int, Program, Exception]] = {}
    for number in numbers:
        for kind in kinds:
            if time.monotonic() > until:
                return counts, list(found.values())
            program = program_of(kind, seed, number)
            error = failure(partial(run_program, kind, *program))
            counts[kind] += 1
            if error is not None:
                counts["breaches"] += 1
                found.setdefault(sort_of(error), (kind, number, program, error))
    return counts, list(found.values())
