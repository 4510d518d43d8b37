"""HTTP as syncd speaks it: one call is one request, its answer has a class, and nothing is sent twice behind our back.

Whose fault an answer is stands in ``refuse``. A write whose request went out and whose answer did not come is
``OutcomeUnknown``: only reading again can tell.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any, Self, TypeVar

import aiohttp
from multidict import CIMultiDictProxy
from pydantic import Field, field_validator
from tenacity import AsyncRetrying, retry_if_exception, stop_after_attempt, wait_exponential
from yarl import URL

from syncd.connectors.body import BadBody, Parsed, parse, plainly
from syncd.connectors.login import Auth, Identity, Login, trust
from syncd.connectors.options import Duration, Options, Tls, web_address
from syncd.connectors.protocol import Setup
from syncd.connectors.rate import PATIENCE, Budget, retry_after
from syncd.connectors.resolver import in_thread
from syncd.connectors.wire import CONNECT, Lines, sendable, session_of, translated, whole
from syncd.core.model import SECOND
from syncd.errors import ConnectorError, PermanentError, TransientError

T = TypeVar("T")
HOPS = 5  # redirects followed by a read
TRIES = 4  # of a read that is throttled
EXCERPT = 500  # characters of a refusal that are kept
LARGEST_REFUSAL = 64 * 1024  # bytes of a refusal that are read where a stream was asked for
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
    """One answer. ``as_of`` and ``seen_at`` were taken when its request started; ``place``, for messages, has no query.

    ``again``: it is a 401, and another token may be taken.
    """

    status: int
    headers: CIMultiDictProxy[str]
    body: bytes
    url: URL
    place: str
    as_of: int
    seen_at: int
    again: bool = False

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
        target = reply.headers.get("Location")
        raise TransientError(f"{said}, a redirect{f' to {target}' if target else ''} that is not followed", status=status)
    text = plainly(reply.body, EXCERPT)
    raise PermanentError(f"{said}: {text}" if text else said, status=status)


@dataclass(frozen=True, slots=True)
class Stream(Lines):
    """An answer whose body is read as it comes. ``reply`` has status and headers, and the body of a refusal only."""

    reply: Reply


class Http:
    """The HTTP client of one platform: one budget, one login, own name look-ups. ``clock`` is measured on the way.

    The connection's options have ``timeout``, ``tls`` and ``proxy``; where no ``base_url`` and ``login`` are handed in, they
    also have those of ``HttpConnection``. ``refused`` raises what an answer means that is no success, where a platform says
    more in it than its status.
    """

    def __init__(
        self,
        setup: Setup,
        *,
        base_url: str | None = None,
        login: Identity | None = None,
        refused: Callable[[Reply], None] = refuse,
    ) -> None:
        connection = setup.connection
        self.budget = Budget(setup.limits)
        self.clock = (0, 0)
        self._clock_at = 0
        self._setup = setup
        self._connection = connection
        self._base_url: str = connection.base_url if base_url is None else base_url
        self._login: Identity = login or Login(connection.auth, connection.headers, setup.secret)
        self._refuse = refused
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

    async def ready(self) -> None:
        """Log in if that was not done yet; raises TransientError. For platforms whose login says where they answer."""
        await self._login.headers(await self._opened())

    def url(self, path: str) -> URL:
        """Return the address of a path that is quoted already; raises PermanentError without a ``base_url``."""
        if not self._base_url:
            raise PermanentError(f"{self._setup.platform}: no base_url to ask")
        return URL(self._base_url.rstrip("/") + path, encoded=True)

    async def read(
        self, url: URL, *, method: str = "GET", body: bytes | None = None, headers: Mapping[str, str] = NO_HEADERS
    ) -> Reply:
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
                return await self._follow(method, url, body, headers)
        raise AssertionError("unreachable")  # pragma: no cover

    async def write(
        self, method: str, url: URL, *, body: bytes | None = None, headers: Mapping[str, str] = NO_HEADERS
    ) -> Reply:
        """Send one write, exactly once, and return its answer whatever its status.

        Raises TransientError if it was certainly not sent, OutcomeUnknown if it was and no answer came.
        """
        return await self._exchange(method, url, body=body, headers=headers)

    @asynccontextmanager
    async def opened(
        self,
        url: URL,
        *,
        method: str = "GET",
        body: bytes | None = None,
        headers: Mapping[str, str] = NO_HEADERS,
        idle: float | None = None,
    ) -> AsyncIterator[Stream]:
        """Open a read whose answer comes in pieces: lines, events. ``idle``: seconds without a byte until it counts as broken.

        Raises TransientError as ``read`` does, and what ``refuse`` raises for any status that is no success. It takes its turn
        in the budget to be opened, and no place while it runs. Redirects are not followed.
        """
        seconds = self._connection.timeout / SECOND
        patience = aiohttp.ClientTimeout(total=None, connect=min(CONNECT, seconds / 2), sock_read=idle or seconds)
        place = f"{method} {url.path}"
        for again in (True, False):
            async with self.budget.turn():
                session = await self._opened()
                shown = await self._headers(session, headers, body)
                as_of, started = self._setup.number(), self._setup.now()
                options = {"data": sendable(body), "headers": shown, "allow_redirects": False, "timeout": patience}
                with translated(place, reading=True):
                    response = await session.request(method, url, **options)  # type: ignore[arg-type]
            async with response:
                with translated(place, reading=True):
                    content = b"" if response.ok else await response.content.read(LARGEST_REFUSAL)
                reply = Reply(response.status, response.headers, content, url, place, as_of, started)
                self._learn(reply)
                if reply.status == 401 and self._login.refused(shown) and again:
                    continue
                self._refuse(reply)
                yield Stream(response.content, place, reply)
                return

    async def _follow(self, method: str, url: URL, body: bytes | None, headers: Mapping[str, str]) -> Reply:
        home = url.origin()
        for _ in range(HOPS):
            reply = await self._ask(method, url, body, headers)
            target = reply.headers.get("Location")
            if reply.status not in {301, 302, 303, 307, 308} or not target:
                if reply.status in {401, 403, 429, 503}:
                    self._refuse(reply)
                return reply
            url = url.join(URL(target))
            if url.origin() != home:
                raise TransientError(f"{reply.place}: leads to another host, {url.host}", status=reply.status)
        raise TransientError(f"{reply.place}: more than {HOPS} redirects", status=reply.status)

    async def _ask(self, method: str, url: URL, body: bytes | None, headers: Mapping[str, str]) -> Reply:
        reply = await self._exchange(method, url, body=body, headers=headers, reading=True)
        if reply.again:
            return await self._exchange(method, url, body=body, headers=headers, reading=True)
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
            shown = await self._headers(session, headers, body)
            as_of, started = self._setup.number(), self._setup.now()
            place = f"{method} {url.path}"
            options = {"data": sendable(body), "headers": shown, "allow_redirects": False}
            with translated(place, reading=reading):
                status, found, content = await whole(session, method, url, options)
        again = status == 401 and self._login.refused(shown)
        reply = Reply(status, found, content, url, place, as_of, started, again)
        self._learn(reply)
        return reply

    async def _headers(
        self, session: aiohttp.ClientSession, headers: Mapping[str, str], body: bytes | None
    ) -> dict[str, str]:
        kind = {} if body is None else {"Content-Type": "application/json"}
        return kind | await self._login.headers(session) | dict(headers)

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
                self._session = session_of(connection.timeout / SECOND, context, connection.proxy)
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


def _worth_a_wait(error: BaseException) -> bool:
    """Say whether a read that was throttled may simply be asked again after a short while."""
    if not isinstance(error, TransientError) or error.status not in {429, 503}:
        return False
    return error.retry_after <= PATIENCE if error.retry_after is not None else error.status == 429


def _told(reply: Reply) -> float | None:
    return retry_after(reply.headers.get("Retry-After"), date=reply.headers.get("Date"))
