"""Decisions that wait for a person. Format ``syncd.conflicts/1.0``."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from syncd.core.life import IDENTITY
from syncd.core.model import Record
from syncd.ledger import conflicts as table
from syncd.ledger.conflicts import Open
from syncd.ledger.loaded import Loaded, read_records
from syncd.ledger.lookup import find_records
from syncd.ledger.schema import Database
from syncd.reports import figures
from syncd.reports.envelope import Origin, envelope
from syncd.reports.outline import EntityLine
from syncd.reports.page import Column, Look, Page, Section

SCHEMA = "syncd.conflicts/1.0"
EMPTY = "No conflicts. They appear here when no rule may decide: two edits too close, a jump, two candidates, a manual rule."


def collect(db: Database, origin: Origin, entities: Mapping[str, EntityLine], *, group: int | None = None) -> dict[str, Any]:
    """Return the open conflicts, oldest first, of one group if it is given."""
    found = table.standing(db, group=group)
    return envelope(SCHEMA, origin, conflicts=lines(db, found, entities))


def lines(db: Database, found: Sequence[Open], entities: Mapping[str, EntityLine]) -> list[dict[str, Any]]:
    """Return conflicts as the format has them."""
    records = read_records(db, {one.record for one in found if one.record is not None}, Loaded())
    names = names_of(db, [number for one in found for number in one.candidates])
    return [_line(one, records.get(one.record or 0), entities.get(one.entity), names) for one in found]


def names_of(db: Database, numbers: Sequence[int]) -> dict[int, str]:
    """Return what the candidates are called: by key, by syncd's own id where the conflict is about who has the key."""
    records = read_records(db, set(numbers), Loaded()) if numbers else {}
    keys = {number: record.key for number, record in records.items()}
    doubled = {number for number, key in keys.items() if len(find_records(db, records[number].entity, key)) > 1}
    return {n: f"{r.entity[:1]}{n}" if n in doubled else r.key for n, r in records.items()}


def _line(one: Open, record: Record | None, entity: EntityLine | None, names: Mapping[int, str]) -> dict[str, Any]:
    return {
        "id": f"c-{one.id}",
        "entity": one.entity,
        "record": one.key if one.key is not None else one.thing and one.thing[2],
        "field": None if one.field in ("", IDENTITY) else one.field,
        "kind": one.kind,
        "why": one.why,
        "values": [_value(platform, value, record, one.field) for platform, value in one.values.items()],
        "rule": entity.rule(one.field) if entity else None,
        "group": f"g-{one.group}" if one.together > 1 else None,
        "together": one.together,
        "opened_at": figures.stamp(one.opened_at),
        "times_seen": one.times_seen,
        "snoozed_until": figures.stamp(one.snoozed_until),
        "assignee": one.assignee,
        "state": one.state,
        "closed_by": one.how,
        "closed_at": figures.stamp(one.closed_at),
        "proposal": one.proposal,
        "candidates": [names[number] for number in one.candidates if number in names],
        "own_id": f"{one.entity[:1]}{one.record}" if one.record is not None else None,
        "thing": f"{one.thing[0]}:{one.thing[2]}" if one.thing else None,
    }


def _value(platform: str, value: Any, record: Record | None, name: str) -> dict[str, Any]:
    shadow = record.shadows.get(platform) if record else None
    known = shadow.fields.get(name) if shadow else None
    return {
        "platform": platform,
        "value": value,
        "changed_at": figures.stamp(known.hi) if known and known.hi else None,
        "by": known.by if known else None,
    }


def detail(db: Database, one: Open, origin: Origin, entities: Mapping[str, EntityLine]) -> dict[str, Any]:
    """Return one conflict with its history."""
    marks = [{"at": figures.stamp(mark.at), "what": mark.what, "by": mark.by} for mark in one.history]
    (line,) = lines(db, [one], entities)
    return envelope(SCHEMA, origin, conflicts=[line | {"history": marks}])


