"""The commands that set syncd up: init, check, secrets."""

import json
import stat
from pathlib import Path

import pytest

from syncd.cli import main
from syncd.cli.init import SKELETON
from tests.cli.scene import run

Capture = pytest.CaptureFixture[str]


def test_init_writes_the_commented_skeleton(tmp_path: Path) -> None:
    done = run("init", cwd=tmp_path)
    assert done.returncode == 0
    assert done.stdout.startswith("Wrote config/ (")
    assert done.stdout.rstrip().endswith("then  syncd check  then  syncd test  then  syncd reconcile")
    ours = {path.relative_to(SKELETON): path.read_text() for path in SKELETON.rglob("*.yaml")}
    theirs = {path.relative_to(tmp_path / "config"): path.read_text() for path in (tmp_path / "config").rglob("*.yaml")}
    assert ours == theirs
    assert len(ours) >= 3
    assert all("#" in text for text in ours.values())


def test_init_never_writes_over_a_folder_unless_told_and_then_keeps_a_copy(tmp_path: Path, capsys: Capture) -> None:
    target = tmp_path / "etc"
    target.mkdir()
    (target / "syncd.yaml").write_text("mine")
    assert main(["init", str(target)]) == 5
    assert "--force" in capsys.readouterr().err
    assert (target / "syncd.yaml").read_text() == "mine"
    assert main(["init", "--config", str(target), "--force"]) == 0
    (kept,) = tmp_path.glob("etc.*")
    assert (kept / "syncd.yaml").read_text() == "mine"
    assert (target / "syncd.yaml").read_text() != "mine"


def test_init_where_nothing_can_be_written(tmp_path: Path, capsys: Capture) -> None:
    (tmp_path / "file").write_text("")
    assert main(["init", str(tmp_path / "file/config")]) == 1
    assert "cannot write" in capsys.readouterr().err


def test_check_prints_files_findings_and_counts(folder: Path) -> None:
    done = run("check", "--config", "config", cwd=folder.parent)
    lines = done.stdout.splitlines()
    assert (done.returncode, done.stderr) == (0, "")
    assert lines[0].split() == ["ok", "config/syncd.yaml"]
    assert "warning W032: no secret erp-db" in done.stdout
    assert "0 errors, 2 warnings.  Offline check in " in lines[-1]


def test_check_exits_78_for_an_error_and_if_strict_for_a_warning(folder: Path, capsys: Capture) -> None:
    assert main(["check", "--config", str(folder), "--strict"]) == 78
    (folder / "entities/product.yaml").write_text(
        (folder / "entities/product.yaml").read_text().replace("truth: erp", "truth: epr")
    )
    capsys.readouterr()
    assert main(["check", "--config", str(folder)]) == 78
    out, err = capsys.readouterr()
    assert err == ""
    assert 'error E201: no platform called "epr"' in out
    assert 'did you mean "erp"' in out


def test_check_in_json(folder: Path, capsys: Capture) -> None:
    assert main(["check", "--config", str(folder), "--format", "json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["schema"] == "syncd.check/1.0"
    (product,) = [one for one in document["files"] if one["file"].endswith("product.yaml")]
    assert (product["state"], product["fields"], product["rules"]) == ("ok", 3, 3)
    keys = {"code", "severity", "file", "line", "col", "end_col", "message", "hint", "why", "fix", "doc"}
    assert all(keys <= one.keys() for one in document["diagnostics"])
    assert document["diagnostics"][0]["code"] == "W032"


def test_check_and_the_other_commands_mean_the_same_config(folder: Path, capsys: Capture) -> None:
    shas = set()
    for words in (["check"], ["status"], ["secrets", "list"]):
        assert main([*words, "--config", str(folder), "--format", "json"]) == 0
        shas.add(json.loads(capsys.readouterr().out)["config_sha"])
    assert len(shas) == 1


def test_help_explains_a_code(capsys: Capture) -> None:
    assert main(["help", "e203"]) == 0
    assert capsys.readouterr().out.startswith("E203")


def test_secrets_are_set_listed_and_tested_but_never_printed(folder: Path) -> None:
    where = ["--config", folder]
    missing = run("secrets", "test", *where)
    assert missing.returncode == 1
    assert "Store one: syncd secrets set" in missing.stdout
    for name in ("erp-db", "shop-key", "other"):
        stored = run("secrets", "set", name, *where, stdin=f"value-of-{name}\n")
        assert (stored.returncode, "value-of" in stored.stdout + stored.stderr) == (0, False)
        assert ("names secret:" in stored.stderr) == (name == "other")
        file = folder / "secrets" / name
        assert (file.read_text(), stat.S_IMODE(file.stat().st_mode)) == (f"value-of-{name}", 0o600)
    listed = run("secrets", "list", *where, "--format", "json")
    assert "value-of" not in listed.stdout
    found = {one["name"]: (one["state"], one["source"], bool(one["used_by"])) for one in json.loads(listed.stdout)["secrets"]}
    assert found == {"erp-db": ("ok", "folder", True), "shop-key": ("ok", "folder", True), "other": ("ok", "folder", False)}
    assert run("secrets", "test", *where).returncode == 0
    (folder / "secrets/shop-key").chmod(0o644)
    loose = run("secrets", "test", "shop-key", *where)
    assert (loose.returncode, "mode 0644" in loose.stdout) == (1, True)


def test_an_empty_secret_is_not_stored(folder: Path) -> None:
    assert run("secrets", "set", "shop-key", "--config", folder, stdin="\n").returncode == 64
    assert not (folder / "secrets").exists()


def test_a_secret_can_be_stored_while_the_config_has_errors(folder: Path) -> None:
    (folder / "platforms/shop.yaml").write_text("platform: shop\nconnector: nonsense\n")
    assert run("secrets", "set", "shop-key", "--config", folder, stdin="x\n").returncode == 0
