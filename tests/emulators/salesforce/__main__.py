"""A Salesforce organisation in a process of its own: ``python -m tests.emulators.salesforce --port 8080 --bus-port 8081``.

Prints one line of JSON once it serves. ``--fill FILE``: JSON of rows by object to begin with. ``--public-key FILE``: PEM of
the key that signs JWT logins.
"""

import argparse
import asyncio
import json
import signal
import sys
from pathlib import Path

from tests.emulators.salesforce import Salesforce, serving
from tests.emulators.salesforce.bus import on_air


async def main() -> None:
    """Serve until a signal."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--port", type=int, default=0)
    arguments.add_argument("--bus-port", type=int, default=0)
    arguments.add_argument("--keepalive", type=float, default=30.0)
    arguments.add_argument("--fill", type=Path)
    arguments.add_argument("--public-key", type=Path)
    given = arguments.parse_args()
    salesforce = Salesforce(public_key=given.public_key.read_text() if given.public_key else "")
    for name, rows in json.loads(given.fill.read_text()).items() if given.fill else ():
        for row in rows:
            salesforce.org.create(name, row)
    salesforce.org.events.clear()  # what there was before anybody listened
    ended = asyncio.Event()
    for one in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(one, ended.set)
    bus = on_air(salesforce, port=given.bus_port, keepalive=given.keepalive)
    async with serving(salesforce, port=given.port), bus as line:
        told = {"url": salesforce.url, "bus": line.address, "client_id": salesforce.client_id}
        sys.stdout.write(json.dumps(told | {"client_secret": salesforce.client_secret}) + "\n")
        sys.stdout.flush()
        await ended.wait()


asyncio.run(main())
