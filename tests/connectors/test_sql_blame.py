"""Whose fault an error of a SQL database is: the record's that was written, or the whole platform's."""

import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError, OperationalError

from syncd.connectors.sql_database import blame
from syncd.core.model import Op, Receipt, Write
from syncd.errors import ConnectorError, PermanentError, TransientError
from tests.connectors.contract import creation, update
from tests.connectors.sql_world import SqlWorld
from tests.connectors.test_sql_writes import opened, outcome

NO_FIELD = "BEGIN NEW.nothing := 1; RETURN NEW; END"
RAISED = "BEGIN RAISE EXCEPTION 'not on a Saturday'; END"
CODED = "BEGIN RAISE EXCEPTION 'not on a Saturday' USING ERRCODE = 'U0007'; END"
DEADLOCK = "BEGIN RAISE EXCEPTION 'deadlock' USING ERRCODE = '40P01'; END"
DENIED = "BEGIN RAISE EXCEPTION 'permission denied' USING ERRCODE = '42501'; END"
SHUT = "BEGIN RAISE EXCEPTION 'going down' USING ERRCODE = '57P01'; END"
FULL = "BEGIN RAISE EXCEPTION 'too many' USING ERRCODE = '53300'; END"


@pytest.fixture
async def pg(postgres: sa.URL, tmp_path: Path) -> AsyncIterator[SqlWorld]:
    async for made in opened(postgres, tmp_path):
        yield made


@pytest.fixture
async def maria(mariadb: sa.URL, tmp_path: Path) -> AsyncIterator[SqlWorld]:
    async for made in opened(mariadb, tmp_path):
        yield made


@pytest.fixture
async def lite(tmp_path: Path) -> AsyncIterator[SqlWorld]:
    async for made in opened(sa.make_url(f"sqlite:///{tmp_path}/erp.db"), tmp_path):
        yield made


async def trouble(world: SqlWorld, body: str, *, deferred: bool = False) -> None:
    """Let a trigger of PostgreSQL do this at each update, insert and delete, or when they are committed."""
    await world.hand.do(f"CREATE OR REPLACE FUNCTION no() RETURNS trigger LANGUAGE plpgsql AS $$ {body} $$")
    when = "CREATE CONSTRAINT TRIGGER no AFTER" if deferred else "CREATE TRIGGER no BEFORE"
    how = "DEFERRABLE INITIALLY DEFERRED FOR EACH ROW" if deferred else "FOR EACH ROW"
    await world.hand.do(f"{when} UPDATE OR INSERT OR DELETE ON things {how} EXECUTE FUNCTION no()")


async def each(world: SqlWorld, one: str) -> list[tuple[Write, Receipt | ConnectorError]]:
    """Return what comes of an update, a create and a delete."""
    item = {"sku": "S-9", "name": "mug", "price": None, "stock": 1}
    writes = [await update(world, one, {"name": "x"}), creation(world, item), await update(world, one, {}, op=Op.DELETE)]
    return [(write, await outcome(world, write)) for write in writes]


@pytest.mark.parametrize("deferred", [False, True])
@pytest.mark.parametrize(("body", "words"), [
    (NO_FIELD, 'record "new" has no field "nothing"'), (RAISED, "not on a Saturday"), (CODED, "not on a Saturday"),
])  # fmt: skip
async def test_a_trigger_that_breaks_is_the_records_fault(pg: SqlWorld, body: str, words: str, *, deferred: bool) -> None:
    one = await pg.put(pg.item("S-1"))
    before = await pg.held(one)
    await trouble(pg, body, deferred=deferred)
    for write, made in await each(pg, one):
        assert isinstance(made, PermanentError), (write.op, made)
        assert words in str(made)
    assert await pg.held(one) == before


@pytest.mark.parametrize("deferred", [False, True])
@pytest.mark.parametrize("body", [DEADLOCK, DENIED])
async def test_what_may_pass_by_itself_is_about_the_record_and_tried_again(pg: SqlWorld, body: str, *, deferred: bool) -> None:
    one = await pg.put(pg.item("S-1"))
    await trouble(pg, body, deferred=deferred)
    for write, made in await each(pg, one):
        assert isinstance(made, TransientError), (write.op, made)
        assert made.about_record


@pytest.mark.parametrize("body", [SHUT, FULL])
async def test_a_database_that_shuts_down_is_the_platforms_trouble(pg: SqlWorld, body: str) -> None:
    one = await pg.put(pg.item("S-1"))
    await trouble(pg, body)
    for write, made in await each(pg, one):
        assert isinstance(made, TransientError), (write.op, made)
        assert not made.about_record


