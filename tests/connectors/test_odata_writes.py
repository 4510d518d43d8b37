"""Writes that meet traps: CSRF tokens and their cookies, refusals in all their shapes, keys that are there, batches."""

import json
from decimal import Decimal
from typing import Any

import pytest
from aiohttp import web

from syncd.connectors.body import encode
from syncd.connectors.odata.service import AGE
from syncd.connectors.protocol import Connector
from syncd.core.model import Answer, Op, Receipt, Write
from syncd.errors import ConnectorError, OutcomeUnknown, PermanentError, StaleWrite, TransientError
from tests.connectors.odata_fake import V2, V4, Asked, Fake, v4

ETAG = {"collection": {"version": "etag"}, "connection": {"protocol": "v4"}}
REQUIRED = {"status": 403, "x_csrf_token": "Required"}


def write(op: Op = Op.UPDATE, native_id: str | None = "1", **values: Any) -> Write:
    version = 'W/"1"' if op is not Op.CREATE else None
    return Write(op, "there", "things", 1, native_id, version=version, values=values, item={"id": "1", "name": "a"}, key="k")


async def one(connector: Connector, *writes: Write) -> Any:
    [found] = await connector.apply(writes)
    return found


# ---- CSRF


async def test_a_token_is_fetched_once_and_sent_with_its_cookies() -> None:
    fake = Fake()
    fake.say("GET /", {}, X_CSRF_Token="t1", Set_Cookie="SAP_SESSIONID_X=a%3d; path=/; HttpOnly")
    fake.say("PATCH /Things('1')", {"id": "1", "name": "b"}, Set_Cookie="SAP_SESSIONID_X=b; path=/")
    async with fake.connected(**ETAG) as connector:
        outcomes = [await one(connector, write(name="b")) for _ in range(2)]
    assert all(isinstance(found, Receipt) and found.atomic for found in outcomes)
    assert fake.lines() == ["GET /", "PATCH /Things('1')", "PATCH /Things('1')"]
    fetch, first, second = [asked for asked in fake.asked if asked.path != "/$metadata"]
    assert fetch.headers["X-CSRF-Token"] == "Fetch"
    assert (first.headers["X-CSRF-Token"], first.headers["Cookie"]) == ("t1", "SAP_SESSIONID_X=a%3d")
    assert second.headers["Cookie"] == "SAP_SESSIONID_X=b"
    assert first.headers["If-Match"] == 'W/"1"'


async def test_a_token_that_ran_out_is_fetched_again_and_the_write_arrives_once() -> None:
    fake = Fake()
    fake.say("GET /", {}, X_CSRF_Token="old")
    fake.say("GET /", {}, X_CSRF_Token="new")
    fake.say("PATCH /Things('1')", **REQUIRED)
    fake.say("PATCH /Things('1')", {"id": "1", "name": "b"})
    async with fake.connected(**ETAG) as connector:
        assert (await one(connector, write(name="b"))).answer is Answer.DONE
    assert [asked.headers.get("X-CSRF-Token") for asked in fake.asked[1:]] == ["Fetch", "old", "Fetch", "new"]


async def test_a_service_that_refuses_its_own_token_is_a_login_problem() -> None:
    fake = Fake()
    fake.say("GET /", {}, X_CSRF_Token="t")
    fake.say("PATCH /Things('1')", **REQUIRED)
    async with fake.connected(**ETAG) as connector:
        found = await one(connector, write(name="b"))
    assert isinstance(found, TransientError)
    assert not found.about_record
    assert str(found).startswith("login: PATCH /svc/Things('1'): the CSRF token that it has just given is refused")
    assert fake.lines().count("PATCH /Things('1')") == 2


async def test_no_other_refusal_is_ever_sent_again() -> None:
    fake = Fake()
    fake.say("GET /", {}, X_CSRF_Token="t")
    fake.say("PATCH /Things('1')", {"error": {"code": "NO", "message": "no authority for plant 1000"}}, status=403)
    async with fake.connected(**ETAG) as connector:
        found = await one(connector, write(name="b"))
    assert str(found) == "login: PATCH /svc/Things('1'): answered 403: NO: no authority for plant 1000"
    assert fake.lines().count("PATCH /Things('1')") == 1


