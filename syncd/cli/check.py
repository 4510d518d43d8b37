"""``syncd check``: is the config as it should be?"""

import time
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from syncd.cli import exits
from syncd.cli.answer import check_formats, give
from syncd.cli.command import Args, Command, Parser
from syncd.cli.flags import Flags
from syncd.cli.folder import find, glance, load, parsed
from syncd.errors import ConfigError, LedgerError

if TYPE_CHECKING:
    from syncd.config.diagnostics import Diagnostic
    from syncd.config.model import Loaded
    from syncd.reports.envelope import Origin


def parameters(parser: Parser) -> None:
    """Declare the parameters."""
    parser.add_argument("--strict", action="store_true", help="a warning is an error")
    parser.add_argument("--online", action="store_true", help="ask each platform too: login, rights, clock, schema")
    parser.add_argument("-v", "--verbose", action="store_true", help="show the platforms without a finding too")


def check(args: Args, flags: Flags) -> int:
    """Check every file and every rule; exit 78 if there is an error."""
    from syncd.reports import check as report
    from syncd.reports.envelope import Origin

    check_formats(flags, report.SCHEMA)
    began = time.perf_counter()
    folder = find(flags.config)
    loaded = with_evidence(folder)
    seconds = time.perf_counter() - began
    origin = Origin(time.time_ns() // 1000, loaded.environment or None, loaded.sha)
    if args.online and loaded.config is not None:
        return online(args, flags, folder, loaded, origin)
    give(flags, report.document(loaded, origin), report.layout(loaded.diagnostics, seconds))
    return exits.BAD_CONFIG if loaded.errors or (args.strict and loaded.warnings) else exits.OK


def with_evidence(folder: str) -> "Loaded":
    """Return the whole config, checked; where there is a ledger, its records make findings concrete."""
    from syncd.connectors.registry import KINDS
    from syncd.daemon.testify import Witness
    from syncd.ledger.reading import read_only

    try:
        ledger = glance(folder).ledger
        with read_only(ledger) as db:
            return load(folder, Witness(db, folder, KINDS, time.time_ns() // 1000).evidence())
    except (ConfigError, LedgerError):  # a folder that cannot be read is told by the check itself; no ledger, no evidence
        return load(folder)


def online(args: Args, flags: Flags, folder: str, loaded: "Loaded", origin: "Origin") -> int:
    """Ask each platform what it lets us do; exit 78 for an error, 3 if one was not reached."""
    import asyncio

    from syncd.config.online import note
    from syncd.daemon.probe import probe
    from syncd.reports import online as report

    assert loaded.config is not None
    found = asyncio.run(probe(loaded.config))
    sources = parsed(folder)
    note(found, sources, loaded.config.rules)
    asked = [one for source in sources for one in source.found if one.code[1] == "3"]
    diagnostics = told_once(loaded.diagnostics, asked)
    give(flags, report.document(loaded, found, diagnostics, origin), report.layout(diagnostics, verbose=args.verbose))
    levels = {one.severity for one in diagnostics if one.code != "E314"}
    if "error" in levels or (args.strict and levels):
        return exits.BAD_CONFIG
    return exits.OK if all(one.reached for one in found) else exits.INCOMPLETE


def told_once(offline: Sequence["Diagnostic"], asked: Sequence["Diagnostic"]) -> list["Diagnostic"]:
    """Return all findings with each cause told once. What this version does not obey is an error where platforms are asked."""
    missing = {one.hint for one in asked if one.code == "E310"}
    kept = [one for one in offline if not (one.code == "W032" and one.message in missing)]
    refused = [replace(one, severity="error") if one.code == "E190" else one for one in kept]
    return [*refused, *asked]


CHECK = Command(
    check,
    "check the config: every file and every rule",
    ("syncd check", "syncd check --online", "syncd check --config /etc/syncd --strict", "syncd check --format json"),
    parameters,
    "Every error has its place, its cause and a fix; syncd help CODE says more. Exit 78 if there is one.\n"
    "No platform is asked without --online, which writes nothing; exit 3 if one was not reached.",
)
