"""Ingest jobs of the Bulk API 2.0: many rows written by one job, each with a result of its own.

A job changes nothing until it is closed (``UploadComplete``), so whatever fails before leaves nothing done. A closed job runs
once, however often it is asked about: a lost answer is found out by its state. What its results do not tell of is unknown.
"""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from syncd.connectors.body import encode
from syncd.connectors.salesforce.csvrows import records
from syncd.connectors.salesforce.org import Org, part
from syncd.connectors.salesforce.refusals import faults_in, refuse
from syncd.errors import ConnectorError, OutcomeUnknown, PermanentError, TransientError

JOBS = "jobs/ingest"
FIRST, LATER = 0.2, 15.0  # seconds between two looks at a job
TRIES = 4  # of what changes nothing and got no answer
PAUSE = 0.2  # seconds between them at first
ENDED = frozenset({"JobComplete", "Failed", "Aborted"})
MISFIT = ("InvalidBatch", "Field name not found", "INVALID_FIELD")  # words of a job that no row of which can be done
DONE, REFUSED, LEFT = "successfulResults", "failedResults", "unprocessedrecords"

Row = tuple[str, ...]
Told = dict[str, Any] | ConnectorError  # the result of one row, worded as that of a record in a collection


@dataclass(frozen=True, slots=True)
class Load:
    """What one job does. ``key``: the columns by which a row is known in the results; no two rows have the same there."""

    operation: str
    object: str
    names: tuple[str, ...]
    rows: Sequence[Row]
    key: tuple[str, ...]
    external: str = ""

    def csv(self) -> bytes:
        """Return it as it is uploaded."""
        return b"".join(line(row) for row in (self.names, *self.rows))

    def known_by(self) -> list[Row]:
        """Return what each row is known by."""
        places = [self.names.index(name) for name in self.key]
        return [seen(row[at] for at in places) for row in self.rows]


def line(cells: Sequence[str]) -> bytes:
    """Return one record of CSV; every cell in quotes but an empty one, which leaves a field as it is."""
    return (",".join('"' + one.replace('"', '""') + '"' if one else "" for one in cells) + "\n").encode()


def seen(cells: Any) -> Row:
    """Return cells as they compare: blanks at the ends and the kind of line ends are not what tells rows apart."""
    return tuple(str(one).replace("\r\n", "\n").strip() for one in cells)


async def done_by_job(org: Org, load: Load, until: float) -> list[Told]:
    """Return what became of each row, in order. Raises TransientError, PermanentError: nothing was done.

    ``until``: the time (monotonic) at which a job that is not done is aborted.
    """
    job = await _filled(org, load)
    ended = await _closed(org, job)
    if not ended:
        ended = await _ended(org, job, until)
    results = await _results(org, job, load)
    state = str(ended.get("state") or "state unknown")
    said = f"ingest job {job}: {state}: {ended.get('errorMessage') or 'no reason given'}"
    untouched = PermanentError(said) if any(one in said for one in MISFIT) else TransientError(said)
    org.misfits += isinstance(untouched, PermanentError)
    unknown = OutcomeUnknown(f"{said}; its results do not tell of this record")
    found = [results.get(known, unknown) for known in load.known_by()]
    return [one if one is not None else untouched for one in found]


async def _filled(org: Org, load: Load) -> str:
    """Return a job that is open and has its rows; raises what went wrong, as nothing but trouble: nothing was done."""
    asked: dict[str, Any] = {"operation": load.operation, "object": load.object, "contentType": "CSV", "lineEnding": "LF"}
    asked |= {"externalIdFieldName": load.external} if load.external else {}
    job = ""
    try:
        made = (await org.read(JOBS, method="POST", body=encode(asked))).json().value
        if not isinstance(made, dict) or not isinstance(made.get("id"), str):
            raise TransientError(f"{JOBS}: made no job")
        job = str(made["id"])
        await org.read(f"{JOBS}/{part(job)}/batches", method="PUT", body=load.csv(), headers={"Content-Type": "text/csv"})
    except ConnectorError as error:
        if job:
            await _abort(org, job)
        raise _undone(error) from error
    return job


def _undone(error: ConnectorError) -> ConnectorError:
    """Return an error as one that left nothing done: the platform's trouble, no attempt of a record."""
    if isinstance(error, OutcomeUnknown) or (isinstance(error, TransientError) and error.about_record):
        return TransientError(str(error), status=error.status)
    return error


