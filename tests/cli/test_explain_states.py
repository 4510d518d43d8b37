"""``syncd explain`` of records that wait, are frozen, renamed, out of scope or not made: each said in its step."""

import json
import re
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.cli.scene import SERVICE
from tests.cli.terminal import on_terminal
from tests.cli.test_whole import Capture, Shop

ERP = """\
platform: erp
connector: sql
mode: observe
connection: {dsn: "sqlite:///../erp.db"}
watch: {sweep: 15m}
collections:
  items: {table: items, id: id, changed_at: updated}
  brands: {table: brands, id: id}
"""
SHOP = """\
platform: shop
connector: sql
mode: enforce
connection: {dsn: "sqlite:///../shop.db"}
watch: {sweep: 15m}
collections:
  products: {table: products, id: id, changed_at: updated}
  brands: {table: brands, id: id}
"""
BRAND = """\
entity: brand
in:
  erp: {collection: brands}
  shop: {collection: brands}
identity: {key: code, unmatched: {erp: create, shop: create}}
fields:
  code: {type: string, required: true, truth: erp, map: {erp: code, shop: code}}
"""
PRODUCT = """\
entity: product
in:
  erp: {collection: items}
  shop: {collection: products, only: "hidden != 1", create: {when: "state == 'live'"}}
identity: {key: sku, match: [{by: sku}], unmatched: {erp: create, shop: create}}
groups:
  size: {truth: {newest: [erp, shop]}}
fields:
  sku: {type: string, required: true, truth: erp, map: {erp: sku, shop: sku}}
  name: {type: string, truth: {owner: erp, freeze: {until: 2999-01-01}}, map: {erp: name, shop: title}}
  state: {type: string, truth: erp, map: {erp: state, shop: {path: state, direction: out}}}
  brand: {type: ref(brand), truth: erp, map: {erp: brand, shop: brand}}
  price: {type: decimal(2), truth: {newest: [erp, shop], tie: [erp]}, map: {erp: price, shop: price}}
  width: {type: integer, group: size, map: {erp: width, shop: width}}
  height: {type: integer, group: size, map: {erp: height, shop: height}}
safety: {changes: {max: 1000, ratio: 100%, per: 1h}}
"""
COLUMNS = "state TEXT, brand TEXT, price NUMERIC, width INTEGER, height INTEGER, updated TEXT"
EARLY, LATE = "2026-01-01T10:00:00Z", "2026-02-02T10:00:00Z"


class States(Shop):
    """Products of an ERP and a shop; MUG-1 has most that can happen to a record."""

    def __init__(self, home: Path, capsys: Capture) -> None:
        self.home, self.capsys = home, capsys
        for name, text in (
            ("syncd.yaml", SERVICE),
            ("platforms/erp.yaml", ERP),
            ("platforms/shop.yaml", SHOP),
            ("entities/brand.yaml", BRAND),
            ("entities/product.yaml", PRODUCT),
        ):
            (home / "config" / name).parent.mkdir(parents=True, exist_ok=True)
            (home / "config" / name).write_text(text)
        (home / "config/state").mkdir()
        for name, table, more in (("erp", "items", "name TEXT"), ("shop", "products", "title TEXT, hidden INTEGER")):
            self.sql(name, f"CREATE TABLE {table} (id INTEGER PRIMARY KEY, sku TEXT, {more}, {COLUMNS})")
            self.sql(name, "CREATE TABLE brands (id TEXT PRIMARY KEY, code TEXT)")
        rows = [f"({n}, 'SKU-{n}', 'Thing', 'live', NULL, 10, 1, 2, '{EARLY[:-6]}{n:02}:00Z')" for n in range(1, 31)]
        self.sql("erp", f"INSERT INTO items VALUES {', '.join(rows)}")
        rows = [f"({n}, 'SKU-{n}', 'Thing', 0, NULL, NULL, 10, 1, 2, '{EARLY[:-3]}{n:02}Z')" for n in range(1, 31)]
        self.sql("shop", f"INSERT INTO products VALUES {', '.join(rows)}")
        self.once()

    def once(self) -> None:
        for _ in range(2):
            assert self.syncd("run", "--once") == 0
        self.capsys.readouterr()

    def steps(self, record: str, field: str, *words: str) -> dict[str, tuple[str, str]]:
        document = self.answer("explain", "product", record, field, *words)
        return {one["code"]: (one["text"], one["result"]) for one in document["steps"]}


@pytest.fixture
def states(tmp_path: Path, capsys: Capture) -> States:
    return States(tmp_path, capsys)


def test_a_freeze_says_since_when_and_why(states: States) -> None:
    states.sql("erp", "UPDATE items SET name = 'Other' WHERE id = 1")
    states.once()
    text, result = states.steps("SKU-1", "name")["frozen"]
    assert text.startswith("frozen until 2999-01-01 00:00:00, since version 1 of ")
    assert result == "golden stays; other edits are stray"
    assert states.steps("SKU-1", "name")["stray"] == ("erp differs and does not own name: Other", "stray_edits: keep")


def test_an_orphan_says_for_whom_it_waits_and_a_parent_without_a_row_too(states: States) -> None:
    states.sql("erp", "UPDATE items SET brand = 'b7' WHERE id = 1")
    states.once()
    assert states.steps("SKU-1", "brand")["orphan"] == ("erp waits for brand b7 of erp", "golden stays until that is a record")
    states.sql("erp", "INSERT INTO brands VALUES ('b7', 'ACME')")
    states.once()
    text, result = states.steps("SKU-1", "brand")["reference"]
    assert (text, result) == ("shop has no row yet that brand refers to", "waits for brand ACME on shop")


