"""``syncd init``: a config folder to start from, full of comments."""

import shutil
import time
from pathlib import Path

from syncd.cli import exits
from syncd.cli.answer import say
from syncd.cli.command import Args, Command, Parser
from syncd.cli.flags import Flags
from syncd.errors import SyncdError
from syncd.reports import figures

SKELETON = Path(__file__).parents[1] / "demo" / "config"


def parameters(parser: Parser) -> None:
    """Declare the parameters."""
    parser.add_argument("folder", metavar="DIR", nargs="?", help="./config if left out, or what --config says")
    parser.add_argument("--force", action="store_true", help="write over a folder that is there; a copy of it is kept")


def init(args: Args, flags: Flags) -> int:
    """Write the commented skeleton."""
    target = Path(args.folder or flags.config or "config")
    try:
        _write(target, force=args.force)
    except OSError as error:
        raise SyncdError(f"cannot write {target}: {error.strerror}") from error
    files = sorted(target.rglob("*.yaml"))
    say(f"Wrote {target}/ ({figures.plural(len(files), 'file')})")
    for path in files:
        say(f"  {path}")
    given = "" if str(target) == "config" else f" --config {target}"
    say(f"\nNext:  edit it, then  syncd check{given}  then  syncd test{given}  then  syncd reconcile{given}")
    return exits.OK


def _write(target: Path, *, force: bool) -> None:
    if target.exists() and any(target.iterdir()):
        if not force:
            raise exits.Refused(f"{target} is there already; --force writes over it and keeps a copy")
        kept = target.with_name(f"{target.name}.{time.strftime('%Y%m%d-%H%M%S', time.gmtime())}")
        shutil.copytree(target, kept)
        say(f"Kept the old one as {kept}/")
    for source in sorted(SKELETON.rglob("*.yaml")):
        path = target / source.relative_to(SKELETON)
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, path)


INIT = Command(
    init,
    "write a config folder to start from, full of comments",
    ("syncd init", "syncd init /etc/syncd", "syncd init --force"),
    parameters,
    "It is the demo's config: put in your own addresses and rules.",
)
