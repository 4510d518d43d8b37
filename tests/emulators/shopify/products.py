"""Products and their variants, written: productSet, productUpdate, the bulk mutations of variants, deletes and tags."""

from typing import Any

from tests.emulators.shopify.reads import Context, identified
from tests.emulators.shopify.state import Node, Shop, money
from tests.emulators.shopify.writes import Refused, metafield_inputs, mutates

PLAIN = ("title", "vendor", "productType", "descriptionHtml", "status", "templateSuffix", "requiresSellingPlan", "category")
VARIANT = ("barcode", "taxable", "taxCode", "inventoryPolicy", "requiresComponents", "showUnitPrice", "unitPriceMeasurement")
ITEM = ("sku", "tracked", "requiresShipping", "countryCodeOfOrigin", "provinceCodeOfOrigin", "harmonizedSystemCode")
DEFAULT = {"Title": "Default Title"}


@mutates("productSet", "product", "productSetOperation")
def product_set(context: Context, args: dict[str, Any]) -> Node:
    """Make or overwrite a product: lists are replaced, variants that are not in the input are deleted."""
    shop, given = context.shop, args["input"]
    identifier = args.get("identifier") or ({"id": given["id"]} if given.get("id") else None)
    product = identified(shop, "Product", identifier) if identifier else None
    if product is None and identifier and "id" in identifier:
        raise Refused("Product does not exist", "identifier", "id", code="PRODUCT_DOES_NOT_EXIST")
    if product is None and not given.get("title"):
        raise Refused("Title can't be blank", "input", "title", code="MISSING_FIELD_REQUIRED")
    if ("variants" in given) != ("productOptions" in given):
        missing, code = ("productOptions", "PRODUCT_OPTIONS_INPUT_MISSING")
        if "variants" not in given:
            missing, code = ("variants", "VARIANTS_INPUT_MISSING")
        raise Refused(f"{missing} must be given when the other list is", "input", missing, code=code)
    _check(shop, given, product)
    for n, one in enumerate(given.get("variants") or []):
        _check_variant(one, product, given["productOptions"], str(n))
    event = "update" if product is not None else "create"
    if product is None:
        product = shop.product(title=given["title"], handle=given.get("handle") or (identifier or {}).get("handle"))
        if identifier and "customId" in identifier:
            custom = identifier["customId"]
            shop.set_metafield(product, custom.get("namespace") or "$app", custom["key"], "id", custom["value"])
    shop.keep(product)
    _assign(shop, product, given, replace=True)
    if "variants" in given:
        _set_variants(shop, product, given)
    _finish(shop, product, event)
    return {"product": product, "productSetOperation": None}


@mutates("productUpdate", "product")
def product_update(context: Context, args: dict[str, Any]) -> Node:
    """Change what is named of a product."""
    shop, given = context.shop, args.get("product") or args.get("input") or {}
    identifier = args.get("identifier") or {"id": given.get("id")}
    product = identified(shop, "Product", identifier)
    if product is None:
        raise Refused("Product does not exist", "id")
    _check(shop, given, product)
    shop.keep(product)
    _assign(shop, product, given, replace=False)
    _add_media(shop, product, args.get("media") or [])
    _finish(shop, product, "update")
    return {"product": product}


@mutates("productCreate", "product", "shop")
def product_create(context: Context, args: dict[str, Any]) -> Node:
    """Make a product with the one variant that every product has."""
    shop, given = context.shop, args.get("product") or args.get("input") or {}
    if not given.get("title"):
        raise Refused("Title can't be blank", "title")
    _check(shop, given, None)
    product = shop.product(title=given["title"], handle=given.get("handle"))
    _assign(shop, product, given, replace=False)
    _finish(shop, product, "create")
    return {"product": product}


@mutates("productDelete", "deletedProductId", "productDeleteOperation")
def product_delete(context: Context, args: dict[str, Any]) -> Node:
    """Delete a product and its variants."""
    product = context.shop.get(args["input"]["id"], "Product")
    if product is None:
        raise Refused("Product does not exist", "id")
    remove_product(context.shop, product)
    return {"deletedProductId": product["id"], "productDeleteOperation": None}


def remove_product(shop: Shop, product: Node) -> None:
    """Take a product out with all that belongs to it."""
    for variant in product["_variants"]:
        _remove_variant(shop, variant)
    shop.drop(product)


