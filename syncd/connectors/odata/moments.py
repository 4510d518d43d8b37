"""Dates and times as OData 2 writes them, to and from ISO texts. OData 4 writes ISO itself.

``/Date(1793491200000)/`` is a moment without a zone, ``/Date(1793491200000+0060)/`` one in UTC with the minutes of the offset
it was entered in; ``PT10H05M00S`` is a time of the day. Milliseconds are all that this form holds.
"""

import re
from datetime import UTC, date, datetime, timedelta, tzinfo

from syncd.core.model import Native

_DATE = re.compile(r"/Date\((-?\d{1,15})([+-]\d{1,4})?\)/")
_TIME = re.compile(r"PT(?:(\d{1,2})H)?(?:(\d{1,2})M)?(?:(\d{1,2})(\.\d{1,9})?S)?")
_CLOCK = re.compile(r"(\d\d):(\d\d)(?::(\d\d)(\.\d{1,9})?)?")
_START = datetime(1970, 1, 1)  # noqa: DTZ001 - what is counted from it has no zone either
_MILLISECOND = timedelta(milliseconds=1)


class Unfit(ValueError):  # noqa: N818 - it is said of a value
    """A value is none of its type; the text says why."""


def moment_of_v2(text: str, *, day: bool, offset: bool) -> str:
    """Return ISO text of ``/Date(ms)/``: a day, a moment in UTC (``offset``), or one without a zone. Else the text itself."""
    found = _DATE.fullmatch(text)
    if not found:
        return text[:10] if day and re.fullmatch(r"\d{4}-\d\d-\d\dT00:00:00(\.0+)?Z?", text) else text
    try:
        moment = _START + int(found[1]) * _MILLISECOND
    except OverflowError:
        return text
    if day and moment.time() == _START.time():
        return moment.date().isoformat()
    return moment.isoformat(timespec="auto") + ("Z" if offset or found[2] else "")


def time_of_v2(text: str) -> str:
    """Return ``10:05:00`` of ``PT10H05M00S``; what is none stays as it is."""
    found = _TIME.fullmatch(text)
    if not found:
        return text
    hours, minutes, seconds, fraction = found.groups()
    return f"{int(hours or 0):02}:{int(minutes or 0):02}:{int(seconds or 0):02}{(fraction or '').rstrip('0').rstrip('.')}"


def time_to_v2(value: Native) -> str:
    """Return ``PT10H05M00S`` of a time of the day; raises Unfit."""
    found = _CLOCK.fullmatch(value) if isinstance(value, str) else None
    if not found:
        if isinstance(value, str) and _TIME.fullmatch(value):
            return value
        raise Unfit(f"{value!r} is no time of the day (10:05:00)")
    hours, minutes, seconds, fraction = found.groups()
    return f"PT{hours}H{minutes}M{seconds or '00'}{fraction or ''}S"


def read_moment(value: Native) -> datetime:
    """Return a moment, with its zone if it has one, of a native value; raises Unfit."""
    if isinstance(value, datetime):
        return value
    if isinstance(value, date):
        return datetime.combine(value, datetime.min.time())
    try:
        return datetime.fromisoformat(value)  # a day is its beginning
    except (TypeError, ValueError):
        raise Unfit(f"{value!r} is no date (2026-01-31T10:00:00)") from None


def naive_in(value: Native, zone: tzinfo) -> datetime:
    """Return a moment by the clocks of a zone, without saying so: what ``Edm.DateTime`` is; raises Unfit."""
    moment = read_moment(value)
    return moment.astimezone(zone).replace(tzinfo=None) if moment.tzinfo else moment


def in_utc(value: Native, zone: tzinfo) -> datetime:
    """Return a moment in UTC; one without a zone is in ``zone``; raises Unfit."""
    moment = read_moment(value)
    try:
        return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).astimezone(UTC)
    except OverflowError:
        raise Unfit(f"{value!r} is beyond the calendar") from None


def milliseconds(moment: datetime) -> int:
    """Return the milliseconds since 1970 of a moment without a zone; raises Unfit for what is finer."""
    count, rest = divmod(moment.replace(tzinfo=None) - _START, _MILLISECOND)
    if rest:
        raise Unfit(f"{moment.isoformat()} is finer than a millisecond, which OData 2 cannot say")
    return count
