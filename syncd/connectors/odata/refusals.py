"""What a service says when it refuses, in words: code, message, and the inner details where the real reason often stands."""

import re
from dataclasses import replace

from syncd.connectors.body import BadBody, decode, plainly
from syncd.connectors.http import EXCERPT, Reply
from syncd.connectors.http import refuse as refuse_http
from syncd.core.model import Native
from syncd.errors import TransientError

LOCKED = 423  # somebody has the thing open in a form: it passes
_CODE = re.compile(rb"<(?:\w+:)?code[^>]*>([^<]{0,200})")
_MESSAGE = re.compile(rb"<(?:\w+:)?message[^>]*>([^<]{0,500})")
MOST = 5  # details that are told


def refuse(reply: Reply) -> None:
    """Raise what an answer means that is no success, with the service's own words."""
    if reply.ok:
        return
    said = words(reply)
    if reply.status == LOCKED:
        raise TransientError(f"{reply.place}: answered {LOCKED}: {said}", status=LOCKED, about_record=True)
    try:
        refuse_http(replace(reply, body=said.encode()))
    except TransientError as error:
        text = f"{error}: {said}" if said else str(error)
        pause = error.retry_after
        raise TransientError(text, status=error.status, retry_after=pause, about_record=error.about_record) from None


def words(reply: Reply) -> str:
    """Return what a refusal says, in one line; its first characters where it is no OData error."""
    return (said_in(reply.body) or plainly(reply.body, EXCERPT) + _sap_message(reply))[:EXCERPT]


def is_service_error(reply: Reply) -> bool:
    """Return whether the service itself refused, and not something on the way to it."""
    return bool(said_in(reply.body))


def said_in(body: bytes) -> str:
    """Return what an OData error says, of either version, as JSON or XML; '' if it is none."""
    try:
        value = decode(body)
    except BadBody:
        return _of_xml(body)
    error = value.get("error", value.get("odata.error")) if isinstance(value, dict) else None
    if not isinstance(error, dict):
        return ""
    parts = [_entry(error), *_details(error)]
    return "; ".join(dict.fromkeys(part for part in parts if part))


def _entry(error: dict[str, Native]) -> str:
    """Return code, message and target of one error or detail."""
    message = error.get("message")
    text = message.get("value") if isinstance(message, dict) else message
    shown = [one.strip() for one in (error.get("code"), text) if isinstance(one, str) and one.strip()]
    target = error.get("target") or error.get("propertyref")
    return ": ".join(shown) + (f" ({target})" if isinstance(target, str) and target and shown else "")


def _details(error: dict[str, Native]) -> list[str]:
    """Return the inner details, those that only repeat the outer error left out."""
    inner = error.get("innererror")
    inner = inner if isinstance(inner, dict) else {}
    listed = error.get("details") or inner.get("errordetails") or []
    found = [_entry(one) for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []
    outer = error.get("message")
    outer = outer.get("value") if isinstance(outer, dict) else outer
    return [one for one in found if not (isinstance(outer, str) and one.endswith(outer))][:MOST]


def _of_xml(body: bytes) -> str:
    if b"<error" not in body[:2000]:
        return ""
    found = [one[1].decode("utf-8", "replace").strip() for one in (_CODE.search(body), _MESSAGE.search(body)) if one]
    return ": ".join(one for one in found if one)


def _sap_message(reply: Reply) -> str:
    """Return what SAP's header of messages says beside the body."""
    raw = reply.headers.get("sap-message", reply.headers.get("sap-messages", ""))
    if not raw:
        return ""
    try:
        value = decode(raw.encode())
    except BadBody:
        text = _of_xml(b"<error>" + raw.encode())
        return f" [{text}]" if text else ""
    entries = value if isinstance(value, list) else [value]
    told = [_entry(one) for one in entries if isinstance(one, dict)]
    return f" [{'; '.join(told[:MOST])}]" if told else ""
