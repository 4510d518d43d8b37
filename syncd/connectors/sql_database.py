"""One database: how it is reached, how a request to it begins and ends, and whose fault its errors are."""

import asyncio
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote

import sqlalchemy as sa
from pydantic import field_validator
from sqlalchemy.exc import ArgumentError, DataError, DBAPIError, IntegrityError, SQLAlchemyError, StatementError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from syncd.connectors.login import trust
from syncd.connectors.options import Later, Options, Tls, reveal
from syncd.connectors.protocol import Setup
from syncd.connectors.rate import Budget
from syncd.errors import ConnectorError, OutcomeUnknown, PermanentError, TransientError

DRIVERS = {
    "sqlite": "sqlite+aiosqlite",
    "postgresql": "postgresql+psycopg",
    "postgres": "postgresql+psycopg",
    "mysql": "mysql+asyncmy",
    "mariadb": "mariadb+asyncmy",
}
CONNECT = 10  # seconds at most until connected, and that SQLite waits for another's lock
ANSWER = 30.0  # seconds at most for one request, and again for its commit
IDLE = 900  # seconds after which a pooled connection is replaced
LET_THROUGH = " (under systemd its folder must be let through: ReadWritePaths= in the unit)"

# the platform refuses the record: class 22 data, 23 constraint, 44 view, P0 raised by a trigger; MySQL's numbers for the same
_REFUSED_STATES = ("22", "23", "44", "P0")
_REFUSED_NUMBERS = {1048, 1264, 1265, 1292, 1364, 1366, 1406, 1452, 1451, 1644, 3819, 4025}
# the same may work in a moment: deadlock, serialization, a lock that was not given
_AGAIN_STATES = ("40", "55P03")
_AGAIN_NUMBERS = {1205, 1213}
# a write alone is in the way of a right it lacks (or of a row policy), a limit of its time, an object in use, another server, a
# bug of the database: reading goes on, and time may mend it
_WRITE_AGAIN_STATES = (*_AGAIN_STATES, "42501", "55006", "57014", "HV", "XX")
_WRITE_AGAIN_NUMBERS = {*_AGAIN_NUMBERS, 1020, 1030, 1142, 1143, 1180, 1317, 1370, 1614, 1969, 3024, 3572}
# every write would fare the same: 08 connection, 25 read-only server, 28 login, 3D no such database, 53 full, 57 shut down, 58
_PLATFORM_STATES = ("08", "25", "28", "3D", "53", "57", "58", "F0")
_PLATFORM_NUMBERS = (
    {1040, 1203, 1226, 1044, 1045, 1049, 1129, 1130, 1251, 1698, 1820, 1862}  # no room, no login
    | {1021, 1037, 1038, 1041, 1047, 1053, 1077, 1078, 1079, 1114, 1290, 1792, 1836}  # full, shutting down, read-only
    | {1152, 1153, 1154, 1155, 1156, 1157, 1158, 1159, 1160, 1161, 1184, 1927, 4031}  # the connection
)
_CLIENT_NUMBERS = range(2000, 3000)  # told by the driver: connections that failed or were lost
_WRITE_REFUSED_NAMES = ("SQLITE_ERROR", "SQLITE_CONSTRAINT", "SQLITE_MISMATCH", "SQLITE_TOOBIG", "SQLITE_RANGE")
_TWIN_STATES = ("23505",)
_TWIN_NUMBERS = {1062}
_TWIN_NAMES = {"SQLITE_CONSTRAINT_UNIQUE", "SQLITE_CONSTRAINT_PRIMARYKEY"}

T = TypeVar("T")


class SqlConnection(Options):
    """Where the database is: ``sqlite:///FILE``, ``postgresql://USER@HOST:PORT/DB`` or ``mysql://USER@HOST:PORT/DB``."""

    dsn: str
    password: str | None = None
    tls: Tls | None = None
    proxy: Later = None

    @field_validator("dsn")
    @classmethod
    def _is_known(cls, dsn: str) -> str:
        try:
            url = sa.make_url(dsn)
        except (ArgumentError, ValueError) as error:
            raise ValueError("write sqlite:///FILE, postgresql://USER@HOST/DB or mysql://USER@HOST/DB") from error
        if url.drivername not in DRIVERS:
            raise ValueError(f'no database called "{url.drivername}": use sqlite, postgresql or mysql')
        if url.password:
            raise ValueError("write the password as  password: secret:NAME, not in the dsn")
        if not url.database or url.database == ":memory:":
            raise ValueError("name the file" if url.drivername == "sqlite" else "name the database after the host")
        return dsn

    @property
    def dialect(self) -> str:
        """Return sqlite, postgresql, mysql or mariadb."""
        return DRIVERS[sa.make_url(self.dsn).drivername].partition("+")[0]


