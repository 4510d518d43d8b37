"""The ledger's one writer: a single connection in its own thread, and group commit.

Functions ``f(db, ...)`` are plain and synchronous. Calls that arrive while a commit runs go together into the next
transaction, each in a savepoint of its own, and are answered after its COMMIT. There is no other way to get a connection:
an unclosed one would hang the process at exit.
"""

import asyncio
import gc
import sqlite3
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, Self, TypeVar

import aiosqlite

from syncd.errors import LedgerError
from syncd.ledger import meta
from syncd.ledger.lock import Stamp, locked
from syncd.ledger.opening import connect, prepare
from syncd.ledger.schema import Database, check_sqlite

P = ParamSpec("P")
T = TypeVar("T")

BLOCK = 1_000_000_000  # request numbers reserved ahead; a crash skips the rest of a block
MOST = 500  # calls in one transaction
RECOVERABLE = {sqlite3.SQLITE_FULL, sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}
DISK = {
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_NOMEM,
    sqlite3.SQLITE_CORRUPT,
    sqlite3.SQLITE_NOTADB,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_CANTOPEN,
}


class Connection(aiosqlite.Connection):
    """aiosqlite's connection with a whole function as one hop. Rests on two of its private names; a test pins them."""

    async def run(self, fn: Callable[..., T], *args: Any) -> T:
        """Run ``fn(db, *args)`` in the ledger's thread."""
        execute: Callable[..., Awaitable[T]] = self._execute
        return await execute(fn, self._conn, *args)


@dataclass(slots=True)
class Call:
    """A function that waits for its transaction, and who waits for its result."""

    fn: Callable[[Database], Any]
    future: "asyncio.Future[Any]"
    result: Any = None
    error: Exception | None = None

    def run(self, db: Database) -> None:
        """Run in a savepoint. An exception is this call's own, unless it says that the whole transaction is lost."""
        db.execute("SAVEPOINT call")
        try:
            self.result = self.fn(db)
        except Exception as error:
            if not db.in_transaction or code_of(error) in DISK:
                raise
            db.execute("ROLLBACK TO call")
            self.error = error
        db.execute("RELEASE call")

    def answer(self) -> None:
        """Tell the waiter, unless it was cancelled: what was stored stays stored."""
        if self.future.done():
            return
        if self.error is None:
            self.future.set_result(self.result)
        else:
            self.future.set_exception(self.error)


def code_of(error: BaseException) -> int | None:
    """Return SQLite's primary result code of an exception, None if it is none of SQLite's."""
    code = getattr(error, "sqlite_errorcode", None)
    return None if code is None else int(code) & 0xFF


@contextmanager
def uncollected() -> Iterator[None]:
    """Let no cycle collection run meanwhile: all of a batch is alive, and looking at it again and again costs a fifth."""
    running = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if running:
            gc.enable()


