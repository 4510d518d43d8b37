"""Reading a service that is not as nice as SAP's own program: paging traps, half lists, strange hosts, odd metadata."""

import asyncio
from decimal import Decimal
from typing import Any

import pytest
from aiohttp import web

from syncd.connectors.protocol import Connector, Page
from syncd.errors import PermanentError, TransientError
from tests.connectors.odata_fake import V2, Asked, Fake, v2, v4


async def pages(connector: Connector) -> list[Page]:
    return [page async for page in connector.scan("things")]


def ids(found: list[Page]) -> list[str]:
    return [one.id for page in found for one in page.changes]


def asked(fake: Fake, path: str = "/Things") -> list[dict[str, str]]:
    return [one.query for one in fake.asked if one.path == path]


# ---- paging


async def test_links_of_the_service_are_followed_as_they_are() -> None:
    fake = Fake()
    fake.say("GET /Things", v4({"id": "1"}, count=3, nextLink="Things?$skiptoken=a%2Fb'c"))
    fake.say("GET /Things", v4({"id": "2"}, nextLink="http://gateway.example:8443/svc/More?x=1"))
    fake.say("GET /More", v4({"id": "3"}))
    async with fake.connected() as connector:
        found = await pages(connector)
    assert (ids(found), found[-1].last, found[-1].complete) == (["1", "2", "3"], True, True)
    assert asked(fake) == [{"$count": "true"}, {"$skiptoken": "a/b'c"}]
    assert asked(fake, "/More") == [{"x": "1"}], "another name of the same service is asked at our own host"


async def test_a_link_to_another_service_is_not_followed() -> None:
    fake = Fake()
    fake.say("GET /Things", v4({"id": "1"}, nextLink="https://evil.example/steal"))
    async with fake.connected() as connector:
        with pytest.raises(TransientError, match=r"leads to another service, evil\.example/steal"):
            await pages(connector)


async def test_a_link_that_goes_in_circles_is_noticed() -> None:
    fake = Fake()
    fake.say("GET /Things", v4({"id": "1"}, nextLink="Things?$skiptoken=1"))
    fake.say("GET /Things", v4({"id": "2"}, nextLink="Things?$skiptoken=1"))
    async with fake.connected() as connector:
        found = await pages(connector)
    assert not found[-1].complete
    assert found[-1].why == "page 3 was asked for before"


async def test_a_service_that_ignores_where_we_are_is_noticed() -> None:
    fake = Fake()
    fake.say("GET /Things", v4({"id": "1"}, {"id": "2"}, count=9))
    for paging in ("keys", "skip"):
        async with fake.connected(collection={"page": 2, "paging": paging}) as connector:
            found = await pages(connector)
        assert (found[-1].complete, found[-1].why) == (False, "page 2 repeats the one before")


@pytest.mark.parametrize(("says", "complete"), [("2", False), ("\ufeff1", True), ("many", False)])
async def test_a_list_is_whole_only_by_the_services_own_count(says: str, complete: bool) -> None:
    """A count that does not fit is asked again: what was deleted meanwhile was not missed."""
    fake = Fake(edmx=V2)
    fake.say("GET /Things", v2({"id": "1"}, __count="2"))
    fake.say("GET /Things/$count", says, Content_Type="text/plain")
    async with fake.connected(collection={"filter": "name ne ''"}) as connector:
        found = await pages(connector)
    assert found[-1].complete is complete
    assert asked(fake) == [{"$filter": "name ne ''", "$inlinecount": "allpages"}]
    assert asked(fake, "/Things/$count") == [{"$filter": "name ne ''"}]


async def test_a_service_that_gives_fewer_than_asked_is_asked_on() -> None:
    """It caps a page at one thing and says nothing of it: only its count, or an empty page, is the end."""
    things = [{"id": str(n)} for n in range(1, 5)]

    def capped(one: Asked) -> web.Response:
        after = one.query.get("$filter", "id gt '0'")[len("id gt '") : -1]
        found = [thing for thing in things if thing["id"] > after][:1]
        return web.json_response(v4(*found, **({"count": 4} if counted and "$count" in one.query else {})))

    for counted in (True, False):
        fake = Fake(told={"GET /Things": [capped]})
        async with fake.connected(collection={"page": 3, "count": counted}) as connector:
            found = await pages(connector)
        assert (ids(found), found[-1].complete) == (["1", "2", "3", "4"], True)


