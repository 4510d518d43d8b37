"""The emulated organisation against a well-known client from PyPI, and its own promises where that client does not look."""

import asyncio
import contextlib
import csv
import io
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

import aiohttp
import pytest
import requests
import simple_salesforce
from requests.adapters import HTTPAdapter

from syncd.connectors.salesforce.bus import Bus, Way
from syncd.connectors.salesforce.soql import full_id
from tests.emulators.salesforce import EXPIRED, LOCKED, Fault, Salesforce, serving
from tests.emulators.salesforce.ids import checked, known
from tests.emulators.salesforce.org import ORG_ID, Org
from tests.emulators.salesforce.soql import Reader
from tests.emulators.salesforce.values import Refused

ROOT = Path(__file__).parents[2]


class Plain(HTTPAdapter):
    """Speaks HTTP where the client insists on HTTPS."""

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        assert request.url is not None
        request.url = request.url.replace("https://", "http://", 1)
        return super().send(request, *args, **kwargs)


@pytest.fixture
async def salesforce() -> AsyncIterator[Salesforce]:
    made = Salesforce()
    async with serving(made):
        yield made


@contextlib.contextmanager
def client(salesforce: Salesforce) -> Iterator[simple_salesforce.Salesforce]:
    """Yield simple-salesforce, pointed at the emulator."""
    with requests.Session() as session:
        session.mount("https://", Plain())
        instance = salesforce.url.removeprefix("http://")
        yield simple_salesforce.Salesforce(instance=instance, session_id=salesforce.token(), session=session, version="67.0")


async def by_client(salesforce: Salesforce, act: Callable[[Any], Any]) -> Any:
    """Return what an act with the client comes to; it blocks, so it has a thread."""

    def run() -> Any:
        with client(salesforce) as made:
            return act(made)

    return await asyncio.to_thread(run)


# ---- simple-salesforce


async def test_the_client_creates_reads_edits_and_deletes(salesforce: Salesforce):
    def act(sf: Any) -> str:
        made = sf.Contact.create({"LastName": "Smith", "Email": "a@b.example"})
        assert made["success"] is True
        assert sf.Contact.update(made["id"], {"LastName": "Jones"}) == 204
        got = sf.Contact.get(made["id"])
        assert (got["LastName"], got["attributes"]["type"]) == ("Jones", "Contact")
        assert sf.Contact.upsert("ERP_Number__c/4711", {"LastName": "New"}) == 201
        assert sf.Contact.upsert("ERP_Number__c/4711", {"LastName": "Old"}) == 200
        assert sf.Contact.get_by_custom_id("ERP_Number__c", "4711")["LastName"] == "Old"
        assert sf.Contact.delete(made["id"]) == 204
        return str(made["id"])

    gone = await by_client(salesforce, act)
    assert salesforce.org.table("Contact")[gone].now["IsDeleted"]
    assert salesforce.org.events[0].origin == "com/salesforce/api/rest/67.0"


async def test_the_client_queries_page_by_page(salesforce: Salesforce):
    salesforce.data.page = 40
    for number in range(130):
        salesforce.org.create("Contact", {"LastName": f"Name {number:03d}"})

    def act(sf: Any) -> None:
        like = "SELECT Id, LastName FROM Contact WHERE LastName LIKE '{:like}%' ORDER BY LastName"
        soql = simple_salesforce.format_soql(like, "Name")
        found = sf.query_all(soql)
        assert [one["LastName"] for one in found["records"]] == [f"Name {number:03d}" for number in range(130)]
        assert sf.query("SELECT COUNT() FROM Contact")["totalSize"] == 130
        strange = simple_salesforce.format_soql("SELECT Id FROM Contact WHERE LastName = {}", 'it\'s a \\ "quote"\n')
        assert sf.query(strange)["totalSize"] == 0
        assert len(list(sf.query_all_iter("SELECT Id FROM Contact", include_deleted=True))) == 130

    await by_client(salesforce, act)


