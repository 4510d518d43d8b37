"""The platforms of the contract's pages, read with the connectors that are really there."""

from pathlib import Path

import pytest

from syncd.config.load import load
from syncd.config.model import Loaded
from syncd.connectors.registry import KINDS
from tests.config.folders import example, write

REST = """platform: shop
connector: rest
mode: enforce
connection:
  base_url: https://shop.example.com
  auth: {bearer: secret:shop-key}
  headers: {Accept: application/json}
  timeout: 30s
watch:
  poll: {every: 10s, overlap: 5s}
  webhook:
    path: /hooks/shop
    verify: {scheme: standard-webhooks, secret: secret:shop-hook}
    event: {id: id, type: type, item: data, changed_at: timestamp, deleted: [product.deleted]}
  sweep: 15m
limits: {rate: 20/s, burst: 40, concurrency: 4}
write: {guard: version, retry: {attempts: 8, first: 1s, max: 5m}}
collections:
  products:
    list: GET /products?page={page}&per_page={size}
    changed: GET /products?updated_since={since}&page={page}&per_page={size}
    pages: {by: page, start: 1, size: 100}
    items: data
    read: GET /products/{id}
    find: GET /products?sku={sku}
    create: POST /products
    update: PATCH /products/{id}
    delete: DELETE /products/{id}
    item: ""
    id: id
    changed_at: updated_at
    version: etag
    deleted: {field: status, is: archived}
"""
SQL = """platform: erp
connector: sql
connection: {dsn: "postgresql://syncd@localhost/erp", password: secret:erp-db}
watch:
  poll: {every: 5s, overlap: 2s}
  sweep: 10m
collections:
  items: {table: products, id: product_id, changed_at: updated_at, version: row_version,
          where: "discontinued = 0", writable: [unit_price, units_in_stock]}
"""
FILE = """platform: warehouse
connector: file
connection: {dir: /srv/drop}
watch: {files: {settle: 2s}}
collections:
  stock: {files: "stock*.csv", format: csv, delimiter: ";", encoding: utf-8, id: sku,
          full: true,
          write: {file: "out/stock.csv"}}
"""
MQTT = """platform: shelves
connector: mqtt
connection: {host: localhost, port: 1883, user: syncd, password: secret:mqtt, client_id: syncd}
watch: {stream: {qos: 1, session: 1h}}
collections:
  levels: {topic: "shelf/{id}/level", payload: json, changed_at: at, write: {topic: "shelf/{id}/set", retain: true}}
"""
MEMORY = """platform: scratch
connector: memory
connection: {load: things.jsonl}
collections:
  things: {id: id}
"""
SAMPLES = {"shop": REST, "erp": SQL, "warehouse": FILE, "shelves": MQTT, "scratch": MEMORY}


def read(folder: Path) -> Loaded:
    return load(folder, KINDS, environ={"HOME": "/h"})


def told(found: Loaded) -> list[tuple[str, int, int]]:
    return [(one.code, one.line, one.col) for one in found.diagnostics if one.code != "W032"]


@pytest.mark.parametrize("name", SAMPLES)
def test_a_platform_of_the_contract_is_good_as_it_is(tmp_path: Path, name: str) -> None:
    found = read(write(tmp_path, {f"platforms/{name}.yaml": SAMPLES[name]}))
    assert [one.text() for one in found.errors] == []
    assert found.config is not None
    platform = found.config.platforms[name]
    assert platform.collections
    assert platform.webhook == (name == "shop")


@pytest.mark.parametrize(
    ("name", "old", "new", "expected"),
    [
        ("shop", "timeout: 30s", "timeout: 30", ("E015", 8, 12)),
        ("shop", "https://shop.example.com", "5", ("E010", 5, 13)),
        ("shop", "bearer: secret:shop-key", "bearrer: secret:shop-key", ("E101", 6, 10)),
        ("shop", "every: 10s", "every: 10", ("E015", 10, 17)),
        ("shop", "sweep: 15m", "sweep: 15", ("E015", 15, 10)),
        ("shop", "    verify: {scheme: standard-webhooks, secret: secret:shop-hook}\n", "", ("E052", 11, 3)),
        ("shop", "    id: id\n", "", ("E102", 19, 3)),
        ("shop", "by: page", "by: pge", ("E011", 22, 17)),
        ("shop", "size: 100", "size: x", ("E010", 22, 39)),
        ("shop", "deleted: {field: status, is: archived}", "deleted: {field: status}", ("E102", 33, 5)),
        ("erp", "table: products", "tabel: products", ("E101", 8, 11)),
        ("erp", "  sweep: 10m", "  changes: trigger", ("E190", 6, 3)),
        ("erp", "id: product_id", "id: [a, b]", ("E190", 8, 32)),
        ("erp", "writable: [unit_price, units_in_stock]", "writable: unit_price", ("E010", 9, 48)),
        ("warehouse", "format: csv", "format: xlsx", ("E190", 6, 40)),
        ("warehouse", "full: true", "full: yes", ("E010", 7, 17)),
        ("shelves", "port: 1883", 'port: "1883"', ("E010", 3, 37)),
        ("shelves", "qos: 1", "qos: 3", ("E011", 4, 23)),
    ],
)
def test_a_mistake_in_it_is_told_once_at_its_place(
    tmp_path: Path, name: str, old: str, new: str, expected: tuple[str, int, int]
) -> None:
    assert old in SAMPLES[name]
    found = read(write(tmp_path, {f"platforms/{name}.yaml": SAMPLES[name].replace(old, new)}))
    assert told(found) == [expected], [one.text() for one in found.diagnostics]


def test_the_example_gives_no_errors(tmp_path: Path) -> None:
    assert [one.text() for one in read(example(tmp_path)).errors] == []


@pytest.mark.parametrize("folder", ["syncd/demo/config", "examples/northwind/config"])
def test_what_is_shipped_is_good(folder: str) -> None:
    found = read(Path(__file__).parents[2] / folder)
    assert [one.text() for one in found.errors] == []
