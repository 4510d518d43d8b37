"""Safety limits that stopped writes. Format ``syncd.breaker/1.0``."""

from collections.abc import Mapping
from typing import Any

from syncd.ledger import breakers
from syncd.ledger.breakers import Breaker
from syncd.ledger.schema import Database
from syncd.reports import figures
from syncd.reports.envelope import Origin, envelope
from syncd.reports.page import Cell, Column, Look, Page, Section, Tone

SCHEMA = "syncd.breaker/1.0"
WORDS = {
    "changes": "values overwritten",
    "deletes": "records deleted",
    "blanked": "values emptied",
    "shrink": "records gone from a scan",
}


def collect(db: Database, origin: Origin) -> dict[str, Any]:
    """Return the open breakers, then those that were reset lately."""
    return envelope(SCHEMA, origin, breakers=[line(one) for one in (*breakers.standing(db), *breakers.past(db, limit=10))])


def line(one: Breaker) -> dict[str, Any]:
    """Return one breaker as the format has it."""
    return {
        "platform": one.platform,
        "entity": one.entity,
        "kind": one.kind,
        "figures": one.figures,
        "count": one.figures.get("count"),
        "limit": one.figures.get("max"),
        "tripped_at": figures.stamp(one.tripped_at),
        "state": "open" if one.reset_at is None else "reset",
        "reset_at": figures.stamp(one.reset_at),
        "allow": one.allow,
        "until": figures.stamp(one.allow_until),
        "note": one.note,
        "by": one.by,
    }


def page(document: Mapping[str, Any], look: Look) -> Page:
    """Return one line per breaker and how to let an open one go."""
    columns = (
        Column("breaker"),
        Column("platform"),
        Column("entity"),
        Column("what happened", least=20),
        Column("since"),
        Column("note", least=10),
    )
    rows = [
        (
            Cell(one["state"], Tone.BAD if one["state"] == "open" else Tone.DIM),
            one["platform"],
            one["entity"],
            told(one),
            look.when(one["tripped_at"], document["generated_at"]),
            figures.plain(_note(one)),
        )
        for one in document["breakers"]
    ]
    standing = [one for one in document["breakers"] if one["state"] == "open"]
    foot = "No breaker is open. One trips when more is about to be written at once than safety: allows."
    if standing:
        first = standing[0]
        command = f"syncd breaker reset {first['platform']} {first['entity']} --note TEXT"
        foot = f"{figures.plural(len(standing), 'breaker')} open; writes there wait.  If they are right: {command}"
    return Page("", [Section(columns, rows)], foot, title="Breakers")


def told(one: Mapping[str, Any]) -> str:
    """Return what tripped a breaker: ``8 of 12 values overwritten, limit 5 and 30%``."""
    seen = one["figures"]
    share = f" of {seen['total']:,}" if isinstance(seen.get("total"), int) else ""
    limits = [str(seen["max"])] if seen.get("max") is not None else []
    limits += [f"{seen['ratio']:.0%}"] if isinstance(seen.get("ratio"), int | float) else []
    limit = f", limit {' and '.join(limits)}" if limits else ""
    return f"{figures.number(seen.get('count'))}{share} {WORDS.get(one['kind'], one['kind'])}{limit}"


def _note(one: Mapping[str, Any]) -> str:
    words = [one["note"] or "", f"by {one['by']}" if one["by"] else ""]
    return ", ".join(word for word in words if word) or "-"
