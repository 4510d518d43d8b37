"""``syncd apply``: exactly what a saved plan showed, or nothing."""

import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from syncd.cli import exits
from syncd.cli.act import perform
from syncd.cli.answer import agreed, check_formats, note, show_lines
from syncd.cli.command import Args, Command, Parser, user
from syncd.cli.flags import Flags
from syncd.cli.folder import find, glance, runnable_config
from syncd.cli.ledger import origin_of
from syncd.ledger.reading import read_only
from syncd.reports import deliveries, figures
from syncd.reports.plan_page import stops


def parameters(parser: Parser) -> None:
    """Declare the parameters."""
    parser.add_argument("plan", metavar="PLAN", help="a plan saved by syncd plan --out")
    parser.add_argument("--dry-run", action="store_true", help="say whether it could be applied, and write nothing")
    parser.add_argument("--yes", action="store_true", help="do not ask")


def apply(args: Args, flags: Flags) -> int:
    """Load the plan's rules and write what it showed, if all of it still holds."""
    from syncd.connectors.registry import KINDS
    from syncd.daemon.carry_out import Moved, read_plan, verify

    check_formats(flags, deliveries.SCHEMA)
    name = find(flags.config)
    config, folder = runnable_config(name), glance(name)
    plan = read_plan(args.plan)
    try:
        with read_only(folder.ledger) as db:
            db.execute("BEGIN")
            verify(db, plan, config, KINDS, now=time.time_ns() // 1000)
    except Moved as error:
        raise exits.Refused(str(error)) from error
    note(_told(plan))
    if args.dry_run:
        note("Nothing was written: --dry-run.")
        return exits.OK
    if not agreed("Apply it now?", yes=args.yes):
        note("Nothing was written.")
        return exits.REFUSED
    request = {"do": "apply", "plan": os.fspath(Path(args.plan).resolve()), "by": user()}
    answer = perform(flags, folder, request)
    show_lines(flags, answer, f"Config {plan['config_sha']} is loaded.", origin_of(folder))
    return int(answer["exit"])


def _told(plan: Mapping[str, Any]) -> str:
    """Return what the plan comes to, and which limits it would exceed."""
    summary = plan["summary"]
    ops = ", ".join(f"{summary[op]:,} to {op}" for op in ("update", "create", "delete"))
    told = f"{ops}; {figures.plural(summary['removed'], 'value')} removed.  It still holds."
    return "\n".join(part for part in (stops(plan), told) if part)


APPLY = Command(
    apply,
    "exactly what a saved plan showed, or nothing",
    ("syncd plan --out plan.json", "syncd apply plan.json", "syncd apply plan.json --yes"),
    parameters,
    "It is refused if the config on disk is not the plan's, or if a record moved since. Modes, guards and limits hold.",
)
