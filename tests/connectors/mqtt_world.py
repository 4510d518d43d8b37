"""Topics on a real broker, and a hand that publishes as sensors do."""

import json
import secrets
from pathlib import Path
from typing import Any

import aiomqtt

from syncd.connectors.body import decode
from syncd.connectors.mqtt import MqttKind
from syncd.connectors.protocol import Setup
from syncd.core.model import Item
from tests.connectors.contract import World, setup_for
from tests.connectors.servers import Relay

FIELDS = ("id", "sku", "name", "price", "stock", "level")


class MqttWorld(World):
    """Things that publish their whole state, retained, below a topic of their own. ``down`` cuts the wire."""

    streams = True
    wire = False

    def __init__(self, port: int, folder: Path, *, relay: Relay | None = None, **connection: Any) -> None:
        self.kind = MqttKind()
        self.port = port
        self.relay = relay
        self.root = secrets.token_hex(6)
        self.things: dict[str, Item] = {}
        place = {"host": "127.0.0.1", "port": relay.port if relay else port, "client_id": self.root} | connection
        super().__init__(self.kind, self.setup_of(place, {"things": {"topic": f"{self.root}/{{id}}/state"}}, folder))

    def setup_of(self, connection: Any, collections: Any, folder: Path) -> Setup:
        """Return a setup."""
        return setup_for(
            self.kind,
            connection=connection,
            watch={"stream": {"qos": 1, "session": "1h"}},
            collections=collections,
            fields=FIELDS,
            keys=("sku",),
            folder=str(folder),
        )

    async def publish(self, topic: str, payload: Any, *, retain: bool = False, qos: int = 1) -> None:
        content = payload if isinstance(payload, bytes | str) else json.dumps(payload, default=float)
        async with aiomqtt.Client("127.0.0.1", self.port) as hand:
            await hand.publish(topic, content, qos=qos, retain=retain)

    async def put(self, item: Item, native_id: str | None = None) -> str:
        one = native_id or str(item["sku"])
        self.things[one] = self.things.get(one, {}) | item
        await self.publish(f"{self.root}/{one}/state", self.things[one], retain=True)
        return one

    async def remove(self, native_id: str) -> None:
        await self.publish(f"{self.root}/{native_id}/state", b"", retain=True)

    async def held(self, native_id: str) -> Item | None:
        async with aiomqtt.Client("127.0.0.1", self.port) as hand:
            await hand.subscribe(f"{self.root}/{native_id}/state", qos=1)
            message = await anext(aiter(hand.messages))
        return decode(message.payload) if message.payload else None

    async def writes(self) -> int:
        return 0  # a broker counts nothing

    async def down(self) -> None:
        assert self.relay is not None
        await self.relay.cut()
