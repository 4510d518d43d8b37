"""Servers that several tests share."""

from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from tests.connectors import servers


@pytest.fixture(scope="session")
def postgres_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[sa.URL]:
    with servers.postgres_server(tmp_path_factory.mktemp("postgres")) as url:
        yield url


@pytest.fixture(scope="module")
def postgres(postgres_server: sa.URL) -> Iterator[sa.URL]:
    with servers.postgres_database(postgres_server) as url:
        yield url


@pytest.fixture(scope="module")
def mariadb() -> Iterator[sa.URL]:
    with servers.mariadb_database() as url:
        yield url


@pytest.fixture(scope="module")
def mosquitto(tmp_path_factory: pytest.TempPathFactory) -> Iterator[servers.Mosquitto]:
    if not servers.has_mosquitto():
        servers.absent("Mosquitto")
    broker = servers.Mosquitto(tmp_path_factory.mktemp("mosquitto"))
    broker.start()
    yield broker
    broker.stop()
