"""``syncd.yaml``, identity and deletes: the first line of every finding."""

from pathlib import Path

import pytest

from syncd.config.load import load
from syncd.config.model import DAY, Backup, Notice, Reports, Upkeep
from syncd.connectors.registry import KINDS
from syncd.core.model import SECOND
from syncd.core.rules import Deletes
from tests.config.folders import PRODUCT, SERVICE, SHOP, codes, example, heads, loaded, small


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
    ],
)
def test_the_service(tmp_path: Path, text: str, expected: list[str]) -> None:
    found = loaded(small(tmp_path, syncd=text))
    assert [one.partition("syncd.yaml:")[2] for one in heads(found)] == expected


NOTIFY = "notify: [{when: [breaker], to: webhook, url: secret:ops-webhook}]"


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("ledger: {keep_history: 1d}", []),
        ("ledger: {keep_history: 400}", ['24: error E015: "400" is not a duration: 400 what?']),
        ("ledger: {keep_history: 0d}", ["24: error E011: keep_history must be at least 1s, not 0d"]),
        ("ledger: {keep_histroy: 1d}", ['10: error E101: unknown key "keep_histroy"']),
        ("ledger: {backup: {every: 24h, keep: 14}}", []),
        ("ledger: {backup: {}}", []),
        ("ledger: {backup: {every: 24}}", ['26: error E015: "24" is not a duration: 24 what?']),
        ("ledger: {backup: {every: 0s}}", ["26: error E011: every must be at least 1s, not 0s"]),
        ("ledger: {backup: {every: 24h, keep: 0}}", ["37: error E011: must be at least 1, not 0"]),
        ("ledger: {backup: {every: 24h, keep: 7d}}", ['37: error E010: must be a whole number, not the text "7d"']),
        ("ledger: {backup: {evry: 24h}}", ['19: error E101: unknown key "evry"']),
        ("ledger: {backup: 24h}", ['18: error E010: must be a mapping, not the text "24h"']),
        ('reconcile: {schedule: "15 2 * * *"}', []),
        ('reconcile: {schedule: "*/15 6-22 * * mon-fri"}', []),
        ("reconcile: {schedule: x}", ['23: error E011: "x" is not a cron expression']),
        ('reconcile: {schedule: "15 25 * * *"}', ['23: error E011: "15 25 * * *" is not a cron expression']),
        ('reconcile: {schedule: "0 0 31 2 *"}', ['23: error E011: "0 0 31 2 *" is not a cron expression']),
        ('reconcile: {schedule: "@daily"}', ['23: error E011: "@daily" is not a cron expression']),
        ("reconcile: {schedule: 15}", ["23: error E010: must be text, and YAML reads 15 as a number"]),
        ('reconcile: {schedule: "15 2 * * *", report: {dir: r, formats: [html, json], keep: 90d}}', []),
        ("reconcile: {report: {}}", []),
        ("reconcile: {report: {formats: [html, markdown, csv, junit, json]}}", []),
        (
            "reconcile: {report: {formats: [htlm]}}",
            ['32: error E011: "htlm" is not one of html, json, csv, markdown, junit'],
        ),
        ("reconcile: {report: {formats: html}}", ['31: error E010: must be a list, not the text "html"']),
        ("reconcile: {report: {formats: []}}", ["31: error E011: formats names nothing"]),
        ("reconcile: {report: {keep: 90}}", ['28: error E015: "90" is not a duration: 90 what?']),
        ("reconcile: {report: {keep: 0s}}", ["28: error E011: keep must be at least 1s, not 0s"]),
        ("reconcile: {report: {dri: x}}", ['22: error E101: unknown key "dri"']),
        ("reconcile: {report: daily}", ['21: error E010: must be a mapping, not the text "daily"']),
        ("notify: []", []),
        (NOTIFY, []),
        (NOTIFY.replace("}]", ", min_gap: 0s}]"), []),
        (NOTIFY.replace("}]", ", min_gap: 15}]"), ['75: error E015: "15" is not a duration: 15 what?']),
        (NOTIFY.replace("[breaker]", "[drift_over]").replace("}]", ", over: 2%}]"), []),
        (
            NOTIFY.replace("[breaker]", "[drift_over]").replace("}]", ", over: 2}]"),
            ['75: error E011: "2" is not a share in percent'],
        ),
        (NOTIFY.replace("}]", ", over: 2%}]"), ['66: error E101: unknown key "over"']),
        (NOTIFY.replace("breaker", "braker"), ['18: error E011: "braker" is not one of breaker, conflict_new, drift_over,']),
        (NOTIFY.replace("[breaker]", "[]"), ["17: error E011: when names nothing"]),
        (NOTIFY.replace("[breaker]", "breaker"), ['17: error E010: must be a list, not the text "breaker"']),
        (NOTIFY.replace("when: [breaker], ", ""), ['10: error E102: missing key "when"']),
        (NOTIFY.replace("to: webhook, ", ""), ['10: error E102: missing key "to"']),
        (NOTIFY.replace("to: webhook", "to: email"), ['32: error E011: "email" is not one of webhook']),
        (NOTIFY.replace(", url: secret:ops-webhook", ""), ['10: error E102: missing key "url"']),
        (NOTIFY.replace("secret:ops", "https://ops"), ["46: error E011: the url of a webhook is a secret"]),
        (NOTIFY.replace("secret:ops-webhook", "secret:../x"), ['46: error E011: "../x" is no name for a secret']),
        ("notify: {when: [breaker]}", ["9: error E010: must be a list, not a mapping"]),
        ("notify: [breaker]", ['10: error E010: must be a mapping, not the text "breaker"']),
        ("watch_config: true", []),
        ("watch_config: yes", ['15: error E010: must be true or false, not the text "yes"']),
    ],
)
def test_what_the_service_keeps_makes_and_tells(tmp_path: Path, line: str, expected: list[str]) -> None:
    found = loaded(small(tmp_path, syncd=f"version: 1\n{line}\n"))
    told = [one.partition("syncd.yaml:2:")[2] for one in heads(found) if "W032" not in one]
    assert len(told) == len(expected), told
    assert [one.startswith(head) for one, head in zip(told, expected, strict=True)] == [True] * len(told), told


