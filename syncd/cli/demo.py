"""``syncd demo``: three platforms on this machine, edits, a conflict, a stopped import, and the drift report."""

import signal
import tempfile
from pathlib import Path

from syncd.cli import exits
from syncd.cli.answer import say
from syncd.cli.command import Args, Command, Parser
from syncd.cli.flags import Flags
from syncd.errors import SyncdError, UsageError

PAUSE = 0.3  # seconds between two scenes at speed 1


def parameters(parser: Parser) -> None:
    """Declare the parameters."""
    parser.add_argument("--keep", action="store_true", help="leave everything running until Ctrl-C")
    parser.add_argument("--speed", type=float, default=1.0, metavar="N", help="0.1 pauses ten times as long between scenes")


def demo(args: Args, _: Flags) -> int:
    """Run the demo in a new folder, which stays."""
    if not 0 < args.speed <= 1000:
        raise UsageError("--speed takes a number above 0, such as 0.5\nsee: syncd demo --help")
    import asyncio

    from syncd.demo.story import perform

    signal.signal(signal.SIGINT, signal.default_int_handler)  # a script's background job starts with it ignored
    signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))  # as Ctrl-C: what was started is stopped
    folder = Path(tempfile.mkdtemp(prefix="syncd-demo-"))
    try:
        return asyncio.run(perform(folder, tell=say, pause=PAUSE / args.speed, keep=args.keep))
    except TimeoutError as error:
        raise SyncdError(str(error)) from error
    except RuntimeError as error:
        raise SyncdError(f"{error}\nthe folder is {folder}") from error
    except KeyboardInterrupt:
        say(f"\nstopped; the folder stays: {folder}")
        return exits.OK if args.keep else exits.INTERRUPTED


DEMO = Command(
    demo,
    "three platforms on this machine, and syncd between them, in seconds",
    ("syncd demo", "syncd demo --keep", "syncd demo --speed 0.2"),
    parameters,
    "It listens on free ports of 127.0.0.1, needs no account, and leaves nothing but a folder that it names.",
)
