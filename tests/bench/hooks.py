"""Webhooks acknowledged a second: the real app, receiver and ledger, against a bare handler and one that only queues.

The load comes from a process of its own (``tests.bench.load``); everything is signed beforehand.
"""

import asyncio
import base64
import hmac
import os
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import orjson
from aiohttp import web

from syncd.daemon.hook import routes_of
from syncd.web.hooks import build_hooks_app
from syncd.web.serve import listening
from tests.bench.measure import Series
from tests.daemon.company import PRODUCT, SHOP
from tests.daemon.world import World, memory

SECRET = b"a secret of the bench, 32 bytes!"
PATH = "/hooks/shop"
SECONDS = 1.0
Answer = Callable[[web.Request], Awaitable[web.Response]]


def furnish(folder: Path) -> World:
    """Write a company whose shop calls us."""
    world = World(folder)
    os.environ["SYNCD_SECRET_SHOP_HOOK"] = "whsec_" + base64.b64encode(SECRET).decode()
    world.service()
    world.write("platforms/erp.yaml", memory("erp"))
    world.write("platforms/shop.yaml", SHOP % {"shop": "http://127.0.0.1:9"})
    world.write("entities/product.yaml", PRODUCT)
    return world


async def bare(request: web.Request) -> web.Response:
    """Read the body and say so: the least that a handler can do."""
    await request.read()
    return web.json_response({"accepted": True}, status=202)


def queueing() -> Answer:
    """Return a handler that verifies, parses and queues in memory: what it acknowledged is lost with the process."""
    queue: list[object] = []

    async def answer(request: web.Request) -> web.Response:
        body = await request.read()
        name, moment = request.headers["webhook-id"], request.headers["webhook-timestamp"]
        sign = base64.b64encode(hmac.digest(SECRET, f"{name}.{moment}.".encode() + body, "sha256")).decode()
        if not hmac.compare_digest(f"v1,{sign}", request.headers["webhook-signature"]):
            return web.json_response({"accepted": False}, status=401)
        queue.append((name, orjson.loads(body)))
        return web.json_response({"accepted": True}, status=202)

    return answer


def app_of(answer: Answer) -> web.Application:
    app = web.Application()
    app.router.add_route("POST", PATH, answer)
    return app


async def load(series: Series, port: int, connections: int) -> None:
    """Have the other process knock for a while; add what was acknowledged, and what it cost this process."""
    command = (sys.executable, "-m", "tests.bench.load", str(port), str(connections), str(SECONDS))
    process = await asyncio.create_subprocess_exec(*command, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE)
    assert process.stdin is not None
    assert process.stdout is not None
    await process.stdout.readline()  # everything is signed
    cpu = time.process_time()
    process.stdin.write(b"go\n")
    answered, refused, seconds = (await process.stdout.readline()).split()
    series.add(int(answered), float(seconds), time.process_time() - cpu)
    assert await process.wait() == 0
    assert int(refused) == 0, f"{refused.decode()} refused"


async def bench(folder: Path, runs: int) -> dict[int, tuple[Series, Series, Series]]:
    """Return ours, bare and queueing for 16 and 128 connections."""
    found = {16: (Series(), Series(), Series()), 128: (Series(), Series(), Series())}
    async with furnish(folder).runtime() as runtime:
        apps = (build_hooks_app(routes_of(runtime)), app_of(bare), app_of(queueing()))
        ports = [listening(app, "127.0.0.1", 0) for app in apps]
        async with ports[0] as ours, ports[1] as least, ports[2] as queue:
            for connections, three in [*found.items()] * runs:
                for series, port in zip(three, (ours, least, queue), strict=True):
                    await load(series, port, connections)
    return found
