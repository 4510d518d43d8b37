"""Rule tests are read as strictly as rules: what a test says wrongly is told at its exact place, and what it says is meant."""

from decimal import Decimal
from pathlib import Path

import pytest

from syncd.config.ruletest import NOW, Base, Given
from syncd.config.testedit import rewritten, written
from tests.config.folders import PRODUCT, SHOP, codes, loaded, small, write

FULL = PRODUCT.replace(", create: true", "") + (
    "  price: {type: decimal(2), truth: erp, check: {min: 1}, map: {erp: net, shop: variants.0.price}}\n"
    "  tags: {type: set(string), truth: {merge: union, from: [erp, shop]}, map: {erp: tags, shop: tags}}\n"
)
TEST = "entity: product\ntests:\n  - name: one\n"
GOOD = "    given: {erp: {name: Cup}}\n    expect: {golden: {name: Cup}}\n"


def read(folder: Path, body: str, head: str = TEST):
    """Return what came of loading a folder with one tests file."""
    small(folder, product=FULL, shop=SHOP)
    write(folder, {"tests/rules.yaml": head + body})
    return loaded(folder)


def one(folder: Path, body: str):
    """Return the one test of a file without an error."""
    found = read(folder, body)
    assert not found.errors, [each.text() for each in found.errors]
    ((test,),) = found.tests.values()
    return test


