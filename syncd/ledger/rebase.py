"""A ledger that came back from a copy: the world has moved on, and nobody knows how far (semantics, R32).

Counters start afresh, every edit may have happened at any time before the copy, nothing undecided is trusted, and nothing
proves an absence until it was read again.
"""

from dataclasses import replace

from syncd.core.model import Record
from syncd.ledger.loaded import PLACES, Loaded, read_records, record_row, shadow_row
from syncd.ledger.records import slots_of
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
    last = 0
    while ids := [row[0] for row in db.execute("SELECT id FROM record WHERE id > ? ORDER BY id LIMIT ?", (last, CHUNK))]:
        reopen(db, ids)
        last = ids[-1]
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


def reopen(db: Database, ids: list[int]) -> None:
    """Store records again with counters uncounted and every edit at any time up to its latest."""
    slots = slots_of(db, set())
    records = read_records(db, ids, Loaded()).values()
    for record in records:
        forget_counting(record)
    db.executemany("UPDATE record SET golden = ? WHERE id = ?", [(record_row(r)[-1], r.id) for r in records])
    db.executemany(
        "UPDATE shadow SET fields = ? WHERE place = ?",
        [(shadow_row(s, r)[-1], r.id * PLACES + slots[platform]) for r in records for platform, s in r.shadows.items()],
    )


def forget_counting(record: Record) -> None:
    """Drop golden's counters (they have a seed) and the shadows' bases, and open all intervals."""
    kept = {name: field for name, field in record.golden.items() if field.seed is None}
    record.golden = {name: replace(field, lo=0) for name, field in kept.items()}
    for shadow in record.shadows.values():
        for field in shadow.fields.values():
            field.base, field.lo = None, 0
