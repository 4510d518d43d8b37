"""Sanity in the registry."""

from importlib import import_module
from typing import Any

from pydantic import BaseModel

from syncd.connectors.protocol import Connector, Setup
from syncd.connectors.sanity.options import SanityCollection, SanityConnection, SanityWatch, abilities_of
from syncd.core.model import Abilities


class SanityKind:
    """The kind ``sanity``."""

    name = "sanity"
    connection: type[BaseModel] = SanityConnection
    collection: type[BaseModel] = SanityCollection
    watch: type[BaseModel] = SanityWatch

    def abilities(self, connection: Any, collection: Any, watch: Any, write: Any) -> Abilities:
        """Return what the documents of a collection can do."""
        return abilities_of(connection, collection, guard=write.guard)

    def connect(self, setup: Setup) -> Connector:
        """Return the connector, not connected yet. Its code is loaded only now: a check of the config needs none of it."""
        connector: Connector = import_module("syncd.connectors.sanity.connector").Sanity(setup)
        return connector


KIND = SanityKind()
