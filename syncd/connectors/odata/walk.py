"""One way through one list, page by page, and whether what came was all there is. An unfinished list is no evidence.

The service pages (links that are followed as they are given), or we do: by ranges of the key, which miss nothing when
things come and go meanwhile, or by ``$skip``, for services that cannot compare keys. A way can be gone on from where it
broke off: ``Leaf.place`` is text for a cursor.
"""

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from yarl import URL

from syncd.connectors.http import Reply
from syncd.connectors.odata.address import Address, both, expand_of
from syncd.connectors.odata.answers import Listing, listing
from syncd.connectors.odata.collection import Things
from syncd.connectors.odata.literals import id_of, key_of
from syncd.connectors.odata.moments import Unfit
from syncd.connectors.odata.refusals import refuse
from syncd.connectors.odata.values import WHOLE
from syncd.errors import ConnectorError, PermanentError, TransientError

MOST = 1_000_000  # pages of one list
RANGED = WHOLE | {"Edm.String", "Edm.Decimal"}  # keys that services can compare

Get = Callable[[URL, dict[str, str]], Awaitable[Reply]]


@dataclass(frozen=True, slots=True)
class Leaf:
    """One page. ``last`` and ``complete`` are as in ``protocol.Page``; ``place``: where the next one begins, if one does."""

    listing: Listing
    last: bool
    complete: bool
    why: str = ""
    place: str = ""


@dataclass(slots=True)
class Place:
    """Where a way stands: a link of the service's, or the last key or number of things of our own paging."""

    link: str = ""
    after: str = ""
    skip: int = 0
    seen: int = 0
    of: int | None = None

    @classmethod
    def parse(cls, text: str) -> "Place":
        """Return the place that a cursor holds; raises PermanentError if it is none of ours."""
        try:
            return cls(**json.loads(text))
        except (ValueError, TypeError) as error:
            raise PermanentError(f"not a place in a list: {text[:60]}") from error

    def __str__(self) -> str:
        return json.dumps({name: value for name in self.__slots__ if (value := getattr(self, name)) not in ("", 0, None)})


