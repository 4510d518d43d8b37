"""What a person paused: a platform, or one entity on it. Reading goes on; writing waits."""

from dataclasses import dataclass

from syncd.ledger.schema import Database


@dataclass(frozen=True, slots=True)
class Pause:
    """A pause; ``entity`` '' is the whole platform, ``until`` None is until someone resumes it."""

    platform: str
    entity: str
    since: int
    until: int | None
    note: str
    by: str


def pause(
    db: Database, platform: str, entity: str = "", *, until: int | None = None, note: str = "", by: str, now: int
) -> None:
    """Pause a platform, or one entity on it; an earlier pause of the same is replaced."""
    db.execute(
        "INSERT INTO pause VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (platform, entity) DO UPDATE SET"
        " since_us = excluded.since_us, until_us = excluded.until_us, note = excluded.note, by = excluded.by",
        (platform, entity, now, until, note, by),
    )


def resume(db: Database, platform: str, entity: str | None = None) -> int:
    """End a pause, or with ``entity`` None all pauses of the platform; returns how many there were."""
    return db.execute("DELETE FROM pause WHERE platform = ? AND entity = coalesce(?, entity)", (platform, entity)).rowcount


def standing(db: Database, now: int) -> list[Pause]:
    """Return the pauses that hold now."""
    rows = db.execute(
        "SELECT platform, entity, since_us, until_us, note, by FROM pause WHERE coalesce(until_us > ?, 1)"
        " ORDER BY platform, entity",
        (now,),
    )
    return [Pause(*row) for row in rows]
