"""The flags that every command takes, before or after its name."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import PurePath

from syncd.config.suggest import did_you_mean
from syncd.errors import UsageError

FORMATS = ("table", "json", "ndjson", "csv", "markdown", "html", "junit")
SUFFIXES = {
    ".json": "json",
    ".ndjson": "ndjson",
    ".jsonl": "ndjson",
    ".csv": "csv",
    ".md": "markdown",
    ".markdown": "markdown",
    ".html": "html",
    ".htm": "html",
    ".xml": "junit",
    ".txt": "table",
}
COLOURS = ("auto", "always", "never")
HELP = """\
Every command also takes:
  --config DIR                the config folder (else $SYNCD_CONFIG, ./config, /etc/syncd)
  --format NAME               table, json, ndjson, csv, markdown, html, junit
  -o FILE                     write to a file too, in the format of its suffix; - is stdout; may repeat
  --color auto|always|never   NO_COLOR is honoured
  --utc, --local              how times are shown
  --reveal                    show personal fields (pii) as they are; it is written to the audit log
  -v                          say more"""
SHORT = "every command also takes --config --format -o --color --utc --local --reveal -v (see syncd --help)"


@dataclass(slots=True)
class Flags:
    """What was asked for. ``format`` None: a table, or what a command prefers. ``outputs`` has (file, format)."""

    config: str | None = None
    format: str | None = None
    outputs: list[tuple[str, str | None]] = field(default_factory=list)
    colour: str = "auto"
    local: bool = False
    verbose: int = 0
    reveal: bool = False


def take(args: Sequence[str]) -> tuple[Flags, list[str]]:
    """Return the global flags and the arguments that are left; raises UsageError. Nothing after ``--`` is a flag."""
    flags, rest = Flags(), list[str]()
    words = list(args)
    while words:
        word = words.pop(0)
        if word == "--":
            return flags, [*rest, word, *words]
        if word in SWITCHES:
            SWITCHES[word](flags)
            continue
        name, value = _split(word)
        if name is None:
            rest.append(word)
            continue
        if value is None and not words:
            raise UsageError(f"{name} needs a value")
        VALUES[name](flags, words.pop(0) if value is None else value)
    return flags, rest


def _split(word: str) -> tuple[str | None, str | None]:
    """Return the flag with a value that a word is, with the value if it is in the same word."""
    name, equals, value = word.partition("=")
    if name in VALUES:
        return name, value if equals else None
    if word.startswith("-o") and not word.startswith("--"):
        return "-o", word[2:].removeprefix("=") or None
    return None, None


def _config(flags: Flags, value: str) -> None:
    flags.config = value


def _format(flags: Flags, value: str) -> None:
    flags.format = _one_of("--format", value, FORMATS)


def _colour(flags: Flags, value: str) -> None:
    flags.colour = _one_of("--color", value, COLOURS)


def _output(flags: Flags, value: str) -> None:
    suffix = PurePath(value).suffix.lower()
    if value != "-" and suffix not in SUFFIXES:
        raise UsageError(f"the format of {value} is not known by its suffix; use one of {', '.join(SUFFIXES)}")
    flags.outputs.append((value, SUFFIXES.get(suffix) if value != "-" else None))


def _one_of(flag: str, value: str, names: Sequence[str]) -> str:
    if value in names:
        return value
    raise UsageError(f"{flag} {value}: {did_you_mean(value, names) or 'use one of ' + ', '.join(names)}")


def _verbose(flags: Flags) -> None:
    flags.verbose += 1


def _reveal(flags: Flags) -> None:
    flags.reveal = True


def _utc(flags: Flags) -> None:
    flags.local = False


def _local(flags: Flags) -> None:
    flags.local = True


VALUES: dict[str, Callable[[Flags, str], None]] = {
    "--config": _config,
    "--format": _format,
    "--color": _colour,
    "-o": _output,
    "--output": _output,
}
SWITCHES: dict[str, Callable[[Flags], None]] = {
    "-v": _verbose,
    "--verbose": _verbose,
    "--utc": _utc,
    "--reveal": _reveal,
    "--local": _local,
}
