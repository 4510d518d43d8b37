"""Two GraphQL APIs in processes of their own, and the whole of syncd between them: what one says is what both hold."""

import json
import subprocess
import sys
import textwrap
import urllib.request
from pathlib import Path
from typing import Any

import yaml

from tests.connectors.large import ROOT, served
from tests.connectors.test_graphql_contract import THINGS

SERVICE = """
version: 1
environment: test
timezone: UTC
ledger: {path: STATE/ledger.db}
listen: {hooks: "127.0.0.1:0", console: "127.0.0.1:0"}
defaults: {mode: enforce, stray_edits: revert}
"""
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


def syncd(folder: Path, *words: str, expect: int = 0) -> str:
    command = [sys.executable, "-m", "syncd", "--config", str(folder / "config"), *words]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == expect, (done.returncode, done.stdout + done.stderr)
    return done.stdout + done.stderr


def write(folder: Path, urls: dict[str, str]) -> None:
    files = {"syncd.yaml": SERVICE.replace("STATE", str(folder)), "entities/product.yaml": ENTITY}
    for name, url in urls.items():
        connection = {"base_url": url, "timeout": "10s"}
        platform = {"platform": name, "connector": "graphql", "mode": "enforce", "connection": connection}
        platform |= {"watch": {"poll": {"every": "1s"}}, "collections": {"things": THINGS}}
        files[f"platforms/{name}.yaml"] = yaml.safe_dump(platform, sort_keys=False)
    for path, text in files.items():
        place = folder / "config" / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(textwrap.dedent(text))


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
