"""Cases, formulas, freezes and the rest of the rule grammar: what is obeyed, and in which shape the core gets it."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from syncd.core.rules import Entity, Field, Name, Truth
from tests.config.folders import PRODUCT, SERVICE, heads, loaded, small

BOTH = "map: {erp: f, shop: f}"


def entity(folder: Path, *lines: str, syncd: str = SERVICE, start: str = PRODUCT) -> Entity:
    found = loaded(small(folder, product="\n".join((start.rstrip("\n"), *lines, "")), syncd=syncd))
    assert [one.text() for one in found.errors] == []
    assert found.config is not None
    return found.config.rules.entities["product"]


def truth(folder: Path, kind: str, rule: str, **more: str) -> Truth:
    found = entity(folder, f"  f: {{type: {kind}, {BOTH}, truth: {rule}}}", **more).fields["f"].truth
    assert found is not None
    return found


def field(folder: Path, options: str, kind: str = "string") -> Field:
    return entity(folder, f"  f: {{type: {kind}, truth: erp, {BOTH}, {options}}}").fields["f"]


# ---- cases


def test_cases_keep_their_conditions_and_their_options(tmp_path: Path) -> None:
    rule = "[{when: shop.raw.locked, owner: shop, if_null: clear}, {when: erp.f == 'x', const: y}, {owner: erp, freeze: true}]"
    found = truth(tmp_path, "string", rule)
    assert (found.how, found.platforms, found.freeze) == ("cases", ("shop", "erp"), None)
    assert [(one.truth.how, one.truth.platforms, one.truth.value) for one in found.branches] == [
        ("owner", ("shop",), None),
        ("const", (), "y"),
        ("owner", ("erp",), None),
    ]
    assert [one.when.text if one.when else None for one in found.branches] == ["shop.raw.locked", "erp.f == 'x'", None]
    assert found.branches[0].truth.if_null == "clear"
    last = found.branches[-1].truth.freeze
    assert last is not None
    assert last.kind == "always"
    assert (found.at.line, found.at.col) == (10, 45)


@pytest.mark.parametrize(
    ("when", "names"),
    [
        ("erp.f == 'x'", [("erp", "f")]),
        ("shop.raw.meta.locked", [("shop.raw", "meta.locked")]),
        ("golden.name != null and erp.name != golden.name", [("golden", "name"), ("erp", "name")]),
        ("'no' in [erp.f, shop.f]", [("erp", "f"), ("shop", "f")]),
        ("days_since(shop.raw.at) > 30", [("shop.raw", "at")]),
    ],
)
def test_a_condition_names_fields_own_fields_and_golden(tmp_path: Path, when: str, names: list[tuple[str, str]]) -> None:
    found = truth(tmp_path, "string", f'[{{when: "{when}", owner: shop}}, {{owner: erp}}]').branches[0].when
    assert found is not None
    assert list(found.names) == [Name(*one) for one in names]


def test_a_list_of_one_rule_is_that_rule(tmp_path: Path) -> None:
    assert truth(tmp_path, "string", "[{owner: shop}]").how == "owner"


@pytest.mark.parametrize(
    "rule", ["{manual: true}", "{expr: upper(erp.f)}", "{priority: [erp, shop]}", "{merge: longest, from: [erp]}"]
)
def test_what_can_be_one_of_several_cases(tmp_path: Path, rule: str) -> None:
    found = truth(tmp_path, "string", f"[{{when: erp.raw.x, {rule[1:]}, shop]")
    assert [one.truth.how for one in found.branches] == [rule[1:].partition(":")[0].replace("merge", "longest"), "owner"]


def test_groups_have_cases_too(tmp_path: Path) -> None:
    lines = [
        "  street: {type: string, group: address, map: {erp: street, shop: street}}",
        "  city: {type: string, group: address, map: {erp: city, shop: city}}",
        "groups:",
        "  address: {truth: [{when: shop.city == 'Ulm', owner: shop}, {owner: erp, freeze: {after_first: true}}]}",
    ]
    found = entity(tmp_path, *lines).groups["address"].truth
    assert [one.truth.how for one in found.branches] == ["owner", "owner"]


# ---- formulas, freezes, reviewers


def test_a_formula_knows_its_platforms(tmp_path: Path) -> None:
    found = truth(
        tmp_path,
        "decimal(2)",
        '{expr: "round(shop.raw.w * 1000, 2) + coalesce(erp.f, golden.n, 0)", if_null: clear}',
        start=PRODUCT + "  n: {type: integer, truth: erp, map: {erp: n}}",
    )
    assert (found.how, found.platforms, found.if_null) == ("expr", ("shop", "erp"), "clear")
    assert found.expr is not None
    assert not found.expr.timed


@pytest.mark.parametrize(
    ("freeze", "kind", "until"),
    [
        ("true", "always", 0),
        ("{after_first: true}", "after_first", 0),
        ("{until: 2027-01-01}", "until", datetime(2026, 12, 31, 23, tzinfo=UTC).timestamp()),
        ("{until: '2026-07-01'}", "until", datetime(2026, 6, 30, 22, tzinfo=UTC).timestamp()),
        ("{when: shop.raw.publishedAt != null}", "when", 0),
        ("{when: golden.f == 'done'}", "when", 0),
    ],
)
def test_a_freeze_has_four_forms(tmp_path: Path, freeze: str, kind: str, until: float) -> None:
    rule = f"{{owner: erp, freeze: {freeze}}}"
    found = truth(tmp_path, "string", rule, syncd=SERVICE + "timezone: Europe/Berlin\n").freeze
    assert found is not None
    assert (found.kind, found.until, found.when is not None) == (kind, int(until * 1_000_000), kind == "when")


def test_reviewers_are_names(tmp_path: Path) -> None:
    found = truth(tmp_path, "string", "{manual: true, propose: {priority: [shop, erp]}, reviewers: [shop-team, ana, ana]}")
    assert found.reviewers == ("shop-team", "ana")


# ---- scope, identity, checks


def test_only_names_the_platforms_own_fields(tmp_path: Path) -> None:
    start = PRODUCT.replace("collection: products", "collection: products, only: \"status != 'ARCHIVED' and meta.kind == 'a'\"")
    found = entity(tmp_path, start=start)
    shop, erp = found.members["shop"], found.members["erp"]
    assert shop.only is not None
    assert (shop.only.text, shop.raws, erp.only, erp.raws) == (
        "status != 'ARCHIVED' and meta.kind == 'a'",
        ("status", "meta.kind"),
        None,
        (),
    )


def test_create_has_a_condition_on_the_entitys_fields(tmp_path: Path) -> None:
    member = entity(tmp_path, start=PRODUCT.replace("create: true", "create: {when: name != null}")).members["shop"]
    assert member.create
    assert member.create_when is not None
    assert member.create_when.names == (Name("", "name"),)


def test_a_match_has_a_condition(tmp_path: Path) -> None:
    start = PRODUCT.replace("key: sku", "key: sku\n  match: [{by: sku, when: 'length(sku) in [8, 13]'}, {by: name}]")
    found = entity(tmp_path, start=start)
    assert [(one.by, one.when.text if one.when else None) for one in found.matches] == [
        (("sku",), "length(sku) in [8, 13]"),
        (("name",), None),
    ]


def test_a_match_of_names_that_are_no_fields_is_left_out(tmp_path: Path) -> None:
    start = PRODUCT.replace("key: sku", "key: sku\n  match: [{by: sku}, {by: [brand, colour], confidence: review}]")
    assert [one.by for one in entity(tmp_path, start=start).matches] == [("sku",)]


def test_checks_by_expression_and_uniqueness(tmp_path: Path) -> None:
    found = field(tmp_path, "check: {expr: \"value != 'n/a' and value != name\", unique: true, min_length: 2}")
    assert [one.names for one in found.conditions] == [(Name("", "value"), Name("", "name"))]
    assert (found.unique, [one.name for one in found.checks]) == (True, ["min_length"])
    assert not field(tmp_path / "2", "check: {unique: false}").unique


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ("pii: true", {"pii": True}),
        ("pii: false", {"pii": False}),
        ("note: who asks", {"note": "who asks"}),
        ("writes: [shop]", {"writes": ("shop",)}),
        ("writes: []", {"writes": ()}),
        ("mode: propose", {"mode": "propose"}),
        ("required: true", {"required": True}),
        ("blank_is_value: true", {"blank_is_value": True}),
        ("stray_edits: keep", {"stray": {"erp": "keep", "shop": "keep"}}),
    ],
)
def test_what_a_field_says(tmp_path: Path, options: str, expected: dict[str, Any]) -> None:
    found = field(tmp_path, options)
    assert {key: getattr(found, key) for key in expected} == expected


@pytest.mark.parametrize(
    ("kind", "check", "names"),
    [
        ("string", "{required: true}", ["required"]),
        ("string", "{pattern: '^A'}", ["pattern"]),
        ("string", "{format: email}", ["format"]),
        ("string", "{min_length: 1, max_length: 9}", ["min_length", "max_length"]),
        ("set(string)", "{min_length: 1, max_length: 9}", ["min_length", "max_length"]),
        ("decimal(2)", "{min: 0.01, max: 9}", ["min", "max"]),
        ("date", "{min: 2026-01-01}", ["min"]),
        ("integer", "{min: 0, max_step: 30%}", ["min"]),
        ("string", "{}", []),
    ],
)
def test_checks_of_values(tmp_path: Path, kind: str, check: str, names: list[str]) -> None:
    assert [one.name for one in field(tmp_path, f"check: {check}", kind).checks] == names


@pytest.mark.parametrize(
    ("kind", "equal", "name"),
    [
        ("string", "exact", "exact"),
        ("string", "casefold", "casefold"),
        ("string", "whitespace", "whitespace"),
        ("html", "html", "html"),
        ("set(string)", "set", "set"),
        ("json", "json", "json"),
        ("decimal(2)", "{number: 0.005}", "number"),
        ("datetime", "{time: 1s}", "time"),
    ],
)
def test_equalities(tmp_path: Path, kind: str, equal: str, name: str) -> None:
    assert field(tmp_path, f"equal: {equal}", kind).equal.name.startswith(name)


@pytest.mark.parametrize(
    ("option", "expected"),
    [
        ("if_null: keep", {"if_null": "keep"}),
        ("if_null: clear", {"if_null": "clear"}),
        ("if_null: next", {"if_null": "next"}),
        ("if_null: hold", {"if_null": "hold"}),
        ("if_null: {const: x}", {"if_null": "const", "null_value": "x"}),
        ("if_null: {use: shop}", {"if_null": "use", "null_use": "shop"}),
        ("if_stale: keep", {"if_stale": "keep"}),
        ("if_stale: next", {"if_stale": "next"}),
        ("if_stale: hold", {"if_stale": "hold"}),
        ("if_invalid: keep", {"if_invalid": "keep"}),
        ("if_invalid: next", {"if_invalid": "next"}),
        ("if_invalid: hold", {"if_invalid": "hold"}),
        ("stale_after: 24h", {"stale_after": 86_400_000_000}),
    ],
)
@pytest.mark.parametrize("rule", ["owner: erp", "priority: [erp, shop]", "expr: upper(erp.name)", "manual: true, propose: erp"])
def test_options_of_every_rule(tmp_path: Path, rule: str, option: str, expected: dict[str, Any]) -> None:
    found = truth(tmp_path, "string", f"{{{rule}, {option}}}")
    assert {key: getattr(found, key) for key in expected} == expected
    case = truth(tmp_path / "case", "string", f"[{{when: erp.raw.x, {rule}, {option}}}, shop]").branches[0].truth
    assert {key: getattr(case, key) for key in expected} == expected


def test_own_fields_are_asked_of_the_connector(tmp_path: Path) -> None:
    rule = "[{when: shop.raw.locked, owner: shop}, {owner: erp, freeze: {when: shop.raw.at != null}}]"
    lines = [
        f"  f: {{type: decimal(2), {BOTH}, truth: {rule}}}",
        "  g: {type: decimal(2), map: {shop: g}, truth: {expr: erp.raw.Weight * 1000}}",
    ]
    start = PRODUCT.replace("collection: products", "collection: products, only: status != 'x'")
    found = loaded(small(tmp_path, product="\n".join((start.rstrip("\n"), *lines, ""))))
    assert found.config is not None, heads(found)
    members = found.config.rules.entities["product"].members
    assert (members["erp"].raws, members["shop"].raws) == (("Weight",), ("locked", "at", "status"))
    assert found.config.platforms["erp"].collections["items"].fields == ("sku", "name", "f", "Weight")
    assert found.config.platforms["shop"].collections["products"].fields == ("sku", "title", "f", "g", "locked", "at", "status")
    before = loaded(small(tmp_path / "2", product=PRODUCT)).config
    assert before is not None
    assert before.platforms["erp"].digest != found.config.platforms["erp"].digest
