"""The parts of the connector by themselves: paths, shapes, cursors, webhooks, refusals, options, scopes."""

import json
from decimal import Decimal
from typing import Any

import pytest
from pydantic import ValidationError

from syncd.connectors.options import Marker
from syncd.connectors.protocol import Collection, Delivery
from syncd.connectors.shape import Shape
from syncd.connectors.shopify import KIND, documents, feed
from syncd.connectors.shopify.answers import Meaning, refusals
from syncd.connectors.shopify.bulk import things
from syncd.connectors.shopify.hooks import heard, topics_of
from syncd.connectors.shopify.mutations import Mutation
from syncd.connectors.shopify.objects import KINDS, gid
from syncd.connectors.shopify.options import ShopifyCollection, ShopifyConnection, ShopifyWatch, ShopifyWebhook
from syncd.connectors.shopify.place import same
from syncd.connectors.shopify.rights import rights_of
from syncd.connectors.shopify.selection import Rest, Selection
from syncd.core.model import Native, Via
from syncd.errors import PermanentError, StaleWrite, TransientError

SHOP = {"shop": "acme.myshopify.com"}
VERIFY = {"scheme": "shopify-hmac", "secret": "secret:hook"}
PLACE = "gid://shopify/Location/7"


# ---- paths and shapes


def test_only_what_is_mapped_is_selected_and_as_many_as_are_needed() -> None:
    selection = Selection("Product", ["title", "variants.1.price", "variants.0.sku", "tags"])
    assert selection.text == ("id title variants(first: 2) { nodes { id price sku } pageInfo { hasNextPage endCursor } } tags")
    assert selection.cost == 1 + 2 + 2 * 1


def test_a_thing_has_the_mapped_paths() -> None:
    paths = [
        "variants.0.weight",
        "metafields.custom.erp",
        "metafields.custom.none",
        "variants.0.inventoryQuantity",
        "seo.title",
    ]
    selection = Selection("Product", paths, location=PLACE)
    level = {"quantities": [{"name": "available", "quantity": 4}]}
    variant = {
        "id": "gid://shopify/ProductVariant/2",
        "stockItem": {"id": "gid://shopify/InventoryItem/3", "inventoryLevel": level},
        "weighed": {"measurement": {"weight": {"value": Decimal("0.25"), "unit": "KILOGRAMS"}}},
    }
    shown = {"id": "gid://shopify/Product/1", "m0": {"jsonValue": 42}, "m1": None, "seo": None}
    thing, rests = selection.shaped(shown | {"variants": {"nodes": [variant], "pageInfo": {"hasNextPage": True}}})
    assert rests == [], "the first is all that is needed"
    assert thing == {
        "id": "gid://shopify/Product/1",
        "seo": None,
        "metafields": {"custom": {"erp": 42, "none": None}},
        "variants": [{"id": "gid://shopify/ProductVariant/2", "inventoryQuantity": 4, "weight": 250}],
    }


def test_what_is_read_on_has_its_own_id_whatever_has_one_below_it() -> None:
    selection = Selection("Product", ["variants[sku=A].inventoryItem.id"])
    assert selection.nested("variants").startswith("id "), "else the variant could not be written"


def test_a_list_that_is_needed_whole_is_read_on() -> None:
    selection = Selection("Product", ["variants[sku=A-1].price"])
    assert "variants(first: 20) { nodes { id sku price } pageInfo" in selection.text.replace("price sku", "sku price")
    page = {"nodes": [{"sku": "B"}], "pageInfo": {"hasNextPage": True, "endCursor": "c"}}
    assert selection.shaped({"variants": page})[1] == [Rest("variants", "c")]
    page["pageInfo"] = {"hasNextPage": False}
    assert selection.shaped({"variants": page})[1] == []


