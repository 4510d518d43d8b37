"""Name look-ups on threads of their own: a few hung ones would fill asyncio's default pool and stall everything."""

import asyncio
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

from aiohttp.abc import AbstractResolver, ResolveResult

AT_ONCE = 4  # look-ups of one platform

T = TypeVar("T")


class Resolver(AbstractResolver):
    """The system's resolver, asked in threads that a stop does not wait for."""

    def __init__(self) -> None:
        self._places = asyncio.Semaphore(AT_ONCE)

    async def resolve(self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC) -> list[ResolveResult]:
        """Return the addresses of a host; raises OSError."""
        async with self._places:
            found = await in_thread(lambda: socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, family=family))
        return [
            ResolveResult(
                hostname=host,
                host=str(address[0]),
                port=port,
                family=kind,
                proto=proto,
                flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
            )
            for kind, _, proto, _, address in found
        ]

    async def close(self) -> None:
        """Close nothing."""


async def in_thread(work: Callable[[], T]) -> T:
    """Return what blocking work returns, done in a daemon thread of its own."""
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[T] = loop.create_future()

    def tell(result: T | None, error: BaseException | None) -> None:
        if answer.done():  # nobody waits any more
            return
        if error is not None:
            answer.set_exception(error)
        else:
            answer.set_result(result)  # type: ignore[arg-type]

    def run() -> None:
        result, error = None, None
        try:
            result = work()
        except Exception as caught:  # noqa: BLE001 - handed to who waits
            error = caught
        with suppress(RuntimeError):  # the loop is closed
            loop.call_soon_threadsafe(tell, result, error)

    threading.Thread(target=run, daemon=True, name="syncd-lookup").start()
    return await answer
