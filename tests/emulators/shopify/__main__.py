"""``python -m tests.emulators.shopify --port N --products 1000``: a shop for an example, on 127.0.0.1, until it is stopped."""

import argparse
from typing import Any

from aiohttp import web

from tests.emulators.shopify.control import Hand
from tests.emulators.shopify.cost import Bucket
from tests.emulators.shopify.schema import schema
from tests.emulators.shopify.server import Emulator
from tests.emulators.shopify.state import Shop

SIZES = ("S", "M", "L")


def filled(emulator: Emulator, products: int, variants: int, customers: int = 0) -> None:
    """Fill a shop: product n has the skus P-00001-S and so on."""
    hand = Hand(emulator)
    for n in range(1, products + 1):
        rows = [_variant(n, place, only=variants == 1) for place in range(variants)]
        hand.product(title=f"Product {n}", handle=f"product-{n}", variants=rows, tags=["seeded"])
    for n in range(1, customers + 1):
        hand.customer(firstName="Customer", lastName=f"No. {n}", email=f"customer{n}@example.com")


def _variant(n: int, place: int, *, only: bool) -> dict[str, Any]:
    size = SIZES[place] if place < len(SIZES) else f"No. {place}"
    sku = f"P-{n:05}" if only else f"P-{n:05}-{size}"
    return {"options": {"Size": size}, "price": f"{n % 90 + 10}.50", "stock": n % 20, "sku": sku}


def main() -> None:
    """Serve until stopped."""
    words = argparse.ArgumentParser(prog="python -m tests.emulators.shopify", description=__doc__)
    words.add_argument("--port", type=int, required=True)
    words.add_argument("--products", type=int, default=0)
    words.add_argument("--variants", type=int, default=2)
    words.add_argument("--customers", type=int, default=0)
    words.add_argument("--token", default="shpat_test")
    words.add_argument("--secret", default="hush", help="of the app: signs webhooks, and is the client secret")
    words.add_argument("--hooks", help="where webhooks go, whatever a subscription says")
    words.add_argument("--topics", nargs="*", default=[], help="topics that the app is subscribed to, as PRODUCTS_UPDATE")
    words.add_argument("--bucket", type=float, default=2000, help="points that a full bucket has")
    words.add_argument("--restore", type=float, default=100, help="points that come back in a second")
    given = words.parse_args()
    emulator = Emulator(Shop(domain=f"127.0.0.1:{given.port}"), secret=given.secret, bucket=Bucket(given.bucket, given.restore))
    emulator.logins.static = {given.token}
    emulator.courier.url = given.hooks
    schema()
    filled(emulator, given.products, given.variants, given.customers)
    for topic in given.topics:
        Hand(emulator).subscribe(topic, given.hooks)
    web.run_app(emulator.app(), host="127.0.0.1", port=given.port, print=None)


if __name__ == "__main__":
    main()
