"""A terminal for a command: a pty of a given width, what it printed there, and what was typed."""

import os
import pty
import select
import struct
import subprocess
import termios
import time
from fcntl import ioctl
from pathlib import Path

from tests.cli.scene import SYNCD, environment


def on_terminal(
    *words: str | Path, columns: int = 100, typed: list[tuple[str, str]] | None = None, **env: str
) -> tuple[int, str]:
    """Run the real command on a terminal; return its exit code and everything it printed.

    ``typed`` has (what to wait for, what to type then).
    """
    leader, follower = pty.openpty()
    ioctl(follower, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
    process = subprocess.Popen(
        [SYNCD, *map(str, words)],
        stdin=follower,
        stdout=follower,
        stderr=follower,
        env=environment(TERM="xterm-256color", LANG="C.UTF-8", **env),
        start_new_session=True,
    )
    os.close(follower)
    waiting = list(typed or [])
    text = ""
    until = time.monotonic() + 60
    while time.monotonic() < until:
        if select.select([leader], [], [], 0.1)[0]:
            try:
                piece = os.read(leader, 65_536)
            except OSError:  # the other side is closed
                break
            if not piece:
                break
            text += piece.decode("utf-8", "replace")
        while waiting and waiting[0][0] in text:
            os.write(leader, waiting.pop(0)[1].encode())
    os.close(leader)
    return process.wait(timeout=30), text.replace("\r\n", "\n")
