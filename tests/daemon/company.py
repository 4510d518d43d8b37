"""A company on real sockets and files: a REST shop, an ERP in SQLite, a config folder, and syncd as a process of its own."""

import asyncio
import os
import signal
import sqlite3
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from textwrap import dedent
from typing import Any

from syncd.cli import socket as client
from tests.connectors.shop import Shop, serving

SECRET = "whsec_c3luY2Qgc2lnbnMgaXRzIHdlYmhvb2tz"
SERVICE = """
version: 1
environment: test
ledger: {path: %(folder)s/state/ledger.db}
listen: {hooks: "127.0.0.1:0", console: "127.0.0.1:0", control: %(folder)s/control.sock}
reconcile: {settle: 0s}
safety:
  changes: {max: 20, ratio: 10%%, per: 10m}
"""
ERP = """
platform: erp
connector: sql
mode: enforce
connection: {dsn: "sqlite:///%(folder)s/erp.db"}
watch: {poll: {every: 100ms, overlap: 1s}, sweep: 1h}
write: {retry: {first: 100ms, max: 1s}}
collections:
  items: {table: products, id: id, changed_at: updated_at, version: rev}
"""
SHOP = """
platform: shop
connector: rest
mode: enforce
connection: {base_url: "%(shop)s", timeout: 2s}
watch:
  poll: {every: 100ms, overlap: 1s}
  sweep: 1h
  webhook:
    path: /hooks/shop
    verify: {scheme: standard-webhooks, secret: secret:shop-hook}
write: {retry: {first: 100ms, max: 1s}}
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
    id: id
    changed_at: updated_at
    version: etag
"""
PRODUCT = """
entity: product
in:
  erp: {collection: items}
  shop: {collection: products, create: true}
identity: {key: sku, match: [{by: sku}], unmatched: {erp: create, shop: review}}
fields:
  sku: {type: string, truth: erp, map: {erp: sku, shop: sku}}
  name: {type: string, truth: erp, map: {erp: name, shop: name}}
  price: {type: decimal(2), truth: erp, map: {erp: price, shop: {path: price, write: [text]}}}
  note: {type: text, truth: shop, map: {erp: note, shop: note}}
"""


@dataclass
class Company:
    """Where a test lives."""

    folder: Path
    shop: Shop = field(default_factory=Shop)
    places: dict[str, str] = field(default_factory=dict)

    def write(self, path: str, text: str) -> None:
        file = self.folder / "config" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(dedent(text) % self.places)

    def furnish(self) -> None:
        """Write the config and make the ERP's table."""
        self.write("syncd.yaml", SERVICE)
        self.write("platforms/erp.yaml", ERP)
        self.write("platforms/shop.yaml", SHOP)
        self.write("entities/product.yaml", PRODUCT)
        self.sql(
            "CREATE TABLE products (id INTEGER PRIMARY KEY, sku TEXT UNIQUE, name TEXT, price TEXT, note TEXT,"
            " rev INTEGER NOT NULL DEFAULT 1, updated_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ')))"
        )
        self.sql(
            "CREATE TRIGGER touched AFTER UPDATE ON products WHEN NEW.rev = OLD.rev BEGIN UPDATE products SET rev = rev + 1,"
            " updated_at = strftime('%Y-%m-%dT%H:%M:%fZ') WHERE id = NEW.id; END"
        )

    def sql(self, text: str, *values: Any) -> list[Any]:
        """Somebody works in the ERP."""
        db = sqlite3.connect(self.folder / "erp.db", timeout=10)
        try:
            with db:
                return db.execute(text, values).fetchall()
        finally:
            db.close()

    def stock(self, count: int) -> None:
        """The ERP gets products."""
        for number in range(1, count + 1):
            self.sql("INSERT INTO products (sku, name, price) VALUES (?, ?, '10.00')", f"MUG-{number}", f"Mug {number}")

    def in_shop(self) -> dict[str, dict[str, Any]]:
        """What the shop has, by sku."""
        return {thing["sku"]: thing for thing in self.shop.things.values()}

    def number(self, sku: str) -> str:
        """The shop's own number of a product."""
        return next(one for one, thing in self.shop.things.items() if thing["sku"] == sku)

    def ledger(self, text: str) -> list[Any]:
        """Look into the ledger from outside."""
        db = sqlite3.connect(f"file:{self.folder}/state/ledger.db?mode=ro", uri=True, timeout=10)
        try:
            return db.execute(text).fetchall()
        finally:
            db.close()

    @property
    def environ(self) -> dict[str, str]:
        return os.environ | {
            "SYNCD_SECRET_SHOP_HOOK": SECRET,
            "STATE_DIRECTORY": str(self.folder / "state"),
            "RUNTIME_DIRECTORY": str(self.folder / "run"),
        }

    async def start(self, *args: str, **environ: str) -> asyncio.subprocess.Process:
        """Start a command of syncd."""
        command = [sys.executable, "-m", "syncd", "--config", str(self.folder / "config"), *(args or ("run",))]
        with (self.folder / "syncd.log").open("ab") as log:
            return await asyncio.create_subprocess_exec(*command, env=self.environ | environ, stdout=log, stderr=log)

    async def command(self, *args: str) -> int:
        """Run a command of syncd to its end and return its exit code."""
        process = await self.start(*args)
        async with asyncio.timeout(90):
            return await process.wait()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[asyncio.subprocess.Process]:
        """Run the daemon as a process of its own, until the block is left."""
        process = await self.start()
        try:
            await until(lambda: process.returncode is not None or (self.folder / "control.sock").exists(), 60)
            await self.until_ready()
            yield process
        finally:
            if process.returncode is None:
                process.send_signal(signal.SIGTERM)
            async with asyncio.timeout(15):
                await process.wait()

    async def until_ready(self) -> None:
        async with asyncio.timeout(60):
            while not (await self.ask(do="status")).get("daemon", {}).get("ready"):  # noqa: ASYNC110 - another process
                await asyncio.sleep(0.05)

    async def ask(self, **request: Any) -> dict[str, Any]:
        """Ask the daemon."""
        answer = await asyncio.to_thread(client.ask, self.folder / "control.sock", {"by": "ana"} | request, timeout=30)
        return answer or {}

    @property
    def log(self) -> str:
        return (self.folder / "syncd.log").read_text()


@asynccontextmanager
async def company(folder: Path) -> AsyncIterator[Company]:
    """Open the shop and furnish the rest."""
    one = Company(folder)
    async with serving(one.shop.app()) as server:
        one.places = {"folder": str(folder), "shop": str(server.make_url("")).rstrip("/")}
        one.furnish()
        yield one


async def until(true: Callable[[], bool], seconds: float = 30.0) -> None:
    """Wait until something is so; fails if it does not become so in time."""
    async with asyncio.timeout(seconds):
        while not true():  # noqa: ASYNC110 - what is waited for happens in other processes
            await asyncio.sleep(0.01)
