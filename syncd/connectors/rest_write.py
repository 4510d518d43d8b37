"""What a write to a JSON API looks like on the wire, and what the status of its answer means."""

from syncd.connectors.body import encode, placed
from syncd.connectors.contents import changed_keys, values_of, whole_of
from syncd.connectors.http import Reply, refuse
from syncd.connectors.rest_options import RestCollection, RestVersion
from syncd.connectors.template import Template
from syncd.core.model import Answer, Native, Op, Receipt, Write
from syncd.errors import PermanentError, StaleWrite


def request_of(options: RestCollection, write: Write) -> Template:
    """Return the request that makes this write; raises PermanentError if the collection has none."""
    found = {Op.CREATE: options.create, Op.DELETE: options.delete}.get(write.op, options.update)
    if found is None:
        raise PermanentError(f"{write.collection}: nothing to {write.op} with")
    return found


def address(template: Template, options: RestCollection, write: Write) -> str:
    """Return the path of a write: ``{id}`` is the thing's, any other name a value that is written."""
    names: dict[str, Native] = {path.rpartition(".")[2]: value for path, value in write.values.items()}
    names |= write.values
    names["id"] = write.id if write.id is not None else write.values.get(options.id, names.get("id"))
    return template.fill(names)


def body_of(template: Template, options: RestCollection, write: Write, *, guarded: bool) -> bytes | None:
    """Return what is sent. Raises PermanentError if it cannot be written as JSON.

    PATCH: the changed top-level keys, each as last read with the change; PUT: the whole thing with the changes.
    """
    if write.op is Op.DELETE:
        return None
    values = values_of(write, options.deleted)
    try:
        return encode(placed({}, options.send, _content(template, options, write, values, guarded=guarded)))
    except ValueError as error:  # BadBody is one
        raise PermanentError(f"{write.collection}: {error}") from error


def _content(template: Template, options: RestCollection, write: Write, values: dict[str, Native], *, guarded: bool) -> Native:
    puts = template.method == "PUT"
    whole = whole_of(write, values, needed=puts)
    sent = whole if puts else changed_keys(whole, values)
    if guarded and isinstance(options.version, RestVersion) and write.version is not None:
        sent = placed(sent, options.version.field, write.version)
    return sent


def headers_of(options: RestCollection, write: Write, *, guarded: bool) -> dict[str, str]:
    """Return the headers of a write: what it was planned on, and the key that makes a repeat harmless."""
    headers: dict[str, str] = {}
    if guarded and options.version == "etag" and write.version is not None:
        headers["If-Match"] = str(write.version)
    if options.idempotency and write.key:
        headers[options.idempotency] = write.key
    return headers


def verdict(reply: Reply, write: Write) -> Receipt | None:
    """Return the receipt of an answer that shows nothing, None for a success; raises what any other status means."""
    if reply.ok:
        return Receipt(Answer.DONE, write.id) if write.op is Op.DELETE else None
    if write.op is not Op.CREATE and reply.status in {404, 410}:
        return Receipt(Answer.GONE, write.id)
    stale = {409, 412, 428} if write.op in {Op.UPDATE, Op.ARCHIVE} else {412, 428} if write.op is Op.DELETE else set()
    if reply.status in stale:
        raise StaleWrite(f"{reply.place}: answered {reply.status}", status=reply.status)
    refuse(reply)
    return None
