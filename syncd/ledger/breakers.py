"""Safety limits: what was written in a window, which limits were exceeded, and what a person allowed since."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from syncd.ledger import tallies
from syncd.ledger.attempts import COUNTED
from syncd.ledger.schema import Database
from syncd.ledger.texts import dump, load


@dataclass(frozen=True, slots=True)
class Counts:
    """How many records were overwritten, deleted and blanked on a platform since a time, and how many are linked there."""

    changes: int
    deletes: int
    blanked: int
    linked: int


@dataclass(frozen=True, slots=True)
class Breaker:
    """A limit that was exceeded; open while ``reset_at`` is None. ``figures`` says what was counted against what."""

    id: int
    platform: str
    entity: str
    kind: str
    figures: dict[str, Any]
    tripped_at: int
    reset_at: int | None
    allow: int | None
    allow_until: int | None
    note: str | None
    by: str | None


@dataclass(frozen=True, slots=True)
class Allowance:
    """What a reset allows: so many records until a time; ``left`` of them. ``since`` is the reset: count from there."""

    since: int
    until: int
    allow: int
    left: int


KINDS = ("changes", "deletes", "blanked")

SELECT = "SELECT id, platform, entity, kind, figures, tripped_us, reset_us, allow, allow_until_us, note, by FROM breaker"


def counts(db: Database, platform: str, entity: str, *, since: int) -> Counts:
    """Return what was, or may have been, written on a platform since a time. Records are counted, not fields."""
    changes, deletes, blanked = db.execute(
        "SELECT count(DISTINCT CASE WHEN overwrote THEN record END),"
        " count(DISTINCT CASE WHEN op IN ('delete', 'archive') THEN record END),"
        " count(DISTINCT CASE WHEN blanked THEN record END)"
        f" FROM attempt WHERE platform = ? AND entity = ? AND sent_at_us > ? AND {COUNTED}",
        (platform, entity, since),
    ).fetchone()
    return Counts(changes, deletes, blanked, tallies.linked(db, platform, entity))


def written(db: Database, platform: str, entity: str, *, since: int) -> dict[str, set[int]]:
    """Return the records that were, or may have been, written on a platform since a time, by kind of breaker."""
    rows = db.execute(
        "SELECT DISTINCT record, overwrote, op IN ('delete', 'archive'), blanked FROM attempt"
        f" WHERE platform = ? AND entity = ? AND sent_at_us > ? AND {COUNTED}",
        (platform, entity, since),
    ).fetchall()
    return {kind: {row[0] for row in rows if row[place]} for place, kind in enumerate(KINDS, start=1)}


def trip(db: Database, platform: str, entity: str, kind: str, *, figures: Mapping[str, Any], now: int) -> bool:
    """Open a breaker; returns whether it was closed before."""
    return (
        db.execute(
            "INSERT INTO breaker (platform, entity, kind, figures, tripped_us) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
            (platform, entity, kind, dump(dict(figures)), now),
        ).rowcount
        > 0
    )


def reset(
    db: Database,
    platform: str,
    entity: str,
    *,
    allow: int | None = None,
    until: int | None = None,
    note: str,
    by: str,
    now: int,
) -> list[Breaker]:
    """Close the open breakers of a platform and entity and return them as they were; may allow so many records until then."""
    found = [one for one in standing(db) if (one.platform, one.entity) == (platform, entity)]
    db.executemany(
        "UPDATE breaker SET reset_us = ?, allow = ?, allow_until_us = ?, note = ?, by = ? WHERE id = ?",
        [(now, allow, until, note, by, one.id) for one in found],
    )
    return found


def standing(db: Database) -> list[Breaker]:
    """Return the open breakers, oldest first."""
    return [_breaker(row) for row in db.execute(f"{SELECT} WHERE reset_us IS NULL ORDER BY tripped_us, id")]


def past(db: Database, *, limit: int = 100) -> list[Breaker]:
    """Return the breakers that were reset, the last one first."""
    return [
        _breaker(row) for row in db.execute(f"{SELECT} WHERE reset_us IS NOT NULL ORDER BY reset_us DESC, id LIMIT ?", (limit,))
    ]


def last_reset(db: Database, platform: str, entity: str) -> int:
    """Return when a breaker of this platform and entity was last reset, 0 if never: windows start no earlier."""
    row = db.execute("SELECT max(reset_us) FROM breaker WHERE platform = ? AND entity = ?", (platform, entity)).fetchone()
    return int(row[0] or 0)


def allowance(db: Database, platform: str, entity: str, *, now: int) -> Allowance | None:
    """Return what the newest reset still allows, None if it allows nothing special (any more)."""
    row = db.execute(
        "SELECT reset_us, allow_until_us, allow FROM breaker WHERE platform = ? AND entity = ? AND allow IS NOT NULL"
        " AND allow_until_us > ? ORDER BY reset_us DESC LIMIT 1",
        (platform, entity, now),
    ).fetchone()
    if row is None:
        return None
    since, until, allow = row
    (used,) = db.execute(
        "SELECT count(DISTINCT record) FROM attempt WHERE platform = ? AND entity = ? AND sent_at_us > ?"
        f" AND (overwrote OR blanked OR op IN ('delete', 'archive')) AND {COUNTED}",
        (platform, entity, since),
    ).fetchone()
    return Allowance(since, until, allow, max(0, allow - used))


def _breaker(row: Sequence[Any]) -> Breaker:
    number, platform, entity, kind, figures, *rest = row
    return Breaker(number, platform, entity, kind, load(figures), *rest)
