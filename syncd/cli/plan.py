"""``syncd plan``: what an edit of the rules would do before it is loaded; ``syncd apply``: exactly that, or nothing."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from syncd.cli import exits, socket
from syncd.cli.answer import check_formats, look, render
from syncd.cli.command import Args, Command, Parser, duration, exit_code
from syncd.cli.flags import Flags
from syncd.cli.folder import Folder, checked_config, find, glance, runnable_config
from syncd.cli.ledger import Desk, loaded_sha, reading
from syncd.cli.shield import note_reveal
from syncd.errors import ConfigError, SyncdError, UsageError
from syncd.ledger import config_texts
from syncd.reports import figures
from syncd.reports.page import Look
from syncd.reports.plan import SCHEMA, Spool, is_empty, write_json
from syncd.reports.plan_page import page

if TYPE_CHECKING:
    from syncd.config.model import Config

LISTS = ("changes", "patches", "conflicts")
KEPT = (*LISTS, "records")  # in a saved plan
MACHINES = ("json", "ndjson", "csv")


def parameters(parser: Parser) -> None:
    """Declare the parameters."""
    parser.add_argument("entity", metavar="ENTITY", nargs="?", help="only this entity; with ID one record")
    parser.add_argument("record", metavar="ID", nargs="?", help="one record (its key, or PLATFORM:NATIVE_ID), read now")
    parser.add_argument("--against", metavar="SHA", help="compare with this earlier config instead of the one last loaded")
    parser.add_argument("--replay", metavar="TIME", type=duration, help="also feed the events of the last 7d to the new rules")
    parser.add_argument("--out", metavar="FILE", help="save the plan for syncd apply")
    parser.add_argument("--all", action="store_true", help="every record, not only the first")
    parser.add_argument("--live", action="store_true", help="with ENTITY ID: read the platforms now (it does)")
    exit_code(parser, "exit 2 if anything would change")


def plan(args: Args, flags: Flags) -> int:
    """Print what loading the config as it is on disk would do."""
    check_formats(flags, SCHEMA)
    if args.record is not None and (args.out or args.replay or args.against):
        raise UsageError("--out, --replay and --against are about a whole edit; leave ENTITY ID out")
    if args.out and args.entity is not None:
        raise UsageError("--out saves a whole edit, because apply loads all of it; leave ENTITY out")
    if args.live and args.record is None:
        raise UsageError("--live goes with ENTITY ID; what differs everywhere on the platforms now: syncd reconcile")
    name = find(flags.config)
    new = checked_config(name)
    folder = glance(name)
    if args.entity is not None:
        folder.entity(args.entity)
    with reading(flags, folder) as desk, Spool() as spool, moment(desk):
        one = args.record is not None
        document = _one(args, flags, desk, spool) if one else _whole(args, flags, desk, new, spool)
        if flags.reveal:
            note_reveal(folder, public(document))
        give(flags, document, spool, every=args.all)
    codes = [exits.OK if document["complete"] else exits.INCOMPLETE]
    if args.exit_code and not is_empty(document):
        codes.append(exits.DIFFERENT)
    return exits.worst(codes)


@contextmanager
def moment(desk: Desk) -> Iterator[None]:
    """Read the ledger as it stands at one moment, however long that takes."""
    desk.db.execute("BEGIN")
    try:
        yield
    finally:
        desk.db.execute("ROLLBACK")


def _whole(args: Args, flags: Flags, desk: Desk, new: "Config", spool: Spool) -> dict[str, Any]:
    from syncd.daemon.write_plan import Asked, write_plan

    old, against = base(desk, desk.folder, args.against)
    wanted = spool if args.out or kinds(flags) & {*MACHINES} else None
    asked = Asked(desk.origin, against, wanted, args.entity, every=args.all, reveal=flags.reveal)
    document = write_plan(desk.db, old, new, asked)
    document["edited_at"] = edited_at(desk.folder, old, new)
    if args.replay:
        from syncd.daemon.feed_again import feed_again

        document["replay"] = feed_again(desk.db, new.rules, since=desk.origin.now - args.replay, every=args.all)
    if args.out:
        save(args.out, document, spool)
        document["saved"] = args.out
    return document


def _one(args: Args, flags: Flags, desk: Desk, spool: Spool) -> dict[str, Any]:
    from syncd.connectors.registry import KINDS
    from syncd.daemon.try_record import try_record
    from syncd.daemon.write_plan import Asked

    config = runnable_config(desk.folder.name)
    wanted = spool if kinds(flags) & {*MACHINES} else None
    against = {"sha": config.sha, "running": False, "how": ""}
    asked = Asked(desk.origin, against, wanted, args.entity, every=True, reveal=flags.reveal)
    document: dict[str, Any] = try_record(desk.db, config, desk.record(args.entity, args.record), asked, KINDS)
    return document


# ---- what the edit is compared with


def base(desk: Desk, folder: Folder, sha: str | None) -> tuple["Config", dict[str, Any]]:
    """Return the config that an edit is compared with: the one given, the daemon's, or the one last loaded."""
    running = None if sha else running_sha(folder)
    wanted = sha or running or loaded_sha(desk.db)
    if not wanted:
        raise SyncdError("no config was loaded with this ledger yet, so there is nothing to compare with: syncd run")
    texts = config_texts.get(desk.db, wanted[:7])
    if texts is None:
        kept = ", ".join(config_texts.shas(desk.db)) or "none"
        raise SyncdError(f"the ledger keeps no config {wanted}; it keeps those that were loaded, last first: {kept}")
    from syncd.config.load import load_texts
    from syncd.connectors.registry import KINDS

    loaded = load_texts(folder.name, texts, KINDS)
    if loaded.config is None:
        raise ConfigError(f"the config {wanted} was loaded by another syncd and has errors for this one", loaded.errors)
    how = "" if sha else ", which was loaded last"
    return loaded.config, {"sha": loaded.config.sha, "running": running is not None, "how": how}


