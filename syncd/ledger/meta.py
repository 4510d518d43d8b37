"""Facts about the ledger itself, by name: epoch, numbers, whether it is a copy."""

from collections.abc import Mapping

from syncd.ledger.schema import Database

CLOCK = "clock of "  # how the names of these facts begin, before the platform's


def get(db: Database, name: str) -> str | None:
    """Return a fact, None if it was never set."""
    row = db.execute("SELECT value FROM meta WHERE name = ?", (name,)).fetchone()
    return None if row is None else str(row[0])


def put(db: Database, name: str, value: str | None) -> None:
    """Set a fact; None removes it."""
    if value is None:
        db.execute("DELETE FROM meta WHERE name = ?", (name,))
    else:
        db.execute("INSERT INTO meta VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value", (name, value))


def number(db: Database, name: str) -> int:
    """Return a fact that is a whole number, 0 if it was never set."""
    return int(get(db, name) or 0)


def clocks(db: Database) -> dict[str, tuple[int, int]]:
    """Return how far the platforms' clocks were off when last measured: (offset, uncertainty) by platform, microseconds."""
    known: dict[str, tuple[int, int]] = {}
    for name, value in db.execute("SELECT name, value FROM meta WHERE name GLOB ? ORDER BY name", (f"{CLOCK}*",)):
        offset, unsure = map(int, value.split())
        known[name.removeprefix(CLOCK)] = offset, unsure
    return known


def note_clocks(db: Database, measured: Mapping[str, tuple[int, int]]) -> None:
    """Keep how far the platforms' clocks are off, for those who look at the ledger without asking the platforms."""
    for platform, (offset, unsure) in measured.items():
        put(db, f"{CLOCK}{platform}", f"{offset} {unsure}")


def restored(db: Database) -> str | None:
    """Return why this ledger may not write without approval (it was lost, or put back from a copy), None if it may."""
    return get(db, "restored")


def accept(db: Database) -> None:
    """Note that a person accepted a complete reconcile after a loss: the ledger is trusted again."""
    put(db, "restored", None)
