"""References where ids are numbers: a database with foreign keys, and a JSON API. Both get ids as they show them."""

import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from tests.connectors.shop import Shop
from tests.daemon.world import memory

TABLES = """
CREATE TABLE brand (id INTEGER PRIMARY KEY, code TEXT UNIQUE, parent INTEGER REFERENCES brand (id),
  best INTEGER REFERENCES product (id));
CREATE TABLE product (id INTEGER PRIMARY KEY, sku TEXT UNIQUE, brand INTEGER {null} REFERENCES brand (id),
  CHECK (typeof(brand) IN ('integer', 'null')));
CREATE TRIGGER strict BEFORE INSERT ON product WHEN NEW.brand IS NOT NULL AND NOT EXISTS
  (SELECT 1 FROM brand WHERE id = NEW.brand) BEGIN SELECT RAISE(ABORT, 'no such brand'); END;
INSERT INTO brand (id, code) VALUES (40, 'OLD');
"""
SQL = """
platform: db
connector: sql
mode: enforce
connection: {{dsn: "sqlite:///{path}"}}
watch: {{poll: {{every: 20ms}}, sweep: 1h}}
write: {{retry: {{attempts: 3, first: 20ms, max: 200ms}}}}
collections:
  brands: {{table: brand, id: id}}
  products: {{table: product, id: id}}
"""
API = """
platform: api
connector: rest
mode: enforce
connection: {{base_url: "{url}"}}
watch: {{poll: {{every: 20ms}}, sweep: 1h}}
write: {{retry: {{attempts: 3, first: 20ms, max: 200ms}}}}
collections:
  brands: {{list: "GET /b/products?page={{page}}&per_page={{size}}", pages: {{by: page, start: 1, size: 100}}, items: data,
    read: "GET /b/products/{{id}}", create: POST /b/products,
    update: "PATCH /b/products/{{id}}", delete: "DELETE /b/products/{{id}}",
    id: id, version: etag}}
  products: {{list: "GET /p/products?page={{page}}&per_page={{size}}", pages: {{by: page, start: 1, size: 100}}, items: data,
    read: "GET /p/products/{{id}}", create: POST /p/products,
    update: "PATCH /p/products/{{id}}", delete: "DELETE /p/products/{{id}}",
    id: id, version: etag}}
"""
BRAND = """
entity: brand
in:
  erp: {{collection: brands, create: true}}
  {to}: {{collection: brands, create: true}}
identity: {{key: code, match: [{{by: code}}], unmatched: {{erp: create, {to}: create}}}}
fields:
  code: {{type: string, truth: erp, map: {{erp: code, {to}: {code}}}}}
  parent: {{type: ref(brand), truth: erp, map: {{erp: parent, {to}: parent}}}}
  {more}
deletes: {{authority: erp, then: {{{to}: delete}}, confirm: {{sweeps: 1, wait: 0s}}, elsewhere: restore}}
"""
PRODUCT = """
entity: product
in:
  erp: {{collection: items, create: true}}
  {to}: {{collection: products, create: true}}
identity: {{key: sku, match: [{{by: sku}}], unmatched: {{erp: create, {to}: create}}}}
fields:
  sku: {{type: string, truth: erp, map: {{erp: sku, {to}: sku}}}}
  brand: {{type: {type}, truth: erp, map: {{erp: brand, {to}: {place}}}}}
"""


def rules(world: Any, to: str, *, place: str = "brand", kind: str = "ref(brand)", more: str = "", code: str = "code") -> None:
    world.service()
    erp = memory("erp", collection="items").rstrip() + "\n  brands: {id: id, version: version}\n"
    world.write("platforms/erp.yaml", erp)
    world.write("entities/brand.yaml", BRAND.format(to=to, more=more, code=code))
    world.write("entities/product.yaml", PRODUCT.format(to=to, place=place, type=kind))


@pytest.fixture
def db(world: Any, tmp_path: Path) -> sqlite3.Connection:
    """A database in which a product cannot be without its brand, with a brand of its own."""
    path = tmp_path / "company.db"
    hand = sqlite3.connect(path, isolation_level=None)
    hand.executescript(TABLES.format(null="NOT NULL"))
    rules(world, "db")
    world.write("platforms/db.yaml", SQL.format(path=path))
    return hand


