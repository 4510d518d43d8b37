"""The calls of one dataset: queries, transactions, history, the stream. One call is one request."""

from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from typing import Any
from urllib.parse import quote, urlencode

import aiohttp
from yarl import URL

from syncd.connectors.body import BadBody, Parsed, decode, encode
from syncd.connectors.http import Http, Reply, Stream
from syncd.connectors.login import Auth, Login
from syncd.connectors.protocol import Setup
from syncd.connectors.rate import retry_after
from syncd.connectors.sanity.options import SanityConnection
from syncd.connectors.sanity.refusals import check
from syncd.errors import PermanentError, TransientError

LEFT = "X-RateLimit-Remaining-Second"
RESET = "RateLimit-Reset"


class TooMuchError(TransientError):
    """An answer was larger than is taken at once: fewer documents have to be asked for."""


class Dataset:
    """One dataset over HTTP."""

    def __init__(self, setup: Setup) -> None:
        connection: SanityConnection = setup.connection
        login = Login(Auth(bearer=connection.token), {}, setup.secret)
        self.http = Http(setup, base_url=connection.address, login=login)
        self._connection = connection

    async def query(self, query: str, params: Mapping[str, Any]) -> tuple[Parsed, list[Any], Reply]:
        """Return a query's answer and the list in it, drafts and all. Raises PermanentError for a query or dataset that is
        none, TooMuchError, TransientError.
        """
        url = self._url("data/query", {"perspective": "raw"})
        try:
            reply = await self.http.read(url, method="POST", body=encode({"query": query, "params": dict(params)}))
        except TransientError as error:
            if isinstance(error.__cause__, aiohttp.ClientPayloadError) and "more than" in str(error):
                raise TooMuchError(str(error)) from error
            raise
        self._heed(reply)
        check(reply)
        parsed = reply.json()
        found = parsed.value.get("result") if isinstance(parsed.value, dict) else None
        if not isinstance(found, list):
            raise TransientError(f"{reply.place}: there is no list in the answer", status=reply.status)
        return parsed, found, reply

    async def mutate(self, mutations: list[dict[str, Any]], *, transaction: str | None, key: str) -> Reply:
        """Send one transaction, once, and return its answer whatever its status. ``key`` names the write in messages.

        Raises PermanentError before anything is sent if it is larger than the service takes.
        """
        try:
            body = encode({"mutations": mutations})
        except BadBody as error:
            raise PermanentError(f"{key}: {error.reason}") from error
        most = self._connection.max_body
        if len(body) > most:
            text = f"{key}: the write has {len(body):,} bytes, and Sanity takes {most:,} at once (connection.max_body)"
            raise PermanentError(text)
        options = {"returnDocuments": "true", "returnIds": "true", "visibility": "sync"}
        options |= {"transactionId": transaction} if transaction else {}
        reply = await self.http.write("POST", self._url("data/mutate", options), body=body)
        self._heed(reply)
        return reply

    async def rehearse(self, mutations: list[dict[str, Any]]) -> Reply:
        """Return what would be said to a transaction: nothing is written."""
        url = self._url("data/mutate", {"dryRun": "true"})
        reply = await self.http.write("POST", url, body=encode({"mutations": mutations}))
        self._heed(reply)
        return reply

    async def happened(self, native_id: str, transaction: str) -> bool:
        """Return whether a transaction is in the history of a document. A history that we may not see shows nothing."""
        ids = quote(f"{native_id},drafts.{native_id}", safe=",")
        url = self._url("data/history", {"excludeContent": "true"}, f"/transactions/{ids}")
        try:
            reply = await self.http.read(url)
        except TransientError as error:
            if error.status in {401, 403}:
                return False
            raise
        self._heed(reply)
        return reply.ok and any(_id_of(line) == transaction for line in reply.body.splitlines() if line.strip())

    async def me(self) -> dict[str, Any]:
        """Return who the token is."""
        url = self.http.url(f"/v{self._connection.api_version}/users/me")
        reply = await self.http.read(url)
        check(reply)
        found = reply.json().value
        return found if isinstance(found, dict) else {}

    def listening(self, query: str, *, idle: float) -> AbstractAsyncContextManager[Stream]:
        """Return the stream of what happens to the documents that a filter lets through, once queries can see it."""
        options = {"query": query, "includeResult": "false", "includeMutations": "false", "visibility": "query"}
        headers = {"Accept": "text/event-stream"}
        return self.http.opened(self._url("data/listen", options), headers=headers, idle=idle)

    def _url(self, part: str, options: Mapping[str, str], more: str = "") -> URL:
        at = self._connection
        return self.http.url(f"/v{at.api_version}/{part}/{at.dataset}{more}?{urlencode(options, quote_via=quote)}")

    def _heed(self, reply: Reply) -> None:
        """Wait for the next second where nothing is left of this one."""
        if reply.headers.get(LEFT) == "0" and reply.ok:
            self.http.budget.pause(retry_after(reply.headers.get(RESET)) or 1.0)


def _id_of(line: bytes) -> str | None:
    try:
        found = decode(line)
    except BadBody:
        return None
    return found.get("id") if isinstance(found, dict) else None
