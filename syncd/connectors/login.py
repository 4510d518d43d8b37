"""How syncd shows a platform over HTTP who it is: token, password, header or OAuth client credentials.

Secrets are looked up when they are first needed, so that a missing one makes the platform "down" and not syncd.
"""

import asyncio
import base64
import os
import ssl
import time
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any, Protocol, Self

import aiohttp
from pydantic import model_validator

from syncd.connectors.body import BadBody, decode
from syncd.connectors.options import Options, Tls, reveal
from syncd.errors import TransientError

EARLY = 30.0  # seconds before its end that a token is renewed
HOUR = 3600.0  # seconds that a token is good for whose end nobody told


class Basic(Options):
    """User and password."""

    user: str
    password: str


class Header(Options):
    """A header of the platform's own, such as ``X-Api-Key``."""

    name: str
    value: str


class Oauth(Options):
    """OAuth 2 client credentials: a token is fetched from ``token_url`` and renewed before it ends."""

    token_url: str
    client_id: str
    client_secret: str
    scope: str | None = None


class Auth(Options):
    """Exactly one way to log in."""

    bearer: str | None = None
    basic: Basic | None = None
    header: Header | None = None
    oauth: Oauth | None = None

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        if len([way for way in (self.bearer, self.basic, self.header, self.oauth) if way is not None]) != 1:
            raise ValueError("write exactly one of bearer, basic, header, oauth")
        return self


class Identity(Protocol):
    """How one credential shows itself. ``Login`` is the general one; a vendor's own way has the same two methods."""

    async def headers(self, session: aiohttp.ClientSession) -> dict[str, str]:
        """Return the headers of the next request; raises TransientError (``login: ...``) if there is no way in."""
        ...

    def refused(self, shown: Mapping[str, str]) -> bool:
        """Note a 401 to a request with these headers and return whether asking again may help."""
        ...


class Token:
    """A token that is fetched: once however many wait for it, again before its end or when it was refused.

    ``fetch`` returns the token and the seconds it is good for; it raises TransientError.
    """

    def __init__(self, fetch: Callable[[aiohttp.ClientSession], Awaitable[tuple[str, float]]]) -> None:
        self._fetch = fetch
        self._fetching = asyncio.Lock()
        self._token = ""
        self._ends = 0.0

    async def current(self, session: aiohttp.ClientSession) -> str:
        """Return a token that is still good; raises what fetching one raises."""
        async with self._fetching:
            if not self._token or time.monotonic() >= self._ends:
                self._token, seconds = await self._fetch(session)
                self._ends = time.monotonic() + max(seconds - EARLY, seconds / 2)
            return self._token

    def drop(self, token: str) -> bool:
        """Forget a token that was refused, unless another was fetched meanwhile; return whether the next one may be taken."""
        if token == self._token:
            self._token = ""
        return bool(token)


class Login:
    """The login of one credential. ``headers`` raises TransientError if a secret is missing or a token is refused."""

    def __init__(self, auth: Auth | None, headers: dict[str, str], secret: Callable[[str], str]) -> None:
        self._auth = auth
        self._fixed = headers
        self._secret = secret
        self._token = Token(self._fetch)

    async def headers(self, session: aiohttp.ClientSession) -> dict[str, str]:
        """Return the headers of the next request."""
        found = {name: self._reveal(value) for name, value in self._fixed.items()}
        if self._auth is None:
            return found
        if self._auth.bearer is not None:
            found["Authorization"] = f"Bearer {self._reveal(self._auth.bearer)}"
        elif self._auth.basic is not None:
            pair = f"{self._reveal(self._auth.basic.user)}:{self._reveal(self._auth.basic.password)}"
            found["Authorization"] = "Basic " + base64.b64encode(pair.encode()).decode()
        elif self._auth.header is not None:
            found[self._auth.header.name] = self._reveal(self._auth.header.value)
        elif self._auth.oauth is not None:
            found["Authorization"] = f"Bearer {await self._token.current(session)}"
        return found

    def refused(self, shown: Mapping[str, str]) -> bool:
        """Note a 401: a fetched token is dropped. Return whether asking again may help."""
        fetched = self._auth is not None and self._auth.oauth is not None
        return fetched and self._token.drop(borne(shown))

    def _reveal(self, text: str) -> str:
        return reveal(text, self._secret).strip()

    async def _fetch(self, session: aiohttp.ClientSession) -> tuple[str, float]:
        assert self._auth is not None
        assert self._auth.oauth is not None
        oauth = self._auth.oauth
        form = {
            "grant_type": "client_credentials",
            "client_id": self._reveal(oauth.client_id),
            "client_secret": self._reveal(oauth.client_secret),
        } | ({"scope": oauth.scope} if oauth.scope else {})
        answer = await granted(session, oauth.token_url, form)
        return str(answer["access_token"]), seconds_of(answer)


