"""The laws under rules mixed at random: cases, formulas, freezes, constants, scopes, conditions, bulk touches; and in pairs."""

import pytest

from tests.core.campaign import MIXED, check_share
from tests.core.test_laws import PROGRAMS, SEED


@pytest.mark.parametrize("kind", MIXED)
def test_random_programs_break_no_law(kind: str) -> None:
    check_share(kind, PROGRAMS, SEED)
