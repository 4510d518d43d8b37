"""How much memory a connector needs for a long list: it scans in a process of its own, from a server in another one.

    with served("tests.emulators.graphql", "--things", "100000") as url:
        assert_frugal(peak("graphql", connection={"base_url": url}, collections={"things": {...}}), rows=100_000)

Both are plain functions: a test that uses them is no coroutine. ``python -m tests.connectors.large --port N --things N``
serves a JSON API whose things are made as they are asked for.
"""

import argparse
import asyncio
import json
import os
import resource
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from aiohttp import web

from syncd.connectors.registry import MODULES
from syncd.errors import TransientError
from tests.connectors.contract import clock, setup_for
from tests.connectors.servers import free_port, listens, wait_for

ROOT = Path(__file__).parents[2]
ROWS = 100_000
MOST = 200 * 1024 * 1024  # bytes that the whole process of a connector may take
PATIENCE = 300  # seconds for one scan


@dataclass(frozen=True, slots=True)
class Peak:
    """What one scan took. ``resident``: bytes at the most, of the whole process; ``seconds`` are those of the scan alone."""

    rows: int
    broken: int
    pages: int
    complete: bool
    why: str
    resident: int
    seconds: float


@contextmanager
def served(module: str, *arguments: str, seconds: float = 60) -> Iterator[str]:
    """Yield the address of ``python -m MODULE --port N ARGUMENTS``, which is ended at the end."""
    port = free_port()
    command = [sys.executable, "-m", module, "--port", str(port), *arguments]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL)
    try:
        wait_for(lambda: process.poll() is not None or listens(port), seconds=seconds)
        assert process.poll() is None, f"{module} ended at once, with {process.returncode}"
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(timeout=20)


def peak(
    kind: str,
    *,
    connection: Mapping[str, Any],
    collections: Mapping[str, Mapping[str, Any]],
    collection: str = "",
    secrets: Mapping[str, str] | None = None,
    **other: Any,
) -> Peak:
    """Scan a collection (the first, where none is named) once, in a process of its own, and return what that took.

    ``secrets`` by name; ``other`` is what ``setup_for`` takes: watch, limits, write, fields, keys.
    """
    asked = {
        "kind": kind,
        "collection": collection or next(iter(collections)),
        "secrets": dict(secrets or {}),
        "setup": {"connection": dict(connection), "collections": dict(collections), **other},
    }
    done = subprocess.run(
        [sys.executable, "-m", "tests.connectors.large"],
        cwd=ROOT, input=json.dumps(asked), capture_output=True, text=True, timeout=PATIENCE, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-4000:]
    return Peak(**json.loads(done.stdout.splitlines()[-1]))


def assert_frugal(found: Peak, *, rows: int = ROWS, most: int = MOST) -> None:
    """Assert that a scan was whole and took no more memory than it may."""
    assert (found.rows, found.broken, found.complete, found.why) == (rows, 0, True, ""), found
    assert found.resident < most, f"{found.resident / 2**20:.0f} MB: {found}"


def _resident() -> int:
    """Return the bytes that this program had in memory at the most. ``ru_maxrss`` counts what its parent had before exec."""
    status = Path("/proc/self/status")
    lines = status.read_text().splitlines() if status.exists() else []
    found = next((line.split()[1] for line in lines if line.startswith("VmHWM:")), None)
    return int(found) * 1024 if found else resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


async def _scan(asked: Mapping[str, Any]) -> Peak:
    def secret(name: str) -> str:
        if name not in asked["secrets"]:
            raise TransientError(f"login: no secret {name}")
        return str(asked["secrets"][name])

    kind = import_module(MODULES[asked["kind"]]).KIND
    options = {name: tuple(value) if name in {"fields", "writes", "keys"} else value for name, value in asked["setup"].items()}
    setup = setup_for(kind, **options, secret=secret, numbers=iter(range(10**9)).__next__)
    begun, rows, broken, pages, page = clock(), 0, 0, 0, None
    async with kind.connect(setup) as connector:
        async for page in connector.scan(asked["collection"]):
            rows, broken, pages = rows + len(page.changes), broken + len(page.broken), pages + 1
    assert page is not None
    assert page.last
    return Peak(rows, broken, pages, page.complete, page.why, _resident(), (clock() - begun) / 1e6)


def _app(things: int) -> web.Application:
    async def products(request: web.Request) -> web.Response:
        size, number = int(request.query["size"]), int(request.query["page"])
        part = range((number - 1) * size, min(number * size, things))
        shown = [{"id": n, "sku": f"S-{n}", "name": f"A thing with a name, {n}", "price": n / 4, "stock": n} for n in part]
        return web.json_response({"data": shown, "total": things})

    app = web.Application()
    app.router.add_get("/products", products)
    return app


def main() -> None:
    """Serve, if a port is given; else scan what is asked for on standard input."""
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--port", type=int)
    words.add_argument("--things", type=int, default=ROWS)
    given = words.parse_args()
    if given.port:
        web.run_app(_app(given.things), host="127.0.0.1", port=given.port, print=None)
        return
    found = asyncio.run(_scan(json.load(sys.stdin)))
    os.write(1, json.dumps(asdict(found)).encode() + b"\n")


if __name__ == "__main__":
    main()
