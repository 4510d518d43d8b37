"""One write on its way: the call, and what must be read because of its answer before it can be taken in."""

from collections.abc import Sequence
from dataclasses import replace

from syncd.core.model import Answer, Change, Op, Receipt, Via
from syncd.core.space import Thing
from syncd.daemon.events import Event, say_failure
from syncd.daemon.journal import Sending
from syncd.daemon.look import blame, find, read_things
from syncd.daemon.runtime import Part, Runtime
from syncd.daemon.settle import Outcome
from syncd.daemon.survey import query_for
from syncd.errors import ConnectorError, OutcomeUnknown, StaleWrite, TransientError


async def apply(runtime: Runtime, part: Part, sendings: Sequence[Sending]) -> list[Receipt | ConnectorError]:
    """Return what a platform says to each write. What nobody can tell is an OutcomeUnknown."""
    try:
        results = await part.connector.apply([one.attempt.write for one in sendings])
    except ConnectorError as error:
        results = [error for _ in sendings]
    except Exception as error:  # noqa: BLE001 - whatever broke in the connector: the writes may have been sent
        say_failure(Event.TASK_FAILED, f"{part.name}: the connector failed: {error}", error, platform=part.name)
        results = [OutcomeUnknown(f"the connector failed: {error}") for _ in sendings]
    for result in results:
        if isinstance(result, Receipt):
            runtime.went_well(part)
        elif isinstance(result, TransientError):
            blame(runtime, part, result)
    return results


def is_doubtful(result: Receipt | ConnectorError) -> bool:
    """Return whether nobody can tell yet what became of a write: no answer, or an answer that was an error of the platform."""
    return isinstance(result, OutcomeUnknown) or (isinstance(result, TransientError) and result.about_record)


async def with_looks(runtime: Runtime, outcome: Outcome) -> Outcome | None:
    """Return an outcome with what must be read because of it; None if a read-back was not to be had."""
    write, result = outcome.sending.attempt.write, outcome.result
    if isinstance(result, Receipt) and result.answer is Answer.DONE:
        return await read_back(runtime, outcome, result)
    if isinstance(result, Receipt) and result.answer is Answer.EXISTS:
        return replace(outcome, looks=await find_twin(runtime, outcome, result))
    if isinstance(result, Receipt | StaleWrite) and write.id is not None:
        return replace(outcome, looks=await look_again(runtime, outcome))
    return outcome


async def look_again(runtime: Runtime, outcome: Outcome) -> list[Change]:
    """Return what a thing is now; of one that cannot be read, that it is gone if the platform said so."""
    write, result = outcome.sending.attempt.write, outcome.result
    member = runtime.member(write.platform, write.collection)
    if member is None or member.abilities.read:
        return await read_things(runtime, [thing_of(outcome)])
    if isinstance(result, Receipt) and result.answer is Answer.GONE:
        return [Change(*thing_of(outcome), Via.READ, runtime.number(), runtime.now(), gone=True)]
    return []


def thing_of(outcome: Outcome) -> Thing:
    """Return which thing was written."""
    write = outcome.sending.attempt.write
    return write.platform, write.collection, write.id or ""


async def read_back(runtime: Runtime, outcome: Outcome, receipt: Receipt) -> Outcome | None:
    """Return the outcome with the thing as stored, where the answer had no body and the platform can be read."""
    write = outcome.sending.attempt.write
    member = runtime.member(write.platform, write.collection)
    native = receipt.id or write.id
    if receipt.look is not None or write.op is Op.DELETE or member is None or not (member.abilities.read or native is None):
        return outcome
    if native is None:
        found = [change for change in await find_twin(runtime, outcome, receipt) if not change.gone]
    else:
        found = await read_things(runtime, [(write.platform, write.collection, native)])
    if not found:
        return None
    return replace(outcome, result=Receipt(Answer.DONE, found[0].id, found[0], version=receipt.version))


async def find_twin(runtime: Runtime, outcome: Outcome, receipt: Receipt) -> list[Change]:
    """Return the thing that was there before our create: by id if it was told, else by key."""
    write = outcome.sending.attempt.write
    if receipt.id is not None:
        return await read_things(runtime, [(write.platform, write.collection, receipt.id)])
    entity = runtime.entity_of(write.platform, write.collection)
    query = query_for(entity, write.record, write.sent, write.platform) if entity else None
    if query is None:
        return []
    return await find(runtime, query.platform, query.collection, query.path, query.value) or []
