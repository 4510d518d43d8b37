"""`syncd demo` as a person runs it: the story, its end, what it leaves, and the lines it offers."""

import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

TOLD = (
    "first fill", "MUG-1 price", "LAMP-3 counted", "VASE-6 weighed", "put back after", "held: a person decides",
    "the poll found it", "STOPPED by a breaker: 0 written", "Drift report r-", "stopped by a safety check",
)  # fmt: skip


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, float, Path]:
    """What the demo says, how long it took, and the folder for temporary files it was given."""
    folder = tmp_path_factory.mktemp("demo")
    start = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-m", "syncd", "demo"], cwd=folder, env={**os.environ, "TMPDIR": str(folder)},
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout, time.monotonic() - start, folder


@pytest.mark.parametrize("what", TOLD)
def test_the_story_tells(told: tuple[str, float, Path], what: str):
    assert what in told[0]


def test_it_leaves_one_folder_that_it_names(told: tuple[str, float, Path]):
    left = [p for p in told[2].iterdir() if p.name.startswith("syncd-")]
    assert len(left) == 1
    assert f"Everything is in {left[0]}" in told[0]


def test_the_lines_it_offers_work(told: tuple[str, float, Path]):
    lines = re.findall(r"^  (\S.* --config .*)$", told[0], re.MULTILINE)
    assert len(lines) == 3
    for line in lines:
        done = subprocess.run(line.split(), capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        assert done.stdout.strip()


def test_every_write_on_the_wire_is_one_attempt(told: tuple[str, float, Path]):
    config = re.search(r"--config (\S+)", told[0])
    assert config
    words = ["--config", config[1], "history", "product", "MUG-1", "--format", "json"]
    done = subprocess.run([sys.executable, "-m", "syncd", *words], capture_output=True, text=True, check=True)
    versions = json.loads(done.stdout)["versions"]
    assert [f["after"] for v in versions for f in v["fields"] if f["field"] == "price"][:2] == ["132.00", "13.20"]
