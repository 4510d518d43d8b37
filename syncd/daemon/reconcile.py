"""The reconcile loop: wakes when something is in the inbox, decides batch after batch, and passes on what it led to."""

from dataclasses import dataclass

from syncd.daemon import tell
from syncd.daemon.clock import nap
from syncd.daemon.judge import Judged, judge, quarantine_first
from syncd.daemon.runtime import Runtime
from syncd.errors import LedgerError
from syncd.ledger import inbox

BATCH = 128  # changes decided at once: what waits for the ledger behind them waits so long


@dataclass(slots=True)
class Summary:
    """What a drain came to: changes decided, and those that nobody could decide."""

    rows: int = 0
    broken: int = 0


async def reconcile_forever(runtime: Runtime) -> None:
    """Decide what comes in, until cancelled."""
    while True:
        await drain(runtime)
        due = await runtime.store.read(inbox.next_at, runtime.now())
        runtime.drained.set()
        runtime.moved.set()
        await nap(runtime.wake, due, at=runtime.now())


async def drain(runtime: Runtime) -> Summary:
    """Decide until nothing waits that can be decided now. Cancelled in between, nothing is half done."""
    summary, woken = Summary(), set[str]()
    runtime.drained.clear()
    with runtime.gathering("inbox"):
        while True:
            judged = await one_pass(runtime)
            summary.rows += judged.rows
            summary.broken += len(judged.broken)
            woken |= judged.behind
            if not judged.more:
                break
    runtime.wake_delivery(woken)
    return summary


async def one_pass(runtime: Runtime, limit: int = BATCH) -> Judged:
    """Decide one batch and pass on what it led to. What cannot even be stored is found one by one, and quarantined."""
    write = runtime.store.write
    try:
        judged = await write(judge, runtime.scene(), limit=limit)
    except LedgerError:
        raise
    except Exception as error:  # noqa: BLE001 - one bad row must not stop the others, whatever is wrong with it
        if limit > 1:
            return await one_by_one(runtime, limit)
        judged = await write(quarantine_first, runtime.scene(), f"{type(error).__name__}: {error}")
    pass_on(runtime, judged)
    return judged


async def one_by_one(runtime: Runtime, rows: int) -> Judged:
    """Decide the oldest rows again, each in a transaction of its own."""
    whole = Judged()
    for _ in range(rows):
        judged = await one_pass(runtime, 1)
        if judged.rows == 0:
            break
        whole.rows += judged.rows
        whole.broken += judged.broken
        whole.behind |= judged.behind
        whole.more = judged.more
    return whole


def pass_on(runtime: Runtime, judged: Judged) -> None:
    """Tell people what was decided, ask for reads, and let what waited for a scan be planned again."""
    tell.judged(judged, runtime.rules)
    for ask in judged.asks:
        part = runtime.parts.get(ask.waiting.change.platform)
        if part is not None:
            part.asks[ask.waiting.id] = ask
            part.ask.set()
    if judged.proved:
        runtime.wake_delivery()
