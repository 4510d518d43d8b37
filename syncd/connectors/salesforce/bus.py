"""The event bus over gRPC: topics, schemas, subscriptions. Speaks to one address with the login of one organisation.

Source of the protocol: the vendor's pubsub_api.proto and the Pub/Sub API developer guide. grpc is imported when a bus is
opened, never before.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Self, TypeVar

from syncd.connectors.options import Tls, reveal
from syncd.connectors.protocol import Setup
from syncd.connectors.salesforce.messages import (
    FetchRequest,
    FetchResponse,
    Preset,
    SchemaInfo,
    SchemaRequest,
    TopicInfo,
    TopicRequest,
    decode,
    encode,
)
from syncd.connectors.salesforce.options import SalesforceConnection, SalesforceWatch
from syncd.core.model import SECOND
from syncd.errors import PermanentError, TransientError

SERVICE = "/eventbus.v1.PubSub/"
MOST = 100  # events asked for at once; the bus takes no more
SILENCE = 330.0  # seconds: the bus says within 270 that a stream is alive
LARGEST = 64 * 1024 * 1024  # bytes of one message
LOCAL = ("127.0.0.1", "localhost", "[::1]")
PAUSE = 60.0  # seconds, where a limit of the bus is used up
M = TypeVar("M")
Metadata = tuple[tuple[str, str], ...]


class Interrupted(Exception):  # noqa: N818 - what happened to the stream
    """The stream or the connection broke: opening it again may help. The text says why."""


class Expired(Exception):  # noqa: N818 - what happened to the token
    """The bus does not take the token any more; ``shown`` is how REST would have shown that one."""

    shown: Mapping[str, str] = MappingProxyType({})


class ReplayLost(Exception):  # noqa: N818 - what happened to our place
    """The bus does not know the replay id any more: it is too old, or of another stream."""


@dataclass(frozen=True, slots=True)
class Way:
    """How to reach the bus."""

    address: str
    tls: Tls | None
    proxy: str | None
    timeout: float
    folder: str
    secret: Callable[[str], str]


def way_of(setup: Setup) -> Way:
    """Return how a platform's bus is reached."""
    connection: SalesforceConnection = setup.connection
    watch: SalesforceWatch = setup.watch
    assert watch.change_feed is not None
    address, seconds = watch.change_feed.address, connection.timeout / SECOND
    return Way(address, connection.tls, connection.proxy, seconds, setup.folder, setup.secret)


class Bus:
    """One connection to the event bus. ``metadata`` returns who we are, for each call anew; it may raise TransientError."""

    def __init__(self, way: Way, metadata: Callable[[], Awaitable[Metadata]]) -> None:
        self._way = way
        self._metadata = metadata
        self._channel: Any = None

    async def __aenter__(self) -> Self:
        """Make the channel; it connects with the first call. Raises TransientError without grpc or certificates."""
        grpc = library()
        way = self._way
        settings: list[tuple[str, str | int]] = [
            ("grpc.max_receive_message_length", LARGEST),
            ("grpc.keepalive_time_ms", 120_000),
            ("grpc.use_local_subchannel_pool", 1),
            ("grpc.enable_http_proxy", 0),
        ]
        if way.proxy:
            settings[-1:] = [("grpc.http_proxy", way.proxy)]
        if way.address.rpartition(":")[0] in LOCAL:
            self._channel = grpc.aio.insecure_channel(way.address, options=settings)
        else:
            trusted = await asyncio.to_thread(_credentials, grpc, way)
            self._channel = grpc.aio.secure_channel(way.address, trusted, options=settings)
        return self

    async def __aexit__(self, *exc: object) -> None:
        """Close the channel and whatever runs on it."""
        await self._channel.close()

    async def topic(self, name: str) -> TopicInfo:
        """Return what a topic is; raises ConnectorError, Expired or Interrupted."""
        found: TopicInfo = await self._ask("GetTopic", TopicRequest(name), TopicInfo)
        return found

    async def check(self, topic: str) -> None:
        """Raise PermanentError if there is no such topic or this user may not subscribe to it, TransientError for all else."""
        try:
            found = await self.topic(topic)
        except Expired as error:
            raise TransientError(f"login: {error}", status=401) from error
        except Interrupted as error:
            raise TransientError(f"event bus {self._way.address}: {error}") from error
        if not found.can_subscribe:
            raise PermanentError(
                f"change_feed: this user may not subscribe to {topic}: it needs View All Data, or to see the object"
            )

    async def schema(self, schema_id: str) -> str:
        """Return a schema as JSON; raises ConnectorError, Expired or Interrupted."""
        found: SchemaInfo = await self._ask("GetSchema", SchemaRequest(schema_id), SchemaInfo)
        return found.schema_json

    @asynccontextmanager
    async def subscribed(self, topic: str, replay_id: bytes | None) -> AsyncIterator["Subscription"]:
        """Subscribe after a replay id, or from now on. Raises as ``Subscription.next`` does."""
        metadata = await self._metadata()
        call = self._channel.stream_stream(f"{SERVICE}Subscribe")(metadata=metadata)
        preset = Preset.LATEST if replay_id is None else Preset.CUSTOM
        subscription = Subscription(call, topic)
        try:
            with shown(metadata):
                await subscription.send(FetchRequest(topic, preset, replay_id or b"", MOST))
                yield subscription
        finally:
            call.cancel()

    async def _ask(self, name: str, message: Any, kind: type[M]) -> M:
        call, place = self._channel.unary_unary(f"{SERVICE}{name}"), f"{name} {self._way.address}"
        metadata = await self._metadata()
        with shown(metadata), translated(place):
            found = await call(encode(message), metadata=metadata, timeout=self._way.timeout)
            return decode(kind, found)


