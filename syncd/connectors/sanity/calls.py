"""Webhooks that were verified: hints of which document to look at. Their bodies are whatever the webhook's projection makes."""

from collections.abc import Mapping

from syncd.connectors.body import BadBody, decode
from syncd.connectors.protocol import Batch, Delivery, Setup
from syncd.connectors.sanity.options import SanityConnection
from syncd.connectors.sanity.own import own, published_id
from syncd.connectors.signature import fingerprint
from syncd.connectors.times import parse_time
from syncd.core.model import Change, Native, Via
from syncd.errors import PermanentError


def batch_of(setup: Setup, types: Mapping[str, str], collection: str | None, delivery: Delivery) -> Batch:
    """Return what a webhook says; ``types`` has the collection of each document type. Nothing, if it is about none of them.

    Raises PermanentError if it is from another dataset, or says neither which document nor, among several, of which type.
    """
    connection: SanityConnection = setup.connection
    headers = delivery.headers
    for header, ours in (("sanity-project-id", connection.project), ("sanity-dataset", connection.dataset)):
        if headers.get(header, ours) != ours:
            raise PermanentError(f"webhook: {header} is {headers[header][:80]}, not {ours}")
    body = _body(delivery.body)
    native = headers.get("sanity-document-id") or body.get("_id")
    if not isinstance(native, str) or not native:
        raise PermanentError("webhook: neither a sanity-document-id header nor an _id in its body")
    name = collection or _collection(types, body.get("_type"))
    if name is None:
        return Batch(())
    transaction = headers.get("sanity-transaction-id")
    thing = published_id(native)
    change = Change(
        setup.platform,
        name,
        thing,
        Via.EVENT,
        delivery.as_of,
        delivery.arrived_at,
        item=None if _is_gone(headers, thing == native) else {},
        gone=_is_gone(headers, thing == native),
        changed_at=parse_time(headers.get("sanity-transaction-time") or body.get("_updatedAt")),
        event_id=headers.get("idempotency-key") or fingerprint(delivery.body),
        own=own(transaction),
    )
    return Batch((change,))


def _is_gone(headers: Mapping[str, str], published: bool) -> bool:
    return published and headers.get("sanity-operation") == "delete"


def _body(body: bytes) -> dict[str, Native]:
    """Return the projection's result; one that is no object says nothing."""
    try:
        found = decode(body)
    except BadBody as error:
        raise PermanentError(f"webhook: {error.reason}") from error
    return found if isinstance(found, dict) else {}


def _collection(types: Mapping[str, str], kind: Native) -> str | None:
    """Return the collection of a document type; without one, the only collection there is."""
    if isinstance(kind, str):
        return types.get(kind)
    if len(types) == 1:
        return next(iter(types.values()))
    raise PermanentError("webhook: several collections, and no _type in its body: add _type to the webhook's projection")