def test_an_address_that_is_not_there_is_told(tmp_path: Path) -> None:
    found = loaded(small(tmp_path, syncd=f"version: 1\n{NOTIFY}\n"))
    (one,) = found.diagnostics
    assert (one.code, one.col, one.message) == ("W032", 46, "no secret ops-webhook")
    assert one.why == "nobody is told until the secret is there"
    assert found.config is not None


@pytest.mark.parametrize(
    ("line", "meant"),
    [
        ("notify: [{when: [conflict_nwe], to: webhook, url: secret:x}]", 'did you mean "conflict_new"?'),
        ("notify: [{when: [breaker], to: webhok, url: secret:x}]", 'did you mean "webhook"?'),
        ("reconcile: {report: {formats: [jnuit]}}", 'did you mean "junit"?'),
        ("ledger: {backup: {evrey: 1h}}", 'did you mean "every"?'),
        ("watch_confg: true", 'did you mean "watch_config"?'),
    ],
)
def test_what_was_meant(tmp_path: Path, line: str, meant: str) -> None:
    found = loaded(small(tmp_path, syncd=f"version: 1\n{line}\n"))
    assert meant in [one.hint for one in found.diagnostics]


def test_the_example_is_compiled(tmp_path: Path) -> None:
    environ = {"STATE_DIRECTORY": "/var/lib/syncd", "RUNTIME_DIRECTORY": "/run/syncd"}
    found = load(example(tmp_path / "config"), KINDS, environ=environ)
    assert found.config is not None, [one.text() for one in found.errors]
    assert found.config.upkeep == Upkeep(
        400 * DAY,
        Backup(DAY, 14),
        "15 2 * * *",
        Reports(Path("/var/lib/syncd/reports"), ("html", "json"), 90 * DAY),
        (Notice(("breaker", "conflict_new", "drift_over"), "ops-webhook", 15 * 60 * SECOND, 0.005),),
    )
    refused = {(one.file.removeprefix(f"{tmp_path}/"), one.source.split(":")[0].strip()) for one in found.config.promised}
    promised = {("config/syncd.yaml", "auth"), ("config/platforms/accounting.yaml", "retain")}
    assert refused == promised


def test_what_is_built_in(tmp_path: Path) -> None:
    found = loaded(small(tmp_path, syncd="version: 1\nledger: {backup: {}}\nreconcile: {report: {}}\n"), STATE_DIRECTORY="/s")
    assert found.config is not None
    assert found.config.upkeep == Upkeep(
        backup=Backup(DAY, 14), reports=Reports(Path("/s/reports"), ("html", "json"), 90 * DAY)
    )
    assert loaded(small(tmp_path, syncd="version: 1\n")).config.upkeep == Upkeep()  # type: ignore[union-attr]


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
        (PRODUCT + "python: x\n", ["10:9: error E260: plugins are not allowed here"]),
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
