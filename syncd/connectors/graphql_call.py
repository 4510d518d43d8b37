"""GraphQL over HTTP: one call is one POST, and what an answer says under ``errors`` is classed as a status is.

Protocol: the GraphQL specification, section 7 (response), and GraphQL over HTTP. A status has the meaning that it has
everywhere (``http.refuse``); under 200, and under a 4xx whose body is such an answer, each error's own code decides, by the
table that the vendor hands in. Partial data is never taken for all: a read with errors is an error, whatever else it brought.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum

from yarl import URL

from syncd.connectors.body import Parsed, encode, pick, salvage
from syncd.connectors.http import TRIES, Http, Reply, refuse
from syncd.connectors.rate import PATIENCE, retry_after
from syncd.core.model import Item, Native
from syncd.errors import ConnectorError, OutcomeUnknown, PermanentError, StaleWrite, TransientError

CODE = "extensions.code"  # where an error has its code, where nothing else is said
WORDS = 500  # characters of what the platform says that are kept
OF_THE_PLATFORM = frozenset({401, 403, 408, 425, 429})  # their meaning does not depend on what stands in the body


class Fault(StrEnum):
    """Whose fault an error is. In the order in which the first decides where an answer has several."""

    WAIT = "wait"  # throttled: the platform is left in peace for a while, as under 429
    LOGIN = "login"  # we may not: as under 401 and 403
    TROUBLE = "trouble"  # the platform failed: as under 500
    STALE = "stale"  # edited since
    REFUSED = "refused"  # the record, or the document, as it is


FAULTS: Mapping[str, Fault] = {
    "THROTTLED": Fault.WAIT,
    "RATE_LIMITED": Fault.WAIT,
    "TOO_MANY_REQUESTS": Fault.WAIT,
    "UNAUTHENTICATED": Fault.LOGIN,
    "UNAUTHORIZED": Fault.LOGIN,
    "FORBIDDEN": Fault.LOGIN,
    "ACCESS_DENIED": Fault.LOGIN,
    "INTERNAL_SERVER_ERROR": Fault.TROUBLE,
    "INTERNAL_ERROR": Fault.TROUBLE,
    "SERVICE_UNAVAILABLE": Fault.TROUBLE,
    "TIMEOUT": Fault.TROUBLE,
}


@dataclass(frozen=True, slots=True)
class Problem:
    """One entry of ``errors``. ``path`` is where in the answer it happened; an empty one: nothing was executed."""

    code: str
    message: str
    path: tuple[str | int, ...]
    extensions: Item


@dataclass(frozen=True, slots=True)
class Answered:
    """One answer. ``data`` is empty where there is none; what is flawed in it, ``parsed.flaw`` tells."""

    data: Item
    extensions: Item
    problems: tuple[Problem, ...]
    parsed: Parsed
    reply: Reply

    @property
    def began(self) -> bool:
        """Return whether anything was executed as it seems: a field has a value, or failed below one that had."""
        return any(value is not None for value in self.data.values()) or any(len(one.path) > 1 for one in self.problems)

    def all_of(self, codes: Collection[str]) -> bool:
        """Return whether every error, if there is any, has one of these codes."""
        return all(problem.code in codes for problem in self.problems)


Heed = Callable[[Answered], float | None]


def told(answered: Answered) -> float | None:
    """Return the seconds that the Retry-After header of an answer asks for."""
    headers = answered.reply.headers
    return retry_after(headers.get("Retry-After"), date=headers.get("Date"))


class Graphql:
    """One GraphQL address.

    ``faults`` sorts the codes of errors, ``code`` is where an error has its own (dotted). ``heed`` is called with every
    answer that could be read and returns for how many seconds the platform wants to be left in peace, None if it does not say:
    there a vendor also reads what a query cost.
    """

    def __init__(
        self,
        http: Http,
        url: URL,
        *,
        faults: Mapping[str, Fault] = FAULTS,
        code: str = CODE,
        heed: Heed = told,
    ) -> None:
        self._http = http
        self._url = url
        self._faults = faults
        self._code = code
        self._heed = heed

    async def read(
        self,
        document: str,
        variables: Mapping[str, Native] | None = None,
        *,
        name: str | None = None,
        accept: Collection[str] = (),
    ) -> Answered:
        """Return a whole answer to a query: it has data and no errors.

        Raises what its status or its errors mean. Waits and asks again when throttled for a short while. ``name`` is that of
        the operation, needed where a document has several. ``accept``: codes that mean something else to the caller; an answer
        all of whose errors have one of them is returned as it is.
        """
        body = body_of(document, variables, name)
        for attempt in range(1, TRIES + 1):
            reply = await self._http.read(self._url, method="POST", body=body)
            answered = self._opened(reply)
            wait = self._heed(answered)
            if answered.all_of(accept):
                return _whole(answered)
            error = self.meaning(answered, wait=wait)
            if attempt == TRIES or not _soon(error):
                raise error
        raise AssertionError("unreachable")  # pragma: no cover

    async def write(
        self,
        document: str,
        variables: Mapping[str, Native] | None = None,
        *,
        name: str | None = None,
        accept: Collection[str] = (),
    ) -> Answered:
        """Send a mutation, exactly once, and return its whole answer. ``accept`` is as in ``read``.

        Raises as ``read`` does; OutcomeUnknown if it was sent and no answer came, or if the answer has both data and errors:
        only reading again can tell what was done.
        """
        answered = await self.send(document, variables, name=name)
        if answered.all_of(accept):
            return _whole(answered)
        if answered.began:
            raise OutcomeUnknown(f"{answered.reply.place}: done in part: {_words(answered)}", status=answered.reply.status)
        raise self.meaning(answered, wait=self._heed(answered))

    async def send(self, document: str, variables: Mapping[str, Native] | None = None, *, name: str | None = None) -> Answered:
        """Send a mutation, exactly once, and return its answer with its errors: for who knows them better.

        Raises what a status means, TransientError if the answer cannot be read, OutcomeUnknown if none came.
        """
        reply = await self._http.write("POST", self._url, body=body_of(document, variables, name))
        return self._opened(reply)

    def meaning(self, answered: Answered, *, wait: float | None = None) -> ConnectorError:
        """Return what the errors of an answer mean, and slow down if that is what they ask for."""
        order = list(Fault)
        fault = min((self._fault(problem) for problem in answered.problems), key=order.index)
        place, status, words = answered.reply.place, answered.reply.status, _words(answered)
        match fault:
            case Fault.WAIT:
                if wait is None:
                    self._http.budget.throttled(1.0)
                else:  # it says itself when there is enough again: going slower for long would waste what it allows
                    self._http.budget.pause(wait)
                return TransientError(f"{place}: throttled: {words}", status=429, retry_after=wait)
            case Fault.LOGIN:
                return TransientError(f"login: {place}: {words}", status=status)
            case Fault.TROUBLE:
                return TransientError(f"{place}: failed: {words}", status=status, about_record=True)
            case Fault.STALE:
                return StaleWrite(f"{place}: edited since: {words}", status=status)
        return PermanentError(f"{place}: refused: {words}", status=status)

    def _fault(self, problem: Problem) -> Fault:
        """Return whose fault an error is: one without a code that happened while it was executed is like a 500."""
        unknown = Fault.TROUBLE if problem.path and not problem.code else Fault.REFUSED
        return self._faults.get(problem.code, unknown)

    def _opened(self, reply: Reply) -> Answered:
        if not reply.ok and not (400 <= reply.status < 500 and reply.status not in OF_THE_PLATFORM):
            refuse(reply)
        try:
            answered = _read(reply, self._code)
        except TransientError:
            refuse(reply)
            raise
        if not reply.ok and not answered.problems:
            refuse(reply)
        return answered


def body_of(document: str, variables: Mapping[str, Native] | None, name: str | None) -> bytes:
    """Return what is sent; raises PermanentError if a variable cannot be written as JSON."""
    sent: Item = {"query": document, "variables": dict(variables or {})}
    try:
        return encode(sent | ({"operationName": name} if name else {}))
    except ValueError as error:  # BadBody is one
        raise PermanentError(f"graphql: a variable cannot be sent: {error}") from error


def _read(reply: Reply, code: str) -> Answered:
    """Return what an answer says; raises TransientError about the record if it is none of GraphQL's."""
    parsed = reply.json()
    body = salvage(parsed.value)
    found = body if isinstance(body, dict) else {}
    data, errors, extensions = (salvage(found.get(name)) for name in ("data", "errors", "extensions"))
    fits = isinstance(data, dict | None) and isinstance(errors, list | None) and (data is not None or errors)
    if not fits or parsed.value is not body or found.get("data") is not data:
        text = f"{reply.place}: answered {reply.status} with what is no answer of GraphQL, {{data, errors}}"
        raise TransientError(text, status=reply.status, about_record=True)
    problems = tuple(_problem(error, code) for error in errors or [])
    return Answered(data or {}, extensions if isinstance(extensions, dict) else {}, problems, parsed, reply)


