"""Rule tests at work: each situation of the rules said as a test, the hidden checks, and what is said when one fails."""

import time
from dataclasses import replace
from pathlib import Path

import pytest

from syncd.config.load import load
from syncd.config.model import Loaded
from syncd.config.testexpect import KEYS
from syncd.connectors.registry import KINDS
from syncd.daemon.account import coverage, expectation, lines
from syncd.daemon.enact import Stage
from syncd.daemon.outcome import Outcome
from syncd.daemon.rehearse import Result, in_any_order, play, rehearse, rehearse_one, second_pass, twice
from syncd.daemon.touched import Ran
from tests.config.folders import SERVICE, write

PLATFORMS = {
    "erp": "things: {table: things, id: no, changed_at: at, version: rev}",
    "shop": "products: {id: id, list: GET /p, read: 'GET /p/{id}', create: POST /p, update: 'PATCH /p/{id}',"
    " delete: 'DELETE /p/{id}', version: etag, deleted: {field: status, is: archived}}",
    "cms": "docs: {id: id, list: GET /d, read: 'GET /d/{id}', create: POST /d, update: 'PATCH /d/{id}',"
    " delete: 'DELETE /d/{id}', version: etag}",
    "eyes": "rows: {id: id, list: GET /r, read: 'GET /r/{id}', update: 'PATCH /r/{id}', version: etag}",
}
ENTITY = """entity: product
in:
  erp: {collection: things}
  shop: {collection: products, create: true}
  cms: {collection: docs, create: true}
  eyes: {collection: rows}
identity:
  key: sku
  unmatched: {erp: create, shop: review, cms: ignore, eyes: ignore}
groups:
  address: {truth: erp}
fields:
  sku: {type: string, required: true, truth: erp, map: {erp: sku, shop: sku, cms: sku, eyes: sku}}
  name: {type: string, truth: cms, map: {shop: title, cms: title}}
  price:
    type: decimal(2)
    truth: {owner: erp, if_null: keep}
    map: {erp: net, shop: {path: variants.0.price, write: [text]}, eyes: cost}
    check: {min: 0.01, max_step: 50%}
  gtin: {type: string, truth: {priority: [erp, cms], if_null: next}, map: {erp: gtin, shop: barcode, cms: gtin}}
  mail: {type: string, truth: {newest: [shop, cms], skew: 2s}, map: {shop: mail, cms: mail}}
  rank: {type: integer, truth: {merge: max, from: [shop, cms]}, map: {shop: rank, cms: rank}}
  tags: {type: set(string), truth: {merge: union, from: [shop, cms]}, map: {shop: tags, cms: tags}}
  stock: {type: integer, truth: erp, stray_edits: keep, map: {erp: stock, shop: stock}}
  note: {type: string, truth: {manual: true}, map: {shop: note, cms: note}}
  limit: {type: integer, truth: {owner: erp, if_stale: hold, stale_after: 1h}, map: {erp: limit, shop: limit}}
  street: {type: string, group: address, map: {erp: street, shop: street}}
  city: {type: string, group: address, map: {erp: city, shop: city}}
deletes: {authority: erp, then: {shop: archive, cms: delete}}
"""
HEAD = "entity: product\ntests:\n"


def folder_of(tmp_path: Path, tests: str) -> Path:
    """Write a folder with the rules above and these tests."""
    files = {"syncd.yaml": SERVICE, "entities/product.yaml": ENTITY, "tests/rules.yaml": HEAD + tests}
    for name, collection in PLATFORMS.items():
        kind, url = ("sql", "dsn: 'sqlite:///x.db'") if name == "erp" else ("rest", "base_url: 'http://127.0.0.1:1'")
        mode = {"eyes": "observe", "cms": "propose"}.get(name, "enforce")
        text = f"platform: {name}\nconnector: {kind}\nmode: {mode}\nconnection: {{{url}}}\ncollections:\n  {collection}\n"
        files[f"platforms/{name}.yaml"] = text
    return write(tmp_path, files)


