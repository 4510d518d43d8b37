"""The plan as a page: which lines of the config changed, what that does by platform and field, some records, the limits."""

from collections.abc import Mapping, Sequence
from typing import Any

from syncd.reports import figures
from syncd.reports.page import Cell, Column, Look, Page, Section, Tone
from syncd.reports.plan import Example, is_empty
from syncd.reports.text import shorten, width_of

SIGNS = {"create": "+", "update": "~", "delete": "-", "archive": "-"}
KINDS = {"changes": ("change", "changes"), "deletes": ("delete", "deletes"), "blanked": ("emptied value", "emptied values")}
NAMES = 8  # the least width of field names
LEAST = 12  # a value is not shortened below this

Document = Mapping[str, Any]


def page(document: Document, look: Look) -> Page:
    """Return the plan laid out for people."""
    parts: list[Section | str] = [text for text in (_edits(document), _one(document)) if text]
    if document["fields"]:
        parts.append(_table(document))
    if document["examples"]:
        parts.append(_examples(document, look))
    parts += [text for text in (_replayed(document), stops(document), _notes(document)) if text]
    return Page(_head(document, look), parts, _foot(document), title="Plan")


def _head(document: Document, look: Look) -> str:
    if document.get("one"):
        return f"{document['one']} as it is on the platforms now, under the config on disk {document['config_sha']}"
    if not document["edits"]:
        return f"The config on disk is {_base(document)}."
    edited = document.get("edited_at")
    age = figures.age(edited, document["generated_at"])
    when = f"{age}{'in' if age.endswith(' m') else ''} ago" if look.relative else figures.moment(edited, local=look.local)
    over = figures.plural(document["summary"]["records"], "record")
    return f"Your edit{f' ({when})' if edited else ''} against {_base(document)}, over {over} in the ledger"


def _base(document: Document) -> str:
    base = document["against"]
    return f"{'the running config' if base['running'] else 'the config'} {base['sha']}{'' if base['running'] else base['how']}"


def _edits(document: Document) -> str:
    rows = [(f"{one['file']}:{one['line']}", one["what"], f"{one['before']}  ->  {one['after']}") for one in document["edits"]]
    if not rows:
        return ""
    wide = [max(width_of(row[at]) for row in rows) for at in (0, 1)]
    return "\n".join(f"  {a:<{wide[0]}}   {b:<{wide[1]}}   {figures.plain(c)}".rstrip() for a, b, c in rows)


def _one(document: Document) -> str:
    return "\n".join(f"  {figures.plain(line)}" for line in document.get("told", ()))


# ---- the table


def _table(document: Document) -> Section:
    columns = (
        Column("platform"),
        Column("records", right=True),
        Column("field", least=8),
        Column("values removed", right=True, short="removed"),
        Column("values added", right=True, short="added"),
        Column("new conflicts", right=True, short="new conf."),
        Column("closed", right=True),
    )
    several = len({line["entity"] for line in document["fields"]}) > 1
    return Section(columns, [_line(line, several=several) for line in document["fields"]])


def _line(line: Document, *, several: bool) -> tuple[Cell | str, ...]:
    if line["field"] is None:
        return (line["platform"], "0", "", "", "", "", "")
    name = f"{line['entity']}.{line['field']}" if several else line["field"]
    counts = [figures.number(line[key]) for key in ("removed", "added", "conflicts_new", "conflicts_closed")]
    tone = Tone.WARN if line["removed"] else Tone.PLAIN
    return (line["platform"] or "-", figures.number(line["records"]), name, Cell(counts[0], tone), *counts[1:])


# ---- the records