async def test_a_composite_key_is_paged_by_ranges_if_asked_to() -> None:
    fake = Fake()
    fake.say("GET /Parts", v4({"thing": "A", "no": 1}))
    fake.say("GET /Parts", v4())
    collection = {"path": "Parts", "id": "thing, no", "page": 1, "paging": "keys"}
    async with fake.connected(collection=collection) as connector:
        assert ids(await pages(connector)) == ["thing='A',no=1"]
    assert asked(fake, "/Parts")[1]["$filter"] == "(thing gt 'A') or (thing eq 'A' and no gt 1)"
    assert asked(fake, "/Parts")[1]["$orderby"] == "thing,no"


async def test_what_is_no_list_is_said() -> None:
    for body, said in (({"d": {}}, "no list at value"), ("<feed/>", "no JSON"), ([], "no list at value")):
        fake = Fake()
        fake.say("GET /Things", body)
        async with fake.connected() as connector:
            with pytest.raises(TransientError, match=said):
                await pages(connector)


async def test_one_broken_thing_does_not_stop_its_neighbours() -> None:
    fake = Fake()
    fake.say("GET /Things", '{"value": [{"id": "1"}, {"name": "no key"}, 7, {"id": "2", "price": NaN}, {"id": "3"}]}')
    async with fake.connected() as connector:
        [page] = await pages(connector)
    assert [one.id for one in page.changes] == ["1", "3"]
    assert [one.reason for one in page.broken] == ["no key: id", "not an object", "NaN is not a number"]
    assert page.complete


async def test_a_thing_of_ten_megabytes_goes_through() -> None:
    fake = Fake()
    text = "x" * 10_000_000
    fake.say("GET /Things", v4({"id": "1", "name": text}))
    async with fake.connected() as connector:
        [page] = await pages(connector)
    assert page.changes[0].item == {"id": "1", "name": text}


async def test_what_is_expanded_is_part_of_the_thing() -> None:
    fake = Fake(edmx=V2)
    fake.say("GET /Things", v2({"id": "1", "parts": {"results": [{"thing": "1", "no": 1, "weight": "0.10"}]}}))
    async with fake.connected(collection={"expand": ["parts"]}, fields=("parts.0.weight",)) as connector:
        [page] = await pages(connector)
    assert page.changes[0].item == {"id": "1", "parts": [{"thing": "1", "no": 1, "weight": Decimal("0.10")}]}
    assert asked(fake)[0]["$expand"] == "parts"


# ---- reading by key, looking for values


async def test_what_is_gone_is_believed_only_while_the_service_answers() -> None:
    fake = Fake()
    fake.say("GET /Things('1')", {"error": {"code": "404", "message": "Not Found"}}, status=404)
    fake.say("GET /Things", {"error": {"code": "404", "message": "No service found"}}, status=404)
    async with fake.connected() as connector:
        with pytest.raises(PermanentError, match="No service found"):
            await connector.read("things", ["1"])
    fake.told.clear()
    fake.say("GET /Things('1')", "<html>gone fishing</html>", status=404)
    async with fake.connected() as connector:
        with pytest.raises(TransientError, match="not as the service does"):
            await connector.read("things", ["1"])


async def test_a_thing_under_another_spelling_of_its_key_is_not_taken_for_it() -> None:
    fake = Fake()
    fake.say("GET /Things('0012')", {"id": "12"})
    async with fake.connected() as connector:
        with pytest.raises(PermanentError, match=r"asked for 0012, got 12"):
            await connector.read("things", ["0012"])


async def test_what_the_filter_leaves_out_has_left_and_is_not_gone() -> None:
    fake = Fake()
    fake.say("GET /Things('1')", {"id": "1"})
    fake.say("GET /Things('2')", {"id": "2"})
    fake.say("GET /Things", v4({"id": "2"}))
    async with fake.connected(collection={"filter": "name eq 'x'"}) as connector:
        found = await connector.read("things", ["1", "2"])
        assert [(one.id, one.left, one.gone) for one in found] == [("1", True, False), ("2", False, False)]
        assert asked(fake)[-1]["$filter"] == "(name eq 'x') and ((id eq '1') or (id eq '2'))"


async def test_find_is_exact_where_the_service_is_not() -> None:
    fake = Fake()
    fake.say("GET /Things", v4({"id": "1", "name": "O'neil"}, {"id": "2", "name": "O'Neil"}))
    async with fake.connected() as connector:
        assert [one.id for one in await connector.find("things", "name", "O'Neil")] == ["2"]
        assert asked(fake)[-1]["$filter"] == "name eq 'O''Neil'"
        assert await connector.find("things", "big", "no number") == []
        with pytest.raises(PermanentError, match=r"cannot look for parts.no: Things has no single property there"):
            await connector.find("things", "parts.no", 1)


async def test_half_a_look_up_proves_nothing() -> None:
    fake = Fake()
    fake.say("GET /Things", v4(count=1))
    fake.say("GET /Things/$count", "1", Content_Type="text/plain")
    async with fake.connected() as connector:
        with pytest.raises(TransientError, match="a look-up is no proof: the service counts 1, 0 came"):
            await connector.find("things", "name", "x")


