"""``syncd status``: one screen, scriptable."""

import time
from typing import Any

from syncd.cli import exits, socket
from syncd.cli.answer import check_formats, give
from syncd.cli.command import Args, Command, Parser, duration, exit_code
from syncd.cli.flags import Flags
from syncd.cli.folder import Folder, find, glance
from syncd.cli.ledger import reading
from syncd.reports import status as report

STEP = 0.2  # seconds between two looks for a daemon


def parameters(parser: Parser) -> None:
    """Declare the parameters."""
    exit_code(parser, "exit 2 if anything needs a person")
    parser.add_argument(
        "--wait-ready", metavar="TIME", type=duration, help="wait so long for the daemon to be ready; else exit 69"
    )


def status(args: Args, flags: Flags) -> int:
    """Print how syncd stands."""
    check_formats(flags, report.SCHEMA)
    folder = glance(find(flags.config))
    live = _wait(folder, args.wait_ready) if args.wait_ready else told(folder)
    with reading(flags, folder, quiet=live is not None) as desk:
        document = report.collect(desk.db, desk.origin, folder.platforms, live=live)
    give(flags, document, report.page)
    return exits.DIFFERENT if args.exit_code and document["attention"] else exits.OK


def told(folder: Folder) -> dict[str, Any] | None:
    """Return what a running daemon tells of itself, None if there is none."""
    return socket.ask(folder.control, {"do": "status"}, timeout=5.0)


def _wait(folder: Folder, micros: int) -> dict[str, Any]:
    """Return what the daemon tells once it is ready; raises NoDaemon when the time is over."""
    until = time.monotonic() + micros / 1_000_000
    while True:
        live = told(folder)
        if live and live.get("daemon", {}).get("ready"):
            return live
        if time.monotonic() >= until:
            raise exits.NoDaemon(f"no daemon was ready at {folder.control} in time")
        time.sleep(STEP)


STATUS = Command(
    status,
    "one screen: platforms, queues, and what needs a person",
    ("syncd status", "syncd status --exit-code", "syncd status --wait-ready 30s --format json"),
    parameters,
)
