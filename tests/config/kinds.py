"""Small kinds of connectors for the tests of this room: options as real ones have them, nothing behind."""

from dataclasses import dataclass, replace
from typing import Any, Literal

from pydantic import BaseModel, Field, model_validator

from syncd.connectors.options import Duration, Limits, Marker, Options, Poll, Rate, Size, Watch
from syncd.connectors.registry import KINDS as PROMISED
from syncd.core.model import SECOND, Abilities


class Basic(Options):
    user: str
    password: str


class Auth(Options):
    bearer: str | None = None
    basic: Basic | None = None

    @model_validator(mode="after")
    def _one(self) -> "Auth":
        if (self.bearer is None) == (self.basic is None):
            raise ValueError("write exactly one of bearer, basic")
        return self


class RestConnection(Options):
    base_url: str
    auth: Auth | None = None
    headers: dict[str, str] = Field(default_factory=dict)
    timeout: Duration = 30 * SECOND
    api_version: str | None = None
    token: str | None = None


class Verify(Options):
    scheme: Literal["standard-webhooks", "hmac"]
    secret: str | tuple[str, ...]


class Webhook(Options):
    path: str = Field(pattern=r"^/")
    verify: Verify
    topics: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    max_body: Size = 1_000_000


class RestWatch(Watch):
    poll: Poll | None = None
    webhook: Webhook | None = None


class RestCollection(Options):
    list: str | None = None
    read: str | None = None
    create: str | None = None
    update: str | None = None
    delete: str | None = None
    id: str
    items: str = ""
    changed_at: str | None = None
    version: str | None = None
    deleted: Marker | None = None
    writable: tuple[str, ...] | None = None
    size: int = Field(100, ge=1, le=1000)
    speed: Rate | None = None


class SqlConnection(Options):
    dsn: str
    password: str | None = None


class SqlWatch(Watch):
    poll: Poll | None = None


class SqlCollection(Options):
    table: str
    id: str
    changed_at: str | None = None
    version: str | None = None
    writable: tuple[str, ...] | None = None


class FileConnection(Options):
    dir: str


class FileWatch(Watch):
    settle: Duration = SECOND


class FileCollection(Options):
    files: str
    format: Literal["csv", "jsonl", "json"] = "csv"
    id: str
    full: bool = False


@dataclass(frozen=True)
class TestKind:
    __test__ = False
    name: str
    connection: type[BaseModel]
    collection: type[BaseModel]
    watch: type[BaseModel]
    can: Abilities

    def abilities(self, connection: Any, collection: Any, watch: Any, write: Any) -> Abilities:
        """Return what the kind can do; a collection that can only be read says so by having ``read:``."""
        only_read = getattr(collection, "read", None) is not None
        return replace(self.can, create=not only_read, update=not only_read)


REST = Abilities(guard=True, answers=True, delete=False)
SQL = Abilities(guard=True, answers=True, ordered=True, tick=SECOND)
FILE = Abilities(guard=False, answers=False, exact=True, tick=5 * SECOND)

KINDS = {
    "rest": TestKind("rest", RestConnection, RestCollection, RestWatch, REST),
    "sql": TestKind("sql", SqlConnection, SqlCollection, SqlWatch, SQL),
    "file": TestKind("file", FileConnection, FileCollection, FileWatch, FILE),
    **{name: PROMISED[name] for name in ("odata", "salesforce", "sanity", "shopify")},
}
assert Limits  # the shared limits are the config room's own
