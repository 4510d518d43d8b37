"""Much at once through a whole syncd: points that run out while many are written, and more variants than a page has."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.connectors.shopify_company import FIELDS, Company, company_at
from tests.emulators.shopify.cost import Bucket

MANY = 150


@pytest.fixture
async def company(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Company]:
    async with company_at(tmp_path, monkeypatch) as made:
        made.world.service("safety: {changes: {max: 5000, ratio: 100%, per: 10m}}")
        yield made


async def test_points_that_run_out_lose_and_double_nothing(company: Company) -> None:
    emulator = company.shop.emulator
    emulator.bucket = Bucket(maximum=1000, restore=500)
    for n in range(MANY):
        company.world.put("erp", str(n), sku=f"MUG-{n}", name=f"Mug {n}", price="12.00", stock=n)
    emulator.faults.add("throttle", 20, on="mutation")
    await company.settled()
    assert len(company.products) == MANY
    assert sum(request.done for request in emulator.requests if request.changing) == MANY, "each was made once"
    assert emulator.writes == len(company.attempts()), "every request is an attempt"
    assert company.ledger("SELECT count(*) FROM dead_letter") == [(0,)]
    assert max(request.status for request in emulator.requests) == 200


async def test_a_product_of_many_variants_is_read_to_its_end_and_one_of_them_written(company: Company) -> None:
    fields = (
        FIELDS.replace("variants.0.price", "'variants[sku=MUG-1].price'")
        .replace("variants.0.inventoryQuantity", "'variants[sku=MUG-1].inventoryQuantity'")
        .replace("variants.0.sku", "handle")
    )
    company.entity(fields)
    rows = [{"options": {"No": str(n)}, "sku": f"V-{n}", "price": "1.00", "stock": 1} for n in range(699)]
    rows.append({"options": {"No": "last"}, "sku": "MUG-1", "price": "9.00", "stock": 1})
    company.shop.hand.product(title="Old", handle="mug-1", variants=rows)
    company.world.put("erp", "1", sku="mug-1", name="Mug", price="12.00", stock=3)
    await company.settled()
    [made] = company.products
    variants = made["_variants"]
    assert (made["title"], variants[-1]["price"], len(variants)) == ("Mug", "12.00", 700)
    assert {one["price"] for one in variants[:-1]} == {"1.00"}
    assert company.shop.sent().count("productSet") == 0
