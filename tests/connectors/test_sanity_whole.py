"""The whole of syncd as a process of its own between an ERP in SQLite and the emulated Sanity: killed, with answers lost."""

import asyncio
import sqlite3
from asyncio.subprocess import DEVNULL, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any

import pytest

from tests.connectors.large import ROOT
from tests.connectors.whole import command, write_config
from tests.daemon.world import until
from tests.emulators.sanity import Lake, serving

PRODUCT = """
entity: product
in:
  erp: {collection: items}
  sanity: {collection: product, create: true}
identity: {key: sku, match: [{by: sku}], unmatched: {erp: create, sanity: ignore}}
fields:
  sku: {type: string, truth: erp, map: {erp: sku, sanity: sku}}
  name: {type: string, truth: erp, map: {erp: name, sanity: title}}
  note: {type: string, truth: sanity, map: {erp: note, sanity: seo.note}}
deletes: {authority: erp, then: {sanity: unpublish}, confirm: {sweeps: 1, wait: 0s}, elsewhere: restore}
"""
ROWS = 9


@pytest.fixture
async def lake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Lake]:
    monkeypatch.setenv("SYNCD_SECRET_SANITY_TOKEN", "editor-token")
    made = Lake()
    async with serving(made) as server:
        retry = {"first": "50ms", "max": "200ms"}
        url, token = str(server.make_url("/")), "secret:sanity-token"
        sanity = {
            "connector": "sanity",
            "connection": {"project": "a1b2c3d4", "dataset": "production", "token": token, "base_url": url, "timeout": "1s"},
            "watch": {"stream": {"catch_up": "2s"}, "sweep": "1h"},
            "write": {"guard": "version", "retry": retry},
            "collections": {"product": {"type": "product", "version": "_rev"}},
        }
        erp = {
            "connector": "sql",
            "connection": {"dsn": f"sqlite:///{tmp_path}/erp.db"},
            "watch": {"sweep": "500ms"},
            "collections": {"items": {"table": "items", "id": "id"}},
        }
        write_config(tmp_path, {"erp": erp, "sanity": sanity}, {"product": PRODUCT})
        sql(tmp_path, "CREATE TABLE items (id INTEGER PRIMARY KEY, sku TEXT UNIQUE, name TEXT, note TEXT)")
        yield made


def sql(folder: Path, text: str, file: str = "erp.db") -> list[Any]:
    """Somebody works in the ERP, or looks into the ledger."""
    with closing(sqlite3.connect(folder / file, timeout=10)) as db, db:
        return db.execute(text).fetchall()


@asynccontextmanager
async def running(folder: Path) -> AsyncIterator[Process]:
    """Run syncd until left, and then kill it."""
    process = await asyncio.create_subprocess_exec(*command(folder, "run"), cwd=ROOT, stdout=DEVNULL, stderr=DEVNULL)
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def once(folder: Path) -> None:
    """Run one pass to its end."""
    process = await asyncio.create_subprocess_exec(*command(folder, "run", "--once"), cwd=ROOT, stdout=DEVNULL, stderr=DEVNULL)
    async with asyncio.timeout(60):
        assert await process.wait() == 0


def published(lake: Lake) -> dict[str, dict[str, Any]]:
    """Return the published products by sku; fails if there are twins."""
    found = [one for one in lake.documents.values() if one["_type"] == "product" and not one["_id"].startswith("drafts.")]
    assert len({one["sku"] for one in found}) == len(found), "twins"
    return {one["sku"]: one for one in found}


async def killed_after_lost_answers(folder: Path, lake: Lake, count: int) -> None:
    """Kill syncd when so many more of its writes were done and none of their answers was heard."""
    before, lake.faults.mute = len(lake.data.transactions), 1000
    async with running(folder):
        await until(lambda: len(lake.data.transactions) >= before + count, 30)
    lake.faults.mute = 0


