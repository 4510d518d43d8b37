"""The way in: usage errors, exit codes, streams, help, the bare command."""

import json
import re
from pathlib import Path

import pytest

from syncd.cli import exits, main
from syncd.cli.command import Command
from syncd.cli.commands import WHERE, named
from syncd.cli.exits import Failed, NoDaemon, Refused, code_of, worst
from syncd.errors import ConfigError, LedgerError, LedgerLocked, UsageError
from tests.cli.scene import make_folder, run

Capture = pytest.CaptureFixture[str]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["verison"], 'no command called "verison"; did you mean "version"?'),
        (["--confg", "x", "check"], 'no option called "--confg"'),
        (["check", "--stirct"], 'no such option: --stirct; did you mean "--strict"?'),
        (["check", "more"], "one word too many: more"),
        (["explain"], "the following arguments are required: ENTITY, ID"),
        (["dead", "sohw"], 'no command called "dead sohw"; did you mean "show"?'),
        (["secrets"], "syncd secrets needs one of: set, list, test"),
        (["check", "--format", "jsn"], '--format jsn: did you mean "json"'),
        (["check", "-o", "report.doc"], "the format of report.doc is not known by its suffix"),
        (["check", "--config"], "--config needs a value"),
        (["conflicts", "resolve", "c-1"], "one of the arguments --take --value --keep --link --split is required"),
        (["conflicts", "resolve", "c-1", "--keep", "--take", "erp"], "not allowed with argument --keep"),
        (["status", "--wait-ready", "soon"], "soon is not a duration: write 30s, 10m or 1h"),
        (["run", "--exit-code"], "--exit-code goes with --once"),
        (["reconcile", "--yes"], "--dry-run and --yes go with --fix"),
        (["version", "--format", "csv"], "this answer is no list, so there is no csv of it"),
        (["status", "--format", "junit"], "junit is a format of syncd reconcile and syncd test only"),
        (["help", "E999"], 'no help on "E999"'),
    ],
)
def test_wrong_usage_exits_64_with_one_error(words: list[str], said: str, capsys: Capture) -> None:
    assert main(words) == 64
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("error: ")
    assert said in err
    assert len(err.splitlines()) <= 2


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["explain", "prodct", "MUG-1"], 'no entity called "prodct"; did you mean "product"?'),
        (["explain", "product", "MUG-1", "prise"], 'no field called "prise"; did you mean "price"?'),
        (["history", "product", "MUG-1", "--field", "x"], 'no field called "x"; product has: sku, name, price'),
        (["changes", "list", "--platform", "shp"], 'no platform called "shp"; did you mean "shop"'),
        (["breaker", "reset", "shop", "produt", "--note", "n"], 'did you mean "product"?'),
        (["breaker", "reset", "shop", "product", "--note", "n", "--allow", "3"], "--allow N and --for TIME go together"),
        (["reconcile", "--why", "strya"], 'no cause called "strya"; did you mean "stray"?'),
        (["reconcile", "--field", "pric"], 'no field called "pric"; did you mean "price"?'),
        (["conflicts", "show", "x-1"], '"x-1" is no id here; one looks like c-118'),
        (["conflicts", "resolve", "c-1", "--take", "sap"], 'no platform called "sap"'),
        (["secrets", "test", "shop-kee"], 'no secret called "shop-kee"; did you mean "shop-key"?'),
        (["dead", "retry"], "name letters or groups (syncd dead lists them), or --all"),
        (["changes", "approve", "ch-1", "--all"], "name changes (syncd changes lists them), or --all"),
    ],
)
def test_a_name_that_is_not_in_the_config_is_wrong_usage(folder: Path, words: list[str], said: str, capsys: Capture) -> None:
    assert main([*words, "--config", str(folder)]) == 64
    assert said in capsys.readouterr().err


