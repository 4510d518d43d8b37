"""The ten mistakes of the contract, each made in the contract's own example, and the exact text that is shown."""

import os
import re
from collections.abc import Sequence
from pathlib import Path

import pytest

from syncd.config.load import load
from syncd.config.model import Loaded
from syncd.config.scene import Evidence
from syncd.connectors.registry import KINDS
from syncd.core.rules import Expression
from tests.config import contract

pytestmark = contract.HERE
MISTAKES = {
    1: ("entities/product.yaml", {31: "    truth: {priority: [sap, sanity], if_nul: next}"}),
    2: ("entities/product.yaml", {31: "    truth: {priority: [sap, sanitty], if_null: next}"}),
    3: ("entities/product.yaml", {36: "    truth: sap"}),
    4: ("platforms/shopify.yaml", {7: "  api_version: 1.10"}),
    5: ("platforms/shopify.yaml", {8: "  token: shpat_0123456789abcd"}),
    6: ("entities/product.yaml", {57: "      check: {min: 0.01, max_step: 30%}"}),
    7: ("entities/product.yaml", {48: "      sanity: {path: body, read: [portable_text_to_html]}"}),
    8: ("entities/customer.yaml", {40: '      - {when: "mailer.consent != null", owner: mailer}'}),
    9: ("platforms/shopify.yaml", {14: "  poll: {every: 10}"}),
    10: ("syncd.yaml", {13: "  console: 0.0.0.0:8686", 16: "  auth: none"}),
}
LEDGER = Evidence(
    seen={"sap": ("ProductDescription", "BaseUnit")},
    tried={("product", "description", "sanity"): (0, 200)},
    undecided={("customer", "consent"): (212, 3911)},
)
NOTHING = Evidence()


@pytest.fixture(autouse=True)
def _beside_the_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def read(folder: Path, evidence: Evidence = NOTHING) -> Loaded:
    return load(folder, KINDS, environ={"HOME": "/home/tester"}, evidence=evidence)


def new_findings(number: int, evidence: Evidence = NOTHING) -> list[str]:
    """Return what is said of the example with a mistake in it that is not said of the good one."""
    path, edits = MISTAKES[number]
    good = {one.text() for one in read(contract.put(Path("good")), evidence).diagnostics}
    found = read(contract.put(Path("config"), {path: edits}), evidence)
    assert found.config is None
    return [one.text() for one in found.diagnostics if one.text().replace("config/", "good/") not in good]


@pytest.mark.parametrize("number", MISTAKES)
def test_a_mistake_prints_exactly_what_the_contract_shows(number: int) -> None:
    assert new_findings(number, LEDGER) == [contract.mistakes()[number]]


@pytest.mark.parametrize("number", [3, 7, 8])
def test_without_ledger_or_probe_what_quotes_them_is_left_out(number: int) -> None:
    block = contract.mistakes()[number].replace("example  map: {sap: ProductDescription", "example  map: {sap: name")
    lines = [line for line in block.split("\n") if "last probe" not in line and "ledger samples" not in line]
    lines = [re.sub(r": for 212 of 3,911 customers today (neither case is) true", r" where \1 true", line) for line in lines]
    assert new_findings(number) == ["\n".join(lines)]


def test_a_ledger_is_asked_for_the_records_that_no_case_decides() -> None:
    asked: list[tuple[str, list[str]]] = []

    def count(entity: str, conditions: Sequence[Expression]) -> tuple[int, int]:
        asked.append((entity, [one.text for one in conditions]))
        return 212, 3911

    assert new_findings(8, Evidence(count=count)) == [contract.mistakes()[8]]
    assert asked == [("customer", ["'withdrawn' in [salesforce.consent, mailer.consent]", "mailer.consent != null"])]


def test_every_mistake_of_the_page_is_made() -> None:
    assert MISTAKES.keys() == contract.mistakes().keys()


def test_the_example_of_the_contract_loads() -> None:
    found = read(contract.put(Path("config")))
    assert [one.text() for one in found.errors] == []
    assert found.config is not None
    assert list(found.config.rules.entities) == ["customer", "product"]
    counted = {one.name: (one.fields, one.rules, one.cases) for one in found.files if one.part == "entity"}
    assert counted == {"customer": (6, 6, 1), "product": (10, 10, 1)}


def test_the_folder_is_named_as_it_was_given() -> None:
    folder = contract.put(Path("config"), {"syncd.yaml": MISTAKES[10][1]}).absolute()
    texts = [one.text() for one in read(folder).diagnostics if one.code == "E051"]
    assert texts == [contract.mistakes()[10].replace("config/", f"{os.fspath(folder)}/")]


def test_a_manual_rule_of_which_nobody_is_told() -> None:
    folder = contract.put(Path("config"), {"syncd.yaml": {36: "", 37: ""}})
    (text,) = [one.text() for one in read(folder).diagnostics if one.code == "W210"]
    check = contract.page("cli.md").partition("## 5. `syncd check`")[2]
    (shown,) = re.findall(r"config/entities/product.yaml:85:5:.*?(?=\n\n)", check, re.DOTALL)
    assert text.replace("   # a person accepts each change", "") == shown  # the page leaves the comment out
