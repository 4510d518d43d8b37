"""The data API of the emulator: queries, rows, upserts, changed and deleted ids. Knows nothing of sockets."""

import contextlib
import re
from datetime import timedelta
from email.utils import format_datetime, parsedate_to_datetime
from typing import Any

from tests.emulators.salesforce.answers import Answerer
from tests.emulators.salesforce.bulk import Bulk
from tests.emulators.salesforce.composite import Composite
from tests.emulators.salesforce.org import USER_ID, Fields, Org, Who
from tests.emulators.salesforce.soql import Query, Reader
from tests.emulators.salesforce.values import Refused, moment, stamp
from tests.emulators.salesforce.wire import Answer, Call, failed

BASE = re.compile(r"/services/data/v(\d\d\.\d)(/.*|$)")
FULL_PAGE = 2000


class Data:
    """Answers calls. ``page``: records of one answer at most; ``daily``: calls a day; ``used``: calls so far."""

    def __init__(self, org: Org) -> None:
        self.org = org
        self.version = "67.0"
        self.page = FULL_PAGE
        self.daily, self.used = 100_000, 0
        self.whole_seconds = False
        self.listed = 600_000  # ids of one list of changed records
        self.cursors: dict[str, tuple[Query, list[str], int]] = {}
        self.composite = Composite(self)
        self.bulk = Bulk(self)

    @property
    def base(self) -> str:
        """Return where the resources stand."""
        return f"/services/data/v{self.version}"

    @property
    def answerer(self) -> Answerer:
        """Return what answers queries."""
        return Answerer(self.org, self.base, whole_seconds=self.whole_seconds)

    def answer(self, call: Call) -> Answer:
        """Return the answer to a call, errors as Salesforce words them."""
        try:
            inner = self.inner(call)
            return self.resource(inner.parts[0])(inner)
        except Refused as refused:
            return failed(refused)

    def inner(self, call: Call) -> Call:
        """Return the call without the version before its path; raises Refused."""
        found = BASE.fullmatch(call.path)
        if not found:
            raise Refused("NOT_FOUND", "The requested resource does not exist", status=404)
        self.version = found[1]
        return Call(call.method, found[2], call.query, call.headers, call.body)

    def resource(self, name: str) -> Any:
        """Return what answers for a resource; raises Refused."""
        resources = {
            "": self.home,
            "query": self.query,
            "queryAll": self.query,
            "sobjects": self.sobjects,
            "composite": self.composite.answer,
            "jobs": self.bulk.answer,
            "limits": self.limits,
        }
        if name not in resources:
            raise Refused("NOT_FOUND", "The requested resource does not exist", status=404)
        return resources[name]

    def who(self, call: Call) -> Who:
        """Return who calls, and how the change event will name the client."""
        options = call.header("Sforce-Call-Options")
        client = next((part.strip() for part in options.split(",") if part.strip().startswith("client=")), "")
        rule = call.header("Sforce-Duplicate-Rule-Header").replace(" ", "").lower()
        origin = f"com/salesforce/api/rest/{self.version}" + (f";{client}" if client else "")
        return Who(USER_ID, origin, allow_duplicates="allowsave=true" in rule)

    # ---- resources

    def home(self, call: Call) -> Answer:
        names = ("query", "queryAll", "sobjects", "composite", "limits", "jobs")
        return Answer(value={name: f"{self.base}/{name}" for name in names})

    def limits(self, call: Call) -> Answer:
        left = max(self.daily - self.used, 0)
        return Answer(value={"DailyApiRequests": {"Max": self.daily, "Remaining": left}})

    def query(self, call: Call) -> Answer:
        parts = call.parts
        if len(parts) > 1:
            return self.next_page(parts)
        query = Reader(call.query.get("q", "")).query()
        ids = self.answerer.ids(query, deleted=parts[0] == "queryAll")
        if query.fields == ["COUNT()"]:
            return Answer(value={"totalSize": len(ids), "done": True, "records": []})
        asked = re.search(r"batchSize=(\d+)", call.header("Sforce-Query-Options"))
        size = min(max(int(asked[1]), 200), FULL_PAGE) if asked else FULL_PAGE
        cursor = f"01g5g{len(self.cursors):010d}"
        self.cursors[cursor] = (query, ids, min(size, self.page))
        return self.part(parts[0], cursor, 0)

    def next_page(self, parts: list[str]) -> Answer:
        cursor, _, start = parts[1].partition("-")
        if cursor not in self.cursors or not start.isdecimal():
            raise Refused("INVALID_QUERY_LOCATOR", "invalid query locator")
        return self.part(parts[0], cursor, int(start))

    def part(self, resource: str, cursor: str, start: int) -> Answer:
        query, ids, size = self.cursors[cursor]
        end = start + size
        found: Fields = {"totalSize": len(ids), "done": end >= len(ids)}
        if not found["done"]:
            found["nextRecordsUrl"] = f"{self.base}/{resource}/{cursor}-{end}"
        return Answer(value=found | {"records": self.answerer.shown(query, ids[start:end])})

    def sobjects(self, call: Call) -> Answer:
        parts = call.parts[1:]
        if not parts:
            return Answer(value={"sobjects": [one.described() | {"fields": None} for one in self.org.objects.values()]})
        if len(parts) == 1:
            return (
                self.create(call, parts[0]) if call.method == "POST" else Answer(value={"objectDescribe": {"name": parts[0]}})
            )
        if parts[1] == "describe":
            return Answer(value=self.org.object(parts[0]).described())
        if parts[1] in {"updated", "deleted"} and len(parts) == 2:
            return self.changed(call, parts[0], parts[1])
        if len(parts) == 3:
            return self.external(call, *parts)
        return self.single(call, parts[0], parts[1])

    def create(self, call: Call, name: str) -> Answer:
        native_id = self.org.create(name, call.json(), self.who(call))
        return Answer(201, {"id": native_id, "success": True, "errors": []})

    def single(self, call: Call, name: str, native_id: str) -> Answer:
        made = self.org.object(name)
        row = self.org.row(name, native_id)
        if call.method == "GET":
            return self.get(call, name, row)
        self.guard(call, row)
        if call.method == "DELETE":
            self.org.delete(name, native_id, self.who(call))
        elif call.method == "PATCH":
            self.org.update(made.name, native_id, call.json(), self.who(call))
        else:
            raise Refused("METHOD_NOT_ALLOWED", f"HTTP Method '{call.method}' not allowed", status=405)
        return Answer(204)

    def get(self, call: Call, name: str, row: Fields) -> Answer:
        made = self.org.object(name)
        since = _date(call.header("If-Modified-Since"))
        if since and moment(row["LastModifiedDate"]).replace(microsecond=0) <= since:
            return Answer(304)
        asked = call.query.get("fields")
        names = asked.split(",") if asked else list(made.fields)
        answerer = self.answerer
        for path in names:
            answerer._getter(made, path)
        value = answerer.record(made, row, names)
        headers = {"Last-Modified": format_datetime(moment(row["LastModifiedDate"]).replace(microsecond=0), usegmt=True)}
        return Answer(value=value, headers=headers)

    def guard(self, call: Call, row: Fields) -> None:
        """Refuse a write to a row edited after ``If-Unmodified-Since``, which knows whole seconds only."""
        since = _date(call.header("If-Unmodified-Since"))
        if since and moment(row["LastModifiedDate"]).replace(microsecond=0) > since:
            raise Refused("PRECONDITION_FAILED", "The record was modified since the given date", status=412)

    def external(self, call: Call, name: str, path: str, value: str) -> Answer:
        made = self.org.object(name)
        one = made.field(path)
        if one is None or not (one.external or one.name == "Id"):
            raise Refused("NOT_FOUND", f"Provided external ID field does not exist or is not accessible: {path}", status=404)
        found = self.org.matching(name, path, value)
        if len(found) > 1:
            urls = [f"{self.base}/sobjects/{made.name}/{row['Id']}" for row in found]
            return Answer(300, urls)
        if call.method == "GET":
            if not found:
                raise Refused("NOT_FOUND", "The requested resource does not exist", status=404)
            return self.get(call, name, self.org.row(name, found[0]["Id"]))
        if call.method == "DELETE":
            return self.single(Call("DELETE", "", {}, call.headers), name, found[0]["Id"] if found else "")
        return self.upsert(call, name, one.name, value, found)

    def upsert(self, call: Call, name: str, path: str, value: str, found: list[Fields]) -> Answer:
        given = call.json()
        if path in given:
            raise Refused("INVALID_FIELD", f"The {path} field should not be specified in the sobject data.", path)
        if found:
            self.guard(call, found[0])
            self.org.update(name, found[0]["Id"], given, self.who(call))
            return Answer(200, {"id": found[0]["Id"], "success": True, "errors": [], "created": False})
        if call.query.get("updateOnly") == "true":
            raise Refused("NOT_FOUND", "The requested resource does not exist", status=404)
        native_id = self.org.create(name, given | {path: value}, self.who(call))
        return Answer(201, {"id": native_id, "success": True, "errors": [], "created": True})

    def changed(self, call: Call, name: str, which: str) -> Answer:
        try:
            start, end = moment(call.query["start"]), moment(call.query["end"])
        except (KeyError, ValueError) as error:
            raise Refused("INVALID_REPLICATION_DATE", "start and end are needed") from error
        now = self.org.clock()
        if start >= end or start < now - timedelta(days=30):
            raise Refused("INVALID_REPLICATION_DATE", "startDate must be before endDate and within the last 30 days")
        purged = [row | {"IsDeleted": True} for one, row in self.org.purged if one == name]
        known = [*self.org.rows(name, deleted=True), *purged]
        rows = [row for row in known if start <= moment(row["SystemModstamp"]) < end]
        if len(rows) > self.listed:
            raise Refused("EXCEEDED_ID_LIMIT", "the specified time range has too many ids")
        covered = stamp(min(end, now).replace(second=0, microsecond=0))
        if which == "updated":
            return Answer(value={"ids": [row["Id"] for row in rows if not row["IsDeleted"]], "latestDateCovered": covered})
        gone = [{"id": row["Id"], "deletedDate": row["SystemModstamp"]} for row in rows if row["IsDeleted"]]
        earliest = stamp(now - timedelta(days=30))
        return Answer(value={"deletedRecords": gone, "earliestDateAvailable": earliest, "latestDateCovered": covered})


def _date(text: str) -> Any:
    with contextlib.suppress(ValueError, TypeError):
        return parsedate_to_datetime(text) if text else None
    return None
