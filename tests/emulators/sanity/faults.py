"""What goes wrong on demand, and what was asked."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Asked:
    """One request as it arrived, and how it was answered: 0 where nobody heard the answer."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: Any = None
    status: int = 0

    @property
    def what(self) -> str:
        """Return the part of the API: query, mutate, listen, ..."""
        parts = self.path.strip("/").split("/")
        return parts[2] if len(parts) > 2 and parts[1] == "data" else parts[1] if len(parts) > 1 else ""

    @property
    def writes(self) -> bool:
        """Return whether it could change something."""
        return self.what == "mutate" and self.query.get("dryRun") != "true"


Chosen = Callable[[Asked], bool]


@dataclass
class Trouble:
    """An answer that the next requests get instead of the right one."""

    status: int
    times: int
    chosen: Chosen
    headers: dict[str, str]
    body: Any


@dataclass
class Faults:
    """``slow``: seconds before each answer. ``mute``: so many writes are done and not answered. ``deaf``: so many requests
    are neither done nor answered. ``stale``: queries do not see what is written from now on. ``expired``: tokens refused.
    """

    slow: float = 0.0
    mute: int = 0
    deaf: int = 0
    stale: bool = False
    silent: bool = False  # listeners hear nothing, not even that they are heard
    expired: set[str] = field(default_factory=set)
    troubles: list[Trouble] = field(default_factory=list)

    def answer(
        self,
        status: int,
        times: int = 1,
        *,
        chosen: Chosen = lambda _: True,
        headers: dict[str, str] | None = None,
        body: Any = None,
    ) -> None:
        """Let the next requests, of those chosen, be answered with a status."""
        self.troubles.append(Trouble(status, times, chosen, headers or {}, body))

    def throttle(self, times: int = 1, *, seconds: float = 0.1) -> None:
        """Let the next requests be told that they are too many."""
        self.answer(429, times, headers={"Retry-After": f"{seconds:g}" if seconds >= 1 else "0"})

    def trouble(self, asked: Asked) -> Trouble | None:
        """Return what becomes of a request instead of what it asks for."""
        for one in self.troubles:
            if one.times > 0 and one.chosen(asked):
                one.times -= 1
                return one
        return None

    async def delay(self) -> None:
        """Wait as long as a slow service takes."""
        if self.slow:
            await asyncio.sleep(self.slow)
