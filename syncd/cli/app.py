"""The way in: one line for an error, one place for exit codes."""

import io
import os
import sys
from collections.abc import Sequence
from typing import Any

from syncd.cli import exits, flags
from syncd.cli.answer import note, say
from syncd.cli.commands import HELP, WHERE, choose, help_on
from syncd.errors import ConfigError, SyncdError

STARTS = {
    "demo": "see it work on three platforms of its own",
    "init": "write a config folder to start from",
    "check": "is the config as it should be?",
    "run": "keep the platforms consistent",
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command line and return its exit code."""
    args = list(sys.argv[1:] if argv is None else argv)
    _lenient(sys.stdout, sys.stderr)
    try:
        return _run(*flags.take(args))
    except KeyboardInterrupt:
        note("stopped; finished writes are in the ledger")
        return exits.INTERRUPTED
    except BrokenPipeError:  # whoever read the answer has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return exits.OK
    except Exception as error:  # noqa: BLE001 - whatever it is, it ends as one line and an exit code
        return _report(error, verbose="-v" in args or "--verbose" in args)


def _run(asked: flags.Flags, words: list[str]) -> int:
    if not words:
        return _bare(asked)
    if HELP & set(_options(words)):
        say(help_on(words))
        return exits.OK
    if words == ["--version"]:
        words = ["version"]
    name, command, rest = choose(words)
    return command.run(command.parser(name).words(rest), asked)


def _bare(asked: flags.Flags) -> int:
    """With a config folder that has a ledger: its status. Else: what to run."""
    from syncd.cli.folder import find, glance

    try:
        folder = glance(find(asked.config))
    except ConfigError as error:
        if asked.config or error.diagnostics:
            raise
        return _what_to_run("no config folder here")
    if not folder.ledger.is_file():
        return _what_to_run(f"{folder.name} has no ledger yet")
    return _run(asked, ["status"])


def _what_to_run(why: str) -> int:
    hints = [f"  syncd {name:<11}{text}" for name, text in STARTS.items() if name in WHERE]
    say("\n".join([f"{why}; to start:", *hints, "  syncd --help"]))
    return exits.OK


def _options(words: Sequence[str]) -> Sequence[str]:
    return words[: words.index("--")] if "--" in words else words


def _report(error: Exception, *, verbose: bool) -> int:
    """Print an error and return its exit code. What nobody expected is shown with where it happened."""
    if isinstance(error, ConfigError) and error.diagnostics:
        from syncd.config.diagnostics import Diagnostic, render

        note(render([one for one in error.diagnostics if isinstance(one, Diagnostic)]) + "\n")
    if not isinstance(error, SyncdError) or verbose:
        import traceback

        traceback.print_exception(error)
    note(f"error: {error}" if str(error) else f"error: {type(error).__name__}")
    return exits.code_of(error)


def _lenient(*streams: Any) -> None:
    """Let a terminal that cannot show a character show its code instead of failing."""
    for stream in streams:
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
