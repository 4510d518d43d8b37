"""Golden values as the ledger has them, for proofs that ask whether they would come back (``syncd check``). Reads only."""

from typing import Any

from syncd.core.model import Value
from syncd.ledger.documents import golden_fields
from syncd.ledger.schema import Database

MOST = 200  # of each field


def golden(db: Database) -> dict[tuple[str, str], list[Value]]:
    """Return up to 200 golden values by (entity, field), of the newest living records."""
    found: dict[tuple[str, str], list[Value]] = {}
    names = [row[0] for row in db.execute("SELECT DISTINCT entity FROM record")]
    for entity in names:
        query = "SELECT golden FROM record WHERE entity = ? AND life = 'alive' ORDER BY id DESC LIMIT ?"
        rows: list[tuple[Any, ...]] = db.execute(query, (entity, MOST)).fetchall()
        for (text,) in rows:
            for name, field in golden_fields(text).items():
                if field.value is not None:
                    found.setdefault((entity, name), []).append(field.value)
    return found
