"""The event bus on a socket: topics, schemas and subscriptions over gRPC, with faults on demand.

It speaks by the vendor's own pubsub_api.proto, compiled when a test starts, where SYNCD_SHARED leads to it; the examples, which
run without, use the connector's message definitions.
"""

import asyncio
import base64
import importlib.util
import os
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import grpc
import grpc.aio

from syncd.connectors.salesforce import messages
from tests.emulators.salesforce.avro import channel_of, packed, schema_of
from tests.emulators.salesforce.org import ORG_ID, Event
from tests.emulators.salesforce.server import Salesforce

CODE = "sfdc.platform.eventbus.grpc."
INVALID_REPLAY = CODE + "subscription.fetch.replayid.validation.failed"
CORRUPTED_REPLAY = CODE + "subscription.fetch.replayid.corrupted"
NO_TOPIC = CODE + "topic.not.found"
NO_AUTH = CODE + "service.auth.error"
EVERYTHING = "/data/ChangeEvents"
MOST = 100


class Own:
    """The connector's messages, for when the vendor's file is not there."""

    def __getattr__(self, name: str) -> Any:
        return getattr(messages, name)

    @staticmethod
    def pack(message: Any) -> bytes:
        return messages.encode(message)

    @staticmethod
    def unpack(name: str, data: bytes) -> Any:
        return messages.decode(getattr(messages, name), data)


class Vendors:
    """The messages as compiled from the vendor's file."""

    def __init__(self, proto: Path) -> None:
        self.compiled = compiled(proto)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.compiled, name)

    @staticmethod
    def pack(message: Any) -> bytes:
        return bytes(message.SerializeToString())

    def unpack(self, name: str, data: bytes) -> Any:
        return getattr(self.compiled, name).FromString(data)


def proto() -> Path | None:
    """Return the vendor's file, None without SYNCD_SHARED."""
    shared = os.environ.get("SYNCD_SHARED")
    return Path(shared, "schemas/salesforce/pubsub_api.proto") if shared else None


@cache
def compiled(path: Path) -> Any:
    """Return the module that protoc makes of a file; nothing of it is kept."""
    from grpc_tools import protoc

    with tempfile.TemporaryDirectory() as folder:
        if protoc.main(["protoc", f"-I{path.parent}", f"--python_out={folder}", str(path)]):
            raise RuntimeError(f"{path} does not compile")
        spec = importlib.util.spec_from_file_location("pubsub_api_pb2", Path(folder, "pubsub_api_pb2.py"))
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules["pubsub_api_pb2"] = module
        spec.loader.exec_module(module)
    return module


@dataclass
class Subscribed:
    """One subscription: how it began, what it asked for, what it got."""

    topic: str
    preset: int
    replay_id: bytes
    token: str
    pending: int = 0
    requested: list[int] = field(default_factory=list)
    sent: int = 0
    at: int = -1  # behind which event it is
    open: bool = True


