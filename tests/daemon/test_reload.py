"""A new config while syncd runs: what stays connected, what is decided again, what needs a restart."""

from decimal import Decimal
from typing import Any

import pytest

from syncd.daemon.reload import listed
from tests.daemon.test_serve import ask, daemon
from tests.daemon.world import PRODUCT, World, memory, until


async def start(world: World) -> None:
    world.shop_and_erp()
    world.put("erp", "1", sku="MUG-1", name="Mug", price="12.00", stock=3)


async def reload(world: World) -> dict[str, Any]:
    return await ask(world, do="reload")


async def test_what_did_not_change_keeps_its_connector(world: World, monkeypatch: Any) -> None:
    made: list[str] = []
    real = world.kind.connect

    def connect(setup: Any) -> Any:
        made.append(setup.platform)
        return real(setup)

    monkeypatch.setattr(world.kind, "connect", connect)
    await start(world)
    async with daemon(world):
        await until(lambda: "MUG-1" in world.items("shop"))
        made.clear()
        assert "nothing changed" in (await reload(world))["text"]
        world.write("platforms/shop.yaml", memory("shop", collection="products", mode="propose"))
        answer = await reload(world)
        assert "changed: platforms/shop.yaml" in answer["text"]
        assert made == [], "a mode is no connection"
        world.put("erp", "1", price="13.00")
        shop = memory("shop", collection="products").replace("every: 20ms", "every: 30ms")
        world.write("platforms/shop.yaml", shop)
        await reload(world)
        assert made == ["shop"]
        await until(lambda: world.items("shop")["MUG-1"]["price"] == Decimal("13.00"))


async def test_a_new_mapping_is_read_anew(world: World) -> None:
    await start(world)
    world.put("erp", "1", colour="red")
    async with daemon(world):
        await until(lambda: "MUG-1" in world.items("shop"))
        more = "  colour: {type: string, truth: erp, map: {erp: colour, shop: colour}}\n"
        world.write("entities/product.yaml", PRODUCT.replace("deletes:", f"{more}deletes:"))
        answer = await reload(world)
        assert "decided again: product" in answer["text"]
        await until(lambda: world.items("shop")["MUG-1"].get("colour") == "red")


async def test_a_platform_may_come_and_go(world: World) -> None:
    await start(world)
    async with daemon(world):
        await until(lambda: "MUG-1" in world.items("shop"))
        (world.folder / "config" / "platforms" / "shop.yaml").unlink()
        world.write("entities/product.yaml", ERP_ONLY)
        assert (await reload(world))["ok"]
        assert set((await ask(world, do="status"))["platforms"]) == {"erp"}
        world.put("erp", "1", price="14.00")
        world.shop_and_erp()
        assert (await reload(world))["ok"]
        await until(lambda: world.items("shop")["MUG-1"]["price"] == Decimal("14.00"))


ERP_ONLY = """
entity: product
in:
  erp: {collection: items}
identity: {key: sku, match: [{by: sku}], unmatched: {erp: create}}
fields:
  sku: {type: string, truth: erp, map: {erp: sku}}
"""


async def test_what_needs_a_restart_is_refused_by_name(world: World) -> None:
    await start(world)
    async with daemon(world):
        file = world.folder / "config" / "syncd.yaml"
        file.write_text(file.read_text().replace("state/ledger.db", "state/other.db"))
        answer = await reload(world)
        assert answer["exit"] == 78
        assert "E060" in answer["diagnostics"]
        assert "ledger.path" in answer["diagnostics"]


@pytest.mark.parametrize(("count", "said"), [(1, "a:1"), (3, "a:1, a:2, a:3"), (5, "a:1, a:2, a:3 and 2 more")])
def test_a_reload_names_the_first_three_places(count: int, said: str) -> None:
    assert listed([f"a:{line}" for line in range(1, count + 1)]) == said
