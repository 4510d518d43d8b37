"""`syncd check --online` against real servers: what each lets us do, and every code it can give."""

import json
import sqlite3
import threading
from collections.abc import Iterator
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from time import time
from typing import Any

import pytest
import sqlalchemy as sa

from syncd.cli.app import main
from tests.config.folders import write
from tests.connectors import servers

ENTITY = """entity: product
in: {erp: {collection: items}, shop: {collection: products}}
identity: {key: sku, match: [{by: sku}]}
fields:
  sku: {type: string, truth: erp, map: {erp: sku, shop: sku}}
  name: {type: string, truth: {newest: [erp, shop]}, map: {erp: name, shop: title}}
"""
ERP = "platform: erp\nconnector: sql\nmode: MODE\nconnection: {dsn: DSN}\ncollections:\n  items: {table: items, id: id}\n"
SHOP = """platform: shop
connector: rest
mode: observe
connection: {base_url: "BASE", auth: {bearer: secret:key}}
collections:
  products: {list: GET /products, id: id}
"""


class Shop(BaseHTTPRequestHandler):
    """Two products for who has the key; its clock is off by ``ahead`` seconds."""

    ahead = 0
    date_time_string = lambda self, timestamp=None: formatdate(time() + type(self).ahead, usegmt=True)  # noqa: E731

    def do_GET(self) -> None:
        good = self.headers.get("Authorization") == "Bearer good"
        body = json.dumps([{"id": 1, "sku": "MUG-1", "title": "Mug"}, {"id": 2, "sku": "LAMP-3"}]) if good else "{}"
        self.send_response(200 if good else 401)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *args: Any) -> None:
        """Say nothing."""


@pytest.fixture
def shop() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Shop)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()
    Shop.ahead = 0


