"""SAP's own OData server program (CAP) with SAP's own models, as V4 and as V2, on 127.0.0.1.

CAP answers for paging, filters, ETags (428, 412) and $batch. ``server.js`` adds what an S/4HANA has and CAP does not: change
stamps and CSRF tokens with session cookies; and a second port by which a test edits, counts and makes it misbehave.
SAP's models are read where ``SYNCD_SHARED`` says and imported by SAP's own tool when the server starts; our own, "things" and
"materials", need nothing but Node.
"""

import asyncio
import contextlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import urllib.request
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

from tests.node import installed, node

HERE = Path(__file__).parent
SAP = {"product": "API_PRODUCT_SRV", "partner": "API_BUSINESS_PARTNER"}
ETAGS = {"product": "A_Product : LastChangeDateTime", "partner": "A_BusinessPartner : ETag"}
MAIN = {"product": "A_Product", "partner": "A_BusinessPartner", "things": "Thing", "materials": "Material"}


class Cap:
    """A running server. ``v4`` and ``v2`` are the service's base URLs; ``entity`` is the model's main entity set.

    The V2 adapter's own links name the host ``localhost``, whatever was asked: as behind a gateway, another name of the same.
    """

    def __init__(self, model: str, ready: Mapping[str, Any], process: "subprocess.Popen[str]") -> None:
        self.entity = MAIN[model]
        self.port: int = ready["port"]
        self.pid = process.pid
        self.v4 = f"http://127.0.0.1:{self.port}{ready['paths']}"
        self.v2 = self.v4.replace("/odata/v4", "/odata/v2")
        self.control = f"http://127.0.0.1:{ready['control']}"

    def url(self, protocol: str) -> str:
        """Return the base URL of "v4" or "v2"."""
        return self.v4 if protocol == "v4" else self.v2

    def call(self, name: str, **arguments: Any) -> Any:
        """Ask the control port: ``reset``, ``put``, ``rows``, ``fill``, ``drop``, ``page``, ``down``, as server.js has it."""
        body = json.dumps(arguments, default=str).encode()
        request = urllib.request.Request(f"{self.control}/{name}", body, {"content-type": "application/json"})
        with urllib.request.urlopen(request, timeout=120) as answer:
            return json.loads(answer.read())

    async def ask(self, name: str, **arguments: Any) -> Any:
        """Ask the control port without holding up the loop."""
        return await asyncio.to_thread(lambda: self.call(name, **arguments))

    async def put(self, row: Mapping[str, Any], entity: str | None = None) -> dict[str, Any]:
        """Create or change one row as somebody else would, stamped as changed; return its key."""
        key: dict[str, Any] = await self.ask("put", entity=entity or self.entity, row=row)
        return key

    async def rows(self, rows: Sequence[Mapping[str, Any]], entity: str | None = None, *, ago: int = 0) -> None:
        """Create many rows at once, changed some seconds ago."""
        await self.ask("rows", entity=entity or self.entity, rows=rows, ago=ago)

    async def many(self, rows: Sequence[Mapping[str, Any]], entity: str | None = None) -> None:
        """Change many rows in one transaction, as an import does."""
        await self.ask("many", entity=entity or self.entity, rows=rows)

    async def held(self, key: Mapping[str, Any], entity: str | None = None) -> dict[str, Any] | None:
        """Return what the database holds under a key."""
        row: dict[str, Any] | None = await self.ask("held", entity=entity or self.entity, key=key)
        return row

    async def fault(self, kind: str, *, times: int = 1, **other: Any) -> None:
        """Misbehave the next ``times`` times that ``method`` (a list) and ``path`` (a pattern) match, ``after`` so many.

        ``status`` answers with ``status`` and ``headers``; ``cut`` breaks off before, ``lost`` after the work was done;
        ``half`` and ``garbage`` spoil the answer; ``slow`` waits ``ms``; ``expire`` forgets all sessions first.
        """
        await self.ask("faults", faults=[{"kind": kind, "times": times} | other])

    async def seen(self) -> list[dict[str, Any]]:
        """Return every request so far: method (as meant), url (decoded), the headers of interest, status."""
        requests: list[dict[str, Any]] = (await self.ask("seen"))["seen"]
        return requests

    async def writes(self) -> int:
        """Return how many requests that change something arrived."""
        return sum(one["method"] not in {"GET", "HEAD"} for one in await self.seen())


@contextmanager
def cap_process(
    model: str = "things",
    *,
    csrf: bool = False,
    page_limit: int | None = None,
    authorization: str | None = None,
    port: int = 0,
    control: int = 0,
    data: Path | None = None,
) -> Iterator[Cap]:
    """Start a server (1 to 2 s), yield it, and clear it away. ``data``: a CSV file of the main entity."""
    options = {"csrf": csrf, "page": page_limit, "authorization": authorization, "control": control}
    packages = installed("cap")
    with tempfile.TemporaryDirectory(prefix="syncd-cap-") as folder:
        _project(Path(folder), model, packages, data)
        program = [node("cap"), str(packages / "node_modules/@sap/cds/bin/serve.js"), "--port", str(port), "--in-memory"]
        environment = {**os.environ, "CAP_OPTIONS": json.dumps(options), "NODE_OPTIONS": "", "NO_COLOR": "1"}
        log = Path(folder) / "log"
        with log.open("w") as errors:
            process = subprocess.Popen(
                program,
                cwd=folder,
                env=environment,
                text=True,
                stdin=subprocess.PIPE,  # ends with us, and the server with it
                stdout=subprocess.PIPE,
                stderr=errors,
                start_new_session=True,
            )
            try:
                yield Cap(model, _ready(process, log), process)
            finally:
                process.terminate()
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(5)
                process.kill()
                process.wait()
                for pipe in (process.stdin, process.stdout):
                    if pipe is not None:
                        pipe.close()


