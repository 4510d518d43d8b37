"""A platform inside this process, for tests, examples and dry runs: it keeps every promise a connector can make.

``Platform`` is the platform itself, with a hand of its own (``put``, ``remove``) for edits that are not ours; ``Memory``
is the connector to it. Faults are the same as elsewhere: ``down``, and what ``before`` and ``after`` raise.
"""

from collections.abc import AsyncIterator, Callable, Sequence
from copy import deepcopy
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path
from typing import Any, Self

from pydantic import BaseModel

from syncd.connectors.body import BadBody, decode, pick, placed
from syncd.connectors.options import CollectionOptions, Marker, Options, Watch
from syncd.connectors.options import Poll as PollOptions
from syncd.connectors.protocol import Batch, Connector, Delivery, Page, Rights, Setup
from syncd.connectors.times import parse_time
from syncd.core.model import Abilities, Answer, Change, Item, Native, Op, Receipt, Via, Write
from syncd.errors import ConnectorError, PermanentError, StaleWrite, TransientError

FULL = Abilities(guard=True, ordered=True, contiguous=True, keyed=True, unique=True, answers=True)
PAGE = 100


class MemoryConnection(Options):
    """``load`` is a file of JSON lines: things, or ``{"collection": NAME, "item": {...}}`` where there are several."""

    load: str | None = None


class MemoryWatch(Watch):
    """How changes are noticed."""

    poll: PollOptions | None = None


class MemoryCollection(CollectionOptions):
    """Where a thing has its id, and how it is marked as deleted. With a ``version``, whatever its name, that guards writes.

    ``changed_at`` names the field that says when a thing was changed; without it, or where it says nothing, our clock does.
    """

    id: str
    changed_at: str | None = None
    version: str | None = None
    deleted: Marker | None = None


@dataclass(slots=True)
class Thing:
    """One thing as stored: its versions count edits, its time is the clock's."""

    item: Item
    version: int
    changed_at: int


@dataclass(frozen=True, slots=True)
class Event:
    """One entry of a collection's change log. ``thing`` None: it was removed."""

    number: int
    id: str
    thing: Thing | None
    at: int


def _let_pass(_: Write) -> None:
    return None


@dataclass(slots=True)
class Platform:
    """The platform itself. ``requests`` are the writes that reached it, ``normalise`` is applied to what it stores.

    ``before`` and ``after`` are called around each write that arrives and may raise: an answer lost after the write was
    applied is an ``after`` that raises OutcomeUnknown.
    """

    now: Callable[[], int]
    down: bool = False
    normalise: Callable[[Item], Item] = deepcopy
    before: Callable[[Write], None] = _let_pass
    after: Callable[[Write], None] = _let_pass
    things: dict[str, dict[str, Thing]] = field(default_factory=dict)
    log: dict[str, list[Event]] = field(default_factory=dict)
    requests: list[Write] = field(default_factory=list)
    answers: dict[str, Receipt] = field(default_factory=dict)  # by idempotency key
    versions: dict[tuple[str, str], int] = field(default_factory=dict)  # never repeat, not even in another life
    ids: int = 0
    loaded: bool = False

    def put(self, collection: str, native_id: str, item: Item) -> Thing:
        """Store a thing as anybody may, and log the change."""
        version = self.versions[collection, native_id] = self.versions.get((collection, native_id), 0) + 1
        thing = Thing(self.normalise(deepcopy(item)), version, self.now())
        self.things.setdefault(collection, {})[native_id] = thing
        self.note(collection, native_id, replace(thing))
        return thing

    def remove(self, collection: str, native_id: str) -> None:
        """Remove a thing as anybody may, and log it."""
        del self.things[collection][native_id]
        self.note(collection, native_id, None)

    def note(self, collection: str, native_id: str, thing: Thing | None) -> None:
        """Append to the change log."""
        log = self.log.setdefault(collection, [])
        log.append(Event(len(log) + 1, native_id, thing, self.now()))

    def new_id(self) -> str:
        """Return an id that was never used here."""
        self.ids = next(n for n in count(self.ids + 1) if not any((one, str(n)) in self.versions for one in self.things))
        return str(self.ids)


