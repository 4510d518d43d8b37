"""What a field takes and how it stands in an answer, as Salesforce does it: texts are trimmed, an empty text is null."""

import re
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from tests.emulators.salesforce.ids import known
from tests.emulators.salesforce.objects import NUMBERS, Field

MAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")


class Refused(Exception):  # noqa: N818 - the word of the interface
    """Salesforce says no: ``code`` and the fields concerned, as they stand in the answer."""

    def __init__(self, code: str, message: str, *fields: str, status: int = 400) -> None:
        super().__init__(message)
        self.code, self.message, self.fields, self.status = code, message, list(fields), status

    def shown(self) -> dict[str, Any]:
        """Return the error as an answer has it."""
        return {"message": self.message, "errorCode": self.code, "fields": self.fields}

    def item(self) -> dict[str, Any]:
        """Return the error as an item of a collection's answer has it."""
        return {"statusCode": self.code, "message": self.message, "fields": self.fields}


def stamp(moment: datetime) -> str:
    """Return a moment as Salesforce writes it."""
    moment = moment.astimezone(UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}+0000"


def moment(text: str) -> datetime:
    """Return the moment that a text of Salesforce or of a query says; raises ValueError."""
    found = datetime.fromisoformat(text.replace(" ", "+"))
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def taken(one: Field, value: Any) -> Any:
    """Return a value as it is stored; raises Refused."""
    if value is None:
        if one.type == "boolean":
            raise Refused("INVALID_TYPE_ON_FIELD_IN_RECORD", f"{one.name}: value not of required type: null", one.name)
        return None
    if one.type == "boolean":
        return _boolean(one, value)
    if one.type in NUMBERS:
        return _number(one, value)
    if one.type == "datetime":
        return _time(one, value)
    if one.type == "date":
        return _date(one, value)
    return _text(one, value)


def _unreadable(one: Field, value: Any) -> Refused:
    return Refused("JSON_PARSER_ERROR", f"Cannot deserialize instance of {one.type} from VALUE_STRING value {value}", one.name)


def _boolean(one: Field, value: Any) -> bool:
    if isinstance(value, bool):
        return value
    if value in {"true", "false"}:
        return bool(value == "true")
    raise _unreadable(one, value)


def _number(one: Field, value: Any) -> Decimal | int:
    try:
        number = Decimal(str(value))
    except InvalidOperation as error:
        raise _unreadable(one, value) from error
    if isinstance(value, bool) or not number.is_finite():
        raise _unreadable(one, value)
    scale = 0 if one.type in {"int", "long"} else one.scale
    if len(number.as_tuple().digits) + int(number.as_tuple().exponent) > 18 - scale:
        raise Refused("NUMBER_OUTSIDE_VALID_RANGE", f"{one.name}: value outside of valid range: {value}", one.name)
    number = round(number, scale)
    return int(number) if one.type in {"int", "long"} else number


def _time(one: Field, value: Any) -> str:
    try:
        return stamp(moment(value))
    except (ValueError, AttributeError, TypeError) as error:
        raise _unreadable(one, value) from error


def _date(one: Field, value: Any) -> str:
    try:
        return date.fromisoformat(value[:10]).isoformat()
    except (ValueError, TypeError) as error:
        raise _unreadable(one, value) from error


def _text(one: Field, value: Any) -> str | None:
    if isinstance(value, dict | list):
        raise _unreadable(one, value)
    text = value if isinstance(value, str) else str(value).lower() if isinstance(value, bool) else str(value)
    text = text.strip()
    if not text:
        return None
    if one.type == "reference":
        full = known(text)
        if full is None:
            raise Refused("MALFORMED_ID", f"{one.name}: id value of incorrect type: {text}", one.name)
        return full
    if len(text) > one.length:
        say = f"{one.name}: data value too large: {text[:80]} (max length={one.length})"
        raise Refused("STRING_TOO_LONG", say, one.name)
    if one.type == "email" and not MAIL.fullmatch(text):
        raise Refused("INVALID_EMAIL_ADDRESS", f"{one.name}: invalid email address: {text}", one.name)
    if one.choices and text not in one.choices:
        say = f"{one.name}: bad value for restricted picklist field: {text}"
        raise Refused("INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", say, one.name)
    return text
