"""Customers, metafields, inventory and subscriptions, written."""

import re
from typing import Any

from tests.emulators.shopify.groups import address
from tests.emulators.shopify.products import assign_item, tags_of
from tests.emulators.shopify.reads import Context, identified
from tests.emulators.shopify.state import QUANTITIES, Node, Shop
from tests.emulators.shopify.writes import Refused, check_value, metafield_inputs, mutates

NAMES = ("firstName", "lastName", "note", "locale", "taxExempt")
REASONS = {
    *("correction", "cycle_count_available", "damaged", "movement_created", "movement_updated", "movement_received"),
    *("movement_canceled", "other", "promotion", "quality_control", "received", "reservation_created"),
    *("reservation_deleted", "reservation_updated", "restock", "safety_stock", "shrinkage"),
}


def customer(shop: Shop, **values: Any) -> Node:
    """Make a customer."""
    base: Node = dict.fromkeys(("firstName", "lastName", "email", "phone", "note", "defaultAddress"))
    base |= {
        "tags": [],
        "taxExempt": False,
        "state": "DISABLED",
        "_addresses": [],
        "taxExemptions": [],
        "locale": "en",
        "verifiedEmail": True,
    }
    made = shop.make("Customer", **base)
    made["tags"] = tags_of(values.pop("tags", None) or [])
    made |= values
    contacts(made)
    return made


def contacts(one: Node) -> None:
    """Show a customer's address and number also where the newer fields have them."""
    email, phone = one["email"], one["phone"]
    state = one.get("_consent", "NOT_SUBSCRIBED")
    one["defaultEmailAddress"] = {"emailAddress": email, "marketingState": state} if email else None
    one["defaultPhoneNumber"] = {"phoneNumber": phone, "marketingState": "NOT_SUBSCRIBED"} if phone else None


@mutates("customerSet", "customer")
def customer_set(context: Context, args: dict[str, Any]) -> Node:
    """Make or change a customer, found by id, e-mail address or telephone number."""
    shop, given, identifier = context.shop, args["input"], args.get("identifier")
    found = identified(shop, "Customer", identifier) if identifier else None
    if found is None and identifier and "id" in identifier:
        raise Refused("Customer does not exist", "identifier", "id", code="NOT_FOUND")
    named = {name: value for name, value in (identifier or {}).items() if name in {"email", "phone"}}
    if any(name in given and given[name] != value for name, value in named.items()):
        raise Refused("The input must match the identifier", "input", code="INPUT_MISMATCH")
    return _write_customer(shop, found, named | given, "input")


@mutates("customerCreate", "customer")
def customer_create(context: Context, args: dict[str, Any]) -> Node:
    """Make a customer."""
    return _write_customer(context.shop, None, args["input"])


@mutates("customerUpdate", "customer")
def customer_update(context: Context, args: dict[str, Any]) -> Node:
    """Change what is named of a customer."""
    found = context.shop.get(args["input"].get("id"), "Customer")
    if found is None:
        raise Refused("Customer does not exist", "id")
    return _write_customer(context.shop, found, args["input"])


def _write_customer(shop: Shop, found: Node | None, given: Node, *place: str) -> Node:
    _check_customer(shop, found, given, *place)
    made = found if found is not None else customer(shop)
    shop.keep(made)
    made |= {name: given[name] for name in (*NAMES, "email", "phone") if name in given}
    if "tags" in given:
        made["tags"] = tags_of(given["tags"] or [])
    if given.get("emailMarketingConsent"):
        made["_consent"] = given["emailMarketingConsent"]["marketingState"]
    if "addresses" in given:
        made |= {"_addresses": [], "defaultAddress": None}
        for one in given["addresses"] or []:
            address(shop, made, one)
    contacts(made)
    if given.get("metafields"):
        metafield_inputs(shop, made, given["metafields"], "metafields")
    shop.touch(made, "update" if found is not None else "create")
    return {"customer": made}


def _check_customer(shop: Shop, found: Node | None, given: Node, *place: str) -> None:
    email, phone = given.get("email"), given.get("phone")
    if email and not re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s]+", email):
        raise Refused("Email is invalid", *place, "email", code="INVALID")
    if phone and not re.fullmatch(r"\+[0-9]{6,15}", phone):
        raise Refused("Phone is invalid", *place, "phone", code="INVALID")
    for name, value in (("email", email), ("phone", phone)):
        taken = value and any(one[name] == value and one is not found for one in shop.all("Customer"))
        if taken:
            raise Refused(f"{name.capitalize()} has already been taken", *place, name, code="TAKEN")
    if found is None and not any(given.get(name) for name in ("email", "phone", "firstName", "lastName")):
        raise Refused("A name, phone number, or email address must be present", *place, code="BLANK")


