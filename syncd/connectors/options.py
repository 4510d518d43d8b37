"""Options that every connector shares: limits, write policy and the small value types of the config language.

Durations are microseconds once parsed. A connector's own models stand in its own file.
"""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated, Any, ClassVar, Literal

from cronsim import CronSim, CronSimError
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationInfo, WithJsonSchema
from pydantic_core import PydanticCustomError

OVERLAP = 5_000_000  # microseconds a poll goes back, where nothing else is said
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


def parse_size(raw: Any) -> int:
    """Return bytes of ``1MB``, ``64KB``, ``500B``; raises PydanticCustomError ``size``."""
    found = re.fullmatch(r"(\d+) ?(B|KB|MB)", str(raw))
    if not found or int(found[1]) == 0:
        raise PydanticCustomError("size", "{raw} is not a size", {"raw": f'"{raw}"'})
    return int(found[1]) * {"B": 1, "KB": 1_000, "MB": 1_000_000}[found[2]]


def parse_sweep(raw: Any) -> int | str:
    """Return microseconds of a duration, or a cron expression; raises PydanticCustomError ``duration`` or ``cron``."""
    if not isinstance(raw, str) or " " not in raw.strip():
        return parse_duration(raw)
    try:
        CronSim(raw, datetime.now(UTC))
    except CronSimError as error:
        raise PydanticCustomError("cron", "{raw} is not a cron expression", {"raw": f'"{raw}"'}) from error
    return raw


def not_yet(raw: Any, info: ValidationInfo) -> None:
    """Refuse a key that this version does not obey; raises PydanticCustomError ``later`` (E190)."""
    if raw is not None:
        raise PydanticCustomError("later", '"{key}" is not in this version', {"key": info.field_name})


Later = Annotated[None, BeforeValidator(not_yet)]
Duration = Annotated[int, BeforeValidator(parse_duration), WithJsonSchema({"type": "string", "description": "10s, 5m, 1h"})]
Rate = Annotated[float, BeforeValidator(parse_rate), WithJsonSchema({"type": "string", "description": "2/s, 100/m"})]
Size = Annotated[int, BeforeValidator(parse_size), WithJsonSchema({"type": "string", "description": "64KB, 1MB"})]
Sweep = Annotated[  # every so many microseconds, or a cron expression
    int | str, BeforeValidator(parse_sweep), WithJsonSchema({"type": "string", "description": '24h, or cron: "0 1 * * *"'})
]


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
    """How syncd writes to a platform. ``guard`` None means: version if the collection has one, else hash.

    ``drafts``: whether Sanity's drafts are written.
    """

    guard: Literal["version", "hash", "none"] | None = None
    retry: Retry = Retry()
    batch: int = Field(1, ge=1, le=1000)
    quiet_hours: str | None = Field(None, pattern=r"^\d\d:\d\d-\d\d:\d\d$")
    drafts: Literal["never", "always"] = "never"


class Poll(Options):
    """How often a platform is asked for what changed. ``cursor`` names the field to ask by, else the ``changed_at``."""

    every: Duration
    cursor: str | None = None
    overlap: Duration = OVERLAP


class Watch(Options):
    """Base of a kind's watch options: whatever can be listed is swept.

    ``REOPENED``: whether a poll beside a stream opens it anew each time; if not, the connector asks beside the open stream.
    """

    REOPENED: ClassVar[bool] = True
    sweep: Sweep | None = None


class Tls(Options):
    """Whom we trust and who we are. Files start at the config folder; ``key`` is a file or a secret that holds the PEM."""

    ca: str | None = None
    cert: str | None = None
    key: str | None = None


class CollectionOptions(Options):
    """Base of a kind's collection options. ``writable``: what may be written there, whatever a rule says; None: all.

    ``COMPOSITE``: whether an id may be several names, written as one text, ``A,B``.
    """

    COMPOSITE: ClassVar[bool] = False
    writable: list[str] | None = None


class Marker(Options):
    """How a collection marks a thing as deleted without removing it: ``{field: status, is: archived}``."""

    field: str
    value: str | int | bool = Field(alias="is")


def web_address(url: str) -> str:
    """Return the address of a service; raises ValueError if it is none."""
    if not re.match(r"https?://[^/\s]+", url):
        raise ValueError("an address starts with https:// and a host")
    return url


def reveal(text: str, secret: Callable[[str], str]) -> str:
    """Return the value of ``secret:NAME``, or a plain text as it is; raises what ``secret`` raises."""
    return secret(text.removeprefix("secret:")) if text.startswith("secret:") else text
