"""The pulse: proves to systemd that loop and ledger both work, and says how things are."""

import asyncio

from syncd.daemon.notify import Notify
from syncd.daemon.runtime import Runtime
from syncd.daemon.standing import status_line
from syncd.ledger import meta

Clocks = dict[str, tuple[int, int]]  # (offset, uncertainty) by platform, microseconds

USUAL = 15.0  # seconds between two beats


async def pulse_forever(runtime: Runtime, notify: Notify) -> None:
    """Beat until cancelled. A ledger that does not answer stops the beat: then the watchdog acts."""
    every = min(USUAL, notify.watchdog or USUAL)
    known: Clocks = {}
    while True:
        known = await note_clocks(runtime, known)
        notify.status(await status_line(runtime))
        if runtime.store.broken is None:
            notify.ping()
            runtime.meter.pinged()
        await asyncio.sleep(every)


async def note_clocks(runtime: Runtime, known: Clocks) -> Clocks:
    """Keep in the ledger how far the platforms' clocks are off, where that is ``known`` otherwise; return what holds now."""
    measured = {name: part.connector.clock for name, part in runtime.parts.items()}
    moved = {name: clock for name, clock in measured.items() if clock != known.get(name, (0, 0))}
    if moved and runtime.store.broken is None:
        await runtime.store.write(meta.note_clocks, moved)
    return measured
