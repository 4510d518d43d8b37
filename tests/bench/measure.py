"""How the benches measure: interleaved runs, the median's ratio, and the disk's own speed beside it."""

import os
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path


@dataclass
class Series:
    """Figures of one variant, in runs a second (or whatever the caller counts)."""

    name: str
    figures: list[float] = field(default_factory=list)

    @property
    def median(self) -> float:
        return statistics.median(self.figures)


def rate(count: int, work: Callable[[], object]) -> float:
    """Return how many of ``count`` were done in a second."""
    start = time.perf_counter()
    work()
    return count / (time.perf_counter() - start)


def fdatasync_p50(folder: Path, times: int = 200) -> float:
    """Return the median time of a 4 KB write and fdatasync, in microseconds."""
    seen = []
    with tempfile.TemporaryFile(dir=folder) as file:
        for _ in range(times):
            os.write(file.fileno(), b"x" * 4096)
            start = time.perf_counter()
            os.fdatasync(file.fileno())
            seen.append(time.perf_counter() - start)
    return statistics.median(seen) * 1e6


def show(what: str, ours: Series, theirs: Series, *, goal: str) -> None:
    """Print one line: what we do, what the yardstick does, and the ratio."""
    ratio = ours.median / theirs.median
    print(f"{what:<58} {ours.median:>10,.0f}/s {theirs.median:>10,.0f}/s   {ratio:>6.2f}   goal {goal}")
