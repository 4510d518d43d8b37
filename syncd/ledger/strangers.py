"""Things that are no record yet: what they last looked like, and the keys by which a record may know them later.

Matching runs on every pass. A thing that matched nothing, or too much, waits here with its look; when a record gets one of
its keys, or loses the row that stood in its way, the look goes back to the inbox.
"""

from collections.abc import Iterable, Sequence

from syncd.core.decide import ASKS_LATER
from syncd.core.identity import UNIQUE, match_keys, record_keys
from syncd.core.mapping import read_item
from syncd.core.model import Change, Life, Record, State, Via
from syncd.core.space import Key, Space, Thing
from syncd.ledger import conflicts, relatives, seen
from syncd.ledger.inbox import Waiting, encode
from syncd.ledger.keys import Moved
from syncd.ledger.loaded import Loaded
from syncd.ledger.schema import Database
from syncd.ledger.texts import dump, load_native

HINT = '{"item":{}}'  # of an event that says nothing: the thing is read


def store(db: Database, space: Space, loaded: Loaded, *, looks: Sequence[Waiting], moved: Moved) -> None:
    """Keep the looks at things that a batch left without a record, forget those that have one now, and wake whom new and
    lost keys and rows that are gone concern.
    """
    strange = [thing for thing in space.relinked if space.links[thing].record is None]
    gone = [thing_of(look.change) for look in looks if look.change.gone or look.change.left]
    forget(db, [*(thing for thing in space.relinked if space.links[thing].record is not None), *gone])
    keep(db, space, [look.change for look in looks if thing_of(look.change) in strange])
    keep_doubles(db, space)
    # after keeping: the record may have come later in this very batch
    released = {key for key in moved.removed if key[1].startswith(UNIQUE)} | ended(space, loaded)
    came = relatives.arrived(space)
    wake(db, {*moved.added, *released, *came, *freed(space, loaded), *revived(space, loaded)}, now=space.now)


def thing_of(change: Change) -> Thing:
    """Return which thing a change is about."""
    return change.platform, change.collection, change.id


def keep(db: Database, space: Space, changes: Sequence[Change]) -> None:
    """Keep the last look at each of these things, with the keys it shows."""
    last = {thing_of(change): change for change in changes if change.item and not change.gone}
    forget(db, last)
    db.executemany(
        "INSERT INTO stranger VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        [
            (*one.thing, one.change.via, one.change.as_of, one.change.seen_at, one.hash, one.body)
            for one in encode(last.values())[0]
        ],
    )
    db.executemany(
        "INSERT OR IGNORE INTO stranger_key VALUES (?, ?, ?, ?, ?, ?)",
        [(*key, *thing) for thing, change in last.items() for key in keys_of(space, change)],
    )


def look(db: Database, thing: Thing) -> Change | None:
    """Return the last look at a thing that is no record; None if there is none."""
    query = "SELECT via, as_of, seen_at_us, body FROM stranger WHERE platform = ? AND collection = ? AND id = ?"
    row = db.execute(query, thing).fetchone()
    return None if row is None else Change(*thing, Via(row[0]), row[1], row[2], **load_native(row[3]))


def keep_doubles(db: Database, space: Space) -> None:
    """Remember for which values linked things wait that another record has; what waited before waits no more."""
    rows = [(*key, *thing) for thing, keys in space.doubles.items() for key in keys if is_linked(space, thing)]
    db.executemany(
        f"DELETE FROM stranger_key WHERE platform = ? AND collection = ? AND id = ? AND by LIKE '{UNIQUE}%'",
        list(space.doubles),
    )
    db.executemany("INSERT OR IGNORE INTO stranger_key VALUES (?, ?, ?, ?, ?, ?)", rows)


def is_linked(space: Space, thing: Thing) -> bool:
    """Return whether a thing is a record's row."""
    link = space.links.get(thing)
    return link is not None and link.record is not None


def keys_of(space: Space, change: Change) -> list[Key]:
    """Return the match keys that a thing shows."""
    entity = space.rules.entity_of(change.platform, change.collection)
    if entity is None:
        return []
    readings = read_item(entity, change.platform, change.item or {})
    values = {name: reading.value for name, reading in readings.items() if reading.state is State.VALUE}
    return [key for _, key in match_keys(entity, values, space.now) if key is not None]


def forget(db: Database, things: Iterable[Thing]) -> None:
    """Forget things: they are records now, or looked at again."""
    rows = list(things)
    where = "WHERE platform = ? AND collection = ? AND id = ?"
    db.executemany(f"DELETE FROM stranger {where}", rows)
    db.executemany(f"DELETE FROM stranger_key {where}", rows)