def loaded(folder: Path) -> Loaded:
    """Return what a folder says, with the real connectors."""
    return load(folder, KINDS, environ={"HOME": "/home/tester"})


def results(tmp_path: Path, tests: str) -> list[Result]:
    """Return what came of these tests."""
    found = loaded(folder_of(tmp_path, tests))
    assert found.config is not None, [each.text() for each in found.errors]
    return rehearse(found.config.rules, [test for each in found.tests.values() for test in each])


def only(tmp_path: Path, test: str) -> Result:
    """Return what came of one test, said without its name."""
    (result,) = results(tmp_path, f"  - {{name: it, {test}}}\n")
    return result


SITUATIONS = {
    "owner beats a stray edit": (
        "base: {sku: A, price: '10.00'}, given: {erp: {net: 12.5}, shop: {variants.0.price: '9.99'}}, "
        "expect: {golden: {price: '12.50'}, writes: {shop: {variants.0.price: '12.50'}}, decided_by: {price: owner}, "
        "stray_edits: [shop.price]}"
    ),
    "what is only observed is never written": (
        "base: {sku: A, price: '10.00'}, in: [erp, eyes], given: {erp: {net: '11.00'}}, "
        "expect: {writes: {shop: {sku: A, variants.0.price: '11.00'}, cms: {sku: A}}, creates: [shop, cms]}"
    ),
    "a blank owner keeps": (
        "base: {sku: A, price: '10.00'}, given: {erp: {net: null}}, "
        "expect: {golden: {price: 10}, writes: {}}"
    ),
    "a jump waits": (
        "base: {sku: A, price: '10.00'}, given: {erp: {net: 16}}, "
        "expect: {conflicts: [price], writes: {}, held: [erp.price]}"
    ),
    "an invalid value waits, and its stray is held": (
        "base: {sku: A, price: '10.00'}, given: {erp: {net: cheap}, shop: {variants.0.price: '9.00'}}, "
        "expect: {conflicts: [price], writes: {}, held: [shop.price]}"
    ),
    "priority goes on where the first is blank": (
        "base: {sku: A, gtin: x}, given: {erp: {gtin: null}, cms: {gtin: y}}, "
        "expect: {golden: {gtin: y}, writes: {erp: {gtin: y}, shop: {barcode: y}}, decided_by: {gtin: priority}}"
    ),
    "the newest wins": (
        "base: {sku: A, mail: x}, given: {shop: {mail: s, at: -2h}, cms: {mail: c, at: -1h}}, "
        "expect: {golden: {mail: c}, writes: {shop: {mail: c}}, conflicts: []}"
    ),
    "the newest wins in the other order": (
        "base: {sku: A, mail: x}, given: {shop: {mail: s, at: -1h}, cms: {mail: c, at: -2h}}, "
        "expect: {golden: {mail: s}, writes: {cms: {mail: s}}}"
    ),
    "newest at the same time is a conflict": (
        "base: {sku: A, mail: x}, given: {shop: {mail: s}, cms: {mail: c}}, "
        "expect: {golden: {mail: x}, conflicts: [mail], writes: {}}"
    ),
    "max holds what the other agreed on": (
        "base: {sku: A, rank: 5}, given: {shop: {rank: 3}}, "
        "expect: {golden: {rank: 5}, writes: {shop: {rank: 5}}, decided_by: {rank: merge max}}"
    ),
    "max rises": (
        "base: {sku: A, rank: 5}, given: {shop: {rank: 7}}, "
        "expect: {golden: {rank: 7}, writes: {cms: {rank: 7}}}"
    ),
    "a removed tag stays removed": (
        "base: {sku: A, tags: [sale, blue]}, given: {shop: {tags: [blue]}, cms: {tags: [sale, blue, new]}}, "
        "expect: {golden: {tags: [new, blue]}, writes: {shop: {tags: [blue, new]}, cms: {tags: [blue, new]}}}"
    ),
    "a kept stray edit stands": (
        "base: {sku: A, stock: 3}, given: {shop: {stock: 2}}, "
        "expect: {golden: {stock: 3}, writes: {}, stray_edits: [shop.stock]}"
    ),
    "a person decides": (
        "base: {sku: A, note: x}, given: {shop: {note: y}}, "
        "expect: {golden: {note: x}, conflicts: [note], decided_by: {note: manual}}"
    ),
    "a stale owner holds": (
        "base: {sku: A, limit: 5}, given: {erp: stale, shop: {limit: 9}}, "
        "expect: {golden: {limit: 5}, writes: {}, held: [shop.limit]}"
    ),
    "a group is written whole": (
        "base: {sku: A, street: s, city: c}, given: {erp: {street: t}}, "
        "expect: {writes: {shop: {street: t, city: c}}, decided_by: {street: owner, address: owner}}"
    ),
    "the same twice is no edit": (
        "repeat: 3, base: {sku: A, name: Mug}, given: {cms: {title: Blue mug}}, "
        "expect: {writes_total: 1}"
    ),
    "one platform speaks twice": (
        "base: {sku: A, name: Mug}, given: [{cms: {title: Cup}}, {cms: {title: Can}}], "
        "expect: {golden: {name: Can}, writes: {shop: {title: Can}}}"
    ),
    "a new thing is made elsewhere": (
        "given: {erp: {sku: A, net: 3}}, "
        "expect: {creates: [shop, cms], golden: {sku: A}, writes: {shop: {sku: A, variants.0.price: '3.00'}, "
        "cms: {sku: A}}, writes_total: 2}"
    ),
    "a thing that waits for its record finds it": (
        "given: {shop: {sku: A, title: Cup}, erp: {sku: A}}, "
        "expect: {creates: [cms], conflicts: [], golden: {name: Cup}}"
    ),
    "a thing that matches nothing is asked about": (
        "given: {shop: {sku: A}}, "
        "expect: {conflicts: [(identity)], writes: {}}"
    ),
    "a thing of which nobody cares": (
        "given: {cms: {sku: A}}, "
        "expect: {conflicts: [], writes: {}, golden: {}}"
    ),
    "a platform gets its record": (
        "base: {sku: A, name: Mug}, in: [erp, cms], given: {shop: {sku: A, title: Cup}}, "
        "expect: {golden: {name: Mug}, writes: {shop: {title: Mug}}}"
    ),
    "the authority deletes": (
        "base: {sku: A, name: Mug}, given: {erp: gone}, "
        "expect: {deletes: {shop: archive, cms: delete}, writes: {}, writes_total: 2}"
    ),
    "deletes as a list": (
        "base: {sku: A, name: Mug}, given: {erp: {deleted: true}}, "
        "expect: {deletes: [cms, shop]}"
    ),
    "another one deletes": (
        "base: {sku: A, name: Mug}, given: {shop: gone}, "
        "expect: {conflicts: [(delete)], deletes: []}"
    ),
    "an archived thing": (
        "base: {sku: A, name: Mug}, given: {shop: {status: archived}}, "
        "expect: {conflicts: [(delete)], writes: {}}"
    ),
    "a platform's own field in base": (
        "base: {sku: A, name: Mug, shop.raw.status: live}, given: {cms: {title: Cup}}, "
        "expect: {writes: {shop: {title: Cup}}}"
    ),
    "without its key nothing spreads": (
        "base: {name: Mug}, given: {cms: {title: Cup}}, "
        "expect: {writes: {}, held: [shop.name]}"
    ),
}


