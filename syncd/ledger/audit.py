"""What people did: append-only."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from syncd.ledger.schema import Database
from syncd.ledger.texts import dump, load, micros, when


@dataclass(frozen=True, slots=True)
class Act:
    """One act of a person."""

    id: int
    at: int
    who: str
    what: str
    detail: dict[str, Any]


def add(db: Database, who: str, what: str, detail: Mapping[str, Any] | None = None, *, now: int) -> None:
    """Append an act."""
    db.execute(
        "INSERT INTO audit (at, who, what, detail) VALUES (?, ?, ?, ?)", (when(now), who, what, dump(dict(detail or {})))
    )


def recent(db: Database, *, limit: int = 100) -> list[Act]:
    """Return the last acts, newest first."""
    rows = db.execute("SELECT id, at, who, what, detail FROM audit ORDER BY id DESC LIMIT ?", (limit,))
    return [Act(number, micros(at), who, what, load(detail)) for number, at, who, what, detail in rows]
