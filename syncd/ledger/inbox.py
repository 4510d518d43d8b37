"""Accepted, undecided changes. Everything a platform says comes in here, whichever way it arrived."""

import reprlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from syncd.core.model import Change, Via
from syncd.core.space import Thing
from syncd.ledger import cursors, letters, seen
from syncd.ledger.letters import Undecodable
from syncd.ledger.schema import Database
from syncd.ledger.texts import dump, load_native

LARGEST = 2**63
REMEMBERED = 14 * 24 * 3600 * 1_000_000  # how long a repeated event is known
PLAIN = {
    "item": None, "gone": False, "left": False, "version": None, "changed_at": None, "times": None, "by": None, "own": None,
    "merged_into": None,
}  # fmt: skip
WAITING = "SELECT id, platform, collection, thing, via, as_of, seen_at_us, event_id, body, hash, sweep FROM inbox"
INSERT = (
    "INSERT INTO inbox (platform, collection, thing, via, as_of, seen_at_us, event_id, hash, sweep, received_us, body)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"
)


@dataclass(frozen=True, slots=True)
class Added:
    """What became of a batch: changes stored, repeats (nothing new), things that cannot be kept as they are.

    ``letters``: how many of those are dead letters that were not there before.
    """

    stored: int = 0
    repeats: int = 0
    broken: int = 0
    letters: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Waiting:
    """An undecided change. ``hash`` stands for what it shows if it is a read; ``sweep`` is the full read it belongs to."""

    id: int
    change: Change
    hash: bytes | None = None
    sweep: int | None = None


@dataclass(frozen=True, slots=True)
class Depth:
    """How much waits in the inbox, and since when."""

    waiting: int
    oldest_at: int | None


@dataclass(frozen=True, slots=True)
class Unfit:
    """A change that cannot be kept as JSON text."""

    platform: str
    collection: str
    id: str | None
    where: str
    reason: str
    raw: str


@dataclass(frozen=True, slots=True)
class Encoded:
    """A change as text, ready to be stored."""

    change: Change
    hash: bytes | None
    body: str

    @property
    def thing(self) -> Thing:
        """Return which thing it is about."""
        return self.change.platform, self.change.collection, self.change.id


def add(
    db: Database,
    platform: str,
    collection: str,
    changes: Sequence[Change],
    *,
    cursor: str | None = None,
    broken: Sequence[Undecodable] = (),
    now: int,
) -> Added:
    """Store observations and the feed's new position together.

    An event that came before is a repeat, and so is a read that shows what the last accepted look showed. What cannot be
    decoded or kept goes to quarantine and stops nothing else.
    """
    fit, unfit = encode(changes)
    same, new = split(db, fit)
    stored = store(db, new, now=now)
    remember(db, same)
    opened = letters.quarantine(db, (*broken, *unfit), now)
    if cursor is not None:
        cursors.move(db, platform, collection, cursor)
        cursors.note_read(db, platform, collection, now)
    return Added(stored, len(fit) - stored, len(broken) + len(unfit), opened)


def encode(changes: Iterable[Change]) -> tuple[list[Encoded], list[Unfit]]:
    """Return changes as text, and those that have none (a lone surrogate, a number beyond 64 bit, a NUL in the id)."""
    fit: list[Encoded] = []
    unfit: list[Unfit] = []
    for change in changes:
        try:
            fit.append(_encoded(change))
        except (TypeError, ValueError, RecursionError) as error:
            where = f"{change.platform} {change.collection}"
            named = None if "\0" in change.id or not change.id.isprintable() else change.id
            unfit.append(Unfit(change.platform, change.collection, named, where, str(error), reprlib.repr(change.item)))
    return fit, unfit


def _encoded(change: Change) -> Encoded:
    if "\0" in change.id:
        raise ValueError("the id has a NUL character")
    for number in (change.version, change.changed_at):
        if isinstance(number, int) and not -LARGEST <= number < LARGEST:
            raise ValueError(f"{number} is beyond 64 bit")
    body = {name: value for name, plain in PLAIN.items() if (value := getattr(change, name)) != plain}
    dump([change.id, change.event_id])
    return Encoded(change, seen.look_hash(change) if change.via is Via.READ else None, dump(body))


def split(db: Database, fit: Sequence[Encoded]) -> tuple[list[Encoded], list[Encoded]]:
    """Return the reads of things that all look as they last did, and everything else."""
    places: dict[tuple[str, str], list[str]] = {}
    for one in fit:
        if one.hash is not None:
            places.setdefault(one.thing[:2], []).append(one.thing[2])
    known = {(*place, one): h for place, ids in places.items() for one, h in seen.known_hashes(db, *place, ids).items()}
    moved = {one.thing for one in fit if one.hash is None or known.get(one.thing) != one.hash}
    return [one for one in fit if one.thing not in moved], [one for one in fit if one.thing in moved]


