"""Values in addresses: literals of ``$filter``, keys in parentheses, and the one text that is a thing's id for syncd.

A single key is its own plain text. A composite key is ``Product='X',Plant='1000'``: all key properties in the order of the
metadata, text in quotes (doubled inside), everything else bare, the same for both versions of the protocol.
"""

import base64
import binascii
import re
from datetime import date, datetime, tzinfo
from decimal import Decimal
from urllib.parse import quote, unquote

from syncd.connectors.odata import moments
from syncd.connectors.odata.moments import Unfit
from syncd.connectors.odata.schema import Property, Structure
from syncd.connectors.odata.values import NUMBERS, WHOLE, digits, number_of, utc_text
from syncd.core.model import Native

Key = dict[str, Native]
_GUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_PAIR = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)=('(?:[^']|'')*'|[^',]+)(,|$)")
_SUFFIX = {"Edm.Decimal": "M", "Edm.Int64": "L", "Edm.Double": "d", "Edm.Single": "f"}  # of OData 2
_BARE = re.compile(r"[A-Za-z0-9_.:+-]+")
_ADDRESSED = re.compile(r"\(([^()]*(?:\([^()]*\)[^()]*)*)\)$")
_LITERAL = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)=((?:[A-Za-z]*'(?:[^']|'')*')|[^',]+)")
_TYPED = re.compile(r"([A-Za-z_.0-9]*)'((?:[^']|'')*)'")


def literal(told: Property, value: Native, *, v2: bool, zone: tzinfo) -> str:
    """Return a value as it stands in ``$filter``, not yet quoted for an address; raises Unfit if it is none of its type."""
    if value is None:
        return "null"
    if told.type in NUMBERS:
        return _number(told, value, v2=v2)
    match told.type:
        case "Edm.String":
            return f"'{_text(value).replace(chr(39), chr(39) * 2)}'"
        case "Edm.Boolean":
            if not isinstance(value, bool):
                raise Unfit(f"{value!r} is neither true nor false")
            return "true" if value else "false"
        case "Edm.Guid":
            if not isinstance(value, str) or not _GUID.fullmatch(value):
                raise Unfit(f"{value!r} is no GUID")
            return f"guid'{value.lower()}'" if v2 else value.lower()
        case "Edm.Binary":
            return _binary(value, v2=v2)
    return _timed(told, value, v2=v2, zone=zone)


def _timed(told: Property, value: Native, *, v2: bool, zone: tzinfo) -> str:
    match told.type:
        case "Edm.DateTime":
            return f"datetime'{moments.naive_in(value, zone).isoformat()}'"
        case "Edm.DateTimeOffset":
            return f"datetimeoffset'{utc_text(value, zone)}'" if v2 else utc_text(value, zone)
        case "Edm.Date":
            return moments.naive_in(value, zone).date().isoformat()
        case "Edm.Time":
            return f"time'{moments.time_to_v2(value)}'"
        case "Edm.TimeOfDay":
            return moments.time_of_v2(moments.time_to_v2(value))
        case "Edm.Duration":
            return f"duration'{_text(value)}'"
    if told.type.startswith("Edm."):
        raise Unfit(f"{told.type} cannot be compared")
    return f"{told.type}'{_text(value)}'"  # of an enumeration


def _text(value: Native) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
        raise Unfit(f"{value!r} is no text")
    return value if isinstance(value, str) else str(value)


def _number(told: Property, value: Native, *, v2: bool) -> str:
    found = number_of(value, whole=told.type in WHOLE)
    if isinstance(found, bool) or not isinstance(found, int | Decimal):
        raise Unfit(f"{value!r} is no {told.type.removeprefix('Edm.')}")
    return digits(found) + (_SUFFIX.get(told.type, "") if v2 else "")


def _binary(value: Native, *, v2: bool) -> str:
    try:
        raw = base64.b64decode(value, validate=True)
    except (TypeError, ValueError, binascii.Error):
        raise Unfit(f"{value!r:.40} is no base64") from None
    return f"X'{raw.hex().upper()}'" if v2 else f"binary'{base64.urlsafe_b64encode(raw).decode()}'"


def predicate(shape: Structure, key: Key, *, v2: bool, zone: tzinfo) -> str:
    """Return ``('X')`` or ``(Product='X',Plant='1000')``, quoted for an address; raises Unfit."""
    found = {name: _quoted(literal(shape.properties[name], key[name], v2=v2, zone=zone)) for name in shape.key}
    if len(found) == 1:
        return f"({next(iter(found.values()))})"
    return f"({','.join(f'{name}={text}' for name, text in found.items())})"


def _quoted(text: str) -> str:
    return quote(text, safe="'")


def id_of(shape: Structure, item: Native) -> str | None:
    """Return the id of a thing by its key properties; None if one of them is missing or is nothing to be found by."""
    if not isinstance(item, dict):
        return None
    parts = {name: _plain(shape.properties[name], item.get(name)) for name in shape.key}
    if not parts or any(not part for part in parts.values()):
        return None
    if len(parts) == 1:
        return next(iter(parts.values()))
    return ",".join(f"{name}={_in_id(part or '', shape.properties[name])}" for name, part in parts.items())


def _plain(told: Property, value: Native) -> str | None:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, int):
        return str(value)
    if not isinstance(value, str):
        return None
    return value.lower() if told.type == "Edm.Guid" else value


def _in_id(part: str, told: Property) -> str:
    bare = told.type != "Edm.String" and _BARE.fullmatch(part)
    return part if bare else "'" + part.replace("'", "''") + "'"


def key_of(shape: Structure, native_id: str) -> Key | None:
    """Return the key that an id stands for; None if it can be none: there is no such thing."""
    if len(shape.key) == 1:
        parts = {shape.key[0]: native_id}
    else:
        parts = _parts(native_id)
        if tuple(parts) != shape.key:
            return None
    found = {name: _typed(shape.properties[name], text) for name, text in parts.items()}
    return None if any(value is None for value in found.values()) else found


def _parts(native_id: str) -> dict[str, str]:
    parts: dict[str, str] = {}
    at = 0
    while at < len(native_id):
        found = _PAIR.match(native_id, at)
        if not found:
            return {}
        value = found[2]
        parts[found[1]] = value[1:-1].replace("''", "'") if value.startswith("'") else value
        at = found.end()
    return parts


def _typed(told: Property, text: str) -> Native:
    if told.type == "Edm.Boolean":
        return {"true": True, "false": False}.get(text)
    if told.type in NUMBERS:
        found = number_of(text, whole=told.type in WHOLE)
        return found if isinstance(found, int | Decimal) else None
    if told.type == "Edm.Guid" and not _GUID.fullmatch(text):
        return None
    return text or None


def id_in_address(shape: Structure, address: str) -> str | None:
    """Return the id of the thing that an address of the service ends with, ``.../Products('X')``; None if it names none."""
    found = _ADDRESSED.search(address.partition("?")[0])
    if not found:
        return None
    inside = unquote(found[1])
    if len(shape.key) == 1:
        return id_of(shape, {shape.key[0]: _bare(inside.removeprefix(f"{shape.key[0]}="))})
    return id_of(shape, {pair[1]: _bare(pair[2]) for pair in _LITERAL.finditer(inside)})


def _bare(text: str) -> str:
    """Return what a literal of either version says, as plain text."""
    found = _TYPED.fullmatch(text)
    if found:
        inner = found[2].replace("''", "'")
        return moments.time_of_v2(inner) if found[1] == "time" else inner
    return text.rstrip("MmLldDfF") if re.fullmatch(r"-?[\d.]+[MmLldDfF]", text) else text
