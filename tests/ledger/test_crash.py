"""What was acknowledged is there: after kill -9, on a full disk, at the limit of a file's size."""

import asyncio
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from syncd.errors import LedgerError
from syncd.ledger import store
from syncd.ledger.schema import Database
from tests.ledger.builders import NOW
from tests.ledger.writer import insert

ROOT = Path(__file__).parents[2]


def start(path: Path, *args: str, under: Sequence[str] = ()) -> "subprocess.Popen[str]":
    command = [*under, sys.executable, "-m", "tests.ledger.writer", str(path), *args]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)


def names(db: Database) -> set[str]:
    return {row[0] for row in db.execute("SELECT name FROM meta WHERE name LIKE 't-%'")}


def check(db: Database) -> str:
    return str(db.execute("PRAGMA integrity_check").fetchone()[0])


async def reopened(path: Path) -> set[str]:
    """What is in the ledger after it is opened again; it must be sound and of the same epoch."""
    async with store.open(path, now=NOW) as ledger:
        assert await ledger.read(check) == "ok"
        assert await ledger.read(lambda db: db.execute("SELECT 1 FROM meta WHERE name = 'restored'").fetchone()) is None
        return await ledger.read(names)


def acknowledged(lines: list[str]) -> set[str]:
    return {line.split()[1] for line in lines if line.startswith("ok ")}


@pytest.mark.parametrize("pause", [0.05, 0.2, 0.4, 0.8])
async def test_kill_9_in_the_middle_of_commits_loses_nothing_acknowledged(path: Path, pause: float) -> None:
    with start(path) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        await asyncio.to_thread(time.sleep, pause)
        os.kill(process.pid, signal.SIGKILL)
        lines = process.stdout.read().splitlines()
    known = acknowledged([line for line in lines if line.endswith(tuple("0123456789"))])
    assert known, "it was killed while it wrote"
    there = await reopened(path)
    assert known <= there
    assert len(there - known) <= 8 * 2, "no more than the calls under way can be there unacknowledged"


CALLS = "pwrite64,fdatasync,fsync,ftruncate,unlink"
POINTS = [1, 2, 5, 9, 14, 20, 27, 35, 50, 80, 130, 210]


@pytest.mark.skipif(shutil.which("strace") is None, reason="needs strace")
@pytest.mark.parametrize("point", POINTS)
async def test_killed_at_any_write_it_opens_again_with_all_that_was_acknowledged(path: Path, point: int) -> None:
    """The first points are in the making of the ledger, the later ones in its commits."""
    kill = f"inject={CALLS}:signal=SIGKILL:when={point}"
    with start(path, under=("strace", "-f", "-qq", "-o", "/dev/null", "-e", f"trace={CALLS}", "-e", kill)) as process:
        assert process.stdout is not None
        lines = (await asyncio.to_thread(process.stdout.read)).splitlines()
    assert process.returncode == -signal.SIGKILL
    known = acknowledged([line for line in lines if line.endswith(tuple("0123456789"))])
    there = await reopened(path)
    assert known <= there
    assert len(there - known) <= 8 * 2


async def test_at_the_limit_of_a_files_size_nothing_is_acknowledged_that_is_not_there(path: Path) -> None:
    with start(path, "400000") as process:
        assert process.stdout is not None
        lines = process.stdout.read().splitlines()
    known = acknowledged(lines)
    refused = {line.split()[1] for line in lines if line.startswith("refused ")}
    assert known
    assert refused
    assert len(known) + len(refused) == 8 * 60
    there = await reopened(path)
    assert known <= there


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 1 MiB, if we may mount one."""
    folder = tmp_path / "disk"
    folder.mkdir()
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", folder], capture_output=True, check=False)
    if made.returncode:
        pytest.skip("may not mount a small disk here")
    yield folder
    subprocess.run(["umount", folder], check=True)


def grow(disk: Path) -> None:
    subprocess.run(["mount", "-o", "remount,size=8m", disk], check=True)


async def test_on_a_full_disk_nothing_is_acknowledged_and_all_goes_on_when_there_is_room(small_disk: Path) -> None:
    path = small_disk / "ledger.db"
    known: set[str] = set()
    refused = 0
    async with store.open(path, now=NOW) as ledger:
        for number in range(500):
            try:
                known.add(await ledger.write(insert, f"t-{number}"))
            except LedgerError as error:
                refused += "full" in str(error)
        assert known
        assert len(known) + refused == 500
        assert refused
        assert ledger.broken is None
        assert await ledger.read(names) == known
        grow(small_disk)
        known.add(await ledger.write(insert, "t-room"))
    assert await reopened(path) == known


async def test_a_group_on_a_full_disk_fails_as_a_whole(small_disk: Path) -> None:
    path = small_disk / "ledger.db"
    async with store.open(path, now=NOW) as ledger:
        calls = [ledger.write(insert, f"t-{number}") for number in range(400)]
        results = await asyncio.gather(*calls, return_exceptions=True)
        assert all(isinstance(result, LedgerError) for result in results)
        assert await ledger.read(names) == set()
    assert await reopened(path) == set()


def test_a_half_migrated_file_stays_at_the_number_before(path: Path) -> None:
    from syncd.ledger import migrate

    db = sqlite3.connect(path, isolation_level=None)
    script = migrate.scripts()[1]
    half = script[: len(script) // 2].rsplit(";", 1)[0] + "; SELECT nonsense;"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(migrate, "scripts", lambda: {1: half})
        with pytest.raises(LedgerError, match="migration 1 failed"):
            migrate.migrate(db, str(path))
    assert db.execute("SELECT count(*) FROM sqlite_master").fetchone() == (0,)
    other = sqlite3.connect(path, isolation_level=None, timeout=0)
    other.execute("BEGIN IMMEDIATE")
    db.execute("PRAGMA busy_timeout = 0")
    with pytest.raises(LedgerError, match="database is locked"):
        migrate.migrate(db, str(path))
    other.close()
    assert migrate.migrate(db, str(path)) == 0
    db.close()