@mutates("customerDelete", "deletedCustomerId")
def customer_delete(context: Context, args: dict[str, Any]) -> Node:
    """Delete a customer."""
    found = context.shop.get(args["input"]["id"], "Customer")
    if found is None:
        raise Refused("Customer can't be found", "id")
    context.shop.drop(found)
    return {"deletedCustomerId": found["id"]}


@mutates("orderUpdate", "order")
def order_update(context: Context, args: dict[str, Any]) -> Node:
    """Change what is named of an order."""
    given = args["input"]
    found = context.shop.get(given["id"], "Order")
    if found is None:
        raise Refused("Order does not exist", "id")
    context.shop.keep(found)
    found |= {name: given[name] for name in ("note", "email", "poNumber") if name in given}
    if "tags" in given:
        found["tags"] = tags_of(given["tags"] or [])
    context.shop.touch(found)
    return {"order": found}


@mutates("metafieldsSet", "metafields")
def metafields_set(context: Context, args: dict[str, Any]) -> Node:
    """Set up to 25 metafields, all or none, each only if it is what the digest says."""
    shop, given = context.shop, args["metafields"]
    if len(given) > 25:
        text = "Exceeded the maximum metafields input limit of 25."
        raise Refused(text, "metafields", code="LESS_THAN_OR_EQUAL_TO")
    for n, one in enumerate(given):
        _check_metafield(shop, one, "metafields", str(n))
    return {"metafields": [_set_one(shop, one) for one in given]}


def _check_metafield(shop: Shop, one: Node, *place: str) -> None:
    owner = shop.get(one["ownerId"])
    if owner is None:
        raise Refused("Owner does not exist", *place, "ownerId", code="INVALID")
    old = owner["_metafields"].get((one.get("namespace") or "$app", one["key"]))
    kind = one.get("type") or (old or {}).get("type")
    if kind is None:
        raise Refused("Type can't be blank", *place, "type", code="BLANK")
    if old is not None and kind != old["type"]:
        raise Refused(f"Type must be {old['type']}", *place, "type", code="INVALID_TYPE")
    check_value(kind, one["value"], *place, "value", code="INVALID_VALUE")
    if "compareDigest" in one and one["compareDigest"] != (old["compareDigest"] if old is not None else None):
        text = "The resource has been updated since it was loaded. Try again with an updated `compareDigest` value."
        raise Refused(text, *place, code="STALE_OBJECT")


def _set_one(shop: Shop, one: Node) -> Node:
    owner, space = shop.get(one["ownerId"]), one.get("namespace") or "$app"
    assert owner is not None
    kind = one.get("type") or owner["_metafields"][space, one["key"]]["type"]
    return shop.set_metafield(owner, space, one["key"], kind, one["value"])


@mutates("metafieldsDelete", "deletedMetafields")
def metafields_delete(context: Context, args: dict[str, Any]) -> Node:
    """Delete metafields."""
    deleted: list[Node | None] = []
    for one in args["metafields"]:
        owner = context.shop.get(one["ownerId"])
        place = (one["namespace"], one["key"])
        there = owner is not None and place in owner["_metafields"]
        if owner is not None and there:
            owner["_metafields"] = {name: field for name, field in owner["_metafields"].items() if name != place}
            context.shop.revision += 1
        deleted.append(one if there else None)
    return {"deletedMetafields": deleted}


# -- inventory


@mutates("inventorySetQuantities", "inventoryAdjustmentGroup")
def set_quantities(context: Context, args: dict[str, Any]) -> Node:
    """Set quantities, all or none, each only if it is what it is changed from."""
    given = args["input"]
    if given["name"] not in {"available", "on_hand"}:
        raise Refused("The quantity name must be either 'available' or 'on_hand'.", "input", "name", code="INVALID_NAME")
    return _moved(context.shop, given, given["quantities"], "quantities")


@mutates("inventoryAdjustQuantities", "inventoryAdjustmentGroup")
def adjust_quantities(context: Context, args: dict[str, Any]) -> Node:
    """Change quantities by a difference."""
    given = args["input"]
    if given["name"] not in QUANTITIES:
        raise Refused("The quantity name is invalid.", "input", "name", code="INVALID_QUANTITY_NAME")
    return _moved(context.shop, given, given["changes"], "changes")