@pytest.mark.parametrize("name", SITUATIONS)
def test_what_the_rules_decide(tmp_path: Path, name: str):
    result = only(tmp_path, SITUATIONS[name])
    assert result.ok, (result.differences, result.got)


DIFFERENT = {  # what is expected of the first situation -> what is said
    'golden: {price: "9.99"}': ("golden", 'price = "9.99"', 'price = "12.50"'),
    "writes: {}": ("writes", "none", 'shop variants.0.price = "12.50"'),
    "writes: {shop: {variants.0.price: 12.50}}": (
        "writes",
        "shop variants.0.price = 12.50",
        'shop variants.0.price = "12.50"',
    ),
    "writes: {shop: {variants.0.price: '12.50'}, cms: {title: x}}": ("writes", 'cms title = "x"', "none"),
    "writes_total: 2": ("writes_total", "2", "1"),
    "decided_by: {price: newest}": ("decided_by", "price newest", "price owner"),
    "decided_by: {mail: newest}": ("decided_by", "mail newest", "none"),
    "stray_edits: []": ("stray_edits", "none", "[shop.price]"),
    "conflicts: [price]": ("conflicts", "[price]", "none"),
    "held: [shop.price]": ("held", "[shop.price]", "none"),
    "creates: [shop]": ("creates", "[shop]", "none"),
    "deletes: [shop]": ("deletes", "[shop]", "none"),
    "deletes: {shop: unpublish}": ("deletes", "[shop archive]", "none"),
}


