"""Sends writes and tells what became of them. One write is one transaction; reads around it change nothing."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from syncd.connectors.body import salvage
from syncd.connectors.http import Reply, refuse
from syncd.connectors.protocol import Broken
from syncd.connectors.sanity.dataset import Dataset
from syncd.connectors.sanity.looks import Looks, seen_of
from syncd.connectors.sanity.own import DRAFT, transaction_of
from syncd.connectors.sanity.queries import WHOLE
from syncd.connectors.sanity.refusals import (
    CONFLICT,
    EXISTS,
    FORBIDDEN,
    NOT_FOUND,
    REPEATED,
    REVISION,
    check,
    refusal_of,
)
from syncd.connectors.sanity.writing import Order, Ways, id_of, order_of, reads_first
from syncd.core.model import Answer, Change, Op, Receipt, Write
from syncd.errors import ConnectorError, PermanentError, StaleWrite, TransientError

Read = Callable[[str], Awaitable[Change]]


class Deeds:
    """The writes of one collection. ``read`` returns what a thing is now."""

    def __init__(self, dataset: Dataset, ways: Ways, looks: Looks, read: Read) -> None:
        self._dataset = dataset
        self._ways = ways
        self._looks = looks
        self._read = read

    async def do(self, write: Write) -> Receipt:
        """Send a write once and return its receipt; raises ConnectorError."""
        documents = await self._documents(write) if reads_first(write, self._ways) else {}
        order = order_of(write, self._ways, documents)
        if not order.mutations:
            return Receipt(Answer.GONE, order.id)
        transaction = transaction_of(write.key)
        reply = await self._dataset.mutate(order.mutations, transaction=transaction, key=f"{write.collection} {order.id}")
        if reply.ok:
            return await self._receipt(write, order, reply)
        return await self._refused(write, order, reply, transaction)

    async def _documents(self, write: Write) -> dict[str, Any]:
        ids = [write.id, f"{DRAFT}{write.id}"] if write.id else [id_of(write, self._ways)]
        parsed, found, reply = await self._dataset.query(WHOLE, {"ids": ids})
        reason = parsed.flaw(found)
        if reason:
            raise PermanentError(f"{reply.place}: {write.id}: {reason}")
        return {str(one["_id"]): one for one in found if isinstance(one, dict)}

    async def _receipt(self, write: Write, order: Order, reply: Reply) -> Receipt:
        """Return what was stored, as the answer shows it; where that says too little, as a read shows it."""
        if write.op is Op.DELETE:
            return Receipt(Answer.DONE, order.id)
        parsed = reply.json()
        said = salvage(parsed.value)
        revision = said.get("transactionId") if isinstance(said, dict) else None
        version = revision if isinstance(revision, str) else None
        shown = _document_in(said, order.id)
        if shown is not None and not parsed.flaw(shown) and not self._ways.options.filter:
            look = self._looks.written(shown, seen_of(reply))
            if not isinstance(look, Broken):
                return Receipt(Answer.DONE, order.id, look, atomic=True, version=version)
        return Receipt(Answer.DONE, order.id, await self._read_back(order.id), version=version)

    async def _read_back(self, native_id: str) -> Change | None:
        try:
            return await self._read(native_id)
        except ConnectorError:  # the write is done; what it made is seen later
            return None

    async def _refused(self, write: Write, order: Order, reply: Reply, transaction: str | None) -> Receipt:
        """Return the receipt of a transaction that was refused because it was done before; raises what else it means."""
        if reply.status in {401, 403, 429, 503} or reply.status >= 500:
            refuse(reply)
        why = refusal_of(reply)
        if transaction and (why.kind == REPEATED or (reply.status == 409 and await self._happened(order.id, transaction))):
            return Receipt(Answer.DONE, order.id, await self._read_back(order.id), version=transaction)
        said = f"{write.collection} {order.id}: {why.text or reply.status}"
        if why.kind == NOT_FOUND and why.id in {order.id, ""}:
            return Receipt(Answer.GONE, order.id)
        if why.kind in {REVISION, NOT_FOUND}:
            raise StaleWrite(said, status=reply.status)
        if why.kind == EXISTS:
            return await self._existing(write, order, said)
        if why.kind == CONFLICT:
            raise TransientError(said, status=reply.status, about_record=True)
        if reply.status == 404 and not why.kind:  # no such dataset: of no record's making
            raise TransientError(f"{reply.place}: answered 404", status=404)
        if why.kind == FORBIDDEN:
            raise TransientError(f"login: {said}", status=reply.status)
        check(reply)
        raise PermanentError(said, status=reply.status)  # pragma: no cover - check raises for whatever is no success

    async def _happened(self, native_id: str, transaction: str) -> bool:
        """Return whether our transaction was applied before: by the revision it left, else by the history."""
        parsed, found, _ = await self._dataset.query(WHOLE, {"ids": [native_id]})
        if any(isinstance(one, dict) and one.get("_rev") == transaction for one in found) and parsed:
            return True
        return await self._dataset.happened(native_id, transaction)

    async def _existing(self, write: Write, order: Order, said: str) -> Receipt:
        """Return what a refused create met; raises PermanentError if that is none of this collection's things."""
        if write.op is not Op.CREATE:
            raise StaleWrite(said, status=409)  # published by somebody else meanwhile
        look = await self._read(order.id)
        if look.gone or look.left:
            raise PermanentError(f"{said}; it is no {self._ways.options.type} in scope", status=409)
        return Receipt(Answer.EXISTS, order.id, look)


def _document_in(said: Any, native_id: str) -> Mapping[str, Any] | None:
    """Return the document as the last step of a transaction left it, None if the answer does not show it."""
    results = said.get("results") if isinstance(said, dict) else None
    shown = None
    for result in results if isinstance(results, list) else []:
        if isinstance(result, dict) and result.get("id") == native_id:
            deleted = result.get("operation") == "delete"
            shown = None if deleted or not isinstance(result.get("document"), dict) else result["document"]
    return shown
