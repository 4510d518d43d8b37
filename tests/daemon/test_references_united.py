"""References to records that become one: their children follow, in the same transaction, wherever they stand."""

from typing import Any

import pytest

from syncd.ledger import records
from syncd.ledger.schema import Database
from tests.daemon.test_actions import do, read
from tests.daemon.test_references import BRAND, MANY, PRODUCT, company, row, there
from tests.daemon.world import World


async def two_brands(world: World, product: str, **mug: Any) -> None:
    """ACME lives in the erp only, acme in the shop only; the mug refers to both."""
    company(world, brand=BRAND.replace(", create: true", ""), product=product)
    world.platform("erp").put("brands", "b7", {"id": "b7", "code": "ACME", "parent": None})
    await world.once()
    world.platform("shop").put("brands", "s7", {"id": "s7", "code": "acme"})
    await world.once()
    world.platform("erp").put("items", "1", {"id": "1", "sku": "MUG", "name": "Mug"} | mug)
    world.platform("shop").put("products", "p1", {"id": "p1", "sku": "MUG", "title": "Mug", "brandId": "s7", "brands": ["s7"]})
    for _ in range(2):
        await world.once()


def numbers(db: Database) -> dict[str, int]:
    return dict(db.execute("SELECT key, id FROM record WHERE entity = 'brand' AND life = 'alive'").fetchall())


def mentions(db: Database) -> list[Any]:
    return [one.golden["brand"].value for one in _mugs(db)] + [
        shadow.fields["brand"].raw for one in _mugs(db) for shadow in one.shadows.values() if "brand" in shadow.fields
    ]


def _mugs(db: Database) -> list[Any]:
    return [records.one(db, n) for (n,) in db.execute("SELECT id FROM record WHERE key = 'MUG'").fetchall()]


SHOP_SAYS = PRODUCT.replace("brand: {type: ref(brand), truth: erp", "brand: {type: ref(brand), truth: shop")
MANY_SHOP = MANY.replace("list(brand), truth: erp", "list(brand), truth: shop")


@pytest.mark.parametrize(("product", "many"), [(SHOP_SAYS, False), (MANY_SHOP, True)])
async def test_children_follow_the_survivor(world: World, product: str, many: bool) -> None:
    await two_brands(world, product)
    brands = await read(world, numbers)
    survivor, loser = sorted(brands.values())
    wanted: Any = [loser] if many else loser
    assert (await read(world, mentions))[0] == wanted
    answer = await do(world, do="resolve", thing="shop:s7", link=["shop:s7", "erp:b7"])
    assert answer["ok"], answer
    found = await read(world, mentions)
    assert str(loser) not in str(found)
    assert found[0] == ([survivor] if many else survivor)
    for _ in range(3):
        await world.once()
    shop = there(world, "shop", "products")["MUG"]
    assert row(world, "shop", "brands", "ACME") == "s7"
    erp = there(world, "erp", "items")["MUG"]
    assert (shop["brands"] if many else [shop["brandId"]]) == ["s7"]
    assert (erp["brands"] if many else [erp["brand_id"]]) == ["b7"], "the erp can be told now"
