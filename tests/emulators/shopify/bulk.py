"""Bulk operations: a query without page sizes runs in the background, and leaves a file of JSON lines.

A thing of an inner connection is a line of its own, after its parent's, with ``__parentId``.
"""

from collections.abc import Iterator
from typing import Any

import orjson
from graphql import GraphQLError, parse, validate

from tests.emulators.shopify.reads import Context
from tests.emulators.shopify.schema import schema
from tests.emulators.shopify.state import Node
from tests.emulators.shopify.writes import Refused, mutates

AT_ONCE = 5  # operations of one app in one shop, since 2026-01
ENDED = {"COMPLETED", "FAILED", "CANCELED", "EXPIRED"}


@mutates("bulkOperationRunQuery", "bulkOperation")
def run_query(context: Context, args: dict[str, Any]) -> Node:
    """Begin a bulk operation."""
    text = args["query"]
    try:
        errors = validate(schema(context.server.faults.gone_fields), parse(text))
    except GraphQLError as error:
        errors = [error]
    if errors:
        raise Refused(f"Invalid bulk query: {errors[0].message}", "query", code="INVALID")
    if "edges" not in text and "nodes" not in text:
        raise Refused("Bulk queries must contain at least one connection.", "query", code="INVALID")
    running = [one for one in context.shop.all("BulkOperation") if one["status"] not in ENDED]
    if len(running) >= AT_ONCE:
        raise Refused("Too many bulk operations are in progress.", code="LIMIT_REACHED")
    nothing = dict.fromkeys(("completedAt", "errorCode", "fileSize", "partialDataUrl", "url"))
    made = context.shop.make("BulkOperation", **nothing, status="CREATED", query=text, type="QUERY", objectCount="0")
    made["rootObjectCount"] = "0"
    context.server.begin_bulk(made)
    return {"bulkOperation": made}


@mutates("bulkOperationCancel", "bulkOperation")
def cancel(context: Context, args: dict[str, Any]) -> Node:
    """End a bulk operation early."""
    found = context.shop.get(args["id"], "BulkOperation")
    if found is None:
        raise Refused("Bulk operation does not exist", "id")
    if found["status"] not in ENDED:
        found["status"] = "CANCELED"
    return {"bulkOperation": found}


def lines_of(data: Node) -> Iterator[bytes]:
    """Yield the lines of an answer."""
    for value in data.values():
        if _is_connection(value):
            yield from _connection_lines(value, None)
        elif isinstance(value, dict):
            yield from _lines(value, None)


def _connection_lines(found: Node, parent: str | None) -> Iterator[bytes]:
    for node in found.get("nodes") or [edge["node"] for edge in found.get("edges", [])]:
        yield from _lines(node, parent)


def _lines(node: Node, parent: str | None) -> Iterator[bytes]:
    own = {name: value for name, value in node.items() if not _is_connection(value)}
    yield orjson.dumps(own | ({"__parentId": parent} if parent is not None else {}))
    for value in node.values():
        if _is_connection(value):
            yield from _connection_lines(value, node.get("id") or parent)


def _is_connection(value: Any) -> bool:
    return isinstance(value, dict) and any(isinstance(value.get(name), list) for name in ("nodes", "edges"))
