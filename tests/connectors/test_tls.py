"""Certificates, checked both ways, on the wires to a broker and to PostgreSQL. The key comes from a secret, not from a file."""

import asyncio
import shutil
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from syncd.connectors.mqtt import MqttKind
from syncd.connectors.sql import SqlKind
from syncd.errors import TransientError
from tests.connectors.contract import setup_for
from tests.connectors.servers import Mosquitto, Relay
from tests.connectors.sql_world import SqlWorld
from tests.connectors.test_login import certificates

pytestmark = pytest.mark.skipif(shutil.which("openssl") is None, reason="certificates are made with openssl")

WRONG: list[dict[str, str]] = [{}, {"ca": "ca.pem"}, {"cert": "client.pem", "key": "secret:client"}]  # no CA or no certificate
RIGHT = {"ca": "ca.pem", "cert": "client.pem", "key": "secret:client"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    certificates(tmp_path)
    return tmp_path


def key_of(folder: Path) -> Any:
    return lambda _: (folder / "client.key").read_text()


@pytest.fixture
def broker(folder: Path) -> Any:
    (folder / "broker").mkdir()
    for name in ("ca.pem", "server.pem", "server.key"):
        shutil.copy(folder / name, folder / "broker" / name)
    lines = [f"cafile {folder}/broker/ca.pem", f"certfile {folder}/broker/server.pem", f"keyfile {folder}/broker/server.key"]
    made = Mosquitto(folder / "broker", *lines, "require_certificate true", "allow_anonymous true")
    made.start()
    yield made
    made.stop()


# paho leaves a socket whose handshake failed to the garbage collector
@pytest.mark.filterwarnings("ignore:.*ssl.SSLSocket:pytest.PytestUnraisableExceptionWarning")
async def test_a_broker_shows_who_it_is_and_sees_who_we_are(broker: Mosquitto, folder: Path) -> None:
    async def scan(tls: dict[str, str]) -> bool:
        setup = setup_for(
            MqttKind(),
            connection={"host": "127.0.0.1", "port": broker.port, "tls": tls},
            collections={"things": {"topic": "things/{id}"}},
            folder=str(folder),
            secret=key_of(folder),
        )
        async with MqttKind().connect(setup) as connector:
            return [page.last async for page in connector.scan("things")] == [True]

    assert await scan(RIGHT)
    for tls in WRONG[::2]:  # a broker that wants a certificate only falls silent
        with pytest.raises(TransientError):
            await scan(tls)


@asynccontextmanager
async def encrypted(target: sa.URL, folder: Path) -> AsyncIterator[int]:
    """Yield the port of a PostgreSQL that speaks TLS and wants a certificate: the encryption is ours, the rest its own."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=folder / "ca.pem")
    context.load_cert_chain(folder / "server.pem", folder / "server.key")
    context.verify_mode = ssl.CERT_REQUIRED
    wire = Relay(target)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.readexactly(8)  # the client asks for encryption
            writer.write(b"S")
            await writer.start_tls(context)
            theirs, ours = await wire._connect()
            await wire._carry((reader, writer), (theirs, ours))
            ours.close()
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


async def test_a_database_shows_who_it_is_and_sees_who_we_are(postgres: sa.URL, folder: Path) -> None:
    world = SqlWorld(postgres, folder)
    await world.make()

    async def read(port: int, tls: dict[str, str]) -> bool:
        setup = setup_for(
            SqlKind(),
            connection={"dsn": postgres.set(host="127.0.0.1", port=port, query={}).render_as_string(), "tls": tls},
            collections={"things": {"table": "things", "id": "id"}},
            folder=str(folder),
            secret=key_of(folder),
        )
        async with SqlKind().connect(setup) as connector:
            return [look.gone for look in await connector.read("things", ["1"])] == [True]

    async with encrypted(postgres, folder) as port:
        assert await read(port, RIGHT)
        for tls in WRONG:
            with pytest.raises(TransientError):
                await read(port, tls)
    await world.hand.engine.dispose()
