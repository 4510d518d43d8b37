"""``syncd explain`` and ``syncd history``: why a value is what it is, and what it was before."""

import argparse
import time

from syncd.cli import exits
from syncd.cli.answer import check_formats, give
from syncd.cli.command import Args, Command, Parser, duration
from syncd.cli.flags import Flags
from syncd.cli.folder import find, glance
from syncd.cli.ledger import reading
from syncd.core.model import Record
from syncd.errors import SyncdError, UsageError
from syncd.ledger import records
from syncd.ledger.schema import Database
from syncd.reports import figures


def things(parser: Parser) -> None:
    """Declare ENTITY ID [FIELD]."""
    parser.add_argument("entity", metavar="ENTITY", help="such as product")
    parser.add_argument("record", metavar="ID", help="the record's key, or PLATFORM:NATIVE_ID")
    parser.add_argument("field", metavar="FIELD", nargs="?", help="all fields if left out")


def explain(args: Args, flags: Flags) -> int:
    """Print why a field, or each field of a record, is what it is."""
    from syncd.reports import explain as report
    from syncd.reports.explain_page import page

    check_formats(flags, report.SCHEMA)
    folder = glance(find(flags.config))
    entity = folder.entity(args.entity)
    line = folder.field(args.entity, args.field) if args.field else None
    with reading(flags, folder) as desk:
        facts = report.gather(desk.db, one(desk.db, desk.record(args.entity, args.record)), entity, desk.origin.now)
        if line:
            document = report.collect_field(facts, entity, line, folder.platforms, desk.origin)
        else:
            document = report.collect(facts, entity, folder.platforms, desk.origin)
    give(flags, document, page)
    return exits.OK


def since(text: str) -> int:
    """Return a moment: ``7d`` ago, or a date or time; argparse reports what is neither."""
    try:
        return time.time_ns() // 1000 - duration(text)
    except argparse.ArgumentTypeError:
        pass
    try:
        return figures.micros(text) or 0
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text} is neither a duration (7d) nor a time (2026-11-01T10:00Z)") from error


def pair(text: str) -> tuple[int, int]:
    """Return two versions of ``45..47``; argparse reports what is none."""
    first, dots, last = text.partition("..")
    if not (dots and first.isascii() and first.isdigit() and last.isascii() and last.isdigit()):
        raise argparse.ArgumentTypeError(f"{text} is not two versions: write 45..47")
    return int(first), int(last)


def versions_of(parser: Parser) -> None:
    """Declare the parameters."""
    things(parser)
    parser.add_argument("--field", dest="only", metavar="FIELD", help="the same as FIELD after the ID")
    parser.add_argument("--since", type=since, metavar="TIME", help="7d, or a date or time")
    parser.add_argument("--by", metavar="WHO", help="a platform, rule, person, or who edited or settled it")
    parser.add_argument("--diff", type=pair, metavar="A..B", help="what two versions hold differently")


def history(args: Args, flags: Flags) -> int:
    """Print the versions of a record, newest first, or what two of them hold differently."""
    from syncd.reports import history as report

    check_formats(flags, report.SCHEMA)
    if args.diff and (args.since or args.by):
        raise UsageError("--diff compares two whole versions: leave out --since and --by")
    folder = glance(find(flags.config))
    folder.entity(args.entity)
    name = args.only or args.field
    if name:
        folder.field(args.entity, name)
    with reading(flags, folder) as desk:
        record = one(desk.db, desk.record(args.entity, args.record))
        if args.diff:
            document = report.compare(desk.db, record, desk.origin, one=args.diff[0], other=args.diff[1], field=name)
        else:
            document = report.collect(desk.db, record, desk.origin, field=name, since=args.since, by=args.by)
    give(flags, document, report.page)
    return exits.OK


def one(db: Database, number: int) -> Record:
    """Return a whole record."""
    record = records.one(db, number)
    if record is None:
        raise SyncdError(f"record {number} is not in the ledger")
    return record


EXPLAIN = Command(
    explain,
    "why a value is what it is: who says what, the rule, the steps",
    (
        "syncd explain product MUG-1 price",
        "syncd explain product MUG-1",
        "syncd explain product shop:8841 --format json",
    ),
    things,
)
HISTORY = Command(
    history,
    "the versions of a record or a field",
    ("syncd history product MUG-1", "syncd history product MUG-1 price", "syncd history product MUG-1 --diff 45..47"),
    versions_of,
)