async def test_the_service_says_who_changed_a_thing() -> None:
    fake = Fake()
    things = [{"id": "1", "LastChangedByUser": "SYNCD"}, {"id": "2", "LastChangedByUser": "SMITH"}, {"id": "3"}]
    fake.say("GET /Things", v4(*things))
    async with fake.connected(connection={"own_user": "syncd"}) as connector:
        [page] = await pages(connector)
    assert [(one.by, one.own) for one in page.changes] == [("SYNCD", ""), ("SMITH", None), (None, None)]


# ---- SAP's client and language, logins, metadata


async def test_client_and_language_go_where_they_are_wanted() -> None:
    fake = Fake()
    fake.say("GET /Things", v4({"id": "1"}, nextLink="{url}/Things?$skiptoken=2"))
    fake.say("GET /Things", v4({"id": "2"}))
    sap = {"client": "100", "language": "DE"}
    async with fake.connected(connection=sap) as connector:
        await pages(connector)
    assert asked(fake)[0] == {"$count": "true", "sap-client": "100", "sap-language": "DE"}
    assert asked(fake)[1] == {"$skiptoken": "2", "sap-client": "100", "sap-language": "DE"}
    assert fake.asked[0].query == {"sap-client": "100", "sap-language": "DE"}
    assert fake.asked[1].headers["Accept-Language"] == "de"
    async with fake.connected(connection=sap | {"client_by": "header"}) as connector:
        await pages(connector)
    assert asked(fake)[-1] == {"$count": "true"}
    assert fake.asked[-1].headers["sap-client"] == "100"


async def test_an_api_key_is_a_header() -> None:
    fake = Fake()
    fake.say("GET /Things", v4())
    login = {"auth": {"header": {"name": "APIKey", "value": "secret:key"}}}
    async with fake.connected(connection=login, secret=lambda name: f"<{name}>") as connector:
        await pages(connector)
    assert {one.headers["APIKey"] for one in fake.asked} == {"<key>"}


@pytest.mark.parametrize(
    ("edmx", "kind", "said"),
    [
        ("<x/>", TransientError, "no EDMX but <x>"),
        (
            "<!DOCTYPE html><html><style>b {}</style><h1>Log\non</h1></html>",
            TransientError,
            r"metadata: no EDMX but a web page: Log on \(is base_url",
        ),
        ("{}", TransientError, "no XML"),
        ('<!DOCTYPE x [<!ENTITY a "b">]><x/>', TransientError, "a document type where EDMX was expected"),
        (V2, PermanentError, "protocol: v4, but .metadata is of v2"),
    ],
)
async def test_metadata_that_is_none(edmx: str, kind: type[Exception], said: str) -> None:
    async with Fake(edmx=edmx).connected(connection={"protocol": "v4"}) as connector:
        with pytest.raises(kind, match=said):
            await pages(connector)


async def test_a_base_url_without_a_service_is_named() -> None:
    fake = Fake()
    fake.say("GET /$metadata", "<html><head><title>Error</title></head>\n<pre>Cannot GET</pre></html>", status=404)
    async with fake.connected() as connector:
        with pytest.raises(PermanentError, match=r"^base_url: no service there: .*answered 404: a web page: Error Cannot GET$"):
            await connector.rights("things")


async def test_a_login_that_is_refused_says_so() -> None:
    fake = Fake()
    fake.say("GET /$metadata", {"error": {"code": "L", "message": "password expired"}}, status=401)
    async with fake.connected() as connector:
        with pytest.raises(TransientError, match=r"^login: GET /svc/.metadata: answered 401: L: password expired"):
            await connector.rights("things")


async def test_metadata_is_read_once_and_again_after_a_refusal() -> None:
    fake = Fake()
    fake.say("GET /Things", {"error": {"code": "x", "message": "property renamed"}}, status=400)
    fake.say("GET /Things", v4())
    async with fake.connected() as connector:
        with pytest.raises(PermanentError):
            await pages(connector)
        await asyncio.gather(*(pages(connector) for _ in range(3)))
    assert [one.path for one in fake.asked].count("/$metadata") == 2


async def test_rights_are_the_metadatas() -> None:
    fake = Fake()
    rights: list[Any] = []
    for writes in (("name", "id"), ("name", "made", "parts.0.weight")):
        async with fake.connected(collection={"expand": ["parts"]}, fields=writes) as connector:
            found = await connector.rights("things")
            rights.append((found.write, found.refused))
    assert rights == [(True, ()), (False, ("made", "parts.0.weight"))]
