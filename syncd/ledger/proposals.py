"""Writes that wait for approval. What is approved is this value on this field: a plan that differs is proposed anew."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from syncd.core.model import Native, Op
from syncd.ledger.schema import Database
from syncd.ledger.texts import dump, load_native, micros, when


@dataclass(frozen=True, slots=True)
class Planned:
    """One field of a proposed write: its name, its path there, and the value before and after."""

    field: str
    path: str
    before: Native
    after: Native


@dataclass(frozen=True, slots=True)
class Proposal:
    """A proposed write. ``state``: open, approved, rejected, done, obsolete."""

    id: int
    record: int
    entity: str
    key: str
    platform: str
    op: Op
    fields: tuple[Planned, ...]
    why: str
    proposed_at: int
    state: str
    changed_at: int
    by: str | None
    note: str | None

    @property
    def content(self) -> set[tuple[str, str, str]]:
        """Return what an approval approves."""
        return content(self.op, self.fields)


SELECT = (
    "SELECT p.id, p.record, r.entity, r.key, p.platform, p.op, p.fields, p.why, p.proposed_at, p.state, p.changed_at, p.by,"
    " p.note FROM proposal p JOIN record r ON r.id = p.record"
)


def content(op: Op, fields: Sequence[Planned]) -> set[tuple[str, str, str]]:
    """Return a write as what is compared: this value at this path, or the operation alone if it has no values."""
    return {(op, f.path, dump(f.after)) for f in fields} or {(op, "", "")}


def propose(db: Database, record: int, platform: str, *, op: Op, fields: Sequence[Planned], why: str, now: int) -> Proposal:
    """Return the standing proposal that covers this write: the same one, or an approval of at least as much.

    A rejected one stands too, so that the same write is not asked for again. Anything else is proposed anew, and what stood
    open before is obsolete.
    """
    standing = latest(db, record, platform)
    wanted = content(op, fields)
    if standing is not None and standing.state in ("open", "approved", "rejected"):
        covers = wanted <= standing.content if standing.state == "approved" else wanted == standing.content
        if covers:
            return standing
    withdraw(db, record, platform, now=now)
    made = db.execute(
        "INSERT INTO proposal (record, platform, op, fields, why, proposed_at, state, changed_at)"
        " VALUES (?1, ?2, ?3, ?4, ?5, ?6, 'open', ?6)",
        (record, platform, op, dump([asdict(f) for f in fields]), why, when(now)),
    ).lastrowid
    proposal = get(db, made or 0)
    assert proposal is not None
    return proposal


def withdraw(db: Database, record: int, platform: str, *, now: int) -> int:
    """Make what is proposed or approved for a record on a platform obsolete; returns how many there were."""
    return db.execute(
        "UPDATE proposal SET state = 'obsolete', changed_at = ?"
        " WHERE record = ? AND platform = ? AND state IN ('open', 'approved')",
        (when(now), record, platform),
    ).rowcount


def decide(db: Database, ids: Sequence[int], state: str, *, by: str, note: str | None = None, now: int) -> list[Proposal]:
    """Set open proposals to ``approved`` or ``rejected`` and return them; the others are left alone."""
    found = [p for number in ids if (p := get(db, number)) is not None and p.state == "open"]
    db.executemany(
        "UPDATE proposal SET state = ?, by = ?, note = ?, changed_at = ? WHERE id = ?",
        [(state, by, note, when(now), p.id) for p in found],
    )
    return found


def done(db: Database, record: int, platform: str, *, now: int) -> int:
    """Note that what was approved for a record on a platform is written; returns how many there were."""
    return db.execute(
        "UPDATE proposal SET state = 'done', changed_at = ? WHERE record = ? AND platform = ? AND state = 'approved'",
        (when(now), record, platform),
    ).rowcount


def latest(db: Database, record: int, platform: str) -> Proposal | None:
    """Return the newest proposal for a record on a platform, None if there never was one."""
    rows = db.execute(f"{SELECT} WHERE p.record = ? AND p.platform = ? ORDER BY p.id DESC LIMIT 1", (record, platform))
    return next(map(_proposal, rows), None)


def standing(db: Database, records: Iterable[int]) -> set[tuple[int, str]]:
    """Return for which of these records, on which platforms, something is proposed or approved."""
    rows = db.execute(
        "SELECT p.record, p.platform FROM json_each(?) j CROSS JOIN proposal p ON p.record = j.value"
        " WHERE p.state IN ('open', 'approved')",
        (dump(sorted(records)),),
    )
    return set(rows.fetchall())


def get(db: Database, proposal: int) -> Proposal | None:
    """Return one proposal, None if there is none."""
    return next(map(_proposal, db.execute(f"{SELECT} WHERE p.id = ?", (proposal,))), None)


def in_state(db: Database, *states: str, platform: str | None = None, limit: int = 100_000) -> list[Proposal]:
    """Return the proposals in these states, oldest first, of one platform if given."""
    rows = db.execute(
        f"{SELECT} WHERE p.state IN (SELECT value FROM json_each(?)) AND p.platform = coalesce(?, p.platform)"
        " ORDER BY p.id LIMIT ?",
        (dump(states), platform, limit),
    )
    return [_proposal(row) for row in rows]


def _proposal(row: Sequence[Any]) -> Proposal:
    number, record, entity, key, platform, op, fields, why, proposed_at, state, changed_at, by, note = row
    planned = tuple(Planned(**field) for field in load_native(fields))
    times = (micros(proposed_at), state, micros(changed_at))
    return Proposal(number, record, entity, key, platform, Op(op), planned, why, *times, by, note)
