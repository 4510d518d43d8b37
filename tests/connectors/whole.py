"""The whole of syncd in processes of its own, between platforms that run in processes of their own."""

import subprocess
import sys
import textwrap
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from tests.connectors.large import ROOT

SERVICE = """
version: 1
environment: test
timezone: UTC
ledger: {path: STATE/ledger.db}
listen: {hooks: none, console: none, control: STATE/control.sock}
defaults: {mode: enforce, stray_edits: revert}
safety:
  deletes: {max: 100, ratio: 100%, per: 1h}
"""


def write_config(folder: Path, platforms: Mapping[str, Mapping[str, Any]], entities: Mapping[str, str]) -> None:
    """Write a config folder; a platform says all but its name and that it is enforced."""
    files = {"syncd.yaml": SERVICE.replace("STATE", str(folder))}
    for name, platform in platforms.items():
        files[f"platforms/{name}.yaml"] = yaml.safe_dump({"platform": name, "mode": "enforce", **platform}, sort_keys=False)
    files |= {f"entities/{name}.yaml": text for name, text in entities.items()}
    for path, text in files.items():
        place = folder / "config" / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(textwrap.dedent(text))


def command(folder: Path, *words: str) -> list[str]:
    """Return the command line of syncd for a config folder."""
    return [sys.executable, "-m", "syncd", "--config", str(folder / "config"), *words]


def syncd(folder: Path, *words: str, expect: int = 0) -> str:
    """Return what one command prints, after it ended as it should."""
    done = subprocess.run(command(folder, *words), cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == expect, (done.returncode, done.stdout + done.stderr)
    return done.stdout + done.stderr
