"""What a config folder says once it is read and checked: settings and platforms here, truth rules in ``core.rules``.

Everything is immutable. Durations are microseconds, paths are absolute, secrets stay references (``secret:NAME``).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from syncd.config.diagnostics import Diagnostic
from syncd.config.ruletest import RuleTest
from syncd.core.model import SECOND, Abilities
from syncd.core.rules import At, Rules, Safety

if TYPE_CHECKING:  # it takes long to import, and explaining a record needs no connector
    from pydantic import BaseModel

NOWHERE = At()


class Kind(Protocol):
    """What the config room needs of a kind of connector: its option models and what they make possible."""

    @property
    def name(self) -> str:
        """The word after ``connector:``."""
        ...

    @property
    def connection(self) -> "type[BaseModel]":
        """Model of ``connection:``."""
        ...

    @property
    def collection(self) -> "type[BaseModel]":
        """Model of one entry of ``collections:``."""
        ...

    @property
    def watch(self) -> "type[BaseModel]":
        """Model of ``watch:``."""
        ...

    def abilities(self, connection: Any, collection: Any, watch: Any, write: Any) -> Abilities:
        """Return what one configured collection can do; pure, offline."""
        ...


@dataclass(frozen=True, slots=True)
class Address:
    """Where a listener listens. Port 0 takes a free one."""

    host: str
    port: int
    at: At = NOWHERE

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Limits:
    """How hard a platform may be used. ``rate`` is requests a second; None is no limit."""

    rate: float | None = None
    burst: int | None = None
    concurrency: int = 4
    daily: int | None = None


@dataclass(frozen=True, slots=True)
class Retry:
    """Durable back-off of one write: only answers about the record count as attempts."""

    attempts: int = 8
    first: int = SECOND
    max: int = 300 * SECOND


@dataclass(frozen=True, slots=True)
class WritePolicy:
    """How syncd writes to a platform. ``guard`` None means: version if the collection has one, else hash.

    ``drafts``: whether Sanity's drafts are written, never or always.
    """

    guard: str | None = None
    retry: Retry = Retry()
    batch: int = 1
    quiet_hours: str | None = None
    drafts: str = "never"


@dataclass(frozen=True, slots=True)
class Collection:
    """One collection of a platform. ``options`` is an instance of the kind's collection model.

    ``entity`` is the one that lives here, None for a collection that no entity uses. ``fields`` are the mapped paths that are
    read, ``writes`` those that may be written, ``keys`` those that a record is found by.
    """

    name: str
    options: Any
    entity: str | None = None
    fields: tuple[str, ...] = ()
    writes: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()
    at: At = NOWHERE


@dataclass(frozen=True, slots=True)
class Platform:
    """One platform. ``connection`` and ``watch`` are instances of the kind's models.

    ``webhook`` is true if it pushes to us. ``secrets`` are the secrets it refers to. ``digest`` changes with
    anything its connector is made from: a reload keeps the connector of a platform whose digest stays.
    """

    name: str
    connector: str
    mode: str
    mode_at: str
    stale_after: int
    timezone: str
    connection: Any
    watch: Any
    limits: Limits
    write: WritePolicy
    collections: dict[str, Collection]
    webhook: bool = False
    secrets: tuple[str, ...] = ()
    digest: str = ""
    at: At = NOWHERE


DAY = 24 * 3600 * SECOND


@dataclass(frozen=True, slots=True)
class Backup:
    """How often the ledger is copied, and how many copies are kept."""

    every: int = DAY
    keep: int = 14


@dataclass(frozen=True, slots=True)
class Reports:
    """Where drift reports are written as files, in which formats, and for how long they are kept."""

    folder: Path
    formats: tuple[str, ...] = ("html", "json")
    keep: int = 90 * DAY


@dataclass(frozen=True, slots=True)
class Notice:
    """Who is told of what: the occasions, the secret that holds the webhook's URL, and the least time between two messages.

    ``over`` is the share of records that may differ before ``drift_over`` is one.
    """

    when: tuple[str, ...]
    secret: str
    min_gap: int = 15 * 60 * SECOND
    over: float = 0.005


@dataclass(frozen=True, slots=True)
class Upkeep:
    """What the service does beside syncing. ``schedule`` is a cron expression in the service's time zone."""

    keep_history: int = 400 * DAY
    backup: Backup | None = None
    schedule: str | None = None
    reports: Reports | None = None
    notices: tuple[Notice, ...] = ()
    watch: bool = False


@dataclass(frozen=True, slots=True)
class Config:
    """A whole config folder, valid. ``folder`` is as given on the command line; ``texts`` has the files by path in it.

    ``hooks`` and ``console`` are None when switched off by ``none``; ``hooks`` is opened only if ``webhooks`` is true.
    """

    folder: str
    sha: str
    environment: str
    timezone: str
    ledger_path: Path
    state_dir: Path
    secrets_dir: Path | None
    hooks: Address | None
    console: Address | None
    control: Path | None
    console_auth: str
    mode: str
    stale_after: int
    settle: int
    safety: Safety
    platforms: dict[str, Platform]
    rules: Rules
    texts: Mapping[str, str] = field(default_factory=dict)
    upkeep: Upkeep = Upkeep()
    promised: tuple[Diagnostic, ...] = ()  # what this version does not obey yet: nothing may run with it (E190)

    @property
    def webhooks(self) -> bool:
        """Whether any platform has a webhook."""
        return any(platform.webhook for platform in self.platforms.values())


@dataclass(frozen=True, slots=True)
class FileSummary:
    """One file of the folder, for ``syncd check``.

    ``part`` is service, platform, entity, tests or other; ``state`` is ok, warn or error.
    """

    file: str
    part: str
    name: str
    state: str = "ok"
    fields: int | None = None
    rules: int | None = None
    cases: int = 0
    tests: int | None = None


@dataclass(frozen=True, slots=True)
class Loaded:
    """What came of loading a folder. ``config`` is None if there is any error; everything else is always there."""

    config: Config | None
    diagnostics: list[Diagnostic]
    files: list[FileSummary]
    sha: str
    texts: Mapping[str, str]
    environment: str = ""
    tests: Mapping[str, tuple[RuleTest, ...]] = field(default_factory=dict)  # by path in the folder

    @property
    def errors(self) -> list[Diagnostic]:
        """The diagnostics that keep the config from being used."""
        return [found for found in self.diagnostics if found.severity == "error"]

    @property
    def warnings(self) -> list[Diagnostic]:
        """The diagnostics that do not."""
        return [found for found in self.diagnostics if found.severity == "warning"]
