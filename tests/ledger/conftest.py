"""A ledger in a real file, open for plain functions; and a store on one."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from syncd.ledger import opening, store
from syncd.ledger.schema import Database
from tests.ledger.builders import NOW


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ledger.db"


@pytest.fixture
def db(path: Path) -> Iterator[Database]:
    """The writer's connection without the store: each statement commits by itself."""
    connection = opening.connect(path)
    opening.prepare(connection, path, stamp=None, now=NOW, block=1000)
    yield connection
    connection.close()


@pytest.fixture
async def ledger(path: Path) -> AsyncIterator[store.Store]:
    async with store.open(path, now=NOW) as opened:
        yield opened
