"""Match keys: how a record is found by what it says of itself."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from syncd.core.identity import UNIQUE, record_keys
from syncd.core.model import Record
from syncd.core.rules import Rules
from syncd.core.space import Key, Space
from syncd.ledger.loaded import Loaded, read_records
from syncd.ledger.schema import Database
from syncd.ledger.texts import dump


def find(db: Database, matches: Iterable[Key], *, known: dict[Key, set[int]]) -> dict[Key, set[int]]:
    """Return the records under each match key that is not known yet."""
    sorts: dict[tuple[str, str], list[str]] = {}
    for entity, by, value in set(matches) - known.keys():
        sorts.setdefault((entity, by), []).append(value)
    found: dict[Key, set[int]] = {}
    for sort, values in sorts.items():
        rows = db.execute(
            "SELECT m.value, m.record FROM json_each(?) j CROSS JOIN match_key m"
            " ON m.entity = ? AND m.by = ? AND m.value = j.value",
            (dump(values), *sort),
        )
        for value, record in rows.fetchall():
            found.setdefault((*sort, value), set()).add(record)
    return found


@dataclass(frozen=True, slots=True)
class Moved:
    """The match keys that a batch gave to records and took from them. ``arrived`` has those, each with its record, of which
    the record had none under that match before.
    """

    added: set[Key] = field(default_factory=set)
    removed: set[Key] = field(default_factory=set)
    arrived: set[tuple[Key, int]] = field(default_factory=set)

    def __or__(self, other: "Moved") -> "Moved":
        """Return both."""
        return Moved(self.added | other.added, self.removed | other.removed, self.arrived | other.arrived)


def store(db: Database, space: Space, touched: Sequence[Record], *, new: set[int]) -> Moved:
    """Write the keys that touched records have now, and take away those that they no longer have; ``new`` had none."""
    entities = space.rules.entities
    now = {(*key, r.id) for r in touched if r.entity in entities for key in record_keys(entities[r.entity], r, space.now)}
    before = stored(db, {record.id for record in touched} - new)
    db.executemany("DELETE FROM match_key WHERE entity = ? AND by = ? AND value = ? AND record = ?", sorted(before - now))
    db.executemany("INSERT INTO match_key VALUES (?, ?, ?, ?)", sorted(now - before))
    had = {(by, number) for _, by, _, number in before}
    return Moved(
        {(entity, by, value) for entity, by, value, _ in now - before},
        {(entity, by, value) for entity, by, value, _ in before - now},
        {((entity, by, value), number) for entity, by, value, number in now - before if (by, number) not in had},
    )


def shared(db: Database, keys: Iterable[Key]) -> set[Key]:
    """Return those of these keys that several records have; a unique value is no key by which a record is found."""
    wanted = sorted(key for key in keys if not key[1].startswith(UNIQUE))
    rows = db.execute(
        "SELECT m.entity, m.by, m.value FROM json_each(?) j CROSS JOIN match_key m"
        " ON m.entity = j.value ->> 0 AND m.by = j.value ->> 1 AND m.value = j.value ->> 2"
        " GROUP BY m.entity, m.by, m.value HAVING count(*) > 1",
        (dump(wanted),),
    )
    return set(rows.fetchall()) if wanted else set()


def stored(db: Database, records: set[int]) -> set[tuple[str, str, str, int]]:
    """Return the keys that records have in the table."""
    if not records:
        return set()
    rows = db.execute(
        "SELECT m.entity, m.by, m.value, m.record FROM json_each(?) j CROSS JOIN match_key m ON m.record = j.value",
        (dump(sorted(records)),),
    )
    return set(rows.fetchall())


def rekey(db: Database, rules: Rules, *, after: int = 0, limit: int = 1000) -> int | None:
    """Derive the match keys of up to ``limit`` records with ids above ``after`` again, because the match rules changed.

    Returns the id to go on after, None when all are done.
    """
    ids = [row[0] for row in db.execute("SELECT id FROM record WHERE id > ? ORDER BY id LIMIT ?", (after, limit))]
    records = [r for r in read_records(db, ids, Loaded()).values() if r.entity in rules.entities]
    store(db, Space(rules, 0, lambda: 0), records, new=set())
    return ids[-1] if len(ids) == limit else None
