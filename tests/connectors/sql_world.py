"""A table in a real database, with a hand of its own: what the database's own people do to it."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from syncd.connectors.sql import SqlKind
from syncd.connectors.sql_database import DRIVERS
from syncd.core.model import Item
from tests.connectors.contract import World, setup_for
from tests.connectors.servers import Relay

FIELDS = ("sku", "name", "price", "stock")

SQLITE = [
    """CREATE TABLE things (id INTEGER PRIMARY KEY, sku TEXT UNIQUE, name TEXT, price NUMERIC(12, 2), stock INTEGER,
    updated_at TEXT DEFAULT (strftime('%Y-%m-%d %H:%M:%f', 'now')), row_version INTEGER DEFAULT 1, other TEXT DEFAULT 'x')""",
    "CREATE TABLE writes (what TEXT)",
    "CREATE TRIGGER made AFTER INSERT ON things BEGIN INSERT INTO writes VALUES ('insert'); END",
    "CREATE TRIGGER removed AFTER DELETE ON things BEGIN INSERT INTO writes VALUES ('delete'); END",
    """CREATE TRIGGER edited AFTER UPDATE OF sku, name, price, stock ON things BEGIN
    INSERT INTO writes VALUES ('update');
    UPDATE things SET row_version = OLD.row_version + 1, updated_at = strftime('%Y-%m-%d %H:%M:%f', 'now')
    WHERE id = OLD.id; END""",
]
POSTGRES = [
    """CREATE TABLE things (id bigserial PRIMARY KEY, sku text UNIQUE, name text, price numeric(12, 2), stock integer,
    updated_at timestamptz DEFAULT clock_timestamp(), row_version integer DEFAULT 1, other text DEFAULT 'x')""",
    "CREATE TABLE writes (what text)",
    """CREATE OR REPLACE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    INSERT INTO writes VALUES (TG_OP);
    IF TG_OP = 'DELETE' THEN RETURN OLD; END IF;
    IF TG_OP = 'UPDATE' THEN NEW.row_version := OLD.row_version + 1; NEW.updated_at := clock_timestamp(); END IF;
    RETURN NEW; END $$""",
    "CREATE TRIGGER note BEFORE INSERT OR UPDATE OR DELETE ON things FOR EACH ROW EXECUTE FUNCTION note()",
]
MARIADB = [
    """CREATE TABLE things (id BIGINT PRIMARY KEY AUTO_INCREMENT, sku VARCHAR(191) COLLATE utf8mb4_bin UNIQUE, name TEXT,
    price DECIMAL(12, 2), stock INT, updated_at DATETIME(6) DEFAULT CURRENT_TIMESTAMP(6), row_version INT DEFAULT 1,
    other VARCHAR(9) DEFAULT 'x')""",
    "CREATE TABLE writes (what VARCHAR(9))",
    "CREATE TRIGGER made BEFORE INSERT ON things FOR EACH ROW INSERT INTO writes VALUES ('insert')",
    "CREATE TRIGGER removed BEFORE DELETE ON things FOR EACH ROW INSERT INTO writes VALUES ('delete')",
    """CREATE TRIGGER edited BEFORE UPDATE ON things FOR EACH ROW BEGIN
    INSERT INTO writes VALUES ('update'); SET NEW.row_version = OLD.row_version + 1, NEW.updated_at = NOW(6); END""",
]
TABLES = {"sqlite": SQLITE, "postgresql": POSTGRES, "mysql": MARIADB}


class Hand:
    """Whoever else works on the database."""

    def __init__(self, url: sa.URL) -> None:
        self.sqlite = url.drivername == "sqlite"
        self.engine: AsyncEngine = create_async_engine(url.set(drivername=DRIVERS[url.drivername]))

    async def do(self, statement: str, **values: Any) -> list[Any]:
        """Run a statement in a transaction of its own, and return its rows. Without values it is passed on as it is."""
        async with self.engine.begin() as connection:
            if values:
                bound = {k: str(v) if self.sqlite and isinstance(v, Decimal) else v for k, v in values.items()}
                result = await connection.execute(sa.text(statement), bound)
            else:
                result = await connection.exec_driver_sql(statement)
            return list(result.all()) if result.returns_rows else []


class SqlWorld(World):
    """The table ``things``. ``down`` spoils the file, or cuts the wire."""

    def __init__(self, url: sa.URL, folder: Path, *, relay: Relay | None = None, **options: Any) -> None:
        self.url = url
        self.relay = relay
        self.hand = Hand(url)
        kind = SqlKind()
        seen = url.set(host="127.0.0.1", port=relay.port, query={}) if relay else url
        columns = {"table": "things", "id": "id", "changed_at": "updated_at", "version": "row_version"}
        super().__init__(
            kind,
            setup_for(
                kind,
                connection={"dsn": seen.render_as_string()},
                watch={"poll": {"every": "5s", "overlap": "2s"}, "sweep": "10m"},
                collections={"things": {k: v for k, v in (columns | options).items() if v is not None}},
                fields=FIELDS,
                keys=("sku",),
                folder=str(folder),
            ),
        )

    async def make(self) -> None:
        """Make the tables."""
        for statement in ["DROP TABLE IF EXISTS things", "DROP TABLE IF EXISTS writes", *TABLES[self.url.drivername]]:
            await self.hand.do(statement)

    async def put(self, item: Item, native_id: str | None = None) -> str:
        if native_id is not None:
            pairs = ", ".join(f"{name} = :{name}" for name in item)
            await self.hand.do(f"UPDATE things SET {pairs} WHERE id = {int(native_id)}", **item)
            return native_id
        values = ", ".join(f":{name}" for name in item)
        await self.hand.do(f"INSERT INTO things ({', '.join(item)}) VALUES ({values})", **item)
        return str((await self.hand.do("SELECT max(id) FROM things"))[0][0])

    async def remove(self, native_id: str) -> None:
        await self.hand.do(f"DELETE FROM things WHERE id = {int(native_id)}")

    async def held(self, native_id: str) -> Item | None:
        rows = await self.hand.do(f"SELECT sku, name, price, stock FROM things WHERE id = {int(native_id)}")
        if not rows:
            return None
        item = dict(rows[0]._mapping)
        return item | {"price": None if item["price"] is None else Decimal(str(item["price"]))}

    async def writes(self) -> int:
        return int((await self.hand.do("SELECT count(*) FROM writes"))[0][0])

    async def down(self) -> None:
        if self.relay is not None:
            await self.relay.cut()
        else:
            spoil(Path(self.url.database or ""))


def spoil(file: Path) -> None:
    """Make a file one that no database reads."""
    file.write_bytes(b"not a database any more " * 200)
