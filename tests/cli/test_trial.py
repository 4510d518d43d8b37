"""``syncd test`` as its users see it: on a pipe, on a terminal, in a pull request and while they edit."""

import json
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path
from xml.etree import ElementTree as Xml

import pytest

from syncd.cli.app import main
from syncd.cli.init import SKELETON
from tests.cli.scene import ROOT, SYNCD, environment, make_folder, run
from tests.cli.terminal import on_terminal
from tests.config.contract import HERE, files, page, put

GOOD = """\
entity: product
tests:
  - name: the ERP's price wins
    base: {sku: A-1, price: "12.00"}
    given: {erp: {price: "12.50"}, shop: {price: "9.99"}}
    expect: {golden: {price: "12.50"}, writes: {shop: {price: "12.50"}}}   # a word
"""
BAD = GOOD + """\
  - name: the shop's price wins
    base: {sku: A-1, price: "12.00"}
    given: {erp: {price: "12.50"}, shop: {price: "9.99"}}
    expect: {golden: {price: "9.99"}, writes: {}}   # wrong
"""
SAID = """\
{0}/tests/rules.yaml
  ok    the ERP's price wins
  FAIL  the shop's price wins                                                       line 7
          golden      expected price = "9.99"   got price = "12.50"
          writes      expected none             got shop price = "12.50"
          decided by  {0}/entities/product.yaml:19 owner

1 passed, 1 failed in S s.   Rules run: 1 of 3.   syncd test --coverage names the other 2.
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return with_tests(make_folder(tmp_path, ledger=False), GOOD)


def with_tests(folder: Path, text: str) -> Path:
    """Write the folder's tests."""
    (folder / "tests").mkdir(exist_ok=True)
    (folder / "tests/rules.yaml").write_text(text)
    return folder


def without_seconds(text: str) -> str:
    """Return a page without how long it took."""
    words = text.split(" ")
    return " ".join("S" if word.replace(".", "").isdigit() and words[n - 1] == "in" else word for n, word in enumerate(words))


def test_a_failure_says_what_was_expected_what_was_got_and_which_rule_decided(folder: Path, capsys: pytest.CaptureFixture[str]):
    with_tests(folder, BAD)
    assert main(["test", "--config", str(folder)]) == 1
    assert without_seconds(capsys.readouterr().out) == SAID.format(folder)


@HERE
def test_the_contracts_example_fails_word_for_word(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    price = next(line for line in files()["entities/product.yaml"].split("\n") if "max_step" in line)
    put(tmp_path / "config", {"entities/product.yaml": {57: price.replace("30%", "80%")}})
    monkeypatch.chdir(tmp_path)
    assert main(["test"]) == 1
    _, _, block = page("cli.md").partition("$ syncd test\n")
    assert without_seconds(capsys.readouterr().out) == without_seconds(block.partition("```")[0])


@HERE
def test_the_contracts_example_passes(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    assert main(["test", "--config", str(put(tmp_path / "config"))]) == 0
    assert "5 passed, 0 failed" in capsys.readouterr().out


@pytest.mark.parametrize("source", ["docs/tests.md", "syncd/demo/config/tests/product_rules.yaml"])
def test_the_page_and_the_demo_say_what_is_so(tmp_path: Path, capsys: pytest.CaptureFixture[str], source: str):
    folder = tmp_path / "config"
    shutil.copytree(SKELETON, folder)
    text = (ROOT / source).read_text()
    with_tests(folder, text.partition("```yaml\n")[2].partition("```")[0] or text)
    assert main(["test", "--config", str(folder)]) == 0, capsys.readouterr()


def test_what_passes_exits_0(folder: Path, capsys: pytest.CaptureFixture[str]):
    assert main(["test", "--config", str(folder)]) == 0
    assert "1 passed, 0 failed" in capsys.readouterr().out


def test_no_tests_is_said_and_no_failure(folder: Path, capsys: pytest.CaptureFixture[str]):
    (folder / "tests/rules.yaml").unlink()
    assert main(["test", "--config", str(folder)]) == 0
    said = capsys.readouterr()
    assert f"no tests: {folder}/tests has no tests yet" in said.err
    assert "0 passed, 0 failed" in said.out


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["-k", "nothing such"], 64, 'no test has "nothing such" in its name or file; there are 2'),
        (["--watch", "--update"], 64, "--watch and --update do not go together"),
        (["--covrage"], 64, 'did you mean "--coverage"?'),
        (["--update"], 5, "add --yes"),
    ],
)
def test_what_cannot_be_done(folder: Path, capsys: pytest.CaptureFixture[str], words: list[str], code: int, said: str):
    with_tests(folder, BAD)
    assert main(["test", "--config", str(folder), *words]) == code
    assert said in capsys.readouterr().err


