"""One write: read what is there, compare it with what the write was planned on, send one request, say what came of it.

Between the comparison and the request the shop lets anybody write: only stock and metafields are guarded by the shop itself.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace

from syncd.connectors.body import pick
from syncd.connectors.graphql_call import Answered
from syncd.connectors.protocol import Broken
from syncd.connectors.shopify.answers import Meaning, Refusal, refusals
from syncd.connectors.shopify.creates import creation, needs_place
from syncd.connectors.shopify.inputs import is_writable, shown
from syncd.connectors.shopify.listing import Reader
from syncd.connectors.shopify.mutations import Mutation, Request, request_of
from syncd.connectors.shopify.objects import gid
from syncd.connectors.shopify.place import Place, same
from syncd.connectors.shopify.selection import Selection
from syncd.connectors.shopify.stock import unplaced
from syncd.connectors.shopify.updates import Current, extras, mutations_of
from syncd.core.model import Answer, Change, Native, Op, Receipt, Write
from syncd.errors import ConnectorError, OutcomeUnknown, PermanentError, StaleWrite

Find = Callable[[str, Native], Awaitable[list[Change]]]
Locations = Callable[[], Awaitable[list[str]]]


class Writer:
    """Writes to one collection. ``find`` looks things up by key, ``locations`` are the shop's."""

    def __init__(self, place: Place, reader: Reader, *, guarded: bool, find: Find, locations: Locations) -> None:
        self._place = place
        self._reader = reader
        self._guarded = guarded
        self._find = find
        self._locations = locations

    async def apply(self, write: Write) -> Receipt:
        """Send a write as one request. Raises StaleWrite without sending it if the thing was edited since it was planned."""
        if write.op is Op.CREATE:
            return await self._create(write)
        now = await self._current(write)
        if now is None:
            return Receipt(Answer.GONE, write.id)
        edited = self._edited(write, now.item) if self._guarded else ""
        if edited and not write.adjust:
            raise StaleWrite(edited)
        if edited:  # an adjustment that is repeated must come to its answer, or it would be counted as somebody else's
            write = replace(write, values={path: write.values[path] for path in write.adjust_at.values()})
        kind, options = self._place.kind.name, self._place.options
        only = await self._only_location() if unplaced(kind, write, now.item, location=options.place) else None
        mutations = mutations_of(kind, write, now, options, guarded=self._guarded, only=only)
        if not mutations:
            return Receipt(Answer.DONE, write.id, await self._look(write.id))
        answered, refused, request = await self._send(mutations)
        if not refused:
            return Receipt(Answer.DONE, write.id) if write.op is Op.DELETE else await self._receipt(write, answered, request)
        if len(refused) < len(mutations):
            return await self._in_part(write, answered, refused)
        return await self._refused(write, answered, refused)

    async def _create(self, write: Write) -> Receipt:
        place, options = None, self._place.options
        if needs_place(write):
            place = options.place or await self._only_location()
        made = creation(self._place.kind.name, write, options, place=place)
        answered, refused, request = await self._send([made])
        if not refused:
            return await self._receipt(write, answered, request)
        if refused[0].meaning is Meaning.EXISTS:
            for path in self._place.collection.keys:
                value = write.values.get(path)
                for look in await self._looked_up(path, value) if value is not None else []:
                    return Receipt(Answer.EXISTS, look.id, look)
        raise refused[0].error(answered.reply.place)

    async def _send(self, mutations: Sequence[Mutation]) -> tuple[Answered, list[Refusal], Request]:
        request = request_of(mutations, self._reader.selection.text)
        answered = await self._reader.api.send(request.document, request.variables)
        return answered, refusals(answered.data, mutations), request

    async def _receipt(self, write: Write, answered: Answered, request: Request) -> Receipt:
        """Return what the shop stored: what its answer shows, else what is read again."""
        element = pick(answered.data, request.look) if request.look else None
        if isinstance(element, dict) and pick(element, "id") is not None:
            look = await self._reader.observed(element, answered)
            native = look.id or write.id
            if isinstance(look, Change) and self._shows(look.item, write):
                return Receipt(Answer.DONE, native, look, atomic=True)
            return Receipt(Answer.DONE, native, look if isinstance(look, Change) else None)
        return Receipt(Answer.DONE, write.id, await self._look(write.id))

    async def _in_part(self, write: Write, answered: Answered, refused: Sequence[Refusal]) -> Receipt:
        """Return what is there now: what was done shows as done, the rest is planned again, and then refused by itself.

        Raises what the refusal means where it is of an adjustment: what is there now does not tell that it was not done.
        """
        for one in refused:
            if set(one.paths) & set(write.adjust_at.values()):
                raise one.error(answered.reply.place)
        look = await self._look(write.id)
        if look is None:
            words = "; ".join(one.words for one in refused)
            raise OutcomeUnknown(f"{answered.reply.place}: done in part, and not to be read: {words}", status=200)
        if look.gone:
            return Receipt(Answer.GONE, write.id, look)
        return Receipt(Answer.DONE, write.id, look)

    async def _refused(self, write: Write, answered: Answered, refused: Sequence[Refusal]) -> Receipt:
        order = list(Meaning)
        first = min(refused, key=lambda one: order.index(one.meaning))
        if first.meaning is Meaning.GONE:
            look = await self._look(write.id)
            if look is not None and look.gone:
                return Receipt(Answer.GONE, write.id, look)
        raise first.error(answered.reply.place)

    async def _current(self, write: Write) -> Current | None:
        """Return the thing as it is now, with what is needed to write it; None if it is gone."""
        kind, options = self._place.kind.name, self._place.options
        native = gid(kind, write.id or "")
        if native is None:
            return None
        paths = [path for path in write.values if is_writable(kind, path)]
        wanted = [self._place.options.id, *paths, *extras(kind, paths, options)]
        selection = Selection(kind, wanted, location=options.place, digests=True)
        reader = Reader(self._reader.api, self._place.kind, selection, self._place.shape, max_cost=self._reader.max_cost)
        [node], answered = await reader.read([native])
        if not isinstance(node, dict) or not node:
            return None
        found = await reader.observed(node, answered)
        if isinstance(found, Broken):
            raise PermanentError(f"{found.where}: {found.reason}")
        return Current(found.item, selection.proofs(node))

    def _edited(self, write: Write, now: Native) -> str:
        """Return which written path holds something else than the write was planned on, in words; "" if none does.

        Beside an adjustment what is to be written is no edit: it is what the same write did whose answer was lost.
        """
        for path, value in write.values.items():
            if path not in write.before or path in write.adjust_at.values():
                continue
            here, there = pick(now, path), write.before[path]
            if not same(here, there) and not (write.adjust and same(here, value)):
                text = f"{path} is {shown(here)} now, it was {shown(there)} when this was planned"
                return f"{write.collection} {write.id}: {text}"
        return ""

    def _shows(self, item: Native, write: Write) -> bool:
        """Return whether an answer shows everything that was written."""
        missing = object()
        return all(pick(item, path, missing) is not missing for path in write.values)

    async def _look(self, native: str | None) -> Change | None:
        """Return the thing as it is read now, None if it cannot be read: then it is seen later."""
        known = gid(self._place.kind.name, native or "")
        if known is None:
            return None
        try:
            [node], answered = await self._reader.read([known])
            return await self._reader.one(native or "", node, answered)
        except ConnectorError:
            return None

    async def _looked_up(self, path: str, value: Native) -> list[Change]:
        """Return what a key finds; nothing for a key that the shop cannot be searched by."""
        try:
            return await self._find(path, value)
        except PermanentError:
            return []

    async def _only_location(self) -> str:
        found = await self._locations()
        if len(found) == 1:
            return found[0]
        text = f"the shop has {len(found)} locations: name the one whose stock is meant by location:"
        raise PermanentError(f"{self._place.collection.name}: {text}")
