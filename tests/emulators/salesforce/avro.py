"""Change events as Avro, as the bus sends them: schemas made of the objects, fields named by bitmaps, names and addresses in
compound fields, long texts as differences.
"""

import base64
import hashlib
import io
import json
from datetime import UTC, datetime
from typing import Any

import fastavro

from tests.emulators.salesforce.objects import NUMBERS, Field, Object
from tests.emulators.salesforce.org import Event, Fields
from tests.emulators.salesforce.values import moment

KINDS = ("CREATE", "UPDATE", "DELETE", "UNDELETE", "GAP_CREATE", "GAP_UPDATE", "GAP_DELETE", "GAP_UNDELETE", "GAP_OVERFLOW")
LONG = 1000  # characters from which a text comes as a difference
ADDRESS = ("Street", "City", "PostalCode", "Country")
COMPOUNDS: dict[str, dict[str, dict[str, str]]] = {
    "Contact": {
        "Name": {"LastName": "LastName", "FirstName": "FirstName"},
        "MailingAddress": {part: f"Mailing{part}" for part in ADDRESS},
    },
    "Account": {"BillingAddress": {part: f"Billing{part}" for part in ADDRESS}},
}
HIDDEN = {"Id", "IsDeleted", "SystemModstamp", "MasterRecordId"}


def channel_of(entity: str) -> str:
    """Return the channel of one object's events."""
    return f"/data/{entity.removesuffix('__c')}{'__' if entity.endswith('__c') else ''}ChangeEvent"


def schema_of(made: Object) -> tuple[str, str]:
    """Return the schema of an object's events as JSON, and its id."""
    strings = {"type": "array", "items": "string"}
    header = {
        "type": "record",
        "name": "ChangeEventHeader",
        "fields": [
            {"name": "entityName", "type": "string"},
            {"name": "recordIds", "type": strings},
            {"name": "changeType", "type": {"type": "enum", "name": "ChangeType", "symbols": list(KINDS)}},
            {"name": "changeOrigin", "type": "string"},
            {"name": "transactionKey", "type": "string"},
            {"name": "sequenceNumber", "type": "int"},
            {"name": "commitTimestamp", "type": "long"},
            {"name": "commitNumber", "type": "long"},
            {"name": "commitUser", "type": "string"},
            {"name": "nulledFields", "type": strings},
            {"name": "diffFields", "type": strings},
            {"name": "changedFields", "type": strings},
        ],
    }
    name = made.name.removesuffix("__c") + ("__" if made.name.endswith("__c") else "") + "ChangeEvent"
    fields = [{"name": "ChangeEventHeader", "type": header}, *_fields(made)]
    text = json.dumps({"type": "record", "name": name, "namespace": "com.sforce.eventbus", "fields": fields})
    return text, base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()[:16]).decode().rstrip("=")


def _fields(made: Object) -> list[Fields]:
    compounds = {one: parts for one, parts in COMPOUNDS.get(made.name, {}).items() if set(parts.values()) <= set(made.fields)}
    inner = {field for parts in compounds.values() for field in parts.values()}
    fields: list[Fields] = []
    for name, parts in compounds.items():
        record = {"type": "record", "name": f"{made.name}_{name}"}
        record |= {"fields": [{"name": part, "type": ["null", "string"], "default": None} for part in parts]}  # type: ignore[dict-item]
        fields.append({"name": name, "type": ["null", record], "default": None})
    plain = [one for one in made.fields.values() if one.name not in HIDDEN | inner]
    return fields + [{"name": one.name, "type": ["null", _type(one)], "default": None} for one in plain]


def _type(one: Field) -> str:
    if one.type in NUMBERS:
        return "double"
    if one.type in {"datetime", "date"}:
        return "long"
    return "boolean" if one.type == "boolean" else "string"


def packed(event: Event, made: Object, number: int) -> bytes:
    """Return an event's payload."""
    schema: Any = json.loads(schema_of(made)[0])
    values = {name: value for name, value in event.values.items() if name in made.fields}
    long = {name for name, value in values.items() if isinstance(value, str) and len(value) > LONG and event.kind == "UPDATE"}
    body = {name: _value(made.fields[name], value) for name, value in values.items()}
    body |= {name: f"--- \n+++ \n@@ -1 +1 @@\n+{values[name][:20]}" for name in long}
    nulled = [name for name, value in values.items() if value is None]
    changed = list(values) if event.kind == "UPDATE" else []
    header = {
        "entityName": event.entity,
        "recordIds": event.ids,
        "changeType": event.kind,
        "changeOrigin": event.origin,
        "transactionKey": event.transaction,
        "sequenceNumber": event.sequence,
        "commitTimestamp": _millis(event.at),
        "commitNumber": number,
        "commitUser": event.user,
        "nulledFields": bitmaps(nulled, schema, made),
        "diffFields": bitmaps(sorted(long), schema, made),
        "changedFields": bitmaps(changed, schema, made),
    }
    out = io.BytesIO()
    fastavro.schemaless_writer(out, fastavro.parse_schema(schema), {"ChangeEventHeader": header, **_nested(body, made)})
    return out.getvalue()


def bitmaps(names: list[str], schema: Fields, made: Object) -> list[str]:
    """Return names as bitmaps: one of the record's own fields, one for each compound field."""
    places = {one["name"]: at for at, one in enumerate(schema["fields"])}
    own = sum(1 << places[name] for name in names if name in places)
    found = [f"0x{own:02X}"] if own else []
    for name, parts in COMPOUNDS.get(made.name, {}).items():
        bits = sum(1 << at for at, field in enumerate(parts.values()) if field in names)
        if bits and name in places:
            found.append(f"{places[name]}-0x{bits:02X}")
    return found


def _nested(body: Fields, made: Object) -> Fields:
    found = dict(body)
    for name, parts in COMPOUNDS.get(made.name, {}).items():
        inside = {part: found.pop(field) for part, field in parts.items() if field in found}
        if inside:
            found[name] = inside
    return found


def _value(one: Field, value: Any) -> Any:
    if value is None:
        return None
    if one.type in NUMBERS:
        return float(value)
    if one.type in {"datetime", "date"}:
        return _millis(moment(value))
    return value


def _millis(at: datetime) -> int:
    return int((at.astimezone(UTC) - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds() * 1_000_000) // 1000
