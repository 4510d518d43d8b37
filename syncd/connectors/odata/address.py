"""Addresses and headers of a service: SAP's client and language, query options, links that the service gave."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlencode

from yarl import URL

from syncd.connectors.http import Http, Reply
from syncd.connectors.odata.options import OdataConnection
from syncd.connectors.odata.schema import Service, Version
from syncd.errors import TransientError

PLAIN = "(),'/:=*;@"  # may stand in a query as they are; the rest is quoted
JSON = {"v2": "application/json", "v4": "application/json;odata.metadata=minimal;IEEE754Compatible=true"}
PROTOCOL = {
    "v2": {"DataServiceVersion": "2.0", "MaxDataServiceVersion": "2.0"},
    "v4": {"OData-Version": "4.0", "OData-MaxVersion": "4.01"},
}
WRITTEN = {"v2": "application/json", "v4": "application/json;IEEE754Compatible=true"}  # numbers as text: exact


class Address:
    """Where things of one service are, and how it is spoken to."""

    def __init__(self, http: Http, connection: OdataConnection) -> None:
        self._http = http
        self._connection = connection
        told = {"sap-client": connection.client, "sap-language": connection.language}
        self._sap = {name: value for name, value in told.items() if value is not None}

    def url(self, path: str, query: Mapping[str, Any] = {}) -> URL:
        """Return the address of a quoted path below the service, ``/Products('X')``; options that are None are left out."""
        given = {name: value for name, value in query.items() if value is not None}
        if self._connection.client_by == "query":
            given |= self._sap
        text = urlencode(given, quote_via=quote, safe=PLAIN).replace("%24", "$")
        return self._http.url(f"{path}?{text}" if text else path)

    def follow(self, reply: Reply, link: str) -> URL:
        """Return the address of a link that an answer gave; raises TransientError if it leads elsewhere.

        The link is kept as it is, but never leaves our host: behind a gateway services give links by a name of their own.
        Such a link is asked for at ``base_url``'s host if its path is the service's. SAP's client is added where it is lost.
        """
        return self.with_client(self._at_home(reply.url.join(URL(link, encoded="%" in link)), reply.place))

    def again(self, link: str) -> URL:
        """Return the address of a link that was kept; raises TransientError if base_url is elsewhere now."""
        return self._at_home(URL(link, encoded=True), "a kept link")

    def _at_home(self, url: URL, place: str) -> URL:
        home = self._http.url("/")
        if url.origin() == home.origin():
            return url
        if not url.raw_path.startswith(home.raw_path):
            raise TransientError(f"{place}: leads to another service, {url.host}{url.path}")
        return home.origin().join(URL(url.raw_path_qs, encoded=True))

    def with_client(self, url: URL) -> URL:
        """Return an address with SAP's client and language, if they go into the query and are not there."""
        if self._connection.client_by != "query":
            return url
        missing = [f"{name}={quote(value)}" for name, value in self._sap.items() if f"{name}=" not in url.raw_query_string]
        text = "&".join(part for part in (url.raw_query_string, *missing) if part)
        return URL(str(url).partition("?")[0] + (f"?{text}" if text else ""), encoded=True) if missing else url

    def headers(self, version: Version | None, **other: str) -> dict[str, str]:
        """Return the headers of a read."""
        found = dict(PROTOCOL[version]) if version else {}
        found["Accept"] = JSON[version] if version else "application/xml"
        if self._connection.client_by == "header":
            found |= self._sap
        if self._connection.language is not None:
            found["Accept-Language"] = self._connection.language.lower()
        return found | other


def expand_of(service: Service, ways: list[str] | None) -> str | None:
    """Return ``$expand``: ``to_Plant/to_Text`` stands as it is in V2, nested in parentheses in V4."""
    if not ways:
        return None
    if service.is_v2:
        return ",".join(ways)
    return ",".join(_nested(way.split("/")) for way in ways)


def _nested(steps: list[str]) -> str:
    first, *rest = steps
    return f"{first}($expand={_nested(rest)})" if rest else first


def both(*filters: str | None) -> str | None:
    """Return the filter that all of these must hold in."""
    found = [one for one in filters if one]
    return " and ".join(f"({one})" for one in found) if len(found) > 1 else next(iter(found), None)
