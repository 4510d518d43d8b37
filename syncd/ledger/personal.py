"""The values of personal fields that the ledger holds of a record, wherever they stand: for whoever must not show them."""

from collections.abc import Collection, Iterator
from typing import Any

from syncd.ledger import attempts, conflicts, history, records
from syncd.ledger.lookup import find_records
from syncd.ledger.schema import Database


def values_of(db: Database, entity: str, key: str, fields: Collection[str]) -> Iterator[Any]:
    """Yield every value that these fields of a record have or had: golden, shadows, versions, votes, stray edits, writes."""
    for number in find_records(db, entity, key):
        record = records.one(db, number)
        if record is None:
            continue
        yield from (golden.value for name, golden in record.golden.items() if name in fields)
        for shadow in record.shadows.values():
            known = [shadow.fields[name] for name in fields if name in shadow.fields]
            yield from (value for one in known for value in (one.raw, one.means))
        yield from _past(db, number, fields)


def _past(db: Database, number: int, fields: Collection[str]) -> Iterator[Any]:
    for decided in history.decisions(db, number, limit=10_000):
        for change in decided.decision.fields:
            if change.name in fields:
                yield from (change.before, change.after)
                yield from (vote.get("value") for vote in change.inputs.values() if isinstance(vote, dict))
        yield from (stray.value for stray in decided.decision.strays if stray.field in fields)
    for tried in attempts.of_record(db, number, limit=10_000):
        yield from (value for name, value in tried.attempt.write.sent.items() if name in fields)
    for conflict in conflicts.of_record(db, number):
        if conflict.field in fields:
            yield from conflict.values.values()
            yield conflict.proposal
