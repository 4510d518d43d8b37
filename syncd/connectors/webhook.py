"""From a verified webhook to changes: which collection it is about, which thing, and whether that is gone."""

from collections.abc import Mapping
from dataclasses import replace
from fnmatch import fnmatchcase

from syncd.connectors.body import BadBody, Parsed, flaw, parse, pick, salvage
from syncd.connectors.protocol import Batch, Broken, Delivery
from syncd.connectors.shape import Seen, Shape
from syncd.connectors.signature import ID, Webhook, fingerprint
from syncd.connectors.times import parse_time
from syncd.core.model import Change, Native, Via
from syncd.errors import PermanentError


def read_event(webhook: Webhook, shapes: Mapping[str, Shape], collection: str | None, delivery: Delivery) -> Batch:
    """Return what a webhook says. Nothing, if its type belongs to no collection; raises PermanentError if it is malformed."""
    try:
        parsed = parse(delivery.body)
    except BadBody as error:
        raise PermanentError(f"webhook: {error.reason}") from error
    kind = pick(parsed.value, webhook.event.type)
    name = collection or _collection(webhook, shapes, kind)
    if name is None:
        return Batch(())
    if name not in shapes:
        raise PermanentError(f"webhook: no collection {name}")
    seen = Seen(Via.EVENT, delivery.as_of, delivery.arrived_at, f"webhook {webhook.path}")
    found = _observe(webhook, shapes[name], parsed, seen, event_id=_event_id(webhook, parsed, delivery))
    return Batch((), broken=(found,)) if isinstance(found, Broken) else Batch((found,))


def _collection(webhook: Webhook, shapes: Mapping[str, Shape], kind: Native) -> str | None:
    """Return the collection an event belongs to, None if to none of ours."""
    for name, patterns in webhook.topics.items():
        if isinstance(kind, str) and any(fnmatchcase(kind, pattern) for pattern in patterns):
            return name
    if webhook.topics:
        return None
    if webhook.collection:
        return webhook.collection
    if len(shapes) == 1:
        return next(iter(shapes))
    raise PermanentError("webhook: several collections, and neither collection nor topics says which")


def _observe(webhook: Webhook, shape: Shape, parsed: Parsed, seen: Seen, *, event_id: str) -> Change | Broken:
    event = webhook.event
    item = _item(pick(parsed.value, event.item), shape)
    native_id = shape.native_id(item)
    reason = parsed.flaw(item)
    if native_id is None:
        if reason:
            return shape.observe(item, reason, seen)
        raise PermanentError(f'webhook: no id at "{shape.id}" of "{event.item}"')
    at = parse_time(pick(parsed.value, event.changed_at), shape.zone) if event.changed_at else None
    if pick(parsed.value, event.type) in event.deleted:
        return replace(shape.gone(native_id, seen, changed_at=at), event_id=event_id)
    found = shape.observe(item, reason, seen)
    if isinstance(found, Broken):
        return found
    hint = set(item) == {shape.id.partition(".")[0]}
    changed_at = found.changed_at if found.changed_at is not None else at
    return replace(found, item={} if hint else item, changed_at=changed_at, event_id=event_id)


def _item(found: Native, shape: Shape) -> Native:
    """Return the item of an event; a bare id is an item with nothing but an id."""
    if isinstance(found, str) or (isinstance(found, int) and not isinstance(found, bool)):
        return {shape.id: found} if "." not in shape.id else found
    return found


def _event_id(webhook: Webhook, parsed: Parsed, delivery: Delivery) -> str:
    own = webhook.event.id
    found = delivery.headers.get(ID) if own == "header" else salvage(pick(parsed.value, own))
    if isinstance(found, int) and not isinstance(found, bool):
        found = str(found)
    return found if isinstance(found, str) and found and not flaw(found) else fingerprint(delivery.body)