def _problem(error: Native, code: str) -> Problem:
    found = salvage(error)
    if not isinstance(found, dict):
        return Problem("", str(found), (), {})
    path, extensions, given = found.get("path"), found.get("extensions"), salvage(pick(found, code))
    return Problem(
        given if isinstance(given, str) else "" if given is None else str(given),
        str(salvage(found.get("message")) or "no message"),
        tuple(path) if isinstance(path, list) else (),
        extensions if isinstance(extensions, dict) else {},
    )


def _whole(answered: Answered) -> Answered:
    """Return the answer; raises TransientError if it has no data although nothing is said to be wrong."""
    if answered.data or answered.problems:
        return answered
    reply = answered.reply
    raise TransientError(f"{reply.place}: answered {reply.status} without data", status=reply.status, about_record=True)


def _words(answered: Answered) -> str:
    """Return what the platform says, each once, with codes and places for people who look for it."""
    said = []
    for problem in answered.problems:
        at = f" at {'.'.join(map(str, problem.path))}" if problem.path else ""
        said.append(f"{problem.message}{at}{f' ({problem.code})' if problem.code else ''}")
    return "; ".join(dict.fromkeys(said))[:WORDS]


def _soon(error: ConnectorError) -> bool:
    """Return whether a read that was throttled may be asked again: the budget itself waits."""
    return isinstance(error, TransientError) and error.status == 429 and (error.retry_after or 0.0) <= PATIENCE
