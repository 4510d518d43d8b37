"""GraphQL in the registry."""

from typing import Any

from pydantic import BaseModel

from syncd.connectors.graphql.api import GraphqlApi
from syncd.connectors.graphql.options import GraphqlCollection, GraphqlConnection, GraphqlWatch, abilities_of, is_guarded
from syncd.connectors.protocol import Connector, Setup
from syncd.core.model import Abilities


class GraphqlKind:
    """The kind ``graphql``."""

    name = "graphql"
    connection: type[BaseModel] = GraphqlConnection
    collection: type[BaseModel] = GraphqlCollection
    watch: type[BaseModel] = GraphqlWatch

    def abilities(self, connection: Any, collection: Any, watch: Any, write: Any) -> Abilities:
        """Return what the collection has requests for."""
        return abilities_of(collection, timeout=connection.timeout, guarded=is_guarded(collection, write))

    def connect(self, setup: Setup) -> Connector:
        """Return the connector."""
        return GraphqlApi(setup)


KIND = GraphqlKind()
