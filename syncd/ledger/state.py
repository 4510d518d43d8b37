"""How the ledger stands: the figures of ``status`` and of the metrics, without scanning what is large."""

from dataclasses import dataclass

from syncd.ledger import breakers, cursors, inbox, meta, outbox, pauses, tallies
from syncd.ledger.breakers import Breaker
from syncd.ledger.cursors import Feed
from syncd.ledger.inbox import Depth
from syncd.ledger.pauses import Pause
from syncd.ledger.schema import Database


@dataclass(frozen=True, slots=True)
class Open:
    """How much waits for a person, or for an answer."""

    conflicts: int
    snoozed: int
    changes: int
    dead: int
    drift: int
    attempts: int


@dataclass(frozen=True, slots=True)
class State:
    """The ledger at a glance. ``outbox``: records each platform is behind on. ``restored``: why it may not write, if so.

    ``unfinished``: collections whose last full read was not complete, and why.
    """

    epoch: str
    restored: str | None
    records: dict[str, int]
    open: Open
    inbox: Depth
    outbox: dict[str, int]
    feeds: list[Feed]
    breakers: list[Breaker]
    pauses: list[Pause]
    unfinished: list[tuple[str, str, str]]


def now(db: Database, at: int) -> State:
    """Return how the ledger stands at our clock ``at``."""
    return State(
        epoch=meta.get(db, "epoch") or "",
        restored=meta.restored(db),
        records=tallies.records(db),
        open=_open(db, at),
        inbox=inbox.depth(db),
        outbox=outbox.depth(db),
        feeds=cursors.feeds(db),
        breakers=breakers.standing(db),
        pauses=pauses.standing(db, at),
        unfinished=_unfinished(db),
    )


def _open(db: Database, at: int) -> Open:
    row = db.execute(
        "SELECT (SELECT count(*) FROM conflict WHERE state = 'open'),"
        " (SELECT count(*) FROM conflict WHERE state = 'open' AND snoozed_until_us > ?),"
        " (SELECT count(*) FROM proposal WHERE state = 'open'),"
        " (SELECT count(*) FROM dead_letter WHERE state = 'open'),"
        " (SELECT count(*) FROM drift WHERE open = 1),"
        " (SELECT count(*) FROM attempt WHERE outcome IS NULL)",
        (at,),
    ).fetchone()
    return Open(*row)


def _unfinished(db: Database) -> list[tuple[str, str, str]]:
    """Return the collections whose last full read was not complete, as (platform, collection, why)."""
    rows = db.execute(
        "SELECT platform, collection, why FROM sweep WHERE state = 'incomplete'"
        " AND id IN (SELECT max(id) FROM sweep WHERE state <> 'running' GROUP BY platform, collection)"
        " ORDER BY platform, collection"
    )
    return [(platform, collection, why) for platform, collection, why in rows]
