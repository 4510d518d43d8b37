"""The README tells the truth: its commands are there, its folders exist, its rules load."""

import re
import subprocess
import sys
from pathlib import Path

import yaml

from syncd.cli.commands import WHERE

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_two_commands_are_one_line_each():
    lines = re.findall(r"^python3 -m venv \.venv && .*$", README, re.MULTILINE)
    assert [line.rpartition(" && ")[2] for line in lines] == [".venv/bin/syncd demo", ".venv/bin/python -m pytest -q"]


def test_every_command_is_documented_and_no_other():
    table = README.split("## Commands")[1].split("##")[0]
    cells = [line.split("|")[1] for line in table.splitlines() if line.startswith("| `")]
    named = {word.split()[0] for cell in cells for word in re.findall(r"`([^`]+)`", cell)}
    assert named == set(WHERE)


def test_every_path_it_names_is_there():
    named = re.findall(r"\]\(([^)#]+)\)", README) + re.findall(r"`(tests/[\w./]+)`", README) + re.findall(r"cp (\S+) ", README)
    assert named
    assert [path for path in named if not (ROOT / path).exists()] == []


def test_every_dependency_is_explained():
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    block = project.split("dependencies = [")[1].split("]\n")[0]
    names = re.findall(r'"([a-z0-9_-]+)', block)
    table = README.split("## What it is built with")[1].split("##")[0].lower()
    assert [name for name in names if name.removeprefix("py") not in table] == []


def test_its_rules_are_yaml_that_the_shipped_config_understands():
    block = re.search(r"```yaml\n(.*?)```", README, re.DOTALL)
    assert block
    assert set(yaml.safe_load(block[1])["fields"]) == {"name", "description", "stock"}


def test_it_is_short_enough_to_be_read():
    assert len(README.splitlines()) < 250


def test_the_shipped_config_has_no_errors():
    done = subprocess.run(
        [sys.executable, "-m", "syncd", "check", "--config", "config"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout
    assert " 0 errors" in done.stdout
