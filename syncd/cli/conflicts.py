"""``syncd conflicts``: what no rule may decide."""

from typing import Any

from syncd.cli import exits
from syncd.cli.act import perform
from syncd.cli.answer import check_formats, give, show_lines
from syncd.cli.command import Args, Command, Group, Parser, number_of, user
from syncd.cli.flags import Flags
from syncd.cli.folder import find, glance
from syncd.cli.ledger import origin_of, reading
from syncd.errors import SyncdError, UsageError
from syncd.reports import conflicts as report


def list_(_: Args, flags: Flags) -> int:
    """Print the open conflicts."""
    check_formats(flags, report.SCHEMA)
    with reading(flags) as desk:
        document = report.collect(desk.db, desk.origin, desk.folder.entities)
    give(flags, document, report.page)
    return exits.OK


def one(parser: Parser) -> None:
    """Declare the parameters."""
    parser.add_argument("id", metavar="ID", help="such as c-118")


def show(args: Args, flags: Flags) -> int:
    """Print one conflict with both sides and its history."""
    from syncd.ledger import conflicts

    check_formats(flags, report.SCHEMA)
    number = number_of("c", args.id)
    with reading(flags) as desk:
        found = conflicts.get(desk.db, number)
        if found is None:
            raise SyncdError(f"no conflict c-{number} in the ledger")
        document = report.detail(desk.db, found, desk.origin, desk.folder.entities)
    give(flags, document, report.page)
    return exits.OK


def ways(parser: Parser) -> None:
    """Declare the parameters."""
    parser.add_argument("id", metavar="ID", help="such as c-118; with --link or --split also a thing, PLATFORM:ID")
    way = parser.add_mutually_exclusive_group(required=True)
    way.add_argument("--take", metavar="PLATFORM", help="take this platform's value")
    way.add_argument("--value", metavar="V", help="take this value; a set or a document as JSON")
    way.add_argument("--keep", action="store_true", help="keep golden as it is")
    way.add_argument("--link", nargs=2, metavar=("A", "B"), help="the two are one: records by key or own id, or PLATFORM:ID")
    way.add_argument("--split", action="store_true", help="it is a record of its own; nothing links it again")
    parser.add_argument("--row", metavar="PLATFORM", help="the row that is split off, of a record with several")
    parser.add_argument("--note", metavar="TEXT", default="", help="why, for the history")


def resolve(args: Args, flags: Flags) -> int:
    """Settle one conflict and write what follows."""
    identity = bool(args.link or args.split)
    if args.row and not args.split:
        raise UsageError("--row says which row is split off: it goes with --split")
    folder = glance(find(flags.config))
    request: dict[str, Any] = {"do": "resolve", "note": args.note, "by": user()}
    if identity and ":" in args.id:
        folder.platform(args.id.partition(":")[0])
        request["thing"] = args.id
    else:
        request["conflict"] = number_of("c", args.id)
    if args.link:
        request["link"] = args.link
    elif args.split:
        request["split"] = True
        if args.row:
            folder.platform(args.row)
            request["row"] = args.row
    elif args.take is not None:
        folder.platform(args.take)
        request["take"] = args.take
    elif args.value is not None:
        request["value"] = args.value
    else:
        request["keep"] = True
    answer = perform(flags, folder, request)
    name = request.get("thing") or f"c-{request['conflict']}"
    show_lines(flags, answer, f"{name} settled.", origin_of(folder))
    return int(answer["exit"])


CONFLICTS = Group(
    "list, show and resolve what no rule may decide",
    {
        "list": Command(list_, "the open conflicts, oldest first", ("syncd conflicts",)),
        "show": Command(show, "both sides of one conflict, and its history", ("syncd conflicts show c-118",), one),
        "resolve": Command(
            resolve,
            "settle a conflict; what follows is written before it returns",
            (
                "syncd conflicts resolve c-118 --take sap",
                'syncd conflicts resolve c-118 --value 14.50 --note "agreed with Jo"',
                "syncd conflicts resolve c-118 --keep",
                "syncd conflicts resolve c-121 --link mailer:8841 C-204",
                "syncd conflicts resolve c-121 --split",
                'syncd conflicts resolve mailer:8841 --split --note "another Jo"',
            ),
            ways,
        ),
    },
    bare="list",
)
