"""Large organisations: a hundred thousand records in little memory, and records of ten megabytes."""

import json
from collections.abc import Iterator

import pytest

from syncd.core.model import Op, Receipt, Write
from tests.connectors.large import ROWS, assert_frugal, peak, served
from tests.connectors.salesforce_world import OAUTH, acme
from tests.emulators.salesforce.objects import Field

TEN_MEGABYTES = 10 * 1024 * 1024
FIELDS = ("Name", "ProductCode", "StockKeepingUnit", "IsActive")


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Yield where an organisation with many products is."""
    rows = [
        {"Name": f"A product with a name, {n}", "ProductCode": f"P-{n}", "StockKeepingUnit": f"S-{n}", "IsActive": True}
        for n in range(ROWS)
    ]
    file = tmp_path_factory.mktemp("large") / "products.json"
    file.write_text(json.dumps({"Product2": rows}))
    with served("tests.emulators.salesforce", "--fill", str(file), seconds=180) as url:
        yield url


@pytest.mark.parametrize("full_read", ["pages", "bulk"])
def test_a_hundred_thousand_records_take_little_memory(address: str, full_read: str) -> None:
    found = peak(
        "salesforce",
        connection={"login_url": address, "oauth": OAUTH},
        collections={"products": {"object": "Product2", "full_read": full_read}},
        fields=FIELDS,
    )
    assert_frugal(found)


@pytest.mark.parametrize("full_read", ["pages", "bulk"])
async def test_a_record_of_ten_megabytes_goes_both_ways(full_read: str) -> None:
    async with acme(fields=("LastName", "Description"), collection={"full_read": full_read}) as (salesforce, connector):
        contact = salesforce.org.objects["Contact"]
        salesforce.org.objects["Contact"] = contact.extended(Field("Description", "textarea", 2 * TEN_MEGABYTES))
        text = 'a "quote"\n' * (TEN_MEGABYTES // 10)
        one = salesforce.org.create("Contact", {"LastName": "Long", "Description": text + "."})
        pages = [page async for page in connector.scan("contacts")]
        assert [change.item and change.item["Description"] for page in pages for change in page.changes] == [text + "."]
        write = Write(Op.UPDATE, "there", "contacts", 1, one, values={"Description": text + "!"}, before={"LastName": "Long"})
        [receipt] = await connector.apply([write])
        assert isinstance(receipt, Receipt)
        row = salesforce.org.held_row("Contact", one)
        assert row is not None
        assert row["Description"] == text + "!"
