"""A real ``syncd run`` in a process of its own, and the commands that a person would type beside it."""

import asyncio
import json
import os
import socket
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

READY_WITHIN = 30.0  # seconds
STOP_WITHIN = 12.0


@dataclass
class Service:
    """syncd on one config folder. ``log`` gets what it says; ``environ`` is added to its environment."""

    config: Path
    log: Path
    environ: Mapping[str, str] = field(default_factory=dict)
    _process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        """Start ``syncd run`` and wait until it is ready; raises RuntimeError with its last words if it is not."""
        with self.log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *self.command("run"), stdout=log, stderr=log, stdin=asyncio.subprocess.DEVNULL, env=self._environment()
            )
        code, _, said = await self.ask("status", "--wait-ready", f"{READY_WITHIN:.0f}s")
        if code != 0:
            words = self.log.read_text(encoding="utf-8")[-2000:]
            raise RuntimeError(f"syncd did not get ready:\n{said}\n{words}")

    async def stop(self) -> int:
        """Stop it as systemd would; return its exit code (-9 if it had to be killed)."""
        if self._process is None:
            return 0
        if self._process.returncode is None:
            self._process.terminate()
        try:
            return await asyncio.wait_for(self._process.wait(), STOP_WITHIN)
        except TimeoutError:
            return await self.kill()

    async def kill(self) -> int:
        """End it as a power cut would; return its exit code."""
        assert self._process is not None
        if self._process.returncode is None:
            self._process.kill()
        return await self._process.wait()

    def command(self, *words: str) -> tuple[str, ...]:
        """Return the command line of a syncd command on this config."""
        return (sys.executable, "-m", "syncd", "--config", str(self.config), *words)

    async def ask(self, *words: str, columns: int = 100) -> tuple[int, str, str]:
        """Run a syncd command; return its exit code, stdout and stderr."""
        process = await asyncio.create_subprocess_exec(
            *self.command(*words),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env={**self._environment(), "COLUMNS": str(columns)},
        )
        out, err = await process.communicate()
        assert process.returncode is not None
        return process.returncode, out.decode(), err.decode()

    async def show(self, *words: str) -> int:
        """Run a syncd command on our own terminal, as if it had been typed there; return its exit code."""
        sys.stdout.flush()
        quiet = asyncio.subprocess.DEVNULL
        process = await asyncio.create_subprocess_exec(*self.command(*words), stdin=quiet, env=self._environment())
        return await process.wait()

    async def ask_json(self, *words: str) -> dict[str, Any]:
        """Run a syncd command with ``--format json``; return its answer. Raises RuntimeError if it printed none."""
        code, out, err = await self.ask(*words, "--format", "json")
        try:
            answer: dict[str, Any] = json.loads(out)
        except ValueError as error:
            raise RuntimeError(f"syncd {' '.join(words)} exited {code}:\n{out}\n{err}") from error
        return answer

    async def until(self, true: Callable[[], bool], what: str, *, within: float = 30.0) -> None:
        """Wait until something is true that syncd is to bring about; what is not there yet (KeyError, IndexError) is not true.

        Raises TimeoutError that names it and the log.
        """
        end = time.monotonic() + within
        while not happened(true):
            if time.monotonic() > end:
                raise TimeoutError(f"did not happen within {within:g} s: {what}; see {self.log}")
            await asyncio.sleep(0.1)

    async def until_told(self, true: Callable[[dict[str, Any]], bool], what: str, *, within: float = 30.0) -> None:
        """Wait until ``syncd status`` tells something; raises TimeoutError that names it and the log."""
        end = time.monotonic() + within
        while not true(await self.ask_json("status")):
            if time.monotonic() > end:
                raise TimeoutError(f"was not told within {within:g} s: {what}; see {self.log}")
            await asyncio.sleep(0.3)

    def _environment(self) -> dict[str, str]:
        return {**os.environ, **self.environ}


def happened(true: Callable[[], bool]) -> bool:
    """Return whether it is true; what is not there yet is not true."""
    try:
        return true()
    except (KeyError, IndexError):
        return False


def free_port() -> int:
    """Return a port of 127.0.0.1 that is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
