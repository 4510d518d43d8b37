"""Stock of what is stocked nowhere yet: it begins at the one location, or at the one that is named."""

from collections.abc import AsyncIterator

import pytest

from syncd.core.model import Answer, Receipt
from syncd.errors import PermanentError
from tests.connectors.shopify_world import ServedShop, applied, planned, served_shop
from tests.emulators.shopify.reads import available

STOCK = "variants.0.inventoryQuantity"


@pytest.fixture
async def shop() -> AsyncIterator[ServedShop]:
    async with served_shop() as made:
        yield made


def stock(shop: ServedShop, one: str) -> int:
    return int(available(shop.emulator.shop.of["Product"][one]["_variants"][0]["_item"]))


@pytest.mark.parametrize("named", [True, False])
async def test_the_first_quantity_begins_at_the_location(shop: ServedShop, named: bool) -> None:
    one = shop.hand.product(title="P", variants=[{"sku": "A"}])
    options = {"location": shop.place} if named else {}
    async with shop.connected("Product", "title", STOCK, options=options) as connector:
        for number in (6, 0, 9):
            write = await planned(
                connector, one, title=f"New {number}", variants__0__inventoryQuantity=number, key=f"k{number}"
            )
            outcome = await applied(connector, write)
            assert isinstance(outcome, Receipt), outcome
            assert outcome.answer is Answer.DONE
            assert stock(shop, one) == number
    assert shop.sent()[:2] == ["inventoryActivate", "productUpdate"]
    assert shop.emulator.writes == 3


async def test_where_it_begins_must_be_said_where_there_are_several(shop: ServedShop) -> None:
    one = shop.hand.product(title="P", variants=[{"sku": "A"}])
    other = shop.emulator.shop
    place = other.gid("Location")
    other.of["Location"][place] = dict(other.location) | {"id": place, "name": "Second"}
    async with shop.connected("Product", STOCK) as connector:
        outcome = await applied(connector, await planned(connector, one, variants__0__inventoryQuantity=3))
    assert isinstance(outcome, PermanentError)
    assert "2 locations" in str(outcome)
    assert shop.emulator.writes == 0
