"""A consistent copy of a ledger, while the daemon writes or without one. The copy knows that it is one."""

import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from syncd.errors import LedgerError
from syncd.ledger import meta
from syncd.ledger.reading import read_only
from syncd.ledger.schema import Database

PAGES = 4096  # copied between two looks whether to go on
STEPS = 100_000  # of SQLite's machine between two such looks while the copy is verified


def backup(path: Path | str, target: Path | str, *, go_on: Callable[[], bool] = lambda: True) -> int:
    """Copy the ledger at ``path`` to the new file ``target``, verify the copy, and return its size in bytes.

    Raises LedgerError if the target exists or cannot be written, the copy is not sound, or ``go_on`` (asked now and then)
    says no; then there is no target.
    """
    place = Path(target)
    try:
        place.touch(mode=0o600, exist_ok=False)
    except OSError as error:
        raise LedgerError(f"cannot write the backup {place}: {error.strerror}") from error
    try:
        with read_only(path) as source, closing(sqlite3.connect(place, isolation_level=None)) as copy:
            source.execute("BEGIN")  # the copy is of one moment, however long it takes; it ends with the connection
            there = counts(source)
            source.backup(copy, pages=PAGES, progress=lambda *_: stop_unless(go_on))
            copy.execute("PRAGMA journal_mode = DELETE").fetchall()
            copy.set_progress_handler(lambda: not go_on(), STEPS)
            verify(copy, place, there)
            meta.put(copy, "copy", "1")
    except (sqlite3.Error, LedgerError, OSError) as error:
        place.unlink(missing_ok=True)
        raise LedgerError(f"cannot make the backup {place}: {error}") from error
    return place.stat().st_size


def stop_unless(go_on: Callable[[], bool]) -> None:
    """Raise LedgerError if it is not to go on."""
    if not go_on():
        raise LedgerError("stopped")


def counts(db: Database) -> dict[str, int]:
    """Return how many rows each table has."""
    names = [row[0] for row in db.execute("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")]
    return {name: db.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0] for name in names}


def verify(copy: sqlite3.Connection, place: Path, there: dict[str, int]) -> None:
    """Raise LedgerError unless SQLite finds the copy sound, every reference leads somewhere, and no table has fewer rows."""
    found = [row[0] for row in copy.execute("PRAGMA integrity_check(5)")]
    if found != ["ok"]:
        raise LedgerError(f"{place} is not sound: {found[0]}")
    if copy.execute("PRAGMA foreign_key_check").fetchone() is not None:
        raise LedgerError(f"{place} is not sound: a reference leads nowhere")
    if counts(copy) != there:
        raise LedgerError(f"{place} is not whole: rows are missing")


def settle(target: Path | str, name: Path | str) -> None:
    """Give a finished copy its name, so that it is there after a power cut; raises LedgerError if that cannot be."""
    place = Path(name)
    try:
        Path(target).replace(place)
        folder = os.open(place.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    except OSError as error:
        raise LedgerError(f"cannot write the backup {place}: {error.strerror}") from error
