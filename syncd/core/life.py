"""Births and deaths: of rows, and of records. A deletion needs evidence, and the right platform to say it."""

from syncd.core.model import Conflict, Life, Record, Shadow, Tombstone
from syncd.core.rules import Entity
from syncd.core.space import Link, Space


def begin_life(shadow: Shadow) -> None:
    """Forget the former life's fields: first contact again, no differences, no removals (R9)."""
    shadow.fields.clear()
    if isinstance(shadow.version, int):
        shadow.old_version = max(shadow.version, shadow.old_version)


def live_again(record: Record) -> None:
    """A thing with a tombstone's key came back: the record lives on with the rows it has left, or starts afresh."""
    record.life, record.tomb = Life.ALIVE, None
    record.shadows = {p: s for p, s in record.shadows.items() if s.life is not Life.GONE}
    if not record.shadows:
        record.golden.clear()


def bury(space: Space, entity: Entity, record: Record, platform: str) -> None:
    """Record that a row is gone, and what that means for the record."""
    shadow = record.shadows[platform]
    shadow.life = Life.GONE
    space.link((platform, shadow.collection, shadow.id), Link(record.id, Life.GONE, "read by id: gone"))
    space.touch(record)
    if record.life is not Life.ALIVE:
        return
    if entity.deletes.authority in (platform, "any"):
        end(space, record, f"{platform} {shadow.id} read by id: gone", platform)
    else:
        ask_about(space, entity, record, platform, "deleted")


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
    shadow.life = Life.ARCHIVED


def end(space: Space, record: Record, proof: str, platform: str = "") -> None:
    """Set the record's tombstone. What was in conflict needs no answer any more."""
    record.life = Life.GONE
    record.tomb = Tombstone(space.number(), space.now, proof, platform)
    record.conflicts.clear()


def life_conflict(platform: str) -> str:
    """Return the name under which a deletion that a person must judge is kept."""
    return f"({platform})"


def is_nowhere(space: Space, record: Record) -> bool:
    """Return whether a record lives nowhere and is on its way nowhere (R31)."""
    if any(s.life is not Life.GONE for s in record.shadows.values()):
        return False
    return not any(record.id == number for number, _ in space.in_flight)