def page(document: Mapping[str, Any], look: Look) -> Page:
    """Return the conflicts, one line each; a single one with its history in full."""
    found = document["conflicts"]
    if len(found) == 1 and "history" in found[0]:
        return _one(found[0], document, look)
    columns = (
        Column("id"),
        Column("age" if look.relative else "opened", right=look.relative),
        Column("record", least=14),
        Column("field", least=8),
        Column("values", least=16),
        Column("why", least=14),
        Column("group"),
    )
    rows = [
        (
            one["id"],
            look.when(one["opened_at"], document["generated_at"]),
            figures.plain(f"{one['entity']} {one['record']}"),
            one["field"] or f"({one['kind']})",
            values_of(one),
            figures.plain(one["why"]),
            f"{one['group']} ({one['together']})" if one["group"] else "-",
        )
        for one in found
    ]
    foot = f"{len(rows):,} open.  Look at one: syncd conflicts show {found[0]['id']}" if rows else EMPTY
    return Page("", [Section(columns, rows)], foot, title="Conflicts")


def values_of(conflict: Mapping[str, Any]) -> str:
    """Return who says what: ``16.00 sap / 10.00 shopify``."""
    return " / ".join(f"{figures.value(one['value'])} {one['platform']}" for one in conflict["values"]) or "-"


def _one(one: Mapping[str, Any], document: Mapping[str, Any], look: Look) -> Page:
    now = document["generated_at"]
    head = f"{one['id']}  {one['entity']} {figures.plain(one['record'] or '')}  {one['field'] or one['kind']}"
    facts = [
        ("why", one["why"]),
        ("rule", f"{one['rule']['strategy']}, {one['rule']['file']}:{one['rule']['line']}" if one["rule"] else None),
        ("suggested", figures.value(one["proposal"]) if one["proposal"] is not None else None),
        ("candidates", ", ".join(map(str, one["candidates"]))),
        ("group", f"{one['group']}, {one['together']} open" if one["group"] else None),
        ("closed", f"{one['closed_by']}, {look.when(one['closed_at'], now)}" if one["closed_by"] else None),
    ]
    rows = [(name, figures.plain(text)) for name, text in facts if text]
    values = [
        (value["platform"], figures.value(value["value"]), look.when(value["changed_at"], now), value["by"] or "-")
        for value in one["values"]
    ]
    marks = [(look.when(mark["at"], now), figures.plain(mark["what"]), mark["by"] or "") for mark in one["history"]]
    parts: list[Section | str] = [
        Section((Column(""), Column("", least=20)), rows, headless=True),
        Section((Column("platform"), Column("value", least=16), Column("changed"), Column("by", least=10)), values),
        Section((Column("when"), Column("what", least=16), Column("by")), marks, title="  history"),
    ]
    return Page(head, parts, _ways_out(one), title=f"Conflict {one['id']}")


def _ways_to_tell_apart(one: Mapping[str, Any], command: str) -> str:
    """Return the commands that say which records are one, and which are not."""
    left = figures.plain(one["thing"] or one["own_id"])
    links = [f"{command} --link {left} {figures.plain(name)}" for name in one["candidates"]]
    apart = f"{command} --split     (it is a record of its own)"
    own = "or correct the keys on one of the platforms: it closes by itself then."
    return "\n".join(["Settle it with one of:", *(f"  {line}" for line in (*links, apart)), own])


def _ways_out(one: Mapping[str, Any]) -> str:
    """Return the commands that would settle it."""
    if one["state"] != "open":
        return "It is closed."
    command = f"syncd conflicts resolve {one['id']}"
    if one["kind"] == "identity":
        return _ways_to_tell_apart(one, command)
    if one["kind"] not in {"value", "step", "manual"}:
        return "It closes by itself when the platforms agree; correct the wrong one there."
    takes: Iterable[str] = (f"{command} --take {value['platform']}" for value in one["values"])
    return "\n".join(
        ["Settle it with one of:", *(f"  {line}" for line in (*takes, f"{command} --value V", f"{command} --keep"))]
    )