class Subscription:
    """One open stream. Ask for more only when what came was consumed: the bus sends no more than was asked for."""

    def __init__(self, call: Any, topic: str) -> None:
        self._call = call
        self._topic = topic

    async def send(self, request: FetchRequest) -> None:
        """Send a request; raises as ``next`` does."""
        with translated(self._topic):
            try:
                await self._call.write(encode(request))
            except asyncio.InvalidStateError as error:  # it has ended: reading says how
                await self._call.read()
                raise Interrupted(f"{self._topic}: the bus ended the stream") from error

    async def more(self, count: int) -> None:
        """Ask for as many events as were consumed."""
        if count:
            await self.send(FetchRequest(num_requested=count))

    async def next(self) -> FetchResponse:
        """Return what comes next; raises ConnectorError, Expired, ReplayLost or Interrupted."""
        with translated(self._topic):
            async with asyncio.timeout(SILENCE):
                found = await self._call.read()
            if not isinstance(found, bytes):
                raise Interrupted(f"{self._topic}: the bus ended the stream")
            return decode(FetchResponse, found)


@contextmanager
def shown(metadata: Metadata) -> Iterator[None]:
    """Say of a refused token which one it was: the one that was shown when the call was begun."""
    try:
        yield
    except Expired as error:
        error.shown = error.shown or {"Authorization": f"Bearer {dict(metadata).get('accesstoken', '')}"}
        raise


@contextmanager
def translated(place: str) -> Iterator[None]:
    """Raise as ours what grpc raises."""
    try:
        yield
    except library().RpcError as error:
        raise meaning(error, place) from error
    except TimeoutError as error:
        raise Interrupted(f"{place}: not a word for {SILENCE:.0f} s") from error
    except ValueError as error:
        raise Interrupted(f"{place}: sent {error}") from error


def meaning(error: Any, place: str) -> Exception:
    """Return what a status of the bus means. The bus names its own code in the trailers, and often in the text."""
    status, code = library().StatusCode, error.code()
    own = next((str(value) for key, value in error.trailing_metadata() or () if key == "error-code"), "")
    told = f"{place}: {code.name} {own}".rstrip() + f": {error.details() or 'no more was said'}"
    if "replayid" in told.lower():
        return ReplayLost(told)
    if code == status.UNAUTHENTICATED:
        return Expired(told)
    if code == status.PERMISSION_DENIED:
        return TransientError(f"login: {told}")
    if code in {status.NOT_FOUND, status.INVALID_ARGUMENT, status.UNIMPLEMENTED}:
        return PermanentError(f"{told}. Is the channel right, and is the object selected under Setup, Change Data Capture?")
    if code == status.RESOURCE_EXHAUSTED:
        return TransientError(told, retry_after=PAUSE)
    return Interrupted(told)


def library() -> Any:
    """Return grpc with its asyncio half; raises TransientError that says how to install it."""
    try:
        import grpc  # noqa: PLC0415 - only a change feed needs it
        import grpc.aio  # noqa: PLC0415
    except ImportError as error:
        raise TransientError('change_feed needs grpcio: pip install "syncd[salesforce]"') from error
    return grpc


def _credentials(grpc: Any, way: Way) -> Any:
    """Return whom we trust and who we are. Reads files."""
    tls = way.tls or Tls()
    try:
        roots = Path(way.folder, tls.ca).read_bytes() if tls.ca else None
        chain = Path(way.folder, tls.cert).read_bytes() if tls.cert else None
        key = _key(tls.key or tls.cert, way) if chain else None
    except OSError as error:
        raise TransientError(f"tls: {error}") from error
    return grpc.ssl_channel_credentials(roots, key, chain)


def _key(place: str | None, way: Way) -> bytes:
    if place is not None and place.startswith("secret:"):
        return reveal(place, way.secret).encode()
    return Path(way.folder, place or "").read_bytes()
