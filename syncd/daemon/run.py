"""``syncd run``: everything put together. One task group, signals, listeners, the control socket, systemd.

Stopping is ordered: nothing comes in any more, what came in is decided, writes in flight are answered, the ledger closes.
"""

import asyncio
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack, contextmanager, suppress
from typing import Any

from syncd.config.model import Address, Config
from syncd.core.model import SECOND
from syncd.daemon import actions, logs, standing
from syncd.daemon.announce import SHORT, Announcer
from syncd.daemon.banner import banner
from syncd.daemon.control import controlled
from syncd.daemon.crew import Crew
from syncd.daemon.events import Event, say
from syncd.daemon.figures import figures
from syncd.daemon.hook import routes_of
from syncd.daemon.meter import Counting
from syncd.daemon.notify import Notify
from syncd.daemon.once import Pass, run_once
from syncd.daemon.pulse import pulse_forever
from syncd.daemon.reload import Reloader
from syncd.daemon.revise import begin
from syncd.daemon.runtime import Runtime, open_runtime
from syncd.daemon.witness import Witness
from syncd.errors import SyncdError
from syncd.ledger import state
from syncd.web.console import build_private_app
from syncd.web.hooks import build_hooks_app
from syncd.web.metrics import Metrics
from syncd.web.serve import listening

CLOSING = 1.5  # seconds for the listeners to finish their requests


def serve(config: Config, *, mode: str | None = None) -> int:
    """Run the daemon until it is told to stop; returns the exit code. Raises SyncdError if it cannot start."""
    logs.set_up()
    return asyncio.run(served(config, mode=mode))


def once(config: Config, *, mode: str | None = None, exit_code: bool = False) -> int:
    """Do one pass over everything; returns the exit code. Raises SyncdError if it cannot start."""
    logs.set_up()
    return asyncio.run(passed(config, mode=mode, exit_code=exit_code))


async def passed(config: Config, *, mode: str | None = None, exit_code: bool = False, **options: Any) -> int:
    """Do one pass. 1: a dead letter, 4: a breaker, 3: a platform not read completely, 2 if asked for: somebody must decide."""
    async with open_runtime(config, limit=mode, **options) as runtime:
        witness, announcer = Witness(None), Announcer(runtime, SHORT)
        runtime.witnesses.add(witness)
        with announcer.hearing():
            done = await run_once(runtime)
            await announcer.flush()
        now = await runtime.store.read(state.now, runtime.now())
        announce_pass(done, witness, runtime.now() - runtime.began)
    waiting = exit_code and bool(now.open.changes or now.open.conflicts)
    codes = ((1, done.refused), (4, done.tripped), (3, done.unread), (2, waiting))
    return next((code for code, reason in codes if reason), 0)


def announce_pass(done: Pass, witness: Witness, micros: int) -> None:
    """Say what one pass came to."""
    written = sum(1 for line in witness.lines.values() if line["state"] == "ok")
    figures = f"{len(done.swept)} collections swept, {written} fields and records written, {done.refused} refused"
    say(Event.ONCE_DONE, f"one pass in {micros / SECOND:.1f} s: {figures}", written=written, refused=done.refused)
    for platform, why in done.unread.items():
        say(Event.SWEEP_FAILED, f"{platform} could not be read completely: {why}", platform=platform)


async def served(config: Config, *, mode: str | None = None, **options: Any) -> int:
    """Run the daemon in this loop until a signal stops it. Raises SyncdError if it cannot start, or its ledger broke."""
    async with open_runtime(config, limit=mode, **options) as runtime:
        await begin(runtime)
        try:
            async with asyncio.TaskGroup() as group:
                await Daemon(runtime, group).work()
        except* SyncdError as errors:
            raise first_of(errors) from errors
    return 0


def first_of(errors: BaseExceptionGroup[Any]) -> BaseException:
    """Return the first error of a group."""
    found: BaseException = errors
    while isinstance(found, BaseExceptionGroup):
        found = found.exceptions[0]
    return found


