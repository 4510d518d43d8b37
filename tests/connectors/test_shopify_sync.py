"""A shop in a whole syncd: config, ledger and rules are real, the shop is the emulator."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.connectors.shopify_company import ENTITY, FIELDS, Company, company_at
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


def lamp(company: Company) -> None:
    """Have another product, so that the mug is not all there is."""
    company.world.put("erp", "2", sku="LAMP-3", name="Lamp", price="30.00", stock=2)


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
    await company.settled()
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
    await company.settled()
    assert (stock_of(company), int(company.erp["MUG-1"]["stock"])) == (7, 7)
    assert company.products[0]["_variants"][0]["price"] == price


# -- life


async def test_archived_when_the_erp_deletes_it_and_back_when_it_returns(company: Company) -> None:
    lamp(company)
    mug(company)
    await company.settled()
    [made] = [one for one in company.products if one["title"] == "Mug"]
    company.world.platform("erp").remove("items", "1")
    await company.settled()
    assert made["status"] == "ARCHIVED"
    mug(company, name="Mug again")
    await company.settled()
    found = sorted((one["title"], one["status"]) for one in company.products)
    assert found == [("Lamp", "ACTIVE"), ("Mug again", "ACTIVE")], "no twin"


@pytest.mark.parametrize("lag", [0, 3600])
async def test_deleted_in_the_shop_and_alive_in_the_erp_it_is_put_back(company: Company, lag: float) -> None:
    lamp(company)
    mug(company)
    await company.settled()
    company.shop.hand.remove(next(one["id"] for one in company.products if one["title"] == "Mug"))
    company.shop.emulator.faults.lag = lag  # lists and the search still show what is gone
    await company.settled()
    if lag:
        company.shop.emulator.faults.lag = 0
        await company.settled()
    assert sorted(one["title"] for one in company.products) == ["Lamp", "Mug"]


async def test_variants_and_fields_that_no_rule_maps_are_never_touched(company: Company) -> None:
    sizes = [{"options": {"Size": size}, "sku": f"S-{size}", "price": "5.00", "barcode": size, "stock": 4} for size in "SML"]
    sizes[0]["sku"] = "MUG-1"
    one = company.shop.hand.product(
        title="Old", vendor="ACME", tags=["a"], variants=sizes, metafields={"custom.care": "by hand"}
    )
    mug(company)
    await company.settled()
    [made] = company.products
    assert (made["id"], made["title"], made["vendor"], made["tags"]) == (one, "Mug", "ACME", ["a"])
    assert [(v["_item"]["sku"], v["price"], v["barcode"], available(v["_item"])) for v in made["_variants"]] == [
        ("MUG-1", "12.00", "S", 10),
        ("S-M", "5.00", "M", 4),
        ("S-L", "5.00", "L", 4),
    ]
    assert made["_metafields"]["custom", "care"]["value"] == "by hand"


# -- guards


METAFIELD = (
    FIELDS
    + """
  care: {type: string, truth: erp, stray_edits: keep, map: {erp: care, shopify: metafields.custom.care}}
"""
)


async def test_a_metafield_edited_between_our_read_and_our_write_is_not_covered(company: Company) -> None:
    company.entity(METAFIELD)
    company.platform(collection=", metafields: {custom.care: single_line_text_field}")
    mug(company, care="cold")
    await company.settled()
    [made] = company.products
    company.shop.emulator.meanwhile.append(lambda: company.shop.hand.metafields(made["id"], {"custom.care": "by hand"}))
    company.world.put("erp", "1", care="warm")
    await company.world.once()
    assert ("update", "stale") in company.attempts()
    await company.settled()
    assert company.shop.emulator.writes == len(company.attempts())


async def test_a_sale_between_our_read_and_our_write_is_seen(company: Company) -> None:
    mug(company)
    await company.settled()
    variant = company.products[0]["_variants"][0]["id"]
    company.shop.emulator.meanwhile.append(lambda: company.shop.hand.stock(variant, 9))
    company.world.put("erp", "1", stock=20)
    await company.settled()
    assert stock_of(company) == 20
    assert ("update", "stale") in company.attempts()


# -- trouble in mid-run


async def test_a_field_that_goes_away_in_mid_run_stops_the_shop_and_loses_nothing(company: Company) -> None:
    mug(company)
    await company.settled()
    company.shop.emulator.faults.gone_fields = frozenset({"Product.title"})
    company.world.put("erp", "1", name="Cup", price="13.00")
    found = await company.world.once()
    assert "title" in found.unread["shopify"]
    assert company.ledger("SELECT count(*) FROM dead_letter") == [(0,)], "no record is to blame"
    company.shop.emulator.faults.clear()
    for _ in range(20):  # the shop is left in peace for a while
        await company.world.once()
        if company.products[0]["title"] == "Cup":
            break
    await company.settled()
    assert (company.products[0]["title"], company.products[0]["_variants"][0]["price"]) == ("Cup", "13.00")


async def test_a_token_that_ends_in_mid_run_is_fetched_anew(company: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SYNCD_SECRET_APP", "hush")
    company.platform(connection="oauth: {client_id: client, client_secret: secret:app}")
    for n in range(30):
        company.world.put("erp", str(n), sku=f"MUG-{n}", name=f"Mug {n}", price="12.00", stock=n)
    logins = company.shop.emulator.logins
    company.shop.emulator.meanwhile += [lambda: None, logins.expire, *[lambda: None] * 5, logins.expire]
    await company.settled()
    assert len(company.products) == 30
    assert company.shop.sent().count("productSet") == 30
    assert logins.issued >= 3


async def test_quiet_hours_hold_writes_and_go_on_reading(company: Company) -> None:
    company.platform(write='{guard: version, quiet_hours: "00:00-23:59"}')
    mug(company)
    await company.world.once()
    assert company.products == []
    company.platform()
    await company.settled()
    assert len(company.products) == 1


# -- objects


ORDER = """
  sku: {type: string, truth: shopify, map: {erp: sku, shopify: name}}
  note: {type: string, truth: erp, map: {erp: note, shopify: note}}
"""


async def test_orders_are_read_and_never_written(company: Company) -> None:
    company.platform(object="Order")
    company.world.write(
        "entities/product.yaml",
        ENTITY.format(fields=ORDER.strip("\n"))
        .replace("shopify: {collection: products, create: true}", "shopify: {collection: products}")
        .replace("{erp: create, shopify: review}", "{erp: review, shopify: create}")
        .replace("then: {shopify: archive}", "then: {shopify: ignore}")
        .replace("elsewhere: restore", "elsewhere: ignore"),
    )
    company.shop.hand.order(name="#1001")
    await company.world.once()
    company.world.put("erp", next(iter(company.world.platform("erp").things["items"])), note="urgent")
    await company.world.once()
    assert (company.attempts(), company.shop.emulator.writes) == ([], 0)
