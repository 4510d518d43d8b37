"""Bring a ledger to the newest schema: numbered SQL files, each in one transaction with its own number."""

import sqlite3
from importlib.resources import files

from syncd.errors import LedgerError
from syncd.ledger.schema import APPLICATION, SCHEMA, Database, check_file


def scripts() -> dict[int, str]:
    """Return the migrations by number."""
    folder = files("syncd.ledger") / "migrations"
    found = (entry for entry in folder.iterdir() if entry.name.endswith(".sql"))
    return {int(entry.name.split("_")[0]): entry.read_text("utf-8") for entry in found}


def migrate(db: Database, path: str) -> int:
    """Run what is missing and return the schema number it was at; an interrupted migration leaves the number before it."""
    version = check_file(db, path)
    if version == SCHEMA:
        return version
    known = scripts()
    for number in range(version + 1, SCHEMA + 1):
        script = f"BEGIN IMMEDIATE;\n{known[number]}\nPRAGMA application_id = {APPLICATION};"
        try:
            db.executescript(f"{script}\nPRAGMA user_version = {number};\nCOMMIT;")
        except sqlite3.Error as error:
            if db.in_transaction:
                db.execute("ROLLBACK")
            raise LedgerError(f"{path}: migration {number} failed: {error}") from error
    return version
