"""One root cause is told once, and every error says why it is one and what to write instead."""

from pathlib import Path

import pytest

from syncd.config.load import load
from syncd.connectors.registry import KINDS
from tests.config.folders import PRODUCT, SHOP, loaded, small, write

IN = "in:\n  erp: {collection: items}\n  shop: {collection: products, create: true}\n"
READY = SHOP.replace("version: etag", 'version: etag, create: POST /products, update: "PATCH /products/{id}"')


def told(folder: Path, product: str, shop: str = READY) -> list[str]:
    """Return code, column and mark of every finding, and see that errors have their why and fix."""
    found = loaded(small(folder, product=product, shop=shop))
    assert [one.head for one in found.errors if not (one.why and one.fix)] == []
    return [f"{one.code} {one.source[one.col - 1 : one.end_col - 1]}" for one in found.diagnostics]


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        # a platform that is misspelt in one place is not missed in another
        ("truth: shop, map: {erp: f, shp: f}", ["E202 shp"]),
        ("truth: {owner: erp, if_null: {use: shop}}, map: {erp: f, shopp: f}", ["E202 shopp"]),
        ("truth: erp, map: {erp: f, shopp: f}, writes: [shop]", ["E202 shopp"]),
        ("truth: {newest: [erp, shopp], tie: [shop]}, map: {erp: f, shop: f}", ["W230 newest", "E201 shopp"]),
        ("truth: {manual: true, reviewers: team}, map: {erp: f, shop: f}", ["E010 team"]),
        ("truth: {manual: true, reviewers: [1]}, map: {erp: f, shop: f}", ["E010 1"]),
        # where a field is written
        ("truth: erp, map: {erp: f}, writes: [shop]", ["E203 shop"]),
        ("truth: erp, map: {erp: f, shop: {path: f, direction: in}}, writes: [shop]", ["E203 shop"]),
        ("truth: erp, map: {erp: f, shop: f}, writes: [shop, shop]", ["E011 shop"]),
        ("truth: erp, map: {erp: f, shop: f}, writes: [shopp]", ["E201 shopp"]),
        ("truth: erp, map: {erp: f, shop: f}, writes: []", []),
        ("truth: erp, map: {erp: f, shop: title}, writes: [erp]", []),  # title of shop is written by name alone
        ("truth: erp, map: {erp: f, shop: title}, mode: observe", []),
        ("truth: erp, map: {erp: f, shop: title}, writes: [shop]", ["E208 shop"]),
        # words for what is not a word
        ("truth: {owner: erp, if_stale: {const: 3}}, map: {erp: f}", ["E010 {const: 3}"]),
        ("truth: {owner: erp, freeze: yes}, map: {erp: f}", ["E010 yes"]),
        ("truth: {owner: erp, freeze: false}, map: {erp: f}", ["E011 false"]),
        ("truth: {owner: [erp]}, map: {erp: f}", ["E010 [erp]"]),
        ("truth: erp, map: {erp: f}, equal: [casefold]", ["E011 [casefold]"]),
        ("truth: erp, map: {erp: f}, equal: {number: -1}", ["E011 {number: -1}"]),
        ("truth: erp, map: {erp: f}, check: required", ["E010 required"]),
        ("truth: erp, map: {erp: {path: f, read: [pad_zeros]}}", ["E011 pad_zeros"]),
        ("truth: erp, map: {erp: {path: f, read: [{tabel: {a: b}}]}}", ["E011 {tabel: {a: b}}"]),
        (
            "truth: erp, map: {erp: {path: f, read: [{table: {a: b}}], write: [{table: {b: c}}]}}",
            ["E240 [{table: {b: c}}]"],
        ),
    ],
)
def test_a_field(tmp_path: Path, field: str, expected: list[str]) -> None:
    assert told(tmp_path, f"{PRODUCT}  f: {{type: string, {field}}}\n") == expected


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("in:", "inn:", ["E101 inn"]),
        (IN, "", ["E102 entity"]),
        (IN, "in: {}\n", ["E011 in"]),
        (IN, "in: [erp]\n", ["E010 [erp]"]),
        ("key: sku", 'key: sku\n  match: [{by: sku, when: "erp.sku"}]', ["E210 erp.sku"]),
        ("key: sku", "key: sku\n  match: [{by: []}]", ["E011 []"]),
        ("fields:", "deletes: {authority: erp, confirm: {sweeps: 0}}\nfields:", ["E011 0"]),
        ("fields:", "deletes: 3\nfields:", ["E010 3"]),
    ],
)
def test_an_entity(tmp_path: Path, old: str, new: str, expected: list[str]) -> None:
    assert told(tmp_path, PRODUCT.replace(old, new, 1)) == expected


def test_a_collection_that_cannot_be_updated_is_told_of_once(tmp_path: Path) -> None:
    folder = small(tmp_path, shop=SHOP.replace("version: etag", "version: etag, create: POST /products"))
    found = load(folder, KINDS, environ={"HOME": "/home/tester"})
    assert [one.source[one.col - 1 :] for one in found.diagnostics if one.code == "W246"] == ["shop: sku}}"]


@pytest.mark.parametrize(
    ("path", "text", "expected"),
    [
        ("entity/order.yaml", "x: 1", "E020 entity/order.yaml:1:1"),
        ("platforms/north/erp.yaml", "x: 1", "E020 platforms/north/erp.yaml:1:1"),
        ("platform/erp.yml", "x: 1", "E020 platform/erp.yml:1:1"),
        ("syncd.yaml", "version: 1\ntimezone: Europe/Berlinn", "E011 syncd.yaml:2:11"),
        ("syncd.yaml", "- version", "E010 syncd.yaml:1:1"),
        ("syncd.yaml", "version: 1\n---\nversion: 1", "E001 syncd.yaml:2:1"),
        ("syncd.yaml", "version: 1\nsafety: {<<: {max: 1}}", "E003 syncd.yaml:2:10"),
        ("syncd.yaml", "\tversion: 1", "E001 syncd.yaml:1:1"),
        ("syncd.yaml", "", "E001 syncd.yaml:1:1"),
        ("platforms/shop.yaml", SHOP.replace("http://127", "127"), "E011 platforms/shop.yaml:4:24"),
        (
            "platforms/shop.yaml",
            SHOP.replace('{base_url: "', '{headers: {Authorization: "Bearer 0123456789abcdef"}, base_url: "'),
            "E031 platforms/shop.yaml:4:39",
        ),
        ("platforms/shop.yaml", SHOP.replace("GET /products", "/products"), "E011 platforms/shop.yaml:6:28"),
    ],
)
def test_a_file(tmp_path: Path, path: str, text: str, expected: str) -> None:
    folder = write(small(tmp_path), {path: text})
    found = load(folder, KINDS, environ={"HOME": "/home/tester"}).errors
    assert [one.head for one in found if not (one.why and one.fix)] == []
    heads = [f"{one.code} {one.file.removeprefix(f'{folder}/')}:{one.line}:{one.col}" for one in found if one.code != "E209"]
    assert heads == [expected]


def test_a_constant_needs_no_word_for_blanks(tmp_path: Path) -> None:
    rule = "[{when: erp.f == 'a', owner: erp}, {when: erp.f == 'b', const: a}]"
    field = f"  f: {{type: {{enum: [a, b]}}, truth: {rule}, map: {{erp: f}}}}\n"
    (one,) = [one for one in loaded(small(tmp_path, product=PRODUCT + field, shop=READY)).errors if one.code == "E221"]
    assert one.fix.startswith("drop the condition:  - {const: a}\n")
