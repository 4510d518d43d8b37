"""A GraphQL API on a real socket: a schema that graphql-core executes, Relay paging, user errors, versions, and faults."""

from tests.emulators.graphql.server import AFTER, BEFORE, PASSES, Things, errors

__all__ = ["AFTER", "BEFORE", "PASSES", "Things", "errors"]