def leave(db: Database, platform: str, collection: str, sweep: int, *, as_of: int, now: int) -> None:
    """Forget the strangers that a complete, believed scan did not show, and close what was asked about them."""
    rows = db.execute(
        "SELECT platform, collection, id FROM stranger t WHERE platform = ?1 AND collection = ?2 AND as_of <= ?3 AND NOT EXISTS"
        " (SELECT 1 FROM seen s WHERE s.platform = ?1 AND s.collection = ?2 AND s.id = t.id AND s.sweep = ?4)",
        (platform, collection, as_of, sweep),
    )
    things: list[Thing] = rows.fetchall()
    forget(db, things)
    for thing in things:
        conflicts.withdraw(db, thing, now=now)


def freed(space: Space, loaded: Loaded) -> set[Key]:
    """Return the keys of records that lost a row in this batch: the other of two rows may take its place."""
    lost = {
        number
        for (number, platform), (row, _, _) in loaded.shadows.items()
        if number in space.touched and row[2] != Life.GONE and is_gone(space.records[number], platform)
    }
    return {key for key, records in space.keys.items() if records & lost}


def ended(space: Space, loaded: Loaded) -> set[Key]:
    """Return the unique values of records that ended in this batch: another record may have them now."""
    over = {n for n, row in loaded.records.items() if n in space.touched and is_over(row[2], space.records[n])}
    entities = space.rules.entities
    keys = (record_keys(entities[r.entity], r, space.now) for n in over if (r := space.records[n]).entity in entities)
    return {key for found in keys for key in found if key[1].startswith(UNIQUE)}


def is_over(before: str, record: Record) -> bool:
    """Return whether a record ended that lived before."""
    return before == Life.ALIVE and record.life is not Life.ALIVE


def revived(space: Space, loaded: Loaded) -> set[Key]:
    """Return the keys of records that live again: rows that were let go of at their end may take their place."""
    again = {n for n, row in loaded.records.items() if n in space.touched and is_back(row[2], space.records[n])}
    return {key for key, records in space.keys.items() if records & again}


def is_back(before: str, record: Record) -> bool:
    """Return whether a record lives that did not before."""
    return before != Life.ALIVE and record.life is Life.ALIVE


def is_gone(record: Record, platform: str) -> bool:
    """Return whether a record has no row on a platform."""
    shadow = record.shadows.get(platform)
    return shadow is None or shadow.life is Life.GONE


def wake(db: Database, keys: set[Key], *, now: int) -> int:
    """Put the looks at strangers with these keys back into the inbox; return how many."""
    if not keys:
        return 0
    things = db.execute(
        "SELECT DISTINCT k.platform, k.collection, k.id FROM json_each(?) j CROSS JOIN stranger_key k"
        " ON k.entity = j.value ->> 0 AND k.by = j.value ->> 1 AND k.value = j.value ->> 2",
        (dump(sorted(keys)),),
    ).fetchall()
    return send_in(db, things, now=now)


def recall(db: Database, places: Iterable[tuple[str, str]], *, now: int) -> int:
    """Put the looks at all strangers of these collections back into the inbox, for the rules changed; return how many."""
    query = "SELECT platform, collection, id FROM stranger WHERE platform = ? AND collection = ?"
    rows = [db.execute(query, place) for place in places]
    return send_in(db, [thing for found in rows for thing in found.fetchall()], now=now)


def recall_waiting(db: Database, *, now: int) -> int:
    """Put the looks at strangers back into the inbox about which nobody was asked yet; return how many."""
    query = (
        "SELECT s.platform, s.collection, s.id FROM stranger s CROSS JOIN link l"
        " ON l.platform = s.platform AND l.collection = s.collection AND l.id = s.id WHERE l.record IS NULL AND l.evidence = ?"
    )
    return send_in(db, db.execute(query, (ASKS_LATER,)).fetchall(), now=now)


def send_in(db: Database, things: Sequence[Thing], *, now: int) -> int:
    """Move the looks at these strangers into the inbox; return how many. Of a record's row a hint goes in: it is read."""
    db.executemany(
        "INSERT INTO inbox (platform, collection, thing, via, as_of, seen_at_us, hash, received_us, body)"
        " SELECT platform, collection, id, 'event', -1, ?1, NULL, ?1, ?2 FROM link"
        " WHERE platform = ?3 AND collection = ?4 AND id = ?5 AND record IS NOT NULL AND life = 'alive'",
        [(now, HINT, *thing) for thing in things],
    )
    seen.wait(db, things)
    db.executemany(
        "INSERT INTO inbox (platform, collection, thing, via, as_of, seen_at_us, hash, received_us, body)"
        " SELECT platform, collection, id, via, as_of, seen_at_us, hash, ?, body FROM stranger"
        " WHERE platform = ? AND collection = ? AND id = ?",
        [(now, *thing) for thing in things],
    )
    forget(db, things)
    return len(things)
