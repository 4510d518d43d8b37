"""Reading one organisation: whole objects, what changed, records by id, records by a key."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace

from syncd.connectors.protocol import Batch, Broken, Page, Setup
from syncd.connectors.salesforce.bulk import bulk_sheets
from syncd.connectors.salesforce.history import with_times
from syncd.connectors.salesforce.listed import Listed
from syncd.connectors.salesforce.options import SalesforceCollection, SalesforcePoll
from syncd.connectors.salesforce.org import Org, part
from syncd.connectors.salesforce.poll import Position, changed_query, deleted_span, moved
from syncd.connectors.salesforce.query import Sheet, records_of, sheets
from syncd.connectors.salesforce.rows import Rows, paths_of, split, stamp_of
from syncd.connectors.salesforce.schema import Schema
from syncd.connectors.salesforce.soql import both, fitting, full_id, in_ids, is_id, literal, stamp, text
from syncd.connectors.shape import Seen
from syncd.connectors.since import their_now
from syncd.connectors.times import parse_time
from syncd.core.model import Change, Native, Via
from syncd.errors import PermanentError, TransientError

ODD_IDS = ("MALFORMED_ID", "INVALID_QUERY_FILTER_OPERATOR", "INVALID_ID_FIELD")  # an id that this object cannot have
NEVER_POLLED = SalesforcePoll.model_validate({"every": "1m"})


class Reads:
    """All reads of one organisation."""

    def __init__(self, setup: Setup, org: Org) -> None:
        self.schema = Schema(org)
        self._org = org
        self._setup = setup
        self._rows: dict[str, Rows] = {}

    async def rows(self, collection: str) -> Rows:
        """Return a collection's records as the object is described now; raises PermanentError if the config is not."""
        options = self._options(collection)
        described = await self.schema.described(options.object)
        known = self._rows.get(collection)
        if known is None or known.described is not described:
            configured, cursor = self._setup.collections[collection], self._poll.cursor
            paths = paths_of(configured, stamp_of(options, cursor, described), described)
            await self.schema.check(collection, options.object, paths)
            known = self._rows[collection] = Rows(configured, described, self._setup.platform, cursor)
        return known

    async def scan(self, collection: str) -> AsyncIterator[Page]:
        """Yield every record in scope; an unfinished result is not complete."""
        rows = await self.rows(collection)
        scope = self._scope(collection)

        def after(record: Native | None) -> str:
            behind = f"Id > {text(full_id(str(record.get('Id'))))}" if isinstance(record, dict) else None
            return rows.select + both(scope, behind) + " ORDER BY Id"

        if self._options(collection).full_read == "bulk":
            types = {path: (await self.schema.column(rows.described, path)).type for path in rows.paths}
            found = bulk_sheets(self._org, rows.select + both(scope), types)
        else:
            found = sheets(self._org, after)
        async for sheet in found:
            changes, broken = split(rows.of_sheets([sheet]))
            yield Page(await with_times(self._org, rows, changes), broken, sheet.last, sheet.last and not sheet.why, sheet.why)

    async def changes(self, collection: str, cursor: str | None) -> AsyncIterator[Batch]:
        """Yield what changed since a cursor, the oldest first; each batch's cursor can be resumed from."""
        rows, start, poll = await self.rows(collection), Position.of(cursor), self._poll
        if rows.listed:
            async for batch in Listed(self._org, self, collection, poll, self._setup.now).changes(start):
                yield batch
            return
        position, gone, began = start, set[str](), 0

        def query(behind: Native | None) -> str:
            return changed_query(rows, start, poll, behind)

        async for sheet in sheets(self._org, query, deleted=rows.has_bin):
            now = their_now(sheet.reply) or self._setup.now()
            began = began or now
            position = moved(rows, position, sheet.records, now=now, overlap=poll.overlap)
            told = rows.of_sheets([sheet])
            changes, broken = await self._in_scope(collection, rows, told)
            gone |= {one.id for one in changes if one.gone}
            if changes or broken:
                yield Batch(changes, cursor=position.text(), broken=broken)
            if sheet.why:
                raise TransientError(f"{collection}: {sheet.why}")
        ended = replace(position, id="", gone=position.gone or began)
        final = await self._deletions(collection, ended, gone, began) or Batch((), cursor=ended.text())
        if final.changes or final.cursor != cursor:
            yield final

    async def read(self, collection: str, ids: Sequence[str]) -> list[Change]:
        """Return one change per id; what cannot be an id here is gone."""
        if not ids:
            return []
        rows = await self.rows(collection)
        seen = Seen(Via.READ, self._setup.number(), self._setup.now(), rows.options.object)
        found = await self._by_id(collection, rows, [one for one in ids if is_id(one)])
        return [found.get(one) or rows.gone(one, seen) for one in ids]

    async def looked(self, collection: str, ids: Sequence[str]) -> Batch:
        """Return what records are that Salesforce itself listed, and what they were merged into after them."""
        rows = await self.rows(collection)
        seen = Seen(Via.READ, self._setup.number(), self._setup.now(), rows.options.object)
        told = [one for some in fitting(ids, rows.select) for one in rows.of_sheets(await self._some(rows, some))]
        known = {one.id for one in told}
        if None not in known:  # one that cannot be read at all may be any of them
            told += [rows.gone(one, seen) for one in ids if one not in known]
        changes, broken = await self._in_scope(collection, rows, told)
        return Batch(changes, broken=broken)

    async def shown(self, collection: str, sheet: Sheet) -> Batch:
        """Return what a page of a query shows."""
        changes, broken = await self._in_scope(collection, rows := await self.rows(collection), rows.of_sheets([sheet]))
        return Batch(changes, broken=broken)

    async def find(self, collection: str, path: str, value: Native) -> list[Change]:
        """Return the records whose field has exactly this value: Salesforce itself compares texts without their case."""
        rows = await self.rows(collection)
        column = await self.schema.column(rows.described, path)
        soql = rows.select + both(f"{path} = {literal(value, column.type)}", self._scope(collection))
        changes, broken = split(rows.of_sheets(await records_of(self._org, soql)))
        if broken:
            raise TransientError(f"{collection}: a look-up is no proof: {broken[0].reason}", about_record=True)
        wanted = literal(value, column.type)
        exact = [one for one in changes if not one.gone and _same(one, path, wanted, column.type)]
        return await with_times(self._org, rows, exact)

    async def _by_id(self, collection: str, rows: Rows, ids: Sequence[str]) -> dict[str, Change]:
        """Return what the ids are now, by the id as it was asked for; a record that left the recycle bin is not in it."""
        found: dict[str, Change] = {}
        for some in fitting(ids, rows.select):
            told = rows.of_sheets(await self._some(rows, some))
            changes, broken = await self._in_scope(collection, rows, told, follow=False)
            if broken:
                raise PermanentError(f"{broken[0].where}: {broken[0].reason}")
            shown = {one.id: one for one in changes}
            found |= {one: replace(shown[full_id(one)], id=one) for one in some if full_id(one) in shown}
        return found

    async def _some(self, rows: Rows, ids: Sequence[str]) -> list[Sheet]:
        try:
            return await records_of(self._org, rows.select + both(in_ids("Id", ids)), deleted=rows.has_bin)
        except PermanentError as error:
            if not any(code in str(error) for code in ODD_IDS):
                raise
            if len(ids) == 1:
                return []
        return [sheet for one in ids for sheet in await self._some(rows, [one])]

    async def _in_scope(
        self, collection: str, rows: Rows, told: Sequence[Change | Broken], *, follow: bool = True
    ) -> tuple[list[Change], list[Broken]]:
        """Return changes, those out of scope as left; a record that lost a merge comes before a fresh look at the winner."""
        changes, broken = split(told)
        scope = self._scope(collection)
        there = [one.id for one in changes if not one.gone]
        if scope and there:
            inside = await self._inside(rows, scope, there)
            changes = [one if one.gone or one.id in inside else rows.left(one) for one in changes]
        if follow and (masters := list(dict.fromkeys(one.merged_into for one in changes if one.merged_into))):
            changes += await self.read(collection, masters)
        return await with_times(self._org, rows, changes), broken

    async def _inside(self, rows: Rows, scope: str, ids: Sequence[str]) -> set[str]:
        select = f"SELECT Id FROM {rows.options.object}"  # noqa: S608 - a name, no value
        found: set[str] = set()
        for some in fitting(ids, select + both(scope)):
            for sheet in await records_of(self._org, select + both(in_ids("Id", some), scope)):
                found |= {full_id(str(one.get("Id"))) for one in sheet.records if isinstance(one, dict)}
        return found

    async def _deletions(self, collection: str, ended: Position, known: set[str], now: int) -> Batch | None:
        """Return what the list of deleted ids shows beyond what the query did, each read once more: it may be back."""
        rows = await self.rows(collection)
        span = deleted_span(ended, self._poll, now) if rows.described.replicated else None
        if span is None:
            return None
        start, end = (part(stamp(at).removesuffix("Z") + "+00:00") for at in span)
        parsed, reply = await self._org.get(f"sobjects/{rows.options.object}/deleted/?start={start}&end={end}")
        answer = parsed.value if isinstance(parsed.value, dict) else {}
        listed = answer.get("deletedRecords")
        covered = parse_time(answer.get("latestDateCovered"))
        if not isinstance(listed, list) or covered is None:
            raise TransientError(f"{reply.place}: answered with no list of deleted records", about_record=True)
        ids = {full_id(str(one.get("id"))) for one in listed if isinstance(one, dict)} - known
        changes = await self.read(collection, sorted(ids))
        return Batch(changes, cursor=replace(ended, gone=max(covered, ended.gone or 0)).text())

    @property
    def _poll(self) -> SalesforcePoll:
        poll: SalesforcePoll | None = self._setup.watch.poll
        return poll or NEVER_POLLED

    def _options(self, collection: str) -> SalesforceCollection:
        options: SalesforceCollection = self._setup.collections[collection].options
        return options

    def _scope(self, collection: str) -> str | None:
        where = self._options(collection).where
        return f"({where})" if where else None


def _same(change: Change, path: str, wanted: str, kind: str) -> bool:
    value: Native = change.item
    for step in path.split("."):
        value = value.get(step) if isinstance(value, dict) else None
    return literal(value, kind) == wanted
