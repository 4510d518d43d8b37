"""What the files of one collection say now: the rows that count, with the number and the time of their reading.

The state of a thing is its row in the newest file that has it; with ``full`` the newest file is the list and nothing else
counts.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from zoneinfo import ZoneInfo

from syncd.connectors.body import pick
from syncd.connectors.file_folder import Content, Folder, Found, Quiet
from syncd.connectors.file_formats import FileCollection, Flaw, Row, rows_of
from syncd.connectors.protocol import Broken, Setup
from syncd.connectors.times import parse_time
from syncd.core.model import SECOND, Change, Via
from syncd.errors import TransientError

CHUNK = 1000  # rows of one batch or page
WAITS = 20  # times that a file still being written is waited for, each a quarter of ``settle``

Owners = dict[str, Found]  # which file has the newest row of an id


@dataclass(frozen=True, slots=True)
class Part:
    """Some rows of one file, with the number and the time at which the reading of that file began."""

    found: Found
    told: Sequence[Row | Flaw]
    as_of: int
    seen_at: int
    last: bool


class State:
    """The rows of one collection."""

    def __init__(self, setup: Setup, collection: str, folder: Folder, quiet: Quiet) -> None:
        self.options: FileCollection = setup.collections[collection].options
        self.pause = quiet.settle / SECOND / 4
        self._setup = setup
        self.name = collection
        self._folder = folder
        self._quiet = quiet
        self._zone = ZoneInfo(setup.timezone)

    async def settled(self) -> list[Found]:
        """Return the files once nobody writes them; raises TransientError if that does not end."""
        for _ in range(WAITS):
            files = await asyncio.to_thread(self._folder.files, self.options)
            busy = [found for found in files if not self._quiet.is_quiet(found)]
            if not busy:
                return files
            await asyncio.sleep(self.pause)
        raise TransientError(f"{self._setup.platform}: {busy[-1].name} is still being written", about_record=True)

    async def listed(self) -> list[Found]:
        """Return the files; raises TransientError if there is none: no list proves nothing."""
        files = await self.settled()
        if not files:
            raise TransientError(f"{self._setup.platform}: no file matches {self.options.files}", about_record=True)
        return files

    async def content(self, found: Found) -> Content:
        """Return what a file holds; raises TransientError if it is not the same file any more."""
        content = await asyncio.to_thread(self._folder.read, found)
        if content is None:
            raise TransientError(f"{self._setup.platform}: {found.name} changed while it was read", about_record=True)
        return content

    async def rows(self, files: Sequence[Found]) -> AsyncIterator[Part]:
        """Yield the rows that count now, each id once, from the oldest file on."""
        owners = await self.owners(files)
        for found in files[-1:] if self.options.full else files:
            async for part in self.parts(await self.content(found), owners):
                yield part

    async def owners(self, files: Sequence[Found], *, since: Sequence[Content] | None = None) -> Owners:
        """Return which file has the newest row of each id, looking from the first of ``since`` on; other rows are history."""
        owners: Owners = {}
        if self.options.full or len(files) < 2 or since == []:
            return owners
        for found in files[files.index(since[0].found) if since else 0 :]:
            async for part in self.parts(await self.content(found), {}):
                owners |= {row.id: found for row in part.told if isinstance(row, Row)}
        return owners

    async def parts(self, content: Content, owners: Owners) -> AsyncIterator[Part]:
        """Yield the rows of one file that count, and its flaws; at least one part."""
        as_of, seen_at = self._setup.number(), self._setup.now()
        found = content.found
        told = (
            one
            for one in rows_of(found.name, content.bytes, self.options)
            if isinstance(one, Flaw) or owners.get(one.id, found) == found
        )
        part = await asyncio.to_thread(take, told)
        while True:
            more = await asyncio.to_thread(take, told)
            yield Part(found, part, as_of, seen_at, last=not more)
            if not more:
                return
            part = more

    def split(self, part: Part) -> tuple[list[Change], list[Broken]]:
        """Return the rows as changes, and the flaws."""
        platform, at = self._setup.platform, self.options.changed_at
        changes: list[Change] = []
        broken: list[Broken] = []
        for one in part.told:
            if isinstance(one, Flaw):
                broken.append(Broken(platform, self.name, one.id, one.place, one.reason, one.raw))
                continue
            time = parse_time(pick(one.item, at), self._zone) if at else None
            time = part.found.time if time is None else time
            changes.append(
                Change(platform, self.name, one.id, Via.READ, part.as_of, part.seen_at, item=one.item, changed_at=time)
            )
        return changes, broken


def take(told: Iterator[Row | Flaw]) -> list[Row | Flaw]:
    """Return the next rows, none at the end."""
    return list(islice(told, CHUNK))
