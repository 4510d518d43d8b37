"""Where events go, on real streams and sockets."""

import io
import json
import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from loguru import logger

from syncd.daemon import logs
from syncd.daemon.events import Event, say, say_failure
from syncd.daemon.notify import Notify


@pytest.fixture(autouse=True)
def _silent() -> Iterator[None]:
    logger.remove()
    yield
    logger.remove()


def add(sink: logs.Sink) -> None:
    logger.add(sink, level="INFO", format=logs.text_of, backtrace=False, diagnose=False)


def test_people_get_lines() -> None:
    out = io.StringIO()
    add(logs.human(out))
    say(Event.WRITE_OK, "product MUG-1  price  12.00 -> {12.50}", platform="shop")
    say(Event.SWEEP_DONE, "not interesting")
    assert out.getvalue()[8:] == "  product MUG-1  price  12.00 -> {12.50}\n"


def test_pipes_get_json_lines() -> None:
    out = io.StringIO()
    add(logs.lines(out))
    say(Event.WRITE_OK, "done", platform="shop", record=None)
    try:
        int("odd")
    except ValueError as error:
        say_failure(Event.TASK_FAILED, "poll failed", error, task="poll")
    first, second = (json.loads(line) for line in out.getvalue().splitlines())
    assert (first["event"], first["platform"], first["level"], "record" in first) == ("write.ok", "shop", "info", False)
    assert second["message"].startswith("poll failed\n")
    assert "ValueError: invalid literal" in second["message"]


def test_the_journal_gets_fields(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as line:
        line.bind(str(tmp_path / "journal"))
        add(logs.Journal(str(tmp_path / "journal")))
        say(Event.BREAKER_TRIP, "two\nlines", platform="shop")
        entry = line.recv(4096)
    assert b"PRIORITY=3\n" in entry
    assert b"SYNCD_EVENT=breaker.trip\n" in entry
    assert b"SYNCD_PLATFORM=shop\n" in entry
    assert b"MESSAGE\n\x09\x00\x00\x00\x00\x00\x00\x00two\nlines\n" in entry


def test_a_journal_that_is_not_there_stops_nothing(tmp_path: Path) -> None:
    add(logs.Journal(str(tmp_path / "nobody")))
    say(Event.WRITE_OK, "done")


def test_what_fits_is_chosen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with (tmp_path / "out").open("w") as stream:
        assert not logs.is_journal(stream)
        found = os.fstat(stream.fileno())
        monkeypatch.setenv("JOURNAL_STREAM", f"{found.st_dev}:{found.st_ino}")
        assert logs.is_journal(stream)
    assert not logs.is_journal(io.StringIO())


def test_an_abstract_socket_hears_us_too() -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as line:
        line.bind(f"\0syncd-test-{os.getpid()}")
        notify = Notify({"NOTIFY_SOCKET": f"@syncd-test-{os.getpid()}", "WATCHDOG_USEC": "60000000"})
        notify.status("two\nlines")
        assert line.recv(100) == b"STATUS=two lines"
        assert notify.watchdog == 30.0


@pytest.mark.parametrize("environ", [{}, {"WATCHDOG_USEC": "0"}, {"WATCHDOG_USEC": "60000000", "WATCHDOG_PID": "1"}])
def test_without_a_watchdog_nothing_is_fed(environ: dict[str, str]) -> None:
    notify = Notify(environ)
    assert notify.watchdog is None
    notify.ping()


def test_a_notify_socket_that_is_gone_stops_nothing(tmp_path: Path) -> None:
    Notify({"NOTIFY_SOCKET": str(tmp_path / "gone")}).ready()
