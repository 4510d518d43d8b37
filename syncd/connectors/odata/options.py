"""What the config may say of an OData service, and what follows from it without asking anyone."""

import re
from typing import Any, ClassVar, Literal, Self

from pydantic import Field, field_validator, model_validator

from syncd.connectors.http import HttpConnection
from syncd.connectors.login import Auth
from syncd.connectors.options import CollectionOptions, Marker, Poll, Watch
from syncd.core.model import SECOND, Abilities

SHAPES = ("string", "text", "integer", "decimal", "boolean", "date", "datetime", "json")
DAY = 24 * 3600 * SECOND
_NAME = r"[A-Za-z_][A-Za-z0-9_]*"


class OdataConnection(HttpConnection):
    """Where the service is. ``client`` and ``language`` are SAP's; ``protocol`` is found out if it is not given.

    ``client_by``: whether these two go into the query or into headers. ``own_user``: the user by whose name the service tells
    our own writes. ``update``: how a part of a thing is written, else MERGE in V2 and PATCH in V4; ``tunnel`` is a POST that
    says MERGE in a header, for proxies that know no MERGE. ``batch``: how several writes share a request.
    """

    base_url: str
    auth: Auth | None = None
    protocol: Literal["v2", "v4"] | None = None
    client: str | None = None
    language: str | None = None
    client_by: Literal["query", "header"] = "query"
    csrf: bool = True
    own_user: str | None = None
    update: Literal["merge", "patch", "tunnel"] | None = None
    batch: Literal["multipart", "json"] = "multipart"

    @field_validator("client")
    @classmethod
    def _is_a_client(cls, client: str | None) -> str | None:
        if client is not None and not re.fullmatch(r"[0-9]{3}", client):
            raise ValueError('a client has three digits, as in client: "100"')
        return client

    @model_validator(mode="after")
    def _of_its_version(self) -> Self:
        if self.batch == "json" and self.protocol == "v2":
            raise ValueError("batch: json is of V4 only, write multipart")
        if self.update in {"merge", "tunnel"} and self.protocol == "v4":
            raise ValueError(f"update: {self.update} is of V2 only, write patch")
        return self


class OdataWatch(Watch):
    """Changes are asked for by their date; delta links are used where the service tracks changes."""

    poll: Poll | None = None
    delta: bool = False

    @model_validator(mode="after")
    def _asked_for(self) -> Self:
        if self.delta and self.poll is None:
            raise ValueError("delta needs poll, how often the link is asked for: poll: {every: 1m}")
        return self


class OdataCollection(CollectionOptions):
    """One entity set. ``shape`` names its own properties with their types, for expressions that name them.

    ``id`` is the key property, or all of them: ``Product,Plant``. ``changed_time`` has the time where ``changed_at`` is a day.
    ``page``: how many things to ask for at once, by ``paging``: ranges of the key, or ``$skip``; without it the service pages.
    ``count``: whether the service is asked how many there are. ``deletable``: whether things can be deleted there; where a
    deletion marker is given they are not, unless this says so.
    """

    COMPOSITE: ClassVar[bool] = True
    path: str = Field(pattern=rf"^{_NAME}$")
    id: str = Field(pattern=rf"^{_NAME}(\s*,\s*{_NAME})*$")
    changed_at: str | None = None
    changed_time: str | None = None
    changed_by: str | None = None
    version: Literal["etag"] | None = None
    filter: str | None = None
    expand: list[str] | None = None
    page: int | None = Field(None, ge=1)
    paging: Literal["keys", "skip"] | None = None
    count: bool = True
    deleted: Marker | None = None
    deletable: bool | None = None
    shape: dict[str, str] | None = None

    @property
    def keys(self) -> tuple[str, ...]:
        """Return the key properties."""
        return tuple(name.strip() for name in self.id.split(","))

    @property
    def deletes(self) -> bool:
        """Return whether things are deleted there, and not only marked."""
        return self.deleted is None if self.deletable is None else self.deletable

    @property
    def day_only(self) -> bool:
        """Return whether the config itself says that changes are dated by the day."""
        return self.changed_time is None and (self.shape or {}).get(self.changed_at or "") == "date"

    @model_validator(mode="after")
    def _known_shapes(self) -> Self:
        for name, kind in (self.shape or {}).items():
            if kind not in SHAPES:
                raise ValueError(f"shape: {name} is one of {', '.join(SHAPES)}, not {kind}")
        return self

    @model_validator(mode="after")
    def _belong_together(self) -> Self:
        if self.changed_time is not None and self.changed_at is None:
            raise ValueError("changed_time needs changed_at, the day that it is the time of")
        if self.paging is not None and self.page is None:
            raise ValueError("paging needs page, how many things to ask for at once")
        return self


def is_guarded(options: OdataCollection, write: Any) -> bool:
    """Return whether writes carry the version they were planned on."""
    return options.version is not None and write.guard in {None, "version"}


def abilities_of(connection: OdataConnection, options: OdataCollection, write: Any) -> Abilities:
    """Return what an entity set can do as configured; ``check --online`` holds it against the service's own metadata."""
    return Abilities(
        delete=options.deletes,
        guard=is_guarded(options, write),
        answers=connection.protocol == "v4",  # a MERGE of version 2 answers nothing: what it made is read
        timed=options.changed_at is not None,
        tick=DAY if options.day_only else SECOND,
        lifetime=2 * connection.timeout,
    )
