"""A company: an ERP in memory and an emulated shop, kept in step by a whole syncd: config, ledger and rules are real."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from syncd.ledger.reading import read_only
from tests.connectors.shopify_world import ServedShop, served_shop
from tests.daemon.world import World, memory
from tests.emulators.shopify.state import Node

ENTITY = """
entity: product
in:
  erp: {{collection: items, create: true}}
  shopify: {{collection: products, create: true}}
identity:
  key: sku
  match: [{{by: sku}}]
  unmatched: {{erp: create, shopify: review}}
fields:
{fields}
deletes:
  authority: erp
  then: {{shopify: archive}}
  confirm: {{sweeps: 1, wait: 0s}}
  elsewhere: restore
safety: {{shrink: {{max: 9, ratio: 100%}}}}
"""
FIELDS = """
  sku: {type: string, truth: erp, map: {erp: sku, shopify: variants.0.sku}}
  name: {type: string, truth: erp, map: {erp: name, shopify: title}}
  price: {type: decimal(2), truth: erp, map: {erp: price, shopify: {path: variants.0.price, write: [text]}}}
  stock: {type: integer, truth: erp, map: {erp: stock, shopify: variants.0.inventoryQuantity}}
"""
POLL = "{poll: {every: 20ms, overlap: 1m}, sweep: 1h}"


@dataclass
class Company:
    """The ERP in memory and the shop."""

    world: World
    shop: ServedShop

    def entity(self, fields: str = FIELDS, *, more: str = "") -> None:
        """Write the entity; ``more`` goes to its end."""
        self.world.write("entities/product.yaml", ENTITY.format(fields=fields.strip("\n")) + more)

    def platform(
        self,
        *,
        connection: str = "token: secret:shopify-token",
        watch: str = POLL,
        write: str = "{guard: version, retry: {attempts: 4, first: 20ms, max: 200ms}}",
        collection: str = "",
        object: str = "Product",  # noqa: A002 - as in the config
    ) -> None:
        """Write the shop's file; ``collection`` is added to the options of the collection."""
        place = self.shop.place.rpartition("/")[2]
        text = f"""
            platform: shopify
            connector: shopify
            mode: enforce
            connection: {{shop: "127.0.0.1:{self.shop.server.port}", timeout: 2s, {connection}}}
            watch: {watch}
            write: {write}
            collections:
              products: {{object: {object}, id: id, changed_at: updatedAt, location: "{place}"{collection}}}
        """
        self.world.write("platforms/shopify.yaml", dedent(text))

    @property
    def products(self) -> list[Node]:
        """Return the products of the shop."""
        return self.shop.emulator.shop.all("Product")

    @property
    def erp(self) -> dict[str, dict[str, Any]]:
        """Return what the ERP holds, by sku."""
        return self.world.items("erp")

    async def settled(self, most: int = 15) -> None:
        """Run until two passes in a row wrote nothing and nothing is in doubt."""
        quiet = 0
        for _ in range(most):
            before = self.shop.emulator.writes, self.world.requests("erp")
            await self.world.once()
            rested = before == (self.shop.emulator.writes, self.world.requests("erp"))
            doubts = self.ledger("SELECT count(*) FROM attempt WHERE outcome IS NULL") != [(0,)]
            quiet = quiet + 1 if rested and not doubts else 0
            if quiet == 2:
                return
        raise AssertionError("it never comes to rest")

    def attempts(self, platform: str = "shopify") -> list[tuple[str, str | None]]:
        """Return what was tried to write to a platform, oldest first, with the outcome."""
        return self.ledger("SELECT op, outcome FROM attempt WHERE platform = ? ORDER BY id", platform)

    def ledger(self, query: str, *values: Any) -> list[Any]:
        """Return rows of the ledger."""
        with read_only(self.world.config().ledger_path) as db:
            return db.execute(query, values).fetchall()


@asynccontextmanager
async def company_at(folder: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Company]:
    """Yield a company with a product entity that syncs sku, name, price and stock."""
    monkeypatch.setenv("SYNCD_SECRET_SHOPIFY_TOKEN", "shpat_test")
    world = World(folder)
    async with served_shop() as shop:
        made = Company(world, shop)
        world.service()
        world.write("platforms/erp.yaml", memory("erp"))
        made.entity()
        made.platform()
        yield made
