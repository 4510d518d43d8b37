"""A canary in a personal field: no report in any format, and no line of the log, shows it without --reveal."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from syncd.core.model import Op
from syncd.ledger import letters
from syncd.ledger.letters import Refusal
from syncd.reports.masks import Personal, hide, mask, veiled
from tests.cli.scene import run
from tests.cli.test_whole import PRODUCT, Shop, shop

__all__ = ["shop"]

BIRD, OTHER, LATER = "canary@cage.example", "Budgie Nr 7", "sparrow@roof.example"
RULES = PRODUCT.replace("  name: {type: string,", "  name: {type: string, pii: true, stray_edits: review,")
FORMATS = ("table", "json", "ndjson", "csv", "markdown", "html")
ANSWERS = (
    ["explain", "product", "MUG-1"],
    ["explain", "product", "MUG-1", "name"],
    ["explain", "product", "MUG-1", "name", "--what-if", "shop"],
    ["history", "product", "MUG-1"],
    ["history", "product", "MUG-1", "--diff", "1..2"],
    ["conflicts"],
    ["conflicts", "show", "c-1"],
    ["changes"],
    ["dead"],
    ["dead", "show", "d-1"],
    ["dead", "show", "d-2"],
    ["status"],
    ["reconcile"],
)


@pytest.fixture
def cage(shop: Shop) -> Shop:
    """Personal values in golden, in history, in a stray edit under review, in a conflict, a proposal and dead letters."""
    (shop.home / "config/entities/product.yaml").write_text(RULES)
    shop.sql("erp", f"UPDATE items SET name = '{LATER}' WHERE sku = 'MUG-1'")
    shop.syncd("run", "--once")
    shop.sql("erp", f"UPDATE items SET name = '{BIRD}' WHERE sku = 'MUG-1'")
    shop.syncd("run", "--once")
    shop.sql("shop", f"UPDATE products SET title = '{OTHER}' WHERE sku = 'MUG-1'")
    shop.syncd("run", "--once")
    with closing(sqlite3.connect(shop.home / "config/state/ledger.db", isolation_level=None)) as db:
        body = {"sent": {"title": BIRD}, "answer": f'"{BIRD}" is no title'}
        letters.refuse(db, Refusal(1, "shop", Op.UPDATE, ("name",), f"{BIRD} is no title", 422, body), 1)
        broken: list[Any] = [type("Q", (), QUARANTINED)()]
        letters.quarantine(db, broken, 1)
    shop.capsys.readouterr()
    return shop


QUARANTINED = {
    "platform": "shop",
    "collection": "products",
    "id": "99",
    "where": "shop products",
    "reason": f"'title': '{BIRD}' cannot be read",
    "raw": f"{{'id': 99, 'title': '{BIRD}'}}",
}


def shows(text: str) -> list[str]:
    return [bird for bird in (BIRD, OTHER, LATER) if bird in text or json.dumps(bird)[1:-1] in text]


@pytest.mark.parametrize("words", ANSWERS, ids=" ".join)
def test_no_report_shows_it(cage: Shop, words: list[str], tmp_path: Path) -> None:
    said = []
    for kind in FORMATS:
        cage.syncd(*words, "--format", kind)
        out, err = cage.capsys.readouterr()
        assert out, err
        assert shows(out + err) == [], kind
        said.append(out)
    saved = tmp_path / "answer.json"
    cage.syncd(*words, "-o", str(saved))
    cage.capsys.readouterr()
    assert shows(saved.read_text()) == []


def test_masks_stand_where_the_values_are(cage: Shop) -> None:
    document = cage.answer("explain", "product", "MUG-1", "name")
    assert document["golden"]["value"] == "c***@cage"
    assert {one["platform"]: one["value"] for one in document["readings"]} == {"erp": "c***@cage", "shop": "B***"}
    assert document["record"] == "MUG-1"
    assert cage.answer("explain", "product", "MUG-1", "sku")["golden"]["value"] == "MUG-1"
    changes = cage.answer("history", "product", "MUG-1", "name")["versions"]
    assert (changes[0]["fields"][0]["before"], changes[0]["fields"][0]["after"]) == ("s***@roof", "c***@cage")


def test_reveal_shows_it_and_is_written_to_the_audit_log(cage: Shop) -> None:
    document = cage.answer("explain", "product", "MUG-1", "name", "--reveal")
    assert document["golden"]["value"] == BIRD
    with closing(sqlite3.connect(cage.home / "config/state/ledger.db")) as db:
        (who, what, detail) = db.execute("SELECT who, what, detail FROM audit ORDER BY id DESC LIMIT 1").fetchone()
    assert who.startswith("cli:")
    assert what == "reveal"
    assert json.loads(detail) == {"schema": "syncd.explain/1.0", "records": ["product MUG-1"]}


def test_what_the_daemon_says_has_masks(shop: Shop) -> None:
    (shop.home / "config/entities/product.yaml").write_text(RULES)
    file = shop.home / "config/platforms/shop.yaml"
    file.write_text(file.read_text().replace("mode: propose", "mode: enforce"))
    for text in (LATER, BIRD):
        shop.sql("erp", f"UPDATE items SET name = '{text}' WHERE sku = 'MUG-1'")
        done = run("run", "--once", "-v", "--config", shop.home / "config")
        assert done.returncode == 0
        assert shows(done.stdout + done.stderr) == []
    assert "c***@cage" in done.stdout + done.stderr


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("jo@acme.example", "j***@acme"),
        ("Jo Doe", "J***"),
        ("", ""),
        (None, None),
        (["Jo", "Al"], ["J***", "A***"]),
        (7, "***"),
        ({"a": 1}, "***"),
        ("@acme", "@***"),
    ],
)
def test_masks(value: Any, shown: Any) -> None:
    assert mask(value) == shown


def test_a_text_that_quotes_a_value_is_masked_in_any_case() -> None:
    assert hide("JO@acme.example is taken; jo@acme.example", ["jo@acme.example"]) == "J***@acme is taken; j***@acme"
    personal = Personal({"person": frozenset(["email"])}, frozenset(["Mail"]))
    document = {
        "schema": "x",
        "entity": "person",
        "field": "email",
        "value": "jo@acme.example",
        "why": "jo@acme.example is bad",
    }
    assert veiled(document, personal)["why"] == "j***@acme is bad"
    assert veiled({"schema": "x", "raw": "{'Mail': 'jo@acme.example'}"}, personal)["raw"] == "{'Mail': 'j***@acme'}"
