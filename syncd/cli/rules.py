"""``syncd rules``: the ownership table for people who do not read YAML."""

import time

from syncd.cli import exits
from syncd.cli.answer import check_formats, give
from syncd.cli.command import Args, Command, Parser
from syncd.cli.flags import Flags
from syncd.cli.folder import checked_config, find, known


def parameters(parser: Parser) -> None:
    """Declare the parameters."""
    parser.add_argument("entity", metavar="ENTITY", nargs="?", help="all of them if left out")


def rules(args: Args, flags: Flags) -> int:
    """Print who decides each field, whose edits count, and what happens otherwise."""
    from syncd.reports import ownership
    from syncd.reports.envelope import Origin

    check_formats(flags, ownership.SCHEMA)
    config = checked_config(find(flags.config))
    entity = known("entity", args.entity, config.rules.entities) if args.entity else None
    origin = Origin(time.time_ns() // 1000, config.environment, config.sha)
    give(flags, ownership.document(config.rules, origin, entity=entity), ownership.page)
    return exits.OK


RULES = Command(
    rules,
    "who owns which field, in words",
    ("syncd rules", "syncd rules product", "syncd rules -o rules.html", "syncd rules --format markdown"),
    parameters,
    "Per field: who decides, whose edits count, and what happens to every other edit.",
)
