"""``syncd explain`` and ``syncd history``: why a value is what it is, and what it was before."""

import argparse
import os
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from syncd.cli import exits
from syncd.cli.answer import check_formats, give, note
from syncd.cli.command import Args, Command, Parser, duration
from syncd.cli.flags import Flags
from syncd.cli.folder import Folder, find, glance, glance_at
from syncd.cli.ledger import Desk, loaded_sha, reading
from syncd.core.model import Record
from syncd.errors import SyncdError, UsageError
from syncd.ledger import config_texts
from syncd.ledger import history as ledger_history
from syncd.ledger.schema import Database
from syncd.reports import figures

if TYPE_CHECKING:
    from syncd.core.rules import Entity
    from syncd.reports.ruled import Ruled


def things(parser: Parser) -> None:
    """Declare ENTITY ID [FIELD]."""
    parser.add_argument("entity", metavar="ENTITY", help="such as product")
    parser.add_argument("record", metavar="ID", help="the record's key, or PLATFORM:NATIVE_ID")
    parser.add_argument("field", metavar="FIELD", nargs="?", help="all fields if left out")


def things_and_times(parser: Parser) -> None:
    """Declare the parameters of explain."""
    things(parser)
    parser.add_argument("--at", type=since, metavar="TIME", help="explain the past with the rules of that time")
    parser.add_argument("--what-if", dest="what_if", metavar="RULE", help="what another rule would give and write")
    parser.add_argument("--as-test", dest="as_test", action="store_true", help="print the last real event as a rule test")


def explain(args: Args, flags: Flags) -> int:
    """Print why a field, or each field of a record, is what it is, or was."""
    if args.as_test:
        from syncd.cli.trial import as_test

        return as_test(args, flags)
    from syncd.reports import explain as report
    from syncd.reports.explain_page import page

    check_formats(flags, report.SCHEMA)
    if args.what_if and not args.field:
        raise UsageError("--what-if is about one field: syncd explain ENTITY ID FIELD --what-if RULE")
    folder = glance(find(flags.config))
    if not args.at:
        check_names(folder, args)
    with reading(flags, folder) as desk:
        folder, record = scene(desk, args)
        document = explained(desk, folder, record, args)
    give(flags, document, page)
    return exits.OK


def check_names(folder: Folder, args: Args) -> None:
    """Raise UsageError if the entity or the field is not in the config."""
    folder.entity(args.entity)
    if args.field:
        folder.field(args.entity, args.field)


def scene(desk: Desk, args: Args) -> tuple[Folder, Record]:
    """Return the config and the record that are explained: those of now, or as they were at the moment asked for."""
    record = one(desk.db, desk.record(args.entity, args.record))
    if not args.at:
        return in_force(desk, args), record
    from syncd.ledger import retention
    from syncd.reports.past import record_at

    then, _ = record_at(desk.db, record, args.at)
    thinned = retention.thinned_before(desk.db)
    if thinned is not None and args.at < thinned:
        note(f"history before {figures.stamp(thinned)} was thinned (ledger.keep_history): what platforms held may be missing")
    sha = ledger_history.config_at(desk.db, args.at) or ""
    texts = config_texts.get(desk.db, sha)
    if texts is None:
        raise SyncdError(f"the ledger does not have the config {sha or 'of that time'} any more: its rules cannot be shown")
    folder = glance_at(desk.folder.name, texts)
    check_names(folder, args)
    return folder, then


def in_force(desk: Desk, args: Args) -> Folder:
    """Return the config that was loaded last, which decided: an edit on disk decides nothing yet, and that is said."""
    sha = loaded_sha(desk.db) or desk.folder.sha
    texts = config_texts.get(desk.db, sha)
    if sha == desk.folder.sha or texts is None:
        return desk.folder
    folder = glance_at(desk.folder.name, texts)
    entity = folder.entities.get(args.entity)
    if entity is None or (args.field and args.field not in entity.fields):
        return desk.folder  # what is new in the edit is shown as the edit has it
    if any(desk.folder.texts.get(path) != text for path, text in texts.items() if path == f"entities/{args.entity}.yaml"):
        note(f"the config on disk {desk.folder.sha} is not loaded; these are the rules of {sha}, which is (syncd plan)")
    return folder


def explained(desk: Desk, folder: Folder, record: Record, args: Args) -> dict[str, Any]:
    """Return the machine format of a record, or of one field of it."""
    from syncd.config.rulebook import read_other, read_rules
    from syncd.reports import explain as report
    from syncd.reports.ruled import what_if

    entity, origin = folder.entity(args.entity), desk.origin._replace(config_sha=folder.sha)
    moment = args.at or origin.now
    facts = report.gather(desk.db, record, entity, origin.now, at=args.at)
    rules = read_rules(folder.name, folder.texts, args.entity, os.environ)
    if rules:
        facts = replace(facts, ruled=under(desk, rules, folder, record, moment, past=bool(args.at)))
    if not args.field:
        return report.collect(facts, entity, folder.platforms, origin)
    document = report.collect_field(facts, entity, folder.field(args.entity, args.field), folder.platforms, origin)
    if args.what_if:
        other = read_other(folder.name, folder.texts, args.entity, args.field, args.what_if, os.environ)
        tried = under(desk, other, folder, record, moment, past=bool(args.at))
        document["what_if"] = what_if(tried, args.field, args.what_if)
    return document


def under(desk: Desk, rules: "Entity", folder: Folder, record: Record, now: int, *, past: bool) -> "Ruled":
    """Return a record under rules, with what the ledger knows around it; when platforms were read last is known only of now."""
    from syncd.config.rulebook import read_rules
    from syncd.core.references import references
    from syncd.core.rules import Rules
    from syncd.core.space import Space
    from syncd.ledger import records
    from syncd.reports.ruled import ruled

    targets = set(references(rules).values()) - {rules.name}
    parents = {name: read_rules(folder.name, folder.texts, name, os.environ) for name in targets}
    known = {name: entity for name, entity in parents.items() if entity is not None}
    space = Space(Rules(folder.sha, {**known, rules.name: rules}), now, lambda: 0)
    records.load(desk.db, space, records=[record.id])
    if past:
        space.read_at.clear()
    return ruled(space, rules, folder.sha, record, now)


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
    if args.only and args.field and args.only != args.field:
        raise UsageError(f"--field {args.only} and {args.field}: name one field")
    name = args.only or args.field
    if name:
        folder.field(args.entity, name)
    with reading(flags, folder) as desk:
        number = desk.record(args.entity, args.record)
        entity, key = ledger_history.names_of(desk.db, {number})[number]
        record = Record(number, entity, 0, key)  # its versions say the rest
        if args.diff:
            document = report.compare(desk.db, record, desk.origin, one=args.diff[0], other=args.diff[1], field=name)
        else:
            wanted = {"key": folder.entity(args.entity).key, "field": name, "since": args.since, "by": args.by}
            document = report.collect(desk.db, record, desk.origin, **wanted)
    give(flags, document, report.page)
    return exits.OK


def one(db: Database, number: int) -> Record:
    """Return a whole record."""
    from syncd.ledger import records

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
        "syncd explain product MUG-1 price --at 2026-11-01T10:00Z",
        'syncd explain product MUG-1 price --what-if "{newest: [sap, shop]}"',
    ),
    things_and_times,
)
HISTORY = Command(
    history,
    "the versions of a record or a field",
    ("syncd history product MUG-1", "syncd history product MUG-1 price", "syncd history product MUG-1 --diff 45..47"),
    versions_of,
)
