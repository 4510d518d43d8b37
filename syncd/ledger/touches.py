"""Bulk touches of collections, as they were seen: facts of the ledger under ``touched PLATFORM COLLECTION``."""

import json

from syncd.core.model import SECOND
from syncd.core.space import Touch
from syncd.ledger import meta
from syncd.ledger.schema import Database

MOST = 50  # kept of one collection: the latest
SLACK = SECOND  # between a write and the time that the platform gives it

Place = tuple[str, str]  # platform, collection


def standing(db: Database) -> dict[Place, list[Touch]]:
    """Return every bulk touch that is known, by collection, in the order of time."""
    rows = db.execute("SELECT name, value FROM meta WHERE name >= 'touched ' AND name < 'touched!'").fetchall()
    return {_place(name): [Touch(*one) for one in json.loads(value)] for name, value in rows}


def note(db: Database, place: Place, touch: Touch, entity: str, offset: int) -> bool:
    """Keep a bulk touch; return whether it is new. One that is known, seen again with more rows or fewer, keeps the larger.

    What we wrote there ourselves, an entity's rows one after the other, is none. ``offset``: the platform's clock less ours.
    """
    if _written(db, place[0], entity, touch.lo - offset - SLACK, touch.hi - offset + SLACK) * 2 >= touch.rows:
        return False
    known = standing(db).get(place, [])
    same = [one for one in known if one.lo <= touch.hi and touch.lo <= one.hi]
    if not same:
        _keep(db, place, [*known, touch])
        return True
    most = max(*same, touch, key=lambda one: one.rows)
    wide = most._replace(lo=min(one.lo for one in (*same, touch)), hi=max(one.hi for one in (*same, touch)))
    _keep(db, place, [*(one for one in known if one not in same), wide])
    return False


def _written(db: Database, platform: str, entity: str, since: int, until: int) -> int:
    """Return how many writes we sent to a platform within a time."""
    (count,) = db.execute(
        "SELECT count(*) FROM attempt WHERE platform = ? AND entity = ? AND sent_at_us BETWEEN ? AND ?",
        (platform, entity, since, until),
    ).fetchone()
    return int(count)


def withdraw(db: Database, place: Place, touch: Touch) -> None:
    """Forget a bulk touch: seen whole, it was none."""
    _keep(db, place, [one for one in standing(db).get(place, []) if not (one.lo <= touch.hi and touch.lo <= one.hi)])


def _place(name: str) -> Place:
    _, platform, collection = name.split(" ", 2)
    return platform, collection


def _keep(db: Database, place: Place, touches: list[Touch]) -> None:
    text = json.dumps(sorted(touches)[-MOST:])
    meta.put(db, f"touched {place[0]} {place[1]}", text if touches else None)
