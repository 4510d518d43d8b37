"""How the bench measures: variants interleaved, ratios of medians, the processor's own time beside the clock's."""

import os
import resource
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path


@dataclass
class Series:
    """What the runs of one variant came to: how many a second, and how much processor time each took, in microseconds."""

    rates: list[float] = field(default_factory=list)
    costs: list[float] = field(default_factory=list)

    @property
    def rate(self) -> float:
        return statistics.median(self.rates)

    @property
    def cost(self) -> float:
        return statistics.median(self.costs)

    def add(self, count: float, seconds: float, cpu: float) -> None:
        self.rates.append(count / seconds)
        self.costs.append(cpu / count * 1e6)


async def timed(series: Series, count: int, work: Callable[[], Awaitable[object]]) -> None:
    """Add one run of ``work``, which does ``count`` of something."""
    start, cpu = time.perf_counter(), time.process_time()
    await work()
    series.add(count, time.perf_counter() - start, time.process_time() - cpu)


def fdatasync_p50(folder: Path, times: int = 200) -> float:
    """Return the median time of an fdatasync after 4 KB were written, in microseconds."""
    seen = []
    with tempfile.TemporaryFile(dir=folder) as file:
        for _ in range(times):
            os.pwrite(file.fileno(), b"x" * 4096, 0)
            start = time.perf_counter()
            os.fdatasync(file.fileno())
            seen.append(time.perf_counter() - start)
    return statistics.median(seen) * 1e6


def peak_mb() -> float:
    """Return the most memory that this process held so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def show(what: str, ours: Series, theirs: Series, goal: str) -> None:
    """Print a ratio of rates, and of processor time for each."""
    print(
        f"{what:<62} {ours.rate:>8,.0f}/s {theirs.rate:>9,.0f}/s {ours.rate / theirs.rate:>7.2f} "
        f"(cpu {theirs.cost / ours.cost:.2f})  goal {goal}",
        flush=True,
    )


def note(what: str, figure: str, goal: str) -> None:
    """Print a figure that stands alone."""
    print(f"{what:<62} {figure:<30}  goal {goal}", flush=True)
