"""A new config while syncd runs: loaded and checked whole, taken over at once or not at all."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import replace
from itertools import zip_longest
from pathlib import Path

from syncd.config.diagnostics import Diagnostic
from syncd.config.load import load
from syncd.config.model import Config, Platform
from syncd.config.restart import needs_restart
from syncd.core.rules import Rules
from syncd.daemon import tell
from syncd.daemon.crew import Crew
from syncd.daemon.events import Event, say
from syncd.daemon.foresee import Foresight, foresee, summary
from syncd.daemon.hook import routes_of
from syncd.daemon.mapped import note_moved, signatures
from syncd.daemon.notify import Notify
from syncd.daemon.revise import recall_strangers
from syncd.daemon.runtime import Part, Runtime, stamp_of
from syncd.daemon.scene import Scene
from syncd.daemon.unavailable import Unavailable
from syncd.daemon.weigh import Trip, open_breaker
from syncd.errors import ConfigError, SyncdError
from syncd.ledger import config_texts, state
from syncd.ledger.reading import read_only
from syncd.ledger.schema import Database
from syncd.reports.plan_edits import edits_of

DEADLINE = 30.0  # seconds
MOST = 5  # findings said in one line
NAMED = 3  # changed rules that the log's line names
LOOK_AHEAD = 12.0  # seconds of them, for seeing what the new rules do before they are loaded


class Reloader:
    """Takes new configs over, one at a time. ``notify`` is told when a reload begins and ends."""

    def __init__(self, runtime: Runtime, crew: Crew, notify: Notify) -> None:
        self._runtime = runtime
        self._crew = crew
        self._notify = notify
        self._lock = asyncio.Lock()

    async def reload(self) -> str:
        """Take the config of the folder over and return what changed, in one line.

        Raises ConfigError, with the findings, if it has errors or needs a restart: the old config stays.
        """
        async with self._lock:
            self._notify.reloading()
            try:
                return await self._take_over()
            finally:
                self._notify.ready()

    async def _take_over(self) -> str:
        runtime = self._runtime
        try:
            new = await checked(runtime)
            async with asyncio.timeout(DEADLINE):
                text = await take_over(runtime, self._crew, new)
        except ConfigError as error:
            runtime.reload_failed = str(error)
            text = "; ".join([str(error), *heads(error), f"the old config {runtime.config.sha} stays"])
            say(Event.RELOAD_FAILED, text, config_sha=runtime.config.sha)
            raise
        except TimeoutError as error:
            runtime.reload_failed = f"a platform did not let go within {DEADLINE:.0f} s"
            say(Event.RELOAD_FAILED, f"{runtime.reload_failed}: reload again, or restart", config_sha=runtime.config.sha)
            raise SyncdError(f"{runtime.reload_failed}: reload again, or restart") from error
        runtime.reload_failed = ""
        runtime.reloaded_at = runtime.now()
        say(Event.RELOAD_OK, text, config_sha=new.sha)
        return text


def heads(error: ConfigError) -> list[str]:
    """Return the first line of each finding, with its place: so many as a log line can hold."""
    found = [one.head for one in error.diagnostics if isinstance(one, Diagnostic)]
    return found if len(found) <= MOST else [*found[:MOST], f"and {len(found) - MOST} more"]


async def checked(runtime: Runtime) -> Config:
    """Return the config of the folder as it is now; raises ConfigError if it cannot be taken over."""
    folder = runtime.config.folder
    loaded = await asyncio.to_thread(load, folder, runtime.kinds)
    if loaded.config is None:
        raise ConfigError(f"the config in {folder} has errors", loaded.errors)
    if loaded.config.promised:
        raise ConfigError(f"the config in {folder} asks for what is not in this version", list(loaded.config.promised))
    if loaded.config.webhooks and loaded.config.hooks and "hooks" not in runtime.listeners:
        raise ConfigError("the first webhook needs a restart: the hooks listener is not open yet")
    blocked = needs_restart(runtime.config, loaded.config)
    if blocked:
        raise ConfigError("a setting changed that needs a restart", blocked)
    return loaded.config


async def take_over(runtime: Runtime, crew: Crew, new: Config) -> str:
    """Exchange config, rules and those connectors that differ; have what follows decided again."""
    old = runtime.config
    changed = changed_entities(old, new)
    ahead = await look_ahead(runtime, new)
    await runtime.store.write(config_texts.keep, new.sha, new.texts, runtime.now())
    moved = await runtime.store.write(note_moved, signatures(new))
    restarted = await exchange_parts(runtime, crew, new)
    runtime.config, runtime.rules = new, runtime.rules_of(new)
    for renewed in runtime.renewals:
        renewed.set()
    runtime.routes.clear()
    runtime.routes.update(routes_of(runtime))
    for part in restarted:
        crew.start(part)
    for platform, collection in moved:
        if platform in runtime.parts:
            runtime.parts[platform].demand([collection])
    runtime.decide_again(changed or ())
    await recall_strangers(runtime, changed)
    runtime.wake_delivery()
    tallies = (await runtime.store.read(state.now, runtime.now())).records
    affected = sum(tallies.get(name, 0) for name in changed)
    return "; ".join([told(old, new, changed, affected, [part.name for part in restarted]), *foretold(ahead)])


async def look_ahead(runtime: Runtime, new: Config) -> Foresight:
    """Return what loading the new rules will do, and stop beforehand what would trip a breaker: those writes then wait.

    A ledger too large for the time there is is looked at in part; breakers are tripped by that part alone.
    """
    rules, now = (runtime.rules, runtime.rules_of(new)), runtime.now()
    ahead = await asyncio.to_thread(foresee_within, runtime.store.path, rules, now, settled=not runtime.outdated)
    paused = [trip for trip in ahead.trips if trip.paused]
    opened = await runtime.store.write(open_breakers, replace(runtime.scene(), rules=rules[1]), paused)
    tell.trips(opened)
    for trip in opened:
        runtime.meter.tripped(trip)
    for witness in runtime.witnesses:
        witness.tripped(opened)
    return ahead


def foresee_within(ledger: Path, rules: tuple[Rules, Rules], now: int, *, settled: bool) -> Foresight:
    """Look ahead on a connection of its own, for as long as a reload may take for that."""
    end = time.monotonic() + LOOK_AHEAD
    with read_only(ledger) as db:
        db.execute("BEGIN")  # as it stands at one moment; it ends with the connection
        return foresee(db, rules, now=now, take=lambda _: None, settled=settled, enough=lambda _: time.monotonic() > end)


def open_breakers(db: Database, scene: Scene, trips: Sequence[Trip]) -> list[Trip]:
    """Trip these breakers; return those that were closed before."""
    return [trip for trip in trips if open_breaker(db, scene, trip)]


def foretold(ahead: Foresight) -> list[str]:
    """Return in words what the new rules do: how many records come out otherwise, and what of it is stopped."""
    if not ahead.edits or (ahead.whole and ahead.empty):
        return ["no record comes out otherwise"] if ahead.edits and ahead.records else []
    figures = summary(ahead)
    seen = "" if ahead.whole else f" of the {ahead.records:,} looked at in time"
    ops = ", ".join(f"{figures[op]:,} to {op}" for op in ("update", "create", "delete"))
    words = [f"{ahead.decided:,} records come out otherwise{seen}: {ops}"]
    stopped = dict.fromkeys(f"{trip.platform} {trip.entity}" for trip in ahead.trips if trip.paused)
    return words + ([f"stopped by a breaker: {', '.join(stopped)} (syncd breaker show)"] if stopped else [])


async def exchange_parts(runtime: Runtime, crew: Crew, new: Config) -> list[Part]:
    """Keep the connectors whose platforms did not change, close the others, and return those that are new."""
    leaving = []
    for name, part in runtime.parts.items():
        platform = new.platforms.get(name)
        if platform is not None and name in crew.hands and is_same(new, platform, part):
            part.platform = platform
        else:
            leaving.append(part)
    await asyncio.gather(*(crew.retire(part) for part in leaving if part.name in crew.hands))
    for part in leaving:
        del runtime.parts[part.name]
    coming = [platform for name, platform in new.platforms.items() if name not in runtime.parts]
    fresh = await asyncio.gather(*(runtime.connect(new, platform) for platform in coming))
    runtime.parts |= {part.name: part for part in fresh}
    return fresh


def is_same(new: Config, platform: Platform, part: Part) -> bool:
    """Return whether a platform can keep its connector."""
    return part.stamp == stamp_of(new, platform) and not isinstance(part.connector, Unavailable)


def changed_entities(old: Config, new: Config) -> set[str]:
    """Return the entities whose records may be decided otherwise: their file, their platforms or the defaults changed."""
    if differ(old, new, "syncd.yaml"):
        return set(new.rules.entities)
    found = set()
    for name, entity in new.rules.entities.items():
        files = [f"entities/{name}.yaml", *(f"platforms/{platform}.yaml" for platform in entity.members)]
        if any(differ(old, new, file) for file in files):
            found.add(name)
    return found


def differ(old: Config, new: Config, file: str) -> bool:
    """Return whether a file of the folder has another text."""
    return old.texts.get(file) != new.texts.get(file)


def place(old: Config, new: Config, file: str) -> str:
    """Return a file that changed, with the first line that did."""
    before, after = old.texts.get(file), new.texts.get(file)
    if before is None or after is None:
        return f"{file} {'is new' if before is None else 'is gone'}"
    lines = zip_longest(before.splitlines(), after.splitlines())
    return f"{file}:{next(number for number, (one, other) in enumerate(lines, 1) if one != other)}"


def places(old: Config, new: Config) -> list[str]:
    """Return every rule that changed by file and line, in order; of a file with none the first line that did."""
    found: list[str] = []
    for file in sorted({*old.texts, *new.texts}):
        if differ(old, new, file):
            both = file in old.texts and file in new.texts
            edits = edits_of(new.folder, {file: old.texts[file]}, {file: new.texts[file]}) if both else []
            found += dict.fromkeys(f"{file}:{one['line']}" for one in edits) or [place(old, new, file)]
    return found


def listed(places: Sequence[str]) -> str:
    """Return the first places, and how many more there are."""
    more = len(places) - NAMED
    return ", ".join(places[:NAMED]) + (f" and {more} more" if more > 0 else "")


def told(old: Config, new: Config, changed: set[str], affected: int, restarted: list[str]) -> str:
    """Return one line that says what changed, by file and line: entities and how many records are decided again, platforms
    connected again.
    """
    files = places(old, new)
    if not files and not restarted:
        return f"config {new.sha} loaded: nothing changed"
    words = [f"config {old.sha} -> {new.sha}", f"changed: {listed(files)}" if files else ""]
    words.append(f"decided again: {', '.join(sorted(changed))}, {affected:,} records" if changed else "")
    words.append(f"connected again: {', '.join(restarted)}" if restarted else "")
    return "; ".join(word for word in words if word)
