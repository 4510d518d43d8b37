"""A shop in a whole syncd: config, ledger and rules are real, the shop is the emulator."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.connectors.shopify_company import Company, company_at
from tests.emulators.shopify.reads import available

VARIANTS = """
  sku: {type: string, truth: erp, map: {erp: sku, shopify: sku}}
  price: {type: decimal(2), truth: erp, map: {erp: price, shopify: {path: price, write: [text]}}}
  stock: {type: integer, truth: {merge: delta, from: [erp, shopify]}, map: {erp: stock, shopify: inventoryQuantity}}
"""


@pytest.fixture
async def company(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Company]:
    async with company_at(tmp_path, monkeypatch) as made:
        yield made


def mug(company: Company, **values: Any) -> None:
    company.world.put("erp", "1", **({"sku": "MUG-1", "name": "Mug", "price": "12.00", "stock": 10} | values))


def stock_of(company: Company) -> int:
    return available(company.products[0]["_variants"][0]["_item"])


async def test_a_product_is_made_kept_and_put_back(company: Company) -> None:
    mug(company)
    await company.settled()
    [made] = company.products
    variant = made["_variants"][0]
    assert (made["title"], variant["price"], stock_of(company)) == ("Mug", "12.00", 10)
    company.world.put("erp", "1", price="12.50")
    company.shop.hand.edit(made["id"], title="MUG!!")
    await company.settled()
    assert (made["title"], variant["price"]) == ("Mug", "12.50")
    assert company.shop.emulator.writes == len(company.attempts())


@pytest.mark.parametrize("fault", ["drop", "status_after", "garbage", "partial"])
async def test_a_create_whose_answer_was_lost_is_not_made_twice(company: Company, fault: Any) -> None:
    mug(company)
    company.shop.emulator.faults.add(fault, on="productSet")
    await company.settled(4)
    assert len(company.products) == 1
    assert company.shop.sent().count("productSet") == 1
    company.world.put("erp", "1", price="13.00")
    await company.settled()
    assert company.products[0]["_variants"][0]["price"] == "13.00", "it is known as ours"


# -- counters


async def counting(company: Company) -> dict[str, Any]:
    company.platform(object="ProductVariant")
    company.entity(VARIANTS)
    company.world.write(
        "entities/product.yaml",
        (company.world.folder / "config/entities/product.yaml")
        .read_text()
        .replace("shopify: {collection: products, create: true}", "shopify: {collection: products}")
        .replace("then: {shopify: archive}", "then: {shopify: ignore}")
        .replace("elsewhere: restore", "elsewhere: ignore")
        .replace("{erp: create, shopify: review}", "{erp: review, shopify: create}"),
    )
    company.shop.hand.product(title="Mug", variants=[{"sku": "MUG-1", "price": "12.00", "stock": 10}])
    mug(company)
    await company.settled()
    assert (stock_of(company), company.erp["MUG-1"]["stock"]) == (10, 10)
    return dict(company.products[0]["_variants"][0])


@pytest.mark.parametrize("fault", [None, "drop", "status_after", "garbage", "internal", "drop_before", "throttle"])
@pytest.mark.parametrize("price", ["12.00", "12.50"])
async def test_sales_on_both_sides_are_counted_once_whatever_answer_is_lost(company: Company, fault: Any, price: str) -> None:
    variant = await counting(company)
    emulator = company.shop.emulator
    if fault:
        emulator.faults.add(fault, on="inventoryAdjustQuantities", status=502)
    emulator.meanwhile.append(lambda: company.shop.hand.stock(variant["id"], stock_of(company) - 1))  # sold before ours comes
    company.world.put("erp", "1", stock=8, price=price)
    await company.settled(5)
    assert (stock_of(company), int(company.erp["MUG-1"]["stock"])) == (7, 7)
    assert company.products[0]["_variants"][0]["price"] == price
