"""How syncd shows a platform over HTTP who it is: token, password, header or OAuth client credentials.

Secrets are looked up when they are first needed, so that a missing one makes the platform "down" and not syncd.
"""

import asyncio
import base64
import os
import ssl
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

import aiohttp
from pydantic import model_validator

from syncd.connectors.body import BadBody, decode
from syncd.connectors.options import Options, Tls, reveal
from syncd.errors import TransientError

EARLY = 30.0  # seconds before its end that a token is renewed


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


class Login:
    """The login of one credential. ``headers`` raises TransientError if a secret is missing or a token is refused."""

    def __init__(self, auth: Auth | None, headers: dict[str, str], secret: Callable[[str], str]) -> None:
        self._auth = auth
        self._fixed = headers
        self._secret = secret
        self._fetching = asyncio.Lock()
        self._token = ""
        self._token_ends = 0.0

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
            found["Authorization"] = f"Bearer {await self._current_token(session, self._auth.oauth)}"
        return found

    def refused(self) -> bool:
        """Note a 401: a fetched token is dropped. Return whether asking again may help."""
        had_token, self._token = bool(self._token), ""
        return had_token

    def _reveal(self, text: str) -> str:
        return reveal(text, self._secret).strip()

    async def _current_token(self, session: aiohttp.ClientSession, oauth: Oauth) -> str:
        async with self._fetching:  # one fetch, however many requests wait for it
            if not self._token or time.monotonic() >= self._token_ends:
                self._token, seconds = await self._fetch(session, oauth)
                self._token_ends = time.monotonic() + max(seconds - EARLY, seconds / 2)
            return self._token

    async def _fetch(self, session: aiohttp.ClientSession, oauth: Oauth) -> tuple[str, float]:
        form = {
            "grant_type": "client_credentials",
            "client_id": self._reveal(oauth.client_id),
            "client_secret": self._reveal(oauth.client_secret),
        } | ({"scope": oauth.scope} if oauth.scope else {})
        try:
            async with session.post(oauth.token_url, data=form, allow_redirects=False) as response:
                body = await response.read()
                if response.status != 200:
                    raise TransientError(f"login: {oauth.token_url} answered {response.status}", status=response.status)
            answer = decode(body)
            return str(answer["access_token"]), float(answer.get("expires_in", 3600))
        except (aiohttp.ClientError, TimeoutError) as error:
            raise TransientError(f"login: {oauth.token_url}: {error or 'no answer in time'}") from error
        except (BadBody, KeyError, TypeError, ValueError, AttributeError) as error:
            raise TransientError(f"login: {oauth.token_url} gave no token") from error


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
