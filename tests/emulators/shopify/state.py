"""What the shop holds. Things are dicts by GID with the schema's own field names; what starts with ``_`` is not shown.

``touch`` is called for everything that changes: it moves ``updatedAt``, and notes what webhooks are due.
"""

import hashlib
import itertools
import re
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

Node = dict[str, Any]

QUANTITIES = ("available", "on_hand", "committed", "incoming", "reserved", "damaged", "safety_stock", "quality_control")


def real_time() -> datetime:
    """Return the time of this machine."""
    return datetime.now(UTC)


class Shop:
    """One shop. ``due``: webhooks to be sent once the request is answered, as (topic, thing, what it was)."""

    def __init__(self, *, domain: str = "", clock: Callable[[], datetime] = real_time) -> None:
        self.domain = domain
        self.clock = clock
        self.of: dict[str, dict[str, Node]] = {}
        self.revision = 0
        self.due: list[tuple[str, Node]] = []
        self.before: dict[str, Node | None] = {}  # what each thing was before its last change
        self.changed: dict[str, float] = {}  # when that was, for reads that lag behind
        self.metafields_touch = False
        self._handles: dict[str, Node] = {}  # as they were given; whoever looks checks that they still hold
        self._ids = itertools.count(7_000_001)
        self.location = self.make("Location", name="Warehouse", isActive=True)

    def now(self) -> str:
        """Return the time, in whole seconds, as the shop writes it."""
        return self.clock().astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

    def gid(self, kind: str) -> str:
        """Return an id that nobody had."""
        return f"gid://shopify/{kind}/{next(self._ids)}"

    def make(self, kind: str, **values: Any) -> Node:
        """Add a thing of a kind."""
        one = self.gid(kind)
        now = self.now()
        node = {"__typename": kind, "id": one, "legacyResourceId": number_of(one), "createdAt": now, "updatedAt": now}
        self.of.setdefault(kind, {})[one] = node | {"_metafields": {}} | values
        self.revision += 1
        return self.of[kind][one]

    def get(self, one: Any, *kinds: str) -> Node | None:
        """Return a thing by its GID, None where there is none of these kinds."""
        found = re.fullmatch(r"gid://shopify/([A-Za-z]+)/[^/]+", str(one))
        if found is None or (kinds and found[1] not in kinds):
            return None
        return self.of.get(found[1], {}).get(str(one))

    def all(self, kind: str) -> list[Node]:
        """Return everything of a kind, oldest first."""
        return list(self.of.get(kind, {}).values())

    def keep(self, node: Node) -> None:
        """Note what a thing is before it is changed."""
        self.before[node["id"]] = dict(node)

    def touch(self, node: Node, event: str = "update") -> None:
        """Note that a thing was made, changed or deleted."""
        if event == "create":
            self.before[node["id"]] = None
        node["updatedAt"] = self.now()
        self.revision += 1
        self.changed[node["id"]] = self.clock().timestamp()
        topic = topic_of(node["__typename"], event)
        if topic is not None and (topic, node) not in self.due:
            self.due.append((topic, node))

    def drop(self, node: Node) -> None:
        """Take a thing out of the shop."""
        self.keep(node)
        del self.of[node["__typename"]][node["id"]]
        self.touch(node, "delete")

    # -- products

    def product(self, **values: Any) -> Node:
        """Make a product without variants; ``finish`` gives it one."""
        handle = self.free_handle(values.pop("handle", None) or slug(str(values.get("title", ""))))
        base: Node = dict.fromkeys(("publishedAt", "templateSuffix", "category", "giftCardTemplateSuffix"))
        base |= {"title": "", "status": "ACTIVE", "vendor": "Test", "productType": "", "tags": [], "descriptionHtml": ""}
        base |= {"isGiftCard": False, "requiresSellingPlan": False, "seo": {"title": None, "description": None}}
        base |= {"_variants": [], "_options": [], "_media": [], "_collections": []}
        made = self.make("Product", **(base | values))
        self.name(made, handle)
        return made

    def name(self, product: Node, handle: str) -> None:
        """Give a product its handle."""
        product["handle"] = handle
        self._handles[handle] = product

    def free_handle(self, wanted: str, own: Node | None = None) -> str:
        """Return a handle that no other product has."""
        names = itertools.chain([wanted], (f"{wanted}-{n}" for n in itertools.count(1)))
        return next(name for name in names if self._is_free(name, own))

    def _is_free(self, handle: str, own: Node | None) -> bool:
        holder = self._handles.get(handle)
        held = holder is not None and holder["handle"] == handle and holder["id"] in self.of["Product"]
        return not held or holder is own

    def variant(self, product: Node, options: dict[str, str], **values: Any) -> Node:
        """Add a variant to a product, with its inventory item."""
        base: Node = dict.fromkeys(("barcode", "compareAtPrice", "taxCode", "unitPriceMeasurement"))
        base |= {"price": "0.00", "taxable": True, "inventoryPolicy": "DENY", "availableForSale": True, "_options": options}
        base |= {"requiresComponents": False, "showUnitPrice": False, "_product": product}
        made = self.make("ProductVariant", **(base | values))
        item: Node = dict.fromkeys(("sku", "unitCost", "countryCodeOfOrigin", "provinceCodeOfOrigin", "harmonizedSystemCode"))
        item |= {"tracked": True, "requiresShipping": True, "_variant": made, "_levels": {}, "duplicateSkuCount": 0}
        made["_item"] = self.make("InventoryItem", **item)
        product["_variants"] = [*product["_variants"], made]
        made["position"] = len(product["_variants"])
        return made

    def level(self, item: Node, location: Node) -> Node:
        """Return an item's level at a location, made where it was not stocked."""
        if location["id"] not in item["_levels"]:
            quantities = dict.fromkeys(QUANTITIES, 0)
            made = self.make("InventoryLevel", _item=item, _location=location, _quantities=quantities, isActive=True)
            del self.of["InventoryLevel"][made["id"]]
            made["id"] += f"?inventory_item_id={number_of(item['id'])}"
            self.of["InventoryLevel"][made["id"]] = made
            item["_levels"] = item["_levels"] | {location["id"]: made}
        found: Node = item["_levels"][location["id"]]
        return found

    def stock(self, item: Node, location: Node, quantity: int, name: str = "available") -> int:
        """Set a quantity, and return by how much it changed; the product it belongs to changes too."""
        level = self.level(item, location)
        delta = quantity - int(level["_quantities"][name])
        self.keep(level)
        both = {name, "on_hand"} if name == "available" else {name}
        level["_quantities"] = {key: old + delta if key in both else old for key, old in level["_quantities"].items()}
        self.touch(level)
        self.touch(item)
        if (variant := item.get("_variant")) is not None:
            self.touch(variant)
            self.touch(variant["_product"])
        return delta

    # -- metafields

    def set_metafield(self, owner: Node, namespace: str, key: str, kind: str, value: str) -> Node:
        """Set a metafield's value."""
        old = owner["_metafields"].get((namespace, key))
        made = old or self.make("Metafield", namespace=namespace, key=key, _owner=owner)
        self.keep(made)
        made |= {"type": kind, "value": value, "compareDigest": hashlib.sha256(f"{kind}:{value}".encode()).hexdigest()}
        owner["_metafields"] = owner["_metafields"] | {(namespace, key): made}
        self.touch(made)
        if self.metafields_touch:
            self.touch(owner)
        return made


