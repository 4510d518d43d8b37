"""References in rule tests and in what is refused: a parent has one name everywhere in a test, and names no child."""

import pytest

from syncd.config.load import load
from syncd.daemon.recount import as_test
from syncd.daemon.rehearse import rehearse_one
from syncd.ledger import records
from tests.daemon.test_references import PRODUCT, company

TESTS = """
entity: product
tests:
  - name: the parent goes along
    base: {sku: MUG, brand: ACME}
    given: {erp: {brand_id: OTHER}}
    expect: {golden: {brand: OTHER}, writes: {shop: {brandId: OTHER}}}
  - name: another parent in the shop is put back
    base: {sku: MUG, brand: ACME}
    given: {shop: {brandId: OTHER}}
    expect: {golden: {brand: ACME}, writes: {shop: {brandId: ACME}}, stray_edits: [shop.brand]}
"""


async def test_a_rule_test_calls_parents_by_one_name(world):
    company(world)
    world.write("tests/product.yaml", TESTS)
    loaded = load(world.folder / "config", world.kinds, environ={"STATE_DIRECTORY": str(world.folder)})
    assert loaded.config is not None, [one.text() for one in loaded.errors]
    (tests,) = loaded.tests.values()
    for test in tests:
        assert rehearse_one(loaded.config.rules, test).differences == (), test.name


async def test_an_event_about_a_parent_is_told_with_its_key(world):
    company(world)
    for code in ("ACME", "NEW"):
        world.platform("erp").put("brands", code, {"id": code.lower(), "code": code, "parent": None})
    world.platform("erp").put("items", "1", {"id": "1", "sku": "MUG", "name": "Mug", "brand_id": "ACME"})
    for _ in range(3):
        await world.once()
    world.platform("erp").put("items", "1", {"id": "1", "sku": "MUG", "name": "Mug", "brand_id": "NEW"})
    await world.once()
    async with world.runtime() as runtime:
        text = await runtime.store.read(told, runtime.rules)
    assert "brand: ACME" in text
    assert "brand_id: NEW" in text
    assert "#" not in text


def told(db, rules):
    (number,) = db.execute("SELECT id FROM record WHERE key = 'MUG'").fetchone()
    return as_test(db, records.one(db, number), rules, "brand")


@pytest.mark.parametrize(
    ("old", "new", "mark"),
    [
        ("match: [{by: sku}]", "match: [{by: sku}, {by: brand}]", "brand"),
        ("match: [{by: sku}]", "match: [{by: [sku, brand]}]", "brand"),
        ("key: sku", "key: brand", "brand"),
    ],
)
async def test_no_record_is_known_by_a_reference(world, old, new, mark):
    company(world, product=PRODUCT.replace(old, new))
    loaded = load(world.folder / "config", world.kinds, environ={"STATE_DIRECTORY": str(world.folder)})
    (one,) = [each for each in loaded.errors if each.code == "E233"]
    assert one.message == "brand is a reference, and no record is known by one"
    assert one.source[one.col - 1 : one.end_col - 1] == mark
    assert "such as the brand's own code" in one.fix

