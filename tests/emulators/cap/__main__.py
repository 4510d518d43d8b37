"""``python -m tests.emulators.cap --model materials --port N``: the server until it is stopped."""

import argparse
import signal
import sys
from pathlib import Path

from tests.emulators.cap import MAIN, cap_process


def main() -> None:
    """Start, say where, and wait for SIGINT or SIGTERM."""
    parser = argparse.ArgumentParser(prog="python -m tests.emulators.cap", description=__doc__)
    parser.add_argument("--model", choices=sorted(MAIN), default="materials")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--control", type=int, default=0, help="port by which the data is edited and faults are made")
    parser.add_argument("--data", type=Path, help="CSV file of the model's main entity, its first line the names")
    parser.add_argument("--page-limit", type=int, help="rows of a page at most (default 1000)")
    parser.add_argument("--csrf", action="store_true", help="ask writers for a CSRF token, as S/4HANA does")
    parser.add_argument("--authorization", help="the Authorization header that is asked for")
    given = parser.parse_args()
    signals = {signal.SIGINT, signal.SIGTERM}
    signal.pthread_sigmask(signal.SIG_BLOCK, signals)
    options = {name: value for name, value in vars(given).items() if name != "model"}
    with cap_process(given.model, **options) as server:
        sys.stdout.write(f"V4 {server.v4}\nV2 {server.v2}\ncontrol {server.control}\n")
        sys.stdout.flush()
        signal.sigwait(signals)


if __name__ == "__main__":
    main()
