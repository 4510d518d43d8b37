"""Decisions no rule may take: opened, updated and closed with the batch that decided; a person's marks beside them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from syncd.core.model import Conflict, Record
from syncd.core.space import Loose, Space, Thing
from syncd.ledger.loaded import Loaded, conflict_text
from syncd.ledger.schema import Database
from syncd.ledger.texts import dump, load

HOUR = 3600 * 1_000_000


@dataclass(frozen=True, slots=True)
class Mark:
    """One line of a conflict's history: when, what happened, by whom if by a person."""

    at: int
    what: str
    by: str | None = None


@dataclass(frozen=True, slots=True)
class Open:
    """A conflict as people see it. ``group`` is shared by conflicts of one cause and hour, ``together`` counts those open.

    ``thing`` is set while it is about no record yet; ``candidates`` are the records it may be. ``reviewers``: whom
    the rule asks.
    """

    id: int
    entity: str
    record: int | None
    key: str | None
    field: str
    kind: str
    why: str
    values: dict[str, Any]
    proposal: Any
    group: int
    together: int
    opened_at: int
    times_seen: int
    snoozed_until: int | None
    assignee: str | None
    state: str
    closed_at: int | None
    how: str | None
    detail: str | None
    thing: Thing | None
    candidates: tuple[int, ...]
    history: tuple[Mark, ...]
    reviewers: tuple[str, ...] = ()


# ---- with a batch


def store(db: Database, space: Space, touched: Sequence[Record], loaded: Loaded) -> None:
    """Make the table say what the records say: open new conflicts (they get their ids), update, close what vanished."""
    closed = {number: (how, detail) for number, how, detail in space.closed}
    for record in touched:
        standing = loaded.conflicts.get(record.id, {})
        names = {name: number for number, (name, _) in standing.items() if number not in closed}
        for name, conflict in record.conflicts.items():
            if conflict.id is None or conflict.id not in standing:
                conflict.id = names.get(name)
            _keep(db, space, record, conflict, standing)
        kept = {conflict.id for conflict in record.conflicts.values()}
        for number in standing.keys() - kept - closed.keys():
            close(db, number, "withdrawn", now=space.now)
    for number, (how, detail) in closed.items():
        close(db, number, how, detail=detail, now=space.now)
    _store_loose(db, space)


def _keep(db: Database, space: Space, record: Record, conflict: Conflict, standing: dict[int, tuple[str, str]]) -> None:
    """Insert a conflict, or update it if it says something else than before."""
    if conflict.id is None:
        conflict.opened_at = conflict.opened_at or space.now
        conflict.id = _insert(db, conflict, space.now, entity=record.entity, record=record.id)
    elif f"{conflict.kind} {conflict.why} {conflict_text(conflict)}" != standing[conflict.id][1]:
        _update(db, conflict.id, conflict, conflict_text(conflict), space.now)


def _insert(db: Database, conflict: Conflict, now: int, *, entity: str, **more: Any) -> int:
    """Insert a conflict; without an elder of the same cause within the hour it founds a group."""
    cause = (entity, conflict.name, conflict.kind, conflict.why)
    elder = db.execute(
        "SELECT grp FROM conflict WHERE entity = ? AND field = ? AND kind = ? AND why = ? AND opened_at_us > ?"
        " ORDER BY opened_at_us LIMIT 1",
        (*cause, now - HOUR),
    ).fetchone()
    more = {"body": conflict_text(conflict), "grp": elder[0] if elder else 0, "opened_at_us": conflict.opened_at, **more}
    names = ("entity", "field", "kind", "why", "history", *more)
    values = (*cause, dump([{"at": now, "what": "opened"}]), *more.values())
    marks = ", ".join("?" * len(names))
    made = db.execute(f"INSERT INTO conflict ({', '.join(names)}) VALUES ({marks})", values).lastrowid or 0
    db.execute("UPDATE conflict SET grp = id WHERE id = ? AND grp = 0", (made,))
    return made


def _update(db: Database, number: int, conflict: Conflict, body: str, now: int) -> None:
    db.execute(
        "UPDATE conflict SET kind = ?, why = ?, body = ?, times_seen = times_seen + 1 WHERE id = ?",
        (conflict.kind, conflict.why, body, number),
    )
    note(db, number, "other values", now=now)


def _store_loose(db: Database, space: Space) -> None:
    """Keep one open conflict per thing that is no record yet; close those of things that were settled."""
    for thing in space.settled:
        withdraw(db, thing, now=space.now)
    for loose in space.loose:
        _keep_loose(db, loose, space.now)


def withdraw(db: Database, thing: Thing, *, now: int) -> None:
    """Close what was asked about a thing that is no record: it is one now, or it is gone."""
    for (number,) in db.execute(f"SELECT id FROM conflict WHERE {OF_THING}", thing).fetchall():
        close(db, number, "withdrawn", now=now)


