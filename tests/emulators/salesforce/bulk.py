"""Bulk API 2.0: jobs that read by query or write from CSV. A job is done after ``polls`` looks at it."""

import csv
import io
import itertools
from collections.abc import Iterable
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from tests.emulators.salesforce.ids import checked
from tests.emulators.salesforce.org import Fields, Who
from tests.emulators.salesforce.soql import Reader
from tests.emulators.salesforce.values import Refused, stamp
from tests.emulators.salesforce.wire import Answer, Call

if TYPE_CHECKING:
    from tests.emulators.salesforce.data import Data

SIGNS = {"COMMA": ",", "TAB": "\t", "SEMICOLON": ";", "PIPE": "|", "CARET": "^", "BACKQUOTE": "`"}
ENDS = {"LF": "\n", "CRLF": "\r\n"}
NULL = "#N/A"


class Bulk:
    """Answers for ``/jobs``. ``polls``: looks until a job is complete; ``failing``: the next job ends as Failed.

    ``half``: so many lines of an ingest job are done before it fails or is aborted; ``mixed``: results come in another order.
    """

    def __init__(self, data: "Data") -> None:
        self.data = data
        self.jobs: dict[str, Fields] = {}
        self.polls = 1
        self.failing = ""
        self.half = 0
        self.mixed = False
        self._numbers = itertools.count(1)

    def answer(self, call: Call) -> Answer:
        """Return the answer to a call; raises Refused."""
        kind, *rest = call.parts[1:]
        if kind not in {"query", "ingest"}:
            raise Refused("NOT_FOUND", "The requested resource does not exist", status=404)
        if not rest:
            return self.made(call, kind) if call.method == "POST" else self.listed(kind)
        job = self.jobs.get(rest[0])
        if job is None or job["kind"] != kind:
            raise Refused("NOT_FOUND", "The requested resource does not exist", status=404)
        if len(rest) == 2:
            return self.content(call, job, rest[1])
        return self.job(call, job)

    def listed(self, kind: str) -> Answer:
        return Answer(value={"done": True, "records": [_said(job) for job in self.jobs.values() if job["kind"] == kind]})

    def made(self, call: Call, kind: str) -> Answer:
        asked = call.json()
        native_id = checked(f"7505g000{next(self._numbers):07d}")
        job: Fields = {"columnDelimiter": "COMMA", "lineEnding": "LF", "contentType": "CSV"} | asked
        job |= {"id": native_id, "kind": kind, "apiVersion": Decimal(self.data.version), "concurrencyMode": "Parallel"}
        job |= {"createdDate": stamp(self.data.org.clock()), "looks": 0, "who": self.data.who(call)}
        if kind == "query":
            query = Reader(asked["query"]).query()
            ids = self.data.answerer.ids(query, deleted=asked["operation"] == "queryAll")
            job |= {"state": "UploadComplete", "jobType": "V2Query", "object": query.source, "plan": (query, ids)}
        else:
            self.data.org.object(asked["object"])
            address = f"{self.data.base.lstrip('/')}/jobs/ingest/{native_id}/batches"
            job |= {"state": "Open", "jobType": "V2Ingest", "contentUrl": address, "csv": b""}
        self.jobs[native_id] = job
        return Answer(200, _said(job))

    def job(self, call: Call, job: Fields) -> Answer:
        if call.method == "DELETE":
            del self.jobs[job["id"]]
            return Answer(204)
        if call.method == "PATCH":
            state = call.json()["state"]
            if state == "UploadComplete" and job["state"] != "Open":
                raise Refused("INVALIDJOBSTATE", f"Job in state {job['state']} cannot be closed")
            if state == "Aborted" and job["state"] in {"JobComplete", "Failed", "Aborted"}:
                raise Refused("INVALIDJOBSTATE", f"Job in state {job['state']} cannot be aborted")
            if state == "Aborted" and job["state"] != "Open":
                self.ingest(job, self.half)
            job["state"] = state
            return Answer(200, _said(job))
        self.moved_on(job)
        return Answer(200, _said(job))

    def moved_on(self, job: Fields) -> None:
        """Let a look at a job bring it on."""
        if job["state"] not in {"UploadComplete", "InProgress"}:
            return
        job["looks"] += 1
        if job["looks"] < self.polls:
            job["state"] = "InProgress"
            return
        if self.failing:
            job |= {"state": "Failed", "errorMessage": self.failing}
            self.failing = ""
            if job["kind"] == "ingest":
                self.ingest(job, self.half)
            return
        if job["kind"] == "ingest":
            self.ingest(job)
        else:
            job["numberRecordsProcessed"] = len(job["plan"][1])
        job["state"] = "JobComplete"

    def content(self, call: Call, job: Fields, name: str) -> Answer:
        if name == "batches" and call.method == "PUT":
            if job["state"] != "Open" or job["csv"]:
                raise Refused("INVALIDJOBSTATE", "one upload for a job, while it is open")
            job["csv"] = call.body
            return Answer(201, raw=b"")
        if job["state"] != "JobComplete" and "outcome" not in job:
            raise Refused("INVALIDJOBSTATE", f"Job is not complete: {job['state']}")
        if name == "results":
            return self.results(call, job)
        if name not in {"successfulResults", "failedResults", "unprocessedrecords"}:
            raise Refused("NOT_FOUND", "The requested resource does not exist", status=404)
        head, lines = job["outcome"][name]
        return Answer(raw=written(job, head, lines), kind="text/csv")

    def results(self, call: Call, job: Fields) -> Answer:
        """Return a part of a query's result; ``Sforce-Locator`` leads on, ``null`` says that was all."""
        query, ids = job["plan"]
        start = int(call.query.get("locator", "0"))
        size = int(call.query.get("maxRecords", len(ids) or 1))
        end = start + min(size, self.data.page * 5)
        head, lines = self.data.answerer.cells(query, ids[start:end])
        headers = {"Sforce-Locator": str(end) if end < len(ids) else "null", "Sforce-NumberOfRecords": str(len(lines))}
        return Answer(headers=headers, raw=written(job, head, lines), kind="text/csv")

    def ingest(self, job: Fields, most: int | None = None) -> None:
        """Do every line, or the first ones; each is its own success or failure. An external id twice is a failure."""
        text = io.StringIO(job["csv"].decode(), newline="")
        reader = csv.DictReader(text, delimiter=SIGNS[job["columnDelimiter"]])
        head = list(reader.fieldnames or ())
        done: list[list[Any]] = []
        failed: list[list[Any]] = []
        rest: list[list[Any]] = []
        names: set[str] = set()
        for line in reader:
            cells = [line[name] for name in head]
            if most is not None and len(done) + len(failed) >= most:
                rest.append(cells)
                continue
            try:
                _refuse_again(job, line, names)
                native_id, created = self.line(job, line, job["who"])
                done.append([native_id, str(created).lower(), *cells])
            except Refused as refused:
                failed.append([line.get("Id") or "", f"{refused.code}:{refused.message}:{' '.join(refused.fields)} --", *cells])
        job["outcome"] = {
            "successfulResults": (["sf__Id", "sf__Created", *head], done),
            "failedResults": (["sf__Id", "sf__Error", *head], failed),
            "unprocessedrecords": (head, rest),
        }
        if self.mixed:
            done.reverse()
        job |= {"numberRecordsProcessed": len(done) + len(failed), "numberRecordsFailed": len(failed)}

    def line(self, job: Fields, line: dict[str, str], who: Who) -> tuple[str, bool]:
        """Do one line: an empty cell leaves a field, ``#N/A`` empties it."""
        name, verb = job["object"], job["operation"]
        values = {key: None if one == NULL else one for key, one in line.items() if one != "" and key != "Id"}
        native_id = line.get("Id") or ""
        if verb == "insert":
            return self.data.org.create(name, values, who), True
        if verb == "upsert" and job["externalIdFieldName"] != "Id":
            found = self.data.composite.upserted(name, job["externalIdFieldName"], values, who)
            return found["id"], found["created"]
        if verb in {"delete", "hardDelete"}:
            self.data.org.delete(name, native_id, who)
        else:
            self.data.org.update(name, native_id, values, who)
        return native_id, False


def _refuse_again(job: Fields, line: dict[str, str], names: set[str]) -> None:
    name = line.get(job.get("externalIdFieldName", ""), "").casefold()
    if name and name in names:
        raise Refused("DUPLICATE_VALUE", f"Duplicate external id specified: {name}")
    names.add(name)


def written(job: Fields, head: list[str], lines: Iterable[list[Any]]) -> bytes:
    """Return a table as CSV, every cell in quotes."""
    text = io.StringIO(newline="")
    end = ENDS[job["lineEnding"]]
    writer = csv.writer(text, delimiter=SIGNS[job["columnDelimiter"]], lineterminator=end, quoting=csv.QUOTE_ALL)
    writer.writerow(head)
    writer.writerows([_cell(one) for one in line] for line in lines)
    return text.getvalue().encode()


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _said(job: Fields) -> Fields:
    return {key: value for key, value in job.items() if key not in {"kind", "plan", "csv", "looks", "who", "outcome", "query"}}
