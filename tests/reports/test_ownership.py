"""The ownership table: rules in words, for every kind of rule and option."""

import json
from pathlib import Path
from typing import Any

import pytest

from syncd.cli.app import main
from syncd.core.expression import Names, compile_expression
from syncd.core.model import SECOND
from syncd.core.rules import Branch, Freeze, Truth
from syncd.core.truth import RULES
from syncd.reports.ownership import page
from syncd.reports.page import Look
from syncd.reports.rulewords import decides, span
from syncd.reports.text import render

ROOT = Path(__file__).parents[2]
HOUR = 3600 * SECOND
LOCKED = compile_expression("raw.locked", Names({}, {}, {}, raw_bare=True))


@pytest.mark.parametrize(
    ("truth", "words"),
    [
        (Truth("owner", ("sap",)), "sap"),
        (Truth("owner", ("sap",), if_null="clear"), "sap; emptied there, it is emptied everywhere"),
        (Truth("owner", ("sap",), if_null="hold"), "sap; empty there: a person decides"),
        (Truth("owner", ("sap",), if_null="const", null_value="none"), 'sap; empty there: "none"'),
        (Truth("owner", ("sap",), if_null="use", null_use="shop"), "sap; empty there: shop"),
        (Truth("owner", ("sap",), if_stale="hold"), "sap; nothing is written while sap was not read"),
        (
            Truth("owner", ("sap",), if_stale="hold", stale_after=24 * HOUR),
            "sap; nothing is written while sap was not read for 1 d",
        ),
        (Truth("owner", ("sap",), if_invalid="keep"), "sap; an invalid value changes nothing"),
        (Truth("owner", ("sap",), freeze=Freeze("always")), "sap; never changes once it is set"),
        (Truth("owner", ("sap",), freeze=Freeze("after_first")), "sap; never changes after its first value"),
        (Truth("owner", ("sap",), freeze=Freeze("until", 1_767_225_600 * SECOND)), "sap; does not change before 2026-01-01"),
        (Truth("owner", ("sap",), freeze=Freeze("when", when=LOCKED)), "sap; does not change while raw.locked"),
        (Truth("priority", ("sap", "cms"), if_null="next"), "the first of sap and cms that has a value"),
        (
            Truth("priority", ("a", "b", "c"), if_stale="next", if_invalid="next"),
            "the first of a, b and c that has a value; who was not read is passed over; an invalid value is passed over",
        ),
        (Truth("newest", ("cms", "shop")), "the latest edit in cms or shop (closer than 2 s: a person decides)"),
        (
            Truth("newest", ("cms", "shop"), skew=10 * SECOND, tie=("cms",)),
            "the latest edit in cms or shop (closer than 10 s: cms wins)",
        ),
        (Truth("union", ("cms", "shop")), "everything that cms or shop has; what one of them removes is removed"),
        (Truth("union", ("cms", "shop"), removals=False), "everything that cms or shop has; nothing is ever removed"),
        (Truth("intersection", ("cms", "shop")), "only what cms and shop all have; what one of them removes is removed"),
        (Truth("max", ("a", "b")), "the largest of a and b"),
        (Truth("min", ("a", "b")), "the smallest of a and b"),
        (Truth("sum", ("a", "b")), "the sum of a and b"),
        (Truth("longest", ("a", "b")), "the longest text of a and b"),
        (Truth("earliest", ("a", "b")), "the earliest of a and b"),
        (Truth("latest", ("a", "b")), "the latest of a and b"),
        (Truth("any", ("a", "b")), "true if a or b says so"),
        (Truth("all", ("a", "b")), "true only if a and b all say so"),
        (Truth("delta", ("a", "b")), "the count of a and b together: each one's changes are added"),
        (Truth("const", value="EUR"), 'always "EUR"'),
        (Truth("const"), "always nothing"),
        (Truth("expr", expr=LOCKED), "computed: raw.locked"),
        (Truth("manual"), "a person, each time"),
        (
            Truth("manual", propose=Truth("owner", ("cms",)), reviewers=("ana", "jo")),
            "ana or jo, each time (suggested by cms)",
        ),
        (
            Truth("cases", ("cms", "shop"), branches=(Branch(LOCKED, Truth("owner", ("cms",))), Branch(None, Truth("manual")))),
            "if raw.locked: cms; else a person, each time",
        ),
    ],
)
def test_a_rule_in_words(truth: Truth, words: str) -> None:
    assert decides(truth) == words


def test_every_rule_has_words() -> None:
    branches = (Branch(None, Truth("owner", ("a",))),)
    assert all(decides(Truth(how, ("a", "b"), branches=branches)) for how in [*RULES, "cases"])


@pytest.mark.parametrize(("micros", "text"), [(2 * SECOND, "2 s"), (90 * SECOND, "90 s"), (HOUR, "1 h"), (500_000, "500 ms")])
def test_durations(micros: int, text: str) -> None:
    assert span(micros) == text


def table(capsys: pytest.CaptureFixture[str], *words: str) -> Any:
    assert main(["--config", str(ROOT / "config"), "rules", *words, "--format", "json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_the_contract_s_example(capsys: pytest.CaptureFixture[str]) -> None:
    document = table(capsys)
    assert document["schema"] == "syncd.rules/1.0"
    found = {(one["entity"], one["field"]): one for one in document["rules"]}
    price = found["product", "price"]
    assert price["rule"] == {"file": f"{ROOT}/config/entities/product.yaml", "line": 53, "strategy": "owner"}
    assert price["may_edit"] == ["sap"]
    assert price["written_to"] == ["shopify"]
    assert price["otherwise"].startswith("an edit in shopify is put back; a jump over 30% waits for a person")
    assert found["product", "stock"]["otherwise"].startswith("an edit in shopify stays there until the value changes")
    assert found["product", "tags"]["may_edit"] == ["shopify", "sanity"]
    assert found["product", "weight_g"]["may_edit"] == []
    assert found["product", "description"]["decides"].startswith("if sanity.raw.locked: sanity; else the latest edit in")
    assert found["customer", "credit_limit"]["otherwise"].startswith("an edit in salesforce waits for a person")
    assert found["customer", "phone"]["decides"] == "the first of salesforce and accounting that has a value"


@pytest.mark.parametrize("width", [60, 80, 100, 200])
def test_it_fits_a_terminal(capsys: pytest.CaptureFixture[str], width: int) -> None:
    text = render(page(table(capsys), Look(width=width)), Look(width=width))
    assert all(len(line) <= max(width, 75) for line in text.splitlines())
    assert "…" not in text


@pytest.mark.parametrize("kind", ["table", "markdown", "html", "csv", "ndjson"])
def test_every_format(capsys: pytest.CaptureFixture[str], kind: str) -> None:
    assert main(["--config", str(ROOT / "config"), "rules", "product", "--format", kind]) == 0
    out = capsys.readouterr().out
    assert "hero_image" in out.replace("\\", "")
    assert "erp_no" not in out


def test_an_entity_that_is_not_there(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--config", str(ROOT / "config"), "rules", "prodct"]) == 64
    assert 'did you mean "product"?' in capsys.readouterr().err
