"""A small JSON API on a real socket, for the tests of everything that speaks HTTP. It keeps score of what reached it."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestServer

from syncd.connectors.body import decode, encode, pick
from syncd.core.model import Item

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]
BEFORE, AFTER = "before", "after"


@dataclass
class Shop:
    """Products by id, with a revision each. ``faults``: an answer to give instead, before or after doing what was asked."""

    things: dict[str, Item] = field(default_factory=dict)
    revisions: dict[str, int] = field(default_factory=dict)
    requests: list[tuple[str, str, bytes]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    faults: list[tuple[str, Answer]] = field(default_factory=list)
    keys: dict[str, web.Response] = field(default_factory=dict)
    silent: bool = False  # writes are answered without a body
    field_version: bool = False  # the revision is a field, "rev", not an ETag
    ids: Any = field(default_factory=lambda: itertools.count(1))
    moment: datetime = field(default_factory=lambda: datetime(2026, 1, 31, 10, tzinfo=UTC))

    @property
    def writes(self) -> int:
        """Return how many requests that change something arrived."""
        return sum(method != "GET" for method, _, _ in self.requests)

    def put(self, item: Item, native_id: str | None = None) -> str:
        """Make or edit a product, as anybody may."""
        one = native_id or str(next(self.ids))
        self.moment += timedelta(seconds=1)
        self.revisions[one] = self.revisions.get(one, 0) + 1
        stamp = {"updated_at": self.moment.isoformat().replace("+00:00", "Z")}
        version = {"rev": self.revisions[one]} if self.field_version else {}
        self.things[one] = self.things.get(one, {"id": int(one)}) | item | stamp | version
        return one

    def app(self) -> web.Application:
        """Return the API."""
        app = web.Application(middlewares=[self._score])
        app.router.add_get("/products", self._list)
        app.router.add_post("/products", self._create)
        app.router.add_get("/products/{id}", self._get)
        app.router.add_route("PATCH", "/products/{id}", self._edit)
        app.router.add_route("PUT", "/products/{id}", self._edit)
        app.router.add_delete("/products/{id}", self._delete)
        return app

    @web.middleware
    async def _score(self, request: web.Request, handler: Answer) -> web.StreamResponse:
        self.requests.append((request.method, request.raw_path, await request.read()))
        self.headers.append(dict(request.headers))
        when, fault = self.faults.pop(0) if self.faults else ("", handler)
        if when == BEFORE:
            return await fault(request)
        key = request.headers.get("Idempotency-Key", "")
        response = self.keys.get(key) or await handler(request)
        if key and isinstance(response, web.Response):
            self.keys[key] = response
        return await fault(request) if when == AFTER else _again(response)

    async def _list(self, request: web.Request) -> web.Response:
        query = request.query
        found = [one for one in self.things.values() if "sku" not in query or one.get("sku") == query["sku"]]
        found = [one for one in found if one["updated_at"] >= query.get("updated_since", "")]
        size, page = int(query.get("per_page", 100)), int(query.get("page", 1))
        part = found[(page - 1) * size : page * size]
        return _json({"data": part, "meta": {"total": len(found), "next": page + 1 if page * size < len(found) else None}})

    async def _get(self, request: web.Request) -> web.Response:
        one = request.match_info["id"]
        return self._shown(one, status=200) if one in self.things else web.Response(status=404)

    async def _create(self, request: web.Request) -> web.Response:
        item = decode(await request.read())
        if any(one.get("sku") == item.get("sku") for one in self.things.values()):
            return _json({"error": "sku is taken"}, status=422)
        return self._shown(self.put(item), status=201)

    async def _edit(self, request: web.Request) -> web.Response:
        one = request.match_info["id"]
        if one not in self.things:
            return web.Response(status=404)
        item = decode(await request.read())
        if self._stale(one, request, item):
            return _json({"error": "edited since"}, status=409 if self.field_version else 412)
        if request.method == "PUT":
            self.things[one] = {"id": int(one)}
        self.put({key: value for key, value in item.items() if key not in {"id", "rev"}}, one)
        return self._shown(one, status=200)

    async def _delete(self, request: web.Request) -> web.Response:
        one = request.match_info["id"]
        if self.things.pop(one, None) is None:
            return web.Response(status=410)
        return web.Response(status=204)

    def _stale(self, one: str, request: web.Request, item: Item) -> bool:
        if self.field_version:
            return bool(pick(item, "rev") != self.revisions[one])
        return request.headers.get("If-Match", self._etag(one)) != self._etag(one)

    def _etag(self, one: str) -> str:
        return f'"r{self.revisions[one]}"'

    def _shown(self, one: str, *, status: int) -> web.Response:
        headers = {} if self.field_version else {"ETag": self._etag(one)}
        if status == 201:
            headers["Location"] = f"/products/{one}"
        if self.silent and status != 200:
            return web.Response(status=status, headers=headers)
        return _json(self.things[one], status=status, headers=headers)


def _json(value: Any, *, status: int = 200, headers: dict[str, str] | None = None) -> web.Response:
    return web.Response(body=encode(value), status=status, headers=headers, content_type="application/json")


def _again(response: web.StreamResponse) -> web.StreamResponse:
    """Return an answer that can be sent although it was sent before."""
    assert isinstance(response, web.Response)
    headers = {name: value for name, value in response.headers.items() if name != "Content-Length"}
    return web.Response(body=response.body, status=response.status, headers=headers)


def says(status: int, body: bytes | str = b"", **headers: str) -> Answer:
    """Return an answer with these bytes."""

    async def answer(_: web.Request) -> web.Response:
        data = body.encode() if isinstance(body, str) else body
        return web.Response(status=status, body=data, headers={k.replace("_", "-"): v for k, v in headers.items()})

    return answer


async def hang_up(request: web.Request) -> web.StreamResponse:
    """Drop the connection instead of answering."""
    assert request.transport is not None
    request.transport.abort()
    return web.Response()


async def sleep_long(_: web.Request) -> web.StreamResponse:
    """Answer too late."""
    await asyncio.sleep(30)
    return web.Response()


@asynccontextmanager
async def serving(app: web.Application) -> AsyncIterator[TestServer]:
    """Serve an app on loopback."""
    server = TestServer(app, shutdown_timeout=0.1)
    await server.start_server()
    try:
        yield server
    finally:
        await server.close()