async def test_the_client_sees_errors_as_salesforce_words_them(salesforce: Salesforce):
    def act(sf: Any) -> None:
        with pytest.raises(simple_salesforce.SalesforceMalformedRequest) as wrong:
            sf.query("SELECT Nix FROM Contact")
        assert wrong.value.content[0]["errorCode"] == "INVALID_FIELD"
        with pytest.raises(simple_salesforce.SalesforceResourceNotFound):
            sf.Contact.get("0035g00000AAAAAAAA")
        with pytest.raises(simple_salesforce.SalesforceMalformedRequest) as required:
            sf.Contact.create({"FirstName": "x"})
        assert required.value.content[0]["errorCode"] == "REQUIRED_FIELD_MISSING"

    await by_client(salesforce, act)
    salesforce.faults.append(Fault(refused=EXPIRED))
    with pytest.raises(simple_salesforce.SalesforceExpiredSession):
        await by_client(salesforce, lambda sf: sf.limits())


async def test_the_client_reads_descriptions_limits_and_what_changed(salesforce: Salesforce):
    one = salesforce.org.create("Contact", {"LastName": "x"})
    two = salesforce.org.create("Contact", {"LastName": "y"})
    salesforce.org.delete("Contact", two)

    def act(sf: Any) -> None:
        described = {field["name"]: field for field in sf.Contact.describe()["fields"]}
        assert described["ERP_Number__c"]["externalId"] is True
        assert sf.limits()["DailyApiRequests"]["Max"] == 100_000
        assert sf.api_usage["api-usage"].used == 2
        start, end = datetime(2026, 1, 1, tzinfo=UTC), datetime(2099, 1, 1, tzinfo=UTC)
        start = max(start, datetime.now(UTC).replace(microsecond=0).replace(hour=0, minute=0, second=0))
        assert sf.Contact.updated(start, end)["ids"] == [one]
        assert [gone["id"] for gone in sf.Contact.deleted(start, end)["deletedRecords"]] == [two]

    await by_client(salesforce, act)


async def test_the_client_loads_in_bulk(salesforce: Salesforce):
    def act(sf: Any) -> None:
        records = [{"LastName": f"Müller, {number}", "ERP_Number__c": f"E-{number}", "Email": ""} for number in range(25)]
        records.append({"LastName": "twin", "ERP_Number__c": "E-1", "Email": ""})
        done = sf.bulk2.Contact.insert(records=records, wait=0)
        assert (done[0]["numberRecordsProcessed"], done[0]["numberRecordsFailed"]) == (26, 1)
        failed = list(csv.DictReader(io.StringIO(sf.bulk2.Contact.get_failed_records(done[0]["job_id"]))))
        assert failed[0]["sf__Error"].startswith("DUPLICATE_VALUE:")
        emptied = [{"ERP_Number__c": "E-2", "LastName": "#N/A"}]
        again = sf.bulk2.Contact.upsert(records=emptied, external_id_field="ERP_Number__c", wait=0)
        assert again[0]["numberRecordsFailed"] == 1
        tables = list(sf.bulk2.Contact.query("SELECT Id, LastName FROM Contact", max_records=10, wait=0))
        rows = [row for table in tables for row in csv.DictReader(io.StringIO(table))]
        assert len(rows) == 25
        assert rows[3]["LastName"] == "Müller, 3"

    await by_client(salesforce, act)


# ---- what that client does not look at


def test_ids_have_a_checksum():
    assert checked("0035g000000A001") == "0035g000000A001AAC" == full_id("0035g000000A001")
    assert known("0035g000000A001aac") == "0035g000000A001AAC"
    assert known("0035g000000A001AAA") is None
    assert known("0035g000000a001") == "0035g000000a001AAA"
    assert checked(ORG_ID[:15]) == ORG_ID


@pytest.mark.parametrize(
    "wrong",
    [
        "",
        "SELECT FROM Contact",
        "SELECT Id FROM Contact WHERE",
        "SELECT Id FROM Contact WHERE Email = 'x' AND Phone = 'y' OR Phone = 'z'",
        "SELECT Id FROM Contact WHERE Email = 'x",
        "SELECT Id FROM Contact LIMIT 'x'",
        "SELECT Id FROM Contact; DELETE",
        r"SELECT Id FROM Contact WHERE Email = 'a\x'",
    ],
)
def test_a_query_that_cannot_be_read_is_refused(wrong: str):
    with pytest.raises(Refused) as refused:
        Reader(wrong).query()
    assert refused.value.code == "MALFORMED_QUERY"


