"""Bulk touches: an import gives thousands of rows the time of now, and none of them an edit that anybody made.

Where over half of at least 20 rows of a collection that were seen together carry a time within one second, what was changed in
that second proves nothing about single fields: such a time never makes a platform the newest.
"""

from collections.abc import Iterable

from syncd.core.model import SECOND
from syncd.core.space import Space, Touch

LEAST = 20  # rows seen together, below which nothing is called a bulk
SHARE = 2  # one in so many must be exceeded


def bulk_touch(times: Iterable[int]) -> Touch | None:
    """Return the bulk touch among the times at which rows seen together were changed, if there is one."""
    known = sorted(times)
    if len(known) < LEAST:
        return None
    best, first = Touch(0, 0, 0, len(known)), 0
    for last, at in enumerate(known):
        while at - known[first] >= SECOND:
            first += 1
        if last - first + 1 > best.rows:
            best = Touch(known[first], at, last - first + 1, len(known))
    return best if best.rows * SHARE > best.of else None


def suspension(space: Space, platform: str, collection: str, at: int) -> str:
    """Return why a time by our clock proves no edit on this platform, ''."""
    known = space.touches.get((platform, collection))
    if not known:
        return ""
    offset, unsure = space.clocks.get(platform, (0, 0))
    touch = next((t for t in known if t.lo - unsure <= at + offset <= t.hi + unsure), None)
    return "" if touch is None else said_of(platform, touch)


def said_of(platform: str, touch: Touch) -> str:
    """Return a bulk touch in words."""
    return f"{platform}: {touch.rows:,} of {touch.of:,} rows touched within one second, recency suspended"
