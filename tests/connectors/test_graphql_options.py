"""What a config may say of a GraphQL API, and how each mistake in it is told: once, at its place, with what to do."""

from pathlib import Path

import pytest
import yaml
from jsonschema import Draft7Validator

from syncd.config.load import load
from syncd.config.model import Loaded
from syncd.config.schemas import Names, schemas_of
from syncd.connectors.graphql.kind import KIND
from syncd.connectors.registry import KINDS
from tests.config.folders import write
from tests.connectors.contract import abilities_of, setup_for
from tests.connectors.test_graphql_contract import THINGS

SHOP = """platform: shop
connector: graphql
mode: enforce
connection:
  base_url: https://shop.example.com
  path: /graphql
  auth: {bearer: secret:shop-key}
  faults: {SLOW_DOWN: wait}
watch:
  poll: {every: 10s}
  webhook:
    path: /hooks/shop
    verify: {scheme: standard-webhooks, secret: secret:shop-hook}
  sweep: 15m
collections:
  products:
    id: id
    fragments: |
      fragment Whole on Product { ...Stamp sku name }
      fragment Stamp on Product { id rev updatedAt }
    changed_at: updatedAt
    version: {field: rev}
    stale: [CONFLICT]
    exists: [TAKEN]
    gone: [NOT_FOUND]
    list:
      nodes: products
      size: 50
      query: |
        query($first: Int!, $after: String) {
          products(first: $first, after: $after) {
            nodes { id sku name rev updatedAt }
            pageInfo { hasNextPage endCursor }
          }
        }
    changed:
      nodes: products
      query: |
        query($since: DateTime) {
          products(since: $since) { edges { node { id rev updatedAt } } pageInfo { hasNextPage endCursor } }
        }
    read:
      item: product
      query: |
        query($id: ID!) { product(id: $id) { ...Whole } }
    find:
      item: bySku
      query: |
        query($sku: String!) { bySku(sku: $sku) { id sku rev updatedAt } }
    create:
      item: productCreate.product
      mutation: |
        mutation($input: ProductInput!) { productCreate(input: $input) { product { id } } }
    update:
      item: productUpdate.product
      errors: productUpdate.userErrors
      variables: {rev: "{version}"}
      mutation: |
        mutation($id: ID!, $input: ProductInput!, $rev: Int) {
          productUpdate(id: $id, input: $input, rev: $rev) {
            product { id sku name rev updatedAt }
            userErrors { field message code }
          }
        }
    delete:
      mutation: |
        mutation($id: ID!) { productDelete(id: $id) { id } }
"""


def read(folder: Path, text: str) -> Loaded:
    return load(write(folder, {"platforms/shop.yaml": text}), KINDS, environ={"HOME": "/h"})


def test_a_whole_platform_is_good_as_it_is(tmp_path: Path) -> None:
    found = read(tmp_path, SHOP)
    assert [one.text() for one in found.diagnostics if one.code != "W032"] == []
    assert found.config is not None
    assert found.config.platforms["shop"].webhook


