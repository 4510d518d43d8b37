"""``syncd explain`` on the ledger of real passes: steps, other rules, the past, and what another rule would do."""

import json
import re
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from tests.cli.test_whole import PRODUCT, Shop, shop

__all__ = ["shop"]

ROOT = Path(__file__).parents[2]
RULES = PRODUCT.replace(
    "  price: {type: decimal(2), truth: erp, map: {erp: price, shop: price}, check: {max_step: 50%}}\n",
    """\
  price:
    type: decimal(2)
    truth: {owner: erp, if_stale: hold, stale_after: 2h}
    map: {erp: price, shop: price}
    check: {min: 0.01, max_step: 50%}
  short:
    type: string
    truth:
      - {when: "erp.name == 'Lamp'", const: lamp}
      - {when: "erp.name == 'Mug'", expr: "lower(erp.name)"}
      - {owner: erp}
    map: {shop: {path: short, direction: out}, erp: short}
""",
)


@pytest.fixture
def told(shop: Shop) -> Shop:
    """A price that moved, and a stray edit of it that was put back."""
    shop.sql("erp", "ALTER TABLE items ADD COLUMN short TEXT")
    shop.sql("shop", "ALTER TABLE products ADD COLUMN short TEXT")
    (shop.home / "config/entities/product.yaml").write_text(RULES)
    file = shop.home / "config/platforms/shop.yaml"
    file.write_text(file.read_text().replace("mode: propose", "mode: enforce"))
    for name, change in (
        ("erp", "UPDATE items SET price = 12.5"),
        ("erp", "UPDATE items SET price = 13 WHERE sku = 'MUG-1'"),
        ("shop", "UPDATE products SET price = 9.5 WHERE sku = 'MUG-1'"),
    ):
        shop.sql(name, change)
        assert shop.syncd("run", "--once") == 0
    shop.capsys.readouterr()
    return shop


def explained(shop: Shop, *words: str) -> dict[str, Any]:
    return shop.answer("explain", "product", "MUG-1", *words)


def test_the_steps_of_a_price(told: Shop) -> None:
    document = explained(told, "price")
    steps = {one["code"]: (one["text"], one["result"]) for one in document["steps"]}
    assert list(steps) == ["changed", "rule", "check", "stray", "written"]
    assert re.fullmatch(r"truth owner erp: has a value, \d+ s old, limit 2 h", steps["rule"][0])
    assert steps["rule"][1] == "13.00"
    assert steps["check"] == ("check min 0.01: ok.  max_step 50%: +4.0%, ok", "accepted")
    assert steps["stray"] == ("shop differs and does not own price: 9.50", "stray_edits: revert")
    assert re.fullmatch(r"written (\d{4}-\d\d-\d\d )?\d\d:\d\d:\d\d, \d+ ms", steps["written"][1])
    assert document["others"]["priority [shop, erp]"] == document["others"]["owner shop"] == "9.50"
    assert document["others"]["manual"] == "held"


def test_which_case_was_true_and_why_the_earlier_were_not(told: Shop) -> None:
    steps = [(one["code"], one["text"], one["result"]) for one in explained(told, "short")["steps"]]
    assert ("case", "case 1 when erp.name == 'Lamp' (erp.name is Mug)", "false") in steps
    assert ("case", "case 2 when erp.name == 'Mug' (erp.name is Mug)", "true: expr erp decides") in steps
    assert ("rule", "truth expr lower(erp.name) (erp.name is Mug)", "mug") in steps


def test_the_past_is_explained_with_the_rules_of_its_time(told: Shop) -> None:
    with sqlite3.connect(told.home / "config/state/ledger.db") as db:
        (then,) = db.execute("SELECT max(at) FROM decision WHERE record = 1 AND version = 1").fetchone()
    db.close()
    file = told.home / "config/entities/product.yaml"
    file.write_text(RULES.replace("{owner: erp, if_stale: hold, stale_after: 2h}", "shop"))
    document = explained(told, "price", "--at", then)
    assert (document["golden"]["value"], document["golden"]["version"]) == ("12.50", 1)
    assert document["rule"]["strategy"] == "owner"
    assert {one["platform"]: one["value"] for one in document["readings"]} == {"erp": "12.50", "shop": "9.99"}
    assert next(one["text"] for one in document["steps"] if one["code"] == "rule").startswith("truth owner erp:")
    assert told.syncd("run", "--once") == 0
    told.capsys.readouterr()
    now = explained(told, "price")
    assert now["config_sha"] != document["config_sha"]
    assert next(one["text"] for one in now["steps"] if one["code"] == "rule").startswith("truth owner shop:")
    assert told.syncd("explain", "product", "MUG-1", "price", "--at", "2020-01-01") == 1
    assert "was not known at 2020-01-01T00:00:00Z" in told.capsys.readouterr().err


