"""The tasks of a running daemon: each has an owner, a name, and its place in the order of stopping."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field

from syncd.daemon.deliver import Delivery
from syncd.daemon.drift_report import report_drift
from syncd.daemon.events import Event, say
from syncd.daemon.intake import feeds
from syncd.daemon.publish import report_forever
from syncd.daemon.reconcile import drain, reconcile_forever
from syncd.daemon.reread import reread_forever
from syncd.daemon.revise import revise_forever
from syncd.daemon.runtime import Part, Runtime
from syncd.daemon.schedule import Schedule
from syncd.daemon.supervise import keep_going
from syncd.daemon.upkeep import back_up_forever, thin_forever
from syncd.daemon.watch import watch_forever

DRAIN = 1.5  # seconds for the decider to empty the inbox
LAND = 4.0  # seconds for writes in flight to be answered


@dataclass(slots=True)
class Hands:
    """The tasks of one platform: what reads it, and what writes to it."""

    intake: list[asyncio.Task[None]] = field(default_factory=list)
    delivery: list[asyncio.Task[None]] = field(default_factory=list)
    inside: list[asyncio.Task[None]] = field(default_factory=list)


class Crew:
    """All loops of one daemon, in one task group."""

    def __init__(self, runtime: Runtime, group: asyncio.TaskGroup) -> None:
        self.runtime = runtime
        self.group = group
        self.hands: dict[str, Hands] = {}
        self.inside: list[asyncio.Task[None]] = []

    def begin(self) -> None:
        """Start all loops."""
        runtime = self.runtime
        self.inside.append(self.task("reconcile", lambda: reconcile_forever(runtime)))
        self.inside.append(self.task("revise", lambda: revise_forever(runtime)))
        self.inside += [self.task(name, loop) for name, loop in duties(runtime)]
        for part in runtime.parts.values():
            self.start(part)

    def task(self, name: str, loop: Callable[[], Awaitable[None]]) -> asyncio.Task[None]:
        """Start one loop that is kept going."""
        return self.group.create_task(keep_going(name, loop, broken=lambda: self.runtime.store.broken), name=name)

    def start(self, part: Part) -> None:
        """Start the loops of one platform."""
        runtime, hands = self.runtime, Hands()
        hands.intake = [self.task(name, loop) for name, loop in feeds(runtime, part)]
        hands.intake.append(self.task(f"sweep {part.name}", lambda: Schedule(runtime, part).forever()))
        hands.inside = [self.task(f"read {part.name}", lambda: reread_forever(runtime, part))]
        hands.delivery = [self.task(f"deliver {part.name}", lambda: Delivery(runtime, part).forever())]
        self.hands[part.name] = hands

    async def retire(self, part: Part) -> None:
        """Stop the loops of one platform, writes in flight first, and close its connector."""
        hands = self.hands.pop(part.name)
        part.leaving.set()
        part.wake.set()
        await end(hands.intake)
        await settle(hands.delivery, LAND)
        await end([*hands.delivery, *hands.inside])
        await self.runtime.disconnect(part)

    async def stop(self) -> None:
        """Stop all loops: nothing comes in any more, what came in is decided, writes in flight are answered or left open."""
        runtime = self.runtime
        runtime.stopping.set()
        await end(task for hands in self.hands.values() for task in hands.intake)
        await end([*self.inside, *(task for hands in self.hands.values() for task in hands.inside)])
        await self.drain()
        runtime.wake_delivery()
        delivering = [task for hands in self.hands.values() for task in hands.delivery]
        left = await settle(delivering, LAND)
        if left:
            say(Event.STOP, f"{left} platforms did not answer in time; their writes are looked up at the next start")
        await end(delivering)

    async def drain(self) -> None:
        """Decide what is in the inbox, as far as there is time; the rest is there at the next start."""
        try:
            async with asyncio.timeout(DRAIN):
                await drain(self.runtime)
        except TimeoutError:
            return


def duties(runtime: Runtime) -> list[tuple[str, Callable[[], Awaitable[None]]]]:
    """Return the loops beside syncing, by name; each does nothing while the config does not ask for it."""

    async def report() -> None:
        await report_drift(runtime, {"by": "schedule"}, lambda _: None, nothing)

    return [
        ("thin history", lambda: thin_forever(runtime)),
        ("back up", lambda: back_up_forever(runtime)),
        ("report", lambda: report_forever(runtime, report)),
        ("watch config", lambda: watch_forever(runtime)),
    ]


async def nothing(_: set[int]) -> None:
    """A report that repairs nothing has nothing to finish."""


async def end(tasks: Iterable[asyncio.Task[None]]) -> None:
    """Cancel tasks and wait until they are over. What they raised is their group's business."""
    found = list(tasks)
    for task in found:
        task.cancel()
    await asyncio.gather(*found, return_exceptions=True)


async def settle(tasks: Iterable[asyncio.Task[None]], seconds: float) -> int:
    """Wait for tasks to end by themselves; return how many did not."""
    found = list(tasks)
    if not found:
        return 0
    _, left = await asyncio.wait(found, timeout=seconds)
    return len(left)
