"""What the daemon says and writes by itself shows a parent by its key: log lines, conflicts, reports in files."""

import json
from collections.abc import Iterator

import pytest
from loguru import logger

from tests.daemon.test_actions import do
from tests.daemon.test_references import PRODUCT, company, row, there
from tests.daemon.world import World


@pytest.fixture
def said() -> Iterator[list[str]]:
    """What is said in the test."""
    lines: list[str] = []
    sink = logger.add(lambda message: lines.append(message.record["message"]), level="INFO")
    yield lines
    logger.remove(sink)


async def two_brands(world: World, product: str = PRODUCT) -> None:
    """A mug of ACME, in both places."""
    company(world, product=product)
    for n in range(40):  # no brand of the test is a number that stands elsewhere
        world.platform("erp").put("brands", f"x{n}", {"id": f"x{n}", "code": f"OTHER{n}", "parent": None})
    for code in ("ACME", "NEW"):
        world.platform("erp").put("brands", code.lower(), {"id": code.lower(), "code": code, "parent": None})
    world.platform("erp").put("items", "1", {"id": "1", "sku": "MUG", "name": "Mug", "brand_id": "acme"})
    for _ in range(3):
        await world.once()


async def test_a_log_line_names_both_parents(world: World, said: list[str]) -> None:
    await two_brands(world)
    world.platform("erp").put("items", "1", {"id": "1", "sku": "MUG", "name": "Mug", "brand_id": "new"})
    await world.once()
    assert any("ACME -> NEW" in line for line in said), said[-5:]


async def test_a_conflict_names_the_parents_that_stand_against_each_other(world: World, said: list[str]) -> None:
    await two_brands(world, PRODUCT.replace("ref(brand), truth: erp", "ref(brand), truth: {manual: true}"))
    world.platform("erp").put("items", "1", {"id": "1", "sku": "MUG", "name": "Mug", "brand_id": "new"})
    await world.once()
    lines = [line for line in said if line.startswith("product MUG") and "held" in line]
    assert lines, said[-5:]
    assert "NEW erp" in lines[-1]


async def test_a_report_in_a_file_names_the_parent(world: World) -> None:
    await two_brands(world)
    folder = world.folder / "reports"
    service = world.folder / "config/syncd.yaml"
    settings = f"reconcile: {{settle: 0s, report: {{dir: {folder}, formats: [json, csv, html], keep: 30d}}}}"
    service.write_text(service.read_text().replace("reconcile: {settle: 0s}", settings))
    item, other = there(world, "shop", "products")["MUG"], row(world, "shop", "brands", "NEW")
    world.platform("shop").put("products", row(world, "shop", "products", "MUG"), {**item, "brandId": other})
    report = (await do(world, do="reconcile"))["report"]
    (text,) = [json.loads(file.read_text()) for file in folder.glob("*.json")]
    (found,) = [one for one in text["rows"] if one["field"] == "brand"]
    assert (found["truth"]["value"], found["found"]["value"]) == ("ACME", "NEW"), report["rows"]
    for file in folder.iterdir():
        assert "ACME" in file.read_text(), file.name