def topic_of(kind: str, event: str) -> str | None:
    """Return the topic that tells of an event, as the schema spells it."""
    match kind:
        case "InventoryLevel":
            return "INVENTORY_LEVELS_UPDATE" if event != "delete" else "INVENTORY_LEVELS_DISCONNECT"
        case "Product" | "Customer" | "Collection" | "InventoryItem" | "Order":
            name = {"InventoryItem": "INVENTORY_ITEMS"}.get(kind, kind.upper() + "S")
            return f"{name}_{'UPDATED' if kind == 'Order' and event == 'update' else event.upper()}"
    return None


def number_of(gid: str) -> str:
    """Return the number of a GID."""
    return gid.rpartition("/")[2].partition("?")[0]


def slug(title: str) -> str:
    """Return a handle made of a title."""
    return re.sub(r"[^\w]+", "-", title.lower(), flags=re.ASCII).strip("-") or "product"


def money(value: Any) -> str:
    """Return an amount as the shop writes it; raises ValueError for what is no amount."""
    try:
        amount = Decimal(str(value))
    except InvalidOperation as error:
        raise ValueError(f"{value} is not a number") from error
    if not amount.is_finite() or amount < 0:
        raise ValueError("must be greater than or equal to 0")
    return f"{amount.quantize(Decimal('0.01')):f}"
