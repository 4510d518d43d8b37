"""The shop as a server: it lets in who has a token, executes what is asked over the vendor's schema, and answers as Shopify."""

import asyncio
import time
import uuid
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any

import orjson
from aiohttp import web
from graphql import ExecutionResult, GraphQLError, execute
from graphql.language import FieldNode, OperationDefinitionNode

from tests.emulators.courier import Courier
from tests.emulators.shopify import bulk, groups, others, products
from tests.emulators.shopify.control import Control
from tests.emulators.shopify.cost import Bucket, Cost, paid, with_defaults
from tests.emulators.shopify.faults import Fault, Faults
from tests.emulators.shopify.hooks import body_of, headers_of
from tests.emulators.shopify.logins import Logins
from tests.emulators.shopify.reads import Context, resolve
from tests.emulators.shopify.schema import Document, document, schema, shown
from tests.emulators.shopify.state import Node, Shop
from tests.emulators.shopify.writes import HARMLESS

__all__ = ["Emulator", "Request", "bulk", "groups", "others", "products"]
VERSIONS = ("2026-01", "2026-04", "2026-07", "2026-10", "2027-01", "unstable")
FAILURES = 8  # deliveries in a row, after which a subscription is deleted


@dataclass
class Request:
    """One request that reached the shop. ``changing``: it has a mutation that changes a record; ``done``: it was executed."""

    at: float
    name: str | None = None
    kind: str = ""
    roots: tuple[str, ...] = ()
    variables: dict[str, Any] = field(default_factory=dict)
    status: int = 0
    done: bool = False
    said: str = ""  # the code of its error

    @property
    def changing(self) -> bool:
        """Return whether it asks for a record to be changed."""
        return self.kind == "mutation" and not set(self.roots) <= HARMLESS


