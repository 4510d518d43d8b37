"""Two GraphQL APIs in processes of their own, and the whole of syncd between them: what one says is what both hold."""

import json
import urllib.request
from pathlib import Path
from typing import Any

from tests.connectors.large import served
from tests.connectors.test_graphql_contract import THINGS
from tests.connectors.whole import syncd, write_config

ENTITY = """
entity: product
label: "{name} ({sku})"
in:
  pim: {collection: things}
  shop: {collection: things, create: true}
identity:
  key: sku
  match: [{by: sku}]
  unmatched: {pim: create, shop: review}
fields:
  sku: {type: string, required: true, truth: pim, map: {pim: sku, shop: sku}}
  name: {type: string, truth: pim, map: {pim: name, shop: name}}
  price: {type: decimal(2), truth: pim, map: {pim: price, shop: price}}
"""


def ask(url: str, query: str, **variables: Any) -> Any:
    """Return the data of one request, as somebody else would make it."""
    body = json.dumps({"query": query, "variables": variables}).encode()
    request = urllib.request.Request(f"{url}/graphql", body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=20) as answer:
        found = json.loads(answer.read())
    assert "errors" not in found, found
    return found["data"]


def held(url: str) -> list[tuple[str, str, float, int]]:
    """Return sku, name, price and revision of everything there."""
    return [(one["sku"], one["name"], one["price"], one["rev"]) for one in ask(url, "{ all { sku name price rev } }")["all"]]


def write(folder: Path, urls: dict[str, str]) -> None:
    platforms = {
        name: {
            "connector": "graphql",
            "connection": {"base_url": url, "timeout": "10s"},
            "watch": {"poll": {"every": "1s"}},
            "collections": {"things": THINGS},
        }
        for name, url in urls.items()
    }
    write_config(folder, platforms, {"product": ENTITY})


def test_what_one_api_says_is_what_both_hold(tmp_path: Path) -> None:
    with served("tests.emulators.graphql", "--things", "25") as pim, served("tests.emulators.graphql") as shop:
        write(tmp_path, {"pim": pim, "shop": shop})
        assert "Nothing to mend" in syncd(tmp_path, "check", "--online")
        syncd(tmp_path, "run", "--once")
        assert held(shop) == [(f"S-{n}", f"A thing with a name, {n}", n / 4, 1) for n in range(25)]
        edit = "mutation($id: ID!, $name: String) { thingUpdate(id: $id, input: {name: $name}) { thing { id } } }"
        ask(pim, edit, id="3", name="Edited")
        ask(shop, edit, id="7", name="Stray")
        syncd(tmp_path, "run", "--once")
        assert {(sku, name) for sku, name, _, _ in held(shop)} == {(sku, name) for sku, name, _, _ in held(pim)}
        before = held(pim), held(shop)
        syncd(tmp_path, "run", "--once")
        assert (held(pim), held(shop)) == before, "nothing is left to do, and nothing was done"
        place = tmp_path / "config/platforms/shop.yaml"
        place.write_text(place.read_text().replace("id sku name price", "id sku name price colour"))
        found = syncd(tmp_path, "check", "--online", expect=78)
        assert "E313" in found
        assert "Cannot query field 'colour'" in found
