"""What a command is, and how its words are parsed: argparse, whose errors are ours and whose start costs nothing.

A command line library that took 200 ms to import would be most of ``syncd status``.
"""

import argparse
import os
import pwd
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple, NoReturn

from syncd.cli.flags import SHORT, Flags
from syncd.config.suggest import did_you_mean
from syncd.errors import UsageError

Args = argparse.Namespace


class Parser(argparse.ArgumentParser):
    """Parses one command's words; what is wrong is a UsageError with the way to the help."""

    def error(self, message: str) -> NoReturn:
        """Raise UsageError."""
        raise UsageError(f"{message}\nsee: {self.prog} --help")

    def words(self, words: Sequence[str]) -> Args:
        """Return the parsed words; options may stand anywhere."""
        args, unknown = self.parse_known_intermixed_args(words)
        if unknown:
            options = [option for action in self._actions for option in action.option_strings]
            hint = did_you_mean(unknown[0].partition("=")[0], options) if unknown[0].startswith("-") else ""
            what = "no such option" if unknown[0].startswith("-") else "one word too many"
            self.error(f"{what}: {unknown[0]}{'; ' + hint if hint else ''}")
        return args


def no_parameters(_: Parser) -> None:
    """Declare nothing."""


class Command(NamedTuple):
    """One command: what it does in a few words, how it is used, its parameters, and the function that does it."""

    run: Callable[[Args, Flags], int]
    summary: str
    examples: tuple[str, ...] = ()
    parameters: Callable[[Parser], None] = no_parameters
    more: str = ""

    def parser(self, name: str) -> Parser:
        """Return the parser of this command under its full name, such as ``syncd conflicts list``."""
        parser = Parser(
            prog=name,
            description="\n".join(self._description()),
            epilog=SHORT,
            formatter_class=argparse.RawDescriptionHelpFormatter,
            add_help=False,
            allow_abbrev=False,
        )
        self.parameters(parser)
        return parser

    def _description(self) -> Iterator[str]:
        yield self.summary[:1].upper() + self.summary[1:] + "."
        if self.examples:
            yield ""
            yield from (f"  {example}" for example in self.examples)
        if self.more:
            yield ""
            yield self.more


class Group(NamedTuple):
    """Commands under one name. ``bare`` is the one that the name alone means."""

    summary: str
    commands: dict[str, Command]
    bare: str = ""


def exit_code(parser: Parser, text: str) -> None:
    """Declare ``--exit-code`` with its alias."""
    parser.add_argument("--exit-code", "--detailed-exitcode", action="store_true", dest="exit_code", help=text)


def duration(text: str) -> int:
    """Return the microseconds of ``30s``, ``10m``, ``1.5h``; argparse reports what is none."""
    number, unit = text.rstrip("hmsd"), text[len(text.rstrip("hmsd")) :]
    seconds = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "ms": 0.001}.get(unit)
    try:
        micros = int(float(number) * seconds * 1_000_000) if seconds else 0
    except (ValueError, OverflowError):
        micros = 0
    if micros <= 0:
        raise argparse.ArgumentTypeError(f"{text} is not a duration: write 30s, 10m or 1h")
    return micros


def number_of(prefix: str, text: str) -> int:
    """Return 118 of ``c-118`` or ``118``; raises UsageError for anything else."""
    digits = text.removeprefix(f"{prefix}-")
    if not (digits.isascii() and digits.isdigit()):
        raise UsageError(f'"{text}" is no id here; one looks like {prefix}-118')
    return int(digits)


def count(text: str) -> int:
    """Return a whole number above zero; argparse reports what is none."""
    if not (text.isascii() and text.isdigit() and int(text)):
        raise argparse.ArgumentTypeError(f"{text} is not a whole number above 0")
    return int(text)


def user() -> str:
    """Return who runs the command, for the audit log."""
    name = os.environ.get("SUDO_USER")
    if not name:
        try:
            name = pwd.getpwuid(os.getuid()).pw_name
        except KeyError:
            name = str(os.getuid())
    return f"cli:{name}"
