"""How many records live, and how many rows are linked on each platform: counted as they come and go, never by scanning."""

from collections import Counter
from collections.abc import Sequence

from syncd.core.model import Life, Record
from syncd.ledger.loaded import Loaded
from syncd.ledger.schema import Database


def count(db: Database, touched: Sequence[Record], loaded: Loaded) -> None:
    """Add what a batch changed. Records count under platform ''."""
    moves: Counter[tuple[str, str]] = Counter()
    for record in touched:
        before = loaded.records.get(record.id)
        moves[record.entity, ""] += record.life is Life.ALIVE
        if before is not None:
            moves[before[0], ""] -= before[2] == Life.ALIVE
        for platform, shadow in record.shadows.items():
            moves[record.entity, platform] += shadow.life is Life.ALIVE
    ours = {record.id: record.entity for record in touched}
    for (number, platform), (row, _, _) in loaded.shadows.items():
        if number in ours:
            moves[ours[number], platform] -= row[2] == Life.ALIVE
    db.executemany(
        "INSERT INTO tally VALUES (?, ?, ?) ON CONFLICT (entity, platform) DO UPDATE SET living = living + excluded.living",
        [(*what, number) for what, number in moves.items() if number],
    )


def linked(db: Database, platform: str, entity: str) -> int:
    """Return how many living rows of an entity are linked on a platform."""
    row = db.execute("SELECT living FROM tally WHERE entity = ? AND platform = ?", (entity, platform)).fetchone()
    return 0 if row is None else int(row[0])


def records(db: Database) -> dict[str, int]:
    """Return how many records of each entity live."""
    return dict(db.execute("SELECT entity, living FROM tally WHERE platform = '' ORDER BY entity").fetchall())
