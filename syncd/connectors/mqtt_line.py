"""One connection to a broker, and the session that outlives it.

aiomqtt acknowledges a message when it receives it; ``Session`` is the one small seam that holds the acknowledgement back
until ``accept``. One platform has one session: all its topics are subscribed there and all writes are published there. What
was not acknowledged comes again after a lost connection or a crash.
"""

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

import aiomqtt
from aiomqtt.exceptions import MqttConnectError
from paho.mqtt.client import MQTT_CLEAN_START_FIRST_ONLY
from paho.mqtt.client import Client as Paho
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from pydantic import BeforeValidator, Field

from syncd.connectors.login import trust
from syncd.connectors.mqtt_topics import ID, id_in
from syncd.connectors.options import Duration, Later, Options, Tls, Watch, reveal
from syncd.connectors.protocol import Setup
from syncd.core.model import SECOND
from syncd.errors import ConnectorError, TransientError

ANSWER = 10.0  # seconds at most for an answer of the broker
BATCH = 500  # messages
WINDOW = 1000  # messages that the broker may have underway to us (MQTT 5; under 3.1.1 the broker decides)
_LOGIN = {4, 5, 134, 135}  # bad user or password, not authorised; in 3.1.1 and in 5


def _bare_five(raw: Any) -> Any:
    return "5" if raw == 5 and not isinstance(raw, bool) else raw


class MqttConnection(Options):
    """The broker. ``client_id`` names the session; nobody else may use it. 3.1.1 leaves the session's end to the broker."""

    host: str
    port: int | None = Field(None, ge=1, le=65535)
    user: str | None = None
    password: str | None = None
    client_id: str | None = None
    protocol: Annotated[Literal["5", "3.1.1"], BeforeValidator(_bare_five)] = "5"
    tls: Tls | None = None
    proxy: Later = None


class MqttStream(Options):
    """How the topics are subscribed. ``session`` is how long the broker keeps messages for us while we are away."""

    qos: Literal[0, 1] = 1
    session: Duration = 3600 * SECOND


class MqttWatch(Watch):
    """How changes are noticed."""

    stream: MqttStream | None = None


class Session(aiomqtt.Client):
    """aiomqtt's client, but a message is acknowledged by ``accept`` and not when it is received."""

    def __init__(self, host: str, **options: Any) -> None:
        super().__init__(host, **options)
        self._client.manual_ack_set(True)
        self.refused: ReasonCode | None = None

    def accept(self, message: aiomqtt.Message) -> None:
        """Acknowledge one message; without effect once the connection is gone."""
        self._client.ack(message.mid, message.qos)

    def _on_publish(self, client: Paho, userdata: Any, mid: int, reason_code: ReasonCode, properties: Properties) -> None:
        """Keep what aiomqtt drops: under MQTT 5 a broker may answer that it did not take the message."""
        self.refused = reason_code if reason_code.is_failure else None
        super()._on_publish(client, userdata, mid, reason_code, properties)


@dataclass(slots=True)
class Arrived:
    """A message, with our number and clock when it came."""

    message: aiomqtt.Message
    as_of: int
    seen_at: int
    waits: int = 1  # collections that have not stored it yet

    @property
    def topic(self) -> str:
        """Return its topic."""
        return str(self.message.topic)


