"""Work that needs the ledger's writer: done by the daemon if one runs, else here, with the ledger's lock.

A request is one JSON object, ``{"do": NAME, ...}``; its answer is ``{"ok": true, "exit": N, ...}`` or
``{"ok": false, "exit": N, "error": TEXT}``, with the ``diagnostics`` of a config that has errors. Both ways speak it: over
the control socket, and to ``syncd.daemon.actions``.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from syncd.cli import exits, socket
from syncd.cli.answer import note
from syncd.cli.flags import Flags
from syncd.cli.folder import Folder, runnable_config

Request = dict[str, Any]
Answer = dict[str, Any]
Progress = Callable[[dict[str, Any]], None]


def perform(flags: Flags, folder: Folder, request: Request, *, progress: Progress | None = None) -> Answer:
    """Have a request done and return its answer; raises Failed with the answer's exit code if it was not done."""
    answer = socket.ask(folder.control, request, progress=progress)
    if answer is None:
        answer = _here(folder.name, request, progress, verbose=flags.verbose > 0)
    return checked(answer)


def by_daemon(control: Path | None, request: Request) -> Answer:
    """Have a request done by the running daemon; raises NoDaemon if there is none."""
    answer = socket.ask(control, request)
    if answer is None:
        raise exits.NoDaemon(f"no daemon answers at {control or 'a control socket'}; start one with: syncd run")
    return checked(answer)


def checked(answer: Answer) -> Answer:
    """Return an answer that says ok; raises Failed for any other."""
    if not answer.get("ok"):
        if answer.get("diagnostics"):
            note(f"{answer['diagnostics']}\n")
        raise exits.Failed(str(answer.get("error", "the work was not done")), int(answer.get("exit", exits.FAILED)))
    return answer


def _here(folder: str, request: Request, progress: Progress | None, *, verbose: bool) -> Answer:
    """Do the work in this process: the ledger's lock is taken, what the work causes is delivered, the lock is let go."""
    import asyncio

    from loguru import logger

    from syncd.daemon.actions import alone
    from syncd.daemon.logs import set_up

    config = runnable_config(folder)
    if verbose:
        set_up(verbose=True)
    else:
        logger.remove()  # what happened is in the answer
    return asyncio.run(alone(config, request, progress))
