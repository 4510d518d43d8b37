"""`syncd check --online` against the emulated shop: what the app's scopes, its subscriptions and its schema say."""

import asyncio
import json
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from syncd.cli.app import main
from tests.config.folders import write
from tests.connectors.shopify_world import ServedShop, served_shop
from tests.emulators.shopify.schema import needed

ENTITY = """entity: product
in: {erp: {collection: items}, shopify: {collection: products}}
identity: {key: sku, match: [{by: sku}], unmatched: {erp: review, shopify: ignore}}
fields:
  sku: {type: string, truth: erp, map: {erp: sku, shopify: variants.0.sku}}
  name: {type: string, truth: erp, map: {erp: name, shopify: NAME}}
  stock: {type: integer, truth: erp, map: {erp: stock, shopify: variants.0.inventoryQuantity}}
deletes: {authority: manual}
"""
SHOPIFY = """platform: shopify
connector: shopify
mode: enforce
connection: {shop: "127.0.0.1:PORT", token: secret:shopify-token}
watch:
  webhook:
    path: /hooks/shopify
    topics: [products/create, products/update]
    verify: {scheme: shopify-hmac, secret: secret:shopify-app}
  poll: {every: 10m}
collections:
  products: {object: Product, id: id, changed_at: updatedAt}
"""
ERP = "platform: erp\nconnector: sql\nmode: observe\nconnection: {dsn: DSN}\ncollections:\n  items: {table: items, id: id}\n"
ENOUGH = ["read_products", "write_products", "read_inventory", "write_inventory", "read_locations"]


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ServedShop]:
    """Serve a shop from another thread, with one product and both topics subscribed to."""
    monkeypatch.setenv("SYNCD_SECRET_SHOPIFY_TOKEN", "shpat_test")
    monkeypatch.setenv("SYNCD_SECRET_SHOPIFY_APP", "hush")
    with sqlite3.connect(tmp_path / "erp.db") as db:
        db.execute("CREATE TABLE items (id INTEGER PRIMARY KEY, sku TEXT, name TEXT, stock INTEGER)")
        db.execute("INSERT INTO items VALUES (1, 'MUG-1', 'Mug', 3)")
    db.close()
    loop, over, begun = asyncio.new_event_loop(), asyncio.Event(), threading.Event()
    found: list[ServedShop] = []

    async def serve() -> None:
        async with served_shop() as made:
            made.hand.product(title="Mug", variants=[{"sku": "MUG-1", "price": "12.00", "stock": 3}])
            for topic in ("PRODUCTS_CREATE", "PRODUCTS_UPDATE"):
                made.hand.subscribe(topic, "https://hooks.example.com/hooks/shopify")
            made.emulator.logins.scopes = list(ENOUGH)
            found.append(made)
            begun.set()
            await over.wait()

    needed()
    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),), daemon=True)
    thread.start()
    assert begun.wait(30)
    yield found[0]
    loop.call_soon_threadsafe(over.set)
    thread.join()
    loop.close()


def configured(folder: Path, shop: ServedShop, *, name: str = "title", mode: str = "enforce") -> str:
    text = SHOPIFY.replace("PORT", str(shop.server.port)).replace("enforce", mode)
    service = f"version: 1\nlisten: {{control: {folder}/control.sock}}\n"
    erp = ERP.replace("DSN", json.dumps(f"sqlite:///{folder}/erp.db"))
    files = {"syncd.yaml": service, "platforms/erp.yaml": erp, "platforms/shopify.yaml": text}
    return str(write(folder / "config", files | {"entities/product.yaml": ENTITY.replace("NAME", name)}))


def asked(config: str, capsys: pytest.CaptureFixture[str]) -> tuple[int, dict[str, Any], list[dict[str, Any]]]:
    exit_code = main(["--config", config, "check", "--online", "--format", "json"])
    document = json.loads(capsys.readouterr().out)
    shown = {one["platform"]: one for one in document["platforms"]}
    codes = [one for one in document["diagnostics"] if one["code"][1] == "3" and one["file"].endswith("shopify.yaml")]
    return exit_code, shown["shopify"], codes


