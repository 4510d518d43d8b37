"""Any GraphQL API, by config alone: the config has the documents, and says where the things are in their answers."""

from syncd.connectors.graphql.kind import KIND

__all__ = ["KIND"]
