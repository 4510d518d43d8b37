"""Connections: rows in an order, cursors that name a row, and the limits that the shop sets."""

import base64
import binascii
import bisect
from collections.abc import Sequence
from typing import Any

import orjson
from graphql import GraphQLError

from tests.emulators.shopify.state import Node, number_of

MOST = 250  # elements of a page
Key = tuple[Any, int]


class Rows:
    """Things in ascending order. ``by`` is the field they are ordered by, None for the id alone."""

    def __init__(self, nodes: Sequence[Node], by: str | None = None) -> None:
        paired = [(_key(node, by, n), node) for n, node in enumerate(nodes)]
        if by is not None:
            paired.sort(key=lambda pair: pair[0])
        self.by = by
        self.keys = [key for key, _ in paired]
        self.nodes = [node for _, node in paired]


def _key(node: Node, by: str | None, place: int) -> Key:
    if by is None:
        return ("", int(number_of(node["id"])) if "id" in node else place)
    value = node.get(by)
    return ("" if value is None else value.lower() if isinstance(value, str) and by == "title" else value, _number(node))


def _number(node: Node) -> int:
    return int(number_of(node["id"]))


class Asked:
    """The arguments of a connection; raises GraphQLError where the shop refuses them."""

    def __init__(self, args: dict[str, Any], *, unlimited: bool = False) -> None:
        self.first, self.last = args.get("first"), args.get("last")
        self.reverse = bool(args.get("reverse"))
        self.after, self.before = args.get("after"), args.get("before")
        if unlimited:
            self.first, self.last = self.first or 10**9, None
            return
        if (self.first is None) == (self.last is None):
            raise GraphQLError("you must provide one of first or last", extensions={"code": "BAD_REQUEST"})
        size = self.first if self.first is not None else self.last
        if not 0 <= size <= MOST:
            text = f"{'first' if self.first is not None else 'last'} must be between 0 and {MOST}, {size} was given"
            raise GraphQLError(text, extensions={"code": "ARGUMENT_LITERALS_INCOMPATIBLE"})


def connection(rows: Rows, asked: Asked) -> Node:
    """Return a page of rows as the schema wants it."""
    low, high = 0, len(rows.keys)
    for cursor, is_after in ((asked.after, True), (asked.before, False)):
        if cursor is None:
            continue
        key = _decoded(cursor)
        if is_after != asked.reverse:
            low = max(low, bisect.bisect_right(rows.keys, key))
        else:
            high = min(high, bisect.bisect_left(rows.keys, key))
    places = range(low, high)
    ordered = places[::-1] if asked.reverse else places
    shown = ordered[: asked.first] if asked.first is not None else ordered[max(len(ordered) - asked.last, 0) :]
    cursors = [encoded(rows.keys[place]) for place in (shown[:1] or range(0))] + [
        encoded(rows.keys[place]) for place in (shown[-1:] or range(0))
    ]
    info = {
        "hasNextPage": bool(shown and shown[-1] != ordered[-1]) or (not shown and bool(ordered)),
        "hasPreviousPage": bool(shown and shown[0] != ordered[0]) or asked.after is not None,
        "startCursor": cursors[0] if cursors else None,
        "endCursor": cursors[-1] if cursors else None,
    }
    return {
        "nodes": [rows.nodes[place] for place in shown],
        "edges": lambda: [{"node": rows.nodes[place], "cursor": encoded(rows.keys[place])} for place in shown],
        "pageInfo": info,
    }


def encoded(key: Key) -> str:
    """Return a cursor as the shop makes them: base64 of JSON."""
    return base64.b64encode(orjson.dumps({"last_id": key[1], "last_value": key[0]})).decode()


def _decoded(cursor: str) -> Key:
    try:
        found = orjson.loads(base64.b64decode(cursor, validate=True))
        return (found["last_value"], int(found["last_id"]))
    except (binascii.Error, ValueError, KeyError, TypeError) as error:
        raise GraphQLError("Invalid cursor for current pagination sort.", extensions={"code": "BAD_REQUEST"}) from error
