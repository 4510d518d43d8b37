"""What the config may say of a project's dataset."""

import re
from collections.abc import Callable
from typing import ClassVar, Literal

from pydantic import Field, field_validator

from syncd.connectors.options import CollectionOptions, Duration, Marker, Options, Poll, Size, Tls, Watch, web_address
from syncd.connectors.sanity.signed import Verifier
from syncd.connectors.signature import Hook, Proof, SignedWith
from syncd.core.model import SECOND, Abilities

PUBLISHED = "_published"  # the field that we show of each thing: whether its document is published
UNPUBLISHED = Marker(field=PUBLISHED, **{"is": False})
OVERLAP = 60 * SECOND  # that queries by date go back: writes become visible late


class SanityConnection(Options):
    """Which project and dataset, and who we are.

    ``base_url``: a proxy or a test server instead of ``https://PROJECT.api.sanity.io``; never the CDN, whose answers are old.
    ``max_body``: bytes of a request that the service takes.
    """

    project: str
    dataset: str
    token: str
    api_version: str = "2025-02-19"
    base_url: str | None = None
    max_body: Size = 4_000_000
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

    @field_validator("base_url")
    @classmethod
    def _is_no_cdn(cls, url: str | None) -> str | None:
        if url is None:
            return None
        if ".apicdn." in url:
            raise ValueError("the CDN answers with what was true some time ago; leave base_url out")
        return web_address(url)

    @property
    def address(self) -> str:
        """Return where the API is."""
        return self.base_url or f"https://{self.project}.api.sanity.io"


class Stream(Options):
    """What is listened to. ``query`` is a GROQ filter, None: all documents of the collection's type.

    ``idle``: without a byte for so long the stream counts as broken. ``catch_up``: how often changes are asked for by date
    although the stream is open, ``overlap`` how far that goes back.
    """

    query: str | None = None
    idle: Duration = 120 * SECOND
    catch_up: Duration = 300 * SECOND
    overlap: Duration = OVERLAP


class SanityPoll(Poll):
    """How often a dataset is asked for what changed."""

    overlap: Duration = OVERLAP


class Verify(SignedWith):
    """How Sanity signs: time in milliseconds, a dot, the body. Several secrets are accepted during rotation."""

    scheme: Literal["sanity"]


class SanityWebhook(Hook):
    """Where Sanity calls us, and for how long a signature is believed."""

    verify: Verify
    window: Duration = 300 * SECOND

    def verifier(self, secret: Callable[[str], str]) -> Proof:
        """Return who checks its signatures; raises TransientError if a secret is missing."""
        return Verifier(self.verify.secret, self.window, secret)


class SanityWatch(Watch):
    """A stream, which asks by date after each interruption, or a poll; webhooks beside either.

    A poll beside a stream says how often is asked by date while it stays open: a deletion while it is closed would go unheard.
    """

    REOPENED: ClassVar[bool] = False
    stream: Stream | None = None
    webhook: SanityWebhook | None = None
    poll: SanityPoll | None = None

    @property
    def by_date(self) -> tuple[int, int]:
        """Return how often changes are asked for by date, and how far that goes back."""
        if self.poll is not None:
            return self.poll.every, self.poll.overlap
        return (self.stream.catch_up, self.stream.overlap) if self.stream is not None else (0, OVERLAP)


class SanityCollection(CollectionOptions):
    """The documents of one type. ``filter`` (GROQ) bounds what is in scope; ``page`` is how many are asked for at once."""

    type: str
    id: Literal["_id"] = "_id"
    changed_at: Literal["_updatedAt"] | None = "_updatedAt"
    version: Literal["_rev"] | None = None
    filter: str | None = None
    deleted: Marker | None = UNPUBLISHED
    page: int = Field(500, ge=1, le=10_000)

    @property
    def unpublishes(self) -> bool:
        """Return whether a thing is marked as deleted by unpublishing its document."""
        return self.deleted is not None and self.deleted.field == PUBLISHED


def abilities_of(connection: SanityConnection, collection: SanityCollection, *, guard: str | None) -> Abilities:
    """Return what documents can do: revisions guard writes and order nothing, a transaction's id is taken once.

    Times are whole seconds: that is all the service promises. A create refuses only the twin that we made ourselves.
    """
    guarded = collection.version is not None and guard in {None, "version"}
    return Abilities(guard=guarded, keyed=True, answers=True, tick=SECOND, lifetime=2 * connection.timeout)
