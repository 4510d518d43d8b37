"""The wire below ``http``: sessions that send nothing twice, answers whole or as they come, and whose fault a failure is."""

import io
import os
import ssl
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp
from multidict import CIMultiDictProxy
from yarl import URL

from syncd.connectors.login import show
from syncd.connectors.resolver import Resolver
from syncd.errors import OutcomeUnknown, TransientError

LARGEST = 64 * 1024 * 1024  # bytes of one answer or one line, unpacked
CONNECT = 10.0  # seconds at most until connected
PLAIN = 512 * 1024  # bytes of a body that are handed over at once; a larger one is sent in pieces, so that others go on
KEEP = 4.0  # seconds a connection is kept: shorter than most servers do, so that few writes meet one just closed


@dataclass(frozen=True, slots=True)
class Lines:
    """The body of an answer, read as it comes. Raises TransientError when it breaks off: what came is then not all."""

    content: aiohttp.StreamReader
    place: str

    async def chunks(self) -> AsyncIterator[bytes]:
        """Yield the body in pieces of any size."""
        with translated(self.place, reading=True):
            async for chunk in self.content.iter_any():
                yield chunk

    async def lines(self) -> AsyncIterator[bytes]:
        """Yield the lines without their ends; the last one also where no end follows it."""
        rest = bytearray()
        async for chunk in self.chunks():
            first, *others = chunk.split(b"\n")
            rest += first
            for part in others:
                yield bytes(rest).removesuffix(b"\r")
                rest = bytearray(part)
            if len(rest) > LARGEST:
                raise TransientError(f"{self.place}: a line of more than {LARGEST} bytes", about_record=True)
        if rest:
            yield bytes(rest)


def sendable(body: bytes | None) -> bytes | io.BytesIO | None:
    """Return a body as it is handed to aiohttp."""
    return body if body is None or len(body) <= PLAIN else io.BytesIO(body)


def session_of(total: float, context: ssl.SSLContext, proxy: str | None) -> aiohttp.ClientSession:
    """Return a session that keeps no cookies, reads no environment and repeats nothing."""
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


async def whole(
    session: aiohttp.ClientSession, method: str, url: URL, options: Mapping[str, Any]
) -> tuple[int, CIMultiDictProxy[str], bytes]:
    """Return status, headers and body of one exchange; raises what aiohttp raises."""
    async with session.request(method, url, **options) as response:
        content = bytearray()
        async for chunk in response.content.iter_any():
            content += chunk
            if len(content) > LARGEST:
                raise aiohttp.ClientPayloadError(f"an answer of more than {LARGEST} bytes")
        return response.status, response.headers, bytes(content)


@contextmanager
def translated(place: str, *, reading: bool) -> Iterator[None]:
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


def _unreached(error: Exception) -> str:
    """Return who could not be reached and why, without the names of sockets and contexts."""
    if isinstance(error, aiohttp.ClientConnectorError) and not isinstance(error, aiohttp.ClientSSLError):
        why, number = error.os_error, error.os_error.errno
        words = os.strerror(number) if isinstance(why, ConnectionError) and number else show(why.strerror or why)
        return f" to {error.host}:{error.port}: {words}"
    return f": {show(error)}"
