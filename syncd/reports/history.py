"""The versions of a record: what changed, whose word it was, where it went and why. Format ``syncd.history/1.0``."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from syncd.core.model import Record
from syncd.core.space import Stray
from syncd.errors import SyncdError
from syncd.ledger import aliases, attempts, history
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
    db: Database,
    record: Record,
    origin: Origin,
    *,
    key: str = "",
    field: str | None = None,
    since: int | None = None,
    by: str | None = None,
) -> dict[str, Any]:
    """Return a record's versions, newest first: of one field only, not before ``since``, and by one author, if given.

    An author is a platform, ``rule``, ``person``, or somebody who edited on a platform or settled a conflict. ``key`` is the
    field that the record is known by.
    """
    versions = history.versions(db, record.id, field=field, since=since)
    tried = [one for one in attempts.of_record(db, record.id, limit=10_000) if one.outcome in APPLIED]
    edits = history.strays(db, record.id)
    later: dict[str, Version] = {}  # by field: the version that replaced the one looked at
    found = []
    for version in versions:
        found.append(_version(version, tried, edits, later))
        later |= dict.fromkeys([step.name for step in version.fields], version)
    if by:
        found = [one | {"fields": [step for step in one["fields"] if is_by(by, one, step)]} for one in found]
        found = [one for one in found if one["fields"]]
    names = [{"name": one.name, "why": one.why, "at": figures.stamp(one.at)} for one in aliases.of_record(db, record.id)]
    head = envelope(SCHEMA, origin, entity=record.entity, record=record.key, key=key or None, field=field)
    return head | {"versions": found, "former_names": names}


def is_by(name: str, version: Mapping[str, Any], step: Mapping[str, Any]) -> bool:
    """Return whether a step of a version is somebody's work."""
    people = [stray["by"] for stray in step["strays"]]
    settled = step["from"] == "person" and str(version["cause"]).endswith((f" {name}", f":{name}"))
    return step["from"] == name or name in people or settled


def compare(db: Database, record: Record, origin: Origin, *, one: int, other: int, field: str | None = None) -> dict[str, Any]:
    """Return the fields that two versions of a record hold differently; raises SyncdError if one of them is not kept."""
    versions = history.versions(db, record.id, limit=1_000_000)
    known = [version.version for version in versions]
    for number in (one, other):
        if number not in known:
            kept = f"{known[-1]} to {known[0]}" if known else "none"
            raise SyncdError(f"no version {number} of {record.entity} {record.key} in the ledger; kept are {kept}")
    before, after = state_at(versions, one), state_at(versions, other)
    names = sorted(name for name in {*before, *after} if field in (None, name) and before.get(name) != after.get(name))
    low, high = sorted((one, other))
    steps = [(v.version, step.name) for v in reversed(versions) if low < v.version <= high for step in v.fields]
    found = [
        {"field": n, "before": before.get(n), "after": after.get(n), "versions": [v for v, name in steps if name == n]}
        for n in names
    ]
    return envelope(
        SCHEMA, origin, entity=record.entity, record=record.key, field=field, compared=[one, other], versions=[], diff=found
    )


def state_at(versions: Sequence[Version], number: int) -> dict[str, Any]:
    """Return the value of each field at a version, from versions that are newest first."""
    found: dict[str, Any] = {}
    for version in reversed(versions):
        if version.version <= number:
            found |= {step.name: step.after for step in version.fields}
    for version in reversed([v for v in versions if v.version > number]):
        for step in version.fields:
            found.setdefault(step.name, step.before)  # older versions are kept no more: it was this before
    return found


def _version(
    version: Version, tried: Sequence[Tried], edits: Sequence[tuple[int, Stray]], later: Mapping[str, Version]
) -> dict[str, Any]:
    return {
        "version": version.version,
        "at": figures.stamp(version.at),
        "cause": version.cause or None,
        "config_sha": version.config or None,
        "fields": [_step(step, version, tried, edits, later.get(step.name)) for step in version.fields],
        "notes": list(version.notes),
    }


def _step(
    step: FieldStep, version: Version, tried: Sequence[Tried], edits: Sequence[tuple[int, Stray]], later: Version | None
) -> dict[str, Any]:
    until = later.version if later else None
    stood = [one for at, one in edits if one.field == step.name and version.version <= at and (until is None or at < until)]
    why = version.cause if step.who == "person" else step.why or step.rule
    return {
        "field": step.name,
        "before": step.before,
        "after": step.after,
        "from": step.who,
        "to": written_to(tried, step.name, version.at, later.at if later else None),
        "why": "; ".join(word for word in (why, *_strays(stood)) if word) or None,
        "strays": [_stray(one) for one in stood],
    }


