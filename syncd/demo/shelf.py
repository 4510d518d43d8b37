"""The demo's shelf: a sensor that publishes over MQTT, on a broker in this process. Only where that broker is installed."""

import json
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import aiomqtt

from syncd.demo.service import free_port

BROKER = "amqtt"
PLATFORM = """\
# Sensors under the shelves publish what they weigh; retained, so that a new reader gets the last value of each.
platform: shelf
connector: mqtt
mode: observe
connection: {{host: 127.0.0.1, port: {port}, client_id: syncd-demo, protocol: 3.1.1}}
watch: {{stream: {{qos: 1, session: 1h}}}}
collections:
  levels: {{topic: "shelf/{{id}}/level", payload: json, changed_at: at}}
"""
FIELD = """
  shelf_level:
    type: integer
    truth: shelf
    map:
      shelf: {path: level, direction: in}
      shop: shelf_level

deletes:
"""
EDITS = {  # of the shipped product.yaml
    "\n  shop: {collection": "\n  shelf: {collection: levels}\n  shop: {collection",
    "warehouse: ignore, shop: review}": "warehouse: ignore, shelf: ignore, shop: review}",
    "warehouse: sku, shop: sku}": "warehouse: sku, shelf: sku, shop: sku}",
    "\ndeletes:\n": FIELD,
}


def installed() -> bool:
    """Return whether the broker can be started: it comes with the test dependencies."""
    return find_spec(BROKER) is not None


class Shelf:
    """The sensors. ``report`` publishes what lies on a shelf."""

    def __init__(self, port: int) -> None:
        self.port = port

    async def report(self, sku: str, level: int) -> None:
        """Publish the level of one product's shelf, retained."""
        stamp = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        async with aiomqtt.Client("127.0.0.1", self.port) as client:
            body = json.dumps({"sku": sku, "level": level, "at": stamp})
            await client.publish(f"shelf/{sku}/level", body, qos=1, retain=True)

    def extend(self, config: Path) -> None:
        """Add the shelf to a copy of the shipped config."""
        (config / "platforms" / "shelf.yaml").write_text(PLATFORM.format(port=self.port), encoding="utf-8")
        product = config / "entities" / "product.yaml"
        text = product.read_text(encoding="utf-8")
        for shipped, extended in EDITS.items():
            text = text.replace(shipped, extended)
        product.write_text(text, encoding="utf-8")


@asynccontextmanager
async def running() -> AsyncIterator[Shelf]:
    """Run the broker on a free port."""
    logging.getLogger(BROKER).setLevel(logging.CRITICAL)
    logging.getLogger("transitions").setLevel(logging.CRITICAL)
    port = free_port()
    broker = import_module(f"{BROKER}.broker").Broker(
        {
            "listeners": {"default": {"type": "tcp", "bind": f"127.0.0.1:{port}"}},
            "plugins": {f"{BROKER}.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": True}},
        }
    )
    await broker.start()
    try:
        yield Shelf(port)
    finally:
        await broker.shutdown()
