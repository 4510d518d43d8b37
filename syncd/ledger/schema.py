"""Which ledgers this code can use: its own schema number, and the SQLite it needs. Imported by reader and writer alike."""

import sqlite3

from syncd.errors import LedgerError

SCHEMA = 2  # the number of the newest file in migrations/
APPLICATION = 0x73796E63  # "sync": marks the file as ours
NEEDED = (3, 38, 0)  # STRICT tables and the ->> operator

Database = sqlite3.Connection


def check_sqlite(version: tuple[int, ...] = sqlite3.sqlite_version_info) -> None:
    """Raise LedgerError if this Python's SQLite is too old for the ledger; the message names the version needed."""
    if version < NEEDED:
        needed, found = (".".join(map(str, v)) for v in (NEEDED, version))
        raise LedgerError(f"the ledger needs SQLite {needed} or newer, this Python has {found}")


def check_file(db: Database, path: str) -> int:
    """Return the schema number of an open database, 0 if it is empty; raises LedgerError if it is not ours or too new."""
    (application,) = db.execute("PRAGMA application_id").fetchone()
    (version,) = db.execute("PRAGMA user_version").fetchone()
    (objects,) = db.execute("SELECT count(*) FROM sqlite_master").fetchone()
    if not objects:
        return 0
    if application != APPLICATION:
        raise LedgerError(f"{path} is a database, but not a ledger of syncd")
    if version > SCHEMA:
        raise LedgerError(
            f"{path} was written by a newer syncd (ledger {version}, this syncd knows {SCHEMA}); install that version again"
        )
    return int(version)