def _examples(document: Document, look: Look) -> str:
    examples: Sequence[Example] = document["examples"]
    rows = [row for one in examples for row in one.rows]
    names = max([NAMES, *(width_of(_field(row)) for row in rows)])
    places = max([width_of(row["platform"]) for row in rows], default=0)
    before = max([width_of(figures.value(row["before"])) for row in rows], default=0)
    if look.width is not None:
        room = max(look.width - (4 + 2 + names + 3 + places + 3 + 6), 2 * LEAST)
        before = min(before, room // 2)
    lines = []
    heads = [f"  {one.entity} {figures.plain(one.record)}" for one in examples]
    wide = max(width_of(head) for head in heads)
    for head, one in zip(heads, examples, strict=True):
        lines.append(f'{head:<{wide}}   "{figures.plain(one.label)}"' if one.label else head)
        lines += [_change(row, (names, places, before), look) for row in one.rows]
        lines += [f"    ! {conflict['field'] or '(record)':<{names}}   {_conflict(conflict)}" for conflict in one.conflicts]
    return "\n".join([*lines, *_more(document)])


def _change(row: Document, wide: tuple[int, int, int], look: Look) -> str:
    head = f"    {SIGNS[row['op']]} {_field(row):<{wide[0]}}   {row['platform']:<{wide[1]}}"
    if row["field"] is None:
        return f"{head}   {'the record is deleted there' if row['op'] == 'delete' else 'the record is archived there'}"
    old, new = figures.value(row["before"]), figures.value(row["after"])
    if look.width is not None:
        rest = max(look.width - width_of(head) - 3 - wide[2] - 6, LEAST)
        old, new = shorten(old, wide[2], look.ellipsis), shorten(new, rest, look.ellipsis)
    return f"{head}   {old}{' ' * max(wide[2] - width_of(old), 0)}  ->  {new}"


def _field(row: Document) -> str:
    return row["field"] or "(record)"


def _conflict(conflict: Document) -> str:
    return f"new conflict: {figures.plain(conflict['why'])}" if conflict["state"] == "new" else "conflict closes"


def _more(document: Document) -> list[str]:
    left = document["summary"]["decided"] - document["summary"]["failed"] - len(document["examples"])
    following = document.get("next")
    if left <= 0 or not following:
        return []
    return [f"  ... {left:,} more: --all, or one of them: syncd plan {following}"]


def _replayed(document: Document) -> str:
    found = document.get("replay")
    if found is None:
        return ""
    lines = [
        f"  {figures.moment(one['at'])}   {one['entity']} {figures.plain(one['record'])}   {one['field']}   "
        f"{figures.value(one['before'])} -> {figures.value(one['decided'])}, now {figures.value(one['after'])}   {one['why']}"
        for one in found["differing"]
    ]
    left = found["differ"] - len(lines)
    more = [f"  ... {left:,} more: --all"] if left > 0 else []
    decisions = figures.plural(found["decisions"], "decision")
    head = f"Replayed {decisions} since {figures.moment(found['since'])}: {found['differ']:,} would have differed"
    return "\n".join([head, *lines, *more])


# ---- the limits, and what else there is to say


def stops(document: Document) -> str:
    """Return the limits that would be exceeded, in words."""
    lines = []
    for one in document["breakers"]:
        place = f" ({one['file']}:{one['line']})" if one["file"] else " (built in)"
        noun = KINDS[one["kind"]][one["count"] != 1]
        text = f"{one['count']:,} {noun} in {one['platform']} is over the limit of {limit_words(one['limit'])}{place}."
        pauses = one["action"] == "pause"
        lines.append(f"  {'STOP' if pauses else 'WARN'}  {text}")
        lines.append(f"        {STOPPED if pauses else TOLD}")
    return "\n".join(lines)


STOPPED = "A reload is still safe: syncd would pause these writes and ask you."
TOLD = "A reload would only tell of it (on_trip: warn), and write."


def limit_words(limit: Document) -> str:
    """Return a limit in words: ``200 and 10% in 10 min``."""
    most = [f"{limit['max']:,}"] if limit["max"] is not None else []
    most += [f"{limit['ratio']:.4%}".rstrip("0%").rstrip(".") + "%"] if limit["ratio"] is not None else []
    span = figures.span(limit["per_s"])
    return f"{' and '.join(most) or 'none'} in {span}{'in' if span.endswith(' m') else ''}"


def _notes(document: Document) -> str:
    summary = document["summary"]
    notes = [f"  {text}" for text in document["needs"]]
    if summary["proposed"]:
        notes.append(f"  {figures.plural(summary['proposed'], 'write')} would wait for approval (mode propose): syncd changes")
    if summary["withdrawn"]:
        notes.append(f"  {figures.plural(summary['withdrawn'], 'write')} that waits now would not be made any more")
    if summary["failed"]:
        records = figures.plural(summary["failed"], "record")
        notes.append(f"  {records} could not be foreseen; the first: {figures.plain(document['failure'])}")
    return "\n".join(notes)


def _foot(document: Document) -> str:
    summary = document["summary"]
    saved = document.get("saved")
    if is_empty(document):
        unsaved = f"  Saved ({saved})." if saved else ""
        return f"No changes.{unsaved}"
    ops = ", ".join(f"{summary[op]:,} to {op}" for op in ("update", "create", "delete"))
    kept = f"Saved (syncd apply {saved})." if saved else ("" if document.get("one") else "Not saved (--out plan.json).")
    removed = figures.plural(summary["removed"], "value")
    return f"Plan: {ops}; {removed} removed.  {kept}".rstrip()
