"""Every command by name. What is not here is not offered anywhere."""

from collections.abc import Sequence
from importlib import import_module

from syncd.cli import flags
from syncd.cli.command import Command, Group
from syncd.config.suggest import did_you_mean
from syncd.errors import UsageError

WHERE = {  # in the order of the help; a module is imported only when its command is wanted
    "demo": "demo:DEMO",
    "init": "init:INIT",
    "check": "check:CHECK",
    "test": "trial:TEST",
    "plan": "plan:PLAN",
    "apply": "plan_apply:APPLY",
    "run": "run:RUN",
    "status": "status:STATUS",
    "reconcile": "reconcile:RECONCILE",
    "explain": "explain:EXPLAIN",
    "history": "explain:HISTORY",
    "conflicts": "conflicts:CONFLICTS",
    "changes": "changes:CHANGES",
    "dead": "dead:DEAD",
    "breaker": "breaker:BREAKER",
    "ledger": "replay:LEDGER",
    "reload": "run:RELOAD",
    "rules": "rules:RULES",
    "schema": "schema:SCHEMA",
    "secrets": "secrets:SECRETS",
    "help": "about:HELP",
    "version": "about:VERSION",
}
HELP = {"-h", "--help"}
USAGE = """\
usage: syncd [--config DIR] COMMAND [THING] [flags]

  syncd demo                           see it work, here, in seconds
  syncd check                          is the config as it should be?
  syncd run                            keep the platforms consistent
  syncd reconcile                      what differs, why, and what to do
  syncd explain product MUG-1 price    why is this value what it is?

"""


def named(name: str) -> Command | Group:
    """Return a command or a group of them; raises UsageError with did-you-mean if there is none."""
    if name not in WHERE:
        what = "option" if name.startswith("-") else "command"
        hint = did_you_mean(name, WHERE)
        raise UsageError(f'no {what} called "{name}"{"; " + hint if hint else ""}\nsee: syncd --help')
    module, _, attribute = WHERE[name].partition(":")
    found: Command | Group = getattr(import_module(f"syncd.cli.{module}"), attribute)
    return found


def choose(words: Sequence[str]) -> tuple[str, Command, list[str]]:
    """Return the full name of the command that the words ask for, the command, and the words that are left."""
    found = named(words[0])
    if isinstance(found, Command):
        return f"syncd {words[0]}", found, list(words[1:])
    rest = list(words[1:])
    if rest and rest[0] in found.commands:
        sub = rest.pop(0)
    elif rest and not rest[0].startswith("-"):
        hint = did_you_mean(rest[0], found.commands) or f"there are: {', '.join(found.commands)}"
        raise UsageError(f'no command called "{words[0]} {rest[0]}"; {hint}')
    elif found.bare:
        sub = found.bare
    else:
        raise UsageError(f"syncd {words[0]} needs one of: {', '.join(found.commands)}\nsee: syncd {words[0]} --help")
    return f"syncd {words[0]} {sub}", found.commands[sub], rest


def overview() -> str:
    """Return the help of the whole."""
    lines = [f"  {name:<11}{named(name).summary}" for name in WHERE]
    return USAGE + "commands:\n" + "\n".join(lines) + "\n\n" + flags.HELP


def help_on(words: Sequence[str]) -> str:
    """Return the help on a command or a group; the words are those of the command line without flags."""
    words = [word for word in words if not word.startswith("-")]
    if not words:
        return overview()
    found = named(words[0])
    if isinstance(found, Group) and not (len(words) > 1 and words[1] in found.commands):
        lines = [f"  {name:<11}{command.summary}" for name, command in found.commands.items()]
        usage = f"usage: syncd {words[0]} COMMAND\n\n{found.summary[:1].upper()}{found.summary[1:]}.\n\ncommands:\n"
        return usage + "\n".join(lines) + f"\n\nhelp on one of them: syncd {words[0]} COMMAND --help"
    name, command, _ = choose(words)
    return command.parser(name).format_help().rstrip()
