"""How fast changes go from inbox to committed outcome, against raw SQLite writing the very same rows in the same file.

``python -m tests.bench.bench_ledger [RECORDS] [ROUNDS]``. Variants are interleaved; ratios of medians are what counts. The
decider is a stub that changes one field of twelve: this measures the ledger, not the core.
"""

import os
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from syncd.core.model import Change, FieldChange, GoldenField, Known, Record, Shadow, ShadowField, Via, Word
from syncd.core.space import Decision, Link, Space
from syncd.ledger import inbox, opening, records
from syncd.ledger.inbox import Waiting
from syncd.ledger.schema import Database
from syncd.ledger.store import uncollected
from tests.ledger.builders import NOW, rules

BATCH = 500
FIELDS = [f"field_{number}" for number in range(11)]
RULES = rules()
WRITES = ("INSERT", "UPDATE", "DELETE")


def item(number: int, turn: int) -> dict[str, Any]:
    """About 900 bytes of JSON, one value of it new each turn."""
    return {"sku": f"SKU-{number}", **{name: f"{name} of {number} " + "x" * 40 for name in FIELDS}, "field_0": f"turn {turn}"}


def change(number: int, turn: int) -> Change:
    """A read of one thing."""
    return Change("erp", "items", str(number), Via.READ, turn, NOW + turn, item(number, turn), changed_at=NOW + turn)


def born(number: int) -> Record:
    """A record on three platforms."""
    values = item(number, 0)
    record = Record(number, "product", 1, f"SKU-{number}", version=1)
    record.golden = {name: GoldenField(value, NOW, NOW, "erp", version=1) for name, value in values.items()}
    for platform, word in (("erp", Word.OWN), ("shop", Word.OURS), ("crm", Word.OURS)):
        fields = {name: ShadowField(value, Known.OK, value, word, NOW, NOW) for name, value in values.items()}
        record.shadows[platform] = Shadow(platform, "items", str(number), seen_at=NOW, changed_at=NOW, as_of=0, fields=fields)
    return record


def fill(db: Database, count: int) -> None:
    """Make the records, a batch at a time."""
    for start in range(1, count + 1, BATCH):
        space = Space(RULES, NOW, lambda: 0)
        for number in range(start, min(start + BATCH, count + 1)):
            record = born(number)
            space.touch(record)
            for platform in record.shadows:
                space.link((platform, "items", str(number)), Link(number, evidence="linked by sku"))
            changes = [FieldChange(n, None, g.value, "erp", "owner", "owner") for n, g in record.golden.items()]
            space.decisions.append(Decision(number, 1, NOW, "read erp", changes))
        db.execute("BEGIN IMMEDIATE")
        records.commit(db, space, records.load(db, space))
        db.execute("COMMIT")


def decide(space: Space, waiting: Sequence[Waiting]) -> None:
    """Take each look into shadow and golden: one field moves, two platforms are behind."""
    for one in waiting:
        link = space.links["erp", "items", one.change.id]
        record = space.records[link.record or 0]
        shadow = record.shadows["erp"]
        assert one.change.item is not None
        value = one.change.item["field_0"]
        before = shadow.fields["field_0"].raw
        shadow.fields["field_0"] = ShadowField(value, Known.OK, value, Word.OWN, NOW, space.now)
        shadow.as_of, shadow.seen_at, shadow.changed_at = one.change.as_of, one.change.seen_at, one.change.changed_at
        record.version += 1
        record.golden["field_0"] = GoldenField(value, NOW, space.now, "erp", version=record.version)
        moved = FieldChange("field_0", before, value, "erp", "owner", "owner", {"erp": value, "shop": before})
        space.decisions.append(Decision(record.id, record.version, space.now, "read erp", [moved]))
        space.touch(record)
        space.behind |= {(record.id, "shop"), (record.id, "crm")}


def judge(db: Database, now: int) -> int:
    """Decide one batch; returns how many changes."""
    waiting = inbox.pending(db, BATCH, now=now)
    space = Space(RULES, now, lambda: 0)
    loaded = records.load(db, space, things={("erp", "items", one.change.id) for one in waiting})
    decide(space, waiting)
    records.commit(db, space, loaded, looks=waiting)
    inbox.finish(db, [one.id for one in waiting], now=now)
    return len(waiting)


def transaction(db: Database, work: Callable[[], Any]) -> Any:
    """Run work in one transaction, as the store does."""
    with uncollected():
        db.execute("BEGIN IMMEDIATE")
        result = work()
        db.execute("COMMIT")
    return result


def ours(db: Database, changes: Sequence[Change], size: int, now: int) -> float:
    """Return changes a second through inbox, load, stub, commit; in transactions of ``size``."""
    began = time.perf_counter()
    for start in range(0, len(changes), size):
        part = changes[start : start + size]
        transaction(db, lambda part=part: inbox.add(db, "erp", "items", part, now=now))
        transaction(db, lambda: judge(db, now))
    return len(changes) / (time.perf_counter() - began)