async def ask(salesforce: Salesforce, method: str, path: str, value: Any = None, **headers: str) -> tuple[int, Any]:
    shown = {"Authorization": f"Bearer {salesforce.token()}"} | headers
    async with (
        aiohttp.ClientSession() as session,
        session.request(method, f"{salesforce.url}/services/data/v67.0/{path}", headers=shown, json=value) as reply,
    ):
        text = await reply.text()
        return reply.status, json.loads(text) if text else None


async def found(salesforce: Salesforce, where: str, order: str = "") -> list[str]:
    soql = f"SELECT LastName FROM Contact WHERE {where} {order}"
    _, answer = await ask(salesforce, "GET", f"query?q={quote(soql)}")
    return [one["LastName"] for one in answer["records"]]


async def test_conditions_compare_as_salesforce_does(salesforce: Salesforce):
    org = salesforce.org
    account = org.create("Account", {"Name": "Acme"})
    org.create(
        "Contact", {"LastName": "Ärmel", "Credit_Limit__c": "10.50", "AccountId": account[:15], "Birthdate": "2000-02-29"}
    )
    org.create("Contact", {"LastName": "Bauer", "Credit_Limit__c": 9, "HasOptedOutOfEmail": True})
    org.create("Contact", {"LastName": "Clay_1%", "Email": "c@x.example"})
    assert await found(salesforce, "LastName = 'ÄRMEL'") == ["Ärmel"]
    assert await found(salesforce, "Credit_Limit__c > 9.1") == ["Ärmel"]
    assert await found(salesforce, "Credit_Limit__c != 9") == ["Ärmel", "Clay_1%"]
    assert await found(salesforce, "Credit_Limit__c = null") == ["Clay_1%"]
    assert await found(salesforce, f"AccountId = '{account[:15]}'") == ["Ärmel"]
    assert await found(salesforce, "Account.Name IN ('acme', 'x') AND Birthdate = 2000-02-29") == ["Ärmel"]
    assert await found(salesforce, "NOT HasOptedOutOfEmail = TRUE", "ORDER BY LastName DESC") == ["Ärmel", "Clay_1%"]
    assert await found(salesforce, r"LastName LIKE '%\_1\%'") == ["Clay_1%"]
    assert await found(salesforce, "LastName LIKE '_au%' OR (Email != null AND Phone = null)") == ["Bauer", "Clay_1%"]
    assert await found(salesforce, "LastName NOT IN ('bauer')", "ORDER BY Email NULLS LAST LIMIT 1 OFFSET 0") == ["Clay_1%"]
    assert await found(salesforce, "CreatedDate > 2020-01-01T00:00:00.000Z AND CreatedDate < 2020-01-02T00:00:00+01:00") == []


async def test_guards_know_whole_seconds(salesforce: Salesforce):
    one = salesforce.org.create("Contact", {"LastName": "x"})
    past = {"If-Unmodified-Since": "Thu, 01 Jan 2015 00:00:00 GMT"}
    assert (await ask(salesforce, "PATCH", f"sobjects/Contact/{one}", {"Phone": "1"}, **past))[0] == 412
    future = {"If-Unmodified-Since": "Wed, 01 Jan 2098 00:00:00 GMT"}
    assert (await ask(salesforce, "PATCH", f"sobjects/Contact/{one}", {"Phone": "1"}, **future))[0] == 204


async def test_a_collection_has_a_result_for_each_or_none_at_all(salesforce: Salesforce):
    records = [{"attributes": {"type": "Contact"}, "LastName": "a"}, {"attributes": {"type": "Contact"}}]
    status, results = await ask(salesforce, "POST", "composite/sobjects", {"records": records})
    assert (status, [one["success"] for one in results]) == (200, [True, False])
    assert results[1]["errors"][0]["statusCode"] == "REQUIRED_FIELD_MISSING"
    status, results = await ask(salesforce, "POST", "composite/sobjects", {"records": records, "allOrNone": True})
    assert [one["errors"][0]["statusCode"] for one in results] == [
        "ALL_OR_NONE_OPERATION_ROLLED_BACK",
        "REQUIRED_FIELD_MISSING",
    ]
    assert len(list(salesforce.org.rows("Contact"))) == 1


