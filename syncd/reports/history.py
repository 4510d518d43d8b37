"""The versions of a record: what changed, whose word it was, where it went and why. Format ``syncd.history/1.0``."""

from collections.abc import Mapping, Sequence
from typing import Any

from syncd.core.model import Record
from syncd.core.space import Stray
from syncd.ledger import attempts, history
from syncd.ledger.attempts import Tried
from syncd.ledger.history import FieldStep, Version
from syncd.ledger.schema import Database
from syncd.reports import figures
from syncd.reports.envelope import Origin, envelope
from syncd.reports.page import Column, Look, Page, Section

SCHEMA = "syncd.history/1.0"
APPLIED = {"done", "assumed"}
STRAYS = {"revert": "put back", "keep": "kept", "review": "held for review", "lost": "lost"}


def collect(
    db: Database, record: Record, origin: Origin, *, field: str | None = None, since: int | None = None
) -> dict[str, Any]:
    """Return a record's versions, newest first: of one field only, and not before ``since``, if given."""
    versions = history.versions(db, record.id, field=field, since=since)
    tried = [one for one in attempts.of_record(db, record.id, limit=10_000) if one.outcome in APPLIED]
    later: dict[str, int] = {}  # by field: when the version that replaced the one looked at was made
    found = []
    for version in versions:
        found.append(_version(version, tried, later))
        later |= {step.name: version.at for step in version.fields}
    return envelope(SCHEMA, origin, entity=record.entity, record=record.key, field=field, versions=found)


def _version(version: Version, tried: Sequence[Tried], later: Mapping[str, int]) -> dict[str, Any]:
    return {
        "version": version.version,
        "at": figures.stamp(version.at),
        "cause": version.cause or None,
        "config_sha": version.config or None,
        "fields": [_step(step, version, tried, later.get(step.name)) for step in version.fields],
    }


def _step(step: FieldStep, version: Version, tried: Sequence[Tried], until: int | None) -> dict[str, Any]:
    strays = [_stray(one) for one in version.strays if one.field == step.name]
    why = version.cause if step.who == "person" else step.why or step.rule
    return {
        "field": step.name,
        "before": step.before,
        "after": step.after,
        "from": step.who,
        "to": written_to(tried, step.name, version.at, until),
        "why": "; ".join(word for word in (why, *strays) if word) or None,
    }


def written_to(tried: Sequence[Tried], field: str, since: int, until: int | None) -> list[str]:
    """Return the platforms that a version of a field was written to, in the order of the writes."""
    named = [
        one.attempt.write.platform
        for one in tried
        if field in one.attempt.write.sent and since <= one.attempt.sent_at and (until is None or one.attempt.sent_at < until)
    ]
    return list(dict.fromkeys(reversed(named)))


def _stray(stray: Stray) -> str:
    return f"stray {figures.value(stray.value)} of {stray.platform} {STRAYS.get(stray.action, stray.action)}"


def page(document: Mapping[str, Any], look: Look) -> Page:
    """Return one line per version and field."""
    zone = "" if look.local else " (UTC)"
    columns = (
        Column("ver", right=True),
        Column(f"when{zone}"),
        Column("field", least=8),
        Column("from", least=8),
        Column("to", least=8),
        Column("path", least=14),
        Column("why", least=14),
    )
    rows = [row for version in document["versions"] for row in _rows(version, look)]
    name = f"{document['entity']} {figures.plain(document['record'])}"
    count = figures.plural(len(document["versions"]), "version")
    about = f" of {document['field']}" if document.get("field") else ""
    foot = f"{count}{about}.  Why is it so now: syncd explain {name}"
    return Page("", [Section(columns, rows)], foot, title=f"History of {name}")


def _rows(version: Mapping[str, Any], look: Look) -> list[tuple[str, ...]]:
    head = (str(version["version"]), figures.moment(version["at"], local=look.local))
    if not version["fields"]:
        return [(*head, "(new)", "", "", "", figures.plain(version["cause"] or ""))]
    rows: list[tuple[str, ...]] = []
    for step in version["fields"]:
        path = " > ".join([step["from"] or "-", ", ".join(step["to"])] if step["to"] else [step["from"] or "-"])
        values = (figures.value(step["before"]), figures.value(step["after"]))
        rows.append((*head, step["field"], *values, path, figures.plain(step["why"] or "")))
        head = ("", "")
    return rows
