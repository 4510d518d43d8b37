"""The graphql connector keeps the contract, in each of the ways a GraphQL API may be built."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp.test_utils import TestServer

from syncd.connectors.graphql import KIND
from syncd.core.model import Item
from tests.connectors.contract import Contract, World, setup_for
from tests.connectors.large import ROWS, assert_frugal, peak, served
from tests.connectors.shop import serving
from tests.emulators.graphql import Things

FIELDS = "fragment F on Thing { id sku name price stock rev updatedAt }"
PAGE = "nodes { ...F } pageInfo { hasNextPage endCursor }"
SAID = "thing { ...F } userErrors { field message code }"
THINGS: dict[str, Any] = {
    "list": {
        "query": f"query($first: Int!, $after: String) {{ things(first: $first, after: $after) {{ {PAGE} }} }} {FIELDS}",
        "nodes": "things",
        "size": 3,
    },
    "changed": {
        "query": f"""query Changed($first: Int!, $after: String, $since: DateTime) {{
            things(first: $first, after: $after, since: $since) {{ {PAGE} totalCount }}
        }} {FIELDS}""",
        "nodes": "things",
        "size": 3,
    },
    "read": {"query": f"query($id: ID!) {{ thing(id: $id) {{ ...F }} }} {FIELDS}", "item": "thing"},
    "find": {"query": f"query($sku: String!) {{ things(sku: $sku) {{ {PAGE} }} }} {FIELDS}", "nodes": "things"},
    "create": {
        "mutation": f"""mutation($input: ThingInput!, $key: String) {{
            thingCreate(input: $input, key: $key) {{ {SAID} }}
        }} {FIELDS}""",
        "item": "thingCreate.thing",
        "errors": "thingCreate.userErrors",
    },
    "update": {
        "mutation": f"""mutation($id: ID!, $input: ThingInput!, $version: Int, $key: String) {{
            thingUpdate(id: $id, input: $input, rev: $version, key: $key) {{ {SAID} }}
        }} {FIELDS}""",
        "item": "thingUpdate.thing",
        "errors": "thingUpdate.userErrors",
    },
    "delete": {
        "mutation": "mutation($id: ID!) { thingDelete(id: $id) { deletedId userErrors { field message code } } }",
        "errors": "thingDelete.userErrors",
    },
    "id": "id",
    "changed_at": "updatedAt",
    "version": {"field": "rev"},
    "stale": ["CONFLICT"],
    "exists": ["TAKEN"],
    "gone": ["NOT_FOUND"],
}


class GraphqlWorld(World):
    """Things behind a GraphQL API."""

    def __init__(self, things: Things, server: TestServer, collection: dict[str, Any]) -> None:
        self.things = things
        self.server = server
        connection = {"base_url": str(server.make_url("/")), "timeout": "5s"}
        fields = ("sku", "name", "price", "stock")
        setup = setup_for(KIND, connection=connection, collections={"things": collection}, keys=("sku",), fields=fields)
        super().__init__(KIND, setup)

    async def put(self, item: Item, native_id: str | None = None) -> str:
        return self.things.put(item, native_id)

    async def remove(self, native_id: str) -> None:
        self.things.remove(native_id)

    async def held(self, native_id: str) -> Item | None:
        return self.things.things.get(native_id)

    async def writes(self) -> int:
        return self.things.writes

    async def down(self) -> None:
        await self.server.close()


async def entered(things: Things, **other: Any) -> AsyncIterator[World]:
    """Yield a world of that API, its collection as above but for what differs."""
    async with serving(things.app()) as server:
        collection = {name: value for name, value in (THINGS | other).items() if value is not None}
        made = GraphqlWorld(things, server, collection)
        async with made.connector:
            yield made


class TestByCursor(Contract):
    """Connections of nodes, versions, idempotency keys, things in the answers."""

    @pytest.fixture
    async def world(self) -> AsyncIterator[World]:
        async for made in entered(Things()):
            yield made


class TestByOffset(Contract):
    """Plain lists by offset, one thing or null by its key, input with the id in it, answers that are not believed."""

    @pytest.fixture
    async def world(self) -> AsyncIterator[World]:
        query = f"query($limit: Int!, $offset: Int!) {{ all(limit: $limit, offset: $offset) {{ ...F }} }} {FIELDS}"
        find = {"query": f"query($sku: String!) {{ thingBySku(sku: $sku) {{ ...F }} }} {FIELDS}", "item": "thingBySku"}
        update = {
            "mutation": """mutation($id: ID!, $input: ThingInput!) {
                thingUpdate(id: $id, input: $input) { userErrors { field message code } thing { id } }
            }""",
            "variables": {"input": {"id": "{id}", "...": "{changes}"}},
            "errors": "thingUpdate.userErrors",
        }
        nothing = dict.fromkeys(("version", "changed", "changed_at"))
        listed = {"query": query, "nodes": "all", "size": 2}
        async for made in entered(Things(), list=listed, find=find, update=update, answers=False, **nothing):
            yield made


class TestByEdges(Contract):
    """Connections of edges that say how many there are; values one by one; what is gone is null and no user error."""

    @pytest.fixture
    async def world(self) -> AsyncIterator[World]:
        page = "edges { node { ...F } } pageInfo { hasNextPage endCursor } totalCount"
        query = f"query($n: Int, $c: String) {{ them: things(first: $n, after: $c) {{ {page} }} }} {FIELDS}"
        listed = {
            "query": query,
            "nodes": "them",
            "size": 2,
            "variables": {"n": "{size}", "c": "{cursor}"},
            "total": "them.totalCount",
        }
        find = {
            "query": f"query($q: String!) {{ things(query: $q) {{ {PAGE} }} }} {FIELDS}",
            "variables": {"q": 'sku:"{sku}"'},
            "nodes": "things",
        }
        update = {
            "mutation": f"""mutation($id: ID!, $name: String, $price: Decimal, $stock: Int, $rev: Int) {{
                thingUpdate(id: $id, input: {{name: $name, price: $price, stock: $stock}}, rev: $rev) {{ thing {{ ...F }} }}
            }} {FIELDS}""",
            "variables": {"rev": "{version}"},
            "item": "thingUpdate.thing",
        }
        things = Things(silent_gone=True)
        async for made in entered(things, list=listed, changed=None, find=find, update=update, version=None):
            yield made


def test_a_long_list_needs_little_memory() -> None:
    """A hundred thousand things, by their cursors."""
    listed = THINGS["list"] | {"size": 250}
    with served("tests.emulators.graphql", "--things", str(ROWS)) as url:
        found = peak("graphql", connection={"base_url": url}, collections={"things": THINGS | {"list": listed}})
    assert_frugal(found)
