"""A shop that gives tokens, in a process that may be killed: ``python -m tests.connectors.shopify_tokens PORT FOLDER [CALL]``.

Fetches a token and asks the shop with it. CALL is the operation of the system before (``-``) or after (``+``) which the process
kills itself: a kill at exactly that moment.
"""

import asyncio
import os
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from syncd.connectors.shopify import KIND
from syncd.errors import ConnectorError
from tests.connectors.contract import setup_for

FIRST = "shprt_first"
OAUTH = {"client_id": "app", "client_secret": "hush", "refresh_token": FIRST}


@dataclass
class Issuer:
    """Gives tokens. A used refresh token is taken again until the access token that it gave has been used."""

    lifetime: int = 3600
    good: dict[str, str | None] = field(default_factory=lambda: {FIRST: None})  # refresh token -> the one it was given for
    access: dict[str, str] = field(default_factory=dict)  # access token -> the refresh token that came with it
    granted: int = 0
    asked: list[str] = field(default_factory=list)
    forms: list[dict[str, str]] = field(default_factory=list)
    answer: dict[str, Any] | None = None

    def app(self) -> web.Application:
        app = web.Application()
        app.router.add_post("/admin/oauth/access_token", self.token)
        app.router.add_post("/admin/api/2026-10/graphql.json", self.graphql)
        return app

    async def token(self, request: web.Request) -> web.Response:
        form = {key: str(value) for key, value in (await request.post()).items()}
        self.forms.append(form)
        if self.answer is not None:
            return web.json_response(self.answer)
        if form["grant_type"] == "client_credentials":
            return self._granted("")
        if form.get("refresh_token") not in self.good:
            return web.json_response({"error": "invalid_grant", "error_description": "used before"}, status=400)
        return self._granted(form["refresh_token"])

    def _granted(self, refresh: str) -> web.Response:
        self.granted += 1
        token, new = f"shpca_{self.granted}", f"shprt_{self.granted}"
        if refresh:
            self.good[new] = refresh
        self.access[token] = new
        given = {"access_token": token, "expires_in": self.lifetime, "scope": "read_products"}
        return web.json_response(given | ({"refresh_token": new} if refresh else {}))

    async def graphql(self, request: web.Request) -> web.Response:
        token = request.headers.get("X-Shopify-Access-Token", "")
        if token not in self.access:
            return web.json_response({"errors": "[API] Invalid API key or access token"}, status=401)
        self.asked.append(token)
        used = self.good.get(self.access[token])
        if used:
            self.good.pop(used, None)  # the old one has done its duty
        return web.json_response({"data": {"nodes": [None]}})


def setup(port: int, folder: str, **oauth: Any) -> Any:
    """Return the setup of a platform with rotating tokens."""
    connection = {"shop": f"127.0.0.1:{port}", "oauth": OAUTH | oauth, "timeout": "5s"}
    return setup_for(KIND, connection=connection, collections={"things": {"object": "Product", "id": "id"}}, folder=folder)


async def ask(port: int, folder: str) -> str:
    """Ask the shop once, as a new process would; return "" or what went wrong."""
    async with KIND.connect(setup(port, folder)) as connector:
        try:
            await connector.read("things", ["gid://shopify/Product/1"])
        except ConnectorError as error:
            return str(error)
    return ""


def killing(call: str) -> None:
    """Have this process killed right before or after its n-th such operation of the system: ``-replace``, ``+fsync2``."""
    after, name, number = call[0] == "+", call[1:].rstrip("0123456789"), call.lstrip("+-abcdefghijklmnopqrstuvwxyz")
    left = [int(number or 1)]
    inner: Callable[..., Any] = getattr(os, name)

    def wrapped(*given: Any, **named: Any) -> Any:
        left[0] -= 1
        if left[0] == 0 and not after:
            os.kill(os.getpid(), signal.SIGKILL)
        found = inner(*given, **named)
        if left[0] == 0:
            os.kill(os.getpid(), signal.SIGKILL)
            time.sleep(60)
        return found

    setattr(os, name, wrapped)


def main() -> None:
    """Ask once, and be killed if that is wanted."""
    port, folder, *call = sys.argv[1:]
    if call:
        killing(call[0])
    wrong = asyncio.run(ask(int(port), folder))
    if wrong:
        sys.exit(wrong)


if __name__ == "__main__":
    main()
