"""Writes to SQL databases: guarded, in one transaction with their look, and in doubt only when the commit's answer is lost."""

import asyncio
from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from syncd.connectors.sql import Sql
from syncd.core.model import Answer, Change, Op, Receipt, Write
from syncd.errors import ConnectorError, OutcomeUnknown, PermanentError, StaleWrite, TransientError
from tests.connectors.contract import creation, update
from tests.connectors.servers import Relay
from tests.connectors.sql_world import SqlWorld


async def opened(url: sa.URL, folder: Path, **options: Any) -> AsyncIterator[SqlWorld]:
    """Yield an entered world; the wire can be cut or fall silent."""
    if url.drivername == "sqlite":
        made = SqlWorld(url, folder, **options)
        await made.make()
        async with made.connector:
            yield made
    else:
        async with Relay(url) as relay:
            made = SqlWorld(url, folder, relay=relay, **options)
            await made.make()
            async with made.connector:
                yield made
    await made.hand.engine.dispose()


@pytest.fixture
async def lite(tmp_path: Path) -> AsyncIterator[SqlWorld]:
    async for made in opened(sa.make_url(f"sqlite:///{tmp_path}/erp.db"), tmp_path):
        yield made


@pytest.fixture
async def pg(postgres: sa.URL, tmp_path: Path) -> AsyncIterator[SqlWorld]:
    async for made in opened(postgres, tmp_path):
        yield made


@pytest.fixture
async def by_value(postgres: sa.URL, tmp_path: Path) -> AsyncIterator[SqlWorld]:
    async for made in opened(postgres, tmp_path, version=None):
        yield made


@pytest.fixture
async def maria(mariadb: sa.URL, tmp_path: Path) -> AsyncIterator[SqlWorld]:
    async for made in opened(mariadb, tmp_path):
        yield made


@pytest.fixture
async def scoped(postgres: sa.URL, tmp_path: Path) -> AsyncIterator[SqlWorld]:
    async for made in opened(postgres, tmp_path, where="stock < 100 -- of the small shop"):
        yield made


async def outcome(world: SqlWorld, write: Write) -> Receipt | ConnectorError:
    [made] = await world.connector.apply([write])
    return made


# ---- the receipt


async def test_the_receipt_shows_what_triggers_made_of_it(pg: SqlWorld) -> None:
    await pg.hand.do("CREATE OR REPLACE FUNCTION cut() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
                     "NEW.name := upper(left(NEW.name, 5)); RETURN NEW; END $$")  # fmt: skip
    await pg.hand.do("CREATE TRIGGER a_cut BEFORE INSERT OR UPDATE ON things FOR EACH ROW EXECUTE FUNCTION cut()")
    one = await pg.put(pg.item("S-1"))
    receipt = await outcome(pg, await update(pg, one, {"name": "a long name"}))
    assert isinstance(receipt, Receipt)
    assert receipt.look is not None
    assert (receipt.atomic, receipt.version, receipt.look.version) == (True, 2, 2)
    assert receipt.look.item is not None
    assert receipt.look.item["name"] == "A LON"
    made = await outcome(pg, creation(pg, pg.item("S-2", name="another name")))
    assert isinstance(made, Receipt)
    assert made.look is not None
    assert made.look.item is not None
    assert made.look.item["name"] == "ANOTH"


async def test_the_looks_number_is_that_of_the_write(pg: SqlWorld) -> None:
    write = await update(pg, await pg.put(pg.item("S-1")), {"name": "x"})
    before = pg.numbers()
    receipt = await outcome(pg, write)
    assert isinstance(receipt, Receipt)
    assert receipt.look is not None
    assert receipt.look.as_of == before + 1


# ---- the guard


async def test_old_values_guard_the_written_columns_and_no_others(by_value: SqlWorld) -> None:
    one = await by_value.put(by_value.item("S-1", name=None))
    write = await update(by_value, one, {"name": "ours"})
    await by_value.put({"stock": 77}, one)
    assert isinstance(await outcome(by_value, write), Receipt)
    late = await update(by_value, one, {"name": None})
    await by_value.put({"name": "OURS"}, one)
    assert isinstance(await outcome(by_value, late), StaleWrite)


async def test_case_and_blanks_count_for_the_guard_whatever_the_collation_says(mariadb: sa.URL, tmp_path: Path) -> None:
    async for world in opened(mariadb, tmp_path, version=None):
        await world.hand.do("ALTER TABLE things MODIFY name VARCHAR(99) COLLATE utf8mb4_general_ci")
        for theirs in ("MUG", "mug "):
            one = await world.put(world.item(f"S-{theirs}", name="mug"))
            write = await update(world, one, {"name": "cup"})
            await world.put({"name": theirs}, one)
            assert isinstance(await outcome(world, write), StaleWrite)


