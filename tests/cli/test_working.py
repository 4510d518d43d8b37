"""The commands that need the ledger's writer: what they ask of a daemon, and what they make of its answer."""

import json
from pathlib import Path
from typing import Any

import pytest

from syncd.cli import main
from tests.cli.scene import daemon, run
from tests.reports.scene import drift, row

Capture = pytest.CaptureFixture[str]
LINE = {
    "state": "ok",
    "entity": "product",
    "record": "LAMP-3",
    "platform": "shop",
    "field": "price",
    "before": "10.00",
    "after": "16.00",
    "note": "",
}


def done(**more: Any) -> list[dict[str, Any]]:
    return [{"ok": True, "exit": 0, **more}]


def said_to(folder: Path, words: list[str], *lines: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    """Run a command beside a daemon that answers so; return the exit code and the last request without its user."""
    with daemon(folder / "control.sock", lambda _: list(lines) or done()) as asked:
        code = main([*words, "--config", str(folder)])
    request = dict(asked[-1])
    assert str(request.pop("by", "cli:")).startswith("cli:")
    return code, request


@pytest.mark.parametrize(
    ("words", "request_"),
    [
        (
            ["conflicts", "resolve", "c-1", "--take", "erp", "--note", "ok"],
            {"do": "resolve", "conflict": 1, "take": "erp", "note": "ok"},
        ),
        (["conflicts", "resolve", "1", "--value", "14.50"], {"do": "resolve", "conflict": 1, "value": "14.50", "note": ""}),
        (["conflicts", "resolve", "1", "--keep"], {"do": "resolve", "conflict": 1, "keep": True, "note": ""}),
        (["changes", "approve", "ch-1", "2"], {"do": "approve", "ids": [1, 2], "note": ""}),
        (["changes", "approve", "--all", "--yes"], {"do": "approve", "ids": [1], "note": ""}),
        (["changes", "reject", "ch-1", "--note", "no"], {"do": "reject", "ids": [1], "note": "no"}),
        (["dead", "retry", "d-1", "dg-2"], {"do": "retry", "letters": [1], "groups": [2], "all": False, "max": None}),
        (["dead", "retry", "--all", "--max", "5"], {"do": "retry", "letters": [], "groups": [], "all": True, "max": 5}),
        (["dead", "discard", "d-1", "--note", "sold out"], {"do": "discard", "letters": [1], "note": "sold out"}),
        (
            ["breaker", "reset", "shop", "product", "--note", "right"],
            {"do": "breaker_reset", "platform": "shop", "entity": "product", "note": "right", "allow": None, "for_us": None},
        ),
        (
            ["breaker", "reset", "shop", "product", "--note", "right", "--allow", "300", "--for", "1h"],
            {
                "do": "breaker_reset",
                "platform": "shop",
                "entity": "product",
                "note": "right",
                "allow": 300,
                "for_us": 3_600_000_000,
            },
        ),
        (["reload"], {"do": "reload"}),
    ],
)
def test_what_is_asked_of_the_daemon(folder: Path, words: list[str], request_: dict[str, Any]) -> None:
    assert said_to(folder, words) == (0, request_)


def test_what_was_written_is_printed(folder: Path, capsys: Capture) -> None:
    assert said_to(folder, ["conflicts", "resolve", "c-1", "--take", "erp"], *done(lines=[LINE]))[0] == 0
    assert capsys.readouterr().out.splitlines() == [
        "  ok   product LAMP-3   shop   price   10.00 -> 16.00",
        "",
        "c-1 settled.  1 written.",
    ]
    said_to(folder, ["conflicts", "resolve", "c-1", "--take", "erp", "--format", "json"], *done(lines=[LINE]))
    document = json.loads(capsys.readouterr().out)
    assert (document["schema"], document["lines"]) == ("syncd.writes/1.0", [LINE])


def test_an_answer_that_says_no_is_the_exit_code(folder: Path, capsys: Capture) -> None:
    refusal = {"ok": False, "exit": 1, "error": "no conflict c-9 in the ledger"}
    assert said_to(folder, ["conflicts", "resolve", "c-9", "--keep"], refusal)[0] == 1
    assert capsys.readouterr().err == "error: no conflict c-9 in the ledger\n"
    assert said_to(folder, ["dead", "retry", "--all"], {"ok": True, "exit": 4, "lines": []})[0] == 4


def test_a_reload_that_is_refused_says_why(folder: Path, capsys: Capture) -> None:
    answer = {
        "ok": False,
        "exit": 78,
        "error": "the config has errors; the old one stays",
        "diagnostics": "a.yaml:1:1: error E104",
    }
    assert said_to(folder, ["reload"], answer)[0] == 78
    assert capsys.readouterr().err == "a.yaml:1:1: error E104\n\nerror: the config has errors; the old one stays\n"


def test_a_reload_reaches_the_daemon_while_the_config_is_broken(folder: Path) -> None:
    (folder / "entities/product.yaml").write_text("entity: [\n")
    assert said_to(folder, ["reload"])[1] == {"do": "reload"}


def test_a_reload_needs_a_daemon(folder: Path, capsys: Capture) -> None:
    assert main(["reload", "--config", str(folder)]) == 69
    assert "start one with: syncd run" in capsys.readouterr().err


def test_a_daemon_that_goes_away_is_an_error(folder: Path, capsys: Capture) -> None:
    with daemon(folder / "control.sock", lambda _: [{"type": "progress", "text": "half"}]):
        assert main(["reload", "--config", str(folder)]) == 1
    assert "went away before it answered; what it had begun goes on when it runs again" in capsys.readouterr().err


# ---- reconcile

REPORT = drift([row("MUG-1", platform="shop"), row("LAMP-3", "held", platform="shop")], previous=None)


def reconcile(folder: Path, *words: str, **more: Any) -> tuple[int, list[dict[str, Any]]]:
    answer = {"exit": 0, "report": REPORT, **more}
    with daemon(folder / "control.sock", lambda _: done(**answer)) as asked:
        code = main(["reconcile", "--config", str(folder), *words])
    return code, asked


def test_reconcile_asks_for_its_scope_and_prints_the_report(folder: Path, capsys: Capture) -> None:
    words = ["--entity", "product", "--platform", "shop", "--field", "price", "--why", "stray, held"]
    code, (asked,) = reconcile(folder, *words)
    assert code == 0
    asked.pop("by")
    assert asked == {
        "do": "reconcile",
        "entities": ["product"],
        "platforms": ["shop"],
        "fields": ["price"],
        "why": ["stray", "held"],
        "fix": False,
    }
    assert capsys.readouterr().out.startswith("Drift report r-20261120-0215")


def test_reconcile_shows_only_the_causes_asked_for(folder: Path, capsys: Capture) -> None:
    reconcile(folder, "--why", "held", "--format", "json")
    assert [one["why"] for one in json.loads(capsys.readouterr().out)["rows"]] == ["held"]


def test_reconcile_exit_codes(folder: Path, capsys: Capture) -> None:
    assert reconcile(folder)[0] == 0
    assert reconcile(folder, "--exit-code")[0] == 2
    assert reconcile(folder, "--exit-code", "--why", "missing")[0] == 0
    assert reconcile(folder, "--exit-code", report={**REPORT, "complete": False})[0] == 3
    assert reconcile(folder, exit=4)[0] == 4


def test_reconcile_in_junit_for_ci(folder: Path, tmp_path: Path, capsys: Capture) -> None:
    file = tmp_path / "drift.xml"
    reconcile(folder, "-o", str(file))
    assert '<testsuite name="product"' in file.read_text()
    assert capsys.readouterr().out.startswith("Drift report")


def test_fix_asks_nobody_on_a_pipe(folder: Path) -> None:
    with daemon(folder / "control.sock", lambda _: done(report=REPORT)) as asked:
        refused = run("reconcile", "--fix", "--config", folder)
    assert refused.returncode == 5
    assert "1 write to 1 platform: shop 1." in refused.stderr
    assert "add --yes to write them" in refused.stderr
    assert [one["fix"] for one in asked] == [False]


def test_fix_with_yes_writes_and_says_what(folder: Path, capsys: Capture) -> None:
    code, asked = reconcile(folder, "--fix", "--yes", "--why", "stray", lines=[LINE])
    assert code == 0
    assert [one["fix"] for one in asked] == [False, True]
    assert asked[1]["why"] == ["stray"]
    assert "Repaired.  1 written." in capsys.readouterr().out


def test_fix_for_a_machine_is_one_object_and_files_keep_the_report(folder: Path, tmp_path: Path, capsys: Capture) -> None:
    file = tmp_path / "drift.json"
    reconcile(folder, "--fix", "--yes", "--format", "json", "-o", str(file), lines=[LINE])
    report = json.loads(capsys.readouterr().out)
    assert report["schema"].startswith("syncd.reconcile/")
    assert [line["state"] for line in report["writes"]] == ["ok"]
    assert json.loads(file.read_text()) == report


def test_a_fix_that_wrote_nothing_does_not_claim_a_repair(folder: Path, capsys: Capture) -> None:
    reconcile(folder, "--fix", "--yes", lines=[])
    assert "Nothing was written: " in capsys.readouterr().out


def test_a_dry_run_writes_nothing(folder: Path, capsys: Capture) -> None:
    code, asked = reconcile(folder, "--fix", "--dry-run")
    assert (code, len(asked)) == (0, 1)
    assert "Nothing was written." in capsys.readouterr().err


def test_nothing_to_fix_asks_nothing(folder: Path, capsys: Capture) -> None:
    code, asked = reconcile(folder, "--fix", report=drift([]))
    assert (code, len(asked)) == (0, 1)
    assert "0 writes to 0 platforms.  Refused by mode: 0.\nNothing to write." in capsys.readouterr().err


def test_approving_all_asks_nobody_on_a_pipe(folder: Path) -> None:
    refused = run("changes", "approve", "--all", "--config", folder)
    assert refused.returncode == 5
    assert "add --yes to do it" in refused.stderr
