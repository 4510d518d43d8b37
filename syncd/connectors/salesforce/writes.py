"""Writing to one organisation, a record with a request: create, update, upsert by an external id, delete.

The guard: the record is read, and a written field that is not as it was when the write was planned makes it stale. The write
then carries the time of that read record, and Salesforce refuses it (412) if the record was saved after. Its times have whole
seconds: where the record was saved within the second of the read, it is read again after that second, so that whatever
comes between lies in a later one.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from email.utils import formatdate

from syncd.connectors.body import decode, encode, pick
from syncd.connectors.http import Reply
from syncd.connectors.protocol import Setup
from syncd.connectors.salesforce.options import SalesforceCollection
from syncd.connectors.salesforce.org import Org, part
from syncd.connectors.salesforce.reads import Reads
from syncd.connectors.salesforce.refusals import Fault, faults_of, refuse
from syncd.connectors.salesforce.rows import AUTHOR, SAVED, Rows, comparable
from syncd.connectors.salesforce.soql import full_id
from syncd.connectors.times import parse_time
from syncd.core.model import SECOND, Answer, Change, Native, Op, Receipt, Write
from syncd.errors import ConnectorError, PermanentError, StaleWrite

ROUNDS = 3  # times that a record is read again because it was edited just now
LONGEST = 2.0  # seconds between: a stamp that lies further ahead is no edit of just now
CHOICES = 300  # Multiple Choices: more than one record has the external id


class Writes:
    """Single writes of one organisation."""

    def __init__(self, setup: Setup, org: Org, reads: Reads) -> None:
        self._org = org
        self._setup = setup
        self._reads = reads

    async def apply(self, write: Write) -> Receipt:
        """Send one write, once; raises ConnectorError."""
        rows = await self._reads.rows(write.collection)
        body = values_of(rows, write)
        if write.op is Op.CREATE:
            return await self._create(rows, write, body)
        headers = self._headers(rows.options)
        if self.guarded:
            look = await self.unchanged(write)
            if look.gone:
                return Receipt(Answer.GONE, write.id, look)
            headers |= unmodified_since(look)
        path = f"sobjects/{rows.options.object}/{part(write.id or '')}"
        if write.op is Op.DELETE:
            reply = await self._org.write("DELETE", path, headers=headers)
        else:
            reply = await self._org.write("PATCH", path, encode(body), headers)
        if any(fault.is_gone for fault in faults_of(reply)) and not reply.ok:
            return Receipt(Answer.GONE, write.id)
        refuse(reply)
        return Receipt(Answer.DONE, write.id, await self.read_back(write))

    @property
    def guarded(self) -> bool:
        """Return whether an edit made since we last read is to be noticed."""
        return bool(self._setup.write.guard != "none")

    async def unchanged(self, write: Write) -> Change:
        """Return the record as it is, or that it is gone; raises StaleWrite if it was edited since the write was planned."""
        look = await self._look(write)
        for _ in range(ROUNDS):
            wait = 0.0 if look.gone else until_its_second_is_over(look, self._org.http.clock)
            if not 0 < wait <= LONGEST:
                break
            await asyncio.sleep(wait)
            look = await self._look(write)
        return look

    async def _look(self, write: Write) -> Change:
        [look] = await self._reads.read(write.collection, [write.id or ""])
        if why := edited(look, write, by_version=self._setup.write.guard == "version"):
            raise StaleWrite(f"{write.collection} {write.id}: {why}")
        return look

    async def _create(self, rows: Rows, write: Write, body: Mapping[str, Native]) -> Receipt:
        options, headers = rows.options, self._headers(rows.options)
        key = options.external_id
        value = write.values.get(key) if key else None
        if key is None or value is None or rows.described.column(key).unique:
            reply = await self._org.write("POST", f"sobjects/{options.object}", encode(body), headers)
        else:  # nothing else would refuse a twin: the upsert finds it
            path = f"sobjects/{options.object}/{key}/{part(str(value))}"
            reply = await self._org.write("PATCH", path, encode({k: v for k, v in body.items() if k != key}), headers)
        if reply.status == CHOICES:
            raise PermanentError(f"{reply.place}: {several(reply, str(key), value)}", status=CHOICES)
        twin = next((fault for fault in faults_of(reply) if fault.is_twin), None) if not reply.ok else None
        if twin is not None:
            return await self.existing(write, twin, reply.place)
        refuse(reply)
        native_id, made = answered(reply)
        look = await self.read_back(write, native_id)
        return Receipt(Answer.DONE if made else Answer.EXISTS, native_id, look)

    async def existing(self, write: Write, fault: Fault, place: str) -> Receipt:
        """Return the record that a refused create met; raises PermanentError if it is no twin by key, or not to be seen."""
        keys = [*self._setup.collections[write.collection].keys]
        external = self._reads_options(write).external_id
        keys += [external] if external and external not in keys else []
        ids = list(dict.fromkeys(fault.records))
        for look in await self._reads.read(write.collection, ids):
            if look.item is not None and any(shares(look.item, write, path) for path in keys):
                return Receipt(Answer.EXISTS, look.id, look)
        for path in keys:
            if write.values.get(path) is None:
                continue
            for look in await self._reads.find(write.collection, path, write.values[path]):
                return Receipt(Answer.EXISTS, look.id, look)
        known = f"; it is like {', '.join(ids)}" if ids else ""
        fix = "; duplicates: allow saves it all the same" if fault.code == "DUPLICATES_DETECTED" else ""
        raise PermanentError(f"{place}: {fault.said}{known}{fix}")

    async def read_back(self, write: Write, native_id: str | None = None) -> Change | None:
        """Return a record as it stands after a write; None if it cannot be read just now: the write is done all the same."""
        if write.op is Op.DELETE:
            return None
        try:
            [look] = await self._reads.read(write.collection, [native_id or write.id or ""])
        except ConnectorError:
            return None
        return self.signed(look, write)

    def signed(self, look: Change, write: Write) -> Change:
        """Return a look right after a write as the write's own state where our user is who saved the record last."""
        user = self._org.login.entry.user
        ours = bool(user) and look.item is not None and look.item.get(AUTHOR) == full_id(user)
        return replace(look, own=write.key) if ours and write.key else look

    def _reads_options(self, write: Write) -> SalesforceCollection:
        options: SalesforceCollection = self._setup.collections[write.collection].options
        return options

    def _headers(self, options: SalesforceCollection) -> dict[str, str]:
        return duplicate_header(options)