class Daemon:
    """One running daemon."""

    def __init__(self, runtime: Runtime, group: asyncio.TaskGroup) -> None:
        self.runtime = runtime
        self.group = group
        self.notify = Notify()
        self.metrics = Metrics()
        self.crew = Crew(runtime, group)
        self.stop = asyncio.Event()
        self.hang_up = asyncio.Event()
        self.announcer = Announcer(runtime)
        runtime.meter = Counting(self.metrics)
        runtime.reload = Reloader(runtime, self.crew, self.notify).reload

    async def work(self) -> None:
        """Start everything, say so, wait for the signal to stop, and stop in order."""
        ends = dict.fromkeys((signal.SIGTERM, signal.SIGINT), self.end)
        with signals({**ends, signal.SIGHUP: self.hang_up.set}), self.announcer.hearing():
            listeners = AsyncExitStack()
            async with listeners:
                await self.listen(listeners)
                beside = [self.group.create_task(self.reload_forever(), name="reload")]
                beside.append(self.crew.task("pulse", self.pulse))
                beside.append(self.crew.task("notify", self.announcer.forever))
                self.crew.begin()
                self.runtime.ready.set()
                self.notify.ready()
                await self.announce()
                await self.stop.wait()
                self.notify.stopping()
                say(Event.STOP, "stopping after the writes in flight")
                with suppress(TimeoutError):
                    async with asyncio.timeout(CLOSING):
                        await listeners.aclose()
            await self.crew.stop()
            for task in beside:
                task.cancel()

    def end(self) -> None:
        """Stop in order; asked a second time, at once: the ledger is safe at any moment."""
        if self.stop.is_set():
            os._exit(1)
        self.stop.set()

    async def listen(self, stack: AsyncExitStack) -> None:
        """Bind the listeners and the control socket; raises SyncdError for one that cannot be had."""
        runtime, config = self.runtime, self.runtime.config
        runtime.routes.update(routes_of(runtime))
        if config.hooks is not None and config.webhooks:
            app = build_hooks_app(runtime.routes, rejected=runtime.meter.rejected)
            port = await stack.enter_async_context(listening(app, config.hooks.host, config.hooks.port))
            runtime.listeners["hooks"] = f"http://{shown(config.hooks, port)}"
        if config.console is not None:
            app = build_private_app(
                health=lambda: standing.unhealthy(runtime),
                ready=lambda: standing.unready(runtime),
                metrics=lambda: figures(runtime, self.metrics),
                hosts=[config.console.host],
            )
            port = await stack.enter_async_context(listening(app, config.console.host, config.console.port))
            runtime.listeners["console"] = f"http://{shown(config.console, port)}"
        await stack.enter_async_context(controlled(config.control, lambda r, p: actions.asked(runtime, r, p)))

    async def pulse(self) -> None:
        """Prove that loop and ledger work."""
        await pulse_forever(self.runtime, self.notify)

    async def reload_forever(self) -> None:
        """Reload at every SIGHUP; a config with errors is told and changes nothing. Several at once are one."""
        while True:
            await self.hang_up.wait()
            self.hang_up.clear()
            with suppress(SyncdError):
                assert self.runtime.reload is not None
                await self.runtime.reload()

    async def announce(self) -> None:
        """Say that it runs, and what is there: to people as lines, to machines as one event."""
        lines = await banner(self.runtime)
        if sys.stderr.isatty():
            sys.stderr.write("\n".join([*lines, "", ""]))
            sys.stderr.flush()
        else:
            say(Event.READY, "; ".join(line.strip() for line in lines), config_sha=self.runtime.config.sha)


def shown(address: Address, port: int) -> str:
    """Return where a listener listens."""
    host = f"[{address.host}]" if ":" in address.host else address.host
    return f"{host}:{port}"


@contextmanager
def signals(wanted: dict[signal.Signals, Callable[[], object]]) -> Iterator[None]:
    """Have these signals answered by the loop until the block is left."""
    loop = asyncio.get_running_loop()
    for number, act in wanted.items():
        loop.add_signal_handler(number, act)
    try:
        yield
    finally:
        for number in wanted:
            loop.remove_signal_handler(number)
