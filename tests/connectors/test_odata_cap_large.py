"""How much the odata connector takes of SAP's server program: large records, long lists in little memory."""

from collections.abc import Iterator

import pytest

from syncd.core.model import Op, Receipt, Write
from tests.connectors.large import assert_frugal, peak
from tests.connectors.odata_world import THING, connected, fresh
from tests.emulators.cap import Cap, cap_process


@pytest.fixture(scope="module")
def running() -> Iterator[Cap]:
    with cap_process("things", csrf=True) as server:
        yield server


@pytest.fixture
def cap(running: Cap) -> Cap:
    return fresh(running)


@pytest.mark.parametrize("protocol", ["v4", "v2"])
async def test_a_record_of_ten_megabytes_goes_both_ways(cap: Cap, protocol: str):
    text = "Zwölf Boxkämpfer\n" * 600_000
    assert len(text.encode()) > 10 * 2**20
    async with connected(cap, protocol, THING, connection={"timeout": "30s"}) as connector:
        values = {"sku": "S-1", "name": text}
        [made] = await connector.apply([Write(Op.CREATE, "there", "things", 1, None, values=values, key="k")])
        assert isinstance(made, Receipt), made
        [look] = await connector.read("things", [made.id or ""])
    assert (look.item or {})["name"] == text
    assert (await cap.held({"id": int(made.id or 0)}) or {})["name"] == text


@pytest.mark.parametrize(("protocol", "page"), [("v4", 1000), ("v2", None)], ids=["v4-keys", "v2-server"])
def test_a_hundred_thousand_rows_take_little_memory(cap: Cap, protocol: str, page: int | None):
    cap.call("fill", entity="Thing", count=100_000, number=True, text="sku", row={"price": "12.50", "name": "A thing"})
    collection = {name: value for name, value in (THING | {"page": page}).items() if value is not None}
    connection = {"base_url": cap.url(protocol), "protocol": protocol, "timeout": "60s"}
    assert_frugal(peak("odata", connection=connection, collections={"things": collection}))