class Memory:
    """The connector to a ``Platform``."""

    clock = (0, 0)

    def __init__(self, setup: Setup, platform: Platform, abilities: Abilities) -> None:
        self.setup = setup
        self.platform = platform
        self.able = abilities

    async def __aenter__(self) -> Self:
        """Open nothing: the platform is here."""
        return self

    async def __aexit__(self, *exc: object) -> None:
        """Close nothing."""

    async def changes(self, collection: str, cursor: str | None) -> AsyncIterator[Batch]:
        """Yield the change log after the cursor."""
        as_of = self._ask()
        log = self.platform.log.get(collection, [])
        for start in range(int(cursor or 0), len(log), PAGE):
            part = log[start : start + PAGE]
            found = [self._event(collection, event, as_of) for event in part]
            yield Batch(found, cursor=str(part[-1].number))

    async def scan(self, collection: str) -> AsyncIterator[Page]:
        """Yield everything, in pages."""
        as_of = self._ask()
        ids = list(self.platform.things.get(collection, {}))
        for start in range(0, len(ids) or 1, PAGE):
            found = [self._look(collection, one, as_of) for one in ids[start : start + PAGE]]
            last = start + PAGE >= len(ids)
            yield Page(found, last=last, complete=last)

    async def hook(self, collection: str | None, delivery: Delivery) -> Batch:
        """Refuse: nobody calls a platform in memory."""
        raise PermanentError("memory has no webhooks")

    async def read(self, collection: str, ids: Sequence[str]) -> list[Change]:
        """Return what the things are now."""
        as_of = self._ask()
        return [self._look(collection, one, as_of) for one in ids]

    async def find(self, collection: str, path: str, value: Native) -> list[Change]:
        """Return the things that have exactly this value."""
        as_of = self._ask()
        things = self.platform.things.get(collection, {})
        return [self._look(collection, one, as_of) for one, thing in things.items() if pick(thing.item, path) == value]

    async def rights(self, collection: str) -> Rights:
        """Return that everything may be written."""
        return Rights(write=True)

    async def apply(self, writes: Sequence[Write]) -> list[Receipt | ConnectorError]:
        """Apply each write once."""
        self._ask()
        return [self._apply(write) for write in writes]

    def _ask(self) -> int:
        if self.platform.down:
            raise TransientError(f"{self.setup.platform}: down")
        if not self.platform.loaded:
            _load(self.platform, self.setup)
        return self.setup.number()

    def _apply(self, write: Write) -> Receipt | ConnectorError:
        try:
            self.platform.before(write)
            if self.platform.down:
                raise TransientError(f"{self.setup.platform}: down")
            self.platform.requests.append(write)
            receipt = self._repeat(write) or self._store(write, self.setup.number())
            self.platform.after(write)
        except ConnectorError as error:
            return error
        return receipt

    def _repeat(self, write: Write) -> Receipt | None:
        return self.platform.answers.get(write.key) if self.able.keyed and write.key else None

    def _store(self, write: Write, as_of: int) -> Receipt:
        receipt = self._create(write, as_of) if write.op is Op.CREATE else self._change(write, as_of)
        if self.able.keyed and write.key:
            self.platform.answers[write.key] = receipt
        return receipt

    def _create(self, write: Write, as_of: int) -> Receipt:
        options = self._options(write.collection)
        item: Item = {}
        for path, value in write.values.items():
            item = placed(item, path, value)
        if self.able.unique and (twin := self._twin(write.collection, item)):
            return Receipt(Answer.EXISTS, twin)
        native_id = str(pick(item, options.id) or self.platform.new_id())
        self.platform.put(write.collection, native_id, placed(item, options.id, native_id))
        return self._receipt(write, native_id, as_of)

    def _change(self, write: Write, as_of: int) -> Receipt:
        native_id = write.id or ""
        thing = self.platform.things.get(write.collection, {}).get(native_id)
        if thing is None:
            return Receipt(Answer.GONE, native_id)
        if self.able.guard and write.version is not None and write.version != thing.version:
            raise StaleWrite(f"version is {thing.version}, not {write.version}")
        if write.op is Op.DELETE:
            self.platform.remove(write.collection, native_id)
            return Receipt(Answer.DONE, native_id)
        item = thing.item
        for path, value in self._marked(write).items():
            item = placed(item, path, value)
        self.platform.put(write.collection, native_id, item)
        return self._receipt(write, native_id, as_of)

    def _marked(self, write: Write) -> dict[str, Native]:
        marker = self._options(write.collection).deleted
        if write.op is not Op.ARCHIVE or marker is None:
            return write.values
        return write.values | {marker.field: marker.value}

    def _twin(self, collection: str, item: Item) -> str | None:
        keys = self.setup.collections[collection].keys
        for native_id, thing in self.platform.things.get(collection, {}).items():
            if any(pick(item, key) is not None and pick(item, key) == pick(thing.item, key) for key in keys):
                return native_id
        return None

    def _receipt(self, write: Write, native_id: str, as_of: int) -> Receipt:
        look = self._look(write.collection, native_id, as_of)
        body = look if self.able.answers else None
        return Receipt(Answer.DONE, native_id, body, atomic=self.able.answers, version=look.version)

    def _look(self, collection: str, native_id: str, as_of: int) -> Change:
        thing = self.platform.things.get(collection, {}).get(native_id)
        return self._change_of(collection, native_id, thing, as_of, Via.READ)

    def _event(self, collection: str, event: Event, as_of: int) -> Change:
        found = self._change_of(collection, event.id, event.thing, as_of, Via.EVENT)
        at = event.at if event.thing is None else self._told(collection, event.thing)
        return replace(found, changed_at=at, event_id=f"{collection}:{event.number}")

    def _change_of(self, collection: str, native_id: str, thing: Thing | None, as_of: int, via: Via) -> Change:
        change = Change(self.setup.platform, collection, native_id, via, as_of, self.setup.now(), gone=thing is None)
        if thing is None:
            return change
        marker = self._options(collection).deleted
        gone = marker is not None and pick(thing.item, marker.field) == marker.value
        version = thing.version if self.able.guard or self.able.ordered else None
        at = self._told(collection, thing)
        return replace(change, item=deepcopy(thing.item), gone=gone, version=version, changed_at=at)

    def _told(self, collection: str, thing: Thing) -> int:
        """Return when a thing was changed, as it says itself, else as we saw it."""
        path = self._options(collection).changed_at
        said = parse_time(pick(thing.item, path)) if path else None
        return thing.changed_at if said is None else said

    def _options(self, collection: str) -> MemoryCollection:
        options: MemoryCollection = self.setup.collections[collection].options
        return options


