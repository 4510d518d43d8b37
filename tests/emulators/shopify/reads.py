"""What a query shows: a resolver for each field that is not simply there in the thing."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import orjson
from graphql import GraphQLError, GraphQLResolveInfo
from graphql.type import get_named_type

from tests.emulators.shopify.pages import Asked, Rows, connection
from tests.emulators.shopify.search import understood
from tests.emulators.shopify.state import Node, Shop, number_of

Resolver = Callable[["Context", Any, GraphQLResolveInfo, dict[str, Any]], Any]
RESOLVERS: dict[tuple[str, str], Resolver] = {}
SORTED = {
    "UPDATED_AT": "updatedAt",
    "CREATED_AT": "createdAt",
    "TITLE": "title",
    "VENDOR": "vendor",
    "PROCESSED_AT": "createdAt",
}


@dataclass
class Context:
    """One request, while it is executed. ``lag``: seconds that search is behind; ``stale``: things are shown as they were."""

    shop: Shop
    scopes: list[str]
    lag: float = 0
    stale: bool = False
    bulk: bool = False
    cached: dict[Any, Rows] = field(default_factory=dict)
    warnings: list[dict[str, Any]] = field(default_factory=list)
    server: Any = None  # the emulator, for what is not in the shop: bulk operations
    variables: dict[str, Any] = field(default_factory=dict)


def resolves(*places: str) -> Callable[[Resolver], Resolver]:
    """Note a resolver for these fields, as Product.variants."""

    def noted(function: Resolver) -> Resolver:
        for place in places:
            kind, _, name = place.partition(".")
            RESOLVERS[kind, name] = function
        return function

    return noted


def resolve(source: Any, info: GraphQLResolveInfo, **args: Any) -> Any:
    """Return a field of a thing; raises GraphQLError where this emulator does not know it."""
    known = RESOLVERS.get((info.parent_type.name, info.field_name))
    if known is not None:
        return known(info.context, source, info, args)
    try:
        found = source[info.field_name]
    except (KeyError, TypeError):
        place = f"{info.parent_type.name}.{info.field_name}"
        raise GraphQLError(f"{place} is not emulated", extensions={"code": "NOT_EMULATED"}) from None
    return found() if callable(found) else found


def rows_of(context: Context, kind: str, args: dict[str, Any]) -> Rows:
    """Return the things of a kind that a search finds, in the order it asks for."""
    by = SORTED.get(str(args.get("sortKey")))
    text = args.get("query") or ""
    key = (context.shop.revision, kind, text, by)
    if context.lag == 0 and key in context.cached:
        return context.cached[key]
    search = understood(kind, text)
    nodes = context.shop.all(kind)
    if text and context.lag:
        found = [node for node in nodes if (old := _indexed(context, node)) is not None and search.test(old)]
    else:
        found = [node for node in nodes if search.test(node)] if text else nodes
    rows = Rows(found, by)
    if context.lag == 0:
        context.cached.clear()
        context.cached[key] = rows
    return rows


def _indexed(context: Context, node: Node) -> Node | None:
    """Return a thing as the search index has it: behind by ``lag`` seconds."""
    changed = context.shop.changed.get(node["id"], 0)
    fresh = context.shop.clock().timestamp() - changed >= context.lag
    return node if fresh or node["id"] not in context.shop.before else context.shop.before[node["id"]]


def by_id(context: Context, one: Any, *kinds: str) -> Node | None:
    """Return a thing by its GID, as it was before its last change where reads are stale."""
    node = context.shop.get(one, *kinds)
    if context.stale and node is not None and node["id"] in context.shop.before:
        return context.shop.before[node["id"]]
    return node


@resolves(
    *("QueryRoot.products", "QueryRoot.productVariants", "QueryRoot.customers", "QueryRoot.orders", "QueryRoot.inventoryItems"),
    *("QueryRoot.collections", "QueryRoot.locations", "QueryRoot.bulkOperations"),
)
def _root(context: Context, _: Any, info: GraphQLResolveInfo, args: dict[str, Any]) -> Node:
    kind = get_named_type(info.return_type).name.removesuffix("Connection")
    asked = Asked(args, unlimited=context.bulk)
    if args.get("query"):
        warnings = understood(kind, args["query"]).warnings
        if warnings:
            context.warnings.append({"path": [info.path.key], "query": args["query"], "warnings": warnings})
    return connection(rows_of(context, kind, args), asked)


@resolves("QueryRoot.webhookSubscriptions")
def _subscriptions(context: Context, _: Any, info: GraphQLResolveInfo, args: dict[str, Any]) -> Node:
    nodes = [one for one in context.shop.all("WebhookSubscription") if not one["_of_the_app"]]
    topics, uri = args.get("topics"), args.get("uri") or args.get("callbackUrl")
    found = [one for one in nodes if (not topics or one["topic"] in topics) and (not uri or one["uri"] == uri)]
    return connection(Rows(found), Asked(args))


@resolves(
    *("QueryRoot.product", "QueryRoot.productVariant", "QueryRoot.customer", "QueryRoot.order", "QueryRoot.inventoryItem"),
    *("QueryRoot.inventoryLevel", "QueryRoot.collection", "QueryRoot.location", "QueryRoot.bulkOperation"),
    "QueryRoot.webhookSubscription",
)
def _one(context: Context, _: Any, info: GraphQLResolveInfo, args: dict[str, Any]) -> Node | None:
    one = args.get("id") or context.shop.location["id"]
    if not str(one).startswith("gid://shopify/"):
        raise GraphQLError(f"Invalid global id '{one}'", extensions={"code": "argumentLiteralsIncompatible"})
    return by_id(context, one, get_named_type(info.return_type).name)


@resolves("QueryRoot.node")
def _node(context: Context, _: Any, info: GraphQLResolveInfo, args: dict[str, Any]) -> Node | None:
    if not str(args["id"]).startswith("gid://shopify/"):
        raise GraphQLError(f"Invalid global id '{args['id']}'", extensions={"code": "argumentLiteralsIncompatible"})
    return by_id(context, args["id"])


@resolves("QueryRoot.nodes")
def _nodes(context: Context, _: Any, info: GraphQLResolveInfo, args: dict[str, Any]) -> list[Node | None]:
    if len(args["ids"]) > 250:
        raise GraphQLError("The input array size of ids is greater than the maximum allowed of 250.")
    return [_node(context, None, info, {"id": one}) for one in args["ids"]]


@resolves("QueryRoot.productByIdentifier", "QueryRoot.customerByIdentifier", "QueryRoot.productVariantByIdentifier")
def _identified(context: Context, _: Any, info: GraphQLResolveInfo, args: dict[str, Any]) -> Node | None:
    return identified(context.shop, get_named_type(info.return_type).name, args["identifier"])


def identified(shop: Shop, kind: str, identifier: Node) -> Node | None:
    """Return the thing that an identifier means."""
    if len(identifier) != 1:
        raise GraphQLError("exactly one field of an identifier must be given", extensions={"code": "INVALID_VARIABLE"})
    [(name, value)] = identifier.items()
    if name == "id":
        return shop.get(value, kind)
    if name == "customId":
        place = (value.get("namespace") or "$app", value["key"])
        matches = (n for n in shop.all(kind) if n["_metafields"].get(place, {}).get("value") == value["value"])
        return next(matches, None)
    path = {"emailAddress": "email", "phoneNumber": "phone"}.get(name, name)
    return next((node for node in shop.all(kind) if str(node.get(path)).lower() == str(value).lower()), None)


@resolves("QueryRoot.productsCount", "QueryRoot.customersCount", "QueryRoot.ordersCount", "QueryRoot.productVariantsCount")
def _count(context: Context, _: Any, info: GraphQLResolveInfo, args: dict[str, Any]) -> Node:
    name = info.field_name.removesuffix("sCount")
    count, most = len(rows_of(context, name[0].upper() + name[1:], args).nodes), args.get("limit", 10_000)
    within = most is None or count <= most
    return {"count": count if within else most, "precision": "EXACT" if within else "AT_LEAST"}


@resolves("QueryRoot.shop")
def _shop(context: Context, _: Any, info: GraphQLResolveInfo, args: dict[str, Any]) -> Node:
    return {
        "__typename": "Shop",
        "id": "gid://shopify/Shop/1",
        "name": "Test",
        "myshopifyDomain": context.shop.domain,
        "currencyCode": "EUR",
        "ianaTimezone": "Europe/Berlin",
    }


@resolves("QueryRoot.currentAppInstallation", "QueryRoot.appInstallation")
def _installation(context: Context, _: Any, info: GraphQLResolveInfo, args: dict[str, Any]) -> Node:
    scopes = [{"handle": scope, "description": scope} for scope in context.scopes]
    app = {"id": "gid://shopify/App/1", "title": "syncd", "handle": "syncd"}
    return {"__typename": "AppInstallation", "id": "gid://shopify/AppInstallation/1", "accessScopes": scopes, "app": app}


@resolves("QueryRoot.publicApiVersions")
def _versions(context: Context, _: Any, info: GraphQLResolveInfo, args: dict[str, Any]) -> list[Node]:
    return [{"handle": name, "displayName": name, "supported": True} for name in ("2026-07", "2026-10", "2027-01")]


# -- things


def _listed(name: str) -> Resolver:
    def listed(context: Context, source: Any, info: GraphQLResolveInfo, args: dict[str, Any]) -> Node:
        by = "position" if name == "_variants" and args.get("sortKey") in {None, "POSITION"} else None
        return connection(Rows(source.get(name, []), by), Asked(args, unlimited=context.bulk))

    return listed


for _place, _name in {
    "Product.variants": "_variants",
    "Product.media": "_media",
    "Product.images": "_media",
    "Product.collections": "_collections",
    "Collection.products": "_products",
    "Order.lineItems": "_lines",
    "Customer.addressesV2": "_addresses",
    "InventoryItem.countryHarmonizedSystemCodes": "_codes",
}.items():
    RESOLVERS[tuple(_place.split("."))] = _listed(_name)  # type: ignore[index]


@resolves("Product.metafields", "ProductVariant.metafields", "Customer.metafields", "Order.metafields", "Collection.metafields")
def _metafields(context: Context, source: Any, info: GraphQLResolveInfo, args: dict[str, Any]) -> Node:
    keys, space = args.get("keys"), args.get("namespace")
    found = [
        one
        for (namespace, key), one in source["_metafields"].items()
        if (space is None or namespace == space) and (not keys or f"{namespace}.{key}" in keys or (space and key in keys))
    ]
    return connection(Rows(found), Asked(args, unlimited=context.bulk))


@resolves("Product.metafield", "ProductVariant.metafield", "Customer.metafield", "Order.metafield", "Collection.metafield")
def _metafield(context: Context, source: Any, info: GraphQLResolveInfo, args: dict[str, Any]) -> Node | None:
    namespace, _, key = args["key"].rpartition(".") if "namespace" not in args else (args["namespace"], "", args["key"])
    found: Node | None = source["_metafields"].get((namespace or "$app", key))
    return found


@resolves("Product.options")
def _options(context: Context, source: Any, info: GraphQLResolveInfo, args: dict[str, Any]) -> list[Node]:
    options = source["_options"][: args.get("first")]
    shown = {option["id"]: [one["name"] for one in option["optionValues"]] for option in options}
    return [option | {"values": shown[option["id"]], "__typename": "ProductOption"} for option in options]


@resolves("ProductVariant.selectedOptions")
def _selected(context: Context, source: Any, info: GraphQLResolveInfo, args: dict[str, Any]) -> list[Node]:
    options = {option["name"]: option for option in source["_product"]["_options"]}
    return [
        {"name": name, "value": value, "optionValue": next(o for o in options[name]["optionValues"] if o["name"] == value)}
        for name, value in source["_options"].items()
    ]


@resolves("ProductVariant.title")
def _title(context: Context, source: Any, info: GraphQLResolveInfo, args: dict[str, Any]) -> str:
    return " / ".join(source["_options"].values())


@resolves("ProductVariant.displayName")
def _display_name(context: Context, source: Any, info: GraphQLResolveInfo, args: dict[str, Any]) -> str:
    return f"{source['_product']['title']} - {' / '.join(source['_options'].values())}"


@resolves("InventoryItem.inventoryLevels")
def _levels(context: Context, source: Any, info: GraphQLResolveInfo, args: dict[str, Any]) -> Node:
    return connection(Rows(list(source["_levels"].values())), Asked(args, unlimited=context.bulk))


@resolves("Location.inventoryLevels")
def _levels_of_place(context: Context, source: Any, info: GraphQLResolveInfo, args: dict[str, Any]) -> Node:
    held = [one for one in context.shop.all("InventoryLevel") if one["_location"] is source]
    search = understood("InventoryLevel", args.get("query") or "")
    return connection(Rows([one for one in held if search.test(one)]), Asked(args, unlimited=context.bulk))


@resolves("InventoryItem.inventoryLevel")
def _level(context: Context, source: Any, info: GraphQLResolveInfo, args: dict[str, Any]) -> Node | None:
    found: Node | None = source["_levels"].get(args["locationId"])
    return by_id(context, found["id"]) if found is not None else None


@resolves("InventoryLevel.quantities")
def _quantities(context: Context, source: Any, info: GraphQLResolveInfo, args: dict[str, Any]) -> list[Node]:
    number = number_of(source["id"])
    return [
        {
            "__typename": "InventoryQuantity",
            "id": f"gid://shopify/InventoryQuantity/{number}?inventory_quantity_name={name}",
            "name": name,
            "quantity": source["_quantities"][name],
            "updatedAt": source["updatedAt"],
        }
        for name in args["names"]
        if name in source["_quantities"]
    ]


def json_value(kind: str, value: str) -> Any:
    """Return a metafield's value as JSON: numbers of integers, lists of lists; decimals stay text."""
    if kind in {"number_integer", "boolean", "json"} or kind.startswith("list."):
        return orjson.loads(value)
    return value