@pytest.mark.parametrize(
    ("kind", "path", "words"),
    [
        ("Product", "variants.price", "variants is a list of things; name one of them, as in variants.0.id"),
        ("Product", "variants", "is a list of things"),
        ("Product", "metafields.custom", "names no metafield; write metafields.NAMESPACE.KEY"),
        ("InventoryLevel", "quantities.avail", "names no quantity; write quantities.available"),
        ("Product", "", "the empty path names no field"),
        ("Product", "0.title", "has a place in a list where there is no list"),
    ],
)
def test_a_path_that_leads_nowhere_is_told(kind: str, path: str, words: str) -> None:
    with pytest.raises(PermanentError, match=words):
        Selection(kind, [path])


def test_the_children_of_a_bulk_file_come_into_their_lists() -> None:
    selection = Selection("Product", ["variants.0.sku", "images.0.url"])
    children = [
        {"__typename": "ProductVariant", "id": "v1", "sku": "A", "__parentId": "p"},
        {"__typename": "Image", "id": "i", "url": "u"},
    ]
    thing = selection.shaped_in_bulk({"id": "p", "__children": children})
    assert thing == {"id": "p", "variants": [{"id": "v1", "sku": "A"}], "images": [{"id": "i", "url": "u"}]}
    assert selection.shaped_in_bulk({"id": "p"}) == {"id": "p", "variants": [], "images": []}


# ---- ids, searches, cursors


@pytest.mark.parametrize(
    ("native", "expected"),
    [
        ("gid://shopify/Product/1", "gid://shopify/Product/1"),
        ("123", "gid://shopify/Product/123"),
        ("gid://shopify/Customer/1", None),
        ("", None),
        ("١٢", None),
        ("12x", None),
    ],
)
def test_global_ids(native: str, expected: str | None) -> None:
    assert gid("Product", native) == expected


def test_searches_by_time() -> None:
    at = 1_763_632_800_500_000  # 2025-11-20T10:00:00.5Z
    assert documents.since(KINDS["Product"], None, at) == "updated_at:>='2025-11-20T10:00:00Z'"
    assert documents.since(KINDS["Product"], "tag:a OR tag:b", at) == "(tag:a OR tag:b) AND updated_at:>='2025-11-20T10:00:00Z'"
    assert documents.since(KINDS["Customer"], None, at) == "updated_at:>='2025-11-19'"
    assert documents.since(KINDS["Product"], None, None) is None
    assert documents.term("sku", "O'Neill \\ 1") == "sku:'O\\'Neill \\\\ 1'"


def test_a_cursor_is_a_moment_or_a_place_on_the_way() -> None:
    position = feed.Position(since=5_000_000, start=9_000_000, high=8_000_000, after="abc", at=PLACE)
    assert feed.read(feed.written(position)) == position
    assert feed.read("2025-11-20T10:00:00Z").since == 1_763_632_800_000_000
    for nonsense in (None, "", "{", "[]", "{]", '"x"'):
        assert feed.read(nonsense) == feed.Position()


def test_keys_are_equal_as_text() -> None:
    assert same(5, "5")
    assert same(["a", "b"], ["b", "a"])
    assert not same(None, "None")
    assert same(None, None)


# ---- webhooks


def shapes(**objects: str) -> tuple[dict[str, Shape], dict[str, str]]:
    return {name: Shape("shop", name, "id", "updatedAt") for name in objects}, dict(objects)


def delivery(topic: str | None, payload: Any, **headers: str) -> Delivery:
    given = {"x-shopify-shop-domain": "acme.myshopify.com", "x-shopify-event-id": "e1", "x-shopify-webhook-id": "w1"} | headers
    body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    return Delivery(body, {k: v for k, v in (given | ({"x-shopify-topic": topic} if topic else {})).items() if v}, 50, 9)


def hear(given: Delivery, webhook: dict[str, Any] | None = None, **objects: str) -> list[Any]:
    options = ShopifyWebhook.model_validate({"path": "/h", "verify": VERIFY} | (webhook or {}))
    return list(heard(options, *shapes(**(objects or {"products": "Product"})), given, shop="acme.myshopify.com").changes)


