"""``syncd.yaml``, identity and deletes: the first line of every finding."""

from pathlib import Path

import pytest

from syncd.core.model import SECOND
from syncd.core.rules import Deletes
from tests.config.folders import PRODUCT, SERVICE, SHOP, codes, heads, loaded, small


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("environment: x\n", ['1:1: error E102: missing key "version"']),
        ("verson: 1\n", ['1:1: error E101: unknown key "verson"']),
        ('version: "1"\n', ['1:10: error E014: unknown version "1"']),
        ("version: 1.0\n", ["1:10: error E014: unknown version 1.0"]),
        ("version: true\n", ["1:10: error E014: unknown version true"]),
        ("version: [1]\n", ["1:10: error E010: must be the number 1, not a list"]),
        ("version: 1\ntimezone: CET+1\n", ['2:11: error E011: no time zone called "CET+1"']),
        ("version: 1\nledger: x.db\n", ['2:9: error E010: must be a mapping, not the text "x.db"']),
        ("version: 1\nledger: {keep_history: 1d}\n", ['2:10: warning E190: "keep_history" is not in this version']),
        ("version: 1\nlisten: {hooks: 8687}\n", ['2:17: error E011: "8687" is not an address to listen on']),
        ("version: 1\nlisten: {hooks: 'a:99999'}\n", ['2:17: error E011: "a:99999" is not an address to listen on']),
        ("version: 1\nlisten: {hooks: [a]}\n", ["2:17: error E010: must be HOST:PORT, or none, not a list"]),
        ("version: 1\nlisten: {console: 127.0.0.1:8687}\n", ["2:19: error E011: hooks and console share port 8687"]),
        ("version: 1\nlisten: {console: example.com:1}\n", ["2:19: error E051: console open to the network, no login"]),
        ("version: 1\nlisten: {console: 127.0.0.2:1}\n", []),
        ("version: 1\nlisten: {console: localhost:1}\n", []),
        ("version: 1\nconsole: {auth: proxy}\n", ['2:17: warning E190: "auth: proxy" is not in this version']),
        ("version: 1\nconsole: {auth: basic}\n", ['2:17: error E011: "basic" is not one of none, password, proxy']),
        ("version: 1\ndefaults: {mode: obsreve}\n", ['2:18: error E011: "obsreve" is not one of observe, propose, enforce']),
        ("version: 1\ndefaults: {blanks: {if_null: use}}\n", ['2:30: error E011: "use" is not one of keep, clear, next, hold']),
        ("version: 1\nsafety: {changes: {max: 2.5}}\n", ["2:25: error E010: must be a whole number, not the number 2.5"]),
        ("version: 1\nsafety: {changes: {ratio: 10}}\n", ['2:27: error E011: "10" is not a share in percent']),
        ("version: 1\nsafety: {changes: {}}\n", ['2:10: error E102: missing key "max"']),
        ("version: 1\nsafety: {changes: {ratio: [1]}}\n", ["2:27: error E010: must be a share in percent, not a list"]),
        ("version: 1\nreconcile: {settle: [1]}\n", ["2:21: error E010: must be a duration, not a list"]),
        ("version: 1\ndefaults: {mode: [a]}\n", ["2:18: error E010: must be one of observe, propose, enforce, not a list"]),
        ("version: 1\nsafety: {shrink: {max: 1, per: 1m}}\n", ['2:27: error E101: unknown key "per"']),
        ("version: 1\nreconcile: {schedule: x}\n", ['2:13: warning E190: "schedule" is not in this version']),
        ("version: 1\nnotify: []\n", ['2:1: warning E190: "notify" is not in this version']),
    ],
)
def test_the_service(tmp_path: Path, text: str, expected: list[str]) -> None:
    found = loaded(small(tmp_path, syncd=text))
    assert [one.partition("syncd.yaml:")[2] for one in heads(found)] == expected


