"""A config folder with a filled ledger, the command run in this process or as a real one, and a daemon that only answers."""

import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from syncd.ledger.reading import read_only
from tests.reports.scene import fill, open_ledger

ROOT = Path(__file__).parents[2]
SYNCD = Path(sys.executable).with_name("syncd")

SERVICE = """\
version: 1
environment: test
ledger: {path: state/ledger.db}
listen: {hooks: none, console: none, control: control.sock}
secrets_dir: secrets
"""
ERP = """\
platform: erp
connector: sql
mode: observe
connection: {dsn: "sqlite:///erp.db", password: secret:erp-db}
watch: {sweep: 15m}
collections:
  items: {table: items, id: sku}
"""
SHOP = """\
platform: shop
connector: rest
mode: enforce
connection: {base_url: "http://127.0.0.1:1", auth: {bearer: secret:shop-key}}
watch: {poll: {every: 10s}, sweep: 15m}
collections:
  products:
    list: GET /products
    read: GET /products/{id}
    find: GET /products?sku={sku}
    update: PATCH /products/{id}
    id: id
    version: etag
"""
PRODUCT = """\
entity: product
label: "{name} ({sku})"
in:
  erp: {collection: items}
  shop: {collection: products}
identity: {key: sku}
fields:
  sku:
    type: string
    required: true
    truth: erp
    map: {erp: sku, shop: sku}
  name:
    type: string
    truth: erp
    map: {erp: name, shop: title}
  price:
    type: decimal(2)
    truth: {owner: erp, if_null: keep}
    map:
      erp: price
      shop: {path: price, write: [text]}
"""


def make_folder(tmp_path: Path, *, ledger: bool = True) -> Path:
    """Write a config folder, with a filled ledger if asked."""
    folder = tmp_path / "config"
    for name, text in (
        ("syncd.yaml", SERVICE),
        ("platforms/erp.yaml", ERP),
        ("platforms/shop.yaml", SHOP),
        ("entities/product.yaml", PRODUCT),
    ):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    if ledger:
        (folder / "state").mkdir()
        db = open_ledger(folder / "state/ledger.db")
        fill(db)
        db.close()
    return folder


def environment(**more: str) -> dict[str, str]:
    """The environment of a test's command: no colours, no config from outside."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return kept | {"PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "error"} | more


def run(*words: str | Path, stdin: str = "", cwd: Path | None = None, **env: str) -> subprocess.CompletedProcess[str]:
    """Run the real command with pipes."""
    return subprocess.run(
        [SYNCD, *map(str, words)],
        input=stdin,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        cwd=cwd,
        env=environment(**env),
    )


@contextmanager
def daemon(path: Path, answer: Callable[[dict[str, Any]], list[dict[str, Any]]]) -> Iterator[list[dict[str, Any]]]:
    """Listen at a control socket and answer each request with these lines; yields the requests."""
    asked: list[dict[str, Any]] = []
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))
        server.listen()
        server.settimeout(0.05)
        done = threading.Event()

        def serve() -> None:
            while not done.is_set():
                try:
                    line, _ = server.accept()
                except TimeoutError:
                    continue
                with line, line.makefile("rwb") as stream:
                    line.settimeout(5)
                    text = stream.readline()
                    if text:
                        asked.append(json.loads(text))
                        stream.write(b"".join(json.dumps(one).encode() + b"\n" for one in answer(asked[-1])))
                        stream.flush()

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield asked
        finally:
            done.set()
            thread.join()
    path.unlink()


def counts(folder: Path) -> dict[str, int]:
    """How many rows of what waits the ledger has."""
    with read_only(folder / "state/ledger.db") as db:
        return {name: db.execute(f"SELECT count(*) FROM {name}").fetchone()[0] for name in ("conflict", "dead_letter")}