class Store:
    """An open ledger, made by ``open`` only. ``epoch`` marks this life of it: idempotency keys carry it.

    ``broken`` says why it takes no more writes (a failed disk), None while it works.
    """

    def __init__(self, path: Path, connection: Connection, now: int) -> None:
        self.path = path
        self.epoch = ""
        self.broken: str | None = None
        self._now = now
        self._connection = connection
        self._stamp = Stamp(path)
        self._queue: list[Call] = []
        self._wake = asyncio.Event()
        self._closing = False
        self._number = self._reserved = self._commits = 0
        self._stamped = 0.0
        self._writer: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        prepared = partial(prepare, path=self.path, stamp=self._stamp.read(), now=self._now, block=BLOCK)
        opened = await self._connection.run(prepared)
        self.epoch, self._commits = opened.epoch, opened.commits
        self._number, self._reserved = opened.number, opened.reserved
        self._stamp.write(self.epoch, self._commits, sync=True)
        self._writer = asyncio.create_task(self._commit_until_closed(), name="ledger")
        return self

    async def __aexit__(self, *exc: object) -> None:
        self._closing = True
        self._wake.set()
        assert self._writer is not None
        await self._writer
        if self.broken is None:  # give back the numbers that were not used: the next open goes on from here
            await self._connection.run(partial(meta.put, name="number", value=str(self._number)))
            self._stamp.write(self.epoch, self._commits)

    def number(self) -> int:
        """Return the next request number, above every number this ledger ever handed out."""
        if self._number >= self._reserved:
            raise LedgerError(f"{self.path}: the reserved request numbers are used up")
        self._number += 1
        return self._number

    async def write(self, fn: Callable[Concatenate[Database, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run ``fn(db, ...)`` in a transaction and return its result after the COMMIT.

        What it raises is raised here and undoes only its own work. Raises LedgerError if the group could not be
        committed: then nothing of it is acknowledged. Cancelling the waiter does not stop the function.
        """
        if self.broken is not None or self._closing:
            raise LedgerError(f"{self.path}: {self.broken or 'it is being closed'}")
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._queue.append(Call(lambda db: fn(db, *args, **kwargs), future))
        self._wake.set()
        return await future

    async def read(self, fn: Callable[Concatenate[Database, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run ``fn(db, ...)`` between two transactions and return its result; raises LedgerError if SQLite cannot."""
        try:
            return await self._connection.run(lambda db: fn(db, *args, **kwargs))
        except sqlite3.OperationalError as error:
            raise LedgerError(f"{self.path}: {error}") from error

    async def _commit_until_closed(self) -> None:
        while self._queue or not self._closing:
            await self._wake.wait()
            self._wake.clear()
            while self._queue:
                calls, self._queue = self._queue[:MOST], self._queue[MOST:]
                await self._commit_group(calls)

    async def _commit_group(self, calls: Sequence[Call]) -> None:
        try:
            await self._connection.run(self._transaction, calls)
        except Exception as error:  # noqa: BLE001 - every waiter must hear it, whatever it was
            for call in calls:
                call.error = LedgerError(f"{self.path}: nothing was committed: {error}")
                call.error.__cause__ = error
        for call in calls:
            call.answer()

    def _transaction(self, db: Database, calls: Sequence[Call]) -> None:
        """Run all calls in one transaction, in the ledger's thread. Raises if it could not be committed."""
        if self.broken is not None:
            raise LedgerError(self.broken)
        try:
            with uncollected():
                db.execute("BEGIN IMMEDIATE")
                for call in calls:
                    call.run(db)
                reserved = self._count(db)
                db.execute("COMMIT")
        except BaseException as error:
            self._give_up(db, error)
            raise
        self._commits, self._reserved = self._commits + 1, reserved
        self._keep_stamp()

    def _count(self, db: Database) -> int:
        """Store how many commits there are, and reserve request numbers in time; returns the last reserved one."""
        db.execute("UPDATE meta SET value = ? WHERE name = 'commits'", (str(self._commits + 1),))
        if self._reserved - self._number > BLOCK // 2:
            return self._reserved
        reserved = self._number + BLOCK
        meta.put(db, "number", str(reserved))
        return reserved

    def _give_up(self, db: Database, error: BaseException) -> None:
        """Roll back. After anything but a full disk or a lock nobody knows what is on disk: take no more writes."""
        if code_of(error) not in RECOVERABLE:
            self.broken = f"the ledger failed ({error}) and takes no more until it is opened again"
        try:
            if db.in_transaction:
                db.execute("ROLLBACK")
        except sqlite3.Error as again:
            self.broken = f"the ledger could not roll back ({again}) and takes no more until it is opened again"

    def _keep_stamp(self) -> None:
        if time.monotonic() - self._stamped >= 1.0:
            self._stamp.write(self.epoch, self._commits)
            self._stamped = time.monotonic()


@asynccontextmanager
async def open(path: Path | str, *, now: int) -> AsyncIterator[Store]:  # noqa: A001 - read as store.open
    """Open the ledger at ``path`` as its only writer; makes it if it is not there and brings its schema up to date.

    Raises LedgerLocked if another syncd has it; LedgerError if it is newer, damaged, no ledger, or SQLite is too old.
    """
    check_sqlite()
    place = Path(path)
    with locked(place):
        db = connect(place)  # here, not in the thread: aiosqlite does not wait for its thread when connecting fails
        connection = Connection(lambda: db, 64)
        async with connection, Store(place, connection, now) as store:
            yield store
