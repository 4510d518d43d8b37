"""What `syncd check` found in a config folder. Format ``syncd.check/1.0``."""

from collections.abc import Mapping, Sequence
from typing import Any

from syncd.config.diagnostics import Diagnostic, render
from syncd.config.model import FileSummary, Loaded
from syncd.reports import figures
from syncd.reports.envelope import Origin, envelope
from syncd.reports.page import Look, Page, Section, Tone
from syncd.reports.text import paint

SCHEMA = "syncd.check/1.0"
STATES = {"ok": Tone.GOOD, "warn": Tone.WARN, "error": Tone.BAD}


def document(loaded: Loaded, origin: Origin) -> dict[str, Any]:
    """Return everything found, and what the files hold."""
    return envelope(
        SCHEMA,
        origin,
        files=[_file(one) for one in loaded.files],
        diagnostics=[diagnostic(one) for one in loaded.diagnostics],
    )


def _file(one: FileSummary) -> dict[str, Any]:
    return {
        "file": one.file,
        "state": one.state,
        "part": one.part,
        "name": one.name,
        "fields": one.fields,
        "rules": one.rules,
        "cases": one.cases,
        "tests": one.tests,
    }


def diagnostic(one: Diagnostic) -> dict[str, Any]:
    """Return one finding as the format has it."""
    names = ("code", "severity", "file", "line", "col", "end_col", "message", "hint", "why", "fix")
    return {name: getattr(one, name) or None for name in names} | {"notes": list(one.notes), "doc": one.doc}


def page(found: Mapping[str, Any], diagnostics: Sequence[Diagnostic], seconds: float, look: Look) -> Page:
    """Return the files, then the findings as they are printed everywhere, then the counts."""
    lines = _lines(found["files"], look)
    parts: list[Section | str] = ["\n".join(lines)] if lines else []
    if diagnostics:
        parts.append(render(diagnostics))
    return Page("", parts, _foot(found, seconds), title="Config check")


def layout(diagnostics: Sequence[Diagnostic], seconds: float) -> Any:
    """Return the page as a function of the document and the look."""

    def laid_out(found: Mapping[str, Any], look: Look) -> Page:
        return page(found, diagnostics, seconds, look)

    return laid_out


def _lines(files: Sequence[Mapping[str, Any]], look: Look) -> list[str]:
    """Return a line per file, the first figures one below the other; the platforms without a finding share one."""
    quiet = [one for one in files if one["part"] == "platform" and one["state"] == "ok"]
    end = max([len(one["file"]) + 1 + len(_holds(one).split(" ")[0]) for one in files if _holds(one)], default=0)
    lines: list[str] = []
    for one in files:
        if len(quiet) > 1 and one in quiet:
            if one is quiet[0]:
                names = "  ".join(each["name"] for each in quiet)
                lines.append(_line("ok", f"{one['file'].rpartition('/')[0]}/  {names}   ({len(quiet)} files)", look))
        else:
            figure, blank, rest = _holds(one).partition(" ")
            lines.append(
                _line(one["state"], f"{one['file']}{figure.rjust(end - len(one['file'])) if figure else ''}{blank}{rest}", look)
            )
    return lines


def _line(state: str, text: str, look: Look) -> str:
    return f"  {paint(state, STATES[state], look)}{' ' * (6 - len(state))}{text}"


def _holds(one: Mapping[str, Any]) -> str:
    counts = [(one["fields"], "field"), (one["rules"], "rule"), (one["tests"], "test")]
    words = [figures.plural(count, noun) for count, noun in counts if count is not None]
    if one["cases"]:
        words.append(f"{one['cases']} with cases")
    return ", ".join(words) + (" (run them: syncd test)" if one["tests"] else "")


def _foot(found: Mapping[str, Any], seconds: float) -> str:
    severities = [one["severity"] for one in found["diagnostics"]]
    errors = figures.plural(severities.count("error"), "error")
    warnings = figures.plural(severities.count("warning"), "warning")
    files = figures.plural(len(found["files"]), "file")
    fields = figures.plural(sum(one["fields"] or 0 for one in found["files"]), "field")
    return f"{files}, {fields}.  {errors}, {warnings}.  Offline check in {seconds:.2f} s."
