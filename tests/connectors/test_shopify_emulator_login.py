"""Logins, scopes, points and everything that may go wrong on the way to the emulated shop."""

import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from syncd.connectors.protocol import Connector, Page
from syncd.errors import ConnectorError, OutcomeUnknown, PermanentError, TransientError
from tests.connectors.shopify_world import ServedShop, all_of, applied, news, planned, served_shop
from tests.emulators.shopify.__main__ import filled
from tests.emulators.shopify.cost import Bucket

OAUTH = {"oauth": {"client_id": "client", "client_secret": "hush"}, "timeout": "5s"}


@pytest.fixture
async def shop() -> AsyncIterator[ServedShop]:
    async with served_shop() as made:
        yield made


def kept(folder: Path) -> tuple[str, int]:
    """Return the refresh token that is kept, and the rights of its file."""
    [file] = list(folder.iterdir())
    return str(json.loads(file.read_text())["refresh_token"]), file.stat().st_mode & 0o777


# -- tokens


async def test_a_token_of_client_credentials_is_fetched_once_for_all(shop: ServedShop):
    filled(shop.emulator, 300, 1)
    async with shop.connected("Product", "title", connection=OAUTH) as connector:
        await all_of(connector)
        await news(connector, None)
    assert shop.emulator.logins.issued == 1
    assert shop.emulator.logins.refused == []


async def test_a_token_that_ends_in_mid_run_is_replaced_and_nothing_is_lost(shop: ServedShop):
    filled(shop.emulator, 600, 1)
    async with shop.connected("Product", "title", connection=OAUTH) as connector:
        found: list[str] = []
        async for page in connector.scan("things"):
            found += [change.id for change in page.changes]
            if len(found) < 300:
                shop.emulator.logins.expire()
        assert len(found) == len(set(found)) == 600
        write = await planned(connector, found[0], title="New")
        shop.emulator.logins.expire()
        outcome = await applied(connector, write)
        if isinstance(outcome, TransientError):  # a 401 did nothing: the attempt is over, the next one has a token
            assert not outcome.about_record
            outcome = await applied(connector, write)
        assert not isinstance(outcome, ConnectorError), outcome
    assert shop.emulator.shop.of["Product"][found[0]]["title"] == "New"
    assert shop.emulator.logins.issued >= 3


async def test_a_token_is_renewed_before_it_ends(shop: ServedShop):
    shop.emulator.logins.lifetime = 30
    shop.hand.product(title="P")
    async with shop.connected("Product", "title", connection=OAUTH) as connector:
        await all_of(connector)
        await all_of(connector)
    assert shop.emulator.logins.refused == [], "it never showed one that had ended"


async def test_refresh_tokens_rotate_and_the_new_one_outlives_a_restart(shop: ServedShop, tmp_path: Path):
    shop.hand.product(title="P")
    logins = shop.emulator.logins
    oauth = {"oauth": {"client_id": "client", "client_secret": "hush", "refresh_token": logins.refresh_token()}}
    for _ in range(3):
        async with shop.connected("Product", "title", connection=oauth, folder=str(tmp_path)) as connector:
            assert len(await all_of(connector)) == 1
            logins.expire()
            assert len(await all_of(connector)) == 1
    assert logins.rotated >= 3
    refresh, mode = kept(tmp_path)
    assert mode == 0o600
    assert refresh != oauth["oauth"]["refresh_token"]


@pytest.mark.parametrize(
    "connection",
    [
        {"token": "shpat_wrong"},
        {"oauth": {"client_id": "client", "client_secret": "wrong"}},
        {"token": "secret:not-there"},
    ],
)
async def test_a_login_that_is_refused_says_so(shop: ServedShop, connection: dict[str, Any]):
    async with shop.connected("Product", "title", connection=connection) as connector:
        with pytest.raises(TransientError, match=r"^login: |401") as caught:
            await all_of(connector)
    assert not caught.value.about_record


# -- scopes


async def test_scopes_that_are_missing_or_in_excess_are_told(shop: ServedShop):
    shop.emulator.logins.scopes = ["read_products", "write_inventory", "read_orders"]
    options = {"location": shop.place}
    async with shop.connected("Product", "title", "variants.0.inventoryQuantity", options=options) as connector:
        rights = await connector.rights("things")
    assert rights.missing == ("write_products",)
    assert rights.excess == ("read_orders",)
    assert rights.write is False


async def test_access_that_is_denied_is_the_logins_trouble(shop: ServedShop):
    shop.emulator.logins.scopes = ["read_orders"]
    async with shop.connected("Product", "title") as connector:
        with pytest.raises(TransientError, match=r"^login: .*ACCESS_DENIED"):
            await all_of(connector)


# -- points


async def test_the_size_of_the_bucket_is_learnt_and_then_kept_to(shop: ServedShop):
    filled(shop.emulator, 2000, 1)
    shop.emulator.bucket = Bucket(maximum=600, restore=600)
    async with shop.connected("Product", "title") as connector:
        assert len(await all_of(connector)) == 2000
    said = [request.said for request in shop.emulator.requests]
    assert said.count("THROTTLED") <= 1, "it waits before it asks, once it knows"


