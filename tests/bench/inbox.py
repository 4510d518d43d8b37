"""From the inbox to the committed outcome, against raw SQLite writing the very same rows into a copy of the same file.

The ledger holds N products on three platforms; then the ERP changes the price of each. The rows that deciding wrote are read
back and written again, batch by batch, into a copy of the file from before: that is what the disk alone costs.
"""

import asyncio
import shutil
import sqlite3
import time
from itertools import count
from pathlib import Path

from syncd.core.equality import parse_equality
from syncd.core.model import Abilities, Change, Via
from syncd.core.rules import Entity, Field, FieldMap, Match, Member, Rules, Truth
from syncd.core.values import parse_type
from syncd.daemon.judge import judge
from syncd.daemon.scene import Scene
from syncd.ledger import inbox, store
from syncd.ledger.opening import SETTINGS
from syncd.ledger.store import Store
from tests.bench.measure import Series, rate

PLATFORMS = ("erp", "shop", "cms")
TEXTS = ("name", "color", "size", "brand", "material", "origin", "care", "season")
BATCH = 500
NOW = 1_790_000_000_000_000


def rules() -> Rules:
    """Twelve fields on three platforms: the ERP decides, the others follow."""
    kinds = {"sku": "string", **dict.fromkeys(TEXTS, "string"), "price": "decimal(2)", "stock": "integer", "note": "text"}
    exact = parse_equality("exact")
    fields = {
        name: Field(name, parse_type(kind), Truth("owner", ("erp",)), {p: FieldMap(name, (name,)) for p in PLATFORMS}, exact)
        for name, kind in kinds.items()
    }
    able = Abilities(guard=True, ordered=True, answers=True)
    members = {p: Member(p, "things", able, mode="enforce", create=True, unmatched="create", guard="version") for p in PLATFORMS}
    by_sku = Match(("sku",), lambda value: value, text="sku")
    return Rules("0000000", {"product": Entity("product", "sku", fields, members, (by_sku,))})


def item(number: int, price: str) -> dict[str, object]:
    texts = {name: f"{name} of product {number}" for name in TEXTS}
    return {"sku": f"SKU-{number:07}", **texts, "price": price, "stock": number % 90, "note": "A longer text. " * 20}


def looks(platform: str, numbers: range, price: str, version: int, numbered: "count[int]") -> list[Change]:
    return [
        Change(platform, "things", f"{platform}-{n}", Via.READ, next(numbered), NOW, item(n, price), version=version, changed_at=NOW)
        for n in numbers
    ]


async def offer(ledger: Store, scene: Scene, platform: str, changes: list[Change]) -> None:
    for start in range(0, len(changes), BATCH):
        await ledger.write(inbox.add, platform, "things", changes[start : start + BATCH], now=scene.now)


async def decide_all(ledger: Store, scene: Scene) -> None:
    while (await ledger.write(judge, scene, limit=BATCH)).rows:
        pass


async def prepare(path: Path, records: int) -> None:
    """Make a ledger of so many products on three platforms."""
    async with store.open(path, now=NOW) as ledger:
        scene = Scene(rules(), NOW, ledger.number, ledger.epoch)
        for platform in PLATFORMS:
            numbered = iter(ledger.number, None)
            await offer(ledger, scene, platform, looks(platform, range(records), "10.00", 1, numbered))  # type: ignore[arg-type]
            await decide_all(ledger, scene)
        await ledger.write(lambda db: db.execute("DELETE FROM outbox"))


async def ours(path: Path, changed: int) -> float:
    """Return changes a second from the inbox to the commit."""
    async with store.open(path, now=NOW) as ledger:
        scene = Scene(rules(), NOW, ledger.number, ledger.epoch)
        await offer(ledger, scene, "erp", looks("erp", range(changed), "11.00", 2, iter(ledger.number, None)))  # type: ignore[arg-type]
        start = time.perf_counter()
        await decide_all(ledger, scene)
        return changed / (time.perf_counter() - start)


def rows_written(before: Path, after: Path) -> list[tuple[str, list[tuple[object, ...]]]]:
    """Return the statements and rows that turn one file into the other, table by table."""
    with sqlite3.connect(after) as db:
        db.execute("ATTACH ? AS old", (str(before),))
        found = []
        for table in ("record", "shadow", "seen", "version", "decision", "outbox"):
            rows = db.execute(f"SELECT * FROM main.{table} EXCEPT SELECT * FROM old.{table}").fetchall()
            if rows:
                found.append((f"INSERT OR REPLACE INTO {table} VALUES ({', '.join('?' * len(rows[0]))})", rows))
    db.close()
    return found


def raw(path: Path, tables: list[tuple[str, list[tuple[object, ...]]]], changed: int) -> float:
    """Return changes a second of SQLite alone: the same rows, the same batches, the same settings."""
    db = sqlite3.connect(path, isolation_level=None)
    for setting in SETTINGS:
        db.execute(setting).fetchall()
    db.execute("PRAGMA recursive_triggers = OFF")
    batches = -(-changed // BATCH)

    def write() -> None:
        for number in range(batches):
            db.execute("BEGIN IMMEDIATE")
            for statement, rows in tables:
                size = -(-len(rows) // batches)
                db.executemany(statement, rows[number * size : (number + 1) * size])
            db.execute("COMMIT")

    figure = rate(changed, write)
    db.close()
    return figure


def run(folder: Path, records: int, changed: int, runs: int) -> tuple[Series, Series]:
    base = folder / "base.db"
    asyncio.run(prepare(base, records))
    decided, written = Series("inbox to outcome"), Series("raw SQLite, same rows")
    for number in range(runs):
        mine, theirs = folder / f"ours-{number}.db", folder / f"raw-{number}.db"
        for path in (mine, theirs):
            shutil.copy(base, path)
            shutil.copy(f"{base}.stamp", f"{path}.stamp") if Path(f"{base}.stamp").exists() else None
        decided.figures.append(asyncio.run(ours(mine, changed)))
        written.figures.append(raw(theirs, rows_written(base, mine), changed))
        for path in folder.glob(f"*-{number}.db*"):
            path.unlink()
    return decided, written
