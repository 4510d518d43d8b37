"""Recorded events fed to other rules: every decision of a time derived again from what it was made of, with the rules to be."""

from typing import Any

from syncd.core.rederive import rederive_with
from syncd.core.rules import Rules
from syncd.core.space import Decision
from syncd.ledger import history
from syncd.ledger.schema import Database
from syncd.reports.figures import stamp

BATCH = 1000
SHOWN = 20

Row = dict[str, Any]


def feed_again(db: Database, rules: Rules, *, since: int, every: bool = False) -> Row:
    """Return which decisions not before ``since`` would have differed under these rules; the first ones unless ``every``.

    ``skipped`` are decisions of an older syncd, which did not keep all that they were made of, and those that these rules
    cannot be asked about.
    """
    found: Row = {"since": stamp(since), "decisions": 0, "differ": 0, "skipped": 0, "differing": []}
    last = 0
    while batch := history.every(db, since=since, after=last, limit=BATCH):
        names = history.names_of(db, {one.decision.record for one in batch})
        for one in batch:
            entity, record = names[one.decision.record]
            rows = rows_of(rules, entity, record, one.decision) if one.whole else None
            found["decisions"] += rows is not None
            found["skipped"] += rows is None
            found["differ"] += bool(rows)
            found["differing"] += [] if not rows or (len(found["differing"]) >= SHOWN and not every) else rows
        last = batch[-1].id
    return found


def rows_of(rules: Rules, entity: str, record: str, decision: Decision) -> list[Row] | None:
    """Return the fields of a decision that come out otherwise; None if these rules cannot be asked."""
    if entity not in rules.entities:
        return None
    was = {change.name: change.after for change in decision.fields}
    try:
        again = rederive_with(rules.entities[entity], decision)
    except (ArithmeticError, LookupError, TypeError, ValueError):
        return None
    head = {"at": stamp(decision.at), "entity": entity, "record": record, "version": decision.version}
    return [
        head | {"field": one.name, "before": one.before, "decided": was[one.name], "after": one.after, "why": one.why}
        for one in again
    ]