WRONG = {  # name -> (what the test says after its name, code, line:col, underlined, message, hint)
    "key": ("    gven: {}\n" + GOOD, "E101", "4:5", "gven", 'unknown key "gven"', 'did you mean "given"?'),
    "expect key": (
        "    given: {erp: {name: Cup}}\n    expect: {golden: {}, writs: {}}\n",
        "E101",
        "5:26",
        "writs",
        'unknown key "writs"',
        'did you mean "writes"?',
    ),
    "platform": (
        "    given: {erpp: {name: Cup}}\n    expect: {writes: {}}\n",
        "E201",
        "4:13",
        "erpp",
        'product is on no platform called "erpp"',
        'did you mean "erp"?',
    ),
    "path": (
        "    given: {erp: {naem: Cup}}\n    expect: {writes: {}}\n",
        "E250",
        "4:19",
        "naem",
        'no field of product is at "naem" on erp',
        'did you mean "name" or "net"?',
    ),
    "a field for a path": (
        "    given: {shop: {name: Cup}}\n    expect: {writes: {}}\n",
        "E250",
        "4:20",
        "name",
        'no field of product is at "name" on shop',
        "it is at title",
    ),
    "written path": (
        "    given: {erp: {name: Cup}}\n    expect: {writes: {shop: {titel: Cup}}}\n",
        "E250",
        "5:30",
        "titel",
        'no field of product is at "titel" on shop',
        'did you mean "title"?',
    ),
    "field of base": (
        "    base: {nmae: Mug}\n" + GOOD, "E250", "4:12", "nmae", 'product has no field called "nmae"', 'did you mean "name"?'
    ),
    "own value of base": (
        "    base: {erp.raw.nam: Mug}\n" + GOOD,
        "E250",
        "4:20",
        "nam",
        'no field of product is at "nam" on erp',
        'did you mean "name" or "net"?',
    ),
    "value of base": (
        "    base: {price: cheap}\n" + GOOD, "E251", "4:19", "cheap", 'price is decimal(2): "cheap" is not a number', ""
    ),
    "places": (
        "    base: {price: 1.005}\n" + GOOD, "E251", "4:19", "1.005", "price is decimal(2): 1.005 has more than 2 places", ""
    ),
    "check of base": (
        "    base: {price: 0.5}\n" + GOOD, "E251", "4:19", "0.5", "price fails its check: 0.50 is less than 1", ""
    ),
    "golden": (
        "    given: {erp: {name: Cup}}\n    expect: {golden: {name: 1}}\n",
        "E251",
        "5:29",
        "1",
        "name is string: 1 is a number, not text",
        "",
    ),
    "conflict": (
        "    given: {erp: {name: Cup}}\n    expect: {conflicts: [pirce]}\n",
        "E250",
        "5:26",
        "pirce",
        'product has no field called "pirce"',
        'did you mean "price"?',
    ),
    "stray edit": (
        "    given: {erp: {name: Cup}}\n    expect: {stray_edits: [shop.nam]}\n",
        "E250",
        "5:28",
        "shop.nam",
        '"shop.nam" is no PLATFORM.FIELD of product',
        'did you mean "shop.name"?',
    ),
    "strategy": (
        "    given: {erp: {name: Cup}}\n    expect: {decided_by: {name: onwer}}\n",
        "E011",
        "5:33",
        "onwer",
        None,
        'did you mean "owner"?',
    ),
    "word of a platform": (
        "    given: {erp: gome}\n    expect: {writes: {}}\n",
        "E011",
        "4:18",
        "gome",
        '"gome" is not one of gone, stale',
        'did you mean "gone"?',
    ),
    "long form": (
        "    given: {erp: {item: {name: Cup}, att: -2h}}\n    expect: {writes: {}}\n",
        "E101",
        "4:38",
        "att",
        'unknown key "att"',
        'did you mean "at"?',
    ),
    "time": (
        "    given: {erp: {name: Cup, at: -2x}}\n    expect: {writes: {}}\n", "E011", "4:34", "-2x", '"-2x" is no time', ""
    ),
    "now": ("    now: today\n" + GOOD, "E011", "4:10", "today", '"today" is no time', ""),
    "repeat": ("    repeat: 0\n" + GOOD, "E011", "4:13", "0", "must be between 1 and 100, not 0", ""),
    "repeat of another type": ("    repeat: twice\n" + GOOD, "E010", "4:13", "twice", None, ""),
    "platform that is a list": (
        "    given: {erp: [Cup]}\n    expect: {writes: {}}\n", "E010", "4:18", "[Cup]", None, ""
    ),
    "in without base": ("    in: [erp]\n" + GOOD, "E102", "4:5", "in", 'missing key "base"', "add base:"),
    "no given": ("    expect: {writes: {}}\n", "E102", "3:5", "name: one", 'missing key "given"', "add given:"),
    "nothing given": ("    given: {}\n    expect: {writes: {}}\n", "E011", "4:12", "{}", "no platform says anything", ""),
    "no expect": ("    given: {erp: {name: Cup}}\n", "E102", "3:5", "name: one", 'missing key "expect"', "add expect:"),
    "nothing expected": ("    given: {erp: {name: Cup}}\n    expect: {}\n", "E011", "5:13", "{}", "expects nothing", ""),
    "second of a name": (
        GOOD + "  - name: one\n" + GOOD, "E011", "6:11", "one", 'a second test called "one"', "first on line 3"
    ),
    "deletes": (
        "    given: {erp: gone}\n    expect: {deletes: {shop: remove}}\n",
        "E011",
        "5:30",
        "remove",
        '"remove" is not one of delete, archive, unpublish',
        "",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_is_told_at_its_place(tmp_path: Path, name: str):
    body, code, place, underlined, message, hint = WRONG[name]
    found = read(tmp_path, body)
    assert codes(found)[-1:] == [code], [each.text() for each in found.diagnostics]
    told = found.diagnostics[-1]
    assert f"{told.line}:{told.col}" == place
    assert told.source[told.col - 1 : told.end_col - 1] == underlined
    assert told.hint == hint
    assert message is None or told.message == message
    assert len(found.errors) == 1


def test_an_entity_that_is_none_is_told_once(tmp_path: Path):
    found = read(tmp_path, GOOD, TEST.replace("product", "prodct"))
    assert codes(found)[-1] == "E011"
    assert found.diagnostics[-1].hint == 'did you mean "product"?'
    assert len(found.errors) == 1


def test_an_entity_with_an_error_does_not_make_its_tests_wrong(tmp_path: Path):
    small(tmp_path, product=FULL.replace("shop: title", "shopp: title"))
    write(tmp_path, {"tests/rules.yaml": TEST + "    given: {shop: {title: Cup}}\n    expect: {writes: {}}\n"})
    assert {each.file for each in loaded(tmp_path).errors} == {f"{tmp_path}/entities/product.yaml"}


@pytest.mark.parametrize(
    "text", ["", "tests: 3\n", "entity: product\ntests:\n  - 4\n", "entity: product\ntests: [[1], {name: [x]}]\n"]
)
def test_nonsense_is_told_and_never_raised(tmp_path: Path, text: str):
    small(tmp_path, product=FULL)
    write(tmp_path, {"tests/rules.yaml": text})
    assert loaded(tmp_path).errors


# ---- what is read


def test_values_of_base_are_canonical_and_those_given_are_the_platforms_own(tmp_path: Path):
    test = one(
        tmp_path,
        "    base: {sku: A-1, price: 12.5, tags: [sale, blue]}\n"
        '    given: {erp: {net: "12.50"}, shop: {variants.0.price: 12.50}}\n'
        "    expect: {writes: {shop: {variants.0.price: 12.50}}}\n",
    )
    assert test.base == Base({"sku": "A-1", "price": "12.50", "tags": ["blue", "sale"]}, {}, ("erp", "shop"))
    assert [each.values for each in test.given] == [{"net": "12.50"}, {"variants.0.price": Decimal("12.50")}]
    assert test.expect.writes == {"shop": {"variants.0.price": Decimal("12.50")}}
    assert (test.now, test.repeat, test.at.line) == (NOW, 1, 3)


GIVEN = {  # as written -> what is meant
    "{erp: {name: Cup, at: -2h}}": Given("erp", {"name": "Cup"}, at=NOW - 7_200_000_000),
    "{erp: {name: Cup, at: 2026-01-01T11:00:00Z}}": Given("erp", {"name": "Cup"}, at=NOW - 3_600_000_000),
    "{erp: {item: {name: Cup}, at: -90s}}": Given("erp", {"name": "Cup"}, at=NOW - 90_000_000),
    "{shop: {at: Paris}}": Given("shop", {"at": "Paris"}),
    "{shop: {item: {at: Paris}, at: -1m}}": Given("shop", {"at": "Paris"}, at=NOW - 60_000_000),
    "{erp: {name: null}}": Given("erp", {"name": None}),
    "{erp: gone}": Given("erp", gone=True),
    "{erp: {deleted: true}}": Given("erp", gone=True),
    "{erp: stale}": Given("erp", stale=True),
    "{shop: {variants: [{price: 3}]}}": Given("shop", {"variants": [{"price": 3}]}),
}


@pytest.mark.parametrize("written_as", GIVEN)
def test_what_a_platform_says_is_read_as_it_is_meant(tmp_path: Path, written_as: str):
    product = FULL + "  city: {type: string, truth: shop, map: {shop: at}}\n"
    small(tmp_path, product=product)
    write(tmp_path, {"tests/rules.yaml": TEST + f"    given: {written_as}\n    expect: {{writes: {{}}}}\n"})
    found = loaded(tmp_path)
    assert not found.errors, [each.text() for each in found.errors]
    ((test,),) = found.tests.values()
    assert test.given == (GIVEN[written_as],)


def test_a_list_lets_one_platform_speak_several_times(tmp_path: Path):
    test = one(tmp_path, "    given: [{erp: {name: A}}, {shop: {title: B}}, {erp: {name: C}}]\n    expect: {writes: {}}\n")
    assert [(each.platform, *each.values.values()) for each in test.given] == [("erp", "A"), ("shop", "B"), ("erp", "C")]


# ---- rewriting


STYLES = """\
entity: product   # which
tests:
  - name: first
    given: {erp: {name: Cup}}
    expect: {golden: {name: 'Mug'}, writes: {}}   # a word on it
  - name: second
    given:
      erp: {name: Cup}
    expect:
      golden:
        name: Mug          # stays here
        price: "1.00"
      writes:
        shop: {title: Mug}   # goes with it
      conflicts:
        - name

      stray_edits:
# the end
"""
REWRITTEN = """\
entity: product   # which
tests:
  - name: first
    given: {erp: {name: Cup}}
    expect: {golden: {name: "Cup"}, writes: {shop: {title: Cup, variants.0.price: "12.50"}}}   # a word on it
  - name: second
    given:
      erp: {name: Cup}
    expect:
      golden:
        name: Cup          # stays here
        price: "1.00"
      writes:
        shop: {title: Cup}   # goes with it
      conflicts:
        []

      stray_edits: [shop.name]
# the end
"""


def test_only_what_is_another_is_rewritten():
    new = {
        0: {"golden": {"name": "Cup"}, "writes": {"shop": {"title": "Cup", "variants.0.price": "12.50"}}},
        1: {
            "golden": {"name": "Cup", "price": "1.00"},
            "writes": {"shop": {"title": "Cup"}},
            "conflicts": [],
            "stray_edits": ["shop.name"],
        },
    }
    assert rewritten(STYLES, new) == REWRITTEN
    assert rewritten(REWRITTEN, new) == REWRITTEN


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("Cup", "Cup"),
        ("12.50", '"12.50"'),
        ("true", '"true"'),
        ("", '""'),
        ("a: b", '"a: b"'),
        ("${X}", '"$${X}"'),
        ("Blue mug", "Blue mug"),
        ("é", '"é"'),
        (Decimal("12.50"), "12.5"),
        (3, "3"),
        (None, "null"),
        (["a", "b c"], "[a, b c]"),
        ({"variants.0.price": True}, "{variants.0.price: true}"),
    ],
)
def test_values_are_written_as_yaml_reads_them(value: object, text: str):
    assert written(value) == text
