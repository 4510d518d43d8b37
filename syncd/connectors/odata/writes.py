"""What a write looks like on the wire, and what its answer means.

What the metadata forbids is refused here, before it is sent: SAP leaves out in silence what it does not let us change, and the
write would seem to have worked.
"""

from dataclasses import dataclass, field

from syncd.connectors.body import steps_of
from syncd.connectors.contents import changed_keys, values_of, whole_of
from syncd.connectors.http import Reply
from syncd.connectors.odata.address import JSON, PROTOCOL, WRITTEN
from syncd.connectors.odata.collection import Things
from syncd.connectors.odata.moments import Unfit
from syncd.connectors.odata.refusals import is_service_error, refuse, words
from syncd.core.model import Answer, Native, Op, Receipt, Write
from syncd.errors import PermanentError, StaleWrite, TransientError

METHODS = {"merge": "MERGE", "patch": "PATCH", "tunnel": "POST"}
REFUSED_CREATE = frozenset((400, 409, 422))  # what services say of a key that is there already, among other things


@dataclass(frozen=True, slots=True)
class Request:
    """One write on the wire. ``path`` is quoted and starts with a slash; ``content`` is None where there is no body."""

    method: str
    path: str
    headers: dict[str, str] = field(default_factory=dict)
    content: dict[str, Native] | None = None


def request_of(things: Things, write: Write, *, guarded: bool, batched: bool = False) -> Request:
    """Return the request that makes this write; raises PermanentError for what cannot or must not be sent."""
    _check(things, write)
    version = things.service.version
    headers = dict(PROTOCOL[version]) | {"Accept": JSON[version]}
    if write.op is Op.CREATE:
        content = _content(things, write)
        return Request("POST", f"/{things.set.name}", headers | _body_headers(things), content)
    path = things.path_of(write.id or "")
    if path is None:
        raise PermanentError(f"{write.collection}: {write.id} is no id of {things.set.name}")
    headers |= _guard(things, write, guarded=guarded)
    if write.op is Op.DELETE:
        return Request("DELETE", path, headers)
    return _changing(things, path, headers, _content(things, write), batched=batched)


def _changing(things: Things, path: str, headers: dict[str, str], content: dict[str, Native], *, batched: bool) -> Request:
    how = things.connection.update or ("merge" if things.service.is_v2 else "patch")
    if how == "tunnel" and batched:  # what is inside of a batch passes no proxy
        how = "merge"
    more = _body_headers(things) | ({"X-HTTP-Method": "MERGE"} if how == "tunnel" else {})
    return Request(METHODS[how], path, headers | more, content)


def _body_headers(things: Things) -> dict[str, str]:
    told = {"Content-Type": WRITTEN[things.service.version]}
    return told if things.service.is_v2 else told | {"Prefer": "return=representation"}


def _guard(things: Things, write: Write, *, guarded: bool) -> dict[str, str]:
    """Return what a write is bound to: the version it was planned on, or at least that the thing is there.

    OData 4 makes a thing by PATCH where there is none, unless told that there has to be one.
    """
    if guarded and write.version is not None:
        if not str(write.version).isprintable():  # it would end its line, and begin another one
            raise PermanentError(f"{write.collection}: {things.set.name} gave an ETag that no header can carry")
        return {"If-Match": str(write.version)}
    return {"If-Match": "*"} if things.options.version or not things.service.is_v2 else {}


def _check(things: Things, write: Write) -> None:
    told, name = things.set, things.set.name
    allowed = {Op.CREATE: told.creatable, Op.DELETE: told.deletable}.get(write.op, told.updatable)
    if not allowed:
        words = {Op.CREATE: "creatable", Op.DELETE: "deletable"}.get(write.op, "updatable")
        mark = "; mark it instead: deleted: {field: ..., is: ...}" if write.op is Op.DELETE else ""
        raise PermanentError(f"{write.collection}: {name} is not {words}, its metadata says{mark}")
    if write.op is Op.DELETE:
        return
    for path in write.values:
        if why := refused_path(things, path, creating=write.op is Op.CREATE):
            raise PermanentError(f"{write.collection}: {why}")


def leads_away(things: Things, path: str) -> bool:
    """Return whether a path leads into other things, which can be given with a new thing and never be changed with it."""
    return str(steps_of(path)[0]) in things.shape.navigations if path else False


def refused_path(things: Things, path: str, *, creating: bool) -> str:
    """Return why a path cannot be written there, '' if nothing speaks against it."""
    first = str(steps_of(path)[0]) if path else ""
    told = things.shape.properties.get(first)
    if first in things.shape.navigations:
        return "" if creating else f"{path}: {first} leads to other things; map their own entity set to change them"
    if told is None:
        return f"{path}: {things.set.name} has no property {first}"
    if creating:
        free = told.creatable and first not in things.set.given
        return "" if free else f"{path}: {first} cannot be given on creation, its metadata says"
    if first in things.shape.key:
        return f"{path}: {first} is the key, which never changes"
    free = told.updatable and first not in things.set.fixed
    return "" if free else f"{path}: {first} cannot be changed, its metadata says"


def _content(things: Things, write: Write) -> dict[str, Native]:
    """Return what is sent: the properties that change, those that are objects as last read with the change."""
    values = values_of(write, things.options.deleted)
    try:
        changed = changed_keys(whole_of(write, values), values)
        return things.values.sent(things.shape, changed if isinstance(changed, dict) else {})
    except Unfit as error:
        raise PermanentError(f"{write.collection}: {error}") from error
    except ValueError as error:  # a gap in a list
        raise PermanentError(f"{write.collection}: {error}") from error


def verdict(reply: Reply, write: Write) -> Receipt | None:
    """Return the receipt of an answer that shows nothing, None for a success; raises what any other status means."""
    if reply.ok:
        return Receipt(Answer.DONE, write.id) if write.op is Op.DELETE else None
    if write.op is not Op.CREATE:
        if reply.status == 410 or (reply.status == 404 and (is_service_error(reply) or not reply.body.strip())):
            return Receipt(Answer.GONE, write.id)
        if reply.status == 404:
            text = f"{reply.place}: answered 404, and not as the service does: {words(reply)}"
            raise TransientError(text, status=404)
        if reply.status in {409, 412, 428}:
            raise StaleWrite(f"{reply.place}: answered {reply.status}{_hint(reply)}: {words(reply)}", status=reply.status)
    refuse(reply)
    return None


def _hint(reply: Reply) -> str:
    return " (it wants the version; write  version: etag)" if reply.status == 428 else ""