class Emulator:
    """One shop with its app: its state, its faults, its logins, its bucket, the courier of its webhooks, and its score."""

    def __init__(self, shop: Shop | None = None, *, secret: str = "hush", bucket: Bucket | None = None) -> None:
        self.shop = shop or Shop()
        self.faults = Faults()
        self.logins = Logins(client_secret=secret)
        self.bucket = bucket or Bucket(maximum=20_000, restore=1000)
        self.courier = Courier()
        self.requests: list[Request] = []
        self.secret = secret
        self.bulk_seconds = 0.05
        self.files: dict[str, bytes] = {}
        self.meanwhile: list[Callable[[], object]] = []  # each is done right before a mutation, by somebody else
        self.leaked = False  # a token was sent where files are, which is not the shop
        self._base = ""
        self._tasks: set[asyncio.Task[None]] = set()
        self._rows: dict[Any, Any] = {}

    @property
    def writes(self) -> int:
        """Return how many requests that change a record arrived."""
        return sum(request.changing for request in self.requests)

    def app(self) -> web.Application:
        """Return the server."""
        app = web.Application(client_max_size=64 * 1024 * 1024)
        app.router.add_post("/admin/api/{version}/graphql.json", self._graphql)
        app.router.add_post("/admin/oauth/access_token", self._token)
        app.router.add_get("/files/{name}", self._file)
        Control(self).join(app)
        app.on_cleanup.append(self._close)
        return app

    # -- what happens beside requests

    def forced_errors(self, name: str) -> list[dict[str, Any]] | None:
        """Return the user errors that a mutation is to be refused with, None if it is not."""
        fault = self.faults.take("refuse", on=("mutation", name))
        return fault.errors if fault is not None else None

    def notify(self) -> None:
        """Send the webhooks that are due, in the background."""
        due, self.shop.due = self.shop.due, []
        for topic, node in due:
            self.tell(topic, node)

    def tell(self, topic: str, node: Node) -> None:
        """Send one event to all who subscribed to it."""
        event = str(uuid.uuid4())
        for one in [one for one in self.shop.all("WebhookSubscription") if one["topic"] == topic]:
            body = body_of(topic, node, one["includeFields"])
            headers = headers_of(topic, body, shop=self.shop, secret=self.secret, event=event, name=one["name"])
            task = self.courier.post(body, headers, one["uri"])
            task.add_done_callback(lambda task, one=one: self._delivered(one, task))

    def _delivered(self, one: Node, task: "asyncio.Task[Any]") -> None:
        if task.cancelled() or not task.result().statuses:
            return
        one["_failures"] = 0 if task.result().arrived else one["_failures"] + 1
        if one["_failures"] >= FAILURES and not one["_of_the_app"]:
            self.shop.of["WebhookSubscription"].pop(one["id"], None)

    def begin_bulk(self, operation: Node) -> None:
        """Run a bulk operation in the background."""
        task = asyncio.ensure_future(self._bulk(operation))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _bulk(self, operation: Node) -> None:
        await asyncio.sleep(self.bulk_seconds / 2)
        if operation["status"] != "CREATED":
            return
        operation["status"] = "RUNNING"
        await asyncio.sleep(self.bulk_seconds / 2)
        if operation["status"] != "RUNNING":
            return
        context = Context(self.shop, self.logins.scopes, bulk=True, server=self)
        read = document(operation["query"], self.faults.gone_fields)
        assert read.ast is not None
        found = self._executed(read, context, {}, None)
        lines = list(bulk.lines_of(found.data or {}))
        roots = sum(b'"__parentId"' not in line for line in lines)
        operation |= {"objectCount": str(len(lines)), "rootObjectCount": str(roots), "completedAt": self.shop.now()}
        failed = self.faults.bulk_fails or ("INTERNAL_SERVER_ERROR" if found.errors else None)
        name = f"{operation['legacyResourceId']}.jsonl"
        kept = lines[: len(lines) // 2] if failed else lines
        self.files[name] = b"".join(line + b"\n" for line in kept)
        where = f"{self._base}/files/{name}?signature=x" if kept else None
        operation |= {"partialDataUrl" if failed else "url": where, "fileSize": str(len(self.files[name]))}
        operation |= {"status": "FAILED" if failed else "COMPLETED", "errorCode": failed}
        self.tell("BULK_OPERATIONS_FINISH", operation)

    # -- requests

    async def _token(self, request: web.Request) -> web.StreamResponse:
        form = request.content_type == "application/x-www-form-urlencoded"
        asked = dict(await request.post()) if form else orjson.loads(await request.read())
        fault = self.faults.take("status", on=("token",))
        if fault is not None and fault.on == "token":
            return web.json_response({}, status=fault.status)
        status, answer = self.logins.grant(asked)
        return web.json_response(answer, status=status)

    async def _file(self, request: web.Request) -> web.StreamResponse:
        self.leaked = self.leaked or "X-Shopify-Access-Token" in request.headers
        fault = self.faults.take("status", "drop", on=("file",)) if self._meant_for_files() else None
        if fault is not None and fault.kind == "status":
            return web.Response(status=fault.status)
        body = self.files.get(request.match_info["name"])
        if body is None:
            return web.Response(status=404)
        if fault is None:
            return web.Response(body=body, content_type="application/jsonl")
        cut = web.StreamResponse(headers={"Content-Length": str(len(body))})
        await cut.prepare(request)
        await cut.write(body[: len(body) // 2])
        assert request.transport is not None
        request.transport.abort()
        return cut

    def _meant_for_files(self) -> bool:
        return any(fault.on == "file" for fault in self.faults.waiting)

    async def _graphql(self, request: web.Request) -> web.StreamResponse:
        self._base = f"http://{request.host}"
        self.shop.domain = self.shop.domain or request.host  # it is called what it is asked as
        seen = Request(time.time())
        self.requests.append(seen)
        asked = await self._asked(request, seen)
        if isinstance(asked, web.StreamResponse):
            seen.status = asked.status
            return asked
        read, operation, variables = asked
        names = (seen.kind, *seen.roots, *([seen.name] if seen.name else []))
        if self.faults.delay:
            await asyncio.sleep(self.faults.delay)
        if (slow := self.faults.take("slow", on=names)) is not None:
            await asyncio.sleep(slow.seconds)
        fault = self.faults.take("status", "drop_before", "throttle", "internal", "denied", on=names)
        if fault is not None:
            return self._failed(request, seen, fault)
        answer = self._answered(seen, read, operation, variables)
        late = self.faults.take("drop", "status_after", "partial", "garbage", on=names) if seen.done else None
        self.notify()
        seen.status = 200
        if late is not None:
            return self._spoiled(request, seen, answer, late)
        return self._json(answer, request)

    async def _asked(self, request: web.Request, seen: Request) -> Any:
        """Return the document, the operation and the variables, or the answer to what could not be taken."""
        version = request.match_info["version"]
        if version not in VERSIONS and version > VERSIONS[-2]:
            return self._json({"errors": "Not Found"}, request, status=404)
        if not self.logins.admits(request.headers.get("X-Shopify-Access-Token")):
            text = "[API] Invalid API key or access token (unrecognized login or wrong password)"
            return self._json({"errors": text}, request, status=401)
        try:
            body = orjson.loads(await request.read())
            read = document(body["query"], self.faults.gone_fields)
        except (ValueError, KeyError, TypeError):
            return self._json({"errors": "Bad Request"}, request, status=400)
        if read.ast is None:
            seen.said = read.errors[0]["extensions"]["code"]
            return self._json({"errors": list(read.errors)}, request)
        operation = read.operation(body.get("operationName"))
        if operation is None:
            return self._json({"errors": [{"message": "No operation named so"}]}, request)
        seen.name, seen.kind = body.get("operationName"), operation.operation.value
        seen.roots = tuple(one.name.value for one in operation.selection_set.selections if isinstance(one, FieldNode))
        seen.variables = body.get("variables") or {}
        return read, operation, with_defaults(operation, seen.variables)

    def _answered(
        self, seen: Request, read: Document, operation: OperationDefinitionNode, variables: dict[str, Any]
    ) -> dict[str, Any]:
        for root in seen.roots:
            scope = self.logins.lacks(root, mutation=seen.kind == "mutation")
            if scope is not None:
                return _denied(seen, root, scope)
        assert read.ast is not None
        requested = Cost(schema(self.faults.gone_fields), read.ast, variables).of(operation)
        if requested > self.bucket.most:
            text = f"Query cost is {requested}, which exceeds the single query max cost limit ({self.bucket.most:g})."
            extensions = {"code": "MAX_COST_EXCEEDED", "cost": requested, "maxCost": self.bucket.most}
            seen.said = "MAX_COST_EXCEEDED"
            return {"errors": [{"message": text, "extensions": extensions}]}
        if requested > self.bucket.available():
            return self._throttled(seen, requested)
        if seen.changing and self.meanwhile:
            self.meanwhile.pop(0)()
        lag, stale = self.faults.lag, self.faults.stale > 0 and seen.kind == "query"
        self.faults.stale -= stale
        context = Context(
            self.shop, self.logins.scopes, lag=lag, stale=stale, cached=self._rows, server=self, variables=variables
        )
        found = self._executed(read, context, variables, seen.name)
        seen.done = found.data is not None
        actual = requested if seen.kind == "mutation" else paid(found.data or {}, requested)
        self.bucket.pay(actual)
        cost = {"requestedQueryCost": requested, "actualQueryCost": actual, "throttleStatus": self.bucket.status()}
        extensions = {"cost": cost} | ({"search": context.warnings} if context.warnings else {})
        answer: dict[str, Any] = {"data": found.data, "extensions": extensions}
        if found.errors:
            code = "INVALID_VARIABLE" if found.data is None and not found.errors[0].path else None
            answer["errors"] = [shown(error, code) for error in found.errors]
            seen.said = str(answer["errors"][0].get("extensions", {}).get("code", ""))
        return answer

    def _executed(self, read: Document, context: Context, variables: dict[str, Any], name: str | None) -> ExecutionResult:
        assert read.ast is not None
        found = execute(
            schema(self.faults.gone_fields),
            read.ast,
            {},
            context,
            variables,
            operation_name=name,
            field_resolver=resolve,
            is_awaitable=lambda _: False,
        )
        assert isinstance(found, ExecutionResult)
        ours = [one.original_error for one in found.errors or [] if not isinstance(one.original_error, GraphQLError | None)]
        for error in ours:  # a mistake of the emulator, or a null where the schema has none: never to be taken for the shop's
            raise error
        return found

    def _throttled(self, seen: Request, requested: int = 0) -> dict[str, Any]:
        seen.said = "THROTTLED"
        cost = {"requestedQueryCost": requested, "actualQueryCost": None, "throttleStatus": self.bucket.status()}
        error = {
            "message": "Throttled",
            "extensions": {"code": "THROTTLED", "documentation": "https://shopify.dev/api/usage/rate-limits"},
        }
        return {"errors": [error], "extensions": {"cost": cost}}

    def _failed(self, request: web.Request, seen: Request, fault: Fault) -> web.StreamResponse:
        """Answer a request that was not executed."""
        seen.said = fault.kind
        match fault.kind:
            case "throttle":
                answer = self._throttled(seen, 10)
            case "internal":
                text = "Internal error. Looks like something went wrong on our end.\nRequest ID: 0"
                answer = {"errors": [{"message": text, "extensions": {"code": "INTERNAL_SERVER_ERROR", "requestId": "0"}}]}
            case "denied":
                answer = _denied(seen, seen.roots[0], "read_products")
            case "drop_before":
                assert request.transport is not None
                request.transport.abort()
                return web.Response()
            case _:
                seen.status = fault.status
                return self._json({"errors": f"status {fault.status}"}, request, status=fault.status, headers=fault.headers)
        seen.status = 200
        return self._json(answer, request)

    def _spoiled(self, request: web.Request, seen: Request, answer: dict[str, Any], fault: Fault) -> web.StreamResponse:
        """Answer a request that was executed."""
        seen.said = fault.kind
        match fault.kind:
            case "drop":
                assert request.transport is not None
                request.transport.abort()
                return web.Response()
            case "partial":
                root = next(iter(answer["data"]))
                error = {"message": "Internal error", "path": [root, "id"], "extensions": {"code": "INTERNAL_SERVER_ERROR"}}
                answer = answer | {"errors": fault.errors or [error]}
            case "garbage":
                return web.Response(body=b"<html>bad gateway", content_type="text/html")
            case _:
                seen.status = fault.status
                return self._json({"errors": f"status {fault.status}"}, request, status=fault.status, headers=fault.headers)
        return self._json(answer, request)

    def _json(
        self, answer: Any, request: web.Request, *, status: int = 200, headers: dict[str, str] | None = None
    ) -> web.StreamResponse:
        asked = request.match_info["version"]
        served = self.faults.version or (asked if asked in VERSIONS else VERSIONS[0])
        every = {"X-Shopify-API-Version": served, "X-Request-Id": str(uuid.uuid4())}
        body = orjson.dumps(answer)
        return web.Response(body=body, status=status, headers=every | (headers or {}), content_type="application/json")

    def recorded(self) -> list[dict[str, Any]]:
        """Return every request, for whoever wants each to be explained."""
        return [asdict(request) | {"changing": request.changing} for request in self.requests]

    async def _close(self, _: web.Application) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.courier.close()


def _denied(seen: Request, root: str, scope: str) -> dict[str, Any]:
    seen.said = "ACCESS_DENIED"
    text = f"Access denied for {root} field. Required access: `{scope}` access scope."
    extensions = {"code": "ACCESS_DENIED", "requiredAccess": f"`{scope}` access scope."}
    return {"errors": [{"message": text, "path": [root], "extensions": extensions}], "data": {root: None}}
