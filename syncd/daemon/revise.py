"""Deciding records again without a new observation: the rules changed, or a platform became stale or came back.

What was revised with which rules is noted in the ledger, so that a revision cut short by a crash is done after the start.
"""

from collections.abc import Iterable

from syncd.core.conclude import revise
from syncd.core.dependencies import asks_the_clock, moments, rules_in
from syncd.core.model import SECOND
from syncd.core.rules import Entity, Rules
from syncd.core.subject import subjects
from syncd.daemon import tell
from syncd.daemon.clock import nap
from syncd.daemon.judge import Judged, store
from syncd.daemon.mapped import note_moved, signatures
from syncd.daemon.runtime import Runtime
from syncd.daemon.scene import Scene
from syncd.ledger import config_texts, cursors, lookup, meta, records, strangers
from syncd.ledger.schema import Database

BATCH = 200
REVISED = "revised"  # the fact that names the rules all records were last decided with
RULES = "the rules changed"
STALE = "a platform became stale, or came back"
CALM = 60 * SECOND
HOUR = 3600 * SECOND

Stale = dict[tuple[str, str], bool]  # (entity, platform) -> whether the platform is stale for its rules


async def begin(runtime: Runtime) -> None:
    """Note the config that holds now; have everything decided again if it is not the one that last did."""
    config = runtime.config
    for platform, collection in await runtime.store.write(note_moved, signatures(config)):
        runtime.parts[platform].demand([collection])
    await runtime.store.write(config_texts.keep, config.sha, config.texts, runtime.now())
    if await runtime.store.read(meta.get, REVISED) != decided_with(runtime):
        runtime.decide_again(runtime.rules.entities)
        await recall_strangers(runtime, runtime.rules.entities)
    runtime.decide_again(timed(runtime.rules))  # while nobody looked time went by


async def recall_strangers(runtime: Runtime, entities: Iterable[str]) -> None:
    """Have things that are no record yet matched again under the rules of now."""
    members = [member for name in entities for member in runtime.rules.entities[name].members.values()]
    places = [(member.platform, member.collection) for member in members]
    if await runtime.store.write(strangers.recall, places, now=runtime.now()):
        runtime.wake.set()


def decided_with(runtime: Runtime) -> str:
    """Return what decisions depend on beside what was read: the rules and the limits of this run."""
    return " ".join(filter(None, (runtime.config.sha, runtime.limit, "restored" if runtime.restored else "")))


async def revise_forever(runtime: Runtime) -> None:
    """Decide again whatever is asked for, and what staleness changes, until cancelled."""
    before: Stale = {}
    asked = runtime.now()
    while True:
        await revise_outdated(runtime)
        stale, until = await staleness(runtime)
        now = runtime.now()
        runtime.decide_again(moved(before, stale) | due(runtime.rules, asked, now))
        before, asked = stale, now
        if not runtime.outdated:
            await nap(runtime.revisions, min([until, *coming(runtime.rules, now)]), at=now)


async def revise_outdated(runtime: Runtime) -> int:
    """Decide all records of outdated entities again; return how many. A crash in between repeats it all."""
    count = 0
    while runtime.outdated:
        rules, entities = decided_with(runtime), set(runtime.outdated)
        for entity in entities:
            count += await revise_entity(runtime, entity)
            runtime.outdated.discard(entity)
        if not runtime.outdated and decided_with(runtime) == rules:
            await runtime.store.write(meta.put, REVISED, rules)
    return count


async def revise_entity(runtime: Runtime, entity: str) -> int:
    """Decide all records of one entity again, a batch at a time."""
    after, count = 0, 0
    while True:
        work = runtime.store.write(revise_batch, runtime.scene(), entity, after)
        judged, last, seen = await work
        tell.judged(judged, runtime.rules)
        runtime.wake_delivery(judged.behind)
        count += seen
        if last is None:
            return count
        after = last


def revise_batch(db: Database, scene: Scene, entity: str, after: int) -> tuple[Judged, int | None, int]:
    """Decide the next records of an entity again; return what came of it, the last id (None at the end), and how many."""
    judged = Judged()
    ids = lookup.ids_after(db, entity, after=after, limit=BATCH)
    if entity in scene.rules.entities and ids:
        space = scene.space()
        loaded = records.load(db, space, records=ids)
        for number in ids:
            revise(space, space.records[number], RULES)
        store(db, space, loaded, (), judged, rekey=True)
    return judged, ids[-1] if len(ids) == BATCH else None, len(ids)


# ---- as time goes by


def due(rules: Rules, then: int, now: int) -> set[str]:
    """Return the entities whose rules may say something else now than they did then: an hour (UTC) began, a freeze ended."""
    hour = then // HOUR != now // HOUR
    return {
        entity.name
        for entity in rules.entities.values()
        if (hour and asks_the_clock(entity)) or any(then < moment <= now for moment in moments(entity))
    }


def coming(rules: Rules, now: int) -> list[int]:
    """Return the moments ahead at which rules may say something else: the next hour (UTC), and ends of freezes."""
    entities = rules.entities.values()
    hours = [(now // HOUR + 1) * HOUR] if any(asks_the_clock(entity) for entity in entities) else []
    return [*hours, *(moment for entity in entities for moment in moments(entity) if moment > now)]


def timed(rules: Rules) -> set[str]:
    """Return the entities whose records are decided again as time goes by."""
    return {entity.name for entity in rules.entities.values() if asks_the_clock(entity) or moments(entity)}


# ---- staleness


def moved(before: Stale, now: Stale) -> set[str]:
    """Return the entities for which a platform became stale or came back; at first those for which one is stale."""
    return {entity for (entity, name), stale in now.items() if before.get((entity, name), False) != stale}


async def staleness(runtime: Runtime) -> tuple[Stale, int]:
    """Return which platforms are stale for which entities, where a rule cares, and when that may be different."""
    limits = limits_of(runtime.rules)
    feeds = await runtime.store.read(cursors.feeds)
    now = runtime.now()
    found: Stale = {}
    changes = [now + CALM]
    for (entity, platform), limit in limits.items():
        reads = [feed.read_at for feed in feeds if feed.platform == platform and feed.read_at is not None]
        until = max(reads, default=now) + limit
        found[entity, platform] = now > until
        if until >= now:
            changes.append(until + 1)
    return found, min(changes)


def limits_of(rules: Rules) -> dict[tuple[str, str], int]:
    """Return after how long a platform is stale, for the entities of which a rule cares."""
    return {
        (entity.name, platform): limit
        for entity in rules.entities.values()
        for platform, limit in entity_limits(entity).items()
    }


def entity_limits(entity: Entity) -> dict[str, int]:
    """Return after how long each platform is stale for the rules of one entity that care."""
    found: dict[str, int] = {}
    truths = (rule for subject in subjects(entity).values() for rule in rules_in(subject.truth))
    for truth in truths:
        for platform in truth.platforms if truth.if_stale != "keep" else ():
            member = entity.members.get(platform)
            limit = truth.stale_after if truth.stale_after is not None else (member.stale_after if member else None)
            if limit is not None:
                found[platform] = min(limit, found.get(platform, limit))
    return found