def available(item: Node) -> int:
    """Return what an item has at all locations together."""
    return sum(level["_quantities"]["available"] for level in item["_levels"].values())


SHOWN: dict[str, Callable[[Any], Any]] = {
    "ProductVariant.sku": lambda one: one["_item"]["sku"],
    "ProductVariant.product": lambda one: one["_product"],
    "ProductVariant.inventoryItem": lambda one: one["_item"],
    "ProductVariant.inventoryQuantity": lambda one: available(one["_item"]),
    "ProductVariant.sellableOnlineQuantity": lambda one: available(one["_item"]),
    "InventoryItem.measurement": lambda one: {"id": one["id"], "weight": one.get("_weight")},
    "InventoryItem.variant": lambda one: one["_variant"],
    "InventoryLevel.item": lambda one: one["_item"],
    "InventoryLevel.location": lambda one: one["_location"],
    "Metafield.owner": lambda one: one["_owner"],
    "Metafield.ownerType": lambda one: one["_owner"]["__typename"].upper(),
    "Metafield.jsonValue": lambda one: json_value(one["type"], one["value"]),
    "Product.totalInventory": lambda one: sum(available(variant["_item"]) for variant in one["_variants"]),
    "Product.totalVariants": lambda one: len(one["_variants"]),
    "Product.variantsCount": lambda one: {"count": len(one["_variants"]), "precision": "EXACT"},
    "Product.mediaCount": lambda one: {"count": len(one["_media"]), "precision": "EXACT"},
    "Product.hasOnlyDefaultVariant": lambda one: [v["_options"] for v in one["_variants"]] == [{"Title": "Default Title"}],
    "Product.tracksInventory": lambda one: any(variant["_item"]["tracked"] for variant in one["_variants"]),
    "Product.featuredMedia": lambda one: one["_media"][0] if one["_media"] else None,
    "Product.featuredImage": lambda one: one["_media"][0]["image"] if one["_media"] else None,
    "Product.description": lambda one: one["descriptionHtml"],
    "Product.bodyHtml": lambda one: one["descriptionHtml"],
    "Customer.displayName": lambda one: " ".join(filter(None, (one["firstName"], one["lastName"]))) or one["email"] or "",
    "Customer.numberOfOrders": lambda one: str(one.get("_orders", 0)),
    "Location.legacyResourceId": lambda one: number_of(one["id"]),
}


def _shown(how: Callable[[Any], Any]) -> Resolver:
    return lambda context, source, info, args: how(source)


for _place, _how in SHOWN.items():
    RESOLVERS[tuple(_place.split("."))] = _shown(_how)  # type: ignore[index]