class Database:
    """The database of one platform, connected when it is first needed."""

    def __init__(self, setup: Setup) -> None:
        self._setup = setup
        self._connection: SqlConnection = setup.connection
        self._budget = Budget(setup.limits)
        self._engine: AsyncEngine | None = None
        self._key: int | None = None
        self.is_sqlite = self._connection.dialect == "sqlite"
        place = sa.make_url(self._connection.dsn).database or ""
        self._file = Path(setup.folder, place).absolute() if self.is_sqlite else None

    async def close(self) -> None:
        """Close all connections."""
        if self._engine is not None:
            await self._engine.dispose()
            self._engine = None
        if self._key is not None:
            os.close(self._key)
            self._key = None

    async def ask(self, work: Callable[[AsyncConnection], Awaitable[T]]) -> T:
        """Return what ``work`` reads; raises the children of ConnectorError."""
        async with self._budget.turn():
            try:
                async with asyncio.timeout(ANSWER), self._opened().connect() as connection:
                    return await work(connection)
            except (SQLAlchemyError, OSError, TimeoutError) as error:
                raise blame(error, self._setup.platform) from error

    async def write(self, work: Callable[[AsyncConnection], Awaitable[T]]) -> T:
        """Return what ``work`` did, committed; raises OutcomeUnknown if the answer to the commit did not come."""
        committing = False
        async with self._budget.turn():
            try:
                async with asyncio.timeout(ANSWER) as deadline, self._opened().connect() as connection:
                    if self.is_sqlite:  # else the row that is compared could change before it is written
                        await connection.exec_driver_sql("BEGIN IMMEDIATE")
                    made = await work(connection)
                    deadline.reschedule(asyncio.get_running_loop().time() + ANSWER)
                    committing = True
                    await connection.commit()
                    return made
            except (SQLAlchemyError, OSError, TimeoutError) as error:
                if committing and not is_rolled_back(error):
                    raise OutcomeUnknown(f"{self._setup.platform}: no answer to the commit: {said(error)}") from error
                raise blame(error, self._setup.platform, writing=True) from error

    def _opened(self) -> AsyncEngine:
        if self._file is not None and not os.access(self._file, os.R_OK):
            raise TransientError(f"{self._setup.platform}: cannot read {self._file}{LET_THROUGH}")
        if self._engine is None:
            self._engine = self._open()
        return self._engine

    def _open(self) -> AsyncEngine:
        connection, setup = self._connection, self._setup
        url = sa.make_url(connection.dsn)
        url = url.set(drivername=DRIVERS[url.drivername])
        if connection.password is not None:
            url = url.set(password=reveal(connection.password, setup.secret))
        if self._file is not None:
            url = url.set(database=f"file:{quote(str(self._file))}", query={"mode": "rw", "uri": "true"})  # makes no new one
        try:
            engine = create_async_engine(
                url,
                connect_args=self._driver_options(),
                pool_size=setup.limits.concurrency,
                max_overflow=0,
                pool_timeout=ANSWER,
                pool_recycle=IDLE,
                pool_pre_ping=not self.is_sqlite,
                hide_parameters=True,
            )
        except ModuleNotFoundError as error:
            raise PermanentError(
                f'{setup.platform}: the driver {error.name} is not there: install "syncd[postgresql]" or "syncd[mysql]"'
            ) from error
        if self.is_sqlite:
            sa.event.listen(engine.sync_engine, "connect", prepare_sqlite)
        return engine

    def _driver_options(self) -> dict[str, Any]:
        connection, setup = self._connection, self._setup
        if self.is_sqlite:
            return {"timeout": CONNECT}
        options: dict[str, Any] = {"connect_timeout": CONNECT}
        if connection.dialect == "postgresql":
            options["application_name"] = "syncd"
            return options | (self._libpq(connection.tls) if connection.tls else {})
        return options | ({"ssl": trust(connection.tls, setup.folder, setup.secret)} if connection.tls else {})

    def _libpq(self, tls: Tls) -> dict[str, Any]:
        folder = self._setup.folder
        options = {"sslmode": "verify-full", "sslrootcert": str(Path(folder, tls.ca)) if tls.ca else "system"}
        if tls.cert:
            options["sslcert"] = str(Path(folder, tls.cert))
        if tls.key and tls.key.startswith("secret:"):
            self._key = os.memfd_create("syncd-key")  # libpq wants a file; a secret must not become one on disk
            os.fchmod(self._key, 0o600)
            os.write(self._key, reveal(tls.key, self._setup.secret).encode())
            options["sslkey"] = f"/proc/self/fd/{self._key}"
        elif tls.key:
            options["sslkey"] = str(Path(folder, tls.key))
        return options


