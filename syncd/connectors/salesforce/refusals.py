"""What Salesforce's refusals mean: each code of its error list as whose fault it is.

A refusal is a JSON array of ``{message, errorCode, fields}``; an item of a collection's answer says ``statusCode`` instead.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from syncd.connectors.body import BadBody, decode
from syncd.connectors.http import EXCERPT, Reply
from syncd.connectors.http import refuse as refuse_status
from syncd.connectors.salesforce.soql import full_id, is_id
from syncd.errors import ConnectorError, PermanentError, StaleWrite, TransientError

GONE = frozenset({"ENTITY_IS_DELETED", "NOT_FOUND", "INVALID_CROSS_REFERENCE_KEY"})
TWIN = frozenset({"DUPLICATES_DETECTED", "DUPLICATE_VALUE"})
LOCATOR = "INVALID_QUERY_LOCATOR"  # a query's place in its result was given up: after two days, or for newer queries
LOGIN = frozenset(
    {
        "INVALID_SESSION_ID",
        "INVALID_AUTH_HEADER",
        "API_DISABLED_FOR_ORG",
        "API_CURRENTLY_DISABLED",
        "INVALID_OPERATION_WITH_EXPIRED_PASSWORD",
        "ORG_LOCKED",
        "LOGIN_MUST_USE_SECURITY_TOKEN",
    }
)
BUSY = frozenset(
    {"REQUEST_LIMIT_EXCEEDED", "SERVER_UNAVAILABLE", "STORAGE_LIMIT_EXCEEDED", "CONCURRENT_REQUESTS_LIMIT_EXCEEDED"}
)
AGAIN = frozenset(  # of one record, one query: the same may work a moment later
    {
        "UNABLE_TO_LOCK_ROW",
        "QUERY_TIMEOUT",
        "UNKNOWN_EXCEPTION",
        "OPERATION_TOO_LARGE",
        "TXN_SECURITY_METERING_ERROR",
        "ALL_OR_NONE_OPERATION_ROLLED_BACK",
    }
)
DAY_IS_OVER = 900.0  # seconds: the quota is counted over the last 24 hours, so a part of it comes back with each of them
CROWDED = 5.0  # seconds, where too many requests run at once
_FOUND_ID = re.compile(r"\b[A-Za-z0-9]{18}\b|\b[A-Za-z0-9]{15}\b", re.ASCII)


@dataclass(frozen=True, slots=True)
class Fault:
    """One error of an answer. ``records``: ids of records that it names."""

    code: str
    message: str
    fields: tuple[str, ...] = ()
    records: tuple[str, ...] = ()

    @property
    def said(self) -> str:
        """Return it for people."""
        about = f" ({', '.join(self.fields)})" if self.fields else ""
        return f"{self.code}{about}: {self.message}"[:EXCERPT]

    @property
    def is_gone(self) -> bool:
        """Return whether it says that the record is not there; with fields it speaks of what they refer to."""
        return self.code in GONE and not self.fields

    @property
    def is_twin(self) -> bool:
        """Return whether it says that there is such a record already."""
        return self.code in TWIN


def faults_of(reply: Reply) -> list[Fault]:
    """Return the errors that a refusal lists; none if its body is no such list."""
    try:
        found = decode(reply.body)
    except BadBody:
        return []
    return faults_in(found if isinstance(found, list) else [found])


def faults_in(errors: Sequence[Any]) -> list[Fault]:
    """Return a list of errors as faults, leaving out what has no code."""
    found = []
    for one in errors:
        code = one.get("errorCode") or one.get("statusCode") or one.get("error") if isinstance(one, dict) else None
        if not code:
            continue
        fields = tuple(str(name) for name in one.get("fields") or ())
        message = str(one.get("message") or one.get("error_description") or "")
        found.append(Fault(str(code), message, fields, tuple(_records(one, message, str(code)))))
    return found


def _records(error: dict[str, Any], message: str, code: str) -> Iterator[str]:
    """Yield the ids of the records that a duplicate is of: from the rule's result, or from the words of the message."""
    if code not in TWIN:
        return
    level: list[Any] = [error.get("duplicateResult") or error.get("duplicateResut")]  # the latter is how it was spelt once
    while level:
        part = level.pop()
        if isinstance(part, dict):
            record = part.get("record")
            if isinstance(record, dict) and isinstance(record.get("Id"), str):
                yield full_id(record["Id"])
            level += part.values()
        elif isinstance(part, list):
            level += part
    yield from (full_id(found) for found in _FOUND_ID.findall(message) if is_id(found) and any(map(str.isdigit, found)))


def meaning(place: str, status: int, faults: Sequence[Fault]) -> ConnectorError | None:
    """Return what the errors of one answer or item mean; None if none is known better than by the status."""
    if not faults:
        return None
    first = faults[0]
    said = f"{place}: answered {status}: {first.said}"
    codes = {one.code for one in faults}
    if status == 412:
        return StaleWrite(said, status=status)
    if codes & LOGIN:
        return TransientError(f"login: {said}", status=status)
    if codes & BUSY:
        return TransientError(said, status=status, retry_after=_wait(first))
    if codes & AGAIN or status >= 500:
        return TransientError(said, status=status, about_record=True)
    if 400 <= status < 500 and status not in {401, 408, 425, 429}:
        return PermanentError(said, status=status)
    return None


def _wait(fault: Fault) -> float | None:
    if fault.code == "SERVER_UNAVAILABLE":
        return None
    if fault.code == "REQUEST_LIMIT_EXCEEDED" and "concurrent" not in fault.message.lower():
        return DAY_IS_OVER
    return CROWDED


def refuse(reply: Reply) -> None:
    """Raise what an answer means that is no success."""
    if reply.ok:
        return
    error = meaning(reply.place, reply.status, faults_of(reply))
    if error is not None:
        raise error
    if reply.status == 412:
        raise StaleWrite(f"{reply.place}: answered 412", status=412)
    refuse_status(reply)
