"""The drift report: from rows to the machine format ``syncd.reconcile/1.0``.

A row is one record, field and platform with its cause. A record counts once, under the first of its causes.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from syncd.reports.envelope import Origin, envelope

SCHEMA = "syncd.reconcile/1.0"
CAUSES = ("unreadable", "held", "refused", "in_flight", "missing", "extra", "rewritten", "missed", "stray")
COLUMN = {
    "stray": "drift",
    "missed": "drift",
    "refused": "drift",
    "rewritten": "drift",
    "extra": "drift",
    "held": "conflict",
    "missing": "missing",
    "in_flight": "waiting",
    "unreadable": "unreadable",
}
FIXABLE = ("stray", "missed", "missing", "extra", "rewritten")

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Scope:
    """What a report looked at: records and fields per entity, platforms asked, those that failed and why."""

    records: Mapping[str, int]
    platforms: Sequence[str]
    failed: Mapping[str, str] = field(default_factory=dict)
    fields: Mapping[str, Sequence[str]] = field(default_factory=dict)


def assemble(
    report_id: str,
    rows: Sequence[Row],
    scope: Scope,
    *,
    origin: Origin,
    gone: int = 0,
    previous: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Return the report of these rows; ``previous`` is the last one, ``gone`` how many of its rows are no more."""
    first = causes_of(rows)
    by_why = {why: count for why in CAUSES if (count := sum(1 for cause in first.values() if cause == why))}
    document = envelope(SCHEMA, origin, complete=not scope.failed, id=report_id)
    document["totals"] = _totals(rows, first, scope) | {
        "new": sum(1 for row in rows if row.get("times_seen", 1) <= 1),
        "gone": gone,
    }
    document["by_why"] = by_why
    document["entities"] = [_entity(name, first, scope, previous) for name in scope.records]
    document["platforms"] = {
        "asked": len(scope.platforms),
        "read": len(scope.platforms) - len(scope.failed),
        "failed": [{"platform": name, "error": error} for name, error in scope.failed.items()],
    }
    document["previous"] = previous["id"] if previous else None
    document["rows"] = list(rows)
    return document


def causes_of(rows: Sequence[Row]) -> dict[tuple[str, str], str]:
    """Return the cause each record is counted under: the first of the closed list among its rows."""
    found: dict[tuple[str, str], str] = {}
    for row in rows:
        record = (row["entity"], row["record"])
        known = found.get(record)
        if known is None or CAUSES.index(row["why"]) < CAUSES.index(known):
            found[record] = row["why"]
    return found


def _totals(rows: Sequence[Row], first: Mapping[tuple[str, str], str], scope: Scope) -> dict[str, int]:
    records = sum(scope.records.values())
    differing = {(row["entity"], row["record"]) for row in rows if row["why"] != "unreadable"}
    fields = {(row["entity"], row["record"], row["field"]) for row in rows if row["why"] != "unreadable"}
    return {
        "records": records,
        "in_sync": max(records - len(first), 0),
        "out_of_sync": len(differing),
        "fields": len(fields),
    }


def _entity(
    name: str, first: Mapping[tuple[str, str], str], scope: Scope, previous: Mapping[str, Any] | None
) -> dict[str, Any]:
    counts = dict.fromkeys(("drift", "conflict", "missing", "waiting", "unreadable"), 0)
    causes = Counter(why for (entity, _), why in first.items() if entity == name)
    for why, count in causes.items():
        counts[COLUMN[why]] += count
    last = next((one for one in (previous or {}).get("entities", ()) if one["entity"] == name), None)
    return {
        "entity": name,
        "records": scope.records[name],
        "in_sync": max(scope.records[name] - sum(counts.values()), 0),
        **counts,
        "out_of_sync": sum(counts.values()) - counts["unreadable"],
        "by_why": {why: causes[why] for why in CAUSES if causes[why]},
        "fields": list(scope.fields.get(name, ())),
        "last": last and {key: last[key] for key in ("records", "out_of_sync")},
    }


def entities_of(document: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the lines per entity; a report without them gets what its rows tell."""
    if "entities" in document:
        return list(document["entities"])
    first = causes_of(document["rows"])
    names = list(dict.fromkeys(entity for entity, _ in first))
    lines = []
    for name in names:
        scope = Scope({name: 0}, ())
        line = _entity(name, {key: why for key, why in first.items() if key[0] == name}, scope, None)
        whole = document["totals"]["records"] if len(names) == 1 else None
        in_sync = document["totals"]["in_sync"] if len(names) == 1 else None
        lines.append(line | {"records": whole, "in_sync": in_sync})
    return lines


def only(document: Mapping[str, Any], causes: Sequence[str]) -> dict[str, Any]:
    """Return the report with rows of these causes alone; all of them if none is named. The totals stay."""
    rows = [row for row in document["rows"] if not causes or row["why"] in causes]
    return {**document, "rows": rows}
