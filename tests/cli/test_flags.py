"""The flags every command takes, before and after its name."""

from pathlib import Path

import pytest

from syncd.cli import flags
from syncd.cli.command import duration, number_of
from syncd.errors import UsageError


@pytest.mark.parametrize(
    "words",
    [
        ["--config", "c", "--format", "json", "-v", "status", "--exit-code"],
        ["status", "--exit-code", "--config=c", "--format=json", "-v"],
        ["status", "--config", "c", "--exit-code", "--verbose", "--format", "json"],
    ],
)
def test_they_stand_anywhere(words: list[str]) -> None:
    found, rest = flags.take(words)
    assert rest == ["status", "--exit-code"]
    assert (found.config, found.format, found.verbose) == ("c", "json", 1)


def test_files_get_the_format_of_their_suffix_and_may_repeat() -> None:
    found, rest = flags.take(["reconcile", "-o", "a.html", "-ob.XML", "-o=c.md", "--output", "-", "-o", "d.jsonl"])
    assert rest == ["reconcile"]
    assert found.outputs == [
        ("a.html", "html"),
        ("b.XML", "junit"),
        ("c.md", "markdown"),
        ("-", None),
        ("d.jsonl", "ndjson"),
    ]


def test_after_two_dashes_nothing_is_a_flag() -> None:
    found, rest = flags.take(["explain", "product", "--", "-v", "--local"])
    assert rest == ["explain", "product", "--", "-v", "--local"]
    assert (found.verbose, found.local) == (0, False)


def test_the_last_of_utc_and_local_counts() -> None:
    assert flags.take(["--local"])[0].local
    assert not flags.take(["--local", "--utc"])[0].local


@pytest.mark.parametrize("words", [["--color", "blue"], ["--format", "yaml"], ["-o"], ["-o", str(Path("x"))]])
def test_what_is_wrong_is_said(words: list[str]) -> None:
    with pytest.raises(UsageError):
        flags.take(words)


@pytest.mark.parametrize(
    ("text", "micros"), [("30s", 30_000_000), ("1.5h", 5_400_000_000), ("250ms", 250_000), ("1d", 86_400_000_000)]
)
def test_durations(text: str, micros: int) -> None:
    assert duration(text) == micros


def test_ids() -> None:
    assert (number_of("c", "c-118"), number_of("c", "118")) == (118, 118)
    with pytest.raises(UsageError):
        number_of("c", "d-118")