def remember(db: Database, same: Sequence[Encoded], *, sweep: int | None = None) -> None:
    """Note that things were read unchanged; of several requests the earliest counts."""
    places: dict[tuple[str, str], list[Change]] = {}
    for one in same:
        places.setdefault(one.thing[:2], []).append(one.change)
    for place, looks in places.items():
        as_of, at = min(c.as_of for c in looks), min(c.seen_at for c in looks)
        seen.mark(db, *place, [c.id for c in looks], as_of=as_of, at=at, sweep=sweep)


def store(db: Database, new: Sequence[Encoded], *, now: int, sweep: int | None = None) -> int:
    """Insert changes, except events that came before, and return how many were inserted."""
    if not new:
        return 0
    before = db.total_changes
    db.executemany(INSERT, [_row(one, now, sweep) for one in new])
    stored = db.total_changes - before
    seen.wait(db, {one.thing for one in new}, sweep)
    letters.close_readings(db, {one.thing for one in new}, now)
    return stored


def _row(one: Encoded, now: int, sweep: int | None) -> tuple[Any, ...]:
    c = one.change
    return (*one.thing, c.via, c.as_of, c.seen_at, c.event_id, one.hash, sweep, now, one.body)


def replace(db: Database, waiting: Waiting, changes: Sequence[Change], *, now: int) -> Added:
    """Finish an observation that had to be read again by what was read; nothing of it counts as a repeat."""
    fit, unfit = encode(changes)
    stored = store(db, fit, now=now, sweep=waiting.sweep)
    letters.quarantine(db, unfit, now)
    finish(db, [waiting.id], now=now)
    return Added(stored, 0, len(unfit))


def pending(db: Database, limit: int, *, now: int) -> list[Waiting]:
    """Return undecided changes that are not postponed, oldest first."""
    rows = db.execute(f"{WAITING} WHERE done_us IS NULL AND due_us <= ? ORDER BY id LIMIT ?", (now, limit))
    return [_waiting(row) for row in rows]


def _waiting(row: Sequence[Any]) -> Waiting:
    inbox_id, platform, collection, thing, via, as_of, seen_at, event_id, body, look, sweep = row
    change = Change(platform, collection, thing, Via(via), as_of, seen_at, event_id=event_id, **load_native(body))
    return Waiting(inbox_id, change, look, sweep)


def finish(db: Database, ids: Sequence[int], *, now: int) -> None:
    """Take decided changes out; of an event its id stays, so that a repeat is known."""
    wanted = dump(ids)
    db.execute("DELETE FROM inbox WHERE id IN (SELECT value FROM json_each(?)) AND event_id IS NULL", (wanted,))
    db.execute(
        "UPDATE inbox SET done_us = ?, body = NULL, hash = NULL, why = NULL"
        " WHERE id IN (SELECT value FROM json_each(?)) AND done_us IS NULL",
        (now, wanted),
    )


def postpone(db: Database, ids: Sequence[int], until: int, why: str) -> None:
    """Let changes wait: for the outcome of an attempt, for a platform that cannot be read."""
    db.execute(
        "UPDATE inbox SET due_us = ?, why = ? WHERE id IN (SELECT value FROM json_each(?)) AND done_us IS NULL",
        (until, why, dump(ids)),
    )


def release(db: Database, platform: str, why: str | None = None) -> int:
    """Make a platform's postponed changes due, only those with this reason if one is given; returns how many."""
    return db.execute(
        "UPDATE inbox SET due_us = 0, why = NULL"
        " WHERE done_us IS NULL AND due_us > 0 AND platform = ? AND (?2 IS NULL OR why = ?2)",
        (platform, why),
    ).rowcount


def undecided(db: Database, platform: str, *, now: int) -> set[str]:
    """Return the collections of a platform of which something waits that can be decided now."""
    query = "SELECT DISTINCT collection FROM inbox WHERE done_us IS NULL AND due_us <= ? AND platform = ?"
    return {row[0] for row in db.execute(query, (now, platform))}


def depth(db: Database) -> Depth:
    """Return how much waits, and since when."""
    return Depth(*db.execute("SELECT count(*), min(received_us) FROM inbox WHERE done_us IS NULL").fetchone())


def next_at(db: Database, now: int) -> int | None:
    """Return when the next postponed change is due, None if nothing is postponed."""
    row = db.execute("SELECT min(due_us) FROM inbox WHERE done_us IS NULL AND due_us > ?", (now,)).fetchone()
    return None if row[0] is None else int(row[0])


def forget_events(db: Database, now: int) -> int:
    """Forget the ids of events decided long ago, and return how many."""
    return db.execute("DELETE FROM inbox WHERE done_us < ?", (now - REMEMBERED,)).rowcount