def record_rows(db: Database, changes: Sequence[Change], now: int) -> list[tuple[str, list[tuple[Any, ...]]]]:
    """Return the writing statements of these changes with their rows, in order, as SQLite was given them."""
    groups: list[tuple[str, list[tuple[Any, ...]]]] = []

    class Spy(sqlite3.Connection):
        def executemany(self, sql: str, rows: Any, /) -> sqlite3.Cursor:
            kept = [tuple(row) for row in rows]
            groups.append((sql, kept))
            return super().executemany(sql, kept)

        def execute(self, sql: str, row: Any = (), /) -> sqlite3.Cursor:
            if sql.startswith(WRITES):
                groups.append((sql, [tuple(row)]))
            return super().execute(sql, row)

    (path,) = (row[2] for row in db.execute("PRAGMA database_list") if row[1] == "main")
    spy = sqlite3.connect(path, isolation_level=None, factory=Spy)
    spy.execute("PRAGMA foreign_keys = ON")
    spy.execute("PRAGMA synchronous = FULL")
    spy.execute("BEGIN IMMEDIATE")
    for start in range(0, len(changes), BATCH):
        inbox.add(spy, "erp", "items", changes[start : start + BATCH], now=now)
        judge(spy, now)
    spy.execute("ROLLBACK")
    spy.close()
    return [(sql, rows) for sql, rows in groups if rows]


def raw(db: Database, groups: Sequence[tuple[str, list[tuple[Any, ...]]]], count: int) -> float:
    """Return changes a second when only the recorded writes are made, in as many transactions."""
    per_batch = len(groups) // max(1, count // BATCH)
    began = time.perf_counter()
    for start in range(0, len(groups), per_batch):
        db.execute("BEGIN IMMEDIATE")
        for sql, rows in groups[start : start + per_batch]:
            db.executemany(sql, rows)
        db.execute("COMMIT")
    return count / (time.perf_counter() - began)


def fdatasync_p50(folder: Path) -> float:
    """Return the median of an fdatasync of 4 KB, in microseconds."""
    fd = os.open(folder / "sync", os.O_CREAT | os.O_WRONLY)
    times = []
    for _ in range(50):
        os.pwrite(fd, b"x" * 4096, 0)
        began = time.perf_counter()
        os.fdatasync(fd)
        times.append((time.perf_counter() - began) * 1e6)
    os.close(fd)
    return statistics.median(times)


def say(text: str) -> None:
    """Write a line to stdout."""
    sys.stdout.write(f"{text}\n")


def main(count: int, rounds: int) -> None:
    """Fill a ledger and print the ratios."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "ledger.db"
        db = opening.connect(path)
        opening.prepare(db, path, stamp=None, now=NOW, block=1000)
        fill(db, count)
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        say(f"{count} records, three shadows and full history: {path.stat().st_size / count:.0f} bytes a record")
        found: dict[str, list[float]] = {"ours": [], "raw": [], "alone": []}
        size = min(count, 5000)
        for turn in range(1, rounds + 1):
            numbers = [(turn * 7919 + step * 104729) % count + 1 for step in range(size)]
            changes = [change(number, turn) for number in dict.fromkeys(numbers)]
            changes = changes[: len(changes) // BATCH * BATCH] or changes
            groups = record_rows(db, changes, NOW + turn)
            found["raw"].append(raw_in_a_copy(db, groups, len(changes)))
            found["ours"].append(ours(db, changes, BATCH, NOW + turn))
            lonely = [change(number, turn + 1000) for number in range(1, 201)]
            found["alone"].append(ours(db, lonely, 1, NOW + turn + 1000))
        middle = {name: statistics.median(values) for name, values in found.items()}
        for name, value in middle.items():
            say(f"{name:6} {value:9.0f} changes/s   {[round(v) for v in found[name]]}")
        say(f"P1 inbox to committed / raw writes of the same rows: {middle['ours'] / middle['raw']:.2f}")
        say(f"P3 batches / one change a transaction: {middle['ours'] / middle['alone']:.1f}x")
        say(f"fdatasync of 4 KB, p50: {fdatasync_p50(Path(folder)):.0f} us")
        db.close()


def raw_in_a_copy(db: Database, groups: Sequence[tuple[str, list[tuple[Any, ...]]]], count: int) -> float:
    """Make the recorded writes for real, then take them back, so that ours does the same work on the same state."""
    (path,) = (row[2] for row in db.execute("PRAGMA database_list") if row[1] == "main")
    db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    copy = Path(path).with_suffix(".raw")
    copy.write_bytes(Path(path).read_bytes())
    other = opening.connect(copy)
    opening.tune(other, copy)
    try:
        return raw(other, groups, count)
    finally:
        other.close()
        copy.unlink()


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 20_000, int(sys.argv[2]) if len(sys.argv) > 2 else 5)
