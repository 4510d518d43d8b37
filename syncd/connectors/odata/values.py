"""Values of a service's JSON, to and from the plain ones that syncd holds: exact numbers, ISO texts, nested objects.

OData 2 says decimals, 64-bit integers and floats as text; of OData 4 the same is asked for (IEEE754Compatible), since a
number that passes through a float is not what it was. Both become numbers here. Control information (``__metadata``,
``@odata.etag``) is no part of a thing.
"""

import base64
import binascii
import re
from dataclasses import dataclass
from datetime import tzinfo
from decimal import Decimal, InvalidOperation

from syncd.connectors.body import DIGITS, EXPONENT, Bad, flaw
from syncd.connectors.odata import moments
from syncd.connectors.odata.moments import Unfit
from syncd.connectors.odata.schema import Navigation, Property, Service, Structure
from syncd.core.model import Native

WHOLE = frozenset(("Edm.Byte", "Edm.SByte", "Edm.Int16", "Edm.Int32", "Edm.Int64"))
EXACT = frozenset(("Edm.Decimal", "Edm.Int64"))  # said as text in both versions
FLOATS = frozenset(("Edm.Double", "Edm.Single"))
NUMBERS = WHOLE | FLOATS | EXACT
AS_IS = frozenset(("Edm.String", "Edm.Boolean"))  # said plainly in both versions
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,3})?[mMdDfFlL]?")


@dataclass(frozen=True, slots=True)
class Values:
    """The values of one service. ``zone`` is that of dates without one."""

    service: Service
    zone: tzinfo

    # ---- from the service

    def thing(self, shape: Structure, raw: dict[str, Native]) -> dict[str, Native]:
        """Return the plain form of an object: its properties and what was expanded."""
        found: dict[str, Native] = {}
        properties = shape.properties
        for name, value in raw.items():
            told = properties.get(name)
            if told is not None:  # a list of millions comes by here
                found[name] = value if told.type in AS_IS and not told.many else self._value(told, value)
            elif name in shape.navigations:
                if not (isinstance(value, dict) and "__deferred" in value):
                    found[name] = self._followed(shape.navigations[name], value)
            elif "@" not in name and not name.startswith("__"):
                found[name] = value  # of an open type, or newer than the metadata
        return found

    def _followed(self, way: Navigation, value: Native) -> Native:
        shape = self.service.types.get(way.target)
        if way.many and isinstance(value, dict) and isinstance(value.get("results"), list):
            value = value["results"]
        if shape is None:
            return value
        if isinstance(value, list):
            return [self.thing(shape, one) if isinstance(one, dict) else one for one in value]
        return self.thing(shape, value) if isinstance(value, dict) else value

    def _value(self, told: Property, value: Native) -> Native:
        if told.many:
            inner = value.get("results") if isinstance(value, dict) else value
            return [self._one(told, one) for one in inner] if isinstance(inner, list) else value
        return self._one(told, value)

    def _one(self, told: Property, value: Native) -> Native:
        if value is None or isinstance(value, Bad):
            return value
        if isinstance(value, dict):
            shape = self.service.types.get(told.type)
            return self.thing(shape, value) if shape is not None else value
        return self._text(told, value) if isinstance(value, str) else value

    def _text(self, told: Property, text: str) -> Native:
        match told.type:
            case "Edm.DateTime" | "Edm.DateTimeOffset":
                return moments.moment_of_v2(text, day=told.day, offset=told.type == "Edm.DateTimeOffset")
            case "Edm.Time":
                return moments.time_of_v2(text)
            case "Edm.Binary":
                return text.replace("-", "+").replace("_", "/")
            case "Edm.Guid":
                return text.lower()
        return number_of(text, whole=told.type in WHOLE) if told.type in NUMBERS else text

    # ---- to the service

    def sent(self, shape: Structure, item: dict[str, Native]) -> dict[str, Native]:
        """Return an object as it is sent; raises Unfit, with the name, for a value that is none of its type."""
        return {name: self._named(shape, name, value) for name, value in item.items()}

    def _named(self, shape: Structure, name: str, value: Native) -> Native:
        way, told = shape.navigations.get(name), shape.properties.get(name)
        try:
            if way is not None:
                return self._deep(way, value)
            return value if told is None else self.one_sent(told, value)
        except Unfit as error:
            raise Unfit(f"{name}: {error}") from None

    def _deep(self, way: Navigation, value: Native) -> Native:
        shape = self.service.types.get(way.target)
        if shape is None or value is None:
            return value
        if isinstance(value, list):
            things = [self.sent(shape, one) if isinstance(one, dict) else one for one in value]
            return {"results": things} if self.service.is_v2 else things
        return self.sent(shape, value) if isinstance(value, dict) else value

    def one_sent(self, told: Property, value: Native) -> Native:
        """Return one value as it is sent; raises Unfit."""
        if value is None:
            return None
        if told.many:
            if not isinstance(value, list):
                raise Unfit(f"{value!r} is no list")
            return [self._scalar(told, one) for one in value]
        return self._scalar(told, value)

    def _scalar(self, told: Property, value: Native) -> Native:
        shape = self.service.types.get(told.type)
        if shape is not None:
            if not isinstance(value, dict):
                raise Unfit(f"{value!r} is no object of {told.type}")
            return self.sent(shape, value)
        if told.type in NUMBERS:
            return self._number(told, value)
        match told.type:
            case "Edm.DateTime":
                return f"/Date({moments.milliseconds(moments.naive_in(value, self.zone))})/"
            case "Edm.DateTimeOffset" if self.service.is_v2:
                return f"/Date({moments.milliseconds(moments.in_utc(value, self.zone))}+0000)/"
            case "Edm.DateTimeOffset":
                return utc_text(value, self.zone)
            case "Edm.Time":
                return moments.time_to_v2(value)
            case "Edm.Binary":
                return value if self.service.is_v2 else binary(value)
            case "Edm.String" if isinstance(value, int | Decimal) and not isinstance(value, bool):
                return str(value)
        return value

    def _number(self, told: Property, value: Native) -> Native:
        exact = told.type in EXACT or (self.service.is_v2 and told.type in FLOATS)
        found = number_of(value, whole=told.type in WHOLE)
        if isinstance(found, bool) or not isinstance(found, int | Decimal):
            raise Unfit(f"{value!r} is no {told.type.removeprefix('Edm.')}")
        return digits(found) if exact else found


