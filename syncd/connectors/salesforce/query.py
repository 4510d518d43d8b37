"""Queries, page by page. A place in a result that Salesforce gave up is found again by the key of the last record."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from urllib.parse import quote

from syncd.connectors.body import Parsed, salvage
from syncd.connectors.http import Reply
from syncd.connectors.salesforce.org import Org
from syncd.connectors.salesforce.refusals import LOCATOR
from syncd.core.model import Native
from syncd.errors import PermanentError, TransientError

LONGEST = 16_000  # characters of an address
RENEWALS = 1_000  # of one query: more would be a circle

Again = Callable[[Native | None], str]  # the query for what follows a record, None for the first page


@dataclass(frozen=True, slots=True)
class Sheet:
    """One page of a result. ``last``: Salesforce says that it is done. ``why``: the result is not complete all the same."""

    parsed: Parsed
    records: list[Native]
    reply: Reply
    last: bool
    why: str = ""


async def sheets(org: Org, again: Again, *, deleted: bool = False) -> AsyncIterator[Sheet]:
    """Yield the pages of a query; with ``deleted`` also of what is in the recycle bin. Raises ConnectorError."""
    verb = "queryAll" if deleted else "query"
    path, before, count, total = address(verb, again(None)), None, 0, None
    renewals = 0
    while path:
        try:
            parsed, reply = await org.get(path)
        except PermanentError as error:
            if LOCATOR not in str(error) or before is None or renewals >= RENEWALS:
                raise
            renewals, total = renewals + 1, None  # the new query counts what is left, not what was shown
            path = address(verb, again(before))
            continue
        records, following = _content(parsed, reply)
        total = _total(parsed) if total is None and not renewals else total
        count += len(records)
        before = salvage(records[-1]) if records else before
        why = f"the query counts {total:,}, {count:,} came" if not following and total is not None and count < total else ""
        yield Sheet(parsed, records, reply, not following, why)
        path = following


def address(verb: str, soql: str) -> str:
    """Return the path of a query; raises PermanentError if it is too long for one."""
    path = f"{verb}?q={quote(soql, safe='')}"
    if len(path) > LONGEST:
        raise PermanentError(f"a query of {len(path):,} characters is too long for Salesforce: map fewer fields")
    return path


async def records_of(org: Org, soql: str, *, deleted: bool = False) -> list[Sheet]:
    """Return a whole result that is known to be small; raises TransientError if it is not complete."""
    found = [sheet async for sheet in sheets(org, lambda _: soql, deleted=deleted)]
    for sheet in found:
        if sheet.why:
            raise TransientError(f"{sheet.reply.place}: {sheet.why}", about_record=True)
    return found


def _content(parsed: Parsed, reply: Reply) -> tuple[list[Native], str]:
    answer = salvage(parsed.value)
    records = answer.get("records") if isinstance(answer, dict) else None
    if not isinstance(records, list) or not isinstance(answer.get("done"), bool):
        raise TransientError(f"{reply.place}: answered with no page of a query", status=reply.status, about_record=True)
    following = "" if answer["done"] else answer.get("nextRecordsUrl")
    if not isinstance(following, str) or (following and not following.startswith("/services/")):
        raise TransientError(f"{reply.place}: names no next page and is not done", status=reply.status, about_record=True)
    return records, following


def _total(parsed: Parsed) -> int | None:
    total = salvage(parsed.value).get("totalSize")
    return total if isinstance(total, int) and not isinstance(total, bool) else None
