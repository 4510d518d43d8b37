"""Query jobs of the Bulk API 2.0: one job, its result as CSV in parts, each named by the locator of the one before."""

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any

from syncd.connectors.body import Parsed, encode, flaw
from syncd.connectors.http import Reply
from syncd.connectors.salesforce.csvrows import records, typed
from syncd.connectors.salesforce.org import Org, part
from syncd.connectors.salesforce.query import Sheet
from syncd.core.model import Native
from syncd.errors import PermanentError, TransientError

JOBS = "jobs/query"
AT_ONCE = 500  # records handed on together
PART = 50_000  # records of one part of the result: a request each
FIRST, LATER = 0.2, 15.0  # seconds between two looks at a job
PATIENCE = 3 * 3600.0  # seconds for one job
RUNNING = {"UploadComplete", "InProgress", "Open"}


async def bulk_sheets(org: Org, soql: str, types: dict[str, str]) -> AsyncIterator[Sheet]:
    """Yield the result of a query as a job gives it. Raises ConnectorError; TransientError if the job failed."""
    job, made = await _job(org, soql)
    count, locator, reply = 0, "", made
    while locator != "null":
        path = f"{JOBS}/{part(job['id'])}/results?maxRecords={PART}" + (f"&locator={part(locator)}" if locator else "")
        before = locator
        async with org.streamed(path, "text/csv") as stream:
            reply, names, waiting = stream.reply, list[str](), list[Native]()
            async for cells in records(stream.chunks(), reply.place):
                if not names:
                    names = cells
                    continue
                waiting.append(_record(names, cells, types, reply))
                if len(waiting) == AT_ONCE:
                    count += AT_ONCE
                    yield _sheet(waiting, reply)
                    waiting = []
            locator = reply.headers.get("Sforce-Locator", "null")
        count += len(waiting)
        if waiting:
            yield _sheet(waiting, reply)
        if locator == before:
            raise TransientError(f"{reply.place}: names the same part of the result again", about_record=True)
    total = job.get("numberRecordsProcessed")
    why = f"the job counts {total:,}, {count:,} came" if isinstance(total, int) and count < total else ""
    yield _sheet([], reply, last=True, why=why)


def _record(names: list[str], cells: list[str], types: dict[str, str], reply: Reply) -> Native:
    if len(cells) != len(names):
        raise TransientError(f"{reply.place}: a record of {len(cells)} cells where {len(names)} belong", about_record=True)
    return typed(names, cells, types)


def _sheet(found: list[Native], reply: Reply, *, last: bool = False, why: str = "") -> Sheet:
    return Sheet(Parsed(found, clean=flaw(found) is None), found, reply, last, why)


async def _job(org: Org, soql: str) -> tuple[dict[str, Any], Reply]:
    """Return a job that is done, with the answer that made it."""
    reply = await org.read(JOBS, method="POST", body=encode({"operation": "query", "query": soql}))
    made = reply.json().value
    if not isinstance(made, dict) or not isinstance(made.get("id"), str):
        raise TransientError(f"{reply.place}: made no job", about_record=True)
    until, wait = time.monotonic() + PATIENCE, FIRST
    while time.monotonic() < until:
        parsed, _ = await org.get(f"{JOBS}/{part(made['id'])}")
        job = parsed.value if isinstance(parsed.value, dict) else {}
        state = job.get("state")
        if state == "JobComplete":
            return job, reply
        if state not in RUNNING:
            said = f"query job {made['id']}: {state}: {job.get('errorMessage') or 'no reason given'}"
            raise PermanentError(said) if "MALFORMED_QUERY" in said or "INVALID_FIELD" in said else TransientError(said)
        await asyncio.sleep(wait)
        wait = min(wait * 1.5, LATER)
    raise TransientError(f"query job {made['id']} is not done after {PATIENCE / 3600:.0f} hours")
