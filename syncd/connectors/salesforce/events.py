"""Change events as the event bus sends them: Avro records with a header that says what was done to which records.

A change event holds only the fields that changed, large texts as differences, and nothing of a record under a gap. So it is a
hint: what a record is now is read back. What is taken from the event is what only it knows: who, by which client, in which
transaction.
"""

import io
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

from syncd.connectors.body import BadBody, decode
from syncd.connectors.salesforce.messages import ConsumerEvent
from syncd.connectors.salesforce.soql import full_id, is_id
from syncd.errors import TransientError

HEADER = "ChangeEventHeader"
OVERFLOW = "GAP_OVERFLOW"
GAP = "GAP_"
DELETED = ("DELETE", "GAP_DELETE")
Schema = Any


@dataclass(frozen=True, slots=True)
class ChangeEvent:
    """One change event. ``at`` is the commit, ``modified`` the record's LastModifiedDate if it is told, in microseconds.

    ``ids`` have 18 characters; ``whole`` means that it names no records (an overflow, a wildcard): everything since ``at`` may
    have changed. ``fields`` are the names that changed or were set to null, a part of a compound field as ``Name.FirstName``.
    """

    entity: str
    kind: str
    ids: tuple[str, ...]
    whole: bool
    at: int
    modified: int | None
    user: str
    client: str
    fields: tuple[str, ...]
    id: str
    replay_id: bytes

    @property
    def is_gap(self) -> bool:
        """Return whether the event says only that something happened."""
        return self.kind.startswith(GAP)


class Unreadable(Exception):  # noqa: N818 - what it is, not who failed
    """An event that is not what its schema says; the text says why."""


class Events:
    """Reads events; asks for each schema once. ``ask`` returns a schema's JSON by its id."""

    def __init__(self, ask: Callable[[str], Awaitable[str]]) -> None:
        self._ask = ask
        self._schemas: dict[str, Schema] = {}

    async def read(self, one: ConsumerEvent) -> ChangeEvent:
        """Return an event; raises Unreadable, and what ``ask`` raises."""
        schema = await self._schema(one.event.schema_id)
        try:
            record = avro().schemaless_reader(io.BytesIO(one.event.payload), schema, None)
            return told(one, record, schema)
        except Exception as error:
            raise Unreadable(f"event {one.event.id}: {type(error).__name__}: {error}") from error

    async def _schema(self, schema_id: str) -> Schema:
        found = self._schemas.get(schema_id)
        if found is None:
            text = await self._ask(schema_id)
            try:
                found = avro().parse_schema(decode(text.encode()))
            except (BadBody, avro().schema.SchemaParseException, ValueError, TypeError) as error:
                raise TransientError(f"schema {schema_id} of the event bus is no Avro schema: {error}") from error
            self._schemas[schema_id] = found
        return found


def avro() -> Any:
    """Return fastavro; raises TransientError that says how to install it."""
    try:
        import fastavro  # noqa: PLC0415 - only a change feed needs it
    except ImportError as error:
        raise TransientError('change_feed needs fastavro: pip install "syncd[salesforce]"') from error
    return fastavro


def told(one: ConsumerEvent, record: dict[str, Any], schema: Schema) -> ChangeEvent:
    """Return what an event's record says; raises KeyError, TypeError or ValueError if it is no change event."""
    header = record[HEADER]
    kind, ids = header["changeType"], header["recordIds"]
    whole = kind == OVERFLOW or not all(is_id(native_id) for native_id in ids)
    modified = record.get("LastModifiedDate")
    named = [*header.get("changedFields", ()), *header.get("nulledFields", ())]
    return ChangeEvent(
        entity=header["entityName"],
        kind=kind,
        ids=() if whole else tuple(full_id(native_id) for native_id in ids),
        whole=whole,
        at=header["commitTimestamp"] * 1000,
        modified=modified * 1000 if isinstance(modified, int) else None,
        user=header.get("commitUser") or "",
        client=client_of(header.get("changeOrigin") or ""),
        fields=tuple(dict.fromkeys(names(named, schema))),
        id=one.event.id,
        replay_id=one.replay_id,
    )


def client_of(origin: str) -> str:
    """Return the client of ``com/salesforce/api/rest/67.0;client=syncd``, or nothing."""
    tags = (part.strip() for part in origin.split(";")[1:])
    return next((part.removeprefix("client=") for part in tags if part.startswith("client=")), "")


def names(bitmaps: Sequence[str], schema: Schema) -> list[str]:
    """Return the fields that bitmaps name: ``0x…`` those of the record, ``7-0x…`` those inside of its field 7.

    The lowest bit is the schema's first field. Raises IndexError or ValueError for what is no bitmap of this schema.
    """
    found: list[str] = []
    for text in bitmaps:
        parent, _, bits = text.rpartition("-")
        if not parent:
            found += [one["name"] for one in _marked(bits, schema["fields"])]
            continue
        outer = schema["fields"][int(parent)]
        found += [f"{outer['name']}.{one['name']}" for one in _marked(bits, _inside(outer["type"]))]
    return found


def path_of(name: str) -> str:
    """Return the path by which a query knows a field of an event: ``Name.FirstName`` is FirstName, ``MailingAddress.City`` is
    MailingCity.
    """
    outer, _, part = name.partition(".")
    if not part or outer == "Name":
        return part or outer
    return outer.removesuffix("Address") + part if outer.endswith("Address") else name


def _marked(bits: str, fields: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    number = int(bits, 16)
    return [fields[at] for at in range(number.bit_length()) if number >> at & 1]


def _inside(kind: Any) -> Sequence[dict[str, Any]]:
    """Return the fields of a compound field, whose type is a record, or a choice of null and a record."""
    for one in kind if isinstance(kind, list) else [kind]:
        if isinstance(one, dict) and "fields" in one:
            inner: Sequence[dict[str, Any]] = one["fields"]
            return inner
    raise ValueError("a bitmap leads into a field that has no parts")
