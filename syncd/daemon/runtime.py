"""One loaded config in operation: the open ledger, the connectors, and the events that wake the loops.

Nothing here is needed after a crash. A platform whose connector cannot be made (a secret is missing) is there all the
same and answers everything with that reason.
"""

import asyncio
import os
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, Self

from syncd.config.model import Config, Platform
from syncd.config.secrets import Secrets
from syncd.connectors.protocol import Collection, Connector, Kind, Setup
from syncd.connectors.registry import KINDS
from syncd.core.model import SECOND
from syncd.core.rules import Entity, Member, Rules
from syncd.daemon import clock, modes
from syncd.daemon.events import Event, say
from syncd.daemon.journal import Doubt
from syncd.daemon.judge import Ask
from syncd.daemon.meter import Meter
from syncd.daemon.scene import Scene
from syncd.daemon.unavailable import Unavailable
from syncd.daemon.witness import Witness
from syncd.errors import ConnectorError, TransientError
from syncd.ledger import meta, store
from syncd.ledger.store import Store
from syncd.web.hooks import Route

RESTORED = "the ledger was lost or put back; approve a complete reconcile first"
CONNECT_WITHIN = 10.0  # seconds that a connector gets to open
FOLLOWED = ("stream", "files", "change_feed")  # keys of ``watch:`` whose feeds go on
PIECEMEAL = 2 * SECOND  # that delivery waits for what comes in piece by piece
CLOSE_WITHIN = 2.0  # seconds that a connector gets to close


@dataclass(slots=True)
class Trouble:
    """A platform's own trouble: why, since when, how often in a row, and until when it is left in peace."""

    why: str = ""
    since: int = 0
    times: int = 0
    until: int = 0
    status: int | None = None


@dataclass(slots=True, eq=False)
class Part:
    """One platform in operation. ``wake``: there may be something to deliver; ``ask``: something is to be read."""

    platform: Platform
    connector: Connector
    stamp: str  # changes with anything the connector is made from, secrets included
    stack: AsyncExitStack
    wake: asyncio.Event = field(default_factory=asyncio.Event)
    ask: asyncio.Event = field(default_factory=asyncio.Event)
    leaving: asyncio.Event = field(default_factory=asyncio.Event)  # no more writes are started
    sweep: asyncio.Event = field(default_factory=asyncio.Event)
    asks: dict[int, Ask] = field(default_factory=dict)  # by inbox row
    doubts: dict[int, Doubt] = field(default_factory=dict)  # by attempt
    flying: set[asyncio.Task[None]] = field(default_factory=set)  # writes on their way
    wanted: set[str] = field(default_factory=set)  # collections to be swept as soon as possible
    sweeping: asyncio.Lock = field(default_factory=asyncio.Lock)
    trouble: Trouble = field(default_factory=Trouble)
    refused: dict[str, str] = field(default_factory=dict)  # collections whose feed cannot be had as configured, and why
    news: bool = True  # records may have come into the outbox since it was last weighed
    read_at: int = 0
    held_since: int | None = None  # when delivery began to wait for what comes in piece by piece
    noted: dict[str, int] = field(default_factory=dict)  # collection -> when the ledger was last told that it was read

    @property
    def name(self) -> str:
        """The platform's name."""
        return self.platform.name

    @property
    def is_followed(self) -> bool:
        """Whether its feeds go on until they are closed."""
        return any(getattr(self.platform.watch, feed, None) is not None for feed in FOLLOWED)

    @property
    def is_polled(self) -> bool:
        """Whether its feeds come to an end."""
        return getattr(self.platform.watch, "poll", None) is not None and not self.is_followed

    def demand(self, collections: Iterable[str]) -> None:
        """Ask for a sweep of these collections."""
        self.wanted |= set(collections)
        self.sweep.set()


