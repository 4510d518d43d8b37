"""A REST shop that runs: JSON things with ETags, paging, a unique key, signed webhooks, and the bad manners of real ones.

It listens on a free port of 127.0.0.1. ``people`` edit it through ``edit``; everything else comes over HTTP. Every request
that changed something is in ``applied``, so that a run can be compared with the ledger's attempts.
"""

import asyncio
import base64
import hashlib
import hmac
import itertools
import json
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Self

import aiohttp
from aiohttp import web

Thing = dict[str, Any]


@dataclass
class Manners:
    """How the shop misbehaves. ``throttle_every``: each n-th request is answered 429. ``lose_hooks``: so many are not sent."""

    throttle_every: int = 0
    lose_hooks: int = 0
    lose_answers: int = 0  # writes that are applied, and whose answer is dropped
    down: bool = False  # 500 to everything


@dataclass
class Shop:
    """The shop. ``keys`` names the unique key of each collection; ``hook_url`` is where webhooks go."""

    keys: dict[str, str] = field(default_factory=lambda: {"products": "sku"})
    secret: bytes = b"demo-webhook-secret-of-24-bytes"
    hook_url: str | None = None
    manners: Manners = field(default_factory=Manners)

    def __post_init__(self) -> None:
        """Start empty."""
        self.things: dict[str, dict[str, Thing]] = {name: {} for name in self.keys}
        self.revisions: dict[tuple[str, str], int] = {}
        self.applied: list[tuple[str, str, str]] = []  # (method, collection, id)
        self.requests = 0
        self.url = ""
        self._ids = itertools.count(1)
        self._events: asyncio.Queue[tuple[str, Thing]] = asyncio.Queue()
        self._runner: web.AppRunner | None = None
        self._sender: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        """Listen on a free port and send webhooks."""
        app = web.Application(middlewares=[self._misbehave])
        app.add_routes(
            [
                web.get("/{collection}", self._list),
                web.post("/{collection}", self._create),
                web.get("/{collection}/{id}", self._read),
                web.patch("/{collection}/{id}", self._update),
                web.delete("/{collection}/{id}", self._delete),
            ]
        )
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        host, port = self._runner.addresses[0][:2]
        self.url = f"http://{host}:{port}"
        self._sender = asyncio.create_task(self._send_hooks())
        return self

    async def __aexit__(self, *exc: object) -> None:
        """Stop listening; webhooks not yet sent are lost, as when a shop restarts."""
        if self._sender:
            self._sender.cancel()
            await asyncio.gather(self._sender, return_exceptions=True)
        if self._runner:
            await self._runner.cleanup()

    # ---- people

    def edit(self, collection: str, key: str, **fields: Any) -> Thing:
        """Change a thing by its unique key as a person in the shop's admin would; raises KeyError if there is none."""
        thing = self.find(collection, key)
        return self._store(collection, thing["id"], {**thing, **fields}, event="updated")

    def add(self, collection: str, **fields: Any) -> Thing:
        """Make a thing as a person in the shop's admin would."""
        id_ = str(next(self._ids))
        return self._store(collection, id_, {**fields, "id": id_}, event="created")

    def find(self, collection: str, key: str) -> Thing:
        """Return the thing with this unique key; raises KeyError."""
        for thing in self.things[collection].values():
            if thing.get(self.keys[collection]) == key:
                return thing
        raise KeyError(key)

    def remove(self, collection: str, key: str) -> None:
        """Delete a thing by its unique key as a person would."""
        self._drop(collection, self.find(collection, key)["id"])

    # ---- the API

    @web.middleware
    async def _misbehave(
        self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        self.requests += 1
        every = self.manners.throttle_every
        if every and self.requests % every == 0:
            return web.json_response({"error": "slow down"}, status=429, headers={"Retry-After": "1"})
        if self.manners.down:
            return web.json_response({"error": "out of order"}, status=500)
        if request.match_info.get("collection") not in self.things:
            return web.json_response({"error": "no such collection"}, status=404)
        try:
            response = await handler(request)
        except json.JSONDecodeError as error:
            return web.json_response({"error": f"no JSON: {error}"}, status=400)
        if self.manners.lose_answers and request.method in ("POST", "PATCH") and response.status < 300 and request.transport:
            self.manners.lose_answers -= 1
            request.transport.abort()
        return response

    async def _list(self, request: web.Request) -> web.Response:
        collection, query = request.match_info["collection"], request.query
        things = sorted(self.things[collection].values(), key=lambda t: int(t["id"]))
        since = query.get("updated_since")
        if since:
            things = [t for t in things if t["updated_at"] >= since]
        key = self.keys[collection]
        if key in query:
            things = [t for t in things if str(t.get(key)) == query[key]]
        size, page = int(query.get("per_page", "100")), int(query.get("page", "1"))
        part = things[(page - 1) * size : page * size]
        return web.json_response({"data": part, "meta": {"total": len(things)}})

    async def _read(self, request: web.Request) -> web.Response:
        collection, id_ = request.match_info["collection"], request.match_info["id"]
        if id_ not in self.things[collection]:
            return web.json_response({"error": "not found"}, status=404)
        return self._answer(collection, id_)

    async def _create(self, request: web.Request) -> web.Response:
        collection, body = request.match_info["collection"], await request.json()
        key = self.keys[collection]
        if any(t.get(key) == body.get(key) for t in self.things[collection].values()):
            return web.json_response({"error": f"{key} exists"}, status=409)
        id_ = str(next(self._ids))
        self._store(collection, id_, {**body, "id": id_}, event="created")
        self.applied.append(("POST", collection, id_))
        return self._answer(collection, id_, status=201)

    async def _update(self, request: web.Request) -> web.Response:
        collection, id_ = request.match_info["collection"], request.match_info["id"]
        thing = self.things[collection].get(id_)
        if thing is None:
            return web.json_response({"error": "not found"}, status=404)
        guard = request.headers.get("If-Match")
        if guard is not None and guard != self._etag(collection, id_):
            return web.json_response({"error": "changed meanwhile"}, status=412)
        self._store(collection, id_, {**thing, **await request.json(), "id": id_}, event="updated")
        self.applied.append(("PATCH", collection, id_))
        return self._answer(collection, id_)

    async def _delete(self, request: web.Request) -> web.Response:
        collection, id_ = request.match_info["collection"], request.match_info["id"]
        if id_ not in self.things[collection]:
            return web.json_response({"error": "not found"}, status=404)
        self._drop(collection, id_)
        self.applied.append(("DELETE", collection, id_))
        return web.Response(status=204)

    # ---- inside

    def _etag(self, collection: str, id_: str) -> str:
        return f'"{self.revisions[collection, id_]}"'

    def _answer(self, collection: str, id_: str, *, status: int = 200) -> web.Response:
        etag = {"ETag": self._etag(collection, id_)}
        return web.json_response(self.things[collection][id_], status=status, headers=etag)

    def _store(self, collection: str, id_: str, thing: Thing, *, event: str) -> Thing:
        thing["updated_at"] = datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
        self.things[collection][id_] = thing
        self.revisions[collection, id_] = self.revisions.get((collection, id_), 0) + 1
        self._announce(f"{collection}.{event}", thing)
        return thing

    def _drop(self, collection: str, id_: str) -> None:
        self._announce(f"{collection}.deleted", {"id": self.things[collection].pop(id_)["id"]})

    def _announce(self, kind: str, thing: Thing) -> None:
        if self.hook_url is None:
            return
        if self.manners.lose_hooks:
            self.manners.lose_hooks -= 1
            return
        self._events.put_nowait((kind, dict(thing)))

    async def _send_hooks(self) -> None:
        async with aiohttp.ClientSession() as session:
            for number in itertools.count(1):
                kind, thing = await self._events.get()
                body = json.dumps({"type": kind, "timestamp": thing.get("updated_at"), "data": thing}).encode()
                await self._send_hook(session, f"msg_{id(self)}_{number}", body)

    async def _send_hook(self, session: aiohttp.ClientSession, message_id: str, body: bytes) -> None:
        if self.hook_url is None:
            return
        headers = {**signature(self.secret, message_id, body), "Content-Type": "application/json"}
        try:
            async with session.post(self.hook_url, data=body, headers=headers, timeout=aiohttp.ClientTimeout(5)):
                pass
        except (aiohttp.ClientError, TimeoutError):
            return  # nobody listened: this shop does not try again


def signature(secret: bytes, message_id: str, body: bytes) -> dict[str, str]:
    """Return the three headers of Standard Webhooks for a body sent now."""
    stamp = str(int(time.time()))
    signed = f"{message_id}.{stamp}.".encode() + body
    mac = base64.b64encode(hmac.new(secret, signed, hashlib.sha256).digest()).decode()
    return {"webhook-id": message_id, "webhook-timestamp": stamp, "webhook-signature": f"v1,{mac}"}


def shared_secret(secret: bytes) -> str:
    """Return a secret in the form that receivers of Standard Webhooks are configured with."""
    return "whsec_" + base64.b64encode(secret).decode()
