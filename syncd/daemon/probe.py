"""``check --online``: each platform asked what it lets us do, before anything depends on it. Nothing is written."""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from syncd.config.model import Config, Platform
from syncd.config.online import Asked, Found
from syncd.connectors.protocol import Connector, Page, Rights
from syncd.connectors.registry import KINDS
from syncd.core.mapping import ABSENT, get_path, parse_path
from syncd.daemon.clock import now
from syncd.daemon.runtime import setup_of
from syncd.errors import ConnectorError, PermanentError

WITHIN = 20.0  # seconds for one platform
LOGIN = "login: "


async def probe(config: Config, kinds: Mapping[str, Any] = KINDS) -> list[Found]:
    """Return what each platform says, in the order of their names; one that hangs is not reached."""
    names = sorted(config.platforms)
    return list(await asyncio.gather(*(probe_platform(config, config.platforms[name], kinds) for name in names)))


async def probe_platform(config: Config, platform: Platform, kinds: Mapping[str, Any]) -> Found:
    """Ask one platform about every collection that an entity uses."""
    numbers = iter(range(1, 2**62))
    platform = as_used(platform)
    found = Found(platform.name, platform.mode)
    try:
        connector: Connector = kinds[platform.connector].connect(setup_of(config, platform, lambda: next(numbers), now))
    except ConnectorError as error:  # not in this version, or no secret to make it with
        found.trouble = str(error)
        return found
    began = time.perf_counter()
    try:
        async with asyncio.timeout(WITHIN), connector:
            for name, collection in platform.collections.items():
                if collection.entity is not None:
                    found.collections.append(await ask(connector, platform, name))
            found.clock = connector.clock
    except TimeoutError:
        found.trouble = f"no answer within {WITHIN:.0f} s"
    except PermanentError as error:
        found.schema = str(error)
    except ConnectorError as error:
        text = str(error)
        found.refused, found.trouble = text.startswith(LOGIN), text.removeprefix(LOGIN)
    found.seconds = time.perf_counter() - began
    return found


def as_used(platform: Platform) -> Platform:
    """Return a platform without what its mode never does: where it only observes, no right to write is needed."""
    if platform.mode != "observe":
        return platform
    return replace(platform, collections={name: replace(one, writes=()) for name, one in platform.collections.items()})


async def ask(connector: Connector, platform: Platform, name: str) -> Asked:
    """Read the first page of a collection, and what may be written there; raises ConnectorError.

    Where it is refused for want of a scope, which scope that is says more than that it is refused.
    """
    options = platform.collections[name]
    began = time.perf_counter()
    try:
        page, rights = await first_page(connector, name), None
    except ConnectorError:
        page, rights = None, await lacking(connector, name)
        if rights is None:
            raise
    seconds, barred = time.perf_counter() - began, rights is not None
    rights = rights or await connector.rights(name)
    if platform.mode == "observe":
        rights = replace(rights, write=None, refused=())
    items = [change.item for change in page.changes if change.item is not None] if page else []
    lacks = {path for path in options.fields if items and all(get_path(item, parse_path(path)) is ABSENT for item in items)}
    unseen = [path for path in options.fields if path in lacks.union(rights.unseen)]
    return Asked(
        name=name,
        entity=options.entity or "",
        listed=page is not None,
        barred=barred,
        rows=len(items),
        paths=tuple(options.fields),
        unseen=tuple(unseen),
        writes=options.writes,
        write=rights.write,
        refused=rights.refused,
        seconds=seconds,
        has=rights.has,
        missing=rights.missing,
        excess=rights.excess,
        unheard=rights.unheard,
    )


async def lacking(connector: Connector, name: str) -> Rights | None:
    """Return what the login may do, if scopes that it lacks are why a collection could not be read."""
    try:
        rights = await connector.rights(name)
    except ConnectorError:
        return None
    return rights if rights.missing else None


async def first_page(connector: Connector, name: str) -> Page | None:
    """Return the first page of a full read; None where nothing can be listed."""
    try:
        scan = connector.scan(name)
        try:
            return await anext(scan, None)
        finally:
            await scan.aclose()  # type: ignore[attr-defined]  # the protocol says no more than an iterator
    except PermanentError as error:
        if "no list" in str(error):
            return None
        raise
