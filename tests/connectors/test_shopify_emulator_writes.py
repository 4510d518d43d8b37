"""Writes to the emulated shop: what is mapped changes and nothing else, guarded where the shop guards, one request each."""

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest

from syncd.connectors.body import pick
from syncd.core.model import Answer, Op, Receipt, Write
from syncd.errors import OutcomeUnknown, PermanentError, StaleWrite, TransientError
from tests.connectors.shopify_world import ServedShop, applied, planned, served_shop
from tests.emulators.shopify.reads import available

STOCK = "variants.0.inventoryQuantity"
FIELDS = ("title", "tags", "status", "handle", "variants.0.sku", "variants.0.price", STOCK, "metafields.erp.number")


@pytest.fixture
async def shop() -> AsyncIterator[ServedShop]:
    async with served_shop() as made:
        yield made


def sizes(*names: str) -> list[dict[str, Any]]:
    """Return variants that differ by their size."""
    return [{"options": {"Size": name}, "sku": f"S-{name}", "price": "10", "stock": 5} for name in names]


def variants_of(shop: ServedShop, one: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = shop.emulator.shop.of["Product"][one]["_variants"]
    return found


def quantity(shop: ServedShop, one: str, place: str | None = None) -> int:
    level = variants_of(shop, one)[0]["_item"]["_levels"][place or shop.place]
    return int(level["_quantities"]["available"])


def done(outcome: Any) -> Receipt:
    assert isinstance(outcome, Receipt), outcome
    assert outcome.answer is Answer.DONE
    return outcome


# -- what is not mapped survives


async def test_variants_that_are_not_mapped_survive_every_write(shop: ServedShop):
    one = shop.hand.product(title="P", variants=sizes("S", "M", "L"), metafields={"other.app": "theirs"}, tags=["a"])
    before = [(variant["id"], variant["_item"]["sku"]) for variant in variants_of(shop, one)]
    values = {"title": "New", "tags": ["b", "a"], "variants__0__price": "12.00", "variants__0__inventoryQuantity": 7}
    options = {"location": shop.place, "metafields": {"erp.number": "single_line_text_field"}}
    async with shop.connected("Product", *FIELDS, options=options) as connector:
        receipt = done(await applied(connector, await planned(connector, one, **values, metafields__erp__number="17")))
    assert [(variant["id"], variant["_item"]["sku"]) for variant in variants_of(shop, one)] == before
    assert [variant["price"] for variant in variants_of(shop, one)] == ["12.00", "10.00", "10.00"]
    product = shop.emulator.shop.of["Product"][one]
    assert (product["title"], product["tags"], quantity(shop, one)) == ("New", ["a", "b"], 7)
    assert {name: field["value"] for name, field in product["_metafields"].items()} == {
        ("other", "app"): "theirs",
        ("erp", "number"): "17",
    }
    assert "productSet" not in shop.sent()
    assert shop.emulator.writes == 1, "one write is one request"
    assert receipt.look is not None
    assert pick(receipt.look.item, STOCK) == 7


async def test_a_variant_is_picked_by_its_sku_wherever_it_stands(shop: ServedShop):
    one = shop.hand.product(title="P", variants=sizes("S", "M", "L"))
    path = "variants[sku=S-M].price"
    async with shop.connected("Product", path) as connector:
        done(await applied(connector, await planned(connector, one, **{path: "11.00"})))
        outcome = await applied(connector, await planned(connector, one, **{"variants[sku=S-X].price": "11.00"}))
    assert [variant["price"] for variant in variants_of(shop, one)] == ["10.00", "11.00", "10.00"]
    assert isinstance(outcome, PermanentError)
    assert "adds none" in str(outcome)


async def test_a_product_is_made_with_its_variants_and_options(shop: ServedShop):
    values: dict[str, Any] = {"title": "New", "handle": "new", "status": "DRAFT", "metafields.erp.number": "4711"}
    for n, size in enumerate("SML"):
        values |= {f"variants.{n}.sku": size, f"variants.{n}.price": "9.90", f"variants.{n}.inventoryQuantity": n}
        values |= {f"variants.{n}.selectedOptions.0.name": "Size", f"variants.{n}.selectedOptions.0.value": size}
    options = {"location": shop.place, "metafields": {"erp.number": "single_line_text_field"}}
    async with shop.connected("Product", *values, options=options, keys=("handle",)) as connector:
        write = Write(Op.CREATE, "there", "things", 1, None, values=values, key="k")
        one = done(await applied(connector, write)).id
        assert one is not None
        made = variants_of(shop, one)
        assert [(variant["_item"]["sku"], variant["price"], variant["_options"]) for variant in made] == [
            (size, "9.90", {"Size": size}) for size in "SML"
        ]
        assert [available(variant["_item"]) for variant in made] == [0, 1, 2]
        again = await applied(connector, write)
    assert isinstance(again, Receipt), again
    assert (again.answer, again.id) == (Answer.EXISTS, one)
    assert len(shop.emulator.shop.of["Product"]) == 1
    assert len(variants_of(shop, one)) == 3


async def test_archive_instead_of_delete(shop: ServedShop):
    one = shop.hand.product(title="P", variants=sizes("S", "M"))
    async with shop.connected("Product", "title") as connector:
        receipt = done(await applied(connector, await planned(connector, one, op=Op.ARCHIVE)))
        [look] = await connector.read("things", [one])
    assert shop.emulator.shop.of["Product"][one]["status"] == "ARCHIVED"
    assert look.gone
    assert receipt.look is None or receipt.look.gone
    assert len(variants_of(shop, one)) == 2
    assert "productDelete" not in shop.sent()


async def test_a_variant_is_written_by_itself(shop: ServedShop):
    one = shop.hand.product(title="P", variants=sizes("S", "M"))
    first, second = variants_of(shop, one)
    values = {"price": "8.00", "barcode": "4012345", "sku": "NEW", "inventoryQuantity": 1}
    async with shop.connected("ProductVariant", *values, options={"location": shop.place}) as connector:
        done(await applied(connector, await planned(connector, second["id"], **values)))
    assert (second["price"], second["barcode"], second["_item"]["sku"]) == ("8.00", "4012345", "NEW")
    assert (first["price"], first["_item"]["sku"]) == ("10.00", "S-S")
    assert shop.emulator.writes == 1


# -- customers


async def test_a_customer_is_made_and_changed(shop: ServedShop):
    async with shop.connected("Customer", "firstName", "email", "tags", keys=("email",)) as connector:
        values = {"firstName": "Ann", "email": "ann@example.com", "tags": ["vip"]}
        one = done(await applied(connector, Write(Op.CREATE, "there", "things", 1, None, values=values, key="k"))).id
        assert one is not None
        done(await applied(connector, await planned(connector, one, firstName="Anna", tags=["b", "a"])))
        assert shop.emulator.shop.of["Customer"][one]["tags"] == ["a", "b"]
        assert [look.id for look in await connector.find("things", "email", "ann@example.com")] == [one]
        assert await connector.find("things", "email", "an@example.com") == []
        again = await applied(connector, Write(Op.CREATE, "there", "things", 2, None, values=values, key="k2"))
        assert isinstance(again, Receipt), again
        assert (again.answer, again.id) == (Answer.EXISTS, one)
        outcome = await applied(connector, await planned(connector, one, email="no address"))
    assert isinstance(outcome, PermanentError)
    assert "Email is invalid" in str(outcome)
    assert shop.sent()[:2] == ["customerSet", "customerUpdate"]


async def test_a_customers_address_is_made_and_then_changed(shop: ServedShop):
    one = shop.hand.customer(firstName="Ann", email="ann@example.com")
    async with shop.connected("Customer", "defaultAddress.city", "defaultAddress.countryCodeV2", "note") as connector:
        values = {"defaultAddress__city": "Kiel", "defaultAddress__countryCodeV2": "DE"}
        done(await applied(connector, await planned(connector, one, **values)))
        receipt = done(await applied(connector, await planned(connector, one, defaultAddress__city="Bonn", note="moved")))
    assert receipt.look is not None
    assert pick(receipt.look.item, "defaultAddress.city") == "Bonn"
    found = shop.emulator.shop.of["Customer"][one]
    assert [(address["city"], address["countryCodeV2"]) for address in found["_addresses"]] == [("Bonn", "DE")]
    assert shop.sent() == ["customerAddressCreate", "customerAddressUpdate", "customerUpdate"]
    assert shop.emulator.writes == 2


# -- other objects


async def test_a_collection_is_made_changed_and_deleted(shop: ServedShop):
    async with shop.connected("Collection", "title", "handle", "seo.title") as connector:
        values = {"title": "Summer", "handle": "summer-26"}
        one = done(await applied(connector, Write(Op.CREATE, "there", "things", 1, None, values=values, key="k"))).id
        assert one is not None
        receipt = done(await applied(connector, await planned(connector, one, title="Winter", seo__title="Cold")))
        assert receipt.look is not None
        assert receipt.look.item["title"] == "Winter"
        assert pick(shop.emulator.shop.of["Collection"][one], "seo.title") == "Cold"
        done(await applied(connector, await planned(connector, one, op=Op.DELETE)))
    assert shop.emulator.shop.of["Collection"] == {}


async def test_a_stock_item_is_changed(shop: ServedShop):
    one = shop.hand.product(title="P", variants=sizes("S"))
    item = variants_of(shop, one)[0]["_item"]
    fields = ("sku", "tracked", "unitCost.amount", "measurement.weight.value")
    async with shop.connected("InventoryItem", *fields) as connector:
        values = {"sku": "NEW", "unitCost__amount": "4.50", "measurement__weight__value": 12}
        done(await applied(connector, await planned(connector, item["id"], **values)))
    assert (item["sku"], item["unitCost"]["amount"]) == ("NEW", "4.50")
    assert item["_weight"] == {"value": 12, "unit": "GRAMS"}


async def test_an_image_is_added_where_there_is_none(shop: ServedShop):
    one = shop.hand.product(title="P")
    url = "https://cdn.example.com/p.png"
    async with shop.connected("Product", "featuredImage.url") as connector:
        done(await applied(connector, await planned(connector, one, featuredImage__url=url)))
        outcome = await applied(connector, await planned(connector, one, featuredImage__url=url + "?2"))
    assert [media["image"]["url"] for media in shop.emulator.shop.of["Product"][one]["_media"]] == [url]
    assert isinstance(outcome, PermanentError)


# -- guards


async def test_stock_that_was_sold_since_is_refused_by_the_shop(shop: ServedShop):
    one = shop.hand.product(title="P", variants=sizes("S"))
    item = variants_of(shop, one)[0]["id"]
    async with shop.connected("Product", STOCK, options={"location": shop.place}) as connector:
        write = await planned(connector, one, variants__0__inventoryQuantity=9)
        shop.emulator.meanwhile.append(lambda: shop.hand.stock(item, 4))  # between our read and our write
        outcome = await applied(connector, write)
    assert isinstance(outcome, StaleWrite), outcome
    assert quantity(shop, one) == 4
    assert shop.sent() == ["inventorySetQuantities"]


async def test_an_edit_before_the_write_is_seen_and_nothing_is_sent(shop: ServedShop):
    one = shop.hand.product(title="P")
    async with shop.connected("Product", "title") as connector:
        write = await planned(connector, one, title="Ours")
        shop.hand.edit(one, title="Theirs")
        outcome = await applied(connector, write)
    assert isinstance(outcome, StaleWrite)
    assert shop.emulator.writes == 0


@pytest.mark.parametrize("there", [True, False])
async def test_a_metafield_that_was_edited_or_made_since_is_refused_by_its_digest(shop: ServedShop, there: bool):
    one = shop.hand.product(title="P", metafields={"erp.number": "1"} if there else {})
    options = {"metafields": {"erp.number": "single_line_text_field"}}
    async with shop.connected("Product", "metafields.erp.number", options=options) as connector:
        write = await planned(connector, one, metafields__erp__number="ours")
        shop.emulator.meanwhile.append(lambda: shop.hand.metafields(one, {"erp.number": "theirs"}))
        outcome = await applied(connector, write)
        assert isinstance(outcome, StaleWrite), outcome
        done(await applied(connector, await planned(connector, one, metafields__erp__number="ours")))
        done(await applied(connector, await planned(connector, one, metafields__erp__number=None)))
    assert shop.emulator.shop.of["Product"][one]["_metafields"] == {}


async def test_a_stale_part_does_not_hide_what_was_done(shop: ServedShop):
    one = shop.hand.product(title="P", variants=sizes("S"))
    item = variants_of(shop, one)[0]["id"]
    async with shop.connected("Product", "title", STOCK, options={"location": shop.place}) as connector:
        write = await planned(connector, one, title="New", variants__0__inventoryQuantity=9)
        shop.emulator.meanwhile.append(lambda: shop.hand.stock(item, 4))
        receipt = done(await applied(connector, write))
    assert receipt.look is not None
    assert (pick(receipt.look.item, "title"), pick(receipt.look.item, STOCK)) == ("New", 4)
    assert not receipt.atomic, "it does not show what was sent"


async def test_an_adjustment_adds_to_whatever_is_there_and_its_key_counts_once(shop: ServedShop):
    one = shop.hand.product(title="P", variants=sizes("S"))
    item = variants_of(shop, one)[0]["id"]
    async with shop.connected("Product", STOCK, options={"location": shop.place}) as connector:
        write = await planned(connector, one, adjust=True, key="attempt-1", variants__0__inventoryQuantity=-2)
        shop.emulator.meanwhile.append(lambda: shop.hand.stock(item, 10))
        done(await applied(connector, write))
        assert quantity(shop, one) == 8
        shop.emulator.faults.add("drop", on="mutation")
        second = await planned(connector, one, adjust=True, key="attempt-2", variants__0__inventoryQuantity=-3)
        assert isinstance(await applied(connector, second), OutcomeUnknown)
        assert quantity(shop, one) == 5
        done(await applied(connector, second))  # the ledger repeats it under the same key
    assert quantity(shop, one) == 5
    assert shop.sent() == ["inventoryAdjustQuantities"] * 3


async def test_an_adjustment_that_is_refused_is_never_taken_for_done(shop: ServedShop):
    """Beside a price that the shop takes: what is read afterwards does not tell whether it was adjusted."""
    one = shop.hand.product(title="P", variants=[{"sku": "A", "price": "1.00", "stock": 5}])
    variant = variants_of(shop, one)[0]["id"]
    async with shop.connected("ProductVariant", "price", "inventoryQuantity", options={"location": shop.place}) as connector:
        write = await planned(connector, variant, price="2.00", inventoryQuantity=-2)
        write = replace(write, adjust={"stock": -2}, adjust_at={"stock": "inventoryQuantity"})
        errors = [{"field": ["input"], "message": "no", "code": "ADJUST_QUANTITIES_FAILED"}]
        shop.emulator.faults.add("refuse", on="inventoryAdjustQuantities", errors=errors)
        outcome = await applied(connector, write)
        assert isinstance(outcome, TransientError)
        assert (variants_of(shop, one)[0]["price"], quantity(shop, one)) == ("2.00", 5)
        shop.hand.edit(variant, price="3.00")
        done(await applied(connector, write))  # edited since: the difference goes by itself, the price is planned again
    assert (variants_of(shop, one)[0]["price"], quantity(shop, one)) == ("3.00", 3)


@pytest.mark.parametrize("stock", [2, 5])
async def test_a_value_that_equals_a_difference_is_no_difference(shop: ServedShop, stock: int):
    one = shop.hand.product(title="P", variants=[{"sku": "A", "price": "1.00", "stock": 5}])
    variant = variants_of(shop, one)[0]["id"]
    async with shop.connected("ProductVariant", "barcode", "inventoryQuantity", options={"location": shop.place}) as connector:
        write = await planned(connector, variant, inventoryQuantity=stock)
        done(
            await applied(connector, replace(write, adjust={"points": stock}, adjust_at={"points": "metafields.custom.points"}))
        )
    assert quantity(shop, one) == stock


async def test_stock_goes_to_the_location_that_is_meant(shop: ServedShop):
    other = shop.emulator.shop.make("Location", name="Shop", isActive=True)["id"]
    one = shop.hand.product(title="P", variants=sizes("S"))
    shop.hand.stock(variants_of(shop, one)[0]["id"], 2, other)
    async with shop.connected("Product", STOCK, options={"location": other}) as connector:
        done(await applied(connector, await planned(connector, one, variants__0__inventoryQuantity=3)))
    assert (quantity(shop, one, other), quantity(shop, one)) == (3, 5)
    async with shop.connected("Product", STOCK) as connector:
        outcome = await applied(connector, await planned(connector, one, variants__0__inventoryQuantity=4))
    assert isinstance(outcome, PermanentError)
    assert "several locations" in str(outcome)
    level = variants_of(shop, one)[0]["_item"]["_levels"][other]
    async with shop.connected("InventoryLevel", "quantities.available") as connector:
        done(await applied(connector, await planned(connector, level["id"], key="k2", quantities__available=6)))
    assert quantity(shop, one, other) == 6


# -- errors


async def test_user_errors_under_200_are_errors(shop: ServedShop):
    one = shop.hand.product(title="P", variants=sizes("S"))
    async with shop.connected("Product", "variants.0.price") as connector:
        outcome = await applied(connector, await planned(connector, one, variants__0__price="-1"))
    assert isinstance(outcome, PermanentError)
    assert "NEGATIVE_PRICE_VALUE" in str(outcome)
    assert variants_of(shop, one)[0]["price"] == "10.00"


@pytest.mark.parametrize(
    ("root", "code", "kind"),
    [
        ("metafieldsSet", "STALE_OBJECT", StaleWrite),
        ("metafieldsSet", "INVALID_COMPARE_DIGEST", StaleWrite),
        ("metafieldsSet", "INTERNAL_ERROR", TransientError),
        ("metafieldsSet", "APP_NOT_AUTHORIZED", PermanentError),
        ("metafieldsSet", None, PermanentError),
        ("inventorySetQuantities", "CHANGE_FROM_QUANTITY_STALE", StaleWrite),
        ("inventorySetQuantities", "IDEMPOTENCY_CONCURRENT_REQUEST", TransientError),
        ("inventorySetQuantities", "NON_MUTABLE_INVENTORY_ITEM", PermanentError),
    ],
)
async def test_each_code_has_its_class(shop: ServedShop, root: str, code: str | None, kind: type[Exception]):
    one = shop.hand.product(title="P", variants=sizes("S"), metafields={"erp.number": "1"})
    shop.emulator.faults.add("refuse", on=root, errors=[{"message": "No", "field": ["x"], "code": code}])
    values = {"metafields__erp__number": "2"} if root == "metafieldsSet" else {"variants__0__inventoryQuantity": 1}
    async with shop.connected("Product", *FIELDS, options={"location": shop.place}) as connector:
        outcome = await applied(connector, await planned(connector, one, **values))
    assert isinstance(outcome, kind), outcome
    assert not isinstance(outcome, TransientError) or outcome.about_record


async def test_user_errors_without_codes_are_errors(shop: ServedShop):
    one = shop.hand.product(title="P")
    shop.emulator.faults.add("refuse", on="productUpdate", errors=[{"message": "Title is spam", "field": ["title"]}])
    async with shop.connected("Product", "title") as connector:
        outcome = await applied(connector, await planned(connector, one, title="Cheap"))
    assert isinstance(outcome, PermanentError)
    assert "title: Title is spam" in str(outcome)


async def test_what_is_gone_is_said_to_be_gone(shop: ServedShop):
    one = shop.hand.product(title="P")
    async with shop.connected("Product", "title") as connector:
        write = await planned(connector, one, title="Late")
        shop.emulator.meanwhile.append(lambda: shop.hand.remove(one))
        outcome = await applied(connector, write)
    assert isinstance(outcome, Receipt), outcome
    assert outcome.answer is Answer.GONE


@pytest.mark.parametrize("kind", ["drop", "garbage", "partial"])
async def test_a_write_without_a_whole_answer_is_not_known_and_not_sent_again(shop: ServedShop, kind: Any):
    one = shop.hand.product(title="P")
    shop.emulator.faults.add(kind, on="mutation")
    async with shop.connected("Product", "title") as connector:
        outcome = await applied(connector, await planned(connector, one, title="New"))
    assert isinstance(outcome, OutcomeUnknown | TransientError), outcome
    assert isinstance(outcome, OutcomeUnknown) or outcome.about_record
    assert shop.emulator.shop.of["Product"][one]["title"] == "New"
    assert shop.emulator.writes == 1


async def test_every_request_that_changes_something_is_one_write(shop: ServedShop):
    ids = [shop.hand.product(title=f"P {n}", variants=sizes("S")) for n in range(20)]
    async with shop.connected("Product", "title", STOCK, "variants.0.price", options={"location": shop.place}) as connector:
        writes = [
            await planned(connector, one, key=one, title="New", variants__0__inventoryQuantity=1, variants__0__price="1.00")
            for one in ids
        ]
        shop.emulator.faults.add("throttle", 3, on="mutation")
        shop.emulator.faults.add("drop", 2, on="mutation")
        outcomes = await connector.apply(writes)
    tried = sum(not isinstance(outcome, TransientError) or outcome.status == 429 for outcome in outcomes)
    assert shop.emulator.writes <= tried <= len(writes)
    assert sum(isinstance(outcome, OutcomeUnknown) for outcome in outcomes) <= 2
