"""The emulator on a socket: login, the data API, faults on demand, and a record of every request."""

import asyncio
import base64
import itertools
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import jwt
from aiohttp import web
from aiohttp.test_utils import TestServer

from syncd.connectors.body import decode, encode
from tests.emulators.salesforce.data import Data
from tests.emulators.salesforce.org import ORG_ID, USER_ID, Org
from tests.emulators.salesforce.values import Refused
from tests.emulators.salesforce.wire import Answer, Call, failed

GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
WRITING = re.compile(r"/services/data/v[\d.]+/(sobjects/|composite|jobs/ingest)")
LINES = {"max_line_size": 32_768, "max_field_size": 32_768}  # SOQL stands in the address
CLAIMS: Any = {"require": ["exp", "iss", "sub", "aud"]}
EXPIRED = Refused("INVALID_SESSION_ID", "Session expired or invalid", status=401)
LOCKED = Refused("UNABLE_TO_LOCK_ROW", "unable to obtain exclusive access to this record")
USED_UP = Refused("REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.", status=403)
DOWN = Refused("SERVER_UNAVAILABLE", "The server is busy", status=503)


@dataclass
class Asked:
    """One request that arrived."""

    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: bytes
    status: int = 0

    @property
    def writes(self) -> bool:
        """Return whether it may change a row. Of an ingest job only its closing does."""
        if not WRITING.match(self.path) or self.method == "GET":
            return False
        if "/jobs/ingest" in self.path:
            return self.method == "PATCH" and decode(self.body).get("state") == "UploadComplete"
        if self.path.endswith("/composite"):
            return any(one["method"] != "GET" for one in decode(self.body)["compositeRequest"])
        return not re.search(r"/composite/sobjects/\w+$", self.path) or self.method != "POST"


@dataclass
class Fault:
    """What goes wrong with the next ``times`` requests that ``fits`` says yes to.

    ``refused`` is answered instead, before or (``after``) once all was done; ``drop`` closes the connection instead of an
    answer; ``delay`` is in seconds; ``raw`` is a body sent instead, with ``status``.
    """

    fits: Callable[[Asked], bool] = lambda asked: asked.path.startswith("/services/data")
    refused: Refused | None = None
    after: bool = False
    drop: bool = False
    delay: float = 0.0
    raw: bytes | None = None
    status: int = 500
    times: int = 1


