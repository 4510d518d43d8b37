"""``syncd run`` and ``syncd reload``: the daemon, and its new config."""

from syncd.cli.act import by_daemon
from syncd.cli.answer import say
from syncd.cli.command import Args, Command, Parser, exit_code
from syncd.cli.flags import Flags
from syncd.cli.folder import control_of, find, runnable_config
from syncd.errors import UsageError


def parameters(parser: Parser) -> None:
    """Declare the parameters."""
    parser.add_argument("--once", action="store_true", help="one pass over everything, then stop (for cron and CI)")
    parser.add_argument(
        "--mode", choices=("observe", "propose", "enforce"), help="no platform may do more than this; it can only restrict"
    )
    exit_code(parser, "with --once: exit 2 if conflicts or proposed changes wait")


def run(args: Args, flags: Flags) -> int:
    """Run the daemon until it is told to stop, or one pass."""
    if args.exit_code and not args.once:
        raise UsageError("--exit-code goes with --once")
    config = runnable_config(find(flags.config))
    from syncd.daemon.run import once, serve

    if args.once:
        return once(config, mode=args.mode, exit_code=args.exit_code)
    return serve(config, mode=args.mode)


def reload(_: Args, flags: Flags) -> int:
    """Have the running daemon take the config as it is now; exit 78 if it has errors."""
    answer = by_daemon(control_of(find(flags.config)), {"do": "reload"})
    say(str(answer.get("text", "reloaded")))
    return int(answer["exit"])


RUN = Command(
    run,
    "the daemon; with --once one pass",
    ("syncd run", "syncd run --once", "syncd run --mode observe"),
    parameters,
    "Ctrl-C or SIGTERM stops it after the writes in flight; SIGHUP reloads the config.",
)
RELOAD = Command(reload, "have the running daemon take the config as it is now", ("syncd reload",))