def running_sha(folder: Folder) -> str | None:
    """Return the sha of the config that the daemon has loaded, None if none runs."""
    answer = socket.ask(folder.control, {"do": "status"}, timeout=5.0)
    return str(answer["config_sha"]) if answer and answer.get("config_sha") else None


def edited_at(folder: Folder, old: "Config", new: "Config") -> str | None:
    """Return when the newest file that differs was written."""
    paths = [Path(folder.name) / path for path, text in new.texts.items() if old.texts.get(path) != text]
    times = [path.stat().st_mtime_ns // 1000 for path in paths if path.exists()]
    return figures.stamp(max(times)) if times else None


# ---- printing


def kinds(flags: Flags) -> set[str]:
    """Return the formats that were asked for."""
    return {flags.format or "table", *(kind or "table" for _, kind in flags.outputs)}


def give(flags: Flags, document: dict[str, Any], spool: Spool, *, every: bool) -> None:
    """Print the plan in the formats asked for; what is long is not held in memory."""
    for target, kind in flags.outputs:
        if target == "-":
            put(sys.stdout, document, spool, kind or "table", look(flags, all_rows=every))
            continue
        try:
            with Path(target).open("w", encoding="utf-8") as out:
                put(out, document, spool, kind or "table", Look(local=flags.local))
        except OSError as error:
            raise SyncdError(f"cannot write {target}: {error.strerror}") from error
    put(sys.stdout, document, spool, flags.format or "table", look(flags, all_rows=every))
    sys.stdout.flush()


def put(out: Any, document: dict[str, Any], spool: Spool, kind: str, how: Look) -> None:
    """Write the plan in one format."""
    if kind == "json":
        write_json(public(document), spool, LISTS, out)
    elif kind in MACHINES:
        out.write(render(public(document) | {name: spool.rows(name) for name in LISTS}, page, kind, how))
    else:
        out.write(render(document, page, kind, how))


def public(document: dict[str, Any]) -> dict[str, Any]:
    """Return the document without what only people are shown."""
    return {key: value for key, value in document.items() if key not in ("examples", "next", "saved")}


def save(file: str, document: dict[str, Any], spool: Spool) -> None:
    """Save the plan for ``apply``."""
    try:
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as out:
            if Path(file).is_file():
                os.fchmod(out.fileno(), 0o600)  # it has every value as it is, personal ones too: apply needs them
            write_json(public(document), spool, KEPT, out)
    except OSError as error:
        raise SyncdError(f"cannot write {file}: {error.strerror}") from error


PLAN = Command(
    plan,
    "what an edit of the rules would do, before it is loaded",
    (
        "syncd plan",
        "syncd plan --all --format markdown",
        "syncd plan product MUG-1",
        "syncd plan --replay 7d",
        "syncd plan --out plan.json   then   syncd apply plan.json",
    ),
    parameters,
    "The config on disk is compared with the one last loaded, over every record in the ledger. Nothing is written.",
)
