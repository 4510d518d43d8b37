"""What people ask of syncd: over the control socket of a daemon, or in a process of its own while none runs.

A request is ``{"do": NAME, ...}``; the answer has ``ok``, ``exit`` and what the command prints. What a command caused to be
written is delivered before it is answered, as far as nothing else holds it back.
"""

import os
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from syncd.config.model import Config
from syncd.core.model import SECOND
from syncd.daemon import identify, rule, tell
from syncd.daemon.carry_out import Moved, carry_out
from syncd.daemon.clock import nap
from syncd.daemon.drift_report import report_drift
from syncd.daemon.events import Event, say
from syncd.daemon.look import read_things
from syncd.daemon.once import PATIENCE, Work
from syncd.daemon.quiet import quiet_until
from syncd.daemon.rule import Done, Word
from syncd.daemon.runtime import Part, Runtime, open_runtime
from syncd.daemon.standing import status
from syncd.daemon.weigh import BREAKER
from syncd.daemon.witness import Witness, waiting_lines
from syncd.errors import ConfigError, LedgerLocked, SyncdError, UsageError
from syncd.ledger import audit, inbox, outbox

Request = Mapping[str, Any]
Answer = dict[str, Any]
Progress = Callable[[dict[str, Any]], None]
Finish = Callable[[set[int]], Awaitable[None]]  # returns when what these records cause is delivered

LONGEST = 60 * SECOND  # that a command waits for what it caused
CODES = ((ConfigError, 78), (UsageError, 64), (LedgerLocked, 75), (Moved, 5))


async def alone(config: Config, request: Request, progress: Progress | None = None) -> Answer:
    """Do what is asked in this process: takes the ledger's lock, does it, delivers what follows, lets go."""
    try:
        async with open_runtime(config) as runtime:
            work = Work(runtime)
            await work.begin()

            async def finish(_: set[int]) -> None:
                await work.settle_down()

            return await perform(runtime, request, progress=progress, finish=finish)
    except SyncdError as error:
        return refused(error)


async def asked(runtime: Runtime, request: Request, progress: Progress | None = None) -> Answer:
    """Do what is asked inside a running daemon, whose loops deliver what follows."""

    async def finish(records: set[int]) -> None:
        await delivered(runtime, records)

    return await perform(runtime, request, progress=progress, finish=finish)


async def perform(runtime: Runtime, request: Request, *, progress: Progress | None, finish: Finish) -> Answer:
    """Do what is asked and return the answer; an error of syncd's own is an answer too."""
    act = ACTS.get(str(request.get("do")))
    if act is None:
        return {"ok": False, "exit": 64, "error": f"this syncd does not know how to {request.get('do')}"}
    try:
        return {"ok": True, "exit": 0} | await act(runtime, request, progress or silent, finish)
    except SyncdError as error:
        return refused(error)


def silent(_: dict[str, Any]) -> None:
    """Tell nobody how far it is."""


def refused(error: SyncdError) -> Answer:
    """Return the answer that an error is."""
    code = next((code for kind, code in CODES if isinstance(error, kind)), 1)
    answer: Answer = {"ok": False, "exit": code, "error": str(error)}
    found = getattr(error, "diagnostics", None)
    return answer | {"diagnostics": "\n\n".join(one.text() for one in found)} if found else answer


async def delivered(runtime: Runtime, records: set[int]) -> None:
    """Return when nothing about these records is on its way any more, or is held back for longer than a moment."""
    end = runtime.now() + LONGEST
    while runtime.now() < end:
        now = runtime.now()
        free = [name for name, part in runtime.parts.items() if may_write(part, now)]
        if not await runtime.store.read(outbox.is_busy, records, free, until=now + PATIENCE):
            return
        await nap(runtime.moved, now + SECOND, at=now)


def may_write(part: Part, now: int) -> bool:
    """Return whether a platform is written to now or in a moment: it has no quiet hours, and is not in trouble for long."""
    policy = part.platform
    quiet = quiet_until(policy.write.quiet_hours, policy.timezone, now)
    return quiet is None and (not part.trouble.times or part.trouble.until <= now + PATIENCE)


async def follow(runtime: Runtime, done: Done, finish: Finish) -> Answer:
    """Let what a person's word led to be read and written, and return what came of it."""
    witness = Witness(done.records)
    runtime.witnesses.add(witness)
    try:
        await read_again(runtime, done)
        runtime.wake_delivery()
        await finish(done.records)
    finally:
        runtime.witnesses.discard(witness)
    lines = list(witness.lines.values()) + await runtime.store.read(waiting_lines, witness)
    return {"lines": lines, "count": done.count, "exit": witness.exit_code()}


async def read_again(runtime: Runtime, done: Done) -> None:
    """Read the things and sweep the collections that a person asked for."""
    for change in await read_things(runtime, done.things):
        await runtime.store.write(inbox.add, change.platform, change.collection, [change], now=runtime.now())
    for platform, collection in done.sweeps:
        if platform in runtime.parts:
            runtime.parts[platform].demand([collection])
    if done.things:
        runtime.wake.set()


# ---- what can be asked


