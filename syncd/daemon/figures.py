"""The metrics as they are at the moment somebody asks: what is counted meanwhile is ``meter``'s."""

from collections.abc import Mapping
from typing import Any

from syncd.core.model import SECOND
from syncd.daemon.runtime import Runtime
from syncd.ledger import drift, state, waiting
from syncd.ledger.state import State
from syncd.ledger.texts import micros
from syncd.web.metrics import Metrics


async def figures(runtime: Runtime, metrics: Metrics) -> bytes:
    """Return the metrics as they are now."""
    now = await runtime.store.read(state.now, runtime.now())
    fill_process(runtime, metrics, now)
    fill_platforms(runtime, metrics, now)
    fill_waiting(runtime, metrics, await runtime.store.read(waiting.now))
    report = await runtime.store.read(drift.last)
    if report is not None:
        fill_drift(metrics, report.document)
    return metrics.render()


def fill_process(runtime: Runtime, metrics: Metrics, now: State) -> None:
    """Set what is about the process, its config and its ledger."""
    metrics.fill(metrics.records, {(entity,): float(count) for entity, count in now.records.items()})
    metrics.fill(metrics.breaker_open, {(f"{b.platform} {b.entity}", b.kind): 1.0 for b in now.breakers})
    metrics.fill(metrics.config_info, {(runtime.config.sha,): 1.0})
    metrics.reload_ok.set(0 if runtime.reload_failed else 1)
    metrics.reload_at.set((runtime.reloaded_at or runtime.began) / SECOND)
    path = runtime.config.ledger_path
    metrics.ledger_size.set(path.stat().st_size if path.exists() else 0)


def fill_platforms(runtime: Runtime, metrics: Metrics, now: State) -> None:
    """Set what is about each platform."""
    reads: dict[str, int] = {}
    for feed in now.feeds:
        if feed.read_at is not None:
            reads[feed.platform] = max(reads.get(feed.platform, 0), feed.read_at)
    parts, at = runtime.parts, runtime.now()
    metrics.fill(metrics.platform_up, {(name,): float(not part.trouble.times) for name, part in parts.items()})
    metrics.fill(metrics.platform_mode, {(name, part.platform.mode): 1.0 for name, part in parts.items()})
    metrics.fill(metrics.source_lag, {(name,): (at - reads[name]) / SECOND for name in parts if name in reads})
    metrics.fill(metrics.queue_depth, {(name,): float(now.outbox.get(name, 0)) for name in parts})


def fill_waiting(runtime: Runtime, metrics: Metrics, found: waiting.Waiting) -> None:
    """Set what waits; an entity or platform where nothing does has 0."""
    at, entities, parts = runtime.now(), runtime.rules.entities, runtime.parts
    counts = dict.fromkeys(entities, 0) | {name: pile.count for name, pile in found.conflicts.items()}
    metrics.fill(metrics.conflicts, {(name,): float(count) for name, count in counts.items()})
    ages = {(name,): (at - pile.oldest_us) / SECOND for name, pile in found.conflicts.items()}
    metrics.fill(metrics.conflict_oldest, ages)
    metrics.fill(metrics.pending, {(name,): float(found.changes.get(name, 0)) for name in parts})
    metrics.fill(metrics.dead, {(name, kind): float(count) for (name, kind), count in found.dead.items()})
    metrics.fill(metrics.queue_oldest, {(name,): (at - pile.oldest_us) / SECOND for name, pile in found.outbox.items()})


def fill_drift(metrics: Metrics, document: Mapping[str, Any]) -> None:
    """Set what the last drift report said; a record counts under the first of its causes."""
    entities = document.get("entities", [])
    made = (micros(document["generated_at"]) or 0) / SECOND
    metrics.fill(metrics.drift_at, {(one["entity"],): made for one in entities})
    metrics.fill(metrics.drift_complete, {(one["entity"],): float(document["complete"]) for one in entities})
    metrics.fill(
        metrics.drift_ratio, {(one["entity"],): one["out_of_sync"] / one["records"] for one in entities if one["records"]}
    )
    causes = {(one["entity"], why): float(count) for one in entities for why, count in one.get("by_why", {}).items()}
    metrics.fill(metrics.drift_records, causes)
