"""What the config may say of a Salesforce organisation."""

import re
from typing import Literal, Self

from pydantic import Field, field_validator, model_validator

from syncd.connectors.options import CollectionOptions, Duration, Marker, Options, Poll, Tls, Watch, web_address
from syncd.core.model import SECOND

MINUTE = 60 * SECOND


class Oauth(Options):
    """JWT bearer (``jwt_key`` and ``user``) or client credentials (``client_secret``).

    ``audience`` of the JWT: the organisation's own domain unless it says something else.
    """

    client_id: str
    client_secret: str | None = None
    jwt_key: str | None = None
    user: str | None = None
    audience: str | None = None

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if (self.client_secret is None) == (self.jwt_key is None):
            raise ValueError("write exactly one of client_secret, jwt_key")
        if self.jwt_key is not None and self.user is None:
            raise ValueError("jwt_key needs the user that syncd works as")
        return self


class SalesforceConnection(Options):
    """Where the organisation logs in: its own domain. ``client``: the tag that our own changes carry in its change events."""

    login_url: str
    oauth: Oauth
    api_version: str = "67.0"
    client: str = Field("syncd", pattern=r"^[A-Za-z0-9_.-]{1,40}$")
    timeout: Duration = 30 * SECOND
    tls: Tls | None = None
    proxy: str | None = None

    @field_validator("login_url")
    @classmethod
    def _is_an_address(cls, url: str) -> str:
        return web_address(url)

    @field_validator("api_version")
    @classmethod
    def _is_a_version(cls, version: str) -> str:
        if not re.fullmatch(r"[0-9]{2}\.0", version):
            raise ValueError('a version is written as api_version: "67.0"')
        return version


class ChangeFeed(Options):
    """A channel of change events. ``replay: ledger`` goes on where the ledger stopped; ``latest`` starts with what comes, and a
    query makes up for what came before. ``address`` of the event bus, which differs by region.
    """

    channel: str = Field(pattern=r"^/(data|event)/\w+$")
    replay: Literal["ledger", "latest"] = "ledger"
    address: str = Field("api.pubsub.salesforce.com:7443", pattern=r"^[\w.\[\]:-]+:[0-9]+$")


class SalesforcePoll(Poll):
    """A poll goes back five minutes: a stamp is set when a record is saved and seen when its transaction ends.

    ``deleted``: how often the list of deleted ids is asked for as well, which also knows what left the recycle bin.
    """

    overlap: Duration = 5 * MINUTE
    deleted: Duration = 15 * MINUTE


class SalesforceWatch(Watch):
    """Change events, with queries by time as a net."""

    change_feed: ChangeFeed | None = None
    poll: SalesforcePoll | None = None


class SalesforceCollection(CollectionOptions):
    """One object. ``external_id`` is the field that creates are keyed by; ``field_times: history`` reads the edit times of
    single fields from the object's history.

    ``full_read``: a scan by pages of a query or by a query job of the Bulk API. ``duplicates: allow`` saves what a duplicate
    rule of the organisation only warns of. ``changed_at: null``: a poll asks for the lists of changed and deleted ids.

    ``bulk_writes``: from so many writes of one kind in a batch (``write.batch``) on, they go by an ingest job of the Bulk API;
    none does without it. ``bulk_patience``: how long jobs of a batch may take until they are aborted.
    """

    object: str = Field(pattern=r"^[A-Za-z]\w*$")
    id: str = "Id"
    changed_at: str | None = "SystemModstamp"
    where: str | None = None
    external_id: str | None = Field(None, pattern=r"^[A-Za-z]\w*$")
    field_times: Literal["history"] | None = None
    full_read: Literal["pages", "bulk"] = "pages"
    duplicates: Literal["refuse", "allow"] = "refuse"
    bulk_writes: int | None = Field(None, ge=1, le=1000)
    bulk_patience: Duration = 10 * MINUTE
    deleted: Marker | None = None

    def by_job(self, count: int, batch: int) -> bool:
        """Return whether so many writes go by an ingest job: it knows no header that overrules a duplicate rule."""
        return batch > 1 and self.bulk_writes is not None and count >= self.bulk_writes and self.duplicates == "refuse"

    @field_validator("id")
    @classmethod
    def _is_the_id(cls, name: str) -> str:
        if name != "Id":
            raise ValueError("a record is known by its Id; a key of your own is a field (external_id)")
        return name
