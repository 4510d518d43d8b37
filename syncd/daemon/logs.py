"""Where events go: lines for people on a terminal, structured fields in the journal, JSON lines anywhere else."""

import json
import os
import socket
import sys
from pathlib import Path
from typing import Any, TextIO

from loguru import logger

JOURNAL = "/run/systemd/journal/socket"
PRIORITY = {"DEBUG": 7, "INFO": 6, "SUCCESS": 5, "WARNING": 4, "ERROR": 3, "CRITICAL": 2}

Sink = Any  # a function of loguru's message (a str with the record), or an object that writes it


def set_up(*, verbose: bool = False) -> None:
    """Send all events of this process to where it runs: the journal, a terminal, or a pipe as JSON lines."""
    logger.remove()
    level = "DEBUG" if verbose else "INFO"
    logger.add(sink_for(sys.stderr), level=level, format=text_of, backtrace=False, diagnose=False, catch=True)


def sink_for(stream: TextIO) -> Sink:
    """Return the sink that fits a process with this error stream."""
    if os.environ.get("JOURNAL_STREAM") and is_journal(stream) and Path(JOURNAL).exists():
        return Journal(JOURNAL)
    return human(stream) if stream.isatty() else lines(stream)


def is_journal(stream: TextIO) -> bool:
    """Return whether a stream is the one that systemd connected to the journal."""
    try:
        found = os.fstat(stream.fileno())
    except (OSError, ValueError):
        return False
    return os.environ.get("JOURNAL_STREAM") == f"{found.st_dev}:{found.st_ino}"


def text_of(record: Any) -> str:
    """Return loguru's template of a message: only its text and what went wrong; sinks add the rest."""
    return "{message}\n{exception}" if record["exception"] else "{message}"


def human(stream: TextIO) -> Sink:
    """Return a sink that writes ``14:02:11  text``."""

    def write(message: Any) -> None:
        stream.write(f"{message.record['time']:HH:mm:ss}  {str(message).rstrip()}\n")
        stream.flush()

    return write


def lines(stream: TextIO) -> Sink:
    """Return a sink that writes one JSON object a line, with the names of the journal's fields in lower case."""

    def write(message: Any) -> None:
        record = message.record
        facts = {"time": record["time"].isoformat(), "level": record["level"].name.lower(), "message": str(message).rstrip()}
        stream.write(json.dumps(facts | record["extra"], default=str, ensure_ascii=False) + "\n")
        stream.flush()

    return write


class Journal:
    """A sink that sends structured entries to the journal; while it does not listen they are lost, and nothing waits."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._line = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)

    def write(self, message: Any) -> None:
        """Send one event."""
        record = message.record
        priority = PRIORITY.get(record["level"].name, 6)
        fields = {"MESSAGE": str(message).rstrip(), "PRIORITY": priority, "SYSLOG_IDENTIFIER": "syncd"}
        fields |= {f"SYNCD_{name.upper()}": value for name, value in record["extra"].items()}
        try:
            self._line.sendto(entry(fields), self._path)
        except OSError:
            return

    def stop(self) -> None:
        """Close; loguru calls this when the sink is removed."""
        self._line.close()


def entry(fields: dict[str, Any]) -> bytes:
    """Return fields in the journal's native form: a value with line breaks is counted, not terminated."""
    parts = []
    for name, value in fields.items():
        raw = str(value).encode("utf-8", "backslashreplace")
        head = name.encode()
        parts.append(head + b"\n" + len(raw).to_bytes(8, "little") + raw + b"\n" if b"\n" in raw else head + b"=" + raw + b"\n")
    return b"".join(parts)
