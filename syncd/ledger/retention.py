"""How long the past is kept: what ended before a time goes, a little at a time.

What never goes: whatever is open; the versions and decisions that golden rests on, now and at any moment that is still
kept; tombstones; what a person refused, as long as nothing came after it; config texts that are still referred to.
"""

from collections.abc import Collection
from dataclasses import dataclass

from syncd.ledger import inbox, meta
from syncd.ledger.schema import Database
from syncd.ledger.texts import dump, micros, when

# A version goes once each of its fields was set again before the time, so that the record as of then stays whole.
VERSIONS = """
    DELETE FROM version WHERE id IN (
      SELECT v.id FROM json_each(?1) j JOIN version v ON v.record = j.value
      WHERE v.at < ?2
        AND EXISTS (SELECT 1 FROM version n WHERE n.record = v.record AND n.version > v.version AND n.at < ?2)
        AND NOT EXISTS (
          SELECT 1 FROM json_each(v.fields) f WHERE NOT EXISTS (
            SELECT 1 FROM version n, json_each(n.fields) g
            WHERE n.record = v.record AND n.version > v.version AND n.at < ?2 AND g.key = f.key)))"""
# Of a version that stays, the decision that made it stays.
DECISIONS = """
    DELETE FROM decision WHERE id IN (
      SELECT d.id FROM json_each(?1) j JOIN decision d ON d.record = j.value
      WHERE d.at < ?2 AND d.id <> ?3 AND d.id NOT IN (
        SELECT min(m.id) FROM json_each(?1) k JOIN decision m ON m.record = k.value
        JOIN version v ON v.record = m.record AND v.version = m.version GROUP BY m.record, m.version))"""
ENDED = (
    """DELETE FROM attempt WHERE id IN (SELECT a.id FROM attempt a WHERE a.closed_at_us < ?2 AND NOT EXISTS
       (SELECT 1 FROM dead_letter d WHERE d.record = a.record AND d.platform = a.platform AND d.state = 'open') LIMIT ?3)""",
    "DELETE FROM audit WHERE id IN (SELECT id FROM audit WHERE at < ?1 LIMIT ?3)",
    """DELETE FROM conflict WHERE id IN (SELECT id FROM conflict WHERE state = 'closed' AND closed_at_us < ?2
       AND id NOT IN (SELECT grp FROM conflict WHERE state = 'open') LIMIT ?3)""",
    """DELETE FROM dead_letter WHERE id IN (SELECT d.id FROM dead_letter d
       WHERE d.state IN ('closed', 'discarded') AND d.closed_at_us < ?2
         AND d.id NOT IN (SELECT grp FROM dead_letter WHERE state = 'open')
         AND (d.kind <> 'write' OR EXISTS (SELECT 1 FROM dead_letter n
           WHERE n.record = d.record AND n.platform = d.platform AND n.kind = 'write' AND n.id > d.id)) LIMIT ?3)""",
    """DELETE FROM proposal WHERE id IN (SELECT p.id FROM proposal p
       WHERE p.state IN ('done', 'obsolete') AND p.changed_at < ?1 AND EXISTS (SELECT 1 FROM proposal n
         WHERE n.record = p.record AND n.platform = p.platform AND n.id > p.id) LIMIT ?3)""",
    "DELETE FROM drift WHERE id IN (SELECT id FROM drift WHERE open = 0 AND last_seen < ?1 LIMIT ?3)",
    """DELETE FROM sweep WHERE id IN (SELECT id FROM sweep WHERE ended_us < ?2 AND id NOT IN
       (SELECT max(id) FROM sweep WHERE state IN ('complete', 'decided') GROUP BY platform, collection) LIMIT ?3)""",
)
THINNED = "thinned"  # the fact that says before when history is not whole any more


@dataclass(frozen=True, slots=True)
class Thinned:
    """What one step of thinning came to: rows taken away, and the record it got to; ``last`` None: there is no further one."""

    gone: int
    last: int | None


def newest_before(db: Database, before: int) -> int:
    """Return the number of the last decision before a time, 0 if there is none: it says which config was in force then."""
    row = db.execute("SELECT id FROM decision WHERE at < ? ORDER BY id DESC LIMIT 1", (when(before),)).fetchone()
    return 0 if row is None else int(row[0])


def thin(db: Database, *, before: int, after: int = 0, spare: int = 0, limit: int = 200) -> Thinned:
    """Take away what is past and superseded of the history of the ``limit`` records after one, until ``last`` is None.

    Each record stays as it was at any moment from ``before`` on, with the decision that made each of its values. The
    decision ``spare`` stays too.
    """
    ids = [row[0] for row in db.execute("SELECT id FROM record WHERE id > ? ORDER BY id LIMIT ?", (after, limit))]
    meta.put(db, "pruning", "1")
    gone = db.execute(VERSIONS, (dump(ids), when(before))).rowcount
    gone += db.execute(DECISIONS, (dump(ids), when(before), spare)).rowcount
    meta.put(db, "pruning", None)
    if gone:
        meta.put(db, THINNED, when(max(before, thinned_before(db) or 0)))
    return Thinned(gone, ids[-1] if len(ids) == limit else None)


def thinned_before(db: Database) -> int | None:
    """Return the moment before which history was thinned, None if it never was."""
    text = meta.get(db, THINNED)
    return None if text is None else micros(text)


def forget_past(db: Database, *, before: int, now: int, window: int = 0, limit: int = 5000) -> int:
    """Take away up to ``limit`` rows a table of what ended before a time, and return how many; call again until it is 0.

    Writes that safety limits may still count stay: of the last ``window``, and since a reset that still allows some.
    """
    counted = min(before, now - window, _allowed_since(db, now))
    meta.put(db, "pruning", "1")
    gone = sum(db.execute(sql, (when(before), counted if "attempt" in sql else before, limit)).rowcount for sql in ENDED)
    meta.put(db, "pruning", None)
    return gone + inbox.forget_events(db, now)


def _allowed_since(db: Database, now: int) -> int:
    (since,) = db.execute("SELECT min(reset_us) FROM breaker WHERE allow_until_us > ?", (now,)).fetchone()
    return now if since is None else int(since)


def forget_reports(db: Database, *, before: int) -> int:
    """Take away the reports made before a time, but never the last one; returns how many."""
    return db.execute(
        "DELETE FROM report WHERE at < ? AND id <> (SELECT id FROM report ORDER BY at DESC, id DESC LIMIT 1)", (when(before),)
    ).rowcount


def forget_configs(db: Database, *, before: int, keep: Collection[str]) -> int:
    """Take away the config texts kept before a time that nothing refers to; those to ``keep`` stay, and what held then."""
    return db.execute(
        "DELETE FROM config WHERE at < ?1 AND sha NOT IN (SELECT value FROM json_each(?2))"
        " AND sha NOT IN (SELECT config FROM decision) AND sha NOT IN (SELECT config FROM report)"
        " AND rowid NOT IN (SELECT max(rowid) FROM config UNION ALL SELECT max(rowid) FROM config WHERE at < ?1)",
        (when(before), dump(sorted(keep))),
    ).rowcount
