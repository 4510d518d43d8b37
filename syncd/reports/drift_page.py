"""The drift report as a page: the counts, the causes with the next step, the rows."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from syncd.reports import figures
from syncd.reports.drift import FIXABLE, Row, causes_of, entities_of
from syncd.reports.page import Cell, Column, Look, Page, Section, Tone

SHOWN = 20
WIDE = 100  # columns from which the causes are said in full
LABELS = {
    "unreadable": "could not be read",
    "stray": "stray edit (not the field's owner)",
    "missed": "event missed",
    "refused": "write refused by the platform",
    "rewritten": "platform rewrote our value",
    "extra": "there, without a record",
    "missing": "record missing",
    "held": "stopped by a safety check",
    "in_flight": "write under way",
}
TONES = {"held": Tone.WARN, "in_flight": Tone.DIM, "unreadable": Tone.BAD, "refused": Tone.BAD}
HOLDERS = (  # what a row that waits says of its reason, and where to look
    ("proposed", "syncd changes"),
    ("breaker", "syncd breaker show"),
    ("paused", "syncd status"),
    ("quiet", "nothing (quiet hours)"),
    ("stale", "nothing until its owner is read"),
    ("", "syncd conflicts"),
)


def page(document: Mapping[str, Any], look: Look) -> Page:
    """Return the report laid out for people."""
    parts: list[Section | str] = []
    if entities_of(document):
        parts.append(_entities(document))
    if document["rows"]:
        parts += [_causes(document, look), _rows(document, look)]
    return Page(_head(document, look), parts, _foot(document), title=f"Drift report {document['id']}")


def _head(document: Mapping[str, Any], look: Look) -> str:
    zone = "" if look.local else " UTC"
    when = figures.moment(document["generated_at"], local=look.local, seconds=False) + zone
    words = [f"Drift report {document['id']}", document["environment"] or "", when, _reach(document)]
    return "   ".join(word for word in words if word)


def _reach(document: Mapping[str, Any]) -> str:
    state = "complete" if document["complete"] else "INCOMPLETE"
    platforms = document.get("platforms")
    return f"{state}, {platforms['read']} of {platforms['asked']} platforms" if platforms else state


def _entities(document: Mapping[str, Any]) -> Section:
    lines = entities_of(document)
    unread = any(line["unreadable"] for line in lines)
    columns = [
        Column("entity"),
        Column("records", right=True),
        Column("in sync", right=True),
        Column("drift", right=True),
        Column("conflict", right=True),
        Column("missing", right=True),
        Column("waiting", right=True),
        *([Column("unreadable", right=True, short="unread")] if unread else []),
        Column("out of sync", right=True, short="out"),
        Column("last report", right=True, short="last"),
    ]
    return Section(tuple(columns), [_entity(line, unread=unread) for line in lines])


def _entity(line: Mapping[str, Any], *, unread: bool) -> tuple[Cell | str, ...]:
    last = line.get("last")
    counts = [line["drift"], line["conflict"], line["missing"], line["waiting"], *([line["unreadable"]] * unread)]
    return (
        line["entity"],
        figures.number(line["records"]),
        figures.number(line["in_sync"]),
        *(figures.number(count) for count in counts),
        "-" if line["unreadable"] == line["records"] else figures.percent(line["out_of_sync"], line["records"]),
        figures.percent(last["out_of_sync"], last["records"]) if last else "-",
    )


def _causes(document: Mapping[str, Any], look: Look) -> Section:
    narrow = look.width is not None and look.width < WIDE
    first = causes_of(document["rows"])
    lines: list[tuple[Cell | str, ...]] = []
    for why, label in LABELS.items():
        count = document["by_why"].get(why, 0)
        if count:
            rows = [row for row in document["rows"] if row["why"] == why and first[row["entity"], row["record"]] == why]
            step = STEPS[why](rows, document) if rows else ""
            fix = "--fix" if why in FIXABLE and any(row.get("action") for row in rows) else ""
            words = label.partition(" (")[0] if narrow else label
            lines.append((Cell(words, TONES.get(why, Tone.PLAIN)), figures.number(count), step, fix))
    columns = (Column("why"), Column("records", right=True), Column("next step", least=20), Column(""))
    return Section(columns, lines)


def _per_platform(rows: Sequence[Row]) -> str:
    places = {(row["action"]["platform"], row["entity"], row["record"]) for row in rows if row.get("action")}
    counts = Counter(sorted(platform for platform, _, _ in places))
    return ", ".join(f"{name} {count:,}" for name, count in counts.most_common())


def _blocked(rows: Sequence[Row]) -> str:
    reasons = Counter(row.get("reason") or "syncd may not write it" for row in rows if not row.get("action"))
    return f"not written: {reasons.most_common(1)[0][0]}" if reasons else "nothing"


def _put_back(rows: Sequence[Row], _: Mapping[str, Any]) -> str:
    return f"put back: {_per_platform(rows)}" if _per_platform(rows) else _blocked(rows)


def _next_pass(rows: Sequence[Row], document: Mapping[str, Any]) -> str:
    if not _per_platform(rows):
        return _blocked(rows)
    ages = [row.get("found", {}).get("changed_at") or row.get("first_seen") for row in rows]
    oldest = min((one for one in ages if one), default=None)
    age = figures.age(oldest, document["generated_at"])
    return f"write on next pass, oldest {age}{'in' if age.endswith(' m') else ''}"


def _create(rows: Sequence[Row], _: Mapping[str, Any]) -> str:
    places = list(dict.fromkeys(row["action"]["platform"] for row in rows if row.get("action")))
    return f"create in {', '.join(places)}" if places else _blocked(rows)


def _remove(rows: Sequence[Row], _: Mapping[str, Any]) -> str:
    news = [row for row in rows if (row.get("action") or {}).get("op") == "take"]
    steps = {"take over": _per_platform(news), "remove": _per_platform([row for row in rows if row not in news])}
    return ", ".join(f"{step}: {where}" for step, where in steps.items() if where) or "syncd conflicts"


def _spelling(rows: Sequence[Row], _: Mapping[str, Any]) -> str:
    names = list(dict.fromkeys(f"{row['entity']}.{row['field']}" for row in rows))
    return f"add `equal:` to {', '.join(names[:2])}"


def _holder(rows: Sequence[Row], _: Mapping[str, Any]) -> str:
    reasons = (row.get("reason") or "" for row in rows)
    held = Counter(next(step for word, step in HOLDERS if word in reason) for reason in reasons)
    return ", ".join(step for step, _ in held.most_common())


def _letters(_: Sequence[Row], __: Mapping[str, Any]) -> str:
    return "syncd dead"


def _nothing(_: Sequence[Row], __: Mapping[str, Any]) -> str:
    return "nothing"


def _reasons(rows: Sequence[Row], document: Mapping[str, Any]) -> str:
    failed = (document.get("platforms") or {}).get("failed", ())
    told = [f"{one['platform']}: {figures.plain(one['error'])}" for one in failed]
    names = {one["platform"] for one in failed}
    others = Counter(row.get("reason") for row in rows if row["platform"] not in names and row.get("reason"))
    told += [figures.plain(reason or "") for reason, _ in others.most_common(2)]
    return "; ".join(told) or "syncd status"


STEPS: dict[str, Callable[[Sequence[Row], Mapping[str, Any]], str]] = {
    "unreadable": _reasons,
    "stray": _put_back,
    "missed": _next_pass,
    "refused": _letters,
    "rewritten": _spelling,
    "extra": _remove,
    "missing": _create,
    "held": _holder,
    "in_flight": _nothing,
}


def _rows(document: Mapping[str, Any], look: Look) -> Section:
    columns = (
        Column("record", least=16),
        Column("field", least=8),
        Column("truth", least=8),
        Column("found", least=8),
        Column("why"),
        Column("age", right=True) if look.relative else Column("since"),
        Column("seen"),
    )
    rows = [_row(row, document["generated_at"], look) for row in document["rows"]]
    return Section(columns, rows, most=SHOWN, more="--all, or -o drift.html")


def _row(row: Row, now: str, look: Look) -> tuple[Cell | str, ...]:
    found = row.get("found") or {}
    since = found.get("changed_at") or row.get("first_seen")
    return (
        f"{row['entity']} {figures.plain(row['record'])}",
        row["field"] or "(record)",
        _side(row.get("truth")),
        _side(row.get("found")) if row["why"] != "missing" else f"missing in {row['platform']}",
        Cell(row["why"], TONES.get(row["why"], Tone.PLAIN)),
        figures.age(since, now) if look.relative else figures.moment(since, local=look.local, seconds=False),
        figures.ordinal(row.get("times_seen", 1)),
    )


def _side(side: Mapping[str, Any] | None) -> str:
    if not side:
        return "-"
    return f"{figures.value(side.get('value'))} {side.get('platform') or ''}".rstrip()


def _foot(document: Mapping[str, Any]) -> str:
    totals = document["totals"]
    since = f" since {document['previous']}" if document.get("previous") else ""
    moved = [f"{totals[key]:,} {key}" for key in ("new", "gone") if totals[key]]
    change = f"  {', '.join(moved)}{since}." if moved else ""
    records = figures.plural(totals["records"], "record")
    if not document["complete"]:
        names = [one["platform"] for one in (document.get("platforms") or {}).get("failed", ())]
        unread = f"{', '.join(names) or 'a platform'} could not be read: nothing is claimed about it."
        return f"{totals['out_of_sync']:,} of {records} differ as far as known.{change}\n{unread}"
    if not totals["out_of_sync"]:
        return f"All {records} in sync.{change}"
    shown = "" if document["rows"] else "  None of them for this cause."
    return f"{totals['out_of_sync']:,} of {records} differ, in {figures.plural(totals['fields'], 'field')}.{change}{shown}"