class MemoryKind:
    """The kind ``memory``. ``platforms`` keeps each platform while this process lives: a reload finds it again."""

    name = "memory"
    connection: type[BaseModel] = MemoryConnection
    collection: type[BaseModel] = MemoryCollection
    watch: type[BaseModel] = MemoryWatch

    def __init__(self, able: Abilities = FULL) -> None:
        self.able = able
        self.platforms: dict[str, Platform] = {}

    def abilities(self, connection: Any, collection: Any, watch: Any, write: Any) -> Abilities:
        """Return the abilities this kind was made with; ``write.guard: none`` switches the guard off."""
        return replace(self.able, guard=self.able.guard and write.guard in {None, "version"})

    def connect(self, setup: Setup) -> Connector:
        """Return a connector to the platform of that name; its file is loaded when it is first asked for anything."""
        platform = self.platforms.setdefault(setup.platform, Platform(setup.now))
        return Memory(setup, platform, self.able)


def _load(platform: Platform, setup: Setup) -> None:
    platform.loaded = setup.connection.load is None
    if platform.loaded:
        return
    file = Path(setup.folder, setup.connection.load)
    try:
        lines = file.read_bytes().splitlines()
    except OSError as error:
        raise PermanentError(f"{file}: {error.strerror}") from error
    found: list[tuple[str, Item]] = []
    for place, line in enumerate(lines, start=1):
        try:
            found.append(_thing_in(setup, decode(line)))
        except (BadBody, KeyError, TypeError) as error:
            raise PermanentError(f"{file}:{place}: {error}") from error
    for collection, item in found:
        path = setup.collections[collection].options.id
        native_id = str(pick(item, path) or platform.new_id())
        platform.put(collection, native_id, placed(item, path, native_id))
    platform.loaded = True


def _thing_in(setup: Setup, line: Native) -> tuple[str, Item]:
    only = next(iter(setup.collections)) if len(setup.collections) == 1 else None
    collection, item = (only, line) if only is not None else (line["collection"], line["item"])
    if not isinstance(item, dict) or collection not in setup.collections:
        raise TypeError("not a thing of a collection")
    return collection, item


KIND = MemoryKind()
