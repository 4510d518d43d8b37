"""OData services, version 2 and 4, SAP's first among them: what the config may say of one.

Only the options stand here yet, so that a config can be checked and its rules tested; ``run`` refuses it (E190).
"""

import re
from typing import Any, Literal, Self

from pydantic import field_validator, model_validator

from syncd.connectors.http import HttpConnection
from syncd.connectors.login import Auth
from syncd.connectors.options import CollectionOptions, Marker, Poll, Watch
from syncd.connectors.promised import Promised
from syncd.core.model import SECOND, Abilities

SHAPES = ("string", "text", "integer", "decimal", "boolean", "date", "datetime", "json")


class OdataConnection(HttpConnection):
    """Where the service is. ``client`` and ``language`` are SAP's; ``protocol`` is found out if it is not given."""

    base_url: str
    auth: Auth | None = None
    protocol: Literal["v2", "v4"] | None = None
    client: str | None = None
    language: str | None = None

    @field_validator("client")
    @classmethod
    def _is_a_client(cls, client: str | None) -> str | None:
        if client is not None and not re.fullmatch(r"[0-9]{3}", client):
            raise ValueError('a client has three digits, as in client: "100"')
        return client


class OdataWatch(Watch):
    """Changes are asked for by their date; delta links are used where the service tracks changes."""

    poll: Poll | None = None
    delta: bool = False


class OdataCollection(CollectionOptions):
    """One entity set. ``shape`` names its own properties with their types, for expressions that name them."""

    path: str
    id: str
    changed_at: str | None = None
    version: Literal["etag"] | None = None
    filter: str | None = None
    expand: list[str] | None = None
    page: int | None = None
    deleted: Marker | None = None
    shape: dict[str, str] | None = None

    @model_validator(mode="after")
    def _known_shapes(self) -> Self:
        for name, kind in (self.shape or {}).items():
            if kind not in SHAPES:
                raise ValueError(f"shape: {name} is one of {', '.join(SHAPES)}, not {kind}")
        return self


class OdataKind(Promised):
    """OData in the registry."""

    name = "odata"
    connection = OdataConnection
    collection = OdataCollection
    watch = OdataWatch

    def abilities(self, connection: Any, collection: Any, watch: Any, write: Any) -> Abilities:
        """Return what an entity set can do; its own metadata may allow less."""
        guarded = collection.version is not None and write.guard in {None, "version"}
        timed = collection.changed_at is not None
        return Abilities(guard=guarded, timed=timed, tick=SECOND, lifetime=2 * connection.timeout)


KIND = OdataKind()