def duplicate_header(options: SalesforceCollection) -> dict[str, str]:
    """Return the header that says what a duplicate rule may do."""
    return {"Sforce-Duplicate-Rule-Header": "allowSave=true"} if options.duplicates == "allow" else {}


def values_of(rows: Rows, write: Write) -> dict[str, Native]:
    """Return what is sent of a write; raises PermanentError for what cannot be written here."""
    values = dict(write.values)
    if write.op is Op.ARCHIVE:
        if rows.options.deleted is None:
            raise PermanentError(f"{write.collection}: nothing to archive with: the collection has no deleted:")
        values[rows.options.deleted.field] = rows.options.deleted.value
    for path in values:
        if "." in path:
            raise PermanentError(f"{write.collection}: {path} belongs to the parent and is written there")
        rows.described.column(path)
    values.pop("Id", None)
    try:
        encode(values)
    except ValueError as error:  # BadBody is one
        raise PermanentError(f"{write.collection}: {error}") from error
    return values


def edited(look: Change, write: Write, *, by_version: bool) -> str:
    """Return what was edited since a write was planned, '' if nothing was that it is guarded by."""
    if look.gone or look.item is None:
        return ""
    if by_version and write.version is not None and look.version != write.version:
        return "edited since it was last read"
    for path, before in write.before.items():
        if comparable(pick(look.item, path)) != comparable(before):
            return f"{path} was edited since it was last read"
    return ""


def unmodified_since(look: Change) -> dict[str, str]:
    """Return the header by which Salesforce refuses to write over an edit made after a look."""
    at = saved_at(look)
    return {} if at is None else {"If-Unmodified-Since": formatdate(at // SECOND, usegmt=True)}


def saved_at(look: Change) -> int | None:
    """Return when Salesforce saved a record last, whatever the collection's ``changed_at`` is."""
    return parse_time(look.item.get(SAVED)) if look.item is not None else None


def until_its_second_is_over(look: Change, clock: tuple[int, int]) -> float:
    """Return how many seconds too early a look was: within the second of the last edit, by Salesforce's clock as we know it."""
    at = saved_at(look)
    if at is None:
        return 0.0
    offset, unsure = clock
    return ((at // SECOND + 1) * SECOND + unsure - look.seen_at - offset) / SECOND


def shares(item: Mapping[str, Native], write: Write, path: str) -> bool:
    """Return whether a record has a key of a write; Salesforce compares texts without their case."""
    mine, theirs = write.values.get(path), item.get(path)
    return mine is not None and theirs is not None and str(mine).casefold() == str(theirs).casefold()


def answered(reply: Reply) -> tuple[str | None, bool]:
    """Return the id that an answer to a create names, and whether the record was made by it."""
    if not reply.body.strip():
        return None, reply.status == 201
    answer = reply.json().value
    found = answer.get("id") if isinstance(answer, dict) else None
    made = not isinstance(answer, dict) or answer.get("created") is not False
    return (full_id(found) if isinstance(found, str) else None), made


def several(reply: Reply, key: str, value: Native) -> str:
    """Return the refusal of an upsert that more than one record answers to."""
    try:
        found = decode(reply.body)
    except ValueError:
        found = None
    ids = [str(one).rpartition("/")[2] for one in found] if isinstance(found, list) else []
    those = f" ({', '.join(ids[:5])})" if ids else ""
    return f"{key} {value} belongs to {len(ids) or 'several'} records{those}: merge them, or make the field unique"
