"""The narrow table that lets an unchanged row touch no document.

A hash stands there only while the thing is linked, alive, its last look was accepted and nothing about it waits in the
inbox. Whatever else touches the shadow takes the hash away, and the next look is decided in full.
"""

from collections.abc import Iterable, Mapping, Sequence
from hashlib import blake2b

from syncd.core.model import Change
from syncd.core.space import Thing
from syncd.ledger.documents import ALL_IN_STEP
from syncd.ledger.loaded import PLACES
from syncd.ledger.schema import Database
from syncd.ledger.texts import dump

Seen = tuple[str, str, str, bytes | None, int, int, int | None]  # thing, hash, as_of, at, sweep


def look_hash(change: Change) -> bytes | None:
    """Return 16 bytes that stand for what a read showed, item and version; None for a thing that is not simply there.

    Raises TypeError if the item is no JSON.
    """
    if change.item is None or change.gone or change.left:
        return None
    text = dump([change.item, change.version])
    return blake2b(text.encode(), digest_size=16).digest()


def known_hashes(db: Database, platform: str, collection: str, ids: Sequence[str]) -> dict[str, bytes]:
    """Return the standing hashes of these things of one collection."""
    rows = db.execute(
        "SELECT s.id, s.hash FROM json_each(?) j CROSS JOIN seen s"
        " ON s.platform = ? AND s.collection = ? AND s.id = j.value WHERE s.hash IS NOT NULL",
        (dump(ids), platform, collection),
    )
    return dict(rows.fetchall())


def mark(db: Database, platform: str, collection: str, ids: Sequence[str], *, as_of: int, at: int, sweep: int | None) -> None:
    """Note that things were read unchanged by the request ``as_of``; each has a standing hash."""
    db.execute(
        "UPDATE seen SET as_of = max(as_of, ?1), at_us = max(at_us, ?2), sweep = coalesce(?3, sweep)"
        " WHERE platform = ?4 AND collection = ?5 AND id IN (SELECT value FROM json_each(?6))",
        (as_of, at, sweep, platform, collection, dump(ids)),
    )


def wait(db: Database, things: Iterable[Thing], sweep: int | None = None) -> None:
    """Take the hashes away of things about which something waits in the inbox; a sweep notes that it showed them."""
    if sweep is None:
        db.executemany(
            "UPDATE seen SET hash = NULL WHERE platform = ? AND collection = ? AND id = ? AND hash IS NOT NULL", things
        )
        return
    db.executemany(
        "INSERT INTO seen VALUES (?, ?, ?, NULL, -1, 0, ?)"
        " ON CONFLICT (platform, collection, id) DO UPDATE SET hash = NULL, sweep = excluded.sweep",
        [(*thing, sweep) for thing in things],
    )


def forget(db: Database, things: Iterable[Thing]) -> None:
    """Forget things that are there no more."""
    db.executemany("DELETE FROM seen WHERE platform = ? AND collection = ? AND id = ?", things)


def accept(db: Database, rows: Iterable[Seen]) -> None:
    """Set the hashes of looks that were accepted; a None hash takes it away."""
    db.executemany(
        "INSERT INTO seen VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (platform, collection, id) DO UPDATE SET"
        " hash = excluded.hash, as_of = max(as_of, excluded.as_of), at_us = max(at_us, excluded.at_us),"
        " sweep = coalesce(excluded.sweep, sweep)",
        rows,
    )


def agreeing(db: Database, platform: str, collection: str, looks: Mapping[str, bytes | None]) -> dict[str, int]:
    """Return the record of each thing that looks as it last did (by its hash) and holds in every field what it should.

    Nothing of a document is decoded: a shadow whose fields are all in step with golden begins in one way.
    """
    rows = db.execute(
        "SELECT n.id, n.hash, r.id FROM json_each(?1) j"
        " CROSS JOIN seen n ON n.platform = ?2 AND n.collection = ?3 AND n.id = j.value"
        " CROSS JOIN link l ON l.platform = ?2 AND l.collection = ?3 AND l.id = n.id AND l.life = 'alive'"
        " CROSS JOIN shadow s ON s.place = l.record * ?4 + (SELECT number FROM slot WHERE platform = ?2) AND s.life = 'alive'"
        " CROSS JOIN record r ON r.id = l.record AND r.life = 'alive'"
        " WHERE n.hash IS NOT NULL AND s.id = n.id AND substr(s.fields, 1, length(?5)) = ?5",
        (dump(list(looks)), platform, collection, PLACES, ALL_IN_STEP),
    )
    return {native: record for native, known, record in rows.fetchall() if known == looks[native]}