async def test_constraints_and_data_are_the_records_fault(pg: SqlWorld, maria: SqlWorld, lite: SqlWorld) -> None:
    for world in (pg, maria, lite):
        if world is not lite:
            await world.hand.do("ALTER TABLE things ADD CONSTRAINT few CHECK (stock < 100)")
            await world.hand.do("UPDATE things SET name = 'x' WHERE name IS NULL")
            await world.hand.do(
                "ALTER TABLE things ALTER COLUMN name SET NOT NULL" if world is pg
                else "ALTER TABLE things MODIFY name VARCHAR(9) NOT NULL"
            )  # fmt: skip
        one = await world.put(world.item("S-1", name="mug"))
        wrong: list[dict[str, Any]] = [{"stock": 500}, {"name": None}] if world is not lite else []
        for values in wrong:
            made = await outcome(world, await update(world, one, values))
            assert isinstance(made, PermanentError), (values, made)


async def test_a_create_into_a_table_that_was_changed_is_refused_in_words(pg: SqlWorld) -> None:
    write = creation(pg, pg.item("S-1"))
    await pg.connector.read("things", ["1"])
    await pg.hand.do("ALTER TABLE things RENAME COLUMN stock TO amount")
    for words in ('column "stock" of relation "things" does not exist', 'no column "stock"'):
        made = await outcome(pg, write)
        assert isinstance(made, PermanentError), made
        assert words in str(made)
    await pg.hand.do("ALTER TABLE things RENAME COLUMN amount TO stock")
    assert isinstance(await outcome(pg, write), Receipt)


async def test_a_broken_trigger_of_mariadb_is_the_records_fault(maria: SqlWorld) -> None:
    await maria.hand.do("CREATE TRIGGER no BEFORE UPDATE ON things FOR EACH ROW INSERT INTO nowhere VALUES (NEW.id)")
    made = await outcome(maria, await update(maria, await maria.put(maria.item("S-1")), {"stock": 1}))
    assert isinstance(made, PermanentError), made
    assert "nowhere" in str(made)


async def test_a_deadlock_of_mariadb_is_about_the_record(maria: SqlWorld) -> None:
    one = await maria.put(maria.item("S-1"))
    await maria.hand.do("CREATE TRIGGER no BEFORE UPDATE ON things FOR EACH ROW "
                        "SIGNAL SQLSTATE '40001' SET MYSQL_ERRNO = 1213, MESSAGE_TEXT = 'Deadlock found'")  # fmt: skip
    made = await outcome(maria, await update(maria, one, {"stock": 1}))
    assert isinstance(made, TransientError), made
    assert made.about_record


@pytest.mark.parametrize("body", [
    "INSERT INTO nowhere VALUES (1)", "UPDATE things SET nothings = 1", "SELECT RAISE(ABORT, 'nowhere, nothing')",
    "SELECT RAISE(ROLLBACK, 'nowhere, nothing')", "SELECT RAISE(FAIL, 'nowhere, nothing')",
])  # fmt: skip
async def test_a_broken_trigger_of_sqlite_is_the_records_fault(lite: SqlWorld, body: str) -> None:
    one = await lite.put(lite.item("S-1"))
    for event in ("UPDATE", "INSERT", "DELETE"):
        await lite.hand.do(f"CREATE TRIGGER no_{event} BEFORE {event} ON things BEGIN {body}; END")
    for write, made in await each(lite, one):
        assert isinstance(made, PermanentError), (write.op, made)
        assert "nowhere" in str(made) or "nothing" in str(made)
    await lite.hand.do("DROP TRIGGER no_UPDATE")
    assert isinstance(await outcome(lite, await update(lite, one, {"stock": 1})), Receipt)


@pytest.mark.parametrize("number", [1040, 1045, 1049, 1053, 1129, 1203, 1226, 1290, 1927, 2003, 2006, 2013])
def test_what_concerns_every_record_of_mariadb_is_the_platforms(number: int) -> None:
    error = blame(OperationalError("UPDATE", {}, Exception(number, "words")), "erp", writing=True)
    assert isinstance(error, TransientError)
    assert not error.about_record


@pytest.mark.parametrize("name", ["SQLITE_BUSY", "SQLITE_IOERR_WRITE", "SQLITE_FULL", "SQLITE_NOTADB", "SQLITE_READONLY"])
def test_what_concerns_every_record_of_sqlite_is_the_platforms(name: str) -> None:
    told = sqlite3.OperationalError("words")
    told.sqlite_errorname = name
    error = blame(DBAPIError.instance("UPDATE", {}, told, sqlite3.Error), "erp", writing=True)
    assert isinstance(error, TransientError)
    assert not error.about_record