async def test_an_external_id_of_several_is_300_and_names_them(salesforce: Salesforce):
    org = salesforce.org
    ids = [org.create("Contact", {"LastName": "x", "ERP_Number__c": str(number)}) for number in range(2)]
    for one in ids:
        org.table("Contact")[one].now["ERP_Number__c"] = "7"
    status, urls = await ask(salesforce, "PATCH", "sobjects/Contact/ERP_Number__c/7", {"LastName": "y"})
    assert (status, [url.rpartition("/")[2] for url in urls]) == (300, ids)


async def test_a_merge_leaves_the_loser_in_the_bin_with_its_master():
    org = Org()
    account, other = (org.create("Account", {"Name": name}) for name in ("A", "B"))
    child = org.create("Contact", {"LastName": "x", "AccountId": other})
    org.merge("Account", account, other)
    assert org.table("Account")[other].now["MasterRecordId"] == account
    assert org.row("Contact", child)["AccountId"] == account
    assert [event.kind for event in org.events[-2:]] == ["DELETE", "UPDATE"]
    assert len({event.transaction for event in org.events[-2:]}) == 1


async def test_an_edit_is_not_seen_before_its_commit(salesforce: Salesforce):
    org = salesforce.org
    one = org.create("Contact", {"LastName": "x"})
    org.held = True
    org.update("Contact", one, {"LastName": "y"})
    org.create("Contact", {"LastName": "z"})
    assert await found(salesforce, "Id != null") == ["x"]
    assert len(org.events) == 1
    org.release()
    assert await found(salesforce, "Id != null") == ["y", "z"]
    assert [event.kind for event in org.events] == ["CREATE", "UPDATE", "CREATE"]


async def test_an_answer_may_be_lost_after_the_write_was_done(salesforce: Salesforce):
    salesforce.faults.append(Fault(drop=True, after=True))
    with pytest.raises(aiohttp.ClientError):
        await ask(salesforce, "POST", "sobjects/Contact", {"LastName": "x"})
    assert len(list(salesforce.org.rows("Contact"))) == 1
    salesforce.faults.append(Fault(refused=LOCKED))
    status, errors = await ask(salesforce, "POST", "sobjects/Contact", {"LastName": "y"})
    assert (status, errors[0]["errorCode"]) == (400, "UNABLE_TO_LOCK_ROW")
    assert salesforce.writes == 2


async def test_a_days_requests_run_out(salesforce: Salesforce):
    salesforce.data.daily = 1
    assert (await ask(salesforce, "GET", "limits"))[0] == 200
    status, errors = await ask(salesforce, "GET", "limits")
    assert (status, errors[0]["errorCode"]) == (403, "REQUEST_LIMIT_EXCEEDED")


@pytest.mark.parametrize("vendors", [True, False])
async def test_it_runs_as_a_process_of_its_own(vendors: bool, tmp_path: Path):
    fill = tmp_path / "fill.json"
    fill.write_text('{"Contact": [{"LastName": "Filled"}]}')
    environment = {key: value for key, value in os.environ.items() if vendors or key != "SYNCD_SHARED"}
    command = (sys.executable, "-m", "tests.emulators.salesforce", "--fill", str(fill))
    process = await asyncio.create_subprocess_exec(*command, cwd=ROOT, env=environment, stdout=asyncio.subprocess.PIPE)
    try:
        assert process.stdout is not None
        async with asyncio.timeout(30):
            told = json.loads(await process.stdout.readline())
        form = {"grant_type": "client_credentials", "client_id": told["client_id"], "client_secret": told["client_secret"]}
        async with aiohttp.ClientSession() as session:
            async with session.post(f"{told['url']}/services/oauth2/token", data=form) as reply:
                token = (await reply.json())["access_token"]
            async with session.post(f"{told['url']}/emulator/rows", json={"name": "Contact"}) as reply:
                assert [one["LastName"] for one in await reply.json()] == ["Filled"]

        async def metadata() -> tuple[tuple[str, str], ...]:
            return (("accesstoken", token), ("instanceurl", told["url"]), ("tenantid", ORG_ID))

        async with Bus(Way(told["bus"], None, None, 5.0, ".", str), metadata) as bus:
            assert (await bus.topic("/data/ContactChangeEvent")).can_subscribe
    finally:
        process.send_signal(signal.SIGTERM)
        assert await process.wait() == 0
