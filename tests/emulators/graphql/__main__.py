"""``python -m tests.emulators.graphql --port N --things N``: the emulator as a process of its own."""

import argparse
from decimal import Decimal

from aiohttp import web

from tests.emulators.graphql.server import Things


def main() -> None:
    """Serve until ended."""
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--port", type=int, required=True)
    words.add_argument("--things", type=int, default=0)
    given = words.parse_args()
    held = Things()
    for n in range(given.things):
        held.put({"sku": f"S-{n}", "name": f"A thing with a name, {n}", "price": Decimal(n) / 4, "stock": n})
    web.run_app(held.app(), host="127.0.0.1", port=given.port, print=None)


if __name__ == "__main__":
    main()
