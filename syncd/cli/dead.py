"""``syncd dead``: what could not be written or read."""

from typing import Any

from syncd.cli import exits
from syncd.cli.act import perform
from syncd.cli.answer import check_formats, give, show_lines
from syncd.cli.command import Args, Command, Group, Parser, count, number_of, user
from syncd.cli.flags import Flags
from syncd.cli.folder import find, glance
from syncd.cli.ledger import Desk, origin_of, reading
from syncd.errors import SyncdError, UsageError
from syncd.ledger import attempts, letters
from syncd.reports import dead as report
from syncd.reports import figures


def list_(_: Args, flags: Flags) -> int:
    """Print the open letters by cause."""
    check_formats(flags, report.SCHEMA)
    with reading(flags) as desk:
        document = report.collect(desk.db, desk.origin)
    give(flags, document, report.page)
    return exits.OK


def one(parser: Parser) -> None:
    """Declare the parameters."""
    parser.add_argument("id", metavar="ID|GROUP", help="such as d-52, or dg-7 for all with that cause")


def show(args: Args, flags: Flags) -> int:
    """Print one letter with what was sent and answered, or the letters of a group."""
    check_formats(flags, report.SCHEMA)
    with reading(flags) as desk:
        if args.id.startswith("dg-"):
            document = report.collect(desk.db, desk.origin, group=number_of("dg", args.id))
            if not document["letters"]:
                raise SyncdError(f"no open letter in group {args.id}")
        else:
            document = _letter(desk, number_of("d", args.id))
    give(flags, document, report.letters_page if args.id.startswith("dg-") else report.page)
    return exits.OK


def _letter(desk: Desk, number: int) -> dict[str, Any]:
    letter = letters.get(desk.db, number)
    if letter is None:
        raise SyncdError(f"no dead letter d-{number} in the ledger")
    tried = attempts.of_record(desk.db, letter.record, platform=letter.platform) if letter.record is not None else []
    tries = [
        {
            "id": one.attempt.write.key,
            "at": figures.stamp(one.attempt.sent_at),
            "outcome": one.outcome,
            "detail": one.detail,
        }
        for one in tried[:10]
    ]
    return report.detail(letter, tries, desk.origin)


def some(parser: Parser) -> None:
    """Declare the parameters."""
    parser.add_argument("ids", metavar="ID|GROUP", nargs="*", help="such as d-52, or dg-7 for all with that cause")
    parser.add_argument("--all", action="store_true", help="every open letter")
    parser.add_argument("--max", metavar="N", type=count, help="at most so many")


def retry(args: Args, flags: Flags) -> int:
    """Decide again from present readings, and write."""
    folder = glance(find(flags.config))
    request = {"do": "retry", **_which(args), "all": args.all, "max": args.max, "by": user()}
    answer = perform(flags, folder, request)
    show_lines(flags, answer, "Tried again.", origin_of(folder))
    return int(answer["exit"])


def _which(args: Args) -> dict[str, list[int]]:
    """Return the letters and groups that were named; raises UsageError if none were, or both some and all."""
    if bool(args.ids) == bool(args.all):
        raise UsageError("name letters or groups (syncd dead lists them), or --all")
    groups = [number_of("dg", one) for one in args.ids if one.startswith("dg-")]
    return {"letters": [number_of("d", one) for one in args.ids if not one.startswith("dg-")], "groups": groups}


def with_note(parser: Parser) -> None:
    """Declare the parameters."""
    parser.add_argument("id", metavar="ID", help="such as d-52")
    parser.add_argument("--note", metavar="TEXT", required=True, help="why, for the ledger")


def discard(args: Args, flags: Flags) -> int:
    """Close a letter without a retry; it stays in the ledger."""
    number = number_of("d", args.id)
    folder = glance(find(flags.config))
    request = {"do": "discard", "letters": [number], "note": args.note, "by": user()}
    answer = perform(flags, folder, request)
    show_lines(flags, answer, f"d-{number} discarded.", origin_of(folder))
    return int(answer["exit"])


DEAD = Group(
    "list, show, retry and discard what could not be written or read",
    {
        "list": Command(list_, "the open letters, by cause", ("syncd dead",)),
        "show": Command(show, "what was sent and answered, each attempt, a guess at the fix", ("syncd dead show d-52",), one),
        "retry": Command(
            retry,
            "decide again from present readings, and write; never an old value",
            ("syncd dead retry d-52", "syncd dead retry dg-7", "syncd dead retry --all --max 50"),
            some,
        ),
        "discard": Command(
            discard,
            "close a letter; it stays in the ledger",
            ('syncd dead discard d-52 --note "sold out"',),
            with_note,
        ),
    },
    bare="list",
)
