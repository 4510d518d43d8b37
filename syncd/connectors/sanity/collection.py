"""One collection: its documents listed, read, found, and asked for by date."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from email.utils import parsedate_to_datetime
from typing import Any

from syncd.connectors.http import Reply
from syncd.connectors.protocol import Batch, Broken, Page
from syncd.connectors.sanity.dataset import Dataset, TooMuchError
from syncd.connectors.sanity.looks import Document, Looks, documents, seen_of
from syncd.connectors.sanity.options import SanityCollection
from syncd.connectors.sanity.own import DRAFT, is_published, published_id
from syncd.connectors.sanity.queries import EXISTING, Queries
from syncd.connectors.times import moment_of, parse_time
from syncd.core.model import SECOND, Change, Native
from syncd.errors import PermanentError, TransientError

AT_ONCE = 100  # things read by id in one query
ROOM = 8_000_000  # bytes of a page after which the next ones are smaller


@dataclass(slots=True)
class Stride:
    """How many documents are asked for at once: fewer where they are large."""

    most: int
    size: int = 0

    def __post_init__(self) -> None:
        self.size = self.most

    def came(self, size: int) -> None:
        """Note how many bytes a page had."""
        self.size = max(self.size // 4, 1) if size > ROOM else min(self.size * 2, self.most) if size < ROOM // 4 else self.size

    def too_much(self, error: TooMuchError) -> None:
        """Ask for fewer; raises the error where it was one document already."""
        if self.size == 1:
            raise error
        self.size = max(self.size // 8, 1)


class Documents:
    """The documents of one collection."""

    def __init__(self, dataset: Dataset, queries: Queries, looks: Looks) -> None:
        self.looks = looks
        self._options: SanityCollection = queries.options
        self._dataset = dataset
        self._queries = queries

    # ---- all of them

    async def pages(self) -> AsyncIterator[Page]:
        """Yield every thing once: the published documents by id, then the drafts that have no published one."""
        drafts = self._options.unpublishes
        async for found, _, last in self._walk(drafts=False):
            changes, broken = sorted_out([self.looks.thing(one) for one in found])
            yield Page(changes, broken, last=last and not drafts, complete=last and not drafts)
        if not drafts:
            return
        async for found, _, last in self._walk(drafts=True):
            alone = await self._without_published(found)
            changes, broken = sorted_out([self.looks.thing(one) for one in alone])
            yield Page(changes, broken, last=last, complete=last)

    async def _walk(self, *, drafts: bool) -> AsyncIterator[tuple[list[Document], Reply, bool]]:
        after, stride = "", Stride(self._options.page)
        while True:
            params = {"type": self._options.type, "after": after}
            size = stride.size
            try:
                found, reply = await self._ask(self._queries.page(size, drafts=drafts), params)
            except TooMuchError as error:
                stride.too_much(error)
                continue
            ids = [one.id for one in found]
            if not all(ids) or sorted({*ids, after}) != [after, *ids]:
                raise TransientError(f"{reply.place}: the documents do not come in the order of their ids", status=reply.status)
            last = len(found) < size
            yield found, reply, last
            if last:
                return
            after = ids[-1]
            stride.came(len(reply.body))

    async def _without_published(self, found: Sequence[Document]) -> list[Document]:
        """Return the drafts that have no published document."""
        if not found:
            return []
        ids = [published_id(one.id) for one in found]
        _, existing, _ = await self._dataset.query(EXISTING, {"ids": ids})
        known = {one for one in existing if isinstance(one, str)}
        return [one for one, native in zip(found, ids, strict=True) if native not in known]

    # ---- some of them

    async def read(self, ids: Sequence[str]) -> list[Change]:
        """Return one look per id; raises PermanentError for a document that cannot be read."""
        looks: list[Change] = []
        for start in range(0, len(ids), AT_ONCE):
            looks += await self._read(ids[start : start + AT_ONCE])
        return looks

    async def ours(self, ids: Sequence[str]) -> list[Change]:
        """Return one look per id, but none of documents that are of another type."""
        looks: list[Change] = []
        for start in range(0, len(ids), AT_ONCE):
            looks += await self._read(ids[start : start + AT_ONCE], strangers=False)
        return looks

    async def _read(self, ids: Sequence[str], *, strangers: bool = True) -> list[Change]:
        params = {"type": self._options.type, "ids": [*ids, *(DRAFT + one for one in ids)]}
        try:
            found, reply = await self._ask(self._queries.by_id(), params)
        except TooMuchError:
            if len(ids) == 1:
                raise
            middle = len(ids) // 2
            halves = ids[:middle], ids[middle:]
            return [look for half in halves for look in await self._read(half, strangers=strangers)]
        if not all(one.id for one in found):
            raise TransientError(f"{reply.place}: a document without an _id", status=reply.status, about_record=True)
        by_id = {one.id: one for one in found}
        seen = seen_of(reply)
        looks = []
        for one in ids:
            if not strangers and one in by_id and by_id[one].attribute("_type") != self._options.type:
                continue
            look = self.looks.of(one, by_id, seen)
            if isinstance(look, Broken):
                raise PermanentError(f"{look.where}: {one}: {look.reason}", status=reply.status)
            looks.append(look)
        return looks

    async def find(self, path: str, value: Native) -> list[Change]:
        """Return the things that have a value at a path; raises TransientError where one of them cannot be read."""
        params = {"type": self._options.type, "values": spellings(value)}
        found, reply = await self._ask(self._queries.by_value(path), params)
        published = {one.id for one in found if is_published(one.id)}
        drafts = [one for one in found if not is_published(one.id) and published_id(one.id) not in published]
        alone = await self._without_published(drafts) if self._options.unpublishes else []
        things = [one for one in found if one.id in published] + alone
        changes, broken = sorted_out([self.looks.thing(one) for one in things])
        if broken:
            raise TransientError(f"{reply.place}: a look-up is no proof: {broken[0].reason}", about_record=True)
        return changes

    # ---- what changed

    async def changed(self, cursor: str | None, overlap: int) -> AsyncIterator[Batch]:
        """Yield what was changed since the cursor less the overlap; the cursor is the latest ``_updatedAt`` that was seen.

        Between pages of what is older than the overlap it is the last document's ``_updatedAt`` and ``_id``: a first load goes
        on behind it, also where very many documents are of one moment.
        """
        stamp, _, past = (cursor or "").partition(" ")
        at = parse_time(stamp) if stamp else None
        bound = moment_of(at - overlap).strftime("%Y-%m-%dT%H:%M:%S") if at is not None and at > overlap else ""
        params: dict[str, Any] = {"type": self._options.type, "at": stamp if past else bound, "past": past}
        stride, first = Stride(self._options.page), not past
        while True:
            size = stride.size
            try:
                found, reply = await self._ask(self._queries.changed(size, first=first), params)
            except TooMuchError as error:
                stride.too_much(error)
                continue
            batch = await self._batch(found)
            now = their_now(reply)
            times = [time for one in found if (time := parse_time(one.attribute("_updatedAt"))) is not None and time <= now]
            at = max([time for time in (at, *times) if time is not None], default=None)
            new = text_of(at) if at is not None else None
            if len(found) == size and times and max(times) < now - overlap:
                new = f"{found[-1].attribute('_updatedAt')} {found[-1].id}"
            if batch.changes or batch.broken or new != cursor:
                yield Batch(batch.changes, cursor=new, broken=batch.broken)
                cursor = new
            if len(found) < size:
                return
            params |= {"at": found[-1].attribute("_updatedAt"), "past": found[-1].id}
            first = False
            stride.came(len(reply.body))

    async def _batch(self, found: Sequence[Document]) -> Batch:
        """Return what documents say; a draft only says something where there is no published one."""
        drafts = [one for one in found if not is_published(one.id)]
        alone = await self._without_published(drafts) if self._options.unpublishes else []
        things = [one for one in found if is_published(one.id)] + alone
        changes, broken = sorted_out([self.looks.thing(one) for one in things])
        return Batch(changes, broken=broken)

    async def _ask(self, query: str, params: Mapping[str, Any]) -> tuple[list[Document], Reply]:
        parsed, found, reply = await self._dataset.query(query, params)
        return documents(parsed, found, reply), reply


def sorted_out(looks: Sequence[Change | Broken]) -> tuple[list[Change], list[Broken]]:
    """Return the looks, and what could not be read."""
    return [one for one in looks if isinstance(one, Change)], [one for one in looks if isinstance(one, Broken)]


def spellings(value: Native) -> list[Native]:
    """Return a value as a document may have it: a key may be text on one side and a number on the other."""
    if isinstance(value, bool) or value is None:
        return [value]
    if isinstance(value, int | Decimal):
        return [value, str(value)]
    if isinstance(value, str) and value.isascii() and value.isdecimal() and str(int(value[:15])) == value:
        return [value, int(value)]
    return [value]


def their_now(reply: Reply) -> int:
    """Return the service's own time, the end of its second; ours where it does not tell."""
    try:
        return int(parsedate_to_datetime(reply.headers.get("Date", "")).timestamp()) * SECOND + SECOND
    except (ValueError, TypeError, OverflowError):
        return reply.seen_at + SECOND


def text_of(micros: int) -> str:
    """Return a time as the service writes it."""
    return moment_of(micros).isoformat().replace("+00:00", "Z")
