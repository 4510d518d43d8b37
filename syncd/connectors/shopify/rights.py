"""What the login may do, by its scopes; and which webhook topics nobody sends to us."""

from collections.abc import Iterable, Mapping

from syncd.connectors.body import pick, steps_of
from syncd.connectors.protocol import Collection, Rights
from syncd.connectors.relay import Relay
from syncd.connectors.shopify.api import Api
from syncd.connectors.shopify.documents import SCOPES, SUBSCRIBE, SUBSCRIPTIONS
from syncd.connectors.shopify.hooks import enum_of, sent_topics, topics_of
from syncd.connectors.shopify.inputs import is_stock, is_writable
from syncd.connectors.shopify.objects import KINDS, Kind
from syncd.connectors.shopify.options import ShopifyWebhook
from syncd.core.model import Native
from syncd.errors import PermanentError, TransientError

PAGE = 100


def needed(collection: Collection) -> set[str]:
    """Return the scopes that the configured use of a collection needs. What is written may be read."""
    options = collection.options
    kind = KINDS[options.object]
    found = {f"read_{kind.scope}"}
    if any("inventoryItem." in path or is_stock(kind.name, path) for path in (*collection.fields, *collection.writes)):
        found.add("read_inventory")
    writes = [path for path in collection.writes if is_writable(kind.name, path)] if kind.updates else []
    if any(not is_stock(kind.name, path) for path in writes):
        found.add(f"write_{kind.scope}")
    if any(is_stock(kind.name, path) for path in writes):
        found.add("write_inventory")
    if kind.name == "InventoryLevel" or (any(is_stock(kind.name, path) for path in writes) and options.location is None):
        found.add("read_locations")
    return {scope for scope in found if not (scope.startswith("read_") and scope.replace("read_", "write_") in found)}


def rights_of(
    collection: Collection, collections: Mapping[str, Collection], has: Iterable[str], unheard: Iterable[str]
) -> Rights:
    """Return what may be done with a collection. In excess is what no collection of the platform needs."""
    scopes = sorted(set(has))
    wanted = needed(collection)
    missing = {scope for scope in wanted if not _is_covered(scope, scopes)}
    used = set().union(*(needed(one) for one in collections.values()))
    excess = {scope for scope in scopes if scope not in used and not _is_read_of(scope, used)}
    kind = KINDS[collection.options.object]
    refused = tuple(path for path in collection.writes if not _may_be_written(kind, path))
    lacks = any(scope.startswith("write_") for scope in missing)
    write = not lacks and len(refused) < len(collection.writes)
    return Rights(
        write=write if collection.writes else None,
        refused=refused,
        has=tuple(scopes),
        missing=tuple(sorted(missing)),
        excess=tuple(sorted(excess)),
        unheard=tuple(unheard),
    )


def _is_covered(scope: str, scopes: Iterable[str]) -> bool:
    """Return whether a scope is there; who may write may read, and stock shows its locations."""
    found = set(scopes)
    if scope == "read_locations" and {"read_inventory", "write_inventory"} & found:
        return True
    return scope in found or scope.replace("read_", "write_", 1) in found


def _is_read_of(scope: str, used: set[str]) -> bool:
    """Return whether a read scope belongs to a write scope that is used: what is written is read, too."""
    return scope.startswith("read_") and scope.replace("read_", "write_", 1) in used


def _may_be_written(kind: Kind, path: str) -> bool:
    return (kind.updates and is_writable(kind.name, path)) or (kind.name == "Product" and _is_made(path))


def _is_made(path: str) -> bool:
    """Return whether a path is written when a thing is made, and never after: the options that variants differ by."""
    steps = steps_of(path)
    return len(steps) == 5 and steps[0] == "variants" and steps[2] == "selectedOptions"


async def scopes_of(api: Api) -> list[str]:
    """Return the scopes that the shop has given to the app."""
    answered = await api.read(SCOPES, cost=5)
    found = pick(answered.data, "currentAppInstallation.accessScopes")
    if not isinstance(found, list):
        raise TransientError(f"{answered.reply.place}: the shop does not say which scopes the app has", about_record=True)
    return [str(pick(one, "handle")) for one in found]


async def unheard_of(api: Api, webhook: ShopifyWebhook, objects: Iterable[str]) -> list[str]:
    """Return the expected topics that nobody has subscribed to."""
    nodes: list[Native] = []
    async for leaf in Relay(api, SUBSCRIPTIONS, {}, at="webhookSubscriptions", size=PAGE).leaves():
        if leaf.why:
            raise TransientError(f"subscriptions: {leaf.why}", about_record=True)
        nodes += leaf.elements
    sent = sent_topics(nodes, webhook.url)
    return [topic for topic in topics_of(webhook, objects) if enum_of(topic) not in sent]


async def subscribe(api: Api, webhook: ShopifyWebhook, topic: str) -> None:
    """Subscribe to a topic; raises PermanentError if the shop refuses that."""
    subscription = {"uri": webhook.url, "format": "JSON"}
    answered = await api.send(SUBSCRIBE, {"topic": enum_of(topic), "subscription": subscription})
    errors = pick(answered.data, "subscribed.userErrors") or []
    words = "; ".join(str(pick(one, "message")) for one in errors)
    if words and "already been taken" not in words:  # somebody was quicker
        raise PermanentError(f"webhook: the shop does not subscribe us to {topic}: {words}")
