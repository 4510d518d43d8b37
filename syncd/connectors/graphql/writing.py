"""What a write to a GraphQL API sends, and what the refusals in its answer mean."""

from dataclasses import dataclass
from enum import StrEnum

from syncd.connectors.body import pick, salvage
from syncd.connectors.contents import changed_keys, values_of, whole_of
from syncd.connectors.graphql.filling import filled
from syncd.connectors.graphql.options import GraphqlCollection
from syncd.connectors.graphql.requests import Mutation
from syncd.connectors.graphql_call import WORDS, Answered
from syncd.core.model import Native, Op, Write
from syncd.errors import PermanentError, StaleWrite


class Meaning(StrEnum):
    """What an answer that could be read says of a write."""

    DONE = "done"
    GONE = "gone"
    EXISTS = "exists"


@dataclass(frozen=True, slots=True)
class Refusal:
    """One user error, or one entry of ``errors`` with a code that means something here."""

    code: str
    message: str
    at: str = ""

    def text(self) -> str:
        """Return what it says, for people."""
        return f"{self.message}{f' at {self.at}' if self.at else ''}{f' ({self.code})' if self.code else ''}"


def mutation_of(options: GraphqlCollection, write: Write) -> Mutation:
    """Return the request that makes this write; raises PermanentError if the collection has none."""
    found = {Op.CREATE: options.create, Op.DELETE: options.delete}.get(write.op, options.update)
    if found is None:
        raise PermanentError(f"{write.collection}: nothing to {write.op} with")
    return found


def variables_of(mutation: Mutation, options: GraphqlCollection, write: Write, *, guarded: bool) -> dict[str, Native]:
    """Return what is filled in. Raises PermanentError if a value needs the thing as last read and it is not there.

    ``changes`` has the changed top-level keys, each as last read with the change; ``item`` the whole thing with the changes.
    """
    values = values_of(write, options.deleted)
    names: dict[str, Native] = {path.rpartition(".")[2]: value for path, value in values.items()} | values
    native_id = write.id if write.id is not None else values.get(options.id)
    names |= {"id": native_id} if native_id is not None else {}
    names |= {"version": write.version} if guarded and write.version is not None else {}
    names |= {"key": write.key} if write.key else {}
    if write.op is not Op.DELETE:
        names |= _contents(mutation, write, values)
    return filled(mutation.sent, names)


def _contents(mutation: Mutation, write: Write, values: dict[str, Native]) -> dict[str, Native]:
    if not mutation.names & {"changes", "item"}:
        return {}
    whole = whole_of(write, values, needed="item" in mutation.names)
    return {"item": whole, "changes": changed_keys(whole, values)}


def meaning_of(answered: Answered, mutation: Mutation, options: GraphqlCollection, write: Write) -> Meaning:
    """Return what an answer says; raises StaleWrite or PermanentError with the platform's own words."""
    refusals = _refusals(answered, mutation)
    if not refusals:
        return Meaning.DONE
    codes = {refusal.code for refusal in refusals}
    if write.op is Op.CREATE and codes & set(options.exists):
        return Meaning.EXISTS
    if write.op is not Op.CREATE and codes & set(options.gone):
        return Meaning.GONE
    said = f"{answered.reply.place}: {'; '.join(dict.fromkeys(one.text() for one in refusals))[:WORDS]}"
    if write.op is not Op.CREATE and codes & set(options.stale):
        raise StaleWrite(said, status=answered.reply.status)
    raise PermanentError(said, status=answered.reply.status)


def _refusals(answered: Answered, mutation: Mutation) -> list[Refusal]:
    found = salvage(pick(answered.data, mutation.errors)) if mutation.errors is not None else None
    errors = found if isinstance(found, list) else [] if found is None else [found]
    top = [Refusal(one.code, one.message) for one in answered.problems]
    return top + [_refusal(error, mutation.code) for error in errors]


def _refusal(error: Native, code: str) -> Refusal:
    if not isinstance(error, dict):
        return Refusal("", str(salvage(error)))
    given, at = salvage(pick(error, code)), error.get("field")
    place = ".".join(map(str, at)) if isinstance(at, list) else str(at) if isinstance(at, str) else ""
    message = str(salvage(error.get("message")) or "refused without a word")
    return Refusal(str(given) if given is not None else "", message, place)
