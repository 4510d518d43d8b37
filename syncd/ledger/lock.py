"""One syncd per ledger: an flock on PATH.lock. And PATH.stamp, which tells an older copy of the ledger from the last one."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from syncd.errors import LedgerError, LedgerLocked


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the lock of the ledger at ``path``; raises LedgerLocked, naming the process, if another one has it.

    Makes the folder if it is not there, for its owner alone.
    """
    beside = Path(f"{path}.lock")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        fd = os.open(beside, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise LedgerError(f"cannot use the folder of the ledger {path}: {error.strerror}") from error
    try:
        take(fd, path)
        yield
    finally:
        os.close(fd)


def take(fd: int, path: Path) -> None:
    """Lock an open lock file and write our process id into it."""
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        holder = os.pread(fd, 32, 0).decode("ascii", "replace").strip()
        who = f"process {holder}" if holder else "another process"
        raise LedgerLocked(f"{path} is in use by {who}") from error
    os.ftruncate(fd, 0)
    os.pwrite(fd, f"{os.getpid()}\n".encode(), 0)


UNREADABLE = ("", -1)


class Stamp:
    """PATH.stamp, kept beside the ledger: its epoch and how many commits it has. It never runs ahead of the ledger.

    A ledger that is behind its stamp, or of another epoch, is a copy that somebody put back; no ledger beside a stamp is one
    that was lost. After a power cut the stamp may be an older one, but not a missing one.
    """

    def __init__(self, path: Path) -> None:
        self.path = Path(f"{path}.stamp")

    def read(self) -> tuple[str, int] | None:
        """Return epoch and commits, UNREADABLE if it is there and says nothing, None if there is none."""
        try:
            epoch, commits = self.path.read_text("ascii").split()
            return epoch, int(commits)
        except FileNotFoundError:
            return None
        except (OSError, ValueError):
            return UNREADABLE

    def write(self, epoch: str, commits: int, *, sync: bool = False) -> None:
        """Note a commit that is on disk. Losing a stamp loses no data, so a full disk is no error here."""
        text = f"{epoch} {commits:020d}\n".encode()
        with suppress(OSError), open_to_write(self.path) as fd:
            os.pwrite(fd, text, 0)
            if sync:
                os.fsync(fd)
                with open_folder(self.path.parent) as folder:
                    os.fsync(folder)


@contextmanager
def open_to_write(path: Path) -> Iterator[int]:
    """Open a file for its owner alone, made if it is not there."""
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        yield fd
    finally:
        os.close(fd)


@contextmanager
def open_folder(path: Path) -> Iterator[int]:
    """Open a folder, to make its entries durable."""
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield fd
    finally:
        os.close(fd)
