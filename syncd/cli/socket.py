"""The client of the control socket: one JSON line asks, JSON lines answer until one of them says ``ok``."""

import json
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

from syncd.errors import SyncdError

CONNECT = 2.0  # seconds


def ask(
    path: Path | None,
    request: dict[str, Any],
    *,
    progress: Callable[[dict[str, Any]], None] | None = None,
    timeout: float | None = None,
) -> dict[str, Any] | None:
    """Return the daemon's answer, None if no daemon listens. Lines before the answer are given to ``progress``.

    Raises SyncdError if the daemon goes away before it answers, or if this user may not talk to it.
    """
    line = connect(path)
    if line is None:
        return None
    with line:
        line.settimeout(timeout)
        try:
            line.sendall(json.dumps(request).encode() + b"\n")
            with line.makefile("rb") as lines:
                for text in lines:
                    answer: dict[str, Any] = json.loads(text)
                    if "ok" in answer:
                        return answer
                    if progress:
                        progress(answer)
        except TimeoutError as error:
            raise SyncdError(f"the daemon did not answer within {timeout:.0f} s") from error
        except (OSError, ValueError) as error:
            raise SyncdError(f"the daemon's answer was cut off: {error}") from error
    raise SyncdError("the daemon went away before it answered; what it had begun goes on when it runs again: syncd status")


def connect(path: Path | None) -> socket.socket | None:
    """Return a connection to the daemon, or None if none listens there."""
    if path is None:
        return None
    line = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    line.settimeout(CONNECT)
    try:
        line.connect(str(path))
    except PermissionError as error:
        line.close()
        raise SyncdError(f"may not talk to the daemon at {path}: {error.strerror}") from error
    except OSError:  # no such file, or nobody listens on it any more
        line.close()
        return None
    return line
