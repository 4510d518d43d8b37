"""A folder of files as exchanged with older applications: CSV, JSON lines, JSON.

Files stay where they are and are known by the hash of their content. What syncd wrote last counts as a list of its own time,
until the platform writes a newer one: so what is on its way is not taken back.
"""

import asyncio
import json
import os
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Self

from pydantic import BaseModel

from syncd.connectors.body import pick
from syncd.connectors.file_folder import Bell, Content, Folder, Found, Quiet, is_in_place
from syncd.connectors.file_formats import FileCollection, Flaw, Row, cell_of
from syncd.connectors.file_sheet import Sheet
from syncd.connectors.file_state import Owners, Part, State
from syncd.connectors.options import Duration, Options, Watch
from syncd.connectors.protocol import Batch, Connector, Delivery, Page, Rights, Setup
from syncd.core.model import SECOND, Abilities, Answer, Change, Item, Native, Receipt, Via, Write
from syncd.errors import ConnectorError, PermanentError, TransientError


class FileConnection(Options):
    """The folder; a relative one starts at the config folder."""

    dir: str


class Arrival(Options):
    """A file is read when it has not changed for ``settle``."""

    settle: Duration = 2 * SECOND


class FileWatch(Watch):
    """How changes are noticed: the folder is watched, and swept."""

    files: Arrival | None = None


class Files:
    """The connector to one folder."""

    clock = (0, 0)

    def __init__(self, setup: Setup) -> None:
        self.setup = setup
        self.folder = Folder(Path(setup.folder, setup.connection.dir), setup.platform)
        self._quiet = Quiet((setup.watch.files or Arrival()).settle, setup.now)
        self._writing = asyncio.Lock()

    async def __aenter__(self) -> Self:
        """Open nothing."""
        return self

    async def __aexit__(self, *exc: object) -> None:
        """Close nothing."""

    async def changes(self, collection: str, cursor: str | None) -> AsyncIterator[Batch]:
        """Yield the rows of each file that is new, for ever. A file counts as read once its last batch is acknowledged."""
        state, known, hashes = self._state(collection), parse_cursor(cursor), dict[Found, str]()
        async with Bell(self.folder) as bell:
            while True:
                files = await asyncio.to_thread(self.folder.files, state.options)
                quiet = [found for found in files if self._quiet.is_quiet(found)]
                forget(known, files)
                news = await self._news(state, quiet, known, hashes)
                owners = await state.owners(quiet, since=news)
                for content in news:
                    async for batch in batches(state, content, owners, known):
                        yield batch
                if len(quiet) < len(files):
                    await asyncio.sleep(state.pause)
                else:
                    await bell.rings()

    async def scan(self, collection: str) -> AsyncIterator[Page]:
        """Yield what counts now. It is complete only if it is a full list, without a flaw, and nobody is writing it."""
        state = self._state(collection)
        try:
            files = await state.listed()
        except TransientError as error:
            if not error.about_record:
                raise
            yield Page([], last=True, why=str(error))
            return
        flawed = "" if state.options.full else "files of changes are no list"
        async for part in state.rows(files):
            changes, broken = state.split(part)
            flawed = flawed or next((f"{one.where}: {one.reason}" for one in broken), "")
            last = part.last and part.found == files[-1]
            yield Page(changes, broken, last=last, complete=last and not flawed, why=flawed)

    async def hook(self, collection: str | None, delivery: Delivery) -> Batch:
        """Refuse: a folder calls nobody."""
        raise PermanentError("file has no webhooks")

    async def read(self, collection: str, ids: Sequence[str]) -> list[Change]:
        """Return what the list now says of these ids; raises TransientError where it cannot prove that one is gone."""
        if not ids:
            return []
        state, wanted = self._state(collection), set(ids)
        as_of, seen_at = self.setup.number(), self.setup.now()
        found: dict[str, Change] = {}
        flaw = None if state.options.full else "files of changes do not say what is gone"
        async for part in state.rows(await state.listed()):
            changes, broken = state.split(part)
            found |= {change.id: change for change in changes if change.id in wanted}
            flaw = flaw or next((f"{one.where}: {one.reason}" for one in broken), None)
        if flaw and len(found) < len(wanted):
            raise TransientError(f"{self.setup.platform}: cannot tell what is gone: {flaw}", about_record=True)
        gone = Change(self.setup.platform, collection, "", Via.READ, as_of, seen_at, gone=True)
        return [found.get(one) or replace(gone, id=one) for one in ids]

    async def find(self, collection: str, path: str, value: Native) -> list[Change]:
        """Return the rows that have this value; raises TransientError where a flaw may hide one."""
        state = self._state(collection)
        wanted = cell_of(path, value) if state.options.format == "csv" else value
        hits: list[Change] = []
        async for part in state.rows(await state.listed()):
            changes, broken = state.split(part)
            hits += [change for change in changes if pick(change.item, path) == wanted]
            if broken:
                raise TransientError(f"{self.setup.platform}: {broken[0].where}: {broken[0].reason}", about_record=True)
        return hits

    async def rights(self, collection: str) -> Rights:
        """Return whether the folder that is written to can be written."""
        options: FileCollection = self.setup.collections[collection].options
        if options.write is None:
            return Rights()
        place = (self.folder.path / options.write.file).parent
        return Rights(await asyncio.to_thread(os.access, place, os.W_OK | os.X_OK))

    async def apply(self, writes: Sequence[Write]) -> list[Receipt | ConnectorError]:
        """Write each collection's file once, with all its writes in it."""
        outcomes: dict[int, Receipt | ConnectorError] = {}
        async with self._writing:
            for collection in dict.fromkeys(write.collection for write in writes):
                mine = [place for place, write in enumerate(writes) if write.collection == collection]
                made = await self._rewrite(self._state(collection), [writes[place] for place in mine])
                outcomes |= dict(zip(mine, made, strict=True))
        return [outcomes[place] for place in range(len(writes))]

    # ---- reading

    def _state(self, collection: str) -> State:
        return State(self.setup, collection, self.folder, self._quiet)

    async def _news(
        self, state: State, quiet: Sequence[Found], known: dict[str, str], hashes: dict[Found, str]
    ) -> list[Content]:
        """Return the files that were not read yet, oldest first; of full lists only the newest is worth reading."""
        news: list[Content] = []
        for found in quiet[-1:] if state.options.full else quiet:
            if found.ours or (found in hashes and hashes[found] == known.get(found.name)):
                continue
            content = await asyncio.to_thread(self.folder.read, found)
            if content is not None:
                hashes[found] = content.sha
                news += [content] if known.get(found.name) != content.sha else []
        return news

    # ---- writing

    async def _rewrite(self, state: State, writes: Sequence[Write]) -> list[Receipt | ConnectorError]:
        as_of, seen_at = self.setup.number(), self.setup.now()
        try:
            sheet = await self._sheet(state)
            outcomes = [sheet.put(write) for write in writes]
            if not sheet.touched:
                return outcomes
            found = await asyncio.to_thread(self.folder.replace, state.options, sheet.content())
        except ConnectorError as error:
            return [error] * len(writes)
        self._quiet.trust(found)
        if not is_in_place(state.options):
            return outcomes
        return [shown(state, sheet, one, Part(found, [], as_of, seen_at, last=True)) for one in outcomes]

    async def _sheet(self, state: State) -> Sheet:
        options, collection = state.options, self.setup.collections[state.name]
        if options.write is None:
            raise PermanentError(f"{self.setup.platform}.{state.name} has no write:")
        files = await state.settled()
        known = await self._sound(state, files)
        if options.full:
            like = (await state.content(files[-1])).bytes if files else b""
            return Sheet(collection, known.copy(), known, like)
        target = await asyncio.to_thread(self.folder.seen, self.folder.path / options.write.file)
        if target is None:
            return Sheet(collection, {}, known, b"")
        return Sheet(collection, await self._sound(state, [target]), known, (await state.content(target)).bytes)

    async def _sound(self, state: State, files: Sequence[Found]) -> dict[str, Item]:
        """Return the rows by id; raises TransientError for a flaw: writing the file again would lose what stands there."""
        rows: dict[str, Item] = {}
        async for part in state.rows(files):
            for one in part.told:
                if isinstance(one, Flaw):
                    text = f"{self.setup.platform}: not written again: {one.place}: {one.reason}"
                    raise TransientError(text, about_record=True)
                rows[one.id] = one.item
        return rows