def test_all_is_well(shop: ServedShop, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    exit_code, shown, codes = asked(configured(tmp_path, shop), capsys)
    assert (exit_code, codes) == (0, [])
    assert (shown["login"], shown["may_read"], shown["may_write"]) == ("ok", "yes", "3 of 3 fields")
    assert shown["schema"] == "4 of 4 fields, read 1", "three and the mark of an archived product"
    assert abs(shown["clock_s"]) < 2
    assert shop.emulator.writes == 0, "nothing is written to ask"


def test_a_token_that_may_not_write_is_told_as_the_command_line_promises(
    shop: ServedShop, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shop.emulator.logins.scopes = ["read_products", "read_inventory"]
    assert main(["--config", configured(tmp_path, shop), "check", "--online"]) == 78
    told = capsys.readouterr().out
    expected = """shopify.yaml:3:1: error E311: mode enforce, but the token cannot write products
   3 | mode: enforce
     | ^^^^ the token has: read_inventory, read_products
  why  every write would be refused and land in dead letters
  fix  give the app the scope write_inventory, write_products, or set  mode: observe
"""
    assert expected in told
    assert "1 error" in told


@pytest.mark.parametrize(
    ("mode", "code", "scope"), [("enforce", "E311", "write_products"), ("observe", "E315", "read_products")]
)
def test_a_scope_that_is_missing_for_reading_is_named(
    shop: ServedShop, tmp_path: Path, capsys: pytest.CaptureFixture[str], mode: str, code: str, scope: str
) -> None:
    shop.emulator.logins.scopes = ["read_inventory", *(["write_inventory"] if mode == "enforce" else [])]
    exit_code, shown, [told] = asked(configured(tmp_path, shop, mode=mode), capsys)
    assert (exit_code, told["code"]) == (78, code)
    assert scope in told["fix"]
    assert (shown["login"], shown["may_read"], shown["schema"]) == ("ok", "no", "not seen"), "the login is good"


def test_who_only_observes_needs_no_right_to_write(
    shop: ServedShop, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shop.emulator.logins.scopes = ["read_products", "read_inventory"]
    exit_code, _, codes = asked(configured(tmp_path, shop, mode="observe"), capsys)
    assert (exit_code, codes) == (0, []), "as E311 says: give it the scope, or set mode: observe"
    shop.emulator.logins.scopes.append("write_products")
    _, _, [told] = asked(configured(tmp_path, shop, mode="observe"), capsys)
    assert (told["code"], told["hint"]) == ("W314", "not needed: write_products")


def test_scopes_that_nothing_needs(shop: ServedShop, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shop.emulator.logins.scopes += ["write_orders", "read_customers"]
    exit_code, _, codes = asked(configured(tmp_path, shop), capsys)
    assert (exit_code, [one["code"] for one in codes]) == (0, ["W314"])
    assert codes[0]["hint"] == "not needed: read_customers, write_orders"
    assert codes[0]["line"] == 4


def test_a_topic_that_nobody_sends(shop: ServedShop, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    [gone] = [one for one in shop.emulator.shop.all("WebhookSubscription") if one["topic"] == "PRODUCTS_UPDATE"]
    del shop.emulator.shop.of["WebhookSubscription"][gone["id"]]
    exit_code, _, codes = asked(configured(tmp_path, shop), capsys)
    assert (exit_code, [one["code"] for one in codes]) == (0, ["W315"])
    assert codes[0]["message"] == "shopify sends no webhook for products/update"


def test_a_token_that_is_refused(shop: ServedShop, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shop.emulator.logins.expire()
    exit_code, shown, codes = asked(configured(tmp_path, shop), capsys)
    assert (exit_code, [one["code"] for one in codes], shown["login"]) == (78, ["E310"], "refused")


def test_a_field_that_the_shop_does_not_have(shop: ServedShop, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    exit_code, _, codes = asked(configured(tmp_path, shop, name="titel"), capsys)
    assert (exit_code, [one["code"] for one in codes]) == (78, ["E313"])
    assert "titel" in codes[0]["hint"]
