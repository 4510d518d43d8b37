"""The private listener: /healthz, /readyz and /metrics. It answers to its own names only."""

import re
from collections.abc import Awaitable, Callable, Iterable, Sequence

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from syncd import __version__

HOST = re.compile(r"(?P<name>\[[0-9a-f:.]+\]|[^:\[\]]*)(:\d*)?")

Reasons = Callable[[], Sequence[str]]

LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
HEADERS = {
    "Server": "syncd",
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
INDEX = "/healthz   is the process alive\n/readyz    is it ready, and if not, why\n/metrics   figures for Prometheus\n"


def build_private_app(
    *, health: Reasons, ready: Reasons, metrics: Callable[[], Awaitable[bytes]], hosts: Iterable[str] = ()
) -> web.Application:
    """Return the app. ``health`` and ``ready`` return what is wrong, nothing when all is well.

    ``hosts`` are names it answers to beside those of loopback: a page that made a browser resolve its own name to this
    machine (DNS rebinding) sends that name and gets 421.
    """
    app = web.Application(middlewares=[_guard(frozenset([*LOOPBACK, *hosts]))])
    app.on_response_prepare.append(_harden)
    app.router.add_get("/", _index)
    app.router.add_get("/healthz", _reasons(health))
    app.router.add_get("/readyz", _reasons(ready))
    app.router.add_get("/metrics", _metrics(metrics))
    return app


async def _harden(_: web.BaseRequest, response: web.StreamResponse) -> None:
    response.headers.update(HEADERS)


def _guard(hosts: frozenset[str]) -> Middleware:
    @web.middleware
    async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
        if _name(request.headers.get("Host", "")) not in hosts:
            return web.Response(status=421, text="this listener does not answer to that name\n")
        return await handler(request)

    return guard


def _name(host: str) -> str:
    """Return the host without its port, "" if it is none; an IPv6 address keeps its brackets."""
    found = HOST.fullmatch(host.lower())
    return found["name"].rstrip(".") if found else ""


async def _index(_: web.Request) -> web.Response:
    return web.Response(text=f"syncd {__version__}\n\n{INDEX}")


def _reasons(ask: Reasons) -> Handler:
    async def answer(_: web.Request) -> web.Response:
        reasons = ask()
        text = "".join(f"{reason}\n" for reason in reasons) or "ok\n"
        return web.Response(status=503 if reasons else 200, text=text)

    return answer


def _metrics(render: Callable[[], Awaitable[bytes]]) -> Handler:
    async def answer(_: web.Request) -> web.Response:
        body = await render()
        return web.Response(body=body, headers={"Content-Type": "text/plain; version=0.0.4; charset=utf-8"})

    return answer
