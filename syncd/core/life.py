"""Births and deaths: of rows, and of records. A deletion needs evidence, and the right platform to say it."""

from syncd.core.mapping import ABSENT, Absent
from syncd.core.model import Conflict, Life, Native, Record, Shadow, Tombstone
from syncd.core.rules import Entity, Member
from syncd.core.space import Link, Space, Thing

CLEARED = "its record was deleted: link cleared"
UNMARKED = "(unmarked)"  # among a shadow's raws: what stood in the place of the mark; no path is called that
MERGED = "(merged)"  # among the raws of a row that is gone: what its platform made it one with, until that is settled
IDENTITY = "(identity)"  # the name under which the question is kept which records are one


def begin_life(shadow: Shadow) -> None:
    """Forget the former life's fields: first contact again, no differences, no removals (R9)."""
    shadow.fields.clear()
    shadow.raws.clear()
    assert isinstance(shadow.version, int)  # only a number can have gone back
    shadow.old_version = max(shadow.version, shadow.old_version)


def live_again(record: Record) -> None:
    """A thing with a tombstone's key came back: the record lives on with the rows it has left, or starts afresh."""
    record.life, record.tomb = Life.ALIVE, None
    for shadow in record.shadows.values():
        if shadow.life is Life.GONE:
            vacate(shadow)
    if all(shadow.life is Life.GONE for shadow in record.shadows.values()):
        record.golden.clear()


def vacate(shadow: Shadow) -> None:
    """Forget a row that is gone, but for our number of when it was: nothing older can show that it is there."""
    shadow.id = ""
    shadow.fields.clear()
    shadow.raws.clear()


def bury(space: Space, entity: Entity, record: Record, platform: str) -> None:
    """Record that a row is gone, and what that means for the record."""
    shadow = record.shadows[platform]
    native = shadow.id
    take_away(space, record, shadow, "read by id: gone")
    if record.life is not Life.ALIVE:
        return
    if entity.deletes.authority in (platform, "any"):
        end(space, record, f"{platform} {native} read by id: gone", platform)
    else:
        ask_about(space, entity, record, platform, "deleted")


def take_away(space: Space, record: Record, shadow: Shadow, evidence: str) -> None:
    """Record that a row is gone; its link stays as a tombstone."""
    shadow.life = Life.GONE
    space.link((shadow.platform, shadow.collection, shadow.id), Link(record.id, Life.GONE, evidence))
    space.touch(record)


def ask_about(space: Space, entity: Entity, record: Record, platform: str, how: str) -> None:
    """Open the conflict about a deletion by a platform that may not decide it, if the rules want a person to see it."""
    name = life_conflict(platform)
    if entity.deletes.elsewhere == "review" and name not in record.conflicts:
        why = f"{how} in {platform}, which may not decide that"
        record.conflicts[name] = Conflict(name, "delete", why, {platform: None}, opened_at=space.now)


def is_put_away(entity: Entity, record: Record, shadow: Shadow) -> bool:
    """Return whether an archived thing is only put away: by us, or by a platform that may not delete."""
    ours = shadow.life is Life.ARCHIVED or record.life is not Life.ALIVE
    return ours or entity.deletes.authority not in (shadow.platform, "any")


def put_away(space: Space, entity: Entity, record: Record, shadow: Shadow) -> None:
    """Record that a row carries the mark of deleted things. It keeps its link, so that it is never made a second time."""
    if shadow.life is not Life.ARCHIVED and record.life is Life.ALIVE:
        ask_about(space, entity, record, shadow.platform, "archived")
    shadow.life, shadow.version = Life.ARCHIVED, None  # read before it is written again


def note_unmarked(member: Member, shadow: Shadow) -> None:
    """Remember what stood in the place of the mark of deleted things, before a look at the marked thing is taken in."""
    if member.deleted is not None:
        path, mark = member.deleted
        if path in shadow.raws and shadow.raws[path] != mark:
            shadow.raws[UNMARKED] = shadow.raws[path]


def before_mark(member: Member, shadow: Shadow) -> Native | Absent:
    """Return what stood in the place of the mark of deleted things before; ABSENT if that was never seen."""
    path, mark = member.deleted or ("", None)
    before = shadow.raws.get(UNMARKED, shadow.raws.get(path, ABSENT))
    return ABSENT if before == mark else before


def end(space: Space, record: Record, proof: str, platform: str = "") -> None:
    """Set the record's tombstone. What was in conflict needs no answer any more."""
    record.life = Life.GONE
    record.tomb = Tombstone(space.number(), space.now, proof, platform)
    record.conflicts.clear()
    clear_links(space, record)


def clear_links(space: Space, record: Record) -> None:
    """Let go of the rows of a deleted record where the rules say ``clear_link``: they stay, and are nobody's."""
    for platform, member in space.rules.entities[record.entity].members.items():
        shadow = record.shadows.get(platform)
        if member.on_delete == "clear_link" and shadow is not None and shadow.life is not Life.GONE:
            space.link((platform, shadow.collection, shadow.id), Link(None, evidence=CLEARED))
            del record.shadows[platform]


def is_cleared(space: Space, thing: Thing) -> bool:
    """Return whether a thing was let go of when its record was deleted."""
    link = space.links.get(thing)
    return link is not None and link.record is None and link.evidence == CLEARED


def life_conflict(platform: str) -> str:
    """Return the name under which a deletion that a person must judge is kept."""
    return f"({platform})"


def is_merging(shadow: Shadow | None) -> bool:
    """Return whether a row is gone because it became one with another, and its record waits to be one with that one's."""
    return shadow is not None and shadow.life is Life.GONE and MERGED in shadow.raws


def is_nowhere(space: Space, record: Record) -> bool:
    """Return whether a record lives nowhere, is on its way nowhere (R31), and does not wait to be one with another."""
    if any(s.life is not Life.GONE or is_merging(s) for s in record.shadows.values()):
        return False
    return not any(record.id == number for number, _ in space.in_flight)


def buried_at(record: Record, platform: str) -> int:
    """Return our number before which no look can show that a record is on a platform: it ended there later, or at all."""
    shadow = record.shadows.get(platform)
    ended = record.tomb.as_of if record.tomb is not None else -1
    return max(ended, shadow.as_of) if shadow is not None and shadow.life is Life.GONE else ended
