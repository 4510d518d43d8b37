"""A retailer's story: ``python examples/product-shopify-sanity-sap/run.py [FOLDER]``.

1,000 materials in SAP, 980 documents in Sanity, 900 products in Shopify. Every scene waits until it has happened and checks
that nothing else did. Exits 0 only if in the end nothing differs, nothing more is written, and every request is an attempt.
"""

import argparse
import asyncio
import re
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

from retailer import COUNT, DOCUMENTED, SHOWN, Retailer, price, title

from syncd.demo.service import Service

IMPORTED = range(301, 601)  # the materials of the imports that go wrong


class Story:
    """The retailer, syncd beside it, and what happens between them."""

    def __init__(self, retailer: Retailer, tell: Callable[[str], None]) -> None:
        self.at = retailer
        self.tell = tell
        self.syncd = Service(retailer.folder / "config", retailer.folder / "syncd.log", retailer.environment)
        self.until, self.until_told = self.syncd.until, self.syncd.until_told

    async def perform(self) -> None:
        """Play all scenes; raises TimeoutError or AssertionError if something does not happen as it must."""
        for scene in (
            self.checked,
            self.first_load,
            self.approved,
            self.enforced,
            self.price_changes,
            self.content_changes,
            self.stray_edit,
            self.tags_on_both,
            self.price_jump,
            self.empty_import,
            self.wrong_list,
            self.lost_webhook,
            self.marked_for_deletion,
            self.quiet,
            self.explained,
        ):
            began = time.monotonic()
            self.at.shop.faults.add("throttle", 3)  # beside what its bucket of points refuses anyway
            await scene()
            self.tell(f"{time.monotonic() - began:6.1f} s  {(scene.__doc__ or '').splitlines()[0]}")
        await self.syncd.stop()

    # ---- scenes

    async def checked(self) -> None:
        """check --online: logins, rights, clocks and names are as the config says."""
        code, out, err = await self.syncd.ask("check", "--online")
        assert code == 0, out + err

    async def first_load(self) -> None:
        """First load: everything is read and matched; the shop gets proposals only."""
        await self.syncd.start()
        await self.until(lambda: len(self.published()) == COUNT, f"{COUNT - DOCUMENTED} products made in Sanity", within=120)
        wanted = (COUNT - SHOWN) + len(self.changed_in_shop())
        await self.until_told(lambda status: status["open"]["changes"] == wanted, f"{wanted} proposals", within=120)
        assert self.at.shop.writes == 0, "mode propose"
        assert len(self.products()) == SHOWN

    async def approved(self) -> None:
        """A person approves: 100 products made, old prices and titles corrected, each once."""
        code, out, err = await self.syncd.ask("changes", "approve", "--all", "--platform", "shopify", "--yes")
        assert code == 0, out + err
        await self.until(lambda: len(self.products()) == COUNT, "all products in the shop", within=120)
        await self.until(lambda: all(self.at.first(n)["price"] == price(n) for n in range(22, SHOWN, 22)), "prices")
        assert self.at.shown(30)["title"] == title(30)
        others = [self.at.shown(n)["variants"][1] for n in range(1, SHOWN + 1)]
        assert all(other["price"] == "99.00" for other in others), "a variant that nothing maps is left alone"

    async def enforced(self) -> None:
        """The shop's file says mode: enforce now, and syncd reload takes it over."""
        file = self.at.folder / "config" / "platforms" / "shopify.yaml"
        file.write_text(re.sub(r"(?m)^mode: propose\b.*$", "mode: enforce", file.read_text()))
        code, out, err = await self.syncd.ask("reload")
        assert code == 0, out + err

    async def price_changes(self) -> None:
        """A price changes in SAP: the shop has it."""
        await self.at.edit_sap(7, NetPrice="19.90")
        await self.until(lambda: self.at.first(7)["price"] == "19.90", "price in the shop")

    async def content_changes(self) -> None:
        """An editor changes name and text in Sanity: the shop has them."""
        await self.at.edit_sanity(8, title="Mug for giants", body=[paragraph("Holds a litre & more.")])
        await self.until(lambda: self.at.shown(8)["title"] == "Mug for giants", "title in the shop")
        await self.until(lambda: self.at.shown(8)["descriptionHtml"] == "<p>Holds a litre &amp; more.</p>", "text in the shop")

    async def stray_edit(self) -> None:
        """Somebody edits a title in the shop's admin: put back, Sanity decides."""
        self.at.edit_shop(9, title="SALE SALE SALE")
        await self.until(lambda: self.at.shown(9)["title"] == title(9), "title put back")
        assert self.at.written(9)["title"] == title(9)

    async def tags_on_both(self) -> None:
        """A tag is added on each side at once, and one taken away: both sides have the union."""
        self.at.edit_shop(10, tags=["mug", "staff-pick"])
        await self.at.edit_sanity(10, tags=["blue", "mug", "gift"])
        wanted = {"mug", "staff-pick", "gift"}
        await self.until(lambda: set(self.at.shown(10)["tags"]) == wanted == set(self.at.written(10)["tags"]), "tags")

    async def price_jump(self) -> None:
        """A price jumps by 60%: held for a person, who takes it."""
        before = self.at.first(11)["price"]
        await self.at.edit_sap(11, NetPrice=f"{float(before) * 1.6:.2f}")
        await self.until_told(lambda status: status["open"]["conflicts"] == 1, "a conflict")
        assert self.at.first(11)["price"] == before
        [held] = (await self.syncd.ask_json("conflicts"))["conflicts"]
        code, out, err = await self.syncd.ask("conflicts", "resolve", held["id"], "--take", "sap", "--note", "new glaze")
        assert code == 0, out + err
        await self.until(lambda: self.at.first(11)["price"] == f"{float(before) * 1.6:.2f}", "the price that was taken")

    async def empty_import(self) -> None:
        """An import empties 300 prices in SAP: nothing is blanked anywhere."""
        written = self.at.shop.writes
        await self.at.sap.many([{"Product": f"P-{n:04}", "NetPrice": None} for n in IMPORTED])
        await asyncio.sleep(5)
        assert self.at.shop.writes == written
        assert all(self.at.first(n)["price"] == price(n) for n in IMPORTED)
        await self.at.sap.many([{"Product": f"P-{n:04}", "NetPrice": price(n)} for n in IMPORTED])
        await asyncio.sleep(3)
        assert self.at.shop.writes == written

    async def wrong_list(self) -> None:
        """A stock list comes in ten times too high: stopped before its first write, and taken back."""
        written = self.at.shop.writes
        await self.at.sap.many([{"Product": f"P-{n:04}", "Stock": (n % 20 + 1) * 10} for n in IMPORTED])
        await self.until_told(lambda status: status["open"]["breakers"] == 1, "a breaker")
        await asyncio.sleep(2)
        assert self.at.shop.writes == written
        await self.at.sap.many([{"Product": f"P-{n:04}", "Stock": n % 20} for n in IMPORTED])
        await asyncio.sleep(4)
        code, out, err = await self.syncd.ask("breaker", "reset", "shopify", "product", "--note", "list taken back")
        assert code == 0, out + err
        await asyncio.sleep(2)
        assert self.at.shop.writes == written

    async def lost_webhook(self) -> None:
        """A webhook of the shop is lost: the poll finds the edit."""
        self.at.shop.courier.lose(1)
        self.at.edit_shop(12, tags=["red", "mug", "found-by-poll"])
        await self.until(lambda: "found-by-poll" in self.at.written(12)["tags"], "tag in Sanity", within=40)

    async def marked_for_deletion(self) -> None:
        """SAP marks a material for deletion: archived in the shop, unpublished in Sanity, deleted nowhere."""
        await self.at.edit_sap(13, IsMarkedForDeletion=True)
        await self.until(lambda: self.at.shown(13)["status"] == "ARCHIVED", "archived in the shop", within=40)
        await self.until(lambda: "product-0013" not in self.at.lake.documents, "unpublished in Sanity", within=40)
        assert "drafts.product-0013" in self.at.lake.documents, "an editor still has it as a draft"

    async def quiet(self) -> None:
        """Nothing differs, and nothing more is written."""
        shop, sanity = self.at.shop.writes, self.at.lake.writes
        report = await self.syncd.ask_json("reconcile")
        assert report["complete"], report
        assert report["rows"] == [], report["rows"][:5]
        await asyncio.sleep(6)
        assert (self.at.shop.writes, self.at.lake.writes) == (shop, sanity)

    async def explained(self) -> None:
        """Every request that changed something is one attempt in the ledger; SAP was never written to."""
        await self.syncd.stop()
        ledger = sqlite3.connect(self.at.folder / "state" / "ledger.db")
        attempts = dict(ledger.execute("SELECT platform, count(*) FROM attempt GROUP BY platform"))
        keys = {key for (key,) in ledger.execute("SELECT key FROM attempt WHERE platform = 'sanity'")}
        ledger.close()
        assert attempts["shopify"] == self.at.shop.writes, (attempts, self.at.shop.writes)
        assert attempts["sanity"] == self.at.lake.writes, (attempts, self.at.lake.writes)
        assert len(keys) == self.at.lake.writes
        assert await self.at.sap.writes() == 0
        throttled = sum(one.said == "THROTTLED" for one in self.at.shop.requests)
        self.tell(
            f"          {attempts['shopify']} writes in Shopify, {attempts['sanity']} in Sanity, 0 in SAP; "
            f"{len(self.at.shop.requests)} requests to Shopify, {throttled} of them throttled"
        )

    # ---- what is there

    def products(self) -> list[dict[str, Any]]:
        """Return the shop's products."""
        return self.at.shop.shop.all("Product")

    def published(self) -> list[str]:
        """Return the ids of Sanity's published products."""
        return [one for one, found in self.at.lake.documents.items() if found["_type"] == "product" and "." not in one]

    def changed_in_shop(self) -> set[int]:
        """Return the products whose title or price was old when the story began."""
        return {n for n in range(1, SHOWN + 1) if n % 22 == 0 or n % 30 == 0}


def paragraph(text: str) -> dict[str, Any]:
    """Return a block of portable text."""
    span = {"_type": "span", "_key": "s1", "text": text, "marks": []}
    return {"_type": "block", "_key": "b1", "style": "normal", "markDefs": [], "children": [span]}


async def main(folder: Path, tell: Callable[[str], None] = print) -> None:
    """Start the retailer in a folder and play the story."""
    async with Retailer(folder) as retailer:
        story = Story(retailer, tell)
        try:
            await story.perform()
        finally:
            await story.syncd.stop()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", nargs="?", type=Path, help="where everything is kept (a new temporary folder)")
    given = parser.parse_args()
    made = given.folder or Path(tempfile.mkdtemp(prefix="syncd-retailer-"))
    print(f"A retailer: SAP's own server program, emulators of Shopify and Sanity, in {made}")
    asyncio.run(main(made))
