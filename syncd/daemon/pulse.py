"""The pulse: proves to systemd that loop and ledger both work, and says how things are."""

import asyncio

from syncd.daemon.notify import Notify
from syncd.daemon.runtime import Runtime
from syncd.daemon.standing import status_line

USUAL = 15.0  # seconds between two beats


async def pulse_forever(runtime: Runtime, notify: Notify) -> None:
    """Beat until cancelled. A ledger that does not answer stops the beat: then the watchdog acts."""
    every = min(USUAL, notify.watchdog or USUAL)
    while True:
        notify.status(await status_line(runtime))
        if runtime.store.broken is None:
            notify.ping()
            runtime.meter.pinged()
        await asyncio.sleep(every)

