"""What is counted while syncd runs. A process without listeners counts nothing."""

from syncd.daemon.settle import Settled
from syncd.daemon.weigh import Trip
from syncd.web.metrics import Metrics

WORDS = {"done": "ok", "stale": "guard_lost", "refused": "refused", "later": "failed"}


class Meter:
    """Counts nothing."""

    def received(self, platform: str, via: str, stored: int, repeats: int) -> None:
        """Count observations stored, and those that were known already."""

    def rejected(self, platform: str, reason: str) -> None:
        """Count a webhook that was refused."""

    def wrote(self, settled: Settled) -> None:
        """Count a write by its outcome."""

    def tripped(self, trip: Trip) -> None:
        """Count a breaker."""

    def swept(self, platform: str, micros: int, ended_at: int, *, complete: bool) -> None:
        """Count a sweep."""

    def pinged(self) -> None:
        """Count a ping to the watchdog."""


class Counting(Meter):
    """Counts into the metrics that the private listener shows."""

    def __init__(self, metrics: Metrics) -> None:
        self.metrics = metrics

    def received(self, platform: str, via: str, stored: int, repeats: int) -> None:
        """Count observations stored, and those that were known already."""
        self.metrics.events.labels(platform, via).inc(stored)
        self.metrics.duplicates.labels(platform).inc(repeats)

    def rejected(self, platform: str, reason: str) -> None:
        """Count a webhook that was refused."""
        self.metrics.hooks_rejected.labels(platform, reason).inc()

    def wrote(self, settled: Settled) -> None:
        """Count a write by its outcome."""
        sending = settled.outcome.sending
        write = sending.attempt.write
        self.metrics.writes.labels(write.platform, sending.entity, str(write.op), WORDS.get(settled.how, settled.how)).inc()
        self.metrics.write_duration.labels(write.platform).observe(settled.outcome.micros / 1_000_000)

    def tripped(self, trip: Trip) -> None:
        """Count a breaker."""
        self.metrics.breaker_trips.labels(f"{trip.platform} {trip.entity}", trip.kind).inc()

    def swept(self, platform: str, micros: int, ended_at: int, *, complete: bool) -> None:
        """Count a sweep."""
        self.metrics.sweep_duration.labels(platform).observe(micros / 1_000_000)
        if complete:
            self.metrics.last_sweep.labels(platform).set(ended_at / 1_000_000)

    def pinged(self) -> None:
        """Count a ping to the watchdog."""
        self.metrics.watchdog_pings.inc()
