"""Webhooks: what is sent, in the shape of the old REST API, and how it is signed."""

import base64
import hmac
import uuid
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import orjson

from tests.emulators.shopify.reads import available
from tests.emulators.shopify.state import Node, Shop, number_of


def header_topic(topic: str) -> str:
    """Return a topic as headers spell it: products/update."""
    kind, _, event = topic.rpartition("_")
    return f"{kind.lower()}/{event.lower()}"


def signature(body: bytes, secret: str) -> str:
    """Return what the header has: base64 of HMAC-SHA256 over the raw body."""
    return base64.b64encode(hmac.digest(secret.encode(), body, "sha256")).decode()


def headers_of(topic: str, body: bytes, *, shop: Shop, secret: str, event: str, name: str | None = None) -> dict[str, str]:
    """Return the headers of one delivery."""
    headers = {
        "Content-Type": "application/json",
        "X-Shopify-Topic": header_topic(topic),
        "X-Shopify-Hmac-SHA256": signature(body, secret),
        "X-Shopify-Shop-Domain": shop.domain,
        "X-Shopify-API-Version": "2026-10",
        "X-Shopify-Webhook-Id": str(uuid.uuid4()),
        "X-Shopify-Event-Id": event,
        "X-Shopify-Triggered-At": shop.clock().strftime("%Y-%m-%dT%H:%M:%S.%f000Z"),
    }
    return headers | ({"X-Shopify-Name": name} if name else {})


def body_of(topic: str, node: Node, fields: Sequence[str] = ()) -> bytes:
    """Return what a delivery says; a delete says nothing but the number."""
    if topic.endswith("_DELETE"):
        return orjson.dumps({"id": int(number_of(node["id"]))})
    payload = _PAYLOADS[node["__typename"]](node)
    return orjson.dumps({name: value for name, value in payload.items() if not fields or name in fields})


def _base(node: Node) -> dict[str, Any]:
    return {
        "id": int(number_of(node["id"])),
        "admin_graphql_api_id": node["id"],
        "created_at": node["createdAt"],
        "updated_at": node["updatedAt"],
    }


def _product(node: Node) -> dict[str, Any]:
    return _base(node) | {
        "title": node["title"],
        "body_html": node["descriptionHtml"],
        "vendor": node["vendor"],
        "product_type": node["productType"],
        "handle": node["handle"],
        "published_at": node["publishedAt"],
        "template_suffix": node["templateSuffix"],
        "tags": ", ".join(node["tags"]),
        "status": node["status"].lower(),
        "variants": [_variant(variant) for variant in node["_variants"]],
        "options": [
            {"name": option["name"], "position": option["position"], "values": [one["name"] for one in option["optionValues"]]}
            for option in node["_options"]
        ],
        "images": [],
        "image": None,
        "media": [],
    }


def _variant(node: Node) -> dict[str, Any]:
    item = node["_item"]
    return _base(node) | {
        "product_id": int(number_of(node["_product"]["id"])),
        "title": " / ".join(node["_options"].values()),
        "price": node["price"],
        "compare_at_price": node["compareAtPrice"],
        "position": node["position"],
        "sku": item["sku"],
        "barcode": node["barcode"],
        "taxable": node["taxable"],
        "inventory_policy": node["inventoryPolicy"].lower(),
        "inventory_item_id": int(number_of(item["id"])),
        "inventory_quantity": available(item),
    }


def _customer(node: Node) -> dict[str, Any]:
    return _base(node) | {
        "first_name": node["firstName"],
        "last_name": node["lastName"],
        "email": node["email"],
        "phone": node["phone"],
        "note": node["note"],
        "state": node["state"].lower(),
        "tags": ", ".join(node["tags"]),
        "tax_exempt": node["taxExempt"],
        "verified_email": node["verifiedEmail"],
        "default_address": _address(node["defaultAddress"]),
    }


def _address(node: dict[str, Any] | None) -> dict[str, Any] | None:
    if node is None:
        return None
    return {name: node[name] for name in ("address1", "address2", "city", "zip", "province", "country")}


def _order(node: Node) -> dict[str, Any]:
    money = node["currentTotalPriceSet"]["shopMoney"]
    return _base(node) | {
        "name": node["name"],
        "email": node["email"],
        "note": node["note"],
        "tags": ", ".join(node["tags"]),
        "current_total_price": str(Decimal(money["amount"]).quantize(Decimal("0.01"))),
        "currency": money["currencyCode"],
    }


def _level(node: Node) -> dict[str, Any]:
    return {
        "inventory_item_id": int(number_of(node["_item"]["id"])),
        "location_id": int(number_of(node["_location"]["id"])),
        "available": node["_quantities"]["available"],
        "updated_at": node["updatedAt"],
        "admin_graphql_api_id": node["id"],
    }


def _item(node: Node) -> dict[str, Any]:
    cost = (node["unitCost"] or {}).get("amount")
    return _base(node) | {"sku": node["sku"], "tracked": node["tracked"], "cost": cost}


def _collection(node: Node) -> dict[str, Any]:
    return _base(node) | {"title": node["title"], "handle": node["handle"], "body_html": node["descriptionHtml"]}


def _operation(node: Node) -> dict[str, Any]:
    return {
        "admin_graphql_api_id": node["id"],
        "completed_at": node["completedAt"],
        "created_at": node["createdAt"],
        "error_code": node["errorCode"],
        "status": node["status"].lower(),
        "type": "query",
    }


_PAYLOADS = {
    "Product": _product,
    "Customer": _customer,
    "Order": _order,
    "InventoryLevel": _level,
    "InventoryItem": _item,
    "Collection": _collection,
    "BulkOperation": _operation,
}