@pytest.mark.parametrize("expected", DIFFERENT)
def test_a_difference_says_what_was_expected_and_what_was_got(tmp_path: Path, expected: str):
    given = 'base: {sku: A, price: "10.00"}, given: {erp: {net: 12.5}, shop: {variants.0.price: "9.99"}}'
    result = only(tmp_path, f"{given}, expect: {{{expected}}}")
    assert [tuple(one)[:3] for one in result.differences] == [DIFFERENT[expected]]
    assert not result.ok


def test_expected_writes_without_deletes_say_that_nothing_is_taken_away(tmp_path: Path):
    result = only(tmp_path, "base: {sku: A}, given: {erp: gone}, expect: {writes: {}}")
    assert [tuple(one)[:3] for one in result.differences] == [("deletes", "none", "[cms, shop]")]


# ---- who decided


BEHIND = {
    "base: {sku: A, price: 10}, given: {erp: {net: 14}}, expect: {conflicts: [price]}": [
        "entities/product.yaml:17 owner; :19 max_step is 50%, jump is 40%"
    ],
    "base: {sku: A, price: 10}, given: {erp: {net: 16}}, expect: {conflicts: []}": [
        "entities/product.yaml:17 owner; :19 max_step is 50%, jump is 60%"
    ],
    "base: {sku: A, price: 10}, given: {erp: {net: 0}}, expect: {golden: {price: 0}}": [
        "entities/product.yaml:17 owner; erp is invalid: 0.00 is less than 0.01"
    ],
    "base: {sku: A, name: Mug, mail: x}, given: {cms: {title: Cup, mail: y}}, expect: {golden: {name: Mug, mail: x}}": [
        "entities/product.yaml:14 owner of name",
        "entities/product.yaml:21 newest of mail",
    ],
    "base: {name: Mug}, given: {cms: {title: Cup}}, expect: {writes: {shop: {title: Cup}}}": [
        "entities/product.yaml:14 owner; shop: a required field has no value"
    ],
}


@pytest.mark.parametrize("test", BEHIND)
def test_the_rules_behind_a_difference_are_named_with_their_places(tmp_path: Path, test: str):
    folder = folder_of(tmp_path, f"  - {{name: it, {test}}}\n")
    found = loaded(folder)
    assert found.config is not None
    ((one,),) = found.tests.values()
    (line,) = lines([rehearse_one(found.config.rules, one)], found.config.rules, found.texts)
    assert list(line.decided_by) == [f"{folder}/{text}" for text in BEHIND[test]]
    assert (line.file, line.line, line.name) == (f"{folder}/tests/rules.yaml", 3, "it")


