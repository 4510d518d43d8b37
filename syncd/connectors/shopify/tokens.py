"""How we show the shop who we are: a token that lasts, one by client credentials, or one with a refresh token that rotates.

Protocol: ``POST /admin/oauth/access_token``. A rotating refresh token is good for one use: the new one is on disk before the
new access token is used, in a file of 0600 that is replaced as a whole. A crash before that leaves the old one, which the
shop takes again as long as what it gave for it was not used.
"""

import asyncio
import hashlib
import json
import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import aiohttp

from syncd.connectors.login import EARLY, Identity, Token, granted, seconds_of
from syncd.connectors.options import reveal
from syncd.connectors.protocol import Setup
from syncd.connectors.shopify.options import Oauth, ShopifyConnection
from syncd.errors import TransientError

HEADER = "X-Shopify-Access-Token"
ENDPOINT = "/admin/oauth/access_token"


class Lasting:
    """A token that is written in the config."""

    def __init__(self, token: str, secret: Callable[[str], str]) -> None:
        self._token = token
        self._secret = secret

    async def headers(self, session: aiohttp.ClientSession) -> dict[str, str]:
        """Return the header of the next request; raises TransientError if the secret is missing."""
        return {HEADER: reveal(self._token, self._secret).strip()}

    def refused(self, _shown: Mapping[str, str]) -> bool:
        """Return that asking again does not help."""
        return False


class Fetched:
    """A token that is fetched and renewed."""

    def __init__(self, token: Token) -> None:
        self._token = token

    async def headers(self, session: aiohttp.ClientSession) -> dict[str, str]:
        """Return the header of the next request; raises TransientError ``login: ...`` if none is given."""
        return {HEADER: await self._token.current(session)}

    def refused(self, shown: Mapping[str, str]) -> bool:
        """Note a 401: the token is dropped. Return whether asking again may help."""
        return self._token.drop(shown.get(HEADER, ""))


class Credentials:
    """Fetches tokens by client credentials."""

    def __init__(self, url: str, oauth: Oauth, secret: Callable[[str], str]) -> None:
        self._url = url
        self._oauth = oauth
        self._secret = secret

    async def fetch(self, session: aiohttp.ClientSession) -> tuple[str, float]:
        """Return a token and the seconds it is good for."""
        answer = await granted(session, self._url, self.form() | {"grant_type": "client_credentials"})
        return str(answer["access_token"]), seconds_of(answer)

    def form(self) -> dict[str, str]:
        """Return who we are, as it is sent."""
        names = {"client_id": self._oauth.client_id, "client_secret": self._oauth.client_secret}
        return {key: reveal(name, self._secret).strip() for key, name in names.items()}


class Rotating(Credentials):
    """Fetches tokens by a refresh token that each use replaces. ``file`` keeps the newest; the config's starts it."""

    def __init__(self, url: str, oauth: Oauth, secret: Callable[[str], str], file: Path | None) -> None:
        super().__init__(url, oauth, secret)
        self._refresh = oauth.refresh_token or ""
        self._file = file
        self._gave = ""  # the access token that we gave out last: if it comes back, the kept one is not good

    async def fetch(self, session: aiohttp.ClientSession) -> tuple[str, float]:
        """Return a token: the kept one while it lasts, else a new one, whose refresh token is kept first."""
        if self._file is None:
            raise TransientError("login: no state_dir to keep the refresh token in, which changes with each use")
        configured = reveal(self._refresh, self._secret).strip()
        kept = await asyncio.to_thread(read_kept, self._file)
        if kept is None or kept.get("of") != fingerprint(configured):  # a person has put in a new one
            kept = {"refresh_token": configured}
        ends, token = kept.get("ends"), str(kept.get("access_token") or "")
        left = (ends if isinstance(ends, int) else 0) - time.time()
        if left > EARLY and token not in {"", self._gave}:
            self._gave = token
            return token, left
        return await self._renewed(session, str(kept["refresh_token"]), configured)

    async def _renewed(self, session: aiohttp.ClientSession, refresh: str, configured: str) -> tuple[str, float]:
        assert self._file is not None
        answer = await granted(session, self._url, self.form() | {"grant_type": "refresh_token", "refresh_token": refresh})
        seconds = seconds_of(answer)
        token = str(answer["access_token"])
        new = {
            "of": fingerprint(configured),
            "refresh_token": str(answer.get("refresh_token") or refresh),
            "access_token": token,
            "ends": int(time.time() + seconds),
        }
        try:
            await asyncio.to_thread(keep, self._file, new)
        except OSError as error:
            raise TransientError(f"login: the new refresh token could not be kept in {self._file}: {error}") from error
        self._gave = token
        return token, seconds


def identity_of(setup: Setup) -> Identity:
    """Return how a platform's credential shows itself."""
    connection: ShopifyConnection = setup.connection
    if connection.oauth is None:
        return Lasting(connection.token or "", setup.secret)
    url = f"{connection.origin}{ENDPOINT}"
    if connection.oauth.refresh_token is None:
        return Fetched(Token(Credentials(url, connection.oauth, setup.secret).fetch))
    file = Path(setup.state_dir, f"shopify-{setup.platform}.token") if setup.state_dir else None
    return Fetched(Token(Rotating(url, connection.oauth, setup.secret, file).fetch))


def fingerprint(token: str) -> str:
    """Return what a refresh token is known by without being shown."""
    return hashlib.sha256(token.encode()).hexdigest()


def read_kept(file: Path) -> dict[str, object] | None:
    """Return what is kept; None if there is nothing that can be used."""
    try:
        found = json.loads(file.read_text("utf-8"))
    except (OSError, ValueError):
        return None
    fits = isinstance(found, dict) and isinstance(found.get("refresh_token"), str) and found["refresh_token"]
    return found if fits else None


def keep(file: Path, content: dict[str, object]) -> None:
    """Replace a file as a whole and see it onto the disk: a crash leaves the old one or the new one, never half of one."""
    file.parent.mkdir(parents=True, exist_ok=True)
    new = file.with_name(f"{file.name}.{os.getpid()}.new")
    place = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        os.fchmod(place, 0o600)
        os.write(place, json.dumps(content).encode())
        os.fsync(place)
    finally:
        os.close(place)
    os.replace(new, file)  # noqa: PTH105 - one call of the system
    folder = os.open(file.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
