"""Lists of a GraphQL API: connections by their cursors, plain lists whole or by offset, and whether that was all."""

import hashlib
import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import asdict, dataclass
from typing import Self

from syncd.connectors.body import pick
from syncd.connectors.graphql.filling import filled
from syncd.connectors.graphql.requests import FindQuery, ListQuery
from syncd.connectors.graphql_call import Answered, Graphql
from syncd.connectors.relay import MOST, Relay, RelayLeaf, listed
from syncd.core.model import Native
from syncd.errors import PermanentError


@dataclass(frozen=True, slots=True)
class Mark:
    """The cursor of a feed: asked up to ``since``; in the middle of a list also where it goes on.

    ``after`` is the platform's own cursor for the query with that ``print``; ``latest`` is the newest time seen in the list so
    far and ``begun`` the platform's time at its start, microseconds.
    """

    since: str | None = None
    after: str = ""
    print: str = ""
    latest: int | None = None
    begun: int | None = None

    @classmethod
    def of(cls, cursor: str | None) -> Self:
        """Return what a stored cursor says; one that cannot be read begins anew."""
        if not cursor or not cursor.startswith("{"):
            return cls(cursor or None)
        try:
            return cls(**json.loads(cursor))
        except (ValueError, TypeError):
            return cls()

    def text(self) -> str | None:
        """Return what is stored."""
        return json.dumps(asdict(self)) if self.after else self.since


def print_of(query: ListQuery) -> str:
    """Return what a query is known by: the cursor of another one leads nowhere."""
    said = f"{query.query.text}|{query.nodes}|{query.size}|{sorted(query.sent.items(), key=str)}"
    return hashlib.sha256(said.encode()).hexdigest()[:16]


async def leaves(
    call: Graphql, query: ListQuery | FindQuery, values: Mapping[str, Native], *, start: str = ""
) -> AsyncIterator[RelayLeaf]:
    """Yield the pages of a list; raises what a failed request means.

    A ``start`` that the platform no longer takes is given up: the list begins anew.
    """
    begun = False
    try:
        async for leaf in _pages(call, query, values, start):
            begun = True
            yield leaf
    except PermanentError:
        if begun or not start:
            raise
    else:
        return
    async for leaf in _pages(call, query, values, ""):
        yield leaf


def _pages(call: Graphql, query: ListQuery | FindQuery, values: Mapping[str, Native], start: str) -> AsyncIterator[RelayLeaf]:
    if query.names & {"offset", "page"}:
        return _counted(call, query, values)
    return _connected(call, query, values, start)


async def _connected(
    call: Graphql, query: ListQuery | FindQuery, values: Mapping[str, Native], start: str
) -> AsyncIterator[RelayLeaf]:
    variables = filled(query.sent, dict(values) | {"size": query.size})
    walk = Relay(call, query.query.text, variables, at=query.nodes or "", first=None, after=query.after or "after", start=start)
    count = 0
    async for leaf in walk.leaves():
        count += len(leaf.elements)
        if not leaf.last and query.after is None:
            why = "there are more than this query asks for: it takes no cursor"
            yield RelayLeaf(leaf.elements, leaf.answered, last=True, complete=False, why=why)
            return
        yield _summed(leaf, query, count, started=not start)


async def _counted(call: Graphql, query: ListQuery | FindQuery, values: Mapping[str, Native]) -> AsyncIterator[RelayLeaf]:
    """Yield pages by offset or number; a page that is not full is the last one."""
    count, previous = 0, list[Native]()
    for number in range(1, MOST + 1):
        place = {"size": query.size, "offset": count, "page": number}
        answered = await call.read(query.query.text, filled(query.sent, dict(values) | place))
        found = listed(answered, query.nodes or "").elements
        repeats = bool(found) and found == previous
        why = f"page {number} repeats the one before" if repeats else f"more than {MOST} pages" if number == MOST else ""
        last = bool(why) or len(found) < query.size
        count, previous = count + len(found), found
        leaf = RelayLeaf(found, answered, last=last, complete=last and not why, why=why)
        yield _summed(leaf, query, count, started=True)
        if last:
            return


def _summed(leaf: RelayLeaf, query: ListQuery | FindQuery, count: int, *, started: bool) -> RelayLeaf:
    """Return a page as it is, but for the last one where the platform itself says that there are more than came."""
    path = query.total if isinstance(query, ListQuery) else None
    if path is None or not leaf.complete or not started:
        return leaf
    why = _short(leaf.answered, path, count)
    return RelayLeaf(leaf.elements, leaf.answered, last=True, complete=not why, why=why)


def _short(answered: Answered, path: str, count: int) -> str:
    total = pick(answered.data, path)
    if not isinstance(total, int) or isinstance(total, bool):
        return f'there is no number at "{path}"'
    return "" if count >= total else f"the list says {total}, {count} came"
