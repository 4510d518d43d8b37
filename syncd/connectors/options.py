"""Options that every connector shares: limits, write policy and the small value types of the config language.

Durations are microseconds once parsed. A connector's own models stand in its own file.
"""

import re
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError

UNITS = {"ms": 1_000, "s": 1_000_000, "m": 60_000_000, "h": 3_600_000_000, "d": 86_400_000_000}


class Options(BaseModel):
    """Base of all options: immutable, unknown keys are refused, nothing is coerced."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, arbitrary_types_allowed=True)


def parse_duration(raw: Any) -> int:
    """Return microseconds of ``10s``, ``5m``, ``1.5h``; raises PydanticCustomError ``duration`` (E015)."""
    text = str(raw) if isinstance(raw, int | float | str) and not isinstance(raw, bool) else ""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)", text)
    if not found:
        raise PydanticCustomError("duration", "{raw} is not a duration", {"raw": f'"{raw}"'})
    return int(float(found[1]) * UNITS[found[2]])


def parse_rate(raw: Any) -> float:
    """Return requests per second of ``2/s``, ``100/m``; raises PydanticCustomError ``rate``."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)/(s|m|h|d)", str(raw))
    if not found or float(found[1]) == 0:
        raise PydanticCustomError("rate", "{raw} is not a rate", {"raw": f'"{raw}"'})
    return float(found[1]) / (UNITS[found[2]] / 1_000_000)


Duration = Annotated[int, BeforeValidator(parse_duration)]
Rate = Annotated[float, BeforeValidator(parse_rate)]


class Limits(Options):
    """How hard a platform may be used; one budget per credential, shared by polls, sweeps and writes."""

    rate: Rate | None = None
    burst: int | None = Field(None, ge=1)
    concurrency: int = Field(4, ge=1)
    daily: int | None = Field(None, ge=1)


class Retry(Options):
    """Durable back-off of one write: ``attempts`` count answers about the record only."""

    attempts: int = Field(8, ge=1)
    first: Duration = 1_000_000
    max: Duration = 300_000_000


class WritePolicy(Options):
    """How syncd writes to a platform. ``guard`` None means: version if the collection has one, else hash."""

    guard: Literal["version", "hash", "none"] | None = None
    retry: Retry = Retry()
    batch: int = Field(1, ge=1, le=1000)
    quiet_hours: str | None = Field(None, pattern=r"^\d\d:\d\d-\d\d:\d\d$")
