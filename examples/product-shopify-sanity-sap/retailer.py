"""A retailer on this machine: SAP's own server program with our model of materials, and emulators of Shopify and Sanity.

Everything listens on 127.0.0.1 and is gone when the ``with`` block ends. What is emulated stands in the README.
"""

import shutil
import sys
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, Self

from aiohttp.test_utils import TestServer

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
sys.path.insert(0, str(ROOT))  # the emulators are part of the tests

from syncd.demo.service import free_port  # noqa: E402
from tests.emulators.cap import Cap, cap_server  # noqa: E402
from tests.emulators.sanity import Lake, serving  # noqa: E402
from tests.emulators.sanity.samples import block  # noqa: E402
from tests.emulators.shopify.control import Hand, plain  # noqa: E402
from tests.emulators.shopify.cost import Bucket  # noqa: E402
from tests.emulators.shopify.schema import schema  # noqa: E402
from tests.emulators.shopify.server import Emulator  # noqa: E402

COUNT = 1000  # materials in SAP
SHOWN = 900  # of them in the shop when the story begins
DOCUMENTED = 980  # of them in Sanity
COLOURS = ("blue", "red", "green", "black", "white")
TOKEN, WEBHOOK_SECRET, EDITOR = "shpat_example", "hush", "editor-token"
TOPICS = ("PRODUCTS_CREATE", "PRODUCTS_UPDATE", "PRODUCTS_DELETE")


def sku(number: int) -> str:
    """Return the number of a material."""
    return f"P-{number:04}"


def gtin(number: int) -> str:
    """Return a GTIN-13 with its check digit."""
    body = f"40063813{number:04}"
    total = sum(int(digit) * (3 if place % 2 else 1) for place, digit in enumerate(body))
    return f"{body}{-total % 10}"


def price(number: int) -> str:
    """Return a material's price at the beginning."""
    return f"{10 + number % 90}.50"


def material(number: int) -> dict[str, Any]:
    """Return a row of SAP's material master."""
    return {
        "Product": sku(number),
        "GTIN": gtin(number),
        "Name": f"MUG {number} {COLOURS[number % 5].upper()}",
        "NetPrice": price(number),
        "Currency": "EUR",
        "Weight": "0.350",
        "Stock": number % 20,
    }


def title(number: int) -> str:
    """Return what the editors call it."""
    return f"Mug no. {number}, {COLOURS[number % 5]}"


def document(number: int) -> dict[str, Any]:
    """Return a product as the editors have it in Sanity."""
    return {
        "_id": f"product-{number:04}",
        "_type": "product",
        "sku": sku(number),
        "gtin": gtin(number),
        "title": title(number),
        "tags": [COLOURS[number % 5], "mug"],
        "body": [block(f"A mug in {COLOURS[number % 5]}.", f"b{number}")],
    }


class Retailer:
    """SAP, Shopify and Sanity of one company, in a folder of its own."""

    sap: Cap
    shop: Emulator
    lake: Lake

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.hooks = free_port()
        self.environment: dict[str, str] = {}
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        try:
            await self._open()
        except BaseException:
            await self._stack.aclose()
            raise
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self._stack.aclose()

    async def _open(self) -> None:
        self.sap = await self._stack.enter_async_context(cap_server("materials"))
        await self.sap.rows([material(n) for n in range(1, COUNT + 1)])
        schema()
        self.shop = Emulator(secret=WEBHOOK_SECRET, bucket=Bucket(maximum=2000, restore=1000))
        self.shop.logins.static = {TOKEN}
        self.shop.courier.url = f"http://127.0.0.1:{self.hooks}/hooks/shopify"
        server = TestServer(self.shop.app(), host="127.0.0.1")
        await server.start_server(shutdown_timeout=0.1)
        self.shop.shop.domain = f"127.0.0.1:{server.port}"
        self._stack.push_async_callback(server.close)
        self._fill_shop()
        self.lake = Lake(roles={EDITOR: "editor"}, precise=True)
        sanity = await self._stack.enter_async_context(serving(self.lake))
        await self.lake.load([document(n) for n in range(1, DOCUMENTED + 1)])
        self._write_secrets()
        self.environment = {
            "EXAMPLE_STATE": str(self.folder / "state"),
            "EXAMPLE_SECRETS": str(self.folder / "secrets"),
            "EXAMPLE_HOOKS": str(self.hooks),
            "EXAMPLE_SAP": self.sap.v4,
            "EXAMPLE_SHOP": f"127.0.0.1:{server.port}",
            "EXAMPLE_SANITY": str(sanity.make_url("")).rstrip("/"),
            "EXAMPLE_LOCATION": self.shop.shop.location["id"],
        }
        shutil.copytree(HERE / "config", self.folder / "config")

    def _fill_shop(self) -> None:
        """Put up 900 products of two variants; 40 have an old price, 30 an old title."""
        hand = Hand(self.shop)
        for n in range(1, SHOWN + 1):
            cost = "9.00" if n % 22 == 0 else price(n)
            first = {"options": {"Size": "S"}, "sku": sku(n), "barcode": gtin(n), "price": cost, "stock": n % 20}
            second = {"options": {"Size": "M"}, "sku": f"{sku(n)}-M", "price": "99.00", "stock": 7}
            made = hand.product(
                title="Old title" if n % 30 == 0 else title(n),
                handle=f"mug-{n}",
                descriptionHtml=f"<p>A mug in {COLOURS[n % 5]}.</p>",
                tags=[COLOURS[n % 5], "mug"],
                variants=[first, second],
            )
            self.shop.shop.of["Product"][made]["updatedAt"] = f"2026-03-{1 + n % 28:02}T{n % 24:02}:00:00Z"
        for topic in TOPICS:
            hand.subscribe(topic, f"http://127.0.0.1:{self.hooks}/hooks/shopify")

    def _write_secrets(self) -> None:
        secrets = self.folder / "secrets"
        secrets.mkdir(mode=0o700, parents=True)
        for name, value in (("shopify-token", TOKEN), ("shopify-webhook", WEBHOOK_SECRET), ("sanity-token", EDITOR)):
            (secrets / name).write_text(value)
            (secrets / name).chmod(0o600)

    # ---- what is there

    def shown(self, number: int) -> dict[str, Any]:
        """Return a product as the shop has it; raises KeyError."""
        for node in self.shop.shop.all("Product"):
            if node["_variants"] and node["_variants"][0]["_item"]["sku"] == sku(number):
                return plain(node)
        raise KeyError(number)

    def first(self, number: int) -> dict[str, Any]:
        """Return the first variant of a product in the shop."""
        found: dict[str, Any] = self.shown(number)["variants"][0]
        return found

    def written(self, number: int) -> dict[str, Any]:
        """Return a product as Sanity has it; raises KeyError."""
        for found in self.lake.documents.values():
            if found.get("sku") == sku(number) and not found["_id"].startswith("drafts."):
                return found
        raise KeyError(number)

    def edit_shop(self, number: int, **values: Any) -> None:
        """Edit a product in the shop's admin."""
        Hand(self.shop).edit(self.shown(number)["id"], **values)

    async def edit_sap(self, number: int, **values: Any) -> None:
        """Edit a material in SAP."""
        await self.sap.put({"Product": sku(number), **values})

    async def edit_sanity(self, number: int, **values: Any) -> None:
        """Edit a document in Sanity's Studio."""
        await self.lake.patch(self.written(number)["_id"], set=values)
