"""Requests to one organisation: where it answers, in which version, what its refusals mean, how many are left for the day."""

import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, Self
from urllib.parse import quote

from yarl import URL

from syncd.connectors.body import Parsed
from syncd.connectors.http import NO_HEADERS, Http, Reply, Stream
from syncd.connectors.protocol import Setup
from syncd.connectors.salesforce.login import OrgLogin
from syncd.connectors.salesforce.options import SalesforceConnection
from syncd.connectors.salesforce.refusals import DAY_IS_OVER, faults_of, refuse
from syncd.errors import TransientError

_USAGE = re.compile(r"api-usage=([0-9]+)/([0-9]+)")

MISFITS = frozenset({"INVALID_FIELD", "INVALID_FIELD_FOR_INSERT_UPDATE", "INVALID_TYPE"})


class Org:
    """One organisation over HTTP. Paths start behind ``/services/data/vNN.0/``."""

    def __init__(self, setup: Setup) -> None:
        connection: SalesforceConnection = setup.connection
        self.login = OrgLogin(setup)
        self.http = Http(setup, base_url=connection.login_url, login=self.login, refused=refuse)
        self.misfits = 0  # answers by which an object is not what it was described as
        self._root = f"/services/data/v{connection.api_version}/"

    async def __aenter__(self) -> Self:
        """Open nothing yet."""
        await self.http.__aenter__()
        return self

    async def __aexit__(self, *exc: object) -> None:
        """Close all connections."""
        await self.http.__aexit__(*exc)

    async def bearer(self) -> tuple[tuple[str, str], ...]:
        """Return who we are to the event bus; raises TransientError (``login: ...``)."""
        await self.http.ready()
        entry = self.login.entry
        return (("accesstoken", entry.token), ("instanceurl", entry.instance), ("tenantid", entry.organisation))

    async def url(self, path: str) -> URL:
        """Return the address of a path, or of one that an answer named (it starts with /); logs in first if need be."""
        await self.http.ready()
        place = path if path.startswith("/") else self._root + path
        return URL(self.login.entry.instance + place, encoded=True)

    async def read(
        self, path: str, *, method: str = "GET", body: bytes | None = None, headers: Mapping[str, str] = NO_HEADERS
    ) -> Reply:
        """Return a successful answer to what changes no record; raises ConnectorError."""
        try:
            reply = await self.http.read(await self.url(path), method=method, body=body, headers=headers)
        except TransientError as error:
            self._note_refusal(error)
            raise
        self._learn(reply)
        refuse(reply)
        return reply

    async def get(self, path: str) -> tuple[Parsed, Reply]:
        """Return the parsed body of a successful answer, and the answer; raises ConnectorError."""
        reply = await self.read(path)
        return reply.json(), reply

    async def write(self, method: str, path: str, body: bytes | None = None, headers: Mapping[str, str] = NO_HEADERS) -> Reply:
        """Send one write, exactly once; return its answer whatever its status."""
        reply = await self.http.write(method, await self.url(path), body=body, headers=headers)
        self._learn(reply)
        return reply

    @asynccontextmanager
    async def streamed(self, path: str, accept: str) -> AsyncIterator[Stream]:
        """Open a read whose body comes in pieces; raises ConnectorError."""
        async with self.http.opened(await self.url(path), headers={"Accept": accept}) as stream:
            self._learn(stream.reply)
            yield stream

    async def limits(self) -> dict[str, Any]:
        """Return what the organisation says of its limits, and take over how many requests are left for the day."""
        parsed, _ = await self.get("limits")
        found: dict[str, Any] = parsed.value if isinstance(parsed.value, dict) else {}
        daily = found.get("DailyApiRequests")
        if isinstance(daily, dict) and isinstance(daily.get("Max"), int) and isinstance(daily.get("Remaining"), int):
            self.http.budget.learned(daily["Max"] - daily["Remaining"], daily["Max"])
        return found

    def _learn(self, reply: Reply) -> None:
        if not reply.ok and any(fault.code in MISFITS for fault in faults_of(reply)):
            self.misfits += 1
        found = _USAGE.search(reply.headers.get("Sforce-Limit-Info", ""))
        if found:
            self.http.budget.learned(int(found[1]), int(found[2]))

    def _note_refusal(self, error: TransientError) -> None:
        """Leave the organisation in peace when it says that the day's requests are used up: it names no time itself."""
        if error.retry_after == DAY_IS_OVER:
            self.http.budget.pause(DAY_IS_OVER)


def part(text: str) -> str:
    """Return a text as one part of a path."""
    return quote(text, safe="")
