"""What a command is, and how its words are parsed: argparse, whose errors are ours and whose start costs nothing.

A command line library that took 200 ms to import would be most of ``syncd status``.
"""

import argparse
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import NoReturn

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


@dataclass(frozen=True, slots=True)
class Command:
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


@dataclass(frozen=True, slots=True)
class Group:
    """Commands under one name. ``bare`` is the one that the name alone means."""

    summary: str
    commands: dict[str, Command]
    bare: str = ""
