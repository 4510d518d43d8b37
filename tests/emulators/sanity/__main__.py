"""``python -m tests.emulators.sanity --port N --products 1000``: the service as a process of its own, until it is stopped.

Whoever wants to be called by webhooks says so with ``--webhook URL --secret TEXT``. ``--token`` may write,
``viewer-token`` may not, ``administrator-token`` may do everything.
"""

import argparse
import asyncio
import contextlib
import signal

from tests.emulators.sanity.lake import Lake, WebhookRule
from tests.emulators.sanity.samples import products
from tests.emulators.sanity.server import serving


def options() -> argparse.Namespace:
    """Return what the command line says."""
    parser = argparse.ArgumentParser(prog="python -m tests.emulators.sanity", description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--products", type=int, default=0, help="how many products it holds at the start")
    parser.add_argument("--token", default="editor-token", help="the token that may write")
    parser.add_argument("--webhook", help="the URL that is called after each change of a product")
    parser.add_argument("--secret", default="hook-secret", help="what webhooks are signed with")
    parser.add_argument("--limit", type=int, help="requests a second, else 500")
    parser.add_argument("--window", type=int, default=0, help="for very many products: how many a page is sorted from")
    return parser.parse_args()


async def run(told: argparse.Namespace) -> None:
    """Serve until SIGTERM or SIGINT."""
    roles = {told.token: "editor", "viewer-token": "viewer", "administrator-token": "administrator"}
    lake = Lake(roles=roles, limit=told.limit, window=told.window)
    if told.webhook:
        lake.rule = WebhookRule(told.secret, filter='_type == "product"')
        lake.courier.url = told.webhook
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    async with serving(lake, told.port, products(told.products)) as server:
        with contextlib.suppress(BrokenPipeError):
            print(f"sanity emulator at {server.make_url('/')} with {told.products} products", flush=True)  # noqa: T201
        await stop.wait()


if __name__ == "__main__":
    asyncio.run(run(options()))
