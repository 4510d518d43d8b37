"""References between entities, through the whole daemon: parent before child, orphans, circles, renamed and deleted parents."""

from tests.daemon.world import memory

BRAND = """
entity: brand
in:
  erp: {collection: brands, create: true}
  shop: {collection: brands, create: true}
identity: {key: code, match: [{by: code}], unmatched: {erp: create, shop: create}}
fields:
  code: {type: string, truth: erp, map: {erp: code, shop: code}}
  parent: {type: ref(brand), truth: erp, map: {erp: parent, shop: parent}}
deletes: {authority: erp, confirm: {sweeps: 1, wait: 0s}}
"""
PRODUCT = """
entity: product
in:
  erp: {collection: items, create: true}
  shop: {collection: products, create: true}
identity: {key: sku, match: [{by: sku}], unmatched: {erp: create, shop: create}}
fields:
  sku: {type: string, truth: erp, map: {erp: sku, shop: sku}}
  name: {type: string, truth: erp, map: {erp: name, shop: title}}
  brand: {type: ref(brand), truth: erp, map: {erp: brand_id, shop: {path: brandId, read: [ref(brand)], write: [ref(brand)]}}}
"""


def company(world, brand=BRAND, product=PRODUCT):
    world.service()
    for name, collection in (("erp", "items"), ("shop", "products")):
        text = memory(name, collection=collection).rstrip() + "\n  brands: {id: id, version: version}\n"
        world.write(f"platforms/{name}.yaml", text)
    world.write("entities/brand.yaml", brand)
    world.write("entities/product.yaml", product)


def there(world, platform, collection):
    things = world.platform(platform).things.get(collection, {}).values()
    return {thing.item.get("sku") or thing.item.get("code"): thing.item for thing in things}


def row(world, platform, collection, key):
    things = world.platform(platform).things[collection].items()
    return next(native for native, thing in things if key in (thing.item.get("sku"), thing.item.get("code")))


async def test_a_parent_is_made_before_its_child(world):
    company(world)
    world.platform("erp").put("items", "1", {"id": "1", "sku": "MUG", "name": "Mug", "brand_id": "b7"})
    world.platform("erp").put("brands", "b7", {"id": "b7", "code": "ACME", "parent": None})
    for _ in range(3):
        await world.once()
    mug = there(world, "shop", "products")["MUG"]
    assert mug["brandId"] == row(world, "shop", "brands", "ACME") != "b7"


async def test_an_orphan_waits_and_says_for_whom(world):
    company(world)
    world.platform("erp").put("items", "1", {"id": "1", "sku": "MUG", "name": "Mug", "brand_id": "b7"})
    await world.once()
    await world.once()
    assert there(world, "shop", "products") == {}
    assert await told(world) == ["waits for brand b7 of erp"]
    world.platform("erp").put("brands", "b7", {"id": "b7", "code": "ACME", "parent": None})
    for _ in range(3):
        await world.once()
    assert there(world, "shop", "products")["MUG"]["brandId"] == row(world, "shop", "brands", "ACME")


async def test_an_orphan_that_is_there_already_waits_with_that_field_only(world):
    company(world)
    world.platform("shop").put("products", "s1", {"id": "s1", "sku": "MUG", "title": "Old", "brandId": "x"})
    world.platform("erp").put("items", "1", {"id": "1", "sku": "MUG", "name": "Mug", "brand_id": "b7"})
    await world.once()
    await world.once()
    assert there(world, "shop", "products")["MUG"] == {"id": "s1", "sku": "MUG", "title": "Mug", "brandId": "x"}
    async with world.runtime() as runtime:
        assert await runtime.store.read(lambda db: db.execute("SELECT count(*) FROM conflict").fetchone()) == (0,)


async def test_a_tree_of_one_entity_is_made_from_its_root(world):
    company(world)
    for number, (code, above) in enumerate([("LEAF", "2"), ("ROOT", None), ("TWIG", "1")]):
        world.platform("erp").put("brands", str(number), {"id": str(number), "code": code, "parent": above})
    for _ in range(5):
        await world.once()
    made = there(world, "shop", "brands")
    assert made["ROOT"].get("parent") is None
    assert made["TWIG"]["parent"] == row(world, "shop", "brands", "ROOT")
    assert made["LEAF"]["parent"] == row(world, "shop", "brands", "TWIG")


async def test_a_circle_does_not_lock(world):
    company(world)
    for code, above in (("A", "B"), ("B", "A"), ("SELF", "SELF")):
        world.platform("erp").put("brands", code, {"id": code, "code": code, "parent": above})
    for _ in range(5):
        await world.once()
    made = there(world, "shop", "brands")
    assert made["A"]["parent"] == row(world, "shop", "brands", "B")
    assert made["B"]["parent"] == row(world, "shop", "brands", "A")
    assert made["SELF"]["parent"] == row(world, "shop", "brands", "SELF")


NOT_THERE = BRAND.replace("shop: {collection: brands, create: true}", "shop: {collection: brands}")


async def told(world):
    """Return why records wait for a platform, by the ledger's own words."""
    async with world.runtime() as runtime:
        return await runtime.store.read(lambda db: [row[0] for row in db.execute("SELECT error FROM outbox ORDER BY record")])


