"""``syncd ledger``: the ledger itself, put to the proof."""

from syncd.cli import exits
from syncd.cli.answer import can_ask, check_formats, give, note
from syncd.cli.command import Args, Command, Group, Parser
from syncd.cli.explain import since
from syncd.cli.flags import Flags
from syncd.cli.folder import find, glance
from syncd.cli.ledger import reading


def parameters(parser: Parser) -> None:
    """Declare the parameters."""
    parser.add_argument("--since", type=since, metavar="TIME", help="7d, or a date or time; all if left out")


def replay(args: Args, flags: Flags) -> int:
    """Derive every stored decision again; 1 if one does not follow from its inputs, 3 if one could not be derived."""
    from syncd.connectors.registry import KINDS
    from syncd.daemon.rederive import PastRules, rederive_all
    from syncd.ledger import retention
    from syncd.reports import replay as report

    check_formats(flags, report.SCHEMA)
    folder = glance(find(flags.config))
    with reading(flags, folder) as desk:
        rules = PastRules(desk.db, folder.name, KINDS)
        found = rederive_all(desk.db, rules, since=args.since or 0, progress=tell if can_ask() else lambda _: None)
        thinned = retention.thinned_before(desk.db)
    lines = [report.Line(one.decided, one.entity, one.record, one.why) for one in found.differing]
    counts = report.Counts(found.decisions, found.fields, found.strays)
    document = report.collect(counts, lines, found.skipped, desk.origin, since=args.since, thinned=thinned)
    give(flags, document, report.page)
    return exits.FAILED if lines else exits.INCOMPLETE if found.skipped else exits.OK


def tell(count: int) -> None:
    """Say how far it is."""
    note(f"{count:,} decisions ...")


LEDGER = Group(
    "the ledger itself: every decision derived again",
    {
        "replay": Command(
            replay,
            "every stored decision derived again from its recorded inputs",
            ("syncd ledger replay", "syncd ledger replay --since 7d --format json"),
            parameters,
            "Exits 1 and names the decisions that do not follow from their inputs and the rules of their time;\n"
            "3 if the ledger no longer has the config of some of them.",
        )
    },
)