@pytest.mark.parametrize(
    ("old", "new", "expected", "said"),
    [
        ("  base_url: https://shop.example.com\n", "", ("E102", 4, 1), 'missing key "base_url"'),
        ("path: /graphql", "path: graphql", ("E011", 6, 9), "must have the form"),
        ("SLOW_DOWN: wait", "SLOW_DOWN: wiat", ("E011", 8, 23), '"wiat" is not one of wait, login, trouble, refused'),
        ("      nodes: products\n      size", "      size", ("E102", 26, 5), 'missing key "nodes"'),
        ("nodes: products\n", "nodes: product\n", ("E011", 26, 5), "there is no product among products"),
        ("nodes: products\n", "nodes: products.nodes\n", ("E011", 26, 5), "is no connection"),
        ("size: 50", "size: 0", ("E011", 28, 13), "at least 1"),
        ("size: 50", "total: products.count", ("E011", 26, 5), "total: it does not ask for"),
        ("            pageInfo { hasNextPage endCursor }\n", "", ("E011", 26, 5), "without pageInfo"),
        ("edges { node {", "edges { item {", ("E011", 36, 5), '"products.edges" has no node'),
        ("nodes { id sku", "nodes { id ské", ("E011", 29, 14), "line 3, column 18 of it: 'é' has no meaning here"),
        ("($first: Int!,", "($first: Int!, $shop: ID!,", ("E011", 29, 14), "$shop is declared and never used"),
        ("after: $after)", "after: $after, shop: $shop)", ("E011", 29, 14), "$shop is used and not declared"),
        ("$after: String) {\n          products(first: $first,", "$n: Int) {\n          products(first: $first, n: $n,",
         ("E011", 29, 14), "$after is used and not declared"),
        ("query($since: DateTime) {\n          products(", "query($since: DateTime, $n: Int) {\n          products(n: $n, ",
         ("E011", 36, 5), "nothing is filled in for $n"),
        ("      size: 50", '      variables: {first: "{count}"}', ("E011", 16, 3), "nothing is filled in for {count} here"),
        ("      size: 50", '      variables: {after: "c:{cursor}"}', ("E011", 26, 5), "{cursor} is part of another value"),
        ("$since: DateTime", "$since: DateTime = null", ("E011", 16, 3), "changed needs {since}"),
        ("query($id: ID!) { product", "mutation($id: ID!) { product", ("E011", 44, 14), "a query is expected here"),
        ("      item: product\n", "", ("E102", 42, 5), 'missing key "item"'),
        ("query($id: ID!) { product(id: $id)", "{ product(id: 5)", ("E011", 42, 5), "read needs the id"),
        ("id rev updatedAt }\n    changed_at", "id updatedAt }\n    changed_at", ("E011", 16, 3), "read: version: "),
        ("fragment Stamp", "fragment Other", ("E011", 16, 3), "there is no fragment Stamp"),
        ("fragment Stamp", "Stamp", ("E011", 16, 3), "fragment is expected, not Stamp"),
        ("      item: bySku\n", "      item: bySku\n      nodes: bySku\n", ("E011", 46, 5), "exactly one of nodes, item"),
        ("query($sku: String!) { bySku(sku: $sku)", "{ bySku(sku: 5)", ("E011", 46, 5), "find needs the name"),
        ("      item: productCreate.product\n", "", ("E011", 16, 3), "create needs item"),
        ("($input: ProductInput!) { productCreate(input: $input)", "{ productCreate", ("E011", 16, 3), "sends no values"),
        ('{rev: "{version}"}', "{revv: 5}", ("E011", 54, 5), "$revv is not declared"),
        ('      variables: {rev: "{version}"}\n', "", ("E011", 16, 3), "update has {rev}, which is the version"),
        ("errors: productUpdate.userErrors", "errors: userErrors", ("E011", 54, 5), "errors: it does not ask for"),
        ("mutation($id: ID!) { productDelete(id: $id)", "mutation { productDelete", ("E011", 16, 3), "delete needs the id"),
        ("query($sku", "query ($sku: 5", ("E011", 48, 14), "a type is expected"),
        ("stale: [CONFLICT]", "stale: CONFLICT", ("E010", 23, 12), "a list"),
        ("      query: |\n        query($sku: String!) { bySku(sku: $sku) { id sku rev updatedAt } }", "      query: 5",
         ("E010", 48, 14), "text"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_once_at_its_place(
    tmp_path: Path, old: str, new: str, expected: tuple[str, int, int], said: str
) -> None:
    assert old in SHOP
    found = [one for one in read(tmp_path, SHOP.replace(old, new, 1)).diagnostics if one.code != "W032"]
    assert [(one.code, one.line, one.col) for one in found] == [expected], [one.text() for one in found]
    assert said in found[0].text()
    assert "fix " in found[0].text()


def test_abilities_are_what_is_configured() -> None:
    def able(**other: object) -> set[str]:
        things = {name: value for name, value in (THINGS | other).items() if value is not None}
        setup = setup_for(KIND, connection={"base_url": "http://127.0.0.1:1"}, collections={"things": things})
        found = abilities_of(KIND, setup, "things")
        names = ("list", "read", "find", "create", "update", "delete", "guard", "ordered", "keyed", "whole", "answers", "timed")
        return {name for name in names if getattr(found, name)}

    every = {"list", "read", "find", "create", "update", "delete", "guard", "ordered", "keyed", "answers", "timed"}
    assert able() == every
    assert able(version=None) == every - {"guard", "ordered"}
    assert able(changed_at=None, answers=False) == every - {"timed", "answers"}
    assert able(create=None, delete=None, find=None) == every - {"create", "delete", "find"}
    whole = THINGS["update"] | {"variables": {"input": "{item}", "version": None, "key": None}}
    assert able(update=whole) == (every | {"whole"}) - {"guard", "keyed"}


def test_the_example_of_the_page_is_good_as_it_is(tmp_path: Path) -> None:
    page = (Path(__file__).parents[2] / "docs/connectors/graphql.md").read_text(encoding="utf-8")
    found = read(tmp_path, page.split("```yaml\n")[1].split("```")[0])
    assert [one.text() for one in found.diagnostics if one.code != "W032"] == []
    assert found.config is not None
    shop = found.config.platforms["shop"]
    able = KIND.abilities(shop.connection, shop.collections["products"].options, shop.watch, shop.write)
    assert (able.list, able.find, able.create, able.delete, able.guard, able.ordered) == (True,) * 6


def test_an_editor_knows_its_options() -> None:
    schema = schemas_of(Names({}, {}), KINDS)["platform.schema.json"]
    judge = Draft7Validator(schema)
    assert list(judge.iter_errors(yaml.safe_load(SHOP))) == []
    for old, new in (
        ("nodes: products", "notes: products"),
        ("size: 50", "size: fifty"),
        ("SLOW_DOWN: wait", "SLOW_DOWN: wiat"),
    ):
        assert list(judge.iter_errors(yaml.safe_load(SHOP.replace(old, new, 1)))), new