async def test_no_token_is_asked_for_where_none_is_wanted() -> None:
    fake = Fake()
    fake.say("PATCH /Things('1')", {"id": "1", "name": "b"})
    async with fake.connected(collection={"version": "etag"}, connection={"protocol": "v4", "csrf": False}) as connector:
        await one(connector, write(name="b"))
    assert fake.lines() == ["PATCH /Things('1')"]


# ---- refusals

V2_ERROR = {
    "error": {
        "code": "BP/053",
        "message": {"lang": "en", "value": "Check the entries"},
        "innererror": {
            "transactionid": "X",
            "errordetails": [
                {"code": "R11/124", "message": "Country XX is unknown", "severity": "error", "target": "Country"},
                {"code": "/IWBEP/CX", "message": "Check the entries", "severity": "error"},
            ],
        },
    }
}
XML = '<?xml version="1.0"?><error xmlns="x"><code>005056/111</code><message xml:lang="en">Locked by SMITH</message></error>'
REFUSALS: list[tuple[int, Any, dict[str, str], type[ConnectorError], str]] = [
    (400, V2_ERROR, {}, PermanentError, "BP/053: Check the entries; R11/124: Country XX is unknown (Country)"),
    (400, {"error": {"code": "E", "message": "m", "target": "price", "details": [{"code": "D", "message": "n"}]}}, {},
     PermanentError, "E: m (price); D: n"),
    (400, XML, {}, PermanentError, "005056/111: Locked by SMITH"),
    (400, "nonsense", {"sap_message": '{"code":"M1","message":"a warning","severity":"warning"}'}, PermanentError,
     "nonsense [M1: a warning]"),
    (423, {"error": {"code": "L", "message": "edited by SMITH"}}, {}, TransientError, "answered 423: L: edited by SMITH"),
    (500, V2_ERROR, {}, TransientError, "answered 500: BP/053: Check the entries"),
    (503, "down", {"Retry_After": "60"}, TransientError, "answered 503: down"),
    (412, {"error": {"code": "P", "message": "changed"}}, {}, StaleWrite, "answered 412: P: changed"),
    (428, "", {}, StaleWrite, "it wants the version; write  version: etag"),
]  # fmt: skip


@pytest.mark.parametrize(("status", "body", "headers", "kind", "said"), REFUSALS, ids=range(len(REFUSALS)))
async def test_a_refusal_has_its_class_and_its_words(
    status: int, body: Any, headers: dict[str, str], kind: type[ConnectorError], said: str
) -> None:
    fake = Fake()
    fake.say("PATCH /Things('1')", body, status=status, **headers)
    fake.say("GET /Things('1')", {"id": "1"})
    async with fake.connected(**ETAG) as connector:
        found = await one(connector, write(name="b"))
    assert isinstance(found, kind)
    assert said in str(found)
    if isinstance(found, TransientError):
        assert found.about_record is (status in {423, 500})


async def test_a_412_for_what_is_gone_is_gone() -> None:
    fake = Fake()
    fake.say("PATCH /Things('1')", status=412)
    fake.say("GET /Things('1')", {"error": {"code": "404", "message": "Not Found"}}, status=404)
    async with fake.connected(**ETAG) as connector:
        assert (await one(connector, write(name="b"))).answer is Answer.GONE


async def test_a_404_of_somebody_else_is_no_deletion() -> None:
    fake = Fake()
    fake.say("PATCH /Things('1')", "<html>no such application</html>", status=404)
    async with fake.connected(**ETAG) as connector:
        found = await one(connector, write(name="b"))
    assert isinstance(found, TransientError)
    assert "not as the service does" in str(found)


# ---- what is sent


async def test_a_create_that_meets_its_key_is_known() -> None:
    fake = Fake()
    fake.say("POST /Things", {"error": {"code": "X", "message": "exists"}}, status=400)
    fake.say("GET /Things('7')", {"id": "7", "name": "theirs"})
    async with fake.connected(**ETAG) as connector:
        found = await one(connector, write(Op.CREATE, None, id="7", name="ours"))
        assert (found.answer, found.id, found.look.item) == (Answer.EXISTS, "7", {"id": "7", "name": "theirs"})
        fake.told.pop("GET /Things('7')")
        fake.say("GET /Things('7')", status=404)
        found = await one(connector, write(Op.CREATE, None, id="7", name="ours"))
    assert isinstance(found, PermanentError)
    assert "X: exists" in str(found)