# ---- the checks that nobody writes down


def staged(tmp_path: Path):
    """Return rules, a test with two platforms that speak, its stage, what would be told and what came of it."""
    found = loaded(folder_of(tmp_path, f"  - {{name: it, {SITUATIONS['a removed tag stays removed']}}}\n"))
    assert found.config is not None
    ((test,),) = found.tests.values()
    return found.config.rules, test, *play(found.config.rules, test, test.given)


def test_another_result_in_another_order_is_a_difference(tmp_path: Path):
    rules, test, stage, _, got = staged(tmp_path)
    assert not list(in_any_order(rules, test, stage, got))
    wrong = replace(got, golden={**got.golden, "tags": ["blue"]})
    (one,) = in_any_order(rules, test, stage, wrong)
    assert one.what == "any order"
    assert one.expected.startswith('tags = ["blue"], shop ["blue", "new"]')
    assert one.got.startswith('tags = ["blue", "new"]')
    assert one.got.endswith("when read as cms, shop")
    assert one.fields == ("tags",)


def test_another_result_the_second_time_is_a_difference(tmp_path: Path):
    rules, test, stage, _, got = staged(tmp_path)
    assert not list(twice(rules, test, stage, got))
    assert [one.what for one in twice(rules, test, stage, Outcome())] == ["run twice"]


def test_what_is_written_again_is_a_difference(tmp_path: Path):
    _, _, stage, told, _ = staged(tmp_path)
    found = [(one.what, one.expected, one.got) for one in second_pass(stage, told[:1])]
    assert found == [("second pass", "nothing to write", 'cms tags = ["blue", "new"] again')]
    assert not list(second_pass(stage, stage.told()))


def test_an_order_that_the_rules_make_matter_is_not_held_against_them(tmp_path: Path):
    """A kept stray edit is kept against golden as it was when it was seen."""
    test = "base: {sku: A, stock: 3}, given: {erp: {stock: 5}, shop: {stock: 2}}, expect: {golden: {stock: 5}, writes: {}}"
    assert only(tmp_path, test).ok


def test_the_words_of_one_platform_stay_in_their_order(tmp_path: Path):
    given = "[{cms: {title: Cup}}, {shop: {title: x}}, {cms: {title: Can}}]"
    assert only(tmp_path, f"base: {{sku: A, name: Mug}}, given: {given}, expect: {{golden: {{name: Can}}}}").ok


# ---- the rest


def test_a_test_runs_the_rules_of_what_it_says(tmp_path: Path):
    one, two = SITUATIONS["owner beats a stray edit"], SITUATIONS["a group is written whole"]
    found = results(tmp_path, f"  - {{name: one, {one}}}\n  - {{name: two, {two}}}\n")
    assert [result.ran for result in found] == [{Ran("product", "price")}, {Ran("product", "address")}]
    again = loaded(tmp_path)
    assert again.config is not None
    table = {rule.field: rule for rule in coverage(found, again.config.rules, again.texts)}
    assert len(table) == 11
    assert (table["price"].tests, table["address"].tests, table["mail"].tests) == (["one"], ["two"], [])
    assert (table["mail"].strategy, table["mail"].line) == ("newest", 21)


@pytest.mark.parametrize("name", SITUATIONS)
def test_what_was_got_is_an_expectation_that_is_met(tmp_path: Path, name: str):
    result = only(tmp_path, SITUATIONS[name])
    new = expectation(result.test.expect, result.got)
    assert new.keys() == {key for key in KEYS if getattr(result.test.expect, key) is not None}
    assert {name: new["golden"][name] for name in result.test.expect.golden or {}} == (result.test.expect.golden or {})


