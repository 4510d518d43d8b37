"""``python -m tests.bench [RECORDS] [PART ...]``: where we stand, as ratios against something measured in the same run.

Parts: inbox, walk, hooks, shell; all without any. The processor's time is this process's own for one change, record or
request: where others use the machine it tells more than the clock.
"""

import asyncio
import sys
import tempfile
from pathlib import Path

from loguru import logger

from tests.bench import hooks, inbox, walk
from tests.bench.measure import fdatasync_p50, note, peak_mb, show

RUNS = 5
PARTS = ("inbox", "walk", "hooks")


async def main(records: int, parts: list[str]) -> None:
    """Print the table."""
    logger.remove()
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        print(f"{records:,} records on 3 platforms; {RUNS} interleaved runs; fdatasync p50 {fdatasync_p50(folder):.0f} us")
        if {"inbox", "walk"} & {*parts}:
            size = await inbox.fill_ledger(folder, records)
            note("P14 ledger bytes a record, three shadows, full history", f"{size:,.0f} B", "6000 / 2500")
        if "walk" in parts:
            reported, swept, walked = await walk.bench(folder, records, RUNS)
            show("P4  drift report, nothing changed : plain walk and parse", reported, walked, "1/4 / 1/2")
            show("    the same, sweep into the inbox", swept, walked, "-")
            note("    peak memory so far", f"{peak_mb():,.0f} MB", "200 / 100 MB")
        if "inbox" in parts:
            ours, raw, alone = await inbox.bench(folder, records, RUNS)
            show("P1  inbox to outcome : raw SQLite, same rows", ours, raw, ".40 / .60")
            show("P3  inbox to outcome : one change a transaction", ours, alone, "3 / 6")
        if "hooks" in parts:
            for connections, (ours, bare, queue) in (await hooks.bench(folder / "hooks", RUNS)).items():
                floor = ".40 / .55" if connections == 128 else ".25 / .38"
                show(f"P7  webhook durably acknowledged : bare handler, {connections} conn.", ours, bare, floor)
                show(f"P8  the same : handler that only queues, {connections} conn.", ours, queue, ".60 / .80")


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 20_000, sys.argv[2:] or [*PARTS]))
