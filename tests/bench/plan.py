"""``python -m tests.bench.plan [RECORDS]``: a plan of an edit over the whole ledger, against a plain load of its records.

Three edits of one field: one that moves nothing, one that moves every tenth record, one that moves all on all platforms.
Interleaved, median of three; the ratio is of processor time: how many plain loads a plan costs.
"""

import asyncio
import random
import sys
import tempfile
from functools import partial
from pathlib import Path

from loguru import logger

from syncd.config.model import Config
from syncd.core.rules import Rules
from syncd.daemon.foresee import batches, foresee
from syncd.daemon.runtime import Runtime
from syncd.daemon.scene import Scene
from syncd.ledger import records
from syncd.ledger.reading import read_only
from syncd.ledger.schema import Database
from tests.bench.company import NOW, PAGE, decide_all, fill, furnish, looks, offer, settle
from tests.bench.measure import Series, peak_mb, timed
from tests.daemon.world import World

RUNS = 3
FILE = "entities/product.yaml"
OWNER = "type: decimal(2), truth: erp"
EDITS = {
    "nothing moves": "type: decimal(2), truth: {priority: [erp, shop]}",
    "1 of 10 moves": "type: decimal(2), truth: shop",
    "every record moves": 'type: decimal(2), truth: {const: "9.00"}',
}


async def everything(db: Database, rules: Rules) -> None:
    """Load every record as it is loaded to be decided."""
    scene = Scene(rules, NOW, iter(range(10)).__next__, "bench")
    for batch in batches(db, "product"):
        records.load(db, scene.space(), records=batch)


async def furnished(folder: Path, count: int) -> tuple[Config, dict[str, Config]]:
    """Fill a ledger in which a shop says another price of every tenth product; return its config, and those of the edits."""
    world: World = furnish(folder)
    file = folder / "config" / FILE
    world.write(FILE, file.read_text().replace(OWNER, f"stray_edits: keep, {OWNER}"))
    async with world.runtime() as runtime:
        await fill(runtime, count)
        await disagree(runtime, count)
    old = world.config()
    text = file.read_text()
    edits = {}
    for name, rule in EDITS.items():
        world.write(FILE, text.replace(OWNER, rule))
        edits[name] = world.config()
    return old, edits


async def disagree(runtime: Runtime, count: int) -> None:
    """Have the shop say another price of every tenth product, which the owner's word stands against."""
    tenth = random.Random(1).sample(range(count), count // 10)
    for start in range(0, len(tenth), PAGE):
        await offer(runtime, looks("shop", tenth[start : start + PAGE], "11.00", 2, runtime.number()))
        await decide_all(runtime)
    await runtime.store.write(settle)


async def bench(folder: Path, count: int) -> None:
    """Print what a plan of each edit costs."""
    old, edits = await furnished(folder, count)
    with read_only(old.ledger_path) as db:
        plain, planned = Series(), {name: Series() for name in edits}
        for _ in range(RUNS):
            await timed(plain, count, partial(everything, db, old.rules))
            for name, new in edits.items():
                await timed(planned[name], count, partial(looked, db, (old.rules, new.rules)))
    print(f"{'a plain load':<30} {plain.rate:>9,.0f} records/s {plain.cost * count / 1e6:>8.2f} s")
    for name, series in planned.items():
        ratio = series.cost / plain.cost
        print(f"{name:<30} {series.rate:>9,.0f} records/s {series.cost * count / 1e6:>8.2f} s  {ratio:.2f} loads")
    print(f"peak memory {peak_mb():,.0f} MB")


async def looked(db: Database, rules: tuple[Rules, Rules]) -> None:
    """Foresee an edit."""
    foresee(db, rules, now=NOW, take=nothing)


def nothing(_: object) -> None:
    """Keep nothing."""


if __name__ == "__main__":
    logger.remove()
    with tempfile.TemporaryDirectory() as made:
        asyncio.run(bench(Path(made), int(sys.argv[1]) if len(sys.argv) > 1 else 10_000))