def number_of(value: Native, *, whole: bool) -> Native:
    """Return the number that a value says, or the value itself if it says none, or one that the ledger cannot hold."""
    if isinstance(value, bool):
        return value
    if isinstance(value, str):
        found = _decimal_of(value)
        if found is None:
            return value
        value = found
    if whole and isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() and not flaw(int(value)) else str(value)
    return value


def _decimal_of(text: str) -> Decimal | None:
    """Return the number that a text says, None if it says none; what is beyond all use stays text, as in ``body.parse``."""
    if len(text) > DIGITS or not _NUMBER.fullmatch(text):
        return None
    try:
        found = Decimal(text.rstrip("mMdDfFlL"))
    except InvalidOperation:
        return None
    return found if abs(found.adjusted()) <= EXPONENT else None


def digits(number: int | Decimal) -> str:
    """Return all digits of a number, without an exponent."""
    return format(number, "f") if isinstance(number, Decimal) else str(number)


def utc_text(value: Native, zone: tzinfo) -> str:
    """Return a moment as OData 4 writes it; raises Unfit."""
    moment = moments.in_utc(value, zone)
    finer = "microseconds" if moment.microsecond % 1000 else "milliseconds" if moment.microsecond else "seconds"
    return moment.isoformat(timespec=finer).replace("+00:00", "Z")  # no more digits than there are: some compare texts


def binary(value: Native) -> str:
    """Return base64 text as OData 4 writes it, in the alphabet for addresses; raises Unfit."""
    try:
        return base64.urlsafe_b64encode(base64.b64decode(value, validate=True)).decode()
    except (TypeError, ValueError, binascii.Error):
        raise Unfit(f"{value!r:.40} is no base64") from None
