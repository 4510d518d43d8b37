"""The odata connector keeps the contract on SAP's own server program, in both versions."""

from collections.abc import AsyncIterator, Iterator

import pytest

from tests.connectors.contract import Contract
from tests.connectors.odata_world import CapWorld, entered
from tests.emulators.cap import Cap, cap_process


@pytest.fixture(scope="module")
def cap() -> Iterator[Cap]:
    with cap_process("things", csrf=True) as server:
        yield server


class TestV4(Contract):
    """Ranges of the key, PATCH, $batch as multipart."""

    @pytest.fixture
    async def world(self, cap: Cap) -> AsyncIterator[CapWorld]:
        async with entered(cap, "v4", write={"batch": 50}) as made:
            yield made


class TestV4Json(Contract):
    """$skip, $batch as JSON, the version found out."""

    @pytest.fixture
    async def world(self, cap: Cap) -> AsyncIterator[CapWorld]:
        connection = {"protocol": None, "batch": "json"}
        async with entered(cap, "v4", connection=connection, entity={"paging": "skip"}, write={"batch": 50}) as made:
            yield made


class TestV2(Contract):
    """Ranges of the key, MERGE, $batch as multipart."""

    @pytest.fixture
    async def world(self, cap: Cap) -> AsyncIterator[CapWorld]:
        async with entered(cap, "v2", write={"batch": 50}) as made:
            yield made


class TestV2Tunnel(Contract):
    """The server pages, MERGE in a header, one write a request."""

    @pytest.fixture
    async def world(self, cap: Cap) -> AsyncIterator[CapWorld]:
        connection = {"update": "tunnel"}
        async with entered(cap, "v2", connection=connection, entity={"page": None}) as made:
            cap.call("page", page=3)
            yield made
