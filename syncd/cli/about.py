"""``syncd help`` and ``syncd version``."""

import platform
import sqlite3
import time
from collections.abc import Mapping
from typing import Any

from syncd import __version__
from syncd.cli import exits
from syncd.cli.answer import check_formats, give, say
from syncd.cli.command import Args, Command, Parser
from syncd.cli.commands import WHERE, help_on
from syncd.cli.flags import Flags
from syncd.config.suggest import did_you_mean
from syncd.errors import UsageError
from syncd.reports.envelope import Origin, envelope
from syncd.reports.page import Look, Page


def topic(parser: Parser) -> None:
    """Declare the parameters."""
    parser.add_argument("topic", nargs="*", metavar="CODE|COMMAND", help="E203, or the name of a command")


def help_(args: Args, _: Flags) -> int:
    """Explain a code, a command or the whole."""
    if args.topic and args.topic[0] not in WHERE:
        say(_code(args.topic[0]))
    else:
        say(help_on(args.topic))
    return exits.OK


def _code(word: str) -> str:
    """Return the explanation of a code; raises UsageError with did-you-mean if there is none."""
    from syncd.config.codes import CODES

    code = CODES.get(word.upper())
    if code is None:
        hint = did_you_mean(word.upper(), CODES) or did_you_mean(word, WHERE)
        raise UsageError(f'no help on "{word}"; {hint or "codes look like E203 or W210"}')
    return code.text()


def version(_: Args, flags: Flags) -> int:
    """Print the versions of syncd, Python and SQLite."""
    check_formats(flags, "syncd.version/1.0")
    python, sqlite = platform.python_version(), sqlite3.sqlite_version
    origin = Origin(time.time_ns() // 1000)
    give(flags, envelope("syncd.version/1.0", origin, python=python, sqlite=sqlite), _page)
    return exits.OK


def _page(found: Mapping[str, Any], _: Look) -> Page:
    words = f"syncd {found['syncd_version']}   python {found['python']}   sqlite {found['sqlite']}"
    return Page("", [], words, title=f"syncd {__version__}")


HELP = Command(
    help_, "explain an error code (cause, example, fix) or a command", ("syncd help E203", "syncd help check"), topic
)
VERSION = Command(version, "print the versions of syncd, Python and SQLite")