def test_a_webhook_is_a_hint_which_thing_to_read() -> None:
    payload = {
        "id": 5,
        "admin_graphql_api_id": "gid://shopify/Product/5",
        "title": "x",
        "updated_at": "2025-11-20T11:00:00+01:00",
    }
    [change] = hear(delivery("products/update", payload))
    assert (change.id, change.via, change.item, change.gone) == ("gid://shopify/Product/5", Via.EVENT, {}, False)
    assert (change.as_of, change.seen_at, change.changed_at) == (9, 50, 1_763_632_800_000_000)
    assert change.event_id == "e1 products/update products gid://shopify/Product/5"


def test_a_delete_names_nothing_but_a_number() -> None:
    [change] = hear(delivery("products/delete", {"id": 788032119674292922}))
    assert (change.id, change.gone, change.item) == ("gid://shopify/Product/788032119674292922", True, None)


def test_without_an_event_id_a_repeat_is_known_by_the_delivery_and_then_by_the_body() -> None:
    [change] = hear(delivery("products/delete", {"id": 5}, **{"x-shopify-event-id": ""}))
    assert change.event_id.startswith("w1 ")
    none = {"x-shopify-event-id": "", "x-shopify-webhook-id": ""}
    [one], [two] = (hear(delivery("products/delete", {"id": n}, **none)) for n in (5, 6))
    assert one.event_id != two.event_id


def test_topics_find_their_collections() -> None:
    both = {"products": "Product", "people": "Customer"}
    assert [one.collection for one in hear(delivery("customers/update", {"id": 5}), **both)] == ["people"]
    assert hear(delivery("orders/create", {"id": 5}), **both) == []
    variants = {"variants": [{"id": 7, "admin_graphql_api_id": "gid://shopify/ProductVariant/7"}, {"id": 8}], "id": 5}
    found = hear(delivery("products/update", variants), products="Product", variants="ProductVariant")
    assert [one.id for one in found] == [
        f"gid://shopify/{one}" for one in ("Product/5", "ProductVariant/7", "ProductVariant/8")
    ]
    assert len({one.event_id for one in found}) == 3, "one event of several things is no repeat of itself"


def test_stock_that_moved_names_its_level() -> None:
    known = "gid://shopify/InventoryLevel/1?inventory_item_id=2"
    payload = {"inventory_item_id": 2, "location_id": 3, "admin_graphql_api_id": known, "available": 4}
    assert [one.id for one in hear(delivery("inventory_levels/update", payload), stock="InventoryLevel")] == [known]
    assert (
        hear(delivery("inventory_levels/disconnect", {"inventory_item_id": 2, "location_id": 3}), stock="InventoryLevel") == []
    )


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (delivery(None, {"id": 5}), "no X-Shopify-Topic header"),
        (delivery("products/update", b"{"), "not JSON"),
        (delivery("products/update", b"[]"), "not an object"),
        (delivery("products/update", {"id": None}), "names no Product"),
        (delivery("products/update", {"id": True}), "names no Product"),
        (delivery("products/update", {"id": 5}, **{"x-shopify-shop-domain": "other.myshopify.com"}), "of other.myshopify.com"),
    ],
)
def test_a_malformed_webhook_is_refused(given: Delivery, words: str) -> None:
    with pytest.raises(PermanentError, match=words):
        hear(given)


def test_header_names_are_options() -> None:
    headers = {"topic": "shopify-topic", "event": "shopify-event-id"}
    given = delivery(None, {"id": 5}, **{"shopify-topic": "products/update", "shopify-event-id": "n"})
    [change] = hear(given, {"headers": headers})
    assert change.event_id.startswith("n ")


def test_topics_that_are_expected() -> None:
    options = ShopifyWebhook.model_validate({"path": "/h", "verify": VERIFY})
    assert topics_of(options, ["Product", "ProductVariant"]) == ["products/create", "products/update", "products/delete"]


# ---- refusals


def answer(*errors: dict[str, Any]) -> Native:
    return {"a": {"userErrors": list(errors)}}


