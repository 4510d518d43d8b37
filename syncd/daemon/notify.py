"""Telling systemd how we are: READY, STATUS, WATCHDOG, RELOADING, STOPPING, over its datagram socket."""

import os
import socket
import time
from collections.abc import Mapping


class Notify:
    """The line to systemd; says nothing where there is none. ``watchdog`` is the interval to ping in seconds, or None."""

    def __init__(self, environ: Mapping[str, str] = os.environ) -> None:
        self._address = environ.get("NOTIFY_SOCKET", "")
        self.watchdog = _interval(environ)

    def ready(self) -> None:
        """Say that the config is loaded, the ledger open and the listeners bound; also after a reload."""
        self._send("READY=1")

    def status(self, text: str) -> None:
        """Say in one line how things are, for ``systemctl status``."""
        self._send("STATUS=" + " ".join(text.split()))

    def ping(self) -> None:
        """Say that the loop and the ledger both answered."""
        self._send("WATCHDOG=1")

    def reloading(self) -> None:
        """Say that a reload began; ``ready`` ends it."""
        self._send(f"RELOADING=1\nMONOTONIC_USEC={time.monotonic_ns() // 1000}")

    def stopping(self) -> None:
        """Say that the clean stop began."""
        self._send("STOPPING=1")

    def _send(self, text: str) -> None:
        if not self._address:
            return
        address = "\0" + self._address[1:] if self._address.startswith("@") else self._address
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as line:
                line.sendto(text.encode(), address)
        except OSError:
            return  # systemd went away or is busy: no reason to stop working


def _interval(environ: Mapping[str, str]) -> float | None:
    """Return half of the watchdog's time, None if it does not watch this process."""
    micros, pid = environ.get("WATCHDOG_USEC", ""), environ.get("WATCHDOG_PID", "")
    if not micros.isdigit() or int(micros) == 0 or (pid and pid != str(os.getpid())):
        return None
    return int(micros) / 2_000_000
