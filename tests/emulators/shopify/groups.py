"""Collections and addresses, written; images of products."""

from typing import Any

from tests.emulators.shopify.reads import Context
from tests.emulators.shopify.state import Node, Shop, slug
from tests.emulators.shopify.writes import Refused, metafield_inputs, mutates

PLAIN = ("title", "descriptionHtml", "handle", "templateSuffix", "sortOrder")
ADDRESS = (
    "address1",
    "address2",
    "city",
    "company",
    "firstName",
    "lastName",
    "phone",
    "provinceCode",
    "zip",
    "country",
    "province",
)


def collection(shop: Shop, title: str, **values: Any) -> Node:
    """Make a collection."""
    base = {"title": title, "handle": slug(title), "descriptionHtml": "", "description": "", "_products": []}
    base |= {"sortOrder": "MANUAL", "templateSuffix": None, "seo": {"title": None, "description": None}}
    return shop.make("Collection", **(base | values))


@mutates("collectionCreate", "collection")
def collection_create(context: Context, args: dict[str, Any]) -> Node:
    """Make a collection."""
    given = args.get("collection") or args.get("input") or {}
    if not given.get("title"):
        raise Refused("Title can't be blank", "title")
    made = collection(context.shop, given["title"])
    _assign(context.shop, made, given)
    context.shop.touch(made, "create")
    return {"collection": made}


@mutates("collectionUpdate", "collection")
def collection_update(context: Context, args: dict[str, Any]) -> Node:
    """Change what is named of a collection."""
    given = args.get("collection") or args.get("input") or {}
    found = context.shop.get(given.get("id"), "Collection")
    if found is None:
        raise Refused("Collection does not exist", "id")
    if "title" in given and not given["title"]:
        raise Refused("Title can't be blank", "title")
    context.shop.keep(found)
    _assign(context.shop, found, given)
    context.shop.touch(found)
    return {"collection": found}


@mutates("collectionDelete", "deletedCollectionId")
def collection_delete(context: Context, args: dict[str, Any]) -> Node:
    """Delete a collection."""
    found = context.shop.get(args["input"]["id"], "Collection")
    if found is None:
        raise Refused("Collection does not exist", "id")
    context.shop.drop(found)
    return {"deletedCollectionId": found["id"]}


def _assign(shop: Shop, made: Node, given: Node) -> None:
    made |= {name: given[name] for name in PLAIN if given.get(name) is not None}
    if given.get("seo"):
        made["seo"] = made["seo"] | given["seo"]
    if given.get("metafields"):
        metafield_inputs(shop, made, given["metafields"], "metafields")


# -- addresses


def address(shop: Shop, owner: Node, given: Node) -> Node:
    """Make an address of a customer."""
    made = shop.make("MailingAddress", **dict.fromkeys(ADDRESS), countryCodeV2=None)
    return change_address(shop, owner, made, given)


def change_address(shop: Shop, owner: Node, made: Node, given: Node) -> Node:
    """Change what is named of an address; a customer's only one is the default."""
    made |= {name: given[name] for name in ADDRESS if name in given}
    if "countryCode" in given:
        made["countryCodeV2"] = given["countryCode"]
    owner["_addresses"] = [one for one in owner.get("_addresses", []) if one is not made] + [made]
    if owner.get("defaultAddress") is None:
        owner["defaultAddress"] = made
    return made


@mutates("customerAddressCreate", "address")
def address_create(context: Context, args: dict[str, Any]) -> Node:
    """Add an address to a customer."""
    owner = context.shop.get(args["customerId"], "Customer")
    if owner is None:
        raise Refused("Customer does not exist", "customerId")
    made = address(context.shop, owner, args["address"])
    return _kept(context.shop, owner, made, args)


@mutates("customerAddressUpdate", "address")
def address_update(context: Context, args: dict[str, Any]) -> Node:
    """Change an address of a customer."""
    owner = context.shop.get(args["customerId"], "Customer")
    made = next((one for one in (owner or {}).get("_addresses", []) if one["id"] == args["addressId"]), None)
    if owner is None or made is None:
        raise Refused("Address does not exist", "addressId")
    change_address(context.shop, owner, made, args["address"])
    return _kept(context.shop, owner, made, args)


def _kept(shop: Shop, owner: Node, made: Node, args: dict[str, Any]) -> Node:
    shop.keep(owner)
    if args.get("setAsDefault"):
        owner["defaultAddress"] = made
    shop.touch(owner)
    return {"address": made}