async def test_a_throttled_read_waits_and_asks_again(shop: ServedShop):
    shop.hand.product(title="P")
    shop.emulator.faults.add("throttle", 2, on="query")
    async with shop.connected("Product", "title") as connector:
        assert len(await all_of(connector)) == 1
    assert [request.said for request in shop.emulator.requests] == ["THROTTLED", "THROTTLED", ""]


async def test_a_throttled_write_did_nothing_and_is_the_platforms_trouble(shop: ServedShop):
    one = shop.hand.product(title="P")
    async with shop.connected("Product", "title") as connector:
        write = await planned(connector, one, title="New")
        shop.emulator.faults.add("throttle", on="mutation")
        outcome = await applied(connector, write)
        assert isinstance(outcome, TransientError)
        assert (outcome.about_record, outcome.status) == (False, 429)
        assert shop.emulator.shop.of["Product"][one]["title"] == "P"
        assert not isinstance(await applied(connector, write), ConnectorError)


# -- whose fault


@pytest.mark.parametrize(
    ("status", "about_record", "words"),
    [
        (402, False, "frozen"),
        (403, False, ""),
        (404, False, "no such shop"),
        (423, False, "locked"),
        (429, False, ""),
        (503, False, ""),
        (500, True, ""),
        (502, True, ""),
    ],
)
async def test_each_status_has_its_class(shop: ServedShop, status: int, about_record: bool, words: str):
    one = shop.hand.product(title="P")
    async with shop.connected("Product", "title") as connector:
        write = await planned(connector, one, title="New")
        shop.emulator.faults.add("status", 9, status=status)
        with pytest.raises(TransientError, match=words or None) as caught:
            await connector.read("things", [one])
        assert caught.value.about_record == about_record
        shop.emulator.faults.clear()
        shop.emulator.faults.add("status", 9, on="mutation", status=status)
        outcome = await applied(connector, write)
    assert isinstance(outcome, TransientError | OutcomeUnknown), outcome
    assert isinstance(outcome, OutcomeUnknown) == about_record or outcome.about_record == about_record
    assert shop.emulator.shop.of["Product"][one]["title"] == "P"


async def test_a_version_that_is_not_there_is_no_records_fault(shop: ServedShop):
    shop.hand.product(title="P")
    async with shop.connected("Product", "title", connection={"api_version": "2099-01"}) as connector:
        with pytest.raises(TransientError, match="not in this version"):
            await all_of(connector)


async def test_a_version_that_falls_forward_is_told_once(shop: ServedShop, capfd: pytest.CaptureFixture[str]):
    from loguru import logger

    told: list[str] = []
    sink = logger.add(lambda message: told.append(str(message)), level="WARNING")
    shop.hand.product(title="P")
    shop.emulator.faults.version = "2027-01"
    try:
        async with shop.connected("Product", "title") as connector:
            await all_of(connector)
            await all_of(connector)
    finally:
        logger.remove(sink)
    assert [("2026-10" in text, "2027-01" in text) for text in told] == [(True, True)]


async def spoiled(connector: Connector, pages: list[Page], spoil: Callable[[], None]) -> None:
    """Scan, and spoil it after the first page."""
    async for page in connector.scan("things"):
        pages.append(page)
        if len(pages) == 1:
            spoil()


@pytest.mark.parametrize("kind", ["internal", "partial", "garbage", "drop", "drop_before"])
async def test_a_list_with_an_error_in_it_is_never_taken_for_all(shop: ServedShop, kind: Any):
    filled(shop.emulator, 600, 1)
    async with shop.connected("Product", "title") as connector:
        pages: list[Page] = []
        with pytest.raises(ConnectorError) as caught:
            await spoiled(connector, pages, lambda: shop.emulator.faults.add(kind, 9))
    assert not isinstance(caught.value, PermanentError)
    assert not any(page.last for page in pages)


async def test_an_internal_error_of_a_write_is_not_known_to_have_done_nothing(shop: ServedShop):
    one = shop.hand.product(title="P")
    async with shop.connected("Product", "title") as connector:
        write = await planned(connector, one, title="New")
        shop.emulator.faults.add("internal", on="mutation")
        outcome = await applied(connector, write)
    assert isinstance(outcome, OutcomeUnknown), outcome


async def test_a_slow_answer_to_a_write_is_an_unknown_outcome(shop: ServedShop):
    one = shop.hand.product(title="P")
    async with shop.connected("Product", "title", connection={"timeout": "1s"}) as connector:
        write = await planned(connector, one, title="New")
        shop.emulator.faults.add("slow", on="mutation", seconds=2)
        outcome = await applied(connector, write)
    assert isinstance(outcome, OutcomeUnknown), outcome


async def test_a_sale_between_read_and_write_is_not_written_over(shop: ServedShop):
    one = shop.hand.product(title="P", variants=[{"stock": 5}])
    item = shop.emulator.shop.of["Product"][one]["_variants"][0]["id"]
    path = "variants.0.inventoryQuantity"
    async with shop.connected("Product", path, options={"location": shop.place}) as connector:
        write = await planned(connector, one, **{path: 9})
        shop.emulator.meanwhile.append(lambda: shop.hand.stock(item, 2))
        outcome = await applied(connector, write)
    assert isinstance(outcome, ConnectorError)
    assert (
        shop.emulator.shop.of["Product"][one]["_variants"][0]["_item"]["_levels"][shop.place]["_quantities"]["available"] == 2
    )
