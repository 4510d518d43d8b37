"""Why a field is what it is, as a page."""

from collections.abc import Mapping, Sequence
from textwrap import wrap
from typing import Any

from syncd.reports import figures
from syncd.reports.page import Cell, Column, Look, Page, Section, Tone

GUTTERS = 8  # what stands before, between and after the columns of the steps
STATES = {"unmapped": "not mapped", "missing": "not there", "absent": "never read"}
TONES = {"held": Tone.WARN, "refused": Tone.BAD, "breaker": Tone.BAD, "doubt": Tone.WARN, "proposed": Tone.WARN}


def page(document: Mapping[str, Any], look: Look) -> Page:
    """Return one field with its steps, or all fields of a record, one line each."""
    return _field(document, look) if document["field"] else _record(document)


def _name(document: Mapping[str, Any]) -> str:
    known_as = (document["label"] or "").removesuffix(f" ({document['record']})")  # the key stands beside it already
    label = f'   "{known_as}"' if known_as else ""
    life = "" if document["life"] == "alive" else f"   ({document['life']})"
    return f"{document['entity']} {figures.plain(document['record'])}{label}{life}"


def _field(document: Mapping[str, Any], look: Look) -> Page:
    rule = document["rule"]
    head = f"{_name(document)}   {document['field']}, {document['field_type']}   rule {rule['file']}:{rule['line']}"
    parts: list[Section | str] = [_readings(document, look)]
    parts.append(_steps(document["steps"], look))
    given = [f"{rule}{': ' if value == 'held' else ' '}{figures.value(value)}" for rule, value in document["others"].items()]
    foot = f"  other rules would have given:   {'    '.join(given)}" if given else ""
    if document.get("what_if"):
        parts.append(_what_if(document["what_if"]))
    return Page(head, parts, foot, title=f"{document['entity']} {document['record']} {document['field']}")


def _steps(steps: Sequence[Mapping[str, Any]], look: Look) -> Section | str:
    """Return the steps as a table, or where it would not fit as lines that are broken between words."""
    rows = [(str(at), figures.plain(step["text"]), figures.plain(step["result"])) for at, step in enumerate(steps, 1)]
    width = GUTTERS + max(len(text) for _, text, _ in rows) + max(len(result) for _, _, result in rows)
    if look.width is None or width <= look.width:
        tones = [TONES.get(step["code"], Tone.PLAIN) for step in steps]
        cells = [(at, text, Cell(result, tone)) for (at, text, result), tone in zip(rows, tones, strict=True)]
        return Section((Column("", right=True), Column(""), Column("")), cells, headless=True)
    lines = []
    for at, text, result in rows:
        broken = wrap(f"{text}   {result}", look.width - GUTTERS) or [""]
        lines += [f"{at:>3}  {broken[0]}", *(f"     {line}" for line in broken[1:])]
    return "\n".join(lines)


def _what_if(tried: Mapping[str, Any]) -> str:
    """Return what another rule would do, in a line per write."""
    if tried["held"]:
        return f"what if {tried['rule']}:   held: {figures.plain(tried['held'])}; nothing is written"
    same = "" if tried["changes"] else ", as it is"
    lines = [f"what if {tried['rule']}:   golden {figures.value(tried['golden'])}{same}"]
    for one in tried["writes"]:
        held = f"   (not written: {one['held']})" if one["held"] else ""
        lines.append(f"  {one['platform']}   {figures.value(one['before'])} -> {figures.value(one['after'])}{held}")
    return "\n".join(lines if tried["writes"] else [*lines, "  nothing would be written"])


def _readings(document: Mapping[str, Any], look: Look) -> Section:
    golden, now = document["golden"], document["generated_at"]
    since = f"since version {golden['was_version']}" if golden and golden["was_version"] else "changed"
    columns = (
        Column("platform"),
        Column("value", least=16),
        Column("read at", least=8),
        Column("changed at", least=12),
        Column(since),
        Column(""),
    )
    arrow = f"<- {'owner' if document['rule']['strategy'] == 'owner' else 'decides'}"
    rows: list[tuple[Cell | str, ...]] = []
    for one in document["readings"]:
        changed = " ".join(word for word in (_time(one["changed_at"], now, look), one["by"] or "") if word)
        state = _state(one)
        word = "changed" if one["changed"] else "our write" if one["word"] == "ours" else "-"
        mark = arrow if one["decides"] and golden and golden["from"] == one["platform"] else ""
        rows.append(
            (one["platform"], figures.value(one["value"]), _time(one["read_at"], now, look) or state, changed, word, mark)
            if not state
            else (one["platform"], figures.value(one["value"]), Cell(state, Tone.DIM), "", "", "")
        )
    if golden:
        decided = f"version {golden['version']}" + (", provisional" if golden["provisional"] else "")
        was = f"was {figures.value(golden['was'])}" if golden["was_version"] else ""
        when = _time(golden["decided_at"], now, look)
        rows.append((Cell("golden", Tone.HEAD), figures.value(golden["value"]), when, decided, was, golden["from"] or ""))
    return Section(columns, rows)


def _state(reading: Mapping[str, Any]) -> str:
    """Return what there is to say of a reading that is neither a value nor empty."""
    state = reading["state"]
    if state == "invalid":
        return figures.plain(f"invalid: {reading['reason'] or '?'}")
    return "" if state in {"value", "null"} else STATES.get(state, state)


def _time(stamp: str | None, now: str, look: Look) -> str:
    """Return the time of day of a moment of today; else how long ago, or on a pipe its date and time."""
    if stamp is None:
        return ""
    text = figures.moment(stamp, local=look.local)
    today = text[:10] == figures.moment(now, local=look.local)[:10]
    return text[11:] if today else f"{figures.age(stamp, now)} ago" if look.relative else text


def _record(document: Mapping[str, Any]) -> Page:
    columns = (
        Column("field"),
        Column("value", least=16),
        Column("from"),
        Column("rule", least=12),
        Column("platforms", least=18),
    )
    rows = [
        (
            one["field"],
            figures.value(one["golden"]["value"]) if one["golden"] else "-",
            (one["golden"] or {}).get("from") or "-",
            f"{one['rule']['strategy']} {one['rule']['file'].rpartition('/')[2]}:{one['rule']['line']}",
            _states(one),
        )
        for one in document["fields"]
    ]
    name = f"{document['entity']} {figures.plain(document['record'])}"
    first = document["fields"][0]["field"] if rows else "FIELD"
    return Page(_name(document), [Section(columns, rows)], f"Why one of them: syncd explain {name} {first}", title=name)


def _states(one: Mapping[str, Any]) -> str:
    """Return how each platform stands to golden: ``erp =, shop ~9.99``."""
    golden = one["golden"]["value"] if one["golden"] else None
    words = []
    for reading in one["readings"]:
        if reading["state"] in {"value", "null"}:
            same = reading["means"] == golden
            words.append(f"{reading['platform']} {'=' if same else '~' + figures.value(reading['value'])}")
        elif reading["state"] != "unmapped":
            words.append(f"{reading['platform']} {_state(reading)}")
    agreed = all(word.endswith(" =") for word in words)  # the record may wait for another field's sake
    codes = {"held"} if agreed else {"held", "refused", "proposed", "queued", "breaker"}
    waiting = [step["code"] for step in one["steps"] if step["code"] in codes]
    return ", ".join(words) + (f"  ({', '.join(dict.fromkeys(waiting))})" if waiting else "")