async def test_a_created_thing_is_known_by_its_address_where_no_body_comes() -> None:
    fake = Fake()
    fake.say("POST /Things", status=204, OData_EntityId="{url}/Things('new')", ETag='W/"9"')
    fake.say("GET /Things('new')", {"id": "new", "@odata.etag": 'W/"9"'})
    async with fake.connected(**ETAG) as connector:
        found = await one(connector, write(Op.CREATE, None, name="x", parts=[{"no": 1, "weight": Decimal("0.10")}]))
    assert (found.id, found.version, found.look.version, found.atomic) == ("new", 'W/"9"', 'W/"9"', False)
    asked = next(one for one in fake.asked if one.method == "POST")
    assert json.loads(asked.body) == {"name": "x", "parts": [{"no": 1, "weight": "0.10"}]}
    assert asked.headers["Content-Type"] == "application/json;IEEE754Compatible=true"


async def test_an_object_is_sent_whole_with_the_change() -> None:
    fake = Fake()
    fake.say("PATCH /Things('1')", {"id": "1"})
    fake.say("GET /Things('1')", {"id": "1"})
    item = {"place": {"Zip": "89", "City": "x"}}
    thing = Write(Op.UPDATE, "there", "things", 1, "1", values={"place.City": "Ulm"}, item=item)
    async with fake.connected() as connector:
        await one(connector, thing)
    asked = next(one for one in fake.asked if one.method == "PATCH")
    assert json.loads(asked.body) == {"place": {"Zip": "89", "City": "Ulm"}}
    assert asked.headers["If-Match"] == "*", "OData 4 makes a thing by PATCH where there is none"


@pytest.mark.parametrize(
    ("thing", "said"),
    [
        (write(made="x"), "made: made cannot be changed, its metadata says"),
        (write(Op.CREATE, None, made="x"), "made: made cannot be given on creation"),
        (write(id="2"), "id: id is the key, which never changes"),
        (write(parts=[]), "map their own entity set to change them"),
        (write(nome="x"), "nome: Things has no property nome"),
        (write(price="dear"), "price: 'dear' is no Decimal"),
    ],
)
async def test_what_the_metadata_forbids_is_not_sent(thing: Write, said: str) -> None:
    fake = Fake()
    async with fake.connected(**ETAG) as connector:
        found = await one(connector, thing)
    assert isinstance(found, PermanentError)
    assert said in str(found)
    assert fake.lines() == []


async def test_what_cannot_be_deleted_is_not() -> None:
    fake = Fake()
    async with fake.connected(collection={"path": "Parts", "id": "thing,no"}) as connector:
        found = await one(connector, write(Op.DELETE, "thing='1',no=2"))
    assert "Parts is not deletable, its metadata says; mark it instead: deleted:" in str(found)


async def test_a_mark_is_set_instead() -> None:
    fake = Fake()
    fake.say("PATCH /Things('1')", {"id": "1", "archived": True})
    async with fake.connected(collection={"deleted": {"field": "archived", "is": True}}) as connector:
        fake.say("GET /Things('1')", {"id": "1", "archived": True})
        found = await one(connector, write(Op.ARCHIVE))
    assert (found.look.gone, found.look.item["archived"]) == (True, True)


async def test_a_guard_without_a_version_reads_first() -> None:
    fake = Fake()
    fake.say("GET /Things('1')", {"id": "1", "@odata.etag": 'W/"5"'})
    fake.say("GET /Things('2')", {"id": "2"})
    async with fake.connected(**ETAG) as connector:
        bare = Write(Op.UPDATE, "there", "things", 1, "1", values={"name": "x"})
        assert isinstance(await one(connector, bare), StaleWrite)
        found = await one(connector, Write(Op.UPDATE, "there", "things", 1, "2", values={"name": "x"}))
    assert "Things shows no ETag; leave  version: etag  out" in str(found)
    assert not [line for line in fake.lines() if not line.startswith("GET")]


