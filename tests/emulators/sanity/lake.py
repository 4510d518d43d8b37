"""The emulated service behind its HTTP: a dataset, the evaluator that queries it, listeners and webhooks.

A transaction is committed, then shown to queries, then told to listeners and webhooks.
"""

import asyncio
import json
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Self

from tests.emulators.courier import Courier
from tests.emulators.sanity.dataset import Dataset, Document, Transaction
from tests.emulators.sanity.evaluator import Evaluator
from tests.emulators.sanity.faults import Asked, Faults
from tests.emulators.sanity.listening import Listener, event_of, is_heard
from tests.emulators.sanity.signing import signed

PROJECT, DATASET = "a1b2c3d4", "production"
PERSON = "person-1"  # who edits in the Studio


@dataclass(frozen=True)
class WebhookRule:
    """One webhook as set up in Sanity: which documents, what of them, signed with what."""

    secret: str
    filter: str = "*"
    projection: str = "{_id, _type, _rev, _updatedAt}"
    on: tuple[str, ...] = ("create", "update", "delete")
    drafts: bool = False
    id: str = "hook-1"


@dataclass
class Lake:
    """The whole service. ``roles``: token -> role. ``precise``: its times have milliseconds. ``limit``: requests a second.

    ``window``: for very many documents, how many after ``$after`` a query is made over (``groq.mjs``).
    """

    project: str = PROJECT
    roles: dict[str, str] = field(default_factory=lambda: {"editor-token": "editor", "viewer-token": "viewer"})
    precise: bool = False
    window: int = 0
    limit: int | None = None
    rule: WebhookRule | None = None
    faults: Faults = field(default_factory=Faults)
    courier: Courier = field(default_factory=Courier)
    requests: list[Asked] = field(default_factory=list)
    listeners: set[Listener] = field(default_factory=set)
    shift: float = 0.0  # seconds that its clock is ahead

    def __post_init__(self) -> None:
        self.data = Dataset(self.now)
        self.evaluator = Evaluator()
        self._hidden: list[Transaction] = []
        self._telling = asyncio.Lock()
        self._second = (0, 0)

    async def __aenter__(self) -> Self:
        await self.evaluator.__aenter__()
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.courier.close()
        await self.evaluator.__aexit__(*exc)

    def now(self) -> str:
        """Return the service's time as it writes it."""
        moment = datetime.fromtimestamp(time.time() + self.shift, UTC)
        text = moment.isoformat(timespec="milliseconds" if self.precise else "seconds")
        return text.replace("+00:00", "Z")

    @property
    def documents(self) -> dict[str, Document]:
        """Return everything, drafts as well, by id."""
        return self.data.documents

    @property
    def writes(self) -> int:
        """Return how many requests arrived that change something."""
        return sum(1 for asked in self.requests if asked.writes)

    def count(self, what: str) -> int:
        """Return how many requests of one part of the API arrived."""
        return sum(1 for asked in self.requests if asked.what == what)

    # ---- the hand of a person

    async def put(self, document: Document) -> str:
        """Create or replace a document as a person; return its id."""
        return (await self.edit([{"createOrReplace": document} if "_id" in document else {"create": document}])).steps[0].id

    async def patch(self, native: str, **patch: Any) -> None:
        """Patch a document as a person: ``set={...}``, ``unset=[...]``."""
        await self.edit([{"patch": {"id": native, **patch}}])

    async def remove(self, native: str) -> None:
        """Delete a document as a person."""
        await self.edit([{"delete": {"id": native}}])

    async def publish(self, native: str) -> None:
        """Publish a draft as a person."""
        draft = self.documents[f"drafts.{native}"]
        await self.edit([{"createOrReplace": draft | {"_id": native}}, {"delete": {"id": f"drafts.{native}"}}])

    async def load(self, documents: list[Document]) -> None:
        """Take in many documents at once, told to nobody. Those that have an ``_updatedAt`` keep it."""
        at = self.now()
        for document in documents:
            made = {"_createdAt": at, "_updatedAt": at, "_rev": f"load-{document['_id']}"} | document
            self.documents[made["_id"]] = made
        for start in range(0, len(documents), 2000):
            await self.evaluator.feed([self.documents[one["_id"]] for one in documents[start : start + 2000]])

    # ---- transactions

    async def edit(self, mutations: list[dict[str, Any]], *, author: str = PERSON, **more: Any) -> Transaction:
        """Commit a transaction and tell of it; raises RefusedError."""
        done = self.data.apply(mutations, author=author, **more)
        await self.spread(done)
        return done

    async def spread(self, done: Transaction, visibility: str = "sync") -> None:
        """Show a committed transaction to queries and tell listeners and webhooks; ``async`` does not wait for it."""
        if visibility == "sync":
            await self._spread(done)
        else:
            self._late = asyncio.ensure_future(self._spread(done, 0.2))

    async def freshen(self) -> None:
        """Show queries what was held back as ``stale``."""
        self.faults.stale = False
        hidden, self._hidden = self._hidden, []
        for done in hidden:
            await self._show(done)

    async def _spread(self, done: Transaction, delay: float = 0.0) -> None:
        await asyncio.sleep(delay)
        async with self._telling:
            if self.faults.stale:
                self._hidden.append(done)
            else:
                await self._show(done)
            for listener in list(self.listeners):
                await self._tell(listener, done)
            await self._call(done)

    async def _show(self, done: Transaction) -> None:
        touched = {one: self.documents.get(one) for one in done.documents}
        put = [document for document in touched.values() if document is not None]
        await self.evaluator.feed(put, [one for one, document in touched.items() if document is None])

    async def _tell(self, listener: Listener, done: Transaction) -> None:
        for number, (native, (before, after)) in enumerate(done.documents.items()):
            if is_heard(listener, native):
                was, now = await self.evaluator.match(listener.query, listener.params, [before, after])
                if was or now:
                    listener.queue.put_nowait(event_of(listener, done, native, number, was=was, now=now))

    async def _call(self, done: Transaction) -> None:
        rule = self.rule
        if rule is None:
            return
        for native, (before, after) in done.documents.items():
            operation = "delete" if after is None else "create" if before is None else "update"
            if operation not in rule.on or (native.startswith(("drafts.", "versions.")) and not rule.drafts):
                continue
            document = after or before
            [matches] = await self.evaluator.match(f"*[{rule.filter}]" if rule.filter != "*" else "*", {}, [document])
            if matches:
                body = await self._projected(rule, document or {})
                self.courier.post(body, self._headers(rule, done, native, operation, body))

    async def _projected(self, rule: WebhookRule, document: Document) -> bytes:
        query = f"$document{rule.projection}"
        return await self.evaluator.query(query, {"document": document}, "raw")

    def _headers(self, rule: WebhookRule, done: Transaction, native: str, operation: str, body: bytes) -> dict[str, str]:
        key = json.dumps([rule.id, done.id, native])
        return {
            "Content-Type": "application/json",
            "idempotency-key": key.encode().hex(),
            "sanity-transaction-id": done.id,
            "sanity-transaction-time": done.at,
            "sanity-dataset": DATASET,
            "sanity-document-id": native,
            "sanity-project-id": self.project,
            "sanity-webhook-id": rule.id,
            "sanity-operation": operation,
            "sanity-webhook-signature": signed(body, rule.secret, int((time.time() + self.shift) * 1000)),
        }

    def left(self) -> int:
        """Count a request and return how many more this second allows; negative: too many."""
        second = int(time.time())
        self._second = (second, self._second[1] + 1 if self._second[0] == second else 1)
        return (self.limit or 500) - self._second[1]
