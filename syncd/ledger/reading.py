"""Read a ledger from outside: for the command line and the console, beside a running daemon or without one.

Imports little, so that ``status`` starts fast. A reader never checkpoints and never writes.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

from syncd.errors import LedgerError
from syncd.ledger.schema import SCHEMA, Database, check_file, check_sqlite


@contextmanager
def read_only(path: Path | str) -> Iterator[Database]:
    """Open a ledger for reading; raises LedgerError if it is missing, damaged, newer than this syncd or not yet migrated."""
    check_sqlite()
    if not Path(path).is_file():
        raise LedgerError(f"there is no ledger at {path}; syncd run makes it")
    db = connect(path)
    try:
        yield db
    finally:
        db.close()


def connect(path: Path | str) -> Database:
    """Return a connection that can only read, checked. In a folder we may not write, without a daemon: the file as it is."""
    file = f"file:{quote(str(path))}?mode=ro"
    try:
        return checked(open_uri(file), path)
    except sqlite3.OperationalError as error:
        if Path(f"{path}-wal").exists():
            raise LedgerError(f"cannot read {path}: {error}") from error
    try:
        return checked(open_uri(f"{file}&immutable=1"), path)
    except sqlite3.OperationalError as error:
        raise LedgerError(f"cannot read {path}: {error}") from error


def open_uri(uri: str) -> Database:
    """Return a raw connection; the first statement tells whether it works."""
    return sqlite3.connect(uri, uri=True, isolation_level=None, timeout=5.0)


def checked(db: Database, path: Path | str) -> Database:
    """Return the connection if the file is a ledger of this version; closes it and raises otherwise."""
    try:
        refuse_other(check_file(db, str(path)), path)
        db.execute("PRAGMA query_only = 1")
    except (LedgerError, sqlite3.Error) as error:
        db.close()
        if type(error) is sqlite3.DatabaseError:
            raise LedgerError(f"{path} is damaged, or no ledger: {error}") from error
        raise
    return db


def refuse_other(version: int, path: Path | str) -> None:
    """Raise LedgerError for a ledger that was not yet brought up to date."""
    if version != SCHEMA:
        raise LedgerError(f"{path} is older than this syncd (ledger {version} of {SCHEMA}); syncd run brings it up to date")
