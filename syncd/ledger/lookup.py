"""Find a record by what a person types: its key, PLATFORM:NATIVE_ID, syncd's own id, or a name it had once."""

from syncd.ledger import aliases
from syncd.ledger.schema import Database

LONGEST = 19  # a letter and what surely is a 64 bit number


def find_records(db: Database, entity: str, text: str) -> list[int]:
    """Return the ids of the records that a text names, living ones first; empty if it names none.

    A record that became one with another is found as that one, and one that was renamed by its former key.
    """
    by_key = db.execute(
        "SELECT id FROM record WHERE entity = ? AND key = ? ORDER BY life <> 'alive', id", (entity, text)
    ).fetchall()
    rows = by_key or _by_native(db, entity, text) or _by_own_id(db, entity, text)
    found = [aliases.survivor(db, entity, row[0]) for row in rows] or aliases.named(db, entity, text)
    return list(dict.fromkeys(found))


def now_called(db: Database, entity: str, text: str, record: int) -> str | None:
    """Return what a record is called now that a text named once; None if that is a name of it still."""
    row = db.execute("SELECT key FROM record WHERE id = ? AND entity = ?", (record, entity)).fetchone()
    if row is None or text in (row[0], f"{entity[:1]}{record}") or record in (r for (r,) in _by_native(db, entity, text)):
        return None
    return str(row[0])


def find_record(db: Database, entity: str, text: str) -> int | None:
    """Return the id of the record that a text names, the living one if there are several; None if it names none."""
    return next(iter(find_records(db, entity, text)), None)


def _by_native(db: Database, entity: str, text: str) -> list[tuple[int]]:
    platform, colon, native = text.partition(":")
    if not colon:
        return []
    return db.execute(f"{COLLECTIONS} {IN_COLLECTIONS}", (platform, native, entity)).fetchall()


# the platform's collections, hopping from one to the next instead of walking all its links
COLLECTIONS = """WITH RECURSIVE c (name) AS (
    SELECT min(collection) FROM link WHERE platform = ?1
    UNION ALL SELECT (SELECT min(collection) FROM link WHERE platform = ?1 AND collection > c.name)
    FROM c WHERE name IS NOT NULL)"""
IN_COLLECTIONS = """SELECT DISTINCT r.id FROM c CROSS JOIN link l ON l.platform = ?1 AND l.collection = c.name AND l.id = ?2
    JOIN record r ON r.id = l.record WHERE r.entity = ?3 ORDER BY l.life <> 'alive', r.id"""


def _by_own_id(db: Database, entity: str, text: str) -> list[tuple[int]]:
    if text[:1] != entity[:1] or not (text[1:].isascii() and text[1:].isdigit()) or len(text) > LONGEST:
        return []
    return db.execute("SELECT id FROM record WHERE id = ? AND entity = ?", (int(text[1:]), entity)).fetchall()


def ids_after(db: Database, entity: str, *, after: int, limit: int) -> list[int]:
    """Return the ids of an entity's records above ``after``, in order; not by the index of keys, where all would be sorted."""
    rows = db.execute("SELECT id FROM record WHERE +entity = ? AND id > ? ORDER BY id LIMIT ?", (entity, after, limit))
    return [row[0] for row in rows]
