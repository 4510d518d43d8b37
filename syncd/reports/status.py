"""How syncd stands, on one screen: platforms, what is open, and what needs a person. Format ``syncd.status/1.0``."""

from collections.abc import Iterable, Mapping
from typing import Any

from syncd.core.model import SECOND
from syncd.ledger import drift, state
from syncd.ledger.schema import Database
from syncd.ledger.state import State
from syncd.reports import breakers, figures
from syncd.reports.envelope import Origin, envelope
from syncd.reports.outline import PlatformLine
from syncd.reports.page import Cell, Column, Look, Page, Section, Tone

SCHEMA = "syncd.status/1.0"
TONES = {"ok": Tone.GOOD, "slow": Tone.WARN, "throttled": Tone.WARN, "down": Tone.BAD, "paused": Tone.WARN}
BESIDE = 36  # columns of a sentence that leave room for its command
NOT_RUNNING = {"running": False, "pid": None, "since": None, "ready": False}


def collect(
    db: Database, origin: Origin, platforms: Mapping[str, PlatformLine], *, live: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Return how the ledger stands, with what a running daemon tells: ``daemon``, and ``platforms`` by name."""
    now = state.now(db, origin.now)
    known = (live or {}).get("platforms", {})
    report = drift.last(db)
    totals = report.document.get("totals", {}) if report else {}
    document = envelope(
        SCHEMA,
        origin,
        daemon=dict((live or {}).get("daemon") or NOT_RUNNING),
        platforms=[_platform(line, now, origin.now, known.get(line.name, {})) for line in platforms.values()],
        records=now.records,
        open={
            "conflicts": now.open.conflicts - now.open.snoozed,
            "changes": now.open.changes,
            "dead": now.open.dead,
            "breakers": len(now.breakers),
        },
        breakers=[breakers.line(one) for one in now.breakers],
        drift={"report": report.id, "at": figures.stamp(report.at), **totals} if report else None,
    )
    troubles = [_need(text, "syncd status") for text in (live or {}).get("attention", ())]
    document["attention"] = [*attention(document, now), *troubles]
    return document


def _platform(line: PlatformLine, now: State, at: int, live: Mapping[str, Any]) -> dict[str, Any]:
    reads = [feed.read_at for feed in now.feeds if feed.platform == line.name and feed.read_at is not None]
    read_at = max(reads, default=None)
    paused = any(pause.platform == line.name and not pause.entity for pause in now.pauses)
    return {
        "platform": line.name,
        "mode": line.mode,
        "connector": line.connector,
        "state": "paused" if paused else live.get("state"),
        "why": live.get("why"),
        "last_read_at": figures.stamp(read_at),
        "lag_s": None if read_at is None else max((at - read_at) // SECOND, 0),
        "queue": now.outbox.get(line.name, 0),
    }


def attention(document: Mapping[str, Any], now: State) -> Iterable[dict[str, str]]:
    """Yield what needs a person, as a sentence with the command to run next."""
    if now.restored:
        yield _need(
            f"the ledger was lost or put back ({now.restored}): nothing is written without approval", "syncd reconcile --fix"
        )
    for one in document["breakers"]:
        where = f"{one['platform']} {one['entity']}"
        yield _need(f"{where} is stopped: {breakers.told(one)}", f"syncd breaker reset {where} --note TEXT")
    counts = document["open"]
    for count, noun, verb, command in (
        (counts["conflicts"], "conflict", "for a decision", "syncd conflicts"),
        (counts["changes"], "change", "for approval", "syncd changes"),
        (counts["dead"], "dead letter", "for a correction", "syncd dead"),
    ):
        if count:
            yield _need(f"{figures.plural(count, noun)} {'waits' if count == 1 else 'wait'} {verb}", command)
    down = {one["platform"] for one in document["platforms"] if one["state"] == "down"}
    for platform, collection, why in now.unfinished:
        if platform not in down:
            text = f"{platform} {collection} was not read completely: {why}; so it proves no absence, and creates may wait"
            yield _need(text, "syncd dead" if "decoded" in why else "syncd reconcile")
    for one in document["platforms"]:
        if one["state"] == "down":
            yield _need(f"{one['platform']} is down: {one['why'] or 'it does not answer'}", "syncd status")


def _need(text: str, command: str) -> dict[str, str]:
    return {"text": text, "command": command}


def page(document: Mapping[str, Any], look: Look) -> Page:
    """Return the head line, the platforms, and what needs a person."""
    platforms = Section(_columns(look), [_row(one, look) for one in document["platforms"]])
    needs = [text for one in document["attention"] for text in _need_lines(one["text"], one["command"])]
    foot = "" if needs else "Nothing needs a person."
    parts: list[Section | str] = [platforms, *(["\n".join(["What needs a person", *needs])] if needs else [])]
    return Page(_head(document), parts, foot, title="Status")


def _need_lines(text: str, command: str) -> list[str]:
    """Return a sentence with its command beside it, or below it where the sentence is long."""
    text = figures.plain(text)
    return [f"  {text:<{BESIDE}}  {command}"] if len(text) <= BESIDE else [f"  {text}", f"      {command}"]


def _head(document: Mapping[str, Any]) -> str:
    daemon, counts = document["daemon"], document["open"]
    up = "not running"
    if daemon["running"]:
        since = figures.age(daemon["since"], document["generated_at"])
        up = f"up {since}" if daemon["ready"] else f"starting, {since}"
    records = sum(document["records"].values())
    drifted = document["drift"]
    words = [
        document["environment"] or "",
        up,
        figures.plural(len(document["platforms"]), "platform"),
        figures.plural(records, "record"),
        f"drift {figures.percent(drifted.get('out_of_sync'), drifted.get('records'))}" if drifted else "",
        f"conflicts {counts['conflicts']:,}",
        f"changes {counts['changes']:,}",
        f"dead {counts['dead']:,}",
        f"breaker {'OPEN' if counts['breakers'] else 'closed'}",
    ]
    return "   ".join(word for word in words if word)


def _columns(look: Look) -> tuple[Column, ...]:
    return (
        Column("platform"),
        Column("mode"),
        Column("connector"),
        Column("state", least=8),
        Column("last read", right=look.relative),
        Column("queue", right=True),
    )


def _row(one: Mapping[str, Any], look: Look) -> tuple[Cell | str, ...]:
    state = one["state"] or "-"
    why = f": {figures.plain(one['why'])}" if one["why"] else ""
    read = "-"
    if one["last_read_at"] is not None:
        read = figures.span(one["lag_s"]) if look.relative else figures.moment(one["last_read_at"], local=look.local)
    return (
        one["platform"],
        one["mode"],
        one["connector"],
        Cell(state + why, TONES.get(state, Tone.PLAIN)),
        read,
        figures.number(one["queue"]),
    )