@pytest.mark.parametrize(
    ("error", "meaning", "kind"),
    [
        ({"message": "m", "code": "CHANGE_FROM_QUANTITY_STALE"}, Meaning.STALE, StaleWrite),
        ({"message": "m", "code": "STALE_OBJECT"}, Meaning.STALE, StaleWrite),
        ({"message": "m", "code": "INVALID_COMPARE_DIGEST"}, Meaning.STALE, StaleWrite),
        ({"message": "m", "code": "TAKEN"}, Meaning.EXISTS, PermanentError),
        ({"message": "Email has already been taken", "field": ["email"]}, Meaning.EXISTS, PermanentError),
        ({"message": "Product does not exist", "field": ["id"]}, Meaning.GONE, PermanentError),
        ({"message": "m", "code": "IDEMPOTENCY_CONCURRENT_REQUEST"}, Meaning.LATER, TransientError),
        ({"message": "m", "code": "IDEMPOTENCY_KEY_PARAMETER_MISMATCH"}, Meaning.REFUSED, PermanentError),
        ({"message": "Title can't be blank", "field": ["title"]}, Meaning.REFUSED, PermanentError),
        ({"message": "m", "code": "NEVER_HEARD_OF"}, Meaning.REFUSED, PermanentError),
    ],
)
def test_what_a_user_error_means(error: dict[str, Any], meaning: Meaning, kind: type[Exception]) -> None:
    [found] = refusals(answer(error), [Mutation("a", "x", {})])
    assert found.meaning is meaning
    raised = found.error("POST /")
    assert type(raised) is kind
    if isinstance(raised, TransientError):
        assert raised.about_record


def test_of_several_errors_the_one_that_says_edited_since_decides() -> None:
    [found] = refusals(answer({"message": "bad"}, {"message": "m", "code": "STALE_OBJECT"}), [Mutation("a", "x", {})])
    assert found.meaning is Meaning.STALE
    assert found.words == "bad; m (STALE_OBJECT)"


@pytest.mark.parametrize("data", [{}, {"a": None}, {"a": {"userErrors": None}}])
def test_an_answer_that_says_nothing_of_a_mutation_is_no_success(data: Native) -> None:
    with pytest.raises(TransientError):
        refusals(data, [Mutation("a", "x", {})])


# ---- bulk files


async def lines(*rows: Any) -> Any:
    for row in rows:
        yield row if isinstance(row, bytes) else json.dumps(row).encode()


async def test_a_bulk_file_gives_things_with_their_lines() -> None:
    rows = [{"id": "p1"}, {"id": "v1", "__parentId": "p1"}, {"id": "x", "__parentId": "v1"}, b"", {"id": "p2"}]
    found = [thing async for thing, flaw in things(lines(*rows), "things") if flaw is None]
    assert [one["id"] for one in found] == ["p1", "p2"]
    assert [one["id"] for one in found[0]["__children"]] == ["v1"]


@pytest.mark.parametrize("row", [b"{", b"[]", {"id": "v", "__parentId": "somebody"}, {"id": "v", "__parentId": 5}])
async def test_a_broken_bulk_file_is_no_evidence(row: Any) -> None:
    with pytest.raises(TransientError):
        [thing async for thing in things(lines({"id": "p"}, row), "things")]


# ---- options


