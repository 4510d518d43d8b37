"""Northwind, with rows of its own and with those of the public database."""

import os
from pathlib import Path

import pytest

from tests.examples import story

PUBLIC = os.environ.get("SYNCD_SHARED")


async def test_northwind_made_here(tmp_path: Path):
    said: list[str] = []
    await story("northwind").main(tmp_path, None, said.append)
    assert said[-1].strip() == "0 writes, 0 records doubled, 0 edits lost"


@pytest.mark.skipif(not PUBLIC, reason="SYNCD_SHARED is not set: no dump of the public Northwind database here")
async def test_northwind_from_the_public_dump(tmp_path: Path):
    said: list[str] = []
    await story("northwind").main(tmp_path, Path(str(PUBLIC)) / "data" / "northwind" / "northwind.sql", said.append)
    assert said[-1].strip() == "0 writes, 0 records doubled, 0 edits lost"