def test_an_edit_that_is_not_loaded_decides_nothing(told: Shop) -> None:
    """Without a daemon, with one that refused the edit, and with an edit that has errors: the rules are those in force."""
    before = explained(told, "price")
    file = told.home / "config/entities/product.yaml"
    for edit in ("shop", "shp", "{newest: [shop, erp]}"):
        file.write_text(RULES.replace("{owner: erp, if_stale: hold, stale_after: 2h}", edit))
        assert told.syncd("explain", "product", "MUG-1", "price", "--format", "json") == 0
        answer = told.capsys.readouterr()
        document = json.loads(answer.out)
        assert f"these are the rules of {before['config_sha']}" in answer.err
        assert {key: document[key] for key in ("config_sha", "rule", "readings", "others")} == {
            key: before[key] for key in ("config_sha", "rule", "readings", "others")
        }
        assert told.syncd("explain", "product", "MUG-1", "price") == 0
        assert "<- owner" in told.capsys.readouterr().out
    file.write_text(RULES + "  fresh: {type: string, truth: erp, map: {erp: fresh}}\n")
    assert explained(told, "fresh")["golden"] is None


def test_what_another_rule_would_give_and_write(told: Shop) -> None:
    told.sql("shop", "UPDATE products SET title = 'Cup' WHERE sku = 'MUG-1'")
    file = told.home / "config/platforms/shop.yaml"
    file.write_text(file.read_text().replace("mode: enforce", "mode: observe"))
    assert told.syncd("run", "--once") == 0
    told.capsys.readouterr()
    tried = explained(told, "name", "--what-if", "shop")["what_if"]
    assert (tried["golden"], tried["from"], tried["changes"]) == ("Cup", "shop", True)
    assert [(one["platform"], one["before"], one["after"], one["held"]) for one in tried["writes"]] == [
        ("erp", "Mug", "Cup", "mode observe")
    ]
    assert explained(told, "name")["golden"]["value"] == "Mug"
    assert "what_if" not in explained(told, "name")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["MUG-1", "price", "--what-if", "shp"], 'no platform called "shp"'),
        (["MUG-1", "price", "--what-if", "{newset: [erp, shop]}"], "newset"),
        (["MUG-1", "price", "--what-if", "{"], "--what-if {"),
        (["MUG-1", "--what-if", "shop"], "--what-if is about one field"),
        (["shp:1"], 'no platform called "shp"; did you mean "shop"'),
        (["MUG-1", "prize"], 'did you mean "price"?'),
    ],
)
def test_what_does_not_fit_is_wrong_usage(told: Shop, words: list[str], said: str) -> None:
    assert told.syncd("explain", "product", *words) == 64
    assert said in told.capsys.readouterr().err


def test_every_code_is_documented_and_every_documented_code_exists() -> None:
    source = "".join((ROOT / f"syncd/reports/explain_{part}.py").read_text() for part in ("steps", "writes"))
    rows = [line.split("|")[1] for line in (ROOT / "docs/explain.md").read_text().splitlines() if line.startswith("| `")]
    told = {code for row in rows for code in re.findall(r"`(\w+)`", row)}
    codes = set(re.findall(r'Step\("(\w+)"', source))
    assert len(re.findall(r'Step\("', source)) == source.count("Step(") - 1, "a code that is not written where it is made"
    assert told == codes
    assert len(codes) > 20


def test_pages_are_one_object_each(told: Shop) -> None:
    for kind in ("ndjson", "csv", "markdown", "html"):
        assert told.syncd("explain", "product", "MUG-1", "short", "--format", kind, "--what-if", "erp") == 0
        assert told.capsys.readouterr().out
    assert json.dumps(explained(told))


@pytest.mark.parametrize(
    ("entity", "field", "mode", "place", "code"),
    [
        ("", "", "propose", "platforms/shop.yaml:3", "proposed"),
        ("mode: propose\n", "", "propose", "platforms/shop.yaml:3", "proposed"),
        ("mode: observe\n", "", "observe", "entities/product.yaml:2", "observe"),
        ("mode: observe\n", "mode: propose, ", "observe", "entities/product.yaml:2", "observe"),
        ("", "mode: observe, ", "observe", "entities/product.yaml:{price}", "observe"),
        ("mode: enforce\n", "mode: enforce, ", "propose", "platforms/shop.yaml:3", "proposed"),
    ],
)
def test_the_most_careful_mode_wins_and_its_place_is_named(
    shop: Shop, entity: str, field: str, mode: str, place: str, code: str
) -> None:
    text = PRODUCT.replace("entity: product\n", f"entity: product\n{entity}").replace("price: {", f"price: {{{field}")
    (shop.home / "config/entities/product.yaml").write_text(text)
    assert shop.syncd("run", "--once") == 0
    shop.sql("erp", "UPDATE items SET price = 12.5 WHERE sku = 'MUG-1'")
    assert shop.syncd("run", "--once") == 0
    shop.capsys.readouterr()
    line = next(n for n, one in enumerate(text.split("\n"), 1) if one.startswith("  price: {"))
    step = next(one for one in explained(shop, "price")["steps"] if one["code"] in ("observe", "proposed"))
    assert step["code"] == code
    assert step["text"].startswith(f"shop is in mode {mode} (")
    assert step["text"].endswith(f"{place.format(price=line)})")