def test_a_config_with_errors_tests_nothing(folder: Path, capsys: pytest.CaptureFixture[str]):
    with_tests(folder, GOOD.replace("golden", "goldn"))
    assert main(["test", "--config", str(folder)]) == 78
    said = capsys.readouterr()
    assert f'{folder}/tests/rules.yaml:6:14: error E101: unknown key "goldn"' in said.err
    assert not said.out


def test_k_picks_by_name_or_file(folder: Path, capsys: pytest.CaptureFixture[str]):
    with_tests(folder, BAD)
    assert main(["test", "--config", str(folder), "-k", "ERP'S PRICE"]) == 0
    assert "1 passed, 0 failed" in capsys.readouterr().out
    assert main(["test", "--config", str(folder), "-k", "rules.yaml"]) == 1


def test_coverage_names_the_rules_that_no_test_runs(folder: Path, capsys: pytest.CaptureFixture[str]):
    assert main(["test", "--config", str(folder), "--coverage"]) == 0
    run_, _, left = capsys.readouterr().out.partition("Rules that no test runs")
    assert f"product.price   owner        {folder}/entities/product.yaml:19   the ERP's price wins" in run_
    assert f"product.sku    owner        {folder}/entities/product.yaml:11" in left
    assert f"product.name   owner        {folder}/entities/product.yaml:15" in left
    assert "syncd test --coverage" not in left


def test_json_has_the_contracts_keys(folder: Path, capsys: pytest.CaptureFixture[str]):
    with_tests(folder, BAD)
    assert main(["test", "--config", str(folder), "--format", "json"]) == 1
    found = json.loads(capsys.readouterr().out)
    assert next(iter(found)) == "schema"
    assert found["schema"] == "syncd.test/1.0"
    assert found["complete"] is True
    assert (found["passed"], found["failed"], found["rules"]) == (1, 1, {"run": 1, "total": 3})
    good, bad = found["tests"]
    assert good == {
        "file": f"{folder}/tests/rules.yaml",
        "line": 3,
        "name": "the ERP's price wins",
        "ok": True,
        "differences": [],
        "decided_by": [],
    }
    assert bad["differences"] == [
        {"what": "golden", "expected": 'price = "9.99"', "got": 'price = "12.50"'},
        {"what": "writes", "expected": "none", "got": 'shop price = "12.50"'},
    ]
    assert [rule["tests"] for rule in found["coverage"] if rule["field"] == "price"] == [
        ["the ERP's price wins", "the shop's price wins"]
    ]


