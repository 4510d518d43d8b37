"""Every try to send a write, journaled before the call. An attempt without an outcome is in doubt."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from dataclasses import replace as with_
from typing import Any

from syncd.core.model import Attempt, Op, Value, Write
from syncd.ledger.schema import Database
from syncd.ledger.texts import dump, load_native

COUNTED = "(outcome IS NULL OR outcome IN ('done', 'assumed'))"  # what was, or may have been, applied


@dataclass(frozen=True, slots=True)
class Tried:
    """An attempt with its outcome; None while it is open."""

    attempt: Attempt
    outcome: str | None
    detail: str | None
    closed_at: int | None


def intend(
    db: Database, write: Write, *, epoch: str, as_of: int, raws: Mapping[str, Value], now: int, lifetime: int
) -> Attempt:
    """Journal a write before it is sent and return the attempt, its write now with its idempotency key."""
    number = db.execute("SELECT coalesce(max(seq), 0) + 1 FROM sqlite_sequence WHERE name = 'attempt'").fetchone()[0]
    keyed = with_(write, key=f"{epoch}-{number}")
    attempt = Attempt(number, keyed, as_of, now, now + lifetime, dict(raws))
    body = {
        name: value
        for name, value in asdict(keyed).items()
        if name not in ("op", "platform", "collection", "record", "id", "key") and value not in (None, {})
    }
    db.execute(
        "INSERT INTO attempt (id, record, entity, platform, collection, thing, op, key, as_of, sent_at_us,"
        " lifetime_end_us, overwrote, blanked, body)"
        " VALUES (?1, ?2, (SELECT entity FROM record WHERE id = ?2), ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            number,
            write.record,
            write.platform,
            write.collection,
            write.id,
            write.op,
            keyed.key,
            as_of,
            now,
            attempt.lifetime_end,
            overwrites(write, raws),
            blanks(write, raws),
            dump(body | {"raws": attempt.raws}),
        ),
    )
    return attempt


def overwrites(write: Write, raws: Mapping[str, Value]) -> bool:
    """Return whether a write changes an existing value of a living thing."""
    return write.op is Op.UPDATE and any(raws.get(name) not in (None, []) for name in write.sent)


def blanks(write: Write, raws: Mapping[str, Value]) -> bool:
    """Return whether a write empties a value that is there."""
    return write.op is Op.UPDATE and any(
        value in (None, "", []) and raws.get(name) not in (None, "", []) for name, value in write.sent.items()
    )


def close(db: Database, attempt: int, outcome: str, detail: str | None = None, *, now: int) -> bool:
    """Set an attempt's outcome, once; returns whether it was open."""
    return (
        db.execute(
            "UPDATE attempt SET outcome = ?, detail = ?, closed_at_us = ? WHERE id = ? AND outcome IS NULL",
            (outcome, detail, now, attempt),
        ).rowcount
        > 0
    )


SELECT = (
    "SELECT id, record, platform, collection, thing, op, key, as_of, sent_at_us, lifetime_end_us, body, outcome, detail,"
    " closed_at_us FROM attempt"
)


def open_attempts(db: Database, platform: str | None = None) -> list[Attempt]:
    """Return the attempts without an outcome, oldest first, of one platform if given."""
    rows = db.execute(
        f"{SELECT} INDEXED BY attempt_open WHERE outcome IS NULL AND platform = coalesce(?, platform) ORDER BY id", (platform,)
    )
    return [_tried(row).attempt for row in rows]


def get(db: Database, attempt: int) -> Tried | None:
    """Return one attempt, None if there is none."""
    return next(map(_tried, db.execute(f"{SELECT} WHERE id = ?", (attempt,))), None)


def of_record(db: Database, record: int, *, platform: str | None = None, limit: int = 100) -> list[Tried]:
    """Return the attempts to write a record, newest first, to one platform if given."""
    rows = db.execute(
        f"{SELECT} WHERE record = ? AND platform = coalesce(?, platform) ORDER BY id DESC LIMIT ?", (record, platform, limit)
    )
    return [_tried(row) for row in rows]


def _tried(row: Sequence[Any]) -> Tried:
    number, record, platform, collection, thing, op, key, as_of, sent_at, end, body, *outcome = row
    doc = load_native(body)
    raws = doc.pop("raws")
    write = Write(Op(op), platform, collection, record, thing, key=key, **doc)
    return Tried(Attempt(number, write, as_of, sent_at, end, raws), *outcome)
