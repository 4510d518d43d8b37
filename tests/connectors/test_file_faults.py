"""Folders as they really are: broken files, files half written, writers that come and go."""

import asyncio
import contextlib
import json
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from syncd.connectors.file import FileKind, Files
from syncd.connectors.file_formats import FileCollection
from syncd.connectors.protocol import Batch, Page
from syncd.core.model import Answer, Change, Op, Receipt, Via, Write
from syncd.errors import PermanentError, StaleWrite, TransientError
from tests.connectors.contract import abilities_of, setup_for


def folder_of(tmp_path: Path, *, settle: str = "50ms", **options: Any) -> Files:
    kind = FileKind()
    given = {"files": "stock*.csv", "format": "csv", "delimiter": ";", "id": "sku", "full": True} | options
    setup = setup_for(
        kind,
        connection={"dir": "drop"},
        watch={"files": {"settle": settle}},
        collections={"stock": given},
        fields=("sku", "qty"),
        folder=str(tmp_path),
    )
    (tmp_path / "drop").mkdir(exist_ok=True)
    return Files(setup)


def drop(tmp_path: Path, name: str, content: str | bytes, *, age: float = 10) -> Path:
    path = tmp_path / "drop" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    time = path.stat().st_mtime - age
    os.utime(path, (time, time))
    return path


async def scanned(files: Files) -> tuple[dict[str, Any], list[str], Page]:
    pages = [page async for page in files.scan("stock")]
    rows = {change.id: change.item for page in pages for change in page.changes}
    broken = [f"{one.where}: {one.reason}" for page in pages for one in page.broken]
    assert [page.last for page in pages] == [False] * (len(pages) - 1) + [True]
    return rows, broken, pages[-1]


@contextlib.asynccontextmanager
async def feed(files: Files, cursor: str | None = None) -> AsyncIterator[AsyncIterator[Batch]]:
    batches = files.changes("stock", cursor)
    try:
        yield batches
    finally:
        await batches.aclose()  # type: ignore[attr-defined]


async def next_of(batches: AsyncIterator[Batch], *, ack: bool = True, seconds: float = 5) -> Batch:
    batch = await asyncio.wait_for(anext(batches), seconds)
    if ack and batch.ack:
        await batch.ack()
    return batch


async def nothing_from(batches: AsyncIterator[Batch], seconds: float = 0.4) -> None:
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(anext(batches), seconds)


# ---- what stands in a file


CSV_FLAWS: dict[str, tuple[str | bytes, list[str], str]] = {
    "ragged row": ("sku;qty\nA;1\nB\nC;3\n", ["A", "C"], "stock.csv:3: 1 cells under 2 columns"),
    "too many cells": ("sku;qty\nA;1;9\nC;3\n", ["C"], "stock.csv:2: 3 cells under 2 columns"),
    "no id": ("sku;qty\n ;1\nC;3\n", ["C"], "stock.csv:2: no sku"),
    "twice": ("sku;qty\nA;1\nB;2\nA;3\n", ["B"], "stock.csv:2: sku A stands there 2 times"),
    "twice, again": ("sku;qty\nA;1\nB;2\nA;3\n", ["B"], "stock.csv:4: sku A stands there 2 times"),
    "empty": ("", [], "stock.csv:1: the file is empty"),
    "blank": ("\ufeff\n\n", [], "stock.csv:1: the file is empty"),
    "wrong delimiter": ("sku,qty\nA,1\n", [], 'stock.csv:1: no column "sku" in the header: sku,qty (is the delimiter ";"?)'),
    "no id column": ("art;qty\nA;1\n", [], 'stock.csv:1: no column "sku" in the header: art;qty (is the delimiter ";"?)'),
    "column twice": ("sku;qty;qty\nA;1;2\n", [], 'stock.csv:1: column "qty" stands in the header twice'),
    "open quote": ('sku;qty\nA;1\nB;"2\nC;3\n', ["A"], "stock.csv:3: not CSV from here on: unexpected end of data"),
    "bad quote": ('sku;qty\nA;"1"x\nC;3\n', [], "stock.csv:2: not CSV from here on: ';' expected after '\"'"),
    "unnamed value": ("sku;qty;\nA;1;x\nC;3;\n", ["C"], "stock.csv:2: a value under a column without a name"),
    "not utf-8": (b"sku;qty\nA;1\nB\xe4;2\n", [], "stock.csv:3: not utf-8: byte 13"),
}