async def _closed(org: Org, job: str) -> dict[str, Any]:
    """Close a job, which lets it run; return it if it was aborted, nothing if it may run. Raises if it certainly never will."""
    error = await _close(org, job)
    if error is not None and error.status == 401:  # refused before it was looked at; the next token may do
        error = await _close(org, job)
    if error is None:
        return {}
    refused = not isinstance(error, OutcomeUnknown) and not (isinstance(error, TransientError) and error.about_record)
    if not refused and (await _asked(org, job) or {}).get("state") != "Open":
        return {}
    aborted = await _abort(org, job)
    if refused or (aborted and isinstance(error, TransientError)):
        raise _undone(error) from error
    return {"state": "Aborted", "errorMessage": str(error)} if aborted else {}


async def _close(org: Org, job: str) -> ConnectorError | None:
    try:
        refuse(await org.write("PATCH", f"{JOBS}/{part(job)}", encode({"state": "UploadComplete"})))
    except ConnectorError as error:
        return error
    return None


async def _asked(org: Org, job: str) -> dict[str, Any] | None:
    """Return a job as it is, one that somebody took away as aborted; None if that is not to be had."""
    for number in range(TRIES):
        try:
            found = (await org.get(f"{JOBS}/{part(job)}"))[0].value
        except TransientError:
            await asyncio.sleep(PAUSE * 2**number)
        except ConnectorError as error:
            return {"state": "Aborted", "errorMessage": str(error)} if error.status == 404 else None
        else:
            return found if isinstance(found, dict) else None
    return None


async def _abort(org: Org, job: str) -> bool:
    """Abort a job and return whether that was answered."""
    for number in range(TRIES):
        try:
            await org.read(f"{JOBS}/{part(job)}", method="PATCH", body=encode({"state": "Aborted"}))
        except TransientError:
            await asyncio.sleep(PAUSE * 2**number)
        except ConnectorError:
            return False
        else:
            return True
    return False


async def _ended(org: Org, job: str, until: float) -> dict[str, Any]:
    """Return a closed job that ended, by itself or aborted when its time is over."""
    wait = FIRST
    while True:
        found = await _asked(org, job)
        if found is not None and found.get("state") in ENDED:
            return found
        if time.monotonic() + wait > until:
            break
        await asyncio.sleep(wait)
        wait = min(wait * 1.5, LATER)
    await _abort(org, job)
    found = await _asked(org, job) or {}
    return found | {"errorMessage": found.get("errorMessage") or "not done in time (bulk_patience)"}


async def _results(org: Org, job: str, load: Load) -> dict[Row, Told | None]:
    """Return the results by what their rows are known by; None where a row was not touched. A list that fails is left out."""
    found: dict[Row, Told | None] = {}
    for name in (LEFT, REFUSED, DONE):
        for number in range(TRIES):
            try:
                found |= await _list(org, f"{JOBS}/{part(job)}/{name}", load, name)
                break
            except TransientError:
                await asyncio.sleep(PAUSE * 2**number)
            except ConnectorError:  # a job that never ran has none
                break
    return found


async def _list(org: Org, path: str, load: Load, name: str) -> dict[Row, Told | None]:
    found: dict[Row, Told | None] = {}
    async with org.streamed(path, "text/csv") as stream:
        names: list[str] = []
        async for cells in records(stream.chunks(), stream.reply.place):
            if not names:
                names = cells
                continue
            if len(names) != len(cells) or not set(load.key) <= set(names):
                raise TransientError(f"{stream.reply.place}: a record without {', '.join(load.key)}")
            row = dict(zip(names, cells, strict=True))
            found[seen(row[one] for one in load.key)] = _told(row, name)
    return found


def _told(row: dict[str, str], name: str) -> Told | None:
    if name == LEFT:
        return None
    if name == DONE:
        return {"success": True, "id": row.get("sf__Id") or row.get("Id"), "created": row.get("sf__Created") == "true"}
    error = refusal(row.get("sf__Error") or "")
    return {"success": False, "errors": [error]}


def refusal(text: str) -> dict[str, Any]:
    """Return ``CODE:message:fields --`` as an error of a collection's answer; the message may have colons of its own."""
    code, _, rest = text.strip().removesuffix("--").rstrip().partition(":")
    message, _, fields = rest.rpartition(":")
    names = [one for one in fields.replace(",", " ").split() if one != "Id"]
    if not all(one.replace("_", "").replace(".", "").isalnum() for one in names) or not message:
        message, names = rest, []
    error = {"statusCode": code or "UNKNOWN_EXCEPTION", "message": message, "fields": names}
    return error if faults_in([error]) else {"statusCode": "UNKNOWN_EXCEPTION", "message": text}
