"""What the shop lets us spend: a bucket of points that fills again, learnt from what its answers say of it.

Protocol: ``extensions.cost`` with ``requestedQueryCost`` and ``throttleStatus {maximumAvailable, currentlyAvailable,
restoreRate}``. Nothing about its size is assumed: until the first answer nothing is held back.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from decimal import Decimal

from syncd.connectors.body import pick
from syncd.connectors.graphql_call import Answered
from syncd.core.model import Native
from syncd.errors import TransientError

PATIENCE = 60.0  # seconds that a call waits for its points; longer waits are handed to the caller
NAMES = ("maximumAvailable", "currentlyAvailable", "restoreRate")
LEAST = 1.0  # seconds to leave a shop in peace that throttles and does not say for how long


@dataclass(frozen=True, slots=True)
class Status:
    """What an answer says of the bucket."""

    maximum: float
    available: float
    restore: float
    requested: float | None

    @property
    def wait(self) -> float:
        """Return the seconds until there is enough for what was asked."""
        wanted = min(self.requested or self.maximum / 10, self.maximum)
        return max(LEAST, (wanted - self.available) / self.restore)


class Bucket:
    """The points of one credential: every call of it takes from here before it goes out."""

    def __init__(
        self, *, now: Callable[[], float] = time.monotonic, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    ) -> None:
        self._now = now
        self._sleep = sleep
        self._known: Status | None = None
        self._level = 0.0
        self._at = 0.0
        self._factors: dict[str, float] = {}  # by document: what it asked for when it was sent last, over our estimate
        self._flying = 0.0
        self._row = asyncio.Lock()

    @asynccontextmanager
    async def spent(self, document: str, estimate: float) -> AsyncIterator[None]:
        """Wait until there is enough for a document, and take it while it is under way.

        Raises TransientError instead of waiting long.
        """
        points = estimate * self._factors.get(document, 1.0)
        async with self._row:  # who waits first goes first
            await self._wait(points)
            self._flying += points
        try:
            yield
        finally:
            self._flying -= points

    async def _wait(self, points: float) -> None:
        known = self._known
        if known is None:
            return
        wait = (min(points, known.maximum) - self._filled(known)) / known.restore
        if wait > PATIENCE:
            raise TransientError("the shop's points are used up", status=429, retry_after=wait)
        if wait > 0:
            await self._sleep(wait)
        self._level = self._filled(known) - points

    def heed(self, document: str, answered: Answered, estimate: float) -> float | None:
        """Learn from an answer; return for how many seconds the shop wants to be left in peace, None if it does not say.

        ``estimate`` is what the call was taken to cost: one document is asked for pages of different sizes.
        """
        status = status_of(answered.extensions)
        if status is None:
            return None
        others = self._flying - estimate * self._factors.get(document, 1.0)  # on their way: the shop may not know of them yet
        self._known, self._at, self._level = status, self._now(), status.available - max(0.0, others)
        if status.requested is not None and not answered.problems:
            self._factors[document] = status.requested / estimate
        return status.wait

    def _filled(self, known: Status) -> float:
        now = self._now()
        self._level = min(known.maximum, self._level + (now - self._at) * known.restore)
        self._at = now
        return self._level


def status_of(extensions: Native) -> Status | None:
    """Return what an answer says of the bucket; None if it does not, or nonsense."""
    found = [pick(extensions, f"cost.throttleStatus.{name}") for name in NAMES]
    if not all(isinstance(one, int | Decimal) and not isinstance(one, bool) for one in found) or found[2] <= 0:
        return None
    requested = pick(extensions, "cost.requestedQueryCost")
    number = float(requested) if isinstance(requested, int | Decimal) and not isinstance(requested, bool) else None
    return Status(float(found[0]), float(found[1]), float(found[2]), number)
