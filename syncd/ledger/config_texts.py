"""The config texts by sha, so that a past decision can be explained with the rules of its time."""

from collections.abc import Mapping

from syncd.ledger.schema import Database
from syncd.ledger.texts import dump, load, when


def keep(db: Database, sha: str, texts: Mapping[str, str], now: int) -> bool:
    """Store the texts of a config by path, once; returns whether they are new."""
    done = db.execute("INSERT INTO config VALUES (?, ?, ?) ON CONFLICT DO NOTHING", (sha, when(now), dump(dict(texts))))
    return done.rowcount > 0


def get(db: Database, sha: str) -> dict[str, str] | None:
    """Return the texts of a config by path, None if it was never kept."""
    row = db.execute("SELECT texts FROM config WHERE sha = ?", (sha,)).fetchone()
    return None if row is None else dict(load(row[0]))


def newest(db: Database) -> str | None:
    """Return the sha of the config that was kept last, None if none ever was."""
    row = db.execute("SELECT sha FROM config ORDER BY rowid DESC LIMIT 1").fetchone()
    return None if row is None else str(row[0])


def shas(db: Database, *, limit: int = 10) -> list[str]:
    """Return the shas of the configs that were kept, last first."""
    return [str(row[0]) for row in db.execute("SELECT sha FROM config ORDER BY rowid DESC LIMIT ?", (limit,))]
