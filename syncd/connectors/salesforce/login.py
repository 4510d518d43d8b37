"""The login of one organisation: JWT bearer or client credentials, for a token that is kept until it is refused."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field

import aiohttp

from syncd.connectors.login import Token, borne, granted, seconds_of
from syncd.connectors.options import reveal
from syncd.connectors.protocol import Setup
from syncd.connectors.salesforce.options import SalesforceConnection
from syncd.errors import TransientError

GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
ASSERTED = 180  # seconds a signed assertion is good for; Salesforce takes at most five minutes


@dataclass(frozen=True, slots=True)
class Entry:
    """What a login gave: where the organisation answers, its id, the user's id, the scopes granted, the token."""

    instance: str
    organisation: str = ""
    user: str = ""
    scopes: tuple[str, ...] = ()
    token: str = field(default="", repr=False)


class OrgLogin:
    """Who we are to one organisation; each request carries the client tag that its change events are marked with."""

    def __init__(self, setup: Setup) -> None:
        self._connection: SalesforceConnection = setup.connection
        self._secret = setup.secret
        self._token = Token(self._fetch)
        self.entry = Entry(self._connection.login_url.rstrip("/"))

    async def headers(self, session: aiohttp.ClientSession) -> dict[str, str]:
        """Return the headers of the next request; raises TransientError (``login: ...``)."""
        token = await self._token.current(session)
        return {"Authorization": f"Bearer {token}", "Sforce-Call-Options": f"client={self._connection.client}"}

    def refused(self, shown: Mapping[str, str]) -> bool:
        """Note a 401: the token is dropped. Return whether asking again may help."""
        return self._token.drop(borne(shown))

    async def _fetch(self, session: aiohttp.ClientSession) -> tuple[str, float]:
        connection = self._connection
        home = connection.login_url.rstrip("/")
        answer = await granted(session, f"{home}/services/oauth2/token", self._form(home))
        instance = str(answer.get("instance_url") or home).rstrip("/")
        organisation, _, user = str(answer.get("id") or "").rpartition("/")
        scopes = tuple(str(answer.get("scope") or "").split())
        self.entry = Entry(instance, organisation.rpartition("/")[2], user, scopes, str(answer["access_token"]))
        return self.entry.token, seconds_of(answer)

    def _form(self, home: str) -> dict[str, str]:
        oauth = self._connection.oauth
        client = reveal(oauth.client_id, self._secret).strip()
        if oauth.jwt_key is None:
            secret = reveal(oauth.client_secret or "", self._secret).strip()
            return {"grant_type": "client_credentials", "client_id": client, "client_secret": secret}
        user = reveal(oauth.user or "", self._secret).strip()
        until = int(time.time()) + ASSERTED
        claims: dict[str, str | int] = {"iss": client, "sub": user, "aud": oauth.audience or home, "exp": until}
        return {"grant_type": GRANT, "assertion": signed(claims, reveal(oauth.jwt_key, self._secret))}


def signed(claims: dict[str, str | int], key: str) -> str:
    """Return a JWT signed with RS256; raises TransientError if the key is none or PyJWT is not installed."""
    try:
        import jwt  # noqa: PLC0415 - only who signs needs it
    except ImportError as error:
        raise TransientError('login: a jwt_key needs PyJWT: pip install "syncd[salesforce]"') from error
    try:
        return str(jwt.encode(claims, key, algorithm="RS256"))
    except (jwt.PyJWTError, ValueError, TypeError, NotImplementedError) as error:
        raise TransientError("login: jwt_key is no private RSA key in PEM") from error
