"""Webhooks: verified over the raw bytes, understood by the connector, answered only after the commit."""

from syncd.connectors.protocol import Batch, Delivery
from syncd.connectors.signature import Hook, Proof
from syncd.daemon.events import Event, say
from syncd.daemon.intake import take
from syncd.daemon.runtime import Part, Runtime, secret_of
from syncd.errors import PermanentError, TransientError
from syncd.ledger import letters
from syncd.web.hooks import Outcome, Route


def routes_of(runtime: Runtime) -> dict[str, Route]:
    """Return the paths of all platforms that call us. A reload makes them again."""
    found: dict[str, Route] = {}
    for part in runtime.parts.values():
        webhook: Hook | None = getattr(part.platform.watch, "webhook", None)
        if webhook is not None:
            found[webhook.path] = Route(part.name, Receiver(runtime, part, webhook).accept, webhook.max_body)
    return found


class Receiver:
    """Takes the webhooks of one platform."""

    def __init__(self, runtime: Runtime, part: Part, webhook: Hook) -> None:
        self._runtime = runtime
        self._part = part
        self._webhook = webhook
        self._verifier: Proof | None = None

    async def accept(self, body: bytes, headers: dict[str, str]) -> Outcome:
        """Return what became of a webhook. Raises LedgerError if it could not be committed: then it is not acknowledged."""
        arrived, as_of = self._runtime.now(), self._runtime.number()
        try:
            problem = self._verified().problem(body, headers, arrived)
            if problem is not None:
                await self._refuse(problem, 401)
                return Outcome.FORGED
            batch = await self._part.connector.hook(self._webhook.collection, Delivery(body, headers, arrived, as_of))
        except PermanentError as error:
            await self._refuse(str(error), 400)
            return Outcome.MALFORMED
        except TransientError:
            return Outcome.FULL
        return await self._store(batch)

    def _verified(self) -> Proof:
        """Return the verifier; raises TransientError while its secret is missing."""
        if self._verifier is None:
            self._verifier = self._webhook.verifier(secret_of(self._runtime.config))
        return self._verifier

    async def _refuse(self, why: str, status: int) -> None:
        runtime, name = self._runtime, self._part.name
        say(Event.HOOK_REFUSED, f"webhook for {name} refused: {why}", platform=name, status=status)
        await runtime.store.write(letters.refuse_hook, name, why, status=status, now=runtime.now())

    async def _store(self, batch: Batch) -> Outcome:
        stored = repeats = 0
        for collection in collections_of(batch):
            part = only(batch, collection)
            added = await take(self._runtime, self._part, collection, part, "webhook")
            stored, repeats = stored + added.stored + added.broken, repeats + added.repeats
        return Outcome.REPEAT if repeats and not stored else Outcome.STORED


def collections_of(batch: Batch) -> list[str]:
    """Return the collections a batch is about."""
    named = [*(c.collection for c in batch.changes), *(b.collection for b in batch.broken)]
    return list(dict.fromkeys(named))


def only(batch: Batch, collection: str) -> Batch:
    """Return the part of a batch that is about one collection."""
    changes = [c for c in batch.changes if c.collection == collection]
    broken = [b for b in batch.broken if b.collection == collection]
    return Batch(changes, broken=broken, ack=batch.ack)
