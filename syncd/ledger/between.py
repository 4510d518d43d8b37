"""What stands between records and a platform: what is queued, refused or waits for approval. For whole batches."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from syncd.ledger.schema import Database
from syncd.ledger.texts import dump, load_native


@dataclass(frozen=True, slots=True)
class Declined:
    """A write that a person does not want: its operation, the native values by path, and what became of it."""

    op: str
    values: dict[str, Any]
    note: str


@dataclass(frozen=True, slots=True)
class Between:
    """Records of a batch: ``queued`` or being sent, ``refused`` (an open dead letter), fields ``proposed`` by record, and the
    last write that was ``declined``: its change was rejected, or its letter discarded.
    """

    queued: frozenset[int] = frozenset()
    refused: frozenset[int] = frozenset()
    proposed: dict[int, frozenset[str]] = field(default_factory=dict)
    declined: dict[int, Declined] = field(default_factory=dict)


def between(db: Database, platform: str, records: Iterable[int]) -> Between:
    """Return what stands between these records and a platform."""
    wanted = dump(sorted(records))
    queued = db.execute(
        "SELECT o.record FROM json_each(?1) j CROSS JOIN outbox o ON o.record = j.value WHERE o.platform = ?2 UNION"
        " SELECT a.record FROM json_each(?1) j CROSS JOIN attempt a ON a.record = j.value"
        " WHERE a.platform = ?2 AND a.outcome IS NULL",
        (wanted, platform),
    ).fetchall()
    refused = db.execute(
        "SELECT d.record FROM json_each(?1) j CROSS JOIN dead_letter d ON d.record = j.value"
        " WHERE d.platform = ?2 AND d.state = 'open' AND d.kind = 'write'",
        (wanted, platform),
    ).fetchall()
    return Between(
        frozenset(r for (r,) in queued),
        frozenset(r for (r,) in refused),
        _proposed(db, platform, wanted),
        _rejected(db, platform, wanted) | _discarded(db, platform, wanted),
    )


def _discarded(db: Database, platform: str, wanted: str) -> dict[int, Declined]:
    """Return the writes whose last letter a person discarded."""
    rows = db.execute(
        "SELECT d.record, d.id, d.op, d.body FROM json_each(?1) j CROSS JOIN dead_letter d ON d.id = (SELECT max(id)"
        " FROM dead_letter WHERE record = j.value AND platform = ?2 AND kind = 'write') WHERE d.state = 'discarded'",
        (wanted, platform),
    ).fetchall()
    return {
        record: Declined(op, load_native(body).get("values") or {}, f"its letter d-{number} was discarded")
        for record, number, op, body in rows
    }


def _rejected(db: Database, platform: str, wanted: str) -> dict[int, Declined]:
    """Return the writes whose last proposal a person rejected."""
    rows = db.execute(
        "SELECT p.record, p.id, p.op, p.fields FROM json_each(?1) j CROSS JOIN proposal p ON p.id = (SELECT max(id)"
        " FROM proposal WHERE record = j.value AND platform = ?2) WHERE p.state = 'rejected'",
        (wanted, platform),
    ).fetchall()
    return {
        record: Declined(op, {one["path"]: one["after"] for one in load_native(fields)}, f"its change ch-{number} was rejected")
        for record, number, op, fields in rows
    }


def _proposed(db: Database, platform: str, wanted: str) -> dict[int, frozenset[str]]:
    rows = db.execute(
        "SELECT p.record, p.fields FROM json_each(?1) j CROSS JOIN proposal p ON p.record = j.value"
        " WHERE p.platform = ?2 AND p.state = 'open'",
        (wanted, platform),
    ).fetchall()
    return {record: frozenset(one["field"] for one in load_native(fields)) for record, fields in rows}
