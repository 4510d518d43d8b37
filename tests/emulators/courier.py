"""Carries an emulator's webhooks to whoever listens, and loses, doubles and reorders them on demand.

What happens to a delivery is decided when it is handed over: ``lose(2)`` drops the next two, ``double(1)`` sends the next one
twice, ``reorder(3)`` holds the next three back and sends them last first. Nothing is tried again by itself: ``again`` does it.
"""

import asyncio
from dataclasses import dataclass, field
from typing import Self

import aiohttp


@dataclass
class Sent:
    """One delivery. ``statuses``: what each attempt got, 0 where nobody answered; empty while it is held back or lost."""

    body: bytes
    headers: dict[str, str]
    url: str | None = None
    statuses: list[int] = field(default_factory=list)
    lost: bool = False

    @property
    def arrived(self) -> bool:
        """Return whether somebody took it."""
        return any(200 <= status < 300 for status in self.statuses)


class Courier:
    """Sends webhooks to one URL, which may be set later; without one everything is lost. ``headers`` go with each delivery."""

    def __init__(self, url: str | None = None, *, headers: dict[str, str] | None = None, timeout: float = 10) -> None:
        self.url = url
        self.headers = headers or {}
        self.sent: list[Sent] = []
        self._timeout = timeout
        self._lose = self._double = self._hold = 0
        self._held: list[tuple[Sent, bool]] = []
        self._under_way: set[asyncio.Task[Sent]] = set()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.close()

    def lose(self, n: int = 1) -> None:
        """Lose the next ``n`` deliveries."""
        self._lose += n

    def double(self, n: int = 1) -> None:
        """Deliver each of the next ``n`` twice, with the same headers."""
        self._double += n

    def reorder(self, n: int = 2) -> None:
        """Hold the next ``n`` deliveries back, and send them last first once there are so many."""
        self._hold += n

    async def send(self, body: bytes, headers: dict[str, str], url: str | None = None) -> Sent:
        """Deliver, and return once it was answered, lost, or laid aside to be reordered. ``url``: where ours is not set."""
        sent = Sent(body, dict(headers), self.url or url)
        self.sent.append(sent)
        if self._lose or sent.url is None:
            self._lose = max(self._lose - 1, 0)
            sent.lost = True
            return sent
        twice, self._double = self._double > 0, max(self._double - 1, 0)
        if self._hold:
            self._hold -= 1
            self._held.append((sent, twice))
            if self._hold == 0:
                await self.release()
            return sent
        await self._deliver(sent, twice=twice)
        return sent

    def post(self, body: bytes, headers: dict[str, str], url: str | None = None) -> "asyncio.Task[Sent]":
        """Deliver in the background, as a platform does that has answered already. ``settled`` waits for it."""
        task = asyncio.ensure_future(self.send(body, headers, url))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)
        return task

    async def settled(self) -> None:
        """Wait until nothing is under way. What is held back to be reordered stays."""
        while self._under_way:
            await asyncio.gather(*self._under_way)

    async def release(self) -> None:
        """Send what is held back, last first."""
        held, self._held, self._hold = self._held[::-1], [], 0
        for sent, twice in held:
            await self._deliver(sent, twice=twice)

    async def again(self) -> list[Sent]:
        """Repeat, unchanged, what was lost or not taken, as a platform does that tries again; return it."""
        missed = [sent for sent in self.sent if not sent.arrived and all(sent is not held for held, _ in self._held)]
        for sent in missed:
            await self._deliver(sent)
        return missed

    async def close(self) -> None:
        """Give up what is under way."""
        for task in self._under_way:
            task.cancel()
        await asyncio.gather(*self._under_way, return_exceptions=True)

    async def _deliver(self, sent: Sent, *, twice: bool = False) -> None:
        for _ in range(2 if twice else 1):
            sent.statuses.append(await self._request(sent))

    async def _request(self, sent: Sent) -> int:
        url = self.url or sent.url
        if url is None:
            return 0
        timeout = aiohttp.ClientTimeout(total=self._timeout)
        try:
            async with (
                aiohttp.ClientSession(timeout=timeout) as session,
                session.post(url, data=sent.body, headers=self.headers | sent.headers) as reply,
            ):
                await reply.read()
                return reply.status
        except (aiohttp.ClientError, TimeoutError):
            return 0