@pytest.mark.parametrize("version", ["row_version", None])
async def test_of_two_writers_at_once_one_is_refused(
    postgres: sa.URL, mariadb: sa.URL, tmp_path: Path, version: str | None
) -> None:
    for url in (postgres, mariadb, sa.make_url(f"sqlite:///{tmp_path}/erp.db")):
        async for world in opened(url, tmp_path, version=version):
            for turn in range(5):
                one = await world.put(world.item(f"S-{turn}"))
                writes = [await update(world, one, {"name": name}) for name in ("left", "right")]
                outcomes = await asyncio.gather(*[outcome(world, write) for write in writes])
                assert sorted(type(made).__name__ for made in outcomes) == ["Receipt", "StaleWrite"], url


async def test_a_delete_is_guarded_too(pg: SqlWorld) -> None:
    one = await pg.put(pg.item("S-1"))
    write = await update(pg, one, {}, op=Op.DELETE)
    await pg.put({"name": "still needed"}, one)
    assert isinstance(await outcome(pg, write), StaleWrite)
    assert await pg.held(one) is not None


async def test_without_a_guard_the_last_writer_wins(postgres: sa.URL, tmp_path: Path) -> None:
    async for world in opened(postgres, tmp_path):
        object.__setattr__(world.setup, "write", world.setup.write.model_copy(update={"guard": "none"}))
        one = await world.put(world.item("S-1"))
        write = await update(world, one, {"name": "ours"})
        await world.put({"name": "theirs"}, one)
        assert isinstance(await outcome(world, write), Receipt)


# ---- walls


async def test_a_column_that_is_not_mapped_is_never_written(pg: SqlWorld) -> None:
    one = await pg.put(pg.item("S-1"))
    for values in ({"other": "y"}, {"row_version": 9}, {"id": 9}, {"name": "x", "other": "y"}):
        refused = await outcome(pg, await update(pg, one, values))
        assert isinstance(refused, PermanentError)
        assert "is not mapped for writing" in str(refused)
    assert (await pg.hand.do("SELECT other, row_version FROM things"))[0] == ("x", 1)


async def test_writable_is_the_last_word(postgres: sa.URL, tmp_path: Path) -> None:
    async for world in opened(postgres, tmp_path, writable=["stock"]):
        one = await world.put(world.item("S-1"))
        refused = await outcome(world, await update(world, one, {"stock": 1, "price": Decimal(1)}))
        assert isinstance(refused, PermanentError)
        assert "price is not in writable: stock" in str(refused)
        assert isinstance(await outcome(world, await update(world, one, {"stock": 1})), Receipt)


async def test_the_constraints_of_the_database_are_the_records_fault(pg: SqlWorld, maria: SqlWorld, lite: SqlWorld) -> None:
    for world in (pg, maria, lite):
        await world.put(world.item("S-1"))
        two = await world.put(world.item("S-2"))
        twin = await outcome(world, creation(world, world.item("S-1")))
        assert isinstance(twin, Receipt)
        assert (twin.answer, twin.id) == (Answer.EXISTS, None)
        assert isinstance(await outcome(world, await update(world, two, {"sku": "S-1"})), PermanentError)
        assert (await world.held(two) or {})["sku"] == "S-2"


async def test_a_trigger_that_refuses_is_the_records_fault(pg: SqlWorld, maria: SqlWorld, lite: SqlWorld) -> None:
    await pg.hand.do("CREATE OR REPLACE FUNCTION no() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
                     "RAISE EXCEPTION 'no such price'; END $$")  # fmt: skip
    await pg.hand.do("CREATE TRIGGER no BEFORE UPDATE ON things FOR EACH ROW EXECUTE FUNCTION no()")
    await maria.hand.do("CREATE TRIGGER no BEFORE UPDATE ON things FOR EACH ROW "
                        "SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'no such price'")  # fmt: skip
    await lite.hand.do("CREATE TRIGGER no BEFORE UPDATE ON things BEGIN SELECT RAISE(ABORT, 'no such price'); END")
    for world in (pg, maria, lite):
        refused = await outcome(world, await update(world, await world.put(world.item("S-1")), {"stock": 1}))
        assert isinstance(refused, PermanentError), refused
        assert "no such price" in str(refused)


# ---- scope


async def test_a_row_out_of_scope_is_left_and_not_gone(scoped: SqlWorld) -> None:
    inside, outside = await scoped.put(scoped.item("S-1")), await scoped.put(scoped.item("S-2", stock=100))
    looks = await scoped.connector.read("things", [inside, outside, "999"])
    assert [(look.left, look.gone, look.item is None) for look in looks] == [
        (False, False, False), (True, False, True), (False, True, True),
    ]  # fmt: skip
    [page] = [page async for page in scoped.connector.scan("things")]
    assert [change.id for change in page.changes] == [inside]
    assert [look.left for look in await scoped.connector.find("things", "sku", "S-2")] == [True]