@dataclass
class Bus:
    """The event bus of an organisation.

    ``size``: events of one answer at most. ``break_after``: events after which a stream breaks, once. ``keepalive``: seconds.
    ``schema_faults``: how many times a schema is not to be had. ``garbage``: payloads are no Avro for that many events.
    """

    salesforce: Salesforce
    port: int = 0
    keepalive: float = 270.0
    size: int = MOST
    break_after: int | None = None
    schema_faults: int = 0
    garbage: int = 0
    barred: bool = False  # nobody may subscribe
    earliest: int = 0
    subscriptions: list[Subscribed] = field(default_factory=list)
    schemas: dict[str, str] = field(default_factory=dict)
    schema_calls: list[str] = field(default_factory=list)
    log: list[tuple[Event, str, bytes]] = field(default_factory=list)  # event, schema id, payload
    pokes: set[asyncio.Event] = field(default_factory=set)
    killed: tuple[int, Any, str] = (0, None, "")

    def __post_init__(self) -> None:
        path = proto()
        self.codec: Any = Vendors(path) if path else Own()
        self.salesforce.org.listeners.append(self.heard)
        self.salesforce.acts |= {"forget": self.forget, "kill": self.kill}
        self.heard()

    @property
    def address(self) -> str:
        """Return where it listens."""
        return f"127.0.0.1:{self.port}"

    def heard(self) -> None:
        """Take what the organisation published, in the schema that holds now."""
        org = self.salesforce.org
        for event in org.events[len(self.log) :]:
            made = org.object(event.entity)
            text, schema_id = schema_of(made)
            self.schemas[schema_id] = text
            payload = b"\xff" * 40 if self.garbage else packed(event, made, len(self.log) + 1)
            self.garbage = max(self.garbage - 1, 0)
            self.log.append((event, schema_id, payload))
        self.poke()

    @property
    def open(self) -> list["Subscribed"]:
        """Return the streams that are open."""
        return [one for one in self.subscriptions if one.open]

    @property
    def sent_all(self) -> bool:
        """Return whether some open stream got everything that was published."""
        return any(one.at == len(self.log) for one in self.open)

    def poke(self) -> None:
        """Let all streams look whether there is something to do."""
        for one in self.pokes:
            one.set()

    def forget(self) -> None:
        """Keep none of the events so far: their replay ids are too old."""
        self.earliest = len(self.log)

    def kill(self, code: Any = grpc.StatusCode.UNAVAILABLE, details: str = "the stream was reset") -> None:
        """Break all streams that are open."""
        self.killed = (self.killed[0] + 1, code, details)
        self.poke()

    # ---- the service

    async def topic(self, request: bytes, context: Any) -> bytes:
        await self.let_in(context)
        name = self.codec.unpack("TopicRequest", request).topic_name
        entity = await self.entity_of(name, context)
        made = self.salesforce.org.object(entity or "Contact")
        info = self.codec.TopicInfo(
            topic_name=name, tenant_guid=ORG_ID, can_subscribe=not self.barred, schema_id=schema_of(made)[1], rpc_id="r"
        )
        return bytes(self.codec.pack(info))

    async def schema(self, request: bytes, context: Any) -> bytes:
        await self.let_in(context)
        schema_id = self.codec.unpack("SchemaRequest", request).schema_id
        self.schema_calls.append(schema_id)
        if self.schema_faults:
            self.schema_faults -= 1
            await self.refuse(context, grpc.StatusCode.UNAVAILABLE, "", "try again")
        if schema_id not in self.schemas:
            await self.refuse(context, grpc.StatusCode.INVALID_ARGUMENT, CODE + "schema.not.found", "no such schema")
        info = self.codec.SchemaInfo(schema_json=self.schemas[schema_id], schema_id=schema_id, rpc_id="r")
        return bytes(self.codec.pack(info))

    async def subscribe(self, requests: AsyncIterator[bytes], context: Any) -> AsyncIterator[bytes]:
        token = await self.let_in(context)
        first = self.codec.unpack("FetchRequest", await anext(requests))
        entity = await self.entity_of(first.topic_name, context)
        at = await self.start(first, context)
        one = Subscribed(first.topic_name, first.replay_preset, first.replay_id, token)
        self.subscriptions.append(one)
        await self.count(one, first, context)
        poke, generation = asyncio.Event(), self.killed[0]
        self.pokes.add(poke)
        asking = asyncio.create_task(self.asked(one, requests, poke, context))
        try:
            while True:
                await self.end(one, context, generation)
                found, at = self.ready(one, entity, at)
                one.at = at
                if found or not await self.wait(poke):
                    yield self.response(one, found, at)
        finally:
            one.open = False
            self.pokes.discard(poke)
            asking.cancel()

    # ---- steps of a subscription

    async def start(self, first: Any, context: Any) -> int:
        """Return behind which event a stream starts."""
        if first.replay_preset != messages.Preset.CUSTOM:
            return self.earliest if first.replay_preset == messages.Preset.EARLIEST else len(self.log)
        at = place_of(bytes(first.replay_id))
        if at is None:
            await self.refuse(context, grpc.StatusCode.INVALID_ARGUMENT, CORRUPTED_REPLAY, "The Replay ID is corrupted.")
            return 0
        if at < self.earliest or at > len(self.log):
            say = "The Replay ID validation failed. Ensure that the Replay ID is valid."
            await self.refuse(context, grpc.StatusCode.INVALID_ARGUMENT, INVALID_REPLAY, say)
        return at

    async def asked(self, one: Subscribed, requests: AsyncIterator[bytes], poke: asyncio.Event, context: Any) -> None:
        async for raw in requests:
            await self.count(one, self.codec.unpack("FetchRequest", raw), context)
            poke.set()

    async def count(self, one: Subscribed, request: Any, context: Any) -> None:
        one.requested.append(request.num_requested)
        if not 0 < request.num_requested <= MOST or request.topic_name not in {"", one.topic}:
            await self.refuse(context, grpc.StatusCode.INVALID_ARGUMENT, CODE + "subscription.fetch.invalid", "num_requested")
        one.pending += request.num_requested

    async def end(self, one: Subscribed, context: Any, generation: int) -> None:
        """End a stream that was killed, has had its number of events, or whose token is no good any more."""
        if self.killed[0] != generation:
            await self.refuse(context, self.killed[1], "", self.killed[2])
        if self.break_after is not None and one.sent >= self.break_after:
            self.break_after = None
            await self.refuse(context, grpc.StatusCode.UNAVAILABLE, "", "the stream was reset")
        if one.token not in self.salesforce.tokens:
            await self.refuse(context, grpc.StatusCode.UNAUTHENTICATED, NO_AUTH, "The session has expired")

    def ready(self, one: Subscribed, entity: str | None, at: int) -> tuple[list[tuple[int, str, str, bytes]], int]:
        """Return the events that may be sent now, and behind which the stream then is."""
        found: list[tuple[int, str, str, bytes]] = []
        most = min(one.pending, self.size)
        if self.break_after is not None:
            most = min(most, self.break_after - one.sent)
        while at < len(self.log) and len(found) < most:
            event, schema_id, payload = self.log[at]
            at += 1
            if entity in {None, event.entity}:
                found.append((at, f"{event.transaction}-{event.sequence}", schema_id, payload))
        one.pending -= len(found)
        one.sent += len(found)
        return found, at

    async def wait(self, poke: asyncio.Event) -> bool:
        """Wait for something to do; return False when it is time to say that the stream is alive."""
        try:
            async with asyncio.timeout(self.keepalive):
                await poke.wait()
        except TimeoutError:
            return False
        poke.clear()
        return True

    def response(self, one: Subscribed, found: list[tuple[int, str, str, bytes]], at: int) -> bytes:
        make = self.codec
        events = [
            make.ConsumerEvent(
                event=make.ProducerEvent(id=event_id, schema_id=schema_id, payload=payload), replay_id=replay_of(number)
            )
            for number, event_id, schema_id, payload in found
        ]
        answer = make.FetchResponse(
            events=tuple(events), latest_replay_id=replay_of(at), rpc_id="r", pending_num_requested=one.pending
        )
        return bytes(make.pack(answer))

    async def let_in(self, context: Any) -> str:
        shown = {key: str(value) for key, value in context.invocation_metadata()}
        token = shown.get("accesstoken", "")
        if not self.salesforce.good(token):
            await self.refuse(context, grpc.StatusCode.UNAUTHENTICATED, NO_AUTH, "An authentication exception occurred")
        if shown.get("tenantid") != ORG_ID or shown.get("instanceurl") != self.salesforce.url:
            await self.refuse(context, grpc.StatusCode.UNAUTHENTICATED, CODE + "service.auth.headers.invalid", "headers")
        return token

    async def entity_of(self, topic: str, context: Any) -> str | None:
        """Return the object of a channel, None for all."""
        if topic == EVERYTHING:
            return None
        known = {channel_of(name): name for name, made in self.salesforce.org.objects.items() if not made.history_parent}
        if topic not in known:
            await self.refuse(context, grpc.StatusCode.NOT_FOUND, NO_TOPIC, f"The topic {topic} does not exist")
        return known[topic]

    async def refuse(self, context: Any, code: Any, own: str, details: str) -> None:
        await context.abort(code, details, trailing_metadata=(("error-code", own),) if own else ())

    def handlers(self) -> Any:
        """Return the service for a server."""
        methods = {
            "GetTopic": grpc.unary_unary_rpc_method_handler(self.topic),
            "GetSchema": grpc.unary_unary_rpc_method_handler(self.schema),
            "Subscribe": grpc.stream_stream_rpc_method_handler(self.subscribe),
        }
        return grpc.method_handlers_generic_handler("eventbus.v1.PubSub", methods)


def replay_of(number: int) -> bytes:
    """Return a replay id: growing, not contiguous, not to be understood."""
    return base64.b64encode((number * 37 + 1_000_003).to_bytes(8, "big"))


def place_of(replay_id: bytes) -> int | None:
    """Return how many events a replay id stands behind, None for what is none."""
    try:
        number, rest = divmod(int.from_bytes(base64.b64decode(replay_id, validate=True), "big") - 1_000_003, 37)
    except ValueError:
        return None
    return None if rest or number < 0 else number


@asynccontextmanager
async def on_air(salesforce: Salesforce, *, port: int = 0, credentials: Any = None, **turned: Any) -> AsyncIterator[Bus]:
    """Serve the event bus of an organisation on loopback."""
    bus = Bus(salesforce, **turned)
    server = grpc.aio.server()
    server.add_generic_rpc_handlers((bus.handlers(),))
    place = f"127.0.0.1:{port}"
    bus.port = server.add_secure_port(place, credentials) if credentials else server.add_insecure_port(place)
    await server.start()
    try:
        yield bus
    finally:
        salesforce.org.listeners.remove(bus.heard)
        await server.stop(None)
