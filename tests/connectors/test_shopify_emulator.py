"""The emulated shop does what Shopify documents, and what makes it hard to talk to."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import orjson
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from tests.connectors.shop import serving
from tests.connectors.test_shopify_signatures import proof
from tests.emulators.shopify.__main__ import filled
from tests.emulators.shopify.control import Hand
from tests.emulators.shopify.cost import Bucket
from tests.emulators.shopify.schema import needed
from tests.emulators.shopify.server import Emulator

SET = """mutation Set($input: ProductSetInput!, $identifier: ProductSetIdentifiers) {
  productSet(input: $input, identifier: $identifier) { product { id title variants(first: 10) { nodes { id sku price } } }
  userErrors { field message code } } }"""
STOCK = """mutation Stock($input: InventorySetQuantitiesInput!, $key: String!) {
  inventorySetQuantities(input: $input) @idempotent(key: $key) {
    inventoryAdjustmentGroup { changes { delta quantityAfterChange } } userErrors { code field message } } }"""
LIST = "query List($first: Int!, $after: String, $query: String) { products(first: $first, after: $after, query: $query) %s }"
PAGE = "{ nodes { id title } pageInfo { hasNextPage endCursor } }"


class Client:
    """Asks the shop as anybody would."""

    def __init__(self, emulator: Emulator, server: TestServer, session: aiohttp.ClientSession) -> None:
        self.emulator, self.server, self.session = emulator, server, session
        self.hand = Hand(emulator)
        self.token = "shpat_test"

    async def raw(self, document: str, **variables: Any) -> tuple[int, dict[str, Any]]:
        url = self.server.make_url("/admin/api/2026-10/graphql.json")
        body = {"query": document, "variables": variables}
        async with self.session.post(url, json=body, headers={"X-Shopify-Access-Token": self.token}) as reply:
            return reply.status, orjson.loads(await reply.read())

    async def ask(self, document: str, **variables: Any) -> dict[str, Any]:
        status, answer = await self.raw(document, **variables)
        assert (status, answer.get("errors")) == (200, None)
        data: dict[str, Any] = answer["data"]
        return data

    async def code(self, document: str, **variables: Any) -> str:
        status, answer = await self.raw(document, **variables)
        assert status == 200
        return str(answer["errors"][0]["extensions"]["code"])


@pytest.fixture
async def shop() -> AsyncIterator[Client]:
    needed()
    emulator = Emulator()
    async with serving(emulator.app()) as server, aiohttp.ClientSession() as session:
        yield Client(emulator, server, session)


async def test_an_invalid_document_is_an_error_under_200(shop: Client):
    assert await shop.code("{ products(first: 1) { nodes { nothing } } }") == "undefinedField"
    assert await shop.code("{ products(first: ") == "parseError"
    assert await shop.code(LIST % PAGE, first="many") == "INVALID_VARIABLE"
    assert shop.emulator.writes == 0


async def test_a_thousand_products_page_once_each(shop: Client):
    filled(shop.emulator, 1000, 2)
    found, after = [], None
    while True:
        page = (await shop.ask(LIST % PAGE, first=250, after=after))["products"]
        found += [node["id"] for node in page["nodes"]]
        if not page["pageInfo"]["hasNextPage"]:
            break
        after = page["pageInfo"]["endCursor"]
    assert len(found) == len(set(found)) == 1000


async def test_pages_are_bounded(shop: Client):
    assert await shop.code("{ products(first: 251) { nodes { id } } }") == "ARGUMENT_LITERALS_INCOMPATIBLE"
    assert await shop.code("{ products { nodes { id } } }") == "BAD_REQUEST"
    assert await shop.code("{ products(first: 250) { nodes { variants(first: 9) { nodes { id } } } } }") == "MAX_COST_EXCEEDED"


@pytest.mark.parametrize(
    ("query", "titles"),
    [
        ("sku:'A-1'", ["One", "Both"]),  # text is matched by its words
        ("sku:A-1 AND tag:new", ["Both"]),
        ("title:One OR title:Two", ["One", "Two"]),
        ("-tag:new status:ACTIVE", ["One", "Two"]),
        ("updated_at:>='2000-01-01T00:00:00Z' title:Two", ["Two"]),
        ("updated_at:<'2000-01-01T00:00:00Z'", []),
        ("nosuchfield:x AND title:Two", ["Two"]),  # ignored, with a warning
        ("updated_at:>=2099-01-01T00:00:00Z", ["One", "Two", "Both"]),  # a colon without quotes: ignored, with a warning
        ("title:b*", ["Both"]),
    ],
)
async def test_search(shop: Client, query: str, titles: list[str]):
    shop.hand.product(title="One", variants=[{"sku": "A-1"}])
    shop.hand.product(title="Two", variants=[{"sku": "B-1"}])
    shop.hand.product(title="Both", tags=["new"], variants=[{"sku": "A-1-XL"}])
    status, answer = await shop.raw(LIST % PAGE, first=10, query=query)
    assert status == 200
    assert [node["title"] for node in answer["data"]["products"]["nodes"]] == titles
    ignored = query.startswith("nosuch") or "2099" in query
    assert ("search" in answer["extensions"]) == ignored


async def test_product_set_replaces_the_list_of_variants(shop: Client):
    one = shop.hand.product(title="T", variants=[{"options": {"Size": size}, "sku": size, "price": "1"} for size in "SML"])
    variants = shop.emulator.shop.of["Product"][one]["_variants"]
    options = [{"name": "Size", "values": [{"name": "S"}]}]
    kept = {"id": variants[0]["id"], "optionValues": [{"optionName": "Size", "name": "S"}]}
    data = await shop.ask(SET, identifier={"id": one}, input={"productOptions": options, "variants": [kept]})
    assert [node["sku"] for node in data["productSet"]["product"]["variants"]["nodes"]] == ["S"]
    data = await shop.ask(SET, identifier={"id": one}, input={"title": "Other"})
    assert data["productSet"]["product"]["title"] == "Other"
    assert len(data["productSet"]["product"]["variants"]["nodes"]) == 1


async def test_refusals_are_user_errors_and_change_nothing(shop: Client):
    one = shop.hand.product(title="T", handle="taken")
    data = await shop.ask(SET, input={"title": "New", "handle": "taken"})
    assert [error["code"] for error in data["productSet"]["userErrors"]] == ["HANDLE_NOT_UNIQUE"]
    data = await shop.ask(SET, identifier={"id": one.replace("Product/", "Product/9")}, input={"title": "New"})
    assert [error["code"] for error in data["productSet"]["userErrors"]] == ["PRODUCT_DOES_NOT_EXIST"]
    assert len(shop.emulator.shop.of["Product"]) == 1


async def test_stock_is_compared_and_a_key_repeats_its_answer(shop: Client):
    one = shop.hand.product(title="T", variants=[{"stock": 3}])
    item = shop.emulator.shop.of["Product"][one]["_variants"][0]["_item"]

    async def sent(key: str, old: int | None, new: int) -> list[str]:
        row = {"inventoryItemId": item["id"], "locationId": shop.emulator.shop.location["id"], "quantity": new}
        given = {"name": "available", "reason": "correction", "quantities": [row | {"changeFromQuantity": old}]}
        data = await shop.ask(STOCK, input=given, key=key)
        return [error["code"] for error in data["inventorySetQuantities"]["userErrors"]]

    assert await sent("a", 3, 5) == []
    assert await sent("a", 3, 5) == []
    assert await sent("a", 3, 6) == ["IDEMPOTENCY_KEY_PARAMETER_MISMATCH"]
    assert await sent("b", 3, 6) == ["CHANGE_FROM_QUANTITY_STALE"]
    assert await sent("c", None, 7) == []
    without = STOCK.replace("@idempotent(key: $key)", "").replace(", $key: String!", "")
    _, answer = await shop.raw(without, input={"name": "available", "reason": "correction", "quantities": []})
    assert "@idempotent directive is required" in answer["errors"][0]["message"]


async def test_an_empty_bucket_throttles_and_does_nothing(shop: Client):
    shop.emulator.bucket = Bucket(maximum=15, restore=0.001)
    assert (await shop.ask(SET, input={"title": "One"}))["productSet"]["userErrors"] == []
    _, answer = await shop.raw(SET, input={"title": "Two"})
    assert answer["errors"][0]["extensions"]["code"] == "THROTTLED"
    assert "data" not in answer
    assert answer["extensions"]["cost"]["throttleStatus"]["maximumAvailable"] == 15.0
    assert answer["extensions"]["cost"]["actualQueryCost"] is None
    assert len(shop.emulator.shop.of["Product"]) == 1


async def test_tokens_end_and_refresh_tokens_are_good_for_one_use(shop: Client):
    url = shop.server.make_url("/admin/oauth/access_token")
    form = {"client_id": "client", "client_secret": "hush", "grant_type": "refresh_token"}
    form["refresh_token"] = shop.emulator.logins.refresh_token()
    async with shop.session.post(url, data=form) as reply:
        granted = await reply.json()
    async with shop.session.post(url, data=form) as reply:
        assert reply.status == 400
    shop.token = granted["access_token"]
    await shop.ask("{ shop { name } }")
    shop.emulator.logins.expire()
    assert (await shop.raw("{ shop { name } }"))[0] == 401
    async with shop.session.post(url, data=form | {"grant_type": "client_credentials"}) as reply:
        shop.token = (await reply.json())["access_token"]
    await shop.ask("{ shop { name } }")


async def test_every_change_sends_a_signed_webhook(shop: Client):
    taken: list[tuple[str, bytes, dict[str, str]]] = []

    async def door(request: web.Request) -> web.Response:
        headers = {name.lower(): value for name, value in request.headers.items()}
        taken.append((request.headers["X-Shopify-Topic"], await request.read(), headers))
        return web.Response(status=200)

    app = web.Application()
    app.router.add_post("/hooks", door)
    async with serving(app) as hooks:
        for topic in ("PRODUCTS_CREATE", "PRODUCTS_UPDATE", "PRODUCTS_DELETE", "INVENTORY_LEVELS_UPDATE"):
            shop.hand.subscribe(topic, str(hooks.make_url("/hooks")))
        one = (await shop.ask(SET, input={"title": "One"}))["productSet"]["product"]["id"]
        await shop.emulator.courier.settled()
        shop.hand.stock(shop.emulator.shop.of["Product"][one]["_variants"][0]["id"], 4)
        await shop.emulator.courier.settled()
        shop.hand.remove(one)
        await shop.emulator.courier.settled()
    assert [topic for topic, _, _ in taken] == [
        "products/create",
        "inventory_levels/update",
        "products/update",
        "products/delete",
    ]
    assert all(proof("hush").problem(body, headers, 0) is None for _, body, headers in taken)
    assert orjson.loads(taken[0][1])["admin_graphql_api_id"] == one
    assert orjson.loads(taken[-1][1]) == {"id": int(one.rpartition("/")[2])}


async def test_a_subscription_that_nobody_answers_is_deleted(shop: Client):
    shop.hand.subscribe("PRODUCTS_UPDATE", "http://127.0.0.1:1/hooks")
    shop.hand.subscribe("PRODUCTS_UPDATE", "http://127.0.0.1:1/app", of_the_app=True)
    one = shop.hand.product(title="One")
    for n in range(8):
        shop.hand.edit(one, title=f"Title {n}")
        await shop.emulator.courier.settled()
    assert [node["uri"][-4:] for node in shop.emulator.shop.all("WebhookSubscription")] == ["/app"]


@pytest.mark.parametrize("fails", [None, "TIMEOUT"])
async def test_a_bulk_operation_leaves_a_file_of_lines(shop: Client, fails: str | None):
    filled(shop.emulator, 10, 2)
    shop.emulator.faults.bulk_fails = fails
    query = "{ products { edges { node { id title variants { edges { node { id sku } } } } } } }"
    run = "mutation Run($query: String!) { bulkOperationRunQuery(query: $query) { bulkOperation { id } userErrors { code } } }"
    one = (await shop.ask(run, query=query))["bulkOperationRunQuery"]["bulkOperation"]["id"]
    await asyncio.sleep(0.3)
    look = "query Look($id: ID!) { bulkOperation(id: $id) { status errorCode url partialDataUrl objectCount } }"
    found = (await shop.ask(look, id=one))["bulkOperation"]
    assert (found["status"], found["errorCode"]) == (("FAILED", fails) if fails else ("COMPLETED", None))
    assert found["objectCount"] == "30"
    async with shop.session.get(found["partialDataUrl" if fails else "url"]) as reply:
        lines = [orjson.loads(line) for line in (await reply.read()).splitlines()]
    assert len(lines) == (15 if fails else 30)
    assert lines[1]["__parentId"] == lines[0]["id"]


async def test_scopes_are_asked_for_and_enforced(shop: Client):
    shop.emulator.logins.scopes = ["read_products"]
    data = await shop.ask("{ currentAppInstallation { accessScopes { handle } } }")
    assert data["currentAppInstallation"]["accessScopes"] == [{"handle": "read_products"}]
    assert await shop.code(SET, input={"title": "One"}) == "ACCESS_DENIED"
    assert await shop.code("{ customers(first: 1) { nodes { id } } }") == "ACCESS_DENIED"


async def test_the_search_index_lags_and_reads_by_id_do_not(shop: Client):
    one = shop.hand.product(title="Old")
    shop.emulator.shop.changed.clear()
    shop.emulator.faults.lag = 60
    shop.hand.edit(one, title="New")
    assert (await shop.ask(LIST % PAGE, first=5, query="title:New"))["products"]["nodes"] == []
    assert (await shop.ask("query Q($id: ID!) { product(id: $id) { title } }", id=one))["product"]["title"] == "New"
    shop.emulator.faults.stale = 1
    assert (await shop.ask("query Q($id: ID!) { product(id: $id) { title } }", id=one))["product"]["title"] == "Old"


async def test_a_field_can_go_away(shop: Client):
    shop.emulator.faults.gone_fields = frozenset({"Product.vendor"})
    assert await shop.code("{ products(first: 1) { nodes { vendor } } }") == "undefinedField"
    await shop.ask("{ products(first: 1) { nodes { id } } }")


async def test_the_score_tells_what_changed_something(shop: Client):
    await shop.ask("{ shop { name } }")
    await shop.ask(SET, input={"title": "One"})
    async with shop.session.get(shop.server.make_url("/_control/requests")) as reply:
        score = orjson.loads(await reply.read())
    assert [(one["kind"], one["roots"], one["changing"]) for one in score] == [
        ("query", ["shop"], False),
        ("mutation", ["productSet"], True),
    ]
    async with shop.session.post(shop.server.make_url("/_control/product"), json={"title": "By hand"}) as reply:
        assert orjson.loads(await reply.read()).startswith("gid://shopify/Product/")
    assert shop.emulator.writes == 1
