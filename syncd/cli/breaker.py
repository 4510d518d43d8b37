"""``syncd breaker``: safety limits that stopped writes."""

from syncd.cli import exits
from syncd.cli.act import perform
from syncd.cli.answer import check_formats, give, show_lines
from syncd.cli.command import Args, Command, Group, Parser, count, duration, user
from syncd.cli.flags import Flags
from syncd.cli.folder import find, glance, known
from syncd.cli.ledger import origin_of, reading
from syncd.errors import UsageError
from syncd.reports import breakers as report


def show(_: Args, flags: Flags) -> int:
    """Print the open breakers and those that were reset lately."""
    check_formats(flags, report.SCHEMA)
    with reading(flags) as desk:
        document = report.collect(desk.db, desk.origin)
    give(flags, document, report.page)
    return exits.OK


def parameters(parser: Parser) -> None:
    """Declare the parameters."""
    parser.add_argument("platform", metavar="PLATFORM")
    parser.add_argument("entity", metavar="ENTITY")
    parser.add_argument("--allow", metavar="N", type=count, help="let so many records through before it trips again")
    parser.add_argument("--for", metavar="TIME", type=duration, dest="period", help="how long --allow holds: 1h")
    parser.add_argument("--note", metavar="TEXT", required=True, help="why, for the ledger")


def reset(args: Args, flags: Flags) -> int:
    """Let the parked work go: it is planned again, never replayed."""
    folder = glance(find(flags.config))
    folder.platform(args.platform)
    known("entity", args.entity, folder.entities)
    if (args.allow is None) != (args.period is None):
        raise UsageError("--allow N and --for TIME go together")
    request = {"do": "breaker_reset", "platform": args.platform, "entity": args.entity, "note": args.note, "by": user()}
    answer = perform(flags, folder, request | {"allow": args.allow, "for_us": args.period})
    show_lines(flags, answer, f"Breaker of {args.platform} {args.entity} reset.", origin_of(folder))
    return int(answer["exit"])


BREAKER = Group(
    "show and reset the safety limits that stopped writes",
    {
        "show": Command(show, "the open breakers, and those that were reset lately", ("syncd breaker show",)),
        "reset": Command(
            reset,
            "let the parked work go; it is planned again, never replayed",
            (
                'syncd breaker reset shop product --note "price list is right"',
                'syncd breaker reset shop product --allow 300 --for 1h --note "new season"',
            ),
            parameters,
        ),
    },
    bare="show",
)
