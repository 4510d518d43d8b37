"""The commands on two real databases, without a daemon: each takes the ledger's lock, does its work and lets go."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from syncd.cli import main
from syncd.ledger.lock import locked
from tests.cli.scene import SERVICE

Capture = pytest.CaptureFixture[str]

ERP = """\
platform: erp
connector: sql
mode: observe
connection: {dsn: "sqlite:///../erp.db"}
watch: {sweep: 15m}
collections:
  items: {table: items, id: sku}
"""
SHOP = """\
platform: shop
connector: sql
mode: propose
connection: {dsn: "sqlite:///../shop.db"}
watch: {sweep: 15m}
collections:
  products: {table: products, id: id}
"""
PRODUCT = """\
entity: product
in:
  erp: {collection: items}
  shop: {collection: products}
identity: {key: sku, unmatched: {erp: create, shop: review}}
fields:
  sku: {type: string, required: true, truth: erp, map: {erp: sku, shop: sku}}
  name: {type: string, truth: erp, map: {erp: name, shop: title}}
  price: {type: decimal(2), truth: erp, map: {erp: price, shop: price}, check: {max_step: 50%}}
"""


class Shop:
    """Two databases, the config that joins them, and the command on it."""

    def __init__(self, home: Path, capsys: Capture) -> None:
        self.home = home
        self.capsys = capsys
        for name, text in (
            ("syncd.yaml", SERVICE + "reconcile: {settle: 1s}\n"),
            ("platforms/erp.yaml", ERP),
            ("platforms/shop.yaml", SHOP),
            ("entities/product.yaml", PRODUCT),
        ):
            (home / "config" / name).parent.mkdir(parents=True, exist_ok=True)
            (home / "config" / name).write_text(text)
        (home / "config/state").mkdir()
        self.sql("erp", "CREATE TABLE items (sku TEXT PRIMARY KEY, name TEXT, price NUMERIC)")
        self.sql("erp", "INSERT INTO items VALUES ('MUG-1', 'Mug', 12.5), ('LAMP-3', 'Lamp', 10)")
        self.sql("shop", "CREATE TABLE products (id INTEGER PRIMARY KEY, sku TEXT, title TEXT, price NUMERIC)")
        self.sql("shop", "INSERT INTO products VALUES (1, 'MUG-1', 'Old mug', 9.99), (2, 'LAMP-3', 'Lamp', 10)")

    def sql(self, name: str, text: str) -> list[Any]:
        with closing(sqlite3.connect(self.home / f"{name}.db")) as db, db:
            return db.execute(text).fetchall()

    def syncd(self, *words: str) -> int:
        """Run a command and return its exit code."""
        return main([*words, "--config", str(self.home / "config")])

    def answer(self, *words: str) -> dict[str, Any]:
        """Run a command and return what it printed as JSON."""
        self.capsys.readouterr()
        assert self.syncd(*words, "--format", "json") in {0, 2}
        found: dict[str, Any] = json.loads(self.capsys.readouterr().out)
        return found

    def settle(self) -> None:
        """Pass until everything is matched."""
        for _ in range(3):
            assert self.syncd("run", "--once") == 0
            if not [one for one in self.answer("conflicts")["conflicts"] if one["kind"] == "identity"]:
                return
        raise AssertionError("the products of both sides do not match")


@pytest.fixture
def shop(tmp_path: Path, capsys: Capture) -> Shop:
    return Shop(tmp_path, capsys)


def test_a_platform_in_propose_is_written_once_approved(shop: Shop) -> None:
    shop.settle()
    (change,) = shop.answer("changes")["changes"]
    assert (change["record"], change["platform"], change["op"]) == ("MUG-1", "shop", "update")
    assert {one["field"]: (one["before"], one["after"]) for one in change["fields"]} == {
        "name": ("Old mug", "Mug"),
        "price": ("9.99", "12.50"),
    }
    assert shop.sql("shop", "SELECT title FROM products WHERE id = 1") == [("Old mug",)]
    written = shop.answer("changes", "approve", change["id"])
    assert {one["state"] for one in written["lines"]} == {"ok"}
    assert shop.sql("shop", "SELECT title, price FROM products WHERE id = 1") == [("Mug", 12.5)]
    assert shop.syncd("reconcile", "--exit-code") == 0
    steps = shop.answer("explain", "product", "MUG-1", "price")["steps"]
    assert steps[-1]["code"] == "written"


def test_drift_is_reported_and_changes_nothing_until_it_is_fixed(shop: Shop) -> None:
    shop.settle()
    shop.answer("changes", "approve", "--all", "--yes")
    shop.sql("shop", "UPDATE products SET price = 1 WHERE id = 1")
    report = shop.answer("reconcile", "--exit-code")
    (row,) = report["rows"]
    assert (row["record"], row["field"], row["platform"], row["why"]) == ("MUG-1", "price", "shop", "stray")
    assert (row["truth"]["value"], row["found"]["value"], row["times_seen"]) == ("12.50", "1.00", 1)
    assert row["rule"]["strategy"] == "owner"
    assert (report["totals"]["records"], report["totals"]["out_of_sync"], report["complete"]) == (2, 1, True)
    assert shop.syncd("reconcile", "--exit-code") == 2
    assert shop.sql("shop", "SELECT price FROM products WHERE id = 1") == [(1,)]
    assert shop.syncd("reconcile", "--fix", "--yes") == 0  # in propose a repair is a change that waits
    assert shop.answer("changes")["changes"]
    shop.answer("changes", "approve", "--all", "--yes")
    assert shop.sql("shop", "SELECT price FROM products WHERE id = 1") == [(12.5,)]


def test_a_jump_waits_for_a_person(shop: Shop) -> None:
    shop.settle()
    shop.answer("changes", "approve", "--all", "--yes")
    shop.sql("erp", "UPDATE items SET price = 99 WHERE sku = 'MUG-1'")
    assert shop.syncd("run", "--once") == 0
    assert shop.syncd("run", "--once", "--exit-code") == 2
    (conflict,) = shop.answer("conflicts")["conflicts"]
    assert (conflict["record"], conflict["field"], conflict["kind"]) == ("MUG-1", "price", "step")
    assert shop.syncd("status", "--exit-code") == 2
    assert shop.syncd("conflicts", "resolve", conflict["id"], "--value", "14.50", "--note", "agreed") == 0
    assert shop.answer("conflicts")["conflicts"] == []
    assert shop.answer("explain", "product", "MUG-1", "price")["golden"]["value"] == "14.50"
    last, *_ = shop.answer("history", "product", "MUG-1", "price")["versions"]
    (step,) = last["fields"]
    assert (last["version"], step["before"], step["after"], step["from"]) == (2, "12.50", "14.50", "person")
    assert step["why"].startswith(f"conflict {conflict['id']} settled by cli:")
    assert shop.syncd("conflicts", "resolve", "c-999", "--keep") == 1


def test_a_ledger_in_use_is_75(shop: Shop) -> None:
    shop.settle()
    with locked(shop.home / "config/state/ledger.db"):
        for words in (["run", "--once"], ["reconcile"], ["changes", "approve", "ch-1"]):
            shop.capsys.readouterr()
            assert shop.syncd(*words) == 75
            assert "is in use by process" in shop.capsys.readouterr().err
        assert shop.syncd("status") == 0


def test_a_platform_that_cannot_be_read_is_3_and_in_sync_is_not_claimed(shop: Shop) -> None:
    shop.settle()
    shop.answer("changes", "approve", "--all", "--yes")
    (shop.home / "shop.db").rename(shop.home / "away.db")
    shop.capsys.readouterr()
    assert shop.syncd("reconcile") == 3
    out = shop.capsys.readouterr().out
    assert "INCOMPLETE, 1 of 2 platforms" in out
    assert "shop could not be read: nothing is claimed about it." in out
    assert shop.syncd("run", "--once") == 3


def test_a_config_with_errors_is_78_before_any_work(shop: Shop) -> None:
    (shop.home / "config/platforms/erp.yaml").write_text(ERP + "nonsense: 1\n")
    for words in (["run"], ["run", "--once"], ["reconcile"], ["check"]):
        assert shop.syncd(*words) == 78
    assert not (shop.home / "config/state/ledger.db").exists()
