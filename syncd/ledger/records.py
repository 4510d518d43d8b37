"""Load the working set of a batch, and store what the decider did to it: few statements, however many records."""

from collections.abc import Iterable, Sequence
from typing import Any

from syncd.core.model import Life, Record
from syncd.core.space import Key, Link, Space, Thing
from syncd.ledger import aliases, conflicts, history, keys, outbox, relatives, seen, strangers, tallies, touches
from syncd.ledger.inbox import Waiting
from syncd.ledger.keys import Moved
from syncd.ledger.loaded import PLACES, Loaded, read_records, record_row, shadow_row
from syncd.ledger.schema import Database
from syncd.ledger.texts import dump, when


def load(
    db: Database,
    space: Space,
    *,
    things: Iterable[Thing] = (),
    matches: Iterable[Key] = (),
    records: Iterable[int] = (),
    parents: Iterable[Thing] = (),
    loaded: Loaded | None = None,
) -> Loaded:
    """Fill a working set with the records that these things, match keys and ids name, and all that the decider may ask.

    ``parents`` are things that looks refer to: their records, and those that the records themselves refer to, are only beside.
    Records that are in it already stay as they are: give the ``loaded`` of the first call to load more into the same set.
    Returns what ``commit`` needs to write only what changed.
    """
    result = Loaded() if loaded is None else loaded
    space.links.update(_links(db, things, known=space.links))
    space.keys.update(keys.find(db, matches, known=space.keys))
    wanted = {link.record for link in space.links.values() if link.record is not None}
    wanted.update(records, *space.keys.values())
    space.records.update(read_records(db, wanted - space.records.keys(), result))
    if loaded is None:
        _surroundings(db, space)
    space.parent_links.update(_links(db, parents, known=space.parent_links))
    relatives.load(db, space)
    return result


def one(db: Database, record: int) -> Record | None:
    """Return one whole record as it stands, None if there is none."""
    return read_records(db, [record], Loaded()).get(record)


def _links(db: Database, things: Iterable[Thing], *, known: dict[Thing, Link]) -> dict[Thing, Link]:
    """Return the links of things that are not known yet; a thing without one is new."""
    places: dict[tuple[str, str], list[str]] = {}
    for platform, collection, native in set(things) - known.keys():
        places.setdefault((platform, collection), []).append(native)
    found: dict[Thing, Link] = {}
    for place, ids in places.items():
        rows = db.execute(
            "SELECT l.id, l.record, l.life, l.evidence FROM json_each(?) j CROSS JOIN link l"
            " ON l.platform = ? AND l.collection = ? AND l.id = j.value",
            (dump(ids), *place),
        )
        for native, record, life, evidence in rows.fetchall():
            found[*place, native] = Link(record, Life(life), evidence)
    return found


def _surroundings(db: Database, space: Space) -> None:
    """Fill what is not about single records: open attempts, proofs of scans, last reads, the next record's id."""
    space.in_flight.update(db.execute("SELECT record, platform FROM attempt WHERE outcome IS NULL").fetchall())
    for platform, collection, read_at, swept in db.execute("SELECT platform, collection, read_at_us, swept FROM cursor"):
        if swept is not None:
            space.swept[platform, collection] = swept
        if read_at is not None:
            space.read_at[platform] = max(read_at, space.read_at.get(platform, 0))
    space.touches = touches.standing(db)
    (highest,) = db.execute("SELECT coalesce(max(id), 0) FROM record").fetchone()
    space.next_id = highest + 1


def commit(db: Database, space: Space, loaded: Loaded, *, looks: Sequence[Waiting] = (), rekey: bool = False) -> Moved:
    """Store everything the decider did to a working set: what did not change is not written. Returns the keys that moved.

    ``looks`` are the observations that it took in; ``rekey``: the match rules may be others than before. New conflicts get
    their ids. Raises what SQLite raises; the caller's transaction then undoes all of it.
    """
    relatives.rewrite(db, space, loaded)
    touched = [space.records[number] for number in sorted(space.touched)]
    renamed = _store_records(db, touched, loaded)
    renamed = touched if rekey else renamed
    _store_shadows(db, touched, loaded, looks)
    _store_links(db, space)
    moved = keys.store(db, space, renamed, new={r.id for r in renamed if r.id not in loaded.records})
    strangers.store(db, space, loaded, looks=looks, moved=moved)
    aliases.store(db, space, loaded)
    _store_tombs(db, touched, loaded)
    history.store(db, space)
    conflicts.store(db, space, touched, loaded)
    outbox.mark(db, sorted(space.behind), space.now)
    relatives.release(db, space, touched, loaded)
    tallies.count(db, touched, loaded)
    return moved


