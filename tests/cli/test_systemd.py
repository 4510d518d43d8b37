"""The unit that ships: systemd itself says whether it is well formed and how exposed it is."""

import configparser
import os
import shutil
import stat
import subprocess
from pathlib import Path

import pytest

UNITS = Path(__file__).parents[2] / "systemd"
UNIT = UNITS / "syncd.service"


def tool(name: str) -> str:
    """Return the path of a systemd tool; without it the test is skipped on a desk and fails in CI."""
    found = shutil.which(name)
    if found is None:
        missing = pytest.fail if os.environ.get("CI") else pytest.skip
        missing(f"{name} is not installed")
    assert found
    return found


def run(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def setting(name: str) -> list[str]:
    pairs = (line.partition("=") for line in UNIT.read_text().splitlines() if not line.startswith(("#", "[")))
    return [value for key, _, value in pairs if key == name]


def test_verify_is_silent() -> None:
    done = run(tool("systemd-analyze"), "verify", str(UNIT))
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_exposure_is_low() -> None:
    done = run(tool("systemd-analyze"), "security", "--offline=true", "--threshold=11", str(UNIT))
    assert done.returncode == 0, done.stdout.splitlines()[-1]


def test_the_commands_exist_and_find_syncd_by_its_name() -> None:
    assert setting("ExecStart") == ["/usr/bin/env syncd run --config /etc/syncd"]
    assert setting("ExecReload") == ["/usr/bin/env syncd reload --config /etc/syncd"]
    assert "ExecStartPre" not in UNIT.read_text()


def test_wrong_usage_and_an_invalid_config_are_not_tried_again() -> None:
    assert setting("Restart") == ["on-failure"]
    assert setting("RestartPreventExitStatus") == ["64 78"]


def test_it_is_watched_and_tells_when_it_is_ready() -> None:
    assert (setting("Type"), setting("NotifyAccess"), setting("WatchdogSec")) == (["notify"], ["main"], ["60"])


def test_the_comment_says_how_a_drop_folder_is_let_through() -> None:
    assert "#   ReadWritePaths=/srv/drop" in UNIT.read_text()
    assert setting("ReadWritePaths") == []


def test_the_user_is_made_by_sysusers() -> None:
    done = run(tool("systemd-sysusers"), "--dry-run", str(UNITS / "syncd.sysusers.conf"))
    assert done.returncode == 0, done.stderr
    assert setting("User") == setting("Group") == ["syncd"]


def test_the_credentials_folder_is_closed(tmp_path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root may give folders to root")
    done = run(tool("systemd-tmpfiles"), f"--root={tmp_path}", "--create", str(UNITS / "syncd.tmpfiles.conf"))
    assert done.returncode == 0, done.stderr
    assert stat.S_IMODE((tmp_path / "etc/syncd/credentials").stat().st_mode) == 0o700
    assert setting("LoadCredential") == ["syncd:/etc/syncd/credentials"]


def test_the_unit_is_one_that_any_parser_reads() -> None:
    parser = configparser.RawConfigParser(strict=False)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read(UNIT)
    assert parser.sections() == ["Unit", "Service", "Install"]
