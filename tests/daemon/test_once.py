"""One pass over platforms in memory, with a real ledger and real config files."""

from decimal import Decimal

from tests.daemon.world import World


async def test_an_item_of_the_erp_is_made_in_the_shop(world: World) -> None:
    world.shop_and_erp()
    world.put("erp", "1", sku="MUG-1", name="Mug", price="12.00", stock=3)
    done = await world.once()
    assert done.unread == {}
    assert world.items("shop")["MUG-1"]["title"] == "Mug"
    assert world.requests("shop") == 1


async def test_once_quiet_nothing_is_written(world: World) -> None:
    world.shop_and_erp()
    for number in range(30):
        world.put("erp", str(number), sku=f"MUG-{number}", name="Mug", price="12.00", stock=3)
    await world.once()
    assert len(world.items("shop")) == 30
    before = world.requests("shop"), world.requests("erp")
    await world.once()
    await world.once()
    assert (world.requests("shop"), world.requests("erp")) == before


async def test_a_stray_edit_is_put_back(world: World) -> None:
    world.shop_and_erp()
    world.put("erp", "1", sku="MUG-1", name="Mug", price="12.00", stock=3)
    await world.once()
    [native] = world.platform("shop").things["products"]
    world.put("shop", native, price="9.99")
    await world.once()
    assert world.items("shop")["MUG-1"]["price"] == Decimal("12.00")
    assert world.requests("shop") == 2
