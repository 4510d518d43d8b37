"""One record against live readings: its things are read now, decided with the rules on disk, and planned. Nothing is stored."""

import asyncio
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Any

from syncd.config.model import Config, Kind
from syncd.core.decide import Verdict, observe
from syncd.core.model import Change, Life, Record
from syncd.core.space import Space, Thing
from syncd.daemon import clock
from syncd.daemon.foresee import Foresight, add_up, trial_scene
from syncd.daemon.foretell import Foreseen, Outcome, difference, outcome, planned
from syncd.daemon.overlay import Edit, twin
from syncd.daemon.runtime import CONNECT_WITHIN, setup_of
from syncd.daemon.write_plan import Asked, document_of, limited, shown_by
from syncd.errors import ConnectorError, SyncdError
from syncd.ledger import records
from syncd.ledger.schema import Database
from syncd.reports.figures import plain

Row = dict[str, Any]


@dataclass(slots=True)
class Live:
    """What the platforms showed just now, how far their clocks are off, and what could not be read."""

    looks: list[Change] = field(default_factory=list)
    clocks: dict[str, tuple[int, int]] = field(default_factory=dict)
    told: list[str] = field(default_factory=list)
    unread: list[str] = field(default_factory=list)


def try_record(db: Database, config: Config, number: int, asked: Asked, kinds: Mapping[str, Kind]) -> Row:
    """Return the plan of one record as its platforms show it now. Raises SyncdError if the config knows no such entity."""
    scene = trial_scene(shown_by(limited(db, config.rules), asked), asked.origin.now)
    space = scene.space()
    loaded = records.load(db, space, records=[number])
    record = space.records[number]
    entity = space.rules.entities.get(record.entity)
    if entity is None:
        raise SyncdError(f"the config on disk knows no {record.entity}")
    live = asyncio.run(read_live(config, things_of(space, record), kinds, space))
    space.clocks.update(live.clocks)
    records.load(db, space, things=[(c.platform, c.collection, c.id) for c in live.looks], loaded=loaded)
    before = Outcome(twin(record), (), frozenset())
    take_in(space, live)
    after = outcome(space, entity, space.records[number], None)
    one = difference(Edit(entity.name, None, entity, None), before, planned(space, entity, after, after.behind))
    found = Foresight(total=1, records=1, edits={entity.name: Edit(entity.name, None, entity, None)})
    add_up(found, entity, after.record, one)
    asked.take(one)
    document = document_of(found, config, config, asked)
    told = [*live.told, *held_lines(one)]
    return document | {"complete": not live.unread, "one": f"{record.entity} {record.key}", "told": told, "needs": []}


def things_of(space: Space, record: Record) -> list[Thing]:
    """Return the rows of a record that can be read."""
    members = space.rules.entities[record.entity].members
    return [
        (platform, shadow.collection, shadow.id)
        for platform, shadow in record.shadows.items()
        if platform in members and shadow.id and shadow.life is not Life.GONE and members[platform].abilities.read
    ]


async def read_live(config: Config, things: list[Thing], kinds: Mapping[str, Kind], space: Space) -> Live:
    """Return what the platforms show now, each asked by a connector of its own; what cannot be read is told."""
    live = Live()
    await asyncio.gather(*(read_one(config, thing, kinds, space, live) for thing in things))
    live.looks.sort(key=lambda change: change.platform)
    live.told.sort()
    return live


async def read_one(config: Config, thing: Thing, kinds: Mapping[str, Any], space: Space, live: Live) -> None:
    """Read one thing."""
    platform, collection, native = thing
    part = config.platforms[platform]
    try:
        async with asyncio.timeout(3 * CONNECT_WITHIN), AsyncExitStack() as stack:
            setup = setup_of(config, part, space.number, clock.now)
            connector = await stack.enter_async_context(kinds[part.connector].connect(setup))
            live.looks += await connector.read(collection, [native])
            live.clocks[platform] = connector.clock
    except (ConnectorError, TimeoutError) as error:
        live.unread.append(platform)
        live.told.append(f"{platform} could not be read ({error or 'too slow'}): what it showed last is used")


def take_in(space: Space, live: Live) -> None:
    """Decide what was read, as the daemon would; what it would not take now is told."""
    for look in live.looks:
        space.read_at[look.platform] = space.now
        said = observe(space, look)
        if said.verdict is Verdict.DEFERRED:
            live.told.append(f"{look.platform} is being written just now: what it shows is looked at afterwards")
        elif said.verdict is Verdict.READ:
            live.told.append(f"{look.platform}: {said.why}")


def held_lines(one: Foreseen) -> list[str]:
    """Return which fields differ and are not written, and why."""
    pairs = [(platform, name, why) for platform, held in one.held.items() for name, why in held.items()]
    return [f"{name} is not written to {platform}: {plain(why)}" for platform, name, why in pairs]
