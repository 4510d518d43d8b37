"""Hints are read: observations that the decider could not order are replaced by fresh reads, one platform at a time."""

from collections.abc import Sequence

from syncd.core.model import SECOND, Change
from syncd.daemon.clock import nap
from syncd.daemon.judge import READING, Ask
from syncd.daemon.look import read_things
from syncd.daemon.runtime import Part, Runtime
from syncd.daemon.scene import thing_of
from syncd.ledger import inbox
from syncd.ledger.schema import Database

MOST = 200  # hints answered at once
SHORTEST, LONGEST = SECOND, 300 * SECOND


async def reread_forever(runtime: Runtime, part: Part) -> None:
    """Answer the decider's asks about one platform, until cancelled."""
    while True:
        await answer_asks(runtime, part)
        until = part.trouble.until if part.trouble.times and part.asks else None
        await nap(part.ask, until, at=runtime.now())


async def answer_asks(runtime: Runtime, part: Part) -> None:
    """Read what was asked for, and put it into the inbox in place of the hints. A platform in trouble is left in peace."""
    while part.asks and (not part.trouble.times or part.trouble.until <= runtime.now()):
        asks = [part.asks[key] for key in list(part.asks)[:MOST]]
        found = await read_things(runtime, [thing for ask in asks for thing in ask.things])
        for ask in asks:
            part.asks.pop(ask.waiting.id, None)
        until = part.trouble.until if part.trouble.times else 0
        await runtime.store.write(put, asks, found, now=runtime.now(), until=until)
        runtime.wake.set()


def put(db: Database, asks: Sequence[Ask], found: Sequence[Change], *, now: int, until: int) -> None:
    """Replace hints by what was read of all their things; the others wait as long again as they have waited."""
    looks = {thing_of(change): change for change in found}
    for ask in asks:
        if all(thing in looks for thing in ask.things):
            inbox.replace(db, ask.waiting, [looks[thing] for thing in ask.things], now=now)
        else:
            waited = min(max(now - ask.waiting.change.seen_at, SHORTEST), LONGEST)
            inbox.postpone(db, [ask.waiting.id], max(until, now + waited), READING)
