"""Which ledgers are taken, and which are known to be another than the one we left (R32)."""

import os
import re
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from syncd.core.model import GoldenField, Life, Op
from syncd.errors import LedgerError, LedgerLocked
from syncd.ledger import (
    attempts,
    backup,
    breakers,
    cursors,
    inbox,
    meta,
    migrate,
    opening,
    proposals,
    reading,
    records,
    schema,
    store,
    sweeps,
)
from syncd.ledger.lock import UNREADABLE, Stamp, locked
from syncd.ledger.proposals import Planned
from syncd.ledger.schema import Database
from tests.ledger.builders import NOW, change, keep, known, record, shadow, take, write


@contextmanager
def opened(path: Path, stamp: tuple[str, int] | None) -> Iterator[Database]:
    db = opening.connect(path)
    opening.prepare(db, path, stamp=stamp, now=NOW, block=1000)
    yield db
    db.close()


def facts(db: Database) -> tuple[str | None, str | None]:
    return meta.get(db, "epoch"), meta.restored(db)


class TestSchema:
    def test_the_newest_migration_has_the_number_of_the_code(self) -> None:
        assert sorted(migrate.scripts()) == list(range(1, schema.SCHEMA + 1))

    def test_an_sqlite_that_is_too_old_is_named_with_the_one_needed(self) -> None:
        with pytest.raises(LedgerError, match=r"needs SQLite 3\.38\.0 or newer, this Python has 3\.34\.1"):
            schema.check_sqlite((3, 34, 1))
        schema.check_sqlite()

    def test_a_newer_ledger_is_refused_by_writer_and_reader(self, db: Database, path: Path) -> None:
        db.execute(f"PRAGMA user_version = {schema.SCHEMA + 1}")
        with pytest.raises(LedgerError, match="newer syncd"):
            opening.prepare(db, path, stamp=None, now=NOW, block=1)
        with pytest.raises(LedgerError, match="newer syncd"), reading.read_only(path):
            pass  # pragma: no cover

    def test_a_database_of_somebody_else_is_refused(self, path: Path) -> None:
        with sqlite3.connect(path) as other:
            other.execute("CREATE TABLE customer (id INTEGER)")
        other.close()
        with pytest.raises(LedgerError, match="not a ledger of syncd"), opened(path, None):
            pass  # pragma: no cover

    def test_where_there_can_be_no_write_ahead_log_there_is_no_ledger(self) -> None:
        db = sqlite3.connect(":memory:")
        with pytest.raises(LedgerError, match=r"no write-ahead log \(journal mode memory\)"):
            opening.tune(db, Path("ledger.db"))
        db.close()

    def test_every_table_is_strict(self, db: Database) -> None:
        loose = db.execute(
            "SELECT name FROM pragma_table_list WHERE schema = 'main' AND type = 'table' AND NOT strict"
        ).fetchall()
        assert {row[0] for row in loose} <= {"sqlite_schema", "sqlite_sequence"}

    def test_the_tables_of_the_design_are_there(self, db: Database) -> None:
        named = (
            "record link shadow seen version decision inbox cursor outbox attempt proposal conflict dead_letter tombstone"
            " breaker pause sweep drift report config audit meta match_key"
        )
        there = {row[0] for row in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        assert set(named.split()) <= there

    @pytest.mark.parametrize("table", ["version", "decision", "attempt", "audit"])
    def test_the_past_is_append_only(self, db: Database, table: str) -> None:
        keep(db, record(1))
        rows = {
            "version": "INSERT INTO version VALUES (1, 1, 9, 'now', '{}')",
            "decision": "INSERT INTO decision VALUES (1, 1, 9, 'now', 'read', 'sha', '{}')",
            "attempt": "INSERT INTO attempt VALUES (1, 1, 'p', 'a', 'c', NULL, 'op', 'k', 1, 1, 1, 0, 0, '{}', 'done', '', 1)",
            "audit": "INSERT INTO audit VALUES (1, 'now', 'ana', 'pause', '{}')",
        }
        db.execute(rows[table])
        for statement in (f"UPDATE {table} SET id = 2", f"DELETE FROM {table}"):
            with pytest.raises(sqlite3.IntegrityError, match="append-only"):
                db.execute(statement)


class TestStamp:
    def test_an_own_ledger_is_taken_as_it_is(self, path: Path) -> None:
        with opened(path, None) as db:
            epoch, why = facts(db)
            assert (len(epoch or ""), why) == (12, None)
        with opened(path, (epoch or "", 0)) as db:
            assert facts(db) == (epoch, None)

    @pytest.mark.parametrize(
        ("stamp", "why"),
        [(("another", 0), opening.OLDER), (("same", 8), opening.OLDER), (None, opening.MOVED)],
    )
    def test_a_ledger_that_is_not_the_one_we_left_starts_a_new_epoch(
        self, path: Path, stamp: tuple[str, int] | None, why: str
    ) -> None:
        with opened(path, None) as db:
            meta.put(db, "epoch", "same")
            meta.put(db, "commits", "7")
        with opened(path, stamp) as db:
            assert facts(db)[0] != "same"
            assert facts(db)[1] == why
            meta.accept(db)
            assert facts(db)[1] is None

    @pytest.mark.parametrize(("stamp", "commits"), [(None, "0"), (UNREADABLE, "7")])
    def test_a_stamp_that_was_never_written_or_says_nothing_is_no_reason_for_doubt(
        self, path: Path, stamp: tuple[str, int] | None, commits: str
    ) -> None:
        with opened(path, None) as db:
            meta.put(db, "commits", commits)
            before = facts(db)
        with opened(path, stamp) as db:
            assert facts(db) == before == (before[0], None)

    def test_a_lost_ledger_is_told_from_a_first_one(self, path: Path) -> None:
        with opened(path, ("old", 99)) as db:
            assert facts(db)[1] == opening.LOST

    async def test_a_file_copied_back_is_found_out(self, path: Path) -> None:
        async with store.open(path, now=NOW) as ledger:
            await ledger.write(meta.put, "t", "1")
            epoch = ledger.epoch
        shutil.copy(path, path.with_suffix(".old"))
        async with store.open(path, now=NOW) as ledger:
            assert ledger.epoch == epoch
            await ledger.write(meta.put, "t", "2")
        shutil.copy(path.with_suffix(".old"), path)
        async with store.open(path, now=NOW) as ledger:
            assert ledger.epoch != epoch
            assert await ledger.read(meta.restored) == opening.OLDER
        async with store.open(path, now=NOW) as ledger:
            assert await ledger.read(meta.restored) == opening.OLDER, "until a person accepts it"

    def test_a_stamp_that_cannot_be_read_or_written_is_none(self, tmp_path: Path) -> None:
        stamp = Stamp(tmp_path / "ledger.db")
        assert stamp.read() is None
        stamp.write("e", 7, sync=True)
        assert stamp.read() == ("e", 7)
        stamp.path.write_text("nonsense")
        assert stamp.read() == UNREADABLE
        nowhere = Stamp(tmp_path / "no" / "ledger.db")
        nowhere.write("e", 7)
        assert nowhere.read() is None
        full = Stamp(tmp_path / "x")
        full.path = Path("/dev/full")
        full.write("e", 7)

    def test_a_lock_left_by_a_dead_process_is_free(self, path: Path) -> None:
        Path(f"{path}.lock").write_text("99999\n")
        with locked(path), pytest.raises(LedgerLocked, match="in use by process"), locked(path):
            pass  # pragma: no cover
        with locked(path):
            Path(f"{path}.lock").write_text("")
            with pytest.raises(LedgerLocked, match="another process"), locked(path):
                pass  # pragma: no cover


class TestRebase:
    """R32: after a copy came back, nothing undecided is trusted and counters start afresh."""

    def before(self, db: Database) -> str:
        """A ledger with something of everything; returns its epoch."""
        one = record(1, shadow("erp", "1", fields={"stock": known(7, base=7), "name": known()}), shadow("shop", "10"))
        one.golden["stock"] = GoldenField(7, NOW, NOW, "erp", seed=(0, 7))
        keep(db, one, record(2, shadow("erp", "2", life=Life.GONE), life=Life.GONE))
        first, _ = take(db, change("1", event_id="e1"), change("2"))
        inbox.finish(db, [first.id], now=NOW)
        attempts.intend(db, write(1), epoch="e", as_of=3, raws={}, now=NOW, lifetime=9)
        proposals.propose(db, 1, "shop", op=Op.UPDATE, fields=[Planned("name", "title", "a", "b")], why="", now=NOW)
        cursors.move(db, "erp", "items", "t7")
        cursors.prove(db, "erp", "items", 3)
        sweeps.begin(db, "erp", "items", as_of=4, now=NOW)
        breakers.trip(db, "shop", "product", "changes", figures={}, now=NOW)
        breakers.reset(db, "shop", "product", allow=9, until=NOW + 9, note="", by="ana", now=NOW)
        return meta.get(db, "epoch") or ""

    @pytest.fixture
    def restored(self, path: Path) -> Iterator[Database]:
        """The ledger after its backup was put back."""
        with opened(path, None) as db:
            epoch = self.before(db)
        backup.backup(path, path.with_suffix(".copy"))
        with opened(path.with_suffix(".copy"), (epoch, 0)) as db:
            assert facts(db)[0] != epoch
            assert facts(db)[1] == opening.COPY
            yield db

    def test_counters_start_afresh_and_every_interval_is_open(self, restored: Database) -> None:
        back = records.one(restored, 1)
        assert back is not None
        there = back.shadows["erp"].fields
        assert there["stock"].base is None
        assert {(f.lo, f.hi) for f in there.values()} == {(0, NOW)}
        assert set(back.golden) == {"sku", "name"}
        assert {(g.lo, g.hi) for g in back.golden.values()} == {(0, NOW)}

    def test_what_was_under_way_is_dropped_but_known_events_stay_known(self, restored: Database) -> None:
        assert inbox.pending(restored, 9, now=NOW) == []
        assert inbox.add(restored, "erp", "items", [change("1", event_id="e1")], now=NOW).repeats == 1
        assert [t.outcome for t in attempts.of_record(restored, 1)] == ["dropped"]
        assert [p.state for p in proposals.in_state(restored, "open", "obsolete")] == ["obsolete"]
        assert breakers.allowance(restored, "shop", "product", now=NOW) is None

    def test_nothing_proves_an_absence_until_it_is_read_again(self, restored: Database) -> None:
        [feed] = cursors.feeds(restored)
        assert (feed.position, feed.swept) == ("t7", None)
        last = sweeps.last(restored, "erp", "items")
        assert last is not None
        assert last.state == "incomplete"

    def test_once_opened_it_is_a_ledger_like_any_other(self, restored: Database, path: Path) -> None:
        epoch = meta.get(restored, "epoch") or ""
        with opened(path.with_suffix(".copy"), (epoch, 0)) as db:
            assert facts(db) == (epoch, opening.COPY), "until a person accepts it"


class TestBackup:
    def test_a_copy_while_a_writer_works_is_sound_and_for_its_owner_alone(self, db: Database, path: Path) -> None:
        keep(db, record(1, shadow()))
        target = path.with_suffix(".bak")
        assert backup.backup(path, target) == target.stat().st_size
        assert target.stat().st_mode & 0o077 == 0
        with reading.read_only(target) as copy:
            assert records.one(copy, 1) == record(1, shadow())
            assert meta.get(copy, "copy") == "1"

    def test_a_target_that_is_there_is_left_alone(self, db: Database, path: Path) -> None:
        with pytest.raises(LedgerError, match="cannot write the backup"):
            backup.backup(path, path)

    def test_no_ledger_no_target(self, tmp_path: Path) -> None:
        with pytest.raises(LedgerError, match="there is no ledger"):
            backup.backup(tmp_path / "none.db", tmp_path / "copy.db")
        assert not (tmp_path / "copy.db").exists()

    def test_a_copy_that_is_not_sound_is_none(self, db: Database, path: Path) -> None:
        db.execute("PRAGMA foreign_keys = OFF")
        db.execute("INSERT INTO tombstone VALUES (9, 1, '', '', '')")
        with pytest.raises(LedgerError, match="a reference leads nowhere"):
            backup.backup(path, path.with_suffix(".bak"))
        assert not path.with_suffix(".bak").exists()

    def test_a_damaged_ledger_gives_no_copy(self, db: Database, path: Path) -> None:
        keep(db, *(record(n, shadow("erp", str(n))) for n in range(1, 200)))
        db.close()
        sound = path.read_bytes()
        in_index = re.compile(rb"(productSKU-15)0(?!alive)")
        for damaged in (in_index.sub(rb"\1X", sound), sound[: len(sound) // 2]):
            path.write_bytes(damaged)
            with pytest.raises(LedgerError, match="cannot make the backup"):
                backup.backup(path, path.with_suffix(".bak"))
            assert not path.with_suffix(".bak").exists()


class TestReading:
    def test_beside_a_writer_and_without_one(self, db: Database, path: Path) -> None:
        keep(db, record(1))
        with reading.read_only(path) as reader:
            assert records.one(reader, 1) is not None
            with pytest.raises(sqlite3.OperationalError, match="readonly"):
                reader.execute("DELETE FROM record")
        db.close()
        with reading.read_only(path) as reader:
            assert records.one(reader, 1) is not None

    def test_without_a_daemon_in_a_folder_we_may_not_write(self, db: Database, path: Path) -> None:
        keep(db, record(1))
        db.close()
        unable = "file:/nowhere/x?mode=ro"
        live = reading.open_uri
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(reading, "open_uri", lambda uri: live(uri if "immutable" in uri else unable))
            with reading.read_only(path) as reader:
                assert records.one(reader, 1) is not None
            patch.setattr(reading, "open_uri", lambda uri: live(unable))
            with pytest.raises(LedgerError, match=r"cannot read .*unable to open"), reading.read_only(path):
                pass  # pragma: no cover
            Path(f"{path}-wal").touch()
            with pytest.raises(LedgerError, match=r"cannot read .*unable to open"), reading.read_only(path):
                pass  # pragma: no cover

    def test_as_another_user_who_may_only_read(self, db: Database) -> None:
        if os.geteuid() != 0:
            pytest.skip("only root can become somebody else")
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "ledger.db"
            path.parent.chmod(0o755)
            with opened(path, None) as own:
                keep(own, record(1))
            path.chmod(0o644)
            code = (
                "import os, sys\nfrom syncd.ledger.reading import read_only\nos.setgid(65534); os.setuid(65534)\n"
                "with read_only(sys.argv[1]) as db: print(db.execute('SELECT count(*) FROM record').fetchone())"
            )
            done = subprocess.run([sys.executable, "-c", code, path], capture_output=True, text=True, check=False)
            assert done.stdout == "(1,)\n", done.stderr

    def test_what_is_not_there_or_no_ledger_is_said(self, tmp_path: Path) -> None:
        with pytest.raises(LedgerError, match="there is no ledger at"), reading.read_only(tmp_path / "none.db"):
            pass  # pragma: no cover
        (tmp_path / "junk.db").write_text("a shopping list " * 500)
        with pytest.raises(LedgerError, match="damaged, or no ledger"), reading.read_only(tmp_path / "junk.db"):
            pass  # pragma: no cover
        (tmp_path / "empty.db").touch()
        with pytest.raises(LedgerError, match="older than this syncd"), reading.read_only(tmp_path / "empty.db"):
            pass  # pragma: no cover

    def test_reading_does_not_load_the_writer(self) -> None:
        code = (
            "import sys, syncd.ledger.reading, syncd.ledger.state; print('aiosqlite' in sys.modules, 'asyncio' in sys.modules)"
        )
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        assert done.stdout == "False False\n"
