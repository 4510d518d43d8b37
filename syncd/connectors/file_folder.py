"""The folder: which files there are, which of them nobody is writing any more, and how one is replaced whole.

What touches the disk blocks and runs in a thread. What goes wrong is the platform's trouble: a folder that is not let
through to the service is the usual one, so every message says how.
"""

import asyncio
import contextlib
import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from pathlib import Path, PurePath
from typing import Self

from watchfiles import awatch

from syncd.connectors.file_formats import FileCollection
from syncd.errors import OutcomeUnknown, TransientError

LOOK = 5_000  # milliseconds after which the bell rings without a change
LARGEST = 512 * 1024 * 1024  # bytes of one file


@dataclass(frozen=True, slots=True)
class Found:
    """One file as it was seen. ``ours`` is what syncd wrote last; ``time`` is its own, in microseconds."""

    path: Path
    name: str
    stamp: tuple[int, int, int]  # nanoseconds of its time, size, inode
    ours: bool = False

    @property
    def time(self) -> int:
        """Return when the file was last written."""
        return self.stamp[0] // 1000


@dataclass(frozen=True, slots=True)
class Content:
    """The bytes of one file, and the hash that it is known by."""

    found: Found
    bytes: bytes
    sha: str


class Folder:
    """One folder. Names are relative to it."""

    def __init__(self, path: Path, platform: str) -> None:
        self.path = path
        self._platform = platform

    def files(self, options: FileCollection) -> list[Found]:
        """Return the files of a collection, oldest first, then by name; with them what syncd wrote last."""
        try:
            if not self.path.is_dir():
                raise FileNotFoundError(2, "no such folder")
            names = [path for path in self.path.glob(options.files) if not path.name.startswith(".")]
            found = [one for path in names if (one := self.seen(path))]
            if (sent := self.sent(options)) and (mine := self.seen(sent)):
                found.append(replace(mine, ours=True))
        except OSError as error:
            raise self.trouble(error, self.path) from error
        return sorted(found, key=lambda one: (one.stamp[0], one.name))

    def sent(self, options: FileCollection) -> Path | None:
        """Return where a copy is kept of what syncd wrote last, None if it writes the very files that it reads.

        Whoever takes the written file usually removes it; without the copy the older list would look like news.
        """
        if options.write is None or is_in_place(options):
            return None
        target = self.path / options.write.file
        return target.with_name(f".{target.name}.sent")

    def read(self, found: Found) -> Content | None:
        """Return a file's content; None if it is gone, or changed while it was read."""
        if found.stamp[1] > LARGEST:
            raise TransientError(f"{self._platform}: {found.path} is larger than {LARGEST} bytes")
        try:
            content = found.path.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise self.trouble(error, found.path) from error
        again = self.seen(found.path)
        if again is None or again.stamp != found.stamp:
            return None
        return Content(found, content, hashlib.sha256(content).hexdigest())

    def replace(self, options: FileCollection, content: bytes) -> Found:
        """Write the target whole: to a temporary name, to the disk, then renamed. Nobody ever sees a part of it."""
        assert options.write is not None
        target = self.path / options.write.file
        try:
            write_whole(target, content)
            if sent := self.sent(options):
                write_whole(sent, content)
        except OSError as error:
            raise self.trouble(error, target) from error
        try:
            sync_folder(target.parent)
        except OSError as error:
            raise OutcomeUnknown(f"{self._platform}: {target}: {error.strerror}") from error
        found = self.seen(target)
        if found is None:
            raise OutcomeUnknown(f"{self._platform}: {target} was taken away at once")
        return found

    def trouble(self, error: OSError, path: Path) -> TransientError:
        """Return the error as the platform's trouble."""
        return TransientError(
            f"{self._platform}: {path}: {error.strerror} (under systemd the folder must be let through to the service: "
            f"ReadWritePaths={self.path} in the unit)"
        )

    def seen(self, path: Path) -> Found | None:
        """Return a file as it is now; None if there is none, or if it is outside of the folder."""
        with contextlib.suppress(FileNotFoundError):
            state = path.stat()
            if path.is_file() and path.resolve().is_relative_to(self.path.resolve()):
                name = str(path.relative_to(self.path))
                return Found(path, name, (state.st_mtime_ns, state.st_size, state.st_ino))
        return None


class Bell:
    """Rings when something in the folder changed, and now and then without: network drives tell nothing."""

    def __init__(self, folder: Folder) -> None:
        self._folder = folder
        self._events = awatch(folder.path, watch_filter=None, debounce=100, rust_timeout=LOOK, yield_on_timeout=True)

    async def __aenter__(self) -> Self:
        """Listen from now on."""
        self._next = asyncio.ensure_future(anext(self._events))
        await asyncio.sleep(0)  # the watch begins before anybody looks into the folder
        return self

    async def __aexit__(self, *exc: object) -> None:
        """Stop listening."""
        self._next.cancel()
        await asyncio.gather(self._next, return_exceptions=True)
        await self._events.aclose()

    async def rings(self) -> None:
        """Wait for the next change since the last ring; raises TransientError if the folder cannot be watched."""
        try:
            await self._next
        except OSError as error:
            raise self._folder.trouble(error, self._folder.path) from error
        self._next = asyncio.ensure_future(anext(self._events))


class Quiet:
    """Who is still writing: a file is quiet when its size and time stood still for ``settle`` microseconds."""

    def __init__(self, settle: int, now: Callable[[], int]) -> None:
        self.settle = settle
        self._now = now
        self._seen: dict[Path, tuple[tuple[int, int, int], int]] = {}

    def trust(self, found: Found) -> None:
        """Take a file as quiet from now on: we wrote it ourselves, whole."""
        self._seen[found.path] = (found.stamp, self._now() - self.settle)

    def is_quiet(self, found: Found) -> bool:
        """Return whether nobody writes this file. One that is old when first seen is quiet at once."""
        now = self._now()
        stamp, since = self._seen.get(found.path, (found.stamp, min(found.time, now)))
        if stamp != found.stamp:
            since = now
        self._seen[found.path] = (found.stamp, since)
        return found.ours or now - since >= self.settle


def is_in_place(options: FileCollection) -> bool:
    """Return whether syncd writes one of the files that it reads."""
    if options.write is None:
        return False
    target, pattern = PurePath(options.write.file), PurePath(options.files)
    return target.parent == pattern.parent and fnmatchcase(target.name, pattern.name)


def write_whole(target: Path, content: bytes) -> None:
    """Replace a file by one with this content, which is on the disk before it has the name."""
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f".{target.name}.part")
    with part.open("wb") as file:
        if target.exists():
            os.fchmod(file.fileno(), target.stat().st_mode & 0o777)
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    part.replace(target)


def sync_folder(folder: Path) -> None:
    """Put a folder's names on the disk."""
    place = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(place)
    finally:
        os.close(place)