@dataclass(slots=True)
class Line:
    """One connection. Its messages wait per collection; those taken and not acknowledged are ``taken`` once more."""

    setup: Setup
    session: Session
    waiting: dict[str, asyncio.Queue[Arrived | None]]
    taken: dict[str, list[Arrived]] = field(default_factory=dict)
    order: deque[Arrived] = field(default_factory=deque)
    up: asyncio.Event = field(default_factory=asyncio.Event)
    trouble: TransientError | None = None
    task: asyncio.Task[None] | None = None

    async def hold(self) -> None:
        """Connect, subscribe, and pass on what comes until the connection ends; then ``trouble`` says why."""
        try:
            async with self.session:
                if self.setup.watch.stream is not None:
                    await subscribe(self.session, self.setup, list(self.waiting))
                self.up.set()
                async for message in self.session.messages:
                    self.arrive(message)
        except (aiomqtt.MqttError, OSError, ConnectorError) as error:
            self.trouble = blame(error, self.setup.platform)
        finally:
            self.trouble = self.trouble or TransientError(f"{self.setup.platform}: closed")
            self.up.set()
            for queue in self.waiting.values():
                queue.put_nowait(None)

    def arrive(self, message: aiomqtt.Message) -> None:
        """Put a message where its collection waits for it; one of no collection goes to the first, to be quarantined."""
        topic = str(message.topic)
        names = [name for name, one in self.setup.collections.items() if id_in(one.options.topic, topic) is not None]
        names = names or list(self.waiting)[:1]
        arrived = Arrived(message, self.setup.number(), self.setup.now(), len(names))
        if message.qos:
            self.order.append(arrived)
        for name in names:
            self.waiting[name].put_nowait(arrived)

    async def next(self, collection: str) -> list[Arrived]:
        """Return the next messages, at least one; first those that were taken before and not acknowledged."""
        taken = self.taken.setdefault(collection, [])
        queue = self.waiting[collection]
        while not taken or (len(taken) < BATCH and not queue.empty()):
            arrived = await queue.get()
            if arrived is None:
                queue.put_nowait(None)
                raise self.trouble or TransientError(f"{self.setup.platform}: closed")
            taken.append(arrived)
        return list(taken)

    def accept(self, collection: str, arrived: Sequence[Arrived]) -> None:
        """Acknowledge what is stored, in the order of arrival, as the protocol wants it."""
        for one in arrived:
            one.waits -= 1
        del self.taken[collection][: len(arrived)]
        while self.order and self.order[0].waits <= 0:
            self.session.accept(self.order.popleft().message)


def open_session(setup: Setup, *, scan: bool = False) -> Session:
    """Return a client that is not connected yet; raises TransientError if a secret or certificate is not there."""
    connection: MqttConnection = setup.connection
    stream: MqttStream = setup.watch.stream or MqttStream()
    five = connection.protocol == "5"
    keep = setup.watch.stream is not None and not scan
    properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call] # paho has types, but not here
    properties.SessionExpiryInterval = min(stream.session // SECOND, 2**32 - 1) if keep else 0
    properties.ReceiveMaximum = WINDOW
    name = connection.client_id or f"syncd-{setup.platform}"
    return Session(
        connection.host,
        port=connection.port or (8883 if connection.tls else 1883),
        username=connection.user,
        password=reveal(connection.password, setup.secret) if connection.password else None,
        identifier=f"{name}-scan" if scan else name,
        protocol=aiomqtt.ProtocolVersion.V5 if five else aiomqtt.ProtocolVersion.V311,
        clean_session=None if five else not keep,
        clean_start=not keep if five else MQTT_CLEAN_START_FIRST_ONLY,
        properties=properties if five else None,
        tls_context=trust(connection.tls, setup.folder, setup.secret) if connection.tls else None,
        timeout=ANSWER,
    )


async def gather(setup: Setup, collection: str, seconds: float) -> list[aiomqtt.Message]:
    """Return the messages that come within a while after a subscription, over a connection without a session."""
    found: list[aiomqtt.Message] = []
    try:
        async with open_session(setup, scan=True) as session:
            await subscribe(session, setup, [collection])
            try:
                async with asyncio.timeout(seconds):
                    async for message in session.messages:
                        found += [message]
            except TimeoutError:
                return found
    except (aiomqtt.MqttError, OSError) as error:
        raise blame(error, setup.platform) from error
    return found


async def subscribe(session: Session, setup: Setup, names: Sequence[str]) -> None:
    """Subscribe the topics of these collections; raises TransientError if the broker refuses one."""
    qos: int = (setup.watch.stream or MqttStream()).qos
    for name in names:
        topic = setup.collections[name].options.topic.replace(ID, "+")
        for answer in await session.subscribe(topic, qos=qos):
            code = answer.value if isinstance(answer, ReasonCode) else answer
            if code >= 128:
                raise TransientError(f"login: {setup.platform}: may not subscribe to {topic}: {answer}")


def blame(error: Exception, platform: str) -> TransientError:
    """Return the error as the platform's trouble."""
    if isinstance(error, TransientError):
        return error
    code = getattr(error, "rc", None)
    value = code.value if isinstance(code, ReasonCode) else code
    login = "login: " if isinstance(error, MqttConnectError) and value in _LOGIN else ""
    return TransientError(f"{login}{platform}: {error or type(error).__name__}")
