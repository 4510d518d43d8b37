"""Where a mapped path stands in the vendor's inputs, and how a value is written there.

What is not named here cannot be written: the shop makes it itself, or it takes a mutation that syncd does not send.
"""

from collections.abc import Iterable
from decimal import Decimal, InvalidOperation

import orjson

from syncd.connectors.body import encode, pick, steps_of
from syncd.connectors.shopify.objects import WITH_METAFIELDS
from syncd.core.model import Item, Native
from syncd.errors import PermanentError

Where = tuple[str, ...]
SEO = {"seo.title": ("seo", "title"), "seo.description": ("seo", "description")}


def plain(*names: str) -> dict[str, Where]:
    """Return fields that stand in an input as they are called."""
    return {name: (name,) for name in names}


ITEM: dict[str, Where] = plain(
    "sku", "tracked", "requiresShipping", "harmonizedSystemCode", "countryCodeOfOrigin", "provinceCodeOfOrigin"
) | {
    "unitCost.amount": ("cost",),
    "measurement.weight.value": ("measurement", "weight", "value"),
    "measurement.weight.unit": ("measurement", "weight", "unit"),
}
VARIANT: dict[str, Where] = (
    plain("price", "compareAtPrice", "barcode", "taxable", "taxCode", "inventoryPolicy", "showUnitPrice", "requiresComponents")
    | {f"inventoryItem.{path}": ("inventoryItem", *where) for path, where in ITEM.items()}
    | {"sku": ("inventoryItem", "sku"), "weight": ("inventoryItem", "measurement", "weight", "value")}
)
PRODUCT: dict[str, Where] = (
    plain(
        *("title", "descriptionHtml", "handle", "vendor", "productType", "status", "tags"),
        *("templateSuffix", "giftCardTemplateSuffix", "requiresSellingPlan"),
    )
    | SEO
    | {"category.id": ("category",)}
)
CUSTOMER: dict[str, Where] = plain(
    "firstName", "lastName", "email", "phone", "note", "tags", "taxExempt", "taxExemptions", "locale"
) | {"defaultEmailAddress.emailAddress": ("email",), "defaultPhoneNumber.phoneNumber": ("phone",)}
COLLECTION: dict[str, Where] = plain("title", "descriptionHtml", "handle", "templateSuffix", "sortOrder") | SEO
ADDRESS: dict[str, Where] = plain(
    "address1", "address2", "city", "company", "firstName", "lastName", "phone", "provinceCode", "zip", "country", "province"
) | {"countryCodeV2": ("countryCode",)}
FIELDS = {
    "Product": PRODUCT,
    "ProductVariant": VARIANT,
    "Customer": CUSTOMER,
    "Collection": COLLECTION,
    "InventoryItem": ITEM,
    "InventoryLevel": {},
    "Order": {},
}
MONEY = frozenset({"price", "compareAtPrice", "cost"})  # decimals that the shop takes as text
IMAGE = "featuredImage.url"
ADDRESS_HEAD = "defaultAddress."


def is_writable(kind: str, path: str) -> bool:
    """Return whether a mapped path can be written on one kind of object."""
    steps = steps_of(path)
    if steps[:1] == ("metafields",):
        return len(steps) == 3 and kind in WITH_METAFIELDS - {"Order"}
    if kind == "Product" and steps[:1] == ("variants",) and len(steps) > 2:
        return is_writable("ProductVariant", below(steps[2:]))
    if is_stock(kind, path):
        return True
    if kind == "Product" and path == IMAGE:
        return True
    if kind == "Customer" and path.startswith(ADDRESS_HEAD):
        return path.removeprefix(ADDRESS_HEAD) in ADDRESS
    return path in FIELDS[kind]


def is_stock(kind: str, path: str) -> bool:
    """Return whether a path is a quantity of stock: set by comparing, or adjusted by a difference."""
    if kind == "Product":
        steps = steps_of(path)
        return steps[:1] == ("variants",) and len(steps) == 3 and steps[2] == "inventoryQuantity"
    if kind == "InventoryLevel":
        return path in {"quantities.available", "quantities.on_hand"}
    return (kind == "ProductVariant" and path == "inventoryQuantity") or (
        kind == "InventoryItem" and path in {"inventoryLevel.quantities.available", "inventoryLevel.quantities.on_hand"}
    )


def below(steps: Iterable[object]) -> str:
    """Return steps of names as a path."""
    return ".".join(str(step) for step in steps)


def put(target: Item, where: Where, value: Native) -> None:
    """Set a field of an input, making what is missing on the way."""
    for step in where[:-1]:
        target = target.setdefault(step, {})
    target[where[-1]] = text_of(value) if where[-1] in MONEY and value is not None else value


def put_variant(target: Item, path: str, value: Native) -> None:
    """Set a field of a variant's input; raises PermanentError if it has no such."""
    if path not in VARIANT:
        raise PermanentError(f"variants: {path} cannot be written")
    put(target, VARIANT[path], decimal_of(value, path) if path == "weight" and value is not None else value)
    if path == "weight":
        put(target, (*VARIANT[path][:-1], "unit"), "GRAMS")


def weighed(item: Item, known: Native) -> None:
    """Complete a stock item's input: a weight has two parts, and the one that is not written stays as it was read.

    Without a number there is no weight to write.
    """
    measured = item.get("measurement")
    if measured is None:
        return
    before = pick(known, "measurement.weight") or {}
    weight = {"value": before.get("value"), "unit": before.get("unit") or "GRAMS"} | measured["weight"]
    item["measurement"] = {"weight": weight if weight["value"] is not None else None}


def metafield(namespace: str, key: str, value: Native, kind: str | None) -> Item:
    """Return a metafield's input; its type only if it is known, else the shop's own definition decides."""
    return {"namespace": namespace, "key": key, "value": text_of(value)} | ({"type": kind} if kind else {})


def text_of(value: Native) -> str:
    """Return a value as the shop stores it: text as it is, the rest as JSON."""
    return value if isinstance(value, str) else encode(value).decode()


def whole(value: Native, path: str) -> int:
    """Return a quantity; raises PermanentError if it is none."""
    number = decimal_of(value, path)
    if number != number.to_integral_value():
        raise PermanentError(f"{path}: {value} is no whole number, and the shop counts pieces")
    return int(number)


def decimal_of(value: Native, path: str) -> Decimal:
    """Return a number that may have come as text; raises PermanentError if it is none."""
    try:
        return Decimal(str(value))
    except InvalidOperation as error:
        raise PermanentError(f"{path}: {value!r} is no number") from error


def shown(value: Native) -> str:
    """Return a value for a message."""
    return orjson.dumps(value, default=str).decode()[:100]
