"""Full reads: the truth check behind every feed, and the only evidence of an absence.

One sweep per platform at a time. Pages go to the inbox as they come; a scan that ended early, is empty where things were
known, or lost more than its limit is no evidence of anything.
"""

from dataclasses import dataclass

from syncd.core.model import Change, Via
from syncd.core.rules import Entity, Limit
from syncd.daemon import tell
from syncd.daemon.events import Event, say
from syncd.daemon.intake import read_well, room
from syncd.daemon.look import blame, read_things
from syncd.daemon.runtime import Part, Runtime
from syncd.daemon.scene import Scene
from syncd.daemon.suspend import Watch
from syncd.daemon.weigh import Trip, open_breaker
from syncd.errors import ConnectorError
from syncd.ledger import breakers, inbox, sweeps
from syncd.ledger.schema import Database
from syncd.ledger.sweeps import Finished

SHRINK = "shrink"


@dataclass(frozen=True, slots=True)
class Swept:
    """What one sweep came to. ``why`` it is no evidence, '' if it is."""

    platform: str
    collection: str
    finished: Finished
    complete: bool
    why: str = ""
    micros: int = 0


async def sweep(runtime: Runtime, part: Part, collection: str) -> Swept:
    """Read a whole collection into the inbox, and follow up what it did not show. Raises nothing of a platform in trouble."""
    async with part.sweeping:
        began, as_of = runtime.now(), runtime.number()
        number = await runtime.store.write(sweeps.begin, part.name, collection, as_of=as_of, now=began)
        complete, why = await pages(runtime, part, collection, number)
        finished, trips = await runtime.store.write(
            finish, runtime.scene(), number, part.name, collection, complete=complete, why=why
        )
        tell.trips(trips)
        done = Swept(part.name, collection, finished, complete and not finished.shrunk, why, runtime.now() - began)
        announce(done)
        runtime.meter.swept(part.name, done.micros, runtime.now(), complete=done.complete)
        if done.complete:
            read_well(runtime, part)
        await follow_up(runtime, part, collection, finished, as_of)
        runtime.wake.set()
        return done


async def pages(runtime: Runtime, part: Part, collection: str, number: int) -> tuple[bool, str]:
    """Put every page of a scan into the inbox; return whether it was complete, else why not."""
    watch = Watch(runtime, part.name, collection)
    with runtime.gathering(f"sweep {part.name} {collection}"):
        try:
            async for page in part.connector.scan(collection):
                now = runtime.now()
                added = await runtime.store.write(sweeps.page, number, page.changes, broken=page.broken, now=now)
                tell.letters(part.name, collection, added.letters)
                runtime.meter.received(part.name, "sweep", added.stored, added.repeats)
                if added.stored:
                    runtime.wake.set()
                await watch.see(page.changes, added.stored)
                if page.last:
                    await watch.end()
                    return page.complete, page.why
                await room(runtime)
        except ConnectorError as error:
            blame(runtime, part, error)
            return False, str(error)
    return False, "the scan has no last page"


def finish(
    db: Database, scene: Scene, number: int, platform: str, collection: str, complete: bool, why: str
) -> tuple[Finished, list[Trip]]:
    """End a sweep; one that shrank trips its breaker."""
    entity = scene.rules.entity_of(platform, collection)
    limit = limit_for(db, scene, entity, platform, collection) if entity else None
    deletes = entity.deletes if entity else None
    finished = sweeps.finish(db, number, complete=complete, limit=limit, deletes=deletes, now=scene.now, why=why)
    if not finished.shrunk or entity is None:
        return finished, []
    paused = entity.safety.on_trip == "pause"
    trip = Trip(platform, entity.name, SHRINK, finished.lost, finished.known, entity.safety.shrink, paused)
    return finished, [trip] if open_breaker(db, scene, trip) else []


def limit_for(db: Database, scene: Scene, entity: Entity, platform: str, collection: str) -> Limit | None:
    """Return how much a scan may lose. A person who reset the breaker since the last one said that it is right this time."""
    allowed = breakers.allowance(db, platform, entity.name, now=scene.now)
    if allowed is not None:
        return Limit(max=allowed.allow)
    last = sweeps.last_disbelieved(db, platform, collection)
    accepted = last is not None and breakers.last_reset(db, platform, entity.name) > last
    return None if accepted else entity.safety.shrink


def announce(done: Swept) -> None:
    """Tell how a sweep went."""
    about = {"platform": done.platform, "collection": done.collection, "duration_ms": done.micros // 1000}
    if done.complete:
        text = f"{done.platform} {done.collection}: swept, {done.finished.total} there, {done.finished.lost} missing"
        say(Event.SWEEP_DONE, text, **about)
    else:
        why = done.why or f"{done.finished.lost} of {done.finished.known} missing: not believed"
        say(Event.SWEEP_FAILED, f"{done.platform} {done.collection}: sweep is no evidence: {why}", **about)


async def follow_up(runtime: Runtime, part: Part, collection: str, finished: Finished, as_of: int) -> None:
    """Read by id what a believed scan did not show: only that proves that it is gone."""
    if not finished.to_read:
        return
    member = runtime.member(part.name, collection)
    if member is not None and member.abilities.read:
        found = await read_things(runtime, [(part.name, collection, native) for native in finished.to_read])
    else:
        now = runtime.now()
        found = [Change(part.name, collection, one, Via.READ, as_of, now, gone=True) for one in finished.to_read]
    await runtime.store.write(inbox.add, part.name, collection, found, now=runtime.now())