def _keep_loose(db: Database, loose: Loose, now: int) -> None:
    conflict = loose.conflict
    body = dump({"candidates": loose.candidates, "proposal": conflict.proposal, "values": conflict.values})
    found = db.execute(f"SELECT id, why, body FROM conflict WHERE {OF_THING}", loose.thing).fetchone()
    if found is None:
        conflict.opened_at = conflict.opened_at or now
        platform, collection, native = loose.thing
        place = {"platform": platform, "collection": collection, "thing": native, "body": body}
        conflict.id = _insert(db, conflict, now, entity=loose.entity, **place)
    else:
        conflict.id = found[0]
        if (conflict.why, body) != found[1:]:
            _update(db, found[0], conflict, body, now)


OF_THING = "platform = ? AND collection = ? AND thing = ? AND state = 'open'"


# ---- by a person


def note(db: Database, conflict: int, what: str, *, by: str | None = None, now: int) -> None:
    """Add a line to a conflict's history."""
    mark = {"at": now, "what": what} | ({"by": by} if by else {})
    db.execute("UPDATE conflict SET history = json_insert(history, '$[#]', json(?)) WHERE id = ?", (dump(mark), conflict))


def close(db: Database, conflict: int, how: str, *, detail: str = "", by: str | None = None, now: int) -> bool:
    """Close an open conflict; returns whether it was open."""
    done = db.execute(
        "UPDATE conflict SET state = 'closed', closed_at_us = ?, how = ?, detail = ? WHERE id = ? AND state = 'open'",
        (now, how, detail, conflict),
    ).rowcount
    if done:
        note(db, conflict, f"closed: {how}" + (f" ({detail})" if detail else ""), by=by, now=now)
    return done > 0


def snooze(db: Database, conflict: int, until: int | None, *, by: str, now: int) -> bool:
    """Hide an open conflict until a time, None shows it again; returns whether it was open."""
    done = db.execute("UPDATE conflict SET snoozed_until_us = ? WHERE id = ? AND state = 'open'", (until, conflict)).rowcount
    if done:
        note(db, conflict, "snoozed" if until else "shown again", by=by, now=now)
    return done > 0


def assign(db: Database, conflict: int, assignee: str | None, *, by: str, now: int) -> bool:
    """Give an open conflict to a person, None to nobody; returns whether it was open."""
    done = db.execute("UPDATE conflict SET assignee = ? WHERE id = ? AND state = 'open'", (assignee, conflict)).rowcount
    if done:
        note(db, conflict, f"assigned to {assignee or 'nobody'}", by=by, now=now)
    return done > 0


# ---- to look at

SELECT = (
    "SELECT c.id, c.entity, c.record, r.key, c.field, c.kind, c.why, c.body, c.grp,"
    " (SELECT count(*) FROM conflict o WHERE o.grp = c.grp AND o.state = 'open'), c.opened_at_us, c.times_seen,"
    " c.snoozed_until_us, c.assignee, c.state, c.closed_at_us, c.how, c.detail, c.platform, c.collection, c.thing, c.history"
    " FROM conflict c LEFT JOIN record r ON r.id = c.record"
)


def get(db: Database, conflict: int) -> Open | None:
    """Return one conflict, open or closed; None if there is none."""
    return next(map(_open, db.execute(f"{SELECT} WHERE c.id = ?", (conflict,))), None)


def standing(db: Database, *, group: int | None = None, record: int | None = None, limit: int = 10_000) -> list[Open]:
    """Return the open conflicts, oldest first: of one group or one record if given."""
    rows = db.execute(
        f"{SELECT} WHERE c.state = 'open' AND (?1 IS NULL OR c.grp = ?1) AND (?2 IS NULL OR c.record = ?2)"
        " ORDER BY c.opened_at_us, c.id LIMIT ?3",
        (group, record, limit),
    )
    return [_open(row) for row in rows]


def of_record(db: Database, record: int) -> list[Open]:
    """Return the conflicts about a record, open and closed, oldest first."""
    return [_open(row) for row in db.execute(f"{SELECT} WHERE c.record = ? ORDER BY c.opened_at_us, c.id", (record,))]


def _open(row: Sequence[Any]) -> Open:
    number, entity, record, key, field, kind, why, body, *middle, platform, collection, native, marks = row
    doc = load(body)
    thing = None if native is None else (platform, collection, native)
    history = tuple(Mark(m["at"], m["what"], m.get("by")) for m in load(marks))
    lists = tuple(doc.get("candidates", ())), history, tuple(doc.get("reviewers", ()))
    said = (doc["values"], doc["proposal"], *middle, thing, *lists)
    return Open(number, entity, record, key, field, kind, why, *said)