class Runtime:
    """A config in operation. Made by ``open_runtime`` only."""

    def __init__(
        self, config: Config, opened: Store, *, limit: str | None, kinds: Mapping[str, Kind], now: Callable[[], int]
    ) -> None:
        self.config = config
        self.store = opened
        self.limit = limit
        self.kinds = kinds
        self.now = now
        self.restored: str | None = None
        self.rules: Rules = config.rules
        self.parts: dict[str, Part] = {}
        self.wake = asyncio.Event()  # something waits in the inbox
        self.drained = asyncio.Event()  # nothing waits there
        self.moved = asyncio.Event()  # something was decided or delivered
        self.witnesses: set[Witness] = set()
        self.gathered: set[str] = set()  # what is coming in piece by piece
        self.ready = asyncio.Event()
        self.stopping = asyncio.Event()
        self.reporting = asyncio.Lock()  # held while a drift report is made
        self.revisions = asyncio.Event()  # rules or staleness changed: records are to be decided again
        self.outdated: set[str] = set()  # entities whose records are
        self.renewals: set[asyncio.Event] = set()  # of loops that want to know when a new config was taken over
        self.troubles: dict[str, str] = {}  # what is wrong beside the platforms, by what it is about; '' if nothing is
        self.began = now()
        self.listeners: dict[str, str] = {}
        self.routes: dict[str, Route] = {}  # of webhooks, by path
        self.meter = Meter()
        self.reload: Callable[[], Awaitable[str]] | None = None  # only a running daemon has one
        self.reload_failed = ""  # why the last reload was refused
        self.reloaded_at = now()
        self._counting = threading.Lock()
        self._stack = AsyncExitStack()

    # ---- what others need of it

    def number(self) -> int:
        """Return the next request number; the loop and the ledger's thread both ask."""
        with self._counting:
            return self.store.number()

    def scene(self) -> Scene:
        """Return this moment as the decider sees it."""
        clocks = {name: part.connector.clock for name, part in self.parts.items()}
        return Scene(self.rules, self.now(), self.number, self.store.epoch, clocks)

    def entity_of(self, platform: str, collection: str) -> Entity | None:
        """Return the entity that lives in a collection."""
        return self.rules.entity_of(platform, collection)

    def member(self, platform: str, collection: str) -> Member | None:
        """Return the part that a collection has in its entity."""
        entity = self.entity_of(platform, collection)
        return entity.members[platform] if entity else None

    def collections(self, platform: str) -> list[str]:
        """Return the collections of a platform in which an entity lives."""
        return [name for name in self.parts[platform].platform.collections if self.entity_of(platform, name)]

    def wake_delivery(self, platforms: Iterable[str] | None = None) -> None:
        """Let platforms look whether they are behind on anything."""
        for name in self.parts if platforms is None else platforms:
            if name in self.parts:
                self.parts[name].news = True
                self.parts[name].wake.set()

    @contextmanager
    def gathering(self, what: str) -> Iterator[None]:
        """While something comes in piece by piece, nothing is written for a moment: it is weighed as a whole."""
        self.gathered.add(what)
        try:
            yield
        finally:
            self.gathered.discard(what)
            for part in self.parts.values():
                if part.held_since is not None:
                    part.wake.set()

    def held_for_more(self, part: Part) -> int:
        """Return until when a platform is not written to because something is still coming in; 0 if nothing is."""
        if not self.gathered:
            part.held_since = None
            return 0
        if part.held_since is None:
            part.held_since = self.now()
        return part.held_since + PIECEMEAL

    def decide_again(self, entities: Iterable[str]) -> None:
        """Have all records of these entities decided again."""
        self.outdated |= set(entities)
        if self.outdated:
            self.revisions.set()

    # ---- how platforms are

    def went_well(self, part: Part) -> None:
        """Note that a platform answered."""
        if part.trouble.times:
            seconds = (self.now() - part.trouble.since) // SECOND
            say(Event.PLATFORM_UP, f"{part.name} answers again after {seconds} s", platform=part.name)
            part.trouble = Trouble()
            part.wake.set()
            part.ask.set()

    def went_wrong(self, part: Part, error: ConnectorError) -> None:
        """Note a platform's own trouble and leave it in peace for a while: as long as it asks for, or ever longer."""
        retry, trouble, now = part.platform.write.retry, part.trouble, self.now()
        times = trouble.times + (now >= trouble.until)  # what fails together counts once
        wait = clock.back_off(retry.first, retry.max, times)
        told = getattr(error, "retry_after", None)
        if told is not None:
            wait = min(max(int(told * SECOND), SECOND // 10), 3600 * SECOND)
        part.trouble = Trouble(str(error), trouble.since or now, times, max(now + wait, trouble.until), error.status)
        if str(error) != trouble.why:
            event = Event.PLATFORM_THROTTLED if error.status == 429 else Event.PLATFORM_DOWN
            text = f"{part.name}: {error}; waiting {wait / SECOND:.1f} s"
            say(event, text, platform=part.name, status=error.status)

    # ---- composition

    async def __aenter__(self) -> Self:
        self.restored = await self.store.read(meta.restored)
        self.rules = self.rules_of(self.config)
        for platform in self.config.platforms.values():
            self.parts[platform.name] = await self.connect(self.config, platform)
        return self

    async def __aexit__(self, *exc: object) -> None:
        await asyncio.gather(*(self.disconnect(part) for part in self.parts.values()))

    def rules_of(self, config: Config) -> Rules:
        """Return a config's rules under the limits of this run."""
        rules = modes.restricted(config.rules, self.limit, place="--mode")
        return modes.restricted(rules, "propose", place=RESTORED) if self.restored else rules

    async def connect(self, config: Config, platform: Platform) -> Part:
        """Return a platform in operation, with its connector entered."""
        setup = setup_of(config, platform, self.number, self.now)
        stack = AsyncExitStack()
        try:
            async with asyncio.timeout(CONNECT_WITHIN):
                connector = self.kinds[platform.connector].connect(setup)
                connector = await stack.enter_async_context(connector)
        except ConnectorError as error:
            connector = Unavailable(error)
        except TimeoutError:
            connector = Unavailable(TransientError(f"no connection within {CONNECT_WITHIN:.0f} s"))
        return Part(platform, connector, stamp_of(config, platform), stack)

    async def disconnect(self, part: Part) -> None:
        """Close a platform's connector; one that hangs is left behind."""
        try:
            async with asyncio.timeout(CLOSE_WITHIN):
                await part.stack.aclose()
        except (TimeoutError, ConnectorError, OSError) as error:
            say(Event.PLATFORM_DOWN, f"{part.name} did not close: {error or 'too slow'}", platform=part.name)


def secrets_of(config: Config) -> Secrets:
    """Return where this config's secrets are."""
    return Secrets(os.environ, config.secrets_dir)


def stamp_of(config: Config, platform: Platform) -> str:
    """Return what changes whenever the platform needs another connector: its options and its secrets' values."""
    secrets = secrets_of(config)
    values = [platform.digest, *(secrets.get(name) or "" for name in platform.secrets)]
    values += [f"{c.name} {c.entity} {c.fields} {c.writes} {c.keys}" for c in platform.collections.values()]
    return sha256("\0".join(values).encode()).hexdigest()


def secret_of(config: Config) -> Callable[[str], str]:
    """Return the look-up of secrets, which raises TransientError for one that is not there."""
    secrets = secrets_of(config)

    def secret(name: str) -> str:
        value = secrets.get(name)
        if value is None:
            raise TransientError(f"login: no secret {name}")
        return value

    return secret


def setup_of(config: Config, platform: Platform, number: Callable[[], int], now: Callable[[], int]) -> Setup:
    """Return what a platform's connector is made from."""
    return Setup(
        platform=platform.name,
        connection=platform.connection,
        watch=platform.watch,
        limits=platform.limits,
        write=platform.write,
        collections={
            name: Collection(name, one.options, one.fields, one.writes, one.keys) for name, one in platform.collections.items()
        },
        timezone=platform.timezone,
        folder=config.folder,
        number=number,
        now=now,
        secret=secret_of(config),
        state_dir=str(config.state_dir),
    )


@asynccontextmanager
async def open_runtime(
    config: Config, *, limit: str | None = None, kinds: Mapping[str, Any] | None = None, now: Callable[[], int] = clock.now
) -> AsyncIterator[Runtime]:
    """Open the ledger and connect all platforms; closes both in the end, the ledger last.

    Raises LedgerLocked if another syncd has the ledger, LedgerError if it cannot be used.
    """
    async with (
        store.open(config.ledger_path, now=now()) as opened,
        Runtime(config, opened, limit=limit, kinds=kinds or KINDS, now=now) as runtime,
    ):
        yield runtime
