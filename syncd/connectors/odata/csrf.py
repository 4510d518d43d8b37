"""The token that SAP wants with every write, and the cookies of the session that it belongs to.

A token without its cookies is refused: behind a load balancer it is another server that answers. Both are kept together and
fetched together, once however many writes wait.

A write without a valid token is answered 403 with ``x-csrf-token: Required`` by the layer before the service: nothing was
looked at, nothing can have been done. Sending it again with a fresh token is therefore no second attempt but the first one
that arrives; every other refusal, and every missing answer, is left to the ledger.
"""

import asyncio
from collections.abc import Mapping
from http.cookies import CookieError, SimpleCookie

from yarl import URL

from syncd.connectors.http import Http, Reply
from syncd.connectors.odata.address import Address
from syncd.errors import TransientError

TOKEN = "X-CSRF-Token"  # noqa: S105 - a header's name
FETCH, REQUIRED = "Fetch", "required"


class Csrf:
    """The token of one service. ``wanted`` False: none is asked for before the service wants one."""

    def __init__(self, http: Http, address: Address, *, wanted: bool) -> None:
        self._http = http
        self._address = address
        self._wanted = wanted
        self._token = ""
        self._cookies: dict[str, str] = {}
        self._asked = 0  # how often a token was fetched
        self._fetching = asyncio.Lock()

    async def write(self, method: str, url: URL, *, body: bytes | None, headers: Mapping[str, str]) -> Reply:
        """Send one write with the token and return its answer; raises what ``Http.write`` raises.

        Raises TransientError if the service refuses the token that it has just given.
        """
        if self._wanted and not self._asked:
            await self._fetch(0)
        asked = self._asked
        reply = await self._send(method, url, body, headers)
        if not is_required(reply):
            return reply
        await self._fetch(asked)
        reply = await self._send(method, url, body, headers)
        if is_required(reply):
            text = "the CSRF token that it has just given is refused; are its cookies lost on the way (load balancer)?"
            raise TransientError(f"login: {reply.place}: {text}", status=reply.status)
        return reply

    async def _send(self, method: str, url: URL, body: bytes | None, headers: Mapping[str, str]) -> Reply:
        own = {TOKEN: self._token} if self._token else {}
        if self._cookies:
            own["Cookie"] = "; ".join(f"{name}={value}" for name, value in self._cookies.items())
        reply = await self._http.write(method, url, body=body, headers=own | dict(headers))
        self._keep(reply)
        return reply

    async def _fetch(self, asked: int) -> None:
        """Fetch token and cookies, unless somebody did since the caller looked."""
        async with self._fetching:
            if self._asked != asked:
                return
            headers = self._address.headers(None, Accept="application/json") | {TOKEN: FETCH}
            reply = await self._http.read(self._address.url("/"), headers=headers)
            self._cookies = {}
            self._keep(reply)
            self._token = reply.headers.get(TOKEN, "")
            if self._token.casefold() in {REQUIRED, FETCH.casefold()}:
                self._token = ""
            self._asked += 1

    def _keep(self, reply: Reply) -> None:
        """Keep the cookies that an answer sets: sessions may roll on."""
        for line in reply.headers.getall("Set-Cookie", []):
            try:
                found = SimpleCookie(line)
            except CookieError:
                continue
            for name, cookie in found.items():
                if cookie["max-age"] == "0" or not cookie.value:
                    self._cookies.pop(name, None)
                else:
                    self._cookies[name] = cookie.coded_value


def is_required(reply: Reply) -> bool:
    """Return whether a write was refused for its token alone, before the service saw it."""
    return reply.status == 403 and reply.headers.get(TOKEN, "").casefold() == REQUIRED
