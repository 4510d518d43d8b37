"""Lists in the manner of Relay: a connection is read page by page by its cursors, and it is said whether that was all.

Protocol: GraphQL Cursor Connections. A connection has ``nodes`` or ``edges {node}``, and ``pageInfo {hasNextPage endCursor}``.
Without the last nothing proves that a list is whole.
"""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Protocol

from syncd.connectors.body import Parsed, flaw, pick, salvage
from syncd.connectors.graphql_call import Answered
from syncd.connectors.http import Reply
from syncd.core.model import Native
from syncd.errors import PermanentError, TransientError

MISSING = object()
MOST = 100_000  # pages of one list


@dataclass(frozen=True, slots=True)
class RelayLeaf:
    """One page. ``last`` and ``complete`` are as in ``protocol.Page``; the next page starts at ``cursor``, "" at the end."""

    elements: list[Native]
    answered: Answered
    last: bool
    complete: bool
    why: str = ""
    cursor: str = ""

    @property
    def parsed(self) -> Parsed:
        """Return the body, which knows the flaws of its elements."""
        return self.answered.parsed

    @property
    def reply(self) -> Reply:
        """Return the answer over HTTP."""
        return self.answered.reply


@dataclass(frozen=True, slots=True)
class Listed:
    """What stands at the path of a connection: its elements, and either why it is not whole or the cursor to go on from."""

    elements: list[Native]
    more: bool = False
    cursor: str = ""
    why: str = ""


class Reads(Protocol):
    """Who reads a page: ``Graphql``, or a vendor's own call."""

    async def read(self, document: str, variables: Mapping[str, Native] | None = None) -> Answered:
        """Return a whole answer to a query."""
        ...


class Relay:
    """One way through one connection at a dotted path of ``data``.

    ``variables`` are sent with every page, ``first`` and ``after`` are the names of the two that page; None for ``first``:
    the document has its own size. ``start`` is a cursor to go on from.
    """

    def __init__(
        self,
        call: Reads,
        document: str,
        variables: Mapping[str, Native],
        *,
        at: str,
        size: int = 100,
        first: str | None = "first",
        after: str = "after",
        start: str = "",
    ) -> None:
        self._call = call
        self._document = document
        self._variables = dict(variables) | ({first: size} if first else {})
        self._at = at
        self._after = after
        self._start = start
        self._used: set[str] = {start}
        self._previous: list[Native] = []

    async def leaves(self) -> AsyncIterator[RelayLeaf]:
        """Yield the pages. Raises what a failed request means, or that there is no list at the path."""
        cursor = self._start
        for number in range(1, MOST + 1):
            variables = self._variables | ({self._after: cursor} if cursor else {})
            answered = await self._call.read(self._document, variables)
            found = listed(answered, self._at)
            why = found.why or self._loop(found, number)
            if why or not found.more:
                yield RelayLeaf(found.elements, answered, last=True, complete=not why, why=why)
                return
            cursor = found.cursor
            yield RelayLeaf(found.elements, answered, last=False, complete=False, cursor=cursor)

    def _loop(self, found: Listed, number: int) -> str:
        """Return why going on would never end, if so."""
        repeats = bool(found.elements) and found.elements == self._previous
        again = found.more and found.cursor in self._used
        self._previous = found.elements
        self._used.add(found.cursor)
        if again:
            return f"page {number} leads back to a page that was asked for before"
        if repeats:
            return f"page {number} repeats the one before"
        return f"more than {MOST} pages" if number == MOST and found.more else ""


def listed(answered: Answered, at: str) -> Listed:
    """Return the list that stands at a path of the data: a connection, or a list that is always whole.

    Raises PermanentError if the document does not ask for it, TransientError if it is null or something else.
    """
    place, status = answered.reply.place, answered.reply.status
    found = salvage(pick(answered.data, at, MISSING))
    if isinstance(found, list):
        return Listed(found)
    if found is MISSING and not _is_null_above(answered.data, at):
        raise PermanentError(f'{place}: there is nothing at "{at}" of the data', status=status)
    if not isinstance(found, dict):
        said = "null" if found is None or found is MISSING else "no list"
        raise TransientError(f'{place}: what stands at "{at}" is {said}', status=status, about_record=True)
    elements = _elements(found)
    if elements is None:
        keys = ", ".join(map(str, found)) or "nothing"
        raise PermanentError(f'{place}: at "{at}" are neither nodes nor edges with a node, but {keys}', status=status)
    return _paged(found, elements)


def _elements(connection: dict[str, Native]) -> list[Native] | None:
    nodes, edges = salvage(connection.get("nodes")), salvage(connection.get("edges"))
    if isinstance(nodes, list):
        return nodes
    if not isinstance(edges, list):
        return None
    return [edge.get("node") if isinstance(edge, dict) else edge for edge in edges]


def _paged(connection: dict[str, Native], elements: list[Native]) -> Listed:
    info = salvage(connection.get("pageInfo"))
    more = info.get("hasNextPage") if isinstance(info, dict) else None
    if not isinstance(info, dict) or not isinstance(more, bool):
        return Listed(elements, why="there is no pageInfo {hasNextPage endCursor}: nothing says that this is all")
    cursor = salvage(info.get("endCursor"))
    if not more:
        return Listed(elements)
    if not isinstance(cursor, str) or not cursor or flaw(cursor):
        return Listed(elements, why="there is a next page, and no endCursor to ask for it with")
    return Listed(elements, more=True, cursor=cursor)


def _is_null_above(data: Native, at: str) -> bool:
    """Return whether a path ends early at a null: then the document does ask for it."""
    steps = at.split(".")
    return any(pick(data, ".".join(steps[:end]), MISSING) is None for end in range(1, len(steps)))
