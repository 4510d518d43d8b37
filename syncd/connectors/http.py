"""HTTP as syncd speaks it: one call is one request, its answer has a class, and nothing is sent twice behind our back.

Whose fault an answer is stands in ``refuse``. A write whose request went out and whose answer did not come is
``OutcomeUnknown``: only reading again can tell.
"""

import asyncio
import os
import ssl
from collections.abc import Coroutine, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any, Self, TypeVar

import aiohttp
from multidict import CIMultiDictProxy
from pydantic import Field, field_validator
from tenacity import AsyncRetrying, retry_if_exception, stop_after_attempt, wait_exponential
from yarl import URL

from syncd.connectors.body import BadBody, Parsed, parse
from syncd.connectors.login import Auth, Login, show, trust
from syncd.connectors.options import Duration, Options, Tls
from syncd.connectors.promised import web_address
from syncd.connectors.protocol import Setup
from syncd.connectors.rate import PATIENCE, Budget, retry_after
from syncd.connectors.resolver import Resolver, in_thread
from syncd.core.model import SECOND
from syncd.errors import ConnectorError, OutcomeUnknown, PermanentError, TransientError

T = TypeVar("T")
LARGEST = 64 * 1024 * 1024  # bytes of one answer, unpacked
CONNECT = 10.0  # seconds at most until connected
KEEP = 4.0  # seconds a connection is kept: shorter than most servers do, so that few writes meet one just closed
HOPS = 5  # redirects followed by a read
TRIES = 4  # of a read that is throttled
EXCERPT = 500  # characters of a refusal that are kept
NO_HEADERS: Mapping[str, str] = {}
CLOCK_AGE = 600 * SECOND  # a measured clock is believed that long against a worse measurement


