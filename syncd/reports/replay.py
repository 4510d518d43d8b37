"""Whether every stored decision follows from its recorded inputs. Format ``syncd.replay/1.0``."""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from syncd.ledger.history import Decided
from syncd.reports import figures
from syncd.reports.envelope import Origin, envelope
from syncd.reports.page import Cell, Column, Look, Page, Section, Tone

SCHEMA = "syncd.replay/1.0"


class Line(NamedTuple):
    """A decision that does not follow from its inputs, with why."""

    decided: Decided
    entity: str
    record: str
    why: tuple[str, ...]


class Counts(NamedTuple):
    """How many decisions were derived again, with how many fields and stray edits."""

    decisions: int
    fields: int
    strays: int


def collect(
    counts: Counts,
    differing: Iterable[Line],
    skipped: Mapping[tuple[str, str], int],
    origin: Origin,
    *,
    since: int | None,
    thinned: int | None = None,
) -> dict[str, Any]:
    """Return the figures, every decision that differs, and what could not be derived again. ``complete`` if nothing was.

    ``thinned``: before then only those decisions are there that values rest on.
    """
    lines = [_line(one) for one in differing]
    return envelope(
        SCHEMA,
        origin,
        complete=not skipped,
        since=figures.stamp(since),
        thinned_before=figures.stamp(thinned),
        decisions=counts.decisions,
        fields=counts.fields,
        stray_edits=counts.strays,
        same=counts.decisions - len(lines),
        replay=lines,
        skipped=[{"config_sha": sha, "why": why, "decisions": count} for (sha, why), count in sorted(skipped.items())],
    )


def _line(one: Line) -> dict[str, Any]:
    decision = one.decided.decision
    return {
        "decision": str(one.decided.id),
        "entity": one.entity,
        "record": one.record,
        "version": decision.version,
        "at": figures.stamp(decision.at),
        "cause": decision.cause,
        "config_sha": one.decided.config,
        "why": list(one.why),
    }


def page(document: Mapping[str, Any], look: Look) -> Page:
    """Return one line per reason of a decision that differs, then the sum."""
    columns = (
        Column("decision"),
        Column("record", least=12),
        Column("ver", right=True),
        Column("when"),
        Column("why", least=30),
    )
    rows = [
        (
            Cell(one["decision"], Tone.BAD),
            f"{one['entity']} {figures.plain(one['record'])}",
            str(one["version"]),
            figures.moment(one["at"], local=look.local),
            figures.plain(why),
        )
        for one in document["replay"]
        for why in one["why"]
    ]
    parts: list[Section | str] = [Section(columns, rows)] if rows else []
    parts += [_skipped(one) for one in document["skipped"]]
    if document["thinned_before"]:
        before = figures.moment(document["thinned_before"], local=look.local)
        parts.append(f"older history was thinned (ledger.keep_history): before {before} only what values rest on is there")
    return Page("", parts, _sum(document), title="Decisions derived again")


def _skipped(one: Mapping[str, Any]) -> str:
    return f"not derived: {figures.plural(one['decisions'], 'decision')} of {one['config_sha']}: {figures.plain(one['why'])}"


def _sum(document: Mapping[str, Any]) -> str:
    total, same = document["decisions"], document["same"]
    if not total:
        return "no decision to derive again"
    what = f"{figures.plural(document['fields'], 'field')}, {figures.plural(document['stray_edits'], 'stray edit')}"
    share = figures.percent(same, total) if same < total else "100%"
    return f"{same:,} of {figures.plural(total, 'decision')} ({what}) follow from their inputs: {share}"
