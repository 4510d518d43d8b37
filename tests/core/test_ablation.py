"""Every rule that can be switched off is missed: each by a timeline of its own, and those that random programs reach by one of
them too. ``python -m tests.core.test_ablation SECONDS`` looks for such programs anew and prints the table.
"""

import sys
import time
from functools import partial

import pytest

from tests.core.campaign import program_of, run_program, tell
from tests.core.programs import KINDS, failure
from tests.core.switches import SWITCHES, without
from tests.core.test_timelines import TIMELINES

SEED = 20
BY_TIMELINE = {names[0] for names in TIMELINES.values() if len(names) == 1}
RULES = {  # of semantics.md -> the switches that take it away
    1: ("own", "own words in expressions"),
    2: ("means",),
    3: ("resent", "resent as means"),
    4: ("defer",),
    5: ("explain", "twice"),
    6: ("found is ours",),
    7: ("as of", "strictly later"),
    8: ("partial",),
    9: ("returning ids",),
    10: ("interval",),
    11: ("tick",),
    12: ("golden stands",),
    13: ("invalid there", "blank there", "suspended there"),
    14: ("empty group", "whole group"),
    15: ("cleared",),
    16: ("stale there",),
    17: ("own base",),
    18: ("fold members", "respelt members", "unclear members"),
    19: ("first count", "seed"),
    20: ("counted meanwhile",),
    21: ("countable",),
    22: ("key decides",),
    23: ("not yet",),
    24: ("find", "find after crash"),
    25: ("epoch",),
    26: ("before",),
    27: ("gone by key", "read both"),
    28: ("decided scan",),
    29: ("last word",),
    30: ("ghost", "outlived"),
    31: ("nowhere",),
    32: ("rebase",),
    33: ("spoken",),
    34: ("kept", "kept is over"),
    35: ("provisional", "provisional is free"),
}
REDUNDANT = {"tomb": "R30: links stay as tombstones; without them reading each thing first seen tells the same, at its cost"}
BY_PROGRAM: dict[str, tuple[str, int]] = {}


def test_every_rule_has_a_switch_and_every_switch_its_own_timeline() -> None:
    assert list(RULES) == list(range(1, 36))
    assert {name for names in RULES.values() for name in names} <= SWITCHES.keys()
    assert SWITCHES.keys() == BY_TIMELINE
    assert not REDUNDANT.keys() & SWITCHES.keys()


@pytest.mark.parametrize("name", BY_PROGRAM)
def test_a_random_program_misses_it(name: str) -> None:
    kind, number = BY_PROGRAM[name]
    assert failure(partial(run_program, kind, *program_of(kind, SEED, number))) is None
    assert misses(name, kind, number) or any(misses(name, kind, other) for other in range(400)), "look for another program"


def misses(name: str, kind: str, number: int) -> bool:
    """Return whether a program breaks a law without this rule."""
    with without(name):
        return failure(partial(run_program, kind, *program_of(kind, SEED, number))) is not None


def look_for_programs(seconds: float, names: list[str]) -> None:
    """Print, for each rule, a program that misses it, as far as one is found in its share of the time."""
    for name in names:
        until = time.monotonic() + seconds
        tried = ((kind, number) for number in range(2000) for kind in KINDS if time.monotonic() < until)
        found = next(((kind, number) for kind, number in tried if misses(name, kind, number)), None)
        tell(f'    "{name}": {found},'.replace("'", '"'))


if __name__ == "__main__":
    look_for_programs(float(sys.argv[1]), sys.argv[2:] or list(SWITCHES))