@pytest.fixture
def folder(tmp_path: Path, shop: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    with sqlite3.connect(tmp_path / "erp.db") as db:
        db.execute("CREATE TABLE items (id INTEGER PRIMARY KEY, sku TEXT, name TEXT)")
        db.execute("INSERT INTO items VALUES (1, 'MUG-1', 'Mug')")
    db.close()
    monkeypatch.setenv("SYNCD_SECRET_KEY", "good")
    return configured(tmp_path, f"sqlite:///{tmp_path}/erp.db", shop)


def configured(tmp_path: Path, dsn: str, base: str, *, mode: str = "enforce", entity: str = ENTITY) -> Path:
    erp = ERP.replace("DSN", json.dumps(dsn)).replace("MODE", mode)
    files = {"syncd.yaml": "version: 1\n", "platforms/erp.yaml": erp, "entities/product.yaml": entity}
    return write(tmp_path / "config", files | {"platforms/shop.yaml": SHOP.replace("BASE", base)})


def asked(folder: Path, capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, dict[str, Any], list[str]]:
    exit_code = main(["--config", str(folder), "check", "--online", "--format", "json", *words])
    document = json.loads(capsys.readouterr().out)
    codes = [one["code"] for one in document["diagnostics"] if one["code"][1] == "3"]
    return exit_code, {one["platform"]: one for one in document["platforms"]} | {"complete": document["complete"]}, codes


def test_all_is_well(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    exit_code, found, codes = asked(folder, capsys)
    codes = [code for code in codes if code not in ("W313", "W031")]
    assert (exit_code, codes, found["complete"]) == (0, [], True)
    assert found["erp"] | {"latency_ms": 0} == {
        "platform": "erp",
        "mode": "enforce",
        "login": "ok",
        "may_read": "yes",
        "may_write": "2 of 2 fields",
        "clock_s": None,
        "schema": "2 of 2 fields, read 1",
        "latency_ms": 0,
        "trouble": None,
    }
    assert found["shop"]["may_write"] == "not asked"
    assert abs(found["shop"]["clock_s"]) < 2


def test_a_login_that_is_not_accepted(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SYNCD_SECRET_KEY", "wrong")
    exit_code, found, codes = asked(folder, capsys)
    assert (exit_code, codes, found["shop"]["login"]) == (78, ["E310"], "refused")


def test_a_platform_that_is_not_there(tmp_path: Path, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    configured(tmp_path, f"sqlite:///{tmp_path}/erp.db", "http://127.0.0.1:1")
    exit_code, found, codes = asked(folder, capsys)
    assert (exit_code, codes, found["complete"]) == (3, ["E314"], False)
    assert found["shop"]["login"] == "not reached"
    assert "Connection refused" in found["shop"]["trouble"]


def test_a_column_that_is_not_there(tmp_path: Path, folder: Path, shop: str, capsys: pytest.CaptureFixture[str]) -> None:
    configured(tmp_path, f"sqlite:///{tmp_path}/erp.db", shop, entity=ENTITY.replace("erp: name", "erp: nmae"))
    exit_code, found, codes = asked(folder, capsys)
    assert (exit_code, codes, found["erp"]["schema"]) == (78, ["E313"], "wrong")
    assert 'no column "nmae": did you mean name?' in found["erp"]["trouble"]


def test_a_path_that_nothing_has(tmp_path: Path, folder: Path, shop: str, capsys: pytest.CaptureFixture[str]) -> None:
    configured(tmp_path, f"sqlite:///{tmp_path}/erp.db", shop, entity=ENTITY.replace("shop: title", "shop: titel"))
    exit_code, found, codes = asked(folder, capsys)
    assert (exit_code, codes, found["shop"]["schema"]) == (0, ["W313"], "1 of 2 fields, read 2")
    assert asked(folder, capsys, "--strict")[0] == 78


def test_a_clock_that_is_wrong(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Shop.ahead = 94
    exit_code, found, codes = asked(folder, capsys)
    assert (exit_code, codes) == (0, ["E312"])
    assert 93 <= found["shop"]["clock_s"] <= 95


@pytest.fixture(scope="module")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[sa.URL]:
    with (
        servers.postgres_server(tmp_path_factory.mktemp("postgres")) as server,
        servers.postgres_database(server) as url,
    ):
        yield url


@pytest.mark.parametrize(
    ("grants", "mode", "told", "expected"),
    [
        ("SELECT", "enforce", "NO", (78, ["E311"])),
        ("SELECT, UPDATE (name)", "enforce", "1 of 2 fields", (78, ["E311"])),
        ("SELECT, UPDATE", "enforce", "2 of 2 fields", (0, [])),
        ("SELECT", "observe", "not asked", (0, [])),
    ],
)
def test_rights_in_postgresql(
    folder: Path,
    shop: str,
    postgres: sa.URL,
    grants: str,
    mode: str,
    told: str,
    expected: tuple[int, list[str]],
    capsys: pytest.CaptureFixture[str],
) -> None:
    engine = sa.create_engine(postgres.set(drivername="postgresql+psycopg"))
    with engine.begin() as connection:
        for statement in (
            "DROP TABLE IF EXISTS items",
            "DROP ROLE IF EXISTS syncd_reader",
            "CREATE TABLE items (id int PRIMARY KEY, sku text, name text)",
            "INSERT INTO items VALUES (1, 'MUG-1', 'Mug')",
            "CREATE ROLE syncd_reader LOGIN",
            f"GRANT {grants} ON items TO syncd_reader",
        ):
            connection.exec_driver_sql(statement)
    try:
        dsn = postgres.set(username="syncd_reader", password=None).render_as_string()
        configured(folder.parent, dsn, shop, mode=mode)
        exit_code, found, codes = asked(folder, capsys)
        assert (exit_code, [code for code in codes if code != "W313"]) == expected
        assert found["erp"]["may_write"] == told
        assert found["erp"]["clock_s"] is None or abs(found["erp"]["clock_s"]) < 1
    finally:
        with engine.begin() as connection:
            connection.exec_driver_sql("DROP TABLE items")
            connection.exec_driver_sql("DROP ROLE syncd_reader")
        engine.dispose()


def test_columns_outside_the_wall_need_no_right(
    folder: Path, shop: str, postgres: sa.URL, capsys: pytest.CaptureFixture[str]
) -> None:
    engine = sa.create_engine(postgres.set(drivername="postgresql+psycopg"))
    with engine.begin() as connection:
        for statement in (
            "CREATE TABLE items (id int PRIMARY KEY, sku text, name text)",
            "INSERT INTO items VALUES (1, 'MUG-1', 'Mug')",
            "CREATE ROLE syncd_reader LOGIN",
            "GRANT SELECT, UPDATE (name) ON items TO syncd_reader",
        ):
            connection.exec_driver_sql(statement)
    try:
        configured(folder.parent, postgres.set(username="syncd_reader", password=None).render_as_string(), shop)
        erp = folder / "platforms" / "erp.yaml"
        erp.write_text(erp.read_text().replace("id: id}", "id: id, writable: [name]}"))
        exit_code, _, codes = asked(folder, capsys)
        assert (exit_code, [code for code in codes if code != "W313"]) == (0, [])
    finally:
        with engine.begin() as connection:
            connection.exec_driver_sql("DROP TABLE items")
            connection.exec_driver_sql("DROP ROLE syncd_reader")
        engine.dispose()


MARIADB = [("SELECT", "NO"), ("SELECT, UPDATE (name)", "1 of 2 fields"), ("ALL", "2 of 2 fields")]


@pytest.mark.parametrize(("grants", "told"), MARIADB)
def test_rights_in_mariadb(folder: Path, shop: str, grants: str, told: str, capsys: pytest.CaptureFixture[str]) -> None:
    with servers.mariadb_database() as url:
        reader = [f"{url.database}_r@'%'", f"{url.database}_r@localhost"]
        granted = "".join(f"CREATE USER {one}; GRANT {grants} ON {url.database}.items TO {one};" for one in reader)
        servers.mariadb(f"CREATE TABLE {url.database}.items (id int PRIMARY KEY, sku varchar(99), name text); {granted}")
        try:
            dsn = url.set(username=f"{url.database}_r", password=None).render_as_string()
            configured(folder.parent, dsn, shop)
            assert asked(folder, capsys)[1]["erp"]["may_write"] == told
        finally:
            servers.mariadb(f"DROP USER {', '.join(reader)}")


def test_the_page(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--config", str(folder), "check", "--online", "-v"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("  platform   login   may read   may write       ")
    assert "erp        ok      yes        2 of 2 fields" in out
