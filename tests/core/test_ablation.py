"""Every rule that can be switched off is missed: each by its own timeline, and many by a random program within a few."""

from tests.core.switches import SWITCHES
from tests.core.test_timelines import TIMELINES

BY_TIMELINE = {names[0] for names in TIMELINES.values() if len(names) == 1}
BY_PROGRAM: dict[str, tuple[str, int]] = {}  # rule -> (kind, number of a program that misses it)


def test_every_rule_has_its_own_timeline() -> None:
    assert SWITCHES.keys() == BY_TIMELINE
