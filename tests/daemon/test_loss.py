"""Ledgers that are lost, put back, or cannot store: nothing is written on the word of a past that nobody knows."""

import asyncio
import shutil
import sqlite3
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from syncd.core.model import Write
from syncd.daemon.supervise import keep_going
from syncd.errors import LedgerError, OutcomeUnknown
from syncd.ledger import attempts, meta, proposals
from tests.daemon.test_actions import do, filled, native, read
from tests.daemon.test_serve import ask, daemon
from tests.daemon.world import World, until


async def test_a_ledger_that_was_put_back_only_proposes_until_a_repair_is_asked_for(world: World) -> None:
    await filled(world, 3)
    ledger = world.folder / "state" / "ledger.db"
    shutil.copy(ledger, world.folder / "old.db")
    world.put("erp", "1", price="13.00")
    await world.once()
    for file in ledger.parent.glob("ledger.db-*"):
        file.unlink()
    shutil.copy(world.folder / "old.db", ledger)
    world.put("erp", "2", price="14.00")
    before = world.requests("shop")
    await world.once()
    assert world.requests("shop") == before
    assert await read(world, meta.restored) is not None
    assert [one.key for one in await read(world, proposals.in_state, "open")] == ["MUG-2"]
    answer = await do(world, do="reconcile", fix=True)
    assert answer["exit"] == 0
    assert await read(world, meta.restored) is None
    await world.once()
    assert {sku: item["price"] for sku, item in world.items("shop").items()} == {
        "MUG-1": Decimal("13.00"),
        "MUG-2": Decimal("14.00"),
        "MUG-3": Decimal("12.00"),
    }


async def test_a_lost_ledger_adopts_what_is_there(world: World) -> None:
    await filled(world, 3)
    for file in (world.folder / "state").glob("ledger.db*"):
        file.unlink()
    before = world.requests("shop")
    await world.once()
    assert world.requests("shop") == before
    assert len(world.platform("shop").things["products"]) == 3


async def test_keys_never_come_back_with_another_ledger(world: World) -> None:
    await filled(world, 2)
    for file in (world.folder / "state").glob("ledger.db*"):
        file.unlink()
    world.put("erp", "1", price="13.00")
    await world.once()
    keys = [write.key for write in world.platform("shop").requests]
    assert len(keys) == len(set(keys)) == 3


async def test_a_crash_between_call_and_answer_is_found_out_at_the_start(world: World) -> None:
    await filled(world)

    def die(_: Write) -> None:
        raise asyncio.CancelledError  # what a kill looks like from inside: nothing after it runs

    world.platform("shop").after = die
    world.put("erp", "1", price="13.00")
    await world.once()
    assert [one.write.sent for one in await read(world, attempts.open_attempts)] == [{"price": "13.00"}]
    world.platform("shop").after = lambda _: None
    await world.once()
    assert await read(world, attempts.open_attempts) == []
    updates = [write.key for write in world.platform("shop").requests if write.sent == {"price": "13.00"}]
    assert len(set(updates)) == 1


async def test_a_full_disk_stops_nothing_but_storing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.shop_and_erp()
    world.put("erp", "1", sku="MUG-1", name="Mug", price="12.00", stock=3)
    full = [True]

    def limit(db: sqlite3.Connection) -> None:
        pages = db.execute("PRAGMA page_count").fetchone()[0]
        db.execute(f"PRAGMA max_page_count = {pages if full[0] else 1_000_000}")

    async with daemon(world):
        await until(lambda: "MUG-1" in world.items("shop"))
        from syncd.ledger.store import Store

        real = Store._transaction

        def small(self: Store, db: sqlite3.Connection, calls: Any) -> None:
            limit(db)
            real(self, db, calls)

        monkeypatch.setattr(Store, "_transaction", small)
        for number in range(2, 60):
            world.put("erp", str(number), sku=f"MUG-{number}", name="Mug " * 50, price="12.00", stock=3)
        await asyncio.sleep(1)
        made = len(world.items("shop"))
        assert made < 59
        assert (await ask(world, do="status"))["daemon"]["ready"], "it lives, and waits for room"
        full[0] = False
        await until(lambda: len(world.items("shop")) == 59, 30)
    assert len(world.platform("shop").things["products"]) == 59


async def test_a_broken_ledger_ends_the_loops() -> None:
    async def loop() -> None:
        raise OutcomeUnknown("whatever it was")

    with pytest.raises(LedgerError, match="the ledger failed"):
        await keep_going("loop", loop, broken=lambda: "the ledger failed")


async def test_a_loop_that_fails_starts_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("syncd.daemon.supervise.FIRST", 1000)
    failures = [RuntimeError("once"), RuntimeError("twice")]

    async def loop() -> None:
        if failures:
            raise failures.pop()

    await keep_going("loop", loop, broken=lambda: None)
    assert failures == []


async def test_one_reconcile_at_a_time(world: World, tmp_path: Path) -> None:
    await filled(world)
    async with daemon(world):
        real = world.platform("shop")
        assert native(world, "shop", "MUG-1")
        answers = await asyncio.gather(*(ask(world, do="reconcile") for _ in range(3)))
        codes = sorted(answer["exit"] for answer in answers)
        assert codes[0] == 0
        assert set(codes[1:]) <= {0, 75}
        assert real.requests