async def test_an_etag_that_would_end_its_line_is_not_sent() -> None:
    fake = Fake()
    evil = Write(Op.UPDATE, "there", "things", 1, "1", version='W/"1"\r\nX-Evil: 1', values={"name": "x"}, item={"id": "1"})
    async with fake.connected(**BATCH) as connector:
        found = await connector.apply([evil, evil])
    assert all("an ETag that no header can carry" in str(one) for one in found)
    assert fake.lines() == []


# ---- batches


def multipart(*parts: str, end: str = "--b--\r\n") -> str:
    return "".join(f"--b\r\n{part}\r\n" for part in parts) + end


def part(status: int, body: str = "", **headers: str) -> str:
    told = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"Content-Type: application/http\r\n\r\nHTTP/1.1 {status} X\r\n{told}Content-Length: {len(body)}\r\n\r\n{body}"


def changeset(inner: str) -> str:
    return f"Content-Type: multipart/mixed; boundary=c\r\n\r\n--c\r\n{inner}\r\n--c--\r\n"


BATCH = {"write": {"batch": 10}, "connection": {"protocol": "v4"}, "collection": {"version": "etag"}}
ERROR = '{"error": {"code": "E", "message": "no"}}'
MIXED = "multipart/mixed; boundary=b"


async def test_each_write_of_a_batch_has_its_own_answer() -> None:
    fake = Fake()
    done = changeset(part(200, '{"id": "1", "name": "b"}'))
    answers = multipart(done, part(400, ERROR), part(404, ERROR), changeset(part(412, ERROR)), part(429, ""))
    fake.say("POST /$batch", answers, Content_Type=MIXED)
    fake.say("GET /Things('4')", {"id": "4"})
    writes = [write(native_id=str(n), name="b") for n in range(1, 6)]
    async with fake.connected(**BATCH) as connector:
        first, second, third, fourth, fifth = await connector.apply(writes)
    assert isinstance(first, Receipt)
    assert (first.answer, first.id, first.atomic) == (Answer.DONE, "1", True)
    assert isinstance(second, PermanentError)
    assert str(second) == "PATCH /Things('2') in $batch: answered 400: E: no"
    assert isinstance(third, Receipt)
    assert third.answer is Answer.GONE
    assert isinstance(fourth, StaleWrite)
    assert isinstance(fifth, TransientError)
    assert not fifth.about_record
    [asked] = [one for one in fake.asked if one.path == "/$batch"]
    assert asked.headers["Prefer"] == "odata.continue-on-error"
    assert asked.body.count(b"multipart/mixed; boundary=changeset_") == 5, "one change set each: one refusal harms no other"
    assert asked.body.count(b"PATCH Things('3') HTTP/1.1\r\n") == 1
    assert asked.body.count(b'If-Match: W/"1"\r\n') == 5


@pytest.mark.parametrize(
    "body",
    [
        multipart(part(400, ERROR)),
        multipart(part(400, ERROR), end=""),
        multipart(part(400, ERROR), part(400, ERROR)[:-9], end=""),
        multipart(part(400, ERROR), "Content-Type: application/http\r\n\r\nwhat?"),
    ],
)
async def test_a_write_without_an_answer_is_unknown(body: str) -> None:
    fake = Fake()
    fake.say("POST /$batch", body, Content_Type=MIXED)
    async with fake.connected(**BATCH) as connector:
        first, second = await connector.apply([write(name="b"), write(native_id="2", name="b")])
    assert isinstance(first, PermanentError | OutcomeUnknown)
    assert isinstance(second, OutcomeUnknown)


async def test_answers_in_json_have_numbers() -> None:
    fake = Fake()
    answers = [{"id": "2", "status": 400, "body": json.loads(ERROR)}, {"id": "1", "status": 204, "headers": {"ETag": "W/2"}}]
    fake.say("POST /$batch", {"responses": [*answers, {"id": "x"}]})
    fake.say("GET /Things('1')", {"id": "1", "@odata.etag": "W/2"})
    options = BATCH | {"connection": {"batch": "json"}}
    async with fake.connected(**options) as connector:
        first, second, third = await connector.apply([write(native_id=str(n), name="b") for n in range(1, 4)])
    assert isinstance(first, Receipt)
    assert (first.version, first.look and first.look.version) == ("W/2", "W/2")
    assert isinstance(second, PermanentError)
    assert isinstance(third, OutcomeUnknown)
    asked = json.loads(next(one.body for one in fake.asked if one.path == "/$batch"))
    assert asked["requests"][0]["body"] == {"name": "b"}
    assert asked["requests"][0]["url"] == "Things('1')"


