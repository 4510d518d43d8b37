"""One budget per credential: how fast, how many at once, how many a day, and until when to leave a platform in peace.

Polls, sweeps, reads and writes of a platform all draw on the same budget. A platform that says 429 halves our pace,
each success after that gives a little back.
"""

import asyncio
import math
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from syncd.connectors.options import Limits
from syncd.errors import TransientError

PATIENCE = 5.0  # seconds that a call waits for its turn; longer waits are handed to the caller
LONGEST = 3600.0  # of a Retry-After
SLOWEST = 64.0  # times slower than configured
BELIEVED = 900.0  # seconds that a platform's own count is believed after the last request; then one may ask anew
FLOOR = 0.05  # seconds between requests that the slow-down starts from where no rate is configured


class Budget:
    """The allowance of one credential. ``now`` is monotonic, in seconds; ``wall`` only says which day it is."""

    def __init__(
        self,
        limits: Limits,
        *,
        now: Callable[[], float] = time.monotonic,
        wall: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._gap = 1 / limits.rate if limits.rate else 0.0
        self._burst = limits.burst or max(1, math.floor(limits.rate or 1))
        self._daily = limits.daily
        self._places = asyncio.Semaphore(limits.concurrency)
        self._now = now
        self._wall = wall
        self._next = now()  # when the next request is due if no burst is left
        self._pause_until = 0.0
        self._slower = 1.0
        self._day = wall().date()
        self._used = 0
        self._told: tuple[int, int, float] | None = None

    def learned(self, used: int, allowed: int) -> None:
        """Take over what the platform itself counts: requests used of those allowed in its day, also before we started."""
        self._told = (used, allowed, self._now())

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Wait for a turn and hold a place while the request runs.

        Raises TransientError with ``retry_after`` instead of waiting long: told to wait, or the day's allowance is used.
        """
        async with self._places:
            self._refuse_long_waits()
            delay = self._reserve()
            while delay > 0:
                await asyncio.sleep(delay)
                self._refuse_long_waits()
                delay = self._pause_until - self._now()
            yield

    @property
    def slower(self) -> float:
        """Return how many times slower than configured we go now."""
        return self._slower

    def throttled(self, retry_after: float | None) -> None:
        """Note a 429: half the pace, and a pause for as long as was told."""
        self._slower = min(self._slower * 2, SLOWEST)
        self.pause(retry_after)

    def pause(self, retry_after: float | None) -> None:
        """Leave the platform in peace for as long as it told."""
        if retry_after:
            self._pause_until = max(self._pause_until, self._now() + retry_after)

    def succeeded(self) -> None:
        """Note an answer that was no refusal: give a little of the pace back."""
        self._slower = max(1.0, self._slower * 0.95)

    def _reserve(self) -> float:
        """Take the next place in the row of requests and return the seconds until then."""
        self._used += 1
        now = self._now()
        gap = self._gap if self._slower == 1.0 else max(self._gap, FLOOR) * self._slower
        burst = self._burst if self._slower == 1.0 else 1
        due = max(self._next, now)
        self._next = due + gap
        return max(due - now - gap * (burst - 1), self._pause_until - now, 0.0)

    def _refuse_long_waits(self) -> None:
        left = self._pause_until - self._now()
        if left > PATIENCE:
            raise TransientError("told to wait", status=429, retry_after=left)
        self._refuse_beyond_the_day()

    def _refuse_beyond_the_day(self) -> None:
        if self._told is not None:
            self._refuse_beyond_what_was_told(*self._told)
            return
        if self._daily is None:
            return
        now = self._wall()
        if now.date() != self._day:
            self._day, self._used = now.date(), 0
        if self._used >= self._daily:
            midnight = datetime.combine(now.date() + timedelta(days=1), datetime.min.time(), UTC)
            raise TransientError(
                f"the {self._daily} requests of this day are used up",
                status=429,
                retry_after=(midnight - now).total_seconds(),
            )


    def _refuse_beyond_what_was_told(self, used: int, allowed: int, at: float) -> None:
        """Refuse where the platform's own count says so, for a while: old requests leave it, and only asking tells how many."""
        most = min(allowed, self._daily or allowed)
        left = at + BELIEVED - self._now()
        if used >= most and left > 0:
            raise TransientError(
                f"{used} of the {most} requests of a day are used up, by the platform's own count",
                status=429,
                retry_after=left,
            )


def retry_after(value: str | None, *, date: str | None = None) -> float | None:
    """Return the seconds a Retry-After header asks for, at most an hour; None if it says nothing that makes sense.

    A moment is counted from the answer's own ``date``, so that a wrong clock on either side does no harm.
    """
    if value is None:
        return None
    text = value.strip()
    if text.isascii() and text.isdecimal():
        return min(float(text[:9]), LONGEST)
    until = _moment(text)
    if until is None:
        return None
    seconds = (until - (_moment(date or "") or datetime.now(UTC))).total_seconds()
    return min(max(seconds, 0.0), LONGEST)


def _moment(text: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
