"""Salesforce by its REST and Pub/Sub APIs: what the config may say of an organisation.

Only the options stand here yet, so that a config can be checked and its rules tested; ``run`` refuses it (E190).
"""

import re
from typing import Any, Literal, Self

from pydantic import Field, field_validator, model_validator

from syncd.connectors.options import CollectionOptions, Duration, Marker, Options, Poll, Tls, Watch
from syncd.connectors.promised import Promised, web_address
from syncd.core.model import SECOND, Abilities


class Oauth(Options):
    """JWT bearer (``jwt_key`` and ``user``) or client credentials (``client_secret``)."""

    client_id: str
    client_secret: str | None = None
    jwt_key: str | None = None
    user: str | None = None

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if (self.client_secret is None) == (self.jwt_key is None):
            raise ValueError("write exactly one of client_secret, jwt_key")
        if self.jwt_key is not None and self.user is None:
            raise ValueError("jwt_key needs the user that syncd works as")
        return self


class SalesforceConnection(Options):
    """Where the organisation logs in: its own domain."""

    login_url: str
    oauth: Oauth
    api_version: str = "67.0"
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
    """A channel of change events. ``replay: ledger`` goes on where the ledger stopped."""

    channel: str = Field(pattern=r"^/(data|event)/\w+$")
    replay: Literal["ledger", "latest"] = "ledger"


class SalesforceWatch(Watch):
    """Change events, with queries by time as a net."""

    change_feed: ChangeFeed | None = None
    poll: Poll | None = None


class SalesforceCollection(CollectionOptions):
    """One object. ``external_id`` is the field that creates are keyed by; ``field_times: history`` reads the edit times of
    single fields from the object's history.
    """

    object: str = Field(pattern=r"^[A-Za-z]\w*$")
    id: str = "Id"
    changed_at: str | None = "SystemModstamp"
    where: str | None = None
    external_id: str | None = None
    field_times: Literal["history"] | None = None
    deleted: Marker | None = None


class SalesforceKind(Promised):
    """Salesforce in the registry."""

    name = "salesforce"
    connection = SalesforceConnection
    collection = SalesforceCollection
    watch = SalesforceWatch

    def abilities(self, connection: Any, collection: Any, watch: Any, write: Any) -> Abilities:
        """Return what an object can do."""
        return Abilities(
            unique=collection.external_id is not None,
            field_times=collection.field_times is not None,
            timed=collection.changed_at is not None,
            tick=SECOND,
            lifetime=2 * connection.timeout,
        )


KIND = SalesforceKind()
