"""Lists over HTTP, page by page, and whether what came was all there is. An unfinished list is no evidence of anything."""

import re
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Literal, Self

from pydantic import Field, model_validator
from yarl import URL

from syncd.connectors.body import Parsed, pick, salvage
from syncd.connectors.http import Http, Reply, refuse
from syncd.connectors.options import Options
from syncd.connectors.template import Template
from syncd.core.model import Native
from syncd.errors import TransientError

MISSING = object()
MOST = 100_000  # pages of one list
_NEXT = re.compile(r'<([^>]*)>((?:\s*;\s*[\w*]+\s*=\s*(?:"[^"]*"|[^",;\s]+))*)')
_REL_NEXT = re.compile(r'rel\s*=\s*"?(?:[^"]*\s)?next(?:[\s"]|$)', re.IGNORECASE)


class Pages(Options):
    """How a list is paged. ``next`` is the path of the next cursor (or address), ``total`` as in the collection."""

    by: Literal["page", "offset", "cursor", "link", "none"] = "page"
    start: int | None = None
    size: int = Field(100, ge=1)
    next: str | None = None
    total: str | None = None

    @model_validator(mode="after")
    def _cursor_needs_next(self) -> Self:
        if self.by == "cursor" and self.next is None:
            raise ValueError("by: cursor needs next, the path of the next cursor")
        return self


@dataclass(frozen=True, slots=True)
class Leaf:
    """One page. ``last`` and ``complete`` are as in ``protocol.Page``."""

    elements: list[Native]
    parsed: Parsed
    reply: Reply
    last: bool
    complete: bool
    why: str = ""


class Walk:
    """One way through one list. ``single``: it is a look-up, whose answer may be the thing itself, at that path."""

    def __init__(
        self,
        http: Http,
        template: Template,
        values: Mapping[str, Native],
        *,
        items: str,
        pages: Pages | None,
        total: str | None = None,
        single: str | None = None,
    ) -> None:
        names = template.names
        self._http = http
        self._template = template
        self._values = values
        self._items = items
        self._single = single
        self._pages = pages or Pages(by="page" if "page" in names else "offset" if "offset" in names else "none")
        if single is not None and self._pages.by in {"page", "offset"} and self._pages.by not in names:
            self._pages = Pages(by="none")
        self._total = total or (pages.total if pages else None)
        self._sized = "size" in names or "size" in self._pages.model_fields_set
        self._count = 0
        self._previous: list[Native] = []
        self._visited: set[URL] = set()

    async def leaves(self) -> AsyncIterator[Leaf]:
        """Yield the pages; raises what a failed request or an answer that is no list means."""
        place = self._pages.start if self._pages.start is not None else int(self._pages.by == "page")
        url: URL | None = self._url(place, None)
        for number in range(1, MOST + 1):
            assert url is not None
            reply = await self._http.read(url)
            if self._is_none(reply):
                yield Leaf([], Parsed(None, clean=True), reply, last=True, complete=True)
                return
            refuse(reply)
            parsed = reply.json()
            elements = self._elements(parsed, reply)
            why = self._loop(url, elements, number)
            place += 1 if self._pages.by == "page" else len(elements)
            url = None if why else self._next(reply, parsed, elements, place)
            if url is None:
                why = why or self._short(parsed)
                yield Leaf(elements, parsed, reply, last=True, complete=not why, why=why)
                return
            yield Leaf(elements, parsed, reply, last=False, complete=False)

    def _url(self, place: int, cursor: Native) -> URL:
        values = {"page": place, "offset": place, "size": self._pages.size, "cursor": cursor}
        return self._http.url(self._template.fill(values | dict(self._values)))

    def _elements(self, parsed: Parsed, reply: Reply) -> list[Native]:
        found = pick(parsed.value, self._items)
        if not isinstance(found, list) and self._single is not None:
            thing = pick(parsed.value, self._single, MISSING)
            found = [] if thing is None else found if thing is MISSING else [thing]
        if not isinstance(found, list):
            where = f'at "{self._items}"' if self._items else "in the answer"
            raise TransientError(f"{reply.place}: there is no list {where}", status=reply.status)
        self._count += len(found)
        return found

    def _is_none(self, reply: Reply) -> bool:
        """Return whether a look-up by address met nothing; a missing list is another matter."""
        return self._single is not None and reply.status in {404, 410} and set(self._values) <= self._template.path_names

    def _loop(self, url: URL, elements: list[Native], number: int) -> str:
        """Return why going on would never end, if so."""
        repeats = bool(elements) and elements == self._previous
        again = url in self._visited
        self._previous = elements
        self._visited.add(url)
        if repeats or again:
            self._count -= len(elements)
            return f"page {number} repeats the one before" if repeats else f"page {number} was asked for before"
        return f"more than {MOST} pages" if number == MOST else ""

    def _next(self, reply: Reply, parsed: Parsed, elements: list[Native], place: int) -> URL | None:
        if self._pages.by == "link":
            return self._followed(reply, _next_link(reply))
        if self._pages.by == "cursor":
            return self._after(reply, pick(parsed.value, self._pages.next or ""))
        ended = not elements or (self._sized and len(elements) < self._pages.size)
        return None if self._pages.by == "none" or ended else self._url(place, None)

    def _after(self, reply: Reply, cursor: Native) -> URL | None:
        cursor = salvage(cursor)
        if cursor is None or cursor == "" or cursor is False:
            return None
        if "cursor" in self._template.names:
            return self._url(0, cursor)
        return self._followed(reply, str(cursor))

    def _followed(self, reply: Reply, target: str) -> URL | None:
        if not target:
            return None
        url = reply.url.join(URL(target, encoded="%" in target))
        if url.origin() != reply.url.origin():
            raise TransientError(f"{reply.place}: the next page would be on another host, {url.host}")
        return url

    def _short(self, parsed: Parsed) -> str:
        """Return why the list cannot be all, by the number that the platform itself names."""
        if self._total is None:
            return ""
        total = pick(parsed.value, self._total)
        if not isinstance(total, int) or isinstance(total, bool):
            return f'there is no number at "{self._total}"' if self._single is None else ""
        return "" if self._count >= total else f"the list says {total}, {self._count} came"


def _next_link(reply: Reply) -> str:
    for header in reply.headers.getall("Link", []):
        for found in _NEXT.finditer(header):
            if _REL_NEXT.search(found[2]):
                return found[1]
    return ""
