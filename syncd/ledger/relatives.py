"""Records that others refer to: loaded beside those of a batch, and their children let go once they have a row."""

import re
from collections.abc import Iterator, Sequence

from syncd.core.conclude import conclude, snapshot
from syncd.core.identity import record_key
from syncd.core.model import Life, Record
from syncd.core.references import as_list, follow, key_of_row, let_go, parents_of, references, waits_for
from syncd.core.space import Key, Space
from syncd.core.waits import WAITS
from syncd.ledger import outbox
from syncd.ledger.loaded import PLACES, Loaded, ShadowRow, read_records
from syncd.ledger.schema import Database
from syncd.ledger.texts import dump

NUMBER = re.compile(r"[0-9]+")


def load(db: Database, space: Space) -> None:
    """Fill in the parents of all records of the working set, and the parents of those, generation by generation."""
    if not any(references(entity) for entity in space.rules.entities.values()):
        return
    named = {link.record for link in space.parent_links.values() if link.record is not None}
    ahead = list(space.records.values())
    while True:
        named.update(number for record in ahead for number in parents_of(space.rules, record))
        new = named - space.records.keys() - space.parents.keys()
        if not new:
            return
        found = read_records(db, new, Loaded())
        space.parents.update(found)
        ahead, named = list(found.values()), set()


def targets(space: Space) -> set[str]:
    """Return the entities that others refer to."""
    return {target for entity in space.rules.entities.values() for target in references(entity).values()}


def arrived(space: Space) -> set[Key]:
    """Return the keys under which children wait for the things that became records in this batch."""
    wanted = targets(space)
    found = set()
    for platform, collection, native in space.relinked if wanted else ():
        entity = space.rules.entity_of(platform, collection)
        if entity is not None and entity.name in wanted and space.links[platform, collection, native].record is not None:
            found.add(key_of_row(space.rules, entity.name, platform, native))
    return found


def follow_survivors(db: Database, space: Space, loaded: Loaded) -> None:
    """Let the children of records that became one with others refer to those, and decide them again."""
    wanted = targets(space)
    for loser, survivor, _ in space.united:
        home = space.records[survivor]
        if home.entity not in wanted:
            continue
        rows = {at for (number, at), old in loaded.shadows.items() if number == loser and is_left(home, at, old)}
        for child in named_in(db, space, {loser}, loaded):
            names = [name for name, target in references(space.rules.entities[child.entity]).items() if target == home.entity]
            before = snapshot(child)
            follow(child, names, loser, survivor)
            for platform in rows:
                let_go(space, child, platform, survivor)
            load(db, space)
            conclude(space, child, f"{home.entity} {home.entity[:1]}{loser} is one with {home.key}", before=before)
            space.behind |= {(child.id, platform) for platform in space.rules.entities[child.entity].members}


def is_left(home: Record, platform: str, old: tuple[ShadowRow, int, int]) -> bool:
    """Return whether a row that was a swallowed record's is not the survivor's, which lives there in another one."""
    row = home.shadows.get(platform)
    return row is not None and row.life is not Life.GONE and row.id != old[0][1]


def rewrite(db: Database, space: Space, loaded: Loaded) -> None:
    """Let the children of parents that have another row now be written anew: they still show the id of the old one."""
    wanted = targets(space)
    moved = [(space.records[n], p) for n in sorted(space.touched) for p in replaced(space.records[n], loaded)] if wanted else []
    moved = [(record, platform) for record, platform in moved if record.entity in wanted]
    for child in children(db, space, {record.id for record, _ in moved}, loaded) if moved else []:
        for record, platform in moved:
            if let_go(space, child, platform, record.id):
                space.touch(child)
                space.behind.add((child.id, platform))


def replaced(record: Record, loaded: Loaded) -> Iterator[str]:
    """Yield the platforms where a record has another row than it had when it was loaded, or had lost."""
    for platform, shadow in record.shadows.items():
        old = loaded.shadows.get((record.id, platform))
        if old is not None and shadow.life is not Life.GONE and old[0][1] != shadow.id:
            yield platform


def children(db: Database, space: Space, parents: set[int], loaded: Loaded) -> list[Record]:
    """Return the records that refer to one of some; they belong to the working set from now on. Reads every possible child."""
    return [child for child in named_in(db, space, parents, loaded) if not parents.isdisjoint(parents_of(space.rules, child))]


def named_in(db: Database, space: Space, parents: set[int], loaded: Loaded) -> list[Record]:
    """Return the living records that refer to one of some, or have a row that does; they belong to the working set now."""
    homes = [entity.name for entity in space.rules.entities.values() if references(entity)]
    rows = db.execute(
        "SELECT r.id, r.golden FROM json_each(?1) j CROSS JOIN record r ON r.entity = j.value"
        " UNION ALL SELECT r.id, s.fields FROM json_each(?1) j CROSS JOIN record r ON r.entity = j.value"
        f" CROSS JOIN shadow s ON s.place BETWEEN r.id * {PLACES} AND r.id * {PLACES} + {PLACES - 1}",
        (dump(homes),),
    )
    names = {str(number) for number in parents}
    found = {number for number, text in rows if not names.isdisjoint(NUMBER.findall(text))} - space.records.keys()
    space.records.update(read_records(db, found, loaded))
    family = [space.records[number] for number in sorted(space.records)]
    return [child for child in family if child.entity in homes and not parents.isdisjoint(said_by(space, child))]


def said_by(space: Space, child: Record) -> Iterator[int]:
    """Yield the records that a record refers to, by golden or by the word of one of its rows."""
    yield from parents_of(space.rules, child)
    for name in references(space.rules.entities[child.entity]):
        known = [shadow.fields[name] for shadow in child.shadows.values() if name in shadow.fields]
        said = [one for field in known for value in (field.raw, field.means) for one in as_list(value)]
        yield from (one for one in said if isinstance(one, int))


def release(db: Database, space: Space, touched: Sequence[Record], loaded: Loaded) -> None:
    """Let go what waits for a parent that has a row now, or that is called otherwise now and must be named anew."""
    wanted = targets(space)
    children = [record.id for record in touched if references(space.rules.entities[record.entity])]
    outbox.look_again(db, children, f"{WAITS}%")  # it may refer to another one now
    for record in touched:
        if record.entity in wanted:
            for key, platform in changes(space, record, loaded):
                outbox.release(db, waits_for(record.entity, key, platform), platform=platform)


def changes(space: Space, record: Record, loaded: Loaded) -> Iterator[tuple[str, str]]:
    """Yield (the key a record was waited for under, platform) where it has a row that it did not have, or another key."""
    key = record.key or record_key(space.rules.entities[record.entity], record)
    before = loaded.records.get(record.id)
    for platform in space.rules.entities[record.entity].members:
        shadow, old = record.shadows.get(platform), loaded.shadows.get((record.id, platform))
        lives = shadow is not None and shadow.life is not Life.GONE
        lived = old is not None and old[0][2] != Life.GONE
        if (lives and not lived) or record.life is not Life.ALIVE:
            yield key, platform
        if before is not None and before[1] not in ("", key):
            yield before[1], platform
