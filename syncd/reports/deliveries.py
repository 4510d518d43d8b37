"""What a command caused to be written, line by line: of ``reconcile --fix``, approvals, retries and resolved conflicts.

A line is ``{state, entity, record, platform, field, before, after, note}``. States: ok, skip (planned again later), dead
(a dead letter), wait (queued, or held back), proposed (waits for approval), refused (by mode). Format ``syncd.writes/1.0``.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from syncd.reports import figures
from syncd.reports.page import Cell, Column, Look, Page, Section, Tone

SCHEMA = "syncd.writes/1.0"
TONES = {"ok": Tone.GOOD, "skip": Tone.DIM, "dead": Tone.BAD, "wait": Tone.WARN, "proposed": Tone.WARN, "refused": Tone.BAD}
COUNTED = {
    "ok": "written",
    "skip": "skipped",
    "dead": "to dead letters",
    "wait": "waiting",
    "proposed": "proposed (syncd changes)",
    "refused": "refused by mode",
}

Line = Mapping[str, Any]


def page(document: Mapping[str, Any], _: Look) -> Page:
    """Return the lines, what was done, and their sum."""
    lines = document["lines"]
    words = f"{document['text']}  {summary(lines)}" if lines else document["text"]
    return Page("", [section(lines)] if lines else [], words, title="Writes")


def section(lines: Sequence[Line]) -> Section:
    """Return the lines as a table without a head."""
    columns = (
        Column(""),
        Column("", least=14),
        Column(""),
        Column("", least=8),
        Column("", least=16),
        Column("", least=10),
    )
    rows = [
        (
            Cell(one["state"], TONES.get(one["state"], Tone.PLAIN)),
            figures.plain(f"{one['entity']} {one['record']}"),
            one["platform"],
            one.get("field") or "(record)",
            f"{figures.value(one.get('before'))} -> {figures.value(one.get('after'))}" if one.get("field") else "",
            figures.plain(one.get("note") or ""),
        )
        for one in lines
    ]
    return Section(columns, rows, headless=True)


def summary(lines: Sequence[Line]) -> str:
    """Return the counts: ``22 written, 1 skipped, 1 to dead letters.``"""
    counts = Counter(one["state"] for one in lines)
    words = [f"{counts[state]:,} {word}" for state, word in COUNTED.items() if counts[state]]
    return f"{', '.join(words)}." if words else "Nothing to write."
