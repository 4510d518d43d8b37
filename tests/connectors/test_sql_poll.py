"""Polls and scans of SQL databases: nothing missed, nothing read for ever, and not much held in memory."""

import asyncio
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from syncd.connectors.protocol import Batch
from syncd.connectors.sql_poll import Bound, earlier
from syncd.core.model import SECOND
from syncd.errors import PermanentError
from tests.connectors.sql_world import SqlWorld


async def opened(url: sa.URL, folder: Path, **options: Any) -> AsyncIterator[SqlWorld]:
    made = SqlWorld(url, folder, **options)
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
async def maria(mariadb: sa.URL, tmp_path: Path) -> AsyncIterator[SqlWorld]:
    async for made in opened(mariadb, tmp_path):
        yield made


async def polled(world: SqlWorld, cursor: str | None = None) -> tuple[list[str], str | None, list[Batch]]:
    batches = [batch async for batch in world.connector.changes("things", cursor)]
    cursor = next((batch.cursor for batch in reversed(batches) if batch.cursor), cursor)
    return [change.id for batch in batches for change in batch.changes], cursor, batches


def aged(cursor: str | None, seconds: int) -> str:
    """Return a cursor whose highest time was first seen that long ago."""
    bound = Bound.parse(cursor or "")
    return str(Bound(bound.at, bound.since - seconds * SECOND))


async def fill(world: SqlWorld, count: int, *, at: str = "CURRENT_TIMESTAMP") -> None:
    numbers = {
        "sqlite": f"WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n LIMIT {count}) ",
        "postgresql": f"WITH n AS (SELECT generate_series(1, {count}) AS n) ",
    }[world.url.drivername]
    insert = "INSERT INTO things (sku, name, price, stock, updated_at) "
    values = f"SELECT 'S-' || n, 'A thing with a name', 12.50, n, {at} FROM n"
    await world.hand.do(numbers + insert + values if world.url.drivername == "postgresql" else insert + numbers + values)


# ---- pages


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
async def test_pages_cut_through_equal_times_and_miss_nothing(kind: str, tmp_path: Path, postgres: sa.URL) -> None:
    url = postgres if kind == "postgresql" else sa.make_url(f"sqlite:///{tmp_path}/erp.db")
    async for world in opened(url, tmp_path):
        await fill(world, 5500)
        ids, cursor, batches = await polled(world)
        assert len(ids) == len(set(ids)) == 5500
        assert [len(batch.changes) for batch in batches] == [1000] * 5 + [500]
        pages = [page async for page in world.connector.scan("things")]
        assert [len(page.changes) for page in pages] == [1000] * 5 + [500]
        assert [(page.last, page.complete) for page in pages] == [(False, False)] * 5 + [(True, True)]
        assert len({change.id for page in pages for change in page.changes}) == 5500
        numbers = [page.changes[0].as_of for page in pages]
        assert numbers == sorted(set(numbers)), "each page is a request of its own"
        assert cursor is not None


async def test_text_ids_are_paged_in_their_own_order(lite: SqlWorld) -> None:
    await lite.hand.do("DROP TABLE things")
    await lite.hand.do(
        "CREATE TABLE things (id TEXT PRIMARY KEY, sku TEXT, name TEXT, price NUMERIC, stock INT, updated_at, row_version)"
    )
    await lite.hand.do("WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n LIMIT 2500) "
                       "INSERT INTO things (id, sku) SELECT 'é' || n || '%', 'S' FROM n")  # fmt: skip
    ids = [change.id async for page in lite.connector.scan("things") for change in page.changes]
    assert len(ids) == len(set(ids)) == 2500


async def test_an_id_that_stands_twice_makes_a_scan_no_evidence(lite: SqlWorld) -> None:
    await lite.hand.do("DROP TABLE things")
    await lite.hand.do("CREATE TABLE things (id, sku, name, price, stock, updated_at, row_version)")
    await lite.hand.do("INSERT INTO things (id) VALUES (1), (2), (2), (NULL)")
    [page] = [page async for page in lite.connector.scan("things")]
    assert (page.last, page.complete, page.why) == (True, False, "id 2 of table things stands there twice")