class HttpConnection(Options):
    """How to reach a platform over HTTP."""

    base_url: str = ""
    auth: Auth | None = None
    headers: dict[str, str] = Field(default_factory=dict)
    timeout: Duration = 30 * SECOND
    tls: Tls | None = None
    proxy: str | None = None

    @field_validator("base_url")
    @classmethod
    def _is_an_address(cls, url: str) -> str:
        return web_address(url)


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer. ``as_of`` and ``seen_at`` were taken when its request started; ``place``, for messages, has no query."""

    status: int
    headers: CIMultiDictProxy[str]
    body: bytes
    url: URL
    place: str
    as_of: int
    seen_at: int

    @property
    def ok(self) -> bool:
        """Return whether the platform did it."""
        return 200 <= self.status < 300

    def json(self) -> Parsed:
        """Return the body; raises TransientError if it is not JSON."""
        try:
            return parse(self.body)
        except BadBody as error:
            text = f"{self.place}: answered {self.status} with what is no JSON: {error.reason}"
            raise TransientError(text, status=self.status, about_record=True) from error


def refuse(reply: Reply) -> None:
    """Raise what an answer means that is not a success."""
    status = reply.status
    if reply.ok:
        return
    said = f"{reply.place}: answered {status}"
    if status in {401, 403}:
        raise TransientError(f"login: {said}", status=status)
    if status in {429, 503}:
        raise TransientError(said, status=status, retry_after=_told(reply))
    if status in {408, 425} or status >= 500:
        raise TransientError(said, status=status, about_record=True)
    if status < 400:
        raise TransientError(f"{said}, a redirect that is not followed", status=status)
    text = reply.body[: 4 * EXCERPT].decode("utf-8", "replace").strip()[:EXCERPT]
    raise PermanentError(f"{said}: {text}" if text else said, status=status)


class Http:
    """The HTTP client of one platform: one budget, one login, own name look-ups. ``clock`` is measured on the way."""

    def __init__(self, setup: Setup) -> None:
        connection: HttpConnection = setup.connection
        self.budget = Budget(setup.limits)
        self.clock = (0, 0)
        self._clock_at = 0
        self._setup = setup
        self._connection = connection
        self._login = Login(connection.auth, connection.headers, setup.secret)
        self._session: aiohttp.ClientSession | None = None
        self._opening = asyncio.Lock()

    async def __aenter__(self) -> Self:
        """Open nothing yet: a missing secret or a bad certificate is a matter of the first call."""
        return self

    async def __aexit__(self, *exc: object) -> None:
        """Close all connections."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    def url(self, path: str) -> URL:
        """Return the address of a path that is quoted already; raises PermanentError without a ``base_url``."""
        if not self._connection.base_url:
            raise PermanentError(f"{self._setup.platform}: no base_url to ask")
        return URL(self._connection.base_url.rstrip("/") + path, encoded=True)

    async def read(self, url: URL, *, method: str = "GET") -> Reply:
        """Return the answer to a read, whatever its status but a refusal of the platform's own.

        Raises TransientError. Waits and asks again when throttled for a short while; follows redirects on the same host.
        """
        async for attempt in AsyncRetrying(
            retry=retry_if_exception(_worth_a_wait),
            stop=stop_after_attempt(TRIES),
            wait=wait_exponential(multiplier=0.2, max=2),
            reraise=True,
        ):
            with attempt:
                return await self._follow(method, url)
        raise AssertionError("unreachable")  # pragma: no cover

    async def write(self, method: str, url: URL, *, body: bytes | None = None, headers: Mapping[str, str] = {}) -> Reply:
        """Send one write, exactly once, and return its answer whatever its status.

        Raises TransientError if it was certainly not sent, OutcomeUnknown if it was and no answer came.
        """
        reply = await self._exchange(method, url, body=body, headers=headers)
        if reply.status == 401:
            self._login.refused()
        return reply

    async def _follow(self, method: str, url: URL) -> Reply:
        home = url.origin()
        for _ in range(HOPS):
            reply = await self._ask(method, url)
            target = reply.headers.get("Location")
            if reply.status not in {301, 302, 303, 307, 308} or not target:
                if reply.status in {401, 403, 429, 503}:
                    refuse(reply)
                return reply
            url = url.join(URL(target))
            if url.origin() != home:
                raise TransientError(f"{reply.place}: leads to another host, {url.host}", status=reply.status)
        raise TransientError(f"{reply.place}: more than {HOPS} redirects", status=reply.status)

    async def _ask(self, method: str, url: URL) -> Reply:
        reply = await self._exchange(method, url, reading=True)
        if reply.status == 401 and self._login.refused():
            return await self._exchange(method, url, reading=True)
        return reply

    async def _exchange(
        self,
        method: str,
        url: URL,
        *,
        body: bytes | None = None,
        headers: Mapping[str, str] = NO_HEADERS,
        reading: bool = False,
    ) -> Reply:
        async with self.budget.turn():
            session = await self._opened()
            shown = await self._login.headers(session) | dict(headers)
            if body is not None:
                shown["Content-Type"] = "application/json"
            as_of, started = self._setup.number(), self._setup.now()
            place = f"{method} {url.path}"
            options = {"data": body, "headers": shown, "allow_redirects": False}
            with _translated(place, reading=reading):
                status, found, content = await _call(session, method, url, options)
        reply = Reply(status, found, content, url, place, as_of, started)
        self._learn(reply)
        return reply

    def _learn(self, reply: Reply) -> None:
        if reply.status == 429:
            self.budget.throttled(_told(reply) or 1.0)
        elif reply.status == 503:
            self.budget.pause(_told(reply))
        else:
            self.budget.succeeded()
        self._measure(reply)

    def _measure(self, reply: Reply) -> None:
        date = reply.headers.get("Date")
        if date is None or "Age" in reply.headers:
            return
        try:
            theirs = int(parsedate_to_datetime(date).timestamp()) * SECOND + SECOND // 2
        except (ValueError, TypeError, OverflowError):
            return
        now = self._setup.now()
        uncertainty = (now - reply.seen_at) // 2 + SECOND // 2
        if not self._clock_at or uncertainty <= self.clock[1] or now - self._clock_at > CLOCK_AGE:
            self.clock = (theirs - (now + reply.seen_at) // 2, uncertainty)
            self._clock_at = now

    async def _opened(self) -> aiohttp.ClientSession:
        async with self._opening:
            if self._session is None:
                connection, setup = self._connection, self._setup
                context = await in_thread(lambda: trust(connection.tls, setup.folder, setup.secret))
                self._session = _session(connection.timeout / SECOND, context, connection.proxy)
            return self._session


async def together(calls: Sequence[Coroutine[Any, Any, T]]) -> list[T]:
    """Run calls at once and return their results in order; the first ConnectorError ends the others and is raised."""
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(call) for call in calls]
    except ExceptionGroup as failed:
        ours = [error for error in failed.exceptions if isinstance(error, ConnectorError)]
        if not ours:
            raise
        raise ours[0] from ours[0].__cause__
    return [task.result() for task in tasks]


