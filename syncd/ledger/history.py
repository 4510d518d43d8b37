"""The append-only past of records: what golden became, and every decision with its inputs."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any
from zlib import crc32

from syncd.core.model import FieldChange
from syncd.core.space import Decision, Space, Stray
from syncd.ledger.reasons import pack, unpack
from syncd.ledger.schema import Database
from syncd.ledger.texts import dump, load, micros, when

SEAL = ',"seal":'  # how the last key of a body begins
NO_REASON = {"why": "", "rule": ""}
DECIDED = (
    "SELECT d.id, d.config, d.record, d.version, d.at, d.cause, d.body, v.fields, v.at FROM decision d"
    " LEFT JOIN version v ON v.record = d.record AND v.version = d.version"
)


@dataclass(frozen=True, slots=True)
class FieldStep:
    """One field of one version: what it was, what it became, whose word that is, and why."""

    name: str
    before: Any
    after: Any
    who: str | None
    why: str = ""
    rule: str = ""


@dataclass(frozen=True, slots=True)
class Version:
    """One entry of a record's history. ``cause``, ``config`` and ``notes`` are its decision's."""

    record: int
    version: int
    at: int
    fields: tuple[FieldStep, ...]
    cause: str = ""
    config: str = ""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Decided:
    """A stored decision: itself, its number, and the sha of the config texts that held when it was taken.

    ``whole``: it is byte for byte as it was stored; None if an older syncd stored it without a seal. One that cannot even be
    read is not whole, and empty.
    """

    id: int
    config: str
    decision: Decision
    whole: bool | None = None


def store(db: Database, space: Space) -> None:
    """Append a batch's decisions, and a version for each that moved golden."""
    moved = [d for d in space.decisions if d.fields]
    still = [d for d in space.decisions if not d.fields]
    insert = "INSERT INTO version (record, version, at, fields) VALUES (?, ?, ?, ?)"
    db.executemany(insert, [(d.record, d.version, when(d.at), _steps(d.fields)) for d in moved])
    # a record may be born without any value; a stray edit alone makes no version
    db.executemany(f"{insert} ON CONFLICT DO NOTHING", [(d.record, d.version, when(d.at), "{}") for d in still])
    db.executemany(
        "INSERT INTO decision (record, version, at, cause, config, body) VALUES (?, ?, ?, ?, ?, ?)",
        [_row(d, space.rules.sha) for d in space.decisions],
    )


def _row(decision: Decision, sha: str) -> tuple[Any, ...]:
    """Return a decision as its row; the body ends with a seal over the row and the version's steps."""
    head = (decision.record, decision.version, when(decision.at), decision.cause, sha)
    body = _body(decision)
    steps = _steps(decision.fields) if decision.fields else None
    return *head, f"{body[:-1]}{SEAL}{seal_of(head, body, steps)}}}"


def seal_of(head: Sequence[Any], body: str, steps: str | None) -> int:
    """Return the checksum of a decision's row and of its version's steps, if golden moved."""
    return crc32("\n".join((*map(str, head), body, steps or "")).encode())


def is_whole(head: Sequence[Any], body: str, steps: str | None) -> bool | None:
    """Return whether a stored decision is as it was written; None if it has no seal."""
    text, found, seal = body.rpartition(SEAL)
    if not found:
        return False if SEAL[1:] in body else None
    return seal == f"{seal_of(head, text + '}', steps)}}}"


def _steps(fields: Iterable[FieldChange]) -> str:
    return dump({f.name: [f.before, f.after, f.who] for f in fields})


def _body(decision: Decision) -> str:
    """Return what a decision says beyond its version: before, after and who stand there already."""
    body: dict[str, Any] = {}
    if decision.fields:
        body["fields"] = pack(decision.fields)
    if decision.strays:
        body["strays"] = [asdict(stray) for stray in decision.strays]
    if decision.notes or not body:
        body["notes"] = decision.notes
    return dump(body)


def versions(
    db: Database, record: int, *, field: str | None = None, since: int | None = None, limit: int = 1000
) -> list[Version]:
    """Return a record's versions, newest first: of one field only, and not before ``since``, if given."""
    rows = db.execute(
        "SELECT v.record, v.version, v.at, v.fields, d.cause, d.config, d.body FROM version v"
        " LEFT JOIN decision d ON d.id = (SELECT min(id) FROM decision WHERE record = v.record AND version = v.version)"
        " WHERE v.record = ? AND v.at >= ? AND (?3 IS NULL OR EXISTS (SELECT 1 FROM json_each(v.fields) f WHERE f.key = ?3))"
        " ORDER BY v.version DESC LIMIT ?4",
        (record, when(since or 0), field, limit),
    )
    return [_version(row, field) for row in rows]


