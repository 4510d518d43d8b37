"""Find a record by what a person types: its key, PLATFORM:NATIVE_ID, or syncd's own id."""

from syncd.ledger.schema import Database


def find_records(db: Database, entity: str, text: str) -> list[int]:
    """Return the ids of the records that a text names, living ones first; empty if it names none."""
    by_key = db.execute(
        "SELECT id FROM record WHERE entity = ? AND key = ? ORDER BY life <> 'alive', id", (entity, text)
    ).fetchall()
    rows = by_key or _by_native(db, entity, text) or _by_own_id(db, entity, text)
    return [row[0] for row in rows]


def find_record(db: Database, entity: str, text: str) -> int | None:
    """Return the id of the record that a text names, the living one if there are several; None if it names none."""
    return next(iter(find_records(db, entity, text)), None)


def _by_native(db: Database, entity: str, text: str) -> list[tuple[int]]:
    platform, colon, native = text.partition(":")
    if not colon:
        return []
    return db.execute(
        "SELECT DISTINCT r.id FROM link l JOIN record r ON r.id = l.record"
        " WHERE l.platform = ? AND l.id = ? AND r.entity = ? ORDER BY l.life <> 'alive', r.id",
        (platform, native, entity),
    ).fetchall()


def _by_own_id(db: Database, entity: str, text: str) -> list[tuple[int]]:
    if text[:1] != entity[:1] or not (text[1:].isascii() and text[1:].isdigit()):
        return []
    return db.execute("SELECT id FROM record WHERE id = ? AND entity = ?", (int(text[1:]), entity)).fetchall()


def ids_after(db: Database, entity: str, *, after: int, limit: int) -> list[int]:
    """Return the ids of an entity's records above ``after``, in order."""
    rows = db.execute("SELECT id FROM record WHERE entity = ? AND id > ? ORDER BY id LIMIT ?", (entity, after, limit))
    return [row[0] for row in rows]
