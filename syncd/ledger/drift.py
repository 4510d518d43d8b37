"""Drift reports, and every difference they ever named: since when, how often, whether it is still there."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from syncd.ledger.schema import Database
from syncd.ledger.texts import dump, load, micros, when


@dataclass(frozen=True, slots=True)
class Spot:
    """Where a report found a difference; ``record`` is its key, ``field`` None for whole rows."""

    entity: str
    record: str
    field: str | None
    platform: str


@dataclass(frozen=True, slots=True)
class Sighting:
    """How long and how often a difference was reported, this time included."""

    first_seen: int
    times_seen: int


@dataclass(frozen=True, slots=True)
class Noted:
    """What a report adds to those before: its sightings, in the order given, and how many differences are gone."""

    sightings: tuple[Sighting, ...]
    new: int
    gone: int


@dataclass(frozen=True, slots=True)
class Report:
    """A stored report with its document."""

    id: str
    at: int
    complete: bool
    config: str
    document: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Drift:
    """One difference as it stands in the ledger."""

    spot: Spot
    why: str
    first_seen: int
    last_seen: int
    times_seen: int
    open: bool
    report: str


SELECT = "SELECT entity, record, field, platform, why, first_seen, last_seen, times_seen, open, report FROM drift"


def new_id(db: Database, now: int) -> str:
    """Return a free report id that tells its minute: r-20261120-0215, with a number if there is one already."""
    text = when(now)
    base = f"r-{text[:10].replace('-', '')}-{text[11:16].replace(':', '')}"
    taken = {row[0] for row in db.execute("SELECT id FROM report WHERE id GLOB ?", (f"{base}*",))}
    if base not in taken:
        return base
    return next(name for n in range(2, len(taken) + 2) if (name := f"{base}-{n}") not in taken)


def note(db: Database, report: str, found: Sequence[tuple[Spot, str]], *, covered: Callable[[Spot], bool], now: int) -> Noted:
    """Note the differences of a report with their causes. An open one that it covered and did not find again is gone."""
    open_ones = {_spot(row): row for row in db.execute(f"{SELECT} WHERE open = 1").fetchall()}
    sightings = [_see(db, report, spot, why, open_ones.get(spot), now) for spot, why in found]
    seen = {spot for spot, _ in found}
    gone = [spot for spot in open_ones if spot not in seen and covered(spot)]
    db.executemany(
        "UPDATE drift SET open = 0 WHERE entity = ? AND record = ? AND field = ? AND platform = ? AND open = 1",
        [(spot.entity, spot.record, spot.field or "", spot.platform) for spot in gone],
    )
    return Noted(tuple(sightings), sum(s.times_seen == 1 for s in sightings), len(gone))


def _see(db: Database, report: str, spot: Spot, why: str, known: Sequence[Any] | None, now: int) -> Sighting:
    place = (spot.entity, spot.record, spot.field or "", spot.platform)
    if known is None:
        db.execute(
            "INSERT INTO drift (entity, record, field, platform, why, first_seen, last_seen, report)"
            " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?6, ?7)",
            (*place, why, when(now), report),
        )
        return Sighting(now, 1)
    db.execute(
        "UPDATE drift SET why = ?, last_seen = ?, times_seen = times_seen + 1, report = ?"
        " WHERE entity = ? AND record = ? AND field = ? AND platform = ? AND open = 1",
        (why, when(now), report, *place),
    )
    return Sighting(micros(known[5]), known[7] + 1)


def keep(db: Database, report: Report) -> None:
    """Store a report's document."""
    row = (report.id, when(report.at), report.complete, report.config, dump(report.document))
    db.execute("INSERT INTO report VALUES (?, ?, ?, ?, ?)", row)


def last(db: Database, *, complete: bool = False) -> Report | None:
    """Return the newest report, or the newest complete one; None if there is none."""
    row = db.execute(
        "SELECT id, at, complete, config, body FROM report WHERE complete >= ? ORDER BY at DESC, id DESC LIMIT 1", (complete,)
    ).fetchone()
    return None if row is None else _report(row)


def get(db: Database, report: str) -> Report | None:
    """Return one report, None if there is none."""
    row = db.execute("SELECT id, at, complete, config, body FROM report WHERE id = ?", (report,)).fetchone()
    return None if row is None else _report(row)


def standing(db: Database, *, record: str | None = None, limit: int = 100_000) -> list[Drift]:
    """Return the open differences, longest standing first, of one record's key if given."""
    rows = db.execute(
        f"{SELECT} WHERE open = 1 AND record = coalesce(?, record) ORDER BY first_seen, id LIMIT ?", (record, limit)
    )
    return [_drift(row) for row in rows]


def _spot(row: Sequence[Any]) -> Spot:
    return Spot(row[0], row[1], row[2] or None, row[3])


def _drift(row: Sequence[Any]) -> Drift:
    why, first, latest, times, is_open, report = row[4:]
    return Drift(_spot(row), why, micros(first), micros(latest), times, bool(is_open), report)


def _report(row: Sequence[Any]) -> Report:
    number, at, complete, config, body = row
    return Report(number, micros(at), bool(complete), config, load(body))
