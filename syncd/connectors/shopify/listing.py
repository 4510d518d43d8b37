"""Lists of the shop: one walk, page by page, each thing whole with its nested lists, and pages that fit what may be spent."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass

from syncd.connectors.body import pick, placed
from syncd.connectors.graphql_call import Answered
from syncd.connectors.protocol import Broken
from syncd.connectors.relay import Relay, RelayLeaf
from syncd.connectors.shape import Seen, Shape
from syncd.connectors.shopify.api import Api, TooDear, ignored_terms
from syncd.connectors.shopify.documents import listing, reading, resting
from syncd.connectors.shopify.objects import Kind
from syncd.connectors.shopify.selection import MOST, Rest, Selection
from syncd.core.model import Change, Native, Via
from syncd.errors import ConnectorError, PermanentError, TransientError

FEW = 5  # things asked for at once where one is looked for: the search finds near ones, too
SPARE = 0.9  # of what a query may cost: our count of it is not the shop's own
TOO_LARGE = "an answer of more than"


@dataclass(frozen=True, slots=True)
class Leaf:
    """One page of things. ``last``, ``complete`` and ``why`` are as in ``protocol.Page``; ``cursor`` leads to the next."""

    changes: list[Change]
    broken: list[Broken]
    answered: Answered
    last: bool
    complete: bool
    why: str
    cursor: str


@dataclass(frozen=True, slots=True)
class Asked:
    """What is listed: ``query`` in the shop's search language, at a ``location``, going on after a cursor.

    ``few``: hardly more than one is expected, so small pages are asked for, which are cheap.
    """

    query: str | None = None
    by_time: bool = False
    location: str | None = None
    after: str = ""
    few: bool = False


class Reader:
    """Reads one collection with one selection."""

    def __init__(self, api: Api, kind: Kind, selection: Selection, shape: Shape, *, max_cost: int) -> None:
        self.api = api
        self.kind = kind
        self.selection = selection
        self.shape = shape
        self.max_cost = max_cost
        self._most = max(1, min(MOST, int(max_cost * SPARE) // selection.cost))

    async def leaves(self, asked: Asked) -> AsyncIterator[Leaf]:
        """Yield the pages of a list. A page that costs too much, or is too large, is asked for again in smaller ones."""
        after = asked.after
        while True:
            try:
                async for leaf in self._walk(asked, after):
                    after = leaf.cursor
                    yield await self._leaf(leaf)
                    if leaf.last:
                        return
            except ConnectorError as error:
                if self._most == 1 or not (isinstance(error, TooDear) or TOO_LARGE in str(error)):
                    raise
                self._most = max(1, self._most // 2)

    async def read(self, ids: list[str]) -> tuple[list[Native], Answered]:
        """Return what stands under each global id, None where nothing does, and the answer that says so."""
        answered = await self.api.read(reading(self.kind, self.selection), {"ids": ids}, cost=len(ids) * self.selection.cost)
        nodes = answered.data.get("nodes")
        if not isinstance(nodes, list) or len(nodes) != len(ids):
            raise TransientError(f"{answered.reply.place}: the answer is not one thing for each id", about_record=True)
        return nodes, answered

    async def observed(self, element: Native, answered: Answered) -> Change | Broken:
        """Return what an element says, its nested lists fetched to their ends."""
        flaw = answered.parsed.flaw(element)
        shaped, rests = self.selection.shaped(element)
        if flaw is None:
            for rest in rests:
                shaped = await self._with_rest(shaped, rest)
        return self.shape.observe(shaped, flaw, seen(answered))

    async def one(self, native: str, node: Native, answered: Answered) -> Change:
        """Return what stands under an id, or that it is gone; raises PermanentError if it is broken."""
        if not isinstance(node, dict) or not node:
            return self.shape.gone(native, seen(answered))
        found = await self.observed(node, answered)
        if isinstance(found, Broken):
            raise PermanentError(f"{found.where}: {found.reason}", status=answered.reply.status)
        return found

    @property
    def at_once(self) -> int:
        """Return how many things are asked for at once."""
        return self._most

    async def _walk(self, asked: Asked, after: str) -> AsyncIterator[RelayLeaf]:
        document, at = listing(self.kind, self.selection, by_time=asked.by_time)
        size = min(self._most, FEW) if asked.few else self._most
        variables = {"query": asked.query} | ({"location": asked.location} if asked.location else {})
        walk = Relay(_Costly(self.api, size * self.selection.cost), document, variables, at=at, size=size, start=after)
        async for leaf in walk.leaves():
            ignored = ignored_terms(leaf.answered)
            if ignored:
                text = f"the shop does not search by {ignored}, and would list everything"
                raise PermanentError(f"{self.shape.collection}: {text}")
            yield leaf

    async def _leaf(self, leaf: RelayLeaf) -> Leaf:
        found = [await self.observed(element, leaf.answered) for element in leaf.elements]
        changes = [one for one in found if isinstance(one, Change)]
        broken = [one for one in found if isinstance(one, Broken)]
        return Leaf(changes, broken, leaf.answered, leaf.last, leaf.complete, leaf.why, leaf.cursor)

    async def _with_rest(self, thing: Native, rest: Rest) -> Native:
        """Return a thing with a nested list read to its end."""
        document, at = resting(self.kind, self.selection, rest.name)
        found = list(pick(thing, rest.name) or [])
        call = _Costly(self.api, MOST)
        size = max(1, min(MOST, int(self._most * self.selection.cost / (len(found) or 1))))
        walk = Relay(call, document, {"id": pick(thing, "id")}, at=at, size=size, start=rest.cursor)
        async for leaf in walk.leaves():
            if leaf.why:
                text = f"{self.shape.collection}: {rest.name} of {pick(thing, 'id')}: {leaf.why}"
                raise TransientError(text, about_record=True)
            found += [self.selection.shaped_below(rest.name, one) for one in leaf.elements]
        return placed(thing, rest.name, found)


class _Costly:
    """The shop, asked at an estimated cost: what a walk reads its pages from."""

    def __init__(self, api: Api, cost: float) -> None:
        self._api = api
        self._cost = cost

    async def read(self, document: str, variables: Mapping[str, Native] | None = None) -> Answered:
        return await self._api.read(document, variables, cost=self._cost)


def seen(answered: Answered) -> Seen:
    """Return when and by which request something was seen."""
    reply = answered.reply
    return Seen(Via.READ, reply.as_of, reply.seen_at, reply.place)
