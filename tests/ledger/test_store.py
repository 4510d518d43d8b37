"""One writer, group commit, and nothing acknowledged that is not on disk."""

import asyncio
import gc
import inspect
import sqlite3
import threading
from pathlib import Path

import aiosqlite
import pytest

from syncd.errors import LedgerError, LedgerLocked
from syncd.ledger import meta, opening, store
from syncd.ledger.schema import Database
from syncd.ledger.store import Store
from tests.ledger.builders import NOW


def insert(db: Database, name: str, value: str = "x") -> str:
    db.execute("INSERT INTO meta VALUES (?, ?)", (name, value))
    return name


def names(db: Database) -> set[str]:
    return {row[0] for row in db.execute("SELECT name FROM meta WHERE name LIKE 't-%'")}


def failing(db: Database, name: str) -> None:
    insert(db, name)
    raise ValueError(name)


class TestSeam:
    """The one place that rests on private names of aiosqlite; it must shout when they change."""

    def test_the_private_names_are_there(self) -> None:
        assert inspect.iscoroutinefunction(aiosqlite.Connection._execute)
        assert list(inspect.signature(aiosqlite.Connection._execute).parameters)[:2] == ["self", "fn"]
        assert isinstance(inspect.getattr_static(aiosqlite.Connection, "_conn"), property)
        assert list(inspect.signature(aiosqlite.Connection).parameters)[:2] == ["connector", "iter_chunk_size"]

    async def test_functions_run_in_the_ledgers_own_thread(self, ledger: Store) -> None:
        one = await ledger.write(lambda db: threading.get_ident())
        two = await ledger.read(lambda db: threading.get_ident())
        assert one == two != threading.get_ident()


class TestWrite:
    async def test_the_result_comes_after_the_commit(self, ledger: Store, path: Path) -> None:
        assert await ledger.write(insert, "t-1", value="y") == "t-1"
        with sqlite3.connect(path) as other:
            assert names(other) == {"t-1"}
        other.close()

    async def test_calls_that_queue_during_a_commit_go_together_into_the_next(self, ledger: Store) -> None:
        before = ledger._commits
        running, go_on = threading.Event(), threading.Event()

        def slow(db: Database) -> None:
            running.set()
            go_on.wait(5)

        first = asyncio.create_task(ledger.write(slow))
        await asyncio.to_thread(running.wait, 5)
        rest = [asyncio.create_task(ledger.write(insert, f"t-{n}")) for n in range(50)]
        await asyncio.sleep(0)
        go_on.set()
        await asyncio.gather(first, *rest)
        assert ledger._commits == before + 2
        assert len(await ledger.read(names)) == 50

    async def test_a_call_that_raises_fails_alone(self, ledger: Store) -> None:
        results = await asyncio.gather(
            ledger.write(insert, "t-1"), ledger.write(failing, "t-2"), ledger.write(insert, "t-3"), return_exceptions=True
        )
        assert results[0] == "t-1"
        assert isinstance(results[1], ValueError)
        assert results[2] == "t-3"
        assert await ledger.read(names) == {"t-1", "t-3"}

    async def test_an_error_of_sqlite_in_one_call_is_its_own(self, ledger: Store) -> None:
        results = await asyncio.gather(
            ledger.write(insert, "t-1"), ledger.write(insert, "t-1"), ledger.write(insert, "t-2"), return_exceptions=True
        )
        assert isinstance(results[1], sqlite3.IntegrityError)
        assert await ledger.read(names) == {"t-1", "t-2"}

    async def test_a_cancelled_waiter_does_not_undo_what_it_asked_for(self, ledger: Store) -> None:
        running, go_on = threading.Event(), threading.Event()

        def slow(db: Database) -> None:
            running.set()
            go_on.wait(5)
            insert(db, "t-slow")

        in_flight = asyncio.create_task(ledger.write(slow))
        await asyncio.to_thread(running.wait, 5)
        queued = asyncio.create_task(ledger.write(insert, "t-queued"))
        await asyncio.sleep(0)
        in_flight.cancel()
        queued.cancel()
        go_on.set()
        done = await asyncio.gather(in_flight, queued, return_exceptions=True)
        assert all(isinstance(one, asyncio.CancelledError) for one in done)
        await ledger.write(insert, "t-after")
        assert await ledger.read(names) == {"t-slow", "t-queued", "t-after"}

    async def test_what_was_asked_before_closing_is_done(self, path: Path) -> None:
        async with store.open(path, now=NOW) as ledger:
            tasks = [asyncio.create_task(ledger.write(insert, f"t-{n}")) for n in range(1200)]
            await asyncio.sleep(0)
        await asyncio.gather(*tasks)
        with pytest.raises(LedgerError, match="being closed"):
            await ledger.write(insert, "t-late")
        async with store.open(path, now=NOW) as again:
            assert len(await again.read(names)) == 1200

    @pytest.mark.parametrize("running", [True, False])
    async def test_no_cycles_are_collected_within_a_transaction(self, ledger: Store, running: bool) -> None:
        def collecting(db: Database) -> bool:
            return gc.isenabled()

        (gc.enable if running else gc.disable)()
        try:
            assert await ledger.write(collecting) is False
            assert gc.isenabled() is running
        finally:
            gc.enable()

    async def test_a_read_that_fails_says_so(self, ledger: Store) -> None:
        with pytest.raises(LedgerError, match="no such table"):
            await ledger.read(lambda db: db.execute("SELECT * FROM nowhere"))


