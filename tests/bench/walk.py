"""Reading everything where nothing changed: the drift report, and the sweep behind every feed, against a plain walk.

The plain walk reads the same three files side by side with ``json`` and compares the twelve fields of each record: what a
script would do that knows no rule and remembers nothing.
"""

import json
from pathlib import Path
from typing import Any

from syncd.daemon.drift_report import report_drift
from syncd.daemon.runtime import Runtime
from syncd.daemon.sweep import sweep
from tests.bench.company import KINDS, PLATFORMS, decide_all, furnish, write_lines
from tests.bench.measure import Series, timed


async def plain(folder: Path) -> None:
    """Walk the three files and compare every field."""
    files = [(folder / f"{name}.jsonl").open("rb") for name in PLATFORMS]
    for lines in zip(*files, strict=True):
        erp, *others = map(json.loads, lines)
        assert all(one[name] == erp[name] for one in others for name in KINDS)
    for file in files:
        file.close()


async def report(runtime: Runtime) -> None:
    """Make the drift report of a company in which all agree."""
    request: dict[str, Any] = {}
    answer = await report_drift(runtime, request, lambda _: None, nothing)
    assert answer["report"]["totals"]["out_of_sync"] == 0, answer["report"]["totals"]


async def nothing(_: set[int]) -> None:
    """Finish nothing: nothing is to be repaired."""


async def sweep_all(runtime: Runtime) -> None:
    """Sweep all three platforms."""
    for name in PLATFORMS:
        assert (await sweep(runtime, runtime.parts[name], "things")).complete


async def bench(folder: Path, records: int, runs: int) -> tuple[Series, Series, Series]:
    """Return the report, the sweeps and the plain walk, in records read a second; the ledger is filled already."""
    write_lines(folder, records)
    reported, swept, walked = Series(), Series(), Series()
    async with furnish(folder).runtime() as runtime:
        await sweep_all(runtime)
        await decide_all(runtime)
        for _ in range(runs):
            await timed(walked, 3 * records, lambda: plain(folder))
            await timed(swept, 3 * records, lambda: sweep_all(runtime))
            await timed(reported, 3 * records, lambda: report(runtime))
    return reported, swept, walked
