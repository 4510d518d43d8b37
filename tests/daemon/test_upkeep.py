"""What the daemon does beside syncing: history, back-ups, scheduled reports, and a watched config folder."""

import asyncio
import json
import sqlite3
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from loguru import logger

from syncd.config.model import Backup, Reports
from syncd.core.model import SECOND
from syncd.daemon import clock
from syncd.daemon.publish import last_time, note_time, report_forever, write_files
from syncd.daemon.schedule import next_cron
from syncd.daemon.upkeep import back_up, due_at, tidy
from syncd.ledger import config_texts, history, retention
from syncd.ledger.reading import read_only
from syncd.reports import status
from syncd.reports.envelope import Origin
from tests.daemon.test_serve import ask, daemon
from tests.daemon.world import World, until

DAY = 24 * 3600 * SECOND
BERLIN = ZoneInfo("Europe/Berlin")


@pytest.fixture
def log() -> Any:
    lines: list[str] = []
    number = logger.add(lambda message: lines.append(str(message)), level="DEBUG")
    yield lines
    logger.remove(number)


def backups(world: World) -> list[Path]:
    return sorted((world.folder / "state" / "backups").glob("*"))


def filled(world: World, service: str) -> None:
    world.shop_and_erp(service=service)
    world.put("erp", "1", sku="MUG-1", name="Mug", price="12.00", stock=3)


def edit(world: World, old: str, new: str) -> None:
    file = world.folder / "config" / "syncd.yaml"
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new))


LEDGER = "state/ledger.db"


def with_ledger(world: World, more: str) -> None:
    edit(world, f"{LEDGER}}}", f"{LEDGER}, {more}}}")


# ---- back-ups


async def test_the_ledger_is_copied_and_the_newest_copies_stay(world: World, log: list[str]) -> None:
    filled(world, "")
    with_ledger(world, "backup: {every: 1s, keep: 2}")
    async with daemon(world):
        await until(lambda: "MUG-1" in world.items("shop"))
        await until(lambda: sum("verified" in line for line in log) >= 4, 10)
    copies = backups(world)
    assert len(copies) == 2
    assert all(path.stat().st_mode & 0o777 == 0o600 for path in copies)
    with read_only(copies[-1]) as db:
        assert db.execute("SELECT key FROM record").fetchall() == [("MUG-1",)]
        assert db.execute("SELECT value FROM meta WHERE name = 'copy'").fetchone() == ("1",)