@mutates("productVariantsBulkUpdate", "product", "productVariants")
def variants_update(context: Context, args: dict[str, Any]) -> Node:
    """Change what is named of some of a product's variants; all or, with allowPartialUpdates, those that can be."""
    shop = context.shop
    product = shop.get(args["productId"], "Product")
    if product is None:
        raise Refused("Product does not exist", "productId", code="PRODUCT_DOES_NOT_EXIST")
    own = {variant["id"]: variant for variant in product["_variants"]}
    for n, one in enumerate(args["variants"]):
        if one.get("id") not in own:
            code = "PRODUCT_VARIANT_DOES_NOT_EXIST" if one.get("id") else "PRODUCT_VARIANT_ID_MISSING"
            raise Refused("Product variant does not exist", "variants", str(n), "id", code=code)
        if "inventoryQuantities" in one:
            text = "Inventory quantities can only be provided during create."
            raise Refused(text, "variants", str(n), "inventoryQuantities", code="NO_INVENTORY_QUANTITIES_ON_VARIANTS_UPDATE")
        _check_amounts(one, str(n), code="NEGATIVE_PRICE_VALUE")
    changed = [_assign_variant(shop, own[one["id"]], one) for one in args["variants"]]
    shop.keep(product)
    shop.touch(product)
    return {"product": product, "productVariants": changed}


@mutates("productVariantsBulkCreate", "product", "productVariants")
def variants_create(context: Context, args: dict[str, Any]) -> Node:
    """Add variants to a product."""
    shop = context.shop
    product = shop.get(args["productId"], "Product")
    if product is None:
        raise Refused("Product does not exist", "productId", code="PRODUCT_DOES_NOT_EXIST")
    for n, one in enumerate(args["variants"]):
        _check_amounts(one, str(n), code="INVALID")
        if _chosen(one) in [variant["_options"] for variant in product["_variants"]]:
            raise Refused("The variant already exists.", "variants", str(n), code="VARIANT_ALREADY_EXISTS")
    shop.keep(product)
    made = []
    for one in args["variants"]:
        _extend_options(shop, product, _chosen(one))
        made.append(_assign_variant(shop, shop.variant(product, _chosen(one)), one))
    shop.touch(product)
    return {"product": product, "productVariants": made}


@mutates("productVariantsBulkDelete", "product")
def variants_delete(context: Context, args: dict[str, Any]) -> Node:
    """Take variants away."""
    shop = context.shop
    product = shop.get(args["productId"], "Product")
    if product is None:
        raise Refused("Product does not exist", "productId", code="PRODUCT_DOES_NOT_EXIST")
    shop.keep(product)
    for variant in [one for one in product["_variants"] if one["id"] in args["variantsIds"]]:
        _remove_variant(shop, variant)
    product["_variants"] = [one for one in product["_variants"] if one["id"] not in args["variantsIds"]]
    shop.touch(product)
    return {"product": product}


@mutates("tagsAdd", "node")
def tags_add(context: Context, args: dict[str, Any]) -> Node:
    """Add tags to whatever has them."""
    return _tagged(context.shop, args["id"], lambda tags: [*tags, *args["tags"]])


@mutates("tagsRemove", "node")
def tags_remove(context: Context, args: dict[str, Any]) -> Node:
    """Take tags away."""
    return _tagged(context.shop, args["id"], lambda tags: [tag for tag in tags if tag not in args["tags"]])


def _tagged(shop: Shop, one: str, change: Any) -> Node:
    node = shop.get(one, "Product", "Customer", "Order")
    if node is None:
        raise Refused("Resource does not exist", "id")
    shop.keep(node)
    node["tags"] = tags_of(change(node["tags"]))
    shop.touch(node)
    return {"node": node}


def tags_of(given: list[str]) -> list[str]:
    """Return tags as the shop keeps them: trimmed, each once without regard to case, in order of the alphabet."""
    found = {tag.strip().lower(): tag.strip() for tag in reversed(given) if tag.strip()}
    return sorted(found.values(), key=str.lower)


def _check(shop: Shop, given: Node, product: Node | None) -> None:
    if "title" in given and not given["title"]:
        raise Refused("Title can't be blank", "title", code="INVALID_PRODUCT")
    if len(given.get("title") or "") > 255:
        raise Refused("Title is too long (maximum is 255 characters)", "title", code="INVALID_PRODUCT")
    handle = given.get("handle")
    if handle and shop.free_handle(handle, product) != handle:
        raise Refused(
            f"Handle '{handle}' already in use. Please provide a new handle.", "input", "handle", code="HANDLE_NOT_UNIQUE"
        )


def _check_amounts(given: Node, place: str, *, code: str) -> None:
    for name in ("price", "compareAtPrice"):
        if given.get(name) is None:
            continue
        try:
            money(given[name])
        except ValueError as error:
            raise Refused(f"{name} {error}", "variants", place, name, code=code) from error


def _check_variant(given: Node, product: Node | None, options: list[Node], place: str) -> None:
    if given.get("id") and given["id"] not in [one["id"] for one in (product or {}).get("_variants", [])]:
        text = "Product variant does not exist"
        raise Refused(text, "input", "variants", place, "id", code="PRODUCT_VARIANT_DOES_NOT_EXIST")
    _check_amounts(given, place, code="INVALID_VARIANT")
    known = {option.get("name"): {one.get("name") for one in option.get("values") or []} for option in options}
    for name, value in _chosen(given).items():
        if name not in known:
            text, code = f"Option {name} does not exist", "OPTION_DOES_NOT_EXIST"
        elif value not in known[name]:
            text, code = f"Option value {value} does not exist", "OPTION_VALUE_DOES_NOT_EXIST"
        else:
            continue
        raise Refused(text, "input", "variants", place, "optionValues", code=code)


