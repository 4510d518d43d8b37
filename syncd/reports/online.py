"""What `syncd check --online` found: the offline check, with a line for each platform that was asked."""

from collections.abc import Mapping, Sequence
from typing import Any

from syncd.config.diagnostics import Diagnostic, render
from syncd.config.model import Loaded
from syncd.config.online import Found
from syncd.core.model import SECOND
from syncd.reports import check, figures
from syncd.reports.envelope import Origin
from syncd.reports.page import Cell, Column, Look, Page, Section, Tone

COLUMNS = (
    Column("platform"),
    Column("login"),
    Column("may read"),
    Column("may write", least=8),
    Column("clock", right=True),
    Column("schema", least=12),
    Column("latency", right=True),
)
BAD = {"no", "NO", "refused", "not reached", "wrong"}


def document(loaded: Loaded, found: Sequence[Found], diagnostics: Sequence[Diagnostic], origin: Origin) -> dict[str, Any]:
    """Return everything found offline and online. ``complete`` is false if a platform was not reached."""
    body = check.document(loaded, origin) | {"complete": all(one.reached for one in found)}
    body["diagnostics"] = [check.diagnostic(one) for one in diagnostics]
    return body | {"platforms": [line(one) for one in found]}


def line(one: Found) -> dict[str, Any]:
    """Return one platform as the format has it."""
    told = one.reached and not one.refused
    return {
        "platform": one.platform,
        "mode": one.mode,
        "login": "not reached" if not one.reached else "refused" if one.refused else "ok",
        "may_read": ("no" if one.schema or is_barred(one) else "yes") if told else None,
        "may_write": may_write(one) if told else None,
        "clock_s": round(one.clock[0] / SECOND, 1) if told and one.clock != (0, 0) else None,
        "schema": schema(one) if told else None,
        "latency_ms": round(1000 * min((asked.seconds for asked in one.collections), default=one.seconds)) if told else None,
        "trouble": one.trouble or one.schema or None,
    }


def is_barred(one: Found) -> bool:
    """Return whether scopes are missing to read a collection."""
    return any(asked.barred for asked in one.collections)


def may_write(one: Found) -> str:
    """Return what may be written: nothing is asked where the mode only observes, or where only a write could tell."""
    known = [asked for asked in one.collections if asked.write is not None]
    if one.mode == "observe" or not known:
        return "not asked"
    columns = sum(len(asked.writes) for asked in known)
    refused = sum(len(asked.refused) or (0 if asked.write else len(asked.writes)) for asked in known)
    if columns and refused == columns:
        return "NO"
    return f"{columns - refused} of {figures.plural(columns, 'field')}" if columns else "yes"


def schema(one: Found) -> str:
    """Return how much of what is mapped was seen."""
    if one.schema:
        return "wrong"
    paths = sum(len(asked.paths) for asked in one.collections)
    seen = paths - sum(len(asked.unseen) for asked in one.collections)
    rows = sum(asked.rows for asked in one.collections)
    if not rows:
        return "not seen" if is_barred(one) else "nothing there to see"
    return f"{seen} of {figures.plural(paths, 'field')}, read {rows:,}"


def layout(diagnostics: Sequence[Diagnostic], *, verbose: bool) -> Any:
    """Return the page as a function of the document and the look."""

    def laid_out(found: Mapping[str, Any], look: Look) -> Page:
        return page(found, diagnostics, verbose=verbose, look=look)

    return laid_out


def page(found: Mapping[str, Any], diagnostics: Sequence[Diagnostic], *, verbose: bool, look: Look) -> Page:  # noqa: ARG001
    """Return a line per platform, then the findings. Where there are findings, platforms without one are only named."""
    troubled = {one.file.rpartition("/")[2].removesuffix(".yaml") for one in diagnostics if one.code[1] == "3"}
    troubled |= {one["platform"] for one in found["platforms"] if one["login"] != "ok" or one["may_write"] == "NO"}
    shown = [one for one in found["platforms"] if verbose or not troubled or one["platform"] in troubled]
    quiet = [one["platform"] for one in found["platforms"] if one not in shown]
    parts: list[Section | str] = [Section(COLUMNS, [_row(one) for one in shown])]
    if diagnostics:
        parts.append(render(diagnostics))
    return Page("", parts, _foot(found, quiet), title="Config check, online")


def _row(one: Mapping[str, Any]) -> tuple[Cell | str, ...]:
    clock = "" if one["clock_s"] is None else f"{one['clock_s']:+.1f} s"
    latency = "" if one["latency_ms"] is None else f"{one['latency_ms']} ms"
    words = [one["login"], one["may_read"] or "", one["may_write"] or "", clock, one["schema"] or "", latency]
    return (one["platform"], *(Cell(word, Tone.BAD if word in BAD else Tone.PLAIN) for word in words))


def _foot(found: Mapping[str, Any], quiet: Sequence[str]) -> str:
    severities = [one["severity"] for one in found["diagnostics"]]
    counts = [figures.plural(severities.count(level), level) for level in ("error", "warning") if level in severities]
    rest = f"  ({', '.join(quiet)}: ok, not shown; -v shows all)" if quiet else ""
    return f"{', '.join(counts) or 'Nothing to mend'}.{rest}"
