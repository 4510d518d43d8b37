"""``syncd schema``: editor schemas that know the names of this config."""

import json
from pathlib import Path

from syncd.cli import exits
from syncd.cli.answer import say
from syncd.cli.command import Args, Command, Parser
from syncd.cli.flags import Flags
from syncd.cli.folder import find, known, parsed
from syncd.errors import SyncdError, UsageError

FOLDER = ".schema"
NAMES = ("syncd", "platform", "entity", "tests")


def parameters(parser: Parser) -> None:
    """Declare the parameters."""
    parser.add_argument("name", metavar="NAME", nargs="?", help=f"print one: {', '.join(NAMES)}")
    parser.add_argument("--write", action="store_true", help=f"write all four into {FOLDER}/ of the config folder")


def schema(args: Args, flags: Flags) -> int:
    """Write the schemas, or print one."""
    from syncd.config.schemas import names_of, schemas_of
    from syncd.connectors.registry import KINDS

    if args.write == bool(args.name):
        raise UsageError("syncd schema --write writes all four; syncd schema NAME prints one\nsee: syncd schema --help")
    if args.name:
        known("schema", args.name, NAMES, of="there are")
    folder = find(flags.config)
    made = schemas_of(names_of(parsed(folder)), KINDS)
    if args.name:
        say(json.dumps(made[f"{args.name}.schema.json"], indent=2))
    else:
        _write(Path(folder) / FOLDER, {name: json.dumps(one, indent=2) + "\n" for name, one in made.items()})
    return exits.OK


def _write(target: Path, texts: dict[str, str]) -> None:
    """Write what differs; each file is whole or as it was."""
    try:
        target.mkdir(exist_ok=True)
        for name, text in texts.items():
            new = target / f"{name}.new"
            new.write_text(text)
            new.replace(target / name)
    except OSError as error:
        raise SyncdError(f"cannot write {target}: {error.strerror}") from error
    say(f"Wrote {target}/  {'  '.join(texts)}")
    say("Editors find them by a file's first line, such as  # yaml-language-server: $schema=../.schema/entity.schema.json")
    say("Write them again when there are new names.")


SCHEMA = Command(
    schema,
    "write editor schemas that complete names of this config",
    ("syncd schema --write", "syncd schema entity"),
    parameters,
    "JSON Schema, draft-07. They help while typing; syncd check decides.",
)
