"""What the answers of the API mean that are no success.

Transactions are refused with ``{"error": {"type": "mutationError", "items": [{"error": {"type", "id", ...}}]}}``, without
items where the transaction as a whole is meant; queries with ``queryParseError``; else it is ``{statusCode, error, message}``.
"""

from dataclasses import dataclass
from typing import Any

from syncd.connectors.body import BadBody, decode
from syncd.connectors.http import Reply, refuse
from syncd.core.model import Native
from syncd.errors import PermanentError, TransientError

REVISION = "documentRevisionIDDoesNotMatchError"
EXISTS = "documentAlreadyExistsError"
NOT_FOUND = "documentNotFoundError"
REPEATED = "transactionAlreadyExistsError"
CONFLICT = "transactionConflictError"  # with another transaction at the same moment: nothing was written
FORBIDDEN = "insufficientPermissionsError"


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a transaction was refused: the first item's type and document, and all the words."""

    kind: str
    id: str
    text: str
    permission: str = ""


def refusal_of(reply: Reply) -> Refusal:
    """Return what a refused transaction's answer says; an answer in another shape has no kind."""
    try:
        error = _dict(_dict(decode(reply.body)).get("error"))
    except BadBody:
        error = {}
    items = [_dict(_dict(item).get("error")) for item in _list(error.get("items"))]
    first = items[0] if items else error
    words = [str(one["description"]) for one in items if one.get("description")] or [str(error.get("description", ""))]
    named = {key: first.get(key) for key in ("type", "id", "permission")}
    return Refusal(str(named["type"] or ""), str(named["id"] or ""), "; ".join(words)[:500], str(named["permission"] or ""))


def check(reply: Reply) -> None:
    """Raise what an answer means that is no success; the error's own words are in the text where it has any."""
    if reply.ok:
        return
    if reply.status == 402:
        raise TransientError(f"{reply.place}: answered 402: the plan's quota is used up", status=402)
    said = words_of(reply)
    if reply.status in {400, 404, 409, 413, 422} and said:
        raise PermanentError(f"{reply.place}: answered {reply.status}: {said}", status=reply.status)
    refuse(reply)


def words_of(reply: Reply) -> str:
    """Return what a refusal says, for people; "" where it says nothing that can be read."""
    try:
        body = _dict(decode(reply.body))
    except BadBody:
        return ""
    error = body.get("error")
    if isinstance(error, dict):
        return refusal_of(reply).text
    return str(body.get("message") or error or "")[:500]


def _dict(value: Native) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: Native) -> list[Any]:
    return value if isinstance(value, list) else []