@pytest.mark.parametrize("case", CSV_FLAWS)
async def test_a_flaw_has_its_place_and_the_file_is_no_evidence(tmp_path: Path, case: str) -> None:
    content, flow, said = CSV_FLAWS[case]
    files = folder_of(tmp_path)
    drop(tmp_path, "stock.csv", content)
    rows, broken, last = await scanned(files)
    assert sorted(rows) == flow
    assert said in broken
    assert not last.complete
    assert last.why == broken[0]
    with pytest.raises(TransientError, match="cannot tell what is gone") as caught:
        await files.read("stock", ["Z"])
    assert caught.value.about_record
    with pytest.raises(TransientError):
        await files.find("stock", "sku", "Z")


async def test_what_is_no_flaw(tmp_path: Path) -> None:
    files = folder_of(tmp_path)
    drop(tmp_path, "stock.csv", '\ufeffsku;qty;\r\n00123;"1\n2";\r\n\r\n"a;""b""";\x00;\r\n')
    rows, broken, last = await scanned(files)
    assert rows == {"00123": {"sku": "00123", "qty": "1\n2"}, 'a;"b"': {"sku": 'a;"b"', "qty": "\x00"}}
    assert (broken, last.complete) == ([], True)


async def test_lines_are_counted_as_an_editor_does(tmp_path: Path) -> None:
    files = folder_of(tmp_path)
    drop(tmp_path, "stock.csv", 'sku;qty\nA;"1\n2\n3"\nB\n')
    assert (await scanned(files))[1] == ["stock.csv:5: 1 cells under 2 columns"]


async def test_other_encodings(tmp_path: Path) -> None:
    files = folder_of(tmp_path, encoding="cp1252")
    drop(tmp_path, "stock.csv", "sku;qty\nGröße;€\n".encode("cp1252"))
    assert (await scanned(files))[0] == {"Größe": {"sku": "Größe", "qty": "€"}}
    for wrong in ("utf-99", "base64"):
        with pytest.raises(ValidationError, match="no encoding called"):
            FileCollection.model_validate({"files": "*.csv", "format": "csv", "id": "sku", "encoding": wrong})


@pytest.mark.parametrize("form", ["json", "jsonl"])
async def test_a_bad_element_does_not_stop_the_others(tmp_path: Path, form: str) -> None:
    files = folder_of(tmp_path, format=form, files=f"stock.{form}")
    elements = ['{"sku": "A", "qty": 1.10}', '{"sku": "B", "qty": NaN}', '{"sku": "C", "sku": "D"}', '{"sku": "\\ud800"}',
                '{"sku": "E", "qty": 9223372036854775808}', "[1]", '{"qty": 1}', '{"sku": true}', '{"sku": 7}']  # fmt: skip
    text = f"[{','.join(elements)}]" if form == "json" else "\n".join([*elements, '{"sku": "half'])
    drop(tmp_path, f"stock.{form}", text)
    rows, broken, last = await scanned(files)
    assert sorted(rows) == ["7", "A"]
    assert str(rows["A"]["qty"]) == "1.10"
    assert len(broken) == (7 if form == "json" else 8)
    assert broken[0].startswith("stock.json:1 element 2:" if form == "json" else "stock.jsonl:2:")
    assert not last.complete


async def test_json_that_is_none(tmp_path: Path) -> None:
    files = folder_of(tmp_path, format="json", files="stock.json")
    for text, said in (("{}", "not a list of objects"), ("[1", "not JSON"), ("[" * 400, "nested deeper")):
        drop(tmp_path, "stock.json", text)
        assert said in (await scanned(files))[1][0]


# ---- which file counts


async def test_the_newest_full_file_is_the_list(tmp_path: Path) -> None:
    files = folder_of(tmp_path)
    drop(tmp_path, "stock-9.csv", "sku;qty\nA;1\nB;1\n", age=20)
    newest = drop(tmp_path, "stock-1.csv", "sku;qty\nA;2\n", age=10)
    rows, _, last = await scanned(files)
    assert rows == {"A": {"sku": "A", "qty": "2"}}
    assert last.complete
    looks = await files.read("stock", ["B", "A"])
    assert [(look.gone, look.via) for look in looks] == [(True, Via.READ), (False, Via.READ)]
    assert looks[1].changed_at == newest.stat().st_mtime_ns // 1000


