"""Reading an organisation: logins, pages, polls, deletes, merges, query jobs, history, and what an org may do meanwhile."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from syncd.connectors.protocol import Batch, Page
from syncd.connectors.salesforce.kind import Salesforce as Connected
from syncd.core.model import Change
from syncd.errors import PermanentError, TransientError
from tests.connectors.salesforce_world import NAMES, acme, connected, organisation
from tests.emulators.salesforce.objects import Field
from tests.emulators.salesforce.server import DOWN, EXPIRED, USED_UP, Fault, Salesforce, serving
from tests.emulators.salesforce.values import Refused

POLL = {"poll": {"every": "1m", "overlap": "5s"}}


def person(salesforce: Salesforce, number: int, **other: Any) -> str:
    values = {"LastName": f"Name {number}", "Email": f"p{number}@acme.example", "ERP_Number__c": f"E-{number}"}
    return salesforce.org.create("Contact", values | other)


async def pages(connector: Connected) -> list[Page]:
    return [page async for page in connector.scan("contacts")]


async def polled(connector: Connected, cursor: str | None = None) -> tuple[list[Change], str | None]:
    found = [batch async for batch in connector.changes("contacts", cursor)]
    return [one for batch in found for one in batch.changes], found[-1].cursor if found else cursor


def shown(changes: list[Change], path: str) -> list[Any]:
    return [one.item and one.item.get(path) for one in changes]


def asked(salesforce: Salesforce, word: str) -> int:
    return sum(word in one.path for one in salesforce.requests)


# ---- login


@pytest.fixture(scope="module")
def key() -> tuple[str, str]:
    made = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    private = made.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    public = made.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    return private.decode(), public.decode()


async def test_jwt_bearer_lets_us_in_and_the_token_is_kept(key: tuple[str, str]) -> None:
    salesforce = organisation()
    salesforce.public_key = key[1]
    oauth = {"client_id": "3MVG9client", "jwt_key": "secret:key", "user": "syncd@acme.example"}
    async with serving(salesforce), connected(salesforce, connection={"oauth": oauth}, secret=lambda _: key[0]) as connector:
        person(salesforce, 1)
        for _ in range(3):
            assert len((await pages(connector))[0].changes) == 1
        assert salesforce.logins == 1
        assert {one.headers.get("Sforce-Call-Options") for one in salesforce.requests if "oauth2" not in one.path} == {
            "client=syncd"
        }


@pytest.mark.parametrize(
    ("oauth", "secret", "text"),
    [
        ({"jwt_key": "secret:key", "user": "syncd@acme.example"}, "no key", "no private RSA key"),
        ({"client_secret": "wrong"}, "", "invalid_client: invalid client credentials"),
    ],
)
async def test_a_login_that_cannot_work_says_so_and_shows_no_secret(oauth: dict[str, str], secret: str, text: str) -> None:
    salesforce = organisation()
    connection = {"oauth": {"client_id": "3MVG9client"} | oauth}
    async with serving(salesforce), connected(salesforce, connection=connection, secret=lambda _: secret) as connector:
        with pytest.raises(TransientError, match=f"^login: .*{text}") as caught:
            await pages(connector)
        assert not caught.value.about_record
        assert "wrong" not in str(caught.value)


async def test_a_token_that_ends_in_mid_run_is_renewed() -> None:
    async with acme() as (salesforce, connector):
        salesforce.data.page = 2
        salesforce.expire_after = 3
        made = [person(salesforce, number) for number in range(20)]
        found = [one.id for page in await pages(connector) for one in page.changes]
        assert found == made
        assert salesforce.logins > 2


async def test_the_answer_of_the_login_says_where_the_organisation_is() -> None:
    front, behind = organisation(), organisation()
    async with serving(front), serving(behind), connected(front) as connector:
        front.url = behind.url  # instance_url
        behind.tokens = front.tokens
        person(behind, 1)
        assert len((await pages(connector))[0].changes) == 1
        assert [one.path for one in front.requests] == ["/services/oauth2/token"]


# ---- full reads


async def test_a_scan_goes_on_by_key_when_its_place_was_given_up() -> None:
    async with acme() as (salesforce, connector):
        salesforce.data.page = 3
        made = [person(salesforce, number) for number in range(10)]
        lost = Refused("INVALID_QUERY_LOCATOR", "invalid query locator")
        salesforce.faults.append(Fault(lambda one: "-6" in one.path, refused=lost))
        found = await pages(connector)
        assert [one.id for page in found for one in page.changes] == made
        assert found[-1].complete


async def test_a_list_that_ends_too_early_is_not_complete() -> None:
    async with acme() as (salesforce, connector):
        person(salesforce, 1)
        body = b'{"totalSize": 2, "done": true, "records": [{"Id": "0035g0000000001AAA", "LastName": "A"}]}'
        salesforce.faults.append(Fault(lambda one: "/query" in one.path, raw=body, status=200))
        found = await pages(connector)
        assert (found[-1].last, found[-1].complete, found[-1].why) == (True, False, "the query counts 2, 1 came")
        elsewhere = b'{"done": false, "nextRecordsUrl": "//x", "records": []}'
        for raw in (b'{"done": false, "records": []}', b'{"records": []}', b"<html>", elsewhere):
            salesforce.faults.append(Fault(lambda one: "/query" in one.path, raw=raw, status=200))
            with pytest.raises(TransientError):
                await pages(connector)


async def test_a_parent_s_field_is_read_through_its_relationship() -> None:
    async with acme(fields=(*NAMES, "Account.Name", "Account.Phone")) as (salesforce, connector):
        account = salesforce.org.create("Account", {"Name": "Acme"})
        person(salesforce, 1, AccountId=account)
        person(salesforce, 2)
        [page] = await pages(connector)
        assert shown(list(page.changes), "Account") == [{"Name": "Acme", "Phone": None}, {"Name": None, "Phone": None}]


async def test_ids_have_18_characters_whatever_was_answered() -> None:
    async with acme(fields=(*NAMES, "AccountId")) as (salesforce, connector):
        record = b'{"Id": "0035g0000000001", "AccountId": "0015g0000000001", "IsDeleted": false}'
        body = b'{"totalSize": 1, "done": true, "records": [' + record + b"]}"
        salesforce.faults.append(Fault(lambda one: "/query" in one.path, raw=body, status=200))
        [page] = await pages(connector)
        assert page.changes[0].id == "0035g0000000001AAA"
        assert shown(list(page.changes), "AccountId") == ["0015g0000000001AAA"]


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        (("Emial",), 'contacts: Contact has no field "Emial"; did you mean "Email"'),
        (("email",), 'did you mean "Email"'),
        (("Acount.Name",), 'contacts: Contact has no parent "Acount"; did you mean "Account"'),
        (("Account.Nam",), 'contacts: Account has no field "Nam"; did you mean "Name"'),
    ],
)
async def test_a_path_that_leads_nowhere_is_named_with_what_may_be_meant(fields: tuple[str, ...], text: str) -> None:
    async with acme(fields=fields) as (_, connector):
        with pytest.raises(PermanentError, match=text):
            await pages(connector)


async def test_an_object_that_is_not_there_is_named() -> None:
    async with acme(collection={"object": "Contakt"}) as (_, connector):
        with pytest.raises(PermanentError, match='no object "Contakt"'):
            await pages(connector)


async def test_a_query_job_shows_what_a_query_shows() -> None:
    fields = (*NAMES, "Description", "Credit_Limit__c", "HasOptedOutOfEmail", "Account.Name")
    scope = {"where": "LastName != 'Nobody'"}
    async with acme(fields=fields, collection=scope) as (salesforce, by_pages):
        account = salesforce.org.create("Account", {"Name": 'The "A", Ltd\nBerlin'})
        person(salesforce, 1, Description='two\nlines, a "quote"', Credit_Limit__c=Decimal("12.50"), AccountId=account)
        person(salesforce, 2, HasOptedOutOfEmail=True, Description="ä, ö; 日本")
        person(salesforce, 3, LastName="Nobody")
        async with connected(salesforce, fields=fields, collection=scope | {"full_read": "bulk"}) as by_job:
            one = [change for page in await pages(by_pages) for change in page.changes]
            other = [change for page in await pages(by_job) for change in page.changes]
        assert [(c.id, c.item, c.version) for c in one] == [(c.id, c.item, c.version) for c in other]
        assert len(one) == 2


async def test_a_job_that_fails_or_stops_short_is_no_evidence() -> None:
    async with acme(collection={"full_read": "bulk"}) as (salesforce, connector):
        person(salesforce, 1)
        salesforce.data.bulk.failing = "InternalServerError: try later"
        with pytest.raises(TransientError, match="Failed"):
            await pages(connector)
        salesforce.data.bulk.failing = ""
        salesforce.faults.append(Fault(lambda one: "/results" in one.path, raw=b'"Id"\n', status=200))
        found = await pages(connector)
        assert not found[-1].complete
        assert "came" in found[-1].why


async def test_an_unmapped_answer_stays_the_platform_s_trouble() -> None:
    async with acme() as (salesforce, connector):
        for fault, own in ((DOWN, True), (Refused("QUERY_TIMEOUT", "too slow", status=400), False)):
            salesforce.faults.append(Fault(lambda one: "/query" in one.path, refused=fault))
            with pytest.raises(TransientError) as caught:
                await pages(connector)
            assert caught.value.about_record is not own


# ---- the day's quota


async def test_the_day_s_quota_is_the_organisation_s_own_count() -> None:
    async with acme(limits={"daily": 40}) as (salesforce, connector):
        salesforce.data.used = 38
        await connector.read("contacts", ["0035g0000000001AAA"])
        with pytest.raises(TransientError, match="40 of the 40 requests of a day are used up") as caught:
            await pages(connector)
        assert caught.value.retry_after is not None
        assert caught.value.retry_after > 800


async def test_a_quota_that_is_used_up_pauses_the_platform() -> None:
    async with acme() as (salesforce, connector):
        salesforce.faults.append(Fault(refused=USED_UP))
        with pytest.raises(TransientError, match="REQUEST_LIMIT_EXCEEDED") as caught:
            await pages(connector)
        assert (caught.value.retry_after, caught.value.about_record) == (900, False)
        before = len(salesforce.requests)
        with pytest.raises(TransientError, match="told to wait"):
            await pages(connector)
        assert len(salesforce.requests) == before, "a platform that is paused is left in peace"


async def test_limits_are_asked_for_with_the_rights() -> None:
    async with acme(writes=("LastName", "Account.Name", "CreatedDate")) as (salesforce, connector):
        rights = await connector.rights("contacts")
        assert asked(salesforce, "/limits") == 1
        assert (rights.write, rights.refused) == (False, ("Account.Name", "CreatedDate"))
        assert (rights.has, rights.missing, rights.excess) == (("api",), (), ())


# ---- by id, by key


async def test_many_ids_are_few_requests_and_junk_is_none() -> None:
    async with acme() as (salesforce, connector):
        made = [person(salesforce, number) for number in range(250)]
        await connector.read("contacts", made[:1])
        before = len(salesforce.requests)
        looks = await connector.read("contacts", [*made, "", "'; DROP", "0015g00000000001"])
        assert [one.id for one in looks[:250]] == made
        assert [one.gone for one in looks[250:]] == [True] * 3
        assert len(salesforce.requests) - before == 2


async def test_texts_with_quotes_are_found_and_find_minds_the_case() -> None:
    async with acme() as (salesforce, connector):
        wanted = person(salesforce, 1, LastName="O'Neil \\ \"x\"\nb", Email="Anna@acme.example")
        person(salesforce, 2, LastName="o'neil \\ \"x\"\nb")
        assert [one.id for one in await connector.find("contacts", "LastName", "O'Neil \\ \"x\"\nb")] == [wanted]
        assert await connector.find("contacts", "Email", "anna@acme.example") == []
        assert await connector.find("contacts", "Email", "' OR Email != '") == []
        with pytest.raises(PermanentError, match="no field"):
            await connector.find("contacts", "Mail", "x")


# ---- what changed


async def test_a_first_load_can_be_resumed_from_each_of_its_cursors() -> None:
    async with acme(watch=POLL) as (salesforce, connector):
        salesforce.data.page = 4
        moment = datetime(2026, 1, 1, tzinfo=UTC)
        salesforce.org.clock = lambda: moment
        made = [person(salesforce, number) for number in range(20)]  # all with the same stamp
        salesforce.org.clock = lambda: datetime.now(UTC)
        seen: list[str] = []
        cursor: str | None = None
        for _ in range(6):
            feed: AsyncIterator[Batch] = aiter(connector.changes("contacts", cursor))
            batch = await anext(feed)  # and then we are killed
            await feed.aclose()  # type: ignore[attr-defined]
            seen += [one.id for one in batch.changes]
            cursor = batch.cursor
        assert seen == made


async def test_what_is_committed_late_is_seen_by_the_overlap() -> None:
    async with acme(watch={"poll": {"every": "1m"}}) as (salesforce, connector):
        _, cursor = await polled(connector)
        salesforce.org.held = True
        late = person(salesforce, 1)
        salesforce.org.held = False
        other = person(salesforce, 2)
        found, cursor = await polled(connector, cursor)
        assert [one.id for one in found] == [other]
        salesforce.org.release()
        found, _ = await polled(connector, cursor)
        assert late in [one.id for one in found]


async def test_a_poll_that_finds_nothing_new_moves_nothing() -> None:
    async with acme(watch=POLL) as (salesforce, connector):
        _, cursor = await polled(connector)
        assert cursor is not None
        assert [batch async for batch in connector.changes("contacts", cursor)] == []
        person(salesforce, 1)
        _, moved = await polled(connector, cursor)
        assert moved != cursor


async def test_deleted_and_restored_records() -> None:
    async with acme(watch=POLL) as (salesforce, connector):
        one, other = person(salesforce, 1), person(salesforce, 2)
        _, cursor = await polled(connector)
        salesforce.org.delete("Contact", one)
        found, cursor = await polled(connector, cursor)
        assert {change.id: change.gone for change in found} == {one: True, other: False}
        salesforce.org.undelete("Contact", one)
        found, _ = await polled(connector, cursor)
        assert [change.gone for change in found if change.id == one] == [False]
        [page] = await pages(connector)
        assert len(page.changes) == 2


async def test_a_record_that_left_the_bin_is_found_by_the_list_of_deleted_ids() -> None:
    async with acme(watch={"poll": {"every": "1m", "overlap": "5s", "deleted": "1m"}}) as (salesforce, connector):
        one = person(salesforce, 1)
        _, cursor = await polled(connector)
        assert cursor is not None
        salesforce.org.purge("Contact", one)
        past = (datetime.now(UTC) - timedelta(minutes=20)).isoformat()
        listed = f'{{"deletedRecords": [{{"id": "{one[:15]}", "deletedDate": "{past}"}}], "latestDateCovered": "{past}"}}'
        salesforce.faults.append(Fault(lambda asked: "/deleted/" in asked.path, raw=listed.encode(), status=200))
        old = cursor.replace(cursor.partition('"gone":"')[2][:24], past[:19] + ".000Z")
        found, cursor = await polled(connector, old)
        assert [(change.id, change.gone) for change in found] == [(one, True)]


async def test_a_stamp_in_their_future_does_not_hide_what_comes() -> None:
    async with acme(watch=POLL) as (salesforce, connector):
        salesforce.org.clock = lambda: datetime.now(UTC) + timedelta(days=300)
        person(salesforce, 1)
        salesforce.org.clock = lambda: datetime.now(UTC)
        _, cursor = await polled(connector)
        later = person(salesforce, 2)
        found, _ = await polled(connector, cursor)
        assert later in [one.id for one in found]


async def test_what_leaves_the_scope_has_left_and_is_not_deleted() -> None:
    async with acme(watch=POLL, collection={"where": "Phone = null"}) as (salesforce, connector):
        one, other = person(salesforce, 1), person(salesforce, 2)
        _, cursor = await polled(connector)
        salesforce.org.update("Contact", one, {"Phone": "1"})
        found, _ = await polled(connector, cursor)
        assert {change.id: change.left for change in found} == {one: True, other: False}
        assert [change.left for change in await connector.read("contacts", [one, other])] == [True, False]
        assert [change.id for page in await pages(connector) for change in page.changes] == [other]


async def test_a_merge_says_what_the_loser_became_and_shows_the_winner_after_it() -> None:
    async with acme(watch=POLL) as (salesforce, connector):
        winner, loser = person(salesforce, 1), person(salesforce, 2)
        _, cursor = await polled(connector)
        await asyncio.sleep(0.01)
        salesforce.org.merge("Contact", winner, loser, values={"Phone": "0123"})
        found, _ = await polled(connector, cursor)
        ids = [change.id for change in found]
        lost = found[ids.index(loser)]
        assert (lost.gone, lost.item, lost.merged_into) == (True, None, winner)
        last = [change for change in found if change.id == winner][-1]
        assert last.item is not None
        assert last.item["Phone"] == "0123"
        assert len(ids) - 1 - ids[::-1].index(winner) > ids.index(loser)
        [look] = await connector.read("contacts", [loser])
        assert (look.gone, look.merged_into) == (True, winner)


async def test_edit_times_of_single_fields_come_from_the_history() -> None:
    async with acme(collection={"field_times": "history"}, watch=POLL) as (salesforce, connector):
        one = person(salesforce, 1)
        for day, values in ((1, {"Email": "a@acme.example"}), (2, {"Phone": "1"}), (3, {"Description": "x"})):
            moment = datetime(2026, 1, day, tzinfo=UTC)
            salesforce.org.clock = partial(datetime.fromtimestamp, moment.timestamp(), UTC)
            salesforce.org.update("Contact", one, values)
        [look] = await connector.read("contacts", [one])
        assert look.times == {"Email": 1_767_225_600_000_000, "Phone": 1_767_312_000_000_000}
        assert look.changed_at == 1_767_398_400_000_000


async def test_the_schema_may_change_while_we_run() -> None:
    async with acme() as (salesforce, connector):
        person(salesforce, 1)
        await pages(connector)
        salesforce.org.objects["Contact"] = salesforce.org.objects["Contact"].without("Phone")
        with pytest.raises(PermanentError, match="Phone"):
            await pages(connector)
        with pytest.raises(PermanentError, match='no field "Phone"'):
            await pages(connector)
        salesforce.org.objects["Contact"] = salesforce.org.objects["Contact"].extended(Field("Phone", "phone"))
        assert len((await pages(connector))[0].changes) == 1


async def test_an_expired_session_that_stays_expired_is_a_login_problem() -> None:
    async with acme() as (salesforce, connector):
        salesforce.faults.append(Fault(refused=EXPIRED, times=5))
        with pytest.raises(TransientError, match=r"^login: .*INVALID_SESSION_ID"):
            await pages(connector)


async def test_many_requests_whose_token_ended_at_once_all_go_on() -> None:
    async with acme() as (salesforce, connector):
        ids = [person(salesforce, number) for number in range(8)]
        await connector.read("contacts", ids)
        salesforce.expire()
        looks = await asyncio.gather(*(connector.read("contacts", [one]) for one in ids))
        assert [look.gone for [look] in looks] == [False] * 8
