"""The types ``date`` and ``datetime``."""

import re
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from syncd.core.basetype import Kind
from syncd.core.model import Native, Value
from syncd.core.native import DATE, MOMENT, Invalid, moment_of, moment_text, shown
from syncd.core.rules import FieldType

BASIC = re.compile(r"([Tt ].*[+-][0-9]{2})([0-9]{2})$")  # an offset without its colon, as Salesforce writes it


@dataclass(frozen=True, slots=True)
class Date(Kind):
    """An ISO date."""

    def read(self, raw: Native) -> Value:
        """Return ISO text."""
        if isinstance(raw, date) and not isinstance(raw, datetime):
            return raw.isoformat()
        if isinstance(raw, str) and DATE.fullmatch(raw):
            try:
                return date.fromisoformat(raw).isoformat()
            except ValueError:
                raise Invalid(f"{shown(raw)} is not in the calendar") from None
        raise Invalid(f"{shown(raw)} is not a date (2026-01-31)")


@dataclass(frozen=True, slots=True)
class Moment(Kind):
    """RFC 3339 (its offset also without the colon) or a database's own type.

    Naive ones are in the platform's zone, the earlier when clocks go back. What the clocks skip when they go forward was
    never the time there: Invalid.
    """

    zone: str = "UTC"
    info: ZoneInfo = field(default_factory=lambda: ZoneInfo("UTC"), compare=False)

    def read(self, raw: Native) -> Value:
        """Return RFC 3339 text in UTC."""
        moment = raw if isinstance(raw, datetime) else self._parse(raw)
        return moment_text(self._there(moment) if moment.tzinfo is None else moment)

    def _there(self, naive: datetime) -> datetime:
        """Return a moment by the clocks of the zone."""
        moment = naive.replace(tzinfo=self.info)
        try:
            back = moment.astimezone(UTC).astimezone(self.info).replace(tzinfo=None, fold=naive.fold)
        except OverflowError:
            return moment  # told by moment_text
        if back != naive:
            raise Invalid(f"{naive.isoformat(' ')} was never the time in {self.zone}: the clocks went forward")
        return moment

    def _parse(self, raw: Native) -> datetime:
        found = MOMENT.fullmatch(BASIC.sub(r"\1:\2", raw)) if isinstance(raw, str) else None
        if not found:
            raise Invalid(f"{shown(raw)} is not a date with time (2026-01-31T10:00:00Z)")
        day, clock, fraction, offset = found.groups()
        try:
            return datetime.fromisoformat(f"{day}T{clock}{fraction or ''}{(offset or '').upper()}")
        except ValueError:
            raise Invalid(f"{shown(raw)} is not in the calendar") from None

    def order(self, value: Value) -> Any:
        """Return the moment."""
        return moment_of(value)

    def at(self, zone: str, home: str = "") -> FieldType:  # noqa: ARG002 - everybody has the same moments
        """Return the type that reads naive datetimes in this zone; raises ValueError if there is none."""
        try:
            return Moment(self.name, zone, ZoneInfo(zone))
        except (LookupError, OSError, ValueError):
            raise ValueError(f'no time zone called "{zone}"') from None
