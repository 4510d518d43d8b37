"""Every example really runs."""

import os
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[1] / "examples"
sys.path.insert(0, str(EXAMPLES / "northwind"))

import run as northwind  # noqa: E402 - examples are scripts, found by their folder

PUBLIC = os.environ.get("SYNCD_SHARED")


async def test_northwind_made_here(tmp_path: Path):
    said: list[str] = []
    await northwind.main(tmp_path, None, said.append)
    assert said[-1].strip() == "0 writes, 0 records doubled, 0 edits lost"


@pytest.mark.skipif(not PUBLIC, reason="SYNCD_SHARED is not set: no dump of the public Northwind database here")
async def test_northwind_from_the_public_dump(tmp_path: Path):
    said: list[str] = []
    await northwind.main(tmp_path, Path(str(PUBLIC)) / "data" / "northwind" / "northwind.sql", said.append)
    assert said[-1].strip() == "0 writes, 0 records doubled, 0 edits lost"


def test_every_example_has_a_readme():
    assert [folder.name for folder in EXAMPLES.iterdir() if folder.is_dir() and not (folder / "README.md").exists()] == []
