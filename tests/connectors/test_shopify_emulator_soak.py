"""Many writes, everything going wrong at random: what each outcome says is true, and no request is unexplained."""

import itertools
import random
from collections.abc import AsyncIterator
from typing import Any

import pytest

from syncd.core.model import Answer, Op, Receipt, Write
from syncd.errors import ConnectorError, OutcomeUnknown, StaleWrite, TransientError
from tests.connectors.shopify_world import ServedShop, planned, served_shop
from tests.emulators.shopify.reads import available

STOCK, PRICE = "variants.0.inventoryQuantity", "variants.0.price"
FIELDS = ("title", "tags", PRICE, STOCK, "metafields.erp.number")
FAULTS: list[Any] = ["throttle", "drop", "drop_before", "status_after", "internal", "partial", "garbage"]


@pytest.fixture
async def shop() -> AsyncIterator[ServedShop]:
    async with served_shop() as made:
        yield made


def held(shop: ServedShop, one: str) -> dict[str, Any]:
    """Return what the shop really holds."""
    node = shop.emulator.shop.of["Product"][one]
    variant = node["_variants"][0]
    number = node["_metafields"].get(("erp", "number"))
    found = {"title": node["title"], "tags": node["tags"], PRICE: variant["price"], STOCK: available(variant["_item"])}
    return found | {"metafields.erp.number": number["value"] if number else None}


def values_of(chance: random.Random, n: int) -> dict[str, Any]:
    """Return some of the fields, each with a value that nothing had before."""
    every = {"title": f"T {n}", "tags": [f"t{n}"], PRICE: f"{n}.50", STOCK: 1000 + n, "metafields.erp.number": f"N{n}"}
    return {path: every[path] for path in chance.sample(sorted(every), chance.randint(1, 5))}


@pytest.mark.parametrize("seed", range(3))
async def test_what_each_outcome_says_is_true(shop: ServedShop, seed: int):
    chance = random.Random(seed)
    ids = [shop.hand.product(title=f"P {n}", variants=[{"price": "1", "stock": 5}, {}]) for n in range(6)]
    options = {"location": shop.place, "metafields": {"erp.number": "single_line_text_field"}}
    attempts = 0
    async with shop.connected("Product", *FIELDS, options=options) as connector:
        for n in range(40):
            one = chance.choice(ids)
            shop.emulator.faults.clear()
            write = await planned(connector, one, key=f"k{n}", **values_of(chance, n))
            before = held(shop, one)
            if chance.random() < 0.4:
                shop.emulator.faults.add(chance.choice(FAULTS), on="mutation", status=chance.choice([500, 502, 504]))
            if chance.random() < 0.2:
                shop.emulator.meanwhile.append(lambda one=one, n=n: shop.hand.edit(one, vendor=f"V {n}"))
            sent = shop.emulator.writes
            [outcome] = await connector.apply([write])
            attempts += 1
            shop.emulator.meanwhile.clear()
            assert shop.emulator.writes - sent <= 1, "one attempt, one request"
            judge(outcome, write, before, held(shop, one))
            assert len(shop.emulator.shop.of["Product"][one]["_variants"]) == 2
    assert shop.emulator.writes <= attempts


def judge(outcome: Receipt | ConnectorError, write: Write, before: dict[str, Any], after: dict[str, Any]) -> None:
    """Assert that an outcome fits what the shop held before and holds now."""
    wanted = before | write.values
    if isinstance(outcome, Receipt):
        assert outcome.answer is Answer.DONE
        assert after == wanted
        assert outcome.look is None or outcome.look.id == write.id
        return
    if isinstance(outcome, OutcomeUnknown) or (isinstance(outcome, TransientError) and outcome.about_record):
        assert all(after[path] in (before[path], wanted[path]) for path in after)
        return
    assert isinstance(outcome, StaleWrite | TransientError), outcome
    assert after == before, "it says that nothing was done"


async def test_creates_that_went_wrong_make_no_twins_where_the_handle_is_the_key(shop: ServedShop):
    numbers = itertools.count()
    async with shop.connected("Product", "title", "handle", keys=("handle",)) as connector:
        for n, fault in enumerate([*FAULTS, *FAULTS]):
            values = {"title": f"P {n}", "handle": f"p-{n}"}
            shop.emulator.faults.add(fault, on="mutation", status=502)
            for _ in range(3):
                write = Write(Op.CREATE, "there", "things", n, None, values=values, key=f"k{next(numbers)}")
                [outcome] = await connector.apply([write])
                if isinstance(outcome, Receipt):
                    break
            assert isinstance(outcome, Receipt), outcome
            assert outcome.answer in {Answer.DONE, Answer.EXISTS}
    handles = [node["handle"] for node in shop.emulator.shop.all("Product")]
    assert sorted(handles) == sorted(set(handles))
    assert len(handles) == 2 * len(FAULTS)
