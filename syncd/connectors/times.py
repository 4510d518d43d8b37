"""Times as platforms write them: RFC 3339 and its looser relatives, epoch seconds, milliseconds or microseconds."""

import re
from datetime import UTC, datetime, timedelta, tzinfo
from decimal import Decimal

from syncd.core.model import SECOND, Native

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_NUMBER = re.compile(r"(?![0-9]{8}$)[0-9]{1,17}(?:\.[0-9]{1,9})?")  # eight digits are a day: 20260131
_SECONDS = 10**11  # a number below is seconds (until the year 5138), below a thousand times that milliseconds


def parse_time(raw: Native, zone: tzinfo = UTC) -> int | None:
    """Return microseconds since 1970, UTC; None if this is no time. A time without an offset is in ``zone``."""
    if isinstance(raw, bool):
        return None
    if isinstance(raw, int | Decimal):
        return _of_number(raw)
    return _of_text(raw.strip(), zone) if isinstance(raw, str) else None


def _of_text(text: str, zone: tzinfo) -> int | None:
    if _NUMBER.fullmatch(text):
        return _of_number(Decimal(text))
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return ((moment if moment.tzinfo else moment.replace(tzinfo=zone)) - EPOCH) // _MICROSECOND


def _of_number(number: int | Decimal) -> int | None:
    exact = Decimal(number)
    if not exact.is_finite():
        return None
    size = abs(exact)
    if size < _SECONDS:
        return int(exact * SECOND)
    if size < _SECONDS * 1000:
        return int(exact * 1000)
    return int(exact) if size < _SECONDS * SECOND else None


def moment_of(micros: int) -> datetime:
    """Return the moment, in UTC; raises OverflowError if the calendar has no such year."""
    return EPOCH + timedelta(microseconds=micros)
