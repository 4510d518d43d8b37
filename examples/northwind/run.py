"""The Northwind story: ``python examples/northwind/run.py [FOLDER] [--sql northwind.sql]``.

Every scene waits until it has happened, and checks that nothing else did. Exits 0 only if, in the end, nothing was doubled,
nothing was lost, and nothing more is written once all is quiet.
"""

import argparse
import asyncio
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

from company import HERE, Company

from syncd.demo.service import Service

PRODUCTS, CUSTOMERS = 77, 91
LISTED = range(1, 61)  # the supplier's list says nothing of the others


class Story:
    """The company, syncd beside it, and what happens between them."""

    def __init__(self, company: Company, tell: Callable[[str], None]) -> None:
        self.company = company
        self.tell = tell
        self.syncd = Service(HERE / "config", company.folder / "syncd.log", company.environment)
        self.until = self.syncd.until

    async def perform(self) -> None:
        """Play all scenes; raises TimeoutError or AssertionError if something does not happen as it must."""
        for scene in (
            self.first_fill,
            self.edits_arrive,
            self.stray_edit,
            self.both_edit,
            self.killed,
            self.report_before,
            self.repair,
            self.quiet,
        ):
            self.tell(f"\n{(scene.__doc__ or '').splitlines()[0]}")
            await scene()
        await self.syncd.stop()

    # ---- scenes

    async def first_fill(self) -> None:
        """First fill: the shop is empty, the others are not."""
        self.company.send_prices({n: f"{n},{n % 100:02}" for n in LISTED})
        await self.company.shelves.report({n: n % 40 for n in range(1, 31)})
        await self.syncd.start()
        await self.until(lambda: len(self.products) == PRODUCTS and len(self.customers) == CUSTOMERS, "shop filled", within=60)
        await self.until(lambda: (self.product(1)["price"], self.product(1)["shelf_level"]) == (1.01, 1), "list and shelf")
        self.tell(f"  {len(self.products)} products and {len(self.customers)} customers in the shop")
        assert self.product(70)["price"] == float(self.one("SELECT unit_price FROM products WHERE product_id = 70"))
        assert sum(method == "POST" for method, _, _ in self.company.shop.applied) == PRODUCTS + CUSTOMERS

    async def edits_arrive(self) -> None:
        """An edit on each platform reaches the others."""
        self.erp("UPDATE products SET product_name = 'Renamed Tea' WHERE product_id = 2")
        code = self.one("SELECT max(customer_id) FROM customers")
        self.erp(f"UPDATE customers SET phone = '+49 30 999' WHERE customer_id = '{code}'")
        self.company.shop.edit("products", 3, description="Written by the shop's editors.")
        self.company.send_prices({n: "99,50" if n == 4 else f"{n},{n % 100:02}" for n in LISTED})
        await self.company.shelves.report({5: 33})
        await self.until(lambda: self.product(2)["title"] == "Renamed Tea", "name in the shop")
        await self.until(lambda: self.customer(code)["phone"] == "+49 30 999", "phone in the shop")
        text = "SELECT description FROM products WHERE product_id = 3"
        await self.until(lambda: self.one(text) is not None, "text in the ERP")
        await self.until(lambda: self.product(4)["price"] == 99.5, "list price in the shop")
        await self.until(lambda: self.product(5)["shelf_level"] == 33, "shelf level in the shop")
        self.erp("UPDATE products SET discontinued = 1 WHERE product_id = 6")
        await self.until(lambda: self.product(6)["status"] == "sold_out", "discontinued is shown")
        self.tell("  name, phone, description, list price, shelf level, discontinued: all arrived; nothing was deleted")
        assert len(self.products) == PRODUCTS

    async def stray_edit(self) -> None:
        """A stray edit is put back."""
        before = self.product(8)["title"]
        self.company.shop.edit("products", 8, title="SALE")
        await self.until(lambda: self.product(8)["title"] == before, "name put back")
        self.tell("  the ERP decides the name")

    async def both_edit(self) -> None:
        """Goods come in at the ERP and are sold in the shop at the same moment: both count."""
        stock = self.stock(9)
        self.company.shop.edit("products", 9, stock=self.product(9)["stock"] - 2)
        self.erp("UPDATE products SET units_in_stock = units_in_stock + 10 WHERE product_id = 9")
        await self.until(lambda: self.stock(9) == stock + 8 and self.product(9)["stock"] == stock + 8, "both counted")
        self.tell(f"  {stock} + 10 - 2 = {self.stock(9)} on both")

    async def killed(self) -> None:
        """kill -9 in the middle, edits while nobody looks, and a start."""
        self.erp("UPDATE products SET product_name = product_name || '!' WHERE product_id BETWEEN 20 AND 40")
        await asyncio.sleep(1.0)
        await self.syncd.kill()
        before = self.product(10)["stock"]
        self.company.shop.edit("products", 10, stock=before - 1)
        self.erp("UPDATE products SET units_in_stock = units_in_stock + 5 WHERE product_id = 10")
        await self.syncd.start()
        names = dict(self.company.erp.run("SELECT product_id, product_name FROM products WHERE product_id BETWEEN 20 AND 40"))
        await self.until(lambda: all(self.product(n)["title"] == name for n, name in names.items()), "all renamed", within=30)
        await self.until(lambda: self.stock(10) == before + 4 == self.product(10)["stock"], "both counted after the start")
        self.tell(f"  {len(names)} names; {before} + 5 - 1 = {self.stock(10)}; {len(self.products)} products, none twice")
        assert len(self.products) == PRODUCTS

    async def report_before(self) -> None:
        """A drift report finds what nobody told: syncd was not running."""
        await self.syncd.stop()
        self.company.shop.edit("products", 11, title="Edited while syncd slept")
        self.erp("UPDATE products SET product_name = 'Renamed while syncd slept' WHERE product_id = 12")
        code, out, err = await self.syncd.ask("reconcile")
        self.tell(indented(out))
        assert code == 0, err
        report = await self.syncd.ask_json("reconcile")
        found = sorted((r["record"], r["platform"], r["field"], r["why"]) for r in report["rows"])
        assert found == [("11", "shop", "name", "stray"), ("12", "erp", "name", "missed")], found

    async def repair(self) -> None:
        """reconcile --fix puts it back."""
        code, out, err = await self.syncd.ask("reconcile", "--fix", "--yes")
        assert code == 0, out + err
        assert self.product(12)["title"] == "Renamed while syncd slept"
        report = await self.syncd.ask_json("reconcile")
        assert report["complete"], report
        assert report["rows"] == [], report["rows"]
        self.tell(f"  {report['totals']['records']} records, {report['totals']['out_of_sync']} out of sync")

    async def quiet(self) -> None:
        """Once all is quiet, nothing is written."""
        await self.syncd.start()
        await asyncio.sleep(1.0)
        requests, versions = len(self.company.shop.applied), self.versions()
        code, _, err = await self.syncd.ask("reconcile", "--exit-code")
        assert code == 0, err
        await asyncio.sleep(3.0)
        assert len(self.company.shop.applied) == requests
        assert self.versions() == versions
        self.tell("  0 writes, 0 records doubled, 0 edits lost")

    # ---- what is there

    @property
    def products(self) -> dict[str, dict[str, Any]]:
        """The shop's products by its own id."""
        return self.company.shop.things["products"]

    @property
    def customers(self) -> dict[str, dict[str, Any]]:
        """The shop's customers by its own id."""
        return self.company.shop.things["customers"]

    def product(self, number: int) -> dict[str, Any]:
        """Return the shop's product with this number."""
        return self.company.shop.find("products", number)

    def customer(self, code: str) -> dict[str, Any]:
        """Return the shop's customer with this code."""
        return self.company.shop.find("customers", code)

    def erp(self, statement: str) -> None:
        """Edit the ERP."""
        self.company.erp.run(statement)

    def one(self, query: str) -> Any:
        """Return one value of the ERP."""
        return self.company.erp.run(query)[0][0]

    def stock(self, number: int) -> int:
        """Return the ERP's stock of a product."""
        return int(self.one(f"SELECT units_in_stock FROM products WHERE product_id = {number}"))

    def versions(self) -> int:
        """Return the sum of all row versions of the ERP: it grows with every write."""
        return int(self.one("SELECT (SELECT sum(row_version) FROM products) + (SELECT sum(row_version) FROM customers)"))


def indented(text: str) -> str:
    """Return text set in by two."""
    return "\n".join(f"  {line}" for line in text.splitlines())


async def main(folder: Path, sql: Path | None, tell: Callable[[str], None] = print) -> None:
    """Start the company in a folder and play the story."""
    async with Company(folder, sql=sql) as company:
        story = Story(company, tell)
        try:
            await story.perform()
        finally:
            await story.syncd.stop()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", nargs="?", type=Path, help="where everything is kept (a new temporary folder)")
    parser.add_argument("--sql", type=Path, help="a dump of the public Northwind database instead of the rows made here")
    given = parser.parse_args()
    made = given.folder or Path(tempfile.mkdtemp(prefix="syncd-northwind-"))
    print(f"Northwind, really running, in {made}")
    asyncio.run(main(made, given.sql))
