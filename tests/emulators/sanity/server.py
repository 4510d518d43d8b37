"""The HTTP of the emulated service: who may come in, what goes wrong, and which part of the API answers."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestServer

from syncd.connectors.body import encode
from tests.emulators.sanity.answers import READS, Answer, body_of, failed, listen, me, mutate, role_of
from tests.emulators.sanity.dataset import Document
from tests.emulators.sanity.faults import Asked
from tests.emulators.sanity.lake import DATASET, Lake

LARGEST = 4_000_000  # bytes of a request


def app_of(lake: Lake) -> web.Application:
    """Return the service as a web application."""

    async def take(request: web.Request) -> web.StreamResponse:
        asked = Asked(request.method, request.path, dict(request.query), dict(request.headers), await body_of(request))
        lake.requests.append(asked)
        await lake.faults.delay()
        if lake.faults.deaf:
            lake.faults.deaf -= 1
            return gone(request)
        headers, refused = admitted(lake, request, asked)
        if refused is None and asked.what == "listen":
            return await listen(lake, request, asked)
        status, said = refused or await answered(lake, request, asked)
        if asked.writes and lake.faults.mute:
            lake.faults.mute -= 1
            return gone(request)
        asked.status = status
        lines = asked.what in {"history", "export"} and status == 200
        return web.Response(
            status=status,
            body=said if isinstance(said, bytes) else encode(said),
            headers=headers,
            content_type="application/x-ndjson" if lines else "application/json",
        )

    app = web.Application(client_max_size=256 * 1024 * 1024)
    app.router.add_route("*", "/{tail:.*}", take)
    return app


def gone(request: web.Request) -> web.StreamResponse:
    """Close the connection without a word."""
    assert request.transport is not None
    request.transport.abort()
    return web.Response(status=500)


def admitted(lake: Lake, request: web.Request, asked: Asked) -> tuple[dict[str, str], Answer | None]:
    """Return the headers of the answer, and the answer if the request comes no further."""
    left = lake.left()
    headers = {"X-RateLimit-Remaining-Second": str(max(left, 0)), "X-RateLimit-Limit-Second": str(lake.limit or 500)}
    trouble = lake.faults.trouble(asked)
    if trouble is not None:
        body = trouble.body if trouble.body is not None else failed(trouble.status, "Trouble", "on demand")[1]
        return headers | trouble.headers, (trouble.status, body)
    if left < 0:
        return headers | {"Retry-After": "1", "RateLimit-Reset": "1"}, failed(429, "Too Many Requests", "Rate limit exceeded")
    if role_of(lake, request) is None:
        return headers, failed(401, "Unauthorized", "Session not found")
    if (request.content_length or 0) > LARGEST:
        return headers, failed(413, "Request Entity Too Large", "Request body is too large")
    dataset = request.path.strip("/").split("/")[3:]
    if asked.what == "history":
        dataset = dataset[0:1]
    if asked.what in {*READS, "mutate", "listen"} and dataset[:1] != [DATASET]:
        return headers, failed(404, "Not Found", f"Dataset not found for project ID {lake.project}")
    return headers, None


async def answered(lake: Lake, request: web.Request, asked: Asked) -> Answer:
    """Return what the part of the API says that a request is for."""
    role = role_of(lake, request) or ""
    if asked.what == "mutate":
        return await mutate(lake, asked, role)
    if asked.what == "users":
        return await me(lake, asked, role)
    if asked.what in READS:
        return await READS[asked.what](lake, asked)
    return failed(404, "Not Found", f"no such path: {asked.path}")


async def hang_up(lake: Lake, word: str | None = None, data: Any = None) -> None:
    """End all streams, with an event (``reconnect``, ``disconnect``, ``channelError``) or without."""
    for listener in list(lake.listeners):
        if word is not None:
            name = json.dumps(data or {"reason": "on demand"})
            listener.queue.put_nowait(f"event: {word}\ndata: {name}\n\n".encode())
        listener.queue.put_nowait(None)
    await asyncio.gather(*(listener.ended.wait() for listener in list(lake.listeners)))


@asynccontextmanager
async def serving(lake: Lake, port: int = 0, documents: Sequence[Document] = ()) -> AsyncIterator[TestServer]:
    """Run the service on this machine until left; it has these documents before anybody can ask."""
    async with lake:
        await lake.load(list(documents))
        server = TestServer(app_of(lake), host="127.0.0.1", port=port)
        await server.start_server(shutdown_timeout=0.1)
        try:
            yield server
        finally:
            await hang_up(lake)
            await server.close()