async def test_reads_of_many_ids_are_cut_too(pg: SqlWorld) -> None:
    await fill(pg, 1200)
    ids = [str(n) for n in range(1300, 0, -1)]
    looks = await pg.connector.read("things", ids)
    assert [look.id for look in looks] == ids
    assert sum(look.gone for look in looks) == 100


# ---- cursors


async def test_a_late_commit_within_the_overlap_is_not_missed(pg: SqlWorld) -> None:
    one = await pg.put(pg.item("S-1"))
    _, cursor, _ = await polled(pg)
    await pg.put(pg.item("S-2", updated_at=None) | {"name": "late"})
    await pg.hand.do("ALTER TABLE things DISABLE TRIGGER note")
    await pg.hand.do(f"UPDATE things SET updated_at = (SELECT updated_at - interval '1 second' FROM things WHERE id = {one}) "
                     "WHERE sku = 'S-2'")  # fmt: skip
    ids, _, _ = await polled(pg, cursor)
    assert len(ids) == 2


@pytest.mark.parametrize("kind", ["lite", "pg", "maria"])
async def test_an_idle_poll_reads_nothing_once_the_overlap_is_over(
    kind: str, lite: SqlWorld, pg: SqlWorld, maria: SqlWorld
) -> None:
    world = {"lite": lite, "pg": pg, "maria": maria}[kind]
    for n in range(3):
        await world.put(world.item(f"S-{n}"))
    ids, cursor, _ = await polled(world)
    assert len(ids) == 3
    assert len((await polled(world, cursor))[0]) == 3, "within the overlap all are read again"
    assert (await polled(world, aged(cursor, 4)))[0] == []
    new = await world.put(world.item("S-9"))
    assert (await polled(world, aged(cursor, 4)))[0] == [new]


async def test_the_cursor_keeps_when_its_time_was_first_seen(pg: SqlWorld) -> None:
    await pg.put(pg.item("S-1"))
    _, cursor, _ = await polled(pg)
    await asyncio.sleep(0.01)
    _, again, _ = await polled(pg, cursor)
    assert again == cursor


async def test_a_window_of_many_pages_becomes_idle_too(pg: SqlWorld) -> None:
    await fill(pg, 2500, at="clock_timestamp()")
    _, cursor, _ = await polled(pg)
    ids, again, _ = await polled(pg, cursor)
    assert len(ids) == 2500
    assert again == cursor


async def test_one_row_of_the_year_2099_does_not_blind_the_poll(pg: SqlWorld) -> None:
    await pg.put(pg.item("S-1"))
    await pg.hand.do("INSERT INTO things (sku, updated_at) VALUES ('S-2', '2099-01-01'), ('S-3', 'infinity')")
    ids, cursor, _ = await polled(pg)
    assert ids == ["1", "2", "3"]
    await pg.put(pg.item("S-4"))
    assert "4" in (await polled(pg, aged(cursor, 60)))[0]


