"""Reading commands start fast: they import no heavy room or library, and cost few times what Python itself does."""

import json
import resource
import subprocess
import sys
from pathlib import Path
from statistics import median

import pytest

from tests.cli.scene import environment

READING = (
    ["explain", "product", "MUG-1", "price"],
    ["explain", "product", "MUG-1"],
    ["history", "product", "MUG-1"],
    ["status"],
)
HEAVY = {
    "pydantic",
    "aiohttp",
    "sqlalchemy",
    "jinja2",
    "loguru",
    "asyncio",
    "aiosqlite",
    "paho",
    "lxml",
    "openpyxl",
    "watchfiles",
}
ROOMS = {"syncd.daemon", "syncd.connectors", "syncd.web", "syncd.demo"}
CHECKING = {"syncd.config.proof", "syncd.config.cautions", "syncd.config.load"}
TOLD = """
import json, sys
from syncd.cli import main
code = main(sys.argv[1:])
print(json.dumps([code, sorted(sys.modules)]), file=sys.stderr)
"""
BARE = "import sqlite3, json"
TIMES = 9
LIMIT = 12  # times a bare start; 300 ms where that takes 25 ms


@pytest.mark.parametrize("words", READING, ids=" ".join)
def test_a_reading_command_imports_nothing_heavy(folder: Path, words: list[str]) -> None:
    done = run(["-c", TOLD, "--config", str(folder), *words])
    code, modules = json.loads(done.stderr.splitlines()[-1])
    assert code == 0, done.stderr
    wholly = {name for name in modules if name.split(".")[0] in HEAVY}
    rooms = {name for name in modules if ".".join(name.split(".")[:2]) in ROOMS}
    assert wholly | rooms | CHECKING.intersection(modules) == set()


def test_history_and_status_do_without_the_rules(folder: Path) -> None:
    for words in READING[2:]:
        modules = json.loads(run(["-c", TOLD, "--config", str(folder), *words]).stderr.splitlines()[-1])[1]
        assert {"syncd.config.entity", "syncd.core.resolve", "syncd.core.transforms"}.isdisjoint(modules), words


def test_a_reading_command_costs_few_times_a_bare_start(folder: Path) -> None:
    """P15, as a ratio: other work on the machine slows both."""
    commands = {" ".join(words): ["-m", "syncd", "--config", str(folder), *words] for words in READING}
    took: dict[str, list[float]] = {name: [] for name in ("bare", *commands)}
    run(["-m", "syncd", "--config", str(folder), "status"])  # the first start compiles
    for _ in range(TIMES):
        for name, words in {"bare": ["-c", BARE], **commands}.items():
            before = spent()
            run(words)
            took[name].append(spent() - before)
    bare = median(took.pop("bare"))
    assert {name: round(median(times) / bare, 1) for name, times in took.items() if median(times) > LIMIT * bare} == {}


def run(words: list[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, *words], capture_output=True, text=True, timeout=60, check=False, env=environment())


def spent() -> float:
    """Return the processor time of all children so far, in seconds."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