async def test_no_file_is_no_empty_list(tmp_path: Path) -> None:
    files = folder_of(tmp_path)
    _, _, last = await scanned(files)
    assert (last.complete, last.why) == (False, "there: no file matches stock*.csv")
    with pytest.raises(TransientError):
        await files.read("stock", ["A"])


async def test_of_files_of_changes_the_newest_row_counts(tmp_path: Path) -> None:
    files = folder_of(tmp_path, full=False, changed_at="at", files="stock*.csv")
    drop(tmp_path, "stock-1.csv", "sku;qty;at\nA;1;2026-01-01\nB;1;\n", age=30)
    drop(tmp_path, "stock-2.csv", "sku;qty;at\nA;2;2026-01-02T10:00:00Z\n", age=20)
    rows, _, last = await scanned(files)
    assert {one: row["qty"] for one, row in rows.items()} == {"A": "2", "B": "1"}
    assert not last.complete
    async with feed(files) as batches:
        first, second = await next_of(batches), await next_of(batches)
        assert [change.id for change in first.changes] == ["B"]
        assert [(change.id, change.changed_at) for change in second.changes] == [("A", 1767348000000000)]
        drop(tmp_path, "stock-0.csv", "sku;qty;at\nB;0;\nC;0;\n", age=40)
        late = await next_of(batches)
        assert [change.id for change in late.changes] == ["C"], "an old file that comes late takes nothing back"
    assert not abilities_of(FileKind(), files.setup, "stock").list


async def test_what_lies_outside_is_not_read(tmp_path: Path) -> None:
    files = folder_of(tmp_path)
    (tmp_path / "secret.csv").write_text("sku;qty\nX;1\n")
    (tmp_path / "drop" / "stock-link.csv").symlink_to(tmp_path / "secret.csv")
    os.mkfifo(tmp_path / "drop" / "stock-pipe.csv")
    drop(tmp_path, ".stock.csv", "sku;qty\nX;1\n")
    assert (await scanned(files))[2].why == "there: no file matches stock*.csv"


# ---- the stream


async def test_a_file_is_read_once_until_its_content_changes(tmp_path: Path) -> None:
    files = folder_of(tmp_path)
    path = drop(tmp_path, "stock.csv", "sku;qty\nA;1\n")
    async with feed(files) as batches:
        first = await next_of(batches)
        assert [change.item for change in first.changes] == [{"sku": "A", "qty": "1"}]
        path.touch()
        await nothing_from(batches)
    async with feed(files, first.cursor) as batches:
        await nothing_from(batches)
    drop(tmp_path, "stock.csv", "sku;qty\nA;2\n", age=5)
    async with feed(files, first.cursor) as batches:
        second = await next_of(batches)
        assert [change.item for change in second.changes] == [{"sku": "A", "qty": "2"}]
    assert json.loads(second.cursor or "").keys() == {"stock.csv"}


async def test_a_file_that_was_not_acknowledged_comes_again(tmp_path: Path) -> None:
    files = folder_of(tmp_path)
    drop(tmp_path, "stock.csv", "sku;qty\nA;1\n")
    async with feed(files) as batches:
        await next_of(batches, ack=False)
        drop(tmp_path, "other.txt", "wakes the watcher")
        again = await next_of(batches)
        assert [change.id for change in again.changes] == ["A"]


async def test_only_the_last_batch_of_a_long_file_moves_the_cursor(tmp_path: Path) -> None:
    files = folder_of(tmp_path)
    drop(tmp_path, "stock.csv", "sku;qty\n" + "".join(f"S-{n};{n}\n" for n in range(2500)) + "broken\n")
    async with feed(files) as batches:
        got = [await next_of(batches) for _ in range(3)]
    assert [len(batch.changes) for batch in got] == [1000, 1000, 500]
    assert [batch.cursor is None for batch in got] == [True, True, False]
    assert len({change.as_of for batch in got for change in batch.changes}) == 1
    assert [one.where for one in got[-1].broken] == ["stock.csv:2502"]


