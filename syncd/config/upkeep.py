"""What ``syncd.yaml`` says of the service beside the rules: what is kept, copied and reported, and who is told of what."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from cronsim import CronSim, CronSimError

from syncd.config import literals, places
from syncd.config.model import Backup, Notice, Reports, Upkeep
from syncd.config.nodes import Block, Scalar
from syncd.config.secrets import NAME, reference
from syncd.config.section import Section, section_of

FORMATS = ("html", "json", "csv", "markdown", "junit")
OCCASIONS = (
    "breaker",
    "conflict_new",
    "drift_over",
    "dead_letter",
    "platform_down",
    "backup_failed",
    "report_failed",
    "reload_failed",
)
TO = ("webhook",)
NOTICE_KEYS = ("when", "to", "url", "min_gap", "over")
SHORTEST = {"keep_history": 1_000_000, "every": 1_000_000, "keep": 1_000_000}  # microseconds


def read_upkeep(section: Section, ledger: Section | None, reconcile: Section | None, *, folder: str, state: Path) -> Upkeep:
    """Return what the service keeps, makes and tells; what is wrong is noted and left as built in."""
    built = Upkeep()
    kept = _span(ledger, "keep_history") if ledger else None
    copied = ledger is not None and "backup" in ledger.block.entries
    written = reconcile is not None and "report" in reconcile.block.entries
    return Upkeep(
        keep_history=kept or built.keep_history,
        backup=_backup(ledger.section("backup")) if ledger and copied else None,
        schedule=_schedule(reconcile) if reconcile else None,
        reports=_reports(reconcile.section("report"), folder, state) if reconcile and written else None,
        notices=tuple(_notices(section)),
        watch=section.flag("watch_config") or False,
    )


def _span(section: Section, key: str) -> int | None:
    """Return a duration that is one: nothing can be kept for no time, nor be done without a pause."""
    found, node = section.duration(key), section.node(key)
    if found is None or node is None or found >= SHORTEST[key]:
        return found
    literals.bad_value(
        section.source,
        node,
        f"{key} must be at least 1s, not {node.text if isinstance(node, Scalar) else ''}",
        why="kept for no time is not kept" if key != "every" else "one copy would follow the other without end",
        fix=f"write  {key}: {'24h' if key == 'every' else '90d'}     (units: ms, s, m, h, d)",
    )
    return None


def _backup(section: Section | None) -> Backup | None:
    built = Backup()
    if section is None:
        return built
    section.known(["every", "keep"])
    every, keep = _span(section, "every"), section.whole("keep", least=1)
    return Backup(built.every if every is None else every, built.keep if keep is None else keep)


def _schedule(section: Section) -> str | None:
    """Return a cron expression that names at least one moment; notes E011."""
    written, node = section.text("schedule"), section.node("schedule")
    if written is None or node is None:
        return None
    try:
        next(CronSim(written, datetime.now(UTC)))
    except (CronSimError, StopIteration):
        literals.bad_value(
            section.source,
            node,
            f'"{written}" is not a cron expression',
            hint="minute hour day month weekday",
            why="the report would never be made",
            fix='write  schedule: "15 2 * * *"     (every night at 02:15)',
        )
        return None
    return written


def _reports(section: Section | None, folder: str, state: Path) -> Reports | None:
    built = Reports(state / "reports")
    if section is None:
        return built
    section.known(["dir", "formats", "keep"])
    written = section.text("dir")
    keep = _span(section, "keep")
    return Reports(
        places.resolve_path(folder, written) if written else built.folder,
        _words(section, "formats", FORMATS) or built.formats,
        built.keep if keep is None else keep,
    )


def _words(section: Section, key: str, words: Sequence[str]) -> tuple[str, ...]:
    """Return a list of words, each once; notes E010 and E011, also for a list of none."""
    nodes = section.list(key)
    node = section.node(key)
    if node is not None and not nodes and not isinstance(node, (Scalar, Block)):
        fix = f"write  {key}: [{', '.join(words[:2])}]     (there are: {', '.join(words)})"
        literals.bad_value(section.source, node, f"{key} names nothing", why="it would do nothing", fix=fix)
    found = [literals.word(section.source, one, words) for one in nodes]
    return tuple(dict.fromkeys(one for one in found if one is not None))


def _notices(section: Section) -> list[Notice]:
    found = []
    for node in section.list("notify"):
        one = section_of(section.source, node, node.span)
        notice = _notice(one) if one else None
        if notice is not None:
            found.append(notice)
    return found


def _notice(section: Section) -> Notice | None:
    """Return one entry of ``notify:``, None if it could not tell anybody anything."""
    section.known(NOTICE_KEYS)
    for key in NOTICE_KEYS[:3]:
        section.need(key)
    when = _words(section, "when", OCCASIONS)
    section.word("to", TO)
    secret, gap, over = _secret(section), section.duration("min_gap"), section.share("over")
    if "over" in section.block.entries and when and "drift_over" not in when:
        section.unknown(section.block.entries["over"], NOTICE_KEYS[:-1])
    if not when or secret is None:
        return None
    built = Notice((), "")
    return Notice(when, secret, built.min_gap if gap is None else gap, built.over if over is None else over)


def _secret(section: Section) -> str | None:
    """Return the name of the secret that holds the address; whoever knows the address could post there."""
    node = section.node("url")
    written = section.text("url")
    if node is None or written is None:
        return None
    name = reference(written)
    if name is None:
        literals.bad_value(
            section.source,
            node,
            "the url of a webhook is a secret",
            why="whoever knows the address can post there, and files of the config end up in git and back-ups",
            fix="write  url: secret:ops-webhook     and store it with  syncd secrets set ops-webhook",
        )
    return name if name and NAME.fullmatch(name) else None