def written_to(tried: Sequence[Tried], field: str, since: int, until: int | None) -> list[str]:
    """Return the platforms that a version of a field was written to, in the order of the writes."""
    named = [
        one.attempt.write.platform
        for one in tried
        if field in one.attempt.write.sent and since <= one.attempt.sent_at and (until is None or one.attempt.sent_at < until)
    ]
    return list(dict.fromkeys(reversed(named)))


def _stray(stray: Stray) -> dict[str, Any]:
    return {
        "platform": stray.platform,
        "value": stray.value,
        "action": stray.action,
        "by": stray.by,
        "changed_at": figures.stamp(stray.changed_at),
    }


def _strays(found: Sequence[Stray]) -> Iterator[str]:
    """Yield each stray edit that a value met while it stood, and what became of it."""
    words = Counter(f"stray {figures.value(one.value)} {STRAYS.get(one.action, one.action)}" for one in found)
    yield from (f"{text} {figures.plural(count, 'time')}" if count > 1 else text for text, count in words.items())


def page(document: Mapping[str, Any], look: Look) -> Page:
    """Return one line per version and field; of a comparison one line per field."""
    if "diff" in document:
        return _compared(document)
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
    rows = [row for version in document["versions"] for row in _rows(version, look, _made(document, version))]
    name = f"{document['entity']} {figures.plain(document['record'])}"
    count = figures.plural(len(document["versions"]), "version")
    about = f" of {document['field']}" if document.get("field") else ""
    numbers = [version["version"] for version in document["versions"]]
    pair = f"  Compare: --diff {numbers[min(2, len(numbers) - 1)]}..{numbers[0]}." if len(numbers) > 1 else ""
    former = document.get("former_names") or ()
    once = "".join(f"\nFormerly {figures.plain(one['name'])}: {figures.plain(one['why'])}." for one in former)
    foot = f"{count}{about}.{pair}  Why now: syncd explain {name}{once}"
    return Page("", [Section(columns, rows)], foot, title=f"History of {name}")


def _compared(document: Mapping[str, Any]) -> Page:
    one, other = document["compared"]
    columns = (
        Column("field"),
        Column(f"version {one}", least=12),
        Column(f"version {other}", least=12),
        Column("changed in", least=10),
    )
    rows = [
        (
            line["field"],
            figures.value(line["before"]),
            figures.value(line["after"]),
            ", ".join(str(version) for version in line["versions"]),
        )
        for line in document["diff"]
    ]
    name = f"{document['entity']} {figures.plain(document['record'])}"
    count = figures.plural(len(rows), "field")
    differ = f"{count} {'differs' if len(rows) == 1 else 'differ'} between version {one} and version {other}"
    return Page("", [Section(columns, rows)] if rows else [], f"{differ} of {name}.", title=f"{name}, {one}..{other}")


def _made(document: Mapping[str, Any], version: Mapping[str, Any]) -> tuple[str, str] | None:
    """Return who brought a record and what it is known by, if this version made it; None for any other, or of one field."""
    key = document.get("key")
    if version["version"] != 1 or document.get("field") or not key or not version["fields"]:
        return None
    known = next((step for step in version["fields"] if step["field"] == key), None)
    who = (known or version["fields"][0])["from"] or "-"
    return who, f"identity {key} = {figures.value(known['after'] if known else document['record'])}"


def _rows(version: Mapping[str, Any], look: Look, made: tuple[str, str] | None) -> list[tuple[str, ...]]:
    head = (str(version["version"]), figures.moment(version["at"], local=look.local))
    if not version["fields"]:
        what = "(new)" if version["version"] == 1 else "(record)"
        return [(*head, what, "", "", "", figures.plain(version["cause"] or ""))]
    rows: list[tuple[str, ...]] = []
    if made:
        rows.append((*head, "(new)", "", "", *made))
        head = ("", "")
    for step in version["fields"]:
        path = " > ".join([step["from"] or "-", ", ".join(step["to"])] if step["to"] else [step["from"] or "-"])
        values = (figures.value(step["before"]), figures.value(step["after"]))
        rows.append((*head, step["field"], *values, path, figures.plain(step["why"] or "")))
        head = ("", "")
    renamed = [note for note in version.get("notes", ()) if note.startswith("renamed")]
    return rows + [(*head, "(record)", "", "", "", figures.plain(note)) for note in renamed]
