"""Several writes in one request: the collections resource, at most 200 records, each with a result of its own; or a job.

One request has no condition for each of its records, so the guard is a comparison just before it: an edit that comes between
the two is written over. Where that matters, ``write.batch`` is 1.
"""

import asyncio
import time
from collections.abc import Sequence
from typing import Any

from syncd.connectors.body import encode
from syncd.connectors.http import Reply
from syncd.connectors.protocol import Setup
from syncd.connectors.salesforce.ingest import Load, Told, done_by_job
from syncd.connectors.salesforce.loads import loads_of
from syncd.connectors.salesforce.options import SalesforceCollection
from syncd.connectors.salesforce.org import Org, part
from syncd.connectors.salesforce.reads import Reads
from syncd.connectors.salesforce.refusals import Fault, faults_in, meaning, refuse
from syncd.connectors.salesforce.soql import full_id
from syncd.connectors.salesforce.writes import Writes, duplicate_header, edited, values_of
from syncd.core.model import SECOND, Answer, Change, Native, Op, Receipt, Write
from syncd.errors import ConnectorError, PermanentError, StaleWrite, TransientError

MOST = 200  # records in one request

Outcome = Receipt | ConnectorError


class Batches:
    """Writes of one organisation, many to a request."""

    def __init__(self, setup: Setup, org: Org, reads: Reads, writes: Writes) -> None:
        self._setup = setup
        self._org = org
        self._reads = reads
        self._writes = writes

    async def apply(self, writes: Sequence[Write]) -> list[Outcome]:
        """Send all writes, those of one kind together, and return their outcomes in order."""
        found: dict[int, Outcome] = {}
        kinds: dict[tuple[Op, str, bool], list[tuple[int, Write]]] = {}
        for number, write in enumerate(writes):
            op: Op = Op.UPDATE if write.op is Op.ARCHIVE else write.op
            kinds.setdefault((op, write.collection, await self._upserts(write)), []).append((number, write))
        began = time.monotonic()
        for (kind, _, upserted), some in kinds.items():
            size = len(some) if (job := self.by_job([one for _, one in some])) else MOST
            for start in range(0, len(some), size):
                numbers, together = zip(*some[start : start + size], strict=True)
                outcomes = await self._apply_some(kind, list(together), upserted=upserted, began=began if job else None)
                found |= dict(zip(numbers, outcomes, strict=True))
        return [found[number] for number in range(len(writes))]

    def by_job(self, writes: Sequence[Write]) -> bool:
        """Return whether writes to one collection go by an ingest job."""
        return bool(writes) and self._options(writes[0]).by_job(len(writes), self._setup.write.batch)

    def _options(self, write: Write) -> SalesforceCollection:
        options: SalesforceCollection = self._setup.collections[write.collection].options
        return options

    async def _upserts(self, write: Write) -> bool:
        """Return whether a create goes by its external id: nothing else would refuse a twin."""
        rows = await self._reads.rows(write.collection)
        key = rows.options.external_id
        if write.op is not Op.CREATE or key is None or write.values.get(key) is None:
            return False
        return not rows.described.column(key).unique

    async def _apply_some(self, op: Op, writes: list[Write], *, upserted: bool, began: float | None) -> list[Outcome]:
        try:
            bodies, kept = await self._prepared(op, writes)
            sent = [number for number in range(len(writes)) if number in bodies]
            if sent:
                some, said = [writes[n] for n in sent], [bodies[n] for n in sent]
                if began is None:
                    results = await self._send(op, some, said, upserted=upserted)
                else:
                    results = await self._by_jobs(op, some, said, upserted=upserted, began=began)
                kept |= dict(zip(sent, results, strict=True))
        except ConnectorError as error:
            return [error for _ in writes]
        return [kept[number] for number in range(len(writes))]

    async def _prepared(self, op: Op, writes: list[Write]) -> tuple[dict[int, dict[str, Native]], dict[int, Outcome]]:
        """Return what is sent of each write, and apart from it what need not be sent, by its number."""
        rows = await self._reads.rows(writes[0].collection)
        kept: dict[int, Outcome] = {}
        bodies: dict[int, dict[str, Native]] = {}
        looks: list[Change] = []
        if op is not Op.CREATE and self._writes.guarded:
            looks = await self._reads.read(writes[0].collection, [write.id or "" for write in writes])
        by_version = self._setup.write.guard == "version"
        for number, write in enumerate(writes):
            look = looks[number] if looks else None
            if look is not None and look.gone:
                kept[number] = Receipt(Answer.GONE, write.id, look)
            elif look is not None and (why := edited(look, write, by_version=by_version)):
                kept[number] = StaleWrite(f"{write.collection} {write.id}: {why}")
            else:
                try:
                    bodies[number] = values_of(rows, write)
                except PermanentError as error:
                    kept[number] = error
        return bodies, kept

    async def _send(self, op: Op, writes: list[Write], bodies: list[dict[str, Native]], *, upserted: bool) -> list[Outcome]:
        rows = await self._reads.rows(writes[0].collection)
        options, headers = rows.options, duplicate_header(rows.options)
        if op is Op.DELETE:
            ids = ",".join(part(write.id or "") for write in writes)
            reply = await self._org.write("DELETE", f"composite/sobjects?ids={ids}&allOrNone=false", headers=headers)
        else:
            typed = {"attributes": {"type": options.object}}
            named = [{} if op is Op.CREATE else {"Id": write.id} for write in writes]
            records = [typed | one | body for one, body in zip(named, bodies, strict=True)]
            body = encode({"allOrNone": False, "records": records})
            method = "POST" if op is Op.CREATE and not upserted else "PATCH"
            path = f"composite/sobjects/{options.object}/{options.external_id}" if upserted else "composite/sobjects"
            reply = await self._org.write(method, path, body, headers)
        refuse(reply)
        items = results_of(reply, len(writes))
        outcomes = [await self._outcome(write, item, reply.place) for write, item in zip(writes, items, strict=True)]
        return await self._with_looks(writes, outcomes)

    async def _by_jobs(
        self, op: Op, writes: list[Write], bodies: list[dict[str, Native]], *, upserted: bool, began: float
    ) -> list[Outcome]:
        """Send writes by ingest jobs, one after the other; what CSV cannot say goes as records of a collection."""
        loads, left = loads_of(await self._reads.rows(writes[0].collection), op, writes, bodies, upserted=upserted)
        patience = self._options(writes[0]).bulk_patience / SECOND
        found: dict[int, Outcome] = {}
        for numbers, load in loads:
            told = await self._told(load, began, patience)
            calls = [self._meant(writes[n], one, load) for n, one in zip(numbers, told, strict=True)]
            found |= dict(zip(numbers, await asyncio.gather(*calls), strict=True))
        for start in range(0, len(left), MOST):
            some = left[start : start + MOST]
            sent = await self._apply_some(op, [writes[n] for n in some], upserted=upserted, began=None)
            found |= dict(zip(some, sent, strict=True))
        return await self._with_looks(writes, [found[number] for number in range(len(writes))])

    async def _told(self, load: Load, began: float, patience: float) -> list[Told]:
        """Return what a job said of its rows; one that has not begun while half of the time is left is not begun at all."""
        if time.monotonic() - began > patience / 2:
            late = TransientError(f"{load.object}: other ingest jobs of the batch took too long (bulk_patience)")
            return [late] * len(load.rows)
        try:
            return await done_by_job(self._org, load, began + patience)
        except ConnectorError as error:
            return [error] * len(load.rows)

    async def _meant(self, write: Write, told: Told, load: Load) -> Outcome:
        return told if isinstance(told, ConnectorError) else await self._outcome(write, told, f"{load.operation} job")

    async def _outcome(self, write: Write, item: dict[str, Any], place: str) -> Outcome:
        if item.get("success") is True:
            found = item.get("id")
            native_id = full_id(found) if isinstance(found, str) else write.id
            existed = write.op is Op.CREATE and item.get("created") is False
            return Receipt(Answer.EXISTS if existed else Answer.DONE, native_id)
        faults = faults_in(item.get("errors") or ())
        if write.op is not Op.CREATE and any(fault.is_gone for fault in faults):
            return Receipt(Answer.GONE, write.id)
        if write.op is Op.CREATE and (twin := _twin(faults)):
            try:
                return await self._writes.existing(write, twin, place)
            except ConnectorError as error:
                return error
        return meaning(place, 400, faults) or TransientError(f"{place}: no reason given", about_record=True)

    async def _with_looks(self, writes: list[Write], outcomes: list[Outcome]) -> list[Outcome]:
        """Return the outcomes with the records as they stand now, all read at once; without them if that fails."""
        done = {
            number: one.id
            for number, one in enumerate(outcomes)
            if isinstance(one, Receipt) and one.look is None and one.id and writes[number].op is not Op.DELETE
        }
        try:
            looks = await self._reads.read(writes[0].collection, list(done.values()))
        except ConnectorError:  # the writes are done; what they made is seen later
            return outcomes
        for number, look in zip(done, looks, strict=True):
            receipt = outcomes[number]
            assert isinstance(receipt, Receipt)
            outcomes[number] = Receipt(receipt.answer, receipt.id, self._writes.signed(look, writes[number]))
        return outcomes


def _twin(faults: Sequence[Fault]) -> Fault | None:
    return next((fault for fault in faults if fault.is_twin), None)


def results_of(reply: Reply, count: int) -> list[dict[str, Any]]:
    """Return the results of a request, one for each record; raises TransientError if they are not as many."""
    answer = reply.json().value
    if not isinstance(answer, list) or len(answer) != count or not all(isinstance(one, dict) for one in answer):
        said = f"{reply.place}: answered without a result for each record"
        raise TransientError(said, status=reply.status, about_record=True)
    return answer