def brand(world: Any, native: object, code: str, **more: Any) -> None:
    world.platform("erp").put("brands", str(native), {"id": native, "code": code, "parent": None, **more})


def item(world: Any, native: object, sku: str, above: object) -> None:
    world.platform("erp").put("items", str(native), {"id": native, "sku": sku, "brand": above})


async def passes(world: Any, times: int = 4) -> None:
    for _ in range(times):
        await world.once()


def brands(db: sqlite3.Connection) -> list[tuple[str, str, str]]:
    """Return each product's brand by code, with how its id is kept."""
    rows = db.execute("SELECT sku, code, typeof(p.brand) FROM product p JOIN brand b ON b.id = p.brand ORDER BY sku")
    return [tuple(row) for row in rows]


async def test_a_foreign_key_is_a_number_and_the_parent_is_there_first(world, db):
    item(world, 1, "MUG", 7)
    brand(world, 7, "ACME")
    brand(world, 8, "OLD")
    await passes(world)
    assert brands(db) == [("MUG", "ACME", "integer")]
    item(world, 1, "MUG", 8)
    await passes(world, 2)
    assert brands(db) == [("MUG", "OLD", "integer")]


async def test_numbers_are_read_back_as_records(world, db):
    brand(world, 7, "ACME")
    brand(world, 8, "OLD")
    item(world, 1, "MUG", 7)
    await passes(world)
    (acme,) = db.execute("SELECT id FROM brand WHERE code = 'ACME'").fetchone()
    db.execute("UPDATE product SET brand = 40")
    await passes(world, 2)
    assert db.execute("SELECT brand FROM product").fetchall() == [(acme,)]  # a stray edit, put back


async def test_a_column_without_not_null_gets_its_circle_by_an_update(world, tmp_path):
    path = tmp_path / "company.db"
    hand = sqlite3.connect(path, isolation_level=None)
    hand.executescript(TABLES.format(null=""))
    rules(world, "db", more="best: {type: ref(product), truth: erp, map: {erp: best, db: best}}")
    world.write("platforms/db.yaml", SQL.format(path=path))
    brand(world, 7, "ACME", best=1)
    item(world, 1, "MUG", 7)
    await passes(world, 5)
    assert brands(hand) == [("MUG", "ACME", "integer")]
    assert hand.execute("SELECT sku FROM brand b JOIN product p ON p.id = b.best").fetchall() == [("MUG",)]


@asynccontextmanager
async def api(world: Any) -> AsyncIterator[tuple[Shop, Shop]]:
    """A JSON API with brands and products."""
    made = Shop(), Shop()
    app = web.Application()
    app.add_subapp("/b", made[0].app())
    app.add_subapp("/p", made[1].app())
    async with TestServer(app) as server:
        world.write("platforms/api.yaml", API.format(url=str(server.make_url("")).rstrip("/")))
        yield made


@pytest.mark.parametrize(
    ("place", "kind", "said", "want"),
    [
        ("brand", "ref(brand)", 7, lambda n: n),
        ("{path: brand, write: [text]}", "ref(brand)", 7, str),
        ("{path: brand, read: [ref(brand)], write: [ref(brand), round(0)]}", "ref(brand)", "7", lambda n: n),
        ("brand", "list(brand)", [8, 7], lambda n: n),
        ("{path: brand, read: ['split(\";\")']}", "list(brand)", [8, 7], str),
        ("{path: brand, read: [strip_zeros], write: [pad_zeros(5)]}", "ref(brand)", 7, lambda n: f"{n:05}"),
    ],
)
async def test_a_json_api_gets_ids_as_it_shows_them(world, place, kind, said, want):
    rules(world, "api", place=place, kind=kind, code="sku")
    async with api(world) as (above, below):
        above.put({"sku": "THERE"})
        brand(world, 7, "ACME")
        brand(world, 8, "OTHER")
        item(world, 1, "MUG", said)
        await passes(world)
        ids = {one["sku"]: one["id"] for one in above.things.values()}
        (mug,) = below.things.values()
        wanted = [want(ids["OTHER"]), want(ids["ACME"])] if kind.startswith("list") else want(ids["ACME"])
        assert mug["brand"] == (";".join(wanted) if "split" in place else wanted)
        before = above.writes + below.writes
        await passes(world, 2)
        assert above.writes + below.writes == before
