"""The demo's ERP: one SQLite table, whose triggers keep the time and version of each row."""

import sqlite3
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from typing import Any

SCHEMA = """
CREATE TABLE material (
    sku TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    price NUMERIC NOT NULL,
    description TEXT,
    updated_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))
);
CREATE TRIGGER material_touched AFTER UPDATE OF sku, name, price, description ON material BEGIN
    UPDATE material SET updated_at = strftime('%Y-%m-%dT%H:%M:%fZ', 'now') WHERE sku = new.sku;
END;
"""

INSERT = """
INSERT INTO material (sku, name, price, description, updated_at)
VALUES (?, ?, ?, ?, strftime('%Y-%m-%dT%H:%M:%fZ', 'now', '-30 days'))
"""

NAMES = (
    ("MUG-1", "Mug, blue", 12.50), ("MUG-2", "Mug, white", 11.00), ("MUG-7", "Mug, oak handle", 14.90),
    ("LAMP-1", "Lamp, small", 39.00), ("LAMP-3", "Lamp, oak", 89.00), ("SOFA-9", "Sofa, green", 749.00),
    ("DESK-2", "Desk, birch", 219.00), ("CHAIR-4", "Chair, black", 79.50), ("SHELF-5", "Shelf, wall", 45.00),
    ("RUG-8", "Rug, wool", 129.00), ("VASE-6", "Vase, glass", 24.90), ("CLOCK-3", "Clock, steel", 34.00),
)  # fmt: skip


class Erp:
    """The ERP's database file, edited as its clerks would."""

    def __init__(self, path: Path) -> None:
        self.path = path
        with closing(sqlite3.connect(path)) as db, db:
            db.executescript(SCHEMA)
            rows = [(sku, name, price, f"{name.split(',')[0]} from the spring collection.") for sku, name, price in NAMES]
            db.executemany(INSERT, rows)

    def edit(self, sku: str, **columns: Any) -> None:
        """Change columns of one material."""
        self.edit_all([(sku, columns)])

    def edit_all(self, edits: Iterable[tuple[str, dict[str, Any]]]) -> None:
        """Change many materials in one transaction, as an import does."""
        with closing(sqlite3.connect(self.path, timeout=5)) as db, db:
            for sku, columns in edits:
                assert columns.keys() <= {"name", "price", "description"}
                names = ", ".join(f"{name} = ?" for name in columns)
                db.execute(f"UPDATE material SET {names} WHERE sku = ?", (*columns.values(), sku))  # noqa: S608 - names checked above

    def prices(self) -> dict[str, float]:
        """Return the price of each material."""
        with closing(sqlite3.connect(self.path)) as db:
            return dict(db.execute("SELECT sku, price FROM material"))

    def description(self, sku: str) -> str | None:
        """Return the description of a material; None if it has none."""
        with closing(sqlite3.connect(self.path)) as db:
            row = db.execute("SELECT description FROM material WHERE sku = ?", (sku,)).fetchone()
        return None if row is None else row[0]