@asynccontextmanager
async def cap_server(model: str = "things", **options: Any) -> AsyncIterator[Cap]:
    """Start a server in its own process from within a loop; options as of ``cap_process``."""
    manager = cap_process(model, **options)
    server = await asyncio.to_thread(manager.__enter__)
    try:
        yield server
    finally:
        await asyncio.to_thread(manager.__exit__, None, None, None)


def _ready(process: "subprocess.Popen[str]", log: Path) -> dict[str, Any]:
    """Wait until it listens, then go on reading what it says: a full pipe would stop it."""
    assert process.stdout is not None
    told = []
    for line in process.stdout:
        if line.startswith("READY "):
            threading.Thread(target=_drain, args=(process.stdout,), daemon=True).start()
            found: dict[str, Any] = json.loads(line.removeprefix("READY "))
            return found
        told.append(line)
    raise RuntimeError(f"CAP did not start: {log.read_text()[-2000:]} {''.join(told)[-1000:]}")


def _drain(pipe: Any) -> None:
    with contextlib.suppress(ValueError, OSError):
        for _ in pipe:
            pass


def _project(folder: Path, model: str, packages: Path, data: Path | None) -> None:
    """Write the project that CAP serves: the model, our server.js, seeds."""
    (folder / "node_modules").symlink_to(packages / "node_modules")
    shutil.copy(HERE / "server.js", folder / "server.js")
    settings = {
        "requires": {"db": {"kind": "sqlite", "credentials": {"url": ":memory:"}}},
        "server": {"body_parser": {"limit": "100mb"}},
        "log": {"levels": {"cds": "warn", "deploy": "warn"}},
    }
    (folder / "package.json").write_text(json.dumps({"name": "cap", "private": True, "cds": settings}))
    (folder / "srv").mkdir()
    if model in SAP:
        (folder / "srv" / "model.cds").write_text(_imported(folder, model))
    else:
        shutil.copy(HERE / "models" / f"{model}.cds", folder / "srv" / "model.cds")
    if data is not None:
        (folder / "db" / "data").mkdir(parents=True)
        service = SAP.get(model, model)
        shutil.copy(data, folder / "db" / "data" / f"{service}.{MAIN[model]}.csv")


def _imported(folder: Path, model: str) -> str:
    """Return SAP's EDMX as CAP's own importer reads it, made servable: with tables, joins and the ETag that S/4HANA has."""
    name = SAP[model]
    work = folder / "import"
    work.mkdir()
    shutil.copyfile(shared(f"schemas/sap/{name}.edmx"), work / f"{name}.edmx")
    (work / "package.json").write_text('{"private": true}')
    tool = str(folder / "node_modules/@sap/cds-dk/bin/cds.js")
    command = [node("cap"), tool, "import", f"{name}.edmx", "--as", "cds", "--no-copy", "-o", "model.cds"]
    subprocess.run(command, cwd=work, capture_output=True, text=True, timeout=120, check=True)
    text = (work / "model.cds").read_text()
    text = re.sub(r"^\s*@cds\.(external|persistence\.skip) : true\n", "", text, flags=re.MULTILINE)
    entity, field = ETAGS[model].split(" : ")
    return _joined(text) + f"annotate {name}.{entity} with {{ {field} @odata.etag }};\n"


def _joined(text: str) -> str:
    """Give the navigations the join that SAP's EDMX leaves out: the keys of the one are keys of the other by the same name."""
    keys: dict[str, list[str]] = {}
    current = ""
    for line in text.splitlines():
        if found := re.match(r"\s*entity (\w+)", line):
            current = found[1]
        if found := re.match(r"\s*key (\w+)", line):
            keys.setdefault(current, []).append(found[1])
    lines = []
    for line in text.splitlines():
        if found := re.match(r"\s*entity (\w+)", line):
            current = found[1]
        found = re.match(r"(\s*(\w+) : Association to (?:many )?[\w.]*?(\w+)) \{\s*\};", line)
        if found and set(keys.get(current, ())) <= set(keys.get(found[3], ())):
            by = " and ".join(f"{found[2]}.{key} = {key}" for key in keys[current])
            lines.append(f"{found[1]} on {by};")
        else:
            lines.append(line)
    return "\n".join(lines) + "\n"


def shared(path: str) -> Path:
    """Return a file of the vendors' schemas; without ``SYNCD_SHARED`` the test is skipped (in CI it fails)."""
    found = Path(os.environ.get("SYNCD_SHARED", "/nowhere")) / path
    if found.exists():
        return found
    reason = f"SYNCD_SHARED does not say where {path} is"
    if (pytest := sys.modules.get("pytest")) is None:
        raise FileNotFoundError(reason)
    raise (pytest.fail if os.environ.get("CI") else pytest.skip).Exception(reason)