def product(old: str, new: str) -> str:
    assert old in PRODUCT
    return PRODUCT.replace(old, new)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            product("entity: product", "entity: prod"),
            ['1:9: error E020: file name and content differ: product.yaml says entity "prod"'],
        ),
        (product("entity: product\n", ""), ['1:1: error E102: missing key "entity"']),
        (PRODUCT.partition("in:")[0] + "in: {}\nidentity: {key: id}\nfields: {}\n", ["2:1: error E011: product lives nowhere"]),
        (product("collection: items", "colection: items"), ['3:9: error E101: unknown key "colection"']),
        (product("{collection: items}", "{}"), ['3:3: error E102: missing key "collection"']),
        (product("{collection: items}", "items"), ['3:8: error E010: must be a mapping, not the text "items"']),
        (product("create: true", "create: maybe"), ['4:40: error E010: must be true or false, not the text "maybe"']),
        (product("create: true", "only: 5"), ["4:38: error E010: must be text, and YAML reads 5 as a number"]),
        (product("create: true", "create: {when: x}"), ['4:47: error E210: unknown name "x"']),
        (product("create: true", "create: {wen: sku}"), ['4:41: error E101: unknown key "wen"']),
        (product("  shop: {coll", "  shpo: {coll"), ['4:3: error E201: no platform called "shpo"']),
        (product("  key: sku\n", "  match: []\n"), ['5:1: error E102: missing key "key"']),
        (product("identity:\n  key: sku\n", ""), ['1:1: error E102: missing key "identity"']),
        (
            PRODUCT.partition("fields:")[0],
            ['1:1: error E102: missing key "fields"', '6:8: error E230: identity key "sku" is no'],
        ),
        (product("key: sku", "key: sku\n  match: [{by: skuu}]"), ['7:16: error E230: match key "skuu" is no field']),
        (
            product("key: sku", "key: sku\n  match: [sku]"),
            ["7:11: error E010: must be a mapping, as {by: FIELD}, not the text"],
        ),
        (product("key: sku", "key: sku\n  match: [{}]"), ['7:11: error E102: missing key "by"']),
        (product("key: sku", "key: sku\n  match: [{by: sku, when: x}]"), ['7:27: error E210: unknown name "x"']),
        (product("key: sku", "key: sku\n  match: [{by: [sku, nam]}]"), ['7:22: error E230: match key "nam" is no field']),
        (
            product("key: sku", "key: sku\n  match: [{by: [first, last]}]"),
            ['7:17: error E230: match key "first" is no field', '7:24: error E230: match key "last" is no field'],
        ),
        (
            product("key: sku", "key: sku\n  match: [{by: sku}, {by: [first, last]}]"),
            ["7:27: warning W231: this match never matches: "],
        ),
        (product("key: sku", "key: sku\n  match: [{by: sku, normal: [rond]}]"), ["7:30: error E011: "]),
        (product("key: sku", "key: sku\n  ambiguous: guess"), ['7:14: error E011: "guess" is not one of review']),
        (product("key: sku", "key: sku\n  unmatched: {web: create}"), ['7:15: error E201: no platform called "web"']),
        (
            product("key: sku", "key: sku\n  unmatched: {erp: creat}"),
            ['7:20: error E011: "creat" is not one of create, review, ignore'],
        ),
        (PRODUCT + "deletes: {authority: web}\n", ['10:22: error E201: no platform called "web"']),
        (PRODUCT + "deletes: {then: {shop: delete}}\n", ["10:24: error E231: shop cannot delete"]),
        (PRODUCT + "deletes: {then: {shop: unpublish}}\n", ["10:24: error E231: shop has no marker to unpublish by"]),
        (
            PRODUCT + "deletes: {then: {shop: vanish}}\n",
            ['10:24: error E011: "vanish" is not one of delete, archive, unpublish,'],
        ),
        (PRODUCT + "deletes: {confirm: {sweeps: 0}}\n", ["10:29: error E011: must be at least 1, not 0"]),
        (PRODUCT + "deletes: {confirm: {wait: 1}}\n", ['10:27: error E015: "1" is not a duration: 1 what?']),
        (PRODUCT + "safety: {deletes: {per: 1h}}\n", ['10:10: error E102: missing key "max"']),
        (PRODUCT + "python: x\n", ['10:1: error E190: "python" is not in this version']),
    ],
)
def test_the_entity(tmp_path: Path, text: str, expected: list[str]) -> None:
    found = loaded(small(tmp_path, product=text))
    told = [one.partition("product.yaml:")[2] for one in heads(found)]
    assert len(told) == len(expected), told
    assert [one.startswith(head) for one, head in zip(told, expected, strict=True)] == [True] * len(told), told


def test_deletes_are_compiled(tmp_path: Path) -> None:
    shop = SHOP.replace("version: etag", "version: etag, deleted: {field: status, is: archived}")
    text = PRODUCT + (
        "deletes:\n  authority: erp\n  then: {shop: unpublish, erp: clear_link}\n"
        "  confirm: {sweeps: 3, wait: 2m}\n  elsewhere: restore\n"
    )
    found = loaded(small(tmp_path, shop=shop, product=text))
    assert found.config is not None
    product = found.config.rules.entities["product"]
    assert product.deletes == Deletes("erp", 3, 120 * SECOND, "restore")
    assert [(member.on_delete, member.deleted) for member in product.members.values()] == [
        ("clear_link", None),
        ("archive", ("status", "archived")),
    ]


def test_own_ids_need_no_key_field(tmp_path: Path) -> None:
    text = PRODUCT.replace("key: sku", "key: id\n  match: [{by: [sku, name], normal: [trim, lower], confidence: review}]")
    found = loaded(small(tmp_path, product=text))
    assert found.config is not None
    product = found.config.rules.entities["product"]
    (match,) = product.matches
    assert (product.key, match.by, match.confidence, match.text) == ("id", ("sku", "name"), "review", "sku+name")
    assert match.normal(" Mug ") == "mug"
    assert {member.unmatched for member in product.members.values()} == {"review"}


def test_rule_tests_are_read_for_their_form(tmp_path: Path) -> None:
    folder = small(tmp_path)
    (folder / "tests").mkdir()
    (folder / "tests/a.yaml").write_text("entity: prodct\ntests: {}\nextra: 1\n")
    assert codes(loaded(folder)) == ["E011", "E010", "E101"]
    assert SERVICE