@pytest.mark.parametrize(
    "words",
    [
        ["explain", "product", "NO-SUCH"],
        ["explain", "product", "shop:999"],
        ["history", "product", "NO-SUCH"],
        ["conflicts", "show", "c-99"],
        ["dead", "show", "d-99"],
        ["dead", "show", "dg-99"],
    ],
)
def test_what_is_not_in_the_ledger_exits_1(folder: Path, words: list[str], capsys: Capture) -> None:
    assert main([*words, "--config", str(folder)]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert "in the ledger" in err or "in group" in err


def test_no_config_folder_exits_78_and_names_the_places(tmp_path: Path) -> None:
    if Path("/etc/syncd").exists():
        pytest.skip("this machine has /etc/syncd")
    done = run("status", cwd=tmp_path)
    assert done.returncode == 78
    assert "looked at --config, $SYNCD_CONFIG, ./config and /etc/syncd" in done.stderr
    assert run("check", "--config", "nowhere", cwd=tmp_path).returncode == 78


def test_a_config_that_cannot_be_read_exits_78_with_its_place(folder: Path, capsys: Capture) -> None:
    (folder / "entities/product.yaml").write_text("entity: product\nentity: again\n")
    assert main(["status", "--config", str(folder)]) == 78
    out, err = capsys.readouterr()
    assert out == ""
    assert f'{folder}/entities/product.yaml:2:1: error E002: duplicate key "entity"' in err


def test_without_a_ledger_a_reading_command_says_what_makes_it(tmp_path: Path, capsys: Capture) -> None:
    folder = make_folder(tmp_path, ledger=False)
    assert main(["history", "product", "MUG-1", "--config", str(folder)]) == 1
    assert "there is no ledger at" in capsys.readouterr().err


def test_bare_says_what_to_run_until_there_is_a_ledger(tmp_path: Path) -> None:
    if not Path("/etc/syncd").exists():
        done = run(cwd=tmp_path)
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout.startswith("no config folder here; to start:\n")
    folder = make_folder(tmp_path, ledger=False)
    done = run(cwd=tmp_path)
    assert done.stdout.startswith("config has no ledger yet; to start:\n")
    offered = re.findall(r"^  syncd (\w+) ", done.stdout, re.MULTILINE)
    assert set(offered) <= WHERE.keys()
    assert run("--config", folder / "nowhere", cwd=tmp_path).returncode == 78


def test_bare_is_status_once_there_is_a_ledger(folder: Path) -> None:
    done = run(cwd=folder.parent)
    assert done.returncode == 0
    assert done.stdout.startswith("test   not running   2 platforms")
    assert done.stderr.startswith("daemon is not running; showing the ledger as of ")


def test_python_m_syncd_is_the_same_command() -> None:
    assert run("--version").stdout == run("version").stdout
    assert run("version").stdout.startswith("syncd ")


def test_every_command_has_help_that_fits_a_screen(capsys: Capture) -> None:
    for name in WHERE:
        found = named(name)
        names = [[name]] if isinstance(found, Command) else [[name], *([name, sub] for sub in found.commands)]
        for words in names:
            assert main([*words, "--help"]) == 0
            text = capsys.readouterr().out
            assert text.startswith(f"usage: syncd {' '.join(words)}")
            assert len(text.splitlines()) <= 40
            assert main(["help", *words]) == 0
            assert capsys.readouterr().out == text
    assert main(["--help"]) == 0
    overview = capsys.readouterr().out
    assert all(re.search(rf"^  {name} ", overview, re.MULTILINE) for name in WHERE)
    assert len(overview.splitlines()) <= 40


def test_messages_name_only_commands_that_are_there() -> None:
    later = "apply audit backup completion doctor export fmt forget ledger migrate pause plan query restore resume"
    later += " resync rollback rules schema simulate sweep tap test top users"
    missing = "|".join(sorted(set(later.split()) - WHERE.keys()))
    sources = Path(exits.__file__).parents[1]
    named_so = re.compile(rf"\bsyncd (?:{missing})\b(?! is in| works)")
    found = [f"{path.name}: {hit}" for path in sources.rglob("*.py") for hit in named_so.findall(path.read_text())]
    assert found == ["service.py: syncd users"]  # the text of E051 is fixed, to the letter, by the contract of the config


def test_codes_of_errors() -> None:
    found = [code_of(error) for error in (ConfigError("x"), UsageError("x"), LedgerLocked("x"), NoDaemon("x"), Refused("x"))]
    assert found == [78, 64, 75, 69, 5]
    assert (code_of(LedgerError("x")), code_of(ValueError()), code_of(KeyboardInterrupt()), code_of(Failed("x", 4))) == (
        1,
        1,
        130,
        4,
    )


def test_where_several_codes_apply_the_order_is_that_of_the_contract() -> None:
    assert worst([0, 2]) == 2
    assert worst([2, 5, 3]) == 3
    assert worst([3, 4]) == 4
    assert worst([4, 1]) == 1
    assert worst([1, 75, 69, 64, 78]) == 78
    assert worst([]) == 0


def test_what_nobody_expected_is_one_error_with_its_place(monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    def broken(*_: object) -> int:
        raise RuntimeError("boom")

    monkeypatch.setattr("syncd.cli.app.choose", broken)
    assert main(["version"]) == 1
    err = capsys.readouterr().err
    assert "Traceback" in err
    assert err.endswith("error: boom\n")


def test_ctrl_c_exits_130(monkeypatch: pytest.MonkeyPatch) -> None:
    def stopped(*_: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr("syncd.cli.app.choose", stopped)
    assert main(["version"]) == 130


def test_a_reader_that_went_away_is_no_error(folder: Path) -> None:
    done = run("explain", "product", "MUG-1", "--format", "json", "--config", folder)
    assert json.loads(done.stdout)["record"] == "MUG-1"
