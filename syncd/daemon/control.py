"""The control socket: one JSON line asks, JSON lines tell how far it is, one with ``ok`` answers. Mode 0600."""

import asyncio
import json
import os
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

from syncd.daemon.events import Event, say_failure
from syncd.errors import SyncdError

LONGEST = 1_000_000  # bytes of a request
PATIENCE = 30.0  # seconds for a request to arrive

Ask = Callable[[Mapping[str, Any], Callable[[dict[str, Any]], None]], Awaitable[dict[str, Any]]]


@asynccontextmanager
async def controlled(path: Path | None, ask: Ask) -> AsyncIterator[None]:
    """Listen at the control socket until the block is left. Raises SyncdError if that cannot be.

    A socket that a crash left behind is replaced; one that answers is another syncd's.
    """
    if path is None:
        yield
        return
    line = listen(path)
    try:
        server = await asyncio.start_unix_server(Desk(ask).answer, sock=line, limit=LONGEST)
        yield
        server.close()
    finally:
        line.close()
        remove(path)


def listen(path: Path) -> socket.socket:
    """Return a bound socket that only this user can talk to; raises SyncdError if it cannot be had."""
    make_room(path)
    line = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    old = os.umask(0o177)
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        line.bind(str(path))
    except OSError as error:
        line.close()
        raise SyncdError(f"cannot listen at {path}: {error.strerror or error}") from error
    finally:
        os.umask(old)
    return line


def make_room(path: Path) -> None:
    """Remove a socket nobody listens at; raises SyncdError if somebody does."""
    if not path.exists():
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as line:
        line.settimeout(1.0)
        try:
            line.connect(str(path))
        except OSError:
            remove(path)
            return
    raise SyncdError(f"another syncd listens at {path}")


def remove(path: Path) -> None:
    """Remove a socket, if it is there."""
    path.unlink(missing_ok=True)


class Desk:
    """Answers requests, each on its own connection."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one request. A caller who goes away does not stop what was asked for."""
        try:
            async with asyncio.timeout(PATIENCE):
                line = await reader.readline()
            answer = await self._answer_to(line, writer)
            put(writer, answer)
            with suppress(OSError, TimeoutError):
                async with asyncio.timeout(PATIENCE):
                    await writer.drain()
        except (TimeoutError, ValueError, OSError):
            return
        finally:
            writer.close()

    async def _answer_to(self, line: bytes, writer: asyncio.StreamWriter) -> dict[str, Any]:
        try:
            request = json.loads(line)
        except ValueError as error:
            return {"ok": False, "exit": 64, "error": f"not a request: {error}"}
        if not isinstance(request, dict):
            return {"ok": False, "exit": 64, "error": "a request is one object"}
        try:
            return await self._ask(request, lambda event: put(writer, event))
        except Exception as error:  # noqa: BLE001 - the caller must hear of it, and the daemon must go on
            say_failure(Event.TASK_FAILED, f"{request.get('do')} failed: {error}", error)
            return {"ok": False, "exit": 1, "error": f"{type(error).__name__}: {error}"}


def put(writer: asyncio.StreamWriter, message: dict[str, Any]) -> None:
    """Write one line to a caller who may have gone."""
    if not writer.is_closing():
        writer.write(json.dumps(message, default=str, ensure_ascii=False).encode("utf-8", "backslashreplace") + b"\n")
