"""How long the past is kept. Each record keeps its present version and the decision that made it."""

from syncd.ledger import inbox, meta
from syncd.ledger.schema import Database
from syncd.ledger.texts import when

PAST = (
    """DELETE FROM decision WHERE id IN (SELECT d.id FROM decision d JOIN record r ON r.id = d.record
       WHERE d.at < ?1 AND d.version < r.version LIMIT ?3)""",
    """DELETE FROM version WHERE id IN (SELECT v.id FROM version v JOIN record r ON r.id = v.record
       WHERE v.at < ?1 AND v.version < r.version LIMIT ?3)""",
    "DELETE FROM attempt WHERE id IN (SELECT id FROM attempt WHERE closed_at_us < ?2 LIMIT ?3)",
    "DELETE FROM audit WHERE id IN (SELECT id FROM audit WHERE at < ?1 LIMIT ?3)",
    "DELETE FROM conflict WHERE id IN (SELECT id FROM conflict WHERE state = 'closed' AND closed_at_us < ?2 LIMIT ?3)",
    """DELETE FROM dead_letter WHERE id IN
       (SELECT id FROM dead_letter WHERE state IN ('closed', 'discarded') AND closed_at_us < ?2 LIMIT ?3)""",
    """DELETE FROM proposal WHERE id IN
       (SELECT id FROM proposal WHERE state IN ('done', 'obsolete') AND changed_at < ?1 LIMIT ?3)""",
    "DELETE FROM drift WHERE id IN (SELECT id FROM drift WHERE open = 0 AND last_seen < ?1 LIMIT ?3)",
    """DELETE FROM sweep WHERE id IN (SELECT id FROM sweep WHERE ended_us < ?2 AND id NOT IN
       (SELECT max(id) FROM sweep WHERE state IN ('complete', 'decided') GROUP BY platform, collection) LIMIT ?3)""",
)


def forget_past(db: Database, *, before: int, now: int, limit: int = 5000) -> int:
    """Take away up to ``limit`` rows a table of what ended before a time, and return how many; call again until it is 0."""
    meta.put(db, "pruning", "1")
    gone = sum(db.execute(sql, (when(before), before, limit)).rowcount for sql in PAST)
    meta.put(db, "pruning", None)
    return gone + inbox.forget_events(db, now)


def forget_reports(db: Database, *, before: int) -> int:
    """Take away the reports made before a time, but never the last one; returns how many."""
    return db.execute(
        "DELETE FROM report WHERE at < ? AND id <> (SELECT id FROM report ORDER BY at DESC, id DESC LIMIT 1)", (when(before),)
    ).rowcount
