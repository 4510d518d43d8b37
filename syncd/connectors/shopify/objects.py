"""What syncd knows of the shop's objects: how they are listed, found and named, and who may read and write them.

Facts of the Admin API's 2026-10 schema. What they are mapped to is the config's; what a thing holds is the shop's.
"""

from dataclasses import dataclass
from typing import Literal

Granularity = Literal["second", "day"]
GID = "gid://shopify/"


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of object.

    ``root`` is the connection that lists it; ``by_id`` and ``by_time`` are its sort keys, None where it has none. ``moment``:
    on customers a time means its whole day. ``finds``: search terms by path; ``unique``: what names one thing at once, and not
    after the search index has followed. ``topics``: the webhooks that tell of it; ``scope``: of ``read_`` and ``write_``.
    """

    name: str
    root: str
    scope: str
    topics: tuple[str, ...]
    by_id: str | None = "ID"
    by_time: str | None = "UPDATED_AT"
    moment: Granularity = "second"
    finds: tuple[tuple[str, str], ...] = ()
    unique: tuple[tuple[str, str], ...] = ()
    creates: bool = False
    updates: bool = True
    deletes: bool = False


def topics_of(name: str, *endings: str) -> tuple[str, ...]:
    """Return the webhook topics of a resource."""
    return tuple(f"{name}/{ending}" for ending in endings or ("create", "update", "delete"))


KINDS = {
    one.name: one
    for one in (
        Kind(
            "Product",
            "products",
            "products",
            topics_of("products"),
            finds=(("variants.0.sku", "sku"), ("variants.0.barcode", "barcode"), ("title", "title"), ("vendor", "vendor")),
            unique=(("handle", "handle"), ("id", "id")),
            creates=True,
            deletes=True,
        ),
        Kind(
            "ProductVariant",
            "productVariants",
            "products",
            topics_of("products"),
            by_time=None,
            finds=(("sku", "sku"), ("barcode", "barcode"), ("inventoryItem.sku", "sku"), ("title", "title")),
        ),
        Kind(
            "Customer",
            "customers",
            "customers",
            topics_of("customers"),
            moment="day",
            finds=(("firstName", "first_name"), ("lastName", "last_name")),
            unique=(
                ("email", "emailAddress"),
                ("defaultEmailAddress.emailAddress", "emailAddress"),
                ("phone", "phoneNumber"),
                ("defaultPhoneNumber.phoneNumber", "phoneNumber"),
                ("id", "id"),
            ),
            creates=True,
            deletes=True,
        ),
        Kind(
            "Order",
            "orders",
            "orders",
            topics_of("orders", "create", "updated", "delete"),
            finds=(("name", "name"), ("email", "email"), ("poNumber", "po_number")),
            updates=False,
        ),
        Kind(
            "InventoryItem",
            "inventoryItems",
            "inventory",
            topics_of("inventory_items"),
            by_id=None,
            by_time=None,
            finds=(("sku", "sku"),),
        ),
        Kind(
            "InventoryLevel",
            "inventoryLevels",
            "inventory",
            topics_of("inventory_levels", "update", "connect", "disconnect"),
            by_id=None,
            by_time=None,
            finds=(("item.id", "inventory_item_id"),),
        ),
        Kind(
            "Collection",
            "collections",
            "products",
            topics_of("collections"),
            finds=(("title", "title"), ("handle", "handle")),
            creates=True,
            deletes=True,
        ),
    )
}

# type -> field -> (type of what stands there, whether it is a connection); every other field with names below it is an object
NESTED: dict[str, dict[str, tuple[str, bool]]] = {
    "Product": {
        "variants": ("ProductVariant", True),
        "images": ("Image", True),
        "media": ("Media", True),
        "collections": ("Collection", True),
        "options": ("ProductOption", False),
    },
    "ProductVariant": {
        "product": ("Product", False),
        "inventoryItem": ("InventoryItem", False),
        "media": ("Media", True),
    },
    "InventoryItem": {
        "inventoryLevels": ("InventoryLevel", True),
        "inventoryLevel": ("InventoryLevel", False),
        "variants": ("ProductVariant", True),
        "variant": ("ProductVariant", False),
        "countryHarmonizedSystemCodes": ("CountryHarmonizedSystemCode", True),
    },
    "InventoryLevel": {"item": ("InventoryItem", False), "location": ("Location", False)},
    "Customer": {
        "addressesV2": ("MailingAddress", True),
        "orders": ("Order", True),
        "lastOrder": ("Order", False),
        "storeCreditAccounts": ("StoreCreditAccount", True),
    },
    "Order": {
        "lineItems": ("LineItem", True),
        "shippingLines": ("ShippingLine", True),
        "discountApplications": ("DiscountApplication", True),
        "fulfillmentOrders": ("FulfillmentOrder", True),
        "customer": ("Customer", False),
        "transactions": ("OrderTransaction", False),
    },
    "LineItem": {"variant": ("ProductVariant", False), "product": ("Product", False)},
    "Collection": {"products": ("Product", True)},
}
LISTS = {"options": "first", "transactions": "first", "addresses": "first", "taxLines": "first"}  # plain lists that can be cut
WITHOUT_ID = frozenset({"CountryHarmonizedSystemCode", "DiscountApplication"})
WITH_METAFIELDS = frozenset({"Product", "ProductVariant", "Customer", "Order", "Collection", "Location", "Image"})


def gid(kind: str, native: str) -> str | None:
    """Return the shop's global id of a thing that is known by its global or its old numeric id; None if it can be neither."""
    if native.startswith(f"{GID}{kind}/"):
        return native
    return f"{GID}{kind}/{native}" if native.isascii() and native.isdigit() and len(native) <= 20 else None


def number(native: str) -> str:
    """Return the number in a global id."""
    return native.partition("?")[0].rpartition("/")[2]