async def test_killed_with_lost_answers_nothing_is_done_twice(lake: Lake, tmp_path: Path) -> None:
    """Creates, updates and unpublishing whose answers nobody heard: each is found done by its transaction."""
    for number in range(1, ROWS + 1):
        sql(tmp_path, f"INSERT INTO items (sku, name) VALUES ('S-{number}', 'Mug {number}')")
    await killed_after_lost_answers(tmp_path, lake, 3)
    await once(tmp_path)
    assert len(published(lake)) == ROWS
    assert len(lake.data.transactions) == ROWS
    sql(tmp_path, "UPDATE items SET name = name || '!'")
    await killed_after_lost_answers(tmp_path, lake, 3)
    await once(tmp_path)
    assert {one["title"] for one in published(lake).values()} == {f"Mug {n}!" for n in range(1, ROWS + 1)}
    assert len(lake.data.transactions) == 2 * ROWS
    sql(tmp_path, "DELETE FROM items WHERE id <= 3")
    await killed_after_lost_answers(tmp_path, lake, 1)
    await once(tmp_path)
    await once(tmp_path)
    assert len(published(lake)) == ROWS - 3
    assert sum(one.startswith("drafts.") for one in lake.documents) == 3
    assert len(lake.data.transactions) == 2 * ROWS + 3, "every write was done once"
    sent = {asked.query["transactionId"].removeprefix("syncd-") for asked in lake.requests if asked.writes}
    assert sent <= {key for (key,) in sql(tmp_path, "SELECT key FROM attempt WHERE platform = 'sanity'", "ledger.db")}
    assert sql(tmp_path, "SELECT count(*) FROM attempt WHERE outcome IS NULL", "ledger.db") == [(0,)]


async def test_a_burst_that_is_cut_in_the_middle_arrives_whole(lake: Lake, tmp_path: Path) -> None:
    """Edits of the Studio while the stream is cut again and again, and while syncd is killed and comes back."""
    for number in range(1, ROWS + 1):
        sql(tmp_path, f"INSERT INTO items (sku, name) VALUES ('S-{number}', 'Mug {number}')")
    await once(tmp_path)
    ids = [one["_id"] for one in published(lake).values()]
    for turn in range(2):
        async with running(tmp_path):
            await until(lambda: bool(lake.listeners), 20)
            for number, native in enumerate(ids):
                await lake.patch(native, set={"seo": {"note": f"{turn}"}})
                if number % 5 == 2:
                    for listener in list(lake.listeners):
                        listener.queue.put_nowait(None)
            if turn:  # a stream that is cut again and again is opened ever later
                await until(lambda: sql(tmp_path, "SELECT DISTINCT note FROM items") == [("1",)], 90)
    assert {one["seo"]["note"] for one in published(lake).values()} == {"1"}


async def test_a_first_load_of_ten_thousand_goes_on_where_it_was_killed(lake: Lake, tmp_path: Path) -> None:
    """An import gave all of them the same time. What was read before the kill is not asked for again."""
    documents = [{"_id": f"p-{n:05d}", "_type": "product", "sku": f"P-{n}", "title": f"P {n}"} for n in range(10_000)]
    await lake.load([one | {"_updatedAt": "2025-01-01T00:00:00Z"} for one in documents])

    def pages() -> list[str]:
        queries = [asked for asked in lake.requests if asked.what == "query" and asked.status == 200]
        return [asked.body["params"]["past"] for asked in queries if "past" in asked.body["params"]]

    async with running(tmp_path):
        await until(lambda: len(pages()) >= 6, 60)
    known = [cursor for (cursor,) in sql(tmp_path, "SELECT position FROM cursor WHERE platform = 'sanity'", "ledger.db")]
    lake.requests.clear()
    async with running(tmp_path):
        await until(lambda: bool(pages()), 60)
    assert pages()[0] == str(known[0]).partition(" ")[2] != ""
    assert lake.writes == 0
