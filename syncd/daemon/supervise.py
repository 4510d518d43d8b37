"""Loops that must not die: an unexpected error is said loudly and the loop starts again; a broken ledger ends everything."""

import asyncio
from collections.abc import Awaitable, Callable

from syncd.core.model import SECOND
from syncd.daemon import clock
from syncd.daemon.events import Event, say_failure
from syncd.errors import LedgerError

FIRST, MOST = SECOND, 60 * SECOND
CALM = 300 * SECOND  # a loop that ran this long starts counting afresh


async def keep_going(name: str, loop: Callable[[], Awaitable[None]], *, broken: Callable[[], str | None]) -> None:
    """Run a loop until it returns. Raises LedgerError once the ledger is ``broken``: without it syncd must not go on.

    A ledger that only could not store something (a full disk) is waited for like anything else.
    """
    times = 0
    while True:
        began = clock.now()
        try:
            await loop()
        except Exception as error:
            why = broken()
            if why is not None:
                raise LedgerError(why) from error
            times = 1 if clock.now() - began > CALM else times + 1
            delay = clock.back_off(FIRST, MOST, times)
            text = f"{name} failed and starts again in {delay / SECOND:.0f} s: {error}"
            say_failure(Event.TASK_FAILED, text, error, task=name)
            await asyncio.sleep(delay / SECOND)
        else:
            return
