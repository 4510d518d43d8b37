"""What is wrong with cases, formulas, freezes, scopes and conditions: the code, the very columns, the words."""

from pathlib import Path

import pytest

from syncd.config.diagnostics import Diagnostic
from syncd.config.truthparts import MERGES
from tests.config.folders import PRODUCT, SERVICE, loaded, small

BOTH = "map: {erp: f, shop: f}"
COUNT = "  n: {type: integer, truth: erp, map: {erp: n, shop: {path: n, direction: out}}}\n"


def errors(folder: Path, product: str) -> list[Diagnostic]:
    return loaded(small(folder, product=product)).errors


def underlined(one: Diagnostic) -> str:
    return one.source[one.col - 1 : one.end_col - 1]


@pytest.mark.parametrize(
    ("rule", "code", "mark", "message"),
    [
        # names
        ("{expr: upper(epr.name)}", "E210", "epr.name", 'no platform called "epr"'),
        ("{expr: 'upper(erp.nmae)'}", "E210", "erp.nmae", 'no field called "nmae"'),
        ('{expr: "erp.name + erp.nmae"}', "E210", "erp.nmae", 'no field called "nmae"'),
        ("{expr: name}", "E210", "name", 'no bare name "name" here'),
        ("{expr: upcase(erp.name)}", "E210", "upcase", 'no function called "upcase"'),
        ("{expr: text(shop.n)}", "E210", "shop.n", "n is only written to shop"),
        ("{expr: golden.nme}", "E210", "golden.nme", 'no field called "nme"'),
        ("[{when: epr.name == 'x', owner: erp}, shop]", "E210", "epr.name", 'no platform called "epr"'),
        ("{owner: erp, freeze: {when: golden.nme != null}}", "E210", "golden.nme", 'no field called "nme"'),
        # form
        ("{expr: erp.name == }", "E211", "==", "the expression ends too early"),
        ("{expr: erp.n + 1}", "E211", "erp.n + 1", "this gives a number, and text is needed"),
        ('{expr: "erp.name.upper()"}', "E211", "erp.name.upper", '"erp.name.upper" cannot be called'),
        ("{expr: 5}", "E010", "5", "must be text, and YAML reads 5 as a number"),
        ("{expr: [a]}", "E010", "[a]", "must be text, not a list"),
        ("{expr: }", "E102", "truth", 'missing key "expr"'),
        ("[{when: erp.n, owner: erp}, shop]", "E211", "erp.n", "erp.n is a number, not true or false"),
        ("[{when: , owner: erp}, shop]", "E010", "when", 'must be a condition, not the text "when"'),
        ("[{when: {a: b}, owner: erp}, shop]", "E010", "{a: b}", "must be text, not a mapping"),
        # cases
        (
            "[{when: erp.n > 1}, shop]",
            "E102", "truth", "missing key: one of owner, priority, newest, merge, expr, const, manual",
        ),
        ("{when: erp.n > 1, owner: erp}", "E104", "when", '"when" stands in a list of cases'),
        ("[{owner: erp}, {owner: shop}]", "E222", "{owner: shop}", "this case is never reached"),
        ("[{when: true, owner: erp}, {owner: shop}]", "E222", "{owner: shop}", "this case is never reached"),
        ("[{when: 1 == 1, owner: erp}, {owner: shop}]", "E222", "{owner: shop}", "this case is never reached"),
        ("[{when: false, owner: erp}, {owner: shop}]", "E222", "false", "this case is never reached"),
        ("[{when: null == 1, owner: erp}, {owner: shop}]", "E222", "null == 1", "this case is never reached"),
        (
            "[{when: erp.n > 1 and not erp.n > 1, owner: erp}, shop]",
            "E222", "erp.n > 1 and not erp.n > 1", "this case is never reached",
        ),
        ("[{when: erp.n > 1, owner: erp}, {when: erp.n>1, const: x}, shop]", "E222", "erp.n>1", "this case is never reached"),
        (
            "[{when: erp.n > 1, owner: erp}, {when: erp.n > 1 and shop.raw.x, const: x}, shop]",
            "E222", "erp.n > 1 and shop.raw.x", "this case is never reached",
        ),
        (
            "[{when: erp.n > 1 or shop.raw.x, owner: erp}, {when: shop.raw.x, const: x}, shop]",
            "E222", "shop.raw.x", "this case is never reached",
        ),
        (
            "[{when: shop.raw.x, owner: erp}, {when: not shop.raw.x, const: x}, shop]",
            "E222", "shop", "this case is never reached",
        ),
        ("[{when: erp.n == 1, owner: erp}, {when: erp.n != 1, const: x}, shop]", "E222", "shop", "this case is never reached"),
        (
            "[{when: erp.n > 5, owner: erp}, {when: erp.n > 7, const: x}, shop]",
            "E222", "erp.n > 7", "this case is never reached",
        ),
        # a rule in the wrong place
        (
            "{manual: true, propose: {merge: sum, from: [erp]}}",
            "E232", "sum", "merge: sum needs a number, and the field is of type string",
        ),
        ("{manual: true, propose: {manual: true}}", "E223", "manual", "manual cannot propose a value"),
        ("{manual: true, propose: [erp, shop]}", "E010", "[erp, shop]", "must be a platform or a rule, not a list"),
        # manual
        ("{manual: true, reviewers: ana}", "E010", "ana", 'must be a list, not the text "ana"'),
        ("{manual: true, reviewers: []}", "E011", "[]", "must name at least one reviewer"),
        ("{manual: true, reviewers: ['']}", "E011", "''", "a reviewer has a name"),
        ("{manual: true, reviewers: [5]}", "E010", "5", "must be text, and YAML reads 5 as a number"),
        ("{owner: erp, reviewers: [ana]}", "E104", "reviewers", 'unknown rule option "reviewers"'),
        # freeze
        (
            "{owner: erp, freeze: yes}",
            "E010", "yes", 'must be true, {until: DATE}, {when: EXPRESSION} or {after_first: true}, not the text "yes"',
        ),
        ("{owner: erp, freeze: false}", "E011", "false", "freeze is true, or it is not there"),
        ("{owner: erp, freeze: {after_first: false}}", "E011", "false", "after_first is true, or it is not there"),
        ("{owner: erp, freeze: {}}", "E102", "freeze", "missing key: one of until, when, after_first"),
        ("{owner: erp, freeze: {untl: 2026-01-01}}", "E101", "untl", 'unknown key "untl"'),
        ("{owner: erp, freeze: {until: soon}}", "E011", "soon", 'must be a date, not the text "soon"'),
        ("{owner: erp, freeze: {until: 2026-02-30}}", "E011", "2026-02-30", 'must be a date, not the text "2026-02-30"'),
        ("{owner: erp, freeze: {until: 2026}}", "E011", "2026", "must be a date, not the number 2026"),
        (
            "{owner: erp, freeze: {until: 2026-01-01, after_first: true}}",
            "E011", "{until: 2026-01-01, after_first: true}", "either until or after_first, not both",
        ),
        ("{owner: erp, freezes: true}", "E104", "freezes", 'unknown rule option "freezes"'),
    ],
)  # fmt: skip
def test_a_rule_is_told_what_is_wrong_once(tmp_path: Path, rule: str, code: str, mark: str, message: str) -> None:
    found = errors(tmp_path, PRODUCT + COUNT + f"  f: {{type: string, {BOTH}, truth: {rule}}}\n")
    assert [(one.code, underlined(one), one.message) for one in found] == [(code, mark, message)]
    assert all(one.why and one.fix for one in found if one.code[:2] == "E2")


