"""The messages of the Pub/Sub API that a subscriber needs, on the wire as protocol buffers (proto3).

The field numbers are those of the vendor's pubsub_api.proto (package ``eventbus.v1``). Written out here because six messages
need neither a compiler nor its runtime. Fields that are not known are passed over, as proto3 asks.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, TypeVar

M = TypeVar("M")
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_LONGEST = 10  # bytes of a number


class Preset(IntEnum):
    """Where a subscription starts."""

    LATEST = 0
    EARLIEST = 1
    CUSTOM = 2


@dataclass(frozen=True, slots=True)
class TopicRequest:
    """Asks for a topic."""

    topic_name: str = ""


@dataclass(frozen=True, slots=True)
class TopicInfo:
    """What a topic is, and what this user may do with it."""

    topic_name: str = ""
    tenant_guid: str = ""
    can_publish: bool = False
    can_subscribe: bool = False
    schema_id: str = ""
    rpc_id: str = ""


@dataclass(frozen=True, slots=True)
class SchemaRequest:
    """Asks for a schema."""

    schema_id: str = ""


@dataclass(frozen=True, slots=True)
class SchemaInfo:
    """An Avro schema as JSON."""

    schema_json: str = ""
    schema_id: str = ""
    rpc_id: str = ""


@dataclass(frozen=True, slots=True)
class FetchRequest:
    """Opens a subscription, or asks for more events on an open one. The place to start counts in the first one only."""

    topic_name: str = ""
    replay_preset: int = Preset.LATEST
    replay_id: bytes = b""
    num_requested: int = 0
    auth_refresh: str = ""


@dataclass(frozen=True, slots=True)
class ProducerEvent:
    """One event: ``payload`` is Avro, in the schema of ``schema_id``."""

    id: str = ""
    schema_id: str = ""
    payload: bytes = b""


@dataclass(frozen=True, slots=True)
class ConsumerEvent:
    """One event with its place in the stream."""

    event: ProducerEvent = ProducerEvent()
    replay_id: bytes = b""


@dataclass(frozen=True, slots=True)
class FetchResponse:
    """Events, or none: then it says how far the stream is, and that it is alive."""

    events: tuple[ConsumerEvent, ...] = ()
    latest_replay_id: bytes = b""
    rpc_id: str = ""
    pending_num_requested: int = 0


LAYOUT: dict[type, dict[int, tuple[str, type]]] = {
    TopicRequest: {1: ("topic_name", str)},
    TopicInfo: {
        1: ("topic_name", str),
        2: ("tenant_guid", str),
        3: ("can_publish", bool),
        4: ("can_subscribe", bool),
        5: ("schema_id", str),
        6: ("rpc_id", str),
    },
    SchemaRequest: {1: ("schema_id", str)},
    SchemaInfo: {1: ("schema_json", str), 2: ("schema_id", str), 3: ("rpc_id", str)},
    FetchRequest: {
        1: ("topic_name", str),
        2: ("replay_preset", int),
        3: ("replay_id", bytes),
        4: ("num_requested", int),
        5: ("auth_refresh", str),
    },
    ProducerEvent: {1: ("id", str), 2: ("schema_id", str), 3: ("payload", bytes)},
    ConsumerEvent: {1: ("event", ProducerEvent), 2: ("replay_id", bytes)},
    FetchResponse: {
        1: ("events", ConsumerEvent),
        2: ("latest_replay_id", bytes),
        3: ("rpc_id", str),
        4: ("pending_num_requested", int),
    },
}


def encode(message: Any) -> bytes:
    """Return a message as it stands on the wire: what has its default is left out."""
    parts: list[bytes] = []
    for number, (name, kind) in LAYOUT[type(message)].items():
        value = getattr(message, name)
        if kind in LAYOUT:
            several = value if isinstance(value, tuple) else (value,)
            parts += [_sized(number, encode(one)) for one in several if isinstance(value, tuple) or one != kind()]
        elif kind in {int, bool}:
            parts += [_number(number << 3 | _VARINT) + _number(value)] if value else []
        elif value:
            parts.append(_sized(number, value.encode() if kind is str else value))
    return b"".join(parts)


def decode(kind: type[M], data: bytes) -> M:
    """Return the message of that kind; raises ValueError for bytes that are none."""
    layout, found = LAYOUT[kind], dict[str, Any]()
    for number, wire, raw in _fields(data):
        name, inner = layout.get(number, ("", None))
        if inner is None or wire != (_VARINT if inner in {int, bool} else _BYTES):
            continue
        value = _value(inner, raw)
        found[name] = (*found.get(name, ()), value) if isinstance(getattr(kind(), name), tuple) else value
    return kind(**found)


def _value(kind: type, raw: Any) -> Any:
    if kind in LAYOUT:
        return decode(kind, raw)
    if kind is int:
        low = raw & 0xFFFF_FFFF  # the numbers here are int32
        return low - (1 << 32) if low >> 31 else low
    return bool(raw) if kind is bool else raw.decode() if kind is str else raw


def _fields(data: bytes) -> Iterator[tuple[int, int, Any]]:
    """Yield number, wire type and raw value of each field."""
    at = 0
    while at < len(data):
        tag, at = _read(data, at)
        number, wire = tag >> 3, tag & 7
        if wire == _VARINT:
            value, at = _read(data, at)
            yield number, wire, value
            continue
        size = {_FIXED64: 8, _FIXED32: 4}.get(wire)
        if wire == _BYTES:
            size, at = _read(data, at)
        if size is None or number == 0 or at + size > len(data):
            raise ValueError(f"no message: broken at byte {at}")
        yield number, wire, data[at : at + size]
        at += size


def _read(data: bytes, at: int) -> tuple[int, int]:
    value = 0
    for place in range(_LONGEST):
        if at >= len(data):
            raise ValueError("no message: cut off in a number")
        byte, at = data[at], at + 1
        value |= (byte & 0x7F) << 7 * place
        if byte < 0x80:
            return value, at
    raise ValueError("no message: a number without end")


def _number(value: int) -> bytes:
    value &= (1 << 64) - 1  # a negative one has ten bytes
    found = bytearray()
    while value > 0x7F:
        found.append(value & 0x7F | 0x80)
        value >>= 7
    found.append(value)
    return bytes(found)


def _sized(number: int, data: bytes) -> bytes:
    return _number(number << 3 | _BYTES) + _number(len(data)) + data
