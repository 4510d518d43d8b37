"""docs/rules.md as it stands: each example is a config that `check` accepts, and its tests pass."""

import re
import textwrap
from pathlib import Path
from typing import NamedTuple

import pytest

from syncd.cli.app import main
from syncd.core.functiontable import FUNCTIONS

PAGE = Path(__file__).parents[1] / "docs" / "rules.md"
SKU = "  sku: {type: string, truth: erp, map: {erp: sku, cms: sku, shop: sku}}\n"
IN = "in: {erp: {collection: items}, cms: {collection: items}, shop: {collection: items}}\n"
IDENTITY = "identity: {key: sku, match: [{by: sku}], unmatched: {erp: create, cms: create, shop: create}}\n"
PLATFORM = "platform: {name}\nconnector: memory\nmode: enforce\ncollections: {{items: {{id: id}}}}\n"


class Example(NamedTuple):
    """One example: its heading, its rules and its tests."""

    title: str
    rules: str
    tests: str


def examples() -> list[Example]:
    found = []
    for section in re.split(r"^### ", PAGE.read_text(), flags=re.MULTILINE)[1:]:
        blocks = re.findall(r"^```yaml\n(.*?)^```", section, re.MULTILINE | re.DOTALL)
        found.append(Example(section.split("\n")[0], blocks[0], blocks[1]))
    return found


def folder_of(example: Example, target: Path) -> Path:
    """Write the example as a config folder, with what the page says it leaves out."""
    rules = example.rules
    if "  sku:" not in rules:
        rules = rules.replace("fields:\n", f"fields:\n{SKU}", 1)
    head = f"entity: product\n{'' if rules.startswith('in:') else IN}{IDENTITY}"
    files = {"syncd.yaml": "version: 1\n", "entities/product.yaml": head + rules}
    files["tests/product.yaml"] = f"entity: product\n{example.tests}"
    files |= {f"platforms/{name}.yaml": PLATFORM.format(name=name) for name in ("erp", "cms", "shop")}
    for path, text in files.items():
        (target / path).parent.mkdir(parents=True, exist_ok=True)
        (target / path).write_text(text)
    return target


def chapter() -> Example:
    """The README's chapter on rules: one entity, one test per rule."""
    text = (PAGE.parents[1] / "README.md").read_text().partition("## Rules\n")[2].partition("\n## ")[0]
    rules, tests = re.findall(r"^```yaml\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    return Example("README", rules, tests)


@pytest.mark.parametrize("example", [chapter(), *examples()], ids=lambda one: one.title)
def test_an_example(example: Example, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = folder_of(example, tmp_path / "config")
    checked = main(["--config", str(folder), "check"])
    assert checked == 0, capsys.readouterr().out
    tested = main(["--config", str(folder), "test"])
    assert tested == 0, capsys.readouterr().out


WORDS = (
    *("owner", "priority", "newest", "expr", "const", "manual", "cases", "group", "union", "intersection", "max", "min"),
    *("sum", "longest", "earliest", "latest", "any", "all", "delta", "if_null", "if_stale", "if_invalid", "freeze"),
    *("stray_edits", "direction", "writes", "only", "create", "deletes", "type", "check", "blank_is_value", "equal"),
    "transforms",
)


def test_every_rule_of_the_grammar_has_an_example() -> None:
    titles = " ".join(example.title for example in examples()).replace(",", "").split()
    assert [word for word in WORDS if word not in titles] == []


def test_the_functions_are_those_there_are() -> None:
    table = PAGE.read_text().partition("<!-- functions -->\n")[2].partition("<!-- /functions -->")[0]
    assert table == function_table(), f"write this into docs/rules.md:\n{textwrap.indent(function_table(), '  ')}"


def function_table() -> str:
    rows = [f"| `{one.signature}` | {one.doc} | `{one.example}` = `{one.result}` |" for one in FUNCTIONS.values()]
    return "\n".join(["| function | gives | example |", "| --- | --- | --- |", *rows]) + "\n"