@pytest.mark.parametrize(("status", "about"), [(404, False), (415, False), (503, False), (500, True)])
async def test_a_batch_that_is_refused_says_nothing_of_its_records(status: int, about: bool) -> None:
    fake = Fake()
    fake.say("POST /$batch", "no", status=status, Retry_After="60")
    async with fake.connected(**BATCH) as connector:
        found = await connector.apply([write(name="b"), write(native_id="2", name="b"), write(nome="x")])
    assert [getattr(one, "about_record", None) for one in found] == [about, about, None]
    assert isinstance(found[2], PermanentError)
    if status < 500:
        assert "$batch is refused as a whole; write  write: {batch: 1}" in str(found[0])


async def test_a_batch_of_version_2_needs_a_token_too() -> None:
    fake = Fake(edmx=V2)
    fake.say("GET /", {}, X_CSRF_Token="t")
    fake.say("POST /$batch", multipart(changeset(part(204)), part(400, json.dumps(V2_ERROR))), status=202, Content_Type=MIXED)
    fake.say("GET /Things('1')", {"d": {"id": "1", "name": "b"}})
    async with fake.connected(write={"batch": 10}, connection={"update": "tunnel", "client": "100"}) as connector:
        first, second = await connector.apply([write(name="b"), write(native_id="2", name="b")])
    assert isinstance(first, Receipt)
    assert first.look is not None
    assert first.look.item == {"id": "1", "name": "b"}
    assert "Country XX is unknown" in str(second)
    [asked] = [one for one in fake.asked if one.path == "/$batch"]
    assert (asked.headers["X-CSRF-Token"], asked.query) == ("t", {"sap-client": "100"})
    assert b"MERGE Things('1') HTTP/1.1" in asked.body


async def test_a_batch_is_only_one_attempt_of_each() -> None:
    fake = Fake()
    fake.say("POST /$batch", v4(), status=200, Content_Type="text/html")
    async with fake.connected(**BATCH) as connector:
        found = await connector.apply([write(name="b"), write(native_id="2", name="b")])
    assert all(isinstance(one, OutcomeUnknown) for one in found)
    assert fake.lines().count("POST /$batch") == 1


@pytest.mark.parametrize("batch", [1, 10])
async def test_a_service_that_is_not_as_configured_is_no_fault_of_a_record(batch: int) -> None:
    fake = Fake()
    fake.say("GET /$metadata", "<html>Wartung</html>", status=404)
    async with fake.connected(write={"batch": batch}) as connector:
        outcomes = await connector.apply([write(name="x"), write(name="y")])
        with pytest.raises(TransientError, match="base_url: no service there"):
            await connector.read("things", ["1"])
    assert all(isinstance(one, TransientError) and not one.about_record for one in outcomes), outcomes
    assert fake.lines() == []


async def test_metadata_that_goes_away_while_a_batch_is_under_way_does_not_hide_what_became_of_it() -> None:
    fake = Fake()
    now = [1_000_000]
    fake.say("GET /$metadata", V4, Content_Type="application/xml")
    fake.say("GET /$metadata", "", status=503)

    def late(_: Asked) -> web.Response:
        now[0] += 2 * AGE
        answers = [{"id": str(number), "status": 204} for number in (1, 2)]
        return web.Response(body=encode({"responses": answers}), content_type="application/json")

    fake.told["POST /$batch"] = [late]
    options = {"write": {"batch": 10}, "connection": {"protocol": "v4", "batch": "json"}, "collection": {"version": "etag"}}
    async with fake.connected(now=lambda: now[0], **options) as connector:
        outcomes = await connector.apply([write(name="x"), write(native_id="2", name="y")])
    assert [getattr(found, "answer", found) for found in outcomes] == [Answer.DONE, Answer.DONE]
