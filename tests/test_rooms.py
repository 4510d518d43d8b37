"""The house rules, run as tests: who may import whom, lint, types, and the caps on files and functions."""

import ast
import statistics
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SOURCES = sorted((ROOT / "syncd").rglob("*.py"))
TESTS = sorted((ROOT / "tests").rglob("*.py"))


def run(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", *command], cwd=ROOT, capture_output=True, text=True, timeout=600, check=False)


def functions(path: Path) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
    tree = ast.parse(path.read_text())
    return [n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)]


def body_lines(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    body = node.body[1:] if ast.get_docstring(node) is not None else node.body
    return body[-1].end_lineno - body[0].lineno + 1 if body and body[-1].end_lineno else 0


def statements(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    return sum(isinstance(n, ast.stmt) for n in ast.walk(node)) - 1


def test_rooms_import_only_rooms_below():
    lint = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([lint], cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_ruff_finds_nothing():
    done = run("ruff", "check", ".")
    assert done.returncode == 0, done.stdout[-6000:]


def test_types_hold():
    done = run("mypy")
    assert done.returncode == 0, done.stdout[-6000:]


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(ROOT)))
def test_no_source_file_is_too_long(path: Path):
    assert len(path.read_text().splitlines()) <= 350


@pytest.mark.parametrize("path", TESTS, ids=lambda p: str(p.relative_to(ROOT)))
def test_no_test_file_is_too_long(path: Path):
    assert len(path.read_text().splitlines()) <= 500


def test_functions_are_small():
    sizes = {f"{p.relative_to(ROOT)}:{f.lineno} {f.name}": f for p in SOURCES for f in functions(p)}
    too_long = {name: statements(f) for name, f in sizes.items() if statements(f) > 40}
    assert not too_long
    assert statistics.median(body_lines(f) for f in sizes.values()) <= 10


def test_nothing_is_named_by_its_shape():
    banned = {"utils", "helpers", "common", "manager", "handler", "processor", "engine", "misc"}
    assert not [p for p in SOURCES if banned & set(p.stem.lower().split("_"))]


def test_nothing_is_left_for_later():
    marks = ("TO" + "DO", "FIX" + "ME", "X" * 3, "HA" + "CK", "raise NotImplemented" + "Error")
    found = [
        f"{p.relative_to(ROOT)}:{i}"
        for p in SOURCES + TESTS
        for i, line in enumerate(p.read_text().splitlines(), 1)
        if any(m in line.split("'")[0] for m in marks)
    ]
    assert not found
