"""The commands. A file per group, thin: they find the config, ask the ledger or the daemon, and print.

``app`` puts the commands together, ``flags`` are those that every command takes, ``folder`` is a quick look into the
config, ``answer`` prints, ``exits`` knows the exit codes, ``act`` hands work to the daemon or does it here. Heavy rooms are
imported inside the command that needs them, so that ``status``, ``explain`` and ``history`` start fast.
"""

from syncd.cli.app import main

__all__ = ["main"]
