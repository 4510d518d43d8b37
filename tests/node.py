"""Sets of npm packages, each of a fixed version, that tests and examples run: a vendor's own server, evaluator or verifier.

A set is installed once into a cache folder (``SYNCD_NODE``, else ``~/.cache/syncd-node``) that all test workers and runs share.
No script of a package runs while it is installed. Where our Node is too old for a set (Debian 12 has 18, CAP wants 22), a newer
one comes as a package with it: run a set by ``node(name)``.
"""

import fcntl
import hashlib
import json
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_SANITY = {"groq-js": "1.30.3", "@sanity/client": "7.28.0", "@sanity/webhook": "4.0.4"}
SETS: dict[str, dict[str, str]] = {
    "cap": {
        "@cap-js-community/odata-v2-adapter": "1.15.10",
        "@cap-js/sqlite": "3.1.1",
        "@sap/cds": "10.1.1",
        "@sap/cds-dk": "10.1.2",
    },
    "groq": _SANITY,
    "sanity": _SANITY,
    "shopify": {"@shopify/shopify-api": "13.1.0"},
}
OLDEST = {"cap": 22}  # the Node that a set needs; all others need 20
NEWER = "22.23.3"
INSTALL = ("install", "--no-audit", "--no-fund", "--ignore-scripts", "--omit=optional", "--no-package-lock", "--loglevel=error")


class NodeMissingError(RuntimeError):
    """Node.js, npm or the packages are not to be had here. The text says what to install."""


def installed(name: str) -> Path:
    """Return the folder that holds ``node_modules`` of a set, installed if it is not there yet (5 to 20 s).

    Under pytest a set that cannot be had skips the test, and fails it where ``CI`` is set; elsewhere NodeMissingError
    is raised.
    """
    try:
        return _installed(name)
    except NodeMissingError as error:
        if (pytest := sys.modules.get("pytest")) is None:
            raise
        reason = f"{error} (in CI it has to be there)" if os.environ.get("CI") else str(error)
        raise (pytest.fail if os.environ.get("CI") else pytest.skip).Exception(reason) from error


def node(name: str) -> str:
    """Return the program ``node`` that runs this set; raises or skips as ``installed``."""
    bundled = next(iter((installed(name) / "node_modules").glob("node-*/bin/node")), None)
    return str(bundled or shutil.which("node"))


def _installed(name: str) -> Path:
    pins = SETS[name] | _runtime(name)
    text = json.dumps({"private": True, "dependencies": pins}, sort_keys=True, indent=1)
    root = Path(os.environ.get("SYNCD_NODE") or "~/.cache/syncd-node").expanduser()
    folder = root / hashlib.sha256(text.encode()).hexdigest()[:16]
    if folder.is_dir():
        return folder
    with _locked(root, folder.name):
        if not folder.is_dir():
            _install(text, folder)
    return folder


def _runtime(name: str) -> dict[str, str]:
    """Return the package that brings a newer Node, if ours is too old for the set."""
    program = shutil.which("node")
    if program is None or shutil.which("npm") is None:
        raise NodeMissingError("Node.js with npm is not here: install Node.js 20 or newer (Debian: apt-get install nodejs npm)")
    version = subprocess.run([program, "--version"], capture_output=True, text=True, timeout=60, check=True).stdout.strip()
    ours = int(version.removeprefix("v").split(".")[0])
    oldest = OLDEST.get(name, 20)
    if ours >= oldest:
        return {}
    chip = {"x86_64": "x64", "aarch64": "arm64"}.get(platform.machine())
    if sys.platform == "linux" and chip:
        return {f"node-linux-{chip}": NEWER}
    raise NodeMissingError(f"Node.js is {version}: the npm packages {', '.join(SETS[name])} need {oldest} or newer")


@contextmanager
def _locked(root: Path, name: str) -> Iterator[None]:
    root.mkdir(parents=True, exist_ok=True)
    with (root / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _install(text: str, folder: Path) -> None:
    """Install beside the folder and rename: an install that was killed leaves nothing that looks complete."""
    part = folder.with_name(f"{folder.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir()
    (part / "package.json").write_text(text)
    try:
        done = subprocess.run(["npm", *INSTALL], cwd=part, capture_output=True, text=True, timeout=600, check=False)
    except subprocess.TimeoutExpired as error:
        raise NodeMissingError("npm install did not end within 10 minutes: is the npm registry reachable?") from error
    if done.returncode:
        raise NodeMissingError(
            f"npm install of {', '.join(json.loads(text)['dependencies'])} failed: {done.stderr.strip()[-800:]}"
        )
    part.rename(folder)
