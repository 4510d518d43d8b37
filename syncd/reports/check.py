"""What `syncd check` found in a config folder. Format ``syncd.check/1.0``."""

from collections.abc import Mapping, Sequence
from typing import Any

from syncd.config.diagnostics import Diagnostic, render
from syncd.config.model import FileSummary, Loaded
from syncd.reports import figures
from syncd.reports.envelope import Origin, envelope
from syncd.reports.page import Cell, Column, Look, Page, Section, Tone

SCHEMA = "syncd.check/1.0"
STATES = {"ok": Tone.GOOD, "warn": Tone.WARN, "error": Tone.BAD}


def document(loaded: Loaded, origin: Origin) -> dict[str, Any]:
    """Return everything found, and what the files hold."""
    return envelope(
        SCHEMA,
        origin,
        files=[_file(one) for one in loaded.files],
        diagnostics=[_diagnostic(one) for one in loaded.diagnostics],
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


def _diagnostic(one: Diagnostic) -> dict[str, Any]:
    names = ("code", "severity", "file", "line", "col", "end_col", "message", "hint", "why", "fix")
    return {name: getattr(one, name) or None for name in names} | {"notes": list(one.notes), "doc": one.doc}


def page(found: Mapping[str, Any], diagnostics: Sequence[Diagnostic], seconds: float) -> Page:
    """Return the files, then the findings as they are printed everywhere, then the counts."""
    files = Section((Column(""), Column(""), Column("")), _lines(found["files"]), headless=True)
    parts: list[Section | str] = [files] if files.rows else []
    if diagnostics:
        parts.append(render(diagnostics))
    return Page("", parts, _foot(found, seconds), title="Config check")


def layout(diagnostics: Sequence[Diagnostic], seconds: float) -> Any:
    """Return the page as a function of the document and the look."""

    def laid_out(found: Mapping[str, Any], _: Look) -> Page:
        return page(found, diagnostics, seconds)

    return laid_out


def _lines(files: Sequence[Mapping[str, Any]]) -> list[tuple[Cell | str, ...]]:
    """Return a line per file; the platforms without a finding share one."""
    quiet = [one for one in files if one["part"] == "platform" and one["state"] == "ok"]
    lines: list[tuple[Cell | str, ...]] = []
    for one in files:
        if len(quiet) > 1 and one in quiet:
            if one is quiet[0]:
                names = "  ".join(each["name"] for each in quiet)
                folder = one["file"].rpartition("/")[0]
                lines.append((_state("ok"), f"{folder}/  {names}", f"({figures.plural(len(quiet), 'file')})"))
        else:
            lines.append((_state(one["state"]), one["file"], _holds(one)))
    return lines


def _state(state: str) -> Cell:
    return Cell(state, STATES[state])


def _holds(one: Mapping[str, Any]) -> str:
    counts = [(one["fields"], "field"), (one["rules"], "rule"), (one["tests"], "test")]
    words = [figures.plural(count, noun) for count, noun in counts if count is not None]
    if one["cases"]:
        words.append(f"{one['cases']} with cases")
    return ", ".join(words)


def _foot(found: Mapping[str, Any], seconds: float) -> str:
    severities = [one["severity"] for one in found["diagnostics"]]
    errors = figures.plural(severities.count("error"), "error")
    warnings = figures.plural(severities.count("warning"), "warning")
    files = figures.plural(len(found["files"]), "file")
    fields = figures.plural(sum(one["fields"] or 0 for one in found["files"]), "field")
    return f"{files}, {fields}.  {errors}, {warnings}.  Offline check in {seconds:.2f} s."
