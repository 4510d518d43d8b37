"""A plugin through the daemon: what it makes of values, what its failures are, and decisions under one of another time."""

from syncd.daemon.rederive import PastRules, rederive_all
from syncd.ledger.reading import read_only
from tests.daemon.world import PRODUCT

PLUGIN = """
from decimal import Decimal

def to_euro(raw):
    if raw == 13:
        raise ValueError("no luck")
    return Decimal(raw) / 100

def to_cents(value):
    return round(value * 100)

TRANSFORMS = {"cents": (to_euro, to_cents)}
"""
CENTS = PRODUCT.replace("shop: price}", "shop: {path: cents, read: [cents]}}")


async def test_values_go_through_it_both_ways_and_a_failure_is_a_reason(world):
    world.shop_and_erp(product=CENTS, service="allow_plugins: true\npython: plugins/money.py\n")
    world.write("plugins/money.py", PLUGIN)
    world.put("erp", "1", sku="MUG", name="Mug", price="12.50", stock=1)
    for _ in range(3):
        await world.once()
    ((native, thing),) = world.platform("shop").things["products"].items()
    assert thing.item["cents"] == 1250
    world.put("shop", native, cents=13)
    await world.once()
    query = "SELECT fields FROM shadow WHERE platform = 'shop'"
    async with world.runtime() as runtime:
        ((fields,),) = await runtime.store.read(lambda db: db.execute(query).fetchall())
    assert "cents: ValueError: no luck" in fields


async def test_decisions_under_a_plugin_of_another_time_are_skipped_with_the_reason(world):
    world.shop_and_erp(product=CENTS, service="allow_plugins: true\npython: plugins/money.py\n")
    world.write("plugins/money.py", PLUGIN)
    world.put("erp", "1", sku="MUG", name="Mug", price="12.50", stock=1)
    await world.once()
    world.write("plugins/money.py", PLUGIN + "# of today\n")
    with read_only(world.config().ledger_path) as db:
        found = rederive_all(db, PastRules(db, str(world.folder / "config"), world.kinds))
    assert found.differing == []
    ((_, why),) = found.skipped
    assert "plugins/money.py is not as it was under this config" in why
