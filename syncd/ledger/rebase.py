"""A ledger that came back from a copy: the world has moved on, and nobody knows how far (semantics, R32).

Counters start afresh, every edit may have happened at any time before the copy, nothing undecided is trusted, and nothing
proves an absence until it was read again.
"""

from collections.abc import Callable
from dataclasses import replace

from syncd.ledger.documents import golden_fields, golden_text, shadow_fields, shadow_text
from syncd.ledger.schema import Database
from syncd.ledger.texts import when

CHUNK = 1000
FORGET = (
    "DELETE FROM inbox WHERE done_us IS NULL",
    "DELETE FROM seen",
    "UPDATE cursor SET swept = NULL",
    "UPDATE link SET missing = 0, missing_since_us = NULL WHERE missing > 0",
    "UPDATE sweep SET state = 'incomplete', why = 'the ledger was restored' WHERE state IN ('running', 'complete', 'decided')",
    "UPDATE breaker SET allow = NULL WHERE allow IS NOT NULL",
)


def rebase(db: Database, now: int) -> None:
    """Make every shadow a first contact for counters, open every interval, drop what was under way."""
    rewrite(
        db,
        "SELECT place, fields FROM shadow WHERE place > ? ORDER BY place LIMIT ?",
        open_shadow,
        "UPDATE shadow SET fields = ? WHERE place = ?",
    )
    rewrite(
        db,
        "SELECT id, golden FROM record WHERE id > ? ORDER BY id LIMIT ?",
        open_golden,
        "UPDATE record SET golden = ? WHERE id = ?",
    )
    for statement in FORGET:
        db.execute(statement)
    db.execute(
        "UPDATE attempt SET outcome = 'dropped', detail = 'the ledger was restored', closed_at_us = ? WHERE outcome IS NULL",
        (now,),
    )
    db.execute(
        "UPDATE proposal SET state = 'obsolete', changed_at = ?, note = 'the ledger was restored'"
        " WHERE state IN ('open', 'approved')",
        (when(now),),
    )


def rewrite(db: Database, select: str, change: Callable[[str], str], update: str) -> None:
    """Change every document of a table, a chunk at a time."""
    last = -1
    while rows := db.execute(select, (last, CHUNK)).fetchall():
        db.executemany(update, [(change(text), place) for place, text in rows])
        last = rows[-1][0]


def open_shadow(text: str) -> str:
    """Return a shadow's fields with no counter counted yet and every edit at any time up to its latest."""
    fields = shadow_fields(text)
    for field in fields.values():
        field.base, field.lo = None, 0
    return shadow_text(fields)


def open_golden(text: str) -> str:
    """Return golden without its counters (they have a seed) and with every edit at any time up to its latest."""
    kept = {name: field for name, field in golden_fields(text).items() if field.seed is None}
    return golden_text({name: replace(field, lo=0) for name, field in kept.items()})
