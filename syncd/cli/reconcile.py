"""``syncd reconcile``: the drift report, and its repair."""

import sys
from collections import Counter
from dataclasses import replace
from typing import Any

from syncd.cli import exits
from syncd.cli.act import Answer, perform
from syncd.cli.answer import ask, check_formats, give, note, save, shielded, show, show_lines
from syncd.cli.command import Args, Command, Parser, exit_code, user
from syncd.cli.flags import Flags
from syncd.cli.folder import Folder, find, glance, known
from syncd.cli.ledger import origin_of
from syncd.errors import UsageError
from syncd.reports import figures
from syncd.reports.drift import CAUSES, SCHEMA, only
from syncd.reports.drift_page import page


def parameters(parser: Parser) -> None:
    """Declare the parameters."""
    for name, example in (("entity", "product"), ("platform", "shop"), ("field", "price")):
        text = f"only this {name}, such as {example}; may repeat"
        parser.add_argument(f"--{name}", metavar="NAME", action="append", default=[], help=text)
    parser.add_argument("--why", metavar="CAUSES", default="", help="only rows with these causes: stray,missed")
    parser.add_argument("--fix", action="store_true", help="repair what the rows show; asks first")
    parser.add_argument("--dry-run", action="store_true", help="with --fix: say what would be written, write nothing")
    parser.add_argument("--yes", action="store_true", help="with --fix: do not ask")
    parser.add_argument("--all", action="store_true", help="every row, also on a terminal")
    exit_code(parser, "exit 2 if anything differs")


def reconcile(args: Args, flags: Flags) -> int:
    """Read every platform, report what differs and why, and repair it if asked to."""
    check_formats(flags, SCHEMA)
    if (args.dry_run or args.yes) and not args.fix:
        raise UsageError("--dry-run and --yes go with --fix")
    folder = glance(find(flags.config))
    request = scope(args, folder)
    answer = perform(flags, folder, request, progress=_progress)
    report = only(answer["report"], request["why"])
    codes = [int(answer["exit"]), exits.OK if report["complete"] else exits.INCOMPLETE]
    if args.exit_code and report["rows"]:
        codes.append(exits.DIFFERENT)
    if not args.fix:
        give(flags, report, page, all_rows=args.all)
        return exits.worst(codes)
    for_people = flags.format in (None, "table")  # they decide when they have seen it; a machine gets one object at the end
    if for_people:
        show(flags, report, page, all_rows=args.all)
    try:
        codes.append(_fix(args, flags, folder, request, report))
    finally:
        save(flags, report, page)
        if not for_people:
            show(flags, report, page)
    return exits.worst(codes)


def scope(args: Args, folder: Folder) -> dict[str, Any]:
    """Return the request for a report; raises UsageError for a name that is not in the config."""
    for name in args.entity:
        known("entity", name, folder.entities)
    for name in args.platform:
        folder.platform(name)
    for name in args.field:
        folder.field_anywhere(name)
    why = [known("cause", one.strip(), CAUSES, of="there are") for one in args.why.split(",") if one.strip()]
    return {
        "do": "reconcile",
        "entities": args.entity,
        "platforms": args.platform,
        "fields": args.field,
        "why": why,
        "fix": False,
        "by": user(),
    }


def _progress(event: dict[str, Any]) -> None:
    """Tell a person at the terminal how far it is; a pipe gets no progress."""
    if sys.stderr.isatty():
        note(f"  {event.get('text', '')}")


def _fix(args: Args, flags: Flags, folder: Folder, request: dict[str, Any], report: dict[str, Any]) -> int:
    """Say what would be written, ask, and have it written; return the exit code of it. What was written joins the report."""
    rows = [row for row in report["rows"] if row.get("action")]
    note(planned(report["rows"]))
    if args.dry_run or not rows:
        note("Nothing was written." if rows else "Nothing to write.")
        return exits.OK
    if not args.yes and not _agreed(flags, rows):
        note("Nothing was written.")
        return exits.REFUSED
    answer: Answer = perform(flags, folder, request | {"fix": True}, progress=_progress)
    report["writes"] = figures.exact(answer.get("lines", []))
    done = _outcome(answer)
    if flags.format in (None, "table"):
        show_lines(replace(flags, outputs=[]), answer, done, origin_of(folder))
    else:
        note(done)
    return int(answer["exit"])


def _outcome(answer: Answer) -> str:
    if answer["exit"]:
        return "Not all of it was repaired."
    return "Repaired." if answer.get("lines") else "Nothing was written: what waits or was rejected stays as it is."


def planned(rows: list[dict[str, Any]]) -> str:
    """Return what a repair would do: ``24 writes to 3 platforms: shop 17, erp 3. Refused by mode: 0.``"""
    counts = Counter(row["action"]["platform"] for row in rows if row.get("action") and row["action"]["op"] != "take")
    news = sum(1 for row in rows if row.get("action") and row["action"]["op"] == "take")
    writes, places = figures.plural(sum(counts.values()), "write"), figures.plural(len(counts), "platform")
    names = ", ".join(f"{name} {count:,}" for name, count in counts.most_common())
    refused = sum(1 for row in rows if not row.get("action") and "mode observe" in (row.get("reason") or ""))
    taken = f"  Taken over as news: {news:,}, and written where rules say so." if news else ""
    return f"{writes} to {places}{': ' + names if names else ''}.  Refused by mode: {refused:,}.{taken}"


def _agreed(flags: Flags, rows: list[dict[str, Any]]) -> bool:
    shown = shielded(flags, {"schema": SCHEMA, "rows": rows})["rows"]
    while True:
        said = ask("Write them now? [y/N/d for diff] ", instead="add --yes to write them")
        if said != "d":
            return said in {"y", "yes"}
        for row in shown:
            note(f"  {_difference(row)}")


def _difference(row: dict[str, Any]) -> str:
    """Return what would be written for a row, in one line."""
    found, action = row.get("found") or {}, row["action"]
    values = f"{figures.value(found.get('value'))} -> {figures.value(action.get('value'))}"
    record = f"{row['entity']} {figures.plain(row['record'])}"
    return f"{record}  {action['platform']}  {row['field'] or action['op']}  {values}"


RECONCILE = Command(
    reconcile,
    "the drift report: what differs, why, and what to do; --fix repairs it",
    (
        "syncd reconcile",
        "syncd reconcile --entity product --why stray,missed -o drift.html",
        "syncd reconcile --fix --yes",
        "syncd reconcile --exit-code --format junit",
    ),
    parameters,
    "Every platform is read. Without --fix nothing is written to any of them.",
)