def prepare_sqlite(connection: Any, _: object) -> None:
    """Make one SQLite connection keep declared foreign keys, and hand on text that is not UTF-8 as bytes."""
    connection.driver_connection.text_factory = _text_or_bytes
    cursor = connection.cursor()
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.close()


def _text_or_bytes(raw: bytes) -> str | bytes:
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw


def said(error: BaseException) -> str:
    """Return the database's own words in one line."""
    cause = error.orig if isinstance(error, StatementError) and error.orig is not None else error
    words = " ".join(str(part) for part in cause.args) if cause.args else ""
    return " ".join(words.split())[:500] or type(cause).__name__


def blame(error: BaseException, platform: str, *, writing: bool = False) -> ConnectorError:
    """Return the error as syncd knows it: the record's fault, or the platform's. ``writing``: one record's write raised it."""
    text = f"{platform}: {said(error)}"
    if isinstance(error, IntegrityError | DataError) or _is(error, _REFUSED_STATES, _REFUSED_NUMBERS):
        return PermanentError(text)
    if isinstance(error, StatementError) and not isinstance(error, DBAPIError):
        return PermanentError(text)  # a value that the driver cannot send
    if _is(error, _AGAIN_STATES, _AGAIN_NUMBERS) or (writing and _is(error, _WRITE_AGAIN_STATES, _WRITE_AGAIN_NUMBERS)):
        return TransientError(text, about_record=True)
    if writing and is_of_the_write(error):
        return PermanentError(text)
    is_shut = _name(error).startswith(("SQLITE_READONLY", "SQLITE_CANTOPEN"))
    return TransientError(text + LET_THROUGH if is_shut else text)


def is_of_the_write(error: BaseException) -> bool:
    """Return whether the database itself refused a statement that changes a row, for nothing that concerns all rows.

    A look inside of the write does not count: where that fails, the table is not as it was.
    """
    if not isinstance(error, DBAPIError) or error.connection_invalidated or (error.statement or "").startswith("SELECT"):
        return False
    if state := _state(error):
        return not state.startswith(_PLATFORM_STATES)
    if number := _number(error):
        return number not in _PLATFORM_NUMBERS and number not in _CLIENT_NUMBERS
    return _name(error).startswith(_WRITE_REFUSED_NAMES)


def is_rolled_back(error: BaseException) -> bool:
    """Return whether the answer to a commit says that nothing was written."""
    if isinstance(error, IntegrityError | DataError) or is_busy(error):
        return True
    if state := _state(error):
        return not state.startswith((*_PLATFORM_STATES, "40003", "XX")) or state == "57014"
    return _number(error) in _REFUSED_NUMBERS | _AGAIN_NUMBERS


def is_twin(error: BaseException) -> bool:
    """Return whether a unique key was violated."""
    return _is(error, _TWIN_STATES, _TWIN_NUMBERS) or _name(error) in _TWIN_NAMES


def is_busy(error: BaseException) -> bool:
    """Return whether SQLite refused to commit because another reads: nothing was written."""
    return _name(error).startswith("SQLITE_BUSY")


def _is(error: BaseException, states: tuple[str, ...], numbers: set[int]) -> bool:
    return _state(error).startswith(states) or _number(error) in numbers


def _state(error: BaseException) -> str:
    """Return the SQLSTATE that PostgreSQL told, if any."""
    return getattr(getattr(error, "orig", None), "sqlstate", None) or ""


def _number(error: BaseException) -> int:
    """Return the number that MariaDB or MySQL told, 0 if none."""
    cause = getattr(error, "orig", None)
    first = cause.args[0] if isinstance(cause, Exception) and cause.args else None
    return first if isinstance(first, int) else 0


def _name(error: BaseException) -> str:
    return getattr(getattr(error, "orig", None), "sqlite_errorname", None) or ""
