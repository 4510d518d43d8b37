"""What stands between records and a platform: what is queued, refused or waits for approval. For whole batches."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from syncd.ledger.schema import Database
from syncd.ledger.texts import dump, load_native


@dataclass(frozen=True, slots=True)
class Between:
    """Records of a batch: ``queued`` or being sent, ``refused`` (an open dead letter), fields ``proposed`` by record."""

    queued: frozenset[int] = frozenset()
    refused: frozenset[int] = frozenset()
    proposed: dict[int, frozenset[str]] = field(default_factory=dict)


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
    return Between(frozenset(r for (r,) in queued), frozenset(r for (r,) in refused), _proposed(db, platform, wanted))


def _proposed(db: Database, platform: str, wanted: str) -> dict[int, frozenset[str]]:
    rows = db.execute(
        "SELECT p.record, p.fields FROM json_each(?1) j CROSS JOIN proposal p ON p.record = j.value"
        " WHERE p.platform = ?2 AND p.state = 'open'",
        (wanted, platform),
    ).fetchall()
    return {record: frozenset(one["field"] for one in load_native(fields)) for record, fields in rows}
