"""A consistent copy of a ledger, while the daemon writes or without one. The copy knows that it is one."""

import sqlite3
from contextlib import closing
from pathlib import Path

from syncd.errors import LedgerError
from syncd.ledger import meta
from syncd.ledger.reading import read_only


def backup(path: Path | str, target: Path | str) -> int:
    """Copy the ledger at ``path`` to the new file ``target``, verify the copy, and return its size in bytes.

    Raises LedgerError if the target exists or cannot be written, or the copy is not sound; then there is no target.
    """
    place = Path(target)
    try:
        place.touch(mode=0o600, exist_ok=False)
    except OSError as error:
        raise LedgerError(f"cannot write the backup {place}: {error.strerror}") from error
    try:
        with read_only(path) as source, closing(sqlite3.connect(place, isolation_level=None)) as copy:
            source.backup(copy)
            copy.execute("PRAGMA journal_mode = DELETE").fetchall()
            meta.put(copy, "copy", "1")
            verify(copy, place)
    except (sqlite3.Error, LedgerError) as error:
        place.unlink(missing_ok=True)
        raise LedgerError(f"cannot make the backup {place}: {error}") from error
    return place.stat().st_size


def verify(copy: sqlite3.Connection, place: Path) -> None:
    """Raise LedgerError unless SQLite finds the copy sound and every reference in it leads somewhere."""
    found = [row[0] for row in copy.execute("PRAGMA integrity_check(5)")]
    if found != ["ok"]:
        raise LedgerError(f"{place} is not sound: {found[0]}")
    if copy.execute("PRAGMA foreign_key_check").fetchone() is not None:
        raise LedgerError(f"{place} is not sound: a reference leads nowhere")
