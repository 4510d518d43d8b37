"""Machine formats: JSON, NDJSON and CSV of any machine-format dict. Nothing is shortened and no time is relative."""

import csv
import io
import json
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple


class Shape(NamedTuple):
    """Where a format keeps its list: ``key``; ``one`` names a record of it in NDJSON; ``columns`` are its CSV columns,
    dotted, with blanks between. ``each``: a list inside each record that becomes one CSV row per entry.
    """

    key: str
    one: str
    columns: str
    each: str = ""


SHAPES = {
    "syncd.reconcile": Shape(
        "rows",
        "row",
        "entity record field platform why truth.value truth.platform truth.version found.value found.platform "
        "found.changed_at found.by rule.file rule.line rule.strategy action.op action.platform action.path "
        "action.value first_seen times_seen",
    ),
    "syncd.check": Shape("diagnostics", "diagnostic", "code severity file line col end_col message hint why fix doc"),
    "syncd.test": Shape("tests", "test", "file line name ok differences decided_by"),
    "syncd.conflicts": Shape(
        "conflicts",
        "conflict",
        "id entity record field kind why values rule.file rule.line rule.strategy group opened_at times_seen "
        "snoozed_until assignee state closed_by",
    ),
    "syncd.changes": Shape(
        "changes",
        "change",
        "id entity record platform op field path before after why proposed_at state",
        each="fields",
    ),
    "syncd.dead": Shape(
        "letters",
        "letter",
        "id group kind platform entity record op status answer attempts first_at last_at state",
    ),
    "syncd.status": Shape("platforms", "platform", "platform mode connector state last_read_at lag_s queue"),
    "syncd.plan": Shape(
        "changes", "change", "op platform entity record field before after rule.file rule.line rule.strategy why mode"
    ),
    "syncd.history": Shape("versions", "version", "version at field before after from to why", each="fields"),
    "syncd.explain": Shape("readings", "reading", "platform state value read_at changed_at by changed"),
    "syncd.writes": Shape("lines", "line", "state entity record platform field before after note"),
    "syncd.rules": Shape(
        "rules",
        "rule",
        "entity field field_type group decides may_edit otherwise written_to note rule.file rule.line rule.strategy",
    ),
    "syncd.secrets": Shape("secrets", "secret", "name state source place used_by"),
    "syncd.replay": Shape("replay", "decision", "decision entity record version at cause config_sha why"),
    "syncd.breaker": Shape("breakers", "breaker", "platform entity kind count limit tripped_at state allow until note"),
}
OTHERS = {  # the same command asked for something else has another list
    "syncd.explain": Shape(
        "fields", "field", "field golden.value golden.version golden.decided_at golden.from rule.file rule.line rule.strategy"
    ),
    "syncd.history": Shape("diff", "difference", "field before after versions"),
}


def shape_of(document: Mapping[str, Any]) -> Shape | None:
    """Return the shape of a document's schema, or None for one without a list."""
    name = str(document["schema"]).partition("/")[0]
    other = OTHERS.get(name)
    return other if other and other.key in document else SHAPES.get(name)


def to_json(document: Mapping[str, Any]) -> str:
    """Return the document as one JSON object over several lines."""
    return json.dumps(document, ensure_ascii=False, indent=2, default=str) + "\n"


def to_ndjson(document: Mapping[str, Any]) -> str:
    """Return one line with everything but the list (type ``head``), then one line for each record of it.

    No record has a ``type`` of its own.
    """
    shape = shape_of(document)
    key = shape.key if shape else ""
    head = {"type": "head", **{name: thing for name, thing in document.items() if name != key}}
    records = [{"type": shape.one, **one} for one in document.get(key, ())] if shape else []
    return "".join(json.dumps(one, ensure_ascii=False, default=str) + "\n" for one in [head, *records])


def to_csv(document: Mapping[str, Any]) -> str:
    """Return the document's list as CSV with a header, also when it is empty.

    The file is for spreadsheets: a text that a spreadsheet would run as a formula gets a leading apostrophe.
    """
    shape = shape_of(document)
    assert shape is not None
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    columns = shape.columns.split()
    writer.writerow(columns)
    for record in _records(document, shape):
        writer.writerow([_cell(_at(record, column)) for column in columns])
    return out.getvalue()


def _records(document: Mapping[str, Any], shape: Shape) -> Iterator[Mapping[str, Any]]:
    for record in document.get(shape.key, ()):
        inner = record.get(shape.each) if shape.each else None
        if inner:
            yield from ({**record, **one} for one in inner)
        else:
            yield record


def _at(record: Mapping[str, Any], dotted: str) -> Any:
    found: Any = record
    for step in dotted.split("."):
        found = found.get(step) if isinstance(found, Mapping) else None
    return found


def _cell(thing: Any) -> str:
    match thing:
        case None:
            return ""
        case bool():
            return "true" if thing else "false"
        case str():
            return _harmless(thing)
        case list() | dict():
            return json.dumps(thing, ensure_ascii=False)
        case _:
            return str(thing)


def _harmless(text: str) -> str:
    if text[:1] not in {"=", "+", "-", "@", "\t", "\r"} or _is_figure(text):
        return text
    return "'" + text


def _is_figure(text: str) -> bool:
    digits = text.lstrip("+-").replace(".", "", 1)
    return digits.isascii() and digits.isdigit()