def borne(shown: Mapping[str, str]) -> str:
    """Return the bearer token that a request's headers show, '' if none."""
    return shown.get("Authorization", "").removeprefix("Bearer ")


async def granted(session: aiohttp.ClientSession, url: str, form: dict[str, str]) -> dict[str, Any]:
    """Return what a token endpoint grants for a form; it has an ``access_token``.

    Raises TransientError ``login: ...`` with the OAuth error's own words (RFC 6749, 5.2), never with what was sent.
    """
    try:
        async with session.post(url, data=form, allow_redirects=False) as response:
            body = await response.read()
            if response.status != 200:
                said = _oauth_error(body)
                raise TransientError(f"login: {url} answered {response.status}{said}", status=response.status)
        answer = decode(body)
    except (aiohttp.ClientError, TimeoutError) as error:
        raise TransientError(f"login: {url}: {error or 'no answer in time'}") from error
    except BadBody as error:
        raise TransientError(f"login: {url} gave no token") from error
    if not isinstance(answer, dict) or not isinstance(answer.get("access_token"), str) or seconds_of(answer) < 0:
        raise TransientError(f"login: {url} gave no token")
    return answer


def seconds_of(answer: dict[str, Any]) -> float:
    """Return how many seconds a granted token is good for, an hour where nothing is said; -1 if that is no number."""
    try:
        return float(answer.get("expires_in", HOUR))
    except (TypeError, ValueError):
        return -1.0


def _oauth_error(body: bytes) -> str:
    """Return the words of a refusal that are safe to show: the error's code and description."""
    try:
        answer = decode(body)
    except BadBody:
        return ""
    if not isinstance(answer, dict):
        return ""
    words = [str(answer[key])[:200] for key in ("error", "error_description") if answer.get(key)]
    return f": {': '.join(words)}" if words else ""


def trust(tls: Tls | None, folder: str, secret: Callable[[str], str]) -> ssl.SSLContext:
    """Return whom we trust and who we are; raises TransientError if a file or secret is not usable. Reads files."""
    context = ssl.create_default_context()
    if tls is None:
        return context
    try:
        if tls.ca:
            context = ssl.create_default_context(cafile=Path(folder, tls.ca))
        if tls.cert:
            _show_certificate(context, tls, folder, secret)
    except (OSError, ssl.SSLError) as error:
        raise TransientError(f"tls: {error}") from error
    return context


def _show_certificate(context: ssl.SSLContext, tls: Tls, folder: str, secret: Callable[[str], str]) -> None:
    assert tls.cert is not None
    cert = Path(folder, tls.cert)
    if tls.key is None or not tls.key.startswith("secret:"):
        context.load_cert_chain(cert, tls.key and Path(folder, tls.key))
        return
    place = os.memfd_create("syncd-key")  # OpenSSL wants a file; a secret must not become one on disk
    try:
        os.write(place, reveal(tls.key, secret).encode())
        context.load_cert_chain(cert, f"/proc/self/fd/{place}")
    finally:
        os.close(place)


def show(value: Any) -> str:
    """Return what to say about an exception that may have no words."""
    return str(value) or type(value).__name__