def test_nothing_of_the_clock_gets_in(tmp_path: Path):
    found = loaded(folder_of(tmp_path, f"  - {{name: it, now: 2026-05-01T10:00:00Z, {SITUATIONS['the newest wins']}}}\n"))
    assert found.config is not None
    ((test,),) = found.tests.values()
    stage = Stage(found.config.rules, test)
    stage.play(test.given)
    assert {decision.at for decision in stage.space.decisions} == {test.now}
    assert stage.space.records[1].golden["mail"].hi == test.now - 3_600_000_000


def test_a_thousand_tests_take_seconds(tmp_path: Path):
    many = "".join(f"  - {{name: t{n}, {SITUATIONS['owner beats a stray edit']}}}\n" for n in range(1000))
    began = time.perf_counter()
    found = results(tmp_path, many)
    assert len(found) == 1000
    assert all(result.ok for result in found)
    assert time.perf_counter() - began < 30  # three seconds alone on this machine


CASED = """\
  name:
    type: string
    truth:
      - {when: "shop.raw.locked == true", owner: shop}
      - {owner: cms, freeze: {when: "cms.raw.live"}}
    map: {shop: title, cms: title}
  weight: {type: integer, truth: {expr: "round(erp.raw.kg * 1000)"}, map: {shop: g}}
"""
PLAIN = "  name: {type: string, truth: cms, map: {shop: title, cms: title}}\n"
SCOPED = "shop: {collection: products, only: \"kind != 'x'\","
CASES = ENTITY.replace(PLAIN, CASED).replace("shop: {collection: products,", SCOPED)
OF_CASES = {
    "a lock gives the name to the shop": (
        ("base: {sku: A, name: Mug, shop.raw.locked: true}, given: {shop: {title: Cup}, cms: {title: Can}}, "
        "expect: {golden: {name: Cup}, decided_by: {name: owner}, stray_edits: [cms.name], writes: {cms: {title: Cup}}}"),
        1,
    ),
    "without it the cms decides": ("base: {sku: A, name: Mug}, given: {cms: {title: Can}}, expect: {golden: {name: Can}}", 2),
    "what is live stands": (
        ("base: {sku: A, name: Mug, cms.raw.live: true}, given: {cms: {title: Can}}, "
        "expect: {golden: {name: Mug}, writes: {}, stray_edits: [cms.name]}"),
        2,
    ),
    "a formula reads a platform's own field": (
        "base: {sku: A, weight: 5}, given: {erp: {kg: 0.25}}, expect: {golden: {weight: 250}, writes: {shop: {g: 250}}}",
        0,
    ),
    "what leaves scope is left alone": (
        ("base: {sku: A, name: Mug}, given: [{shop: {kind: x}}, {cms: {title: Can}}], "
        "expect: {golden: {name: Can}, writes: {}}"),
        2,
    ),
}


@pytest.mark.parametrize("name", OF_CASES)
def test_cases_formulas_freezes_and_scopes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str):
    monkeypatch.setattr("tests.daemon.test_rehearse.ENTITY", CASES)
    test, case = OF_CASES[name]
    result = only(tmp_path, test)
    assert result.ok, (result.differences, result.got)
    assert {ran.case for ran in result.ran if ran.name == "name"} == ({0, case} if case else set())


def test_values_that_do_not_fit_together_fail_the_test(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    picked = ENTITY.replace("path: variants.0.price", "path: 'variants[no=1].price'")
    monkeypatch.setattr("tests.daemon.test_rehearse.ENTITY", picked)
    given = "{shop: {variants: {a: 1}, 'variants[no=1].price': '3.00'}}"
    result = only(tmp_path, f"base: {{sku: A}}, given: {given}, expect: {{writes: {{}}}}")
    assert [(one.what, one.got) for one in result.differences] == [("given", "[no=1] needs a list, and there is an object")]


def test_a_deletion_is_not_asked_for_its_order(tmp_path: Path):
    test = "base: {sku: A, name: Mug}, given: {erp: gone, cms: {title: Cup}}, expect: {golden: {name: Mug}}"
    assert only(tmp_path, test).differences == ()