class TestFailure:
    """After a commit that failed nothing of it is acknowledged; after a failed disk nothing more is taken."""

    async def test_another_writer_in_the_file_is_an_error_that_passes(self, ledger: Store, path: Path) -> None:
        await ledger.read(lambda db: db.execute("PRAGMA busy_timeout = 1").fetchall())
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(LedgerError, match="nothing was committed: database is locked"):
            await ledger.write(insert, "t-1")
        other.execute("ROLLBACK")
        other.close()
        assert await ledger.write(insert, "t-2") == "t-2"
        assert await ledger.read(names) == {"t-2"}

    async def test_a_failed_disk_fails_all_and_stays(self, ledger: Store) -> None:
        def disk_fails(db: Database) -> None:
            insert(db, "t-2")
            error = sqlite3.OperationalError("disk I/O error")
            error.sqlite_errorcode = sqlite3.SQLITE_IOERR_FSYNC
            raise error

        results = await asyncio.gather(
            ledger.write(insert, "t-1"), ledger.write(disk_fails), ledger.write(insert, "t-3"), return_exceptions=True
        )
        assert all(isinstance(r, LedgerError) for r in results)
        with pytest.raises(LedgerError, match="until it is opened again"):
            await ledger.write(insert, "t-4")
        assert await ledger.read(names) == set()

    async def test_what_was_queued_when_the_disk_failed_is_refused_too(self, ledger: Store) -> None:
        ledger.broken = "the ledger failed"
        with pytest.raises(LedgerError, match="the ledger failed"):
            ledger._transaction(sqlite3.connect(":memory:"), [])

    async def test_a_rollback_that_fails_is_the_end_too(self, ledger: Store) -> None:
        class Deaf:
            in_transaction = True

            def execute(self, sql: str) -> None:
                raise sqlite3.OperationalError("cannot roll back")

        ledger._give_up(Deaf(), _full())  # type: ignore[arg-type]
        assert ledger.broken is not None
        assert "cannot roll back" in ledger.broken

    async def test_a_call_that_ends_the_transaction_fails_the_group(self, ledger: Store) -> None:
        def rude(db: Database) -> None:
            db.execute("ROLLBACK")
            raise ValueError("rude")

        with pytest.raises(LedgerError, match="rude"):
            await ledger.write(rude)


def _full() -> sqlite3.OperationalError:
    error = sqlite3.OperationalError("database or disk is full")
    error.sqlite_errorcode = sqlite3.SQLITE_FULL
    return error


class TestNumber:
    async def test_numbers_grow_across_openings_without_gaps(self, path: Path) -> None:
        async with store.open(path, now=NOW) as one:
            first = [one.number() for _ in range(3)]
        async with store.open(path, now=NOW) as two:
            assert [*first, two.number()] == [1, 2, 3, 4]

    async def test_after_a_crash_the_block_is_skipped(self, path: Path) -> None:
        db = opening.connect(path)
        opening.prepare(db, path, stamp=None, now=NOW, block=1000)
        db.close()
        opened = opening.prepare(db := opening.connect(path), path, stamp=None, now=NOW, block=1000)
        db.close()
        assert opened.number == 1000

    async def test_the_next_block_is_reserved_in_time(self, ledger: Store) -> None:
        ledger._number = store.BLOCK // 2
        await ledger.write(lambda db: None)
        assert await ledger.read(meta.number, "number") == ledger._reserved == store.BLOCK // 2 + store.BLOCK

    async def test_used_up_numbers_are_an_error_not_a_repeat(self, ledger: Store) -> None:
        ledger._number = ledger._reserved
        with pytest.raises(LedgerError, match="used up"):
            ledger.number()


class TestOpen:
    async def test_the_second_is_refused_and_told_who_has_it(self, ledger: Store, path: Path) -> None:
        import os

        with pytest.raises(LedgerLocked, match=f"process {os.getpid()}"):
            async with store.open(path, now=NOW):
                pass  # pragma: no cover

    async def test_the_file_is_for_its_owner_alone(self, ledger: Store, path: Path) -> None:
        for name in (path, Path(f"{path}.lock"), Path(f"{path}.stamp")):
            assert name.stat().st_mode & 0o077 == 0

    async def test_a_folder_is_made(self, tmp_path: Path) -> None:
        async with store.open(tmp_path / "a" / "b" / "ledger.db", now=NOW):
            pass
        assert (tmp_path / "a" / "b").stat().st_mode & 0o077 == 0

    async def test_a_folder_that_cannot_be_used_is_said(self, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("")
        with pytest.raises(LedgerError, match="cannot use the folder"):
            async with store.open(tmp_path / "file" / "ledger.db", now=NOW):
                pass  # pragma: no cover

    async def test_a_ledger_that_is_a_folder_is_said(self, tmp_path: Path) -> None:
        (tmp_path / "ledger.db").mkdir()
        with pytest.raises(LedgerError, match="cannot open the ledger"):
            async with store.open(tmp_path / "ledger.db", now=NOW):
                pass  # pragma: no cover

    def test_what_is_no_database_is_refused_and_left_alone(self, path: Path) -> None:
        async def use() -> None:
            async with store.open(path, now=NOW):
                pass  # pragma: no cover

        path.write_text("a shopping list, quite long so that it is more than a header " * 50)
        before = path.read_bytes()
        with pytest.raises(LedgerError, match="not a database"):
            asyncio.run(use())
        assert path.read_bytes() == before

    async def test_an_error_inside_closes_the_ledger(self, path: Path) -> None:
        with pytest.raises(ValueError, match="inside"):
            async with store.open(path, now=NOW):
                raise ValueError("inside")
        async with store.open(path, now=NOW):
            pass

    async def test_settings(self, ledger: Store) -> None:
        def settings(db: Database) -> list[object]:
            return [
                db.execute(f"PRAGMA {name}").fetchone()[0]
                for name in ("journal_mode", "synchronous", "foreign_keys", "wal_autocheckpoint", "user_version")
            ]

        assert await ledger.read(settings) == ["wal", 2, 1, 8000, 2]
