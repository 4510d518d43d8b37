"""How the running process stands: what ``status``, ``systemctl status``, /healthz, /readyz and /metrics are told."""

from collections.abc import Sequence
from typing import Any

from syncd.daemon.runtime import Part, Runtime
from syncd.ledger import drift, state
from syncd.ledger.schema import Database
from syncd.ledger.state import State
from syncd.ledger.texts import when


def state_of(runtime: Runtime, part: Part) -> str:
    """Return how a platform is: ok, slow (not read for long, or only by sweeps), throttled, down."""
    trouble = part.trouble
    if trouble.times:
        return "throttled" if trouble.status == 429 else "down"
    if part.refused:
        return "slow"
    late = part.read_at and runtime.now() - part.read_at > part.platform.stale_after
    return "slow" if late else "ok"


def why_of(part: Part) -> str:
    """Return what is wrong with a platform, or ''."""
    refused = (f"{collection}: no feed: {why}" for collection, why in part.refused.items())
    return part.trouble.why or next(refused, "")


async def status(runtime: Runtime, pid: int) -> dict[str, Any]:
    """Return what only the running process knows."""
    return {
        "daemon": {"running": True, "pid": pid, "since": when(runtime.began), "ready": runtime.ready.is_set()},
        "platforms": {
            name: {"state": state_of(runtime, part), "why": why_of(part) or None} for name, part in runtime.parts.items()
        },
        "attention": [text for text in runtime.troubles.values() if text],
        "listeners": runtime.listeners,
        "config_sha": runtime.config.sha,
    }


def summary(runtime: Runtime, now: State, share: float | None) -> str:
    """Return the line that ``systemctl status`` shows."""
    states = [state_of(runtime, part) for part in runtime.parts.values()]
    odd = [f"{states.count(name)} {name}" for name in ("slow", "throttled", "down") if name in states]
    platforms = ", ".join([f"{len(states)} platforms", *odd])
    records = f"{sum(now.records.values()):,} records"
    drifted = [] if share is None else [f"drift {share:.2%}"]
    stopped = [f"{len(now.breakers)} breakers open"] if now.breakers else []
    return "; ".join([platforms, records, *drifted, f"{now.open.conflicts} conflicts", f"{now.open.dead} dead", *stopped])


def drift_share(db: Database) -> float | None:
    """Return which part of the records the last report found out of sync; None without a report."""
    report = drift.last(db)
    totals = report.document.get("totals", {}) if report else {}
    return totals["out_of_sync"] / totals["records"] if totals.get("records") else None


async def status_line(runtime: Runtime) -> str:
    """Return the line that ``systemctl status`` shows now."""
    now = await runtime.store.read(state.now, runtime.now())
    return summary(runtime, now, await runtime.store.read(drift_share))


def unhealthy(runtime: Runtime) -> Sequence[str]:
    """Return why this process should be restarted, nothing if it should not."""
    return [runtime.store.broken] if runtime.store.broken else []


def unready(runtime: Runtime) -> Sequence[str]:
    """Return why this process is not ready: starting, stopping, its ledger broken. Platforms in trouble are no reason."""
    if not runtime.ready.is_set():
        return ["starting"]
    if runtime.stopping.is_set():
        return ["stopping"]
    return unhealthy(runtime)