def _store_records(db: Database, touched: Sequence[Record], loaded: Loaded) -> list[Record]:
    """Write the records that changed, and return those whose golden did: their match keys may be others now."""
    rows = {record.id: record_row(record) for record in touched}
    db.executemany(
        "INSERT INTO record VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET entity = excluded.entity,"
        " key = excluded.key, life = excluded.life, version = excluded.version, born = excluded.born,"
        " golden = excluded.golden",
        [(number, *row) for number, row in rows.items() if row != loaded.records.get(number)],
    )
    return [r for r in touched if (old := loaded.records.get(r.id)) is None or old[-1] != rows[r.id][-1]]


def _store_shadows(db: Database, touched: Sequence[Record], loaded: Loaded, looks: Sequence[Waiting]) -> None:
    """Write the shadows that changed; one that was only looked at again notes that in the narrow table."""
    slots = slots_of(db, {platform for record in touched for platform in record.shadows})
    rows: list[tuple[Any, ...]] = []
    narrow: list[seen.Seen] = []
    stale: list[Thing] = []
    hashes = {(_thing(look), look.change.as_of): look.hash for look in looks}
    for record in touched:
        for platform, shadow in record.shadows.items():
            thing = (platform, shadow.collection, shadow.id)
            look = hashes.get((thing, shadow.as_of)) if shadow.life is Life.ALIVE else None
            row = shadow_row(shadow, record)
            before, as_of, at = loaded.shadows.get((record.id, platform), (None, -1, 0))
            if row != before:
                place = record.id * PLACES + slots[platform]
                rows.append((place, record.id, platform, *row[:5], shadow.seen_at, shadow.as_of, *row[5:]))
            elif (shadow.as_of, shadow.seen_at) == (as_of, at):
                continue
            if look is not None or row == before:
                narrow.append((*thing, look, shadow.as_of, shadow.seen_at, None))
            else:
                stale.append(thing)
    db.executemany(
        "INSERT INTO shadow VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (place) DO UPDATE SET"
        " collection = excluded.collection, id = excluded.id, life = excluded.life, version = excluded.version,"
        " changed_at_us = excluded.changed_at_us, seen_at_us = excluded.seen_at_us, as_of = excluded.as_of,"
        " old_version = excluded.old_version, fields = excluded.fields",
        rows,
    )
    ours = {record.id: record for record in touched}
    gone = [key for key in loaded.shadows if key[0] in ours and key[1] not in ours[key[0]].shadows]
    slots |= slots_of(db, set()) if gone else {}
    db.executemany("DELETE FROM shadow WHERE place = ?", [(r * PLACES + slots[platform],) for r, platform in gone])
    seen.accept(db, narrow)
    seen.wait(db, stale)


def _thing(look: Waiting) -> Thing:
    return look.change.platform, look.change.collection, look.change.id


def slots_of(db: Database, platforms: set[str]) -> dict[str, int]:
    """Return the number of each platform; a platform seen for the first time gets the next one."""
    known = dict(db.execute("SELECT platform, number FROM slot").fetchall())
    new = sorted(platforms - known.keys())
    made = dict(zip(new, range(len(known), len(known) + len(new)), strict=True))
    db.executemany("INSERT INTO slot VALUES (?, ?)", made.items())
    return known | made


def _store_links(db: Database, space: Space) -> None:
    """Write the links that were set. What is not a living record's must never be skipped as unchanged."""
    things = sorted(space.relinked)
    links = [space.links[thing] for thing in things]
    db.executemany(
        "INSERT INTO link (platform, collection, id, record, life, evidence) VALUES (?, ?, ?, ?, ?, ?)"
        " ON CONFLICT (platform, collection, id) DO UPDATE SET record = excluded.record, life = excluded.life,"
        " evidence = excluded.evidence, missing = 0, missing_since_us = NULL",
        [(*thing, link.record, link.life, link.evidence) for thing, link in zip(things, links, strict=True)],
    )
    seen.wait(db, [thing for thing, link in zip(things, links, strict=True) if link.record is None])
    seen.forget(db, [thing for thing, link in zip(things, links, strict=True) if link.life is not Life.ALIVE])


def _store_tombs(db: Database, touched: Sequence[Record], loaded: Loaded) -> None:
    moved = [record for record in touched if record.tomb != loaded.tombs.get(record.id)]
    db.executemany("DELETE FROM tombstone WHERE record = ?", [(record.id,) for record in moved])
    rows = [(r.id, t.as_of, when(t.at), t.proof, t.platform) for r in moved if (t := r.tomb) is not None]
    db.executemany("INSERT INTO tombstone VALUES (?, ?, ?, ?, ?)", rows)
