"""MQTT 3.1.1 and 5: a topic is a thing, its last message is what the thing is.

A message is acknowledged only after our commit (``mqtt_line``). A retained message is a last value, not a history: topics can
be neither read nor listed.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from typing import Any, Self
from zoneinfo import ZoneInfo

import aiomqtt
from pydantic import BaseModel

from syncd.connectors.body import BadBody, pick
from syncd.connectors.mqtt_line import ANSWER, Arrived, Line, MqttConnection, MqttWatch, gather, open_session
from syncd.connectors.mqtt_topics import MqttCollection, id_in, is_own_topic, item_of, payload_of, topic_of
from syncd.connectors.protocol import Batch, Broken, Connector, Delivery, Page, Rights, Setup
from syncd.connectors.times import parse_time
from syncd.core.model import SECOND, Abilities, Answer, Change, Native, Op, Receipt, Via, Write
from syncd.errors import ConnectorError, OutcomeUnknown, PermanentError, TransientError

FAREWELL = 3.0  # seconds at most to disconnect: a broker that hangs must not keep us from stopping
GATHER = 2.0  # seconds in which retained messages arrive after a subscription
LARGEST = 1024 * 1024  # bytes of one payload
WRONG = {144, 153}  # topic name, payload format: what a broker may find wrong with the record itself


class Mqtt:
    """The connector to one broker."""

    clock = (0, 0)

    def __init__(self, setup: Setup) -> None:
        self.setup = setup
        self._line: Line | None = None
        self._opening = asyncio.Lock()
        self._publishing = asyncio.Lock()
        self._zone = ZoneInfo(setup.timezone)

    async def __aenter__(self) -> Self:
        """Open nothing: the first call connects."""
        return self

    async def __aexit__(self, *exc: object) -> None:
        """Disconnect. The broker keeps the session."""
        if self._line is not None and self._line.task is not None:
            self._line.task.cancel()
            await asyncio.wait({self._line.task}, timeout=FAREWELL)
        self._line = None

    async def changes(self, collection: str, cursor: str | None) -> AsyncIterator[Batch]:
        """Yield what comes, until the connection is lost (TransientError). The broker is the cursor."""
        line = await self._connected()
        while True:
            arrived = await line.next(collection)

            async def accept(arrived: Sequence[Arrived] = arrived) -> None:
                line.accept(collection, arrived)

            told = [self._told(collection, one, Via.EVENT) for one in arrived]
            yield Batch(
                [one for one in told if isinstance(one, Change)],
                broken=[one for one in told if isinstance(one, Broken)],
                ack=accept,
            )

    async def scan(self, collection: str) -> AsyncIterator[Page]:
        """Yield the retained messages, over a connection without a session. Never complete: topics cannot be listed."""
        as_of, seen_at = self.setup.number(), self.setup.now()
        retained = [message for message in await gather(self.setup, collection, GATHER) if message.retain]
        told = [self._told(collection, Arrived(message, as_of, seen_at), Via.READ) for message in retained]
        changes, broken = [one for one in told if isinstance(one, Change)], [one for one in told if isinstance(one, Broken)]
        yield Page(changes, broken, last=True, why="topics cannot be listed")

    async def hook(self, collection: str | None, delivery: Delivery) -> Batch:
        """Refuse: a broker calls nobody."""
        raise PermanentError("mqtt has no webhooks")

    async def read(self, collection: str, ids: Sequence[str]) -> list[Change]:
        """Refuse: topics cannot be read."""
        raise PermanentError("a topic cannot be read")

    async def find(self, collection: str, path: str, value: Native) -> list[Change]:
        """Refuse: topics cannot be looked for."""
        raise PermanentError("topics cannot be looked for")

    async def rights(self, collection: str) -> Rights:
        """Return that nobody can say: only a write shows what may be written."""
        return Rights()

    async def apply(self, writes: Sequence[Write]) -> list[Receipt | ConnectorError]:
        """Publish each write with QoS 1 and wait until the broker has it. What became of it, only the topic tells."""
        outcomes: list[Receipt | ConnectorError] = []
        for write in writes:
            try:
                outcomes.append(await self._publish(write))
            except ConnectorError as error:
                outcomes.append(error)
        return outcomes

    async def _connected(self) -> Line:
        async with self._opening:
            if self._line is None or self._line.trouble is not None:
                session = open_session(self.setup)
                self._line = Line(self.setup, session, {name: asyncio.Queue() for name in self.setup.collections})
                self._line.task = asyncio.create_task(self._line.hold(), name=f"mqtt {self.setup.platform}")
            line = self._line
        await line.up.wait()
        if line.trouble is not None:
            raise line.trouble
        return line

    def _told(self, collection: str, arrived: Arrived, via: Via) -> Change | Broken:
        options: MqttCollection = self.setup.collections[collection].options
        native_id, payload = id_in(options.topic, arrived.topic), bytes(arrived.message.payload)
        if native_id is None:
            return self._broken(collection, arrived, "no collection has this topic")
        change = Change(self.setup.platform, collection, native_id, via, arrived.as_of, arrived.seen_at)
        if not payload:
            return replace(change, gone=True)
        try:
            item = item_of(payload, options) if len(payload) <= LARGEST else None
        except (BadBody, UnicodeDecodeError) as error:
            return self._broken(collection, arrived, str(error), native_id)
        if item is None:
            return self._broken(collection, arrived, f"more than {LARGEST} bytes", native_id)
        changed_at = parse_time(pick(item, options.changed_at), self._zone) if options.changed_at else None
        return replace(change, item={"id": native_id} | item, changed_at=changed_at)

    def _broken(self, collection: str, arrived: Arrived, reason: str, native_id: str | None = None) -> Broken:
        raw = ascii(bytes(arrived.message.payload)[:500])
        return Broken(self.setup.platform, collection, native_id, arrived.topic, reason, raw)

    async def _publish(self, write: Write) -> Receipt:
        options: MqttCollection = self.setup.collections[write.collection].options
        if options.write is None:
            raise PermanentError(f"{self.setup.platform}.{write.collection} has no write:")
        native_id = write.id if write.op is not Op.CREATE else pick(write.values, "id")
        topic = topic_of(options.write.topic, native_id)
        payload = payload_of(options, write, self.setup.collections[write.collection].writes)
        line = await self._connected()
        async with self._publishing:
            await self._send(line, topic, payload, retain=options.write.retain)
        return Receipt(Answer.DONE, str(native_id))

    async def _send(self, line: Line, topic: str, payload: bytes, *, retain: bool) -> None:
        assert line.task is not None
        sending = asyncio.ensure_future(line.session.publish(topic, payload, qos=1, retain=retain, timeout=ANSWER))
        try:
            await asyncio.wait({sending, line.task}, return_when=asyncio.FIRST_COMPLETED)
            if not sending.done():
                raise OutcomeUnknown(f"{self.setup.platform}: {topic}: the connection was lost before the answer")
            sending.result()
        except aiomqtt.MqttCodeError as error:
            raise TransientError(f"{self.setup.platform}: {topic}: not sent: {error}") from error
        except aiomqtt.MqttError as error:
            raise OutcomeUnknown(f"{self.setup.platform}: {topic}: {error}") from error
        finally:
            sending.cancel()
        if refused := line.session.refused:
            text = f"{self.setup.platform}: {topic}: refused: {refused}"
            raise PermanentError(text) if refused.value in WRONG else TransientError(text)


class MqttKind:
    """The kind ``mqtt``."""

    name = "mqtt"
    connection: type[BaseModel] = MqttConnection
    collection: type[BaseModel] = MqttCollection
    watch: type[BaseModel] = MqttWatch

    def abilities(self, connection: Any, collection: Any, watch: Any, write: Any) -> Abilities:
        """Return what a topic can do: be heard and be told, nothing else."""
        writes, own = collection.write is not None, is_own_topic(collection)
        return Abilities(
            list=False,
            read=False,
            find=False,
            create=writes,
            update=writes,
            delete=own and collection.write.retain,
            whole=own,
            timed=collection.changed_at is not None,
            tick=SECOND,
        )

    def connect(self, setup: Setup) -> Connector:
        """Return the connector, not connected yet."""
        return Mqtt(setup)


KIND = MqttKind()
