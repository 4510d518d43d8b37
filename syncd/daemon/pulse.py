"""The pulse: proves to systemd that loop and ledger both work, says how things are, and forgets what is long past."""

import asyncio

from syncd.core.model import SECOND
from syncd.daemon.notify import Notify
from syncd.daemon.runtime import Runtime
from syncd.daemon.standing import status_line
from syncd.ledger import retention

USUAL = 15.0  # seconds between two beats
DAY = 24 * 3600 * SECOND
KEPT = 400 * DAY  # of history


async def pulse_forever(runtime: Runtime, notify: Notify) -> None:
    """Beat until cancelled. A ledger that does not answer stops the beat: then the watchdog acts."""
    every = min(USUAL, notify.watchdog or USUAL)
    tidied = 0
    while True:
        notify.status(await status_line(runtime))
        if runtime.store.broken is None:
            notify.ping()
            runtime.meter.pinged()
        if runtime.now() - tidied > DAY:
            tidied = runtime.now()
            await tidy(runtime)
        await asyncio.sleep(every)


async def tidy(runtime: Runtime) -> None:
    """Take away the past that is kept no longer, a little at a time."""
    now = runtime.now()
    gone = 1
    while gone:
        gone = await runtime.store.write(retention.forget_past, before=now - KEPT, now=now)
