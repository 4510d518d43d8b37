"""What the shop says under ``userErrors``, with HTTP 200: the class of each by its code, else by its words.

Some payloads have no codes (``UserError``). Words are the vendor's and may change: where none is known the record is refused,
which stops nothing else.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from syncd.connectors.body import pick
from syncd.connectors.shopify.mutations import Mutation
from syncd.core.model import Native
from syncd.errors import ConnectorError, PermanentError, StaleWrite, TransientError

WORDS = 500


class Meaning(StrEnum):
    """What an error means for the write."""

    STALE = "stale"
    GONE = "gone"
    EXISTS = "exists"
    LATER = "later"
    REFUSED = "refused"


CODES = {
    "CHANGE_FROM_QUANTITY_STALE": Meaning.STALE,
    "COMPARE_QUANTITY_STALE": Meaning.STALE,
    "STALE_OBJECT": Meaning.STALE,
    "INVALID_COMPARE_DIGEST": Meaning.STALE,
    "PRODUCT_DOES_NOT_EXIST": Meaning.GONE,
    "PRODUCT_VARIANT_DOES_NOT_EXIST": Meaning.GONE,
    "NOT_FOUND": Meaning.GONE,
    "TAKEN": Meaning.EXISTS,
    "HANDLE_NOT_UNIQUE": Meaning.EXISTS,
    "DUPLICATED_METAFIELD_VALUE": Meaning.EXISTS,
    "DUPLICATED_VALUE": Meaning.EXISTS,
    "THROTTLED": Meaning.LATER,
    "INTERNAL_ERROR": Meaning.LATER,
    "GENERIC_ERROR": Meaning.LATER,
    "JOB_ERROR": Meaning.LATER,
    "SERVICE_UNAVAILABLE": Meaning.LATER,
    "ADJUST_QUANTITIES_FAILED": Meaning.LATER,
    "IDEMPOTENCY_CONCURRENT_REQUEST": Meaning.LATER,
    "IDEMPOTENCY_PREVIOUS_ATTEMPT_FAILED": Meaning.LATER,
}
SAID = (
    ("has already been taken", Meaning.EXISTS),
    ("already in use", Meaning.EXISTS),
    ("does not exist", Meaning.GONE),
    ("doesn't exist", Meaning.GONE),
    ("not found", Meaning.GONE),
    ("can't be found", Meaning.GONE),
)


@dataclass(frozen=True, slots=True)
class Refusal:
    """The errors of one mutation. ``meaning`` is that of the first which decides."""

    alias: str
    meaning: Meaning
    words: str
    paths: tuple[str, ...]

    def error(self, place: str) -> ConnectorError:
        """Return it as what is raised."""
        text = f"{place}: {self.words}"[:WORDS]
        match self.meaning:
            case Meaning.STALE:
                return StaleWrite(text, status=200)
            case Meaning.LATER:
                return TransientError(text, status=200, about_record=True)
        return PermanentError(text, status=200)


def refusals(data: Native, mutations: Sequence[Mutation]) -> list[Refusal]:
    """Return which mutations of a document the shop refused; raises TransientError if it does not say of one."""
    found = []
    for one in mutations:
        errors = pick(data, f"{one.alias}.userErrors")
        if not isinstance(errors, list):
            raise TransientError(f"{one.alias}: the answer does not say what became of it", about_record=True)
        if errors:
            meanings = [_meaning(error) for error in errors]
            first = next(meaning for meaning in (*Meaning, Meaning.REFUSED) if meaning in meanings)
            found.append(Refusal(one.alias, first, "; ".join(dict.fromkeys(map(_words, errors))), one.paths))
    return found


def _meaning(error: Native) -> Meaning:
    code = pick(error, "code")
    if isinstance(code, str) and code:
        return CODES.get(code, Meaning.REFUSED)
    message = str(pick(error, "message") or "").lower()
    return next((meaning for words, meaning in SAID if words in message), Meaning.REFUSED)


def _words(error: Native) -> str:
    at, code = pick(error, "field"), pick(error, "code")
    where = f"{'.'.join(map(str, at))}: " if isinstance(at, list) and at else ""
    return f"{where}{pick(error, 'message')}{f' ({code})' if code else ''}"
