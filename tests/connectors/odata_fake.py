"""An OData service that says what it is told to, for what SAP's own program does not do: delta links, traps, odd answers."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from syncd.connectors.body import encode
from syncd.connectors.odata import KIND
from syncd.connectors.protocol import Connector
from tests.connectors.contract import setup_for
from tests.connectors.shop import serving

V4_TYPES = """<EntityType Name="Thing"><Key><PropertyRef Name="id"/></Key>
<Property Name="id" Type="Edm.String" Nullable="false"/><Property Name="name" Type="Edm.String"/>
<Property Name="price" Type="Edm.Decimal" Scale="2"/><Property Name="big" Type="Edm.Int64"/>
<Property Name="at" Type="Edm.DateTimeOffset"/><Property Name="day" Type="Edm.Date"/>
<Property Name="clock" Type="Edm.TimeOfDay"/><Property Name="LastChangedByUser" Type="Edm.String"/>
<Property Name="archived" Type="Edm.Boolean"/><Property Name="made" Type="Edm.String">
<Annotation Term="Core.Computed"/></Property>
<Property Name="place" Type="S.Place"/><NavigationProperty Name="parts" Type="Collection(S.Part)"/></EntityType>
<EntityType Name="Part"><Key><PropertyRef Name="thing"/><PropertyRef Name="no"/></Key><Property Name="thing" Type="Edm.String"/>
<Property Name="no" Type="Edm.Int32"/><Property Name="weight" Type="Edm.Decimal"/></EntityType>
<ComplexType Name="Place"><Property Name="City" Type="Edm.String"/><Property Name="Zip" Type="Edm.String"/></ComplexType>
<EntityContainer Name="C"><EntitySet Name="Things" EntityType="S.Thing"/><EntitySet Name="Parts" EntityType="S.Part">
<Annotation Term="Org.OData.Capabilities.V1.DeleteRestrictions"><Record>
<PropertyValue Property="Deletable" Bool="false"/></Record>
</Annotation></EntitySet></EntityContainer>"""
V4 = f"""<edmx:Edmx Version="4.0" xmlns:edmx="http://docs.oasis-open.org/odata/ns/edmx"><edmx:DataServices>
<Schema Namespace="S" xmlns="http://docs.oasis-open.org/odata/ns/edm">{V4_TYPES}</Schema></edmx:DataServices></edmx:Edmx>"""

V2 = """<edmx:Edmx Version="1.0" xmlns:edmx="http://schemas.microsoft.com/ado/2007/06/edmx"
 xmlns:sap="http://www.sap.com/Protocols/SAPData">
<edmx:DataServices><Schema Namespace="S" xmlns="http://schemas.microsoft.com/ado/2008/09/edm"><EntityType Name="Thing">
<Key><PropertyRef Name="id"/></Key><Property Name="id" Type="Edm.String"/><Property Name="name" Type="Edm.String"/>
<Property Name="price" Type="Edm.Decimal"/><Property Name="at" Type="Edm.DateTimeOffset"/>
<Property Name="day" Type="Edm.DateTime" sap:display-format="Date"/><Property Name="clock" Type="Edm.Time"/>
<Property Name="LastChangedByUser" Type="Edm.String"/>
<NavigationProperty Name="parts" Relationship="S.r" FromRole="a" ToRole="b"/>
</EntityType><EntityType Name="Part"><Key><PropertyRef Name="thing"/><PropertyRef Name="no"/></Key>
<Property Name="thing" Type="Edm.String"/><Property Name="no" Type="Edm.Int32"/><Property Name="weight" Type="Edm.Decimal"/>
</EntityType><Association Name="r"><End Type="S.Thing" Multiplicity="1" Role="a"/>
<End Type="S.Part" Multiplicity="*" Role="b"/></Association>
<EntityContainer Name="C"><EntitySet Name="Things" EntityType="S.Thing"/><EntitySet Name="Parts" EntityType="S.Part"/>
</EntityContainer></Schema></edmx:DataServices></edmx:Edmx>"""

Body = bytes | str | dict[str, Any] | list[Any] | None


@dataclass
class Asked:
    """One request that came in. ``query`` is decoded."""

    method: str
    path: str
    query: dict[str, str]
    headers: Mapping[str, str]
    body: bytes

    @property
    def line(self) -> str:
        """Return method and path."""
        return f"{self.method} {self.path}"


@dataclass
class Fake:
    """Answers by ``METHOD /path`` below the service, in the order they were told; the last one stays."""

    edmx: str = V4
    url: str = ""
    asked: list[Asked] = field(default_factory=list)
    told: dict[str, list[Callable[[Asked], web.Response]]] = field(default_factory=dict)

    def say(self, line: str, body: Body = None, *, status: int = 200, **headers: str) -> None:
        """Tell an answer; ``{url}`` in a text is the service's address."""

        def answer(_: Asked) -> web.Response:
            data = encode(body) if isinstance(body, dict | list) else body.encode() if isinstance(body, str) else body or b""
            named = {name.replace("_", "-"): value for name, value in headers.items()}
            named.setdefault("Content-Type", "application/json")
            return web.Response(status=status, body=data.replace(b"{url}", self.url.encode()), headers=named)

        self.told.setdefault(line, []).append(answer)

    def lines(self, *, without: str = "/$metadata") -> list[str]:
        """Return what was asked, without the metadata."""
        return [one.line for one in self.asked if one.path != without]

    async def answer(self, request: web.Request) -> web.Response:
        """Answer one request."""
        path = request.raw_path.partition("?")[0].removeprefix("/svc") or "/"
        asked = Asked(request.method, path, dict(request.query), request.headers, await request.read())
        self.asked.append(asked)
        if path == "/$metadata" and asked.line not in self.told:
            return web.Response(body=self.edmx.encode(), content_type="application/xml")
        found = self.told.get(asked.line)
        if not found:
            return web.json_response({}) if path == "/" else web.Response(status=501, text=f"nothing told for {asked.line}")
        return (found.pop(0) if len(found) > 1 else found[0])(asked)

    @asynccontextmanager
    async def connected(self, **options: Any) -> AsyncIterator[Connector]:
        """Yield a connector to this service; ``collection`` and ``connection`` are added to the usual, the rest is setup's."""
        app = web.Application()
        app.router.add_route("*", "/svc{rest:.*}", self.answer)
        async with serving(app) as server:
            self.url = str(server.make_url("/svc"))
            connection = {"base_url": self.url, "timeout": "5s"} | options.pop("connection", {})
            things = {"path": "Things", "id": "id"} | options.pop("collection", {})
            setup = setup_for(KIND, connection=connection, collections={"things": things}, **options)
            async with KIND.connect(setup) as connector:
                yield connector


def v2(*things: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Return a list as OData 2 has it."""
    return {"d": {"results": list(things), **more}}


def v4(*things: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Return a list as OData 4 has it; ``nextLink`` and the like get their prefix."""
    return {"value": list(things), **{f"@odata.{name}": value for name, value in more.items()}}
