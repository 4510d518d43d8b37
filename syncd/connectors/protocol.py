"""The seam between syncd and one kind of platform.

A connector knows nothing of rules, ledger, durable retries or other platforms. It raises only the children of
``ConnectorError``, chained from their cause. What a kind of platform can do is declared by ``Kind.abilities``; only that is
implemented. ``number()`` hands out the ledger's request numbers: a connector takes one when a request *starts* and puts it
into every ``Change`` it makes of the answer. ``now()`` is our clock in microseconds.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, Self

from pydantic import BaseModel

from syncd.core.model import Abilities, Change, Native, Receipt, Write
from syncd.errors import ConnectorError


@dataclass(frozen=True, slots=True)
class Broken:
    """A thing that could not be decoded at all: it goes to quarantine, the others flow. ``where``: file:line, URL, topic."""

    platform: str
    collection: str
    id: str | None
    where: str
    reason: str
    raw: str = ""


@dataclass(frozen=True, slots=True)
class Batch:
    """Observations that belong together, with the cursor that is right once they are stored.

    ``ack`` is awaited only after the ledger's commit (MQTT PUBACK, file noted as read). ``cursor`` None leaves it as it is.
    ``sweep``: the feed lost what it cannot make up for (events that are kept no longer): the daemon reads everything soon.
    """

    changes: Sequence[Change]
    cursor: str | None = None
    broken: Sequence[Broken] = ()
    ack: Callable[[], Awaitable[None]] | None = None
    sweep: bool = False


@dataclass(frozen=True, slots=True)
class Page:
    """A part of a full read. The last page says whether the scan was complete; an unfinished scan is no evidence."""

    changes: Sequence[Change]
    broken: Sequence[Broken] = ()
    last: bool = False
    complete: bool = False
    why: str = ""  # why it is not complete


@dataclass(frozen=True, slots=True)
class Delivery:
    """One webhook request: raw body, lower-case header names, the time it arrived in microseconds."""

    body: bytes
    headers: dict[str, str]
    arrived_at: int
    as_of: int


@dataclass(frozen=True, slots=True)
class Collection:
    """One collection of a platform as configured: ``options`` is an instance of the kind's collection model.

    ``fields`` are the mapped paths that syncd reads, ``writes`` those it writes (an sql connector selects and checks them);
    ``keys`` are the paths that a record is found by.
    """

    name: str
    options: Any
    fields: tuple[str, ...] = ()
    writes: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Setup:
    """Everything a connector is made from. ``secret`` returns a secret's value, raises ConnectorError if it is not there."""

    platform: str
    connection: Any  # instance of the kind's connection model
    watch: Any  # instance of the kind's watch model
    limits: Any  # connectors.options.Limits
    write: Any  # connectors.options.WritePolicy
    collections: dict[str, Collection]
    timezone: str
    folder: str  # of the config; relative paths start here
    number: Callable[[], int]
    now: Callable[[], int]
    secret: Callable[[str], str]
    state_dir: str = ""


@dataclass(frozen=True, slots=True)
class Rights:
    """What the platform itself says we may do with a collection. ``write`` None: it cannot be asked without writing.

    ``refused``: the mapped paths that we may not write. ``has``, ``missing`` and ``excess`` are scopes of the login: all that
    it has, those that the configured use needs and it lacks, those that nothing configured needs. ``unheard``: topics of
    the configured webhook that nobody sends. ``unseen``: mapped paths that no thing has at all, where reads show them as empty.
    """

    write: bool | None = None
    refused: tuple[str, ...] = ()
    has: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    excess: tuple[str, ...] = ()
    unheard: tuple[str, ...] = ()
    unseen: tuple[str, ...] = ()


class Connector(Protocol):
    """One platform, connected. Entered once by the daemon; left on stop or when its config changes."""

    @property
    def clock(self) -> tuple[int, int]:
        """Return (offset, uncertainty) of the platform's clock against ours, microseconds; (0, 0) if it is not measured."""
        ...

    async def __aenter__(self) -> Self:
        """Open what needs opening. Must not fail because the platform is down: the first call then raises TransientError."""
        ...

    async def __aexit__(self, *exc: object) -> None:
        """Close everything."""
        ...

    def changes(self, collection: str, cursor: str | None) -> AsyncIterator[Batch]:
        """Yield what changed since the cursor. A poll ends when it is up to date; a stream goes on until it is closed."""
        ...

    def scan(self, collection: str) -> AsyncIterator[Page]:
        """Yield every thing of the collection as reads. Errors while paging are raised; nothing is inferred from them."""
        ...

    async def hook(self, collection: str | None, delivery: Delivery) -> Batch:
        """Return the changes of a *verified* webhook; raises PermanentError if the body is not what was agreed (400)."""
        ...

    async def read(self, collection: str, ids: Sequence[str]) -> list[Change]:
        """Return one change per id: what the thing is now, or that it is gone (404, 410, no row)."""
        ...

    async def find(self, collection: str, path: str, value: Native) -> list[Change]:
        """Return the things whose ``path`` equals a native value; empty is a proved negative."""
        ...

    async def rights(self, collection: str) -> Rights:
        """Return what we may do there, as far as it can be asked without writing; raises ConnectorError if not reached.

        Asked in every mode: what may be read matters also where nothing is written.
        """
        ...

    async def apply(self, writes: Sequence[Write]) -> list[Receipt | ConnectorError]:
        """Send each write exactly once and return its outcome, in order. An exception raised means: none was sent."""
        ...


class Kind(Protocol):
    """A kind of platform: its options and abilities. One per connector, a file or a package, and one line in ``registry``."""

    name: str
    connection: type[BaseModel]
    collection: type[BaseModel]
    watch: type[BaseModel]

    def abilities(self, connection: Any, collection: Any, watch: Any, write: Any) -> Abilities:
        """Return what one configured collection can do; pure, offline."""
        ...

    def connect(self, setup: Setup) -> Connector:
        """Return the connector, not yet entered."""
        ...
