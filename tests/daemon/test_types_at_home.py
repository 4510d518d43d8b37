"""A boolean from a database and from a file, through the daemon and back: each as it is spelt there, nothing coerced."""

import csv
import sqlite3

from tests.daemon.world import memory

DB = """
platform: db
connector: sql
mode: enforce
connection: {{dsn: "sqlite:///{path}"}}
watch: {{sweep: 1h}}
collections: {{products: {{table: product, id: id}}}}
"""
DROP = """
platform: drop
connector: file
mode: enforce
connection: {{dir: {path}}}
watch: {{files: {{settle: 10ms}}, sweep: 1h}}
collections: {{stock: {{files: "in/*.csv", format: csv, id: sku, full: false, write: {{file: out/stock.csv}}}}}}
"""
RULES = """
entity: product
in:
  erp: {{collection: items, create: true}}
  db: {{collection: products, create: true}}
  drop: {{collection: stock, create: true}}
identity: {{key: sku, match: [{{by: sku}}], unmatched: {{erp: create, db: create, drop: create}}}}
fields:
  sku: {{type: string, truth: erp, map: {{erp: sku, db: sku, drop: sku}}}}
  open: {{type: boolean, truth: {owner}, map: {{erp: open, db: open, drop: open}}}}
"""


async def test_each_platform_gets_its_own_spelling(world, tmp_path):
    hand = company(world, tmp_path, owner="erp")
    for sku, value in (("A", True), ("B", False)):
        world.platform("erp").put("items", sku, {"id": sku, "sku": sku, "open": value})
    for _ in range(3):
        await world.once()
    assert hand.execute("SELECT sku, open, typeof(open) FROM product ORDER BY sku").fetchall() == [
        ("A", 1, "integer"),
        ("B", 0, "integer"),
    ]
    with (tmp_path / "drop/out/stock.csv").open() as file:
        assert {row["sku"]: row["open"] for row in csv.DictReader(file)} == {"A": "true", "B": "false"}


async def test_a_database_says_one_and_a_file_says_true(world, tmp_path):
    hand = company(world, tmp_path, owner="{priority: [db, drop], if_invalid: next}")
    hand.executemany("INSERT INTO product (sku, open) VALUES (?, ?)", [("A", 1), ("B", 0), ("C", 2)])
    (tmp_path / "drop/in/new.csv").write_text("sku,open\nD,true\nE,false\nF,1\nC,true\n")
    for sku in "ABCDEF":
        world.platform("erp").put("items", sku, {"id": sku, "sku": sku})
    for _ in range(3):
        await world.once()
    told = {thing.item["sku"]: thing.item.get("open") for thing in world.platform("erp").things["items"].values()}
    assert told == {"A": True, "B": False, "C": True, "D": True, "E": False, "F": None}


def company(world, tmp_path, *, owner):
    world.service()
    for name in ("drop/in", "drop/out"):
        (tmp_path / name).mkdir(parents=True)
    hand = sqlite3.connect(tmp_path / "company.db", isolation_level=None)
    hand.execute("CREATE TABLE product (id INTEGER PRIMARY KEY, sku TEXT, open INTEGER)")
    world.write("platforms/erp.yaml", memory("erp"))
    world.write("platforms/db.yaml", DB.format(path=tmp_path / "company.db"))
    world.write("platforms/drop.yaml", DROP.format(path=tmp_path / "drop"))
    world.write("entities/product.yaml", RULES.format(owner=owner))
    return hand
