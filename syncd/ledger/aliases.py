"""Former names of records, so that whoever still has the old one finds the record; and records a person keeps apart."""

from collections.abc import Iterable
from dataclasses import dataclass

from syncd.core.space import Space
from syncd.ledger import letters
from syncd.ledger.loaded import Loaded
from syncd.ledger.schema import Database
from syncd.ledger.texts import dump, micros, when

DEEPEST = 50  # records that became one with another, one after the other


@dataclass(frozen=True, slots=True)
class Alias:
    """A former name of a record: why it is no more, and since when (our clock)."""

    name: str
    why: str
    at: int


def store(db: Database, space: Space, loaded: Loaded) -> None:
    """Keep the names that a batch took from records: keys that changed, and records that became one with another."""
    rows = []
    for number in sorted(space.touched):
        record, before = space.records[number], loaded.records.get(number)
        if before is not None and before[1] not in ("", record.key, f"{record.entity[:1]}{number}"):
            rows.append((record.entity, before[1], number, f"renamed to {record.key}", when(space.now)))
    for loser, survivor, why in space.united:
        record = space.records[loser]
        rows.append((record.entity, f"{record.entity[:1]}{loser}", survivor, why, when(space.now)))
    db.executemany(
        "INSERT INTO alias VALUES (?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET why = excluded.why, at = excluded.at", rows
    )
    pairs = [(one, other, by, when(space.now)) for (one, other), by in space.parted.items()]
    db.executemany("INSERT INTO apart VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING", pairs)
    for loser, survivor, _ in space.united:
        letters.close_record(db, loser, f"one with {space.records[survivor].key}", space.now)
        db.execute("DELETE FROM apart WHERE one = ?1 OR other = ?1", (loser,))


def apart(db: Database, records: Iterable[int]) -> set[tuple[int, int]]:
    """Return the pairs that a person keeps apart, of those that these records are in."""
    wanted = dump(sorted(records))
    rows = db.execute(
        "SELECT a.one, a.other FROM json_each(?1) j CROSS JOIN apart a ON a.one = j.value"
        " UNION SELECT a.one, a.other FROM json_each(?1) j CROSS JOIN apart a ON a.other = j.value",
        (wanted,),
    )
    return set(rows.fetchall())


def join(db: Database, one: int, other: int) -> None:
    """Forget that two records were kept apart: a person says now that they are one."""
    db.execute("DELETE FROM apart WHERE one = ? AND other = ?", (min(one, other), max(one, other)))


def of_record(db: Database, record: int) -> list[Alias]:
    """Return the former names of a record, oldest first."""
    rows = db.execute("SELECT name, why, at FROM alias WHERE record = ? ORDER BY at, name", (record,))
    return [Alias(name, why, micros(at)) for name, why, at in rows.fetchall()]


def named(db: Database, entity: str, name: str) -> list[int]:
    """Return the records that had this name once, living ones first."""
    rows = db.execute(
        "SELECT a.record FROM alias a JOIN record r ON r.id = a.record WHERE a.entity = ? AND a.name = ?"
        " ORDER BY r.life <> 'alive', a.at DESC, a.record",
        (entity, name),
    )
    return [record for (record,) in rows.fetchall()]


def survivor(db: Database, entity: str, record: int) -> int:
    """Return the record that this one became one with, itself if it did not."""
    for _ in range(DEEPEST):
        found = named(db, entity, f"{entity[:1]}{record}")
        if not found or found[0] == record:
            break
        record = found[0]
    return record


def swallowed(db: Database, record: int) -> list[int]:
    """Return the records that became one with this one, whose own history stands under their ids."""
    rows = db.execute(
        "SELECT o.id FROM alias a JOIN record o ON o.entity = a.entity AND o.id = CAST(substr(a.name, 2) AS INTEGER)"
        " WHERE a.record = ? AND a.name = substr(a.entity, 1, 1) || o.id AND o.id <> a.record ORDER BY o.id",
        (record,),
    )
    return [number for (number,) in rows.fetchall()]
