"""Sanity by its HTTP API: what the config may say of a dataset.

Only the options stand here yet, so that a config can be checked and its rules tested; ``run`` refuses it (E190).
"""

import re
from typing import Any, Literal

from pydantic import Field, field_validator

from syncd.connectors.options import CollectionOptions, Duration, Marker, Options, Poll, Size, Tls, Watch
from syncd.connectors.promised import Promised
from syncd.core.model import SECOND, Abilities

UNPUBLISHED = Marker(field="_published", **{"is": False})
MILLISECOND = SECOND // 1000


class SanityConnection(Options):
    """Which project and dataset, and who we are."""

    project: str
    dataset: str
    token: str
    api_version: str = "2025-02-19"
    timeout: Duration = 30 * SECOND
    tls: Tls | None = None
    proxy: str | None = None

    @field_validator("project", "dataset")
    @classmethod
    def _is_a_name(cls, name: str) -> str:
        if not re.fullmatch(r"[a-z0-9][a-z0-9_-]{0,63}", name):
            raise ValueError("small letters, digits, - and _ only")
        return name

    @field_validator("api_version")
    @classmethod
    def _is_a_date(cls, version: str) -> str:
        if not re.fullmatch(r"20[0-9]{2}-[0-9]{2}-[0-9]{2}", version):
            raise ValueError('a version is a date, as in api_version: "2025-02-19"')
        return version


class Stream(Options):
    """What is listened to: a GROQ filter."""

    query: str


class Verify(Options):
    """How Sanity signs: time in milliseconds, a dot, the body. Two secrets are accepted during rotation."""

    scheme: Literal["sanity"]
    secret: str | list[str]


class SanityWebhook(Options):
    """Where Sanity calls us."""

    path: str = Field(pattern=r"^/")
    verify: Verify
    window: Duration = 300 * SECOND
    max_body: Size = 1_000_000


class SanityWatch(Watch):
    """A stream or webhooks, with a query by date after each interruption."""

    stream: Stream | None = None
    webhook: SanityWebhook | None = None
    poll: Poll | None = None


class SanityCollection(CollectionOptions):
    """The documents of one type. ``filter`` bounds what is in scope."""

    type: str
    id: str = "_id"
    changed_at: str | None = "_updatedAt"
    version: str | None = None
    filter: str | None = None
    deleted: Marker | None = UNPUBLISHED


class SanityKind(Promised):
    """Sanity in the registry."""

    name = "sanity"
    connection = SanityConnection
    collection = SanityCollection
    watch = SanityWatch

    def abilities(self, connection: Any, collection: Any, watch: Any, write: Any) -> Abilities:
        """Return what documents can do: revisions guard writes and order nothing, a transaction's id is sent once."""
        guarded = collection.version is not None and write.guard in {None, "version"}
        lifetime = 2 * connection.timeout
        return Abilities(guard=guarded, keyed=True, unique=True, answers=True, tick=MILLISECOND, lifetime=lifetime)


KIND = SanityKind()
