"""Writes that go out several at a time, each exactly once: what came of each, in their order."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from syncd.connectors.http import together
from syncd.core.model import Receipt, Write
from syncd.errors import ConnectorError, TransientError


async def outcomes(
    writes: Sequence[Write], send: Callable[[Write], Awaitable[Receipt]], places: asyncio.Semaphore
) -> list[Receipt | ConnectorError]:
    """Return what ``send`` returned or raised for each write; once the platform itself fails, the rest is not sent."""
    down: list[ConnectorError] = []

    async def outcome(write: Write) -> Receipt | ConnectorError:
        async with places:
            if down:
                return down[0]
            try:
                return await send(write)
            except TransientError as error:
                if not error.about_record:
                    down.append(error)
                return error
            except ConnectorError as error:
                return error

    return await together([outcome(write) for write in writes])
