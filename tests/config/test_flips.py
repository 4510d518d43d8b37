"""What no single line shows: rules that would never rest, and values that would come back as others."""

from pathlib import Path

import pytest

from tests.config.folders import PRODUCT, SHOP, codes, heads, loaded, small

SAP = """platform: shop
connector: odata
mode: enforce
connection: {base_url: "https://sap.example"}
collections:
  products:
    path: P
    id: id
    version: etag
    shape: {whole: integer, number: decimal, flag: boolean, day: date, moment: datetime, words: string}
"""


def told(tmp_path: Path, fields: str, **changes: str) -> list[str]:
    """Return the heads of what is wrong with some fields, from the column on."""
    found = loaded(small(tmp_path, product=PRODUCT + fields, **changes))
    return [
        one.partition("product.yaml:")[2] for one in heads(found) if any(f"E{n}" in one for n in ("208", "224", "227", "228"))
    ]


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        (
            "  a: {type: integer, truth: {expr: shop.raw.a + 1}, map: {shop: a}}\n",
            "10:36: error E227: the rule of a reads what it writes",
        ),
        (
            "  a: {type: string, truth: [{when: shop.raw.a == 'x', const: y}, {const: x}], map: {shop: a}}\n",
            "10:36: error E227: the rule of a reads what it writes",
        ),
        (
            ("  a: {type: integer, truth: {expr: golden.b}, map: {shop: a}}\n"
            "  b: {type: integer, truth: {expr: shop.raw.a + 1}}\n"),
            "11:36: error E227: the rule of b reads what it writes, through a",
        ),
        (
            ("  a: {type: integer, truth: {expr: shop.raw.b}, map: {shop: a}}\n"
            "  b: {type: integer, truth: {expr: shop.raw.a}, map: {shop: b}}\n"),
            "10:36: error E227: the rule of a reads what it writes, through b",
        ),
        (
            "  a: {type: integer, truth: {expr: shop.raw.a.b + 1}, map: {shop: a.b}}\n",
            "10:36: error E227: the rule of a reads what it",
        ),
        (
            "  a: {type: json, truth: {expr: shop.raw.a.b}, map: {shop: a}}\n",
            "10:33: error E227: the rule of a reads what it writes",
        ),
        (
            ("  a: {type: integer, group: g, map: {erp: a, shop: a}}\n  b: {type: integer, group: g, map: {erp: b, shop: b}}\n"
            "groups:\n  g: {truth: [{when: shop.raw.a > 1, owner: erp}, {owner: shop}]}\n"),
            "13:22: error E227: the rule of g reads what it writes",
        ),
    ],
)
def test_a_rule_that_feeds_itself(tmp_path: Path, fields: str, expected: str) -> None:
    found = told(tmp_path, fields)
    assert found[0].startswith(expected)


@pytest.mark.parametrize(
    "fields",
    [
        "  a: {type: integer, truth: {expr: erp.raw.a + 1}, map: {shop: a}}\n",
        "  a: {type: integer, truth: {expr: shop.raw.a + 1}, map: {erp: a, shop: {path: a, direction: in}}}\n",
        "  a: {type: integer, truth: {expr: shop.raw.other + 1}, map: {shop: a}}\n",
        "  a: {type: string, truth: [{when: shop.a == 'x', const: y}, {owner: shop}], map: {shop: a}}\n",
        ("  a: {type: integer, truth: {expr: erp.raw.a}, map: {shop: a}}\n"
        "  b: {type: integer, truth: {expr: shop.raw.a}, map: {erp: b}}\n"),
        "  a: {type: date, truth: {owner: erp, freeze: {when: shop.raw.a != null}}, map: {erp: a, shop: a}}\n",
    ],
)
def test_these_come_to_rest(tmp_path: Path, fields: str) -> None:
    assert told(tmp_path, fields) == []


def test_a_platform_that_is_only_observed_feeds_nobody(tmp_path: Path) -> None:
    fields = "  a: {type: integer, truth: {expr: shop.raw.a + 1}, map: {shop: a}}\n"
    assert told(tmp_path, fields, shop=SHOP.replace("enforce", "observe")) == []


@pytest.mark.parametrize(
    ("one", "other", "good"),
    [("price", "price", False), ("prices", "prices.0", False), ("prices.0.net", "prices", False), ("price", "prices", True),
     ("prices.0.net", "prices.0.gross", True), ("prices.0", "prices.1", True)],
)  # fmt: skip
def test_two_fields_in_one_place(tmp_path: Path, one: str, other: str, good: bool) -> None:
    first = f"  a: {{type: json, truth: erp, map: {{erp: a, shop: {one}}}}}\n"
    fields = first + f"  b: {{type: json, truth: erp, map: {{erp: b, shop: {other}}}}}\n"
    assert bool(told(tmp_path, fields)) is not good


@pytest.mark.parametrize(
    ("kind", "path", "good"),
    [
        ("decimal(2)", "whole", False), ("decimal(0)", "whole", True), ("integer", "number", True), ("integer", "flag", False),
        ("string", "number", False), ("string", "words", True), ("decimal(2)", "words", True), ("datetime", "day", False),
        ("date", "moment", True), ("{enum: [a, b]}", "flag", False), ("boolean", "flag", True), ("html", "words", True),
        ("email", "day", False), ("string", "unknown", True),
    ],
)  # fmt: skip
def test_a_lossy_pair_of_types(tmp_path: Path, kind: str, path: str, good: bool) -> None:
    fields = f"  a: {{type: {kind}, truth: erp, map: {{erp: a, shop: {path}}}}}\n"
    assert (told(tmp_path, fields, shop=SAP) == []) is good


def test_a_pipeline_says_what_is_meant(tmp_path: Path) -> None:
    fields = "  a: {type: decimal(2), truth: erp, map: {erp: a, shop: {path: whole, write: [round(0)], direction: out}}}\n"
    assert told(tmp_path, fields, shop=SAP) == []


def test_it_is_one_error(tmp_path: Path) -> None:
    fields = "  a: {type: integer, truth: {expr: shop.raw.a + 1}, map: {shop: a}}\n"
    assert codes(loaded(small(tmp_path, product=PRODUCT + fields))) == ["E227"]
