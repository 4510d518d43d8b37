"""``syncd changes``: writes that wait for approval."""

from typing import Any

from syncd.cli import exits
from syncd.cli.act import perform
from syncd.cli.answer import agreed, check_formats, give, show_lines
from syncd.cli.command import Args, Command, Group, Parser, count, number_of, user
from syncd.cli.flags import Flags
from syncd.cli.folder import Folder, find, glance
from syncd.cli.ledger import origin_of, reading
from syncd.errors import UsageError
from syncd.ledger.reading import read_only
from syncd.reports import changes as report
from syncd.reports import figures


def scope(parser: Parser) -> None:
    """Declare the parameters."""
    parser.add_argument("--platform", metavar="NAME", help="only what would be written there")


def list_(args: Args, flags: Flags) -> int:
    """Print what waits for approval."""
    check_formats(flags, report.SCHEMA)
    folder = glance(find(flags.config))
    if args.platform:
        folder.platform(args.platform)
    with reading(flags, folder) as desk:
        document = report.collect(desk.db, desk.origin, platform=args.platform)
    give(flags, document, report.page)
    return exits.OK


def some(parser: Parser) -> None:
    """Declare the parameters."""
    parser.add_argument("ids", metavar="ID", nargs="*", help="such as ch-7")
    parser.add_argument("--all", action="store_true", help="everything that waits")
    scope(parser)
    parser.add_argument("--max", metavar="N", type=count, help="with --all: at most so many, the oldest first")
    parser.add_argument("--yes", action="store_true", help="with --all: do not ask")
    parser.add_argument("--note", metavar="TEXT", default="", help="why, for the ledger")


def approve(args: Args, flags: Flags) -> int:
    """Let changes be written, and write them."""
    return _decide(args, flags, "approve", "approved")


def reject(args: Args, flags: Flags) -> int:
    """Refuse changes; the same ones are not proposed again."""
    return _decide(args, flags, "reject", "rejected")


def _decide(args: Args, flags: Flags, do: str, done: str) -> int:
    folder = glance(find(flags.config))
    ids = _chosen(args, folder)
    if args.all and ids and not agreed(f"{do.capitalize()} {figures.plural(len(ids), 'change')}?", yes=args.yes):
        return exits.REFUSED
    if not ids:
        show_lines(flags, {"lines": []}, "No changes wait.", origin_of(folder))
        return exits.OK
    answer = perform(flags, folder, {"do": do, "ids": ids, "note": args.note, "by": user()})
    show_lines(flags, answer, f"{figures.plural(int(answer.get('count', len(ids))), 'change')} {done}.", origin_of(folder))
    return int(answer["exit"])


def _chosen(args: Args, folder: Folder) -> list[int]:
    """Return the changes that were named, or with --all those that wait."""
    if bool(args.ids) == bool(args.all):
        raise UsageError("name changes (syncd changes lists them), or --all")
    if args.platform:
        folder.platform(args.platform)
    if args.ids:
        return [number_of("ch", one) for one in args.ids]
    with read_only(folder.ledger) as db:
        document: dict[str, Any] = report.collect(db, origin_of(folder), platform=args.platform)
    return [number_of("ch", one["id"]) for one in document["changes"]][: args.max]


CHANGES = Group(
    "list, approve and reject writes that wait for approval",
    {
        "list": Command(list_, "what waits, oldest first", ("syncd changes", "syncd changes list --platform shop"), scope),
        "approve": Command(
            approve,
            "let changes be written; they are written before it returns",
            ("syncd changes approve ch-7 ch-8", "syncd changes approve --all --platform shop --max 50 --yes"),
            some,
            "What is approved is this value on this field: if a later plan differs, it is proposed anew.",
        ),
        "reject": Command(
            reject,
            "refuse changes; the same ones are not proposed again",
            ('syncd changes reject ch-7 --note "wrong price"',),
            some,
        ),
    },
    bare="list",
)
