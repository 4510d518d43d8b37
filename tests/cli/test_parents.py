"""A reference is shown by its parent's key, in every report: never as the number of a record."""

from syncd.reports.parents import named, numbers_in
from tests.cli.test_whole import PRODUCT, Shop, shop

__all__ = ["shop"]

BRAND = """
entity: brand
in: {erp: {collection: brands}, shop: {collection: brands, create: true}}
identity: {key: code, match: [{by: code}], unmatched: {erp: create, shop: create}}
fields:
  code: {type: string, truth: erp, map: {erp: code, shop: code}}
"""
MADE_BY = "  made_by: {type: ref(brand), truth: erp, map: {erp: brand, shop: brand_id}}\n"


def company(shop: Shop) -> None:
    """Brands in both databases; the shop's ids are numbers."""
    config = shop.home / "config"
    for name in ("erp", "shop"):
        file = config / f"platforms/{name}.yaml"
        text = file.read_text().replace("mode: propose", "mode: enforce").rstrip()
        file.write_text(text + "\n  brands: {table: brands, id: id}\n")
    (config / "entities/brand.yaml").write_text(BRAND)
    head, tail = PRODUCT.split("fields:\n")
    (config / "entities/product.yaml").write_text(f"{head}fields:\n{MADE_BY}{tail}")
    shop.sql("erp", "CREATE TABLE brands (id TEXT PRIMARY KEY, code TEXT)")
    shop.sql("erp", "INSERT INTO brands VALUES ('b1', 'ACME'), ('b2', 'WAYNE')")
    shop.sql("erp", "ALTER TABLE items ADD COLUMN brand TEXT")
    shop.sql("erp", "UPDATE items SET brand = 'b1'")
    shop.sql("shop", "CREATE TABLE brands (id INTEGER PRIMARY KEY, code TEXT)")
    shop.sql("shop", "INSERT INTO brands VALUES (70, 'ACME')")
    shop.sql("shop", "ALTER TABLE products ADD COLUMN brand_id INTEGER REFERENCES brands (id)")
    shop.settle()


def test_every_report_shows_the_key(shop: Shop) -> None:
    company(shop)
    assert shop.sql("shop", "SELECT DISTINCT brand_id FROM products") == [(70,)]
    shop.sql("erp", "UPDATE items SET brand = 'b2' WHERE sku = 'MUG-1'")
    (drift,) = shop.answer("reconcile")["rows"]
    assert (drift["found"]["value"], drift["truth"]["value"], drift["action"]["value"]) == ("WAYNE", "ACME", "WAYNE")
    shop.settle()
    (field,) = [one for one in shop.answer("explain", "product", "MUG-1")["fields"] if one["field"] == "made_by"]
    assert (field["golden"]["value"], field["golden"]["was"]) == ("WAYNE", "ACME")
    assert {one["value"] for one in field["readings"]} == {"WAYNE"}
    assert [one["result"] for one in field["steps"] if one["code"] == "rule"] == ["WAYNE"]
    first, second = shop.answer("history", "product", "MUG-1", "made_by")["versions"][:2]
    changes = [(one["before"], one["after"]) for one in (*first["fields"], *second["fields"])]
    assert changes == [("ACME", "WAYNE"), (None, "ACME")]
    wayne = shop.sql("shop", "SELECT id FROM brands WHERE code = 'WAYNE'")[0][0]
    shop.sql("shop", "UPDATE products SET brand_id = 70 WHERE sku = 'MUG-1'")
    (stray,) = shop.answer("reconcile")["rows"]
    assert (stray["why"], stray["found"]["value"], stray["truth"]["value"]) == ("stray", "ACME", "WAYNE")
    assert stray["action"] == {"op": "write", "platform": "shop", "path": "brand_id", "value": wayne}  # as the shop has it


def test_a_native_id_is_no_record() -> None:
    """What is beside a path, or was sent, is the platform's own."""
    links = {"product": {"made_by": "brand", "likes": "brand"}}
    document = {
        "entity": "product",
        "golden": {"made_by": 3, "likes": [3, 4], "sku": 3},
        "rows": [{"field": "made_by", "path": "brand_id", "value": 3}, {"field": "made_by", "others": {"manual": 4}}],
        "sent": {"made_by": 3},
    }
    shown = named(document, links, {3: ("brand", "ACME"), 4: ("product", "MUG")})
    assert numbers_in(document, links) == {3, 4}
    assert shown["golden"] == {"made_by": "ACME", "likes": ["ACME", 4], "sku": 3}  # 4 is no brand
    assert shown["rows"] == document["rows"]
    assert shown["sent"] == document["sent"]