@pytest.mark.parametrize(
    ("model", "given", "words"),
    [
        (ShopifyConnection, {"shop": "https://acme.example", "token": "x"}, "named by its own domain"),
        (ShopifyConnection, SHOP, "exactly one of token, oauth"),
        (ShopifyConnection, SHOP | {"token": "x", "api_version": "2026-11"}, "a version is a quarter"),
        (ShopifyConnection, SHOP | {"token": "x", "max_cost": 1}, "greater than or equal"),
        (ShopifyWatch, {"webhook": {"path": "/h", "verify": VERIFY, "register": True}}, "needs url"),
        (
            ShopifyWatch,
            {"webhook": {"path": "/h", "verify": VERIFY, "register": True, "url": "https://x.example/h"}},
            "needs poll:",
        ),
        (ShopifyWatch, {"webhook": {"path": "/h", "verify": VERIFY, "url": "x.example"}}, "https:// and a host"),
        (ShopifyWatch, {"webhook": {"path": "h", "verify": VERIFY}}, "no path"),
        (ShopifyWatch, {"webhook": {"path": "/h", "verify": VERIFY, "topics": ["PRODUCTS_UPDATE"]}}, "products/update"),
        (ShopifyWatch, {"webhook": {"path": "/h", "verify": {"scheme": "shopify-hmac", "secret": []}}}, "no secret"),
        (ShopifyWatch, {"poll": {"every": "5m", "cursor": "createdAt"}}, "polled by updatedAt"),
        (ShopifyCollection, {"object": "Product", "id": "id", "changed_at": "createdAt"}, "searched by updatedAt"),
        (ShopifyCollection, {"object": "InventoryLevel", "id": "id", "full_read": "bulk"}, "use pages"),
        (ShopifyCollection, {"object": "Product", "id": "id", "location": "Berlin"}, "pattern"),
        (ShopifyCollection, {"object": "Product", "id": "id", "metafields": ["erp"]}, "as custom.erp_number"),
    ],
)
def test_what_is_wrong_in_the_options_is_told(model: Any, given: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        model.model_validate(given)


def test_the_options_that_stand_in_for_others() -> None:
    product = ShopifyCollection.model_validate({"object": "Product", "id": "id", "location": "7", "metafields": {"a.b": "id"}})
    assert product.deleted == Marker(field="status", **{"is": "ARCHIVED"})
    assert (product.place, product.types) == (PLACE, {"a.b": "id"})
    assert ShopifyCollection.model_validate({"object": "Customer", "id": "id"}).deleted is None
    assert ShopifyConnection.model_validate(SHOP | {"token": "x"}).origin == "https://acme.myshopify.com"
    assert ShopifyConnection.model_validate({"shop": "127.0.0.1:80", "token": "x"}).origin == "http://127.0.0.1:80"


def test_abilities_are_those_of_the_object() -> None:
    def can(kind: str) -> set[str]:
        options = ShopifyCollection.model_validate({"object": kind, "id": "id", "changed_at": "updatedAt"})
        found = KIND.abilities(ShopifyConnection.model_validate(SHOP | {"token": "x"}), options, None, None)
        return {name for name in ("create", "update", "delete", "adjust", "keyed", "guard", "unique") if getattr(found, name)}

    assert can("Product") == can("Customer") == can("Collection") == {"create", "update", "delete"}
    assert can("ProductVariant") == can("InventoryItem") == can("InventoryLevel") == {"update", "adjust", "keyed"}
    assert can("Order") == set()


# ---- scopes


def collection(kind: str, fields: tuple[str, ...], writes: tuple[str, ...] = (), **other: Any) -> Collection:
    options = ShopifyCollection.model_validate({"object": kind, "id": "id"} | other)
    return Collection("things", options, fields, writes)


def test_scopes_missing_and_in_excess() -> None:
    stock = "variants.0.inventoryQuantity"
    products = collection("Product", ("title", stock), ("title", stock))
    people = collection("Customer", ("email",))
    has = ["write_products", "read_products", "read_orders", "read_customers"]
    found = rights_of(products, {"products": products, "people": people}, has, ["products/delete"])
    assert found.missing == ("read_locations", "write_inventory")
    assert found.excess == ("read_orders",)
    assert (found.write, found.refused, found.unheard) == (False, (), ("products/delete",))
    assert rights_of(people, {"people": people}, has, []).write is None


def test_what_cannot_be_written_is_refused_by_its_path() -> None:
    products = collection("Product", ("title", "publishedAt"), ("title", "publishedAt", "variants.0.selectedOptions.0.value"))
    found = rights_of(products, {"products": products}, ["write_products"], [])
    assert (found.write, found.refused, found.missing) == (True, ("publishedAt",), ())
    orders = collection("Order", ("note",), ("note",))
    assert rights_of(orders, {"orders": orders}, ["read_orders", "write_orders"], []).write is False
