"""Webhooks of a shop in a whole daemon: lost, doubled, out of order, forged, of another shop, signed with the old secret."""

import asyncio
import base64
import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from tests.connectors.servers import free_port
from tests.connectors.shopify_company import Company, company_at
from tests.daemon.test_serve import daemon
from tests.daemon.world import until

TOPICS = ("PRODUCTS_CREATE", "PRODUCTS_UPDATE", "PRODUCTS_DELETE")


@pytest.fixture
async def company(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Company]:
    monkeypatch.setenv("SYNCD_SECRET_NEW", "not-yet-used")
    monkeypatch.setenv("SYNCD_SECRET_OLD", "hush")
    async with company_at(tmp_path, monkeypatch) as made:
        for number, sku in enumerate(("MUG-1", "LAMP-3")):
            made.world.put("erp", str(number), sku=sku, name=sku.title(), price="12.00", stock=3)
        yield made


async def listening(company: Company, *, poll: str = "1h") -> str:
    """Have the daemon listen, with both secrets of a rotation, and the shop call it; return where."""
    port = free_port()
    file = company.world.folder / "config/syncd.yaml"
    file.write_text(file.read_text().replace("127.0.0.1:0", f"127.0.0.1:{port}", 1))
    verify = "{scheme: shopify-hmac, secret: [secret:new, secret:old]}"
    company.platform(watch=f"{{webhook: {{path: /hooks/shopify, verify: {verify}}}, poll: {{every: {poll}}}, sweep: 6h}}")
    url = f"http://127.0.0.1:{port}/hooks/shopify"
    for topic in TOPICS:
        company.shop.hand.subscribe(topic, url)
    return url


def titled(company: Company, sku: str) -> tuple[str, str]:
    [found] = [one for one in company.products if one["_variants"][0]["_item"]["sku"] == sku]
    return found["id"], found["title"]


def both(company: Company) -> bool:
    return len(company.products) == 2 and all(outcome for _, outcome in company.attempts())


async def test_strays_are_put_back_whether_webhooks_double_or_change_places(company: Company) -> None:
    await listening(company)
    courier, shop = company.shop.emulator.courier, company.shop
    async with daemon(company.world):
        await until(lambda: both(company))
        await courier.settled()
        courier.double(1)
        courier.reorder(3)
        for sku in ("MUG-1", "LAMP-3", "MUG-1"):
            shop.hand.edit(titled(company, sku)[0], title="MINE!")
        await until(lambda: titled(company, "MUG-1")[1] == "Mug-1" and titled(company, "LAMP-3")[1] == "Lamp-3")
        await courier.settled()
        assert {status for one in courier.sent for status in one.statuses} <= {200, 202}
        written = shop.emulator.writes
        await asyncio.sleep(0.5)
        assert shop.emulator.writes == written, "our own webhooks end there"
        assert written == len(company.attempts())


async def test_a_lost_webhook_is_found_by_the_poll(company: Company) -> None:
    await listening(company, poll="100ms")
    async with daemon(company.world):
        await until(lambda: both(company))
        await company.shop.emulator.courier.settled()
        company.shop.emulator.courier.lose(9)
        company.shop.hand.edit(titled(company, "MUG-1")[0], title="MINE!")
        await until(lambda: titled(company, "MUG-1")[1] == "Mug-1")


async def test_what_is_deleted_in_the_shop_is_made_again_once_its_webhook_comes(company: Company) -> None:
    await listening(company)
    async with daemon(company.world):
        await until(lambda: both(company))
        gone = titled(company, "MUG-1")[0]
        company.shop.hand.remove(gone)
        await until(lambda: both(company))
        assert titled(company, "MUG-1")[0] != gone


@pytest.mark.parametrize("how", ["forged", "of another shop", "unsigned", "a delete that is not true"])
async def test_what_does_not_come_from_the_shop_changes_nothing(company: Company, how: str) -> None:
    url = await listening(company)
    async with daemon(company.world):
        await until(lambda: both(company))
        one = titled(company, "MUG-1")[0]
        body = json.dumps({"id": int(one.rpartition("/")[2])}).encode()
        secret = b"guess" if how == "forged" else b"hush"
        headers = {
            "X-Shopify-Topic": "products/delete",
            "X-Shopify-Shop-Domain": "evil.myshopify.com" if how == "of another shop" else company.shop.emulator.shop.domain,
            "X-Shopify-Hmac-SHA256": base64.b64encode(hmac.digest(secret, body, hashlib.sha256)).decode(),
            "X-Shopify-Event-Id": "e-1",
        }
        if how == "unsigned":
            del headers["X-Shopify-Hmac-SHA256"]
        written = company.shop.emulator.writes
        async with aiohttp.ClientSession() as session, session.post(url, data=body, headers=headers) as answer:
            status = answer.status
        await asyncio.sleep(0.5)
        assert (company.shop.emulator.writes, titled(company, "MUG-1")[0]) == (written, one)
        assert status == {"forged": 401, "unsigned": 401, "of another shop": 400}.get(how, 202), how
