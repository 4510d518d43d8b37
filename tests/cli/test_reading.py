"""The commands that only read: run for real, on a folder with a ledger."""

import csv
import io
import json
from pathlib import Path

import pytest

from syncd.cli import main
from tests.cli.scene import daemon, run

Capture = pytest.CaptureFixture[str]
LIVE = {
    "ok": True,
    "exit": 0,
    "daemon": {"running": True, "pid": 7, "since": "2025-11-18T00:00:00Z", "ready": True},
    "platforms": {"shop": {"state": "throttled", "why": "429"}, "erp": {"state": "ok"}},
}


def test_stdout_is_the_answer_and_stderr_everything_else(folder: Path) -> None:
    done = run("conflicts", "--config", folder)
    assert done.returncode == 0
    assert done.stdout.splitlines()[1].startswith("  c-1   2025-11-20 23:55:30   product LAMP-3")
    assert done.stderr.startswith("daemon is not running; showing the ledger as of ")
    assert len(done.stderr.splitlines()) == 1
    assert "\x1b" not in done.stdout


@pytest.mark.parametrize(
    ("words", "key"),
    [
        (["conflicts"], "conflicts"),
        (["conflicts", "list"], "conflicts"),
        (["conflicts", "show", "c-1"], "conflicts"),
        (["changes"], "changes"),
        (["changes", "list", "--platform", "shop"], "changes"),
        (["dead"], "letters"),
        (["dead", "show", "dg-1"], "letters"),
        (["dead", "show", "1"], "letters"),
        (["breaker"], "breakers"),
        (["status"], "platforms"),
        (["history", "product", "MUG-1"], "versions"),
        (["history", "product", "MUG-1", "price", "--since", "2025-01-01"], "versions"),
        (["explain", "product", "MUG-1"], "fields"),
        (["explain", "product", "MUG-1", "price"], "steps"),
        (["explain", "product", "shop:20", "price"], "readings"),
    ],
)
def test_machine_formats(folder: Path, words: list[str], key: str, capsys: Capture) -> None:
    where = ["--config", str(folder)]
    assert main([*words, *where, "--format", "json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert next(iter(document)) == "schema"
    assert document["schema"].endswith("/1.0")
    assert document["complete"] is True
    assert (document["environment"], len(document["config_sha"])) == ("test", 7)
    assert document[key]
    assert main([*words, *where, "--format", "ndjson"]) == 0
    head, *rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert head["type"] == "head"
    assert all(row["type"] for row in rows)
    assert main([*words, *where, "--format", "csv"]) == 0
    assert len(list(csv.reader(io.StringIO(capsys.readouterr().out)))) >= 1
    for kind in ("markdown", "html"):
        assert main([*words, *where, "--format", kind]) == 0
        assert len(capsys.readouterr().out) > 40


def test_a_record_is_found_by_its_key_and_by_a_platforms_id(folder: Path, capsys: Capture) -> None:
    answers = []
    for name in ("LAMP-3", "shop:20", "erp:2", "p2"):
        assert main(["explain", "product", name, "--config", str(folder), "--format", "json"]) == 0
        document = json.loads(capsys.readouterr().out)
        document.pop("generated_at")
        answers.append(document)
    assert all(one == answers[0] for one in answers)


def test_files_are_written_beside_stdout(folder: Path, tmp_path: Path, capsys: Capture) -> None:
    files = [str(tmp_path / name) for name in ("a.json", "b.html", "c.csv", "d.md", "e.txt")]
    words = [word for file in files for word in ("-o", file)]
    assert main(["dead", "--config", str(folder), *words]) == 0
    out = capsys.readouterr().out
    assert "dg-1" in out
    assert json.loads(Path(files[0]).read_text())["letters"]
    assert Path(files[1]).read_text().startswith("<!doctype html>")
    assert Path(files[4]).read_text() == out
    assert main(["dead", "--config", str(folder), "-o", str(tmp_path / "no/such/x.json")]) == 1
    assert "cannot write" in capsys.readouterr().err


def test_status_exits_2_if_asked_and_something_needs_a_person(folder: Path) -> None:
    assert run("status", "--config", folder).returncode == 0
    done = run("status", "--exit-code", "--config", folder)
    assert done.returncode == 2
    assert "syncd breaker reset shop product --note TEXT" in done.stdout
    assert run("status", "--detailed-exitcode", "--config", folder).returncode == 2


def test_status_has_what_the_daemon_tells(folder: Path, capsys: Capture) -> None:
    with daemon(folder / "control.sock", lambda _: [LIVE]) as asked:
        assert main(["status", "--config", str(folder), "--format", "json"]) == 0
        out, err = capsys.readouterr()
        assert main(["history", "product", "MUG-1", "--config", str(folder)]) == 0
        assert capsys.readouterr().err == ""
    document = json.loads(out)
    assert err == ""
    assert asked == [{"do": "status"}]
    assert document["daemon"] == LIVE["daemon"]
    assert [(one["platform"], one["state"]) for one in document["platforms"]] == [("erp", "ok"), ("shop", "throttled")]


def test_status_waits_for_a_daemon_that_is_ready(folder: Path, capsys: Capture) -> None:
    assert main(["status", "--wait-ready", "300ms", "--config", str(folder)]) == 69
    assert "no daemon was ready" in capsys.readouterr().err
    answers = iter([{**LIVE, "daemon": {**LIVE["daemon"], "ready": False}}, LIVE])  # type: ignore[dict-item]
    with daemon(folder / "control.sock", lambda _: [next(answers)]):
        assert main(["status", "--wait-ready", "10s", "--config", str(folder)]) == 0


def test_a_dead_socket_is_no_daemon(folder: Path, capsys: Capture) -> None:
    (folder / "control.sock").touch()
    assert main(["conflicts", "--config", str(folder)]) == 0
    assert "daemon is not running" in capsys.readouterr().err


def test_history_of_the_future_is_empty_and_a_bad_time_is_wrong_usage(folder: Path, capsys: Capture) -> None:
    words = ["history", "product", "MUG-1", "--config", str(folder)]
    assert main([*words, "--since", "2999-01-01"]) == 0
    assert capsys.readouterr().out.startswith("0 versions")
    assert main([*words, "--since", "yesterday"]) == 64


def test_reading_changes_nothing(folder: Path) -> None:
    ledger = folder / "state/ledger.db"
    before = ledger.read_bytes()
    for words in (["status"], ["conflicts"], ["explain", "product", "MUG-1"], ["dead"], ["changes"]):
        assert run(*words, "--config", folder).returncode == 0
    assert ledger.read_bytes() == before


def test_a_damaged_ledger_is_a_clear_error(folder: Path, capsys: Capture) -> None:
    for beside in folder.glob("state/*"):
        beside.unlink()
    (folder / "state/ledger.db").write_bytes(b"not a ledger at all" * 100)
    assert main(["status", "--config", str(folder)]) == 1
    assert "error: " in capsys.readouterr().err
