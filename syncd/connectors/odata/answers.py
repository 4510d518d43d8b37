"""The envelopes of both versions, ``{"d": {"results": []}}`` and ``{"value": []}``: things, paging, deltas."""

from dataclasses import dataclass

from syncd.connectors.body import Parsed, salvage
from syncd.connectors.http import Reply
from syncd.connectors.odata.schema import Service
from syncd.core.model import Native
from syncd.errors import TransientError

NEXT = ("@odata.nextLink", "@nextLink")  # OData 4.01 leaves the prefix out
DELTA = ("@odata.deltaLink", "@deltaLink")
COUNT = ("@odata.count", "@count")
ETAG = ("@odata.etag", "@etag")
ID = ("@odata.id", "@id", "id")
REMOVED = ("@removed", "@odata.removed")
CONTEXT = ("@odata.context", "@context")


@dataclass(frozen=True, slots=True)
class Listing:
    """One answer with a list. ``following`` and ``delta`` are links as they were given; ``count`` is of the whole list."""

    elements: list[Native]
    parsed: Parsed
    reply: Reply
    following: str = ""
    delta: str = ""
    count: int | None = None


def listing(service: Service, reply: Reply) -> Listing:
    """Return the list in an answer; raises TransientError if there is none."""
    parsed = reply.json()
    outer = parsed.value
    if service.is_v2:
        inner = outer.get("d") if isinstance(outer, dict) else None
        box = inner if isinstance(inner, dict) else {"results": inner}
        found = box.get("results")
        links = (box.get("__next"), box.get("__delta"), box.get("__count"))
    else:
        box = outer if isinstance(outer, dict) else {}
        found = box.get("value")
        links = (_first(box, NEXT), _first(box, DELTA), _first(box, COUNT))
    if not isinstance(found, list):
        where = "d.results" if service.is_v2 else "value"
        raise TransientError(f"{reply.place}: there is no list at {where}", status=reply.status)
    return Listing(found, parsed, reply, _text(links[0]), _text(links[1]), _count(links[2]))


def single(service: Service, parsed: Parsed) -> Native:
    """Return the one thing in an answer, with its control information; None if there is none."""
    value = parsed.value
    if service.is_v2 and isinstance(value, dict):
        value = value.get("d")
    return value


def etag_of(service: Service, element: Native) -> str | None:
    """Return the version that a thing carries."""
    element = salvage(element)
    if not isinstance(element, dict):
        return None
    if service.is_v2:
        told = element.get("__metadata")
        return _text(told.get("etag")) or None if isinstance(told, dict) else None
    return _text(_first(element, ETAG)) or None


def address_of(element: Native) -> str:
    """Return the address that an element names itself by, '' if it does not."""
    if not isinstance(element, dict):
        return ""
    told = element.get("__metadata")
    if isinstance(told, dict):
        return _text(told.get("uri")) or _text(told.get("id"))
    return _text(_first(element, ID))


def removal(element: Native) -> str | None:
    """Return why an entry of a delta is no thing any more (``deleted``, ``changed``: it left the filter); None if it is one."""
    if not isinstance(element, dict):
        return None
    told = _first(element, REMOVED)
    if told is not None:
        return (_text(told.get("reason")) if isinstance(told, dict) else "") or "deleted"
    if _text(_first(element, CONTEXT)).endswith("/$deletedEntity"):
        return _text(element.get("reason")) or "deleted"
    return None


def is_link(element: Native) -> bool:
    """Return whether an entry of a delta is about a link between two things, and not about a thing."""
    context = _text(_first(element, CONTEXT)) if isinstance(element, dict) else ""
    return context.endswith(("/$link", "/$deletedLink"))


def _first(box: dict[str, Native], names: tuple[str, ...]) -> Native:
    return next((box[name] for name in names if name in box), None)


def _text(value: Native) -> str:
    return value if isinstance(value, str) else ""


def _count(value: Native) -> int | None:
    """Return a number that may be written as text."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    return int(value) if isinstance(value, str) and value.isascii() and value.isdecimal() else None