async def test_a_reload_switches_copies_on(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STATE_DIRECTORY", str(world.folder / "state"))
    filled(world, "")
    async with daemon(world):
        assert backups(world) == []
        with_ledger(world, "backup: {every: 1h}")
        assert (await ask(world, do="reload"))["ok"]
        await until(lambda: len(backups(world)) == 1)


async def test_a_copy_that_failed_is_told_everywhere(world: World, log: list[str]) -> None:
    filled(world, "")
    with_ledger(world, "backup: {every: 1h}")
    (world.folder / "state").mkdir()
    (world.folder / "state" / "backups").write_text("a file where a folder should be")
    async with daemon(world):
        await until(lambda: any("no backup: " in line for line in log))
        live = await ask(world, do="status")
        with read_only(world.folder / LEDGER) as db:
            document = status.collect(db, Origin(clock.now(), "test", "sha"), {}, live=live)
    told = [one["text"] for one in document["attention"]]
    assert [text for text in told if text.startswith("the last backup failed: ")]


async def test_what_a_crash_left_and_what_is_not_ours(world: World) -> None:
    filled(world, "")
    folder = world.folder / "state" / "backups"
    folder.mkdir(parents=True)
    (folder / "ledger-20200101T000000Z.db.part").write_text("half")
    (folder / "ledger-old.db").write_text("somebody's")
    for n in range(3):
        (folder / f"ledger-2020010{n + 1}T000000Z.db").write_text("old")
    async with world.runtime() as runtime:
        assert await back_up(runtime, Backup(DAY, 2))
        assert due_at(Backup(DAY, 2), folder, runtime.now()) > runtime.now() + DAY - 60 * SECOND
    assert next(path.name for path in backups(world)) == "ledger-20200103T000000Z.db"
    assert {path.name for path in backups(world)} >= {"ledger-old.db"}
    assert len(backups(world)) == 3


@pytest.mark.parametrize(
    ("name", "due"), [(None, 0), ("ledger-20261120T000000Z.db", 3600), ("ledger-20991120T000000Z.db", 7200)]
)
def test_when_a_copy_is_due(tmp_path: Path, name: str | None, due: int) -> None:
    now = int(datetime(2026, 11, 20, 1, tzinfo=UTC).timestamp()) * SECOND
    if name:
        (tmp_path / name).touch()
    assert due_at(Backup(2 * 3600 * SECOND, 1), tmp_path, now) - now == due * SECOND


async def test_a_stop_does_not_wait_for_a_copy(world: World) -> None:
    filled(world, "")
    async with world.runtime() as runtime:

        def large(db: Any) -> None:
            text = "x" * 4_000_000
            for n in range(12):
                db.execute("INSERT INTO config VALUES (?, '2026-01-01T00:00:00Z', ?)", (f"sha{n}", text))

        await runtime.store.write(large)
        task = asyncio.create_task(back_up(runtime, Backup()))
        await asyncio.sleep(0.01)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    await until(lambda: backups(world) == [])


# ---- history


async def test_history_is_thinned_and_that_is_said(world: World, log: list[str]) -> None:
    filled(world, "")
    with_ledger(world, "keep_history: 1d")
    start = clock.now()
    days = [0]
    world.now = lambda: start - 10 * DAY + days[0] * DAY + (clock.now() - start)
    for price in ("12.00", "13.00", "14.00"):
        world.put("erp", "1", price=price)
        await world.once()
        days[0] += 1
    days[0] = 10
    async with world.runtime() as runtime:
        sha = runtime.config.sha
        before = await runtime.store.read(history.every)
        gone = await tidy(runtime)
        after = await runtime.store.read(history.every)
        assert await runtime.store.read(retention.thinned_before) is not None
        assert await runtime.store.read(config_texts.get, sha) is not None
    assert gone > 0
    assert len(after) < len(before)
    assert {d.decision.version for d in after} >= {1, 3}
    assert any("history older than 1 days thinned" in line for line in log)


# ---- scheduled reports


@pytest.mark.parametrize(
    ("rule", "after", "expected"),
    [
        ("15 2 * * *", "2026-11-20T02:14:59+01:00", ["2026-11-20T02:15:00+01:00", "2026-11-21T02:15:00+01:00"]),
        ("15 2 * * *", "2026-11-20T02:15:00+01:00", ["2026-11-21T02:15:00+01:00"]),
        # the clock is put forward: 02:30 is skipped, and made good at 03:00, once
        ("30 2 * * *", "2026-03-28T12:00:00+01:00", ["2026-03-29T03:00:00+02:00", "2026-03-30T02:30:00+02:00"]),
        # the clock is put back: 02:30 comes twice, and is one moment
        ("30 2 * * *", "2026-10-24T12:00:00+02:00", ["2026-10-25T02:30:00+02:00", "2026-10-26T02:30:00+01:00"]),
        ("30 2 * * *", "2026-10-25T02:29:00+01:00", ["2026-10-26T02:30:00+01:00"]),
        ("0 0 29 2 *", "2026-01-01T00:00:00+01:00", ["2028-02-29T00:00:00+01:00"]),
    ],
)
def test_the_moments_of_a_schedule(rule: str, after: str, expected: list[str]) -> None:
    at = int(datetime.fromisoformat(after).timestamp()) * SECOND
    for text in expected:
        found = next_cron(rule, "Europe/Berlin", at)
        assert found is not None
        assert datetime.fromtimestamp(found / SECOND, BERLIN).isoformat() == text
        at = found


async def test_a_missed_time_is_made_good_once(world: World) -> None:
    filled(world, "timezone: Europe/Berlin\nreconcile: {settle: 0s}\n".replace("reconcile: {settle: 0s}\n", ""))
    edit(world, "{settle: 0s}", '{settle: 0s, schedule: "15 2 * * *"}')
    moment = [int(datetime(2026, 3, 27, 12, tzinfo=BERLIN).timestamp()) * SECOND]
    world.now = lambda: moment[0]
    made: list[int] = []

    async def make() -> None:
        made.append(moment[0])

    async def run_for_a_moment() -> None:
        async with world.runtime() as runtime:
            task = asyncio.create_task(report_forever(runtime, make))
            await asyncio.sleep(0.15)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    await run_for_a_moment()
    assert made == [], "a schedule begins when it is first seen"
    moment[0] += 5 * DAY  # syncd was down, and the clock was put forward meanwhile
    await run_for_a_moment()
    await run_for_a_moment()
    assert len(made) == 1
    moment[0] += 3600 * SECOND
    await run_for_a_moment()
    assert len(made) == 1
    moment[0] -= 3 * 3600 * SECOND  # the clock was put back
    await run_for_a_moment()
    assert len(made) == 1
    edit(world, "15 2 * * *", "0 1 * * *")
    await run_for_a_moment()
    assert len(made) == 1, "another schedule begins now"
    moment[0] += DAY
    await run_for_a_moment()
    assert len(made) == 2


def test_a_clock_that_was_far_ahead_does_not_stop_the_reports() -> None:
    with sqlite3.connect(":memory:") as db:
        db.execute("CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT)")
        rule = ("* * * * *", "UTC")
        note_time(db, rule, 100 * DAY)
        assert last_time(db, rule, 99 * DAY + 1) == 100 * DAY
        assert last_time(db, rule, 50 * DAY) == 50 * DAY
    db.close()


async def test_a_scheduled_report_is_stored_and_written(world: World) -> None:
    folder = world.folder / "reports"
    filled(world, "")
    report = f"{{dir: {folder}, formats: [html, json, csv, markdown, junit], keep: 1d}}"
    edit(world, "{settle: 0s}", f'{{settle: 0s, schedule: "* * * * * *", report: {report}}}')
    folder.mkdir()
    old, other = folder / "r-20200101-0215.html", folder / "r-2020.html"
    for path in (old, folder / "r-20200101-0215-2.json", other, folder / "notes.txt"):
        path.write_text("x")
    async with daemon(world):
        await until(lambda: len(list(folder.glob(f"r-{datetime.now(UTC):%Y}*.xml"))) > 0, 10)
        await until(lambda: not old.exists())
    assert other.exists()
    assert (folder / "notes.txt").exists()
    assert not (folder / "r-20200101-0215-2.json").exists()
    (first, *_) = sorted(folder.glob("r-*-*.json"))
    document = json.loads(first.read_text())
    assert document["schema"] == "syncd.reconcile/1.0"
    assert first.name == f"{document['id']}.json"
    assert sorted(path.suffix for path in folder.glob(f"{document['id']}.*")) == [".csv", ".html", ".json", ".md", ".xml"]
    with read_only(world.folder / LEDGER) as db:
        assert db.execute("SELECT count(*) FROM report WHERE id = ?", (document["id"],)).fetchone() == (1,)
    assert "Access-Control" not in first.read_text()
    assert not list(folder.glob("*.part"))


async def test_a_whole_report_by_hand_is_written_too_and_a_part_is_not(world: World) -> None:
    filled(world, "")
    edit(world, "{settle: 0s}", "{settle: 0s, report: {formats: [json]}}")
    folder = world.folder / "state" / "reports"
    async with daemon(world):
        await ask(world, do="reconcile", platforms=["shop"])
        assert not folder.exists()
        await ask(world, do="reconcile")
        assert len(list(folder.glob("r-*.json"))) == 1


async def test_personal_values_are_masked_in_files(world: World) -> None:
    filled(world, "")
    edit(world, "{settle: 0s}", "{settle: 0s, report: {formats: [json, html, csv, markdown, junit]}}")
    file = world.folder / "config" / "entities" / "product.yaml"
    file.write_text(file.read_text().replace("name: {type: string,", "name: {type: string, pii: true,"))
    world.put("erp", "1", name="Josephine")
    await world.once()
    world.put("shop", next(iter(world.platform("shop").things["products"])), title="Josephina")
    async with world.runtime() as runtime:
        from syncd.daemon.drift_report import report_drift

        async def nothing(_: set[int]) -> None: ...

        answer = await report_drift(runtime, {}, lambda _: None, nothing)
    assert answer["report"]["rows"], "there is drift"
    files = list((world.folder / "state" / "reports").iterdir())
    assert len(files) == 5
    assert not any("Josephin" in path.read_text() for path in files)


async def test_a_folder_that_cannot_be_written_is_told_and_the_report_is_made(world: World, log: list[str]) -> None:
    filled(world, "")
    blocked = world.folder / "blocked"
    blocked.write_text("a file")
    edit(world, "{settle: 0s}", f"{{settle: 0s, report: {{dir: {blocked}/reports}}}}")
    async with daemon(world):
        answer = await ask(world, do="reconcile")
        assert answer["report"]["id"]
        assert (await ask(world, do="status"))["attention"][0].startswith(f"drift report {answer['report']['id']} is not in")
    assert any("is not in" in line for line in log)


def test_files_are_kept_by_the_time_in_their_name(tmp_path: Path) -> None:
    now = int(datetime(2026, 11, 20, 2, 15, tzinfo=UTC).timestamp()) * SECOND
    for name in ("r-20261119-0214.json", "r-20261119-0215.json", "r-20261120-0200.html.part", "r-20261101-0000.json.part"):
        (tmp_path / name).write_text("x")
    write_files(Reports(tmp_path, ("json",), DAY), {"id": "r-20261120-0215", "schema": "x"}, now)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "r-20261119-0215.json",
        "r-20261120-0200.html.part",
        "r-20261120-0215.json",
    ]


