"""``syncd check``: is the config as it should be?"""

import time

from syncd.cli import exits
from syncd.cli.answer import check_formats, give
from syncd.cli.command import Args, Command, Parser
from syncd.cli.flags import Flags
from syncd.cli.folder import find, load


def parameters(parser: Parser) -> None:
    """Declare the parameters."""
    parser.add_argument("--strict", action="store_true", help="a warning is an error")


def check(args: Args, flags: Flags) -> int:
    """Check every file and every rule; exit 78 if there is an error."""
    from syncd.reports import check as report
    from syncd.reports.envelope import Origin

    check_formats(flags, report.SCHEMA)
    began = time.perf_counter()
    loaded = load(find(flags.config))
    seconds = time.perf_counter() - began
    origin = Origin(time.time_ns() // 1000, loaded.environment or None, loaded.sha)
    give(flags, report.document(loaded, origin), report.layout(loaded.diagnostics, seconds))
    return exits.BAD_CONFIG if loaded.errors or (args.strict and loaded.warnings) else exits.OK


CHECK = Command(
    check,
    "check the config: every file and every rule; no platform is asked",
    ("syncd check", "syncd check --config /etc/syncd --strict", "syncd check --format json"),
    parameters,
    "Every error has its place, its cause and a fix; syncd help CODE says more. Exit 78 if there is one.",
)
