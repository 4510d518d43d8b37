"""What Prometheus sees. Names and labels are an interface: they are added to, not changed. No ids in labels."""

import sys
from collections.abc import Mapping
from typing import TypeVar

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    GCCollector,
    Histogram,
    ProcessCollector,
    generate_latest,
)

from syncd import __version__

Labels = TypeVar("Labels", bound=tuple[str, ...])

CALLS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
LONG = (0.1, 1.0, 10.0, 60.0, 300.0, 1800.0, 3600.0)


class Metrics:
    """All metrics of one process, in a registry of their own. The daemon counts on the attributes."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        GCCollector(registry=self.registry)
        self._config()
        self._platforms()
        self._path()
        self._open()
        self._process()

    def _gauge(self, name: str, text: str, *labels: str) -> Gauge:
        return Gauge(f"syncd_{name}", text, labels, registry=self.registry)

    def _counter(self, name: str, text: str, *labels: str) -> Counter:
        return Counter(f"syncd_{name}", text, labels, registry=self.registry)

    def _histogram(self, name: str, text: str, *labels: str, buckets: tuple[float, ...]) -> Histogram:
        return Histogram(f"syncd_{name}", text, labels, registry=self.registry, buckets=buckets)

    def _config(self) -> None:
        build = self._gauge("build_info", "Version of syncd and of Python.", "version", "python")
        build.labels(__version__, ".".join(map(str, sys.version_info[:3]))).set(1)
        self.reload_ok = self._gauge("config_last_reload_successful", "1 if the last load of the config worked.")
        self.reload_at = self._gauge("config_last_reload_success_timestamp_seconds", "When a config was last loaded.")
        self.config_info = self._gauge("config_info", "The config that is obeyed.", "sha")

    def _platforms(self) -> None:
        self.platform_up = self._gauge("platform_up", "1 if the platform answered when last asked.", "platform")
        self.platform_mode = self._gauge("platform_mode", "1 for the mode a platform is in.", "platform", "mode")
        self.source_lag = self._gauge("source_lag_seconds", "Since the last successful read.", "platform")
        self.last_sweep = self._gauge("last_sweep_timestamp_seconds", "End of the last complete sweep.", "platform")
        self.sweep_duration = self._histogram("sweep_duration_seconds", "Sweeps.", "platform", buckets=LONG)
        self.queue_depth = self._gauge("write_queue_depth", "Records the platform is behind on.", "platform")
        self.queue_oldest = self._gauge("write_queue_oldest_seconds", "Age of the oldest of them.", "platform")

    def _path(self) -> None:
        self.events = self._counter("events_received_total", "Observations stored in the inbox.", "platform", "via")
        self.duplicates = self._counter("events_duplicate_total", "Events that were known already.", "platform")
        self.hooks_rejected = self._counter("hook_rejected_total", "Webhooks refused.", "platform", "reason")
        self.writes = self._counter("writes_total", "Writes sent.", "platform", "entity", "op", "outcome")
        self.write_duration = self._histogram("write_duration_seconds", "Writes.", "platform", buckets=CALLS)

    def _open(self) -> None:
        self.records = self._gauge("records", "Living records.", "entity")
        self.drift_records = self._gauge("drift_records", "Records of the last drift report.", "entity", "why")
        self.drift_ratio = self._gauge("drift_ratio", "Part of the records that is out of sync.", "entity")
        self.drift_at = self._gauge("drift_report_timestamp_seconds", "When the last drift report was made.", "entity")
        self.drift_complete = self._gauge("drift_report_complete", "1 if it could read every platform.", "entity")
        self.conflicts = self._gauge("conflicts_open", "Conflicts that wait for a person.", "entity")
        self.conflict_oldest = self._gauge("conflict_oldest_seconds", "Age of the oldest of them.", "entity")
        self.pending = self._gauge("changes_pending_approval", "Proposed changes.", "platform")
        self.dead = self._gauge("dead_letters", "Open dead letters.", "platform", "cause")
        self.breaker_open = self._gauge("breaker_open", "1 for a breaker that stopped writes.", "scope", "kind")
        self.breaker_trips = self._counter("breaker_trips_total", "Breakers tripped.", "scope", "kind")

    def _process(self) -> None:
        self.ledger_size = self._gauge("ledger_size_bytes", "Size of the ledger's file.")
        self.watchdog_pings = self._counter("watchdog_pings_total", "Pings sent to systemd's watchdog.")

    def fill(self, gauge: Gauge, values: Mapping[Labels, float]) -> None:
        """Set a gauge to exactly these label values: those that are no more disappear."""
        gauge.clear()
        for labels, figure in values.items():
            gauge.labels(*labels).set(figure)

    def render(self) -> bytes:
        """Return everything in the text format."""
        return generate_latest(self.registry)
