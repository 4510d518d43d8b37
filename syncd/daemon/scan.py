"""Reading everything for a drift report: each platform live, page by page, nothing put into the inbox."""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial

from syncd.core.model import Change
from syncd.core.space import Thing
from syncd.daemon.clock import nap
from syncd.daemon.compare import Found, Spot, compare_known, compare_missing, compare_page, unreadable
from syncd.daemon.look import blame, read_things
from syncd.daemon.runtime import Part, Runtime
from syncd.daemon.scene import Scene
from syncd.errors import ConnectorError
from syncd.ledger import lookup
from syncd.ledger.schema import Database

BATCH = 200
Tell = Callable[[str], None]
Judge = Callable[[Database, Scene, Spot, Sequence[int]], list[Found]]


@dataclass(slots=True)
class Scan:
    """What reading everything came to. ``failed``: platforms that could not be read completely, and why."""

    found: list[Found] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)


async def scan(runtime: Runtime, spots: Iterable[Spot], tell: Tell) -> Scan:
    """Read and compare every spot; platforms beside each other, the collections of one after the other."""
    result = Scan()
    platforms: dict[str, list[Spot]] = {}
    for spot in spots:
        platforms.setdefault(spot.platform, []).append(spot)
    await asyncio.gather(*(scan_platform(runtime, found, result, tell) for found in platforms.values()))
    return result


async def scan_platform(runtime: Runtime, spots: Sequence[Spot], result: Scan, tell: Tell) -> None:
    """Read and compare the collections of one platform."""
    for spot in spots:
        part = runtime.parts[spot.platform]
        member = runtime.member(spot.platform, spot.collection)
        assert member is not None
        if not member.abilities.list:
            result.found += await over_records(runtime, spot, compare_known, None)
            tell(f"{spot.platform} {spot.collection}: cannot be listed, compared with what it told last")
            continue
        async with part.sweeping:
            found, why = await scan_collection(runtime, part, spot, tell)
        result.found += found
        if why:
            result.failed[spot.platform] = why


async def scan_collection(runtime: Runtime, part: Part, spot: Spot, tell: Tell) -> tuple[list[Found], str]:
    """Return the differences of one collection, and why it could not be read completely ('' if it could)."""
    found: list[Found] = []
    shown, count, why = bytearray(), 0, "the scan has no last page"
    try:
        async for page in part.connector.scan(spot.collection):
            compared = await runtime.store.read(compare_page, runtime.scene(), spot, page.changes)
            found += compared.found
            count += len(page.changes)
            mark(shown, compared.shown)
            if page.last:
                why = "" if page.complete else (page.why or "the list is not complete")
                break
    except ConnectorError as error:
        blame(runtime, part, error)
        why = str(error)
    tell(f"{spot.platform} {spot.collection}: {count:,} read{f', then: {why}' if why else ''}")
    judge: Judge = partial(unreadable, why=why) if why else compare_missing
    return found + await over_records(runtime, spot, judge, shown), why


def mark(shown: bytearray, records: Iterable[int]) -> None:
    """Note which records were shown, a byte each."""
    for number in records:
        if number >= len(shown):
            shown.extend(bytes(number + 4096 - len(shown)))
        shown[number] = 1


async def over_records(runtime: Runtime, spot: Spot, judge: Judge, shown: bytearray | None) -> list[Found]:
    """Return what is found of all records that were not shown."""
    entity = runtime.entity_of(spot.platform, spot.collection)
    found: list[Found] = []
    after: int | None = 0
    while entity is not None and after is not None:
        ids = await runtime.store.read(lookup.ids_after, entity.name, after=after, limit=BATCH)
        after = ids[-1] if len(ids) == BATCH else None
        left = [n for n in ids if shown is None or n >= len(shown) or not shown[n]]
        if left:
            found += await runtime.store.read(judge, runtime.scene(), spot, left)
    return found


async def settled(runtime: Runtime, found: Sequence[Found], spots: Iterable[Spot], settle: int) -> list[Found]:
    """Read differences again of which one side just changed, once that is long enough ago, and return what is left."""
    recent = [one for one in found if one.recent and one.thing is not None]
    if not recent or settle <= 0:
        return list(found)
    until, never = runtime.now() + settle, asyncio.Event()
    while runtime.now() < until:
        await nap(never, until, at=runtime.now())
    things: dict[Thing, None] = dict.fromkeys(one.thing for one in recent if one.thing is not None)
    looks = await read_things(runtime, list(things))
    again = await compare_again(runtime, spots, looks)
    read = {(look.platform, look.collection, look.id) for look in looks}
    return [one for one in found if one.thing not in read] + again


async def compare_again(runtime: Runtime, spots: Iterable[Spot], looks: Sequence[Change]) -> list[Found]:
    """Return the differences of things read once more."""
    found: list[Found] = []
    for spot in spots:
        here = [look for look in looks if (look.platform, look.collection) == (spot.platform, spot.collection)]
        compared = await runtime.store.read(compare_page, runtime.scene(), spot, here)
        found += compared.found
    return found