def _moved(shop: Shop, given: Node, rows: list[Node], listed: str) -> Node:
    if given["reason"] not in REASONS:
        raise Refused("The specified reason is invalid.", "input", "reason", code="INVALID_REASON")
    places = [(*_place(shop, row, listed, n), row) for n, row in enumerate(rows)]
    for n, (item, location, row) in enumerate(places):
        held = shop.level(item, location)["_quantities"][given["name"]]
        if "changeFromQuantity" not in row:
            raise Refused("changeFromQuantity must be given, or null", "input", listed, str(n), code="INVALID_REASON")
        if row["changeFromQuantity"] is not None and row["changeFromQuantity"] != held:
            text = "The changeFromQuantity argument no longer matches the persisted quantity."
            raise Refused(text, "input", listed, str(n), "changeFromQuantity", code="CHANGE_FROM_QUANTITY_STALE")
        if not -1_000_000_000 <= row.get("quantity", held + row.get("delta", 0)) <= 1_000_000_000:
            raise Refused("The quantity is too high or too low.", "input", listed, str(n), code="INVALID_QUANTITY_TOO_HIGH")
    changes = []
    for item, location, row in places:
        held = shop.level(item, location)["_quantities"][given["name"]]
        wanted = row.get("quantity", held + row.get("delta", 0))
        delta = shop.stock(item, location, wanted, given["name"])
        change = {"name": given["name"], "delta": delta, "quantityAfterChange": wanted, "item": item, "location": location}
        changes.append(change | {"ledgerDocumentUri": None})
    group = shop.make("InventoryAdjustmentGroup", reason=given["reason"], changes=changes)
    group["referenceDocumentUri"] = given.get("referenceDocumentUri")
    return {"inventoryAdjustmentGroup": group}


def _place(shop: Shop, row: Node, listed: str, n: int) -> tuple[Node, Node]:
    item, location = shop.get(row["inventoryItemId"], "InventoryItem"), shop.get(row["locationId"], "Location")
    if item is None:
        text = "The specified inventory item could not be found."
        raise Refused(text, "input", listed, str(n), "inventoryItemId", code="INVALID_INVENTORY_ITEM")
    if location is None:
        text = "The specified location could not be found."
        raise Refused(text, "input", listed, str(n), "locationId", code="INVALID_LOCATION")
    return item, location


@mutates("inventoryItemUpdate", "inventoryItem")
def item_update(context: Context, args: dict[str, Any]) -> Node:
    """Change what is named of an inventory item."""
    item = context.shop.get(args["id"], "InventoryItem")
    if item is None:
        raise Refused("The inventory item could not be found", "id")
    assign_item(context.shop, item, args["input"])
    context.shop.touch(item["_variant"]["_product"])
    return {"inventoryItem": item}


@mutates("inventoryActivate", "inventoryLevel")
def activate(context: Context, args: dict[str, Any]) -> Node:
    """Stock an item at a location."""
    item, location = _place(context.shop, args, "", 0)
    level = context.shop.level(item, location)
    if args.get("available") is not None:
        context.shop.stock(item, location, args["available"])
    return {"inventoryLevel": level}


# -- subscriptions


def subscribe(shop: Shop, topic: str, uri: str, *, of_the_app: bool = False, **values: Any) -> Node:
    """Note that somebody wants to be told. ``of_the_app``: it stands in the app's own file and is not shown by a query."""
    base = {"topic": topic, "uri": uri, "format": "JSON", "filter": None, "name": None, "includeFields": []}
    base |= {"metafieldNamespaces": [], "metafields": [], "apiVersion": {"handle": "2026-10", "supported": True}}
    base |= {"callbackUrl": uri, "endpoint": {"__typename": "WebhookHttpEndpoint", "callbackUrl": uri}}
    return shop.make("WebhookSubscription", **(base | values), _of_the_app=of_the_app, _failures=0)


@mutates("webhookSubscriptionCreate", "webhookSubscription")
def subscription_create(context: Context, args: dict[str, Any]) -> Node:
    """Subscribe to a topic."""
    given = args["webhookSubscription"]
    uri = given.get("uri") or given.get("callbackUrl")
    if not uri:
        raise Refused("Address can't be blank", "webhookSubscription", "uri")
    twin = any(one["topic"] == args["topic"] and one["uri"] == uri for one in context.shop.all("WebhookSubscription"))
    if twin:
        raise Refused("Address for this topic has already been taken", "webhookSubscription", "uri")
    others = {name: value for name, value in given.items() if name in {"filter", "name", "includeFields"} and value}
    return {"webhookSubscription": subscribe(context.shop, args["topic"], uri, **others)}


@mutates("webhookSubscriptionDelete", "deletedWebhookSubscriptionId")
def subscription_delete(context: Context, args: dict[str, Any]) -> Node:
    """Unsubscribe."""
    found = context.shop.get(args["id"], "WebhookSubscription")
    if found is None:
        raise Refused("Webhook subscription does not exist", "id")
    context.shop.drop(found)
    return {"deletedWebhookSubscriptionId": found["id"]}
