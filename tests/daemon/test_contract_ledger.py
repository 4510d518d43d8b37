"""The contract on the ledger under the daemon: nothing is acknowledged without a commit, also when the disk is full."""

import asyncio
import resource
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import aiohttp
import orjson
import pytest

from tests.daemon.company import SHOP, Company, company, until
from tests.daemon.test_hooks import post, signed


@pytest.fixture
async def acme(tmp_path: Path) -> AsyncIterator[Company]:
    async with company(tmp_path) as one:
        one.write("platforms/shop.yaml", SHOP.replace("poll: {every: 100ms, overlap: 1s}", "poll: {every: 1h}"))
        yield one


def cap(pid: int, size: int) -> None:
    """Let no file of a process grow beyond a size."""
    hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)[1]
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (size, hard))


async def test_a_full_disk_acknowledges_no_webhook_and_loses_none(acme: Company) -> None:
    acme.stock(1)
    one = ""
    async with acme.running() as process:
        await until(lambda: len(acme.in_shop()) == 1)
        await until(lambda: acme.ledger("SELECT count(*) FROM outbox") == [(0,)])
        one = acme.shop.put({"note": "told by a hook"}, acme.number("MUG-1"))
        where = (await acme.ask(do="status"))["listeners"]["hooks"]
        cap(process.pid, 1)
        body = orjson.dumps({"type": "product.updated", "data": {"id": int(one)}})
        status = 0
        with suppress(aiohttp.ClientError):
            async with (
                aiohttp.ClientSession() as session,
                session.post(f"{where}/hooks/shop", data=body, headers=signed("msg-1", body)) as answer,
            ):
                status = answer.status
        assert status in (0, 503), "not committed, so not acknowledged"
        cap(process.pid, resource.RLIM_INFINITY)
        if process.returncode is None:
            await asyncio.sleep(0.2)
    assert acme.ledger("SELECT count(*) FROM inbox WHERE event_id = 'msg-1'") == [(0,)]
    assert acme.sql("SELECT note FROM products WHERE sku = 'MUG-1'") == [(None,)]
    async with acme.running():
        assert await post(acme, body, signed("msg-1", body)) == 202, "sent again, it is stored"
        await until(lambda: acme.sql("SELECT note FROM products WHERE sku = 'MUG-1'") == [("told by a hook",)])
