"""Dead letters: what could not be written or read, grouped by cause. They close by themselves when it works after all."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from syncd.core.model import Op
from syncd.core.space import Thing
from syncd.ledger.schema import Database
from syncd.ledger.texts import dump, load

RAW = 4000  # characters kept of what could not be decoded


class Undecodable(Protocol):
    """A thing that could not be decoded, as a connector reports it."""

    @property
    def platform(self) -> str:
        """Where it was found."""
        ...

    @property
    def collection(self) -> str:
        """The collection it belongs to."""
        ...

    @property
    def id(self) -> str | None:
        """Its native id, None if not even that could be read."""
        ...

    @property
    def where(self) -> str:
        """The place: file and line, URL, topic."""
        ...

    @property
    def reason(self) -> str:
        """What is wrong with it."""
        ...

    @property
    def raw(self) -> str:
        """As it came."""
        ...


@dataclass(frozen=True, slots=True)
class Refusal:
    """A write that a platform refuses as it is. ``body`` is what was sent and answered, secrets masked."""

    record: int
    platform: str
    op: Op
    fields: tuple[str, ...]
    answer: str
    status: int | None = None
    body: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Letter:
    """One dead letter. ``group`` is the number of its group, ``place`` where it was found (file:line, URL, topic)."""

    id: int
    group: int
    kind: str
    platform: str
    collection: str | None
    thing: str | None
    entity: str | None
    record: int | None
    key: str | None
    op: str | None
    what: str
    status: int | None
    answer: str
    place: str | None
    body: dict[str, Any]
    attempts: int
    first_at: int
    last_at: int
    state: str
    note: str | None


@dataclass(frozen=True, slots=True)
class Group:
    """Open letters with one cause."""

    id: int
    count: int
    oldest_at: int
    kind: str
    platform: str
    what: str
    answer: str


COLUMNS = (
    "d.id, d.grp, d.kind, d.platform, d.collection, d.thing, d.entity, d.record, r.key, d.op, d.what, d.status, d.answer,"
    " d.place, d.body, d.attempts, d.first_at_us, d.last_at_us, d.state, d.note"
)
LETTER = f"SELECT {COLUMNS} FROM dead_letter d LEFT JOIN record r ON r.id = d.record"


def refuse(db: Database, refusal: Refusal, now: int) -> int:
    """Keep a refused write and return its letter; one record has one open letter per platform."""
    (entity,) = db.execute("SELECT entity FROM record WHERE id = ?", (refusal.record,)).fetchone()
    what = " ".join(filter(None, (refusal.op, f"{entity}.{'/'.join(refusal.fields)}" if refusal.fields else entity)))
    found = db.execute(
        "SELECT id FROM dead_letter WHERE record = ? AND platform = ? AND kind = 'write' AND state IN ('open', 'retried')",
        (refusal.record, refusal.platform),
    ).fetchone()
    body = dump((refusal.body or {}) | {"fields": refusal.fields})
    cause = ("write", refusal.platform, what, refusal.answer)
    if found is None:
        return _open(db, cause, now, entity=entity, record=refusal.record, op=refusal.op, status=refusal.status, body=body)
    db.execute(
        "UPDATE dead_letter SET grp = coalesce(?, grp), what = ?, answer = ?, status = ?, op = ?, body = ?, state = 'open',"
        " attempts = attempts + 1, last_at_us = ?, closed_at_us = NULL WHERE id = ?",
        (_group_of(db, cause), what, refusal.answer, refusal.status, refusal.op, body, now, found[0]),
    )
    return int(found[0])


def quarantine(db: Database, broken: Iterable[Undecodable], now: int) -> int:
    """Keep things that could not be decoded and return how many are new; the same one again only counts."""
    new = 0
    for one in broken:
        cause = ("reading", one.platform, f"read {one.collection}", one.reason)
        if _again(db, cause, now, thing=one.id, place=one.where):
            continue
        body = dump({"raw": one.raw[:RAW]})
        _open(db, cause, now, collection=one.collection, thing=one.id, place=one.where, body=body)
        new += 1
    return new


def refuse_hook(db: Database, platform: str, answer: str, *, status: int, now: int) -> None:
    """Count a webhook that was not accepted; a flood of them is one letter."""
    cause = ("hook", platform, f"webhook from {platform}", answer)
    if not _again(db, cause, now, thing=None, place=None):
        _open(db, cause, now, status=status, body="{}")


def _again(db: Database, cause: Sequence[str], now: int, *, thing: str | None, place: str | None) -> bool:
    """Count an open letter with this cause about this thing once more, if there is one."""
    done = db.execute(
        "UPDATE dead_letter SET attempts = attempts + 1, last_at_us = ? WHERE kind = ? AND platform = ? AND what = ?"
        " AND answer = ? AND state = 'open' AND thing IS ? AND (thing IS NOT NULL OR place IS ?)",
        (now, *cause, thing, place),
    )
    return done.rowcount > 0


def _group_of(db: Database, cause: Sequence[str]) -> int | None:
    row = db.execute(
        "SELECT grp FROM dead_letter WHERE kind = ? AND platform = ? AND what = ? AND answer = ? LIMIT 1", cause
    ).fetchone()
    return None if row is None else int(row[0])


def _open(db: Database, cause: Sequence[str], now: int, **more: str | int | None) -> int:
    """Insert a letter; without an elder of the same cause it founds the group."""
    names = ["kind", "platform", "what", "answer", "first_at_us", "last_at_us", *more, "grp"]
    values = [*cause, now, now, *more.values(), _group_of(db, cause) or 0]
    marks = ", ".join("?" * len(names))
    made = db.execute(f"INSERT INTO dead_letter ({', '.join(names)}) VALUES ({marks})", values).lastrowid or 0
    db.execute("UPDATE dead_letter SET grp = id WHERE id = ? AND grp = 0", (made,))
    return made


def close_write(db: Database, record: int, platform: str, now: int) -> int:
    """Close the letters of a record on a platform: a write went through. Returns how many there were."""
    return db.execute(
        "UPDATE dead_letter SET state = 'closed', closed_at_us = ?, note = 'a later write went through'"
        " WHERE record = ? AND platform = ? AND kind = 'write' AND state IN ('open', 'retried')",
        (now, record, platform),
    ).rowcount


def close_record(db: Database, record: int, note: str, now: int) -> None:
    """Close the letters of a record that is no more."""
    db.execute(
        "UPDATE dead_letter SET state = 'closed', closed_at_us = ?, note = ? WHERE record = ? AND state IN ('open', 'retried')",
        (now, note, record),
    )


def close_readings(db: Database, things: Iterable[Thing], now: int) -> None:
    """Close the letters about things that could be read after all."""
    any_open = "SELECT 1 FROM dead_letter INDEXED BY dead_letter_of_thing WHERE state = 'open' AND kind = 'reading' LIMIT 1"
    if db.execute(any_open).fetchone() is None:
        return
    db.executemany(
        "UPDATE dead_letter SET state = 'closed', closed_at_us = ?, note = 'read again'"
        " WHERE platform = ? AND collection = ? AND thing = ? AND kind = 'reading' AND state = 'open'",
        [(now, *thing) for thing in things],
    )


def set_state(db: Database, ids: Sequence[int], state: str, *, note: str | None, now: int) -> list[Letter]:
    """Mark open letters ``retried`` or ``discarded`` and return them as they were; the others are left alone."""
    found = [letter for one in ids if (letter := get(db, one)) is not None and letter.state == "open"]
    db.executemany(
        "UPDATE dead_letter SET state = ?, note = ?, closed_at_us = ? WHERE id = ?",
        [(state, note, now, letter.id) for letter in found],
    )
    return found


def get(db: Database, letter: int) -> Letter | None:
    """Return one letter, None if there is none."""
    return next(map(_letter, db.execute(f"{LETTER} WHERE d.id = ?", (letter,))), None)


def of_write(db: Database, record: int, platform: str) -> Letter | None:
    """Return the letter that stands about writing a record to a platform, open or discarded; None if there is none."""
    rows = db.execute(
        f"{LETTER} WHERE d.record = ? AND d.platform = ? AND d.kind = 'write' ORDER BY d.id DESC LIMIT 1", (record, platform)
    )
    letter = next(map(_letter, rows), None)
    return letter if letter is not None and letter.state in ("open", "discarded") else None


def in_state(db: Database, state: str = "open", *, group: int | None = None, limit: int = 10_000) -> list[Letter]:
    """Return the letters in a state, oldest first, of one group if it is given."""
    rows = db.execute(
        f"{LETTER} WHERE d.state = ? AND (?2 IS NULL OR d.grp = ?2) ORDER BY d.first_at_us, d.id LIMIT ?3",
        (state, group, limit),
    )
    return [_letter(row) for row in rows]


def groups(db: Database) -> list[Group]:
    """Return the groups of open letters, the largest first."""
    rows = db.execute(
        "SELECT grp, count(*), min(first_at_us), kind, platform, what, answer FROM dead_letter WHERE state = 'open'"
        " GROUP BY grp ORDER BY count(*) DESC, grp"
    )
    return [Group(*row) for row in rows]


def _letter(row: Sequence[Any]) -> Letter:
    values = list(row)
    values[14] = load(values[14])
    return Letter(*values)
