"""The laws of semantics section 4, attacked by random programs.

``SYNCD_PROGRAMS`` programs are run (as many as fit into the suite without it), drawn from ``SYNCD_SEED``. A failing one is
shrunk and printed as a story that can be read, and as code that can be pasted. As a module it runs a campaign:
``python -m tests.core.test_laws SEED SECONDS``.
"""

import os
import sys
import time
from collections import Counter
from collections.abc import Callable
from functools import partial
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.core.programs import KINDS, Program, draw, failure, pair, shrink, sort_of
from tests.core.world import FIELDS, Setup, Step, start, story, trial

PROGRAMS = int(os.environ.get("SYNCD_PROGRAMS", "300"))
SEED = int(os.environ.get("SYNCD_SEED", "20"))
SHARES = {"all": 0.4, "deletes": 0.2, "rules": 0.1, "backup": 0.1, "scope": 0.05, "L3": 0.05, "L4": 0.05, "bound": 0.05}


def run_program(kind: str, setup: Setup, steps: list[Step]) -> None:
    """Run one program against the laws of its kind."""
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

    setup, steps = shrink(*program, fails)
    return f"{kind}: {failure(lambda: run_program(kind, setup, steps))}\n{story(setup, steps)}"


@pytest.mark.parametrize("kind", SHARES)
def test_random_programs_break_no_law(kind: str) -> None:
    count = max(1, round(PROGRAMS * SHARES[kind]))
    tell(f"{kind}: {count} programs, seed {SEED}")
    for number in range(count):
        program = program_of(kind, SEED, number)
        error = failure(partial(run_program, kind, *program))
        assert error is None, f"seed {SEED}, program {number}\n{report(kind, program, error)}"


def tell(text: str) -> None:
    sys.stdout.write(f"{text}\n")


# ---- the same programs drawn by hypothesis, which shrinks better


@st.composite
def programs(choose: st.DrawFn) -> Program:
    return draw(choose(st.randoms(use_true_random=False)), choose(st.sampled_from(KINDS)))


@settings(
    max_examples=min(200, max(20, PROGRAMS // 20)), deadline=None, derandomize=True, suppress_health_check=list(HealthCheck)
)
@given(programs())
def test_programs_of_hypothesis_break_no_law(program: Program) -> None:
    error = failure(lambda: trial(*program))
    assert error is None, f"{error}\n{story(*program)}"


# ---- campaigns


def campaign(seed: int, seconds: float, kinds: list[str]) -> None:
    """Run programs for a time; print counts, and the first of each kind of failure."""
    counts: Counter[str] = Counter()
    found: dict[str, tuple[str, Program, Exception]] = {}
    until, number = time.monotonic() + seconds, 0
    while time.monotonic() < until:
        for kind in kinds:
            program = program_of(kind, seed, number)
            error = failure(partial(run_program, kind, *program))
            counts[kind] += 1
            if error is not None:
                counts[f"BREACH {kind} {sort_of(error)}"] += 1
                found.setdefault(sort_of(error), (kind, program, error))
        number += 1
    tell(f"seed {seed}: {sum(counts[k] for k in kinds)} programs {dict(counts)}")
    for one in found.values():
        tell(report(*one))


if __name__ == "__main__":
    campaign(int(sys.argv[1]), float(sys.argv[2]), sys.argv[3:] or list(SHARES))
