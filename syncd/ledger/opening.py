"""What happens when a ledger is opened: settings, migrations, its epoch, and whether it is the one we left."""

import secrets
import sqlite3
from dataclasses import dataclass
from pathlib import Path

from syncd.errors import LedgerError
from syncd.ledger import meta
from syncd.ledger.lock import UNREADABLE
from syncd.ledger.migrate import migrate
from syncd.ledger.rebase import rebase
from syncd.ledger.schema import Database, check_file
from syncd.ledger.texts import when

SETTINGS = (
    "PRAGMA synchronous = FULL",
    "PRAGMA foreign_keys = ON",
    "PRAGMA busy_timeout = 5000",
    "PRAGMA wal_autocheckpoint = 8000",  # pages; fewer and larger checkpoints, a third less time a commit
    "PRAGMA journal_size_limit = 67108864",
    "PRAGMA cache_size = -49152",  # KiB
    "PRAGMA temp_store = MEMORY",
)

COPY = "it was put back from a backup"
OLDER = "it is older than the ledger that was here last"
MOVED = "it was brought here without the stamp beside it"
LOST = "the ledger that was here is gone"


@dataclass(frozen=True, slots=True)
class Opened:
    """Where a ledger stands: its epoch, the last number handed out, the last one reserved, its commits so far."""

    epoch: str
    number: int
    reserved: int
    commits: int


def connect(path: Path) -> Database:
    """Return the writer's connection; makes the file, readable by nobody else."""
    try:
        path.touch(mode=0o600)
        return sqlite3.connect(path, isolation_level=None, check_same_thread=False, cached_statements=256)
    except (OSError, sqlite3.Error) as error:
        raise LedgerError(f"cannot open the ledger {path}: {error}") from error


def prepare(db: Database, path: Path, *, stamp: tuple[str, int] | None, now: int, block: int) -> Opened:
    """Settle and migrate a ledger, tell whether it was lost or restored, and reserve a block of request numbers.

    Raises LedgerError if it is newer than this syncd, damaged, not a ledger or not writable.
    """
    try:
        fresh = check_file(db, str(path)) == 0
        tune(db, path)
        migrate(db, str(path))
        db.execute("BEGIN IMMEDIATE")
        settle(db, stamp=stamp, now=now, fresh=fresh)
        number = meta.number(db, "number")
        meta.put(db, "number", str(number + block))
        opened = Opened(meta.get(db, "epoch") or "", number, number + block, meta.number(db, "commits"))
        db.execute("COMMIT")
    except sqlite3.Error as error:
        raise LedgerError(f"cannot use the ledger {path}: {error}") from error
    return opened


def tune(db: Database, path: Path) -> None:
    """Set what a connection needs; raises LedgerError where the file system cannot keep a write-ahead log."""
    (mode,) = db.execute("PRAGMA journal_mode = WAL").fetchone()
    if mode != "wal":
        raise LedgerError(f"{path}: this file system cannot keep a ledger: no write-ahead log (journal mode {mode})")
    for setting in SETTINGS:
        db.execute(setting).fetchall()


def settle(db: Database, *, stamp: tuple[str, int] | None, now: int, fresh: bool) -> None:
    """Give a new ledger its epoch; give one that is not the ledger we left a new one, and start its counting afresh."""
    why = (LOST if stamp else None) if fresh else doubt(db, stamp)
    if fresh:
        meta.put(db, "created_at", when(now))
        meta.put(db, "commits", "0")
    elif why is not None:
        rebase(db, now)
    if fresh or why is not None:
        meta.put(db, "epoch", secrets.token_hex(6))
        meta.put(db, "copy", None)
    if why is not None:
        meta.put(db, "restored", why)


def doubt(db: Database, stamp: tuple[str, int] | None) -> str | None:
    """Return why an existing ledger is not the one we left here, None if it is."""
    if meta.get(db, "copy") is not None:
        return COPY
    if stamp is None:
        return MOVED if meta.number(db, "commits") else None
    if stamp == UNREADABLE:
        return None
    epoch, commits = stamp
    return OLDER if epoch != meta.get(db, "epoch") or commits > meta.number(db, "commits") else None
