"""What the daemon does beside syncing: it forgets what is long past, and copies the ledger. A new config is taken at once."""

import asyncio
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from syncd.config.model import Backup
from syncd.core.model import SECOND
from syncd.daemon import clock
from syncd.daemon.clock import nap
from syncd.daemon.events import Event, say
from syncd.daemon.runtime import Runtime
from syncd.errors import LedgerError
from syncd.ledger import retention
from syncd.ledger.backup import backup, settle

HOUR = 3600 * SECOND
DAY = 24 * HOUR
BREATH = 0.01  # seconds between two steps of thinning, so that nothing waits for the ledger
FIRST, MOST = 60 * SECOND, 3600 * SECOND  # after a copy that failed; doubled each time
COPY = re.compile(r"ledger-(\d{8}T\d{6}Z)\.db")
STAMP = "%Y%m%dT%H%M%SZ"


@contextmanager
def renewals(runtime: Runtime) -> Iterator[asyncio.Event]:
    """Have an event that is set whenever a new config was taken over."""
    event = asyncio.Event()
    runtime.renewals.add(event)
    try:
        yield event
    finally:
        runtime.renewals.discard(event)


# ---- history


async def thin_forever(runtime: Runtime) -> None:
    """Take away the past that is kept no longer: at start, after a change of the config that shortens it, and once a day."""
    with renewals(runtime) as renewed:
        while True:
            kept, next_at = runtime.config.upkeep.keep_history, runtime.now() + DAY
            await tidy(runtime)
            while runtime.now() < next_at and runtime.config.upkeep.keep_history == kept:
                await nap(renewed, next_at, at=runtime.now())


async def tidy(runtime: Runtime) -> int:
    """Take away what is older than ``keep_history``, a little at a time; return how many rows went."""
    now, write = runtime.now(), runtime.store.write
    before, window = now - runtime.config.upkeep.keep_history, window_of(runtime)
    gone, last, spare = 0, 0, await runtime.store.read(retention.newest_before, before)
    while True:
        step = await write(retention.thin, before=before, after=last, spare=spare)
        gone, last = gone + step.gone, step.last or 0
        await asyncio.sleep(BREATH)
        if step.last is None:
            break
    while some := await write(retention.forget_past, before=before, now=now, window=window):
        gone += some
        await asyncio.sleep(BREATH)
    gone += await write(retention.forget_reports, before=before)
    gone += await write(retention.forget_configs, before=before, keep={runtime.config.sha})
    if gone:
        days = runtime.config.upkeep.keep_history / DAY
        say(Event.HISTORY_THINNED, f"history older than {days:g} days thinned: {gone:,} rows", rows=gone)
    return gone


def window_of(runtime: Runtime) -> int:
    """Return the longest time over which any safety limit counts."""
    blocks = [runtime.config.safety, *(entity.safety for entity in runtime.rules.entities.values())]
    return max(limit.per for one in blocks for limit in (one.changes, one.deletes, one.blanked))


# ---- back-ups


async def back_up_forever(runtime: Runtime) -> None:
    """Copy the ledger whenever the newest copy is old enough; one that failed is tried again, ever later."""
    times, failed_at = 0, 0
    with renewals(runtime) as renewed:
        while True:
            wanted = runtime.config.upkeep.backup
            if wanted is None:
                times, runtime.troubles["backup"] = 0, ""
                await renewed.wait()
                renewed.clear()
                continue
            due = due_at(wanted, folder_of(runtime), runtime.now())
            if times:
                due = max(due, failed_at + min(clock.back_off(FIRST, MOST, times), wanted.every))
            if due > runtime.now():
                await nap(renewed, due, at=runtime.now())
                continue
            done = await back_up(runtime, wanted)
            times, failed_at = (0, 0) if done else (times + 1, runtime.now())


def folder_of(runtime: Runtime) -> Path:
    """Return where the copies are."""
    return runtime.config.state_dir / "backups"


def copies(folder: Path) -> Iterator[tuple[int, Path]]:
    """Yield the copies that are there, each with its time; what we did not make is none."""
    for path in folder.glob("ledger-*.db"):
        found = COPY.fullmatch(path.name)
        if found:
            yield int(datetime.strptime(found[1], STAMP).replace(tzinfo=UTC).timestamp()) * SECOND, path


def due_at(wanted: Backup, folder: Path, now: int) -> int:
    """Return when the next copy is to be made. A copy from the future (a clock that was wrong) counts as made now."""
    newest = max((at for at, _ in copies(folder)), default=None)
    return now if newest is None else min(newest, now) + wanted.every


async def back_up(runtime: Runtime, wanted: Backup) -> bool:
    """Make one verified copy and remove those that are too many; return whether it worked, which is told either way."""
    folder, going = folder_of(runtime), threading.Event()
    going.set()
    try:
        size, path = await asyncio.to_thread(copy, runtime.store.path, folder, runtime.now(), going)
        await asyncio.to_thread(remove_old, folder, wanted.keep)
    except (LedgerError, OSError) as error:
        runtime.troubles["backup"] = f"the last backup failed: {error}"
        say(Event.BACKUP_FAILED, f"no backup: {error}", folder=str(folder))
        return False
    finally:
        going.clear()  # cancelled: the thread stops at its next step
    runtime.troubles["backup"] = ""
    say(Event.BACKUP_DONE, f"backup {path.name}, {size / 1e6:,.1f} MB, verified", file=str(path), bytes=size)
    return True


def copy(ledger: Path, folder: Path, now: int, going: threading.Event) -> tuple[int, Path]:
    """Copy and verify the ledger; it has its name only when it is whole. Raises LedgerError or OSError."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for left in folder.glob("ledger-*.db.part*"):
        left.unlink(missing_ok=True)  # a crash in the middle
    path = folder / f"ledger-{datetime.fromtimestamp(now // SECOND, UTC).strftime(STAMP)}.db"
    part = path.with_name(f"{path.name}.part")
    size = backup(ledger, part, go_on=going.is_set)
    settle(part, path)
    return size, path


def remove_old(folder: Path, keep: int) -> None:
    """Remove all copies but the newest ones."""
    for _, path in sorted(copies(folder), reverse=True)[keep:]:
        path.unlink(missing_ok=True)