def _chosen(given: Node) -> dict[str, str]:
    return {
        one["optionName"]: one["name"]
        for one in given.get("optionValues") or [{"optionName": "Title", "name": "Default Title"}]
    }


def _assign(shop: Shop, product: Node, given: Node, *, replace: bool) -> None:
    product |= {name: given[name] if given[name] is not None else "" for name in PLAIN if name in given and name != "category"}
    if given.get("handle"):
        shop.name(product, given["handle"])
    if "tags" in given:
        product["tags"] = tags_of(given["tags"] or [])
    if "seo" in given:
        product["seo"] = product["seo"] | (given["seo"] or {"title": None, "description": None})
    if given.get("metafields") is not None:
        metafield_inputs(shop, product, given["metafields"], "metafields", replace=replace)
    _add_media(shop, product, given.get("files") or [])


def _add_media(shop: Shop, product: Node, given: list[Node]) -> None:
    for one in given:
        image = {"url": one.get("originalSource"), "altText": one.get("alt"), "__typename": "Image"}
        product["_media"] = [*product["_media"], shop.make("MediaImage", alt=one.get("alt"), image=image)]


def _finish(shop: Shop, product: Node, event: str) -> None:
    if not product["_variants"]:
        _extend_options(shop, product, DEFAULT)
        shop.variant(product, dict(DEFAULT))
    shop.touch(product, event)


def _extend_options(shop: Shop, product: Node, chosen: dict[str, str]) -> None:
    """Add option values that a variant has and its product did not."""
    for name, value in chosen.items():
        option = next((one for one in product["_options"] if one["name"] == name), None)
        if option is None:
            option = {
                "id": shop.gid("ProductOption"),
                "name": name,
                "position": len(product["_options"]) + 1,
                "optionValues": [],
            }
            product["_options"] = [*product["_options"], option]
        if value not in [one["name"] for one in option["optionValues"]]:
            option["optionValues"].append({"id": shop.gid("ProductOptionValue"), "name": value, "hasVariants": True})


def _set_variants(shop: Shop, product: Node, given: Node) -> None:
    old = {variant["id"]: variant for variant in product["_variants"]}
    by_options = {tuple(sorted(variant["_options"].items())): one for one, variant in old.items()}
    product["_options"], product["_variants"] = [], []
    for option in given["productOptions"]:
        for value in option.get("values") or []:
            _extend_options(shop, product, {option["name"]: value["name"]})
    kept = set()
    for one in given["variants"]:
        chosen = _chosen(one)
        known = one.get("id") or by_options.get(tuple(sorted(chosen.items())))
        if known in old:
            kept.add(known)
            variant = old[known]
            product["_variants"].append(variant)
            variant |= {"_options": chosen, "position": len(product["_variants"])}
        else:
            variant = shop.variant(product, chosen)
        _assign_variant(shop, variant, one)
    for one in set(old) - kept:
        _remove_variant(shop, old[one])


def _assign_variant(shop: Shop, variant: Node, given: Node) -> Node:
    shop.keep(variant)
    variant |= {name: given[name] for name in VARIANT if name in given}
    for name in ("price", "compareAtPrice"):
        if name in given:
            variant[name] = money(given[name]) if given[name] is not None else ("0.00" if name == "price" else None)
    if given.get("optionValues"):
        variant["_options"] = variant["_options"] | _chosen(given)
        _extend_options(shop, variant["_product"], variant["_options"])
    item_values = dict(given.get("inventoryItem") or {}) | ({"sku": given["sku"]} if "sku" in given else {})
    assign_item(shop, variant["_item"], item_values)
    if given.get("metafields"):
        metafield_inputs(shop, variant, given["metafields"], "variants")
    for one in given.get("inventoryQuantities") or []:
        location = shop.get(one["locationId"], "Location")
        if location is not None:
            shop.stock(
                variant["_item"], location, one.get("quantity", one.get("availableQuantity")), one.get("name", "available")
            )
    shop.touch(variant)
    return variant


def assign_item(shop: Shop, item: Node, given: Node) -> None:
    """Set what is named of an inventory item."""
    if not given:
        return
    shop.keep(item)
    item |= {name: given[name] for name in ITEM if name in given}
    if given.get("measurement"):
        item["_weight"] = given["measurement"].get("weight")
    if "cost" in given:
        item["unitCost"] = {"amount": money(given["cost"]), "currencyCode": "EUR"} if given["cost"] is not None else None
    shop.touch(item)


def _remove_variant(shop: Shop, variant: Node) -> None:
    for level in variant["_item"]["_levels"].values():
        shop.of["InventoryLevel"].pop(level["id"], None)
    shop.of["InventoryItem"].pop(variant["_item"]["id"], None)
    shop.of["ProductVariant"].pop(variant["id"], None)
    shop.revision += 1
