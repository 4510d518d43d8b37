"""The keys that every machine format has: schema first, then what it rests on."""

from typing import Any, NamedTuple

from syncd import __version__
from syncd.reports.figures import stamp


class Origin(NamedTuple):
    """What an answer rests on: the config, its environment and the moment (microseconds)."""

    now: int
    environment: str | None = None
    config_sha: str | None = None


def envelope(schema: str, origin: Origin, *, complete: bool = True, **keys: Any) -> dict[str, Any]:
    """Return a machine-format dict: ``schema`` is the name with version, such as ``"syncd.status/1.0"``."""
    return {
        "schema": schema,
        "complete": complete,
        "environment": origin.environment,
        "generated_at": stamp(origin.now),
        "config_sha": origin.config_sha,
        "syncd_version": __version__,
        **keys,
    }