# ---- watch_config


def watched(world: World) -> Path:
    filled(world, "watch_config: true\n")
    return world.folder / "config" / "entities" / "product.yaml"


async def test_an_edit_is_taken_over_when_it_settled(world: World, log: list[str]) -> None:
    file = watched(world)
    good = file.read_text()
    async with daemon(world):
        await until(lambda: "MUG-1" in world.items("shop"))
        sha = (await ask(world, do="status"))["config_sha"]
        for n in range(5):
            file.write_text(f"# edit {n}\n{good}")
            await asyncio.sleep(0.1)
        await until(lambda: any("-> " in line and "entities/product.yaml" in line for line in log), 8)
        assert sum("changed: entities/product.yaml" in line for line in log) == 1
        assert (await ask(world, do="status"))["config_sha"] != sha


async def test_an_edit_with_errors_keeps_the_old_config_and_names_the_line(world: World, log: list[str]) -> None:
    file = watched(world)
    good = file.read_text()
    async with daemon(world):
        sha = (await ask(world, do="status"))["config_sha"]
        file.write_text(good.replace("truth: erp, map: {erp: price", "truth: nobody, map: {erp: price"))
        await until(lambda: any("E201" in line for line in log), 8)
        (told,) = [line for line in log if "E201" in line]
        assert "entities/product.yaml:13:" in told
        assert f"the old config {sha} stays" in told
        file.write_text(good)
        await until(lambda: any("nothing changed" in line for line in log), 8)


