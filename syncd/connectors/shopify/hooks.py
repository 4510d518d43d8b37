"""From a verified webhook to changes. What it carries is shaped otherwise than what is read: a hint, which thing to read.

A webhook that says "deleted" says so of its id; that is read as well before anything is believed. Repeats are known by the
event's id with topic and thing: one event of the shop may come under several topics and to several subscriptions.
"""

from collections.abc import Iterable, Iterator, Mapping

from syncd.connectors.body import BadBody, flaw, parse, pick, salvage
from syncd.connectors.protocol import Batch, Delivery
from syncd.connectors.shape import Seen, Shape
from syncd.connectors.shopify.objects import GID, KINDS, number
from syncd.connectors.shopify.options import HookHeaders, ShopifyWebhook
from syncd.connectors.signature import fingerprint
from syncd.connectors.times import parse_time
from syncd.core.model import Change, Native, Via
from syncd.errors import PermanentError

GONE = ("delete", "disconnect")


def topics_of(webhook: ShopifyWebhook, objects: Iterable[str]) -> list[str]:
    """Return the topics that are expected: those of the config, else those of the objects."""
    found = webhook.topics or [topic for name in objects for topic in KINDS[name].topics]
    return list(dict.fromkeys(found))


def enum_of(topic: str) -> str:
    """Return a topic as the API names it: ``PRODUCTS_UPDATE`` of ``products/update``."""
    return topic.replace("/", "_").upper()


def heard(
    webhook: ShopifyWebhook, shapes: Mapping[str, Shape], objects: Mapping[str, str], delivery: Delivery, *, shop: str
) -> Batch:
    """Return what a webhook says; nothing, if its topic or its shop is none of ours.

    ``objects``: the object of each collection. Raises PermanentError if it is malformed.
    """
    names = webhook.headers
    topic = _header(delivery, names.topic)
    if topic is None:
        raise PermanentError(f"webhook: no {names.topic} header")
    sender = _header(delivery, names.shop)
    if sender is not None and sender != shop:
        raise PermanentError(f"webhook: it is of {sender}, not of {shop}")
    try:
        payload = salvage(parse(delivery.body).value)
    except BadBody as error:
        raise PermanentError(f"webhook: {error.reason}") from error
    if not isinstance(payload, dict):
        raise PermanentError("webhook: the body is not an object")
    changes: list[Change] = []
    for name, shape in shapes.items():
        if topic in _topics(webhook, objects[name]):
            changes += _changes(shape, objects[name], topic, payload, delivery, names)
    return Batch(changes)


def _topics(webhook: ShopifyWebhook, kind: str) -> set[str]:
    own = set(KINDS[kind].topics)
    heads = {topic.partition("/")[0] for topic in own}
    return own | {topic for topic in webhook.topics if topic.partition("/")[0] in heads}


def _changes(
    shape: Shape, kind: str, topic: str, payload: dict[str, Native], delivery: Delivery, names: HookHeaders
) -> Iterator[Change]:
    seen = Seen(Via.EVENT, delivery.as_of, delivery.arrived_at, f"webhook {topic}")
    event = _header(delivery, names.event) or _header(delivery, names.delivery) or fingerprint(delivery.body)
    for native, at in _things(shape, kind, topic, payload):
        gone = topic.endswith(GONE)
        yield Change(
            shape.platform,
            shape.collection,
            native,
            seen.via,
            seen.as_of,
            seen.seen_at,
            item=None if gone else {},
            gone=gone,
            changed_at=at,
            event_id=f"{event} {topic} {shape.collection} {native}",
        )


def _things(shape: Shape, kind: str, topic: str, payload: dict[str, Native]) -> Iterator[tuple[str, int | None]]:
    """Yield ids and times of the things that a webhook is about; raises PermanentError if it names none."""
    if kind == "ProductVariant":  # the shop tells of variants with their product
        for variant in payload.get("variants") or []:
            if isinstance(variant, dict) and (native := _native(shape, kind, variant)):
                yield native, parse_time(variant.get("updated_at"))
        return
    native = _native(shape, kind, payload)
    if native is None and kind == "InventoryLevel" and topic.endswith(GONE):
        return  # it names item and location, and the level had an id of its own: a sweep finds it
    if native is None:
        raise PermanentError(f"webhook: {topic} names no {kind}")
    yield native, parse_time(payload.get("updated_at"))


def _native(shape: Shape, kind: str, payload: dict[str, Native]) -> str | None:
    """Return the id that the collection knows a thing by, from its global or its old numeric one."""
    known, old = salvage(payload.get("admin_graphql_api_id")), salvage(payload.get("id"))
    if not (isinstance(known, str) and known.startswith(f"{GID}{kind}/") and not flaw(known)):
        fits = isinstance(old, int | str) and not isinstance(old, bool) and str(old).isascii() and str(old).isdigit()
        if not fits or kind == "InventoryLevel":
            return None
        known = f"{GID}{kind}/{old}"
    return number(known) if shape.id == "legacyResourceId" else known


def _header(delivery: Delivery, name: str) -> str | None:
    return delivery.headers.get(name.lower()) or None


def sent_topics(nodes: Iterable[Native], url: str | None) -> set[str]:
    """Return the topics that are subscribed to, as the API names them; only those that come to ``url`` where it is known."""
    found = [node for node in nodes if isinstance(node, dict)]
    return {str(node.get("topic")) for node in found if url is None or pick(node, "uri") == url}
