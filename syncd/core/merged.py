"""Things of which a platform says that it made them one: the row that is gone remembers what it became.

Until its record is one with that thing's record, or a person says that the two are two, the record lives on without that row:
it is neither deleted nor made there again.
"""

from collections.abc import Iterator

from syncd.core.conclude import conclude, snapshot
from syncd.core.life import MERGED, ask_about, end, is_merging, take_away
from syncd.core.model import Change, Life, Record, Shadow
from syncd.core.rules import Member
from syncd.core.space import Space, Thing
from syncd.core.verdict import Said, Verdict, thing_of


def is_unseen(space: Space, member: Member, change: Change, record: Record) -> bool:
    """Return whether a thing became one with what was never seen, and that was not read yet."""
    asked = record.shadows[change.platform].raws.get(MERGED) == change.merged_into
    if change.merged_into is None or change.left or asked or record.life is not Life.ALIVE or not member.abilities.read:
        return False
    return (change.platform, change.collection, change.merged_into) not in space.links


def ask_for_both(space: Space, change: Change, record: Record) -> Said:
    """Have read, once, what a thing became one with, and then the thing again."""
    record.shadows[change.platform].raws[MERGED] = change.merged_into
    space.touch(record)
    became = (change.platform, change.collection, change.merged_into or "")
    return Said(Verdict.READ, "one with what was never seen", record.id, (became, thing_of(change)))


def merged_with(space: Space, change: Change, record: Record) -> Record | None:
    """Return the record of the thing that a platform says this gone one became; None if that is not known, or gone too."""
    if record.life is not Life.ALIVE or change.left or change.merged_into is None:
        return None
    return became(space, record, (change.platform, change.collection, change.merged_into))


def became(space: Space, record: Record, thing: Thing) -> Record | None:
    """Return the other record that a thing is, if it lives there or waits itself to be one with a third."""
    link = space.links.get(thing)
    other = space.records.get(link.record) if link is not None and link.record is not None else None
    if other is None or other is record or other.entity != record.entity or not has_standing(other):
        return None
    row = other.shadows.get(thing[0])
    return other if row is not None and (row.life is not Life.GONE or is_merging(row)) else None


def lose_row(space: Space, change: Change, record: Record) -> None:
    """Take a row away that became one with another record's: the record goes on, as that other one or as a person says."""
    shadow = record.shadows[change.platform]
    take_away(space, record, shadow, f"read by id: one with {change.merged_into}")
    shadow.raws[MERGED] = change.merged_into


def told_by(row: Shadow) -> str:
    """Return what a platform said of a row that became one with another."""
    return f"{row.platform} made {row.id} one with {row.raws[MERGED]}"


def merging(space: Space, record: Record) -> Iterator[tuple[Shadow, Record | None]]:
    """Yield the rows of a record that became one with another record's, each with that record; None if it is no more."""
    for row in record.shadows.values():
        if is_merging(row):
            yield row, became(space, record, (row.platform, row.collection, str(row.raws[MERGED])))


def count_deletions(space: Space, record: Record) -> None:
    """Count the rows as deleted that became one with what is no more. Where a person says that the two are two, the record
    stays: what becomes of it there is said by ``elsewhere``.
    """
    entity = space.rules.entities[record.entity]
    for row, other in list(merging(space, record)):
        if (row.platform, row.collection, str(row.raws[MERGED])) not in space.links:
            continue  # what is not in the working set is not known to be no more
        if other is not None and not is_apart(space, record, other):
            continue
        before, told = snapshot(record), told_by(row)
        row.raws.pop(MERGED)
        if other is None and entity.deletes.authority in (row.platform, "any"):
            end(space, record, told, row.platform)
        else:
            ask_about(space, entity, record, row.platform, f"became one with another ({told})")
        conclude(space, record, f"gone: {told}", before=before)


def keep_mark(space: Space, survivor: Record, loser: Record, rows: list[Shadow]) -> None:
    """Of two rows that are gone, keep what one of them became where that is a third record's."""
    marks = []
    for row in rows:
        mark = row.raws.pop(MERGED, None)
        link = space.links.get((row.platform, row.collection, str(mark)))
        if mark is not None and (link is None or link.record not in (survivor.id, loser.id)):
            marks.append(mark)
    kept = survivor.shadows[rows[0].platform]
    if marks and kept.life is Life.GONE:
        kept.raws[MERGED] = marks[0]


def has_standing(record: Record) -> bool:
    """Return whether a record still has a say: it lives, or one of its rows does although it was deleted."""
    return record.life is Life.ALIVE or any(s.life is Life.ALIVE for s in record.shadows.values())


def is_apart(space: Space, one: Record, other: Record) -> bool:
    """Return whether a person said that two records are two."""
    pair = (min(one.id, other.id), max(one.id, other.id))
    return pair in space.apart or pair in space.parted