async def test_what_an_editor_leaves_beside_is_no_edit(world: World, log: list[str]) -> None:
    file = watched(world)
    async with daemon(world):
        for name in (".product.yaml.swp", "product.yaml~", "4913", "#product.yaml#"):
            (file.parent / name).write_text("x")
        (file.parent / ".#product.yaml").symlink_to("jo@host.1234")
        file.touch()
        part = file.with_name("product.yaml.new")
        part.write_text(file.read_text())
        part.replace(file)
        await asyncio.sleep(2.0)
    assert not any("config" in line and ("loaded" in line or "stays" in line) for line in log)


async def test_watching_can_be_switched_on_by_a_reload_and_off_by_an_edit(world: World, log: list[str]) -> None:
    filled(world, "")
    file = world.folder / "config" / "syncd.yaml"
    async with daemon(world):
        file.write_text(f"{file.read_text()}watch_config: true\n")
        assert (await ask(world, do="reload"))["ok"]
        await asyncio.sleep(0.3)
        file.write_text(file.read_text().replace("watch_config: true", "watch_config: false"))
        await until(lambda: sum("changed: syncd.yaml" in line for line in log) == 2, 8)
        file.write_text(f"{file.read_text()}# more\n")
        await asyncio.sleep(2.0)
    assert sum("changed: syncd.yaml" in line for line in log) == 2