def shown(state: State, sheet: Sheet, outcome: Receipt | ConnectorError, part: Part) -> Receipt | ConnectorError:
    """Return a receipt with the row as it now stands in the file."""
    if not isinstance(outcome, Receipt) or outcome.answer is not Answer.DONE or outcome.id not in sheet.rows:
        return outcome
    [look], _ = state.split(replace(part, told=[Row(part.found.name, outcome.id, sheet.rows[outcome.id])]))
    return replace(outcome, look=look, atomic=True)


async def batches(state: State, content: Content, owners: Owners, known: dict[str, str]) -> AsyncIterator[Batch]:
    """Yield a file's rows. Only the last batch carries the cursor, and its acknowledgement notes the file as read."""

    async def noted() -> None:
        known[content.found.name] = content.sha

    async for part in state.parts(content, owners):
        changes, broken = state.split(part)
        if part.last:
            cursor = json.dumps(known | {content.found.name: content.sha}, sort_keys=True)
            yield Batch(changes, cursor, broken, noted)
        else:
            yield Batch(changes, None, broken)


def forget(known: dict[str, str], files: Sequence[Found]) -> None:
    """Drop the names of files that are not there any more."""
    for name in known.keys() - {found.name for found in files}:
        del known[name]


def parse_cursor(cursor: str | None) -> dict[str, str]:
    """Return the files read, by name and hash; raises PermanentError if this is no cursor of ours."""
    try:
        known = json.loads(cursor or "{}")
    except ValueError as error:
        raise PermanentError(f"not a cursor of a folder: {(cursor or '')[:40]}") from error
    return {str(name): str(sha) for name, sha in known.items()}


class FileKind:
    """The kind ``file``."""

    name = "file"
    connection: type[BaseModel] = FileConnection
    collection: type[BaseModel] = FileCollection
    watch: type[BaseModel] = FileWatch

    def abilities(self, connection: Any, collection: Any, watch: Any, write: Any) -> Abilities:
        """Return what one collection of files can do: only whole lists prove what is not there."""
        writes = collection.write is not None
        return Abilities(
            list=collection.full,
            read=collection.full,
            find=collection.full,
            create=writes,
            update=writes,
            delete=writes and collection.full,
            answers=writes and is_in_place(collection),
            tick=SECOND,
        )

    def connect(self, setup: Setup) -> Connector:
        """Return the connector."""
        return Files(setup)


KIND = FileKind()
