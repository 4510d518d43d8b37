"""Our clock, and how to wait for a moment or an event, whichever comes first."""

import asyncio
import random
import time

from syncd.core.model import SECOND

LONGEST = 60 * SECOND  # of one nap: a clock that jumps is noticed


def now() -> int:
    """Return microseconds since 1970, UTC."""
    return time.time_ns() // 1000


async def nap(event: asyncio.Event, until: int | None, *, at: int) -> None:
    """Return when the event is set, when the moment has come, or after a minute. The event is cleared."""
    seconds = None if until is None else max(0, min(until - at, LONGEST)) / SECOND
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return
    event.clear()


def back_off(first: int, most: int, times: int) -> int:
    """Return how long to wait after ``times`` failures in a row: doubled each time, with a little chance in it."""
    whole = min(first * 2 ** min(max(times - 1, 0), 40), most)
    return int(whole * random.uniform(0.8, 1.0))