@dataclass
class Salesforce:
    """The emulated organisation and its front door."""

    org: Org = field(default_factory=Org)
    client_id: str = "3MVG9client"
    client_secret: str = "very-secret"
    user: str = "syncd@acme.example"
    public_key: str = ""
    url: str = ""
    requests: list[Asked] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    tokens: set[str] = field(default_factory=set)
    logins: int = 0
    expire_after: int = 0  # calls that a token is good for; 0: for ever
    acts: dict[str, Callable[..., Any]] = field(default_factory=dict)  # more that ``/emulator`` can do

    def __post_init__(self) -> None:
        self.data = Data(self.org)
        self._names = itertools.count(1)
        self._calls: dict[str, int] = {}

    @property
    def writes(self) -> int:
        """Return how many requests that may change something arrived."""
        return sum(one.writes for one in self.requests)

    def expire(self) -> None:
        """Let all tokens end now."""
        self.tokens.clear()

    def token(self) -> str:
        """Return a token that is good, without a login."""
        token = f"{ORG_ID[:15]}!AQ{next(self._names):06d}"
        self.tokens.add(token)
        return token

    def good(self, token: str) -> bool:
        """Return whether a token is good, and count its use."""
        self._calls[token] = self._calls.get(token, 0) + 1
        if self.expire_after and self._calls[token] > self.expire_after:
            self.tokens.discard(token)
        return token in self.tokens

    def app(self) -> web.Application:
        """Return the web application."""
        app = web.Application(client_max_size=160 * 1024 * 1024, handler_args=LINES)
        app.router.add_post("/services/oauth2/token", self.login)
        app.router.add_post("/emulator/{act}", self.act)
        app.router.add_get("/services/data/", self.versions)
        app.router.add_route("*", "/{tail:.*}", self.call)
        return app

    # ---- the wire

    async def call(self, request: web.Request) -> web.StreamResponse:
        asked = await self.noted(request)
        fault = self.fault(asked)
        if fault and fault.delay:
            await asyncio.sleep(fault.delay)
        if fault and not fault.after and (said := await self.instead(request, fault)) is not None:
            return said
        answer = self.answered(asked, request)
        asked.status = answer.status
        if fault and fault.after and (said := await self.instead(request, fault)) is not None:
            return said
        return self.response(answer)

    def answered(self, asked: Asked, request: web.Request) -> Answer:
        if not self.good(asked.headers.get("Authorization", "").removeprefix("Bearer ").removeprefix("OAuth ")):
            return failed(EXPIRED)
        data = self.data
        data.used += 1
        if data.used > data.daily:
            return failed(USED_UP)
        return data.answer(Call.of(asked.method, request.raw_path, asked.headers, asked.body))

    def response(self, answer: Answer) -> web.Response:
        usage = {"Sforce-Limit-Info": f"api-usage={self.data.used}/{self.data.daily}"} if answer.status != 401 else {}
        body = answer.body
        return web.Response(
            body=body, status=answer.status, headers=answer.headers | usage, content_type=answer.kind if body else None
        )

    async def instead(self, request: web.Request, fault: Fault) -> web.StreamResponse | None:
        if fault.drop:
            assert request.transport is not None
            request.transport.abort()
            return web.Response()
        if fault.raw is not None:
            return web.Response(body=fault.raw, status=fault.status, content_type="text/html")
        return self.response(failed(fault.refused)) if fault.refused else None

    def fault(self, asked: Asked) -> Fault | None:
        found = next((one for one in self.faults if one.fits(asked)), None)
        if found:
            found.times -= 1
            if not found.times:
                self.faults.remove(found)
        return found

    async def noted(self, request: web.Request) -> Asked:
        asked = Asked(request.method, request.path, request.query_string, dict(request.headers), await request.read())
        self.requests.append(asked)
        return asked

    # ---- login

    async def login(self, request: web.Request) -> web.StreamResponse:
        """Give a token for a signed assertion or the client's secret."""
        asked = await self.noted(request)
        fault = self.fault(asked)
        if fault and (said := await self.instead(request, fault)) is not None:
            return said
        form = {key: str(value) for key, value in (await request.post()).items()}
        problem = self.stranger(form, asked.headers.get("Authorization", ""))
        if problem:
            return web.json_response({"error": problem[0], "error_description": problem[1]}, status=400)
        self.logins += 1
        home = f"https://login.salesforce.com/id/{ORG_ID}/{USER_ID}"
        told = {"access_token": self.token(), "instance_url": self.url, "id": home, "token_type": "Bearer", "scope": "api"}
        return web.json_response(told)

    def stranger(self, form: dict[str, str], basic: str) -> tuple[str, str] | None:
        """Return why somebody is not let in."""
        if form.get("grant_type") == "client_credentials":
            pair = (form.get("client_id"), form.get("client_secret"))
            if basic.startswith("Basic "):
                name, _, password = base64.b64decode(basic[6:]).decode().partition(":")
                pair = (name, password)
            if pair[0] != self.client_id:
                return "invalid_client_id", "client identifier invalid"
            return None if pair[1] == self.client_secret else ("invalid_client", "invalid client credentials")
        if form.get("grant_type") == GRANT:
            return self.wrong_assertion(form.get("assertion", ""))
        return "unsupported_grant_type", "grant type not supported"

    def wrong_assertion(self, assertion: str) -> tuple[str, str] | None:
        try:
            claims = jwt.decode(assertion, self.public_key, algorithms=["RS256"], audience=self.url, options=CLAIMS)
        except jwt.InvalidAudienceError:
            return "invalid_grant", "audience is invalid"
        except jwt.ExpiredSignatureError:
            return "invalid_grant", "expired authorization code"
        except jwt.PyJWTError:
            return "invalid_grant", "invalid assertion"
        if claims["exp"] > self.org.clock().timestamp() + 301:
            return "invalid_grant", "assertion is valid for too long"
        if claims["iss"] != self.client_id:
            return "invalid_client_id", "client identifier invalid"
        return None if claims["sub"] == self.user else ("invalid_grant", "user hasn't approved this consumer")

    async def versions(self, request: web.Request) -> web.StreamResponse:
        await self.noted(request)
        known = ("66.0", "67.0")
        return web.json_response([{"label": one, "url": f"/services/data/v{one}", "version": one} for one in known])

    # ---- what a person does

    async def act(self, request: web.Request) -> web.StreamResponse:
        """Do as a person of the organisation does: ``POST /emulator/create {"name": "Contact", "values": {...}}``."""
        acts: dict[str, Callable[..., Any]] = {
            "create": self.org.create,
            "update": self.org.update,
            "delete": self.org.delete,
            "undelete": self.org.undelete,
            "merge": self.org.merge,
            "hold": lambda: setattr(self.org, "held", True),
            "release": self.org.release,
            "expire": self.expire,
            "rows": lambda name: list(self.org.rows(name)),
            "counts": lambda: {"requests": len(self.requests), "writes": self.writes, "logins": self.logins},
            "fault": self.trouble,
            **self.acts,
        }
        given = decode(await request.read() or b"{}")
        try:
            done = acts[request.match_info["act"]](**given)
        except Refused as refused:
            return self.response(failed(refused))
        return web.Response(body=encode(done), content_type="application/json")

    def trouble(self, kind: str, times: int = 1) -> None:
        """Put a fault in the way of the next calls: ``locked``, ``down``, ``used_up``, ``lost`` (done, answer dropped)."""
        kinds = {"locked": Fault(refused=LOCKED), "down": Fault(refused=DOWN), "used_up": Fault(refused=USED_UP)}
        fault = kinds.get(kind) or Fault(drop=True, after=True)
        fault.times = times
        self.faults.append(fault)


@asynccontextmanager
async def serving(salesforce: Salesforce, *, port: int = 0) -> AsyncIterator[TestServer]:
    """Serve an organisation on loopback; its ``url`` is set."""
    server = TestServer(salesforce.app(), host="127.0.0.1", port=port or None, shutdown_timeout=0.1)
    await server.start_server()
    salesforce.url = str(server.make_url("")).rstrip("/")
    try:
        yield server
    finally:
        await server.close()