async def test_a_write_says_for_whom_it_waits_and_goes_out_by_itself(world):
    company(world, brand=NOT_THERE)
    world.platform("erp").put("brands", "b7", {"id": "b7", "code": "ACME", "parent": None})
    world.platform("erp").put("items", "1", {"id": "1", "sku": "MUG", "name": "Mug", "brand_id": "b7"})
    for _ in range(3):
        await world.once()
    assert there(world, "shop", "products") == {}
    assert "waits for brand ACME on shop" in await told(world)
    world.platform("erp").put("brands", "b7", {"id": "b7", "code": "NEW", "parent": None})  # called otherwise now
    for _ in range(2):
        await world.once()
    assert "waits for brand NEW on shop" in await told(world)
    world.platform("shop").put("brands", "s1", {"id": "s1", "code": "NEW"})
    for _ in range(3):
        await world.once()
    assert there(world, "shop", "products")["MUG"]["brandId"] == "s1"
    assert await told(world) == []


async def test_another_parent_is_not_waited_for_any_longer(world):
    company(world, brand=NOT_THERE)
    world.platform("erp").put("brands", "b7", {"id": "b7", "code": "ACME", "parent": None})
    world.platform("erp").put("items", "1", {"id": "1", "sku": "MUG", "name": "Mug", "brand_id": "b7"})
    world.platform("erp").put("brands", "b8", {"id": "b8", "code": "OTHER", "parent": None})
    world.platform("shop").put("brands", "s8", {"id": "s8", "code": "OTHER"})
    for _ in range(2):
        await world.once()
    assert await told(world) != []
    world.platform("erp").put("items", "1", {"id": "1", "sku": "MUG", "name": "Mug", "brand_id": "b8"})
    for _ in range(3):
        await world.once()
    assert there(world, "shop", "products")["MUG"]["brandId"] == "s8"


async def test_a_renamed_parent_changes_no_child(world):
    company(world)
    world.platform("erp").put("brands", "b7", {"id": "b7", "code": "ACME", "parent": None})
    world.platform("erp").put("items", "1", {"id": "1", "sku": "MUG", "name": "Mug", "brand_id": "b7"})
    for _ in range(3):
        await world.once()
    query = "SELECT golden, version FROM record WHERE key = 'MUG'"
    async with world.runtime() as runtime:
        before = await runtime.store.read(lambda db: db.execute(query).fetchone())
    world.platform("erp").put("brands", "b7", {"id": "b7", "code": "NEW", "parent": None})
    for _ in range(2):
        await world.once()
    async with world.runtime() as runtime:
        assert await runtime.store.read(lambda db: db.execute(query).fetchone()) == before
    assert "NEW" in there(world, "shop", "brands")


RESTORED = BRAND.replace("deletes: {authority: erp,", "deletes: {authority: erp, elsewhere: restore,")
ONE = "ref(brand), truth: erp, map: {erp: brand_id, shop: {path: brandId, read: [ref(brand)], write: [ref(brand)]}}"
MANY = PRODUCT.replace(ONE, "list(brand), truth: erp, map: {erp: brands, shop: brands}")



def others(world):
    """Brands that nobody refers to: a list that lost all it had is not believed."""
    for n in range(12):
        world.platform("erp").put("brands", f"x{n}", {"id": f"x{n}", "code": f"OTHER-{n}", "parent": None})


async def test_children_follow_a_parent_that_is_made_again_under_another_id(world):
    company(world, brand=RESTORED)
    others(world)
    world.platform("erp").put("brands", "b7", {"id": "b7", "code": "ACME", "parent": None})
    world.platform("erp").put("items", "1", {"id": "1", "sku": "MUG", "name": "Mug", "brand_id": "b7"})
    for _ in range(3):
        await world.once()
    old = row(world, "shop", "brands", "ACME")
    world.platform("shop").remove("brands", old)
    for _ in range(5):
        await world.once()
    new = row(world, "shop", "brands", "ACME")
    assert new != old
    assert there(world, "shop", "products")["MUG"]["brandId"] == new
    mug = row(world, "shop", "products", "MUG")
    edited = {**world.platform("shop").things["products"][mug].item, "brandId": old}
    world.platform("shop").put("products", mug, edited)  # somebody brings the dead id back
    for _ in range(2):
        await world.once()
    assert there(world, "shop", "products")["MUG"]["brandId"] == new


async def test_a_list_of_parents_follows_too_and_keeps_its_order(world):
    company(world, brand=RESTORED, product=MANY)
    for code in ("A", "B", "C"):
        world.platform("erp").put("brands", code, {"id": code, "code": code, "parent": None})
    world.platform("erp").put("items", "1", {"id": "1", "sku": "MUG", "name": "Mug", "brands": ["C", "A", "B"]})
    for _ in range(3):
        await world.once()
    assert there(world, "shop", "products")["MUG"]["brands"] == [row(world, "shop", "brands", code) for code in "CAB"]
    world.platform("shop").remove("brands", row(world, "shop", "brands", "A"))
    for _ in range(5):
        await world.once()
    assert there(world, "shop", "products")["MUG"]["brands"] == [row(world, "shop", "brands", code) for code in "CAB"]


async def test_a_deleted_parent_leaves_its_children_as_they_are(world):
    company(world, brand=BRAND.replace("deletes: {authority: erp,", "deletes: {authority: erp, then: {shop: delete},"))
    others(world)
    world.platform("erp").put("brands", "b7", {"id": "b7", "code": "ACME", "parent": None})
    world.platform("erp").put("items", "1", {"id": "1", "sku": "MUG", "name": "Mug", "brand_id": "b7"})
    for _ in range(3):
        await world.once()
    before = there(world, "shop", "products")["MUG"]
    world.platform("erp").remove("brands", "b7")
    for _ in range(3):
        await world.once()
    world.platform("erp").put("items", "2", {"id": "2", "sku": "CUP", "name": "Cup", "brand_id": "b7"})
    for _ in range(4):
        await world.once()
    assert "ACME" not in there(world, "shop", "brands")
    found = there(world, "shop", "products")
    assert found["MUG"] == before
    assert "brandId" not in found["CUP"]
