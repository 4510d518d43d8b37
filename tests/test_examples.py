"""Every example really runs."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from tests.emulators.shopify.schema import schema
from tests.node import installed

EXAMPLES = Path(__file__).parents[1] / "examples"
PUBLIC = os.environ.get("SYNCD_SHARED")


def story(name: str) -> ModuleType:
    """Return the script of an example: each is called ``run``."""
    spec = importlib.util.spec_from_file_location(f"example_{name.replace('-', '_')}", EXAMPLES / name / "run.py")
    assert spec is not None
    assert spec.loader is not None
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    return made


async def test_northwind_made_here(tmp_path: Path):
    said: list[str] = []
    await story("northwind").main(tmp_path, None, said.append)
    assert said[-1].strip() == "0 writes, 0 records doubled, 0 edits lost"


@pytest.mark.skipif(not PUBLIC, reason="SYNCD_SHARED is not set: no dump of the public Northwind database here")
async def test_northwind_from_the_public_dump(tmp_path: Path):
    said: list[str] = []
    await story("northwind").main(tmp_path, Path(str(PUBLIC)) / "data" / "northwind" / "northwind.sql", said.append)
    assert said[-1].strip() == "0 writes, 0 records doubled, 0 edits lost"


async def test_a_product_in_sap_sanity_and_shopify(tmp_path: Path):
    for packages in ("cap", "groq"):
        installed(packages)
    schema()
    said: list[str] = []
    await story("product-shopify-sanity-sap").main(tmp_path / "retailer", said.append)
    assert "0 in SAP" in said[-2]
    assert said[-1].endswith("SAP was never written to.")


async def test_a_customer_in_salesforce_accounting_and_the_mailer(tmp_path: Path):
    said: list[str] = []
    await story("customer-salesforce-accounting-mailer").main(tmp_path / "company", said.append)
    assert "in Salesforce, 10 in accounting" in said[-2]
    assert "one attempt in the ledger" in said[-1]


def test_every_example_has_a_readme():
    assert [folder.name for folder in EXAMPLES.iterdir() if folder.is_dir() and not (folder / "README.md").exists()] == []


@pytest.mark.parametrize("folder", sorted(EXAMPLES.glob("*/config")), ids=lambda folder: folder.parent.name)
def test_every_example_has_rule_tests_that_pass(folder: Path):
    for words in (("check",), ("test",)):
        command = [sys.executable, "-m", "syncd", *words, "--config", str(folder)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
    assert " 0 failed" in done.stdout
