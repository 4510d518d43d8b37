"""Several things in one request: collections of up to 200 rows, and up to 25 calls inside one."""

import re
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

from syncd.connectors.body import encode
from tests.emulators.salesforce.org import Fields, Who
from tests.emulators.salesforce.values import Refused
from tests.emulators.salesforce.wire import Answer, Call

if TYPE_CHECKING:
    from tests.emulators.salesforce.data import Data

ROLLED_BACK = Refused("ALL_OR_NONE_OPERATION_ROLLED_BACK", "Record rolled back because not all records were valid")


class _Undone(Exception):  # noqa: N818 - it ends a transaction, nothing more
    pass


def _undo(really: bool) -> None:
    if really:
        raise _Undone


class Composite:
    """Answers for ``/composite``."""

    def __init__(self, data: "Data") -> None:
        self.data = data

    def answer(self, call: Call) -> Answer:
        """Return the answer to a call; raises Refused."""
        parts = call.parts[1:]
        if not parts:
            return self.calls(call)
        if parts[0] != "sobjects":
            raise Refused("NOT_FOUND", "The requested resource does not exist", status=404)
        if len(parts) == 2:
            return self.several(call, parts[1])
        return self.rows(call, parts[1:])

    def several(self, call: Call, name: str) -> Answer:
        """Read rows by id: GET with the ids in the address, POST with them in the body. A missing one is null."""
        if call.method == "GET":
            ids, names = call.query.get("ids", "").split(","), call.query.get("fields", "Id").split(",")
        else:
            ids, names = call.json()["ids"], call.json()["fields"]
        if len(ids) > 2000:
            raise Refused("INVALID_INPUT", "too many ids")
        answerer, made = self.data.answerer, self.data.org.object(name)
        for path in names:
            answerer._getter(made, path)
        found: list[Fields | None] = []
        for one in ids:
            try:
                found.append(answerer.record(made, self.data.org.row(name, one), names))
            except Refused:
                found.append(None)
        return Answer(value=found)

    def rows(self, call: Call, parts: list[str]) -> Answer:
        """Create, update, upsert or delete up to 200 rows; each has its own result."""
        who = self.data.who(call)
        if call.method == "DELETE":
            items: list[Any] = call.query.get("ids", "").split(",")
            whole = call.query.get("allOrNone") == "true"
        else:
            body = call.json()
            items, whole = body.get("records") or [], body.get("allOrNone") is True
        if len(items) > 200:
            say = f"record limit reached. cannot submit more than 200 records into this call: {len(items)}"
            raise Refused("EXCEEDED_MAX_SOBJECTS_REQUEST", say)
        results: list[Fields] = []
        try:
            with self.data.org.transaction():
                results = [self.row(call.method, parts, item, who) for item in items]
                _undo(whole and not all(one["success"] for one in results))
        except _Undone:
            results = [_undone(one) for one in results]
        return Answer(value=results)

    def row(self, method: str, parts: list[str], item: Any, who: Who) -> Fields:
        """Do one row and return its result."""
        try:
            return {"success": True, "errors": []} | self.done(method, parts, item, who)
        except Refused as refused:
            return {"success": False, "errors": [refused.item()]}

    def done(self, method: str, parts: list[str], item: Any, who: Who) -> Fields:
        org = self.data.org
        if method == "DELETE":
            org.delete(self.object_of(item), item, who)
            return {"id": item}
        name = item.get("attributes", {}).get("type", "")
        values = {key: value for key, value in item.items() if key not in {"attributes", "id", "Id"}}
        if method == "POST":
            return {"id": org.create(name, values, who)}
        if len(parts) == 2:
            return self.upserted(parts[0], parts[1], values, who)
        native_id = item.get("id") or item.get("Id") or ""
        org.update(name, native_id, values, who)
        return {"id": native_id}

    def upserted(self, name: str, path: str, values: Fields, who: Who) -> Fields:
        if values.get(path) is None:
            raise Refused("MISSING_ARGUMENT", f"{path} not specified")
        found = self.data.org.matching(name, path, values[path])
        if len(found) > 1:
            say = f"{path}: more than one record found for external id field"
            raise Refused("DUPLICATE_EXTERNAL_ID", say)
        if not found:
            return {"id": self.data.org.create(name, values, who), "created": True}
        self.data.org.update(name, found[0]["Id"], {key: one for key, one in values.items() if key != path}, who)
        return {"id": found[0]["Id"], "created": False}

    def object_of(self, native_id: str) -> str:
        """Return the object of an id by its first three characters; raises Refused."""
        found = next((one.name for one in self.data.org.objects.values() if one.prefix == native_id[:3]), None)
        if found is None:
            raise Refused("MALFORMED_ID", f"malformed id {native_id}")
        return found

    def calls(self, call: Call) -> Answer:
        """Carry out calls one after the other; ``@{name.id}`` stands for what an earlier one answered."""
        body = call.json()
        inner, whole = body.get("compositeRequest") or [], body.get("allOrNone") is True
        if len(inner) > 25:
            raise Refused("PROCESSING_HALTED", "Limit of 25 reached for composite requests")
        answers: dict[str, Answer] = {}
        try:
            with self.data.org.transaction() if whole else nullcontext():
                for one in inner:
                    answers[one["referenceId"]] = self.inner(call, one, answers)
                _undo(whole and any(one.status >= 400 for one in answers.values()))
        except _Undone:
            halted = Refused("PROCESSING_HALTED", "The transaction was rolled back since another operation failed.")
            answers = {key: one if one.status >= 400 else Answer(400, [halted.shown()]) for key, one in answers.items()}
        shown = [
            {"body": one.value, "httpHeaders": one.headers, "httpStatusCode": one.status, "referenceId": key}
            for key, one in answers.items()
        ]
        return Answer(value={"compositeResponse": shown})

    def inner(self, call: Call, one: Fields, answers: dict[str, Answer]) -> Answer:
        text = encode(one.get("body")).decode() if one.get("body") is not None else ""
        url, text = _filled(one["url"], answers), _filled(text, answers)
        outer = {key: value for key, value in call.headers.items() if key.lower() != "if-unmodified-since"}
        return self.data.answer(Call.of(one["method"], url, outer | dict(one.get("httpHeaders") or {}), text.encode()))


def _filled(text: str, answers: dict[str, Answer]) -> str:
    def value(found: re.Match[str]) -> str:
        at: Any = answers[found[1]].value
        for step in found[2].split("."):
            at = at[step]
        return str(at)

    return re.sub(r"@\{(\w+)\.([\w.]+)\}", value, text)


def _undone(result: Fields) -> Fields:
    return {"success": False, "errors": [ROLLED_BACK.item()]} if result["success"] else result