def test_junit_is_written_beside_the_page(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    with_tests(folder, BAD)
    assert main(["test", "--config", str(folder), "--junit", str(tmp_path / "out.junit")]) == 1
    assert "1 passed, 1 failed" in capsys.readouterr().out
    root = Xml.parse(tmp_path / "out.junit").getroot()
    (suite,) = root
    assert (suite.get("tests"), suite.get("failures")) == ("2", "1")
    good, bad = suite
    assert (good.get("name"), good.find("failure")) == ("the ERP's price wins", None)
    assert 'golden: expected price = "9.99", got price = "12.50"' in (bad.findtext("failure") or "")


@pytest.mark.parametrize("kind", ["ndjson", "csv", "markdown", "html", "junit"])
def test_every_format(folder: Path, kind: str, capsys: pytest.CaptureFixture[str]):
    with_tests(folder, BAD)
    assert main(["test", "--config", str(folder), "--format", kind]) == 1
    assert "the shop" in capsys.readouterr().out


# ---- on a terminal


@pytest.mark.parametrize("columns", [60, 80, 100])
def test_a_page_fits_the_terminal(folder: Path, columns: int):
    text = BAD.replace("the shop's price wins", "the shop's price wins over everything that the ERP may say")
    with_tests(folder, text)
    code, said = on_terminal("test", "--config", folder, "--color", "never", columns=columns)
    assert code == 1
    lines = [line for line in said.split("\n") if str(folder) not in line]  # a path is never cut
    assert max(map(len, lines)) <= columns
    assert "line 7" in said


def test_update_rewrites_what_was_shown(folder: Path):
    with_tests(folder, BAD)
    done = run("test", "--config", folder, "--update", "--yes")
    assert done.returncode == 0
    assert '-    expect: {golden: {price: "9.99"}, writes: {}}   # wrong' in done.stdout
    new = '    expect: {golden: {price: "12.50"}, writes: {shop: {price: "12.50"}}}   # wrong'
    assert f"+{new}" in done.stdout
    old = '    expect: {golden: {price: "9.99"}, writes: {}}   # wrong'
    assert (folder / "tests/rules.yaml").read_text() == BAD.replace(old, new)
    again = run("test", "--config", folder, "--update")
    assert again.returncode == 0
    assert "nothing to update" in again.stderr


@pytest.mark.parametrize(("answer", "code"), [("y\n", 0), ("n\n", 1)])
def test_update_asks_on_a_terminal(folder: Path, answer: str, code: int):
    with_tests(folder, BAD)
    found, said = on_terminal("test", "--config", folder, "--update", columns=200, typed=[("[y/N]", answer)])
    assert found == code
    assert ("nothing was rewritten" in said) == (answer == "n\n")
    assert ((folder / "tests/rules.yaml").read_text() == BAD) == (answer == "n\n")


def test_watch_runs_again_on_save_and_stops_on_ctrl_c(folder: Path):
    command = [SYNCD, "test", "--watch", "--config", str(folder)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True, env=environment()) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        lines = until(process.stdout, "1 passed, 0 failed")
        until(process.stderr, "watching; Ctrl-C stops")
        time.sleep(0.5)
        with_tests(folder, BAD)
        lines += until(process.stdout, "1 passed, 1 failed")
        with_tests(folder, BAD.replace("golden", "goldn"))
        until(process.stderr, "error E101")
        os.kill(process.pid, signal.SIGINT)
        assert process.wait(timeout=20) == 130
        assert process.stderr.read().rstrip().endswith("stopped")


def until(stream, text: str) -> list[str]:
    """Return the lines of a stream up to one that has the text."""
    lines = []
    for line in stream:
        lines.append(line)
        if text in line:
            return lines
    raise AssertionError(f"never said: {text}; said: {lines}")


# ---- explain --as-test


def test_a_real_event_is_printed_as_a_test_that_passes(tmp_path: Path):
    folder = make_folder(tmp_path)
    done = run("explain", "product", "MUG-1", "price", "--as-test", "--config", folder)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("entity: product\ntests:\n  - name: the last event of product MUG-1 price\n")
    assert "syncd test" in done.stderr
    with_tests(folder, done.stdout)
    again = run("test", "--config", folder)
    assert again.returncode == 0, again.stdout + again.stderr
    assert run("explain", "product", "NOBODY", "--as-test", "--config", folder).returncode == 1
    assert run("explain", "product", "MUG-1", "prise", "--as-test", "--config", folder).returncode == 64
