"""Printing: the answer goes to stdout (and to files), everything else to stderr."""

import os
import sys
from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any, TextIO

from syncd.cli.exits import Refused
from syncd.cli.flags import Flags
from syncd.errors import SyncdError, UsageError
from syncd.reports import figures, machine, text
from syncd.reports.envelope import Origin, envelope
from syncd.reports.page import Look, Page

Layout = Callable[[Mapping[str, Any], Look], Page]


def give(flags: Flags, document: Mapping[str, Any], layout: Layout, *, all_rows: bool = False) -> None:
    """Print a machine-format dict in the formats asked for, personal values as masks."""
    shown = shielded(flags, document)
    _save(flags, shown, layout)
    _show(flags, shown, layout, all_rows=all_rows)


def save(flags: Flags, document: Mapping[str, Any], layout: Layout) -> None:
    """Write a machine-format dict to the files asked for, personal values as masks."""
    _save(flags, shielded(flags, document), layout)


def _save(flags: Flags, document: Mapping[str, Any], layout: Layout) -> None:
    for target, kind in flags.outputs:
        if target != "-":
            _write(target, render(document, layout, kind or "table", Look(local=flags.local)))


def show(flags: Flags, document: Mapping[str, Any], layout: Layout, *, all_rows: bool = False) -> None:
    """Print a machine-format dict to stdout, personal values as masks."""
    _show(flags, shielded(flags, document), layout, all_rows=all_rows)


def _show(flags: Flags, document: Mapping[str, Any], layout: Layout, *, all_rows: bool = False) -> None:
    sys.stdout.write(render(document, layout, flags.format or "table", look(flags, all_rows=all_rows)))
    sys.stdout.flush()


def shielded(flags: Flags, document: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a document with personal values as masks; with ``--reveal`` as it is, which is written to the audit log first."""
    shield: Callable[[Flags, Mapping[str, Any]], Mapping[str, Any]] = import_module("syncd.cli.shield").shield
    return shield(flags, document)


def check_formats(flags: Flags, schema: str) -> None:
    """Raise UsageError, before any work, if a format was asked for that this answer does not have."""
    for kind in (flags.format, *(kind for _, kind in flags.outputs)):
        if kind == "junit" and not schema.startswith(("syncd.reconcile", "syncd.test")):
            raise UsageError("junit is a format of syncd reconcile and syncd test only")
        if kind == "csv" and machine.shape_of({"schema": schema}) is None:
            raise UsageError("this answer is no list, so there is no csv of it")


def render(document: Mapping[str, Any], layout: Layout, kind: str, how: Look) -> str:
    """Return a document in a format."""
    match kind:
        case "table":
            return text.render(layout(document, how), how)
        case "json":
            return machine.to_json(document)
        case "ndjson":
            return machine.to_ndjson(document)
        case "csv":
            return machine.to_csv(document)
        case "junit":
            return str(import_module("syncd.reports.junit").render(document))
        case _:  # Jinja2 is slow to import, so these are imported when they are wanted
            return str(import_module(f"syncd.reports.{kind}").render(layout(document, Look(local=how.local))))


def look(flags: Flags, *, all_rows: bool = False) -> Look:
    """Return how stdout is to be written to: shortened, coloured and relative only on a terminal."""
    tty = sys.stdout.isatty()
    return Look(
        width=_width() if tty else None,
        colour=_coloured(flags, sys.stdout),
        local=flags.local,
        relative=tty,
        ellipsis="…" if (sys.stdout.encoding or "").lower().startswith("utf") else "..",
        all_rows=all_rows,
    )


def _width() -> int:
    """Return how wide the terminal is: as ``COLUMNS`` says, else as it says itself."""
    from shutil import get_terminal_size

    return get_terminal_size((100, 24)).columns


def _coloured(flags: Flags, stream: TextIO) -> bool:
    if flags.colour != "auto":
        return flags.colour == "always"
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def _write(target: str, content: str) -> None:
    try:
        Path(target).write_text(content, encoding="utf-8")
    except OSError as error:
        raise SyncdError(f"cannot write {target}: {error.strerror}") from error


def show_lines(flags: Flags, answer: Mapping[str, Any], done: str, origin: Origin) -> None:
    """Print what a command caused to be written: a line for each write, and their sum."""
    from syncd.reports import deliveries

    document = envelope(deliveries.SCHEMA, origin, text=done, lines=figures.exact(answer.get("lines", [])))
    give(flags, document, deliveries.page)


def agreed(question: str, *, yes: bool) -> bool:
    """Return whether the user says yes, or said so with --yes; raises Refused on a pipe."""
    return yes or ask(f"{question} [y/N] ", instead="add --yes to do it") in {"y", "yes"}


def say(line: str) -> None:
    """Print a line of the answer."""
    print(line)


def note(line: str) -> None:
    """Print something that is not the answer."""
    print(line, file=sys.stderr)


def can_ask() -> bool:
    """Return whether there is a person to ask: nobody is asked on a pipe."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def ask(question: str, *, instead: str) -> str:
    """Ask on the terminal and return the answer in lower case; raises Refused, naming the flag that answers, on a pipe."""
    if not can_ask():
        raise Refused(f"{question.rstrip()} Nobody to ask here: {instead}")
    sys.stderr.write(question)
    sys.stderr.flush()
    return sys.stdin.readline().strip().lower()
