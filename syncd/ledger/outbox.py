"""Which platform is behind on which record. There is no body: a write is planned at the moment it is sent."""

from collections.abc import Iterable
from dataclasses import dataclass

from syncd.ledger.schema import Database
from syncd.ledger.texts import dump


@dataclass(frozen=True, slots=True)
class Due:
    """A record that a platform must be told of. ``mark`` tells a newer decision from the one this delivery answers."""

    record: int
    platform: str
    attempts: int
    since: int
    mark: int
    error: str | None = None

    @property
    def stand(self) -> tuple[int, int]:
        """Return what tells this row from any other of the same record: since when it waits, and its mark."""
        return self.since, self.mark


def mark(db: Database, behind: Iterable[tuple[int, str]], now: int) -> None:
    """Note platforms as behind on records; one that is behind already keeps its back-off."""
    db.executemany(
        "INSERT INTO outbox (record, platform, since_us, due_us) VALUES (?, ?, ?, 0)"
        " ON CONFLICT (record, platform) DO UPDATE SET mark = mark + 1",
        [(record, platform, now) for record, platform in behind],
    )


def due(db: Database, platform: str, now: int, limit: int) -> list[Due]:
    """Return what can be sent to a platform now, longest waiting first; a record with an open attempt is left out."""
    rows = db.execute(
        "SELECT o.record, o.platform, o.attempts, o.since_us, o.mark, o.error FROM outbox o"
        " WHERE o.platform = ? AND o.due_us <= ? AND NOT EXISTS"
        " (SELECT 1 FROM attempt a WHERE a.record = o.record AND a.platform = o.platform AND a.outcome IS NULL)"
        " ORDER BY o.due_us, o.since_us, o.record LIMIT ?",
        (platform, now, limit),
    )
    return [Due(*row) for row in rows]


def clear(db: Database, record: int, platform: str, *, mark: int | None = None) -> bool:
    """Take a record out of a platform's outbox, unless it was decided again since ``mark``; returns whether it is out."""
    return (
        db.execute(
            "DELETE FROM outbox WHERE record = ? AND platform = ? AND mark = coalesce(?, mark)", (record, platform, mark)
        ).rowcount
        > 0
    )


def postpone(db: Database, record: int, platform: str, *, until: int, error: str | None, counts: bool) -> int:
    """Try again at ``until``; ``counts`` if this was an attempt of the record itself. Returns its attempts so far."""
    row = db.execute(
        "UPDATE outbox SET due_us = ?, error = ?, attempts = attempts + ? WHERE record = ? AND platform = ? RETURNING attempts",
        (until, error, int(counts), record, platform),
    ).fetchone()
    return 0 if row is None else int(row[0])


def marks(db: Database, platform: str, records: Iterable[int]) -> dict[int, tuple[int, int]]:
    """Return what tells the rows that these records have now in a platform's outbox from any before: since when, and mark."""
    rows = db.execute(
        "SELECT o.record, o.since_us, o.mark FROM json_each(?) j CROSS JOIN outbox o ON o.record = j.value AND o.platform = ?",
        (dump(sorted(records)), platform),
    )
    return {record: (since, mark) for record, since, mark in rows.fetchall()}


def hasten(db: Database, platform: str, *, record: int | None = None) -> int:
    """Make a platform's postponed records due, or one of them, with their attempts counted afresh; returns how many."""
    return db.execute(
        "UPDATE outbox SET due_us = 0, attempts = 0 WHERE platform = ? AND record = coalesce(?, record) AND due_us > 0",
        (platform, record),
    ).rowcount


def release(db: Database, error: str, *, platform: str | None = None, entity: str | None = None) -> int:
    """Make what was postponed for this reason due, on one platform or of one entity if given; returns how many."""
    return db.execute(
        "UPDATE outbox SET due_us = 0 WHERE error = ?1 AND due_us > 0 AND platform = coalesce(?2, platform)"
        " AND (?3 IS NULL OR record IN (SELECT id FROM record WHERE entity = ?3))",
        (error, platform, entity),
    ).rowcount


def look_again(db: Database, records: Iterable[int], pattern: str) -> None:
    """Make these records due where they were postponed for a reason like this one."""
    query = "UPDATE outbox SET due_us = 0 WHERE record = ? AND due_us > 0 AND error LIKE ?"
    db.executemany(query, [(record, pattern) for record in records])


def is_busy(db: Database, records: Iterable[int], platforms: Iterable[str], *, until: int) -> bool:
    """Return whether one of these platforms has something to be told of one of these records before ``until``."""
    row = db.execute(
        "SELECT 1 FROM json_each(?) j CROSS JOIN outbox o ON o.record = j.value"
        " WHERE o.platform IN (SELECT value FROM json_each(?)) AND o.due_us <= ? LIMIT 1",
        (dump(sorted(records)), dump(sorted(platforms)), until),
    ).fetchone()
    return row is not None


def of_entity(db: Database, platform: str, entity: str) -> set[int]:
    """Return the records of an entity that a platform is behind on."""
    rows = db.execute(
        "SELECT o.record FROM outbox o JOIN record r ON r.id = o.record WHERE o.platform = ? AND r.entity = ?",
        (platform, entity),
    )
    return {row[0] for row in rows}


def depth(db: Database) -> dict[str, int]:
    """Return how many records each platform is behind on."""
    return dict(db.execute("SELECT platform, count(*) FROM outbox GROUP BY platform ORDER BY platform").fetchall())


def next_at(db: Database, platform: str | None = None) -> int | None:
    """Return when the next record is due, on one platform or any; None if none is. One with an open attempt waits for that."""
    row = db.execute(
        "SELECT min(o.due_us) FROM outbox o WHERE o.platform = coalesce(?, o.platform) AND NOT EXISTS"
        " (SELECT 1 FROM attempt a WHERE a.record = o.record AND a.platform = o.platform AND a.outcome IS NULL)",
        (platform,),
    ).fetchone()
    return None if row[0] is None else int(row[0])


def behind(db: Database, record: int) -> dict[str, Due]:
    """Return the platforms that are behind on one record."""
    rows = db.execute(
        "SELECT record, platform, attempts, since_us, mark, error FROM outbox WHERE record = ? ORDER BY platform", (record,)
    )
    return {row[1]: Due(*row) for row in rows}