async def test_nothing_is_written_out_of_scope(scoped: SqlWorld) -> None:
    one = await scoped.put(scoped.item("S-1"))
    write = await update(scoped, one, {"name": "ours"})
    await scoped.put({"stock": 500}, one)
    late = await outcome(scoped, write)
    assert isinstance(late, Receipt)
    assert late.answer is Answer.GONE
    refused = await outcome(scoped, creation(scoped, scoped.item("S-9", stock=500)))
    assert isinstance(refused, PermanentError)
    assert "would not be in scope" in str(refused)
    assert (await scoped.hand.do("SELECT count(*) FROM things"))[0][0] == 1


async def test_a_poll_tells_of_rows_that_left(scoped: SqlWorld) -> None:
    one = await scoped.put(scoped.item("S-1"))
    await scoped.put(scoped.item("S-2", stock=500))
    [first] = [batch async for batch in scoped.connector.changes("things", None)]
    assert [change.id for change in first.changes] == [one]
    await scoped.put({"stock": 500}, one)
    [second] = [batch async for batch in scoped.connector.changes("things", first.cursor)]
    assert (one, True) in [(change.id, change.left) for change in second.changes]


async def test_a_soft_delete_is_gone_with_its_item_and_archive_sets_it(postgres: sa.URL, tmp_path: Path) -> None:
    async for world in opened(postgres, tmp_path, deleted={"field": "name", "is": "(deleted)"}):
        one = await world.put(world.item("S-1"))
        receipt = await outcome(world, await update(world, one, {}, op=Op.ARCHIVE))
        assert isinstance(receipt, Receipt)
        assert (await world.held(one) or {})["name"] == "(deleted)"
        [look] = await world.connector.read("things", [one])
        assert (look.gone, look.item is not None) == (True, True)


# ---- wires


@pytest.mark.parametrize("kind", ["postgres", "mariadb"])
async def test_a_lost_answer_to_the_commit_is_in_doubt_and_nothing_else_is(
    kind: str, postgres: sa.URL, mariadb: sa.URL, tmp_path: Path
) -> None:
    async for world in opened({"postgres": postgres, "mariadb": mariadb}[kind], tmp_path):
        assert world.relay is not None
        one = await world.put(world.item("S-1"))
        write = await update(world, one, {"name": "ours"})
        world.relay.silence = b"COMMIT"
        made = await outcome(world, write)
        assert isinstance(made, OutcomeUnknown), made
        assert (await world.held(one) or {})["name"] == "ours"
        world.relay.silence = None
        again = await update(world, one, {"name": "again"})
        world.relay.silence = b"UPDATE "
        made = await outcome(world, again)
        assert isinstance(made, TransientError), made
        world.relay.silence = None
        assert (await world.held(one) or {})["name"] == "ours"
        assert isinstance(await outcome(world, again), Receipt)


async def test_once_the_platform_is_down_the_rest_is_not_sent(pg: SqlWorld) -> None:
    writes = [await update(pg, await pg.put(pg.item(f"S-{n}")), {"name": "x"}) for n in range(3)]
    await pg.down()
    outcomes = await pg.connector.apply(writes)
    assert len(outcomes) == 3
    assert all(isinstance(made, TransientError) and not made.about_record for made in outcomes)


async def test_a_lock_that_is_not_given_is_about_the_record(pg: SqlWorld) -> None:
    await pg.hand.do("ALTER ROLE CURRENT_USER SET lock_timeout = '200ms'")
    try:
        one = await pg.put(pg.item("S-1"))
        write = await update(pg, one, {"name": "ours"})
        async with Sql(pg.setup) as fresh, pg.hand.engine.begin() as hand:
            await hand.exec_driver_sql(f"UPDATE things SET name = 'theirs' WHERE id = {one}")
            [made] = await fresh.apply([write])
        assert isinstance(made, TransientError)
        assert made.about_record
    finally:
        await pg.hand.do("ALTER ROLE CURRENT_USER RESET lock_timeout")


async def test_a_table_that_was_changed_is_looked_at_again(pg: SqlWorld) -> None:
    one = await pg.put(pg.item("S-1"))
    await pg.connector.read("things", [one])
    await pg.hand.do("ALTER TABLE things RENAME COLUMN stock TO amount")
    with pytest.raises(TransientError):
        await pg.connector.read("things", [one])
    with pytest.raises(PermanentError, match='no column "stock"'):
        await pg.connector.read("things", [one])
    await pg.hand.do("ALTER TABLE things RENAME COLUMN amount TO stock")
    looks: list[Change] = await pg.connector.read("things", [one])
    assert looks[0].item is not None
