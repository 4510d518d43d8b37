"""The laws of semantics section 4, attacked by random programs.

``SYNCD_PROGRAMS`` programs are run (as many as fit into the suite without it), drawn from ``SYNCD_SEED``; those with rules
mixed at random stand in ``test_laws_mixed``. As a module it runs a campaign: ``python -m tests.core.test_laws SEED SECONDS
[KIND...]``; the gate's counts are run by ``tests.core.gate``.
"""

import itertools
import os
import sys
import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.core.campaign import MIXED, SHARES, campaign, check_share, report, tell
from tests.core.programs import KINDS, Program, draw, failure
from tests.core.world import story, trial

PROGRAMS = int(os.environ.get("SYNCD_PROGRAMS", "300"))
SEED = int(os.environ.get("SYNCD_SEED", "20"))


@pytest.mark.parametrize("kind", [kind for kind in SHARES if kind not in MIXED])
def test_random_programs_break_no_law(kind: str) -> None:
    check_share(kind, PROGRAMS, SEED)


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


def main(seed: int, seconds: float, kinds: list[str]) -> None:
    """Run programs for a time; print counts, and the first of each sort of failure."""
    counts, found = campaign(seed, itertools.count(), kinds, time.monotonic() + seconds)
    tell(f"seed {seed}: {sum(counts[k] for k in kinds)} programs {dict(counts)}")
    for kind, number, program, error in found:
        tell(f"program {number}\n{report(kind, program, error)}")


if __name__ == "__main__":
    main(int(sys.argv[1]), float(sys.argv[2]), sys.argv[3:] or list(SHARES))