@pytest.mark.parametrize(
    ("lines", "mark"),
    [
        (["{expr: |", "      upper(erp.nmae)}"], "|"),
        (['{expr: "\\x75pper(erp.nmae)"}'], '"\\x75pper(erp.nmae)"'),
        (["{expr: 'erp.nmae + ''x'''}"], "'erp.nmae + ''x'''"),
        (['{expr: "${X:-upper}(erp.nmae)"}'], '"${X:-upper}(erp.nmae)"'),
        (["{expr: upper(", "      erp.nmae)}"], "upper("),
        (["", "      expr: >-", "        upper(erp.nmae)"], ">-"),
        (["", "      expr:", "        upper(erp.nmae)"], "erp.nmae"),
    ],
)
def test_where_the_text_is_not_as_it_stands_the_whole_of_it_is_underlined(tmp_path: Path, lines: list[str], mark: str) -> None:
    if lines[0].endswith("|"):
        lines = ["", "      expr: |", "        upper(erp.nmae)"]
    text = "\n".join(["  f:", "    type: string", f"    {BOTH}", f"    truth: {lines[0]}".rstrip(), *lines[1:], ""])
    (one,) = errors(tmp_path, PRODUCT + text)
    assert (one.code, underlined(one), one.message) == ("E210", mark, 'no field called "nmae"')


