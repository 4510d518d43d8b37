"""``syncd secrets``: set, list and test what the config names as ``secret:NAME``. A value is never printed."""

import os
import sys
import time
from collections.abc import Sequence
from typing import Any

from syncd.cli import exits
from syncd.cli.answer import check_formats, give, note, say
from syncd.cli.command import Args, Command, Group, Parser
from syncd.cli.flags import Flags
from syncd.cli.folder import Folder, find, glance, known
from syncd.errors import UsageError

MOST = 1 << 16


def one_name(parser: Parser) -> None:
    """Declare the parameters."""
    parser.add_argument("name", metavar="NAME", help="as in secret:NAME")


def names(parser: Parser) -> None:
    """Declare the parameters."""
    parser.add_argument("names", nargs="*", metavar="NAME", help="as in secret:NAME; all of the config if left out")


def set_(args: Args, flags: Flags) -> int:
    """Store a secret that is typed without echo, or piped in."""
    from syncd.config.secrets import Secrets

    folder = glance(find(flags.config))
    place = Secrets(os.environ, folder.secrets_dir).set(args.name, _value(args.name))
    say(f"stored {args.name} in {place}")
    if args.name not in folder.secrets:
        note(f"note: no file of {folder.name} names secret:{args.name} yet")
    return exits.OK


def _value(name: str) -> str:
    """Return the secret that is typed or piped in; raises UsageError if it is empty."""
    if sys.stdin.isatty():
        from getpass import getpass

        value = getpass(f"{name}: ")
        if getpass(f"{name}, once more: ") != value:
            raise UsageError("the two are not the same; nothing is stored")
    else:
        value = sys.stdin.read(MOST).removesuffix("\n").removesuffix("\r")
    if not value.strip():
        raise UsageError("an empty secret is not stored")
    return value


def list_(_: Args, flags: Flags) -> int:
    """List the secrets that the config names and those that are stored."""
    _shown(flags, glance(find(flags.config)), ())
    return exits.OK


def try_(args: Args, flags: Flags) -> int:
    """See whether each secret that the config names can be read; exit 1 if one cannot."""
    folder = glance(find(flags.config))
    for name in args.names:
        known("secret", name, folder.secrets, of="the config names")
    document = _shown(flags, folder, args.names or list(folder.secrets))
    return exits.FAILED if any(one["state"] != "ok" for one in document["secrets"]) else exits.OK


def _shown(flags: Flags, folder: Folder, names: Sequence[str]) -> dict[str, Any]:
    """Print the secrets, of these names if there are any, and return what was printed."""
    from syncd.config.secrets import Secrets
    from syncd.reports import secrets as report
    from syncd.reports.envelope import Origin

    check_formats(flags, report.SCHEMA)
    origin = Origin(time.time_ns() // 1000, folder.environment, folder.sha)
    document = report.collect(Secrets(os.environ, folder.secrets_dir), folder.secrets, origin)
    if names:
        document["secrets"] = [one for one in document["secrets"] if one["name"] in names]
    give(flags, document, report.page)
    return document


SECRETS = Group(
    "set, list and test the secrets that the config names; values are never printed",
    {
        "set": Command(
            set_,
            "store a secret in secrets_dir, mode 0600",
            ("syncd secrets set shop-key", "pass show shop | syncd secrets set shop-key"),
            one_name,
            "It is asked for without echo; on a pipe it is read from standard input.",
        ),
        "list": Command(list_, "list secrets and where they are, without their values"),
        "test": Command(try_, "see whether each secret can be read; exit 1 if one cannot", parameters=names),
    },
)