async def test_a_file_is_not_read_while_somebody_writes_it(tmp_path: Path) -> None:
    files = folder_of(tmp_path, settle="400ms")
    seen: list[Change] = []

    async def write_slowly() -> None:
        with (tmp_path / "drop" / "stock.csv").open("w") as file:
            file.write("sku;qty\n")
            for n in range(10):
                file.write(f"S-{n};1\n")
                file.flush()
                await asyncio.sleep(0.1)

    async with feed(files) as batches, asyncio.TaskGroup() as group:
        group.create_task(write_slowly())
        seen += (await next_of(batches)).changes
    assert len(seen) == 10
    drop(tmp_path, "stock.csv", "sku;qty\n", age=0)
    _, _, last = await scanned(files)
    assert last.complete, "a scan waits until the file is quiet"


async def test_a_scan_of_a_file_that_never_rests_is_no_evidence(tmp_path: Path) -> None:
    files = folder_of(tmp_path, settle="100ms")
    rest = asyncio.Event()

    async def write_on() -> None:
        while not rest.is_set():
            drop(tmp_path, "stock.csv", f"sku;qty\nA;{asyncio.get_running_loop().time()}\n", age=0)
            await asyncio.sleep(0.02)

    async with asyncio.TaskGroup() as group:
        group.create_task(write_on())
        await asyncio.sleep(0.05)
        _, _, last = await scanned(files)
        rest.set()
    assert (last.complete, last.why) == (False, "there: stock.csv is still being written")


# ---- writing


def written(op: Op, sku: str | None, values: dict[str, Any], **other: Any) -> Write:
    return Write(op, "there", "stock", 1, sku, values=values, **other)


async def test_what_is_written_elsewhere_is_a_whole_list(tmp_path: Path) -> None:
    files = folder_of(tmp_path, write={"file": "out/stock.csv"})
    source = drop(tmp_path, "stock.csv", "sku;qty;place\r\nA;1;x\r\nB;2;y\r\n")
    outcomes = await files.apply([
        written(Op.UPDATE, "A", {"qty": 5}, before={"qty": 1}), written(Op.CREATE, None, {"sku": "C", "qty": 7}),
        written(Op.UPDATE, "B", {"qty": 5}, before={"qty": "9"}), written(Op.UPDATE, "Z", {"qty": 1}),
        written(Op.CREATE, None, {"sku": "B"}), written(Op.CREATE, None, {"qty": 1}), written(Op.UPDATE, "A", {"place": "q"}),
    ])  # fmt: skip
    assert [getattr(one, "answer", type(one)) for one in outcomes] == [
        Answer.DONE, Answer.DONE, StaleWrite, Answer.GONE, Answer.EXISTS, PermanentError, PermanentError,
    ]  # fmt: skip
    assert isinstance(outcomes[0], Receipt)
    assert outcomes[0].look is None, "the other application has not taken it yet"
    out = tmp_path / "drop" / "out" / "stock.csv"
    assert out.read_bytes() == b"sku;qty;place\r\nA;5;x\r\nB;2;y\r\nC;7;\r\n"
    assert source.read_bytes() == b"sku;qty;place\r\nA;1;x\r\nB;2;y\r\n"
    await files.apply([written(Op.UPDATE, "B", {"qty": 6})])
    assert out.read_bytes() == b"sku;qty;place\r\nA;5;x\r\nB;6;y\r\nC;7;\r\n"
    assert sorted(path.name for path in out.parent.iterdir()) == [".stock.csv.sent", "stock.csv"]


async def test_what_is_on_its_way_is_not_taken_back_by_an_older_list(tmp_path: Path) -> None:
    files = folder_of(tmp_path, write={"file": "out/stock.csv"})
    drop(tmp_path, "stock.csv", "sku;qty\nA;1\n")
    async with feed(files) as batches:
        first = await next_of(batches)
        await files.apply([written(Op.UPDATE, "A", {"qty": 5})])
        (tmp_path / "drop" / "out" / "stock.csv").unlink()  # taken
        assert (await scanned(files))[0] == {"A": {"sku": "A", "qty": "5"}}
        await nothing_from(batches)
    async with feed(files, first.cursor) as batches:
        await nothing_from(batches)
    async with feed(files, first.cursor) as batches:
        drop(tmp_path, "stock.csv", "sku;qty\nA;4\n", age=-5)
        batch = await next_of(batches)
        assert [change.item for change in batch.changes] == [{"sku": "A", "qty": "4"}]


