"""syncd as a process of its own, against a REST shop and an ERP in SQLite: edits, conflicts, crashes, stops."""

import asyncio
import signal
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.connectors.shop import AFTER, BEFORE, hang_up, says, sleep_long
from tests.daemon.company import Company, company, until


@pytest.fixture
async def acme(tmp_path: Path) -> AsyncIterator[Company]:
    async with company(tmp_path) as one:
        yield one


async def test_first_fill_edits_stray_edit_and_quiet(acme: Company) -> None:
    acme.stock(12)
    async with acme.running() as process:
        await until(lambda: len(acme.in_shop()) == 12)
        acme.sql("UPDATE products SET price = '12.50' WHERE sku = 'MUG-1'")
        await until(lambda: acme.in_shop()["MUG-1"]["price"] == "12.50")
        acme.shop.put({"note": "dishwasher safe"}, acme.number("MUG-2"))
        await until(lambda: acme.sql("SELECT note FROM products WHERE sku = 'MUG-2'") == [("dishwasher safe",)])
        acme.shop.put({"price": "1.00"}, acme.number("MUG-3"))
        await until(lambda: acme.in_shop()["MUG-3"]["price"] == "10.00")
        await until(lambda: acme.ledger("SELECT count(*) FROM outbox") == [(0,)])
        writes = acme.shop.writes
        await asyncio.sleep(1)
        assert acme.shop.writes == writes, "once quiet nothing is written"
        process.send_signal(signal.SIGTERM)
        assert await process.wait() == 0
    attempts = acme.ledger("SELECT count(*) FROM attempt WHERE platform = 'shop'")
    assert attempts == [(acme.shop.writes,)], "requests on the wire are attempts in the ledger"
    assert len(acme.shop.things) == 12


async def test_killed_in_the_middle_and_started_again(acme: Company) -> None:
    acme.stock(30)
    for sent in (3, 13):
        process = await acme.start()
        await until(lambda want=sent: acme.shop.writes >= want, 60)
        process.kill()
        await process.wait()
    acme.sql("UPDATE products SET price = '11.00' WHERE id <= 4")
    assert await acme.command("run", "--once") == 0
    assert len(acme.shop.things) == 30, "no twins"
    assert sorted(acme.in_shop()) == sorted(f"MUG-{n}" for n in range(1, 31)), "nothing lost"
    assert [acme.in_shop()[f"MUG-{n}"]["price"] for n in (1, 4, 5)] == ["11.00", "11.00", "10.00"]
    writes = acme.shop.writes
    assert await acme.command("run", "--once") == 0
    assert acme.shop.writes == writes
    assert acme.ledger("SELECT count(*) FROM attempt WHERE outcome IS NULL") == [(0,)]


async def test_faults_of_the_shop(acme: Company) -> None:
    acme.stock(6)
    throttled = says(429, Retry_After="1")
    acme.shop.faults = [(BEFORE, says(200, "<html>busy</html>")), (BEFORE, says(500)), (BEFORE, throttled)]
    async with acme.running():
        await until(lambda: len(acme.in_shop()) == 6)
        acme.shop.faults = [(AFTER, hang_up), (AFTER, says(502)), (BEFORE, says(503))] * 2
        for number in range(7, 11):
            acme.sql("INSERT INTO products (sku, name, price) VALUES (?, 'New', '10.00')", f"MUG-{number}")
        await until(lambda: len(acme.in_shop()) == 10)
        await until(lambda: acme.ledger("SELECT count(*) FROM outbox") == [(0,)])
    assert len(acme.shop.things) == 10, "an answer that was lost makes no second one"


async def test_a_shop_that_hangs_does_not_block_the_stop(acme: Company) -> None:
    acme.stock(3)
    async with acme.running() as process:
        await until(lambda: len(acme.in_shop()) == 3)
        acme.shop.faults = [(BEFORE, sleep_long)] * 50
        acme.sql("UPDATE products SET price = '12.50'")
        await asyncio.sleep(0.5)
        began = time.monotonic()
        process.send_signal(signal.SIGTERM)
        assert await process.wait() == 0
        assert time.monotonic() - began < 10
    acme.shop.faults = []
    assert await acme.command("run", "--once") == 0
    assert {thing["price"] for thing in acme.in_shop().values()} == {"12.50"}
    assert len(acme.shop.things) == 3


async def test_a_second_syncd_exits_75(acme: Company) -> None:
    async with acme.running() as process:
        assert await acme.command("run") == 75
        assert f"in use by process {process.pid}" in acme.log


async def test_a_bad_import_is_stopped_and_let_go(acme: Company) -> None:
    acme.stock(60)
    async with acme.running():
        await until(lambda: len(acme.in_shop()) == 60)
        await until(lambda: acme.ledger("SELECT count(*) FROM outbox") == [(0,)])
        acme.sql("UPDATE products SET price = '100.00'")
        await until(lambda: acme.ledger("SELECT count(*) FROM breaker WHERE reset_us IS NULL") == [(1,)])
        await asyncio.sleep(0.3)
        assert {thing["price"] for thing in acme.in_shop().values()} == {"10.00"}, "not one was written"
        answer = await acme.ask(
            do="breaker_reset", platform="shop", entity="product", note="it is right", allow=60, for_us=3_600_000_000
        )
        assert (answer["ok"], answer["exit"]) == (True, 0)
        assert {thing["price"] for thing in acme.in_shop().values()} == {"100.00"}


async def test_a_bad_import_that_was_taken_back_is_no_reason_to_trip_again(acme: Company) -> None:
    acme.stock(60)
    async with acme.running():
        await until(lambda: len(acme.in_shop()) == 60)
        await until(lambda: acme.ledger("SELECT count(*) FROM outbox") == [(0,)])
        acme.sql("UPDATE products SET price = '100.00'")
        await until(lambda: acme.ledger("SELECT count(*) FROM breaker WHERE reset_us IS NULL") == [(1,)])
        acme.sql("UPDATE products SET price = '10.00'")
        back = """SELECT count(*) FROM version WHERE fields LIKE '%["100.00","10.00"%'"""
        await until(lambda: acme.ledger(back) == [(60,)])
        answer = await acme.ask(do="breaker_reset", platform="shop", entity="product", note="taken back")
        assert (answer["exit"], answer["lines"]) == (0, [])
        assert acme.ledger("SELECT count(*) FROM outbox") == [(0,)]


async def test_reload_of_a_broken_config_is_refused(acme: Company) -> None:
    async with acme.running() as process:
        acme.write("entities/product.yaml", "entity: product\nin: {}\n")
        assert await acme.command("reload") == 78
        process.send_signal(signal.SIGHUP)
        await until(lambda: acme.log.count("reload.failed") >= 2)
        assert process.returncode is None


async def test_a_second_signal_stops_at_once(acme: Company) -> None:
    acme.stock(1)
    async with acme.running() as process:
        await until(lambda: len(acme.in_shop()) == 1)
        acme.shop.faults = [(BEFORE, sleep_long)] * 50
        acme.sql("UPDATE products SET price = '12.50'")
        await asyncio.sleep(0.5)
        process.send_signal(signal.SIGTERM)
        await asyncio.sleep(0.3)
        process.send_signal(signal.SIGTERM)
        assert await process.wait() == 1
    acme.shop.faults = []
    assert await acme.command("run", "--once") == 0
