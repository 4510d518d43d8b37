"""Asking platforms before something is sent to one of them: reads by id, look-ups by key. No answer proves nothing."""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from syncd.core.model import Change, Native
from syncd.core.space import Thing
from syncd.daemon.runtime import Part, Runtime
from syncd.daemon.survey import Query, things_by_collection
from syncd.errors import ConnectorError, TransientError

READS = 100  # things in one read


@dataclass(slots=True)
class Found:
    """What the platforms answered. ``proofs``: our number before a look-up by key that found nothing."""

    looks: list[Change] = field(default_factory=list)
    proofs: dict[tuple[int, str], int] = field(default_factory=dict)


async def read_things(runtime: Runtime, things: Sequence[Thing]) -> list[Change]:
    """Return what things are now; those that cannot be read are left out, and their platform is in trouble."""
    jobs = [
        _read(runtime, platform, collection, ids[start : start + READS])
        for (platform, collection), ids in things_by_collection(things).items()
        for start in range(0, len(ids), READS)
    ]
    return [change for answer in await asyncio.gather(*jobs) for change in answer]


async def _read(runtime: Runtime, platform: str, collection: str, ids: Sequence[str]) -> list[Change]:
    part = runtime.parts.get(platform)
    if part is None:
        return []
    try:
        found = await part.connector.read(collection, ids)
    except ConnectorError as error:
        blame(runtime, part, error)
        return await _read_alone(runtime, platform, collection, ids) if is_about_one(error) and len(ids) > 1 else []
    runtime.went_well(part)
    return found


async def _read_alone(runtime: Runtime, platform: str, collection: str, ids: Sequence[str]) -> list[Change]:
    """Read things one by one, because one of them spoils the answer about all."""
    return [change for one in ids for change in await _read(runtime, platform, collection, [one])]


def is_about_one(error: ConnectorError) -> bool:
    """Return whether an error is about what was asked for, not about the platform."""
    return not isinstance(error, TransientError) or error.about_record


def blame(runtime: Runtime, part: Part, error: ConnectorError) -> None:
    """Note an error that is the platform's own trouble."""
    if not is_about_one(error):
        runtime.went_wrong(part, error)


async def look_up(runtime: Runtime, queries: Iterable[Query]) -> Found:
    """Ask platforms for records by key. Each negative answer is a proof as of the moment before it was asked."""
    found = Found()
    answers = await asyncio.gather(*(_find(runtime, query) for query in queries))
    for query, as_of, changes in answers:
        if changes is None:
            continue
        found.looks += changes
        if not any(not change.gone for change in changes):
            found.proofs[query.record, query.platform] = as_of
    return found


async def _find(runtime: Runtime, query: Query) -> tuple[Query, int, list[Change] | None]:
    as_of = runtime.number()
    return query, as_of, await find(runtime, query.platform, query.collection, query.path, query.value)


async def find(
    runtime: Runtime, platform: str, collection: str, path: str, value: Native
) -> list[Change] | None:
    """Return the things with this value, None if the platform did not answer."""
    part = runtime.parts.get(platform)
    if part is None:
        return None
    try:
        found = await part.connector.find(collection, path, value)
    except ConnectorError as error:
        blame(runtime, part, error)
        return None
    runtime.went_well(part)
    return found
