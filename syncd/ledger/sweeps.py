"""Full reads of collections: what they showed, what was not there any more, and what they prove."""

from collections.abc import Sequence
from dataclasses import dataclass

from syncd.core.breaker import shrunk
from syncd.core.model import Change
from syncd.core.rules import Deletes, Limit
from syncd.ledger import cursors, inbox, letters, seen, strangers
from syncd.ledger.inbox import Added
from syncd.ledger.letters import Undecodable
from syncd.ledger.loaded import PLACES
from syncd.ledger.schema import Database


@dataclass(frozen=True, slots=True)
class Sweep:
    """One full read of a collection. ``state``: running, incomplete, disbelieved, complete, decided."""

    id: int
    platform: str
    collection: str
    as_of: int
    began_at: int
    ended_at: int | None
    state: str
    total: int
    changed: int
    lost: int
    why: str


@dataclass(frozen=True, slots=True)
class Finished:
    """What a scan came to. ``shrunk``: it lost too much to be believed. ``to_read``: absent long enough to be read by id."""

    total: int
    known: int
    lost: int
    shrunk: bool
    to_read: tuple[str, ...] = ()


SELECT = "SELECT id, platform, collection, as_of, began_us, ended_us, state, total, changed, lost, why FROM sweep"


def begin(db: Database, platform: str, collection: str, *, as_of: int, now: int) -> int:
    """Start a scan and return its id; one of the same collection that never ended is incomplete."""
    db.execute(
        "UPDATE sweep SET state = 'incomplete', why = 'interrupted', ended_us = ?"
        " WHERE platform = ? AND collection = ? AND state = 'running'",
        (now, platform, collection),
    )
    made = db.execute(
        "INSERT INTO sweep (platform, collection, as_of, began_us) VALUES (?, ?, ?, ?)", (platform, collection, as_of, now)
    )
    return made.lastrowid or 0


def page(db: Database, sweep: int, changes: Sequence[Change], *, broken: Sequence[Undecodable] = (), now: int) -> Added:
    """Take a page in: what looks as it last did is only marked, the rest goes to the inbox, the broken to quarantine."""
    fit, unfit = inbox.encode(changes)
    same, new = inbox.split(db, fit)
    inbox.remember(db, same, sweep=sweep)
    stored = inbox.store(db, new, now=now, sweep=sweep)
    bad = (*broken, *unfit)
    opened = letters.quarantine(db, bad, now)
    named = [(one.platform, one.collection, one.id) for one in bad if one.id is not None]
    seen.wait(db, named, sweep)  # it is there, whatever it says
    db.execute(
        "UPDATE sweep SET total = total + ?, changed = changed + ?, nameless = nameless + ? WHERE id = ?",
        (len(changes) + len(broken), len(new), len(bad) - len(named), sweep),
    )
    return Added(stored, len(same), len(bad), opened)


ABSENT = (
    f" FROM link l LEFT JOIN seen s ON s.platform = l.platform AND s.collection = l.collection AND s.id = l.id"
    f" LEFT JOIN shadow h ON h.place = l.record * {PLACES} + (SELECT number FROM slot WHERE platform = l.platform)"
    " WHERE l.platform = ?1 AND l.collection = ?2 AND l.record IS NOT NULL AND l.life = 'alive'"
    " AND coalesce(s.sweep, 0) <> ?3 AND coalesce(h.as_of, -1) <= ?4 AND coalesce(s.as_of, -1) <= ?4"
)


def finish(
    db: Database, sweep: int, *, complete: bool, limit: Limit | None, deletes: Deletes | None, now: int, why: str = ""
) -> Finished:
    """End a scan. Only a complete one that is believed counts absences, and tells which things to read by id.

    It is not believed if it is empty where things were known, or lost more than ``limit`` allows. A thing looked at since
    the scan began is not absent.
    """
    found = _get(db, sweep)
    (known,) = db.execute(
        "SELECT count(*) FROM link WHERE platform = ? AND collection = ? AND record IS NOT NULL AND life = 'alive'",
        (found.platform, found.collection),
    ).fetchone()
    if not complete:
        _end(db, sweep, "incomplete", lost=0, why=why or "not complete", now=now)
        return Finished(found.total, known, 0, shrunk=False)
    absent = (found.platform, found.collection, sweep, found.as_of)
    (lost,) = db.execute(f"SELECT count(*){ABSENT}", absent).fetchone()
    if shrunk(limit or Limit(), lost, known, found.total):
        _end(db, sweep, "disbelieved", lost=lost, why=f"{lost} of {known} missing", now=now)
        return Finished(found.total, known, lost, shrunk=True)
    cursors.note_read(db, found.platform, found.collection, found.began_at)
    if _nameless(db, sweep):
        _end(db, sweep, "incomplete", lost=0, why="some things could not be decoded and have no id", now=now)
        return Finished(found.total, known, 0, shrunk=False)
    _count_absences(db, absent, now)
    strangers.leave(db, found.platform, found.collection, sweep, as_of=found.as_of, now=now)
    _end(db, sweep, "complete", lost=lost, why=why, now=now)
    return Finished(found.total, known, lost, shrunk=False, to_read=_to_read(db, found, deletes, now))


