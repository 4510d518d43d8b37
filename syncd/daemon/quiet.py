"""Hours in which a platform is not written to."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from syncd.core.model import SECOND


def quiet_until(hours: str | None, zone: str, now: int) -> int | None:
    """Return when the quiet hours end that hold now (``08:00-09:00`` in the time zone of syncd.yaml), else None."""
    if hours is None:
        return None
    here = datetime.fromtimestamp(now / SECOND, ZoneInfo(zone))
    start, end = (minutes(text) for text in hours.split("-"))
    at = here.hour * 60 + here.minute
    inside = start <= at < end if start <= end else at >= start or at < end
    if not inside:
        return None
    over = here.replace(hour=end // 60 % 24, minute=end % 60, second=0, microsecond=0)
    if over <= here:
        over += timedelta(days=1)
    return int(over.timestamp() * SECOND)


def minutes(text: str) -> int:
    """Return the minute of the day of ``08:30``."""
    hour, minute = text.split(":")
    return int(hour) * 60 + int(minute)
