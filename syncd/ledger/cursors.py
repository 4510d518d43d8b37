"""Where each feed stands, when a platform was last read, and what its scans prove."""

from dataclasses import dataclass

from syncd.ledger.schema import Database


@dataclass(frozen=True, slots=True)
class Feed:
    """One collection's feed: its position, our clock at its last successful read, the number of its last proving scan."""

    platform: str
    collection: str
    position: str | None
    read_at: int | None
    swept: int | None


def position(db: Database, platform: str, collection: str) -> str | None:
    """Return the feed's position, None if it starts from nothing."""
    row = db.execute("SELECT position FROM cursor WHERE platform = ? AND collection = ?", (platform, collection)).fetchone()
    return None if row is None else row[0]


def move(db: Database, platform: str, collection: str, position: str | None) -> None:
    """Set the feed's position; None starts it over."""
    db.execute(
        "INSERT INTO cursor (platform, collection, position) VALUES (?, ?, ?)"
        " ON CONFLICT (platform, collection) DO UPDATE SET position = excluded.position",
        (platform, collection, position),
    )


def note_read(db: Database, platform: str, collection: str, now: int) -> None:
    """Note that the collection was read successfully; staleness counts from here."""
    db.execute(
        "INSERT INTO cursor (platform, collection, read_at_us) VALUES (?, ?, ?)"
        " ON CONFLICT (platform, collection) DO UPDATE SET read_at_us = max(coalesce(read_at_us, 0), excluded.read_at_us)",
        (platform, collection, now),
    )


def prove(db: Database, platform: str, collection: str, as_of: int) -> None:
    """Note that a complete scan which started at ``as_of`` is decided to its last row."""
    db.execute(
        "INSERT INTO cursor (platform, collection, swept) VALUES (?, ?, ?)"
        " ON CONFLICT (platform, collection) DO UPDATE SET swept = max(coalesce(swept, 0), excluded.swept)",
        (platform, collection, as_of),
    )


def proved(db: Database) -> set[tuple[str, str]]:
    """Return the collections that were swept completely once, and decided to the last row."""
    return set(db.execute("SELECT platform, collection FROM cursor WHERE swept IS NOT NULL").fetchall())


def unprove(db: Database, platform: str, collection: str) -> None:
    """Forget what scans proved: the collection's scope or mapping changed."""
    db.execute("UPDATE cursor SET swept = NULL WHERE platform = ? AND collection = ?", (platform, collection))


def feeds(db: Database) -> list[Feed]:
    """Return all feeds."""
    rows = db.execute("SELECT platform, collection, position, read_at_us, swept FROM cursor ORDER BY platform, collection")
    return [Feed(*row) for row in rows]
