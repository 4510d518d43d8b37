"""Writes that wait for approval (mode propose). Format ``syncd.changes/1.0``."""

from collections.abc import Mapping
from typing import Any

from syncd.ledger import proposals
from syncd.ledger.proposals import Proposal
from syncd.ledger.schema import Database
from syncd.reports import figures
from syncd.reports.envelope import Origin, envelope
from syncd.reports.page import Column, Look, Page, Section

SCHEMA = "syncd.changes/1.0"
EMPTY = "No changes wait. A platform in mode propose asks here before anything is written to it."
SHOWN = 50


def collect(db: Database, origin: Origin, *, platform: str | None = None) -> dict[str, Any]:
    """Return the writes that wait for approval, oldest first, of one platform if it is given."""
    return envelope(SCHEMA, origin, changes=[line(one) for one in proposals.in_state(db, "open", platform=platform)])


def line(one: Proposal) -> dict[str, Any]:
    """Return one change as the format has it."""
    return {
        "id": f"ch-{one.id}",
        "entity": one.entity,
        "record": one.key,
        "platform": one.platform,
        "op": str(one.op),
        "fields": [
            {"field": each.field, "path": each.path, "before": figures.exact(each.before), "after": figures.exact(each.after)}
            for each in one.fields
        ],
        "why": one.why,
        "proposed_at": figures.stamp(one.proposed_at),
        "state": one.state,
        "by": one.by,
        "note": one.note,
    }


def page(document: Mapping[str, Any], look: Look) -> Page:
    """Return one line per field that would be written."""
    found = document["changes"]
    columns = (
        Column("id"),
        Column("age" if look.relative else "proposed", right=look.relative),
        Column("record", least=14),
        Column("platform"),
        Column("write"),
        Column("field", least=8),
        Column("from", least=8),
        Column("to", least=8),
    )
    rows = []
    for one in found:
        head = (
            one["id"],
            look.when(one["proposed_at"], document["generated_at"]),
            figures.plain(f"{one['entity']} {one['record']}"),
            one["platform"],
            one["op"],
        )
        fields = one["fields"] or [{"field": "(record)", "before": None, "after": None}]
        for each in fields:
            rows.append((*head, each["field"], figures.value(each["before"]), figures.value(each["after"])))
            head = ("", "", "", "", "")
    section = Section(columns, rows, most=SHOWN, more="--format csv, or -o changes.html")
    return Page("", [section], _foot(found), title="Proposed changes")


def _foot(found: list[dict[str, Any]]) -> str:
    if not found:
        return EMPTY
    count = figures.plural(len(found), "change")
    verb = "waits" if len(found) == 1 else "wait"
    return f"{count} {verb}.  Approve: syncd changes approve {found[0]['id']}, or --all"