@pytest.mark.parametrize(
    ("written", "now"),
    [
        ("TEXT", "strftime('%Y-%m-%dT%H:%M:%SZ', 'now')"),
        ("DATETIME", "strftime('%Y-%m-%d %H:%M:%S', 'now')"),
        ("INTEGER", "CAST(strftime('%s', 'now') AS INTEGER)"),
        ("REAL", "CAST(strftime('%s', 'now') AS REAL) + 0.25"),
        ("DATE", "date('now')"),
    ],
)
async def test_times_are_polled_as_the_database_writes_them(lite: SqlWorld, written: str, now: str) -> None:
    await lite.hand.do("DROP TABLE things")
    columns = "sku TEXT, name TEXT, price NUMERIC, stock INT, row_version INT"
    await lite.hand.do(f"CREATE TABLE things (id INTEGER PRIMARY KEY, {columns}, updated_at {written})")
    await lite.hand.do(f"INSERT INTO things (sku, updated_at) VALUES ('S-1', {now})")
    [batch] = [batch async for batch in lite.connector.changes("things", None)]
    assert batch.changes[0].changed_at is not None
    assert abs(batch.changes[0].changed_at - lite.setup.now()) < 24 * 3600 * SECOND
    await lite.hand.do(f"INSERT INTO things (sku, updated_at) VALUES ('S-2', {now})")
    ids, cursor, _ = await polled(lite, batch.cursor)
    assert ids == ["1", "2"]
    idle = (await polled(lite, aged(cursor, 60)))[0]
    assert idle == (["1", "2"] if written == "DATE" else []), "a day goes on until it is over"


def test_earlier_keeps_the_way_a_time_is_written() -> None:
    for at, expected in {
        "2026-01-31 10:00:00": "2026-01-31 09:59:58",
        "2026-01-31T10:00:00Z": "2026-01-31T09:59:58Z",
        "2026-01-31 10:00:00.5+05:30": "2026-01-31 09:59:58.5+05:30",
        "2026-01-01 00:00:01.123456": "2025-12-31 23:59:59.123456",
        "2026-01-31": "2026-01-31",
        "yesterday": "yesterday",
    }.items():
        assert earlier(at, 2 * SECOND) == expected
    assert earlier(1_767_225_600, 2 * SECOND) == 1_767_225_598
    assert earlier(1_767_225_600_000, 2 * SECOND) == 1_767_225_598_000
    assert earlier(1_767_225_600.25, 2 * SECOND) == 1_767_225_598.25


async def test_what_cannot_be_polled_says_so(lite: SqlWorld, tmp_path: Path) -> None:
    with pytest.raises(PermanentError, match="not a cursor"):
        await polled(lite, "yesterday")
    async for world in opened(sa.make_url(f"sqlite:///{tmp_path}/erp2.db"), tmp_path, changed_at=None):
        with pytest.raises(PermanentError, match="it is only swept"):
            await polled(world)


async def test_the_clock_of_the_database_is_measured(pg: SqlWorld, maria: SqlWorld, lite: SqlWorld) -> None:
    for world in (pg, maria):
        await polled(world)
        offset, uncertainty = world.connector.clock
        assert 0 < uncertainty < SECOND
        assert abs(offset) <= uncertainty + SECOND // 100
    await polled(lite)
    assert lite.connector.clock == (0, 0)


# ---- memory


MEASURED = """
import asyncio, sys
from tests.connectors.sql_world import SqlWorld
from pathlib import Path
import sqlalchemy as sa

async def main(url, folder):
    world = SqlWorld(sa.make_url(url), Path(folder))
    count = 0
    async with world.connector:
        async for page in world.connector.scan("things"):
            count += len(page.changes)
        async for batch in world.connector.changes("things", None):
            count += len(batch.changes)
    status = Path("/proc/self/status").read_text()  # getrusage counts what the parent had before this process was its own
    print(count, int(status.split("VmHWM:")[1].split()[0]) // 1024)

asyncio.run(main(*sys.argv[1:]))
"""


async def test_a_hundred_thousand_rows_pass_through_little_memory(pg: SqlWorld, tmp_path: Path) -> None:
    await pg.hand.do("ALTER TABLE things DISABLE TRIGGER note")
    await fill(pg, 100_000)
    here = str(Path(__file__).parents[2])
    command = ["-c", MEASURED, pg.url.render_as_string(), str(tmp_path)]
    process = await asyncio.create_subprocess_exec(sys.executable, *command, cwd=here, stdout=asyncio.subprocess.PIPE)
    said, _ = await asyncio.wait_for(process.communicate(), 120)
    count, megabytes = map(int, said.split())
    assert count == 200_000
    assert megabytes < 200
