"""From the inbox to the committed outcome, against raw SQLite writing the very same rows into a copy of the same file.

The ledger holds N products on three platforms; then the ERP changes a field of many. What deciding writes is noted once,
statement by statement, and replayed batch by batch: that is what the disk and SQLite alone cost.
"""

import shutil
import sqlite3
from pathlib import Path
from typing import Any

from syncd.daemon.judge import judge
from syncd.daemon.runtime import Runtime
from syncd.ledger import opening
from syncd.ledger.store import uncollected
from tests.bench.company import PAGE, fill, furnish, looks, offer
from tests.bench.measure import Series, timed

ALONE = 300  # changes in a run of one change per transaction
Batch = list[tuple[str, list[tuple[Any, ...]]]]


class Spy(sqlite3.Connection):
    """A connection that notes every statement that changed something, with its rows."""

    noted: Batch

    def executemany(self, sql: str, rows: Any, /) -> sqlite3.Cursor:
        kept = [tuple(row) for row in rows]
        before = self.total_changes
        done = super().executemany(sql, kept)
        if self.total_changes != before:
            self.noted.append((sql, kept))
        return done

    def execute(self, sql: str, row: Any = (), /) -> sqlite3.Cursor:
        before = self.total_changes
        done = super().execute(sql, row)
        if self.total_changes != before:
            self.noted.append((sql, [tuple(row)]))
        return done


def note(runtime: Runtime, path: Path) -> list[Batch]:
    """Decide everything that waits in a ledger nobody has open; return what each transaction wrote."""
    db = sqlite3.connect(path, isolation_level=None, factory=Spy)
    opening.tune(db, path)
    batches: list[Batch] = []
    rows = 1
    while rows:
        db.noted = []
        db.execute("BEGIN IMMEDIATE")
        rows = judge(db, runtime.scene(), limit=PAGE).rows
        db.execute("COMMIT")
        batches.append(db.noted)
    db.close()
    return [batch for batch in batches if batch]


async def replay(path: Path, batches: list[Batch], series: Series, count: int) -> None:
    """Write the same rows again, in as many transactions, with the ledger's own settings."""
    db = opening.connect(path)
    opening.tune(db, path)

    async def write() -> None:
        for batch in batches:
            db.execute("BEGIN IMMEDIATE")
            for sql, rows in batch:
                db.executemany(sql, rows)
            db.execute("COMMIT")

    with uncollected():
        await timed(series, count, write)
    db.close()


def copied(folder: Path, name: str) -> Path:
    """Return a fresh copy of the prepared ledger."""
    place = folder / name
    place.mkdir(exist_ok=True)
    for file in place.glob("ledger.db*"):
        file.unlink()
    for file in folder.glob("ledger.db*"):
        shutil.copy(file, place)
    return place / "ledger.db"


async def fill_ledger(folder: Path, records: int) -> float:
    """Make the ledger; return its bytes a record."""
    async with furnish(folder).runtime() as runtime:
        await fill(runtime, records)
    return (folder / "ledger.db").stat().st_size / records


async def bench(folder: Path, records: int, runs: int) -> tuple[Series, Series, Series]:
    """Return ours, raw, ours one change a transaction; the ledger is filled already."""
    world, changed = furnish(folder), min(records, 10_000)
    async with world.runtime() as runtime:
        step = records // changed
        await offer(runtime, looks("erp", range(0, changed * step, step), "11.00", 2, runtime.number()))
    async with world.runtime() as runtime:
        spied = copied(folder, "spied")
        batches = note(runtime, spied)
        spied.unlink()
    ours, raw, alone = Series(), Series(), Series()
    for _ in range(runs):
        await replay(copied(folder, "raw"), batches, raw, changed)
        await ours_in(folder, ours, changed, PAGE)
        await ours_in(folder, alone, min(changed, ALONE), 1)
    return ours, raw, alone


async def ours_in(folder: Path, series: Series, count: int, limit: int) -> None:
    """Decide ``count`` changes in a copy of the prepared ledger, ``limit`` in a transaction."""
    world = furnish(copied(folder, "ours").parent)

    async def decide() -> None:
        for _ in range(0, count, limit):
            await runtime.store.write(judge, runtime.scene(), limit=limit)

    async with world.runtime() as runtime:
        await timed(series, count, decide)