@pytest.mark.parametrize(
    ("old", "new", "code", "mark", "message"),
    [
        ("create: true", "only: 'status = 1'", "E211", "=", '"=" stores, it does not compare'),
        (
            "create: true",
            "only: shop.raw.status != 'x'", "E210", "shop.raw.status",
            "in only: every name is the platform's own, and shop.raw.status would be a field of that name",
        ),
        ("create: true", "only: lowr(status) == 'x'", "E210", "lowr", 'no function called "lowr"'),
        ("create: true", "create: {when: nam == 'x'}", "E210", "nam", 'unknown name "nam"'),
        ("create: true", "create: {when: length(name)}", "E211", "length(name)", "length(name) is a number, not true or false"),
        ("create: true", "create: {}", "E102", "create", 'missing key "when"'),
        ("create: true", "create: yes", "E010", "yes", 'must be true or false, not the text "yes"'),
        ("key: sku", "key: sku\n  match: [{by: sku, when: length(sk) > 3}]", "E210", "sk", 'unknown name "sk"'),
        (
            "key: sku",
            "key: sku\n  match: [{by: sku, when: 'golden.sku != null'}]", "E210", "golden.sku", "golden is not known here",
        ),
        ("key: sku", "key: sku\n  match: [{by: sku, wen: true}]", "E101", "wen", 'unknown key "wen"'),
        ("title}}", "title}, check: {expr: valu != 'x'}}", "E210", "valu", 'unknown name "valu"'),
        ("title}}", "title}, check: {expr: value > 5}}", "E211", "5", "compares text with a number"),
        ("title}}", "title}, check: {expr: }}", "E010", "", "must be an expression, not empty"),
        ("title}}", "title}, check: {expr: [a]}}", "E010", "[a]", "must be text, not a list"),
        ("title}}", "title}, check: {unique: 5}}", "E010", "5", "must be true or false, not the number 5"),
        ("title}}", "title}, check: {uniqe: true}}", "E101", "uniqe", 'unknown check "uniqe"'),
        ("title}}", "title}, pii: yes}", "E010", "yes", 'must be true or false, not the text "yes"'),
        ("title}}", "title}, writes: shop}", "E010", "shop", 'must be a list, not the text "shop"'),
        ("title}}", "title}, mode: enforced}", "E011", "enforced", '"enforced" is not one of observe, propose, enforce'),
    ],
)  # fmt: skip
def test_conditions_elsewhere(tmp_path: Path, old: str, new: str, code: str, mark: str, message: str) -> None:
    found = errors(tmp_path, PRODUCT.replace(old, new))
    assert [(one.code, one.message) for one in found] == [(code, message)]
    assert mark in ("", underlined(found[0]))


@pytest.mark.parametrize(
    ("rule", "mark", "message"),
    [
        ("{expr: upper(erp.name)}", "expr", "expr cannot decide a group"),
        ("{const: x}", "const", "const cannot decide a group"),
        ("{merge: union, from: [erp]}", "merge", "merge: union cannot decide a group"),
        ("{merge: delta, from: [erp]}", "merge", "merge: delta cannot decide a group"),
        ("{owner: erp, if_null: {const: x}}", "if_null", "if_null: {const} cannot decide a group"),
        ("[{when: erp.raw.x, const: y}, erp]", "const", "const cannot decide a group"),
    ],
)
def test_what_cannot_decide_a_group(tmp_path: Path, rule: str, mark: str, message: str) -> None:
    text = PRODUCT + f"  a: {{type: string, group: g, map: {{erp: a}}}}\ngroups: {{g: {{truth: {rule}}}}}\n"
    found = errors(tmp_path, text)
    assert [(one.code, underlined(one), one.message) for one in found] == [("E223", mark, message)]


# ---- circles


def formulas(**rules: str) -> str:
    lines = [f"  {name}: {{type: integer, truth: {rule}, map: {{erp: {name}}}}}\n" for name, rule in rules.items()]
    return PRODUCT + "".join(lines)


@pytest.mark.parametrize(
    ("rules", "told"),
    [
        ({"a": "{expr: golden.b + 1}", "b": "erp"}, []),
        ({"a": "{expr: golden.a + 1}"}, ["10: golden.a: a depends on itself"]),
        ({"a": "{expr: golden.b}", "b": "{expr: golden.a}"}, ["10: golden.b: a and b depend on each other"]),
        (
            {
                "a": "{expr: golden.b}",
                "b": "[{when: golden.c > 1, owner: erp}, {const: 1}]",
                "c": "{owner: erp, freeze: {when: golden.a > 1}}",
            },
            ["10: golden.b: a and b and c depend on each other"],
        ),
        ({"a": "{owner: erp, freeze: {when: golden.a > 1}}"}, []),
        ({"a": "{expr: erp.b}", "b": "{expr: golden.a}"}, []),
        (
            {"a": "{expr: golden.b}", "b": "{expr: golden.a}", "c": "{expr: golden.d}", "d": "{expr: golden.c}"},
            ["10: golden.b: a and b depend on each other", "12: golden.d: c and d depend on each other"],
        ),
    ],
)
def test_circles_through_golden(tmp_path: Path, rules: dict[str, str], told: list[str]) -> None:
    found = errors(tmp_path, formulas(**rules))
    assert [one.code for one in found] == ["E224"] * len(told)
    assert [f"{one.line}: {underlined(one)}: {one.message}" for one in found] == told