async def test_a_file_of_changes_grows_until_it_is_taken(tmp_path: Path) -> None:
    files = folder_of(tmp_path, full=False, write={"file": "out/stock.csv"})
    drop(tmp_path, "stock-1.csv", "sku;qty;place\nA;1;x\nB;2;y\n")
    out = tmp_path / "drop" / "out" / "stock.csv"
    await files.apply([written(Op.UPDATE, "A", {"qty": 5})])
    await files.apply([written(Op.UPDATE, "B", {"qty": 6})])
    assert out.read_text() == "sku;qty;place\nA;5;x\nB;6;y\n"
    out.unlink()
    await files.apply([written(Op.UPDATE, "B", {"qty": 7})])
    assert out.read_text() == "sku;qty;place\nB;7;y\n"
    [refused] = await files.apply([written(Op.DELETE, "B", {})])
    assert isinstance(refused, PermanentError)


async def test_a_file_with_a_flaw_is_not_written_again(tmp_path: Path) -> None:
    files = folder_of(tmp_path, files="stock.csv", write={"file": "stock.csv"})
    path = drop(tmp_path, "stock.csv", "sku;qty\nA;1\nbroken\n")
    [outcome] = await files.apply([written(Op.UPDATE, "A", {"qty": 5})])
    assert isinstance(outcome, TransientError)
    assert "stock.csv:3" in str(outcome)
    assert path.read_text() == "sku;qty\nA;1\nbroken\n"


async def test_a_written_file_keeps_its_ways_and_is_renamed_whole(tmp_path: Path) -> None:
    files = folder_of(tmp_path, files="stock.csv", write={"file": "stock.csv"}, encoding="cp1252")
    path = drop(tmp_path, "stock.csv", "sku;qty;\r\nGröße;1;\r\n".encode("cp1252"))
    path.chmod(0o640)
    before = path.stat().st_ino
    outcomes = await files.apply([
        written(Op.UPDATE, "Größe", {"qty": None}), written(Op.CREATE, None, {"sku": "x", "qty": True}),
        written(Op.CREATE, None, {"sku": "日本"}), written(Op.CREATE, None, {"sku": "y", "qty": []}),
    ])  # fmt: skip
    assert [type(one).__name__ for one in outcomes] == ["Receipt", "Receipt", "PermanentError", "PermanentError"]
    assert path.read_bytes().decode("cp1252") == "sku;qty;\r\nGröße;;\r\nx;true;\r\n"
    assert path.stat().st_mode & 0o777 == 0o640
    assert path.stat().st_ino != before
    assert isinstance(outcomes[0], Receipt)
    assert outcomes[0].atomic
    assert outcomes[0].look is not None
    assert outcomes[0].look.item == {"sku": "Größe", "qty": ""}


async def test_a_folder_that_is_not_let_through_says_how(tmp_path: Path) -> None:
    files = folder_of(tmp_path, files="stock.csv", write={"file": "out/stock.csv"})
    drop(tmp_path, "stock.csv", "sku;qty\nA;1\n")
    (tmp_path / "drop" / "out").write_text("in the way")
    [outcome] = await files.apply([written(Op.UPDATE, "A", {"qty": 5})])
    assert isinstance(outcome, TransientError)
    assert f"ReadWritePaths={tmp_path / 'drop'}" in str(outcome)
    (tmp_path / "drop").rename(tmp_path / "gone")
    with pytest.raises(TransientError, match="ReadWritePaths="):
        await scanned(files)
    async with feed(files) as batches:
        with pytest.raises(TransientError, match="no such folder"):
            await anext(batches)


async def test_without_write_nothing_is_written(tmp_path: Path) -> None:
    files = folder_of(tmp_path)
    drop(tmp_path, "stock.csv", "sku;qty\nA;1\n")
    [outcome] = await files.apply([written(Op.UPDATE, "A", {"qty": 5})])
    assert isinstance(outcome, PermanentError)
    able = abilities_of(FileKind(), files.setup, "stock")
    assert (able.create, able.update, able.delete) == (False, False, False)
