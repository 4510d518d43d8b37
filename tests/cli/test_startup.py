"""The commands used in loops start fast: heavy libraries are not imported for them."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.scene import environment

HEAVY = {"aiohttp", "aiosqlite", "sqlalchemy", "pydantic", "jinja2", "rich", "typer", "loguru", "aiomqtt", "asyncio", "yarl"}


@pytest.mark.parametrize(
    "words",
    [
        ["status"],
        ["explain", "product", "MUG-1", "price"],
        ["history", "product", "MUG-1"],
        ["conflicts"],
        ["dead"],
        ["changes"],
        ["breaker"],
        ["version"],
        ["--help"],
    ],
)
def test_nothing_heavy_is_imported(folder: Path, words: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "syncd", *words, "--config", str(folder)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env=environment(),
    )
    assert done.returncode == 0
    imported = {line.rpartition("|")[2].strip().partition(".")[0] for line in done.stderr.splitlines() if "|" in line}
    assert "argparse" in imported
    assert not HEAVY & imported