def test_a_group_is_in_a_circle_as_a_whole(tmp_path: Path) -> None:
    grouped = "".join(f"  {name}: {{type: integer, group: g, map: {{erp: {name}}}}}\n" for name in "bc")
    text = formulas(a="{expr: golden.c + 1}").replace("  a:", f"{grouped}  a:")
    found = errors(tmp_path, text + 'groups: {g: {truth: [{when: "golden.a > 1", owner: erp}, {manual: true}]}}\n')
    assert [(one.code, underlined(one), one.message) for one in found] == [("E224", "golden.c", "a and g depend on each other")]


# ---- merges and types


FITTING = {
    "union": ["set(string)"],
    "intersection": ["set(string)"],
    "max": ["integer", "decimal(2)", "date", "datetime", "string", "text", "html", "{enum: [a, b]}", "money"],
    "min": ["integer", "decimal(2)", "date", "datetime", "string", "text", "html", "{enum: [a, b]}", "money"],
    "sum": ["integer", "decimal(2)"],
    "longest": ["string", "text", "html"],
    "earliest": ["date", "datetime"],
    "latest": ["date", "datetime"],
    "any": ["boolean"],
    "all": ["boolean"],
    "delta": ["integer", "decimal(2)"],
}
KINDS = ["string", "html", "integer", "decimal(2)", "boolean", "date", "datetime", "set(string)", "json", "ref(product)"]


def test_every_merge_is_in_the_table() -> None:
    assert set(FITTING) == set(MERGES)


@pytest.mark.parametrize("merge", FITTING)
def test_a_merge_fits_the_type_of_its_field(tmp_path: Path, merge: str) -> None:
    for n, kind in enumerate(dict.fromkeys([*KINDS, *FITTING[merge]])):
        text = f"  f: {{type: {kind}, {BOTH}, truth: {{merge: {merge}, from: [erp, shop]}}}}\n"
        found = errors(tmp_path / str(n), PRODUCT + text)
        assert [one.code for one in found] == ([] if kind in FITTING[merge] else ["E232"]), kind


# ---- nobody is told, nobody can fill


@pytest.mark.parametrize(
    ("rule", "notify", "told"),
    [
        ("{manual: true}", "", True),
        ("{manual: true, reviewers: [ana]}", "", False),
        ("{manual: true}", "notify: [{when: [conflict_new], to: webhook, url: secret:x}]\n", False),
        ("{manual: true}", "notify: [{when: [breaker], to: webhook, url: secret:x}]\n", True),
        ("[{when: erp.raw.locked, manual: true}, erp]", "", True),
        ("[{when: erp.raw.locked, manual: true, reviewers: [ana]}, erp]", "", False),
    ],
)
def test_somebody_is_told_of_what_waits(tmp_path: Path, rule: str, notify: str, told: bool) -> None:
    text = PRODUCT + f"  f: {{type: string, {BOTH}, truth: {rule}}}\n"
    found = loaded(small(tmp_path, product=text, syncd=SERVICE + notify))
    assert ("W210" in [one.code for one in found.diagnostics]) == told


@pytest.mark.parametrize(
    ("field", "fillable"),
    [
        ("truth: {manual: true, reviewers: [a]}, map: {shop: {path: p, direction: out}}", False),
        ("truth: {manual: true, reviewers: [a]}", False),
        ("truth: {manual: true, reviewers: [a]}, map: {shop: {path: p, direction: in}}", True),
        ("truth: [{when: erp.raw.x, manual: true}, {const: a}], map: {shop: {path: p, direction: out}}", True),
        ("truth: {expr: upper(erp.name)}, map: {shop: {path: p, direction: out}}", True),
    ],
)
def test_a_field_that_nobody_can_fill(tmp_path: Path, field: str, fillable: bool) -> None:
    found = errors(tmp_path, PRODUCT + f"  f: {{type: string, {field}}}\n")
    assert [one.code for one in found] == ([] if fillable else ["E225"])