@dataclass(slots=True)
class Walk:
    """``scope`` is the filter; ``paging``: None where the service pages. ``track``: changes are to be tracked from here on."""

    things: Things
    address: Address
    get: Get
    scope: str | None = None
    track: bool = False
    _visited: set[int] = field(default_factory=set)
    _edge: list[str | None] = field(default_factory=list)

    @property
    def paging(self) -> str | None:
        """Return how we page: ``keys``, ``skip``, or None where the service does."""
        options, shape = self.things.options, self.things.shape
        if options.page is None or self.track:
            return None
        ranged = all(shape.properties[name].type in RANGED for name in shape.key)
        return options.paging or ("keys" if ranged and len(shape.key) == 1 else "skip")

    async def leaves(self, place: Place | None = None) -> AsyncIterator[Leaf]:
        """Yield the pages from a place on; raises what a failed request or an answer that is no list means."""
        place = place or Place()
        first = place.seen == 0 and not place.link
        url: URL | None = self.address.again(place.link) if place.link else self._own(place, counted=first)
        got = 0  # things of the present page of our own, which the service may have cut further
        for number in range(1, MOST + 1):
            assert url is not None
            found = await self._ask(url)
            place.of = found.count if found.count is not None and first else place.of
            place.seen += len(found.elements)
            got += len(found.elements)
            why = self._loop(url, found, number)
            url, place, ended = self._next(found, place, got)
            got = 0 if not found.following else got
            if why or url is None or ended:
                why = why or await self._short(place)
                yield Leaf(found, last=True, complete=not why, why=why)
                return
            yield Leaf(found, last=False, complete=False, place=str(place))
        raise TransientError(f"{self.things.set.name}: more than {MOST} pages")

    def _next(self, found: Listing, place: Place, got: int) -> tuple[URL | None, Place, bool]:
        """Return where to go on, and whether this was the end."""
        if found.following:
            url = self.address.follow(found.reply, found.following)
            place.link = str(url)
            return url, place, False
        place.link = ""
        if self.paging is None:
            return None, place, True
        whole = place.of is not None and place.seen >= place.of
        if got == 0 or (got < (self.things.options.page or 0) and whole):
            return None, place, True
        place.skip = place.seen if self.paging == "skip" else 0
        if self.paging == "keys" and found.elements:
            place.after = self._key_of_last(found)
        return self._own(place, counted=False), place, False

    def _key_of_last(self, found: Listing) -> str:
        last = found.elements[-1]
        item = self.things.values.thing(self.things.shape, last) if isinstance(last, dict) else None
        key = id_of(self.things.shape, item)
        if key is None:
            raise TransientError(f"{found.reply.place}: the last thing of a page has no key to go on from", about_record=True)
        return key

    def _own(self, place: Place, *, counted: bool) -> URL:
        """Return the address of a page of our own."""
        service, options = self.things.service, self.things.options
        query: dict[str, Any] = {"$filter": both(self.scope, self._beyond(place.after))}
        query["$expand"] = expand_of(service, options.expand)
        if self.paging is not None:
            query |= {"$orderby": ",".join(self.things.shape.key), "$top": options.page, "$skip": place.skip or None}
        if counted and options.count and self.things.set.countable:
            query |= {"$inlinecount": "allpages"} if service.is_v2 else {"$count": "true"}
        return self.address.url(f"/{self.things.set.name}", query)

    def _beyond(self, after: str) -> str | None:
        """Return the filter for what comes after a key: ``(A gt 1) or (A eq 1 and B gt 2)``."""
        shape = self.things.shape
        key = key_of(shape, after) if after else None
        if key is None:
            return None
        try:
            said = {name: self.things.said(name, value) for name, value in key.items()}
        except Unfit as error:
            raise TransientError(f"{self.things.set.name}: cannot go on after {after}: {error}", about_record=True) from error
        cases = []
        for at, name in enumerate(shape.key):
            same = [f"{one} eq {said[one]}" for one in shape.key[:at]]
            cases.append(" and ".join([*same, f"{name} gt {said[name]}"]))
        return " or ".join(f"({case})" for case in cases) if len(cases) > 1 else cases[0]

    async def _ask(self, url: URL) -> Listing:
        prefer = ["odata.track-changes"] if self.track else []
        if self.paging is None and self.things.options.page is not None:
            prefer.append(f"odata.maxpagesize={self.things.options.page}")
        reply = await self.get(url, {"Prefer": ",".join(prefer)} if prefer else {})
        refuse(reply)
        return listing(self.things.service, reply)

    def _loop(self, url: URL, found: Listing, number: int) -> str:
        """Return why going on would never end, if so."""
        edge = [self.things.id_of(one) for one in (*found.elements[:1], *found.elements[-1:])]
        repeats, again = bool(edge) and None not in edge and edge == self._edge, hash(str(url)) in self._visited
        self._edge = edge
        self._visited.add(hash(str(url)))
        if again:
            return f"page {number} was asked for before"
        return f"page {number} repeats the one before" if repeats else ""

    async def _short(self, place: Place) -> str:
        """Return why the list cannot be all, by the number that the service itself names, asked again if it does not fit."""
        if place.of is None or place.seen >= place.of:
            return ""
        try:
            there = await self._count()
        except ConnectorError as error:
            return f"the list says {place.of}, {place.seen} came; asked again: {error}"
        return "" if place.seen >= there else f"the service counts {there}, {place.seen} came"

    async def _count(self) -> int:
        url = self.address.url(f"/{self.things.set.name}/$count", {"$filter": self.scope})
        reply = await self.get(url, {"Accept": "text/plain"})
        refuse(reply)
        text = reply.body.decode("utf-8", "replace").strip().removeprefix("\ufeff")
        if not text.isdecimal():
            raise TransientError(f"{reply.place}: no number", about_record=True)
        return int(text)