def test_what_is_not_made_there_says_why(states: States) -> None:
    states.sql("erp", f"INSERT INTO items VALUES (99, 'NEW', 'New', 'draft', NULL, 5, 1, 1, '{LATE}')")
    states.once()
    assert states.steps("NEW", "name")["absent"] == (
        "shop does not have this record",
        "not made there: state == 'live' is not true",
    )
    assert states.sql("shop", "SELECT count(*) FROM products WHERE sku = 'NEW'") == [(0,)]


def test_what_left_its_scope_says_so(states: States) -> None:
    states.sql("shop", f"UPDATE products SET hidden = 1, updated = '{LATE}' WHERE id = 3")
    states.once()
    states.sql("erp", f"UPDATE items SET price = 11, updated = '{LATE}' WHERE id = 3")
    states.once()
    assert states.steps("SKU-3", "price")["scope"] == (
        "shop: out of scope: hidden != 1 is not true",
        "neither written nor made again",
    )


def test_a_bulk_touch_says_how_many_rows(states: States) -> None:
    states.sql("shop", f"UPDATE products SET price = 99, updated = '{LATE}'")
    states.once()
    document = states.answer("explain", "product", "SKU-5", "price")
    assert document["golden"]["value"] == "10.00"
    steps = {one["code"]: (one["text"], one["result"]) for one in document["steps"]}
    assert steps["recency"] == ("shop holds 99.00", "shop: 30 of 30 rows touched within one second, recency suspended")


def test_a_renamed_record_and_a_group(states: States) -> None:
    states.sql("erp", "UPDATE items SET sku = 'MUG' WHERE id = 2")
    states.once()
    text, result = states.steps("MUG", "width")["named"]
    assert (text, result) == ("product SKU-2 is this record too", "renamed to MUG")
    states.sql("erp", f"UPDATE items SET width = 7, updated = '{LATE}' WHERE id = 2")
    states.once()
    assert " for width and height together" in states.steps("MUG", "width")["rule"][0]


@pytest.mark.parametrize("width", [80, 100])
def test_on_a_terminal_no_line_is_wider_than_it(states: States, width: int) -> None:
    states.sql("erp", "UPDATE items SET name = 'Another name for it', brand = 'b7' WHERE id = 1")
    states.once()
    for field in ("name", "brand", "price", "width"):
        code, text = on_terminal("explain", "product", "SKU-1", field, "--config", states.home / "config", columns=width)
        shown = re.sub(r"\x1b\[[0-9;]*m", "", text)
        assert code == 0
        assert max(len(line) for line in shown.splitlines() if not line.startswith("rule /")) <= width
        assert "product SKU-1" in shown


RULES = ("erp", "{newest: [erp, shop], tie: [erp]}", "{priority: [shop, erp], if_null: next}")


def test_the_past_under_three_configs(states: States) -> None:
    """Each moment is explained with the rules of its time, for every field, whatever came later."""
    file, moments = states.home / "config/entities/product.yaml", []
    for n, rule in enumerate(RULES):
        file.write_text(PRODUCT.replace("{newest: [erp, shop], tie: [erp]}", rule, 1))
        states.sql(
            "erp", f"UPDATE items SET price = {20 + n}, width = {n}, updated = '2026-03-0{n + 1}T10:00:00Z' WHERE id = 4"
        )
        states.once()
        moments.append(now(states))
    golden = []
    for rule, moment in zip(RULES, moments, strict=True):
        document = states.answer("explain", "product", "SKU-4", "--at", moment)
        price = next(one for one in document["fields"] if one["field"] == "price")
        assert price["rule"]["strategy"] == ("owner" if rule == "erp" else rule.strip("{").partition(":")[0])
        assert price["golden"] is not None
        assert {one["field"] for one in document["fields"]} == {"sku", "name", "state", "brand", "price", "width", "height"}
        values = {one["platform"]: one["value"] for one in price["readings"]}
        assert set(values) == {"erp", "shop"}
        golden.append((price["golden"]["value"], values["erp"], document["config_sha"]))
    assert len({sha for *_, sha in golden}) == 3
    assert [value for value, *_ in golden][:2] == ["20.00", "21.00"]
    assert [erp for _, erp, _ in golden][:2] == ["20.00", "21.00"]


def now(states: States) -> str:
    with closing(sqlite3.connect(states.home / "config/state/ledger.db")) as db:
        return str(db.execute("SELECT max(at) FROM decision").fetchone()[0])


def test_every_decision_of_all_this_is_derived_again(states: States) -> None:
    file = states.home / "config/entities/product.yaml"
    for n, rule in enumerate(RULES):
        file.write_text(PRODUCT.replace("{newest: [erp, shop], tie: [erp]}", rule, 1))
        states.sql("erp", f"UPDATE items SET price = {20 + n}, brand = 'b{n}', name = 'n{n}', height = {n}")
        states.sql("shop", f"UPDATE products SET price = {30 + n}, hidden = {n % 2}, updated = '2026-03-0{n + 1}T10:00:00Z'")
        states.sql("erp", f"INSERT INTO brands VALUES ('b{n}', 'B{n}')")
        states.once()
    document: dict[str, Any] = states.answer("ledger", "replay")
    assert document["replay"] == [], json.dumps(document["replay"][:2])
    assert (document["skipped"], document["same"]) == ([], document["decisions"])
    assert document["decisions"] > 100
