"""What every example has: a README, and rules with tests that pass."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.examples import EXAMPLES


def test_every_example_has_a_readme():
    assert [folder.name for folder in EXAMPLES.iterdir() if folder.is_dir() and not (folder / "README.md").exists()] == []


@pytest.mark.parametrize("folder", sorted(EXAMPLES.glob("*/config")), ids=lambda folder: folder.parent.name)
def test_every_example_has_rule_tests_that_pass(folder: Path):
    for words in (("check",), ("test",)):
        command = [sys.executable, "-m", "syncd", *words, "--config", str(folder)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
    assert " 0 failed" in done.stdout
