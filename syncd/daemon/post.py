"""One message to one webhook: posted once, in limited time, no redirect followed, and its address never named."""

import asyncio
import ssl
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import aiohttp
import orjson
from yarl import URL

from syncd import __version__
from syncd.connectors.resolver import Resolver

CONNECT = 5.0  # seconds until connected
LONGEST_WAIT = 3600.0  # seconds that a webhook may ask for


class Failed(Exception):  # noqa: N818 - the word of what happened
    """A message did not arrive. ``again``: it may the next time, not before ``after`` seconds. The text never has the URL."""

    def __init__(self, why: str, *, again: bool = True, after: float = 0.0) -> None:
        super().__init__(why)
        self.again = again
        self.after = after


@dataclass(frozen=True, slots=True)
class Outgoing:
    """What is told. ``kind`` is the last part of the event's type."""

    source: str
    kind: str
    subject: str
    time: str
    text: str
    data: dict[str, Any]


def body_of(message: Outgoing, number: str) -> bytes:
    """Return a message as a CloudEvent 1.0 in structured form; ``text`` stands outside too, where chats look for it."""
    return orjson.dumps(
        {
            "specversion": "1.0",
            "id": number,
            "source": message.source,
            "type": f"dev.syncd.{message.kind}",
            "subject": message.subject,
            "time": message.time,
            "datacontenttype": "application/json",
            "text": message.text,
            "data": {"text": message.text, "syncd_version": __version__, **message.data},
        }
    )


async def post(url: str | None, message: Outgoing, seconds: float) -> None:
    """Post a message; raises Failed unless it was taken (2xx)."""
    target = checked(url)
    headers = {"Content-Type": "application/cloudevents+json; charset=utf-8", "User-Agent": f"syncd/{__version__}"}
    limit = aiohttp.ClientTimeout(total=seconds, connect=min(CONNECT, seconds))
    try:
        async with (
            aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(resolver=Resolver(), limit=1, force_close=True),
                cookie_jar=aiohttp.DummyCookieJar(),
                timeout=limit,
            ) as session,
            session.post(target, data=body_of(message, uuid4().hex), headers=headers, allow_redirects=False) as answer,
        ):
            judge(answer.status, answer.headers.get("Retry-After", ""))
    except TimeoutError:  # no cause is kept below: it would name the address
        raise Failed(f"no answer within {seconds:g} s") from None
    except (aiohttp.ClientSSLError, ssl.SSLError):
        raise Failed("its certificate is not trusted, or TLS failed") from None
    except (aiohttp.ClientError, OSError, ValueError, asyncio.IncompleteReadError) as error:
        raise Failed(f"no connection ({type(error).__name__})") from None


def checked(url: str | None) -> URL:
    """Return the address of a webhook; raises Failed without naming it."""
    if url is None:
        raise Failed("the secret is not there", again=False)
    try:
        found = URL(url.strip())
    except ValueError:
        raise Failed("the secret is no URL", again=False) from None
    if found.scheme not in ("http", "https") or not found.host:
        raise Failed("the secret is no http or https URL", again=False)
    return found


def judge(status: int, retry_after: str) -> None:
    """Raise Failed for an answer that is no success."""
    if 200 <= status < 300:
        return
    after = min(float(retry_after), LONGEST_WAIT) if retry_after.isdigit() else 0.0
    if 300 <= status < 400:
        raise Failed(f"answered {status}: redirects are not followed", again=False)
    raise Failed(f"answered {status}", again=status in (408, 425, 429) or status >= 500, after=after)