def _nameless(db: Database, sweep: int) -> int:
    return int(db.execute("SELECT nameless FROM sweep WHERE id = ?", (sweep,)).fetchone()[0])


def _count_absences(db: Database, absent: tuple[str, str, int, int], now: int) -> None:
    ids = f"SELECT l.id{ABSENT}"
    db.execute(
        "UPDATE link SET missing = 0, missing_since_us = NULL WHERE platform = ?1 AND collection = ?2 AND missing > 0"
        f" AND id NOT IN ({ids})",
        absent,
    )
    db.execute(
        f"UPDATE link SET missing = missing + 1, missing_since_us = coalesce(missing_since_us, ?5)"
        f" WHERE platform = ?1 AND collection = ?2 AND id IN ({ids})",
        (*absent, now),
    )


def _to_read(db: Database, found: Sweep, deletes: Deletes | None, now: int) -> tuple[str, ...]:
    if deletes is None:
        return ()
    rows = db.execute(
        "SELECT id FROM link WHERE platform = ? AND collection = ? AND life = 'alive' AND missing >= ?"
        " AND missing_since_us <= ? AND missing > 0",
        (found.platform, found.collection, deletes.sweeps, now - deletes.wait),
    )
    return tuple(row[0] for row in rows)


def _end(db: Database, sweep: int, state: str, *, lost: int, why: str, now: int) -> None:
    db.execute("UPDATE sweep SET state = ?, lost = ?, why = ?, ended_us = ? WHERE id = ?", (state, lost, why, now, sweep))


def decided(db: Database) -> list[Sweep]:
    """Return complete scans whose last row was now decided; from here on they prove what is not there."""
    done = [
        Sweep(*row)
        for row in db.execute(
            f"{SELECT} w WHERE state = 'complete' AND NOT EXISTS"
            " (SELECT 1 FROM inbox i WHERE i.sweep = w.id AND i.done_us IS NULL)"
        ).fetchall()
    ]
    for one in done:
        db.execute("UPDATE sweep SET state = 'decided' WHERE id = ?", (one.id,))
        cursors.prove(db, one.platform, one.collection, one.as_of)
    return done


def last(db: Database, platform: str, collection: str, *, proving: bool = False) -> Sweep | None:
    """Return the newest scan of a collection, or the newest that was complete and believed; None if there is none."""
    states = "('complete', 'decided')" if proving else "('running', 'incomplete', 'disbelieved', 'complete', 'decided')"
    row = db.execute(
        f"{SELECT} WHERE platform = ? AND collection = ? AND state IN {states} ORDER BY id DESC LIMIT 1", (platform, collection)
    ).fetchone()
    return None if row is None else Sweep(*row)


def last_disbelieved(db: Database, platform: str, collection: str) -> int | None:
    """Return when the newest scan of a collection ended that was not believed; None if there is none."""
    row = db.execute(
        "SELECT max(ended_us) FROM sweep WHERE platform = ? AND collection = ? AND state = 'disbelieved'",
        (platform, collection),
    ).fetchone()
    return None if row[0] is None else int(row[0])


def _get(db: Database, sweep: int) -> Sweep:
    return Sweep(*db.execute(f"{SELECT} WHERE id = ?", (sweep,)).fetchone())


def forget(db: Database, platform: str, collection: str) -> None:
    """Let every thing of a collection be decided in full at the next look: its mapping, scope or rules changed."""
    db.execute("UPDATE seen SET hash = NULL WHERE platform = ? AND collection = ?", (platform, collection))
    cursors.unprove(db, platform, collection)
