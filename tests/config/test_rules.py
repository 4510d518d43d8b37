"""Truth rules, groups, checks and mappings: what is obeyed, and the first line of every finding."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from syncd.config.truthparts import MERGES
from syncd.core.model import SECOND
from syncd.core.rules import Field, Truth
from tests.config.folders import PRODUCT, SERVICE, SHOP, heads, loaded, only, small


def entity(line: str, *more: str) -> str:
    return PRODUCT + "\n".join([line, *more]) + "\n"


def field(folder: Path, line: str, name: str = "f", **changes: str) -> Field:
    found = loaded(small(folder, product=entity(line), **changes))
    assert found.errors == []
    assert found.config is not None
    return found.config.rules.entities["product"].fields[name]


def truth(folder: Path, kind: str, rule: str) -> Truth:
    found = field(folder, f"  f: {{type: {kind}, map: {{erp: f, shop: f}}, truth: {rule}}}").truth
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("kind", "rule", "expected"),
    [
        (
            "string",
            "shop",
            {"how": "owner", "platforms": ("shop",), "if_null": "keep", "if_stale": "keep", "if_invalid": "hold"},
        ),
        ("string", "{owner: shop, if_null: clear}", {"how": "owner", "if_null": "clear"}),
        ("string", "[{owner: shop}]", {"how": "owner", "platforms": ("shop",)}),
        (
            "string",
            "{priority: [shop, erp], if_null: next, if_stale: next, if_invalid: keep, stale_after: 2h}",
            {
                "how": "priority",
                "platforms": ("shop", "erp"),
                "if_null": "next",
                "if_stale": "next",
                "if_invalid": "keep",
                "stale_after": 7200 * SECOND,
            },
        ),
        ("string", "{newest: [erp, shop], skew: 1500ms, tie: [shop]}", {"how": "newest", "skew": 1_500_000, "tie": ("shop",)}),
        ("string", "{newest: [erp, shop]}", {"how": "newest", "skew": 2 * SECOND, "tie": ()}),
        ("set(string)", "{merge: union, from: [erp, shop]}", {"how": "union", "removals": True}),
        ("set(string)", "{merge: intersection, from: [shop], removals: ignore}", {"how": "intersection", "removals": False}),
        ("integer", "{merge: delta, from: [erp, shop]}", {"how": "delta", "platforms": ("erp", "shop")}),
        ("decimal(2)", "{merge: max, from: [erp, shop]}", {"how": "max"}),
        ("date", "{merge: latest, from: [erp, shop]}", {"how": "latest"}),
        ("boolean", "{merge: any, from: [erp, shop]}", {"how": "any"}),
        ("string", "{merge: longest, from: [erp, shop]}", {"how": "longest"}),
        ("integer", "{const: 5}", {"how": "const", "value": 5}),
        ("decimal(2)", "{const: 1.5}", {"how": "const", "value": "1.50"}),
        ("boolean", "{const: true}", {"how": "const", "value": True}),
        ("string", "{const: null}", {"how": "const", "value": None}),
        ("set(string)", "{const: [b, a]}", {"how": "const", "value": ["a", "b"]}),
        ("{enum: [yes, no]}", "{owner: erp, if_null: {const: no}}", {"if_null": "const", "null_value": "no"}),
        ("string", "{owner: erp, if_null: {use: shop}}", {"if_null": "use", "null_use": "shop"}),
        ("string", "{manual: true}", {"how": "manual", "propose": None}),
    ],
)
def test_a_rule_is_obeyed(tmp_path: Path, kind: str, rule: str, expected: dict[str, Any]) -> None:
    found = truth(tmp_path, kind, rule)
    assert {key: getattr(found, key) for key in expected} == expected


def test_manual_proposes_what_another_rule_would_say(tmp_path: Path) -> None:
    found = truth(tmp_path, "string", "{manual: true, propose: {priority: [erp, shop]}}")
    assert found.propose is not None
    assert (found.propose.how, found.propose.platforms) == ("priority", ("erp", "shop"))


def test_blanks_of_the_defaults_hold_where_a_rule_says_nothing(tmp_path: Path) -> None:
    service = SERVICE + "defaults: {blanks: {if_null: hold}}\n"
    line = "  f: {type: string, map: {erp: f, shop: f}, truth: "
    for n, (rule, expected) in enumerate(
        [("erp", "hold"), ("{owner: erp}", "hold"), ("{owner: erp, if_null: clear}", "clear")]
    ):
        found = field(tmp_path / str(n), f"{line}{rule}}}", syncd=service).truth
        assert found is not None
        assert found.if_null == expected


@pytest.mark.parametrize(
    ("rule", "head"),
    [
        ("{}", "45: error E102: missing key: one of owner, priority, newest, merge, expr, const, manual"),
        ("{ownr: erp}", '53: error E104: unknown rule option "ownr"'),
        ("{if_null: next}", "45: error E102: missing key: one of owner, priority, newest, merge, expr, const, manual"),
        ("[]", "52: error E010: must be a rule, or cases with a rule at their end, not a list"),
        ("5", '52: error E201: no platform called "5"'),
        ("{owner: [erp]}", "60: error E010: must be the name of a platform"),
        ("{owner: erp, skew: 2s}", '65: error E104: unknown rule option "skew"'),
        ("{owner: erp, priority: [shop]}", '65: error E104: two rules in one: "owner" and "priority"'),
        ("{owner: erp, if_null: nxt}", '74: error E011: "nxt" is not one of keep, clear, next, hold'),
        ("{owner: erp, if_stale: clear}", '75: error E011: "clear" is not one of keep, next, hold'),
        ("{owner: erp, if_null: {}}", "65: error E102: missing key: const or use"),
        ("{owner: erp, if_null: {cnst: x}}", '75: error E101: unknown key "cnst"'),
        ("{owner: erp, if_null: {const: x, use: erp}}", "74: error E011: either const or use, not both"),
        ("{owner: erp, if_null: {use: web}}", '80: error E201: no platform called "web"'),
        ("{owner: erp, stale_after: 3}", '78: error E015: "3" is not a duration: 3 what?'),
        ("{priority: erp}", '63: error E010: must be a list, not the text "erp"'),
        ("{priority: []}", "63: error E011: must name at least one platform"),
        ("{priority: [erp, erp]}", "69: error E011: erp is in this list twice"),
        ("{newest: [erp], tie: [shop]}", "74: error E011: shop is not one of the platforms of newest"),
        ("{newest: [erp], skew: soon}", '74: error E015: "soon" is not a duration'),
        ("{merge: onion, from: [erp]}", f'60: error E011: "onion" is not one of {", ".join(MERGES)}'),
        ("{merge: three_way_text, from: [erp]}", '60: error E190: "merge: three_way_text" is not in this version'),
        ("{merge: max}", '45: error E102: missing key "from"'),
        ("{merge: max, form: [erp]}", '65: error E104: unknown rule option "form"'),
        ("{merge: max, from: [erp], removals: ignore}", "78: error E011: merge: max removes nothing"),
        ("{const: {a: 1}}", "60: error E010: must be text, not a mapping"),
        ("{const: 1.10}", "60: error E012: must be text, and YAML reads 1.10 as 1.1"),
        ("{manual: false}", "53: error E011: manual is true, or it is not there"),
        ("{manual: true, propose: web}", '76: error E201: no platform called "web"'),
        ("{owner: }", '45: error E102: missing key "owner"'),
        ("[[erp]]", "53: error E010: must be a platform or a rule, not a list"),
        ("[{when: erp.f != null, priority: [erp]}]", "54: error E221: the last case has a condition"),
        ("[erp, shop]", "58: error E222: this case is never reached"),
    ],
)
def test_what_is_wrong_with_a_rule_is_told_once(tmp_path: Path, rule: str, head: str) -> None:
    line = f"  f: {{type: string, map: {{erp: f, shop: f}}, truth: {rule}}}"
    found = [one for one in heads(loaded(small(tmp_path, product=entity(line)))) if " error " in one]
    assert [one.partition("product.yaml:10:")[2] for one in found] == [head]


@pytest.mark.parametrize(
    ("line", "head"),
    [
        ("  f: {truth: erp, map: {erp: f}}", '3: error E102: missing key "type"'),
        ("  f: {type: string, map: {erp: f}}", '3: error E102: missing key "truth"'),
        ("  f: {type: string, trth: erp, map: {erp: f}}", '21: error E101: unknown key "trth"'),
        ("  f: string", '6: error E010: must be a mapping, not the text "string"'),
        ("  f: {type: strng, truth: erp, map: {erp: f}}", '13: error E011: no type called "strng"'),
        ("  f: {type: decimal(x), truth: erp, map: {erp: f}}", '13: error E011: no type called "decimal(x)"'),
        ("  f: {type: list(offer), truth: erp, map: {erp: f}}", '13: error E229: no entity called "offer"'),
        ("  f: {type: ref(offer), truth: erp, map: {erp: f}}", '13: error E229: no entity called "offer"'),
        (
            "  f: {type: {enum: [a, 1.10]}, truth: erp, map: {erp: f}}",
            "24: error E012: must be text, and YAML reads 1.10 as 1.1",
        ),
        (
            "  f: {type: {enum: []}, truth: erp, map: {erp: f}}",
            "13: error E011: a type is a name, or {enum: [...]} with at least one word",
        ),
        (
            "  f: {type: string, truth: erp, map: erp}",
            '38: error E010: must be a mapping of platforms to paths, not the text "erp"',
        ),
        ("  f: {type: string, truth: erp, map: {erp: }}", "39: error E011: no path for erp"),
        ("  f: {type: string, truth: erp, map: {erp: 5}}", "44: error E010: must be text, and YAML reads 5 as a number"),
        ("  f: {type: string, truth: erp, map: {erp: a..b}}", '44: error E011: not a path: "a..b" is not a path: column 2'),
        ("  f: {type: string, truth: erp, map: {erp: {read: [trim]}}}", '39: error E102: missing key "path"'),
        ("  f: {type: string, truth: erp, map: {erp: {pth: f}}}", '45: error E101: unknown key "pth"'),
        (
            "  f: {type: string, truth: erp, map: {erp: {path: f, direction: up}}}",
            '65: error E011: "up" is not one of both, in, out',
        ),
        (
            "  f: {type: string, truth: erp, map: {erp: {path: f, read: trim}}}",
            '60: error E010: must be a list, not the text "trim"',
        ),
        ("  f: {type: string, truth: erp, map: {erp: {path: f, read: [trm]}}}", '61: error E011: no transform called "trm"'),
        (
            "  f: {type: string, truth: erp, map: {erp: {path: f, read: [pad_zeros(x)]}}}",
            "61: error E011: pad_zeros: x is neither a number nor a text in quotes",
        ),
        (
            "  f: {type: string, truth: erp, map: {erp: {path: f, read: [{table: {a: x, b: x}}]}}}",
            "60: error E240: this transform has no way back",
        ),
        (
            "  f: {type: string, truth: erp, map: {erp: {path: f, write: [pad_zeros(18)]}}}",
            "61: error E240: what this writes is not read back as it was",
        ),
        (
            "  f: {type: string, truth: erp, map: {erp: {path: f, read: ['split(\";\")'], write: ['join(\",\")']}}}",
            "83: error E240: what this writes is not read back as it was",
        ),
        (
            "  f: {type: integer, truth: erp, map: {erp: {path: f, default: x}}}",
            '64: error E011: does not fit its type: "x" is not an integer',
        ),
        (
            "  f: {type: string, truth: erp, map: {erp: {path: f, direction: out}}}",
            "39: error E203: owner erp is mapped with direction: out",
        ),
        (
            "  f: {type: string, truth: {priority: [erp, shop]}, map: {erp: f}}",
            "45: error E203: source shop has no mapping for this field",
        ),
        (
            "  f: {type: string, truth: {owner: erp, if_null: {use: shop}}, map: {erp: f}}",
            "56: error E203: source shop has no mapping for this field",
        ),
        (
            "  f: {type: string, truth: {manual: true, propose: shop}, map: {erp: f}}",
            "52: error E203: source shop has no mapping for this field",
        ),
        (
            "  f: {type: string, truth: erp, map: {erp: f}, mode: enfroce}",
            '54: error E011: "enfroce" is not one of observe, propose, enforce',
        ),
        (
            "  f: {type: string, truth: erp, map: {erp: f, shop: f}, writes: [shop, web]}",
            '72: error E201: no platform called "web"',
        ),
        (
            "  f: {type: string, truth: erp, map: {erp: f}, required: yes}",
            '58: error E010: must be true or false, not the text "yes"',
        ),
        (
            "  f: {type: string, truth: erp, map: {erp: f}, check: {min: 1}}",
            "56: error E232: min is for numbers and dates, and the field is string",
        ),
        ("  f: {type: string, truth: erp, map: {erp: f}, check: {minlength: 1}}", '56: error E101: unknown check "minlength"'),
        (
            "  f: {type: string, truth: erp, map: {erp: f}, check: {format: mail}}",
            '64: error E011: no format called "mail"',
        ),
        (
            "  f: {type: integer, truth: erp, map: {erp: f}, check: {max_step: 30}}",
            '67: error E011: max_step "30" is not a share: write 30%',
        ),
        (
            "  f: {type: integer, truth: erp, map: {erp: f}, equal: html}",
            "56: error E232: equal: html says nothing about a field of type integer",
        ),
        ("  f: {type: string, truth: erp, map: {erp: f}, equal: whitespce}", '55: error E011: no equality called "whitespce"'),
        (
            "  f: {type: datetime, truth: erp, map: {erp: f}, equal: {time: 1}}",
            '64: error E015: "1" is not a duration: 1 what?',
        ),
        (
            "  f: {type: string, truth: {merge: union, from: [erp]}, map: {erp: f}}",
            "36: error E232: merge: union needs a set, and the field is of type string",
        ),
        (
            "  f: {type: string, truth: {merge: delta, from: [erp]}, map: {erp: f}}",
            "36: error E232: merge: delta needs a number, and the field is of type string",
        ),
        (
            "  f: {type: email, truth: {owner: erp, if_null: {const: nobody}}, map: {erp: f}}",
            '57: error E011: does not fit its type: "nobody" is not an email',
        ),
        (
            "  f: {type: {enum: [on, off]}, truth: {owner: erp, if_null: {const: of}}, map: {erp: f}}",
            '69: error E011: "of" is not one of on, off',
        ),
        (
            "  f: {type: date, truth: {owner: erp, if_null: {const: 2026-13-01}}, map: {erp: f}}",
            '56: error E011: does not fit its type: "2026-13-01" is not in the calendar',
        ),
        ("  f: {type: string, group: 5, map: {erp: f}}", "28: error E010: must be text, and YAML reads 5 as a number"),
        ("  f: {type: string, truth: erp, map: {erp: f}, note: {a: 1}}", "54: error E010: must be text, not a mapping"),
        ("  f: {type: string, group: g, map: {erp: f}}", '28: error E205: no group called "g"'),
    ],
)
def test_what_is_wrong_with_a_field_is_told_once(tmp_path: Path, line: str, head: str) -> None:
    found = [one for one in heads(loaded(small(tmp_path, product=entity(line)))) if " error " in one]
    assert [one.partition("product.yaml:10:")[2] for one in found] == [head]


def test_fields_carry_all_they_say(tmp_path: Path) -> None:
    line = (
        "  f: {type: decimal(2), truth: erp, required: true, note: why, mode: observe, writes: [shop], equal: {number: 0.005},"
        " check: {min: 0.01, max: 99, max_step: 30%}, map: {erp: f,"
        " shop: {path: a.0.f, read: ['decimal(\",\")'], default: 7, direction: both}}}"
    )
    found = field(tmp_path, line)
    assert (found.required, found.note, found.mode, found.writes, found.max_step) == (True, "why", "observe", ("shop",), 0.3)
    assert [check.name for check in found.checks] == ["min", "max"]
    assert found.equal.same("1.000", "1.004")
    shop = found.maps["shop"]
    assert (shop.path, shop.steps, shop.default) == ("a.0.f", ("a", 0, "f"), "7.00")
    assert [step.name for step in shop.write] == ['decimal(",")']
    assert shop.write[0](Decimal("1.50")) == "1,50"


def test_the_empty_path_is_the_whole_thing(tmp_path: Path) -> None:
    assert field(tmp_path / "1", '  f: {type: json, truth: erp, map: {erp: ""}}').maps["erp"].steps == ()
    assert field(tmp_path / "2", '  f: {type: json, truth: erp, map: {erp: {path: ""}}}').maps["erp"].steps == ()


def test_groups_have_the_rule_of_their_fields(tmp_path: Path) -> None:
    text = entity(
        "  street: {type: string, group: address, map: {erp: street, shop: street}}",
        "  city: {type: string, group: address, map: {erp: city, shop: city}}",
        "groups:",
        "  address: {truth: {priority: [erp, shop], if_null: next}}",
    )
    found = loaded(small(tmp_path, product=text))
    assert found.config is not None
    product = found.config.rules.entities["product"]
    assert product.groups["address"].fields == ("street", "city")
    assert product.groups["address"].truth.platforms == ("erp", "shop")
    assert (product.fields["city"].group, product.fields["city"].truth) == ("address", None)
    assert [(file.fields, file.rules) for file in found.files if file.part == "entity"] == [(4, 3)]


@pytest.mark.parametrize(
    ("lines", "head"),
    [
        (
            ["  city: {type: string, group: g, truth: erp, map: {erp: c}}", "groups: {g: {truth: erp}}"],
            "10:34: error E205: city has a group and a truth of its own",
        ),
        (["groups: {g: {truth: erp}}"], "10:10: error E205: group g has no fields"),
        (["  city: {type: string, group: g, map: {erp: c}}", "groups: {g: {}}"], '11:10: error E102: missing key "truth"'),
        (
            ["  city: {type: string, group: g, map: {shop: c}}", "groups: {g: {truth: erp}}"],
            "11:21: error E203: owner erp has no mapping for this field",
        ),
    ],
)
def test_what_is_wrong_with_a_group(tmp_path: Path, lines: list[str], head: str) -> None:
    found = heads(loaded(small(tmp_path, product=entity(*lines))))
    assert [one.partition("product.yaml:")[2] for one in found] == [head]


def test_a_key_of_the_field_indented_under_map_is_known_by_its_indentation(tmp_path: Path) -> None:
    lines = ["  f:", "    type: string", "    truth: erp", "    map:", "       erp: f", "       equal: casefold"]
    one = only(loaded(small(tmp_path, product=entity(*lines))), "E202")
    assert (one.line, one.col, one.hint) == (15, 8, "indented too far?")
    assert one.why == "line 13 opened map:, and this line is indented three columns too far to leave it"
    assert one.fix == 'move it three columns left, level with "map:" (column 5)'


def test_a_platform_that_is_there_but_not_in_in_is_told_so(tmp_path: Path) -> None:
    other = SHOP.replace("platform: shop", "platform: web")
    line = "  f: {type: string, truth: web, map: {erp: f, web: f}}"
    found = [one for one in loaded(small(tmp_path, web=other, product=entity(line))).diagnostics if one.severity == "error"]
    assert [(one.code, one.message, one.hint) for one in found] == [
        ("E201", "web is not a platform of product", "not in in:"),
        ("E202", "web is not a platform of product", "not in in:"),
    ]


def test_counters_need_exact_platforms(tmp_path: Path) -> None:
    line = "  f: {type: integer, truth: {merge: delta, from: [erp, shop]}, map: {erp: f, shop: f}}"
    assert [one for one in heads(loaded(small(tmp_path / "1", product=entity(line)))) if "E242" in one] == []
    text = entity("  f: {type: integer, truth: {merge: delta, from: [erp]}, map: {erp: f, stock: f}}").replace(
        "  shop: {collection: products, create: true}", "  shop: {collection: products}\n  stock: {collection: levels}"
    )
    text = text.replace("shop: sku}", "shop: sku, stock: sku}")
    stock = "platform: stock\nconnector: file\nmode: MODE\nconnection: {dir: d}\ncollections:\n  levels: {files: x, id: sku}\n"
    found = loaded(small(tmp_path / "2", stock=stock.replace("MODE", "enforce"), product=text))
    assert only(found, "E242").message == "stock cannot take a counter exactly"
    found = loaded(small(tmp_path / "3", stock=stock.replace("MODE", "observe"), product=text))
    assert [one.code for one in found.errors] == []
