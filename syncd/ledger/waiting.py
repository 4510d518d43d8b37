"""What waits, counted by what it waits on: for the metrics."""

from dataclasses import dataclass

from syncd.ledger.schema import Database


@dataclass(frozen=True, slots=True)
class Pile:
    """How many wait, and since when the oldest does."""

    count: int
    oldest_us: int


@dataclass(frozen=True, slots=True)
class Waiting:
    """Open conflicts by entity, proposed changes by platform, dead letters by platform and kind, outbox by platform."""

    conflicts: dict[str, Pile]
    changes: dict[str, int]
    dead: dict[tuple[str, str], int]
    outbox: dict[str, Pile]


def now(db: Database) -> Waiting:
    """Return everything that waits."""
    conflicts = db.execute(
        "SELECT entity, count(*), min(opened_at_us) FROM conflict WHERE state = 'open' GROUP BY entity ORDER BY entity"
    )
    changes = db.execute("SELECT platform, count(*) FROM proposal WHERE state = 'open' GROUP BY platform ORDER BY platform")
    dead = db.execute(
        "SELECT platform, kind, count(*) FROM dead_letter WHERE state = 'open' GROUP BY platform, kind ORDER BY 1, 2"
    )
    outbox = db.execute("SELECT platform, count(*), min(since_us) FROM outbox GROUP BY platform ORDER BY platform")
    return Waiting(
        {entity: Pile(count, oldest) for entity, count, oldest in conflicts},
        dict(changes.fetchall()),
        {(platform, kind): count for platform, kind, count in dead},
        {platform: Pile(count, oldest) for platform, count, oldest in outbox},
    )