def _version(row: Sequence[Any], field: str | None) -> Version:
    record, version, at, fields, cause, config, body = row
    doc = load(body or "{}")
    steps = [FieldStep(f.name, f.before, f.after, f.who, f.why, f.rule) for f in _changes(doc, fields)]
    wanted = tuple(step for step in steps if field in (None, step.name))
    return Version(record, version, micros(at), wanted, cause or "", config or "", tuple(doc.get("notes", ())))


def strays(db: Database, record: int) -> list[tuple[int, Stray]]:
    """Return every stray edit of a record with the version that stood then, oldest first."""
    rows = db.execute(
        "SELECT d.version, s.value FROM decision d, json_each(d.body, '$.strays') s WHERE d.record = ? ORDER BY d.id", (record,)
    )
    return [(version, Stray(**load(stray))) for version, stray in rows]


def _changes(doc: dict[str, Any], fields: str | None) -> list[FieldChange]:
    """Return the fields of a decision; without its reasons (not kept as long as the version), what is known of them."""
    return unpack(doc.get("fields", NO_REASON), load(fields or "{}"))


def decisions(
    db: Database, record: int, *, field: str | None = None, until: int | None = None, limit: int = 100
) -> list[Decided]:
    """Return the decisions about a record at or before ``until``, newest first; those about one field if it is given."""
    rows = db.execute(
        f"{DECIDED} WHERE d.record = ? AND (?2 IS NULL OR d.at <= ?2)"
        " AND (?3 IS NULL OR d.body -> '$.fields' IS NOT NULL AND EXISTS (SELECT 1 FROM json_each(v.fields) f WHERE f.key = ?3)"
        "  OR EXISTS (SELECT 1 FROM json_each(d.body, '$.strays') s WHERE s.value ->> '$.field' = ?3))"
        " ORDER BY d.id DESC LIMIT ?4",
        (record, None if until is None else when(until), field, limit),
    )
    return [_decided(row) for row in rows]


def every(db: Database, *, since: int = 0, after: int = 0, limit: int = 1000) -> list[Decided]:
    """Return decisions about any record not before ``since``, oldest first, from the number after ``after`` on."""
    rows = db.execute(f"{DECIDED} WHERE d.at >= ? AND d.id > ? ORDER BY d.id LIMIT ?", (when(since), after, limit))
    return [_decided(row) for row in rows]


def config_at(db: Database, at: int) -> str | None:
    """Return the sha of the config that decided at a moment: of the last decision, or of one that was loaded since."""
    row = db.execute(
        "SELECT config, at FROM (SELECT config, at FROM decision WHERE at <= ?1 ORDER BY id DESC LIMIT 1)"
        " UNION ALL SELECT sha, at FROM (SELECT sha, at FROM config WHERE at <= ?1 ORDER BY at DESC LIMIT 1)"
        " ORDER BY 2 DESC LIMIT 1",
        (when(at),),
    ).fetchone()
    return None if row is None else str(row[0])


def names_of(db: Database, numbers: Collection[int]) -> dict[int, tuple[str, str]]:
    """Return entity and key of each of these records."""
    sql = "SELECT r.id, r.entity, r.key FROM json_each(?) j CROSS JOIN record r ON r.id = j.value"
    return {number: (entity, key) for number, entity, key in db.execute(sql, (dump(sorted(numbers)),))}


def _decided(row: Sequence[Any]) -> Decided:
    number, config, record, version, at, cause, body, fields, made = row
    try:
        doc = load(body)
        moved = "fields" in doc
        changes = _changes(doc, fields) if moved else []
        answered = [Stray(**stray) for stray in doc.get("strays", ())]
        decision = Decision(record, version, micros(at), cause, changes, answered, doc.get("notes", []))
    except (AttributeError, LookupError, TypeError, ValueError):
        return Decided(number, config, Decision(record, version, 0, cause), whole=False)
    whole = is_whole((record, version, at, cause, config), body, fields if moved else None)
    return Decided(number, config, decision, whole=whole and (not moved or made == at))
