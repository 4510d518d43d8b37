"""Polls by time: from when a platform is asked, and up to when it has answered, both by its own clock."""

from collections.abc import Iterable
from datetime import tzinfo
from email.utils import parsedate_to_datetime

from syncd.connectors.body import pick
from syncd.connectors.http import Reply
from syncd.connectors.options import OVERLAP, Poll
from syncd.connectors.times import moment_of, parse_time
from syncd.core.model import SECOND, Change


def ask_from(cursor: str | None, poll: Poll | None, form: str) -> str:
    """Return the moment to ask from: the cursor less the overlap, as ``rfc3339``, ``epoch`` or ``epoch_ms``."""
    overlap = poll.overlap if poll else OVERLAP
    at = max((parse_time(cursor) if cursor else None) or 0, overlap) - overlap
    match form:
        case "epoch":
            return str(at // SECOND)
        case "epoch_ms":
            return str(at // 1000)
    return moment_text(at)


def time_of(change: Change, poll: Poll | None, zone: tzinfo) -> int | None:
    """Return the time by which a thing is polled: the poll's own field, else its changed_at."""
    if poll is None or poll.cursor is None:
        return change.changed_at
    return parse_time(pick(change.item, poll.cursor), zone)


def latest(times: Iterable[int | None], *, before: int | None) -> int | None:
    """Return the latest time, leaving out what lies in the platform's own future: it would hide all that comes before."""
    return max((time for time in times if time is not None and (before is None or time < before)), default=None)


def their_now(reply: Reply) -> int | None:
    """Return the end of the second in which the platform answered, by its own clock."""
    try:
        return (int(parsedate_to_datetime(reply.headers["Date"]).timestamp()) + 1) * SECOND
    except (KeyError, ValueError, TypeError, OverflowError):
        return None


def moment_text(micros: int) -> str:
    """Return a moment as RFC 3339 in UTC."""
    return moment_of(micros).isoformat().replace("+00:00", "Z")
