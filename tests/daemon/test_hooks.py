"""Webhooks: signed ones are stored before they are answered and arrive at once; forged ones are refused."""

import asyncio
import base64
import hashlib
import hmac
import time
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import orjson
import pytest

from tests.daemon.company import SECRET, SHOP, Company, company, until


@pytest.fixture
async def acme(tmp_path: Path) -> AsyncIterator[Company]:
    async with company(tmp_path) as one:
        one.write("platforms/shop.yaml", SHOP.replace("poll: {every: 100ms, overlap: 1s}", "poll: {every: 1h}"))
        yield one


def signed(number: str, body: bytes, secret: str = SECRET) -> dict[str, str]:
    moment = str(int(time.time()))
    key = base64.b64decode(secret.removeprefix("whsec_"))
    sign = base64.b64encode(hmac.digest(key, b".".join((number.encode(), moment.encode(), body)), hashlib.sha256)).decode()
    return {"webhook-id": number, "webhook-timestamp": moment, "webhook-signature": f"v1,{sign}"}


async def post(acme: Company, body: bytes, headers: dict[str, str]) -> int:
    where = (await acme.ask(do="status"))["listeners"]["hooks"]
    async with aiohttp.ClientSession() as session, session.post(f"{where}/hooks/shop", data=body, headers=headers) as answer:
        return answer.status


async def test_a_signed_webhook_arrives_at_once_and_a_forged_one_does_not(acme: Company) -> None:
    acme.stock(2)
    async with acme.running():
        await until(lambda: len(acme.in_shop()) == 2)
        await until(lambda: acme.ledger("SELECT count(*) FROM outbox") == [(0,)])
        one = acme.shop.put({"note": "told by a hook"}, acme.number("MUG-1"))
        body = orjson.dumps({"type": "product.updated", "data": {"id": int(one)}})
        assert await post(acme, body, signed("msg-1", body)) == 202
        await until(lambda: acme.sql("SELECT note FROM products WHERE sku = 'MUG-1'") == [("told by a hook",)])
        assert await post(acme, body, signed("msg-1", body)) == 200, "a repeat"
        wrong = "whsec_" + base64.b64encode(b"somebody else's").decode()
        assert await post(acme, body, signed("msg-2", body, wrong)) == 401
        assert await post(acme, body, {}) == 401
        assert await post(acme, b"{", signed("msg-3", b"{")) == 400
        old = signed("msg-4", body) | {"webhook-timestamp": str(int(time.time()) - 3600)}
        assert await post(acme, body, old) == 401
    letters = dict(acme.ledger("SELECT answer, attempts FROM dead_letter WHERE kind = 'hook'"))
    assert "the signature does not match" in letters


async def test_a_missing_secret_keeps_only_that_platform_down(acme: Company) -> None:
    acme.write("platforms/shop.yaml", SHOP.replace("secret:shop-hook", "secret:not-there"))
    acme.stock(1)
    async with acme.running():
        assert await post(acme, b"{}", {}) == 503
        await until(lambda: len(acme.in_shop()) == 1)


async def test_the_private_listener_tells_how_it_is(acme: Company) -> None:
    acme.stock(3)
    async with acme.running():
        await until(lambda: acme.ledger("SELECT count(*) FROM record") == [(3,)])
        where = (await acme.ask(do="status"))["listeners"]["console"]
        async with aiohttp.ClientSession() as session:
            for path, words in (("/healthz", "ok"), ("/readyz", "ok"), ("/metrics", 'syncd_records{entity="product"} 3.0')):
                async with session.get(where + path) as answer:
                    assert answer.status == 200
                    assert words in await answer.text()
        await asyncio.sleep(0)
