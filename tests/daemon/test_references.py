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
    brands = "          brands: {id: id, version: version}\n"
    world.write("platforms/erp.yaml", memory("erp").rstrip() + "\n" + "  brands: {id: id, version: version}\n")
    world.write("platforms/shop.yaml", memory("shop", collection="products").rstrip() + "\n  brands: {id: id, version: version}\n")
    world.write("entities/brand.yaml", brand)
    world.write("entities/product.yaml", product)
    return brands


def there(world, platform, collection):
    return {t.item.get("sku") or t.item.get("code"): t.item for t in world.platform(platform).things.get(collection, {}).values()}


def row(world, platform, collection, key):
    return next(i for i, t in world.platform(platform).things[collection].items() if key in (t.item.get("sku"), t.item.get("code")))


async def test_a_parent_is_made_before_its_child(world):
    company(world)
    world.platform("erp").put("items", "1", {"id": "1", "sku": "MUG", "name": "Mug", "brand_id": "b7"})
    world.platform("erp").put("brands", "b7", {"id": "b7", "code": "ACME", "parent": None})
    for _ in range(3):
        await world.once()
    mug = there(world, "shop", "products")["MUG"]
    assert mug["brandId"] == row(world, "shop", "brands", "ACME") != "b7"


async def test_a_child_without_its_parent_waits_with_that_field_only(world):
    company(world)
    world.platform("erp").put("items", "1", {"id": "1", "sku": "MUG", "name": "Mug", "brand_id": "b7"})
    await world.once()
    await world.once()
    mug = there(world, "shop", "products")["MUG"]
    assert mug["title"] == "Mug"
    assert mug.get("brandId") is None
    world.platform("erp").put("brands", "b7", {"id": "b7", "code": "ACME", "parent": None})
    for _ in range(3):
        await world.once()
    assert there(world, "shop", "products")["MUG"]["brandId"] == row(world, "shop", "brands", "ACME")


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