def _session(total: float, context: ssl.SSLContext, proxy: str | None) -> aiohttp.ClientSession:
    connector = aiohttp.TCPConnector(limit=0, ssl=context, resolver=Resolver(), keepalive_timeout=KEEP, ttl_dns_cache=60)
    session = aiohttp.ClientSession(
        connector=connector,
        timeout=aiohttp.ClientTimeout(total=total, connect=min(CONNECT, total / 2), sock_read=total),
        cookie_jar=aiohttp.DummyCookieJar(),
        headers={"User-Agent": "syncd", "Accept": "application/json"},
        trust_env=False,
        proxy=proxy,
    )
    # aiohttp sends idempotent methods again on a lost connection: the ledger would not know of that request
    session._retry_connection = False  # noqa: SLF001
    return session


async def _call(
    session: aiohttp.ClientSession, method: str, url: URL, options: Mapping[str, Any]
) -> tuple[int, CIMultiDictProxy[str], bytes]:
    async with session.request(method, url, **options) as response:
        content = bytearray()
        async for chunk in response.content.iter_any():
            content += chunk
            if len(content) > LARGEST:
                raise aiohttp.ClientPayloadError(f"an answer of more than {LARGEST} bytes")
        return response.status, response.headers, bytes(content)


def _unreached(error: Exception) -> str:
    """Return who could not be reached and why, without the names of sockets and contexts."""
    if isinstance(error, aiohttp.ClientConnectorError) and not isinstance(error, aiohttp.ClientSSLError):
        why, number = error.os_error, error.os_error.errno
        words = os.strerror(number) if isinstance(why, ConnectionError) and number else show(why.strerror or why)
        return f" to {error.host}:{error.port}: {words}"
    return f": {show(error)}"


@contextmanager
def _translated(place: str, *, reading: bool) -> Iterator[None]:
    """Turn aiohttp's exceptions into ours. Connecting has a shorter time-out than the whole, so what is late was sent."""
    try:
        yield
    except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError, aiohttp.ClientHttpProxyError) as error:
        raise TransientError(f"{place}: no connection{_unreached(error)}") from error
    except ValueError as error:  # a URL or a header that cannot be sent
        raise TransientError(f"{place}: cannot be asked: {show(error)}") from error
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        if reading:
            raise TransientError(f"{place}: no answer: {show(error)}") from error
        raise OutcomeUnknown(f"{place}: sent, no answer: {show(error)}") from error


def _worth_a_wait(error: BaseException) -> bool:
    """Say whether a read that was throttled may simply be asked again after a short while."""
    if not isinstance(error, TransientError) or error.status not in {429, 503}:
        return False
    return error.retry_after <= PATIENCE if error.retry_after is not None else error.status == 429


def _told(reply: Reply) -> float | None:
    return retry_after(reply.headers.get("Retry-After"), date=reply.headers.get("Date"))
