"""The public listener: webhooks and nothing else. A body is handed on as it came and answered after the commit."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from enum import Enum

from aiohttp import web

from syncd.errors import LedgerError

DEADLINE = 10.0  # seconds for a body to arrive
MOST = 512  # requests being worked on at once; more are told to come back
CHUNK = 65_536


class Outcome(Enum):
    """What became of a webhook, with the status that says so."""

    STORED = 202
    REPEAT = 200
    MALFORMED = 400  # not JSON, or no id
    FORGED = 401  # signature or window
    FULL = 503


REASONS = {400: "malformed", 401: "signature", 404: "path", 405: "method", 408: "slow", 413: "size", 503: "full"}


@dataclass(frozen=True, slots=True)
class Route:
    """One path: ``accept`` gets the raw body and the headers by lower-case name, and returns once the inbox has it."""

    platform: str
    accept: Callable[[bytes, dict[str, str]], Awaitable[Outcome]]
    max_body: int = 1_000_000


def _nobody(_: str, __: str) -> None:
    pass


def build_hooks_app(
    routes: Mapping[str, Route],
    *,
    rejected: Callable[[str, str], None] = _nobody,
    deadline: float = DEADLINE,
    most: int = MOST,
) -> web.Application:
    """Return the app. ``routes`` is looked into at each request, so a reload may change it.

    ``rejected`` is told the platform and the reason of each refusal.
    """
    app = web.Application(client_max_size=0)
    app.on_response_prepare.append(_no_name)
    app.router.add_route("*", "/{path:.*}", _Hooks(routes, rejected, deadline, most).answer)
    return app


async def _no_name(_: web.BaseRequest, response: web.StreamResponse) -> None:
    response.headers["Server"] = "syncd"


class _Refused(Exception):  # noqa: N818 - not an error of ours: an answer
    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


class _Hooks:
    """Answers webhooks; ``busy`` counts those being worked on."""

    def __init__(self, routes: Mapping[str, Route], rejected: Callable[[str, str], None], deadline: float, most: int) -> None:
        self.routes = routes
        self.rejected = rejected
        self.deadline = deadline
        self.most = most
        self.busy = 0

    async def answer(self, request: web.Request) -> web.Response:
        """Answer one request of any method and path."""
        route = self.routes.get(request.path)
        self.busy += 1
        try:
            status = await self._status(request, route)
        except _Refused as refused:
            status = refused.status
        finally:
            self.busy -= 1
        if status >= 400:
            self.rejected(route.platform if route else "", REASONS[status])
        return _response(status)

    async def _status(self, request: web.Request, route: Route | None) -> int:
        if route is None:
            raise _Refused(404)
        if request.method != "POST":
            raise _Refused(405)
        if self.busy > self.most:
            raise _Refused(503)
        body = await self._body(request, route.max_body)
        headers = {name.lower(): value for name, value in request.headers.items()}
        try:
            outcome = await route.accept(body, headers)
        except LedgerError:
            raise _Refused(503) from None  # not committed, so not acknowledged: the sender tries again
        return outcome.value

    async def _body(self, request: web.Request, limit: int) -> bytes:
        if (request.content_length or 0) > limit:
            raise _Refused(413)
        body = bytearray()
        try:
            async with asyncio.timeout(self.deadline):
                async for chunk in request.content.iter_chunked(CHUNK):
                    body += chunk
                    if len(body) > limit:
                        raise _Refused(413)
        except TimeoutError:
            raise _Refused(408) from None
        except (web.RequestPayloadError, ConnectionError):
            raise _Refused(400) from None
        return bytes(body)


def _response(status: int) -> web.Response:
    response = web.json_response({"accepted": status < 400}, status=status)
    match status:
        case 405:
            response.headers["Allow"] = "POST"
        case 503:
            response.headers["Retry-After"] = "5"
        case 408 | 413:
            response.force_close()  # what is left of the body is not read
    return response
