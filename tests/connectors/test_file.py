"""A folder of files keeps the contract: whole lists that syncd writes too, in CSV, JSON lines and JSON; files of changes."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from syncd.connectors.file import FileKind
from syncd.connectors.file_formats import FileCollection, Row, cell_of, content_of, rows_of
from syncd.core.model import Item
from tests.connectors.contract import Contract, World, setup_for

FIELDS = ("sku", "name", "price", "stock")


class FileWorld(World):
    """A list of things that others write too."""

    streams = True
    wire = False

    def __init__(self, folder: Path, form: str, **options: Any) -> None:
        self.folder = folder / "drop"
        self.folder.mkdir()
        self.list = self.folder / f"things.{form}"
        kind = FileKind()
        given = {"files": f"things*.{form}", "format": form, "id": "sku", "full": True, "write": {"file": f"things.{form}"}}
        super().__init__(
            kind,
            setup_for(
                kind,
                connection={"dir": "drop"},
                watch={"files": {"settle": "60ms"}},
                collections={"things": given | options},
                fields=FIELDS,
                keys=("sku",),
                folder=str(folder),
            ),
        )
        self.options: FileCollection = self.setup.collections["things"].options
        self.save({})

    def item(self, sku: str, **other: Any) -> Item:
        item = super().item(sku, **other)
        return item if self.options.format != "csv" else {path: cell_of(path, value) for path, value in item.items()}

    def rows(self) -> dict[str, Item]:
        told = rows_of(self.list.name, self.list.read_bytes(), self.options)
        return {row.id: row.item for row in told if isinstance(row, Row)}

    def save(self, rows: dict[str, Item]) -> None:
        like = (self.options.delimiter.join(FIELDS) + "\n").encode(self.options.encoding)
        content = content_of(list(rows.values()), self.options, like=like)
        part = self.list.with_suffix(".new")
        part.write_bytes(content)
        part.replace(self.list)

    async def put(self, item: Item, native_id: str | None = None) -> str:
        rows = self.rows()
        one = native_id or str(item["sku"])
        rows[one] = rows.get(one, {}) | item
        self.save(rows)
        return one

    async def remove(self, native_id: str) -> None:
        rows = self.rows()
        del rows[native_id]
        self.save(rows)

    async def held(self, native_id: str) -> Item | None:
        return self.rows().get(native_id)

    async def writes(self) -> int:
        return 0  # a folder counts nothing

    async def down(self) -> None:
        self.folder.rename(self.folder.with_name("elsewhere"))


async def alive(world: FileWorld) -> AsyncIterator[World]:
    async with world.connector:
        yield world


class TestCsv(Contract):
    @pytest.fixture
    async def world(self, tmp_path: Path) -> AsyncIterator[World]:
        async for made in alive(FileWorld(tmp_path, "csv", delimiter=";")):
            yield made


class TestJson(Contract):
    @pytest.fixture
    async def world(self, tmp_path: Path) -> AsyncIterator[World]:
        async for made in alive(FileWorld(tmp_path, "json")):
            yield made


class TestJsonLines(Contract):
    @pytest.fixture
    async def world(self, tmp_path: Path) -> AsyncIterator[World]:
        async for made in alive(FileWorld(tmp_path, "jsonl")):
            yield made
