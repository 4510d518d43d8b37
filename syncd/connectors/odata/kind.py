"""The kind ``odata``: what ``check`` needs of it. The connector itself is imported when something is connected."""

from typing import Any

from pydantic import BaseModel

from syncd.connectors.odata.options import OdataCollection, OdataConnection, OdataWatch, abilities_of
from syncd.connectors.protocol import Connector, Setup
from syncd.core.model import Abilities


class OdataKind:
    """OData in the registry."""

    name = "odata"
    connection: type[BaseModel] = OdataConnection
    collection: type[BaseModel] = OdataCollection
    watch: type[BaseModel] = OdataWatch

    def abilities(self, connection: Any, collection: Any, watch: Any, write: Any) -> Abilities:
        """Return what an entity set can do as configured; its own metadata may allow less, which ``check --online`` says."""
        return abilities_of(connection, collection, write)

    def connect(self, setup: Setup) -> Connector:
        """Return the connector."""
        from syncd.connectors.odata.service import Odata  # noqa: PLC0415 - nobody who only checks waits for it

        return Odata(setup)


KIND = OdataKind()