async def resolve(runtime: Runtime, request: Request, _: Progress, finish: Finish) -> Answer:
    """Settle a conflict by a person's word, also on which records are one."""
    if request.get("link") or request.get("split"):
        return await follow(runtime, await tell_apart(runtime, request), finish)
    word = Word(
        who(request), str(request.get("note") or ""), request.get("take"), request.get("value"), bool(request.get("keep"))
    )
    number = int(request["conflict"])
    done = await runtime.store.write(rule.resolve_conflict, runtime.scene(), number, word)
    say(Event.CONFLICT_CLOSED, f"c-{number} settled by {word.by}: {word.text}", conflict=f"c-{number}", actor=word.by)
    return await follow(runtime, done, finish)


async def tell_apart(runtime: Runtime, request: Request) -> Done:
    """Link two, or split one off."""
    done = await runtime.store.write(identify.identify, runtime.scene(), request)
    tell.judged(done.judged, runtime.rules)
    if request.get("conflict") is not None:
        name, by = f"c-{request['conflict']}", who(request)
        how = "link" if request.get("link") else "split"
        say(Event.CONFLICT_CLOSED, f"{name} settled by {by}: {how}", conflict=name, actor=by)
    return done


async def approve(runtime: Runtime, request: Request, _: Progress, finish: Finish) -> Answer:
    """Let proposed writes be written."""
    return await follow(runtime, await decide(runtime, request, "approved"), finish)


async def reject(runtime: Runtime, request: Request, _: Progress, finish: Finish) -> Answer:
    """Refuse proposed writes."""
    return await follow(runtime, await decide(runtime, request, "rejected"), finish)


async def decide(runtime: Runtime, request: Request, state: str) -> Done:
    """Set proposals to a state."""
    numbers, note = [int(one) for one in request["ids"]], str(request.get("note") or "")
    return await runtime.store.write(rule.decide_proposals, runtime.scene(), numbers, state, by=who(request), note=note)


async def retry(runtime: Runtime, request: Request, _: Progress, finish: Finish) -> Answer:
    """Try dead letters again, from present readings."""
    return await follow(runtime, await letters(runtime, request, "retried"), finish)


async def discard(runtime: Runtime, request: Request, _: Progress, finish: Finish) -> Answer:
    """Close dead letters without a retry."""
    return await follow(runtime, await letters(runtime, request, "discarded"), finish)


async def letters(runtime: Runtime, request: Request, state: str) -> Done:
    """Set the letters that were named to a state."""
    named = {"letters_": request.get("letters") or (), "groups": request.get("groups") or ()}
    everything, most = bool(request.get("all")), request.get("max")
    chosen = await runtime.store.read(rule.letters_of, **named, everything=everything, most=most)
    note = str(request.get("note") or "")
    return await runtime.store.write(rule.close_letters, runtime.scene(), chosen, state, by=who(request), note=note)


async def breaker_reset(runtime: Runtime, request: Request, _: Progress, finish: Finish) -> Answer:
    """Let the parked work go."""
    done = await runtime.store.write(rule.reset_breaker, runtime.scene(), request)
    what = f"{request['platform']} {request['entity']}"
    say(Event.BREAKER_RESET, f"{what}: breaker reset by {who(request)}: {request.get('note') or ''}", actor=who(request))
    return await follow(runtime, done, finish)


async def reconcile(runtime: Runtime, request: Request, progress: Progress, finish: Finish) -> Answer:
    """Report what differs from what should be; with ``fix`` put it right."""
    return await report_drift(runtime, request, progress, finish)


async def apply(runtime: Runtime, request: Request, _: Progress, finish: Finish) -> Answer:
    """Do what a saved plan showed, or nothing."""
    answer = await follow(runtime, await carry_out(runtime, request), finish)
    stopped = any(line["note"] == BREAKER for line in answer["lines"])  # the reload tripped it, before anything was sent
    return answer | {"exit": 4} if stopped and not answer["exit"] else answer


async def reload_config(runtime: Runtime, _: Request, __: Progress, ___: Finish) -> Answer:
    """Take the config as it is in its folder now."""
    if runtime.reload is None:
        raise SyncdError("only a running daemon reloads its config")
    return {"text": await runtime.reload()}


async def tell_status(runtime: Runtime, _: Request, __: Progress, ___: Finish) -> Answer:
    """Tell what only the running process knows."""
    return await status(runtime, os.getpid())


async def reveal(runtime: Runtime, request: Request, _: Progress, __: Finish) -> Answer:
    """Note in the audit log that personal fields were shown to somebody."""
    what = {"schema": request.get("schema"), "records": request.get("records")}
    await runtime.store.write(audit.add, who(request), "reveal", what, now=runtime.now())
    return {}


def who(request: Request) -> str:
    """Return who asks."""
    return str(request.get("by") or "somebody")


ACTS: dict[str, Callable[[Runtime, Request, Progress, Finish], Awaitable[Answer]]] = {
    "resolve": resolve,
    "approve": approve,
    "reject": reject,
    "retry": retry,
    "discard": discard,
    "breaker_reset": breaker_reset,
    "reconcile": reconcile,
    "apply": apply,
    "reload": reload_config,
    "status": tell_status,
    "reveal": reveal,
}
